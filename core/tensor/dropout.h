/* What operations that drop values on their way share. */
#ifndef TENSOR_DROPOUT_H
#define TENSOR_DROPOUT_H

#include "tensor/tape.h"

/* y [rows, width] = x / (1 - rate) where the mask is 1, else 0; y may be x. mask [rows, width] is written, or NULL: not kept. */
void dropout_rows(const struct dropout_address *, double rate, int64_t rows, int64_t width, const knack_real *x, knack_real *y,
                  uint8_t *mask);
static inline knack_real dropout_scale(double rate)
{
    return (knack_real)(1 / (1 - rate));
}

#endif
