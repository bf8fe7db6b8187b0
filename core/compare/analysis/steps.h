/* The steps of an analysis, in their order; each fills in its part. All memory is the analysis' arena's. */
#ifndef COMPARE_ANALYSIS_STEPS_H
#define COMPARE_ANALYSIS_STEPS_H

#include "compare/analysis/analysis.h"
#include "train/metrics.h"

#define ALPHA .05

/* What a trial told over time and at its end. */
struct told {
    int64_t points;
    double *epoch, *value; /* [points] of the curve */
    int64_t finals;
    struct trial_metric *final; /* [finals] of the primary weights */
};
/* What the store holds, as a grid of seeds and arms. */
struct material {
    struct store *store;
    const struct plan *plan;
    struct stored_trial *trial;
    int64_t trials;
    struct stored_measurement *measurement;
    int64_t measurements;
    int64_t *seed; /* [seeds] that have a trial, ascending */
    int64_t seeds;
    const struct stored_trial **cell; /* [seeds, arms]; NULL: no such trial */
    struct told *told;                /* [seeds, arms] */
};
knack_status material_read(struct store *, struct analysis *, struct material *);
void material_free(struct material *);
const struct stored_trial *material_trial(const struct material *, int64_t row, int64_t arm); /* NULL: none */
bool material_failed(const struct material *, int64_t row, int64_t arm);
/* As the metric is, of failed trials their score; NaN: no trial, or a failed one and no score. */
double material_value(const struct material *, int64_t row, int64_t arm);
double material_score(const struct material *, int64_t row, int64_t arm); /* the same, larger is better */
int64_t material_row(const struct material *, int64_t seed);              /* -1: none */

knack_status arms_fill(struct analysis *, const struct material *);
void costs_fill(struct analysis *, const struct material *);
void pareto_mark(struct analysis *);
/* Estimates, with whatever they need of costs. */
knack_status contrasts_fill(struct analysis *, const struct material *);
/* of: comparisons in the family. n, seed and difference are there, differences of all complete blocks in ascending order; scale: size of
 * the values that they come from. */
void estimate_infer(const struct plan *, bool finished, int64_t of, double scale, struct estimate *);
/* p [count] of one family -> adjusted [count]: Holm's, or the q values of a screening. */
void adjust_p(const struct plan *, const double *p, int64_t count, double *adjusted);
knack_status equal_cost_fill(struct analysis *, const struct material *);
knack_status families_adjust(struct analysis *);
knack_status two_levels_fill(struct analysis *, const struct material *);
knack_status series_read(struct analysis *, struct material *);
knack_status curves_fill(struct analysis *, const struct material *);
knack_status secondaries_fill(struct analysis *, const struct material *);
knack_status header_fill(struct analysis *);
knack_status verdicts_fill(struct analysis *);

/* Zeroed memory of the arena; *pointer NULL on failure. */
#define MAKE(analysis, pointer, count) (((pointer) = arena_zeroed((analysis)->arena, (size_t)(count) * sizeof *(pointer) + 1)) != NULL)

#endif
