/* Rounding to bf16, the upper half of an f32, within a loop. */
#ifndef KERNELS_LOOPS_BF16_H
#define KERNELS_LOOPS_BF16_H

#include <string.h>

#include "tensor/vector.h"

/* The f32 that rounds to the same bf16. A double is cut to f32 with its last bit set if anything was lost, so that rounding twice is
 * rounding once. */
VECTOR_INLINE uint32_t bf16_float_bits(knack_real x)
{
    const float f = (float)x;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
#ifdef KNACK_REAL_DOUBLE
    if ((double)f != x && x == x) {
        if ((f < 0 ? -(double)f : (double)f) > (x < 0 ? -x : x)) bits--;
        bits |= 1;
    }
#endif
    return bits;
}

/* To nearest even; NaN stays NaN. */
VECTOR_INLINE uint16_t bf16_round(knack_real x)
{
    const uint32_t bits = bf16_float_bits(x);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    const uint32_t nan = bits >> 16 | 0x40;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}

#endif
