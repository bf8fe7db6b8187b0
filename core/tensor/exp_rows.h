/* Rows of exponentials, shifted by their maximum: what softmax, logsumexp and the cross-entropies are made of. */
#ifndef TENSOR_EXP_ROWS_H
#define TENSOR_EXP_ROWS_H

#include "tensor/functions.h"
#include "tensor/kernels/loops/small_lanes.h"

/* A row of fewer values than NARROW is padded to so many, that it be worked on as a vector too. */
enum { NARROW = SMALL_LANES };

VECTOR_INLINE void pad(int64_t width, const knack_real *restrict x, knack_real padded[NARROW])
{
    for (int64_t i = 0; i < NARROW; i++) padded[i] = i < width ? x[i] : -INFINITY;
}

/* exp(x - shift), summed; shift is the row's maximum, or 0 if that is not finite, so that -Inf entries and NaN come out right. */
struct exp_sum {
    knack_real shift;
    double sum;
};

VECTOR_INLINE knack_real shift_of(int64_t width, const knack_real *restrict x)
{
    knack_real max = x[0];
#pragma omp simd reduction(max : max)
    for (int64_t i = 0; i < width; i++) max = x[i] > max ? x[i] : max;
    return isfinite(max) ? max : 0;
}

/* Sums run in knack_real over so many values, and are joined in double: as fast as the one, nearly as exact as the other. */
enum { PIECE = 1024 };

VECTOR_INLINE struct exp_sum wide_exp_sum(int64_t width, const knack_real *restrict x)
{
    struct exp_sum e = {.shift = shift_of(width, x), .sum = 0};
    for (int64_t first = 0; first < width; first += PIECE) {
        const int64_t end = first + PIECE < width ? first + PIECE : width;
        knack_real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = first; i < end; i++) sum += vector_exp(x[i] - e.shift);
        e.sum += sum;
    }
    return e;
}

/* values, padded, become exp(x - shift). */
VECTOR_INLINE struct exp_sum narrow_exp_sum(knack_real values[NARROW])
{
    small_lanes lanes;
    memcpy(&lanes, values, sizeof lanes);
    const knack_real max = small_largest(&lanes), shift = isfinite(max) ? max : 0;
    for (int64_t i = 0; i < NARROW; i++) values[i] = vector_exp(values[i] - shift);
    memcpy(&lanes, values, sizeof lanes);
    return (struct exp_sum){.shift = shift, .sum = (double)small_sum(&lanes)};
}

VECTOR_INLINE struct exp_sum exp_sum(int64_t width, const knack_real *restrict x)
{
    knack_real values[NARROW];
    if (width >= NARROW) return wide_exp_sum(width, x);
    pad(width, x, values);
    return narrow_exp_sum(values);
}

/* out (+)= factor exp(x - shift) */
VECTOR_INLINE void add_exp(int64_t width, const knack_real *restrict x, knack_real shift, knack_real factor, knack_real *restrict out,
                           bool fresh)
{
    if (width < NARROW) {
        knack_real padded[NARROW];
        pad(width, x, padded);
        for (int64_t i = 0; i < NARROW; i++) padded[i] = factor * vector_exp(padded[i] - shift);
        for (int64_t i = 0; i < width; i++) out[i] = padded[i] + (fresh ? 0 : out[i]);
    } else if (fresh) {
        for (int64_t i = 0; i < width; i++) out[i] = factor * vector_exp(x[i] - shift);
    } else {
        for (int64_t i = 0; i < width; i++) out[i] += factor * vector_exp(x[i] - shift);
    }
}

/* y = softmax(x) */
VECTOR_INLINE void wide_softmax(int64_t width, const knack_real *restrict x, knack_real *restrict y)
{
    const knack_real shift = shift_of(width, x);
    double total = 0;
    for (int64_t first = 0; first < width; first += PIECE) {
        const int64_t end = first + PIECE < width ? first + PIECE : width;
        knack_real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = first; i < end; i++) {
            y[i] = vector_exp(x[i] - shift);
            sum += y[i];
        }
        total += sum;
    }
    const knack_real inverse = (knack_real)(1 / total);
    for (int64_t i = 0; i < width; i++) y[i] *= inverse;
}

VECTOR_INLINE void softmax(int64_t width, const knack_real *restrict x, knack_real *restrict y)
{
    knack_real values[NARROW];
    if (width >= NARROW) {
        wide_softmax(width, x, y);
        return;
    }
    pad(width, x, values);
    const knack_real inverse = (knack_real)(1 / narrow_exp_sum(values).sum);
    for (int64_t i = 0; i < width; i++) y[i] = values[i] * inverse;
}

#endif
