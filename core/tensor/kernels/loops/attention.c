/* Attention of each token to those of its own sequence, head by head (arXiv:1706.03762, equation 1). What one head of one sequence needs is
 * copied into padded, dense arrays that stay in a core's cache, and worked on there by one thread: scores, softmax, dropout and both
 * products, and all gradients. Between the two ways only the probabilities are kept. */
#include "tensor/kernels/kernels.h"

#include <string.h>

#include "base/random.h"
#include "tensor/functions.h"
#include "tensor/kernels/loops.h"
#include "tensor/kernels/loops/small_product.h"

/* Sizes of one head of one sequence. */
struct head {
    int64_t queries, query_rows;        /* tokens that attend; and in whole tiles of small_product() */
    int64_t length, token_rows, tokens; /* tokens that are attended to; in whole tiles; in whole vectors */
    int64_t size, width;                /* values of a head, and padded to whole vectors */
    int64_t row; /* of arrays [tokens, tokens]: off a power of two, lest all rows fall on the same lines of the cache */
};

static int64_t padded(int64_t count)
{
    return (count + SMALL_LANES - 1) / SMALL_LANES * SMALL_LANES;
}

static int64_t in_tiles(int64_t count)
{
    return (count + SMALL_ROWS - 1) / SMALL_ROWS * SMALL_ROWS;
}

static struct head head_of_length(const struct attention *a, int64_t length)
{
    const int64_t queries = a->first_only ? 1 : length, size = a->width / a->heads;
    struct head head = {.queries = queries,
                        .query_rows = in_tiles(queries),
                        .length = length,
                        .token_rows = in_tiles(length),
                        .tokens = padded(length),
                        .size = size,
                        .width = padded(size)};
    head.row = head.tokens % 64 == 0 ? head.tokens + SMALL_LANES : head.tokens;
    return head;
}

static struct head head_of(const struct attention *a, int64_t sequence)
{
    return head_of_length(a, a->start[sequence + 1] - a->start[sequence]);
}

int64_t kernel_attention_saved(const struct attention *a)
{
    int64_t count = 0;
    for (int64_t s = 0; s < a->sequences; s++) {
        const struct head head = head_of(a, s);
        count += a->heads * head.queries * head.row;
    }
    return count;
}

struct job {
    const struct attention *a;
    struct head largest;
    const int64_t *saved_at; /* [sequences] where a sequence's probabilities begin */
    const knack_real *qkv;   /* [tokens, 3 width] */
    knack_real *saved, *out; /* out [queries, width] */
    const knack_real *dout;  /* [queries, width]; the way back */
    knack_real *dqkv;        /* [tokens, 3 width] */
    bool add;
    knack_real *scratch; /* [slots, scratch_count] */
    int64_t scratch_count;
    int slots;
};

/* ---- Copies ---- */

/* to [tokens, width] = factor x, of x [count, size] with its rows `stride` apart; 0 behind them up to `rows`. */
VECTOR_INLINE void take(const struct head *head, int64_t count, int64_t rows, const knack_real *restrict x, int64_t stride,
                        knack_real factor, knack_real *restrict to)
{
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < head->size; j++) to[i * head->width + j] = factor * x[i * stride + j];
        for (int64_t j = head->size; j < head->width; j++) to[i * head->width + j] = 0;
    }
    memset(to + count * head->width, 0, (size_t)((rows - count) * head->width) * sizeof *to);
}

/* to [size, tokens] = x [length, size] transposed, its rows `stride` apart. */
VECTOR_INLINE void take_transposed(const struct head *head, const knack_real *x, int64_t stride, knack_real *to)
{
    small_transpose(head->length, head->size, x, stride, to, head->tokens);
    for (int64_t j = 0; j < head->size; j++)
        for (int64_t i = head->length; i < head->tokens; i++) to[j * head->tokens + i] = 0;
}

/* x [count, size], its rows `stride` apart, (+)= factor from [count, width]. */
VECTOR_INLINE void give(const struct head *head, int64_t count, const knack_real *restrict from, knack_real factor, knack_real *restrict x,
                        int64_t stride, bool add)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < head->size; j++) x[i * stride + j] = factor * from[i * head->width + j] + (add ? x[i * stride + j] : 0);
}

/* Where the queries of a sequence begin among those of all. */
static int64_t first_query(const struct attention *a, int64_t sequence)
{
    return a->first_only ? sequence : a->start[sequence];
}

/* ---- Forward ---- */

/* Masks of a head's scores, [queries, tokens]: element (i, j) of head h is number (h T + i) T' + j of its row, T' being T in whole blocks
 * of eight. */
static void draw_masks(const struct attention *a, int64_t sequence, int64_t h, const struct head *head, uint8_t *mask)
{
    const struct attention_dropout *d = a->dropout;
    const int64_t block = (a->length + 7) / 8 * 8;
    const struct random_place place = {d->batch, (uint32_t)d->row[sequence], d->pass};
    if (head->tokens == block) {
        random_mask(d->key, place, (uint64_t)(h * a->length * block), head->queries * block, d->rate, mask);
        return;
    }
    for (int64_t i = 0; i < head->queries; i++)
        random_mask(d->key, place, (uint64_t)((h * a->length + i) * block), head->tokens, d->rate, mask + i * head->tokens);
}

VECTOR_INLINE knack_real largest_of(int64_t count, const knack_real *restrict x)
{
    small_lanes most = *(const small_lanes *)(const void *)x;
    for (int64_t j = SMALL_LANES; j < count; j += SMALL_LANES) {
        const small_lanes next = *(const small_lanes *)(const void *)(x + j);
        most = SMALL_LARGER(small_lanes, most, next);
    }
    return small_largest(&most);
}

/* x [count] becomes exp(x - shift); the sum is that of the first `length`, behind which there is 0. */
VECTOR_INLINE knack_real exponentials(int64_t length, int64_t count, knack_real shift, knack_real *restrict x)
{
    small_lanes sum = {0};
    for (int64_t j = 0; j < count; j++) x[j] = vector_exp_below(x[j] - shift);
    for (int64_t j = length; j < count; j++) x[j] = 0;
    for (int64_t j = 0; j < count; j += SMALL_LANES) sum += *(const small_lanes *)(const void *)(x + j);
    return small_sum(&sum);
}

/* p = factor x, and x becomes what dropout leaves of that; of p the dropped ones are negative, which is how the mask is kept. */
VECTOR_INLINE void drop(int64_t count, const uint8_t *restrict mask, knack_real factor, knack_real scale, knack_real *restrict x,
                        knack_real *restrict p)
{
    for (int64_t j = 0; j < count; j++) {
        const knack_real share = factor * x[j];
        x[j] = mask[j] ? share * scale : 0;
        p[j] = mask[j] ? share : -share;
    }
}

/* p [queries, row] = softmax of scores [queries, row], which become what dropout leaves of it. mask [queries, tokens]. */
VECTOR_INLINE void softmax_rows(const struct head *head, const uint8_t *mask, knack_real scale, knack_real *scores, knack_real *p)
{
    for (int64_t i = 0; i < head->queries; i++) {
        knack_real *restrict x = scores + i * head->row, *restrict out = p + i * head->row;
        for (int64_t j = head->length; j < head->tokens; j++) x[j] = -INFINITY;
        const knack_real factor = 1 / exponentials(head->length, head->tokens, largest_of(head->tokens, x), x);
        if (mask)
            drop(head->tokens, mask + i * head->tokens, factor, scale, x, out);
        else
            for (int64_t j = 0; j < head->tokens; j++) out[j] = x[j] = factor * x[j];
    }
}

/* Scratch of the way forward: q, v and the result [tokens, width], k transposed [size, tokens], the scores and what is kept of them
 * [tokens, row], and the mask. */
static int64_t forward_scratch(const struct head *head)
{
    return 4 * head->tokens * head->width + 2 * head->tokens * head->row + head->tokens * head->tokens;
}

VECTOR
static void forward_head(const struct job *job, const struct head *head, int64_t sequence, int64_t h, knack_real *scratch)
{
    const struct attention *a = job->a;
    const int64_t stride = 3 * a->width, area = head->tokens * head->width;
    const knack_real *q = job->qkv + a->start[sequence] * stride + h * head->size, *k = q + a->width, *v = k + a->width;
    knack_real *own_q = scratch, *k_transposed = own_q + area, *own_v = k_transposed + area, *sums = own_v + area;
    knack_real *p = sums + area, *scores = p + head->tokens * head->row;
    uint8_t *mask = a->dropout ? (uint8_t *)(scores + head->tokens * head->row) : NULL;
    if (job->saved) p = job->saved + job->saved_at[sequence] + h * head->queries * head->row;
    take(head, head->queries, head->query_rows, q, stride, a->scale, own_q);
    take_transposed(head, k, stride, k_transposed);
    take(head, head->length, head->length, v, stride, 1, own_v);
    small_product(head->query_rows, head->tokens, head->size, (struct small_left){own_q, head->width, 1}, k_transposed, head->tokens,
                  scores, head->row);
    if (mask) draw_masks(a, sequence, h, head, mask);
    softmax_rows(head, mask, a->dropout ? a->dropout->scale : 1, scores, p);
    small_product(head->query_rows, head->width, head->length, (struct small_left){scores, head->row, 1}, own_v, head->width, sums,
                  head->width);
    give(head, head->queries, sums, 1, job->out + first_query(a, sequence) * a->width + h * head->size, a->width, false);
}

/* ---- Backward ---- */

/* kept = what dropout left of p, and d = p (mask scale d - dot), where d is the gradient of what is kept. */
VECTOR_INLINE void softmax_gradient(int64_t length, const knack_real *restrict p, knack_real scale, knack_real dot, knack_real *restrict d,
                                    knack_real *restrict kept)
{
    for (int64_t j = 0; j < length; j++) {
        const knack_real share = p[j] < 0 ? 0 : p[j] * scale;
        d[j] = share * d[j] - (p[j] < 0 ? -p[j] : p[j]) * dot;
        kept[j] = share;
    }
}

/* The sum over a head's values of the result and its gradient, which is that over j of p and the gradient of p. */
VECTOR_INLINE knack_real row_dot(int64_t size, const knack_real *restrict x, const knack_real *restrict y)
{
    small_lanes sum = {0};
    knack_real rest = 0;
    int64_t j = 0;
    for (; j + SMALL_LANES <= size; j += SMALL_LANES)
        sum += *(const small_lanes *)(const void *)(x + j) * *(const small_lanes *)(const void *)(y + j);
    for (; j < size; j++) rest += x[j] * y[j];
    return small_sum(&sum) + rest;
}

/* Scratch of the way back: q, k, the result's gradient and a result [tokens, width], v transposed [size, tokens], and the scores' gradients
 * and what is kept of the probabilities [tokens, row]. */
static int64_t backward_scratch(const struct head *head)
{
    return 5 * head->tokens * head->width + 2 * head->tokens * head->row;
}

VECTOR
static void backward_head(const struct job *job, const struct head *head, int64_t sequence, int64_t h, knack_real *scratch)
{
    const struct attention *a = job->a;
    const int64_t stride = 3 * a->width, area = head->tokens * head->width, square = head->tokens * head->row;
    const int64_t at = a->start[sequence] * stride + h * head->size, at_out = first_query(a, sequence) * a->width + h * head->size;
    const knack_real *q = job->qkv + at, *out = job->out + at_out, *dout = job->dout + at_out;
    const knack_real *p = job->saved + job->saved_at[sequence] + h * head->queries * head->row;
    knack_real *dq = job->dqkv + at;
    knack_real *own_q = scratch, *own_k = own_q + area, *v_transposed = own_k + area, *own_dout = v_transposed + area;
    knack_real *sums = own_dout + area, *d = sums + area, *kept = d + square;
    take(head, head->queries, head->query_rows, q, stride, a->scale, own_q);
    take(head, head->length, head->length, q + a->width, stride, 1, own_k);
    take_transposed(head, q + 2 * a->width, stride, v_transposed);
    take(head, head->queries, head->query_rows, dout, a->width, 1, own_dout);
    small_product(head->query_rows, head->tokens, head->size, (struct small_left){own_dout, head->width, 1}, v_transposed, head->tokens, d,
                  head->row);
    for (int64_t i = 0; i < head->queries; i++) {
        const knack_real dot = row_dot(head->size, out + i * a->width, dout + i * a->width);
        softmax_gradient(head->length, p + i * head->row, a->dropout ? a->dropout->scale : 1, dot, d + i * head->row, kept + i * head->row);
        /* Transposed they are read in whole tiles. */
        for (int64_t j = head->length; j < head->token_rows; j++) d[i * head->row + j] = kept[i * head->row + j] = 0;
    }
    small_product(head->query_rows, head->width, head->length, (struct small_left){d, head->row, 1}, own_k, head->width, sums, head->width);
    give(head, head->queries, sums, a->scale, dq, stride, job->add);
    for (int64_t i = head->queries; i < head->length && !job->add; i++) memset(dq + i * stride, 0, (size_t)head->size * sizeof *dq);
    small_product(head->token_rows, head->width, head->queries, (struct small_left){d, 1, head->row}, own_q, head->width, sums,
                  head->width);
    give(head, head->length, sums, 1, dq + a->width, stride, job->add);
    small_product(head->token_rows, head->width, head->queries, (struct small_left){kept, 1, head->row}, own_dout, head->width, sums,
                  head->width);
    give(head, head->length, sums, 1, dq + 2 * a->width, stride, job->add);
}

/* ---- Over all heads ---- */

static void run_head(void *user, int64_t part)
{
    const struct job *job = user;
    const struct attention *a = job->a;
    const int64_t sequence = part / a->heads, h = part % a->heads;
    const struct head head = head_of(a, sequence);
    knack_real *scratch = job->scratch + threads_slot(job->slots) * job->scratch_count;
    if (job->dqkv)
        backward_head(job, &head, sequence, h, scratch);
    else
        forward_head(job, &head, sequence, h, scratch);
}

static knack_status run(struct arena *arena, struct job *job, int64_t (*scratch_count)(const struct head *))
{
    const struct attention *a = job->a;
    const struct arena_mark mark = arena_mark(arena);
    int64_t longest = 0, at = 0;
    int64_t *saved_at = arena_alloc(arena, (size_t)a->sequences * sizeof *saved_at);
    if (!saved_at) return KNACK_E_MEMORY;
    for (int64_t s = 0; s < a->sequences; s++) {
        const struct head head = head_of(a, s);
        saved_at[s] = at;
        at += a->heads * head.queries * head.row;
        if (head.length > longest) longest = head.length;
    }
    const struct head largest = head_of_length(a, longest);
    job->saved_at = saved_at;
    job->slots = threads_slots(a->sequences * a->heads);
    job->scratch_count = padded(scratch_count(&largest));
    job->scratch = arena_alloc(arena, (size_t)(job->slots * job->scratch_count) * sizeof *job->scratch);
    if (job->scratch) threads_run_on(job->slots, a->sequences * a->heads, run_head, job);
    const knack_status status = job->scratch ? KNACK_OK : KNACK_E_MEMORY;
    arena_rewind(arena, mark);
    return status;
}

knack_status kernel_attention(struct arena *arena, const struct attention *a, const knack_real *qkv, knack_real *saved, knack_real *out)
{
    struct job job = {.a = a, .qkv = qkv, .saved = saved, .out = out};
    return run(arena, &job, forward_scratch);
}

knack_status kernel_attention_backward(struct arena *arena, const struct attention *a, const knack_real *qkv, const knack_real *saved,
                                       const knack_real *out, const knack_real *dout, knack_real *dqkv, bool add)
{
    struct job job = {.a = a, .qkv = qkv, .saved = (knack_real *)saved, .out = (knack_real *)out, .dout = dout, .dqkv = dqkv, .add = add};
    return run(arena, &job, backward_scratch);
}
