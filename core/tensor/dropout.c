/* Dropout: y = x / (1 - rate) where the mask is 1, else 0. A mask is a function of consumer, batch, logical row, pass and element, so that
 * micro-batches of rows see the mask of the whole batch. */
#include "tensor/dropout.h"

#include "base/random.h"
#include "tensor/operand.h"
#include "tensor/vector.h"

/* ---- Rows ---- */

struct drop {
    const struct dropout_address *address;
    double rate;
    int64_t rows, width;
    const knack_real *x;
    knack_real *y;
    uint8_t *mask; /* or NULL */
};

VECTOR
static void apply(int64_t count, const uint8_t *restrict mask, knack_real scale, const knack_real *x, knack_real *y)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) y[i] = mask[i] ? x[i] * scale : 0;
}

VECTOR
static void apply_add(int64_t count, const uint8_t *restrict mask, knack_real scale, const knack_real *restrict x, knack_real *restrict y)
{
    for (int64_t i = 0; i < count; i++) y[i] += mask[i] ? x[i] * scale : 0;
}

/* Masks are made for so many elements at a time, which are still in the first cache when they are used. */
enum { PIECE = 4096 };

static int64_t rows_at_once(const struct drop *drop)
{
    return drop->width < PIECE ? PIECE / drop->width : 1;
}

/* A few whole rows, or one that is longer than a piece. */
static void drop_part(void *user, int64_t part)
{
    const struct drop *drop = user;
    const struct dropout_address *address = drop->address;
    const int64_t row = part * rows_at_once(drop), left = drop->rows - row, width = drop->width;
    const int64_t count = left < rows_at_once(drop) ? left : rows_at_once(drop);
    struct random_place place = {.a = address->batch, .b = (uint32_t)address->row[row], .c = address->pass};
    uint8_t own[PIECE];
    for (int64_t first = 0; first < count * width; first += PIECE) {
        const int64_t length = count * width - first < PIECE ? count * width - first : PIECE, at = row * width + first;
        uint8_t *mask = drop->mask ? drop->mask + at : own;
        if (count * width <= PIECE)
            random_masks(address->key, place, address->row + row, count, width, drop->rate, mask);
        else
            random_mask(address->key, place, (uint64_t)first, length, drop->rate, mask);
        apply(length, mask, dropout_scale(drop->rate), drop->x + at, drop->y + at);
    }
}

void dropout_rows(const struct dropout_address *address, double rate, int64_t rows, int64_t width, const knack_real *x, knack_real *y,
                  uint8_t *mask)
{
    struct drop drop = {.address = address, .rate = rate, .rows = rows, .width = width, .x = x, .y = y, .mask = mask};
    const int64_t parts = (rows - 1) / rows_at_once(&drop) + 1;
    if (rows * width >= THREADS_WORTH)
        threads_run(parts, drop_part, &drop);
    else
        for (int64_t part = 0; part < parts; part++) drop_part(&drop, part);
}

/* ---- The operation ---- */

struct way_back {
    const knack_tensor *y;
    const uint8_t *mask; /* [count] */
    knack_real scale, *dx;
    bool fresh;
};

static void backward_part(void *user, int64_t part)
{
    const struct way_back *back = user;
    int64_t length, first = vector_part(back->y->count, part, &length);
    if (back->fresh)
        apply(length, back->mask + first, back->scale, back->y->gradient + first, back->dx + first);
    else
        apply_add(length, back->mask + first, back->scale, back->y->gradient + first, back->dx + first);
}

static void backward(knack_tensor *y)
{
    struct way_back *back = y->saved;
    back->dx = tape_gradient(y->input[0], &back->fresh);
    if (back->dx) threads_run(vector_parts(y->count), backward_part, back);
}

knack_tensor *tensor_dropout(knack_tensor *x, double rate, const struct dropout_address *address)
{
    if (!x || !operand_real(__func__, x)) return NULL;
    if (!(rate >= 0 && rate < 1)) return tape_fail(x->tape, KNACK_E_CALL, "%s: rate %g, expected one in [0, 1)", __func__, rate);
    if (x->ndim < 1) return tape_fail(x->tape, KNACK_E_SHAPE, "%s: expected an operand with rows, got one value", __func__);
    if (rate == 0) return x;
    knack_tensor *y = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 1, &x);
    struct way_back *back = y ? tape_alloc(x->tape, sizeof *back) : NULL;
    uint8_t *mask = back ? tape_alloc(x->tape, (size_t)x->count) : NULL;
    if (!mask) return NULL;
    *back = (struct way_back){.y = y, .mask = mask, .scale = dropout_scale(rate)};
    y->saved = back;
    y->backward = backward;
    dropout_rows(address, rate, x->shape[0], x->count / x->shape[0], x->data, y->data, mask);
    return y;
}
