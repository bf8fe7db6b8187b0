/* The kernels against the reference and, where that is what runs, against the definition; and that threads change no bit. */
#include "kernel_call.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/memory.h"
#include "tensor/kernels/images.h"
#include "tensor/kernels/loops/small_matmul.h"

static void *typed_values(enum knack_type type, int64_t count)
{
    knack_real *real = values(count);
    if (type == KNACK_REAL) return real;
    uint16_t *out = room((size_t)count * sizeof *out);
    kernel_to_bf16(count, real, out);
    return out;
}

static const knack_real *as_real(enum knack_type type, int64_t count, const void *x)
{
    if (type == KNACK_REAL) return x;
    knack_real *out = room((size_t)count * sizeof *out);
    kernel_from_bf16(count, x, out);
    return out;
}

/* ---- Products ---- */

static void naive_product(const struct matmul *m, const knack_real *a, const knack_real *b, double *c)
{
    for (int64_t s = 0; s < m->batch; s++)
        for (int64_t i = 0; i < m->m; i++)
            for (int64_t j = 0; j < m->n; j++) {
                double sum = m->bias ? (double)m->bias[j] : 0;
                for (int64_t k = 0; k < m->k; k++) {
                    const int64_t at_a = m->transpose_a ? k * m->m + i : i * m->k + k;
                    const int64_t at_b = m->transpose_b ? j * m->k + k : k * m->n + j;
                    sum += (double)a[s * m->m * m->k + at_a] * (double)b[s * m->k * m->n + at_b];
                }
                c[(s * m->m + i) * m->n + j] = m->activation == KNACK_RELU && sum < 0 ? 0 : sum;
            }
}

static void run_product(const struct call *call, void *out)
{
    struct matmul m = *(const struct matmul *)call->user;
    m.c = out;
    ASSERT_OK(kernel_matmul(arena, &m));
}

static void check_product(struct matmul m)
{
    const int64_t c_count = m.batch * m.m * m.n;
    const enum knack_type result = m.result ? m.result : m.type;
    m.a = typed_values(m.type, m.batch * m.m * m.k);
    m.b = typed_values(m.type, m.batch * m.k * m.n);
    void *before = typed_values(result, c_count);
    const size_t bytes = (size_t)c_count * type_size(result);
    const struct call call = {.run = run_product, .user = &m, .before = before, .bytes = bytes};
    const knack_real *got = as_real(result, c_count, run_call(&call));
    struct matmul reference = m;
    reference.c = room(bytes);
    memcpy(reference.c, before, bytes);
    ASSERT_OK(reference_matmul(arena, &reference));
    const double rounding = result == KNACK_BF16 ? 1.0 / 128 : sum_error(1);
    assert_close("product", got, as_real(result, c_count, reference.c), c_count, sum_error(m.k), rounding);

    double *exact = room((size_t)c_count * sizeof *exact);
    naive_product(&m, as_real(m.type, m.batch * m.m * m.k, m.a), as_real(m.type, m.batch * m.k * m.n, m.b), exact);
    const knack_real *was = as_real(result, c_count, before);
    knack_real *wanted = room((size_t)c_count * sizeof *wanted);
    for (int64_t i = 0; i < c_count; i++) wanted[i] = (knack_real)(m.add ? (double)was[i] + exact[i] : exact[i]);
    assert_close("reference product", as_real(result, c_count, reference.c), wanted, c_count, sum_error(m.k), rounding);
    arena_reset(arena);
}

static void products(void **state)
{
    (void)state;
    static const int64_t shapes[][4] = {{1, 1, 1, 1},    {1, 1, 7, 3},      {1, 5, 1, 1},     {1, 1, 1, 9},     {1, 33, 5, 17},
                                        {1, 32, 64, 64}, {1, 130, 10, 130}, {1, 257, 33, 65}, {3, 4, 5, 6},     {1, 10, 64, 2000},
                                        {2, 1, 1, 5},    {5, 33, 17, 9},    {1, 300, 96, 80}, {40, 24, 24, 16}, {3, 7, 9, 600}};
    for (int64_t s = 0; s < LENGTH(shapes); s++) {
        for (int way = 0; way < 16; way++) {
            struct matmul m = {.batch = shapes[s][0], .m = shapes[s][1], .n = shapes[s][2], .k = shapes[s][3]};
            m.type = KNACK_REAL;
            m.transpose_a = way & 1;
            m.transpose_b = way & 2;
            m.add = way & 4;
            if (way & 8) {
                m.type = KNACK_BF16;
                m.result = way & 4 ? KNACK_REAL : 0;
            }
            check_product(m);
        }
    }
}

static void products_with_bias(void **state)
{
    (void)state;
    static const int64_t shapes[][4] = {{1, 1, 1, 1}, {1, 33, 5, 17}, {1, 129, 64, 40}, {2, 7, 5, 3}, {1, 400, 64, 100}, {2, 7, 5, 600}};
    for (int64_t s = 0; s < LENGTH(shapes); s++) {
        for (int way = 0; way < 4; way++) {
            struct matmul m = {.batch = shapes[s][0], .m = shapes[s][1], .n = shapes[s][2], .k = shapes[s][3], .transpose_b = true};
            m.type = way & 1 ? KNACK_BF16 : KNACK_REAL;
            m.activation = way & 2 ? KNACK_RELU : KNACK_LINEAR;
            knack_real bias[64];
            memcpy(bias, values(m.n), (size_t)m.n * sizeof *bias);
            m.bias = bias;
            check_product(m);
        }
    }
}

/* ---- Convolutions ---- */

struct convolution {
    struct conv2d c;
    const void *x, *w, *dy;
    const knack_real *bias;
    bool add;
    bool on_the_way;  /* images are given and taken by functions */
    knack_real *out;  /* where these put a result */
    atomic_int *seen; /* [rows]: how often each image was given or taken */
};

static int64_t x_count(const struct conv2d *c)
{
    return c->rows * c->height * c->width * c->in;
}
static int64_t y_count(const struct conv2d *c)
{
    return c->rows * c->out_height * c->out_width * c->out;
}
static int64_t w_count(const struct conv2d *c)
{
    return c->out * c->in * c->kernel_height * c->kernel_width;
}

/* y; or, from dy, dx and dw; any may be NULL. */
static void naive_convolution(const struct convolution *v, double *y, double *dx, double *dw)
{
    const struct conv2d *c = &v->c;
    const knack_real *x = as_real(c->type, x_count(c), v->x), *w = as_real(c->type, w_count(c), v->w);
    const knack_real *dy = as_real(c->type, y_count(c), v->dy);
    for (int64_t i = 0; i < x_count(c); i++) dx[i] = 0;
    for (int64_t i = 0; i < w_count(c); i++) dw[i] = 0;
    for (int64_t i = 0; i < y_count(c); i++) {
        const int64_t o = i % c->out, out_x = i / c->out % c->out_width, out_y = i / c->out / c->out_width % c->out_height;
        const int64_t row = i / c->out / c->out_width / c->out_height;
        y[i] = v->bias ? (double)v->bias[o] : 0;
        for (int64_t ky = 0; ky < c->kernel_height; ky++)
            for (int64_t kx = 0; kx < c->kernel_width; kx++) {
                const int64_t in_y = out_y * c->stride + ky - c->padding, in_x = out_x * c->stride + kx - c->padding;
                if (in_y < 0 || in_y >= c->height || in_x < 0 || in_x >= c->width) continue;
                for (int64_t k = 0; k < c->in; k++) {
                    const int64_t at_x = ((row * c->height + in_y) * c->width + in_x) * c->in + k;
                    const int64_t at_w = ((o * c->in + k) * c->kernel_height + ky) * c->kernel_width + kx;
                    y[i] += (double)x[at_x] * (double)w[at_w];
                    dx[at_x] += (double)dy[i] * (double)w[at_w];
                    dw[at_w] += (double)dy[i] * (double)x[at_x];
                }
            }
    }
}

/* ---- Images on their way ---- */

static void see_images(const struct convolution *v, struct images images)
{
    assert_true(images.count > 0 && images.first >= 0 && images.first + images.count <= v->c.rows);
    for (int64_t i = 0; i < images.count; i++) atomic_fetch_add(&v->seen[images.first + i], 1);
}

static const void *copy_images(const struct convolution *v, struct images images, const void *all, int64_t count, void *room)
{
    const size_t row = (size_t)(count / v->c.rows) * type_size(v->c.type);
    see_images(v, images);
    return memcpy(room, (const char *)all + (size_t)images.first * row, (size_t)images.count * row);
}

static void take_images(const struct convolution *v, struct images images, const knack_real *values, int64_t count)
{
    const int64_t row = count / v->c.rows;
    see_images(v, images);
    for (int64_t i = 0; i < images.count * row; i++) {
        knack_real *out = v->out + images.first * row + i;
        *out = v->add ? *out + values[i] : values[i];
    }
}

static const void *make_x(void *user, struct images images, void *room)
{
    const struct convolution *v = user;
    return copy_images(v, images, v->x, x_count(&v->c), room);
}

static const void *make_dy(void *user, struct images images, void *room)
{
    const struct convolution *v = user;
    return copy_images(v, images, v->dy, y_count(&v->c), room);
}

static void take_y(void *user, struct images images, knack_real *values)
{
    const struct convolution *v = user;
    take_images(v, images, values, y_count(&v->c));
}

static void take_dx(void *user, struct images images, knack_real *values)
{
    const struct convolution *v = user;
    take_images(v, images, values, x_count(&v->c));
}

static void expect_seen(const struct convolution *v, int times)
{
    for (int64_t i = 0; i < v->c.rows; i++)
        if (atomic_exchange(&v->seen[i], 0) != times) fail_msg("image %d was not given and taken once", (int)i);
}

/* ---- Its three results, by the kernel or by the reference ---- */

typedef knack_status forward_kernel(struct arena *, const struct conv2d_forward *);
typedef knack_status backward_kernel(struct arena *, const struct conv2d_backward *);

static void compute_y(const struct convolution *given, forward_kernel *kernel, knack_real *y)
{
    struct convolution v = *given;
    struct conv2d_forward f = {.shape = v.c, .x = v.x, .w = v.w, .bias = v.bias, .y = y, .user = &v};
    if (v.on_the_way) {
        v.out = y;
        v.add = false;
        f.x = f.y = NULL;
        f.make_x = make_x;
        f.made_y = take_y;
    }
    ASSERT_OK(kernel(arena, &f));
    if (v.on_the_way) expect_seen(&v, 2);
}

static void compute_dx(const struct convolution *given, backward_kernel *kernel, knack_real *dx)
{
    struct convolution v = *given;
    struct conv2d_backward b = {.shape = v.c, .dy = v.dy, .w = v.w, .dx = v.add ? NULL : dx, .user = &v};
    v.out = dx;
    if (v.add) b.made_dx = take_dx;
    if (v.on_the_way) {
        b.dy = b.dx = NULL;
        b.make_dy = make_dy;
        b.made_dx = take_dx;
    }
    ASSERT_OK(kernel(arena, &b));
    if (v.on_the_way || v.add) expect_seen(&v, v.on_the_way ? 2 : 1);
}

static void compute_dw(const struct convolution *given, backward_kernel *kernel, knack_real *dw)
{
    struct convolution v = *given;
    struct conv2d_backward b = {.shape = v.c, .x = v.x, .dy = v.dy, .dw = dw, .add_dw = v.add, .user = &v};
    if (v.on_the_way) {
        b.x = b.dy = NULL;
        b.make_x = make_x;
        b.make_dy = make_dy;
    }
    ASSERT_OK(kernel(arena, &b));
    if (v.on_the_way) expect_seen(&v, 2);
}

static void run_forward(const struct call *call, void *out)
{
    compute_y(call->user, kernel_conv2d, out);
}

static void run_input_gradient(const struct call *call, void *out)
{
    compute_dx(call->user, kernel_conv2d_backward, out);
}

static void run_weights_gradient(const struct call *call, void *out)
{
    compute_dw(call->user, kernel_conv2d_backward, out);
}

/* dx and dw at once, each the same as alone. */
static void both_gradients(const struct convolution *v, const knack_real *dx, const knack_real *dw)
{
    const size_t dx_bytes = (size_t)x_count(&v->c) * sizeof *dx, dw_bytes = (size_t)w_count(&v->c) * sizeof *dw;
    struct conv2d_backward b = {.shape = v->c, .x = v->x, .dy = v->dy, .w = v->w, .dx = room(dx_bytes), .dw = room(dw_bytes)};
    ASSERT_OK(kernel_conv2d_backward(arena, &b));
    assert_memory_equal(b.dx, dx, dx_bytes);
    assert_memory_equal(b.dw, dw, dw_bytes);
}

/* got and the reference's result against the definition. */
static void assert_exact(const char *what, const knack_real *got, const knack_real *reference, const double *exact,
                         const knack_real *before, int64_t count, int64_t terms)
{
    knack_real *wanted = room((size_t)count * sizeof *wanted);
    for (int64_t i = 0; i < count; i++) wanted[i] = (knack_real)(before ? (double)before[i] + exact[i] : exact[i]);
    assert_close(what, got, wanted, count, sum_error(terms), sum_error(1));
    assert_close("reference", reference, wanted, count, sum_error(terms), sum_error(1));
}

/* For Winograd's method, whose error depends on the place within a tile: the root mean square of the error, in that of the exact values.
 * Plain sums in f32 have 2e-7 to 4e-7. */
static void assert_near(const char *what, const knack_real *got, const knack_real *reference, const double *exact, const knack_real *before,
                        int64_t count, int64_t terms)
{
    const double bound = sizeof(knack_real) == 4 ? 2e-6 : 1e-13;
    double error = 0, size = 0;
    (void)reference, (void)terms;
    for (int64_t i = 0; i < count; i++) {
        const double wanted = before ? (double)before[i] + exact[i] : exact[i];
        error += ((double)got[i] - wanted) * ((double)got[i] - wanted);
        size += wanted * wanted;
    }
    if (!(sqrt(error) <= bound * sqrt(size))) fail_msg("%s: relative error %.3g, at most %.3g", what, sqrt(error / size), bound);
}

typedef void assert_result(const char *what, const knack_real *got, const knack_real *reference, const double *exact,
                           const knack_real *before, int64_t count, int64_t terms);

/* Room for a result, or a copy of what is added to. */
static knack_real *result_room(const knack_real *before, int64_t count)
{
    knack_real *out = room((size_t)count * sizeof *out);
    return before ? memcpy(out, before, (size_t)count * sizeof *out) : out;
}

static void check_convolution(struct conv2d c, bool with_bias, bool add, bool on_the_way, assert_result *check)
{
    c.out_height = (c.height + 2 * c.padding - c.kernel_height) / c.stride + 1;
    c.out_width = (c.width + 2 * c.padding - c.kernel_width) / c.stride + 1;
    const struct convolution v = {.c = c,
                                  .x = typed_values(c.type, x_count(&c)),
                                  .w = typed_values(c.type, w_count(&c)),
                                  .dy = typed_values(c.type, y_count(&c)),
                                  .bias = with_bias ? values(c.out) : NULL,
                                  .add = add,
                                  .on_the_way = on_the_way,
                                  .seen = arena_zeroed(arena, (size_t)c.rows * sizeof(atomic_int))};
    double *y = room((size_t)y_count(&c) * sizeof *y), *dx = room((size_t)x_count(&c) * sizeof *dx);
    double *dw = room((size_t)w_count(&c) * sizeof *dw);
    assert_non_null(v.seen);
    naive_convolution(&v, y, dx, dw);

    struct call call = {.run = run_forward, .user = &v, .bytes = (size_t)y_count(&c) * sizeof(knack_real)};
    knack_real *reference = room(call.bytes);
    compute_y(&v, reference_conv2d, reference);
    check("convolution", run_call(&call), reference, y, NULL, y_count(&c), c.in * c.kernel_height * c.kernel_width);

    const knack_real *before = add ? values(x_count(&c)) : NULL;
    call = (struct call){.run = run_input_gradient, .user = &v, .before = before, .bytes = (size_t)x_count(&c) * sizeof(knack_real)};
    reference = result_room(before, x_count(&c));
    compute_dx(&v, reference_conv2d_backward, reference);
    const knack_real *got_dx = run_call(&call);
    check("gradient of the input", got_dx, reference, dx, before, x_count(&c), c.out * c.kernel_height * c.kernel_width);

    before = add ? values(w_count(&c)) : NULL;
    call = (struct call){.run = run_weights_gradient, .user = &v, .before = before, .bytes = (size_t)w_count(&c) * sizeof(knack_real)};
    reference = result_room(before, w_count(&c));
    compute_dw(&v, reference_conv2d_backward, reference);
    const knack_real *got_dw = run_call(&call);
    check("gradient of the weights", got_dw, reference, dw, before, w_count(&c), c.rows * c.out_height * c.out_width);
    if (!add) both_gradients(&v, got_dx, got_dw);
    arena_reset(arena);
}

static void convolutions(void **state)
{
    (void)state;
    /* rows, height, width, in, out, kernel height, kernel width, stride, padding; some rows make several sub-batches and a smaller last. */
    static const int64_t shapes[][9] = {{1, 1, 1, 1, 1, 1, 1, 1, 0},     {2, 5, 7, 3, 5, 3, 3, 1, 1},   {13, 28, 28, 1, 32, 3, 3, 1, 1},
                                        {3, 16, 16, 16, 16, 3, 3, 1, 1}, {3, 9, 8, 16, 32, 3, 3, 2, 1}, {4, 8, 8, 16, 32, 1, 1, 2, 0},
                                        {2, 7, 6, 17, 10, 3, 3, 1, 0},   {1, 6, 6, 4, 4, 5, 5, 1, 2},   {5, 32, 32, 3, 16, 3, 3, 1, 1},
                                        {2, 5, 5, 8, 8, 2, 3, 1, 1},     {1, 3, 3, 2, 2, 3, 3, 3, 0},   {2, 4, 6, 33, 1, 1, 1, 1, 0},
                                        {1, 1, 2, 5, 6, 3, 3, 1, 1},     {2, 7, 7, 3, 4, 3, 3, 3, 2}};
    for (int64_t s = 0; s < LENGTH(shapes); s++) {
        const int64_t *n = shapes[s];
        struct conv2d c = {.rows = n[0],
                           .height = n[1],
                           .width = n[2],
                           .in = n[3],
                           .out = n[4],
                           .kernel_height = n[5],
                           .kernel_width = n[6],
                           .stride = (int)n[7],
                           .padding = (int)n[8]};
        for (int way = 0; way < 8; way++) {
            c.type = way & 1 ? KNACK_BF16 : KNACK_REAL;
            check_convolution(c, way & 2, way & 2, way & 4, assert_exact);
        }
    }
}

/* 3 x 3 of many channels. */
static void convolutions_of_channel_groups(void **state)
{
    (void)state;
    /* rows, height, width, in, out */
    static const int64_t shapes[][5] = {{21, 14, 14, 32, 64}, {9, 16, 16, 16, 16}, {3, 8, 8, 64, 64},  {2, 5, 7, 48, 16},
                                        {2, 1, 1, 16, 32},    {1, 2, 3, 32, 16},   {1, 4, 4, 256, 32}, {1, 3, 28, 16, 48}};
    for (int64_t s = 0; s < LENGTH(shapes); s++) {
        const int64_t *n = shapes[s];
        const struct conv2d c = {.type = KNACK_REAL,
                                 .rows = n[0],
                                 .height = n[1],
                                 .width = n[2],
                                 .in = n[3],
                                 .out = n[4],
                                 .kernel_height = 3,
                                 .kernel_width = 3,
                                 .stride = 1,
                                 .padding = 1};
        for (int way = 0; way < 4; way++) check_convolution(c, way & 1, way & 1, way & 2, assert_near);
    }
}

/* More sub-batches than are kept as partial gradients: 18 of one row each. */
static void convolution_of_many_sub_batches(void **state)
{
    (void)state;
    const struct conv2d c = {
        .type = KNACK_REAL, .rows = 18, .height = 96, .width = 96, .in = 8, .out = 8, .kernel_height = 1, .kernel_width = 1, .stride = 1};
    check_convolution(c, false, false, false, assert_exact);
    check_convolution(c, false, true, true, assert_exact);
}

/* ---- Pooling ---- */

struct pooling {
    struct pool2d p;
    const knack_real *x, *y, *dy;
    bool add;
};

static void run_max(const struct call *call, void *out)
{
    const struct pooling *v = call->user;
    ASSERT_OK(kernel_max_pool(arena, &v->p, v->x, out));
}

static void run_max_backward(const struct call *call, void *out)
{
    const struct pooling *v = call->user;
    ASSERT_OK(kernel_max_pool_backward(arena, &v->p, v->x, v->y, v->dy, out, v->add));
}

static void run_average(const struct call *call, void *out)
{
    const struct pooling *v = call->user;
    ASSERT_OK(kernel_average_pool(arena, &v->p, v->x, out));
}

static void run_average_backward(const struct call *call, void *out)
{
    const struct pooling *v = call->user;
    ASSERT_OK(kernel_average_pool_backward(arena, &v->p, v->dy, out, v->add));
}

static void check_pool(struct pool2d p, bool add)
{
    p.out_height = (p.height + 2 * p.padding - p.size) / p.stride + 1;
    p.out_width = (p.width + 2 * p.padding - p.size) / p.stride + 1;
    const int64_t in = p.rows * p.height * p.width * p.channels, out = p.rows * p.out_height * p.out_width * p.channels;
    knack_real *x = values(in), *y = room((size_t)out * sizeof *y), *dx = room((size_t)in * sizeof *dx);
    for (int64_t i = 0; i < in; i++) x[i] = (knack_real)rint((double)x[i] * 4); /* so that there are equal ones */
    const knack_real *before = add ? values(in) : NULL;
    ASSERT_OK(reference_max_pool(arena, &p, x, y));
    const struct pooling v = {.p = p, .x = x, .y = y, .dy = values(out), .add = add};
    struct call call = {.run = run_max, .user = &v, .bytes = (size_t)out * sizeof *y};
    assert_memory_equal(run_call(&call), y, call.bytes);
    call = (struct call){.run = run_max_backward, .user = &v, .before = before, .bytes = (size_t)in * sizeof *dx};
    if (before) memcpy(dx, before, call.bytes);
    ASSERT_OK(reference_max_pool_backward(arena, &p, x, y, v.dy, dx, add));
    assert_close("max pool, gradient", run_call(&call), dx, in, 0, sum_error(1));

    call = (struct call){.run = run_average, .user = &v, .bytes = (size_t)out * sizeof *y};
    ASSERT_OK(reference_average_pool(arena, &p, x, y));
    assert_close("average pool", run_call(&call), y, out, sum_error(1), sum_error(1));
    call = (struct call){.run = run_average_backward, .user = &v, .before = before, .bytes = (size_t)in * sizeof *dx};
    if (before) memcpy(dx, before, call.bytes);
    ASSERT_OK(reference_average_pool_backward(arena, &p, v.dy, dx, add));
    assert_close("average pool, gradient", run_call(&call), dx, in, sum_error(1), sum_error(1));
    arena_reset(arena);
}

static void pools(void **state)
{
    (void)state;
    /* rows, height, width, channels, size, stride, padding */
    static const int64_t shapes[][7] = {{1, 1, 1, 1, 1, 1, 0},  {9, 28, 28, 32, 2, 2, 0}, {2, 7, 7, 5, 2, 2, 0},  {3, 9, 8, 70, 3, 2, 1},
                                        {2, 5, 5, 16, 3, 1, 1}, {1, 4, 6, 129, 2, 3, 0},  {2, 8, 8, 64, 8, 8, 0}, {2, 5, 4, 3, 4, 2, 3}};
    for (int64_t s = 0; s < LENGTH(shapes); s++) {
        const int64_t *n = shapes[s];
        const struct pool2d p = {
            .rows = n[0], .height = n[1], .width = n[2], .channels = n[3], .size = n[4], .stride = n[5], .padding = n[6]};
        check_pool(p, false);
        check_pool(p, true);
    }
}

/* A NaN is a window's maximum wherever it stands, and gets the gradient. */
static void max_pool_of_nan(void **state)
{
    (void)state;
    const struct pool2d p = {.rows = 1, .height = 2, .width = 2, .channels = 1, .out_height = 1, .out_width = 1, .size = 2, .stride = 2};
    for (int at = 0; at < 4; at++) {
        knack_real x[4] = {1, 2, 3, 4}, y, dy = 5, dx[4];
        x[at] = (knack_real)NAN;
        ASSERT_OK(kernel_max_pool(arena, &p, x, &y));
        assert_true(isnan(y));
        ASSERT_OK(kernel_max_pool_backward(arena, &p, x, &y, &dy, dx, false));
        for (int i = 0; i < 4; i++) assert_true(dx[i] == (i == at ? 5 : 0));
    }
}

/* ---- Norms ---- */

struct norm {
    bool batch, add;
    int64_t rows, channels;
    const knack_real *x, *mean, *variance, *gamma, *beta, *dy;
};

static const double epsilon = 1e-5;

/* mean, variance */
static void run_moments(const struct call *call, void *out)
{
    const struct norm *v = call->user;
    ASSERT_OK(kernel_channel_moments(arena, v->rows, v->channels, v->x, out, (knack_real *)out + v->channels));
}

static void run_batch_norm(const struct call *call, void *out)
{
    const struct norm *v = call->user;
    kernel_batch_norm(v->rows, v->channels, v->x, v->mean, v->variance, epsilon, v->gamma, v->beta, out);
}

/* dx, dgamma, dbeta */
static void run_batch_norm_backward(const struct call *call, void *out)
{
    const struct norm *v = call->user;
    knack_real *dx = out, *dgamma = dx + v->rows * v->channels, *dbeta = dgamma + v->channels;
    ASSERT_OK(kernel_batch_norm_backward(arena, v->batch, v->rows, v->channels, v->x, v->mean, v->variance, epsilon, v->gamma, v->dy, dx,
                                         v->add, dgamma, v->add, dbeta, v->add));
}

static void check_batch_norm(int64_t rows, int64_t channels, double offset, bool batch, bool add)
{
    const int64_t count = rows * channels, all = count + 2 * channels;
    knack_real *x = values(count), *moments = room((size_t)(2 * channels) * sizeof *moments);
    for (int64_t i = 0; i < count; i++) x[i] += (knack_real)offset;
    struct norm v = {.batch = batch,
                     .add = add,
                     .rows = rows,
                     .channels = channels,
                     .x = x,
                     .gamma = values(channels),
                     .beta = values(channels),
                     .dy = values(count),
                     .mean = moments,
                     .variance = moments + channels};
    struct call call = {.run = run_moments, .user = &v, .bytes = (size_t)(2 * channels) * sizeof *x};
    ASSERT_OK(reference_channel_moments(arena, rows, channels, x, moments, moments + channels));
    assert_close("moments", run_call(&call), moments, 2 * channels, sum_error(1) * (1 + offset), 4 * sum_error(1));

    knack_real *wanted = room((size_t)all * sizeof *wanted);
    const double steepest = rows > 1 ? 30 : 1 / sqrt(epsilon); /* 1 / sqrt(variance + epsilon) */
    call = (struct call){.run = run_batch_norm, .user = &v, .bytes = (size_t)count * sizeof *x};
    reference_batch_norm(rows, channels, x, v.mean, v.variance, epsilon, v.gamma, v.beta, wanted);
    assert_close("batch norm", run_call(&call), wanted, count, sum_error(1) * (1 + offset) * steepest, sum_error(1));

    const knack_real *before = values(all);
    memcpy(wanted, before, (size_t)all * sizeof *wanted);
    call = (struct call){.run = run_batch_norm_backward, .user = &v, .before = before, .bytes = (size_t)all * sizeof *x};
    ASSERT_OK(reference_batch_norm_backward(arena, batch, rows, channels, x, v.mean, v.variance, epsilon, v.gamma, v.dy, wanted, add,
                                            wanted + count, add, wanted + count + channels, add));
    assert_close("batch norm, gradients", run_call(&call), wanted, all, sum_error(rows) * steepest * (1 + offset), 10 * sum_error(1));
    arena_reset(arena);
}

static void batch_norms(void **state)
{
    (void)state;
    static const int64_t shapes[][2] = {{2, 1}, {7, 5}, {64, 32}, {65, 33}, {5000, 16}, {1000, 100}, {70000, 3}, {3, 700}};
    for (int64_t s = 0; s < LENGTH(shapes); s++)
        for (int way = 0; way < 4; way++) check_batch_norm(shapes[s][0], shapes[s][1], 0, way & 1, way & 2);
    check_batch_norm(1, 3, 0, false, false);
    check_batch_norm(3000, 20, 100, true, false); /* the squares must not cancel */
}

/* ---- Column sums, bf16 ---- */

static void run_sums(const struct call *call, void *out)
{
    const struct norm *v = call->user;
    kernel_column_sums(v->rows, v->channels, v->x, out, v->add);
}

static void column_sums(void **state)
{
    (void)state;
    static const int64_t shapes[][2] = {{1, 1}, {3, 64}, {130, 65}, {2000, 200}, {100000, 1}};
    for (int64_t s = 0; s < LENGTH(shapes); s++) {
        const int64_t rows = shapes[s][0], columns = shapes[s][1];
        for (int add = 0; add < 2; add++) {
            const struct norm v = {.add = add, .rows = rows, .channels = columns, .x = values(rows * columns)};
            const knack_real *before = values(columns);
            const struct call call = {.run = run_sums, .user = &v, .before = before, .bytes = (size_t)columns * sizeof *before};
            knack_real *wanted = room(call.bytes);
            for (int64_t j = 0; j < columns; j++) {
                double sum = add ? (double)before[j] : 0;
                for (int64_t i = 0; i < rows; i++) sum += (double)v.x[i * columns + j];
                wanted[j] = (knack_real)sum;
            }
            assert_close("column sums", run_call(&call), wanted, columns, sum_error(rows), sum_error(1));
            arena_reset(arena);
        }
    }
}

static uint16_t bf16(double x)
{
    const knack_real real = (knack_real)x;
    uint16_t out;
    kernel_to_bf16(1, &real, &out);
    return out;
}

static void bf16_rounding(void **state)
{
    (void)state;
    assert_int_equal(bf16(0), 0);
    assert_int_equal(bf16(-0.0), 0x8000);
    assert_int_equal(bf16(1), 0x3f80);
    assert_int_equal(bf16(-2), 0xc000);
    assert_int_equal(bf16(1 + 0x1p-8), 0x3f80); /* a tie goes to the even one */
    assert_int_equal(bf16(1 + 0x3p-8), 0x3f82);
    assert_int_equal(bf16(1 + 0x1p-8 + 0x1p-20), 0x3f81);
    assert_int_equal(bf16(1 + 0x1p-7 - 0x1p-20), 0x3f81);
    assert_int_equal(bf16(3.4e38), 0x7f80); /* rounds to infinity */
    assert_int_equal(bf16(INFINITY), 0x7f80);
    assert_int_equal(bf16(-INFINITY), 0xff80);
    assert_int_equal(bf16(NAN) & 0x7fc0, 0x7fc0);
    if (sizeof(knack_real) == 8) {
        assert_int_equal(bf16(1 + 0x1p-8 + 0x1p-40), 0x3f81); /* no tie, though it is one in f32 */
        assert_int_equal(bf16(1 + 0x3p-8 - 0x1p-40), 0x3f81);
        assert_int_equal(bf16(-(1 + 0x1p-8 + 0x1p-40)), 0xbf81);
        assert_int_equal(bf16(1e300), 0x7f80);
    }
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        const uint16_t value = (uint16_t)bits;
        knack_real real;
        uint16_t again;
        kernel_from_bf16(1, &value, &real);
        kernel_to_bf16(1, &real, &again);
        const bool nan = (bits & 0x7fff) > 0x7f80;
        if ((bits & 0x7f80) == 0 && sizeof(knack_real) == 8) continue; /* converted with denormals flushed to zero */
        if (nan ? !isnan(real) || (again & 0x7fff) <= 0x7f80 : again != value) fail_msg("bf16 %x becomes %x", bits, again);
    }
}

/* ---- Making kernels for new shapes ---- */

/* More shapes than kernels are kept for; the first is made anew in the end. */
static void many_shapes(void **state)
{
    (void)state;
    enum { SHAPES = 1200, LEAST = SMALL_MATMUL_TERMS + 1 }; /* terms, too many for a kernel that is not kept */
    knack_real *ones = room((SHAPES + LEAST) * sizeof *ones), out;
    for (int64_t i = 0; i < SHAPES + LEAST; i++) ones[i] = 1;
    for (int64_t n = 1; n <= SHAPES; n++) {
        const int64_t terms = LEAST + (n < SHAPES ? n : 1);
        const struct matmul m = {.type = KNACK_REAL, .batch = 1, .m = 1, .n = 1, .k = terms, .a = ones, .b = ones, .c = &out};
        ASSERT_OK(kernel_matmul(arena, &m));
        assert_true(out == (knack_real)terms);
    }
    arena_reset(arena);
}

/* The nth allocation fails while a kernel for a new shape is made; made again, it is right. */
static void failing_memory(void **state)
{
    (void)state;
    assert_int_equal(threads_set(2), KNACK_OK);
    int failures = 0;
    for (int64_t nth = 1; nth < 40; nth++) {
        struct conv2d c = {.type = KNACK_REAL,
                           .rows = 3,
                           .height = 60,
                           .width = 60 + nth,
                           .in = 16,
                           .out = 16,
                           .kernel_height = 1,
                           .kernel_width = 1,
                           .out_height = 60,
                           .out_width = 60 + nth,
                           .stride = 1};
        const knack_real *x = values(x_count(&c)), *w = values(w_count(&c));
        knack_real *y = room((size_t)y_count(&c) * sizeof *y), *wanted = room((size_t)y_count(&c) * sizeof *y);
        struct conv2d_forward f = {.shape = c, .x = x, .w = w, .y = y};
        memory_fail_at(nth);
        knack_status status = kernel_conv2d(arena, &f);
        memory_fail_at(0);
        failures += status != KNACK_OK;
        if (status != KNACK_OK) {
            assert_int_equal(status, KNACK_E_MEMORY);
            ASSERT_OK(kernel_conv2d(arena, &f));
        }
        f.y = wanted;
        ASSERT_OK(reference_conv2d(arena, &f));
        assert_close("convolution", y, wanted, y_count(&c), sum_error(16), sum_error(1));
        arena_reset(arena);
        if (status == KNACK_OK) break;
    }
    assert_true(failures > 0 || sizeof(knack_real) == 8); /* the reference makes nothing */
    threads_set(1);
}

static void *convolve(void *user)
{
    const struct convolution *v = user;
    struct arena *own = arena_new(1 << 16);
    struct conv2d_forward f = {.shape = v->c, .x = v->x, .w = v->w, .y = memory_new((size_t)y_count(&v->c), sizeof(knack_real))};
    if (!own || !f.y || kernel_conv2d(own, &f) != KNACK_OK) {
        memory_free(f.y);
        f.y = NULL;
    }
    arena_free(own);
    return f.y;
}

/* Two callers at once, each with kernels of its own and with helping threads: both are right, and nothing is left when they end. */
static void two_callers(void **state)
{
    (void)state;
    assert_int_equal(threads_set(2), KNACK_OK);
    const struct conv2d c = {.type = KNACK_REAL,
                             .rows = 20,
                             .height = 20,
                             .width = 20,
                             .in = 24,
                             .out = 24,
                             .kernel_height = 3,
                             .kernel_width = 3,
                             .out_height = 20,
                             .out_width = 20,
                             .stride = 1,
                             .padding = 1};
    struct convolution v = {.c = c, .x = values(x_count(&c)), .w = values(w_count(&c))};
    knack_real *wanted = room((size_t)y_count(&c) * sizeof *wanted);
    ASSERT_OK(kernel_conv2d(arena, &(struct conv2d_forward){.shape = c, .x = v.x, .w = v.w, .y = wanted}));
    pthread_t caller[2];
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&caller[i], NULL, convolve, &v), 0);
    for (int i = 0; i < 2; i++) {
        void *y;
        assert_int_equal(pthread_join(caller[i], &y), 0);
        assert_non_null(y);
        assert_memory_equal(y, wanted, (size_t)y_count(&c) * sizeof *wanted);
        memory_free(y);
    }
    arena_reset(arena);
    threads_set(1);
}

static void names(void **state)
{
    (void)state;
    assert_true(strlen(kernel_cpu_level()) > 0);
#ifdef KNACK_REAL_DOUBLE
    assert_string_equal(kernel_library_version(), "reference kernels");
#else
    assert_int_equal(strncmp(kernel_library_version(), "oneDNN 2.", 9), 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),
        cmocka_unit_test(products_with_bias),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(convolutions_of_channel_groups),
        cmocka_unit_test(convolution_of_many_sub_batches),
        cmocka_unit_test(pools),
        cmocka_unit_test(max_pool_of_nan),
        cmocka_unit_test(batch_norms),
        cmocka_unit_test(column_sums),
        cmocka_unit_test(bf16_rounding),
        cmocka_unit_test(many_shapes),
        cmocka_unit_test(failing_memory),
        cmocka_unit_test(two_callers),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("kernels", tests, open_arena, close_arena);
}
