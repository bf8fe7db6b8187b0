/* Ratio of costs that were measured in pairs. */
#ifndef COMPARE_STATISTICS_RATIO_H
#define COMPARE_STATISTICS_RATIO_H

#include <stdint.h>

#include "compare/statistics/interval.h"

/* Geometric mean with the 95 % t interval of the logarithms. NaN for a cost not above 0; n 1 gives no ci. */
struct ratio {
    double value;
    struct interval ci;
};
struct ratio paired_ratio(const double *cost, const double *base, int64_t n);

#endif
