/* What each arm gave, and its failures. */
#include <math.h>

#include "base/arena.h"
#include "base/number.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/power.h"
#include "compare/statistics/two_level.h"

static void mean_and_deviation(const double *x, int64_t n, double *mean, double *sd)
{
    double sum = 0, square = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    *mean = n > 0 ? sum / (double)n : NAN;
    for (int64_t i = 0; i < n; i++) square += (x[i] - *mean) * (x[i] - *mean);
    *sd = n > 1 ? sqrt(square / (double)(n - 1)) : NAN;
}

static knack_status fill_values(struct analysis *analysis, const struct material *material, int64_t a)
{
    struct arm_result *result = &analysis->arm[a];
    if (!MAKE(analysis, result->seed, material->rows) || !MAKE(analysis, result->value, material->rows) ||
        !MAKE(analysis, result->failure, material->rows) || !MAKE(analysis, result->trial, material->rows))
        return KNACK_E_MEMORY;
    for (int64_t row = 0; row < material->rows; row++) {
        const struct stored_trial *trial = material_trial(material, row, a);
        if (!trial) continue;
        int64_t i = result->n++;
        result->seed[i] = material->plan->first_seed + row;
        result->value[i] = grid_value(&material->grid, row, a);
        result->failure[i] = material_failed(material, row, a);
        result->failed += result->failure[i];
        result->trial[i] = trial;
    }
    mean_and_deviation(result->value, result->n, &result->mean, &result->sd);
    return KNACK_OK;
}

/* Means over trials that were not cut short; time and memory over all of them that did something. */
static knack_status fill_resources(struct analysis *analysis, const struct material *material, int64_t a)
{
    struct arm_result *result = &analysis->arm[a];
    double *seconds, *cpu, *memory, passes = 0, forwards = 0, inference = 0;
    int64_t n = 0;
    if (!MAKE(analysis, seconds, material->rows) || !MAKE(analysis, cpu, material->rows) || !MAKE(analysis, memory, material->rows))
        return KNACK_E_MEMORY;
    for (int64_t row = 0; row < material->rows; row++) {
        const struct stored_trial *trial = material_trial(material, row, a);
        if (!trial || trial->status != TRIAL_DONE) continue;
        passes += trial->cost.gradient_rows;
        forwards += trial->cost.forward_rows;
        inference += trial->cost.inference;
        memory[n] = (double)trial->cost.peak_memory;
        cpu[n] = trial->cost.cpu_seconds;
        seconds[n++] = trial->cost.seconds;
        if (trial->idle[0] && !result->idle && !(result->idle = arena_text(analysis->arena, trial->idle))) return KNACK_E_MEMORY;
    }
    result->gradient_rows = n ? passes / (double)n : NAN;
    result->forward_rows = n ? forwards / (double)n : NAN;
    result->inference = n ? inference / (double)n : NAN;
    result->seconds = numbers_median(seconds, n);
    result->cpu_seconds = numbers_median(cpu, n);
    result->peak_memory = n ? (int64_t)numbers_median(memory, n) : 0;
    cost_of(&material->grid, a, material->rows, &result->cost);
    return KNACK_OK;
}

/* Blocks in which only one of the two failed speak about which fails more often: the exact test of McNemar. */
static void fill_failures(struct analysis *analysis, const struct material *material, int64_t a)
{
    struct arm_result *result = &analysis->arm[a];
    int64_t only_base = 0, only_arm = 0;
    for (int64_t row = 0; row < material->rows; row++) {
        if (!material_trial(material, row, 0) || !material_trial(material, row, a)) continue;
        bool base = material_failed(material, row, 0), arm = material_failed(material, row, a);
        only_base += base && !arm;
        only_arm += arm && !base;
    }
    result->failure_bound = result->n > 0 && result->failed == 0 ? failure_rate_bound(result->n) : NAN;
    result->p_failures = only_base + only_arm > 0 ? mcnemar_exact(only_base, only_arm) : NAN;
}

void pareto_mark(struct analysis *analysis)
{
    double sign = analysis->plan->lower_is_better ? -1 : 1;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        struct arm_result *one = &analysis->arm[a];
        one->pareto = isfinite(one->cost.counted) && isfinite(one->mean);
        for (int64_t b = 0; b < analysis->plan->arms; b++) {
            const struct arm_result *other = &analysis->arm[b];
            double gain = sign * (other->mean - one->mean), saving = one->cost.counted - other->cost.counted;
            if (gain >= 0 && saving >= 0 && (gain > 0 || saving > 0)) one->pareto = false;
        }
    }
}

knack_status arms_fill(struct analysis *analysis, const struct material *material)
{
    const struct plan *plan = analysis->plan;
    if (!MAKE(analysis, analysis->arm, plan->arms)) return KNACK_E_MEMORY;
    for (int64_t a = 0; a < plan->arms; a++) {
        analysis->arm[a].arm = &plan->arm[a];
        TRY(fill_values(analysis, material, a));
        TRY(fill_resources(analysis, material, a));
        fill_failures(analysis, material, a);
    }
    for (int64_t row = 0; row < material->rows; row++) {
        bool complete = true;
        for (int64_t a = 0; a < plan->arms; a++) complete &= plan->arm[a].kind == ARM_BUDGET || material_trial(material, row, a) != NULL;
        analysis->blocks += complete;
    }
    return KNACK_OK;
}
