/* An interval of a number, e.g. a confidence interval. */
#ifndef COMPARE_STATISTICS_INTERVAL_H
#define COMPARE_STATISTICS_INTERVAL_H

struct interval {
    double low, high; /* NaN: none */
};

#endif
