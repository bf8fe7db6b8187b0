/* What tricks cost, and the baseline at the same cost. */
#include <math.h>

#include "base/arena.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/equal_cost.h"
#include "compare/statistics/ratio.h"

enum { MOST_BUDGETS = 16 };

/* ---- Costs ---- */

/* A pass with gradient takes about three forwards. */
static double count_of(const struct arm_result *result)
{
    return 3 * result->gradient_rows + result->forward_rows;
}

static const struct stored_measurement *find_measurement(const struct material *material, int64_t arm, int64_t round)
{
    for (int64_t i = 0; i < material->measurements; i++)
        if (material->measurement[i].arm == arm && material->measurement[i].round == round) return &material->measurement[i];
    return NULL;
}

/* By rounds in which both were measured, one after the other, so that a slow spell of the machine is in both. */
static void compare_seconds(struct analysis *analysis, const struct material *material, int64_t a)
{
    enum { MOST_ROUNDS = 256 };
    double cost[MOST_ROUNDS], base[MOST_ROUNDS], logarithms = 0;
    int64_t rounds = 0, own = 0;
    for (int64_t i = 0; i < material->measurements; i++) {
        const struct stored_measurement *measurement = &material->measurement[i];
        if (measurement->arm != a || !(measurement->cpu_seconds > 0)) continue;
        logarithms += log(measurement->cpu_seconds);
        own++;
        const struct stored_measurement *beside = find_measurement(material, 0, measurement->round);
        if (!beside || !(beside->cpu_seconds > 0) || rounds == MOST_ROUNDS) continue;
        cost[rounds] = measurement->cpu_seconds;
        base[rounds++] = beside->cpu_seconds;
    }
    struct arm_result *result = &analysis->arm[a];
    struct ratio ratio = {NAN, {NAN, NAN}};
    if (rounds > 0) ratio = paired_ratio(cost, base, rounds);
    result->cpu_per_update = own > 0 ? exp(logarithms / (double)own) : NAN;
    result->cost_seconds = a == 0 && rounds > 0 ? 1 : ratio.value;
    result->cost_ci =
        isfinite(ratio.ci.low) && isfinite(ratio.ci.high) ? (struct interval){ratio.ci.low, ratio.ci.high} : (struct interval){NAN, NAN};
}

void costs_fill(struct analysis *analysis, const struct material *material)
{
    double base = count_of(&analysis->arm[0]);
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        struct arm_result *result = &analysis->arm[a];
        result->cost_count = base > 0 ? count_of(result) / base : NAN;
        if (fabs(result->cost_count - 1) < 1e-9) result->cost_count = 1;
        compare_seconds(analysis, material, a);
    }
}

void pareto_mark(struct analysis *analysis)
{
    double sign = analysis->plan->lower_is_better ? -1 : 1;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        struct arm_result *one = &analysis->arm[a];
        one->pareto = isfinite(one->cost_count) && isfinite(one->mean);
        for (int64_t b = 0; b < analysis->plan->arms; b++) {
            const struct arm_result *other = &analysis->arm[b];
            double gain = sign * (other->mean - one->mean), saving = one->cost_count - other->cost_count;
            if (gain >= 0 && saving >= 0 && (gain > 0 || saving > 0)) one->pareto = false;
        }
    }
}

/* ---- Equal cost ---- */

/* The baseline's budgets, ascending, and the arms that they are. */
struct budgets {
    int64_t count, arm[MOST_BUDGETS];
    double size[MOST_BUDGETS];
};

/* What a budget came to, as epochs are whole ones. */
static double actual_budget(const struct plan *plan, const struct arm *arm)
{
    bool known = arm->updates > 0 && plan->arm[0].updates > 0;
    return known ? (double)arm->updates / (double)plan->arm[0].updates : arm->budget;
}

static void find_budgets(const struct plan *plan, struct budgets *budgets)
{
    *budgets = (struct budgets){.count = 1, .size = {1}};
    for (int64_t a = 1; a < plan->arms && budgets->count < MOST_BUDGETS; a++) {
        if (plan->arm[a].kind != ARM_BUDGET) continue;
        double size = actual_budget(plan, &plan->arm[a]);
        int64_t at = budgets->count++;
        for (; at > 1 && budgets->size[at - 1] > size; at--) {
            budgets->size[at] = budgets->size[at - 1];
            budgets->arm[at] = budgets->arm[at - 1];
        }
        budgets->size[at] = size;
        budgets->arm[at] = a;
    }
}

/* The two budgets that cost lies between, or the one that it is. */
static bool bracket(const struct budgets *all, double cost, struct budgets *around)
{
    around->count = 0;
    for (int64_t i = 0; i < all->count && around->count == 0; i++) {
        bool same = all->size[i] == cost, between = i + 1 < all->count && all->size[i] < cost && cost < all->size[i + 1];
        if (!same && !between) continue;
        around->count = same ? 1 : 2;
        for (int64_t k = 0; k < around->count; k++) {
            around->size[k] = all->size[i + k];
            around->arm[k] = all->arm[i + k];
        }
    }
    return around->count > 0;
}

/* The baseline's scores of one seed at these budgets; false if a trial is missing. */
static bool baseline_scores(const struct material *material, const struct budgets *budgets, int64_t row, double *score)
{
    for (int64_t k = 0; k < budgets->count; k++) {
        if (!material_trial(material, row, budgets->arm[k])) return false;
        score[k] = material_score(material, row, budgets->arm[k]);
    }
    return true;
}

static knack_status estimate_at_cost(struct analysis *analysis, const struct material *material, const struct budgets *around,
                                     struct contrast_result *result)
{
    struct estimate *estimate = &result->at_equal_cost;
    if (!MAKE(analysis, estimate->seed, material->seeds) || !MAKE(analysis, estimate->difference, material->seeds)) return KNACK_E_MEMORY;
    double scale = 0, score[MOST_BUDGETS];
    for (int64_t row = 0; row < material->seeds; row++) {
        if (!material_trial(material, row, result->contrast->arm) || !baseline_scores(material, around, row, score)) continue;
        double own = material_score(material, row, result->contrast->arm);
        double base = around->count == 1 ? score[0] : budget_value(around->size, score, around->count, result->equal_cost);
        if (!isfinite(own - base)) continue;
        estimate->seed[estimate->n] = material->seed[row];
        estimate->difference[estimate->n++] = own - base;
        scale = fmax(scale, fabs(own) + fabs(base));
    }
    if (estimate->n == 0) return KNACK_OK;
    estimate_infer(analysis->plan, analysis->finished, analysis->family_size[result->contrast->family], scale, estimate);
    result->equal_cost_delta = estimate->delta;
    result->equal_cost_ci = estimate->ci;
    result->equal_cost_p = estimate->p;
    return KNACK_OK;
}

/* Means of all budgets and of the arm over the seeds that all of them have. */
static double quality_saving(const struct material *material, const struct budgets *all, const struct contrast_result *result)
{
    double mean[MOST_BUDGETS] = {0}, score[MOST_BUDGETS], target = 0;
    int64_t n = 0;
    for (int64_t row = 0; row < material->seeds; row++) {
        if (!material_trial(material, row, result->contrast->arm) || !baseline_scores(material, all, row, score)) continue;
        for (int64_t k = 0; k < all->count; k++) mean[k] += score[k];
        target += material_score(material, row, result->contrast->arm);
        n++;
    }
    if (n == 0 || all->count < 2) return NAN;
    for (int64_t k = 0; k < all->count; k++) mean[k] /= (double)n;
    return budget_reaching(all->size, mean, all->count, target / (double)n) / result->equal_cost;
}

/* Passes of another model are other passes: if they take longer, a baseline with as many is not one of equal cost. */
static bool counts_mislead(const struct analysis *analysis, const struct contrast *contrast)
{
    if (contrast->kind != CONTRAST_ARM) return false;
    const struct arm_result *own = &analysis->arm[contrast->arm];
    return own->arm->parameters != analysis->arm[0].arm->parameters && own->cost_ci.low > 1.25;
}

knack_status equal_cost_fill(struct analysis *analysis, const struct material *material)
{
    struct budgets all, around;
    find_budgets(analysis->plan, &all);
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        struct contrast_result *result = &analysis->contrast[c];
        result->equal_cost = result->equal_cost_delta = result->equal_cost_p = result->equal_quality_saving = NAN;
        result->equal_cost_ci = (struct interval){NAN, NAN};
        result->equal_cost_missing = result->cost > 1.25 || counts_mislead(analysis, result->contrast);
        if (result->contrast->kind != CONTRAST_ARM || !isfinite(result->cost)) continue;
        result->equal_cost = result->cost;
        if (counts_mislead(analysis, result->contrast)) continue;
        if (bracket(&all, result->cost, &around)) TRY(estimate_at_cost(analysis, material, &around, result));
        result->equal_cost_missing = result->cost > 1.25 && result->at_equal_cost.n == 0;
        result->equal_quality_saving = quality_saving(material, &all, result);
    }
    return KNACK_OK;
}
