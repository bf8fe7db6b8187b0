/* How operands move along the axes of a result. */
#include "tensor/broadcast.h"

#include <stdio.h>

#include "tensor/operand.h"

/* Size of x along an axis of the result, aligned at the last. */
static int64_t aligned_size(const knack_tensor *x, int axis, int ndim)
{
    int own = axis - (ndim - x->ndim);
    return own < 0 ? 1 : x->shape[own];
}

static void refuse_shapes(const char *operation, int operands, knack_tensor *const *x)
{
    char list[BROADCAST_OPERANDS * 100] = "", shape[96];
    int used = 0;
    for (int k = 0; k < operands; k++)
        used += snprintf(list + used, sizeof list - (size_t)used, "%s%s", k ? (k == operands - 1 ? " and " : ", ") : "",
                         shape_text(shape, x[k]->ndim, x[k]->shape));
    tape_fail(x[0]->tape, KNACK_E_SHAPE, "%s: shapes %s do not fit", operation, list);
}

bool broadcast_shape(const char *operation, int operands, knack_tensor *const *x, int *ndim, int64_t *shape)
{
    *ndim = 0;
    for (int k = 0; k < operands; k++) {
        if (!operand_real(operation, x[k]) || !tape_holds(x[0]->tape, x[k])) return false;
        if (x[k]->ndim > *ndim) *ndim = x[k]->ndim;
    }
    for (int axis = 0; axis < *ndim; axis++) {
        shape[axis] = 1;
        for (int k = 0; k < operands; k++) {
            int64_t size = aligned_size(x[k], axis, *ndim);
            if (size == 1 || size == shape[axis]) continue;
            if (shape[axis] != 1) {
                refuse_shapes(operation, operands, x);
                return false;
            }
            shape[axis] = size;
        }
    }
    return true;
}

/* Whether every operand moves along the axis as it moves along the merged axis that is innermost so far. */
static bool moves_alike(const struct broadcast *plan, const bool *stretched)
{
    for (int k = 0; k < plan->operands; k++)
        if (stretched[k] != (plan->stride[k][plan->ndim - 1] == 0)) return false;
    return true;
}

void broadcast_plan(struct broadcast *plan, int operands, knack_tensor *const *x, int ndim, const int64_t *shape)
{
    *plan = (struct broadcast){.operands = operands, .runs = 1};
    for (int axis = 0; axis < ndim; axis++) {
        bool stretched[BROADCAST_OPERANDS];
        if (shape[axis] == 1) continue;
        for (int k = 0; k < operands; k++) stretched[k] = aligned_size(x[k], axis, ndim) == 1;
        if (plan->ndim && moves_alike(plan, stretched)) {
            plan->size[plan->ndim - 1] *= shape[axis];
            continue;
        }
        for (int k = 0; k < operands; k++) plan->stride[k][plan->ndim] = !stretched[k];
        plan->size[plan->ndim++] = shape[axis];
    }
    if (plan->ndim == 0) plan->size[plan->ndim++] = 1;
    for (int k = 0; k < operands; k++) {
        int64_t step = 1;
        for (int axis = plan->ndim - 1; axis >= 0; axis--) {
            if (!plan->stride[k][axis]) continue;
            plan->stride[k][axis] = step;
            step *= plan->size[axis];
        }
    }
    for (int axis = 0; axis < plan->ndim - 1; axis++) plan->runs *= plan->size[axis];
}

knack_real *broadcast_gradient(const knack_tensor *result, knack_tensor *x, bool *fresh)
{
    if (x->count == result->count) return tape_gradient(x, fresh);
    *fresh = false;
    return tape_zeroed_gradient(x);
}
