#include "compare/schedule/schedule.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "compare/schedule/halving.h"

static int64_t treated_arms(const struct plan *plan)
{
    int64_t count = 0;
    for (int64_t a = 0; a < plan->arms; a++) count += plan->arm[a].kind == ARM_TREATED;
    return count;
}

static bool is_sequential(const struct plan *plan)
{
    return plan->design != DESIGN_SCREEN && plan->stopping != STOP_FIXED;
}

static int64_t stages_of(const struct plan *plan)
{
    if (plan->design == DESIGN_SCREEN) return halving_rounds(treated_arms(plan));
    if (plan->stopping == STOP_LOOKS) return plan->looks;
    if (plan->stopping == STOP_DECIDED) return plan->seeds > INFERENCE_FROM ? plan->seeds - INFERENCE_FROM + 1 : 1;
    return 1;
}

/* How many blocks there are at the end of a stage. */
static int64_t blocks_of_stage(const struct plan *plan, int64_t stage)
{
    if (plan->design == DESIGN_SCREEN) return halving_blocks(treated_arms(plan), plan->seeds, stage + 1);
    if (plan->stopping == STOP_LOOKS) return plan->look[stage];
    if (plan->stopping == STOP_DECIDED && plan->seeds > INFERENCE_FROM) return INFERENCE_FROM + stage;
    return plan->seeds;
}

int64_t schedule_blocks(const struct plan *plan)
{
    return blocks_of_stage(plan, stages_of(plan) - 1);
}

/* Of the stage that goes on, or of the last. */
static int64_t blocks_now(const struct schedule *schedule)
{
    return blocks_of_stage(schedule->plan, schedule->stage < schedule->stages ? schedule->stage : schedule->stages - 1);
}

/* ---- What becomes of an arm ---- */

/* A trick may rarely act: it has so many seeds to do so. */
static int64_t idle_blocks(const struct plan *plan)
{
    return plan->seeds < INFERENCE_FROM ? plan->seeds : INFERENCE_FROM;
}

static void look_at_arm(struct schedule *schedule, int64_t arm)
{
    struct arm_state *state = &schedule->state[arm];
    *state = (struct arm_state){.idle = schedule->plan->arm[arm].kind == ARM_TREATED};
    for (int64_t b = 0; b < schedule->grid->blocks; b++) {
        const struct trial_cell *cell = grid_cell(schedule->grid, b, arm);
        state->waits |= cell->waits;
        state->retry |= !cell->there && !cell->waits && cell->attempts > 0;
        if (cell->there ? cell->status != TRIAL_DONE || !cell->idle[0] : b < idle_blocks(schedule->plan)) state->idle = false;
    }
}

/* ---- What is wanted ---- */

static void want(struct schedule *schedule, int64_t arm, int64_t blocks)
{
    if (blocks > schedule->until[arm]) schedule->open = 0;
    schedule->until[arm] = blocks;
}

/* Arms that go on get the blocks of the stage; the baseline goes on while anything does. */
static void want_stage(struct schedule *schedule)
{
    const struct plan *plan = schedule->plan;
    for (int64_t a = 0; a < plan->arms; a++)
        if (plan->arm[a].kind != ARM_BUDGET && !schedule->stopped[a] && !plan->arm[a].dropped) want(schedule, a, blocks_now(schedule));
}

/* The baseline that tells whether its budget is enough. */
static bool tells_convergence(const struct plan *plan, int64_t arm)
{
    for (int64_t a = 1; a < plan->arms; a++)
        if (plan->arm[a].kind == ARM_BUDGET && plan->arm[a].budget > 1 && fabs(plan->arm[a].budget - 2) < fabs(plan->arm[arm].budget - 2))
            return false;
    return plan->converge && plan->arm[arm].budget > 1;
}

/* Other budgets of the baseline are wanted for as long as an arm that is compared with them. */
static void want_budgets(struct schedule *schedule)
{
    const struct plan *plan = schedule->plan;
    for (int64_t b = 0; b < plan->arms; b++) {
        int64_t until = 0;
        if (plan->arm[b].kind != ARM_BUDGET) continue;
        for (int64_t c = 0; c < plan->contrasts; c++) {
            int64_t a = plan->contrast[c].arm;
            if (plan->contrast[c].kind != CONTRAST_ARM || schedule->until[a] <= until || plan->design == DESIGN_SCREEN) continue;
            if (budget_is_needed(schedule->grid, a, blocks_now(schedule), plan->arm[b].budget)) until = schedule->until[a];
        }
        if (until < CONVERGE_SEEDS && tells_convergence(plan, b))
            until = schedule->until[0] < CONVERGE_SEEDS ? schedule->until[0] : CONVERGE_SEEDS;
        want(schedule, b, until);
    }
}

/* An arm that waits for the machine is not waited for. */
static bool all_there(const struct schedule *schedule, bool budgets)
{
    for (int64_t a = 0; a < schedule->plan->arms; a++) {
        if ((!budgets && schedule->plan->arm[a].kind == ARM_BUDGET) || schedule->state[a].waits || schedule->state[a].idle) continue;
        for (int64_t b = 0; b < schedule->until[a]; b++)
            if (!grid_there(schedule->grid, b, a)) return false;
    }
    return true;
}

knack_status schedule_new(const struct plan *plan, struct grid *grid, struct schedule *schedule)
{
    *schedule = (struct schedule){.plan = plan,
                                  .grid = grid,
                                  .until = memory_new((size_t)plan->arms, sizeof(int64_t)),
                                  .stopped = memory_new((size_t)plan->arms, sizeof(bool)),
                                  .settled = memory_new((size_t)plan->contrasts + 1, sizeof(bool)),
                                  .p_adjusted = memory_new((size_t)plan->contrasts + 1, sizeof(double)),
                                  .state = memory_new((size_t)plan->arms, sizeof(struct arm_state)),
                                  .stages = stages_of(plan)};
    if (!schedule->state || !schedule->until || !schedule->stopped || !schedule->settled || !schedule->p_adjusted) {
        schedule_free(schedule);
        return KNACK_E_MEMORY;
    }
    for (int64_t c = 0; c < plan->contrasts; c++) schedule->p_adjusted[c] = NAN;
    want_stage(schedule);
    return schedule_advance(schedule);
}

void schedule_free(struct schedule *schedule)
{
    memory_free(schedule->until);
    memory_free(schedule->state);
    memory_free(schedule->stopped);
    memory_free(schedule->settled);
    memory_free(schedule->p_adjusted);
    *schedule = (struct schedule){0};
}

/* ---- Screenings ---- */

static double mean_difference(const struct grid *grid, int64_t arm, int64_t blocks)
{
    double sum = 0, count = 0;
    for (int64_t b = 0; b < blocks; b++) {
        double difference = grid_score(grid, b, arm) - grid_score(grid, b, 0);
        if (!isfinite(difference)) continue;
        sum += difference;
        count++;
    }
    return count > 0 ? sum / count : -INFINITY;
}

/* The best first; equal ones in the order of the plan. first, second: arms. */
static bool is_better(const struct schedule *schedule, const double *mean, int64_t first, int64_t second)
{
    if (schedule->until[first] != schedule->until[second]) return schedule->until[first] > schedule->until[second];
    return mean[first] > mean[second];
}

static int64_t rank(const struct schedule *schedule, double *mean, int64_t *best)
{
    int64_t count = 0;
    for (int64_t a = 0; a < schedule->plan->arms; a++) {
        if (schedule->plan->arm[a].kind != ARM_TREATED) continue;
        mean[a] = mean_difference(schedule->grid, a, schedule->until[a]);
        int64_t at = count++;
        for (; at > 0 && is_better(schedule, mean, a, best[at - 1]); at--) best[at] = best[at - 1];
        best[at] = a;
    }
    return count;
}

/* What changes nothing needs no second round, and must not take the place of what might. */
static bool is_identical(const struct schedule *schedule, int64_t arm)
{
    for (int64_t b = 0; b < schedule->until[arm]; b++)
        if (grid_score(schedule->grid, b, arm) != grid_score(schedule->grid, b, 0)) return false;
    return schedule->until[arm] > 0;
}

/* After a round of a screening, the better half of those that are left. */
static knack_status drop_half(struct schedule *schedule)
{
    double *mean = memory_new((size_t)schedule->plan->arms, sizeof *mean);
    int64_t *best = memory_new((size_t)schedule->plan->arms, sizeof *best);
    knack_status status = mean && best ? KNACK_OK : KNACK_E_MEMORY;
    if (status >= 0) {
        int64_t count = rank(schedule, mean, best), left = 0;
        for (int64_t i = 0; i < count; i++) {
            left += !schedule->stopped[best[i]];
            if (is_identical(schedule, best[i])) schedule->stopped[best[i]] = true;
        }
        for (int64_t i = 0, stay = halving_survivors(left); i < count; i++)
            if (!schedule->stopped[best[i]] && stay-- <= 0) schedule->stopped[best[i]] = true;
    }
    memory_free(mean);
    memory_free(best);
    return status;
}

/* ---- Sequential plans ---- */

static bool any_open(const struct schedule *schedule)
{
    for (int64_t c = 0; c < schedule->plan->contrasts; c++)
        if (!schedule->settled[c]) return true;
    return false;
}

/* An arm goes on while a contrast does that it is in; budgets go by the arms that need them. */
static void stop_arms(struct schedule *schedule)
{
    const struct plan *plan = schedule->plan;
    for (int64_t a = 0; a < plan->arms; a++) {
        bool needed = plan->arm[a].kind == ARM_BUDGET;
        for (int64_t c = 0; c < plan->contrasts; c++) needed |= plan->contrast[c].weight[a] != 0 && !schedule->settled[c];
        schedule->stopped[a] = !needed;
    }
}

/* What every line decides is settled, and at looks what is in vain on the line that will judge it. */
static knack_status look(struct schedule *schedule)
{
    struct inference inference;
    TRY(inference_make(schedule->plan, schedule->grid, PROGRESS_DONE, blocks_now(schedule), &inference));
    for (int64_t c = 0; c < schedule->plan->contrasts; c++) {
        const struct finding *f = &inference.finding[c];
        schedule->p_adjusted[c] = f->p_adjusted;
        int64_t arm = f->contrast->kind == CONTRAST_ARM ? f->contrast->arm : 0;
        bool in_vain = f->at_equal_cost.n > 0 ? f->at_equal_cost.futile : f->estimate.futile;
        schedule->settled[c] |= f->decided || in_vain || schedule->state[arm].idle || schedule->plan->arm[arm].dropped;
    }
    inference_free(&inference);
    stop_arms(schedule);
    return KNACK_OK;
}

/* ---- Going on ---- */

static bool goes_on(const struct schedule *schedule)
{
    if (schedule->stage >= schedule->stages) return false;
    return !is_sequential(schedule->plan) || any_open(schedule);
}

static knack_status end_stage(struct schedule *schedule)
{
    if (schedule->plan->design == DESIGN_SCREEN) TRY(drop_half(schedule));
    if (is_sequential(schedule->plan)) TRY(look(schedule));
    schedule->stage++;
    if (goes_on(schedule)) want_stage(schedule);
    return KNACK_OK;
}

knack_status schedule_advance(struct schedule *schedule)
{
    double size[BUDGETS_MOST];
    for (int64_t a = 0; a < schedule->plan->arms; a++) look_at_arm(schedule, a);
    want_budgets(schedule);
    while (goes_on(schedule) && all_there(schedule, true) && schedule_budgets(schedule, size) == 0) {
        TRY(end_stage(schedule));
        want_budgets(schedule);
    }
    schedule->finished = !goes_on(schedule) && all_there(schedule, true);
    return KNACK_OK;
}

int64_t schedule_budgets(const struct schedule *schedule, double size[BUDGETS_MOST])
{
    const struct plan *plan = schedule->plan;
    int64_t blocks = all_there(schedule, false) ? blocks_now(schedule) : 1, count = 0;
    if (plan->design == DESIGN_SCREEN || !schedule_block_is_complete(schedule, 0)) return 0;
    for (int64_t c = 0; c < plan->contrasts; c++) {
        double needed[BUDGETS_MOST];
        if (plan->contrast[c].kind != CONTRAST_ARM) continue;
        int64_t sizes = budgets_needed(schedule->grid, plan->contrast[c].arm, blocks, needed);
        for (int64_t i = 0; i < sizes; i++) {
            bool known = plan_find_budget(plan, needed[i]) >= 0;
            for (int64_t k = 0; k < count; k++) known |= size[k] == needed[i];
            if (!known) size[count++] = needed[i];
        }
    }
    return count;
}

/* ---- Questions ---- */

static double place(uint64_t key, int64_t block, int64_t arm)
{
    return random_uniform(key, (struct random_place){.a = (uint32_t)block}, (uint64_t)arm);
}

/* Whether a trick acts at all is known before its arm goes beyond its first seeds. */
static bool may_begin(const struct schedule *schedule, int64_t block, int64_t arm, bool alone)
{
    const struct trial_cell *cell = grid_cell(schedule->grid, block, arm);
    if (block >= schedule->until[arm] || cell->there || cell->going_on || cell->waits || alone != (cell->attempts > 0)) return false;
    const struct arm_state *state = &schedule->state[arm];
    if (state->waits || state->idle || (!alone && state->retry)) return false;
    int64_t first = schedule->plan->arm[arm].kind == ARM_TREATED && block >= idle_blocks(schedule->plan) ? idle_blocks(schedule->plan) : 0;
    for (int64_t b = 0; b < first; b++)
        if (!grid_there(schedule->grid, b, arm)) return false;
    return true;
}

static bool is_full(const struct schedule *schedule, int64_t block)
{
    for (int64_t a = 0; a < schedule->plan->arms; a++)
        if (block < schedule->until[a] && !grid_there(schedule->grid, block, a)) return false;
    return true;
}

bool schedule_next(struct schedule *schedule, bool alone, int64_t *block, int64_t *arm)
{
    uint64_t key = random_key((uint64_t)schedule->plan->first_seed, "compare.order");
    while (schedule->open < schedule->grid->blocks && is_full(schedule, schedule->open)) schedule->open++;
    for (*block = schedule->open; *block < schedule->grid->blocks; ++*block) {
        double first = 2; /* places are below 1 */
        for (int64_t a = 0; a < schedule->plan->arms; a++) {
            double at = may_begin(schedule, *block, a, alone) ? place(key, *block, a) : 2;
            if (at >= first) continue;
            first = at;
            *arm = a;
        }
        if (first < 2) return true;
    }
    return false;
}

bool schedule_block_is_complete(const struct schedule *schedule, int64_t block)
{
    for (int64_t a = 0; a < schedule->plan->arms; a++)
        if (schedule->plan->arm[a].kind != ARM_BUDGET && !grid_there(schedule->grid, block, a) && !schedule->state[a].waits) return false;
    return true;
}

void schedule_count(const struct schedule *schedule, int64_t *done, int64_t *planned)
{
    *done = *planned = 0;
    for (int64_t a = 0; a < schedule->plan->arms; a++) {
        for (int64_t b = 0; b < schedule->until[a]; b++) {
            *done += grid_there(schedule->grid, b, a);
            *planned += grid_there(schedule->grid, b, a) || !schedule->state[a].idle;
        }
    }
}

void schedule_phase(const struct schedule *schedule, char phase[48])
{
    const struct plan *plan = schedule->plan;
    long long stage = (long long)(schedule->stage < schedule->stages ? schedule->stage + 1 : schedule->stages);
    if (plan->design == DESIGN_SCREEN)
        snprintf(phase, 48, "round %lld of %lld", stage, (long long)schedule->stages);
    else if (plan->stopping == STOP_LOOKS)
        snprintf(phase, 48, "look %lld of %lld", stage, (long long)schedule->stages);
    else if (plan->stopping == STOP_DECIDED)
        snprintf(phase, 48, "until decided, at most %lld seeds", (long long)plan->seeds);
    else
        snprintf(phase, 48, "training");
}

knack_status schedule_rank(const struct schedule *schedule, int64_t *best, int64_t *count)
{
    double *mean = memory_new((size_t)schedule->plan->arms, sizeof *mean);
    if (!mean) return KNACK_E_MEMORY;
    int64_t all = rank(schedule, mean, best);
    *count = 0;
    for (int64_t i = 0; i < all; i++)
        if (mean[best[i]] > -INFINITY) best[(*count)++] = best[i];
    memory_free(mean);
    return KNACK_OK;
}
