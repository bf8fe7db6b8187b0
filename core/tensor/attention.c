/* Attention among the tokens of each sequence. */
#include <math.h>

#include "tensor/kernels/kernels.h"
#include "tensor/operand.h"
#include "tensor/sequences.h"

struct saved {
    const struct sequences *sequences;
    struct attention attention;
    struct attention_dropout dropout;
    knack_real *kept; /* what the kernel keeps for the way back */
};

static void backward(knack_tensor *result)
{
    const struct saved *saved = result->saved;
    knack_tensor *qkv = result->input[0];
    bool fresh;
    knack_real *dqkv = tape_gradient(qkv, &fresh);
    if (dqkv && fresh) sequences_clear(saved->sequences, tensor_width(qkv), dqkv);
    if (dqkv)
        tape_check(result->tape, "attention",
                   kernel_attention_backward(result->tape->arena, &saved->attention, qkv->data, saved->kept, result->data, result->gradient,
                                             dqkv, !fresh));
}

static struct attention_dropout dropout_of(const struct token_dropout *dropout)
{
    const struct dropout_address *address = &dropout->address;
    return (struct attention_dropout){.rate = dropout->rate,
                                      .scale = (knack_real)(1 / (1 - dropout->rate)),
                                      .key = address->key,
                                      .batch = address->batch,
                                      .pass = address->pass,
                                      .row = address->row};
}

knack_tensor *tensor_attention(knack_tensor *qkv, int64_t heads, const struct token_dropout *dropout)
{
    const struct sequences *s = dropout->sequences;
    char text[96];
    if (!qkv || !operand_axes("attention", qkv, 2)) return NULL;
    const int64_t width = qkv->shape[1] / 3, shape[2] = {dropout->first_only ? s->rows : s->vectors, width};
    if (qkv->shape[0] != s->vectors || heads < 1 || width % heads != 0 || width * 3 != qkv->shape[1])
        return tape_fail(qkv->tape, KNACK_E_SHAPE, "attention: %s are not queries, keys and values of %lld tokens in %lld heads",
                         shape_text(text, qkv->ndim, qkv->shape), (long long)s->count, (long long)heads);
    knack_tensor *result = tape_result(qkv->tape, KNACK_REAL, 2, shape, 1, &qkv);
    struct saved *saved = result ? tape_alloc(qkv->tape, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = (struct saved){.sequences = s,
                            .attention = {.sequences = s->rows,
                                          .length = s->length,
                                          .start = s->start,
                                          .first_only = dropout->first_only,
                                          .heads = heads,
                                          .width = width,
                                          .scale = (knack_real)(1 / sqrt((double)width / (double)heads))},
                            .dropout = dropout_of(dropout)};
    if (dropout->rate > 0) saved->attention.dropout = &saved->dropout;
    if (result->needs_gradient) {
        saved->kept = tape_alloc(qkv->tape, (size_t)kernel_attention_saved(&saved->attention) * sizeof *saved->kept);
        if (!saved->kept) return NULL;
    }
    if (!dropout->first_only) sequences_clear(s, width, result->data);
    result->saved = saved;
    result->backward = backward;
    return tape_check(qkv->tape, "attention", kernel_attention(qkv->tape->arena, &saved->attention, qkv->data, saved->kept, result->data))
               ? result
               : NULL;
}
