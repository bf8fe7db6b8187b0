/* Softmax and what is built on it, over the last axis; x is seen as [rows, width]. */
#include <tgmath.h>

#include "tensor/functions.h"
#include "tensor/operand.h"
#include "tensor/vector.h"

/* Threads get blocks of rows, of about VECTOR_PART values. */
struct row_work {
    void (*row)(const knack_tensor *result, int64_t row, knack_real *dx, bool fresh);
    knack_tensor *result;
    knack_real *dx; /* [rows, width], in backward */
    bool fresh;
    int64_t rows, rows_per_part;
};

static void rows_part(void *user, int64_t part)
{
    const struct row_work *work = user;
    int64_t first = part * work->rows_per_part, end = first + work->rows_per_part;
    if (end > work->rows) end = work->rows;
    for (int64_t row = first; row < end; row++) work->row(work->result, row, work->dx, work->fresh);
}

/* Calls row() for every row of the result's first operand. */
static void for_rows(knack_tensor *result, knack_real *dx, bool fresh,
                     void (*row)(const knack_tensor *result, int64_t row, knack_real *dx, bool fresh))
{
    const knack_tensor *x = result->input[0];
    struct row_work work = {.row = row, .result = result, .dx = dx, .fresh = fresh, .rows = tensor_rows(x)};
    work.rows_per_part = VECTOR_PART / tensor_width(x) + 1;
    threads_run((work.rows - 1) / work.rows_per_part + 1, rows_part, &work);
}

/* A row of fewer values than NARROW is padded to so many, that it be worked on as vectors too. */
enum { NARROW = 16 };

static inline void pad(int64_t width, const knack_real *restrict x, knack_real padded[NARROW])
{
    for (int64_t i = 0; i < NARROW; i++) padded[i] = i < width ? x[i] : -INFINITY;
}

/* exp(x - shift), summed; shift is the row's maximum, or 0 if that is not finite, so that -Inf entries and NaN come out right. */
struct exp_sum {
    knack_real shift;
    double sum;
};

static inline knack_real shift_of(int64_t width, const knack_real *restrict x)
{
    knack_real max = x[0];
#pragma omp simd reduction(max : max)
    for (int64_t i = 0; i < width; i++) max = x[i] > max ? x[i] : max;
    return isfinite(max) ? max : 0;
}

/* Sums run in knack_real over so many values, and are joined in double: as fast as the one, nearly as exact as the other. */
enum { PIECE = 1024 };

static inline struct exp_sum wide_exp_sum(int64_t width, const knack_real *restrict x)
{
    struct exp_sum e = {.shift = shift_of(width, x), .sum = 0};
    for (int64_t first = 0; first < width; first += PIECE) {
        const int64_t end = first + PIECE < width ? first + PIECE : width;
        knack_real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = first; i < end; i++) sum += vector_exp(x[i] - e.shift);
        e.sum += sum;
    }
    return e;
}

static inline struct exp_sum exp_sum(int64_t width, const knack_real *restrict x)
{
    knack_real padded[NARROW];
    if (width >= NARROW) return wide_exp_sum(width, x);
    pad(width, x, padded);
    return wide_exp_sum(NARROW, padded);
}

/* out (+)= factor exp(x - shift) */
static inline void add_exp(int64_t width, const knack_real *restrict x, knack_real shift, knack_real factor, knack_real *restrict out,
                           bool fresh)
{
    if (width < NARROW) {
        knack_real padded[NARROW];
        pad(width, x, padded);
        for (int64_t i = 0; i < NARROW; i++) padded[i] = factor * vector_exp(padded[i] - shift);
        for (int64_t i = 0; i < width; i++) out[i] = padded[i] + (fresh ? 0 : out[i]);
    } else if (fresh) {
        for (int64_t i = 0; i < width; i++) out[i] = factor * vector_exp(x[i] - shift);
    } else {
        for (int64_t i = 0; i < width; i++) out[i] += factor * vector_exp(x[i] - shift);
    }
}

/* y = softmax(x) */
static inline void wide_softmax(int64_t width, const knack_real *restrict x, knack_real *restrict y)
{
    const knack_real shift = shift_of(width, x);
    double total = 0;
    for (int64_t first = 0; first < width; first += PIECE) {
        const int64_t end = first + PIECE < width ? first + PIECE : width;
        knack_real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = first; i < end; i++) {
            y[i] = vector_exp(x[i] - shift);
            sum += y[i];
        }
        total += sum;
    }
    const knack_real inverse = (knack_real)(1 / total);
    for (int64_t i = 0; i < width; i++) y[i] *= inverse;
}

static inline const knack_real *x_row(const knack_tensor *result, int64_t row)
{
    return (const knack_real *)result->input[0]->data + row * tensor_width(result->input[0]);
}

/* ---- Softmax and its logarithm: [rows, width] ---- */

VECTOR static void softmax_row(const knack_tensor *result, int64_t row, knack_real *unused_dx, bool unused_fresh)
{
    (void)unused_dx, (void)unused_fresh;
    const int64_t width = tensor_width(result);
    const knack_real *restrict x = x_row(result, row);
    knack_real *restrict y = (knack_real *)result->data + row * width;
    if (width >= NARROW) {
        wide_softmax(width, x, y);
    } else {
        knack_real padded[NARROW], share[NARROW];
        pad(width, x, padded);
        wide_softmax(NARROW, padded, share);
        for (int64_t i = 0; i < width; i++) y[i] = share[i];
    }
}

VECTOR static void softmax_row_backward(const knack_tensor *result, int64_t row, knack_real *dx, bool fresh)
{
    const int64_t width = tensor_width(result);
    const knack_real *restrict y = (const knack_real *)result->data + row * width, *restrict g = result->gradient + row * width;
    knack_real *restrict out = dx + row * width;
    double dot = 0;
#pragma omp simd reduction(+ : dot)
    for (int64_t i = 0; i < width; i++) dot += y[i] * g[i];
    const knack_real mean = (knack_real)dot;
    for (int64_t i = 0; i < width; i++) out[i] = y[i] * (g[i] - mean) + (fresh ? 0 : out[i]);
}

VECTOR static void log_softmax_row(const knack_tensor *result, int64_t row, knack_real *unused_dx, bool unused_fresh)
{
    (void)unused_dx, (void)unused_fresh;
    const int64_t width = tensor_width(result);
    const knack_real *restrict x = x_row(result, row);
    knack_real *restrict y = (knack_real *)result->data + row * width;
    const struct exp_sum e = exp_sum(width, x);
    const knack_real log_sum = (knack_real)log(e.sum);
    for (int64_t i = 0; i < width; i++) y[i] = x[i] - e.shift - log_sum;
}

VECTOR static void log_softmax_row_backward(const knack_tensor *result, int64_t row, knack_real *dx, bool fresh)
{
    const int64_t width = tensor_width(result);
    const knack_real *restrict y = (const knack_real *)result->data + row * width, *restrict g = result->gradient + row * width;
    knack_real *restrict out = dx + row * width;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < width; i++) sum += g[i];
    for (int64_t i = 0; i < width; i++) out[i] = g[i] + (fresh ? 0 : out[i]);
    add_exp(width, y, 0, -(knack_real)sum, out, false);
}

static void softmax_backward(knack_tensor *result)
{
    bool fresh;
    knack_real *dx = tape_gradient(result->input[0], &fresh);
    if (dx) for_rows(result, dx, fresh, softmax_row_backward);
}

static void log_softmax_backward(knack_tensor *result)
{
    bool fresh;
    knack_real *dx = tape_gradient(result->input[0], &fresh);
    if (dx) for_rows(result, dx, fresh, log_softmax_row_backward);
}

knack_tensor *knack_softmax(knack_tensor *x)
{
    if (!operand_real(__func__, x)) return NULL;
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 1, &x);
    if (!result) return NULL;
    result->backward = softmax_backward;
    for_rows(result, NULL, false, softmax_row);
    return result;
}

knack_tensor *knack_log_softmax(knack_tensor *x)
{
    if (!operand_real(__func__, x)) return NULL;
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 1, &x);
    if (!result) return NULL;
    result->backward = log_softmax_backward;
    for_rows(result, NULL, false, log_softmax_row);
    return result;
}

/* ---- One value a row: logsumexp and the cross-entropies ----
 * Backward needs softmax(x) again: it is exp(x - shift) inverse. */

struct row_softmax {
    knack_real shift, inverse;
    knack_real weight; /* of a dense target: its sum */
};

struct row_losses {
    const int32_t *id;         /* [rows]; NULL but for cross_entropy */
    const knack_real *target;  /* [rows, width]; NULL but for cross_entropy_dense */
    struct row_softmax *state; /* [rows] */
};

static inline struct row_softmax row_softmax(struct exp_sum e)
{
    return (struct row_softmax){.shift = e.shift, .inverse = e.sum == 0 ? 0 : (knack_real)(1 / e.sum), .weight = 1};
}

VECTOR static void logsumexp_row(const knack_tensor *result, int64_t row, knack_real *unused_dx, bool unused_fresh)
{
    (void)unused_dx, (void)unused_fresh;
    const struct row_losses *losses = result->saved;
    const struct exp_sum e = exp_sum(tensor_width(result->input[0]), x_row(result, row));
    losses->state[row] = row_softmax(e);
    ((knack_real *)result->data)[row] = e.shift + (knack_real)log(e.sum);
}

VECTOR static void cross_entropy_row(const knack_tensor *result, int64_t row, knack_real *unused_dx, bool unused_fresh)
{
    (void)unused_dx, (void)unused_fresh;
    const struct row_losses *losses = result->saved;
    const knack_real *x = x_row(result, row);
    const int32_t id = losses->id[row];
    const struct exp_sum e = exp_sum(tensor_width(result->input[0]), x);
    losses->state[row] = row_softmax(e);
    ((knack_real *)result->data)[row] = id < 0 ? 0 : (knack_real)log(e.sum) - (x[id] - e.shift);
}

VECTOR static void dense_row(const knack_tensor *result, int64_t row, knack_real *unused_dx, bool unused_fresh)
{
    (void)unused_dx, (void)unused_fresh;
    const struct row_losses *losses = result->saved;
    const int64_t width = tensor_width(result->input[0]);
    const knack_real *restrict x = x_row(result, row), *restrict target = losses->target + row * width;
    const struct exp_sum e = exp_sum(width, x);
    const knack_real log_sum = (knack_real)log(e.sum);
    double loss = 0, weight = 0;
#pragma omp simd reduction(+ : loss, weight)
    for (int64_t i = 0; i < width; i++) {
        /* A target of 0 asks nothing, even of a logit of -Inf. */
        loss += target[i] == 0 ? 0 : target[i] * (log_sum - (x[i] - e.shift));
        weight += target[i];
    }
    losses->state[row] = row_softmax(e);
    losses->state[row].weight = (knack_real)weight;
    ((knack_real *)result->data)[row] = (knack_real)loss;
}

/* g softmax(x) weight, less g target. */
VECTOR static void loss_row_backward(const knack_tensor *result, int64_t row, knack_real *dx, bool fresh)
{
    const struct row_losses *losses = result->saved;
    const int64_t width = tensor_width(result->input[0]);
    const struct row_softmax state = losses->state[row];
    const int32_t id = losses->id ? losses->id[row] : 0;
    const knack_real g = id < 0 ? 0 : result->gradient[row], factor = g * state.weight * state.inverse;
    const knack_real *restrict x = x_row(result, row);
    knack_real *restrict out = dx + row * width;
    add_exp(width, x, state.shift, factor, out, fresh);
    if (losses->target) {
        const knack_real *restrict target = losses->target + row * width;
        for (int64_t i = 0; i < width; i++) out[i] -= g * target[i];
    } else if (losses->id && id >= 0) {
        out[id] -= g;
    }
}

static void losses_backward(knack_tensor *result)
{
    bool fresh;
    knack_real *dx = tape_gradient(result->input[0], &fresh);
    if (dx) for_rows(result, dx, fresh, loss_row_backward);
}

/* x [..., width] -> [...] by row(); id and target as in struct row_losses. */
static knack_tensor *row_losses(knack_tensor *x, const int32_t *id, const knack_real *target,
                                void (*row)(const knack_tensor *, int64_t, knack_real *, bool))
{
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim - 1, x->shape, 1, &x);
    struct row_losses *losses = result ? tape_alloc(x->tape, sizeof *losses) : NULL;
    if (!losses) return NULL;
    *losses = (struct row_losses){.id = id, .target = target};
    losses->state = tape_alloc(x->tape, (size_t)result->count * sizeof *losses->state);
    if (!losses->state) return NULL;
    result->saved = losses;
    result->backward = losses_backward;
    for_rows(result, NULL, false, row);
    return result;
}

knack_tensor *knack_logsumexp(knack_tensor *x)
{
    if (!operand_real(__func__, x) || !operand_axis(__func__, x, x->ndim - 1)) return NULL;
    return row_losses(x, NULL, NULL, logsumexp_row);
}

knack_tensor *knack_cross_entropy(knack_tensor *logits, const int32_t *id)
{
    if (!operand_axes(__func__, logits, 2)) return NULL;
    id = operand_ids(__func__, "id", logits->tape, id, logits->shape[0], logits->shape[1], true);
    return id ? row_losses(logits, id, NULL, cross_entropy_row) : NULL;
}

knack_tensor *knack_cross_entropy_dense(knack_tensor *logits, knack_tensor *target)
{
    if (!operand_axes(__func__, logits, 2) || !operand_alike(__func__, logits, target)) return NULL;
    return row_losses(logits, NULL, target->data, dense_row);
}
