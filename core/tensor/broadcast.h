/* Broadcasting as in NumPy: shapes are aligned at the last axis, and a size of 1 stretches.
 *
 * Axes along which every operand moves in one way are merged into one, so that equal shapes are a single run of elements, a bias is one run
 * a row, and a scalar operand stands still during a single run. A loop sees one run, in which an operand moves by 1 or by 0. */
#ifndef TENSOR_BROADCAST_H
#define TENSOR_BROADCAST_H

#include "tensor/tape.h"

enum { BROADCAST_OPERANDS = 3 };

struct broadcast {
    int operands, ndim; /* ndim of the merged axes, the last of which is the run; at least 1 */
    int64_t size[KNACK_MAX_DIMS];
    int64_t stride[BROADCAST_OPERANDS][KNACK_MAX_DIMS]; /* 0 where the operand stretches */
    int64_t runs;                                       /* product of the sizes but the last */
};

/* The shape of the result. False: an operand is NULL or no KNACK_REAL, or the shapes do not fit, and the tape's failure says so. */
bool broadcast_shape(const char *operation, int operands, knack_tensor *const *x, int *ndim, int64_t *shape);
void broadcast_plan(struct broadcast *plan, int operands, knack_tensor *const *x, int ndim, const int64_t *shape);

/* Where a backward function adds to the gradient of an operand, as tape_gradient(). Of one that stretched, several elements of the result
 * add to one: it is never fresh, but zeroed. */
knack_real *broadcast_gradient(const knack_tensor *result, knack_tensor *x, bool *fresh);

static inline int64_t run_length(const struct broadcast *plan)
{
    return plan->size[plan->ndim - 1];
}
static inline int run_step(const struct broadcast *plan, int operand)
{
    return plan->stride[operand][plan->ndim - 1] != 0;
}

/* Where an operand's elements of a run begin. */
static inline int64_t run_offset(const struct broadcast *plan, int operand, int64_t run)
{
    int64_t offset = 0;
    for (int axis = plan->ndim - 2; axis >= 0 && run; axis--) {
        offset += run % plan->size[axis] * plan->stride[operand][axis];
        run /= plan->size[axis];
    }
    return offset;
}

#endif
