/* Between KNACK_REAL and KNACK_BF16. Gradients are KNACK_REAL in either case, so that they pass unchanged. */
#include "tensor/kernels/kernels.h"
#include "tensor/tape.h"

static void cast_backward(knack_tensor *result)
{
    tape_pass_gradient(result, result->input[0]);
}

knack_tensor *knack_cast(knack_tensor *x, enum knack_type type)
{
    if (!x || x->type == type) return x;
    const bool narrow = x->type == KNACK_REAL && type == KNACK_BF16, widen = x->type == KNACK_BF16 && type == KNACK_REAL;
    if (!narrow && !widen)
        return tape_fail(x->tape, KNACK_E_SHAPE, "%s: there is no cast from %s to %s, only between %s and bf16", __func__,
                         type_name(x->type), type_name(type), type_name(KNACK_REAL));
    knack_tensor *result = tape_result(x->tape, type, x->ndim, x->shape, 1, &x);
    if (!result) return NULL;
    result->backward = cast_backward;
    if (narrow)
        kernel_to_bf16(x->count, x->data, result->data);
    else
        kernel_from_bf16(x->count, x->data, result->data);
    return result;
}
