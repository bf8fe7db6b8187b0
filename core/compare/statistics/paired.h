/* Inference on paired differences of one replicate each. */
#ifndef COMPARE_STATISTICS_PAIRED_H
#define COMPARE_STATISTICS_PAIRED_H

#include "base/status.h"
#include "compare/statistics/interval.h"

struct paired {
    int64_t n;
    double mean, sd, se, df, t, p; /* t, p: NaN below n 2 and where sd is 0 */
    struct interval ci;            /* 95 % */
};

/* difference [n]. Two passes, in double. A value that is not finite gives NaN throughout; n 1 a mean only; equal values sd 0, and ci of
 * no width. */
struct paired paired_t(const double *difference, int64_t n);
/* Replicates that re-split one pool (Nadeau and Bengio 2003): se^2 = (1/n + test/train) sd^2. */
struct paired paired_resplit(const double *difference, int64_t n, double test_over_train);
/* Replicates that redraw only a subset (e.g. the labelled examples) of a fixed pool, the test part being fixed; share = subset / pool, in
 * [0, 1), else NaN: se^2 = (1/n + share/(1 - share)) sd^2, since two subsets have that share in common. */
struct paired paired_subset(const double *difference, int64_t n, double share);
struct interval paired_interval(const struct paired *, double confidence); /* mean -+ t se, e.g. 1 - alpha/m */
struct interval paired_next(const struct paired *);                        /* 95 % prediction of one more replicate */

double wins(const double *difference, int64_t n);                       /* ties count a half; NaN if one is */
struct interval wilson(double successes, double n);                     /* 95 % of a share; NaN for n 0 */
double correlation(const double *a, const double *b, int64_t n);        /* NaN where one is constant */
double variance_reduction(const double *a, const double *b, int64_t n); /* (s_a^2 + s_b^2) / s_d^2; inf if s_d is 0, NaN below n 2 */
int64_t tukey_outliers(const double *x, int64_t n);                     /* beyond 1.5 quartile ranges; 0 below n 5 */

#endif
