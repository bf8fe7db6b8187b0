/* Layer norm, also of a sum with what dropout leaves of a change: one pass over a row each way while it is in cache. The gradients of gamma
 * and beta are summed over fixed blocks of rows. */
#include "tensor/kernels/kernels.h"

#include <math.h>

#include "tensor/kernels/loops.h"

enum { LANES = 16, PART_ROWS = 64 };

struct layer_norm {
    int64_t rows, width;
    const knack_real *x, *dy;       /* [rows, width] */
    const knack_real *gamma, *beta; /* [width] */
    double epsilon;
    const knack_real *mean, *scale;   /* [rows] */
    knack_real *new_mean, *new_scale; /* [rows], forward */
    knack_real *out;                  /* y or dx [rows, width] */
    bool add;
    const struct dropped_change *change; /* NULL: none */
    knack_real *dgamma, *dbeta;          /* [parts, width] */
    knack_real *spare;                   /* [parts, width] a row of each part */
};

static int64_t part_end(const struct layer_norm *n, int64_t part)
{
    return (part + 1) * PART_ROWS < n->rows ? (part + 1) * PART_ROWS : n->rows;
}

/* A row's sums are kept in LANES lanes, so that their order is fixed and they vectorise. */
VECTOR_INLINE double join_lanes(const knack_real lane[LANES])
{
    double sum = 0;
    for (int i = 0; i < LANES; i++) sum += (double)lane[i];
    return sum;
}

VECTOR_INLINE double row_mean(int64_t width, const knack_real *x)
{
    knack_real lane[LANES] = {0};
    int64_t j = 0;
    for (; j + LANES <= width; j += LANES)
        for (int i = 0; i < LANES; i++) lane[i] += x[j + i];
    for (; j < width; j++) lane[j % LANES] += x[j];
    return join_lanes(lane) / (double)width;
}

VECTOR_INLINE double row_variance(int64_t width, const knack_real *x, knack_real mean)
{
    knack_real lane[LANES] = {0};
    int64_t j = 0;
    for (; j + LANES <= width; j += LANES)
        for (int i = 0; i < LANES; i++) lane[i] += (x[j + i] - mean) * (x[j + i] - mean);
    for (; j < width; j++) lane[j % LANES] += (x[j] - mean) * (x[j] - mean);
    return join_lanes(lane) / (double)width;
}

/* sum = x + what dropout leaves of the change. */
VECTOR_INLINE void add_change(int64_t width, const knack_real *restrict x, const knack_real *restrict change, const uint8_t *restrict mask,
                              knack_real scale, knack_real *restrict sum)
{
    if (mask)
        for (int64_t j = 0; j < width; j++) sum[j] = x[j] + (mask[j] ? change[j] * scale : 0);
    else
        for (int64_t j = 0; j < width; j++) sum[j] = x[j] + change[j];
}

/* The row that is normalised: x's, or the sum, which is written first. */
VECTOR_INLINE const knack_real *row_input(const struct layer_norm *n, int64_t row)
{
    const struct dropped_change *c = n->change;
    const int64_t at = row * n->width;
    if (!c) return n->x + at;
    add_change(n->width, n->x + at, c->change + at, c->mask ? c->mask + at : NULL, c->scale, c->sum + at);
    return c->sum + at;
}

VECTOR
static void normalise_rows(const struct layer_norm *n, int64_t part)
{
    const int64_t width = n->width, end = part_end(n, part);
    const knack_real *restrict gamma = n->gamma, *restrict beta = n->beta;
    for (int64_t row = part * PART_ROWS; row < end; row++) {
        const knack_real *restrict x = row_input(n, row);
        knack_real *restrict y = n->out + row * width;
        const knack_real mean = (knack_real)row_mean(width, x);
        const knack_real scale = (knack_real)(1 / sqrt(row_variance(width, x, mean) + n->epsilon));
        for (int64_t j = 0; j < width; j++) y[j] = (x[j] - mean) * scale * gamma[j] + beta[j];
        n->new_mean[row] = mean;
        n->new_scale[row] = scale;
    }
}

static void normalise_body(void *user, int64_t part)
{
    normalise_rows(user, part);
}

void kernel_layer_norm(int64_t rows, int64_t width, const knack_real *x, const struct dropped_change *change, double epsilon,
                       const knack_real *gamma, const knack_real *beta, knack_real *mean, knack_real *scale, knack_real *y)
{
    struct layer_norm n = {.rows = rows,
                           .width = width,
                           .x = x,
                           .change = change,
                           .gamma = gamma,
                           .beta = beta,
                           .epsilon = epsilon,
                           .new_mean = mean,
                           .new_scale = scale,
                           .out = y};
    run_parts(rows * width, (rows + PART_ROWS - 1) / PART_ROWS, normalise_body, &n);
}

/* ---- Backward ---- */

/* With g = gamma dy and h the normalised x: the means over a row of g and of g h. */
VECTOR_INLINE void row_means(int64_t width, const knack_real *x, const knack_real *dy, const knack_real *gamma, knack_real mean,
                             knack_real scale, knack_real *first, knack_real *second)
{
    knack_real sum[LANES] = {0}, product[LANES] = {0};
    int64_t j = 0;
    for (; j + LANES <= width; j += LANES)
        for (int i = 0; i < LANES; i++) {
            const knack_real g = dy[j + i] * gamma[j + i];
            sum[i] += g;
            product[i] += g * ((x[j + i] - mean) * scale);
        }
    for (; j < width; j++) {
        const knack_real g = dy[j] * gamma[j];
        sum[j % LANES] += g;
        product[j % LANES] += g * ((x[j] - mean) * scale);
    }
    *first = (knack_real)(join_lanes(sum) / (double)width);
    *second = (knack_real)(join_lanes(product) / (double)width);
}

/* The gradient of what dropout leaves of a change, from that of the sum. */
VECTOR_INLINE void change_gradient(int64_t width, const knack_real *restrict dsum, const uint8_t *restrict mask, knack_real scale,
                                   knack_real *restrict dchange, bool add)
{
    if (mask)
        for (int64_t j = 0; j < width; j++) dchange[j] = (mask[j] ? dsum[j] * scale : 0) + (add ? dchange[j] : 0);
    else
        for (int64_t j = 0; j < width; j++) dchange[j] = dsum[j] + (add ? dchange[j] : 0);
}

/* dx (+)= scale (g - mean of g - h mean of g h), and the change's gradient from the same. */
VECTOR_INLINE void row_input_gradient(const struct layer_norm *n, int64_t row, knack_real *restrict spare)
{
    const int64_t width = n->width;
    const knack_real *restrict x = n->x + row * width, *restrict dy = n->dy + row * width, *restrict gamma = n->gamma;
    const knack_real mean = n->mean[row], scale = n->scale[row];
    const struct dropped_change *c = n->change;
    knack_real *restrict dx = n->out ? n->out + row * width : NULL;
    knack_real *restrict dsum = dx && !n->add ? dx : spare;
    knack_real first, second;
    row_means(width, x, dy, gamma, mean, scale, &first, &second);
    for (int64_t j = 0; j < width; j++) dsum[j] = scale * (dy[j] * gamma[j] - first - (x[j] - mean) * scale * second);
    if (dx && n->add)
        for (int64_t j = 0; j < width; j++) dx[j] += dsum[j];
    if (c && c->dchange) change_gradient(width, dsum, c->mask ? c->mask + row * width : NULL, c->scale, c->dchange + row * width, c->add);
}

VECTOR
static void gradient_rows(const struct layer_norm *n, int64_t part)
{
    const int64_t width = n->width, end = part_end(n, part);
    knack_real *restrict dgamma = n->dgamma + part * width, *restrict dbeta = n->dbeta + part * width;
    const bool inner = n->out || (n->change && n->change->dchange);
    for (int64_t row = part * PART_ROWS; row < end; row++) {
        const knack_real *restrict x = n->x + row * width, *restrict dy = n->dy + row * width;
        const knack_real mean = n->mean[row], scale = n->scale[row];
        for (int64_t j = 0; j < width; j++) {
            dgamma[j] += dy[j] * ((x[j] - mean) * scale);
            dbeta[j] += dy[j];
        }
        if (inner) row_input_gradient(n, row, n->spare + part * width);
    }
}

static void gradient_body(void *user, int64_t part)
{
    gradient_rows(user, part);
}

static void join_parts(const struct layer_norm *n, int64_t parts, const knack_real *partial, knack_real *out, bool add)
{
    for (int64_t j = 0; j < n->width && out; j++) {
        double sum = add ? (double)out[j] : 0;
        for (int64_t part = 0; part < parts; part++) sum += (double)partial[part * n->width + j];
        out[j] = (knack_real)sum;
    }
}

knack_status kernel_layer_norm_backward(struct arena *arena, int64_t rows, int64_t width, const knack_real *x, const knack_real *mean,
                                        const knack_real *scale, const knack_real *gamma, const knack_real *dy, knack_real *dx, bool add_dx,
                                        const struct dropped_change *change, knack_real *dgamma, bool add_dgamma, knack_real *dbeta,
                                        bool add_dbeta)
{
    const struct arena_mark mark = arena_mark(arena);
    const int64_t parts = (rows + PART_ROWS - 1) / PART_ROWS;
    const size_t bytes = (size_t)(parts * width) * sizeof(knack_real);
    struct layer_norm n = {.rows = rows,
                           .width = width,
                           .x = change ? change->sum : x,
                           .dy = dy,
                           .gamma = gamma,
                           .mean = mean,
                           .scale = scale,
                           .out = dx,
                           .add = add_dx,
                           .change = change,
                           .dgamma = arena_zeroed(arena, bytes),
                           .dbeta = arena_zeroed(arena, bytes),
                           .spare = arena_alloc(arena, bytes)};
    const bool ready = n.dgamma && n.dbeta && n.spare;
    if (ready) {
        run_parts(rows * width, parts, gradient_body, &n);
        join_parts(&n, parts, n.dgamma, dgamma, add_dgamma);
        join_parts(&n, parts, n.dbeta, dbeta, add_dbeta);
    }
    arena_rewind(arena, mark);
    return ready ? KNACK_OK : KNACK_E_MEMORY;
}
