/* What a tensor is: its type, its shape, its data; and constants. */
#include "tensor/tape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t type_size(enum knack_type type)
{
    switch (type) {
    case KNACK_F64:
    case KNACK_I64:
        return 8;
    case KNACK_F32:
    case KNACK_I32:
        return 4;
    case KNACK_BF16:
    case KNACK_F16:
        return 2;
    case KNACK_U8:
        return 1;
    }
    return 0;
}

const char *type_name(enum knack_type type)
{
    switch (type) {
    case KNACK_F32:
        return "f32";
    case KNACK_F64:
        return "f64";
    case KNACK_BF16:
        return "bf16";
    case KNACK_F16:
        return "f16";
    case KNACK_I32:
        return "i32";
    case KNACK_I64:
        return "i64";
    case KNACK_U8:
        return "u8";
    }
    return "no type";
}

const char *shape_text(char buffer[96], int ndim, const int64_t *shape)
{
    const int size = 96;
    int used = snprintf(buffer, (size_t)size, "[");
    for (int i = 0; i < ndim && used < size; i++)
        used += snprintf(buffer + used, (size_t)(size - used), "%s%" PRId64, i ? ", " : "", shape[i]);
    if (used < size) snprintf(buffer + used, (size_t)(size - used), "]");
    return buffer;
}

int64_t tensor_width(const knack_tensor *x)
{
    return x->ndim ? x->shape[x->ndim - 1] : 1;
}

int64_t tensor_rows(const knack_tensor *x)
{
    return x->count / tensor_width(x);
}

void *knack_data(const knack_tensor *x)
{
    return x ? x->data : NULL;
}

const int64_t *knack_shape(const knack_tensor *x, int *ndim)
{
    if (ndim) *ndim = x ? x->ndim : 0;
    return x ? x->shape : NULL;
}

enum knack_type knack_type(const knack_tensor *x)
{
    return x ? x->type : (enum knack_type)0;
}

knack_tensor *knack_constant(knack_step *step, enum knack_type type, int ndim, const int64_t *shape, const void *data)
{
    if (!step || !data) return NULL;
    struct tape *tape = step_tape(step);
    if (type != KNACK_REAL && type != KNACK_I32)
        return tape_fail(tape, KNACK_E_CALL, "knack_constant: type is %s, expected %s or i32", type_name(type), type_name(KNACK_REAL));
    knack_tensor *constant = tape_result(tape, type, ndim, shape, 0, NULL);
    if (constant) memcpy(constant->data, data, (size_t)constant->count * type_size(type));
    return constant;
}
