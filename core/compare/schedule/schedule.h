/* Which trials are to be made, by plan and grid alone: whoever asks after the same trials gets the same answer, so that a comparison that
 * was interrupted goes on as if it had not been. Blocks of one seed come one after the other, so that what is there at any moment is
 * complete blocks; within one the arms come in an order drawn for it, so that no arm always runs beside the same other. */
#ifndef COMPARE_SCHEDULE_SCHEDULE_H
#define COMPARE_SCHEDULE_SCHEDULE_H

#include "compare/inference/inference.h"

struct schedule {
    const struct plan *plan;
    struct grid *grid;
    int64_t *until;     /* [arms]: blocks 0 .. until - 1 are wanted of the arm, as far as is known */
    bool *stopped;      /* [arms]: decided or dropped, while others go on */
    bool *settled;      /* [contrasts]: needs no more seeds; of sequential plans */
    double *p_adjusted; /* [contrasts] as of the latest look; NaN: none yet */
    int64_t stage;      /* look, block or round that is going on; stages 1 for a plan of fixed size */
    int64_t stages;
    int64_t open;      /* no block before this one lacks a trial */
    struct arm_state { /* [arms] as of the latest schedule_advance() */
        bool waits;    /* for the machine */
        bool retry;    /* a trial of it is to be made again, alone */
        bool idle;     /* its trick never acted in any of its first trials; it gets no more */
    } * state;
    bool finished; /* all that is wanted is there, or waits for the machine */
};

/* How many blocks a plan has at most: of the arm that has most of them. */
int64_t schedule_blocks(const struct plan *);

/* plan, grid: the caller's, to be there as long. */
knack_status schedule_new(const struct plan *, struct grid *, struct schedule *);
void schedule_free(struct schedule *); /* zeroed is fine */
/* After trials were added: decides what can be decided. */
knack_status schedule_advance(struct schedule *);
/* Larger or smaller budgets of the baseline that are needed now and that the plan does not have: they are to be added to the plan, the grid
 * widened, and a schedule made anew. Returns how many. */
int64_t schedule_budgets(const struct schedule *, double size[BUDGETS_MOST]);
/* The next trial that is neither there nor going on; false: none at the moment. Trials that were set aside as unclear are not among them,
 * and neither is anything else of their arms: with alone these come, to be made when nothing else goes on. */
bool schedule_next(struct schedule *, bool alone, int64_t *block, int64_t *arm);
bool schedule_block_is_complete(const struct schedule *, int64_t block); /* of all arms but the baseline's budgets */
void schedule_count(const struct schedule *, int64_t *done, int64_t *planned);
void schedule_phase(const struct schedule *, char phase[48]);
/* The best treated arms of a finished plan, by how far they came, then by their mean difference from the baseline over all their blocks.
 * best [arms of the plan]: the indices of *count arms; those without a difference are not among them. */
knack_status schedule_rank(const struct schedule *, int64_t *best, int64_t *count);

#endif
