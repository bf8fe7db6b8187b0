/* Pooling with the loop over channels innermost, where images are dense. Threads share out the images. */
#include "tensor/kernels/kernels.h"

#include <string.h>

#include "tensor/kernels/loops.h"

enum { CHUNK = 64 /* channels at a time */ };

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

/* A NaN is taken, and stays. */
KERNEL_INLINE void max_into(int64_t channels, const knack_real *restrict x, knack_real *restrict best)
{
    for (int64_t c = 0; c < channels; c++) best[c] = x[c] > best[c] || x[c] != x[c] ? x[c] : best[c];
}

VECTOR
static void max_image(const struct pooling *pool, int64_t n)
{
    const struct pool2d *p = pool->shape;
    const int64_t channels = p->channels;
    const knack_real *image = pool->x + n * image_size(p);
    knack_real *y = pool->out + n * p->out_height * p->out_width * channels;
    for (int64_t out_y = 0; out_y < p->out_height; out_y++) {
        for (int64_t out_x = 0; out_x < p->out_width; out_x++, y += channels) {
            const struct window w = window_at(p, out_y, out_x);
            memcpy(y, image + (w.top * p->width + w.left) * channels, (size_t)channels * sizeof *y);
            for (int64_t row = w.top; row < w.bottom; row++)
                for (int64_t x = w.left; x < w.right; x++) max_into(channels, image + (row * p->width + x) * channels, y);
        }
    }
}

static void max_body(void *user, int64_t n)
{
    max_image(user, n);
}

/* Gives what is left of a window's gradient to x where it equals the maximum, or is NaN. */
KERNEL_INLINE void give_gradient(int64_t channels, const knack_real *restrict x, const knack_real *restrict y, knack_real *restrict left,
                                 knack_real *restrict dx)
{
    for (int64_t c = 0; c < channels; c++) {
        const bool taken = x[c] == y[c] || x[c] != x[c];
        dx[c] += taken ? left[c] : 0;
        left[c] = taken ? 0 : left[c];
    }
}

KERNEL_INLINE void max_window_backward(const struct pool2d *p, struct window w, int64_t channels, const knack_real *image,
                                       const knack_real *y, const knack_real *dy, knack_real *dx)
{
    knack_real left[CHUNK];
    memcpy(left, dy, (size_t)channels * sizeof *left);
    for (int64_t row = w.top; row < w.bottom; row++)
        for (int64_t x = w.left; x < w.right; x++) {
            const int64_t at = (row * p->width + x) * p->channels;
            give_gradient(channels, image + at, y, left, dx + at);
        }
}

VECTOR
static void max_image_backward(const struct pooling *pool, int64_t n)
{
    const struct pool2d *p = pool->shape;
    knack_real *dx = pool->out + n * image_size(p);
    const knack_real *image = pool->x + n * image_size(p);
    if (!pool->add) memset(dx, 0, (size_t)image_size(p) * sizeof *dx);
    for (int64_t out_y = 0; out_y < p->out_height; out_y++) {
        for (int64_t out_x = 0; out_x < p->out_width; out_x++) {
            const struct window w = window_at(p, out_y, out_x);
            const int64_t at = ((n * p->out_height + out_y) * p->out_width + out_x) * p->channels;
            for (int64_t c = 0; c < p->channels; c += CHUNK) {
                const int64_t channels = p->channels - c < CHUNK ? p->channels - c : CHUNK;
                max_window_backward(p, w, channels, image + c, pool->y + at + c, pool->dy + at + c, dx + c);
            }
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
