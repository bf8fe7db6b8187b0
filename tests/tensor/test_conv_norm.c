/* Convolution, batch norm and ReLU as one piece of work: against the operations one by one, made on the way or before, for any number of
 * threads. Gradients are in test_gradients.c too. */
#include "fixture.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "tensor/conv_norm.h"

static struct fixture fixture;

static int open_fixture(void **state)
{
    (void)state;
    fixture_open(&fixture);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return threads_set(1);
}

/* ---- A small network ---- */

enum { STEM, FIRST, SECOND, SHORTCUT, LAST, CONVOLUTIONS };

/* How its values are computed. */
enum way {
    ONE_BY_ONE,  /* an operation each */
    MADE_BEFORE, /* together, but what the next convolution gets is made before it */
    ON_THE_WAY
};

struct network {
    int64_t rows, height, width, in, channels;
    int stride; /* of the block; with one above 1 the shortcut is a convolution too */
    bool pool;  /* a pool behind the stem */
    bool batch; /* statistics of the batch */
    bool input; /* the input gets a gradient */
    enum knack_type compute;
    enum way way;
    knack_tensor *x, *w[CONVOLUTIONS], *gamma[CONVOLUTIONS], *beta[CONVOLUTIONS];
    knack_real *mean[CONVOLUTIONS], *variance[CONVOLUTIONS];
    int64_t count;
};

static uint32_t drawn;

/* Values in [-1, 1). */
static knack_tensor *draw(int ndim, const int64_t *shape)
{
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= shape[i];
    knack_real *values = arena_alloc(fixture.arena, (size_t)count * sizeof *values);
    assert_non_null(values);
    random_uniforms(5, (struct random_place){.a = drawn++}, 0, count, values);
    for (int64_t i = 0; i < count; i++) values[i] = 2 * values[i] - 1;
    return variable(&fixture, values, ndim, shape);
}

static void open_network(struct network *net)
{
    const size_t bytes = (size_t)net->channels * sizeof(knack_real);
    drawn = 0;
    net->x = draw(SHAPE(net->rows, net->height, net->width, net->in));
    net->x->needs_gradient = net->input;
    for (int i = 0; i < CONVOLUTIONS; i++) {
        const int64_t kernel = i == SHORTCUT ? 1 : 3;
        net->w[i] = draw(SHAPE(net->channels, i == STEM ? net->in : net->channels, kernel, kernel));
        net->gamma[i] = draw(SHAPE(net->channels));
        net->beta[i] = draw(SHAPE(net->channels));
        net->mean[i] = arena_zeroed(fixture.arena, bytes);
        net->variance[i] = arena_alloc(fixture.arena, bytes);
        assert_true(net->mean[i] && net->variance[i]);
        for (int64_t c = 0; c < net->channels; c++) net->variance[i][c] = (knack_real)(c % 3 + 1);
    }
}

static struct batch_norm norm_of(struct network *net, int i)
{
    return (struct batch_norm){net->batch, net->mean[i], net->variance[i], &net->count, 1e-3};
}

static int stride_of(const struct network *net, int i)
{
    return i == FIRST || i == SHORTCUT ? net->stride : 1;
}

static knack_tensor *conv_then_norm(struct network *net, int i, knack_tensor *x)
{
    const struct batch_norm norm = norm_of(net, i);
    return tensor_batch_norm(knack_conv2d(x, net->w[i], NULL, stride_of(net, i), i != SHORTCUT), net->gamma[i], net->beta[i], &norm);
}

static knack_tensor *one_by_one(struct network *net)
{
    knack_tensor *stem = knack_relu(conv_then_norm(net, STEM, net->x));
    if (net->pool) stem = knack_max_pool(stem, 2, 2, 0);
    knack_tensor *y = conv_then_norm(net, SECOND, knack_relu(conv_then_norm(net, FIRST, stem)));
    y = knack_relu(knack_add(y, net->stride > 1 ? conv_then_norm(net, SHORTCUT, stem) : stem));
    return knack_relu(conv_then_norm(net, LAST, y));
}

static struct conv_norm *conv_norm(struct network *net, int i, knack_tensor *x)
{
    const struct batch_norm norm = norm_of(net, i);
    if (net->way == MADE_BEFORE) x = tensor_made(x);
    const struct conv_norm_how how = {
        .stride = stride_of(net, i), .padding = i != SHORTCUT, .compute = net->compute, .pool = net->pool && i == STEM, .norm = &norm};
    return tensor_conv_norm(x, net->w[i], net->gamma[i], net->beta[i], &how);
}

static knack_tensor *together(struct network *net)
{
    knack_tensor *stem = tensor_norm_relu(conv_norm(net, STEM, net->x), true);
    struct conv_norm *last = conv_norm(net, SECOND, tensor_norm_relu(conv_norm(net, FIRST, stem), false));
    knack_tensor *y = net->stride > 1 ? tensor_norm_add_norm_relu(last, conv_norm(net, SHORTCUT, stem)) : tensor_norm_add_relu(last, stem);
    return tensor_made(tensor_norm_relu(conv_norm(net, LAST, y), false));
}

/* The network's values and gradients for a fixed seed, one behind the other. */
struct outcome {
    int64_t count, values; /* values: of the result, which come first */
    knack_real *all;
};

static void append(struct outcome *outcome, const void *values, int64_t count)
{
    assert_non_null(values);
    memcpy(outcome->all + outcome->count, values, (size_t)count * sizeof *outcome->all);
    outcome->count += count;
}

static struct outcome run(struct network *net)
{
    enum { MOST = 1 << 20 };
    struct outcome outcome = {.all = memory_new(MOST, sizeof *outcome.all)};
    assert_non_null(outcome.all);
    arena_reset(fixture.arena);
    tape_begin(&fixture.tape, fixture.arena);
    open_network(net);
    knack_tensor *y = net->way == ONE_BY_ONE ? one_by_one(net) : together(net);
    if (!y) tape_status(&fixture.tape);
    if (!y) fail_msg("%s", knack_error());
    knack_real *seed = draw(y->ndim, y->shape)->data;
    backward(y, seed);
    append(&outcome, y->data, y->count);
    outcome.values = y->count;
    for (int i = 0; i < CONVOLUTIONS; i++) {
        append(&outcome, net->w[i]->gradient, net->w[i]->count);
        append(&outcome, net->gamma[i]->gradient, net->channels);
        append(&outcome, net->beta[i]->gradient, net->channels);
        append(&outcome, net->mean[i], net->channels);
        append(&outcome, net->variance[i], net->channels);
    }
    if (net->input) append(&outcome, net->x->gradient, net->x->count);
    assert_true(outcome.count <= MOST);
    return outcome;
}

static void assert_same(const struct outcome *a, const struct outcome *b, const char *what)
{
    assert_int_equal(a->count, b->count);
    for (int64_t i = 0; i < a->count; i++)
        if (memcmp(&a->all[i], &b->all[i], sizeof *a->all))
            fail_msg("%s: value %d is %.9g, not %.9g", what, (int)i, (double)b->all[i], (double)a->all[i]);
}

/* The largest distance, as a share of the largest value. */
static double distance(const knack_real *a, const knack_real *b, int64_t count)
{
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
        largest = fmax(largest, fabs((double)a[i]));
    }
    return worst > 0 ? worst / largest : 0;
}

static void check_network(struct network net)
{
    net.way = ONE_BY_ONE;
    struct outcome apart = run(&net);
    net.way = MADE_BEFORE;
    struct outcome before = run(&net);
    net.way = ON_THE_WAY;
    struct outcome first = run(&net);
    assert_same(&before, &first, "made on the way");
    for (int threads = 2; threads <= 3; threads++) {
        assert_int_equal(threads_set(threads), KNACK_OK);
        struct outcome again = run(&net);
        assert_same(&first, &again, "threads");
        memory_free(again.all);
    }
    threads_set(1);
    assert_int_equal(apart.count, first.count);
    /* A sum near 0 may fall on the other side of ReLU, or another value may be a window's maximum, which takes a gradient with it. */
    const bool exact = sizeof(knack_real) == 8, half = net.compute == KNACK_BF16;
    const double of_values = half ? 0.1 : exact ? 1e-12 : 2e-5, of_gradients = half ? 0.3 : exact ? 1e-11 : 1e-3;
    assert_true(distance(apart.all, first.all, first.values) < of_values);
    assert_true(distance(apart.all + first.values, first.all + first.values, first.count - first.values) < of_gradients);
    memory_free(apart.all);
    memory_free(before.all);
    memory_free(first.all);
}

static void networks(void **state)
{
    (void)state;
    static const struct network nets[] = {
        {.rows = 3, .height = 6, .width = 5, .in = 2, .channels = 3, .stride = 1},
        {.rows = 1, .height = 4, .width = 4, .in = 1, .channels = 1, .stride = 2},
        {.rows = 5, .height = 7, .width = 9, .in = 3, .channels = 16, .stride = 1, .pool = true},
        {.rows = 9, .height = 14, .width = 15, .in = 1, .channels = 32, .stride = 2, .pool = true},
        {.rows = 2, .height = 8, .width = 8, .in = 5, .channels = 64, .stride = 2},
        {.rows = 2, .height = 5, .width = 7, .in = 5, .channels = 70, .stride = 1, .pool = true},
        {.rows = 2, .height = 3, .width = 7, .in = 5, .channels = 129, .stride = 1},
        {.rows = 12, .height = 32, .width = 33, .in = 3, .channels = 8, .stride = 2},
    };
    for (int64_t i = 0; i < LENGTH(nets); i++)
        for (int way = 0; way < 4; way++) {
            struct network net = nets[i];
            net.batch = way & 1;
            net.compute = way & 2 ? KNACK_BF16 : KNACK_REAL;
            net.input = way == 1 || way == 2;
            check_network(net);
        }
}

/* Without gradients the values are the same. */
static void values_without_recording(void **state)
{
    (void)state;
    struct network net = {
        .rows = 3, .height = 8, .width = 8, .in = 2, .channels = 16, .stride = 2, .batch = true, .compute = KNACK_REAL, .way = ON_THE_WAY};
    struct outcome recorded = run(&net);
    arena_reset(fixture.arena);
    tape_begin(&fixture.tape, fixture.arena);
    open_network(&net);
    fixture.tape.recording = false;
    knack_tensor *y = together(&net);
    assert_non_null(y);
    assert_false(y->needs_gradient);
    assert_memory_equal(y->data, recorded.all, (size_t)recorded.values * sizeof(knack_real));
    memory_free(recorded.all);
}

/* Parameters without gradients are left alone, and change no other gradient. */
static void unwanted_gradients(void **state)
{
    (void)state;
    struct network net = {
        .rows = 3, .height = 8, .width = 8, .in = 2, .channels = 4, .stride = 1, .batch = true, .compute = KNACK_REAL, .way = ON_THE_WAY};
    struct outcome all = run(&net);
    arena_reset(fixture.arena);
    tape_begin(&fixture.tape, fixture.arena);
    open_network(&net);
    net.w[FIRST]->needs_gradient = net.gamma[SECOND]->needs_gradient = net.beta[LAST]->needs_gradient = false;
    knack_tensor *y = together(&net);
    assert_non_null(y);
    backward(y, draw(y->ndim, y->shape)->data);
    assert_memory_equal(net.w[STEM]->gradient, all.all + all.values, (size_t)net.w[STEM]->count * sizeof(knack_real));
    for (int64_t i = 0; i < net.w[FIRST]->count; i++) assert_true(net.w[FIRST]->gradient[i] == 0);
    memory_free(all.all);
}

/* A NaN passes ReLU and is the maximum of its window. */
static void nan_stays(void **state)
{
    (void)state;
    const knack_real nan = (knack_real)NAN;
    for (int at = 0; at < 4; at++) {
        knack_real values[4] = {1, 2, 3, 4}, mean = 0, variance = 1;
        values[at] = nan;
        const struct batch_norm norm = {false, &mean, &variance, NULL, 0};
        struct conv_norm_how how = {.stride = 1, .compute = KNACK_REAL, .norm = &norm};
        knack_tensor *x = constant(&fixture, values, SHAPE(1, 2, 2, 1)), *one = constant(&fixture, REALS(1), SHAPE(1));
        knack_tensor *w = constant(&fixture, REALS(1), SHAPE(1, 1, 1, 1)), *zero = constant(&fixture, REALS(0), SHAPE(1));
        knack_tensor *y = tensor_made(tensor_norm_relu(tensor_conv_norm(x, w, one, zero, &how), false));
        assert_reals(knack_data(y), values, 4);
        y = tensor_made(tensor_norm_add_relu(tensor_conv_norm(x, w, one, zero, &how), x));
        for (int i = 0; i < 4; i++) assert_true(isnan(((const knack_real *)y->data)[i]) == (i == at));
        how.pool = true;
        y = tensor_made(tensor_norm_relu(tensor_conv_norm(x, w, one, zero, &how), false));
        assert_reals(knack_data(y), &nan, 1);
    }
}

/* Behind a norm with a negative factor the smallest value is the maximum; the first of equal ones gets the gradient. */
static void windows(void **state)
{
    (void)state;
    knack_real mean = 0, variance = 1;
    const struct batch_norm norm = {false, &mean, &variance, NULL, 0};
    const struct conv_norm_how how = {.stride = 1, .compute = KNACK_REAL, .pool = true, .norm = &norm};
    knack_tensor *x = variable(&fixture, REALS(3, -2, 1, -2), SHAPE(1, 2, 2, 1)), *w = constant(&fixture, REALS(1), SHAPE(1, 1, 1, 1));
    knack_tensor *zero = constant(&fixture, REALS(0), SHAPE(1));
    knack_tensor *y = tensor_made(tensor_norm_relu(tensor_conv_norm(x, w, constant(&fixture, REALS(-1), SHAPE(1)), zero, &how), false));
    assert_reals(knack_data(y), REALS(2), 1);
    backward(y, REALS(1));
    assert_reals(x->gradient, REALS(0, -1, 0, 0), 4);
}

static void errors(void **state)
{
    (void)state;
    knack_real mean[2] = {0}, variance[2] = {1, 1};
    const struct batch_norm norm = {false, mean, variance, NULL, 0};
    struct conv_norm_how how = {.stride = 1, .compute = KNACK_REAL, .norm = &norm};
    knack_tensor *x = draw(SHAPE(2, 1, 3, 2)), *w = draw(SHAPE(2, 2, 1, 1)), *two = draw(SHAPE(2)), *three = draw(SHAPE(3));
    assert_null(tensor_conv_norm(x, draw(SHAPE(2, 3, 1, 1)), two, two, &how));
    assert_failure(&fixture, KNACK_E_SHAPE,
                   "tensor_conv_norm: x [2, 1, 3, 2] does not fit w [2, 3, 1, 1]: expected [rows, height, width, in] and [out, in, kernel "
                   "height, kernel width]");
    assert_null(tensor_conv_norm(x, w, two, three, &how));
    assert_failure(&fixture, KNACK_E_SHAPE, "tensor_conv_norm: gamma [2] and beta [3] do not fit a convolution to 2 channels");
    assert_null(tensor_norm_add_relu(tensor_conv_norm(x, w, two, two, &how), two));
    assert_failure(&fixture, KNACK_E_SHAPE, "tensor_norm_add_relu: shapes [2, 1, 3, 2] and [2] differ");
    how.pool = true;
    assert_null(tensor_conv_norm(x, w, two, two, &how));
    assert_failure(&fixture, KNACK_E_SHAPE, "tensor_conv_norm: a window of 2 x 2 does not fit into images of [2, 1, 3, 2]");
    assert_null(tensor_norm_relu(NULL, true));
    assert_null(tensor_made(NULL));
}

#define NETWORK_TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {NETWORK_TEST(networks),
                                       NETWORK_TEST(values_without_recording),
                                       NETWORK_TEST(unwanted_gradients),
                                       NETWORK_TEST(nan_stays),
                                       NETWORK_TEST(windows),
                                       NETWORK_TEST(errors)};
    return cmocka_run_group_tests_name("conv_norm", tests, NULL, NULL);
}
