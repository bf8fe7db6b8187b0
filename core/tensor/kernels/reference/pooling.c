/* Pooling in plain loops over images, windows and channels. */
#include <math.h>

#include "base/threads.h"
#include "tensor/kernels/images.h"

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

static struct window window_at(const struct pool2d *p, int64_t out_y, int64_t out_x)
{
    struct window w = {.top = out_y * p->stride - p->padding, .left = out_x * p->stride - p->padding};
    w.bottom = w.top + p->size < p->height ? w.top + p->size : p->height;
    w.right = w.left + p->size < p->width ? w.left + p->size : p->width;
    if (w.top < 0) w.top = 0;
    if (w.left < 0) w.left = 0;
    return w;
}

static int64_t input_index(const struct pool2d *p, int64_t n, int64_t y, int64_t x, int64_t channel)
{
    return ((n * p->height + y) * p->width + x) * p->channels + channel;
}

static int64_t output_index(const struct pool2d *p, int64_t n, int64_t y, int64_t x, int64_t channel)
{
    return ((n * p->out_height + y) * p->out_width + x) * p->channels + channel;
}

/* Calls body for each window and channel of image n. */
static void each_window(const struct pooling *pool, int64_t n,
                        void (*body)(const struct pooling *, struct window, int64_t n, int64_t channel, int64_t output))
{
    const struct pool2d *p = pool->shape;
    for (int64_t y = 0; y < p->out_height; y++)
        for (int64_t x = 0; x < p->out_width; x++)
            for (int64_t c = 0; c < p->channels; c++) body(pool, window_at(p, y, x), n, c, output_index(p, n, y, x, c));
}

static void clear_image(const struct pooling *pool, int64_t n)
{
    const struct pool2d *p = pool->shape;
    const int64_t count = p->height * p->width * p->channels;
    for (int64_t i = 0; i < count && !pool->add; i++) pool->out[n * count + i] = 0;
}

/* A NaN is taken, and stays. */
static void max_window(const struct pooling *pool, struct window w, int64_t n, int64_t channel, int64_t output)
{
    knack_real best = -(knack_real)INFINITY;
    for (int64_t y = w.top; y < w.bottom; y++)
        for (int64_t x = w.left; x < w.right; x++) {
            const knack_real value = pool->x[input_index(pool->shape, n, y, x, channel)];
            if (value > best || value != value) best = value;
        }
    pool->out[output] = best;
}

static void max_image(void *user, int64_t n)
{
    each_window(user, n, max_window);
}

static void max_window_backward(const struct pooling *pool, struct window w, int64_t n, int64_t channel, int64_t output)
{
    for (int64_t y = w.top; y < w.bottom; y++)
        for (int64_t x = w.left; x < w.right; x++) {
            const int64_t i = input_index(pool->shape, n, y, x, channel);
            if (pool->x[i] == pool->y[output] || pool->x[i] != pool->x[i]) {
                pool->out[i] += pool->dy[output];
                return;
            }
        }
}

static void max_image_backward(void *user, int64_t n)
{
    clear_image(user, n);
    each_window(user, n, max_window_backward);
}

static int64_t window_count(struct window w)
{
    return (w.bottom - w.top) * (w.right - w.left);
}

static void average_window(const struct pooling *pool, struct window w, int64_t n, int64_t channel, int64_t output)
{
    double sum = 0;
    for (int64_t y = w.top; y < w.bottom; y++)
        for (int64_t x = w.left; x < w.right; x++) sum += (double)pool->x[input_index(pool->shape, n, y, x, channel)];
    pool->out[output] = (knack_real)(sum / (double)window_count(w));
}

static void average_image(void *user, int64_t n)
{
    each_window(user, n, average_window);
}

static void average_window_backward(const struct pooling *pool, struct window w, int64_t n, int64_t channel, int64_t output)
{
    const knack_real share = pool->dy[output] / (knack_real)window_count(w);
    for (int64_t y = w.top; y < w.bottom; y++)
        for (int64_t x = w.left; x < w.right; x++) pool->out[input_index(pool->shape, n, y, x, channel)] += share;
}

static void average_image_backward(void *user, int64_t n)
{
    clear_image(user, n);
    each_window(user, n, average_window_backward);
}

knack_status reference_max_pool(struct arena *arena, const struct pool2d *p, const knack_real *x, knack_real *y)
{
    (void)arena;
    struct pooling pool = {.shape = p, .x = x, .out = y};
    threads_run(p->rows, max_image, &pool);
    return KNACK_OK;
}

knack_status reference_max_pool_backward(struct arena *arena, const struct pool2d *p, const knack_real *x, const knack_real *y,
                                         const knack_real *dy, knack_real *dx, bool add)
{
    (void)arena;
    struct pooling pool = {.shape = p, .x = x, .y = y, .dy = dy, .out = dx, .add = add};
    threads_run(p->rows, max_image_backward, &pool);
    return KNACK_OK;
}

knack_status reference_average_pool(struct arena *arena, const struct pool2d *p, const knack_real *x, knack_real *y)
{
    (void)arena;
    struct pooling pool = {.shape = p, .x = x, .out = y};
    threads_run(p->rows, average_image, &pool);
    return KNACK_OK;
}

knack_status reference_average_pool_backward(struct arena *arena, const struct pool2d *p, const knack_real *dy, knack_real *dx, bool add)
{
    (void)arena;
    struct pooling pool = {.shape = p, .dy = dy, .out = dx, .add = add};
    threads_run(p->rows, average_image_backward, &pool);
    return KNACK_OK;
}
