/* The operations that wrap kernels: values, shapes, the messages of errors, bf16, masks. Their gradients are in test_gradients.c. */
#include "fixture.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"

static struct fixture fixture;
static uint32_t drawn;

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
    return 0;
}

/* A variable of values in [-1, 1). */
static knack_tensor *random_variable(int ndim, const int64_t *shape)
{
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= shape[i];
    knack_real *values = arena_alloc(fixture.arena, (size_t)count * sizeof *values);
    assert_non_null(values);
    random_uniforms(3, (struct random_place){.a = drawn++}, 0, count, values);
    for (int64_t i = 0; i < count; i++) values[i] = 2 * values[i] - 1;
    return variable(&fixture, values, ndim, shape);
}

static void assert_shape(const knack_tensor *x, int ndim, const int64_t *shape)
{
    char got[96], wanted[96];
    assert_non_null(x);
    assert_string_equal(shape_text(got, x->ndim, x->shape), shape_text(wanted, ndim, shape));
}

/* Ones as the gradient of a result. */
static void backward_ones(knack_tensor *y)
{
    assert_non_null(y);
    knack_real *seed = arena_alloc(fixture.arena, (size_t)y->count * sizeof *seed);
    assert_non_null(seed);
    for (int64_t i = 0; i < y->count; i++) seed[i] = 1;
    backward(y, seed);
}

/* Largest distance of two arrays. */
static double distance(const knack_real *a, const knack_real *b, int64_t count)
{
    double worst = 0;
    for (int64_t i = 0; i < count; i++) {
        const double difference = fabs((double)a[i] - (double)b[i]);
        if (!(difference <= worst)) worst = difference;
    }
    return worst;
}

/* ---- Products ---- */

static void matmul_values(void **state)
{
    (void)state;
    knack_tensor *a = constant(&fixture, REALS(1, 2, 3, 4, 5, 6), SHAPE(2, 3)),
                 *b = constant(&fixture, REALS(1, 0, 2, 1, 0, 3), SHAPE(3, 2));
    assert_reals(knack_data(knack_matmul(a, b, false, false)), REALS(5, 11, 14, 23), 4);
    assert_reals(knack_data(knack_matmul(a, a, false, true)), REALS(14, 32, 32, 77), 4);
    assert_reals(knack_data(knack_matmul(a, a, true, false)), REALS(17, 22, 27, 22, 29, 36, 27, 36, 45), 9);
    assert_reals(knack_data(knack_matmul(b, a, true, true)), REALS(5, 14, 11, 23), 4);
    knack_tensor *pair = constant(&fixture, REALS(1, 2, 3, 4), SHAPE(2, 1, 2)),
                 *column = constant(&fixture, REALS(5, 6, 7, 8), SHAPE(2, 2, 1));
    knack_tensor *products = knack_matmul(pair, column, false, false);
    assert_shape(products, SHAPE(2, 1, 1));
    assert_reals(knack_data(products), REALS(17, 53), 2);
}

static void matmul_errors(void **state)
{
    (void)state;
    knack_tensor *a = random_variable(SHAPE(2, 3)), *b = random_variable(SHAPE(2, 3)), *deep = random_variable(SHAPE(2, 2, 3));
    assert_null(knack_matmul(NULL, b, false, false));
    assert_null(knack_matmul(a, b, false, false));
    assert_failure(&fixture, KNACK_E_SHAPE, "knack_matmul: shapes [2, 3] and [2, 3] do not fit");
    assert_null(knack_matmul(a, b, true, true));
    assert_failure(&fixture, KNACK_E_SHAPE, "knack_matmul: shapes [2, 3] transposed and [2, 3] transposed do not fit");
    assert_null(knack_matmul(a, deep, false, true));
    assert_failure(&fixture, KNACK_E_SHAPE, "knack_matmul: shapes [2, 3] and [2, 2, 3] transposed do not fit");
    assert_null(knack_matmul(deep, random_variable(SHAPE(1, 3, 2)), false, false));
    assert_failure(&fixture, KNACK_E_SHAPE, "knack_matmul: shapes [2, 2, 3] and [1, 3, 2] do not fit");
    assert_null(knack_matmul(a, knack_cast(b, KNACK_BF16), false, true));
    assert_int_equal(tape_status(&fixture.tape), KNACK_E_SHAPE);
    assert_non_null(strstr(knack_error(), "knack_matmul: operands of type f"));
    assert_non_null(strstr(knack_error(), " and bf16, expected both f"));
}

static void linear_values(void **state)
{
    (void)state;
    knack_tensor *x = constant(&fixture, REALS(1, 2, 3, 4), SHAPE(2, 1, 2)),
                 *w = constant(&fixture, REALS(1, 0, 0, 1, -1, -1), SHAPE(3, 2));
    knack_tensor *bias = constant(&fixture, REALS(1, 2, 3), SHAPE(3));
    knack_tensor *y = knack_linear(x, w, bias, KNACK_LINEAR);
    assert_shape(y, SHAPE(2, 1, 3));
    assert_reals(knack_data(y), REALS(2, 4, 0, 4, 6, -4), 6);
    assert_reals(knack_data(knack_linear(x, w, bias, KNACK_RELU)), REALS(2, 4, 0, 4, 6, 0), 6);
    assert_reals(knack_data(knack_linear(x, w, NULL, KNACK_LINEAR)), REALS(1, 2, -3, 3, 4, -7), 6);
    for (enum knack_activation activation = KNACK_GELU; activation <= KNACK_SIGMOID; activation++) {
        knack_tensor *fused = knack_linear(x, w, bias, activation);
        knack_tensor *plain = activation == KNACK_GELU ? knack_gelu(y) : activation == KNACK_TANH ? knack_tanh(y) : knack_sigmoid(y);
        assert_reals(knack_data(fused), knack_data(plain), 6);
    }
    /* One row may be a vector. */
    assert_shape(knack_linear(constant(&fixture, REALS(1, 2), SHAPE(2)), w, bias, KNACK_LINEAR), SHAPE(3));
}

/* ReLU makes 0 of what is negative, and of nothing else: a network that diverged must not look alive. */
static void linear_keeps_nan(void **state)
{
    (void)state;
    knack_tensor *x = constant(&fixture, REALS(1, NAN, -1, INFINITY, -INFINITY, 0), SHAPE(6, 1));
    for (int64_t width = 1; width <= 40; width += 13) {
        knack_real ones[40];
        for (int i = 0; i < 40; i++) ones[i] = 1;
        knack_tensor *w = constant(&fixture, ones, 2, (int64_t[]){width, 1});
        const knack_real *y = knack_data(knack_linear(x, w, NULL, KNACK_RELU));
        knack_tensor *narrow = knack_linear(knack_cast(x, KNACK_BF16), knack_cast(w, KNACK_BF16), NULL, KNACK_RELU);
        const knack_real *rounded = knack_data(knack_cast(narrow, KNACK_REAL));
        assert_non_null(y);
        assert_non_null(rounded);
        for (int64_t j = 0; j < width; j++) {
            const knack_real column[6] = {y[j], y[width + j], y[2 * width + j], y[3 * width + j], y[4 * width + j], y[5 * width + j]};
            assert_reals(column, REALS(1, NAN, 0, INFINITY, 0, 0), 6);
            assert_true(rounded[j] == 1 && isnan(rounded[width + j]) && rounded[2 * width + j] == 0);
        }
    }
}

static void linear_errors(void **state)
{
    (void)state;
    knack_tensor *x = random_variable(SHAPE(4, 3)), *w = random_variable(SHAPE(5, 3));
    assert_null(knack_linear(x, NULL, NULL, KNACK_LINEAR));
    assert_null(knack_linear(x, random_variable(SHAPE(3, 5)), NULL, KNACK_LINEAR));
    assert_failure(&fixture, KNACK_E_SHAPE, "knack_linear: x [4, 3] does not fit w [3, 5]: expected [..., in] and [out, in]");
    assert_null(knack_linear(x, w, NULL, (enum knack_activation)(KNACK_SIGMOID + 1)));
    assert_failure(&fixture, KNACK_E_CALL, "knack_linear: activation 5 is none of enum knack_activation");
    assert_null(knack_linear(x, w, random_variable(SHAPE(3)), KNACK_LINEAR));
    assert_failure(&fixture, KNACK_E_SHAPE, "knack_linear: bias [3] does not fit w [5, 3]: expected [out] and [out, in]");
    assert_null(knack_linear(x, w, random_variable(SHAPE(5, 1)), KNACK_LINEAR));
    assert_failure(&fixture, KNACK_E_SHAPE, "knack_linear: expected an operand of 1 axes, got shape [5, 1]");
}

/* With bf16 operands: results of that type, near the products of the f32 operands; gradients in KNACK_REAL, near theirs. */
static void bf16_products(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        knack_tensor *x = random_variable(SHAPE(33, 64)), *w = random_variable(SHAPE(17, 64)), *bias = random_variable(SHAPE(17));
        const enum knack_activation activation = (enum knack_activation)way; /* LINEAR, RELU, GELU, TANH */
        knack_tensor *y = knack_linear(x, w, bias, activation);
        knack_tensor *half = knack_linear(knack_cast(x, KNACK_BF16), knack_cast(w, KNACK_BF16), bias, activation);
        assert_non_null(half);
        assert_int_equal(knack_type(half), KNACK_BF16);
        knack_tensor *real = knack_cast(half, KNACK_REAL);
        const double far = distance(knack_data(real), knack_data(y), y->count);
        assert_true(far > 0 && far < 0.1); /* of values about 4, which have 8 bits, and sums of 64 products */

        knack_tensor *other = knack_matmul(knack_cast(x, KNACK_BF16), knack_cast(w, KNACK_BF16), false, true);
        knack_tensor *product = knack_cast(other, KNACK_REAL);
        assert_true(distance(knack_data(product), knack_data(knack_matmul(x, w, false, true)), y->count) < 0.1);
    }
}

static void bf16_gradients(void **state)
{
    (void)state;
    for (int operation = 0; operation < 3; operation++) {
        knack_real gradient[2][4][4096];
        for (int half = 0; half < 2; half++) {
            drawn = 100; /* the same values both times */
            tape_begin(&fixture.tape, fixture.arena);
            knack_tensor *x = operation < 2 ? random_variable(SHAPE(33, 64)) : random_variable(SHAPE(3, 6, 5, 8));
            knack_tensor *w = operation < 2 ? random_variable(SHAPE(17, 64)) : random_variable(SHAPE(16, 8, 3, 3));
            knack_tensor *bias = random_variable(1, &w->shape[0]);
            knack_tensor *a = half ? knack_cast(x, KNACK_BF16) : x, *b = half ? knack_cast(w, KNACK_BF16) : w;
            knack_tensor *y = operation == 0   ? knack_linear(a, b, bias, KNACK_RELU)
                              : operation == 1 ? knack_matmul(a, b, false, true)
                                               : knack_conv2d(a, b, bias, 1, 1);
            if (half) y = knack_cast(y, KNACK_REAL);
            backward_ones(y);
            memcpy(gradient[half][0], x->gradient, (size_t)x->count * sizeof(knack_real));
            memcpy(gradient[half][1], w->gradient, (size_t)w->count * sizeof(knack_real));
            memcpy(gradient[half][2], bias->gradient, (size_t)bias->count * sizeof(knack_real));
        }
        for (int k = 0; k < 3; k++) {
            const int64_t count = k == 2 ? 16 : operation < 2 ? (k ? 17 * 64 : 33 * 64) : (k ? 16 * 72 : 720);
            /* A sum near 0 may fall on the other side of RELU, and takes one term with it. */
            assert_true(distance(gradient[0][k], gradient[1][k], count) < (operation == 0 ? 1.1 : 0.1));
        }
    }
}

/* ---- Convolution, pooling ---- */

static void convolution_values(void **state)
{
    (void)state;
    knack_tensor *x = constant(&fixture, REALS(1, 2, 3, 4, 5, 6, 7, 8, 9), SHAPE(1, 3, 3, 1));
    knack_tensor *w = constant(&fixture, REALS(1, 0, 0, 1), SHAPE(1, 1, 2, 2)), *bias = constant(&fixture, REALS(10), SHAPE(1));
    knack_tensor *y = knack_conv2d(x, w, bias, 1, 0);
    assert_shape(y, SHAPE(1, 2, 2, 1));
    assert_reals(knack_data(y), REALS(16, 18, 22, 24), 4);
    y = knack_conv2d(x, w, NULL, 2, 1);
    assert_shape(y, SHAPE(1, 2, 2, 1));
    assert_reals(knack_data(y), REALS(1, 3, 7, 14), 4);
    /* Weights are [out, in, height, width], images channels-last. */
    y = knack_conv2d(constant(&fixture, REALS(1, 10, 2, 20), SHAPE(1, 1, 2, 2)), constant(&fixture, REALS(1, 2, 3, 4), SHAPE(1, 2, 1, 2)),
                     NULL, 1, 0);
    assert_reals(knack_data(y), REALS(1 + 4 + 30 + 80), 1);
}

static void convolution_errors(void **state)
{
    (void)state;
    knack_tensor *x = random_variable(SHAPE(2, 5, 4, 3)), *w = random_variable(SHAPE(6, 3, 3, 3));
    assert_null(knack_conv2d(x, random_variable(SHAPE(6, 4, 3, 3)), NULL, 1, 1));
    assert_failure(
        &fixture, KNACK_E_SHAPE,
        "knack_conv2d: x [2, 5, 4, 3] does not fit w [6, 4, 3, 3]: expected [rows, height, width, in] and [out, in, kernel height, "
        "kernel width]");
    assert_null(knack_conv2d(x, random_variable(SHAPE(6, 3, 3, 7)), NULL, 1, 1));
    assert_failure(&fixture, KNACK_E_SHAPE,
                   "knack_conv2d: stride 1, padding 1, w [6, 3, 3, 7]: expected a stride of at least 1, a padding of at least 0, and a "
                   "kernel that fits into x [2, 5, 4, 3], padded");
    assert_null(knack_conv2d(x, w, NULL, 0, 1));
    assert_failure(&fixture, KNACK_E_SHAPE,
                   "knack_conv2d: stride 0, padding 1, w [6, 3, 3, 3]: expected a stride of at least 1, a padding of at least 0, and a "
                   "kernel that fits into x [2, 5, 4, 3], padded");
    assert_null(knack_conv2d(x, w, NULL, 1, INT32_MAX));
    assert_failure(&fixture, KNACK_E_SHAPE, "a tensor of shape [2, 4294967297, 4294967296, 6] is too large to be addressed");
    assert_null(knack_conv2d(x, w, random_variable(SHAPE(3)), 1, 1));
    assert_failure(&fixture, KNACK_E_SHAPE, "knack_conv2d: bias [3] does not fit w [6, 3, 3, 3]: expected [out]");
    assert_null(knack_conv2d(x, knack_cast(w, KNACK_BF16), NULL, 1, 1));
    assert_int_equal(tape_status(&fixture.tape), KNACK_E_SHAPE);
    assert_non_null(strstr(knack_error(), "knack_conv2d: x of type f"));
}

static void pool_values(void **state)
{
    (void)state;
    knack_tensor *x = variable(&fixture, REALS(1, 2, 3, 4, 5, 6, 6, 8, 9), SHAPE(1, 3, 3, 1));
    knack_tensor *y = knack_max_pool(x, 2, 1, 0);
    assert_shape(y, SHAPE(1, 2, 2, 1));
    assert_reals(knack_data(y), REALS(5, 6, 8, 9), 4);
    backward_ones(y);
    assert_reals(x->gradient, REALS(0, 0, 0, 0, 1, 1, 0, 1, 1), 9);
    y = knack_average_pool(x, 2, 2, 1); /* padding is left out of the mean */
    assert_shape(y, SHAPE(1, 2, 2, 1));
    assert_reals(knack_data(y), REALS(1, (knack_real)2.5, 5, 7), 4);
    y = knack_global_pool(constant(&fixture, REALS(1, 10, 2, 20, 3, 30), SHAPE(1, 1, 3, 2)));
    assert_shape(y, SHAPE(1, 2));
    assert_reals(knack_data(y), REALS(2, 20), 2);
}

static void first_maximum_gets_the_gradient(void **state)
{
    (void)state;
    knack_tensor *x = variable(&fixture, REALS(3, 3, 3, 3), SHAPE(1, 2, 2, 1));
    backward_ones(knack_max_pool(x, 2, 2, 0));
    assert_reals(x->gradient, REALS(1, 0, 0, 0), 4);
}

static void pool_errors(void **state)
{
    (void)state;
    knack_tensor *x = random_variable(SHAPE(2, 3, 4, 1));
    assert_null(knack_max_pool(x, 4, 1, 0));
    assert_failure(
        &fixture, KNACK_E_SHAPE,
        "knack_max_pool: size 4, stride 1, padding 0: expected a stride of at least 1, padding below size, and windows that fit into "
        "x [2, 3, 4, 1]");
    assert_null(knack_average_pool(x, 2, 1, 2));
    assert_failure(
        &fixture, KNACK_E_SHAPE,
        "knack_average_pool: size 2, stride 1, padding 2: expected a stride of at least 1, padding below size, and windows that fit "
        "into x [2, 3, 4, 1]");
    assert_null(knack_max_pool(random_variable(SHAPE(20, 3, 4, 1)), INT32_MAX, 1, INT32_MAX - 1));
    assert_failure(&fixture, KNACK_E_SHAPE, "a tensor of shape [20, 2147483649, 2147483650, 1] is too large to be addressed");
    assert_null(knack_global_pool(random_variable(SHAPE(2, 3))));
    assert_failure(&fixture, KNACK_E_SHAPE, "knack_global_pool: expected an operand of 4 axes, got shape [2, 3]");
}

/* ---- Norms, embedding ---- */

static void batch_norm_values(void **state)
{
    (void)state;
    knack_tensor *x = constant(&fixture, REALS(1, 10, 3, 30), SHAPE(2, 2)), *gamma = constant(&fixture, REALS(1, 2), SHAPE(2));
    knack_tensor *beta = constant(&fixture, REALS(0, 5), SHAPE(2));
    knack_real mean[2], variance[2];
    int64_t count = 0;
    struct batch_norm norm = {.batch = true, .mean = mean, .variance = variance, .count = &count, .epsilon = 0};
    knack_tensor *y = tensor_batch_norm(x, gamma, beta, &norm);
    assert_reals(knack_data(y), REALS(-1, 3, 1, 7), 4);
    assert_reals(mean, REALS(2, 20), 2);
    assert_reals(variance, REALS(1, 100), 2);
    assert_int_equal(count, 2);
    norm.batch = false;
    norm.epsilon = 3;
    mean[0] = 0, mean[1] = 10, variance[0] = 1, variance[1] = 97;
    assert_reals(knack_data(tensor_batch_norm(x, gamma, beta, &norm)), REALS((knack_real)0.5, 5, (knack_real)1.5, 9), 4);
    assert_reals(mean, REALS(0, 10), 2);
}

static void norm_errors(void **state)
{
    (void)state;
    knack_tensor *x = random_variable(SHAPE(2, 3)), *three = random_variable(SHAPE(3)), *two = random_variable(SHAPE(2));
    assert_null(knack_layer_norm(x, two, three, 1e-5));
    assert_failure(&fixture, KNACK_E_SHAPE,
                   "knack_layer_norm: gamma [2] and beta [3] do not fit x [2, 3]: expected as many values as its last axis");
    assert_null(tensor_batch_norm(x, three, x, &(struct batch_norm){.batch = false}));
    assert_failure(&fixture, KNACK_E_SHAPE, "tensor_batch_norm: expected an operand of 1 axes, got shape [2, 3]");
}

static void embedding_values(void **state)
{
    (void)state;
    knack_tensor *table = variable(&fixture, REALS(1, 2, 3, 4, 5, 6), SHAPE(3, 2));
    const int32_t ids[4] = {2, 0, 2, 2};
    knack_tensor *y = knack_embedding(knack_constant(fixture_step(&fixture), KNACK_I32, SHAPE(2, 2), ids), table);
    assert_shape(y, SHAPE(2, 2, 2));
    assert_reals(knack_data(y), REALS(5, 6, 1, 2, 5, 6, 5, 6), 8);
    backward_ones(y);
    assert_reals(table->gradient, REALS(1, 1, 0, 0, 3, 3), 6);
}

static void embedding_errors(void **state)
{
    (void)state;
    knack_tensor *table = random_variable(SHAPE(3, 2));
    const int32_t ids[2] = {0, 3};
    assert_null(knack_embedding(knack_constant(fixture_step(&fixture), KNACK_I32, SHAPE(2), ids), table));
    assert_failure(&fixture, KNACK_E_SHAPE, "knack_embedding: id 3 of row 1 is outside 0 to 2");
    assert_null(knack_embedding(table, table));
    assert_int_equal(tape_status(&fixture.tape), KNACK_E_SHAPE);
    assert_non_null(strstr(knack_error(), "expected i32 of at most 4 axes"));
}

/* ---- Dropout ---- */

enum { ROWS = 12, WIDTH = 37 };

static knack_tensor *dropped(int64_t first, int64_t rows, uint32_t pass)
{
    static knack_real ones[ROWS * WIDTH];
    int64_t row[ROWS];
    for (int64_t i = 0; i < ROWS * WIDTH; i++) ones[i] = 1;
    for (int64_t i = 0; i < rows; i++) row[i] = first + i;
    const struct dropout_address address = {.key = random_key(1, "dropout.fc1"), .batch = 5, .pass = pass, .row = row};
    return tensor_dropout(constant(&fixture, ones, SHAPE(rows, WIDTH)), 0.25, &address);
}

/* Rows of a micro-batch get the bits that they get in the whole batch; another pass draws others. */
static void masks_follow_logical_rows(void **state)
{
    (void)state;
    const knack_real *whole = knack_data(dropped(0, ROWS, 0));
    assert_non_null(whole);
    for (int64_t first = 0; first < ROWS; first += 5) {
        const int64_t rows = ROWS - first < 5 ? ROWS - first : 5;
        assert_memory_equal(knack_data(dropped(first, rows, 0)), whole + first * WIDTH, (size_t)(rows * WIDTH) * sizeof *whole);
    }
    assert_memory_not_equal(knack_data(dropped(0, ROWS, 1)), whole, ROWS * WIDTH * sizeof *whole);
    int64_t kept = 0;
    for (int64_t i = 0; i < ROWS * WIDTH; i++) {
        assert_true(whole[i] == 0 || whole[i] == (knack_real)(1 / 0.75));
        kept += whole[i] != 0;
    }
    assert_true(kept > 0.65 * ROWS * WIDTH && kept < 0.85 * ROWS * WIDTH);
}

static void dropout_edges(void **state)
{
    (void)state;
    const int64_t row[2] = {0, 1};
    const struct dropout_address address = {.key = 1, .row = row};
    knack_tensor *x = variable(&fixture, REALS(1, (knack_real)INFINITY, 3, 4), SHAPE(2, 2));
    assert_ptr_equal(tensor_dropout(x, 0, &address), x); /* off means absent */
    knack_tensor *y = tensor_dropout(x, 0.5, &address);
    const knack_real *out = knack_data(y);
    assert_non_null(out);
    for (int i = 0; i < 4; i++) assert_false(isnan(out[i])); /* what is dropped is 0, whatever it was */
    backward_ones(y);
    for (int i = 0; i < 4; i++) assert_true(x->gradient[i] == (out[i] == 0 ? 0 : 2));
    assert_null(tensor_dropout(x, 1, &address));
    assert_failure(&fixture, KNACK_E_CALL, "tensor_dropout: rate 1, expected one in [0, 1)");
}

struct linear_case {
    int64_t rows, in, out;
    enum knack_type compute;
    const knack_real *x, *w, *bias, *seed;
};

/* What a linear layer with ReLU and dropout gives, [rows, out], and the gradients of x, w and bias behind it, as one operation or as
 * three. */
static knack_real *linear_relu_drop(const struct linear_case *c, bool one)
{
    const int64_t sizes[] = {c->rows * c->out, c->rows * c->in, c->out * c->in, c->out};
    int64_t row[64];
    for (int64_t i = 0; i < c->rows; i++) row[i] = 2 * i + 1;
    const struct dropout_address address = {.key = 7, .batch = 3, .pass = 1, .row = row};
    knack_tensor *leaf[] = {variable(&fixture, c->x, SHAPE(c->rows, c->in)), variable(&fixture, c->w, SHAPE(c->out, c->in)),
                            variable(&fixture, c->bias, SHAPE(c->out))};
    knack_tensor *y = one ? tensor_linear_relu_drop(leaf[0], leaf[1], leaf[2], c->compute, 0.25, &address)
                          : tensor_dropout(tensor_linear(leaf[0], leaf[1], leaf[2], KNACK_RELU, c->compute), 0.25, &address);
    backward(y, c->seed);
    knack_real *all = arena_alloc(fixture.arena, (size_t)(sizes[0] + sizes[1] + sizes[2] + sizes[3]) * sizeof *all), *to = all;
    assert_non_null(all);
    for (int i = 0; i < 4; to += sizes[i++]) memcpy(to, i == 0 ? y->data : leaf[i - 1]->gradient, (size_t)sizes[i] * sizeof *to);
    return all;
}

/* Fused or not, the bits are the same: of few and of many columns, in both types, with values that are not finite. */
static void linear_relu_drop_is_what_it_says(void **state)
{
    (void)state;
    static const int64_t shapes[][3] = {{3, 5, 7}, {33, 9, 64}, {20, 6, 130}, {5, 3, 5000}};
    for (int64_t s = 0; s < LENGTH(shapes); s++) {
        const int64_t rows = shapes[s][0], in = shapes[s][1], out = shapes[s][2];
        for (int way = 0; way < 4; way++) {
            knack_real *values = arena_alloc(fixture.arena, (size_t)(rows * in + out * in + out + rows * out) * sizeof *values);
            assert_non_null(values);
            random_uniforms(9, (struct random_place){0}, 0, rows * in + out * in + out + rows * out, values);
            for (int64_t i = 0; i < rows * in + out * in + out + rows * out; i++) values[i] -= (knack_real)0.5;
            const struct linear_case c = {.rows = rows,
                                          .in = in,
                                          .out = out,
                                          .compute = way & 1 ? KNACK_BF16 : KNACK_REAL,
                                          .x = values,
                                          .w = values + rows * in,
                                          .bias = values + rows * in + out * in,
                                          .seed = values + rows * in + out * in + out};
            if (way & 2) values[rows * in + out * in + 1] = (knack_real)NAN, values[rows * in + out * in + 2] = (knack_real)INFINITY;
            const knack_real *three = linear_relu_drop(&c, false);
            assert_memory_equal(linear_relu_drop(&c, true), three, (size_t)(rows * out + rows * in + out * in + out) * sizeof *three);
            if (way & 2) assert_true(isnan(three[1]) || three[1] == 0);
            arena_reset(fixture.arena);
            tape_begin(&fixture.tape, fixture.arena);
        }
    }
}

/* ---- Gradients that nobody asked for, threads, memory ---- */

/* A small network through all layers; returns its result, NULL on failure. */
static knack_tensor *network(knack_tensor *x, knack_tensor *const *w)
{
    static knack_real mean[8], variance[8];
    static int64_t count;
    const int64_t row[4] = {0, 1, 2, 3};
    const struct batch_norm norm = {.batch = true, .mean = mean, .variance = variance, .count = &count, .epsilon = 1e-5};
    const struct dropout_address address = {.key = 2, .row = row};
    knack_tensor *y = knack_conv2d(x, w[0], w[1], 1, 1);
    y = knack_max_pool(knack_relu(tensor_batch_norm(y, w[1], w[1], &norm)), 2, 2, 0);
    y = tensor_dropout(knack_global_pool(y), 0.25, &address);
    return knack_layer_norm(knack_linear(y, w[2], w[1], KNACK_RELU), w[1], w[1], 1e-5);
}

static void network_operands(knack_tensor **x, knack_tensor **w)
{
    drawn = 200;
    *x = random_variable(SHAPE(4, 6, 6, 3));
    w[0] = random_variable(SHAPE(8, 3, 3, 3));
    w[1] = random_variable(SHAPE(8));
    w[2] = random_variable(SHAPE(8, 8));
}

/* Operands without gradients are left alone, and do not change the others' gradients. */
static void unwanted_gradients_are_skipped(void **state)
{
    (void)state;
    knack_tensor *x, *w[3];
    network_operands(&x, w);
    backward_ones(network(x, w));
    const knack_real *all = w[2]->gradient;
    for (int skipped = 0; skipped < 3; skipped++) {
        network_operands(&x, w);
        x->needs_gradient = false;
        if (skipped) w[skipped - 1]->needs_gradient = false;
        backward_ones(network(x, w));
        assert_memory_equal(w[2]->gradient, all, (size_t)w[2]->count * sizeof *all);
        for (int64_t i = 0; i < x->count; i++) assert_true(x->gradient[i] == 0);
    }
}

/* Every allocation on the way forward and back fails once: the failure is reported, nothing leaks, and the next step is right. */
static void failing_memory(void **state)
{
    (void)state;
    knack_tensor *x, *w[3];
    network_operands(&x, w);
    backward_ones(network(x, w));
    const knack_real *right = w[0]->gradient;
    bool done = false;
    int64_t nth = 0;
    while (!done && nth < 1000) {
        struct fixture small; /* with an arena that has to grow */
        fixture_open(&small);
        struct fixture usual = fixture;
        fixture = small;
        fixture.base.tape = &fixture.tape;
        tape_begin(&fixture.tape, fixture.arena);
        network_operands(&x, w);
        void *filling = arena_alloc(fixture.arena, (1 << 20) - 40000);
        assert_non_null(filling);
        memory_fail_at(++nth);
        knack_tensor *y = network(x, w);
        knack_real seed[32];
        for (int i = 0; i < 32; i++) seed[i] = 1;
        knack_status status = y ? tape_backward(y, seed) : tape_status(&fixture.tape);
        memory_fail_at(0);
        done = status == KNACK_OK;
        if (done)
            assert_memory_equal(w[0]->gradient, right, (size_t)w[0]->count * sizeof *right);
        else
            assert_int_equal(status, KNACK_E_MEMORY);
        fixture_close(&fixture);
        fixture = usual;
        fixture.base.tape = &fixture.tape;
    }
    assert_true(done);
    assert_true(nth > 1); /* there was one to fail */
}

#define LAYER_TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAYER_TEST(matmul_values),
        LAYER_TEST(matmul_errors),
        LAYER_TEST(linear_values),
        LAYER_TEST(linear_keeps_nan),
        LAYER_TEST(linear_errors),
        LAYER_TEST(bf16_products),
        LAYER_TEST(bf16_gradients),
        LAYER_TEST(convolution_values),
        LAYER_TEST(convolution_errors),
        LAYER_TEST(pool_values),
        LAYER_TEST(first_maximum_gets_the_gradient),
        LAYER_TEST(pool_errors),
        LAYER_TEST(batch_norm_values),
        LAYER_TEST(norm_errors),
        LAYER_TEST(embedding_values),
        LAYER_TEST(embedding_errors),
        LAYER_TEST(masks_follow_logical_rows),
        LAYER_TEST(dropout_edges),
        LAYER_TEST(linear_relu_drop_is_what_it_says),
        LAYER_TEST(unwanted_gradients_are_skipped),
        LAYER_TEST(failing_memory),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
