/* Inference on paired differences of one replicate each. */
#ifndef COMPARE_STATISTICS_PAIRED_H
#define COMPARE_STATISTICS_PAIRED_H

#include "base/status.h"

struct bounds {
    double low, high;
};

struct paired {
    int64_t n;
    double mean, sd, se, df, t, p; /* t, p: NaN below n 2 and where sd is 0 */
    struct bounds ci;              /* 95 % */
};

/* difference [n]. Two passes, in double. A value that is not finite gives NaN throughout; n 1 a mean only; equal values sd 0, and ci of
 * no width. */
struct paired paired_t(const double *difference, int64_t n);
/* Replicates that re-split one pool (Nadeau and Bengio 2003): se^2 = (1/n + test/train) sd^2. */
struct paired paired_resplit(const double *difference, int64_t n, double test_over_train);
struct bounds paired_interval(const struct paired *, double confidence); /* mean -+ t se, e.g. 1 - alpha/m */
struct bounds paired_next(const struct paired *);                        /* 95 % prediction of one more replicate */
/* Two one-sided tests against -+margin: t of both, and the larger p. NaN without a positive se, and so for superiority. */
struct equivalence {
    double t_low, t_up, p;
};
struct equivalence paired_equivalence(const struct paired *, double margin);
double paired_superiority(const struct paired *, double margin); /* one-sided p of: more than margin */

/* Two-sided p by flipping signs: exact to n = 20 (Gray code), else 9,999 flips drawn by seed. NaN for n 0 or a value that is not finite. */
double sign_flip(const double *difference, int64_t n, uint64_t seed);

double wins(const double *difference, int64_t n);                       /* ties count a half; NaN if one is */
struct bounds wilson(double successes, double n);                       /* 95 % of a share; NaN for n 0 */
double correlation(const double *a, const double *b, int64_t n);        /* NaN where one is constant */
double variance_reduction(const double *a, const double *b, int64_t n); /* (s_a^2 + s_b^2) / s_d^2; inf if s_d is 0, NaN below n 2 */
int64_t tukey_outliers(const double *x, int64_t n);                     /* beyond 1.5 quartile ranges; 0 below n 5 */

/* Ratio of costs measured in pairs: geometric mean with t interval on logarithms. NaN for a cost not above 0; n 1 gives no ci. */
struct ratio {
    double value;
    struct bounds ci;
};
struct ratio paired_ratio(const double *cost, const double *base, int64_t n);

#endif
