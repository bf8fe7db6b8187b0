/* Softmax and its logarithm, over the last axis. */
#include <tgmath.h>

#include "tensor/exp_rows.h"
#include "tensor/operand.h"
#include "tensor/row_loop.h"

VECTOR static void softmax_row(const struct row_loop *loop, int64_t row)
{
    const int64_t width = loop->width;
    const knack_real *restrict x = loop->x + row * width;
    knack_real *restrict y = loop->y + row * width;
    softmax(width, x, y);
}

/* dx (+)= y (dy - sum(y dy)) */
VECTOR static void softmax_row_backward(const struct row_loop *loop, int64_t row)
{
    const int64_t width = loop->width;
    const knack_real *restrict y = loop->y + row * width, *restrict dy = loop->dy + row * width;
    knack_real *restrict dx = loop->dx + row * width;
    const bool fresh = loop->fresh;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < width; i++) sum += y[i] * dy[i];
    const knack_real mean = (knack_real)sum;
    for (int64_t i = 0; i < width; i++) dx[i] = y[i] * (dy[i] - mean) + (fresh ? 0 : dx[i]);
}

VECTOR static void log_softmax_row(const struct row_loop *loop, int64_t row)
{
    const int64_t width = loop->width;
    const knack_real *restrict x = loop->x + row * width;
    knack_real *restrict y = loop->y + row * width;
    const struct exp_sum e = exp_sum(width, x);
    const knack_real log_sum = (knack_real)log(e.sum);
    for (int64_t i = 0; i < width; i++) y[i] = x[i] - e.shift - log_sum;
}

/* dx (+)= dy - exp(y) sum(dy) */
VECTOR static void log_softmax_row_backward(const struct row_loop *loop, int64_t row)
{
    const int64_t width = loop->width;
    const knack_real *restrict y = loop->y + row * width, *restrict dy = loop->dy + row * width;
    knack_real *restrict dx = loop->dx + row * width;
    const bool fresh = loop->fresh;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < width; i++) sum += dy[i];
    for (int64_t i = 0; i < width; i++) dx[i] = dy[i] + (fresh ? 0 : dx[i]);
    add_exp(width, y, 0, -(knack_real)sum, dx, false);
}

static void softmax_backward(knack_tensor *result)
{
    row_loop_backward(result, softmax_row_backward);
}

static void log_softmax_backward(knack_tensor *result)
{
    row_loop_backward(result, log_softmax_row_backward);
}

static knack_tensor *by_rows(const char *operation, knack_tensor *x, row_body *row, void (*backward)(knack_tensor *))
{
    if (!operand_real(operation, x)) return NULL;
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 1, &x);
    if (!result) return NULL;
    result->backward = backward;
    row_loop_forward(result, row);
    return result;
}

knack_tensor *knack_softmax(knack_tensor *x)
{
    return by_rows(__func__, x, softmax_row, softmax_backward);
}

knack_tensor *knack_log_softmax(knack_tensor *x)
{
    return by_rows(__func__, x, log_softmax_row, log_softmax_backward);
}
