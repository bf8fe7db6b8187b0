/* Rows of a table by ids; on the way back each row gets the sum of its uses, in order. */
#include <string.h>

#include "tensor/operand.h"

static void backward(knack_tensor *y)
{
    knack_tensor *table = y->input[1];
    const int32_t *ids = y->saved;
    const int64_t width = table->shape[1], count = y->count / width;
    knack_real *dtable = tape_zeroed_gradient(table);
    if (!dtable) return;
    for (int64_t i = 0; i < count; i++) {
        knack_real *restrict row = dtable + ids[i] * width;
        const knack_real *restrict gradient = y->gradient + i * width;
        for (int64_t j = 0; j < width; j++) row[j] += gradient[j];
    }
}

knack_tensor *knack_embedding(knack_tensor *ids, knack_tensor *table)
{
    char text[96];
    if (!ids || !table || !operand_axes(__func__, table, 2)) return NULL;
    if (ids->type != KNACK_I32 || ids->ndim >= KNACK_MAX_DIMS)
        return tape_fail(ids->tape, KNACK_E_SHAPE, "%s: ids %s of type %s, expected i32 of at most %d axes", __func__,
                         shape_text(text, ids->ndim, ids->shape), type_name(ids->type), KNACK_MAX_DIMS - 1);
    const int32_t *saved = operand_ids(__func__, "id", ids->tape, ids->data, ids->count, table->shape[0], false);
    if (!saved) return NULL;
    const int64_t width = table->shape[1];
    int64_t shape[KNACK_MAX_DIMS];
    memcpy(shape, ids->shape, (size_t)ids->ndim * sizeof *shape);
    shape[ids->ndim] = width;
    knack_tensor *y = tape_result(ids->tape, KNACK_REAL, ids->ndim + 1, shape, 2, (knack_tensor *[]){ids, table});
    if (!y) return NULL;
    knack_real *out = y->data;
    const knack_real *rows = table->data;
    for (int64_t i = 0; i < ids->count; i++) memcpy(out + i * width, rows + saved[i] * width, (size_t)width * sizeof *out);
    y->saved = (void *)saved;
    y->backward = backward;
    return y;
}
