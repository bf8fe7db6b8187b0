/* The same values under another shape, and the exchange of two axes. */
#include <inttypes.h>
#include <string.h>

#include "tensor/operand.h"
#include "tensor/vector.h"

static void reshape_backward(knack_tensor *result)
{
    tape_pass_gradient(result, result->input[0]);
}

/* Fills in the size that is -1, and checks that the count stays. */
static bool complete_shape(const knack_tensor *x, int ndim, int64_t *shape)
{
    int64_t rest = x->count;
    int open = -1;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] == -1 && open < 0) {
            open = i;
            continue;
        }
        if (shape[i] < 1 || rest % shape[i] != 0) return false;
        rest /= shape[i];
    }
    if (open >= 0) shape[open] = rest;
    return open >= 0 || rest == 1;
}

knack_tensor *knack_reshape(knack_tensor *x, int ndim, const int64_t *shape)
{
    char old[96], new[96];
    int64_t complete[KNACK_MAX_DIMS];
    if (!x) return NULL;
    if (ndim < 0 || ndim > KNACK_MAX_DIMS)
        return tape_fail(x->tape, KNACK_E_SHAPE, "%s: %d axes, but at most %d are allowed", __func__, ndim, KNACK_MAX_DIMS);
    for (int i = 0; i < ndim; i++) complete[i] = shape[i];
    if (!complete_shape(x, ndim, complete))
        return tape_fail(x->tape, KNACK_E_SHAPE, "%s: shape %s cannot become %s", __func__, shape_text(old, x->ndim, x->shape),
                         shape_text(new, ndim, shape));
    knack_tensor *result = tape_view(x, ndim, complete);
    if (result) result->backward = reshape_backward;
    return result;
}

/* ---- Exchange of axes ---- */

/* [outer, rows, middle, columns, inner] -> [outer, columns, middle, rows, inner]. */
struct exchange {
    int64_t outer, rows, middle, columns, inner;
};

enum { TILE = 16 }; /* a square of 16 x 16 values fits the first cache at any stride */

/* Of one outer and one middle index: from [rows, columns] with row_step, to [columns, rows] with column_step; both have inner values. */
VECTOR static void exchange_plane(int64_t rows, int64_t columns, const knack_real *restrict from, int64_t row_step, knack_real *restrict to,
                                  int64_t column_step, bool add)
{
    for (int64_t r0 = 0; r0 < rows; r0 += TILE)
        for (int64_t c0 = 0; c0 < columns; c0 += TILE) {
            const int64_t r1 = r0 + TILE < rows ? r0 + TILE : rows, c1 = c0 + TILE < columns ? c0 + TILE : columns;
            for (int64_t c = c0; c < c1; c++)
                for (int64_t r = r0; r < r1; r++) to[c * column_step + r] = from[r * row_step + c] + (add ? to[c * column_step + r] : 0);
        }
}

VECTOR static void exchange_blocks(int64_t rows, int64_t columns, int64_t inner, const knack_real *restrict from, int64_t row_step,
                                   knack_real *restrict to, int64_t column_step, bool add)
{
    for (int64_t c = 0; c < columns; c++)
        for (int64_t r = 0; r < rows; r++) {
            const knack_real *restrict block = from + r * row_step + c * inner;
            knack_real *restrict out = to + c * column_step + r * inner;
            for (int64_t i = 0; i < inner; i++) out[i] = block[i] + (add ? out[i] : 0);
        }
}

static void exchange(const struct exchange *e, const knack_real *from, knack_real *to, bool add)
{
    const int64_t row_step = e->middle * e->columns * e->inner, column_step = e->middle * e->rows * e->inner;
    for (int64_t o = 0; o < e->outer; o++, from += e->rows * row_step, to += e->columns * column_step)
        for (int64_t m = 0; m < e->middle; m++) {
            const knack_real *plane = from + m * e->columns * e->inner;
            knack_real *out = to + m * e->rows * e->inner;
            if (e->inner == 1)
                exchange_plane(e->rows, e->columns, plane, row_step, out, column_step, add);
            else
                exchange_blocks(e->rows, e->columns, e->inner, plane, row_step, out, column_step, add);
        }
}

static void transpose_backward(knack_tensor *result)
{
    const struct exchange *forward = result->saved;
    struct exchange back = *forward;
    back.rows = forward->columns;
    back.columns = forward->rows;
    bool fresh;
    knack_real *dx = tape_gradient(result->input[0], &fresh);
    if (dx) exchange(&back, result->gradient, dx, !fresh);
}

knack_tensor *knack_transpose(knack_tensor *x, int axis, int other)
{
    int64_t shape[KNACK_MAX_DIMS];
    if (!operand_real(__func__, x) || !operand_axis(__func__, x, axis) || !operand_axis(__func__, x, other)) return NULL;
    const int low = axis < other ? axis : other, high = axis < other ? other : axis;
    memcpy(shape, x->shape, sizeof shape);
    shape[axis] = x->shape[other];
    shape[other] = x->shape[axis];
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, shape, 1, &x);
    struct exchange *e = result ? tape_alloc(x->tape, sizeof *e) : NULL;
    if (!e) return NULL;
    const struct axis_view rows = axis_view(x, low), columns = axis_view(x, high);
    *e = low == high ? (struct exchange){rows.outer, rows.size, 1, 1, rows.inner}
                     : (struct exchange){rows.outer, rows.size, rows.inner / (columns.size * columns.inner), columns.size, columns.inner};
    exchange(e, x->data, result->data, false);
    result->saved = e;
    result->backward = transpose_backward;
    return result;
}
