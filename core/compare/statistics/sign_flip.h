/* A test that assumes symmetry only. */
#ifndef COMPARE_STATISTICS_SIGN_FLIP_H
#define COMPARE_STATISTICS_SIGN_FLIP_H

#include <stdint.h>

/* Two-sided p by flipping signs: exact to n = 20 (Gray code: 2^(n - 1) sums, a millisecond at 20), else 9,999 flips drawn by seed. NaN for
 * n 0 or a value that is not finite. */
double sign_flip(const double *difference, int64_t n, uint64_t seed);

#endif
