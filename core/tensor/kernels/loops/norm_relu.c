/* Batch norm between convolutions: statistics, relu(norm(x) + skip) and the way back, a few images at a time. */
#include "tensor/kernels/images.h"

#include <string.h>

#include "tensor/kernels/loops/bf16.h"
#include "tensor/kernels/loops/lanes.h"

enum { BLOCK_ROWS = 64 }; /* summed in KNACK_REAL; blocks are joined in double */

/* ---- Moments ---- */

/* The sums and the sums of squares of the distances from what stands in the block's first row, so that none cancel; then as of x itself. */
VECTOR_INLINE void block_moments(int64_t rows, int64_t stride, const knack_real *restrict x, int64_t width, double *first, double *second)
{
    knack_real sum[LANES] = {0}, square[LANES] = {0}, origin[LANES];
    for (int64_t j = 0; j < width; j++) origin[j] = x[j];
    for (int64_t i = 1; i < rows; i++)
        for (int64_t j = 0; j < width; j++) {
            const knack_real distance = x[i * stride + j] - origin[j];
            sum[j] += distance;
            square[j] += distance * distance;
        }
    for (int64_t j = 0; j < width; j++) {
        const double from = (double)origin[j], distances = (double)sum[j];
        first[j] += (double)rows * from + distances;
        second[j] += (double)square[j] + (2 * distances + (double)rows * from) * from;
    }
}

VECTOR_INLINE void lanes_moments(struct lanes lanes, int64_t width, int64_t channels, const knack_real *x, double *sums)
{
    double first[LANES] = {0}, second[LANES] = {0};
    for (int64_t row = 0; row < lanes.rows; row += BLOCK_ROWS) {
        const int64_t rows = lanes.rows - row < BLOCK_ROWS ? lanes.rows - row : BLOCK_ROWS;
        block_moments(rows, lanes.stride, x + lanes.at + row * lanes.stride, width, first, second);
    }
    lanes_join(lanes, width, first, channels, sums);
    lanes_join(lanes, width, second, channels, sums + channels);
}

VECTOR
static void image_moments(int64_t pixels, int64_t channels, const knack_real *x, double *sums)
{
    LANES_EACH(pixels, channels, lanes, lanes_moments(lanes, width, channels, x, sums));
}

void kernel_image_moments(int64_t images, int64_t pixels, int64_t channels, const knack_real *x, double *sums)
{
    memset(sums, 0, (size_t)(images * 2 * channels) * sizeof *sums);
    for (int64_t i = 0; i < images; i++) image_moments(pixels, channels, x + i * pixels * channels, sums + i * 2 * channels);
}

void kernel_join_images(int64_t images, int64_t channels, double *sums)
{
    for (int64_t i = 1; i < images; i++)
        for (int64_t c = 0; c < 2 * channels; c++) sums[c] += sums[i * 2 * channels + c];
}

/* ---- Forward ---- */

/* The terms of a norm in each lane; those of none leave what they are applied to. */
struct lane_terms {
    knack_real mean[LANES], factor[LANES], beta[LANES];
};

VECTOR_INLINE void spread_terms(const struct norm_line *terms, struct lanes lanes, int64_t width, int64_t channels, struct lane_terms *out)
{
    if (terms->mean) {
        lanes_spread(lanes, width, terms->mean, channels, out->mean);
        lanes_spread(lanes, width, terms->factor, channels, out->factor);
        lanes_spread(lanes, width, terms->beta, channels, out->beta);
        return;
    }
    for (int64_t j = 0; j < width; j++) {
        out->mean[j] = out->beta[j] = 0;
        out->factor[j] = 1;
    }
}

VECTOR_INLINE knack_real norm_value(const struct lane_terms *terms, int64_t lane, knack_real x)
{
    return (x - terms->mean[lane]) * terms->factor[lane] + terms->beta[lane];
}

/* skip NULL: none. y holds bf16 if half. */
VECTOR_INLINE void lanes_forward(const struct norm_relu *n, struct lanes lanes, int64_t width, const knack_real *restrict x,
                                 const knack_real *restrict skip, bool half, void *y)
{
    struct lane_terms norm, skip_norm;
    spread_terms(&n->norm, lanes, width, n->channels, &norm);
    if (skip) spread_terms(&n->skip_norm, lanes, width, n->channels, &skip_norm);
    knack_real *restrict real = y;
    uint16_t *restrict rounded = y;
    for (int64_t i = 0; i < lanes.rows; i++)
        for (int64_t j = 0; j < width; j++) {
            const int64_t k = lanes.at + i * lanes.stride + j;
            knack_real value = norm_value(&norm, j, x[k]);
            if (skip) value += norm_value(&skip_norm, j, skip[k]);
            value = value < 0 ? 0 : value;
            if (half)
                rounded[k] = bf16_round(value);
            else
                real[k] = value;
        }
}

VECTOR
static void forward(const struct norm_relu *n, struct images images, void *y, bool half)
{
    const int64_t pixels = images.count * n->image / n->channels, at = images.first * n->image;
    const knack_real *x = n->x + at, *skip = n->skip ? n->skip + at : NULL;
    if (skip && half)
        LANES_EACH(pixels, n->channels, lanes, lanes_forward(n, lanes, width, x, skip, true, y));
    else if (skip)
        LANES_EACH(pixels, n->channels, lanes, lanes_forward(n, lanes, width, x, skip, false, y));
    else if (half)
        LANES_EACH(pixels, n->channels, lanes, lanes_forward(n, lanes, width, x, NULL, true, y));
    else
        LANES_EACH(pixels, n->channels, lanes, lanes_forward(n, lanes, width, x, NULL, false, y));
}

void kernel_norm_relu(const struct norm_relu *n, struct images images, enum knack_type type, void *y)
{
    forward(n, images, y, type == KNACK_BF16);
}

/* ---- Backward: through ReLU, and the sums ---- */

/* Of g, and of g times x's distance from its mean, in each lane. */
struct lane_sums {
    double first[LANES], second[LANES];
};

/* y NULL: where ReLU let through is found from x. more, added to g first, may be NULL. */
VECTOR_INLINE void block_gradients(int64_t rows, int64_t stride, const struct lane_terms *norm, const knack_real *restrict x,
                                   const knack_real *restrict y, const knack_real *restrict more, knack_real *restrict g, int64_t width,
                                   struct lane_sums *sums)
{
    knack_real sum[LANES] = {0}, product[LANES] = {0};
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j++) {
            const int64_t k = i * stride + j;
            const knack_real arrived = more ? g[k] + more[k] : g[k];
            const knack_real through = (y ? y[k] : norm_value(norm, j, x[k])) > 0 ? arrived : 0;
            g[k] = through;
            sum[j] += through;
            product[j] += through * (x[k] - norm->mean[j]);
        }
    for (int64_t j = 0; j < width; j++) {
        sums->first[j] += (double)sum[j];
        sums->second[j] += (double)product[j];
    }
}

VECTOR_INLINE void lanes_gradients(const struct norm_relu *n, struct lanes lanes, int64_t width, const knack_real *x, const knack_real *y,
                                   const knack_real *more, knack_real *g, double *joined)
{
    struct lane_terms norm;
    struct lane_sums sums = {{0}, {0}};
    spread_terms(&n->norm, lanes, width, n->channels, &norm);
    for (int64_t row = 0; row < lanes.rows; row += BLOCK_ROWS) {
        const int64_t rows = lanes.rows - row < BLOCK_ROWS ? lanes.rows - row : BLOCK_ROWS, at = lanes.at + row * lanes.stride;
        block_gradients(rows, lanes.stride, &norm, x + at, y ? y + at : NULL, more ? more + at : NULL, g + at, width, &sums);
    }
    lanes_join(lanes, width, sums.first, n->channels, joined);
    lanes_join(lanes, width, sums.second, n->channels, joined + n->channels);
}

/* One image. */
VECTOR
static void image_gradients(const struct norm_relu *n, const knack_real *x, const knack_real *y, const knack_real *more, knack_real *g,
                            double *sums)
{
    const int64_t pixels = n->image / n->channels;
    if (y && more)
        LANES_EACH(pixels, n->channels, lanes, lanes_gradients(n, lanes, width, x, y, more, g, sums));
    else if (y)
        LANES_EACH(pixels, n->channels, lanes, lanes_gradients(n, lanes, width, x, y, NULL, g, sums));
    else if (more)
        LANES_EACH(pixels, n->channels, lanes, lanes_gradients(n, lanes, width, x, NULL, more, g, sums));
    else
        LANES_EACH(pixels, n->channels, lanes, lanes_gradients(n, lanes, width, x, NULL, NULL, g, sums));
}

/* The sums alone, of a gradient that has gone through ReLU: those of the skip's norm. */
VECTOR_INLINE void lanes_skip_sums(const struct norm_relu *n, struct lanes lanes, int64_t width, const knack_real *restrict g,
                                   const knack_real *restrict skip, double *joined)
{
    struct lane_terms norm;
    struct lane_sums sums = {{0}, {0}};
    spread_terms(&n->skip_norm, lanes, width, n->channels, &norm);
    for (int64_t row = 0; row < lanes.rows; row += BLOCK_ROWS) {
        knack_real sum[LANES] = {0}, product[LANES] = {0};
        for (int64_t i = row; i < lanes.rows && i < row + BLOCK_ROWS; i++)
            for (int64_t j = 0; j < width; j++) {
                const int64_t k = lanes.at + i * lanes.stride + j;
                sum[j] += g[k];
                product[j] += g[k] * (skip[k] - norm.mean[j]);
            }
        for (int64_t j = 0; j < width; j++) {
            sums.first[j] += (double)sum[j];
            sums.second[j] += (double)product[j];
        }
    }
    lanes_join(lanes, width, sums.first, n->channels, joined);
    lanes_join(lanes, width, sums.second, n->channels, joined + n->channels);
}

VECTOR
static void image_skip_sums(const struct norm_relu *n, const knack_real *g, const knack_real *skip, double *sums)
{
    LANES_EACH(n->image / n->channels, n->channels, lanes, lanes_skip_sums(n, lanes, width, g, skip, sums));
}

void kernel_norm_relu_backward(const struct norm_relu *n, struct images images, const knack_real *y, const knack_real *more, knack_real *g,
                               double *sums, double *skip_sums)
{
    const size_t bytes = (size_t)(images.count * 2 * n->channels) * sizeof *sums;
    memset(sums, 0, bytes);
    if (skip_sums) memset(skip_sums, 0, bytes);
    for (int64_t i = 0; i < images.count; i++) {
        const int64_t at = i * n->image, from = images.first * n->image + at, sum = i * 2 * n->channels;
        image_gradients(n, n->x + from, n->skip ? y + at : NULL, more ? more + at : NULL, g + at, sums + sum);
        if (skip_sums) image_skip_sums(n, g + at, n->skip + from, skip_sums + sum);
    }
}

/* ---- Backward: through the norm ---- */

VECTOR_INLINE void lanes_input(const struct norm_input *n, struct lanes lanes, int64_t width, const knack_real *restrict x,
                               const knack_real *restrict g, bool half, void *dx)
{
    knack_real mean[LANES], factor[LANES], slope[LANES], shift[LANES];
    lanes_spread(lanes, width, n->mean, n->channels, mean);
    lanes_spread(lanes, width, n->factor, n->channels, factor);
    lanes_spread(lanes, width, n->slope, n->channels, slope);
    lanes_spread(lanes, width, n->shift, n->channels, shift);
    knack_real *restrict real = dx;
    uint16_t *restrict rounded = dx;
    for (int64_t i = 0; i < lanes.rows; i++)
        for (int64_t j = 0; j < width; j++) {
            const int64_t k = lanes.at + i * lanes.stride + j;
            const knack_real value = g[k] * factor[j] - (x[k] - mean[j]) * slope[j] - shift[j];
            if (half)
                rounded[k] = bf16_round(value);
            else
                real[k] = value;
        }
}

VECTOR
static void input_gradient(const struct norm_input *n, struct images images, const knack_real *g, bool half, void *dx)
{
    const int64_t pixels = images.count * n->height * n->width;
    const knack_real *x = n->x + images.first * n->height * n->width * n->channels;
    if (half)
        LANES_EACH(pixels, n->channels, lanes, lanes_input(n, lanes, width, x, g, true, dx));
    else
        LANES_EACH(pixels, n->channels, lanes, lanes_input(n, lanes, width, x, g, false, dx));
}

void kernel_norm_input_gradient(const struct norm_input *n, struct images images, const knack_real *g, enum knack_type type, void *dx)
{
    input_gradient(n, images, g, type == KNACK_BF16, dx);
}
