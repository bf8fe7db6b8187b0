/* Which trials are to be made, by plan and results alone: whoever asks after the same trials gets the same answer, so that a comparison
 * that was interrupted goes on as if it had not been. Blocks of one seed come one after the other, so that what is there at any moment is
 * complete blocks; within one the arms come in an order drawn for it, so that no arm always runs beside the same other. */
#ifndef COMPARE_SCHEDULE_SCHEDULE_H
#define COMPARE_SCHEDULE_SCHEDULE_H

#include "compare/schedule/decisions.h"

struct schedule {
    const struct plan *plan;
    struct results *results;
    int64_t *until; /* [arms]: blocks 0 .. until - 1 are wanted of the arm, as far as is known */
    bool *stopped;  /* [arms]: decided or dropped, while others go on */
    int64_t stage;  /* look, block or round that is going on; stages 1 for a plan of fixed size */
    int64_t stages;
    bool finished;              /* all that is wanted is there */
    struct decisions decisions; /* of sequential plans, else empty */
};

/* How many blocks a plan has at most: of the arm that has most of them. */
int64_t schedule_blocks(const struct plan *);

/* plan, results: the caller's, to be there as long. */
knack_status schedule_new(const struct plan *, struct results *, struct schedule *);
void schedule_free(struct schedule *); /* zeroed is fine */
/* After trials were added: decides what can be decided. */
knack_status schedule_advance(struct schedule *);
/* The next trial that is neither there nor going on; false: none at the moment. */
bool schedule_next(const struct schedule *, int64_t *block, int64_t *arm);
bool schedule_block_is_complete(const struct schedule *, int64_t block); /* of all arms but the baseline's budgets */
void schedule_count(const struct schedule *, int64_t *done, int64_t *planned);
void schedule_phase(const struct schedule *, char phase[48]);
/* The best treated arms of a finished plan, by how far they came, then by their mean difference from the baseline over all their blocks.
 * best [arms of the plan]: the indices of *count arms; those without a difference are not among them. */
knack_status schedule_rank(const struct schedule *, int64_t *best, int64_t *count);

#endif
