/* Convolutions in plain loops. Forward and the gradient to x are one thing, sums over taps of rows times matrices, differing in which
 * source pixel a tap reads; pixels outside the image are a row of zeros. */
#include "base/threads.h"
#include "tensor/kernels/images.h"
#include "tensor/kernels/reference/tile.h"

/* What is computed is the target: y, or dx; what is read is the source: x, or dy. */
struct gather {
    const struct conv2d *shape;
    bool backward;
    int64_t target_height, target_width, target_channels;
    int64_t source_height, source_width, source_channels;
    const knack_real *source; /* [rows, source_height, source_width, source_channels] */
    const knack_real *zeros;  /* [source_channels] */
    const knack_real *panel;  /* [panels, taps, source_channels, TILE_COLUMNS] */
    const knack_real *bias;   /* [target_channels] or NULL */
    knack_real *target;       /* [rows, target_height, target_width, target_channels] */
};

/* Where along one axis a tap of the kernel reads for a position of the target; -1: outside. */
static int64_t source_position(const struct gather *g, int64_t position, int64_t tap, int64_t size)
{
    int64_t source;
    if (g->backward) {
        source = position + g->shape->padding - tap;
        if (source % g->shape->stride) return -1;
        source /= g->shape->stride;
    } else {
        source = position * g->shape->stride + tap - g->shape->padding;
    }
    return source < 0 || source >= size ? -1 : source;
}

/* w [out, in, taps] -> [panels, taps, source channels, TILE_COLUMNS of the target's]; columns past the end are 0. */
static void pack_weights(const struct gather *g, const knack_real *w, knack_real *panel)
{
    const int64_t in = g->shape->in, taps = g->shape->kernel_height * g->shape->kernel_width;
    for (int64_t first = 0; first < g->target_channels; first += TILE_COLUMNS)
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t s = 0; s < g->source_channels; s++, panel += TILE_COLUMNS)
                for (int64_t j = 0; j < TILE_COLUMNS; j++) {
                    const int64_t t = first + j, out_channel = g->backward ? s : t, in_channel = g->backward ? t : s;
                    panel[j] = t < g->target_channels ? w[(out_channel * in + in_channel) * taps + tap] : 0;
                }
}

/* The source's pixels that one tap reads for TILE_ROWS pixels x, x + step, ... of a target row; false: all lie outside. */
static bool tap_rows(const struct gather *g, const knack_real *source_row, int64_t x, int64_t step, int64_t tap_x,
                     const knack_real *row[TILE_ROWS])
{
    bool any = false;
    for (int64_t i = 0; i < TILE_ROWS; i++) {
        const int64_t target = x + i * step;
        const int64_t source = target < g->target_width ? source_position(g, target, tap_x, g->source_width) : -1;
        row[i] = source < 0 ? g->zeros : source_row + source * g->source_channels;
        any |= source >= 0;
    }
    return any;
}

static void store_pixels(const struct gather *g, knack_real *target_row, int64_t x, int64_t step, int64_t channel,
                         double sum[TILE_ROWS][TILE_COLUMNS])
{
    for (int64_t i = 0; i < TILE_ROWS && x + i * step < g->target_width; i++) {
        knack_real *pixel = target_row + (x + i * step) * g->target_channels + channel;
        for (int64_t j = 0; j < TILE_COLUMNS && channel + j < g->target_channels; j++)
            pixel[j] = (knack_real)(sum[i][j] + (g->bias ? (double)g->bias[channel + j] : 0));
    }
}

/* TILE_ROWS pixels, TILE_COLUMNS channels of one target row y of image n. */
static void gather_tile(const struct gather *g, int64_t n, int64_t y, int64_t x, int64_t step, int64_t channel)
{
    const struct conv2d *shape = g->shape;
    const knack_real *b = g->panel + channel * shape->kernel_height * shape->kernel_width * g->source_channels;
    double sum[TILE_ROWS][TILE_COLUMNS] = {{0}};
    for (int64_t tap_y = 0; tap_y < shape->kernel_height; tap_y++) {
        const int64_t source_y = source_position(g, y, tap_y, g->source_height);
        if (source_y < 0) continue;
        const knack_real *source_row = g->source + (n * g->source_height + source_y) * g->source_width * g->source_channels;
        for (int64_t tap_x = 0; tap_x < shape->kernel_width; tap_x++) {
            const knack_real *row[TILE_ROWS];
            if (!tap_rows(g, source_row, x, step, tap_x, row)) continue;
            const int64_t tap = tap_y * shape->kernel_width + tap_x;
            reference_tile(g->source_channels, row, 1, b + tap * g->source_channels * TILE_COLUMNS, TILE_COLUMNS, TILE_COLUMNS, sum);
        }
    }
    store_pixels(g, g->target + (n * g->target_height + y) * g->target_width * g->target_channels, x, step, channel, sum);
}

/* One row of the target. Backwards, pixels that lie a stride apart read the same taps and go together. */
static void gather_row(void *user, int64_t part)
{
    const struct gather *g = user;
    const int64_t n = part / g->target_height, y = part % g->target_height;
    const int64_t step = g->backward ? g->shape->stride : 1;
    for (int64_t channel = 0; channel < g->target_channels; channel += TILE_COLUMNS)
        for (int64_t phase = 0; phase < step && phase < g->target_width; phase++)
            for (int64_t x = phase; x < g->target_width; x += TILE_ROWS * step) gather_tile(g, n, y, x, step, channel);
}

static knack_status gather(struct arena *arena, struct gather *g, const void *w)
{
    const struct conv2d *shape = g->shape;
    const int64_t taps = shape->kernel_height * shape->kernel_width;
    const int64_t panels = (g->target_channels + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const knack_real *real_w = reference_real(arena, shape->type, shape->out * shape->in * taps, w);
    knack_real *panel = arena_alloc(arena, (size_t)(panels * TILE_COLUMNS * taps * g->source_channels) * sizeof *panel);
    g->zeros = arena_zeroed(arena, (size_t)g->source_channels * sizeof *g->zeros);
    if (!real_w || !panel || !g->zeros) return KNACK_E_MEMORY;
    pack_weights(g, real_w, panel);
    g->panel = panel;
    threads_run(shape->rows * g->target_height, gather_row, g);
    return KNACK_OK;
}

static int64_t x_count(const struct conv2d *c)
{
    return c->rows * c->height * c->width * c->in;
}

static int64_t y_count(const struct conv2d *c)
{
    return c->rows * c->out_height * c->out_width * c->out;
}

static struct images all_images(const struct conv2d *c)
{
    return (struct images){0, c->rows};
}

/* All images of an operand, as KNACK_REAL; NULL on failure. */
static const knack_real *operand(struct arena *arena, const struct conv2d *c, int64_t count, const void *data, make_images *make,
                                 void *user)
{
    if (!data) {
        void *room = arena_alloc(arena, (size_t)count * sizeof(knack_real)); /* of either type */
        data = room ? make(user, all_images(c), room) : NULL;
    }
    return data ? reference_real(arena, c->type, count, data) : NULL;
}

static knack_status forward(struct arena *arena, const struct conv2d_forward *f)
{
    const struct conv2d *c = &f->shape;
    struct gather g = {
        .shape = c,
        .bias = f->bias,
        .target_height = c->out_height,
        .target_width = c->out_width,
        .target_channels = c->out,
        .source_height = c->height,
        .source_width = c->width,
        .source_channels = c->in,
        .source = operand(arena, c, x_count(c), f->x, f->make_x, f->user),
        .target = f->y ? f->y : arena_alloc(arena, (size_t)y_count(c) * sizeof(knack_real)),
    };
    if (!g.source || !g.target) return KNACK_E_MEMORY;
    TRY(gather(arena, &g, f->w));
    if (f->made_y) f->made_y(f->user, all_images(c), g.target);
    return KNACK_OK;
}

knack_status reference_conv2d(struct arena *arena, const struct conv2d_forward *f)
{
    const struct arena_mark mark = arena_mark(arena);
    knack_status status = forward(arena, f);
    arena_rewind(arena, mark);
    return status;
}

static knack_status input_gradient(struct arena *arena, const struct conv2d_backward *b, const knack_real *dy)
{
    const struct conv2d *c = &b->shape;
    struct gather g = {
        .shape = c,
        .backward = true,
        .target_height = c->height,
        .target_width = c->width,
        .target_channels = c->in,
        .source_height = c->out_height,
        .source_width = c->out_width,
        .source_channels = c->out,
        .source = dy,
        .target = b->dx ? b->dx : arena_alloc(arena, (size_t)x_count(c) * sizeof(knack_real)),
    };
    if (!g.target) return KNACK_E_MEMORY;
    TRY(gather(arena, &g, b->w));
    if (b->made_dx) b->made_dx(b->user, all_images(c), g.target);
    return KNACK_OK;
}

struct weights_gradient {
    const struct conv2d *shape;
    const knack_real *x, *dy;
    knack_real *dw;
    bool add;
};

/* The pixels of an output row for which a tap reads within an input row: from *first up to the value returned. */
static int64_t tap_range(const struct conv2d *c, int64_t tap_x, int64_t *first)
{
    int64_t begin = 0, end = c->out_width;
    while (begin < end && begin * c->stride + tap_x < c->padding) begin++;
    while (end > begin && (end - 1) * c->stride + tap_x - c->padding >= c->width) end--;
    *first = begin;
    return end;
}

/* dw [TILE_ROWS outputs, TILE_COLUMNS inputs] of one tap, over all rows, in order. */
static void tap_tile(const struct weights_gradient *g, int64_t tap_y, int64_t tap_x, int64_t out, int64_t in,
                     double sum[TILE_ROWS][TILE_COLUMNS])
{
    const struct conv2d *c = g->shape;
    int64_t first;
    const int64_t count = tap_range(c, tap_x, &first) - first;
    if (count < 1) return;
    const int64_t columns = c->in - in < TILE_COLUMNS ? c->in - in : TILE_COLUMNS;
    for (int64_t n = 0; n < c->rows; n++) {
        for (int64_t y = 0; y < c->out_height; y++) {
            const int64_t source_y = y * c->stride + tap_y - c->padding;
            if (source_y < 0 || source_y >= c->height) continue;
            const int64_t source_x = first * c->stride + tap_x - c->padding;
            const knack_real *dy = g->dy + ((n * c->out_height + y) * c->out_width + first) * c->out;
            const knack_real *row[TILE_ROWS];
            for (int64_t i = 0; i < TILE_ROWS; i++) row[i] = dy + (out + i < c->out ? out + i : c->out - 1);
            const knack_real *x = g->x + ((n * c->height + source_y) * c->width + source_x) * c->in + in;
            reference_tile(count, row, c->out, x, c->stride * c->in, columns, sum);
        }
    }
}

/* All inputs of TILE_ROWS outputs of one tap. */
static void tap_outputs(void *user, int64_t part)
{
    const struct weights_gradient *g = user;
    const struct conv2d *c = g->shape;
    const int64_t taps = c->kernel_height * c->kernel_width;
    const int64_t tap = part % taps, out = part / taps * TILE_ROWS;
    for (int64_t in = 0; in < c->in; in += TILE_COLUMNS) {
        double sum[TILE_ROWS][TILE_COLUMNS] = {{0}};
        tap_tile(g, tap / c->kernel_width, tap % c->kernel_width, out, in, sum);
        for (int64_t i = 0; i < TILE_ROWS && out + i < c->out; i++)
            for (int64_t j = 0; j < TILE_COLUMNS && in + j < c->in; j++) {
                knack_real *dw = g->dw + ((out + i) * c->in + in + j) * taps + tap;
                *dw = (knack_real)(g->add ? (double)*dw + sum[i][j] : sum[i][j]);
            }
    }
}

static knack_status weights_gradient(struct arena *arena, const struct conv2d_backward *b, const knack_real *dy)
{
    const struct conv2d *c = &b->shape;
    struct weights_gradient g = {
        .shape = c, .dw = b->dw, .add = b->add_dw, .x = operand(arena, c, x_count(c), b->x, b->make_x, b->user), .dy = dy};
    if (!g.x) return KNACK_E_MEMORY;
    threads_run((c->out + TILE_ROWS - 1) / TILE_ROWS * c->kernel_height * c->kernel_width, tap_outputs, &g);
    return KNACK_OK;
}

static knack_status backward(struct arena *arena, const struct conv2d_backward *b)
{
    const struct conv2d *c = &b->shape;
    const knack_real *dy = operand(arena, c, y_count(c), b->dy, b->make_dy, b->user);
    if (!dy) return KNACK_E_MEMORY;
    if (b->dw) TRY(weights_gradient(arena, b, dy));
    return b->dx || b->made_dx ? input_gradient(arena, b, dy) : KNACK_OK;
}

knack_status reference_conv2d_backward(struct arena *arena, const struct conv2d_backward *b)
{
    const struct arena_mark mark = arena_mark(arena);
    knack_status status = backward(arena, b);
    arena_rewind(arena, mark);
    return status;
}
