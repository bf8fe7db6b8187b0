/* The maxima of relu(norm(x)) over 2 x 2 windows, and the way back. No index is kept: which value of a window was the first maximum is
 * found again from x. */
#include "tensor/kernels/loops/norm_pool.h"

#include "tensor/kernels/loops.h"
#include "tensor/kernels/loops/bf16.h"

enum { WINDOW = 4 };

static int64_t out_height(const struct norm_relu *n)
{
    return n->height / 2;
}

static int64_t out_width(const struct norm_relu *n)
{
    return n->width / 2;
}

static int64_t image_size(const struct norm_relu *n)
{
    return n->height * n->width * n->channels;
}

static int64_t out_size(const struct norm_relu *n)
{
    return out_height(n) * out_width(n) * n->channels;
}

/* The terms of the norm in the channels of a chunk. */
struct chunk_terms {
    knack_real mean[KERNEL_CHUNK], factor[KERNEL_CHUNK], beta[KERNEL_CHUNK];
};

VECTOR_INLINE void load_terms(const struct norm_terms *terms, int64_t first, int64_t width, struct chunk_terms *out)
{
    for (int64_t c = 0; c < width; c++) {
        out->mean[c] = terms->mean[first + c];
        out->factor[c] = terms->factor[first + c];
        out->beta[c] = terms->beta[first + c];
    }
}

VECTOR_INLINE knack_real norm_value(const struct chunk_terms *terms, int64_t c, knack_real x)
{
    return (x - terms->mean[c]) * terms->factor[c] + terms->beta[c];
}

/* Where a window's values lie, from its first: in row-major order. */
VECTOR_INLINE int64_t window_offset(const struct norm_relu *n, int64_t k)
{
    return (k / 2 * n->width + k % 2) * n->channels;
}

/* The first of a window's values in row y and column x of the maxima. */
VECTOR_INLINE int64_t window_at(const struct norm_relu *n, int64_t y, int64_t x)
{
    return (2 * y * n->width + 2 * x) * n->channels;
}

/* ---- Forward ---- */

/* One row of maxima. A NaN is taken, and stays. */
VECTOR_INLINE void maxima(const struct norm_relu *n, const knack_real *restrict x, int64_t first, int64_t width, bool half, void *y)
{
    struct chunk_terms terms;
    load_terms(&n->norm, first, width, &terms);
    knack_real *restrict real = y;
    uint16_t *restrict rounded = y;
    for (int64_t i = 0; i < out_width(n); i++) {
        const knack_real *restrict window = x + 2 * i * n->channels + first;
        for (int64_t c = 0; c < width; c++) {
            knack_real best = norm_value(&terms, c, window[c]);
            for (int k = 1; k < WINDOW; k++) {
                const knack_real value = norm_value(&terms, c, window[window_offset(n, k) + c]);
                best = value > best || value != value ? value : best;
            }
            best = best < 0 ? 0 : best;
            if (half)
                rounded[i * n->channels + first + c] = bf16_round(best);
            else
                real[i * n->channels + first + c] = best;
        }
    }
}

VECTOR
static void forward(const struct norm_relu *n, struct images images, bool half, void *y)
{
    for (int64_t i = 0; i < images.count * out_height(n); i++) {
        const int64_t image = images.first + i / out_height(n), row = i % out_height(n);
        const knack_real *x = n->x + image * image_size(n) + window_at(n, row, 0);
        const int64_t at = i * out_width(n) * n->channels;
        if (half)
            KERNEL_CHUNKS(n->channels, c, maxima(n, x, c, width, true, (uint16_t *)y + at));
        else
            KERNEL_CHUNKS(n->channels, c, maxima(n, x, c, width, false, (knack_real *)y + at));
    }
}

void norm_pool_forward(const struct norm_relu *n, struct images images, enum knack_type type, void *y)
{
    forward(n, images, type == KNACK_BF16, y);
}

/* ---- Backward: the sums ---- */

/* Of one row of maxima: of their gradients where ReLU let through, and of these times the distance from the mean of the x that was the
 * first maximum. */
VECTOR_INLINE void row_sums(const struct norm_relu *n, const knack_real *restrict x, const knack_real *restrict dy, int64_t first,
                            int64_t width, double *sums)
{
    struct chunk_terms terms;
    knack_real sum[KERNEL_CHUNK] = {0}, product[KERNEL_CHUNK] = {0};
    load_terms(&n->norm, first, width, &terms);
    for (int64_t i = 0; i < out_width(n); i++) {
        const knack_real *restrict window = x + 2 * i * n->channels + first;
        for (int64_t c = 0; c < width; c++) {
            knack_real best = norm_value(&terms, c, window[c]), from = window[c];
            for (int k = 1; k < WINDOW; k++) {
                const knack_real other = window[window_offset(n, k) + c], value = norm_value(&terms, c, other);
                const bool taken = value > best || value != value;
                best = taken ? value : best;
                from = taken ? other : from;
            }
            const knack_real g = best > 0 ? dy[i * n->channels + first + c] : 0;
            sum[c] += g;
            product[c] += g * (from - terms.mean[c]);
        }
    }
    for (int64_t c = 0; c < width; c++) {
        sums[first + c] += (double)sum[c];
        sums[n->channels + first + c] += (double)product[c];
    }
}

VECTOR
static void add_to(int64_t count, const knack_real *restrict values, knack_real *restrict sum)
{
    for (int64_t i = 0; i < count; i++) sum[i] += values[i];
}

VECTOR
static void image_sums(const struct norm_relu *n, const knack_real *x, const knack_real *dy, double *sums)
{
    for (int64_t row = 0; row < out_height(n); row++) {
        const knack_real *first = x + window_at(n, row, 0), *gradient = dy + row * out_width(n) * n->channels;
        KERNEL_CHUNKS(n->channels, c, row_sums(n, first, gradient, c, width, sums));
    }
}

void norm_pool_backward(const struct norm_relu *n, struct images images, const knack_real *more, knack_real *dy, double *sums)
{
    if (more) add_to(images.count * out_size(n), more, dy);
    for (int64_t i = 0; i < images.count; i++)
        image_sums(n, n->x + (images.first + i) * image_size(n), dy + i * out_size(n), sums + i * 2 * n->channels);
}

/* ---- Backward: through the norm ---- */

struct input {
    const struct norm_relu *n;
    const struct norm_slopes *slopes;
    bool half;
};

VECTOR_INLINE void put(bool half, void *out, int64_t at, knack_real value)
{
    if (half)
        ((uint16_t *)out)[at] = bf16_round(value);
    else
        ((knack_real *)out)[at] = value;
}

/* One row of windows. */
VECTOR_INLINE void row_input(const struct norm_relu *n, const struct norm_slopes *slopes, const knack_real *restrict x,
                             const knack_real *restrict dy, int64_t first, int64_t width, bool half, void *restrict dx)
{
    struct chunk_terms terms;
    knack_real slope[KERNEL_CHUNK], shift[KERNEL_CHUNK];
    load_terms(&n->norm, first, width, &terms);
    for (int64_t c = 0; c < width; c++) {
        slope[c] = slopes->slope[first + c];
        shift[c] = slopes->shift[first + c];
    }
    for (int64_t i = 0; i < out_width(n); i++) {
        const int64_t at = 2 * i * n->channels + first;
        for (int64_t c = 0; c < width; c++) {
            knack_real value[WINDOW], best;
            for (int k = 0; k < WINDOW; k++) {
                value[k] = norm_value(&terms, c, x[at + window_offset(n, k) + c]);
                best = k == 0 || value[k] > best || value[k] != value[k] ? value[k] : best;
            }
            knack_real left = best > 0 ? dy[i * n->channels + first + c] * terms.factor[c] : 0;
            for (int k = 0; k < WINDOW; k++) {
                const int64_t to = at + window_offset(n, k) + c;
                const bool taken = value[k] == best;
                const knack_real given = taken ? left : 0;
                left = taken ? 0 : left;
                put(half, dx, to, given - (x[to] - terms.mean[c]) * slope[c] - shift[c]);
            }
        }
    }
}

/* What no window holds: columns from `column` on of one row of x. */
VECTOR_INLINE void row_without_window(const struct norm_relu *n, const struct norm_slopes *slopes, const knack_real *restrict x,
                                      int64_t column, bool half, void *restrict dx)
{
    for (int64_t i = column; i < n->width; i++)
        for (int64_t c = 0; c < n->channels; c++) {
            const int64_t at = i * n->channels + c;
            put(half, dx, at, 0 - (x[at] - n->norm.mean[c]) * slopes->slope[c] - slopes->shift[c]);
        }
}

VECTOR_INLINE void image_input(const struct norm_relu *n, const struct norm_slopes *slopes, const knack_real *x, const knack_real *dy,
                               bool half, void *dx)
{
    const int64_t element = half ? sizeof(uint16_t) : sizeof(knack_real), covered = 2 * out_width(n);
    for (int64_t row = 0; row < out_height(n); row++) {
        const int64_t at = window_at(n, row, 0);
        const knack_real *gradient = dy + row * out_width(n) * n->channels;
        KERNEL_CHUNKS(n->channels, c, row_input(n, slopes, x + at, gradient, c, width, half, (char *)dx + at * element));
    }
    for (int64_t row = 0; row < n->height; row++) {
        const int64_t at = row * n->width * n->channels;
        row_without_window(n, slopes, x + at, row < 2 * out_height(n) ? covered : 0, half, (char *)dx + at * element);
    }
}

VECTOR
static void input_gradient(const struct input *input, const knack_real *x, const knack_real *dy, void *dx)
{
    if (input->half)
        image_input(input->n, input->slopes, x, dy, true, dx);
    else
        image_input(input->n, input->slopes, x, dy, false, dx);
}

void norm_pool_input_gradient(const struct norm_relu *n, struct images images, const struct norm_slopes *slopes, const knack_real *dy,
                              enum knack_type type, void *dx)
{
    const struct input input = {n, slopes, type == KNACK_BF16};
    const int64_t bytes = image_size(n) * (int64_t)(input.half ? sizeof(uint16_t) : sizeof(knack_real));
    for (int64_t i = 0; i < images.count; i++)
        input_gradient(&input, n->x + (images.first + i) * image_size(n), dy + i * out_size(n), (char *)dx + i * bytes);
}
