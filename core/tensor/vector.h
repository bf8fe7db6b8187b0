/* Loops that compilers vectorise: compiled for several levels of x86-64, and functions of theirs that libm has as scalars only. */
#ifndef TENSOR_VECTOR_H
#define TENSOR_VECTOR_H

#include <knack/tensor.h>

#include <math.h>
#include <string.h>

#include "base/threads.h"

/* VECTOR before a function: one clone for each level, picked when the library is loaded. What it calls must be `static inline`, so that it
 * is compiled along. The picking runs before sanitizers are ready, so there it is off. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define VECTOR_PLAIN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__x86_64__)
#define VECTOR_PLAIN
#endif
#ifdef VECTOR_PLAIN
#define VECTOR
#else
#define VECTOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif

/* Long loops are cut into parts of so many elements, for threads. A fixed number, so that results do not depend on how many there are. */
enum { VECTOR_PART = 32768 };
static inline int64_t vector_parts(int64_t count)
{
    return (count + VECTOR_PART - 1) / VECTOR_PART;
}
/* The part's first element; its length goes to *length. */
static inline int64_t vector_part(int64_t count, int64_t part, int64_t *length)
{
    int64_t first = part * VECTOR_PART;
    *length = count - first < VECTOR_PART ? count - first : VECTOR_PART;
    return first;
}

#ifdef KNACK_REAL_DOUBLE

static inline double vector_exp(double x)
{
    return exp(x);
}

#else

/* exp within 1.1 ulp: 2^n exp(r), n = x / ln 2 rounded to nearest, exp(r) = 1 + r + r^2 q(r) with q fitted to the least relative error
 * on |r| <= ln 2 / 2. 2^n is made of two factors, so that the ends of the range are right. NaN stays NaN. */
static inline float vector_exp(float x)
{
    const float round = 0x1.8p23f; /* added and subtracted, it rounds to an integer, which its lowest bits hold meanwhile */
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    float shifted = x * 0x1.715476p+0f + round;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    int32_t n = (int32_t)(bits - 0x4b400000u), half = n >> 1;
    float whole = shifted - round;
    float r = x - whole * 0x1.62e4p-1f - whole * 0x1.7f7d1cp-20f;
    float q = 0x1.6a23cep-10f;
    q = q * r + 0x1.123a2p-7f;
    q = q * r + 0x1.5558f2p-5f;
    q = q * r + 0x1.555492p-3f;
    q = q * r + 0x1.fffffcp-2f;
    float y = q * r * r + r + 1.0f;
    uint32_t low_bits = (uint32_t)(half + 127) << 23, high_bits = (uint32_t)(n - half + 127) << 23;
    float low, high;
    memcpy(&low, &low_bits, sizeof low);
    memcpy(&high, &high_bits, sizeof high);
    return y * low * high;
}

#endif

#endif
