/* Several tests together. */
#ifndef COMPARE_STATISTICS_FAMILY_H
#define COMPARE_STATISTICS_FAMILY_H

#include <stdint.h>

/* p [count] -> adjusted [count]; NaN (no test) stays, and does not count unless `of` is larger: how many tests the family has. */
void holm(const double *p, int64_t count, int64_t of, double *adjusted);
void benjamini_hochberg(const double *p, int64_t count, int64_t of, double *adjusted);

#endif
