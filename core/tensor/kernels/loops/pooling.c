/* Pooling with the loop over channels innermost, where images are dense. Threads share out the images. */
#include "tensor/kernels/images.h"

#include <math.h>
#include <string.h>

#include "tensor/kernels/loops.h"

struct pooling {
    const struct pool2d *shape;
    const knack_real *x, *y, *dy; /* as the function needs them */
    knack_real *out;              /* y, or dx */
    bool add;
};

/* The part of a window that lies within the image. */
struct window {
    int64_t top, bottom, left, right;
};

static inline struct window window_at(const struct pool2d *p, int64_t out_y, int64_t out_x)
{
    struct window w = {.top = out_y * p->stride - p->padding, .left = out_x * p->stride - p->padding};
    w.bottom = w.top + p->size < p->height ? w.top + p->size : p->height;
    w.right = w.left + p->size < p->width ? w.left + p->size : p->width;
    if (w.top < 0) w.top = 0;
    if (w.left < 0) w.left = 0;
    return w;
}

static inline int64_t image_size(const struct pool2d *p)
{
    return p->height * p->width * p->channels;
}

static inline int64_t work(const struct pool2d *p)
{
    return p->rows * image_size(p);
}

/* ---- Maximum ---- */

/* The maximum of a window; a NaN is taken, and stays. image and y begin at the first of the channels. */
VECTOR_INLINE void max_chunk(const struct pool2d *p, struct window w, const knack_real *restrict image, int64_t width,
                             knack_real *restrict y)
{
    knack_real best[KERNEL_CHUNK];
    for (int64_t c = 0; c < width; c++) best[c] = -(knack_real)INFINITY;
    for (int64_t row = w.top; row < w.bottom; row++)
        for (int64_t column = w.left; column < w.right; column++) {
            const knack_real *restrict x = image + (row * p->width + column) * p->channels;
            for (int64_t c = 0; c < width; c++) best[c] = x[c] > best[c] || x[c] != x[c] ? x[c] : best[c];
        }
    for (int64_t c = 0; c < width; c++) y[c] = best[c];
}

VECTOR
static void max_image(const struct pooling *pool, int64_t n)
{
    const struct pool2d *p = pool->shape;
    const knack_real *image = pool->x + n * image_size(p);
    knack_real *y = pool->out + n * p->out_height * p->out_width * p->channels;
    for (int64_t out_y = 0; out_y < p->out_height; out_y++) {
        for (int64_t out_x = 0; out_x < p->out_width; out_x++, y += p->channels) {
            const struct window w = window_at(p, out_y, out_x);
            KERNEL_CHUNKS(p->channels, c, max_chunk(p, w, image + c, width, y + c));
        }
    }
}

static void max_body(void *user, int64_t n)
{
    max_image(user, n);
}

/* Gives a window's gradient to the first x that equals the maximum, or is NaN. All but y and dy begin at the first of the channels of the
 * image. first: the window is the only one that holds these pixels, and dx is overwritten. */
VECTOR_INLINE void give_chunk(const struct pool2d *p, struct window w, const knack_real *restrict image, const knack_real *restrict y,
                              const knack_real *restrict dy, int64_t width, bool first, knack_real *restrict dx)
{
    knack_real best[KERNEL_CHUNK], left[KERNEL_CHUNK];
    for (int64_t c = 0; c < width; c++) {
        best[c] = y[c];
        left[c] = dy[c];
    }
    for (int64_t row = w.top; row < w.bottom; row++)
        for (int64_t column = w.left; column < w.right; column++) {
            const knack_real *restrict x = image + (row * p->width + column) * p->channels;
            knack_real *restrict out = dx + (row * p->width + column) * p->channels;
            for (int64_t c = 0; c < width; c++) {
                const bool taken = x[c] == best[c] || x[c] != x[c];
                const knack_real given = taken ? left[c] : 0;
                out[c] = first ? given : out[c] + given;
                left[c] = taken ? 0 : left[c];
            }
        }
}

/* No two windows share a pixel. */
static inline bool windows_apart(const struct pool2d *p)
{
    return p->stride >= p->size;
}

/* Every pixel is in some window. */
static inline bool windows_cover(const struct pool2d *p)
{
    return p->stride <= p->size && (p->out_height - 1) * p->stride + p->size - p->padding >= p->height &&
           (p->out_width - 1) * p->stride + p->size - p->padding >= p->width;
}

VECTOR
static void max_image_backward(const struct pooling *pool, int64_t n)
{
    const struct pool2d *p = pool->shape;
    const knack_real *image = pool->x + n * image_size(p);
    knack_real *dx = pool->out + n * image_size(p);
    const bool first = !pool->add && windows_apart(p);
    if (!pool->add && !(first && windows_cover(p))) memset(dx, 0, (size_t)image_size(p) * sizeof *dx);
    for (int64_t out_y = 0; out_y < p->out_height; out_y++) {
        for (int64_t out_x = 0; out_x < p->out_width; out_x++) {
            const struct window w = window_at(p, out_y, out_x);
            const int64_t at = ((n * p->out_height + out_y) * p->out_width + out_x) * p->channels;
            const knack_real *y = pool->y + at, *dy = pool->dy + at;
            if (first)
                KERNEL_CHUNKS(p->channels, c, give_chunk(p, w, image + c, y + c, dy + c, width, true, dx + c));
            else
                KERNEL_CHUNKS(p->channels, c, give_chunk(p, w, image + c, y + c, dy + c, width, false, dx + c));
        }
    }
}

static void max_backward_body(void *user, int64_t n)
{
    max_image_backward(user, n);
}

knack_status kernel_max_pool(struct arena *arena, const struct pool2d *p, const knack_real *x, knack_real *y)
{
    (void)arena;
    struct pooling pool = {.shape = p, .x = x, .out = y};
    run_parts(work(p), p->rows, max_body, &pool);
    return KNACK_OK;
}

knack_status kernel_max_pool_backward(struct arena *arena, const struct pool2d *p, const knack_real *x, const knack_real *y,
                                      const knack_real *dy, knack_real *dx, bool add)
{
    (void)arena;
    struct pooling pool = {.shape = p, .x = x, .y = y, .dy = dy, .out = dx, .add = add};
    run_parts(work(p), p->rows, max_backward_body, &pool);
    return KNACK_OK;
}

/* ---- Average ---- */

VECTOR
static void average_image(const struct pooling *pool, int64_t n)
{
    const struct pool2d *p = pool->shape;
    const int64_t channels = p->channels;
    const knack_real *image = pool->x + n * image_size(p);
    knack_real *restrict y = pool->out + n * p->out_height * p->out_width * channels;
    for (int64_t out_y = 0; out_y < p->out_height; out_y++) {
        for (int64_t out_x = 0; out_x < p->out_width; out_x++, y += channels) {
            const struct window w = window_at(p, out_y, out_x);
            const knack_real share = 1 / (knack_real)((w.bottom - w.top) * (w.right - w.left));
            memset(y, 0, (size_t)channels * sizeof *y);
            for (int64_t row = w.top; row < w.bottom; row++)
                for (int64_t x = w.left; x < w.right; x++) {
                    const knack_real *restrict pixel = image + (row * p->width + x) * channels;
                    for (int64_t c = 0; c < channels; c++) y[c] += pixel[c];
                }
            for (int64_t c = 0; c < channels; c++) y[c] *= share;
        }
    }
}

static void average_body(void *user, int64_t n)
{
    average_image(user, n);
}

VECTOR
static void average_image_backward(const struct pooling *pool, int64_t n)
{
    const struct pool2d *p = pool->shape;
    const int64_t channels = p->channels;
    knack_real *dx = pool->out + n * image_size(p);
    const knack_real *restrict dy = pool->dy + n * p->out_height * p->out_width * channels;
    if (!pool->add) memset(dx, 0, (size_t)image_size(p) * sizeof *dx);
    for (int64_t out_y = 0; out_y < p->out_height; out_y++) {
        for (int64_t out_x = 0; out_x < p->out_width; out_x++, dy += channels) {
            const struct window w = window_at(p, out_y, out_x);
            const knack_real share = 1 / (knack_real)((w.bottom - w.top) * (w.right - w.left));
            for (int64_t row = w.top; row < w.bottom; row++)
                for (int64_t x = w.left; x < w.right; x++) {
                    knack_real *restrict pixel = dx + (row * p->width + x) * channels;
                    for (int64_t c = 0; c < channels; c++) pixel[c] += dy[c] * share;
                }
        }
    }
}

static void average_backward_body(void *user, int64_t n)
{
    average_image_backward(user, n);
}

knack_status kernel_average_pool(struct arena *arena, const struct pool2d *p, const knack_real *x, knack_real *y)
{
    (void)arena;
    struct pooling pool = {.shape = p, .x = x, .out = y};
    run_parts(work(p), p->rows, average_body, &pool);
    return KNACK_OK;
}

knack_status kernel_average_pool_backward(struct arena *arena, const struct pool2d *p, const knack_real *dy, knack_real *dx, bool add)
{
    (void)arena;
    struct pooling pool = {.shape = p, .dy = dy, .out = dx, .add = add};
    run_parts(work(p), p->rows, average_backward_body, &pool);
    return KNACK_OK;
}
