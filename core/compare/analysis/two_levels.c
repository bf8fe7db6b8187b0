/* Chance of training and chance of the test set apart, from what each trial said of each test example. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/two_level.h"

/* What the trials said; read when first needed. */
struct examples {
    bool read;
    int64_t count;
    uint8_t *correct; /* [count] */
    float *loss;
};
struct archive {
    struct analysis *analysis;
    const struct material *material;
    struct examples *cell; /* [seeds, arms] */
    bool loss;             /* the metric is the mean of losses, not of correctness */
};

static double example_value(const struct archive *archive, const struct examples *examples, int64_t i)
{
    return archive->loss ? (double)examples->loss[i] : (double)examples->correct[i];
}

/* Whether the mean over examples is the metric: some were not counted otherwise, or the loss is another one. */
static bool agrees(const struct archive *archive, const struct examples *examples, double value)
{
    double sum = 0;
    for (int64_t i = 0; i < examples->count; i++) sum += example_value(archive, examples, i);
    return fabs(sum / (double)examples->count - value) <= 1e-4 * fmax(fabs(value), 1e-3);
}

/* *usable false: this trial has no such numbers. */
static knack_status read_examples(struct archive *archive, int64_t row, int64_t arm, const struct examples **found, bool *usable)
{
    const struct material *material = archive->material;
    struct examples *examples = &archive->cell[row * material->plan->arms + arm];
    if (!examples->read) {
        const struct stored_trial *trial = material_trial(material, row, arm);
        TRY(store_read_examples(material->store, arm, trial->seed, &examples->correct, &examples->loss, &examples->count));
        examples->read = true;
        bool there = examples->count > 0 && (archive->loss ? examples->loss != NULL : examples->correct != NULL);
        if (!there || !agrees(archive, examples, trial->value)) examples->count = 0;
    }
    *found = examples;
    *usable = examples->count > 0;
    return KNACK_OK;
}

/* Adds weight times an arm's values to one row of differences; *count: examples, 0 before the first. */
static knack_status add_arm(struct archive *archive, int64_t row, int64_t arm, double weight, double **difference, int64_t s, int64_t seeds,
                            int64_t *count, bool *usable)
{
    const struct examples *examples;
    *usable = !material_failed(archive->material, row, arm);
    if (*usable) TRY(read_examples(archive, row, arm, &examples, usable));
    if (!*usable) return KNACK_OK;
    if (*count == 0) {
        *count = examples->count;
        *difference = memory_new((size_t)(seeds * *count), sizeof **difference);
        if (!*difference) return KNACK_E_MEMORY;
    }
    *usable = examples->count == *count;
    for (int64_t i = 0; *usable && i < *count; i++) (*difference)[s * *count + i] += weight * example_value(archive, examples, i);
    return KNACK_OK;
}

/* differences [seeds, examples] of a contrast in the blocks of its estimate; *difference NULL: not known for all of them. */
static knack_status gather(struct archive *archive, const struct contrast_result *result, double **difference, int64_t *count)
{
    const struct plan *plan = archive->material->plan;
    const struct estimate *estimate = &result->estimate;
    double sign = plan->lower_is_better ? -1 : 1;
    for (int64_t s = 0; s < estimate->n; s++)
        for (int64_t a = 0; a < plan->arms; a++) {
            double weight = sign * result->contrast->weight[a];
            if (weight == 0) continue;
            bool usable;
            int64_t row = material_row(archive->material, estimate->seed[s]);
            TRY(add_arm(archive, row, a, weight, difference, s, estimate->n, count, &usable));
            if (usable) continue;
            memory_free(*difference);
            *difference = NULL;
            return KNACK_OK;
        }
    return KNACK_OK;
}

static void fill(const double *difference, int64_t seeds, int64_t examples, struct two_level *two)
{
    struct two_way way = two_way(difference, seeds, examples);
    double sum = way.seed_variance + way.example_variance + way.rest_variance;
    if (!isfinite(way.se) || !isfinite(way.ci.low) || !isfinite(way.ci.high) || !(sum > 0)) return;
    *two = (struct two_level){.known = true,
                              .seeds = seeds,
                              .examples = examples,
                              .se = way.se,
                              .df = way.df,
                              .p = way.p,
                              .transfer = {way.ci.low, way.ci.high},
                              .seed_share = way.seed_variance / sum,
                              .example_share = way.example_variance / sum,
                              .interaction_share = way.rest_variance / sum,
                              .seed_variance = way.seed_variance,
                              .example_variance = way.example_variance,
                              .interaction_variance = way.rest_variance};
}

static knack_status fill_contrast(struct archive *archive, struct contrast_result *result)
{
    struct two_level *two = &result->two_level;
    if (archive->material->plan->redraw) two->transfer = result->estimate.ci;
    if (!archive->cell || !isfinite(result->estimate.ci.low)) return KNACK_OK;
    double *difference = NULL;
    int64_t count = 0;
    knack_status status = gather(archive, result, &difference, &count);
    if (status >= 0 && difference) fill(difference, result->estimate.n, count, two);
    memory_free(difference);
    return status;
}

static void close_archive(struct archive *archive)
{
    if (!archive->cell) return;
    for (int64_t i = 0; i < archive->material->seeds * archive->material->plan->arms; i++) {
        memory_free(archive->cell[i].correct);
        memory_free(archive->cell[i].loss);
    }
}

knack_status two_levels_fill(struct analysis *analysis, const struct material *material)
{
    const struct plan *plan = analysis->plan;
    struct archive archive = {.analysis = analysis, .material = material, .loss = strcmp(plan->metric, "loss") == 0};
    for (int64_t c = 0; c < plan->contrasts; c++) {
        struct two_level *two = &analysis->contrast[c].two_level;
        two->se = two->df = two->p = two->transfer.low = two->transfer.high = NAN;
        two->seed_share = two->example_share = two->interaction_share = NAN;
        two->seed_variance = two->example_variance = two->interaction_variance = NAN;
    }
    bool mean_of_examples = archive.loss || strcmp(plan->metric, "accuracy") == 0;
    if (mean_of_examples && !plan->redraw && !MAKE(analysis, archive.cell, material->seeds * plan->arms)) return KNACK_E_MEMORY;
    knack_status status = KNACK_OK;
    for (int64_t c = 0; status >= 0 && c < plan->contrasts; c++) status = fill_contrast(&archive, &analysis->contrast[c]);
    close_archive(&archive);
    return status;
}
