/* Which larger budgets of the baseline tricks need, to be compared with it at equal cost. By counts, never by the clock. */
#ifndef COMPARE_SCHEDULE_BUDGETS_H
#define COMPARE_SCHEDULE_BUDGETS_H

#include "compare/schedule/results.h"

enum { BUDGETS_MOST = 4 };

/* Budgets above 1, ascending, that the arm's cost lies between; none where it costs at most 1.25 x. By the trials of the first block; with
 * all also by the means over all trials, which say it where one of those failed, and which the analysis goes by. Returns how many. */
int64_t budgets_around(const struct results *, int64_t arm, bool all, double budget[BUDGETS_MOST]);
/* Whether the baseline with one of them is this arm. */
bool budget_is_needed(const struct results *, int64_t arm, bool all, int64_t longer);

#endif
