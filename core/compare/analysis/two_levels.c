/* Chance of training and chance of the test set apart, from what each trial said of each test example; seed by seed, so that memory is for
 * one row of differences. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/distributions.h"
#include "compare/statistics/two_level.h"

struct levels {
    const struct material *material;
    bool loss; /* the metric is the mean of losses, not of correctness */
    struct two_way_sums sums;
    double *difference; /* [sums.examples] of the seed */
    bool usable;        /* all trials so far have such numbers */
};

/* Whether the mean over examples is the metric: some were not counted otherwise, or the loss is another one. */
static bool agrees(double sum, int64_t count, double value)
{
    return fabs(sum / (double)count - value) <= 1e-4 * fmax(fabs(value), 1e-3);
}

static knack_status begin(struct levels *levels, int64_t count)
{
    if (levels->difference) return KNACK_OK;
    levels->difference = memory_new((size_t)count, sizeof *levels->difference);
    return levels->difference ? two_way_begin(&levels->sums, count) : KNACK_E_MEMORY;
}

/* Adds weight times a trial's values to the seed's row. */
static knack_status add_values(struct levels *levels, const uint8_t *correct, const float *loss, int64_t count, double weight, double value)
{
    double sum = 0;
    levels->usable = count > 0 && (levels->loss ? loss != NULL : correct != NULL);
    if (!levels->usable) return KNACK_OK;
    TRY(begin(levels, count));
    levels->usable = count == levels->sums.examples;
    for (int64_t i = 0; levels->usable && i < count; i++) {
        double one = levels->loss ? (double)loss[i] : (double)correct[i];
        levels->difference[i] += weight * one;
        sum += one;
    }
    levels->usable &= agrees(sum, count, value);
    return KNACK_OK;
}

static knack_status add_trial(struct levels *levels, int64_t row, int64_t arm, double weight)
{
    const struct stored_trial *trial = material_trial(levels->material, row, arm);
    uint8_t *correct = NULL;
    float *loss = NULL;
    int64_t count = 0;
    levels->usable = trial && !material_failed(levels->material, row, arm);
    if (!levels->usable) return KNACK_OK;
    TRY(store_read_examples(levels->material->store, arm, trial->seed, &correct, &loss, &count));
    knack_status status = add_values(levels, correct, loss, count, weight, trial->value);
    memory_free(correct);
    memory_free(loss);
    return status;
}

static knack_status add_seed(struct levels *levels, const struct contrast_result *result, int64_t seed)
{
    const struct plan *plan = levels->material->plan;
    if (levels->difference) memset(levels->difference, 0, (size_t)levels->sums.examples * sizeof *levels->difference);
    for (int64_t a = 0; a < plan->arms && levels->usable; a++) {
        double weight = (plan->lower_is_better ? -1 : 1) * result->contrast->weight[a];
        if (weight != 0) TRY(add_trial(levels, seed - plan->first_seed, a, weight));
    }
    if (levels->usable) two_way_add(&levels->sums, levels->difference);
    return KNACK_OK;
}

/* As far as the interval over seeds alone reaches, in its own standard errors. */
static double bound_of(const struct estimate *estimate)
{
    return isfinite(estimate->boundary) ? estimate->boundary : (estimate->ci.high - estimate->ci.low) / (2 * estimate->se);
}

static void conclude(const struct estimate *estimate, const struct two_way *way, int64_t examples, struct two_level *two)
{
    struct interval transfer = two_way_interval(way, bound_of(estimate));
    double sum = way->seed_variance + way->example_variance + way->rest_variance;
    if (!isfinite(way->se) || !isfinite(transfer.low) || !isfinite(transfer.high) || !(sum > 0)) return;
    *two = (struct two_level){.known = true,
                              .seeds = estimate->n,
                              .examples = examples,
                              .se = way->se,
                              .df = way->df,
                              .p = way->p,
                              .transfer = transfer,
                              .seed_share = way->seed_variance / sum,
                              .example_share = way->example_variance / sum,
                              .interaction_share = way->rest_variance / sum,
                              .seed_variance = way->seed_variance,
                              .example_variance = way->example_variance,
                              .interaction_variance = way->rest_variance};
}

static knack_status fill(const struct material *material, bool loss, struct contrast_result *result)
{
    struct levels levels = {.material = material, .loss = loss, .usable = true};
    const struct estimate *estimate = &result->estimate;
    knack_status status = KNACK_OK;
    for (int64_t s = 0; s < estimate->n && levels.usable && status >= 0; s++) status = add_seed(&levels, result, estimate->seed[s]);
    int64_t examples = levels.sums.examples;
    struct two_way way = two_way_end(&levels.sums);
    if (status >= 0 && levels.usable && levels.difference) conclude(estimate, &way, examples, &result->two_level);
    memory_free(levels.difference);
    return status;
}

knack_status two_levels_fill(struct analysis *analysis, const struct material *material)
{
    const struct plan *plan = analysis->plan;
    bool loss = strcmp(plan->metric, "loss") == 0, known = (loss || strcmp(plan->metric, "accuracy") == 0) && !plan->redraw;
    for (int64_t c = 0; c < plan->contrasts; c++) {
        struct contrast_result *result = &analysis->contrast[c];
        struct two_level *two = &result->two_level;
        two->se = two->df = two->p = two->transfer.low = two->transfer.high = NAN;
        two->seed_share = two->example_share = two->interaction_share = NAN;
        two->seed_variance = two->example_variance = two->interaction_variance = NAN;
        /* Seeds that draw the test examples anew cover them; those that only redraw what is trained on do not. */
        if (plan->redraw && !(plan->shared >= 0)) two->transfer = result->estimate.ci;
        if (known && isfinite(result->estimate.ci.low)) TRY(fill(material, loss, result));
    }
    return KNACK_OK;
}
