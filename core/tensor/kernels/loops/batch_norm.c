/* Batch norm in two halves each way: sums over fixed blocks of rows, then one pass that applies them. A block is summed in f32, blocks
 * are joined in order in double. */
#include "tensor/kernels/images.h"

#include <math.h>

#include "tensor/kernels/loops.h"

enum { BLOCK_ROWS = 64, PART_VALUES = 1 << 15, MAX_PARTS = 64 };

struct norm {
    int64_t rows, channels, part_rows;
    const knack_real *x, *dy;                 /* [rows, channels] */
    const knack_real *mean;                   /* [channels] */
    const double *scale;                      /* [channels]: 1 / sqrt(variance + epsilon) */
    const knack_real *factor, *slope, *shift; /* [channels]: what the second halves need */
    double *first, *second;                   /* [parts, channels] */
    knack_real *out;                          /* [rows, channels] */
    bool add;
};

/* Parts of whole blocks, by shapes alone. */
static int64_t norm_part_rows(int64_t rows, int64_t channels)
{
    int64_t part = (PART_VALUES + channels - 1) / channels;
    if (part * MAX_PARTS < rows) part = (rows + MAX_PARTS - 1) / MAX_PARTS;
    return (part + BLOCK_ROWS - 1) / BLOCK_ROWS * BLOCK_ROWS;
}

static int64_t norm_parts(const struct norm *n)
{
    return (n->rows + n->part_rows - 1) / n->part_rows;
}

static int64_t part_end(const struct norm *n, int64_t part)
{
    const int64_t end = (part + 1) * n->part_rows;
    return end < n->rows ? end : n->rows;
}

/* Sums [channels] over all parts, in order, into those of part 0. */
static void join_parts(const struct norm *n, double *sums)
{
    for (int64_t part = 1; part < norm_parts(n); part++)
        for (int64_t c = 0; c < n->channels; c++) sums[c] += sums[part * n->channels + c];
}

/* ---- Moments ---- */

/* Of a block, the sum and the sum of squares; the squares are taken about the block's own mean, so that none cancel. */
VECTOR_INLINE void block_moments(int64_t rows, int64_t channels, const knack_real *x, int64_t width, double *first, double *second)
{
    knack_real sum[KERNEL_CHUNK] = {0}, square[KERNEL_CHUNK] = {0}, mean[KERNEL_CHUNK];
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j++) sum[j] += x[i * channels + j];
    for (int64_t j = 0; j < width; j++) mean[j] = sum[j] / (knack_real)rows;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j++) {
            const knack_real difference = x[i * channels + j] - mean[j];
            square[j] += difference * difference;
        }
    for (int64_t j = 0; j < width; j++) {
        first[j] += (double)sum[j];
        second[j] += (double)square[j] + (double)sum[j] * (double)sum[j] / (double)rows;
    }
}

VECTOR
static void part_moments(const struct norm *n, int64_t part)
{
    const int64_t channels = n->channels, end = part_end(n, part);
    double *first = n->first + part * channels, *second = n->second + part * channels;
    for (int64_t row = part * n->part_rows; row < end; row += BLOCK_ROWS) {
        const int64_t rows = end - row < BLOCK_ROWS ? end - row : BLOCK_ROWS;
        const knack_real *x = n->x + row * channels;
        KERNEL_CHUNKS(channels, c, block_moments(rows, channels, x + c, width, first + c, second + c));
    }
}

static void moments_body(void *user, int64_t part)
{
    part_moments(user, part);
}

knack_status kernel_channel_moments(struct arena *arena, int64_t rows, int64_t channels, const knack_real *x, knack_real *mean,
                                    knack_real *variance)
{
    const struct arena_mark mark = arena_mark(arena);
    struct norm n = {.rows = rows, .channels = channels, .part_rows = norm_part_rows(rows, channels), .x = x};
    const size_t bytes = (size_t)(norm_parts(&n) * channels) * sizeof(double);
    n.first = arena_zeroed(arena, bytes);
    n.second = arena_zeroed(arena, bytes);
    if (n.first && n.second) {
        run_parts(rows * channels, norm_parts(&n), moments_body, &n);
        join_parts(&n, n.first);
        join_parts(&n, n.second);
        for (int64_t c = 0; c < channels; c++) {
            const double average = n.first[c] / (double)rows, spread = n.second[c] / (double)rows - average * average;
            mean[c] = (knack_real)average;
            variance[c] = spread < 0 ? 0 : (knack_real)spread;
        }
    }
    arena_rewind(arena, mark);
    return n.first && n.second ? KNACK_OK : KNACK_E_MEMORY;
}

/* ---- Applying them ---- */

struct apply {
    struct norm norm;
    const knack_real *variance, *gamma, *beta; /* [channels] */
    double epsilon;
};

VECTOR_INLINE void apply_chunk(const struct apply *a, int64_t rows, int64_t at, int64_t c, int64_t width)
{
    const struct norm *n = &a->norm;
    const knack_real *restrict x = n->x + at + c;
    knack_real *restrict y = n->out + at + c;
    knack_real mean[KERNEL_CHUNK], factor[KERNEL_CHUNK], beta[KERNEL_CHUNK];
    for (int64_t j = 0; j < width; j++) {
        mean[j] = n->mean[c + j];
        factor[j] = (knack_real)((double)a->gamma[c + j] / sqrt((double)a->variance[c + j] + a->epsilon));
        beta[j] = a->beta[c + j];
    }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j++) y[i * n->channels + j] = (x[i * n->channels + j] - mean[j]) * factor[j] + beta[j];
}

VECTOR
static void apply_part(const struct apply *a, int64_t part)
{
    const struct norm *n = &a->norm;
    const int64_t first = part * n->part_rows, rows = part_end(n, part) - first;
    KERNEL_CHUNKS(n->channels, c, apply_chunk(a, rows, first * n->channels, c, width));
}

static void apply_body(void *user, int64_t part)
{
    apply_part(user, part);
}

void kernel_batch_norm(int64_t rows, int64_t channels, const knack_real *x, const knack_real *mean, const knack_real *variance,
                       double epsilon, const knack_real *gamma, const knack_real *beta, knack_real *y)
{
    struct apply a = {
        .norm = {.rows = rows, .channels = channels, .part_rows = norm_part_rows(rows, channels), .x = x, .mean = mean, .out = y},
        .variance = variance,
        .gamma = gamma,
        .beta = beta,
        .epsilon = epsilon,
    };
    run_parts(rows * channels, norm_parts(&a.norm), apply_body, &a);
}

/* ---- Backward ---- */

/* Of a block: first += sum dy, second += sum dy (x - mean). */
VECTOR_INLINE void block_gradients(int64_t rows, int64_t channels, const knack_real *x, const knack_real *dy, const knack_real *mean,
                                   int64_t width, double *first, double *second)
{
    knack_real sum[KERNEL_CHUNK] = {0}, product[KERNEL_CHUNK] = {0};
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j++) {
            const knack_real gradient = dy[i * channels + j];
            sum[j] += gradient;
            product[j] += gradient * (x[i * channels + j] - mean[j]);
        }
    for (int64_t j = 0; j < width; j++) {
        first[j] += (double)sum[j];
        second[j] += (double)product[j];
    }
}

VECTOR
static void part_gradients(const struct norm *n, int64_t part)
{
    const int64_t channels = n->channels, end = part_end(n, part);
    double *first = n->first + part * channels, *second = n->second + part * channels;
    for (int64_t row = part * n->part_rows; row < end; row += BLOCK_ROWS) {
        const int64_t rows = end - row < BLOCK_ROWS ? end - row : BLOCK_ROWS;
        const knack_real *x = n->x + row * channels, *dy = n->dy + row * channels;
        KERNEL_CHUNKS(channels, c, block_gradients(rows, channels, x + c, dy + c, n->mean + c, width, first + c, second + c));
    }
}

static void gradients_body(void *user, int64_t part)
{
    part_gradients(user, part);
}

/* dx (+)= factor dy - slope (x - mean) - shift */
VECTOR_INLINE void input_chunk(const struct norm *n, int64_t rows, int64_t at, int64_t c, int64_t width, bool add)
{
    const knack_real *restrict x = n->x + at + c, *restrict dy = n->dy + at + c;
    knack_real *restrict dx = n->out + at + c;
    knack_real mean[KERNEL_CHUNK], factor[KERNEL_CHUNK], slope[KERNEL_CHUNK], shift[KERNEL_CHUNK];
    for (int64_t j = 0; j < width; j++) {
        mean[j] = n->mean[c + j];
        factor[j] = n->factor[c + j];
        slope[j] = n->slope[c + j];
        shift[j] = n->shift[c + j];
    }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j++) {
            const int64_t k = i * n->channels + j;
            const knack_real gradient = dy[k] * factor[j] - (x[k] - mean[j]) * slope[j] - shift[j];
            dx[k] = add ? dx[k] + gradient : gradient;
        }
}

VECTOR
static void part_input(const struct norm *n, int64_t part)
{
    const int64_t first = part * n->part_rows, rows = part_end(n, part) - first;
    if (n->add)
        KERNEL_CHUNKS(n->channels, c, input_chunk(n, rows, first * n->channels, c, width, true));
    else
        KERNEL_CHUNKS(n->channels, c, input_chunk(n, rows, first * n->channels, c, width, false));
}

static void input_body(void *user, int64_t part)
{
    part_input(user, part);
}

/* What input_gradient() needs, from the joined sums. */
static knack_status input_factors(struct arena *arena, struct norm *n, bool batch, const knack_real *gamma)
{
    const size_t bytes = (size_t)n->channels * sizeof(knack_real);
    knack_real *factor = arena_alloc(arena, bytes), *slope = arena_alloc(arena, bytes), *shift = arena_alloc(arena, bytes);
    if (!factor || !slope || !shift) return KNACK_E_MEMORY;
    for (int64_t c = 0; c < n->channels; c++) {
        const double scale = n->scale[c], share = batch ? (double)gamma[c] * scale / (double)n->rows : 0;
        factor[c] = (knack_real)((double)gamma[c] * scale);
        slope[c] = (knack_real)(share * scale * scale * n->second[c]);
        shift[c] = (knack_real)(share * n->first[c]);
    }
    n->factor = factor;
    n->slope = slope;
    n->shift = shift;
    return KNACK_OK;
}

static knack_status gradient_sums(struct arena *arena, struct norm *n, const knack_real *variance, double epsilon)
{
    const size_t bytes = (size_t)(norm_parts(n) * n->channels) * sizeof(double);
    double *scale = arena_alloc(arena, (size_t)n->channels * sizeof *scale);
    n->first = arena_zeroed(arena, bytes);
    n->second = arena_zeroed(arena, bytes);
    if (!scale || !n->first || !n->second) return KNACK_E_MEMORY;
    for (int64_t c = 0; c < n->channels; c++) scale[c] = 1 / sqrt((double)variance[c] + epsilon);
    n->scale = scale;
    run_parts(n->rows * n->channels, norm_parts(n), gradients_body, n);
    join_parts(n, n->first);
    join_parts(n, n->second);
    return KNACK_OK;
}

static knack_status backward(struct arena *arena, struct norm *n, bool batch, const knack_real *variance, double epsilon,
                             const knack_real *gamma, knack_real *dgamma, bool add_dgamma, knack_real *dbeta, bool add_dbeta)
{
    TRY(gradient_sums(arena, n, variance, epsilon));
    for (int64_t c = 0; c < n->channels && dgamma; c++)
        dgamma[c] = (knack_real)((add_dgamma ? (double)dgamma[c] : 0) + n->second[c] * n->scale[c]);
    for (int64_t c = 0; c < n->channels && dbeta; c++) dbeta[c] = (knack_real)((add_dbeta ? (double)dbeta[c] : 0) + n->first[c]);
    if (!n->out) return KNACK_OK;
    TRY(input_factors(arena, n, batch, gamma));
    run_parts(n->rows * n->channels, norm_parts(n), input_body, n);
    return KNACK_OK;
}

knack_status kernel_batch_norm_backward(struct arena *arena, bool batch, int64_t rows, int64_t channels, const knack_real *x,
                                        const knack_real *mean, const knack_real *variance, double epsilon, const knack_real *gamma,
                                        const knack_real *dy, knack_real *dx, bool add_dx, knack_real *dgamma, bool add_dgamma,
                                        knack_real *dbeta, bool add_dbeta)
{
    const struct arena_mark mark = arena_mark(arena);
    struct norm n = {.rows = rows,
                     .channels = channels,
                     .part_rows = norm_part_rows(rows, channels),
                     .x = x,
                     .dy = dy,
                     .mean = mean,
                     .out = dx,
                     .add = add_dx};
    knack_status status = backward(arena, &n, batch, variance, epsilon, gamma, dgamma, add_dgamma, dbeta, add_dbeta);
    arena_rewind(arena, mark);
    return status;
}
