/* Parts of a tensor: rows, columns, slices; and their joining. */
#include <inttypes.h>
#include <string.h>

#include "tensor/operand.h"
#include "tensor/vector.h"

VECTOR static void add_to(int64_t count, const knack_real *restrict from, knack_real *restrict to)
{
    for (int64_t i = 0; i < count; i++) to[i] += from[i];
}

static void add_or_copy(int64_t count, const knack_real *from, knack_real *to, bool copy)
{
    if (copy)
        memcpy(to, from, (size_t)count * sizeof *to);
    else
        add_to(count, from, to);
}

/* ---- Rows ---- */

static void gather_backward(knack_tensor *result)
{
    const int32_t *rows = result->saved;
    knack_real *dx = tape_zeroed_gradient(result->input[0]);
    if (!dx) return;
    const int64_t width = result->count / result->shape[0];
    for (int64_t i = 0; i < result->shape[0]; i++) add_to(width, result->gradient + i * width, dx + rows[i] * width);
}

knack_tensor *knack_gather(knack_tensor *x, const int32_t *rows, int64_t count)
{
    int64_t shape[KNACK_MAX_DIMS];
    if (!operand_real(__func__, x) || !operand_axis(__func__, x, 0)) return NULL;
    memcpy(shape, x->shape, sizeof shape);
    shape[0] = count;
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, shape, 1, &x);
    if (!result) return NULL;
    rows = operand_ids(__func__, "entry", x->tape, rows, count, x->shape[0], false);
    if (!rows) return NULL;
    const int64_t width = x->count / x->shape[0];
    const knack_real *from = x->data;
    knack_real *to = result->data;
    for (int64_t i = 0; i < count; i++) memcpy(to + i * width, from + rows[i] * width, (size_t)width * sizeof *to);
    result->saved = (void *)rows;
    result->backward = gather_backward;
    return result;
}

/* ---- One column a row ---- */

static void pick_backward(knack_tensor *result)
{
    const int32_t *column = result->saved;
    knack_tensor *x = result->input[0];
    knack_real *dx = tape_zeroed_gradient(x);
    if (!dx) return;
    for (int64_t i = 0; i < result->count; i++)
        if (column[i] >= 0) dx[i * x->shape[1] + column[i]] += result->gradient[i];
}

knack_tensor *knack_pick(knack_tensor *x, const int32_t *column)
{
    if (!operand_axes(__func__, x, 2)) return NULL;
    column = operand_ids(__func__, "column", x->tape, column, x->shape[0], x->shape[1], true);
    knack_tensor *result = column ? tape_result(x->tape, KNACK_REAL, 1, x->shape, 1, &x) : NULL;
    if (!result) return NULL;
    const knack_real *from = x->data;
    knack_real *to = result->data;
    for (int64_t i = 0; i < result->count; i++) to[i] = column[i] < 0 ? 0 : from[i * x->shape[1] + column[i]];
    result->saved = (void *)column;
    result->backward = pick_backward;
    return result;
}

/* x gets all but what was replaced, values get that. */
static void put_backward(knack_tensor *result)
{
    const int32_t *column = result->saved;
    const knack_real *g = result->gradient;
    const int64_t rows = result->shape[0], columns = result->shape[1];
    bool fresh;
    knack_real *dx = tape_gradient(result->input[0], &fresh);
    for (int64_t i = 0; dx && i < rows; i++) {
        const int64_t hole = column[i] < 0 ? columns : column[i], behind = hole < columns ? hole + 1 : columns;
        add_or_copy(hole, g + i * columns, dx + i * columns, fresh);
        add_or_copy(columns - behind, g + i * columns + behind, dx + i * columns + behind, fresh);
        if (fresh && hole < columns) dx[i * columns + hole] = 0;
    }
    knack_real *dvalues = tape_zeroed_gradient(result->input[1]);
    for (int64_t i = 0; dvalues && i < rows; i++)
        if (column[i] >= 0) dvalues[i] += g[i * columns + column[i]];
}

knack_tensor *knack_put(knack_tensor *x, const int32_t *column, knack_tensor *values)
{
    char text[96];
    if (!operand_axes(__func__, x, 2) || !operand_axes(__func__, values, 1)) return NULL;
    if (values->count != x->shape[0])
        return tape_fail(x->tape, KNACK_E_SHAPE, "%s: %" PRId64 " values for the rows of shape %s", __func__, values->count,
                         shape_text(text, x->ndim, x->shape));
    column = operand_ids(__func__, "column", x->tape, column, x->shape[0], x->shape[1], true);
    knack_tensor *const operand[2] = {x, values};
    knack_tensor *result = column ? tape_result(x->tape, KNACK_REAL, 2, x->shape, 2, operand) : NULL;
    if (!result) return NULL;
    const knack_real *value = values->data;
    knack_real *to = result->data;
    memcpy(to, x->data, (size_t)x->count * sizeof *to);
    for (int64_t i = 0; i < x->shape[0]; i++)
        if (column[i] >= 0) to[i * x->shape[1] + column[i]] = value[i];
    result->saved = (void *)column;
    result->backward = put_backward;
    return result;
}

/* ---- Slices ---- */

/* A stretch of an axis: blocks of `length` values, one an outer index, `step` apart. */
struct stretch {
    int64_t blocks, length, step, first;
};

static struct stretch stretch(const knack_tensor *whole, int axis, int64_t first, int64_t count)
{
    const struct axis_view view = axis_view(whole, axis);
    return (struct stretch){view.outer, count * view.inner, view.size * view.inner, first * view.inner};
}

static void slice_backward(knack_tensor *result)
{
    const struct stretch *part = result->saved;
    knack_real *dx = tape_zeroed_gradient(result->input[0]);
    if (!dx) return;
    for (int64_t b = 0; b < part->blocks; b++) add_to(part->length, result->gradient + b * part->length, dx + b * part->step + part->first);
}

knack_tensor *knack_slice(knack_tensor *x, int axis, int64_t first, int64_t count)
{
    char text[96];
    int64_t shape[KNACK_MAX_DIMS];
    if (!operand_real(__func__, x) || !operand_axis(__func__, x, axis)) return NULL;
    if (first < 0 || count < 1 || first > x->shape[axis] - count)
        return tape_fail(x->tape, KNACK_E_SHAPE, "%s: %" PRId64 " entries from %" PRId64 " on are not within axis %d of shape %s", __func__,
                         count, first, axis, shape_text(text, x->ndim, x->shape));
    memcpy(shape, x->shape, sizeof shape);
    shape[axis] = count;
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, shape, 1, &x);
    struct stretch *part = result ? tape_alloc(x->tape, sizeof *part) : NULL;
    if (!part) return NULL;
    *part = stretch(x, axis, first, count);
    const knack_real *from = x->data;
    knack_real *to = result->data;
    for (int64_t b = 0; b < part->blocks; b++)
        memcpy(to + b * part->length, from + b * part->step + part->first, (size_t)part->length * sizeof *to);
    result->saved = part;
    result->backward = slice_backward;
    return result;
}

/* ---- Concatenation ---- */

struct joined {
    int count;
    knack_tensor **part;     /* [count]: more than a tensor's operands may be */
    struct stretch *stretch; /* [count] in the result */
};

static void concat_backward(knack_tensor *result)
{
    const struct joined *joined = result->saved;
    for (int k = 0; k < joined->count; k++) {
        const struct stretch *part = &joined->stretch[k];
        bool fresh;
        knack_real *dx = tape_gradient(joined->part[k], &fresh);
        for (int64_t b = 0; dx && b < part->blocks; b++)
            add_or_copy(part->length, result->gradient + b * part->step + part->first, dx + b * part->length, fresh);
    }
}

/* The shape of the whole; false if the parts do not fit. */
static bool concat_shape(const char *operation, int count, knack_tensor *const *parts, int axis, int64_t *shape)
{
    for (int k = 0; k < count; k++)
        if (!operand_real(operation, parts[k]) || !operand_axis(operation, parts[k], axis) || !tape_holds(parts[0]->tape, parts[k]))
            return false;
    memcpy(shape, parts[0]->shape, sizeof parts[0]->shape);
    for (int k = 1; k < count; k++) {
        bool fits = parts[k]->ndim == parts[0]->ndim;
        for (int i = 0; fits && i < parts[k]->ndim; i++) fits = i == axis || parts[k]->shape[i] == shape[i];
        if (!fits) {
            char first[96], other[96];
            tape_fail(parts[0]->tape, KNACK_E_SHAPE, "%s: shapes %s and %s do not fit along axis %d", operation,
                      shape_text(first, parts[0]->ndim, parts[0]->shape), shape_text(other, parts[k]->ndim, parts[k]->shape), axis);
            return false;
        }
        shape[axis] += parts[k]->shape[axis];
    }
    return true;
}

knack_tensor *knack_concat(int count, knack_tensor *const *parts, int axis)
{
    int64_t shape[KNACK_MAX_DIMS], first = 0;
    if (count < 1 || !concat_shape(__func__, count, parts, axis, shape)) return NULL;
    struct tape *tape = parts[0]->tape;
    knack_tensor *result = tape_result(tape, KNACK_REAL, parts[0]->ndim, shape, 0, NULL);
    struct joined *joined = result ? tape_alloc(tape, sizeof *joined) : NULL;
    if (!joined) return NULL;
    *joined = (struct joined){.count = count,
                              .part = tape_alloc(tape, (size_t)count * sizeof(knack_tensor *)),
                              .stretch = tape_alloc(tape, (size_t)count * sizeof(struct stretch))};
    if (!joined->part || !joined->stretch) return NULL;
    knack_real *to = result->data;
    for (int k = 0; k < count; k++) {
        const struct stretch part = stretch(result, axis, first, parts[k]->shape[axis]);
        const knack_real *from = parts[k]->data;
        for (int64_t b = 0; b < part.blocks; b++)
            memcpy(to + b * part.step + part.first, from + b * part.length, (size_t)part.length * sizeof *to);
        first += parts[k]->shape[axis];
        joined->part[k] = parts[k];
        joined->stretch[k] = part;
        if (parts[k]->needs_gradient) tape_require_gradient(result);
    }
    result->saved = joined;
    result->backward = concat_backward;
    return result;
}
