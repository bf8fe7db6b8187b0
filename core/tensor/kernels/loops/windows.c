/* 2 x 2 windows behind a batch norm and ReLU. Both are monotone in each channel, so that the maximum of a window is known to come from its
 * largest x, or where the norm's factor is negative from its smallest, before the statistics are. */
#include "tensor/kernels/images.h"

#include <string.h>

#include "tensor/kernels/loops.h"
#include "tensor/kernels/loops/bf16.h"

enum { WINDOW = 4 };

/* Where a window's values lie from its first, in row-major order. */
VECTOR_INLINE int64_t window_offset(int64_t width, int64_t channels, int k)
{
    return (k / 2 * width + k % 2) * channels;
}

/* ---- Forward ---- */

/* One row of windows. A NaN is taken, and stays. */
VECTOR_INLINE void row_extremes(int64_t image_width, int64_t channels, const knack_real *restrict x, const knack_real *restrict gamma,
                                int64_t first, int64_t width, knack_real *restrict out)
{
    knack_real sign[KERNEL_CHUNK];
    for (int64_t c = 0; c < width; c++) sign[c] = gamma[first + c] < 0 ? -1 : 1;
    for (int64_t i = 0; i < image_width / 2; i++) {
        const knack_real *restrict window = x + 2 * i * channels + first;
        for (int64_t c = 0; c < width; c++) {
            knack_real best = sign[c] * window[c];
            for (int k = 1; k < WINDOW; k++) {
                const knack_real value = sign[c] * window[window_offset(image_width, channels, k) + c];
                best = value > best || value != value ? value : best;
            }
            out[i * channels + first + c] = sign[c] * best;
        }
    }
}

VECTOR
static void image_extremes(int64_t height, int64_t width_of_image, int64_t channels, const knack_real *x, const knack_real *gamma,
                           knack_real *out)
{
    for (int64_t row = 0; row < height / 2; row++) {
        const knack_real *from = x + 2 * row * width_of_image * channels;
        knack_real *to = out + row * (width_of_image / 2) * channels;
        KERNEL_CHUNKS(channels, c, row_extremes(width_of_image, channels, from, gamma, c, width, to));
    }
}

void kernel_window_extremes(int64_t images, int64_t height, int64_t width, int64_t channels, const knack_real *x, const knack_real *gamma,
                            knack_real *out)
{
    for (int64_t i = 0; i < images; i++)
        image_extremes(height, width, channels, x + i * height * width * channels, gamma, out + i * (height / 2) * (width / 2) * channels);
}

/* ---- Backward ---- */

VECTOR_INLINE void put(bool half, void *out, int64_t at, knack_real value)
{
    if (half)
        ((uint16_t *)out)[at] = bf16_round(value);
    else
        ((knack_real *)out)[at] = value;
}

/* One row of windows: the first value that is its window's extreme, or NaN, gets its gradient. */
VECTOR_INLINE void row_input(const struct norm_input *n, const knack_real *restrict x, const knack_real *restrict extreme,
                             const knack_real *restrict g, int64_t first, int64_t width, bool half, void *restrict dx)
{
    knack_real mean[KERNEL_CHUNK], factor[KERNEL_CHUNK], slope[KERNEL_CHUNK], shift[KERNEL_CHUNK];
    for (int64_t c = 0; c < width; c++) {
        mean[c] = n->mean[first + c];
        factor[c] = n->factor[first + c];
        slope[c] = n->slope[first + c];
        shift[c] = n->shift[first + c];
    }
    for (int64_t i = 0; i < n->width / 2; i++) {
        const int64_t at = 2 * i * n->channels + first;
        for (int64_t c = 0; c < width; c++) {
            const knack_real wanted = extreme[i * n->channels + first + c];
            knack_real left = g[i * n->channels + first + c] * factor[c];
            for (int k = 0; k < WINDOW; k++) {
                const int64_t to = at + window_offset(n->width, n->channels, k) + c;
                const bool taken = x[to] == wanted || x[to] != x[to];
                put(half, dx, to, (taken ? left : 0) - (x[to] - mean[c]) * slope[c] - shift[c]);
                left = taken ? 0 : left;
            }
        }
    }
}

/* What no window holds: columns from `column` on of one row of x. */
VECTOR_INLINE void row_left_over(const struct norm_input *n, const knack_real *restrict x, int64_t column, bool half, void *restrict dx)
{
    for (int64_t i = column; i < n->width; i++)
        for (int64_t c = 0; c < n->channels; c++) {
            const int64_t at = i * n->channels + c;
            put(half, dx, at, 0 - (x[at] - n->mean[c]) * n->slope[c] - n->shift[c]);
        }
}

VECTOR_INLINE void image_input(const struct norm_input *n, const knack_real *x, const knack_real *extreme, const knack_real *g, bool half,
                               void *dx)
{
    const int64_t element = half ? sizeof(uint16_t) : sizeof(knack_real), row_size = n->width * n->channels;
    const int64_t windows = n->width / 2 * n->channels;
    for (int64_t row = 0; row < n->height / 2; row++) {
        const int64_t at = 2 * row * row_size;
        KERNEL_CHUNKS(n->channels, c,
                      row_input(n, x + at, extreme + row * windows, g + row * windows, c, width, half, (char *)dx + at * element));
    }
    for (int64_t row = 0; row < n->height; row++) {
        const int64_t at = row * row_size;
        row_left_over(n, x + at, row < n->height / 2 * 2 ? n->width / 2 * 2 : 0, half, (char *)dx + at * element);
    }
}

VECTOR
static void input_gradient(const struct norm_input *n, struct images images, const knack_real *g, bool half, void *dx)
{
    const int64_t size = n->height * n->width * n->channels, windows = (n->height / 2) * (n->width / 2) * n->channels;
    for (int64_t i = 0; i < images.count; i++) {
        const knack_real *x = n->x + (images.first + i) * size, *extreme = n->extreme + (images.first + i) * windows;
        if (half)
            image_input(n, x, extreme, g + i * windows, true, (uint16_t *)dx + i * size);
        else
            image_input(n, x, extreme, g + i * windows, false, (knack_real *)dx + i * size);
    }
}

void kernel_windows_input_gradient(const struct norm_input *n, struct images images, const knack_real *g, enum knack_type type, void *dx)
{
    input_gradient(n, images, g, type == KNACK_BF16, dx);
}
