#include "compare/inference/inference.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "compare/statistics/family.h"

bool contrast_is_interaction(const struct contrast *contrast)
{
    return contrast->kind == CONTRAST_INTERACTION || contrast->kind == CONTRAST_REST;
}

enum { LINES = 3 }; /* of a finding, with memory of their own */

/* While it is made. */
struct making {
    struct inference *inference;
    const struct plan *plan;
    const struct grid *grid;
    enum progress progress;
    int64_t blocks;
};

/* ---- Estimates ---- */

/* The arm whose earlier readings count: they are those of all arms of a contrast but the baseline's. */
static const struct arm *reader(const struct plan *plan, const struct contrast *contrast)
{
    if (contrast->arm > 0) return &plan->arm[contrast->arm];
    for (int64_t a = 1; a < plan->arms; a++)
        if (contrast->weight[a] != 0) return &plan->arm[a];
    return &plan->arm[0];
}

static void infer(const struct making *making, const struct finding *f, double scale, struct estimate *estimate)
{
    const struct arm *arm = reader(making->plan, f->contrast);
    bool waiting = making->progress == PROGRESS_WAITING && estimate->n >= making->plan->seeds;
    struct estimate_context context = {.plan = making->plan,
                                       .finished = (making->progress == PROGRESS_DONE || waiting) && !f->waits,
                                       .of = making->inference->family_size[f->contrast->family],
                                       .read = arm->read,
                                       .reads = arm->reads,
                                       .scale = scale};
    estimate_infer(&context, estimate);
}

static bool has_waiting(const struct making *making, const struct contrast *contrast)
{
    for (int64_t a = 0; making->progress == PROGRESS_WAITING && a < making->plan->arms; a++)
        for (int64_t b = 0; contrast->weight[a] != 0 && b < making->blocks; b++) {
            const struct trial_cell *cell = grid_cell(making->grid, b, a);
            if (cell && cell->waits) return true;
        }
    return false;
}

static void count_failures(const struct making *making, struct finding *f)
{
    int64_t trials = 0;
    for (int64_t a = 0; a < making->plan->arms; a++)
        for (int64_t i = 0; f->contrast->weight[a] != 0 && i < f->estimate.n; i++, trials++)
            if (grid_failed(grid_cell(making->grid, f->estimate.seed[i] - making->plan->first_seed, a)))
                ++*(f->contrast->weight[a] < 0 ? &f->base_failed : &f->failed);
    f->all_failed = trials > 0 && f->failed + f->base_failed == trials;
}

static void estimate_updates(const struct making *making, struct finding *f)
{
    double scale = 0;
    for (int64_t b = 0; b < making->blocks; b++) {
        bool complete;
        double size, difference = grid_difference(making->grid, f->contrast, b, &complete, &size);
        if (!complete) continue;
        if (!isfinite(difference)) {
            f->score_missing = true;
            continue;
        }
        f->estimate.seed[f->estimate.n] = making->plan->first_seed + b;
        f->estimate.difference[f->estimate.n++] = difference;
        scale = fmax(scale, size);
    }
    f->waits = has_waiting(making, f->contrast);
    infer(making, f, scale, &f->estimate);
    count_failures(making, f);
}

/* Where trials failed, what the others say: an effect that failures alone make is one on whether it trains, not on how well. */
static void estimate_trained(const struct making *making, struct finding *f)
{
    if (f->failed + f->base_failed == 0) return;
    for (int64_t i = 0; i < f->estimate.n; i++) {
        bool failed = false;
        for (int64_t a = 0; a < making->plan->arms; a++)
            failed |=
                f->contrast->weight[a] != 0 && grid_failed(grid_cell(making->grid, f->estimate.seed[i] - making->plan->first_seed, a));
        if (failed) continue;
        f->trained.seed[f->trained.n] = f->estimate.seed[i];
        f->trained.difference[f->trained.n++] = f->estimate.difference[i];
    }
    struct paired paired = estimate_test(making->plan, f->trained.difference, f->trained.n);
    bool once = making->plan->stopping == STOP_FIXED && !f->estimate.extended; /* looks do not say how many of these there are */
    f->trained.delta = paired.mean;
    f->trained.p = f->trained.n < INFERENCE_FROM ? 1
                   : once                        ? paired.p
                                                 : estimate_any_time_p(making->plan, f->trained.difference, f->trained.n);
}

/* Of sides that are several arms by counts alone. */
static void find_cost(const struct making *making, struct finding *f)
{
    double side[2] = {0, 0}, weight[2] = {0, 0};
    const double *weights = f->contrast->weight;
    f->cost = (struct cost){NAN, NAN, {NAN, NAN}, NAN, false};
    if (f->contrast->kind == CONTRAST_ARM) {
        cost_of(making->grid, f->contrast->arm, making->blocks, &f->cost);
        return;
    }
    if (contrast_is_interaction(f->contrast)) return;
    for (int64_t a = 0; a < making->plan->arms; a++) {
        if (weights[a] == 0) continue;
        side[weights[a] > 0] += fabs(weights[a]) * grid_mean_cost(making->grid, a, making->blocks);
        weight[weights[a] > 0] += fabs(weights[a]);
    }
    f->cost.counted = f->cost.at = side[1] / weight[1] / (side[0] / weight[0]);
    f->cost.differs = f->cost.at > SAME_COST || f->cost.at < SAVED_COST;
}

/* Halving picks at equal updates, and trains no baseline as long as an arm costs: at equal cost it says nothing. */
static void estimate_equal_cost(const struct making *making, struct finding *f)
{
    double scale;
    find_cost(making, f);
    if (!f->cost.differs) return;
    if (f->contrast->kind == CONTRAST_ARM && making->plan->design != DESIGN_SCREEN)
        equal_cost_gather(making->grid, f->contrast->arm, f->cost.at, making->blocks, &f->at_equal_cost, &scale);
    if (f->at_equal_cost.n > 0) infer(making, f, scale, &f->at_equal_cost);
    f->cost_missing = f->at_equal_cost.n == 0;
}

/* ---- Families ---- */

typedef double p_of(const struct finding *);
typedef double *adjusted_of(struct finding *);

static bool has_both(const struct finding *f)
{
    return f->at_equal_cost.n > 0;
}

static double p_updates(const struct finding *f)
{
    return f->estimate.p;
}

/* Tests at equal cost form a family of the same size, with the usual test where there is none at equal cost. */
static double p_equal(const struct finding *f)
{
    return has_both(f) ? f->at_equal_cost.p : f->estimate.p;
}

/* The larger p, if the other line agrees on the sign. */
static double p_with(const struct finding *f, double p, const struct estimate *other)
{
    return f->estimate.delta * other->delta > 0 ? fmax(p, isnan(other->p) ? 1 : other->p) : 1;
}

/* An effect is one that both lines show, and trials that train where those of one side fail. */
static double p_effect(const struct finding *f)
{
    double p = has_both(f) ? p_with(f, f->estimate.p, &f->at_equal_cost) : f->estimate.p;
    return finding_asks_trained(f) ? p_with(f, p, &f->trained) : p;
}

static double *updates_adjusted(struct finding *f)
{
    return &f->estimate.p_adjusted;
}

static double *equal_adjusted(struct finding *f)
{
    return has_both(f) ? &f->at_equal_cost.p_adjusted : NULL;
}

static double *effect_adjusted(struct finding *f)
{
    return &f->p_adjusted;
}

/* p, adjusted: [contrasts] each. Tests that could not be made stay in the family. */
static void adjust(struct inference *inference, int family, p_of *number, adjusted_of *place, double *p, double *adjusted)
{
    const struct plan *plan = inference->plan;
    int64_t count = 0;
    for (int64_t c = 0; c < plan->contrasts; c++)
        if (plan->contrast[c].family == family) p[count++] = number(&inference->finding[c]);
    (plan_is_screening(plan) ? benjamini_hochberg : holm)(p, count, count, adjusted);
    count = 0;
    for (int64_t c = 0; c < plan->contrasts; c++) {
        if (plan->contrast[c].family != family) continue;
        double *to = place(&inference->finding[c]);
        if (to) *to = adjusted[count];
        count++;
    }
}

static void adjust_families(struct inference *inference, double *p, double *adjusted)
{
    for (int family = 0; family < 2; family++) {
        adjust(inference, family, p_updates, updates_adjusted, p, adjusted);
        adjust(inference, family, p_equal, equal_adjusted, p, adjusted);
        adjust(inference, family, p_effect, effect_adjusted, p, adjusted);
    }
    for (int64_t c = 0; c < inference->plan->contrasts; c++) {
        struct finding *f = &inference->finding[c];
        f->p = has_both(f) ? fmax(f->estimate.p, f->at_equal_cost.p) : f->estimate.p;
        if (finding_asks_trained(f)) f->p = fmax(f->p, f->trained.p);
    }
}

/* ---- Screenings ---- */

/* By halving: who came through all rounds and is better than the baseline; else who stands out by its q. Who survived a cut was chosen by
 * the very numbers that a p would be of. */
static void judge_candidates(struct inference *inference)
{
    const struct plan *plan = inference->plan;
    int64_t most = 0;
    for (int64_t c = 0; c < plan->contrasts; c++)
        if (inference->finding[c].estimate.n > most) most = inference->finding[c].estimate.n;
    for (int64_t c = 0; c < plan->contrasts; c++) {
        struct finding *f = &inference->finding[c];
        bool halving = plan->design == DESIGN_SCREEN, open = f->kind == VERDICT_NONE && !(halving && f->estimate.n > 0);
        bool good = halving ? f->estimate.n == most && f->estimate.delta > 0 : f->kind == VERDICT_HELPS;
        if (halving) f->p = f->p_adjusted = f->estimate.p = f->estimate.p_adjusted = NAN;
        f->by_cost = false;
        if (f->kind != VERDICT_IDENTICAL && !open) f->kind = good ? VERDICT_CANDIDATE : VERDICT_NO_CANDIDATE;
    }
}

/* ---- Is the baseline done? ---- */

static int64_t longer_baseline(const struct plan *plan)
{
    int64_t arm = -1;
    for (int64_t a = 1; a < plan->arms; a++) {
        double size = plan->arm[a].budget;
        if (plan->arm[a].kind != ARM_BUDGET || size <= 1) continue;
        if (arm < 0 || fabs(size - 2) < fabs(plan->arm[arm].budget - 2)) arm = a;
    }
    return arm;
}

static double largest_effect(const struct inference *inference)
{
    double largest = 0;
    for (int64_t c = 0; c < inference->plan->contrasts; c++) {
        const struct finding *f = &inference->finding[c];
        if (!contrast_is_interaction(f->contrast)) largest = fmax(largest, fabs(f->estimate.delta));
    }
    return largest;
}

/* gain: [blocks]. */
static void judge_convergence(const struct making *making, double *gain)
{
    struct convergence *convergence = &making->inference->convergence;
    const struct plan *plan = making->plan;
    int64_t longer = longer_baseline(plan), n = 0;
    *convergence = (struct convergence){.enough = true, .gain = NAN, .low = NAN};
    if (longer < 0 || making->progress == PROGRESS_OPEN) return;
    for (int64_t b = 0; b < making->blocks; b++) {
        double difference = grid_score(making->grid, b, longer) - grid_score(making->grid, b, 0);
        if (isfinite(difference)) gain[n++] = difference;
    }
    convergence->n = n;
    convergence->factor = plan->arm[longer].budget;
    if (n < INFERENCE_FROM) return;
    struct paired paired = estimate_test(plan, gain, n);
    convergence->known = true;
    convergence->gain = paired.mean;
    convergence->low = paired_interval(&paired, 1 - 2 * ALPHA).low;
    bool matters = (plan->margin > 0 && paired.mean >= plan->margin) || paired.mean >= largest_effect(making->inference) / 2;
    convergence->enough = !(convergence->low > 0 && matters);
}

/* ---- All of it ---- */

static void fill(const struct making *making, double *place)
{
    struct inference *inference = making->inference;
    const struct plan *plan = making->plan;
    for (int64_t c = 0; c < plan->contrasts; c++) {
        struct finding *f = &inference->finding[c];
        struct estimate *line[LINES] = {&f->estimate, &f->at_equal_cost, &f->trained};
        f->contrast = &plan->contrast[c];
        for (int i = 0; i < LINES; i++) {
            estimate_clear(line[i]);
            line[i]->difference = place;
            line[i]->seed = (int64_t *)(place + making->blocks);
            place += 2 * making->blocks;
        }
        estimate_updates(making, f);
        estimate_trained(making, f);
        estimate_equal_cost(making, f);
    }
    adjust_families(inference, place, place + plan->contrasts);
    for (int64_t c = 0; c < plan->contrasts; c++) judge_finding(plan, &inference->finding[c]);
    if (plan_is_screening(plan)) judge_candidates(inference);
    judge_convergence(making, place);
}

knack_status inference_make(const struct plan *plan, const struct grid *grid, enum progress progress, int64_t limit,
                            struct inference *inference)
{
    _Static_assert(sizeof(int64_t) == sizeof(double), "seeds and differences share one block of memory");
    int64_t blocks = limit < grid->blocks ? limit : grid->blocks, contrasts = plan->contrasts;
    *inference = (struct inference){.plan = plan};
    inference->finding = memory_new((size_t)contrasts + 1, sizeof *inference->finding);
    inference->memory = memory_new((size_t)(2 * LINES * blocks * contrasts + blocks + 2 * contrasts + 1), sizeof(double));
    if (!inference->finding || !inference->memory) {
        inference_free(inference);
        return KNACK_E_MEMORY;
    }
    for (int family = 0; family < 2; family++) inference->family_size[family] = plan_family_size(plan, family);
    struct making making = {inference, plan, grid, progress, blocks};
    fill(&making, inference->memory);
    return KNACK_OK;
}

void inference_free(struct inference *inference)
{
    memory_free(inference->finding);
    memory_free(inference->memory);
    *inference = (struct inference){0};
}
