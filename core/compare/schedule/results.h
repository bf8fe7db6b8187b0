/* What is known of each trial, as a grid of blocks and arms: all that a schedule's decisions rest on. */
#ifndef COMPARE_SCHEDULE_RESULTS_H
#define COMPARE_SCHEDULE_RESULTS_H

#include "compare/store/store.h"

struct result {
    bool there, going_on;
    enum trial_status status;
    double value; /* NaN unless done */
    double seconds, gradient_rows, forward_rows;
    char idle[64];
};

struct results {
    const struct plan *plan;
    int64_t blocks;      /* block b has the seed plan->first_seed + b */
    struct result *cell; /* [blocks, arms] */
};

/* From the store; trials of other seeds are left out. plan: the caller's, to be there as long. */
knack_status results_read(struct store *, const struct plan *, int64_t blocks, struct results *);
void results_release(struct results *);
void results_put(struct results *, const struct stored_trial *);

struct result *results_cell(const struct results *, int64_t block, int64_t arm);
bool results_failed(const struct result *); /* not done, or without a value */
/* Larger is better; a failed trial has its score, NaN if that is not known. The trial is there. */
double results_score(const struct results *, int64_t block, int64_t arm);
/* What training cost: 3 gradient rows + forward rows, since a backward costs about two forwards. NaN: there is no trial, or it failed.
 */
double results_cost(const struct results *, int64_t block, int64_t arm);

#endif
