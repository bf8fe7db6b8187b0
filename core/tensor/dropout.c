/* Dropout: y = x / (1 - rate) where the mask is 1, else 0. A mask is a function of consumer, batch, logical row, pass and element, so that
 * micro-batches of rows see the mask of the whole batch. */
#include "base/random.h"
#include "tensor/operand.h"
#include "tensor/vector.h"

struct saved {
    uint8_t *mask; /* [count] */
    knack_real scale;
};

struct drop {
    const knack_tensor *x, *y;
    const struct dropout_address *address;
    double rate;
    uint8_t *mask;
    knack_real scale;
    knack_real *dx; /* backward */
    bool fresh;
};

VECTOR
static void apply(int64_t count, const uint8_t *restrict mask, knack_real scale, const knack_real *restrict x, knack_real *restrict y)
{
    for (int64_t i = 0; i < count; i++) y[i] = mask[i] ? x[i] * scale : 0;
}

VECTOR
static void apply_add(int64_t count, const uint8_t *restrict mask, knack_real scale, const knack_real *restrict x, knack_real *restrict y)
{
    for (int64_t i = 0; i < count; i++) y[i] += mask[i] ? x[i] * scale : 0;
}

/* One row: its mask, and the result. */
static void forward_row(void *user, int64_t i)
{
    const struct drop *drop = user;
    const struct dropout_address *address = drop->address;
    const int64_t width = drop->x->count / drop->x->shape[0], first = i * width;
    const struct random_place place = {.a = address->batch, .b = (uint32_t)address->row[i], .c = address->pass};
    random_mask(address->key, place, 0, width, drop->rate, drop->mask + first);
    apply(width, drop->mask + first, drop->scale, (const knack_real *)drop->x->data + first, (knack_real *)drop->y->data + first);
}

static void backward_part(void *user, int64_t part)
{
    const struct drop *drop = user;
    int64_t length, first = vector_part(drop->y->count, part, &length);
    if (drop->fresh)
        apply(length, drop->mask + first, drop->scale, drop->y->gradient + first, drop->dx + first);
    else
        apply_add(length, drop->mask + first, drop->scale, drop->y->gradient + first, drop->dx + first);
}

static void backward(knack_tensor *y)
{
    const struct saved *saved = y->saved;
    struct drop drop = {.y = y, .mask = saved->mask, .scale = saved->scale};
    drop.dx = tape_gradient(y->input[0], &drop.fresh);
    if (drop.dx) threads_run(vector_parts(y->count), backward_part, &drop);
}

knack_tensor *tensor_dropout(knack_tensor *x, double rate, const struct dropout_address *address)
{
    if (!x || !operand_real(__func__, x)) return NULL;
    if (!(rate >= 0 && rate < 1)) return tape_fail(x->tape, KNACK_E_CALL, "%s: rate %g, expected one in [0, 1)", __func__, rate);
    if (x->ndim < 1) return tape_fail(x->tape, KNACK_E_SHAPE, "%s: expected an operand with rows, got one value", __func__);
    if (rate == 0) return x;
    knack_tensor *y = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 1, &x);
    struct saved *saved = y ? tape_alloc(x->tape, sizeof *saved) : NULL;
    uint8_t *mask = saved ? tape_alloc(x->tape, (size_t)x->count) : NULL;
    if (!mask) return NULL;
    saved->mask = mask;
    saved->scale = (knack_real)(1 / (1 - rate));
    y->saved = saved;
    y->backward = backward;
    struct drop drop = {.x = x, .y = y, .address = address, .rate = rate, .mask = mask, .scale = saved->scale};
    if (x->count >= THREADS_WORTH)
        threads_run(x->shape[0], forward_row, &drop);
    else
        for (int64_t i = 0; i < x->shape[0]; i++) forward_row(&drop, i);
    return y;
}
