/* What was found of each contrast, with what is only shown: the means of both sides, what pairing gained, and what it is called. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/paired.h"

/* The inference's memory goes before the analysis does. */
static knack_status copy_estimate(struct analysis *analysis, const struct estimate *from, struct estimate *to)
{
    size_t n = (size_t)from->n;
    *to = *from;
    if (!MAKE(analysis, to->seed, n) || !MAKE(analysis, to->difference, n)) return KNACK_E_MEMORY;
    if (n > 0) memcpy(to->seed, from->seed, n * sizeof *to->seed);
    if (n > 0) memcpy(to->difference, from->difference, n * sizeof *to->difference);
    return KNACK_OK;
}

/* Means of both sides over the estimate's blocks. */
static void describe_sides(const struct material *material, struct contrast_result *result)
{
    const struct estimate *estimate = &result->estimate;
    double side[2] = {0, 0}, weights[2] = {0, 0};
    for (int64_t a = 0; a < material->plan->arms; a++) {
        double weight = result->contrast->weight[a];
        if (weight == 0) continue;
        weights[weight > 0] += fabs(weight);
        for (int64_t i = 0; i < estimate->n; i++)
            side[weight > 0] +=
                fabs(weight) * grid_value(&material->grid, estimate->seed[i] - material->plan->first_seed, a) / (double)estimate->n;
    }
    bool sides = !contrast_is_interaction(result->contrast) && estimate->n > 0;
    result->base_mean = sides ? side[0] / weights[0] : NAN;
    result->arm_mean = sides ? side[1] / weights[1] : NAN;
}

/* Of the error for shares: 99 % instead of 98 % right is half the errors. */
static void relate(const struct analysis *analysis, struct contrast_result *result)
{
    struct estimate *estimate = &result->estimate;
    double base = metric_is_share(analysis->plan->metric) ? 1 - result->base_mean : fabs(result->base_mean);
    if (!(base > 0)) return;
    estimate->relative = 100 * estimate->delta / base;
    estimate->relative_ci = (struct interval){100 * estimate->ci.low / base, 100 * estimate->ci.high / base};
}

/* What pairing gained, where two arms are compared. */
static knack_status describe_pairing(struct analysis *analysis, const struct material *material, struct contrast_result *result)
{
    struct estimate *estimate = &result->estimate;
    int64_t side[2] = {-1, -1}, arms = 0;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        if (result->contrast->weight[a] == 0) continue;
        side[result->contrast->weight[a] > 0] = a;
        arms++;
    }
    if (arms != 2 || side[0] < 0 || side[1] < 0 || !(estimate->s_d > 0)) return KNACK_OK;
    double *value[2];
    for (int i = 0; i < 2; i++) {
        if (!MAKE(analysis, value[i], estimate->n)) return KNACK_E_MEMORY;
        for (int64_t r = 0; r < estimate->n; r++)
            value[i][r] = grid_value(&material->grid, estimate->seed[r] - material->plan->first_seed, side[i]);
    }
    estimate->rho = correlation(value[0], value[1], estimate->n);
    estimate->vrf = variance_reduction(value[0], value[1], estimate->n);
    return KNACK_OK;
}

static knack_status name_contrast(struct analysis *analysis, struct contrast_result *result)
{
    const struct contrast *contrast = result->contrast;
    result->title = contrast->name;
    if (!contrast->aliases) return KNACK_OK;
    char title[1024];
    snprintf(title, sizeof title, "%s or %s", contrast->name, contrast->aliases);
    result->title = arena_text(analysis->arena, title);
    return result->title ? KNACK_OK : KNACK_E_MEMORY;
}

static void describe_line(const struct analysis *analysis, int family, struct estimate *estimate)
{
    const struct plan *plan = analysis->plan;
    estimate_describe(plan, analysis->family_size[family], estimate);
    estimate->stopped_early = plan->stopping != STOP_FIXED && estimate->p_adjusted < ALPHA && estimate->n < plan->seeds;
}

static knack_status fill(struct analysis *analysis, const struct material *material, int64_t c)
{
    struct contrast_result *result = &analysis->contrast[c];
    const struct finding *finding = &material->inference.finding[c];
    result->contrast = finding->contrast;
    result->costs = finding->cost;
    result->equal_cost = finding->cost.at;
    result->equal_cost_missing = finding->cost_missing;
    bool common = finding->at_equal_cost.n == 0 || (finding->updates == finding->equal && finding->kind == finding->updates);
    result->p = common ? finding->p : finding_line(finding)->p; /* of the line whose word stands, if it is one's alone */
    result->p_adjusted = common ? finding->p_adjusted : finding_line(finding)->p_adjusted;
    result->updates_say = finding->updates;
    result->equal_cost_says = finding->equal;
    result->by_cost = finding->by_cost;
    result->by_failures = finding->by_failures;
    result->trained = finding->trained.n;
    result->trained_delta = finding->trained.delta;
    result->decided = finding->decided;
    result->waits = finding->waits;
    result->all_failed = finding->all_failed;
    result->failed = finding->failed;
    result->base_failed = finding->base_failed;
    result->score_missing = finding->score_missing;
    result->verdict.kind = finding->kind;
    TRY(name_contrast(analysis, result));
    TRY(copy_estimate(analysis, &finding->estimate, &result->estimate));
    TRY(copy_estimate(analysis, &finding->at_equal_cost, &result->at_equal_cost));
    describe_line(analysis, finding->contrast->family, &result->estimate);
    if (finding->at_equal_cost.n > 0) describe_line(analysis, finding->contrast->family, &result->at_equal_cost);
    describe_sides(material, result);
    result->equal_quality_saving =
        finding->contrast->kind == CONTRAST_ARM ? equal_quality_saving(&material->grid, finding->contrast->arm, finding->cost.at) : NAN;
    relate(analysis, result);
    return describe_pairing(analysis, material, result);
}

knack_status contrasts_fill(struct analysis *analysis, const struct material *material)
{
    if (!MAKE(analysis, analysis->contrast, analysis->plan->contrasts)) return KNACK_E_MEMORY;
    memcpy(analysis->family_size, material->inference.family_size, sizeof analysis->family_size);
    analysis->convergence = material->inference.convergence;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) TRY(fill(analysis, material, c));
    return KNACK_OK;
}
