/* Per-example differences: seeds and examples as two sources of chance; and two trained networks on one test set. */
#ifndef COMPARE_STATISTICS_TWO_LEVEL_H
#define COMPARE_STATISTICS_TWO_LEVEL_H

#include "compare/statistics/paired.h"

struct two_way {
    double mean, ms_seed, ms_example, ms_rest;
    double variance, se, df, t, p;                         /* floored at the variance between seeds */
    struct bounds ci;                                      /* transfer interval: new seeds and new examples */
    double seed_variance, example_variance, rest_variance; /* parts of the mean's variance, none below 0 */
};
/* difference [seeds, examples]. NaN but for the mean below 2 of either; t, p NaN where se is 0; a value that is not finite gives NaN. */
struct two_way two_way(const double *difference, int64_t seeds, int64_t examples);

/* b, c: examples that only the first, only the second network has right. p of 1 if there are none; difference and ci NaN unless
 * examples is b + c at least and above 0. */
struct mcnemar {
    double exact, mid;
    double chi_squared, p, corrected, p_corrected;
    double difference; /* (c - b) / examples */
    struct bounds ci;  /* Bonett and Price, 95 % */
};
struct mcnemar mcnemar(int64_t b, int64_t c, int64_t examples);

#endif
