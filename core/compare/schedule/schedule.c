#include "compare/schedule/schedule.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "compare/schedule/budgets.h"
#include "compare/schedule/halving.h"

enum { FIRST_DECISION = 3 }; /* blocks without which there is no inference */

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
    if (plan->stopping == STOP_DECIDED) return plan->seeds > FIRST_DECISION ? plan->seeds - FIRST_DECISION + 1 : 1;
    return 1;
}

/* How many blocks there are at the end of a stage. */
static int64_t blocks_of_stage(const struct plan *plan, int64_t stage)
{
    if (plan->design == DESIGN_SCREEN) return halving_blocks(treated_arms(plan), plan->seeds, stage + 1);
    if (plan->stopping == STOP_LOOKS) return plan->look[stage];
    if (plan->stopping == STOP_DECIDED && plan->seeds > FIRST_DECISION) return FIRST_DECISION + stage;
    return plan->seeds;
}

int64_t schedule_blocks(const struct plan *plan)
{
    return blocks_of_stage(plan, stages_of(plan) - 1);
}

/* ---- What is wanted ---- */

/* Arms that go on get the blocks of the stage; the baseline goes on while anything does. */
static void want_stage(struct schedule *schedule)
{
    int64_t blocks = blocks_of_stage(schedule->plan, schedule->stage);
    for (int64_t a = 0; a < schedule->plan->arms; a++)
        if (schedule->plan->arm[a].kind != ARM_BUDGET && !schedule->stopped[a]) schedule->until[a] = blocks;
}

/* The baseline's larger budgets are wanted for as long as an arm that is compared with them. */
static void want_budgets(struct schedule *schedule, bool all)
{
    const struct plan *plan = schedule->plan;
    for (int64_t b = 0; b < plan->arms; b++) {
        if (plan->arm[b].kind != ARM_BUDGET) continue;
        schedule->until[b] = 0;
        for (int64_t c = 0; c < plan->contrasts; c++) {
            int64_t a = plan->contrast[c].arm;
            if (plan->contrast[c].kind != CONTRAST_ARM || schedule->until[a] <= schedule->until[b]) continue;
            if (budget_is_needed(schedule->results, a, all, b)) schedule->until[b] = schedule->until[a];
        }
    }
}

static bool all_there(const struct schedule *schedule, bool budgets)
{
    for (int64_t a = 0; a < schedule->plan->arms; a++) {
        if (!budgets && schedule->plan->arm[a].kind == ARM_BUDGET) continue;
        for (int64_t b = 0; b < schedule->until[a]; b++)
            if (!results_cell(schedule->results, b, a)->there) return false;
    }
    return true;
}

knack_status schedule_new(const struct plan *plan, struct results *results, struct schedule *schedule)
{
    *schedule = (struct schedule){.plan = plan,
                                  .results = results,
                                  .until = memory_new((size_t)plan->arms, sizeof(int64_t)),
                                  .stopped = memory_new((size_t)plan->arms, sizeof(bool)),
                                  .stages = stages_of(plan)};
    knack_status status = schedule->until && schedule->stopped ? KNACK_OK : KNACK_E_MEMORY;
    if (status >= 0 && is_sequential(plan)) status = decisions_new(plan, &schedule->decisions);
    if (status < 0) {
        schedule_free(schedule);
        return status;
    }
    want_stage(schedule);
    return schedule_advance(schedule);
}

void schedule_free(struct schedule *schedule)
{
    memory_free(schedule->until);
    memory_free(schedule->stopped);
    if (schedule->decisions.plan) decisions_free(&schedule->decisions);
    *schedule = (struct schedule){0};
}

/* ---- Decisions ---- */

static double mean_difference(const struct results *results, int64_t arm, int64_t blocks)
{
    double sum = 0, count = 0;
    for (int64_t b = 0; b < blocks; b++) {
        double difference = results_score(results, b, arm) - results_score(results, b, 0);
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
        mean[a] = mean_difference(schedule->results, a, schedule->until[a]);
        int64_t at = count++;
        for (; at > 0 && is_better(schedule, mean, a, best[at - 1]); at--) best[at] = best[at - 1];
        best[at] = a;
    }
    return count;
}

/* After a round of a screening, the better half of those that are left. */
static knack_status drop_half(struct schedule *schedule)
{
    double *mean = memory_new((size_t)schedule->plan->arms, sizeof *mean);
    int64_t *best = memory_new((size_t)schedule->plan->arms, sizeof *best);
    knack_status status = mean && best ? KNACK_OK : KNACK_E_MEMORY;
    if (status >= 0) {
        int64_t count = rank(schedule, mean, best), left = 0;
        for (int64_t i = 0; i < count; i++) left += !schedule->stopped[best[i]];
        for (int64_t i = halving_survivors(left); i < count; i++) schedule->stopped[best[i]] = true;
    }
    memory_free(mean);
    memory_free(best);
    return status;
}

/* An arm goes on while a contrast does that it is in; budgets go by the arms that need them. */
static void stop_arms(struct schedule *schedule)
{
    const struct plan *plan = schedule->plan;
    for (int64_t a = 0; a < plan->arms; a++) {
        bool needed = plan->arm[a].kind == ARM_BUDGET;
        for (int64_t c = 0; c < plan->contrasts; c++) needed |= plan->contrast[c].weight[a] != 0 && !schedule->decisions.stopped[c];
        schedule->stopped[a] = !needed;
    }
}

/* A stage whose trials are all there. */
static knack_status end_stage(struct schedule *schedule)
{
    if (schedule->plan->design == DESIGN_SCREEN) return drop_half(schedule);
    if (!is_sequential(schedule->plan)) return KNACK_OK;
    TRY(decisions_make(&schedule->decisions, schedule->results, blocks_of_stage(schedule->plan, schedule->stage)));
    stop_arms(schedule);
    return KNACK_OK;
}

static bool goes_on(const struct schedule *schedule)
{
    if (schedule->stage >= schedule->stages) return false;
    return !is_sequential(schedule->plan) || decisions_any(&schedule->decisions);
}

knack_status schedule_advance(struct schedule *schedule)
{
    while (goes_on(schedule) && all_there(schedule, false)) {
        TRY(end_stage(schedule));
        schedule->stage++;
        if (goes_on(schedule)) want_stage(schedule);
    }
    want_budgets(schedule, !goes_on(schedule));
    schedule->finished = !goes_on(schedule) && all_there(schedule, true);
    return KNACK_OK;
}

/* ---- Questions ---- */

static double place(const struct schedule *schedule, int64_t block, int64_t arm)
{
    uint64_t key = random_key((uint64_t)schedule->plan->first_seed, "compare.order");
    return random_uniform(key, (struct random_place){.a = (uint32_t)block}, (uint64_t)arm);
}

bool schedule_next(const struct schedule *schedule, int64_t *block, int64_t *arm)
{
    for (*block = 0; *block < schedule->results->blocks; ++*block) {
        double first = 2; /* places are below 1 */
        for (int64_t a = 0; a < schedule->plan->arms; a++) {
            const struct result *cell = results_cell(schedule->results, *block, a);
            if (*block >= schedule->until[a] || cell->there || cell->going_on || place(schedule, *block, a) >= first) continue;
            first = place(schedule, *block, a);
            *arm = a;
        }
        if (first < 2) return true;
    }
    return false;
}

bool schedule_block_is_complete(const struct schedule *schedule, int64_t block)
{
    for (int64_t a = 0; a < schedule->plan->arms; a++)
        if (schedule->plan->arm[a].kind != ARM_BUDGET && !results_cell(schedule->results, block, a)->there) return false;
    return true;
}

void schedule_count(const struct schedule *schedule, int64_t *done, int64_t *planned)
{
    *done = *planned = 0;
    for (int64_t a = 0; a < schedule->plan->arms; a++) {
        *planned += schedule->until[a];
        for (int64_t b = 0; b < schedule->until[a]; b++) *done += results_cell(schedule->results, b, a)->there;
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
