/* Errors of regression, one a row: the mean over outputs of the squared, or of the absolute, difference. */
#include <tgmath.h>

#include "tensor/operand.h"
#include "tensor/vector.h"

/* x, target [rows, outputs] -> difference [rows, outputs], error [rows]. */
VECTOR static void errors(int64_t rows, int64_t outputs, bool squared, const knack_real *restrict x, const knack_real *restrict target,
                          knack_real *restrict difference, knack_real *restrict error)
{
    for (int64_t row = 0; row < rows; row++) {
        double sum = 0;
        for (int64_t at = row * outputs; at < (row + 1) * outputs; at++) {
            difference[at] = x[at] - target[at];
            sum += squared ? (double)difference[at] * difference[at] : (double)fabs(difference[at]);
        }
        error[row] = (knack_real)(sum / (double)outputs);
    }
}

VECTOR static void errors_backward(int64_t rows, int64_t outputs, bool squared, const knack_real *restrict difference,
                                   const knack_real *restrict g, knack_real *restrict dx, bool fresh)
{
    for (int64_t row = 0; row < rows; row++) {
        const knack_real share = g[row] / (knack_real)outputs;
        for (int64_t at = row * outputs; at < (row + 1) * outputs; at++) {
            const knack_real d = difference[at], slope = squared ? 2 * d : (knack_real)((d > 0) - (d < 0));
            dx[at] = slope * share + (fresh ? 0 : dx[at]);
        }
    }
}

static void add_errors_gradient(knack_tensor *result, bool squared)
{
    const knack_tensor *x = result->input[0];
    bool fresh;
    knack_real *dx = tape_gradient(result->input[0], &fresh);
    if (dx) errors_backward(x->shape[0], x->shape[1], squared, result->saved, result->gradient, dx, fresh);
}

static void squared_backward(knack_tensor *result)
{
    add_errors_gradient(result, true);
}

static void absolute_backward(knack_tensor *result)
{
    add_errors_gradient(result, false);
}

static knack_tensor *row_errors(const char *operation, knack_tensor *x, const knack_real *target, bool squared)
{
    if (!operand_axes(operation, x, 2)) return NULL;
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, 1, x->shape, 1, &x);
    knack_real *difference = result ? tape_alloc(x->tape, (size_t)x->count * sizeof *difference) : NULL;
    if (!difference) return NULL;
    errors(x->shape[0], x->shape[1], squared, x->data, target, difference, result->data);
    result->saved = difference;
    result->backward = squared ? squared_backward : absolute_backward;
    return result;
}

knack_tensor *tensor_squared_error(knack_tensor *x, const knack_real *target)
{
    return row_errors(__func__, x, target, true);
}

knack_tensor *tensor_absolute_error(knack_tensor *x, const knack_real *target)
{
    return row_errors(__func__, x, target, false);
}
