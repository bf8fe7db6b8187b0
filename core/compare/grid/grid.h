/* The stored trials as a grid of blocks and arms: all that decisions and reports rest on. Block b is the seed plan->first_seed + b. */
#ifndef COMPARE_GRID_GRID_H
#define COMPARE_GRID_GRID_H

#include "compare/store/store.h"

struct trial_cell {
    bool there;    /* a trial that counts */
    bool going_on; /* it is being made */
    bool waits;    /* the machine's trouble kept it from being made, alone too; this process does not try again */
    enum trial_status status;
    double value; /* NaN unless done */
    struct trial_cost cost;
    int64_t attempts; /* that were set aside as unclear or as the machine's */
    enum trial_status earlier;
    int64_t earlier_step; /* how and where the latest of them ended */
    char idle[64];
};

struct grid {
    const struct plan *plan;
    int64_t blocks, arms;    /* arms: columns; those of the plan when the grid was made or widened */
    struct trial_cell *cell; /* [blocks, arms] */
};

/* An empty grid. plan: the caller's, to be there as long. */
knack_status grid_new(const struct plan *, int64_t blocks, struct grid *);
/* From the store; blocks 0: as many as there are trials for. Trials of other seeds are left out. */
knack_status grid_read(struct store *, const struct plan *, int64_t blocks, struct grid *);
void grid_free(struct grid *); /* zeroed is fine */
void grid_put(struct grid *, const struct stored_trial *);
/* Columns for arms that were added at the plan's end. */
knack_status grid_widen(struct grid *);

struct trial_cell *grid_cell(const struct grid *, int64_t block, int64_t arm); /* NULL: outside */
bool grid_there(const struct grid *, int64_t block, int64_t arm);
bool grid_failed(const struct trial_cell *); /* there, but not done or without a value */
/* As the metric is; a failed trial has its score. NaN: no trial, or failed and no score is known. */
double grid_value(const struct grid *, int64_t block, int64_t arm);
double grid_score(const struct grid *, int64_t block, int64_t arm); /* the same, larger is better */
/* D of a block: the contrast's weights times scores. NaN: a score is missing; *complete (may be NULL): whether all trials are there.
 * *size (may be NULL): how large the numbers are that it comes from, for rounding. */
double grid_difference(const struct grid *, const struct contrast *, int64_t block, bool *complete, double *size);

/* What training cost, in rows: a row forward and backward is three rows forward. Mean over trials that are done among the first `blocks`
 * blocks; NaN: none. */
double grid_mean_cost(const struct grid *, int64_t arm, int64_t blocks);
double grid_mean_updates(const struct grid *, int64_t arm, int64_t blocks); /* made */

#endif
