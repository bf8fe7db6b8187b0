/* Sequences of token ids of several lengths. What is padding is left out: the tokens of a batch lie one behind the other, and work goes
 * with those that are there. Operations that only models of tokens need. */
#ifndef TENSOR_SEQUENCES_H
#define TENSOR_SEQUENCES_H

#include "tensor/tape.h"

struct sequences {
    struct tape *tape;
    int64_t rows, length; /* of the batch as it came, [rows, length] */
    int64_t count;        /* tokens that are no padding, in all */
    int64_t vectors;      /* of arrays over tokens: count, or a few more, so that batch after batch the same sizes occur; those behind the
                             tokens are no token's, and get gradient 0 */
    int64_t *start;       /* [rows + 1] where a row's tokens begin */
    int32_t *id;          /* [count] */
    int32_t *place;       /* [count] where in [rows * length] it was */
};

/* ids [rows, length], whole numbers from 0 to entries - 1 in KNACK_REAL, as data come; those equal to padding (negative: none) are left
 * out, wherever in a row they stand. A row of nothing else is an error, and so is a number that is no id. Lives as long as the tape. */
const struct sequences *sequences_new(const knack_tensor *ids, int64_t entries, int64_t padding);

/* x [vectors, width] becomes 0 behind the tokens. */
void sequences_clear(const struct sequences *, int64_t width, knack_real *x);

/* table[id] + positions[place in its row] of each token; table [entries, width], positions [length, width] -> [vectors, width], 0 behind
 * the tokens. */
knack_tensor *tensor_embed(const struct sequences *, knack_tensor *table, knack_tensor *positions);
/* x [vectors, width] -> [rows, length, width] with zeros for padding, and back, so that what is addressed by rows can look at it. Without
 * padding both are the same numbers under another shape. */
knack_tensor *tensor_spread(const struct sequences *, knack_tensor *x);
knack_tensor *tensor_gather_tokens(const struct sequences *, knack_tensor *x);
knack_tensor *tensor_first_tokens(const struct sequences *, knack_tensor *x); /* x [vectors, width] -> [rows, width] */
knack_tensor *tensor_mean_tokens(const struct sequences *, knack_tensor *x);

/* Dropout of tokens: element j of a token at position t of its row is number t T + j of that logical row, T being the width in whole blocks
 * of eight; padding or not, a token's mask is the same. rate 0: none. address->row: [rows of the sequences]. */
struct token_dropout {
    const struct sequences *sequences;
    double rate;
    struct dropout_address address;
    bool first_only; /* of each row's first token alone: [rows, width] instead of [vectors, width] */
};
/* How many numbers a vector of so many values takes: whole blocks of eight. */
static inline int64_t token_mask_row(int64_t width)
{
    return (width + 7) / 8 * 8;
}
/* [vectors or rows, width] bytes, 1 where a value stays; NULL: memory failed, as the tape says. */
uint8_t *token_mask(const struct token_dropout *, int64_t width);

/* dropout(x) for x [vectors, width]; as below also [rows, width], with a dropout of first tokens only. */
knack_tensor *tensor_drop_tokens(knack_tensor *x, const struct token_dropout *);
/* dropout(gelu(x)). On the way forward x's data are overwritten with what the way back needs: x must be a result that nobody else reads. */
knack_tensor *tensor_gelu_drop(knack_tensor *x, const struct token_dropout *);
/* x + dropout(change), both [vectors, width]. */
knack_tensor *tensor_add_drop(knack_tensor *x, knack_tensor *change, const struct token_dropout *);
/* layer_norm(x + dropout(change)) in one pass; change NULL: of x alone. */
knack_tensor *tensor_add_norm(knack_tensor *x, knack_tensor *change, const struct token_dropout *, knack_tensor *gamma, knack_tensor *beta,
                              double epsilon);

/* Attention of each token, or of the first ones alone, to those of its sequence (arXiv:1706.03762): qkv [vectors, 3 width] ->
 * [vectors or rows, width], 0 behind the tokens; scores are scaled by 1 / sqrt(width / heads). Dropout is of the probabilities: that of
 * token i for token j in head h is number (h length + i) T + j of the row, T being the length in whole blocks of eight. */
knack_tensor *tensor_attention(knack_tensor *qkv, int64_t heads, const struct token_dropout *);

#endif
