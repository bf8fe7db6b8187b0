/* Functions that libm has as calls only, as polynomials that vectorise within a loop. The double build takes libm's. */
#ifndef TENSOR_FUNCTIONS_H
#define TENSOR_FUNCTIONS_H

#include <knack/tensor.h>

#include <math.h>
#include <string.h>

#include "tensor/vector.h"

/* The standard normal distribution at a point. */
struct normal {
    knack_real cdf, density;
};

#ifdef KNACK_REAL_DOUBLE

VECTOR_INLINE double vector_exp(double x)
{
    return exp(x);
}

VECTOR_INLINE double vector_exp_below(double x)
{
    return exp(x);
}

VECTOR_INLINE double vector_tanh(double x)
{
    return tanh(x);
}

VECTOR_INLINE struct normal normal(double x)
{
    return (struct normal){.cdf = erfc(-x * 0.70710678118654752440) / 2, .density = exp(-x * x / 2) * 0.39894228040143267794};
}

#else

/* exp(x) = 2^n exp(r), n = x / ln 2 rounded to nearest: exp(r) = 1 + r + r^2 q(r) with q fitted to the least relative error on
 * |r| <= ln 2 / 2. *bits becomes 0x4b400000, the bits of 1.5 2^23, plus n. */
VECTOR_INLINE float exp_of_rest(float x, uint32_t *bits)
{
    const float round = 0x1.8p23f; /* added and subtracted, it rounds to an integer, which its lowest bits hold meanwhile */
    const float shifted = x * 0x1.715476p+0f + round;
    memcpy(bits, &shifted, sizeof *bits);
    const float whole = shifted - round;
    const float r = x - whole * 0x1.62e4p-1f - whole * 0x1.7f7d1cp-20f;
    float q = 0x1.6a23cep-10f;
    q = q * r + 0x1.123a2p-7f;
    q = q * r + 0x1.5558f2p-5f;
    q = q * r + 0x1.555492p-3f;
    q = q * r + 0x1.fffffcp-2f;
    return q * r * r + r + 1.0f;
}

/* exp within 1.1 ulp. 2^n is made of two factors, so that the ends of the range are right. NaN stays NaN. */
VECTOR_INLINE float vector_exp(float x)
{
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    uint32_t bits;
    const float y = exp_of_rest(x, &bits);
    const int32_t n = (int32_t)(bits - 0x4b400000u), half = n >> 1;
    const uint32_t low_bits = (uint32_t)(half + 127) << 23, high_bits = (uint32_t)(n - half + 127) << 23;
    float low, high;
    memcpy(&low, &low_bits, sizeof low);
    memcpy(&high, &high_bits, sizeof high);
    return y * low * high;
}

/* exp of what is at most 0, as softmax and densities have it, in fewer operations: one factor 2^n, added to the exponent. What is below
 * -86.5 gives 0. NaN stays NaN. */
VECTOR_INLINE float vector_exp_below(float x)
{
    uint32_t bits, out;
    float y = exp_of_rest(x, &bits);
    memcpy(&out, &y, sizeof out);
    out += bits << 23;
    memcpy(&y, &out, sizeof y);
    return x >= -86.5f ? y : x < -86.5f ? 0.0f : x;
}

/* tanh within 1.6e-7 relative: x + x^3 p(x^2) for small x, else by exp. */
VECTOR_INLINE float vector_tanh(float x)
{
    const float size = fabsf(x), z = x * x;
    float p = -0x1.722bp-8f;
    p = p * z + 0x1.5157fcp-6f;
    p = p * z - 0x1.b81dc2p-5f;
    p = p * z + 0x1.110646p-3f;
    p = p * z - 0x1.55552ep-2f;
    const float near = x + x * z * p, far = copysignf(1 - 2 / (vector_exp(2 * size) + 1), x);
    return size < 0.625f ? near : far;
}

/* The distribution function within 1e-7: 1/2 + x s(x^2) for |x| < 1; beyond, the tail is exp(-x^2 / 2) t r(t),
 * where t = 1 / (1 + 0.35 |x|). Both are fitted to the least error, r to the relative one on |x| <= 14.5, after which exp gives 0. */
VECTOR_INLINE struct normal normal(float x)
{
    const float size = fabsf(x), z = x * x, t = 1 / (1 + 0.35f * size);
    float s = 0x1.83d72ap-14f;
    s = s * z - 0x1.317d5ep-10f;
    s = s * z + 0x1.46817ep-7f;
    s = s * z - 0x1.10567cp-4f;
    s = s * z + 0x1.98844ep-2f;
    float r = -0x1.ddb8fap-6f;
    r = r * t + 0x1.26f9a6p-3f;
    r = r * t - 0x1.05faa0p-2f;
    r = r * t + 0x1.464952p-3f;
    r = r * t - 0x1.7c4f3cp-6f;
    r = r * t + 0x1.b057c6p-4f;
    r = r * t + 0x1.eac9bcp-4f;
    r = r * t + 0x1.1e70c4p-3f;
    r = r * t + 0x1.1df1c6p-3f;
    const float density = vector_exp_below(z * -0.5f), tail = density * t * r, far = x < 0 ? tail : 1 - tail;
    return (struct normal){.cdf = size < 1 ? 0.5f + x * s : far, .density = density * 0x1.988454p-2f};
}

#endif

#endif
