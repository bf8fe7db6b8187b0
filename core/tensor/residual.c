/* Where dropout meets a residual connection: what it leaves of a change is added to x, and the sum may be normalised, in one pass. */
#include "tensor/kernels/kernels.h"
#include "tensor/operand.h"
#include "tensor/sequences.h"
#include "tensor/vector.h"

struct saved {
    uint8_t *mask; /* [count]; NULL: nothing is dropped */
    knack_real scale;
    knack_real *sum, *mean, *row_scale; /* tensor_add_norm(): [tokens, width], [tokens] each */
};

/* Of a result over tokens, with its mask drawn if there is a rate; NULL: the tape's failure is set. */
static struct saved *saved_new(knack_tensor *result, const struct token_dropout *dropout)
{
    struct saved *saved = result ? tape_alloc(result->tape, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = (struct saved){.scale = (knack_real)(1 / (1 - dropout->rate))};
    if (dropout->rate > 0 && !(saved->mask = token_mask(dropout, tensor_width(result)))) return NULL;
    result->saved = saved;
    return saved;
}

/* ---- dropout(x), and x + dropout(change) ---- */

struct loop {
    const uint8_t *mask;
    knack_real scale;
    const knack_real *from; /* what is dropped of */
    const knack_real *base; /* what it is added to, or NULL; may be `to` */
    knack_real *to;
    int64_t count;
};

VECTOR
static void drop(int64_t count, const uint8_t *restrict mask, knack_real scale, const knack_real *restrict from, knack_real *restrict to)
{
    for (int64_t i = 0; i < count; i++) to[i] = mask[i] ? from[i] * scale : 0;
}

VECTOR
static void add_drop(int64_t count, const uint8_t *restrict mask, knack_real scale, const knack_real *restrict from, const knack_real *base,
                     knack_real *to)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) to[i] = base[i] + (mask[i] ? from[i] * scale : 0);
}

VECTOR
static void add(int64_t count, const knack_real *restrict from, const knack_real *base, knack_real *to)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) to[i] = base[i] + from[i];
}

static void loop_part(void *user, int64_t part)
{
    const struct loop *loop = user;
    int64_t length, first = vector_part(loop->count, part, &length);
    const knack_real *base = loop->base ? loop->base + first : NULL;
    if (!loop->mask)
        add(length, loop->from + first, base, loop->to + first);
    else if (base)
        add_drop(length, loop->mask + first, loop->scale, loop->from + first, base, loop->to + first);
    else
        drop(length, loop->mask + first, loop->scale, loop->from + first, loop->to + first);
}

/* What dropout lets through of result's gradient, to x. */
static void pass_kept(const knack_tensor *result, knack_tensor *x)
{
    const struct saved *saved = result->saved;
    if (!saved->mask) {
        tape_pass_gradient((knack_tensor *)result, x);
        return;
    }
    bool fresh;
    knack_real *dx = tape_gradient(x, &fresh);
    struct loop loop = {saved->mask, saved->scale, result->gradient, fresh ? NULL : dx, dx, result->count};
    if (dx) threads_run(vector_parts(loop.count), loop_part, &loop);
}

static void drop_backward(knack_tensor *result)
{
    pass_kept(result, result->input[0]);
}

knack_tensor *tensor_drop_tokens(knack_tensor *x, const struct token_dropout *dropout)
{
    if (!operand_real(__func__, x) || dropout->rate == 0) return x;
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 1, &x);
    struct saved *saved = saved_new(result, dropout);
    if (!saved) return NULL;
    result->backward = drop_backward;
    struct loop loop = {saved->mask, saved->scale, x->data, NULL, result->data, x->count};
    threads_run(vector_parts(loop.count), loop_part, &loop);
    return result;
}

static void add_drop_backward(knack_tensor *result)
{
    pass_kept(result, result->input[1]);
    tape_pass_gradient(result, result->input[0]);
}

knack_tensor *tensor_add_drop(knack_tensor *x, knack_tensor *change, const struct token_dropout *dropout)
{
    if (!x || !change || !operand_alike(__func__, x, change)) return NULL;
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 2, (knack_tensor *[]){x, change});
    struct saved *saved = saved_new(result, dropout);
    if (!saved) return NULL;
    result->backward = add_drop_backward;
    struct loop loop = {saved->mask, saved->scale, change->data, x->data, result->data, x->count};
    threads_run(vector_parts(loop.count), loop_part, &loop);
    return result;
}

/* ---- layer_norm(x + dropout(change)) ---- */

static void add_norm_backward(knack_tensor *y)
{
    const struct saved *saved = y->saved;
    knack_tensor *x = y->input[0], *gamma = y->input[1], *beta = y->input[2], *change = y->input[3];
    bool fresh_x = true, fresh_gamma = true, fresh_beta = true, fresh_change = true;
    knack_real *dx = tape_gradient(x, &fresh_x), *dgamma = tape_gradient(gamma, &fresh_gamma), *dbeta = tape_gradient(beta, &fresh_beta);
    struct dropped_change of_change = {.mask = saved->mask, .scale = saved->scale, .sum = saved->sum};
    of_change.dchange = tape_gradient(change, &fresh_change);
    of_change.add = !fresh_change;
    tape_check(y->tape, "layer norm of a sum",
               kernel_layer_norm_backward(y->tape->arena, tensor_rows(x), tensor_width(x), NULL, saved->mean, saved->row_scale, gamma->data,
                                          y->gradient, dx, !fresh_x, &of_change, dgamma, !fresh_gamma, dbeta, !fresh_beta));
}

knack_tensor *tensor_add_norm(knack_tensor *x, knack_tensor *change, const struct token_dropout *dropout, knack_tensor *gamma,
                              knack_tensor *beta, double epsilon)
{
    if (!change) return knack_layer_norm(x, gamma, beta, epsilon);
    if (!x || !gamma || !beta || !operand_alike(__func__, x, change)) return NULL;
    const int64_t rows = tensor_rows(x), width = tensor_width(x);
    if (!operand_axes(__func__, gamma, 1) || !operand_axes(__func__, beta, 1) || gamma->count != width || beta->count != width)
        return tape_fail(x->tape, KNACK_E_SHAPE, "%s: gamma and beta need %lld values each", __func__, (long long)width);
    knack_tensor *y = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 4, (knack_tensor *[]){x, gamma, beta, change});
    struct saved *saved = saved_new(y, dropout);
    if (!saved) return NULL;
    saved->sum = tape_alloc(x->tape, (size_t)(rows * width) * sizeof *saved->sum);
    saved->mean = tape_alloc(x->tape, (size_t)rows * sizeof *saved->mean);
    saved->row_scale = tape_alloc(x->tape, (size_t)rows * sizeof *saved->row_scale);
    if (!saved->sum || !saved->mean || !saved->row_scale) return NULL;
    y->backward = add_norm_backward;
    const struct dropped_change of_change = {.change = change->data, .mask = saved->mask, .scale = saved->scale, .sum = saved->sum};
    kernel_layer_norm(rows, width, x->data, &of_change, epsilon, gamma->data, beta->data, saved->mean, saved->row_scale, y->data);
    return y;
}
