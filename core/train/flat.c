/* Arithmetic on flat arrays that tricks share. */
#include <math.h>
#include <string.h>

#include "tensor/vector.h"
#include "train/state.h"

VECTOR
double knack_norm(const knack_real *x, int64_t count)
{
    enum { LANES = 8 };
    double sum[LANES] = {0}, total = 0;
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int l = 0; l < LANES; l++) sum[l] += (double)x[i + l] * (double)x[i + l];
    for (; i < count; i++) total += (double)x[i] * (double)x[i];
    for (int l = 0; l < LANES; l++) total += sum[l];
    return sqrt(total);
}

VECTOR
void knack_axpy(knack_real *y, double a, const knack_real *x, int64_t count)
{
    knack_real factor = (knack_real)a;
    for (int64_t i = 0; i < count; i++) y[i] += factor * x[i];
}

VECTOR
void knack_lerp(knack_real *y, double t, const knack_real *x, int64_t count)
{
    knack_real part = (knack_real)t;
    if (part == 1)
        memmove(y, x, (size_t)count * sizeof *y);
    else
        for (int64_t i = 0; i < count; i++) y[i] += part * (x[i] - y[i]);
}

VECTOR
bool flat_finite(const knack_real *x, int64_t count)
{
    /* Exponent bits all set mean Inf or NaN; as integers the loop vectorises, and no flag of the floating-point unit matters. */
#ifdef KNACK_REAL_DOUBLE
    typedef uint64_t bits;
    const bits exponent = 0x7ff0000000000000u;
#else
    typedef uint32_t bits;
    const bits exponent = 0x7f800000u;
#endif
    bits bad = 0;
    for (int64_t i = 0; i < count; i++) {
        bits b;
        memcpy(&b, &x[i], sizeof b);
        bad |= (bits)((b & exponent) == exponent);
    }
    return !bad;
}
