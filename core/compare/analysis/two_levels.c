/* Chance of training and chance of the test set apart, from what each trial said of each test example. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/two_level.h"

/* What a trial said; read when first needed. */
struct examples {
    bool read;
    int64_t count;    /* 0: no such numbers */
    uint8_t *correct; /* [count] */
    float *loss;
};
/* One block after the other goes into the sums of all contrasts, so that no more than a block is in memory. */
struct reading {
    struct analysis *analysis;
    const struct material *material;
    bool loss;                 /* the metric is the mean of losses, not of correctness */
    struct examples *cell;     /* [arms] of the block at hand */
    struct two_way_sums *sums; /* [contrasts] */
    bool *lacking;             /* [contrasts] some trial has no such numbers */
    int64_t count;             /* examples of the part; 0 before the first trial that has any */
    double *difference;        /* [count] */
};

static double example_value(const struct reading *reading, const struct examples *examples, int64_t i)
{
    return reading->loss ? (double)examples->loss[i] : (double)examples->correct[i];
}

/* Whether the mean over examples is the metric: some were not counted otherwise, or the loss is another one. */
static bool agrees(const struct reading *reading, const struct examples *examples, double value)
{
    double sum = 0;
    for (int64_t i = 0; i < examples->count; i++) sum += example_value(reading, examples, i);
    return fabs(sum / (double)examples->count - value) <= 1e-4 * fmax(fabs(value), 1e-3);
}

static knack_status read_examples(struct reading *reading, int64_t row, int64_t arm)
{
    struct examples *examples = &reading->cell[arm];
    if (examples->read || material_failed(reading->material, row, arm)) return KNACK_OK;
    const struct stored_trial *trial = material_trial(reading->material, row, arm);
    TRY(store_read_examples(reading->material->store, arm, trial->seed, &examples->correct, &examples->loss, &examples->count));
    examples->read = true;
    bool there = examples->count > 0 && (reading->loss ? examples->loss != NULL : examples->correct != NULL);
    if (!there || !agrees(reading, examples, trial->value)) examples->count = 0;
    if (reading->count > 0 || examples->count == 0) return KNACK_OK;
    reading->count = examples->count;
    reading->difference = memory_new((size_t)reading->count, sizeof *reading->difference);
    return reading->difference ? KNACK_OK : KNACK_E_MEMORY;
}

static knack_status add_block(struct reading *reading, int64_t row, int64_t c)
{
    const struct plan *plan = reading->material->plan;
    const double *weight = plan->contrast[c].weight, sign = plan->lower_is_better ? -1 : 1;
    for (int64_t a = 0; a < plan->arms; a++) {
        if (weight[a] == 0) continue;
        TRY(read_examples(reading, row, a));
        reading->lacking[c] |= reading->cell[a].count == 0 || reading->cell[a].count != reading->count;
    }
    if (reading->lacking[c]) return KNACK_OK;
    memset(reading->difference, 0, (size_t)reading->count * sizeof *reading->difference);
    for (int64_t a = 0; a < plan->arms; a++)
        for (int64_t i = 0; weight[a] != 0 && i < reading->count; i++)
            reading->difference[i] += sign * weight[a] * example_value(reading, &reading->cell[a], i);
    if (!reading->sums[c].column) TRY(two_way_begin(&reading->sums[c], reading->count));
    two_way_add(&reading->sums[c], reading->difference);
    return KNACK_OK;
}

static knack_status add_row(struct reading *reading, int64_t row)
{
    knack_status status = KNACK_OK;
    for (int64_t c = 0; status >= 0 && c < reading->material->plan->contrasts; c++) {
        const struct estimate *e = &reading->analysis->contrast[c].estimate;
        int64_t next = reading->sums[c].seeds;
        bool counts = isfinite(e->ci.low) && next < e->n && e->seed[next] == reading->material->seed[row];
        if (counts && !reading->lacking[c]) status = add_block(reading, row, c);
    }
    for (int64_t a = 0; a < reading->material->plan->arms; a++) {
        memory_free(reading->cell[a].correct);
        memory_free(reading->cell[a].loss);
        reading->cell[a] = (struct examples){0};
    }
    return status;
}

static void fill(const struct estimate *e, struct two_way_sums *sums, struct two_level *two)
{
    int64_t seeds = sums->seeds, examples = sums->examples;
    struct two_way way = two_way_end(sums);
    double sum = way.seed_variance + way.example_variance + way.rest_variance;
    if (seeds != e->n || !isfinite(way.se) || !(sum > 0)) return;
    *two = (struct two_level){.known = true,
                              .seeds = seeds,
                              .examples = examples,
                              .se = way.se,
                              .df = way.df,
                              .p = way.p,
                              .transfer = two_way_interval(&way, (e->ci.high - e->delta) / e->se),
                              .seed_share = way.seed_variance / sum,
                              .example_share = way.example_variance / sum,
                              .interaction_share = way.rest_variance / sum,
                              .seed_variance = way.seed_variance,
                              .example_variance = way.example_variance,
                              .interaction_variance = way.rest_variance};
}

knack_status two_levels_fill(struct analysis *analysis, const struct material *material)
{
    const struct plan *plan = analysis->plan;
    struct reading reading = {.analysis = analysis, .material = material, .loss = strcmp(plan->metric, "loss") == 0};
    if (!MAKE(analysis, reading.cell, plan->arms) || !MAKE(analysis, reading.sums, plan->contrasts) ||
        !MAKE(analysis, reading.lacking, plan->contrasts))
        return KNACK_E_MEMORY;
    bool known = !plan->redraw && (reading.loss || strcmp(plan->metric, "accuracy") == 0);
    knack_status status = KNACK_OK;
    for (int64_t row = 0; known && status >= 0 && row < material->seeds; row++) status = add_row(&reading, row);
    for (int64_t c = 0; c < plan->contrasts; c++) {
        struct contrast_result *result = &analysis->contrast[c];
        struct two_level *two = &result->two_level;
        two->se = two->df = two->p = two->transfer.low = two->transfer.high = NAN;
        two->seed_share = two->example_share = two->interaction_share = NAN;
        two->seed_variance = two->example_variance = two->interaction_variance = NAN;
        if (plan->redraw) two->transfer = result->estimate.ci;
        fill(&result->estimate, &reading.sums[c], two);
    }
    memory_free(reading.difference);
    return status;
}
