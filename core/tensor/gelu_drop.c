/* GELU and dropout at once. The slope comes almost for free with the value, and the value before is not needed again: the slope, times what
 * dropout lets through, is written over it, and the way back is one product. */
#include "tensor/functions.h"
#include "tensor/operand.h"
#include "tensor/sequences.h"

struct loop {
    knack_real *x;       /* [count], which becomes the slope */
    const uint8_t *mask; /* [count]; NULL: nothing is dropped */
    knack_real scale;
    knack_real *y;
    int64_t count;
};

VECTOR_INLINE void value_and_slope(int64_t count, const uint8_t *restrict mask, knack_real scale, knack_real *restrict x,
                                   knack_real *restrict y)
{
    for (int64_t i = 0; i < count; i++) {
        const struct normal at = normal(x[i]);
        const knack_real value = x[i] * at.cdf, slope = at.cdf + x[i] * at.density;
        y[i] = mask ? (mask[i] ? value * scale : 0) : value;
        x[i] = mask ? (mask[i] ? slope * scale : 0) : slope;
    }
}

VECTOR
static void forward(int64_t count, const uint8_t *mask, knack_real scale, knack_real *x, knack_real *y)
{
    if (mask)
        value_and_slope(count, mask, scale, x, y);
    else
        value_and_slope(count, NULL, 1, x, y);
}

VECTOR
static void multiply(int64_t count, const knack_real *restrict slope, const knack_real *restrict dy, knack_real *restrict dx, bool fresh)
{
    if (fresh)
        for (int64_t i = 0; i < count; i++) dx[i] = slope[i] * dy[i];
    else
        for (int64_t i = 0; i < count; i++) dx[i] += slope[i] * dy[i];
}

static void forward_part(void *user, int64_t part)
{
    const struct loop *loop = user;
    int64_t length, first = vector_part(loop->count, part, &length);
    forward(length, loop->mask ? loop->mask + first : NULL, loop->scale, loop->x + first, loop->y + first);
}

struct way_back {
    const knack_tensor *result;
    knack_real *dx;
    bool fresh;
};

static void backward_part(void *user, int64_t part)
{
    const struct way_back *back = user;
    int64_t length, first = vector_part(back->result->count, part, &length);
    multiply(length, (const knack_real *)back->result->input[0]->data + first, back->result->gradient + first, back->dx + first,
             back->fresh);
}

static void backward(knack_tensor *result)
{
    struct way_back back = {.result = result};
    back.dx = tape_gradient(result->input[0], &back.fresh);
    if (back.dx) threads_run(vector_parts(result->count), backward_part, &back);
}

knack_tensor *tensor_gelu_drop(knack_tensor *x, const struct token_dropout *dropout)
{
    if (!operand_real(__func__, x)) return NULL;
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 1, &x);
    if (!result) return NULL;
    struct loop loop = {.x = x->data, .scale = (knack_real)(1 / (1 - dropout->rate)), .y = result->data, .count = x->count};
    if (dropout->rate > 0 && !(loop.mask = token_mask(dropout, tensor_width(x)))) return NULL;
    result->backward = backward;
    threads_run(vector_parts(x->count), forward_part, &loop);
    return result;
}
