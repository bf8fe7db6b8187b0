/* When the contrasts of a sequential plan need no more seeds: at looks that were planned, or at any time. docs/statistics.md. */
#ifndef COMPARE_SCHEDULE_DECISIONS_H
#define COMPARE_SCHEDULE_DECISIONS_H

#include "compare/schedule/results.h"

struct decisions {
    const struct plan *plan;
    bool *stopped;    /* [contrasts] */
    double *p;        /* [contrasts] as of the latest stage that they were in; NaN: none yet */
    double *adjusted; /* [contrasts] within their families */
};

knack_status decisions_new(const struct plan *, struct decisions *);
void decisions_free(struct decisions *);
/* After so many blocks of all contrasts that go on: tests those, adjusts all, and stops the ones that are decided, and at looks those in
 * which more seeds would be in vain. Once for each stage, ascending. */
knack_status decisions_make(struct decisions *, const struct results *, int64_t blocks);
bool decisions_any(const struct decisions *); /* whether something goes on */

#endif
