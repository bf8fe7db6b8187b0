/* Layer norm: one pass over a row each way while it is in cache; the gradients of gamma and beta are summed over fixed blocks of rows. */
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
    knack_real *dgamma, *dbeta; /* [parts, width] */
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

VECTOR
static void normalise_rows(const struct layer_norm *n, int64_t part)
{
    const int64_t width = n->width, end = part_end(n, part);
    const knack_real *restrict gamma = n->gamma, *restrict beta = n->beta;
    for (int64_t row = part * PART_ROWS; row < end; row++) {
        const knack_real *restrict x = n->x + row * width;
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

void kernel_layer_norm(int64_t rows, int64_t width, const knack_real *x, double epsilon, const knack_real *gamma, const knack_real *beta,
                       knack_real *mean, knack_real *scale, knack_real *y)
{
    struct layer_norm n = {.rows = rows,
                           .width = width,
                           .x = x,
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

/* dx (+)= scale (g - mean of g - h mean of g h) */
VECTOR_INLINE void row_input_gradient(const struct layer_norm *n, int64_t row)
{
    const int64_t width = n->width;
    const knack_real *restrict x = n->x + row * width, *restrict dy = n->dy + row * width, *restrict gamma = n->gamma;
    const knack_real mean = n->mean[row], scale = n->scale[row];
    knack_real *restrict dx = n->out + row * width;
    knack_real first, second;
    row_means(width, x, dy, gamma, mean, scale, &first, &second);
    for (int64_t j = 0; j < width; j++) {
        const knack_real gradient = scale * (dy[j] * gamma[j] - first - (x[j] - mean) * scale * second);
        dx[j] = n->add ? dx[j] + gradient : gradient;
    }
}

VECTOR
static void gradient_rows(const struct layer_norm *n, int64_t part)
{
    const int64_t width = n->width, end = part_end(n, part);
    knack_real *restrict dgamma = n->dgamma + part * width, *restrict dbeta = n->dbeta + part * width;
    for (int64_t row = part * PART_ROWS; row < end; row++) {
        const knack_real *restrict x = n->x + row * width, *restrict dy = n->dy + row * width;
        const knack_real mean = n->mean[row], scale = n->scale[row];
        for (int64_t j = 0; j < width; j++) {
            dgamma[j] += dy[j] * ((x[j] - mean) * scale);
            dbeta[j] += dy[j];
        }
        if (n->out) row_input_gradient(n, row);
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
                                        knack_real *dgamma, bool add_dgamma, knack_real *dbeta, bool add_dbeta)
{
    const struct arena_mark mark = arena_mark(arena);
    const int64_t parts = (rows + PART_ROWS - 1) / PART_ROWS;
    const size_t bytes = (size_t)(parts * width) * sizeof(knack_real);
    struct layer_norm n = {.rows = rows,
                           .width = width,
                           .x = x,
                           .dy = dy,
                           .gamma = gamma,
                           .mean = mean,
                           .scale = scale,
                           .out = dx,
                           .add = add_dx,
                           .dgamma = arena_zeroed(arena, bytes),
                           .dbeta = arena_zeroed(arena, bytes)};
    const bool ready = n.dgamma && n.dbeta;
    if (ready) {
        run_parts(rows * width, parts, gradient_body, &n);
        join_parts(&n, parts, n.dgamma, dgamma, add_dgamma);
        join_parts(&n, parts, n.dbeta, dbeta, add_dbeta);
    }
    arena_rewind(arena, mark);
    return ready ? KNACK_OK : KNACK_E_MEMORY;
}
