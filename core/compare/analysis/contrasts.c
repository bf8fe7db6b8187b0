/* The paired comparison of each contrast: its blocks, its estimate, what is off and on in it; and the adjustment within families. */
#include <math.h>
#include <stdio.h>

#include "base/arena.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/family.h"
#include "compare/statistics/paired.h"

static bool is_interaction(enum contrast_kind kind)
{
    return kind == CONTRAST_INTERACTION || kind == CONTRAST_REST;
}

static bool block_is_complete(const struct material *material, const struct contrast *contrast, int64_t row)
{
    for (int64_t a = 0; a < material->plan->arms; a++)
        if (contrast->weight[a] != 0 && !material_trial(material, row, a)) return false;
    return true;
}

/* D of a block, and the size of what it comes from. */
static double block_difference(const struct material *material, const struct contrast *contrast, int64_t row, double *size)
{
    double sum = 0;
    *size = 0;
    for (int64_t a = 0; a < material->plan->arms; a++) {
        if (contrast->weight[a] == 0) continue;
        double term = contrast->weight[a] * material_score(material, row, a);
        sum += term;
        *size += fabs(term);
    }
    return sum;
}

static knack_status estimate_contrast(struct analysis *analysis, const struct material *material, struct contrast_result *result)
{
    struct estimate *estimate = &result->estimate;
    if (!MAKE(analysis, estimate->seed, material->seeds) || !MAKE(analysis, estimate->difference, material->seeds)) return KNACK_E_MEMORY;
    double scale = 0, size;
    for (int64_t row = 0; row < material->seeds; row++) {
        if (!block_is_complete(material, result->contrast, row)) continue;
        double difference = block_difference(material, result->contrast, row, &size);
        if (!isfinite(difference)) {
            result->score_missing = true;
            continue;
        }
        estimate->seed[estimate->n] = material->seed[row];
        estimate->difference[estimate->n++] = difference;
        scale = fmax(scale, size);
    }
    estimate_infer(analysis->plan, analysis->finished, analysis->family_size[result->contrast->family], scale, estimate);
    return KNACK_OK;
}

/* Means and failures of both sides over the estimate's blocks. */
static void describe_sides(const struct analysis *analysis, const struct material *material, struct contrast_result *result)
{
    const struct estimate *estimate = &result->estimate;
    double off = 0, on = 0, off_weight = 0, on_weight = 0, off_cost = 0, on_cost = 0;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        double weight = result->contrast->weight[a];
        if (weight == 0) continue;
        double *side = weight < 0 ? &off : &on;
        *(weight < 0 ? &off_weight : &on_weight) += fabs(weight);
        *(weight < 0 ? &off_cost : &on_cost) += fabs(weight) * analysis->arm[a].cost_count;
        for (int64_t i = 0; i < estimate->n; i++) {
            int64_t row = material_row(material, estimate->seed[i]);
            *side += fabs(weight) * material_value(material, row, a) / (double)estimate->n;
            *(weight < 0 ? &result->base_failed : &result->failed) += material_failed(material, row, a);
        }
    }
    bool sides = !is_interaction(result->contrast->kind) && estimate->n > 0;
    result->base_mean = sides ? off / off_weight : NAN;
    result->arm_mean = sides ? on / on_weight : NAN;
    result->cost = is_interaction(result->contrast->kind) ? NAN : (on_cost / on_weight) / (off_cost / off_weight);
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
            value[i][r] = material_value(material, material_row(material, estimate->seed[r]), side[i]);
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

knack_status contrasts_fill(struct analysis *analysis, const struct material *material)
{
    const struct plan *plan = analysis->plan;
    if (!MAKE(analysis, analysis->contrast, plan->contrasts)) return KNACK_E_MEMORY;
    for (int family = 0; family < 2; family++) analysis->family_size[family] = plan_family_size(plan, family);
    for (int64_t c = 0; c < plan->contrasts; c++) {
        struct contrast_result *result = &analysis->contrast[c];
        result->contrast = &plan->contrast[c];
        TRY(name_contrast(analysis, result));
        TRY(estimate_contrast(analysis, material, result));
        describe_sides(analysis, material, result);
        TRY(describe_pairing(analysis, material, result));
        relate(analysis, result);
    }
    return KNACK_OK;
}

/* ---- Families ---- */

void adjust_p(const struct plan *plan, const double *p, int64_t count, double *adjusted)
{
    if (plan_is_screening(plan))
        benjamini_hochberg(p, count, count, adjusted);
    else
        holm(p, count, count, adjusted);
}

static void conclude(const struct analysis *analysis, struct estimate *estimate)
{
    const struct plan *plan = analysis->plan;
    if (plan->stopping == STOP_FIXED) return;
    estimate->decided = estimate->p_adjusted <= ALPHA;
    int64_t all = plan->stopping == STOP_LOOKS && plan->looks > 0 ? plan->look[plan->looks - 1] : plan->seeds;
    estimate->stopped_early = estimate->decided && estimate->n < all;
    if (estimate->decided) estimate->futile = false;
}

/* Tests at equal cost form a family of the same size, with the usual test where there is none at equal cost. */
static knack_status adjust_family(struct analysis *analysis, int family)
{
    int64_t most = analysis->plan->contrasts, count = 0;
    double *p, *equal, *adjusted;
    struct contrast_result **member;
    if (!MAKE(analysis, p, most) || !MAKE(analysis, equal, most) || !MAKE(analysis, adjusted, most) || !MAKE(analysis, member, most))
        return KNACK_E_MEMORY;
    for (int64_t c = 0; c < most; c++) {
        struct contrast_result *result = &analysis->contrast[c];
        if (result->contrast->family != family) continue;
        member[count] = result;
        p[count] = result->estimate.p;
        equal[count++] = result->at_equal_cost.n > 0 ? result->at_equal_cost.p : result->estimate.p;
    }
    adjust_p(analysis->plan, p, count, adjusted);
    for (int64_t i = 0; i < count; i++) {
        member[i]->estimate.p_adjusted = adjusted[i];
        conclude(analysis, &member[i]->estimate);
    }
    adjust_p(analysis->plan, equal, count, adjusted);
    for (int64_t i = 0; i < count; i++) {
        if (member[i]->at_equal_cost.n == 0) continue;
        member[i]->at_equal_cost.p_adjusted = adjusted[i];
        conclude(analysis, &member[i]->at_equal_cost);
    }
    return KNACK_OK;
}

knack_status families_adjust(struct analysis *analysis)
{
    for (int family = 0; family < 2; family++) TRY(adjust_family(analysis, family));
    return KNACK_OK;
}
