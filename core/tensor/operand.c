/* Checks of operands, and how an axis lies among the others. */
#include "tensor/operand.h"

#include <inttypes.h>
#include <string.h>

bool same_shape(const knack_tensor *a, const knack_tensor *b)
{
    return a->ndim == b->ndim && memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof a->shape[0]) == 0;
}

bool operand_real(const char *operation, const knack_tensor *x)
{
    if (!x) return false;
    if (x->type == KNACK_REAL) return true;
    tape_fail(x->tape, KNACK_E_SHAPE, "%s: the operand is of type %s, expected %s", operation, type_name(x->type), type_name(KNACK_REAL));
    return false;
}

bool operand_axes(const char *operation, const knack_tensor *x, int ndim)
{
    char text[96];
    if (!operand_real(operation, x)) return false;
    if (x->ndim == ndim) return true;
    tape_fail(x->tape, KNACK_E_SHAPE, "%s: expected an operand of %d axes, got shape %s", operation, ndim,
              shape_text(text, x->ndim, x->shape));
    return false;
}

bool operand_axis(const char *operation, const knack_tensor *x, int axis)
{
    char text[96];
    if (!x) return false;
    if (axis >= 0 && axis < x->ndim) return true;
    tape_fail(x->tape, KNACK_E_SHAPE, "%s: shape %s has no axis %d", operation, shape_text(text, x->ndim, x->shape), axis);
    return false;
}

bool operand_alike(const char *operation, const knack_tensor *a, const knack_tensor *b)
{
    char text_a[96], text_b[96];
    if (!operand_real(operation, a) || !operand_real(operation, b) || !tape_holds(a->tape, b)) return false;
    if (same_shape(a, b)) return true;
    tape_fail(a->tape, KNACK_E_SHAPE, "%s: shapes %s and %s differ", operation, shape_text(text_a, a->ndim, a->shape),
              shape_text(text_b, b->ndim, b->shape));
    return false;
}

const int32_t *operand_ids(const char *operation, const char *what, struct tape *tape, const int32_t *ids, int64_t count, int64_t entries,
                           bool negative_is_none)
{
    for (int64_t i = 0; i < count; i++) {
        if (ids[i] < entries && (ids[i] >= 0 || negative_is_none)) continue;
        tape_fail(tape, KNACK_E_SHAPE, "%s: %s %" PRId32 " of row %" PRId64 " is outside 0 to %" PRId64, operation, what, ids[i], i,
                  entries - 1);
        return NULL;
    }
    int32_t *copy = tape_alloc(tape, (size_t)count * sizeof *copy);
    if (copy) memcpy(copy, ids, (size_t)count * sizeof *copy);
    return copy;
}

struct axis_view axis_view(const knack_tensor *x, int axis)
{
    struct axis_view view = {.outer = 1, .size = x->count, .inner = 1};
    if (axis == KNACK_ALL) return view;
    for (int i = 0; i < axis; i++) view.outer *= x->shape[i];
    view.size = x->shape[axis];
    view.inner = x->count / (view.outer * view.size);
    return view;
}
