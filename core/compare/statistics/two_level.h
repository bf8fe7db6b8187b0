/* Per-example differences: seeds and examples as two sources of chance; and two trained networks on one test set. */
#ifndef COMPARE_STATISTICS_TWO_LEVEL_H
#define COMPARE_STATISTICS_TWO_LEVEL_H

#include "base/status.h"
#include "compare/statistics/interval.h"

/* Differences of one seed after the other, of which only sums are kept: memory for one row. */
struct two_way_sums {
    int64_t seeds, examples;
    double *column;          /* [examples] mean over seeds of the difference less its seed's mean */
    double mean, rows, rest; /* of the seeds' means the mean and the squares around it; squares of what neither seed nor example explains */
};
knack_status two_way_begin(struct two_way_sums *, int64_t examples);
void two_way_add(struct two_way_sums *, const double *difference); /* [examples] of the next seed */

struct two_way {
    double mean, ms_seed, ms_example, ms_rest;
    double variance, se, df, t, p;                         /* floored at the variance between seeds */
    double seed_variance, example_variance, rest_variance; /* parts of the mean's variance, none below 0 */
    double seed_se, seed_df;                               /* of the mean over seeds alone */
};
/* Ends the sums and frees them. NaN but for the mean below 2 seeds or examples; t, p NaN where se is 0; a value that is not finite gives
 * NaN. */
struct two_way two_way_end(struct two_way_sums *);
/* The transfer interval, to new seeds and new examples. bound: |t| that the interval over seeds alone reaches, t(.975, seeds - 1) or in
 * sequential plans the boundary of the look; the transfer interval is scaled alike, and never narrower than that of the seeds. */
struct interval two_way_interval(const struct two_way *, double bound);

/* McNemar's exact p, two-sided: b, c are numbers of pairs of which only the first, only the second has something. 1 if there are none. */
double mcnemar_exact(int64_t b, int64_t c);

#endif
