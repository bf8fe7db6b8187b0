/* Sixteen values at once, their largest and their sum. */
#ifndef LOOPS_SMALL_LANES_H
#define LOOPS_SMALL_LANES_H

#include "tensor/vector.h"

/* A vector of so many values: one register of AVX-512, two of AVX2. */
enum { SMALL_LANES = 16 };
typedef knack_real small_lanes __attribute__((vector_size(SMALL_LANES * sizeof(knack_real)), aligned(sizeof(knack_real)), may_alias));

enum { SMALL_BLOCK = 8 };
typedef knack_real small_block __attribute__((vector_size(SMALL_BLOCK * sizeof(knack_real)), aligned(sizeof(knack_real)), may_alias));

/* Element by element the larger one; a NaN in b stays out. */
#define SMALL_LARGER(type, a, b) ((type)(((__typeof__((a) > (b)))(b) & ((b) > (a))) | ((__typeof__((a) > (b)))(a) & ~((b) > (a)))))

VECTOR_INLINE knack_real small_largest(const small_lanes *x)
{
    const small_block low = __builtin_shufflevector(*x, *x, 0, 1, 2, 3, 4, 5, 6, 7);
    const small_block high = __builtin_shufflevector(*x, *x, 8, 9, 10, 11, 12, 13, 14, 15);
    small_block y = SMALL_LARGER(small_block, low, high), z = __builtin_shufflevector(y, y, 4, 5, 6, 7, 0, 1, 2, 3);
    y = SMALL_LARGER(small_block, y, z);
    z = __builtin_shufflevector(y, y, 2, 3, 0, 1, 6, 7, 4, 5);
    y = SMALL_LARGER(small_block, y, z);
    z = __builtin_shufflevector(y, y, 1, 0, 3, 2, 5, 4, 7, 6);
    y = SMALL_LARGER(small_block, y, z);
    return y[0];
}

/* In halves, so that no addition waits for more than three others. */
VECTOR_INLINE knack_real small_sum(const small_lanes *x)
{
    small_block y = __builtin_shufflevector(*x, *x, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(*x, *x, 8, 9, 10, 11, 12, 13, 14, 15);
    y += __builtin_shufflevector(y, y, 4, 5, 6, 7, 0, 1, 2, 3);
    y += __builtin_shufflevector(y, y, 2, 3, 0, 1, 6, 7, 4, 5);
    y += __builtin_shufflevector(y, y, 1, 0, 3, 2, 5, 4, 7, 6);
    return y[0];
}

#endif
