/* What an arm costs, and the baseline at the same cost. One definition for schedule, verdicts, tables, figures and files: cost is of a
 * whole training, the baseline's being 1. */
#ifndef COMPARE_INFERENCE_COSTS_H
#define COMPARE_INFERENCE_COSTS_H

#include "compare/grid/grid.h"
#include "compare/inference/estimate.h"

enum { BUDGETS_MOST = 6 };

struct cost {
    double counted; /* passes over rows; a pass with gradient is three without */
    double cpu;     /* CPU time, by the serial calibration before the first trial; NaN: not measured */
    struct interval cpu_ci;
    double at;    /* the cost that the verdict goes by, at which the baseline is read */
    bool differs; /* it is not about the baseline's */
};

/* By trials among the first `blocks` blocks. `at` is what was counted, unless the lower end of the CPU time's interval says that this is no
 * measure: it is above SAME_COST times the count, or where the counts are about the same; then that lower end. */
void cost_of(const struct grid *, int64_t arm, int64_t blocks, struct cost *);

/* The baseline's budgets, other than 1, that the arm's cost lies between or is: sizes that whole epochs allow, ascending; returns how many.
 * 0 where the cost is about the baseline's, or beyond what there is (0.5 to 4). By the first block and, if blocks is larger, by those too.
 */
int64_t budgets_needed(const struct grid *, int64_t arm, int64_t blocks, double size[BUDGETS_MOST]);
bool budget_is_needed(const struct grid *, int64_t arm, int64_t blocks, double size);
/* The arm against the baseline at cost `at`, seed by seed, among the first `blocks` blocks: fills n, seed and difference [blocks each]; n
 * 0: no such baseline. scale: as in estimate_context. */
void equal_cost_gather(const struct grid *, int64_t arm, double at, int64_t blocks, struct estimate *, double *scale);
/* Cost at which the baseline's mean reaches the arm's, divided by the arm's cost; NaN: not known, inf: beyond its budgets. */
double equal_quality_saving(const struct grid *, int64_t arm, double at);

#endif
