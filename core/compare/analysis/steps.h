/* Within core/compare/analysis: the steps of an analysis, in their order; each fills in its part. All memory is the analysis' arena's. */
#ifndef COMPARE_ANALYSIS_STEPS_H
#define COMPARE_ANALYSIS_STEPS_H

#include "compare/analysis/analysis.h"
#include "train/metrics.h"

/* What a trial told over time and at its end. */
struct told {
    int64_t points;
    double *epoch, *value; /* [points] of the curve */
    int64_t finals;
    struct trial_metric *final; /* [finals] of the primary weights */
};
/* What the store holds: row r is the seed plan->first_seed + r. */
struct material {
    struct store *store;
    const struct plan *plan;
    struct grid grid;
    int64_t rows;                     /* blocks of the grid */
    const struct stored_trial **cell; /* [rows, arms]; NULL: no such trial */
    struct told *told;                /* [rows, arms] */
    struct inference inference;
};
knack_status material_read(struct store *, struct analysis *, struct material *);
void material_free(struct material *);
const struct stored_trial *material_trial(const struct material *, int64_t row, int64_t arm); /* NULL: none */
bool material_failed(const struct material *, int64_t row, int64_t arm);

knack_status arms_fill(struct analysis *, const struct material *);
void pareto_mark(struct analysis *);
knack_status contrasts_fill(struct analysis *, const struct material *);
knack_status two_levels_fill(struct analysis *, const struct material *);
knack_status series_read(struct analysis *, struct material *);
knack_status curves_fill(struct analysis *, const struct material *);
knack_status secondaries_fill(struct analysis *, const struct material *);
knack_status recalls_fill(struct analysis *, const struct material *);
knack_status header_fill(struct analysis *);
knack_status verdicts_fill(struct analysis *);
knack_status remarks_fill(struct analysis *, const struct material *);

/* A verdict while it is written. */
enum { MOST_QUALIFIERS = 16 };
struct draft {
    struct analysis *analysis;
    const struct contrast_result *result;
    const struct estimate *estimate; /* the one that the verdict rests on: at equal updates, or at equal cost */
    enum verdict_kind kind;
    char word[256], sentence[2048];
    char *qualifier[MOST_QUALIFIERS];
    int64_t qualifiers;
    knack_status status;
};
void draft_qualify(struct draft *); /* all qualifiers */

/* Zeroed memory of the arena; *pointer NULL on failure. */
#define MAKE(analysis, pointer, count) (((pointer) = arena_zeroed((analysis)->arena, (size_t)(count) * sizeof *(pointer) + 1)) != NULL)

#endif
