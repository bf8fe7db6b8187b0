/* Rows of a table by ids; on the way back each row gets the sum of its uses, in order. */
#include <string.h>

#include "tensor/operand.h"
#include "tensor/sequences.h"
#include "tensor/vector.h"

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

/* ---- Tokens at their positions ---- */

VECTOR
static void add_row(int64_t width, const knack_real *restrict from, knack_real *restrict to)
{
    for (int64_t j = 0; j < width; j++) to[j] += from[j];
}

VECTOR
static void sum_rows(int64_t width, const knack_real *restrict a, const knack_real *restrict b, knack_real *restrict to)
{
    for (int64_t j = 0; j < width; j++) to[j] = a[j] + b[j];
}

static void embed_backward(knack_tensor *y)
{
    const struct sequences *s = y->saved;
    const int64_t width = tensor_width(y);
    knack_real *dtable = tape_zeroed_gradient(y->input[0]), *dpositions = tape_zeroed_gradient(y->input[1]);
    for (int64_t i = 0; i < s->count; i++) {
        if (dtable) add_row(width, y->gradient + i * width, dtable + s->id[i] * width);
        if (dpositions) add_row(width, y->gradient + i * width, dpositions + s->place[i] % s->length * width);
    }
}

knack_tensor *tensor_embed(const struct sequences *s, knack_tensor *table, knack_tensor *positions)
{
    if (!s || !operand_axes(__func__, table, 2) || !operand_axes(__func__, positions, 2)) return NULL;
    const int64_t width = table->shape[1], shape[2] = {s->vectors, width};
    if (positions->shape[0] != s->length || positions->shape[1] != width)
        return tape_fail(s->tape, KNACK_E_SHAPE, "%s: positions do not fit %lld tokens a row of %lld values", __func__,
                         (long long)s->length, (long long)width);
    knack_tensor *y = tape_result(s->tape, KNACK_REAL, 2, shape, 2, (knack_tensor *[]){table, positions});
    if (!y) return NULL;
    for (int64_t i = 0; i < s->count; i++)
        sum_rows(width, (const knack_real *)table->data + s->id[i] * width,
                 (const knack_real *)positions->data + s->place[i] % s->length * width, (knack_real *)y->data + i * width);
    sequences_clear(s, width, y->data);
    y->saved = (void *)s;
    y->backward = embed_backward;
    return y;
}
