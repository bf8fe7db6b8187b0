/* Every operation's gradient against central differences, over random shapes. To add an operation, add a line to OPERATIONS. */
#include "fixture.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "tensor/conv_norm.h"
#include "tensor/sequences.h"

enum { SMOOTH, KINKED }; /* KINKED: not differentiable everywhere, so that the wide step of the float build may meet a kink */

/* Name; kind; shapes of the operands: a letter is a size drawn at random, the same wherever it stands (w: a wide one), a digit is itself;
 * interval from which values are drawn; the result, of the operands in[]. */
#define OPERATIONS(X)                                                                                                                      \
    X(add, SMOOTH, "ab ab", -1, 1, knack_add(in[0], in[1]))                                                                                \
    X(add_trailing, SMOOTH, "abw w", -1, 1, knack_add(in[0], in[1]))                                                                       \
    X(add_leading, SMOOTH, "b1 abw", -1, 1, knack_add(in[0], in[1]))                                                                       \
    X(add_both_ways, SMOOTH, "a1c1 1bcd", -1, 1, knack_add(in[0], in[1]))                                                                  \
    X(add_itself, SMOOTH, "ab", -1, 1, knack_add(in[0], in[0]))                                                                            \
    X(add_transitively, SMOOTH, "ab", -1, 1, add_transitively(in[0]))                                                                      \
    X(sub, SMOOTH, "aw aw", -1, 1, knack_sub(in[0], in[1]))                                                                                \
    X(sub_leading, SMOOTH, "w aw", -1, 1, knack_sub(in[0], in[1]))                                                                         \
    X(sub_itself, SMOOTH, "ab", -1, 1, knack_sub(in[0], in[0]))                                                                            \
    X(mul, SMOOTH, "aw aw", -1, 1, knack_mul(in[0], in[1]))                                                                                \
    X(mul_trailing, SMOOTH, "abw w", -1, 1, knack_mul(in[0], in[1]))                                                                       \
    X(mul_column, SMOOTH, "aw a1", -1, 1, knack_mul(in[0], in[1]))                                                                         \
    X(mul_scalar, SMOOTH, "1 aw", -1, 1, knack_mul(in[0], in[1]))                                                                          \
    X(mul_outer, SMOOTH, "a1 w", -1, 1, knack_mul(in[0], in[1]))                                                                           \
    X(mul_middle, SMOOTH, "abc a1c", -1, 1, knack_mul(in[0], in[1]))                                                                       \
    X(mul_itself, SMOOTH, "ab", -1, 1, knack_mul(in[0], in[0]))                                                                            \
    X(mean2, SMOOTH, "aw b1w", -1, 1, knack_mean2(in[1], in[0]))                                                                           \
    X(scale, SMOOTH, "aw", -1, 1, knack_scale(in[0], -1.5))                                                                                \
    X(add_scalar, SMOOTH, "aw", -1, 1, knack_add_scalar(in[0], 0.25))                                                                      \
    X(exp, SMOOTH, "aw", -1, 1, knack_exp(in[0]))                                                                                          \
    X(log, SMOOTH, "aw", 0.5, 2, knack_log(in[0]))                                                                                         \
    X(sqrt, SMOOTH, "aw", 0.5, 2, knack_sqrt(in[0]))                                                                                       \
    X(pow_half, SMOOTH, "aw", 0.5, 2, knack_pow(in[0], 1.5))                                                                               \
    X(pow_two, SMOOTH, "aw", -1, 1, knack_pow(in[0], 2))                                                                                   \
    X(pow_three, SMOOTH, "aw", -1, 1, knack_pow(in[0], 3))                                                                                 \
    X(pow_zero, SMOOTH, "aw", -1, 1, knack_pow(in[0], 0))                                                                                  \
    X(relu, KINKED, "aw", -1, 1, knack_relu(in[0]))                                                                                        \
    X(gelu, SMOOTH, "aw", -3, 3, knack_gelu(in[0]))                                                                                        \
    X(tanh, SMOOTH, "aw", -2, 2, knack_tanh(in[0]))                                                                                        \
    X(sigmoid, SMOOTH, "aw", -3, 3, knack_sigmoid(in[0]))                                                                                  \
    X(clamp, KINKED, "aw", -1, 1, knack_clamp(in[0], -0.5, 0.25))                                                                          \
    X(where, SMOOTH, "aw aw", -1, 1, knack_where(mask(step, in[0]), in[0], in[1]))                                                         \
    X(where_trailing, SMOOTH, "aw w", -1, 1, knack_where(mask(step, in[0]), in[1], in[0]))                                                 \
    X(where_scalar, SMOOTH, "1 aw", -1, 1, knack_where(mask(step, in[1]), in[0], in[1]))                                                   \
    X(where_stretched_mask, SMOOTH, "w a1", -1, 1, knack_where(mask(step, in[0]), in[0], in[1]))                                           \
    X(stop_gradient, SMOOTH, "aw aw", -1, 1, knack_add(in[0], knack_stop_gradient(weights(step, in[1]))))                                  \
    X(cast_same, SMOOTH, "aw", -1, 1, knack_cast(in[0], KNACK_REAL))                                                                       \
    X(sum_first, SMOOTH, "aw", -1, 1, knack_sum(in[0], 0))                                                                                 \
    X(sum_middle, SMOOTH, "abc", -1, 1, knack_sum(in[0], 1))                                                                               \
    X(sum_last, SMOOTH, "abw", -1, 1, knack_sum(in[0], 2))                                                                                 \
    X(sum_all, SMOOTH, "ab", -1, 1, knack_sum(in[0], KNACK_ALL))                                                                           \
    X(sum_only, SMOOTH, "a", -1, 1, knack_sum(in[0], 0))                                                                                   \
    X(mean_first, SMOOTH, "aw", -1, 1, knack_mean(in[0], 0))                                                                               \
    X(mean_last, SMOOTH, "aw", -1, 1, knack_mean(in[0], 1))                                                                                \
    X(mean_all, SMOOTH, "abc", -1, 1, knack_mean(in[0], KNACK_ALL))                                                                        \
    X(max_first, KINKED, "aw", -1, 1, knack_max(in[0], 0))                                                                                 \
    X(max_middle, KINKED, "abc", -1, 1, knack_max(in[0], 1))                                                                               \
    X(max_all, KINKED, "aw", -1, 1, knack_max(in[0], KNACK_ALL))                                                                           \
    X(softmax, SMOOTH, "aw", -2, 2, knack_softmax(in[0]))                                                                                  \
    X(softmax_deep, SMOOTH, "abcd", -2, 2, knack_softmax(in[0]))                                                                           \
    X(log_softmax, SMOOTH, "abw", -2, 2, knack_log_softmax(in[0]))                                                                         \
    X(logsumexp, SMOOTH, "abw", -2, 2, knack_logsumexp(in[0]))                                                                             \
    X(logsumexp_only, SMOOTH, "w", -2, 2, knack_logsumexp(in[0]))                                                                          \
    X(normalise_last, SMOOTH, "aw", 0.5, 2, knack_normalise(in[0], 1))                                                                     \
    X(normalise_first, SMOOTH, "aw", 0.5, 2, knack_normalise(in[0], 0))                                                                    \
    X(normalise_all, SMOOTH, "abc", 0.5, 2, knack_normalise(in[0], KNACK_ALL))                                                             \
    X(reshape, SMOOTH, "abc", -1, 1, knack_mul(in[0], knack_reshape(knack_reshape(in[0], SHAPE(-1)), in[0]->ndim, in[0]->shape)))          \
    X(transpose, SMOOTH, "aw", -1, 1, knack_transpose(in[0], 0, 1))                                                                        \
    X(transpose_outer, SMOOTH, "abc", -1, 1, knack_transpose(in[0], 1, 0))                                                                 \
    X(transpose_around, SMOOTH, "abcd", -1, 1, knack_transpose(in[0], 1, 3))                                                               \
    X(transpose_within, SMOOTH, "abcd", -1, 1, knack_transpose(in[0], 1, 2))                                                               \
    X(transpose_none, SMOOTH, "abc", -1, 1, knack_transpose(in[0], 1, 1))                                                                  \
    X(transpose_twice, SMOOTH, "abc", -1, 1, knack_mul(in[0], knack_transpose(knack_transpose(in[0], 0, 2), 2, 0)))                        \
    X(concat_first, SMOOTH, "ac bc", -1, 1, knack_concat(2, in, 0))                                                                        \
    X(concat_middle, SMOOTH, "abw acw adw", -1, 1, knack_concat(3, in, 1))                                                                 \
    X(concat_itself, SMOOTH, "ab", -1, 1, knack_concat(2, (knack_tensor *[]){in[0], in[0]}, 1))                                            \
    X(slice_first, SMOOTH, "ab", -1, 1, knack_slice(in[0], 0, in[0]->shape[0] / 2, 1))                                                     \
    X(slice_last, SMOOTH, "abw", -1, 1, knack_slice(in[0], 2, 0, (in[0]->shape[2] + 1) / 2))                                               \
    X(slices, SMOOTH, "ab", -1, 1, knack_add(knack_slice(in[0], 1, 0, 1), knack_slice(in[0], 1, in[0]->shape[1] - 1, 1)))                  \
    X(gather, SMOOTH, "aw", -1, 1, knack_gather(in[0], ids(4, in[0]->shape[0], 0), 4))                                                     \
    X(pick, SMOOTH, "ab", -1, 1, knack_pick(in[0], ids(in[0]->shape[0], in[0]->shape[1], 1)))                                              \
    X(put, SMOOTH, "ab a", -1, 1, knack_put(in[0], ids(in[0]->shape[0], in[0]->shape[1], 1), in[1]))                                       \
    X(pick_and_put, SMOOTH, "ab", -1, 1, pick_and_put(in[0]))                                                                              \
    X(cross_entropy, SMOOTH, "aw", -2, 2, knack_cross_entropy(in[0], ids(in[0]->shape[0], in[0]->shape[1], 1)))                            \
    X(cross_entropy_dense, SMOOTH, "aw", -2, 2, knack_cross_entropy_dense(in[0], weights(step, in[0])))                                    \
    X(squared_error, SMOOTH, "ab", -1, 1, tensor_squared_error(in[0], fixed_values()))                                                     \
    X(absolute_error, KINKED, "ab", -1, 1, tensor_absolute_error(in[0], fixed_values()))                                                   \
    X(mix_rows, SMOOTH, "abc", -1, 1, mix_rows(in[0], 1, 1))                                                                               \
    X(mix_rows_each, SMOOTH, "ab", -1, 1, mix_rows(in[0], in[0]->shape[0], 1))                                                             \
    X(mix_rows_masks, SMOOTH, "ab", -1, 1, mix_rows(in[0], in[0]->shape[0], in[0]->shape[1]))                                              \
    X(perturb, SMOOTH, "ab", -1, 1, perturb(in[0], true))                                                                                  \
    X(perturb_nothing, SMOOTH, "ab", -1, 1, perturb(in[0], false))                                                                         \
    X(weighted_terms, SMOOTH, "6", -1, 1, tensor_weighted_terms(in[0], 2, 3, REALS(1, 2, 0.5, 0, 0.25, -1)))                               \
    X(matmul, SMOOTH, "ab bc", -1, 1, knack_matmul(in[0], in[1], false, false))                                                            \
    X(matmul_first, SMOOTH, "ba bc", -1, 1, knack_matmul(in[0], in[1], true, false))                                                       \
    X(matmul_second, SMOOTH, "ab cb", -1, 1, knack_matmul(in[0], in[1], false, true))                                                      \
    X(matmul_both, SMOOTH, "ba cb", -1, 1, knack_matmul(in[0], in[1], true, true))                                                         \
    X(matmul_batch, SMOOTH, "dab dbc", -1, 1, knack_matmul(in[0], in[1], false, false))                                                    \
    X(matmul_batch_first, SMOOTH, "dba dbc", -1, 1, knack_matmul(in[0], in[1], true, false))                                               \
    X(matmul_batch_second, SMOOTH, "dab dcb", -1, 1, knack_matmul(in[0], in[1], false, true))                                              \
    X(matmul_itself, SMOOTH, "aa", -1, 1, knack_matmul(in[0], in[0], false, false))                                                        \
    X(gram, SMOOTH, "ab", -1, 1, knack_matmul(in[0], in[0], false, true))                                                                  \
    X(linear, SMOOTH, "ab cb c", -1, 1, knack_linear(in[0], in[1], in[2], KNACK_LINEAR))                                                   \
    X(linear_deep, SMOOTH, "abc dc d", -1, 1, knack_linear(in[0], in[1], in[2], KNACK_LINEAR))                                             \
    X(linear_plain, SMOOTH, "ab cb", -1, 1, knack_linear(in[0], in[1], NULL, KNACK_LINEAR))                                                \
    X(linear_relu, KINKED, "ab cb c", -1, 1, knack_linear(in[0], in[1], in[2], KNACK_RELU))                                                \
    X(linear_drop, KINKED, "ab cb c", -1, 1, linear_drop(in, 0.25))                                                                        \
    X(linear_drop_none, KINKED, "ab cb c", -1, 1, linear_drop(in, 0))                                                                      \
    X(linear_gelu, SMOOTH, "ab cb c", -1, 1, knack_linear(in[0], in[1], in[2], KNACK_GELU))                                                \
    X(linear_tanh, SMOOTH, "ab cb c", -1, 1, knack_linear(in[0], in[1], in[2], KNACK_TANH))                                                \
    X(linear_sigmoid, SMOOTH, "ab cb c", -1, 1, knack_linear(in[0], in[1], in[2], KNACK_SIGMOID))                                          \
    X(linear_twice, SMOOTH, "ab bb", -1, 1, knack_linear(knack_linear(in[0], in[1], NULL, KNACK_LINEAR), in[1], NULL, KNACK_LINEAR))       \
    X(conv2d, SMOOTH, "ahxb cb33 c", -1, 1, knack_conv2d(in[0], in[1], in[2], 1, 1))                                                       \
    X(conv2d_stride, SMOOTH, "ahxb cb33", -1, 1, knack_conv2d(in[0], in[1], NULL, 2, 1))                                                   \
    X(conv2d_point, SMOOTH, "ahxb cb11 c", -1, 1, knack_conv2d(in[0], in[1], in[2], 2, 0))                                                 \
    X(conv2d_oblong, SMOOTH, "ahxb cb15", -1, 1, knack_conv2d(in[0], in[1], NULL, 1, 2))                                                   \
    X(max_pool, KINKED, "ahxb", -1, 1, knack_max_pool(in[0], 3, 2, 1))                                                                     \
    X(max_pool_even, KINKED, "a64b", -1, 1, knack_max_pool(in[0], 2, 2, 0))                                                                \
    X(average_pool, SMOOTH, "ahxb", -1, 1, knack_average_pool(in[0], 3, 2, 1))                                                             \
    X(average_pool_even, SMOOTH, "a64b", -1, 1, knack_average_pool(in[0], 2, 2, 0))                                                        \
    X(global_pool, SMOOTH, "ahxb", -1, 1, knack_global_pool(in[0]))                                                                        \
    X(layer_norm, SMOOTH, "abw w w", -1, 1, knack_layer_norm(in[0], in[1], in[2], 0.01))                                                   \
    X(batch_norm, SMOOTH, "abc c c", -1, 1, batch_norm(in[0], in[1], in[2], true))                                                         \
    X(batch_norm_running, SMOOTH, "abc c c", -1, 1, batch_norm(in[0], in[1], in[2], false))                                                \
    X(conv_norm_relu, KINKED, "a44b cb33 c c", -1, 1, tensor_made(tensor_norm_relu(conv_norm(in[0], in + 1, 1, true), false)))             \
    X(conv_norm_running, KINKED, "a54b cb33 c c", -1, 1, tensor_made(tensor_norm_relu(conv_norm(in[0], in + 1, 2, false), true)))          \
    X(conv_norm_chain, KINKED, "a43b bb33 b b", -1, 1, conv_norm_chain(in))                                                                \
    X(conv_norm_add, KINKED, "a34b bb33 b b", -1, 1, conv_norm_add(in, false))                                                             \
    X(conv_norm_add_made, KINKED, "a34b bb33 b b", -1, 1, conv_norm_add(in, true))                                                         \
    X(conv_norm_add_norm, KINKED, "a44b bb33 b b", -1, 1, conv_norm_add_norm(in))                                                          \
    X(conv_norm_pool, KINKED, "a54b bb33 b b", -1, 1, tensor_made(tensor_norm_relu(conv_norm_then(in[0], in + 1, 1, true, true), false)))  \
    X(conv_norm_pool_chain, KINKED, "a45b bb33 b b", -1, 1, conv_norm_pool_chain(in))                                                      \
    X(dropout, SMOOTH, "abc", -1, 1, dropout(in[0], 0.25))                                                                                 \
    X(dropout_none, SMOOTH, "abc", -1, 1, dropout(in[0], 0))                                                                               \
    X(embedding, SMOOTH, "aw", -1, 1, knack_embedding(knack_constant(step, KNACK_I32, SHAPE(2, 2), ids(4, in[0]->shape[0], 0)), in[0]))    \
    X(tokens_embed, SMOOTH, "aw 9w", -1, 1, tensor_embed(token_rows(step, 0, 11, in[0]->shape[0]), in[0], in[1]))                          \
    X(tokens_embed_twice, SMOOTH, "aw 9w", -1, 1, knack_mul(embed_tokens(step, 11, in), embed_tokens(step, 11, in)))                       \
    X(tokens_spread, SMOOTH, "aw", -1, 1, tensor_spread(token_rows(step, 0, in[0]->shape[0], 1), in[0]))                                   \
    X(tokens_spread_whole, SMOOTH, "aw", -1, 1, tensor_spread(whole_rows(step, in[0]->shape[0], 1), in[0]))                                \
    X(tokens_spread_added, SMOOTH, "aw", -1, 1, knack_mul(in[0], spread_and_gather(step, in[0])))                                          \
    X(tokens_gather, SMOOTH, "a9b", -1, 1, tensor_gather_tokens(token_rows(step, in[0]->shape[0], 0, 3), in[0]))                           \
    X(tokens_gather_whole, SMOOTH, "abw", -1, 1, tensor_gather_tokens(whole_rows(step, in[0]->shape[0], in[0]->shape[1]), in[0]))          \
    X(tokens_first, SMOOTH, "aw", -1, 1, tensor_first_tokens(token_rows(step, 0, in[0]->shape[0], 1), in[0]))                              \
    X(tokens_mean, SMOOTH, "ww", -1, 1, tensor_mean_tokens(token_rows(step, 0, in[0]->shape[0], 1), in[0]))                                \
    X(tokens_first_and_mean, SMOOTH, "wb", -1, 1, first_and_mean(step, in[0]))                                                             \
    X(tokens_drop, SMOOTH, "aw", -1, 1, drop_tokens(step, in[0], 0.25))                                                                    \
    X(tokens_drop_none, SMOOTH, "aw", -1, 1, drop_tokens(step, in[0], 0))                                                                  \
    X(tokens_drop_added, SMOOTH, "aw", -1, 1, knack_mul(in[0], drop_tokens(step, in[0], 0.25)))                                            \
    X(tokens_gelu_drop, SMOOTH, "aw", -3, 3, gelu_drop(step, in[0], 0.25))                                                                 \
    X(tokens_gelu_drop_none, SMOOTH, "aw", -3, 3, gelu_drop(step, in[0], 0))                                                               \
    X(tokens_add_drop, SMOOTH, "aw aw", -1, 1, add_drop(step, in[0], in[1], 0.25))                                                         \
    X(tokens_add_drop_none, SMOOTH, "aw aw", -1, 1, add_drop(step, in[0], in[1], 0))                                                       \
    X(tokens_add_drop_itself, SMOOTH, "aw", -1, 1, add_drop(step, in[0], in[0], 0.25))                                                     \
    X(tokens_add_drop_twice, SMOOTH, "aw aw", -1, 1, knack_mul(add_drop(step, in[0], in[1], 0.25), add_drop(step, in[0], in[1], 0.5)))     \
    X(tokens_add_norm, SMOOTH, "aw aw w w", -1, 1, add_norm(step, in, in[1], 0.25))                                                        \
    X(tokens_add_norm_none, SMOOTH, "aw aw w w", -1, 1, add_norm(step, in, in[1], 0))                                                      \
    X(tokens_add_norm_alone, SMOOTH, "aw 1 w w", -1, 1, add_norm(step, in, NULL, 0.25))                                                    \
    X(tokens_add_norm_twice, SMOOTH, "aw aw w w", -1, 1, knack_mul(add_norm(step, in, in[1], 0.25), add_norm(step, in, in[1], 0.5)))       \
    X(tokens_attention, SMOOTH, "wb wb wb", -1, 1, attention(step, knack_concat(3, in, 1), 1, 0, false))                                   \
    X(tokens_attention_drop, SMOOTH, "wb wb wb", -1, 1, attention(step, knack_concat(3, in, 1), 1, 0.25, false))                           \
    X(tokens_attention_heads, SMOOTH, "a6 a6 a6", -1, 1, attention(step, knack_concat(3, in, 1), 2, 0, false))                             \
    X(tokens_attention_narrow, SMOOTH, "a8 a8 a8", -1, 1, attention(step, knack_concat(3, in, 1), 8, 0.25, false))                         \
    X(tokens_attention_twice, SMOOTH, "w4 w4 w4", -1, 1, attention_twice(step, knack_concat(3, in, 1), false))                             \
    X(tokens_attention_first, SMOOTH, "wb wb wb", -1, 1, attention(step, knack_concat(3, in, 1), 1, 0.25, true))                           \
    X(tokens_attention_first_heads, SMOOTH, "w6 w6 w6", -1, 1, attention(step, knack_concat(3, in, 1), 2, 0, true))                        \
    X(tokens_attention_first_twice, SMOOTH, "w4 w4 w4", -1, 1, attention_twice(step, knack_concat(3, in, 1), true))                        \
    X(two_layers, SMOOTH, "ab cb c dc", -1, 1, two_layers(step, in))

enum { MAX_VALUES = 400 };

/* ---- What the operations are given besides their operands ---- */

/* Indices into entries, some of them -1 if negative. */
static const int32_t *ids(int64_t count, int64_t entries, int negative)
{
    static int32_t id[MAX_VALUES];
    for (int64_t i = 0; i < count; i++) id[i] = negative && i % 4 == 3 ? -1 : (int32_t)((i * 7 + 3) % entries);
    return id;
}

/* Fixed values within 0 and 1, as many as a tensor may have; and a tensor of them, like x. */
static const knack_real *fixed_values(void)
{
    static knack_real value[MAX_VALUES];
    for (int64_t i = 0; i < MAX_VALUES; i++) value[i] = (knack_real)((i * 37 + 11) % 64) / 64;
    return value;
}

static knack_tensor *weights(knack_step *step, const knack_tensor *x)
{
    return x ? knack_constant(step, KNACK_REAL, x->ndim, x->shape, fixed_values()) : NULL;
}

static knack_tensor *mask(knack_step *step, const knack_tensor *x)
{
    static knack_real value[MAX_VALUES];
    for (int64_t i = 0; i < x->count; i++) value[i] = i % 3 != 1;
    return knack_constant(step, KNACK_REAL, x->ndim, x->shape, value);
}

/* ---- Tokens ---- */

enum { PLACES = 9 };

/* Rows of token ids below `entries`, as many as asked for, or (0) as hold so many tokens; with padding in front, between and behind. */
static const struct sequences *token_rows(knack_step *step, int64_t rows, int64_t count, int64_t entries)
{
    static const int64_t tokens_of[] = {3, 1, PLACES, 6};
    knack_real id[MAX_VALUES * PLACES];
    int64_t row = 0, tokens = 0;
    for (; rows ? row < rows : tokens < count; row++) {
        int64_t length = tokens_of[row % 4], gap = (PLACES - length) / 2;
        if (!rows && length > count - tokens) length = count - tokens;
        for (int64_t i = 0; i < PLACES; i++) id[row * PLACES + i] = (knack_real)entries;
        for (int64_t k = 0; k < length; k++, tokens++)
            id[row * PLACES + k + (k >= length / 2 ? gap : 0)] = (knack_real)((tokens * 7 + 3) % entries);
    }
    return sequences_new(knack_constant(step, KNACK_REAL, SHAPE(row, PLACES), id), entries + 1, entries);
}

static const struct sequences *whole_rows(knack_step *step, int64_t rows, int64_t length)
{
    static const knack_real zeros[MAX_VALUES];
    return sequences_new(knack_constant(step, KNACK_REAL, SHAPE(rows, length), zeros), 1, -1);
}

/* NULL: x is, or memory failed. */
static struct token_dropout *token_dropout(knack_step *step, const knack_tensor *x, double rate)
{
    static int64_t row[MAX_VALUES];
    static struct token_dropout dropout;
    for (int64_t i = 0; i < MAX_VALUES; i++) row[i] = 3 * i;
    dropout = (struct token_dropout){.rate = rate, .address = {.key = 5, .batch = 2, .pass = 1, .row = row}};
    dropout.sequences = x ? token_rows(step, 0, x->shape[0], 1) : NULL;
    return dropout.sequences ? &dropout : NULL;
}

static knack_tensor *embed_tokens(knack_step *step, int64_t count, knack_tensor *const *in)
{
    return tensor_embed(token_rows(step, 0, count, in[0]->shape[0]), in[0], in[1]);
}

static knack_tensor *spread_and_gather(knack_step *step, knack_tensor *x)
{
    const struct sequences *s = token_rows(step, 0, x->shape[0], 1);
    return tensor_gather_tokens(s, tensor_spread(s, x));
}

static knack_tensor *first_and_mean(knack_step *step, knack_tensor *x)
{
    const struct sequences *s = token_rows(step, 0, x->shape[0], 1);
    return knack_mul(tensor_first_tokens(s, x), tensor_mean_tokens(s, x));
}

static knack_tensor *drop_tokens(knack_step *step, knack_tensor *x, double rate)
{
    const struct token_dropout *dropout = token_dropout(step, x, rate);
    return dropout ? tensor_drop_tokens(x, dropout) : NULL;
}

/* Of a copy, since it is overwritten. */
static knack_tensor *gelu_drop(knack_step *step, knack_tensor *x, double rate)
{
    const struct token_dropout *dropout = token_dropout(step, x, rate);
    return dropout ? tensor_gelu_drop(knack_scale(x, 1), dropout) : NULL;
}

static knack_tensor *add_drop(knack_step *step, knack_tensor *x, knack_tensor *change, double rate)
{
    const struct token_dropout *dropout = token_dropout(step, x, rate);
    return dropout ? tensor_add_drop(x, change, dropout) : NULL;
}

static knack_tensor *add_norm(knack_step *step, knack_tensor *const *in, knack_tensor *change, double rate)
{
    const struct token_dropout *dropout = token_dropout(step, in[0], rate);
    return dropout ? tensor_add_norm(in[0], change, dropout, in[2], in[3], 0.01) : NULL;
}

static knack_tensor *attention(knack_step *step, knack_tensor *qkv, int64_t heads, double rate, bool first_only)
{
    struct token_dropout *dropout = token_dropout(step, qkv, rate);
    if (!dropout) return NULL;
    dropout->first_only = first_only;
    return tensor_attention(qkv, heads, dropout);
}

static knack_tensor *attention_twice(knack_step *step, knack_tensor *qkv, bool first_only)
{
    return knack_mul(attention(step, qkv, 2, 0.25, first_only), attention(step, qkv, 4, 0.5, first_only));
}

/* ---- Results that take more than a call ---- */

/* One tensor's gradient, handed on as it is along several ways. */
static knack_tensor *add_transitively(knack_tensor *x)
{
    knack_tensor *y = knack_scale(x, 2), *twice = knack_add(y, y);
    return knack_add(knack_add(twice, y), knack_mul(knack_reshape(twice, x->ndim, x->shape), y));
}

static knack_tensor *pick_and_put(knack_tensor *x)
{
    const int32_t *column = ids(x->shape[0], x->shape[1], 1);
    return knack_put(x, column, knack_scale(knack_pick(x, column), -3));
}

static knack_tensor *mix_rows(knack_tensor *x, int64_t keep_rows, int64_t keep_width)
{
    int64_t partner[MAX_VALUES];
    knack_real keep[MAX_VALUES];
    for (int64_t i = 0; i < x->shape[0]; i++) partner[i] = x->shape[0] - 1 - i;
    for (int64_t i = 0; i < keep_rows * keep_width; i++) keep[i] = i % 3 == 2 ? 1 : (knack_real)(i % 5) / 8;
    return tensor_mix_rows(x, partner, keep, keep_rows, keep_width);
}

static knack_tensor *perturb(knack_tensor *x, bool shifted)
{
    static knack_real offset[MAX_VALUES], gradient[MAX_VALUES];
    int64_t row[MAX_VALUES];
    for (int64_t i = 0; i < x->count; i++) offset[i] = (knack_real)i / 8;
    for (int64_t i = 0; i < x->shape[0]; i++) row[i] = x->shape[0] - 1 - i;
    return tensor_perturb(x, shifted ? offset : NULL, gradient, 0.5, row);
}

/* Running statistics are near those of values in [-1, 1]. */
static knack_tensor *batch_norm(knack_tensor *x, knack_tensor *gamma, knack_tensor *beta, bool batch)
{
    static knack_real mean[MAX_VALUES], variance[MAX_VALUES];
    static int64_t count;
    for (int64_t i = 0; i < tensor_width(x); i++) {
        mean[i] = (knack_real)(i % 3) / 16;
        variance[i] = (knack_real)(i % 4 + 4) / 16;
    }
    const struct batch_norm norm = {.batch = batch, .mean = mean, .variance = variance, .count = &count, .epsilon = 0.05};
    return tensor_batch_norm(x, gamma, beta, &norm);
}

/* w: weights, gamma, beta. */
static struct conv_norm *conv_norm_then(knack_tensor *x, knack_tensor *const *w, int stride, bool pool, bool batch)
{
    static knack_real mean[MAX_VALUES], variance[MAX_VALUES];
    static int64_t count;
    for (int64_t i = 0; i < w[1]->count; i++) {
        mean[i] = (knack_real)(i % 3) / 16;
        variance[i] = (knack_real)(i % 4 + 4) / 16;
    }
    const struct batch_norm norm = {.batch = batch, .mean = mean, .variance = variance, .count = &count, .epsilon = 0.05};
    const struct conv_norm_how how = {.stride = stride, .padding = 1, .compute = KNACK_REAL, .pool = pool, .norm = &norm};
    return tensor_conv_norm(x, w[0], w[1], w[2], &how);
}

static struct conv_norm *conv_norm(knack_tensor *x, knack_tensor *const *w, int stride, bool batch)
{
    return conv_norm_then(x, w, stride, false, batch);
}

static knack_tensor *conv_norm_chain(knack_tensor *const *in)
{
    knack_tensor *y = tensor_norm_relu(conv_norm(in[0], in + 1, 1, true), false);
    return tensor_made(tensor_norm_relu(conv_norm(y, in + 1, 2, true), false));
}

/* made: as if somebody watched what the second convolution gets. */
static knack_tensor *conv_norm_add(knack_tensor *const *in, bool made)
{
    knack_tensor *stem = tensor_norm_relu(conv_norm(in[0], in + 1, 1, true), true);
    knack_tensor *y = tensor_norm_add_relu(conv_norm(made ? tensor_made(stem) : stem, in + 1, 1, true), stem);
    return tensor_made(tensor_norm_add_relu(conv_norm(y, in + 1, 1, false), y));
}

static knack_tensor *conv_norm_add_norm(knack_tensor *const *in)
{
    knack_tensor *stem = tensor_norm_relu(conv_norm(in[0], in + 1, 1, true), true);
    struct conv_norm *through = conv_norm(stem, in + 1, 2, true), *around = conv_norm(stem, in + 1, 2, true);
    knack_tensor *y = tensor_norm_add_norm_relu(through, around);
    return tensor_made(tensor_norm_relu(conv_norm(y, in + 1, 1, true), false));
}

static knack_tensor *conv_norm_pool_chain(knack_tensor *const *in)
{
    knack_tensor *y = tensor_norm_relu(conv_norm_then(in[0], in + 1, 1, true, true), false);
    return tensor_made(tensor_norm_relu(conv_norm(y, in + 1, 1, true), true));
}

static knack_tensor *dropout(knack_tensor *x, double rate)
{
    int64_t row[MAX_VALUES];
    for (int64_t i = 0; i < MAX_VALUES; i++) row[i] = 3 * i;
    const struct dropout_address address = {.key = 5, .batch = 2, .pass = 1, .row = row};
    return tensor_dropout(x, rate, &address);
}

static knack_tensor *linear_drop(knack_tensor *const *in, double rate)
{
    int64_t row[MAX_VALUES];
    for (int64_t i = 0; i < MAX_VALUES; i++) row[i] = 3 * i;
    const struct dropout_address address = {.key = 5, .batch = 2, .pass = 1, .row = row};
    return tensor_linear_relu_drop(in[0], in[1], in[2], KNACK_REAL, rate, &address);
}

/* A classifier: what a step runs, in small. */
static knack_tensor *two_layers(knack_step *step, knack_tensor *const *in)
{
    knack_tensor *hidden = dropout(knack_linear(in[0], in[1], in[2], KNACK_TANH), 0.25);
    knack_tensor *logits = knack_linear(hidden, in[3], NULL, KNACK_LINEAR);
    return knack_cross_entropy_dense(logits, knack_softmax(weights(step, logits)));
}

/* ---- The table and its check ---- */

#define DEFINE(name, kind, shapes, low, high, result)                                                                                      \
    static knack_tensor *apply_##name(knack_step *step, knack_tensor *const *in, void *user)                                               \
    {                                                                                                                                      \
        (void)step, (void)user;                                                                                                            \
        return result;                                                                                                                     \
    }
OPERATIONS(DEFINE)

static const struct operation {
    const char *name;
    int kind;
    const char *shapes;
    double low, high;
    knack_function *function;
} operations[] = {
#define ROW(name, kind, shapes, low, high, result) {#name, kind, shapes, low, high, apply_##name},
    OPERATIONS(ROW)};

enum { MAX_INPUTS = 4, TRIALS = 8 };

/* The operands of one trial. */
struct trial {
    int count;
    int ndim[MAX_INPUTS];
    int64_t shape[MAX_INPUTS][KNACK_MAX_DIMS];
    const int64_t *shapes[MAX_INPUTS];
    int64_t length[MAX_INPUTS];
    knack_real value[MAX_INPUTS][MAX_VALUES];
    knack_real *values[MAX_INPUTS];
};

/* Size 1 throughout in the first trial, then odd and other sizes. */
static int64_t draw_size(uint64_t key, uint32_t trial, uint32_t attempt, char letter)
{
    static const int64_t narrow[] = {1, 2, 3, 4, 5, 7}, wide[] = {1, 8, 17, 33, 64};
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (trial == 0) return 1;
    const struct random_place place = {trial, attempt, (uint32_t)letter};
    return letter == 'w' ? wide[random_below(key, place, 0, (uint64_t)LENGTH(wide))]
                         : narrow[random_below(key, place, 0, (uint64_t)LENGTH(narrow))];
}

/* Reads the shapes; false: an operand became larger than wished for. */
static bool draw_shapes(struct trial *trial, const struct operation *operation, uint64_t key, uint32_t number, uint32_t attempt)
{
    memset(trial, 0, sizeof *trial);
    for (const char *at = operation->shapes; *at; at++) {
        if (at == operation->shapes || at[-1] == ' ') {
            trial->shapes[trial->count] = trial->shape[trial->count];
            trial->values[trial->count] = trial->value[trial->count];
            trial->length[trial->count++] = 1;
        }
        if (*at == ' ') continue;
        const int k = trial->count - 1;
        const int64_t size = draw_size(key, number, attempt, *at);
        trial->shape[k][trial->ndim[k]++] = size;
        trial->length[k] *= size;
        if (trial->length[k] > MAX_VALUES / 2) return false;
    }
    return true;
}

static void draw_trial(struct trial *trial, const struct operation *operation, uint32_t number)
{
    const uint64_t key = random_key(7, operation->name);
    for (uint32_t attempt = 0; !draw_shapes(trial, operation, key, number, attempt); attempt++)
        ;
    for (int k = 0; k < trial->count; k++) {
        random_uniforms(key, (struct random_place){number, 0, (uint32_t)k}, 0, trial->length[k], trial->value[k]);
        for (int64_t i = 0; i < trial->length[k]; i++)
            trial->value[k][i] = (knack_real)(operation->low + (operation->high - operation->low) * (double)trial->value[k][i]);
    }
}

static void test_gradients(void **state)
{
    (void)state;
    const bool exact = sizeof(knack_real) == 8;
    const double step = exact ? 1e-5 : 1e-2, tolerance = exact ? 1e-6 : 5e-3;
    static struct trial trial;
    bool good = true;
    for (int64_t o = 0; o < LENGTH(operations); o++) {
        const struct operation *operation = &operations[o];
        if (!exact && operation->kind == KINKED) continue;
        for (uint32_t number = 0; number < TRIALS; number++) {
            double worst;
            draw_trial(&trial, operation, number);
            knack_status status =
                knack_check_gradient(operation->function, NULL, trial.count, trial.ndim, trial.shapes, trial.values, step, &worst);
            if (status == KNACK_OK && worst <= tolerance) continue;
            char text[96];
            print_error("%s: trial %u, first operand %s: %s, off by %g\n", operation->name, number,
                        shape_text(text, trial.ndim[0], trial.shape[0]), status == KNACK_OK ? "differs" : knack_error(), worst);
            good = false;
        }
    }
    assert_true(good);
}

static knack_tensor *half_stopped(knack_step *step, knack_tensor *const *in, void *user)
{
    (void)step, (void)user;
    return knack_add(in[0], knack_stop_gradient(in[0]));
}

/* A gradient that is half of what differences say is found, and the point is left as it was. */
static void test_wrong_gradient(void **state)
{
    (void)state;
    double worst;
    knack_real point[3] = {1, 2, 3}, *values[] = {point};
    const int64_t shape[] = {3}, *shapes[] = {shape};
    const int ndim[] = {1};
    assert_int_equal(knack_check_gradient(half_stopped, NULL, 1, ndim, shapes, values, 0x1p-7, &worst), KNACK_OK);
    assert_true(worst > 0.1);
    assert_reals(point, REALS(1, 2, 3), 3);
}

static knack_tensor *no_tensor(knack_step *step, knack_tensor *const *in, void *user)
{
    (void)step, (void)in, (void)user;
    return NULL;
}

static void test_check_refuses(void **state)
{
    (void)state;
    double worst;
    knack_real point[3] = {1, 2, 3}, *values[] = {point};
    const int64_t shape[] = {3}, empty[] = {0}, negative[] = {-3}, *shapes[] = {shape}, *no_shapes[] = {empty},
                  *negative_shapes[] = {negative};
    const int ndim[] = {1};
    assert_int_equal(knack_check_gradient(no_tensor, NULL, 1, ndim, shapes, values, 1e-3, &worst), KNACK_E_CALL);
    assert_non_null(strstr(knack_error(), "knack_check_gradient: the function gave no tensor of type f"));
    assert_int_equal(knack_check_gradient(half_stopped, NULL, 1, ndim, shapes, values, 0, &worst), KNACK_E_CALL);
    assert_string_equal(knack_error(), "knack_check_gradient: needs an input at least, and a step above 0");
    assert_int_equal(knack_check_gradient(half_stopped, NULL, 1, ndim, no_shapes, values, 1e-3, &worst), KNACK_E_SHAPE);
    assert_string_equal(knack_error(), "a tensor of shape [0]: every size must be at least 1, empty ones are not allowed");
    assert_int_equal(knack_check_gradient(half_stopped, NULL, 1, ndim, negative_shapes, values, 1e-3, &worst), KNACK_E_SHAPE);
    assert_string_equal(knack_error(), "a tensor of shape [-3]: every size must be at least 1, empty ones are not allowed");
}

/* Forward and backward with only so many bytes to be had. */
static knack_status run_within(const struct operation *operation, const struct trial *trial, size_t bytes)
{
    enum { BLOCK = 20 * 4096 - 64 }; /* of whole pages, with an arena's own bytes */
    struct tape tape;
    struct step_base base = {.tape = &tape};
    static knack_real gradient[MAX_INPUTS][MAX_VALUES], seed[MAX_VALUES];
    struct arena *arena = arena_new(BLOCK);
    assert_non_null(arena);
    assert_non_null(arena_alloc(arena, BLOCK - bytes));
    tape_begin(&tape, arena);
    memory_fail_at(1);
    knack_tensor *in[MAX_INPUTS], *result = NULL;
    for (int k = 0; k < trial->count; k++) in[k] = tape_leaf(&tape, trial->ndim[k], trial->shape[k], trial->values[k], gradient[k], NULL);
    if (tape_status(&tape) == KNACK_OK) result = operation->function((knack_step *)(void *)&base, in, NULL);
    knack_status status = result ? tape_backward(result, seed) : tape_status(&tape);
    memory_fail_at(0);
    arena_free(arena);
    if (!result && status == KNACK_OK) fail_msg("%s: no result and no failure, with %d bytes", operation->name, (int)bytes);
    return status;
}

/* Wherever memory ends within an operation or its way back, that is the error reported, and nothing is lost or read. */
static void test_memory_failures(void **state)
{
    (void)state;
    static struct trial trial;
    for (int64_t o = 0; o < LENGTH(operations); o++) {
        draw_trial(&trial, &operations[o], 0);
        double worst;
        /* Once with all memory there is, since kernels keep what they prepare. */
        knack_status status =
            knack_check_gradient(operations[o].function, NULL, trial.count, trial.ndim, trial.shapes, trial.values, 1e-2, &worst);
        assert_int_equal(status, KNACK_OK);
        size_t bytes = 0;
        while ((status = run_within(&operations[o], &trial, bytes)) == KNACK_E_MEMORY) bytes += 64;
        assert_int_equal(status, KNACK_OK);
        assert_true(bytes > 0);
    }
}

/* As before, of what the check itself needs. */
static void test_check_without_memory(void **state)
{
    (void)state;
    static struct trial trial;
    draw_trial(&trial, &operations[0], 1);
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; status == KNACK_E_MEMORY; nth++) {
        double worst;
        memory_fail_at(nth);
        status = knack_check_gradient(operations[0].function, NULL, trial.count, trial.ndim, trial.shapes, trial.values, 1e-2, &worst);
        memory_fail_at(0);
    }
    assert_int_equal(status, KNACK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradients), cmocka_unit_test(test_wrong_gradient),
                                       cmocka_unit_test(test_check_refuses), cmocka_unit_test(test_memory_failures),
                                       cmocka_unit_test(test_check_without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
