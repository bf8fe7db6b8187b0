/* Values and gradients by hand, where formulas have edges; and what operations refuse. */
#include "fixture.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/threads.h"
#include "tensor/functions.h"

static void test_broadcast_shapes(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *a = constant(&f, REALS(1, 2, 3, 4, 5, 6), SHAPE(2, 3)), *b = constant(&f, REALS(10, 20), SHAPE(2, 1));
    knack_tensor *c = constant(&f, REALS(1, 2, 3, 4), SHAPE(4));
    assert_reals(knack_data(knack_add(a, b)), REALS(11, 12, 13, 24, 25, 26), 6);
    assert_reals(knack_data(knack_sub(b, a)), REALS(9, 8, 7, 16, 15, 14), 6);
    assert_reals(knack_data(knack_greater(a, constant(&f, REALS(3), SHAPE(1)))), REALS(0, 0, 0, 1, 1, 1), 6);
    assert_null(knack_add(a, c));
    assert_failure(&f, KNACK_E_SHAPE, "knack_add: shapes [2, 3] and [4] do not fit");
    assert_null(knack_where(a, b, c));
    assert_failure(&f, KNACK_E_SHAPE, "knack_where: shapes [2, 3], [2, 1] and [4] do not fit");
    fixture_close(&f);
}

static void test_types_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *ids = knack_constant(fixture_step(&f), KNACK_I32, SHAPE(2), (int32_t[]){1, 2});
    assert_null(knack_relu(ids));
    assert_failure(&f, KNACK_E_SHAPE,
                   sizeof(knack_real) == 4 ? "knack_relu: the operand is of type i32, expected f32"
                                           : "knack_relu: the operand is of type i32, expected f64");
    assert_null(knack_cast(ids, KNACK_BF16));
    assert_failure(&f, KNACK_E_SHAPE,
                   sizeof(knack_real) == 4 ? "knack_cast: there is no cast from i32 to bf16, only between f32 and bf16"
                                           : "knack_cast: there is no cast from i32 to bf16, only between f64 and bf16");
    knack_tensor *x = constant(&f, REALS(1), SHAPE(1));
    assert_null(knack_clamp(x, 2, 1));
    assert_failure(&f, KNACK_E_CALL, "knack_clamp: low 2 is not at most high 1");
    fixture_close(&f);
}

static void test_kinks(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(-1, 0, 2, NAN), SHAPE(4)), *relu = knack_relu(x);
    assert_reals(relu->data, REALS(0, 0, 2, NAN), 4);
    backward(relu, REALS(1, 1, 1, 1));
    assert_reals(x->gradient, REALS(0, 0, 1, 0), 4);

    x = variable(&f, REALS(-2, -1, 0, 1, 2), SHAPE(5));
    knack_tensor *clamp = knack_clamp(x, -1, 1);
    assert_reals(clamp->data, REALS(-1, -1, 0, 1, 1), 5);
    backward(clamp, REALS(1, 1, 1, 1, 1));
    assert_reals(x->gradient, REALS(0, 1, 1, 1, 0), 5);

    x = variable(&f, REALS(0, 4), SHAPE(2));
    backward(knack_sqrt(x), REALS(1, 1));
    assert_reals(x->gradient, REALS(0, 0.25), 2);

    x = variable(&f, REALS(0, 0), SHAPE(2));
    backward(knack_pow(x, 0), REALS(1, 1));
    assert_reals(x->gradient, REALS(0, 0), 2);
    fixture_close(&f);
}

static void test_extremes(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(-1000, -20, 0, 20, 1000, NAN), SHAPE(6));
    assert_reals(knack_data(knack_sigmoid(x)), REALS(0, 2.0611536181902037e-9, 0.5, 0.99999999793884642, 1, NAN), 6);
    assert_reals(knack_data(knack_tanh(x)), REALS(-1, -1, 0, 1, 1, NAN), 6);
    assert_reals(knack_data(knack_gelu(x)), REALS(0, 0, 0, 20, 1000, NAN), 6);
    assert_reals(knack_data(knack_exp(knack_scale(x, 10))), REALS(0, 1.3838965267367376e-87, 1, (knack_real)exp(200.0), INFINITY, NAN), 6);
    backward(knack_gelu(x), REALS(1, 1, 1, 1, 1, 1));
    assert_reals(x->gradient, REALS(0, 0, 0.5, 1, 1, NAN), 6);
    fixture_close(&f);
}

static void test_where_and_nan(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(1, NAN, 3), SHAPE(3)), *fill = variable(&f, REALS(7), SHAPE(1)), *missing = knack_is_nan(x);
    assert_reals(missing->data, REALS(0, 1, 0), 3);
    knack_tensor *filled = knack_where(missing, fill, knack_log(x));
    assert_reals(filled->data, REALS(0, 7, log(3.0)), 3);
    backward(filled, REALS(1, 1, 1));
    assert_reals(x->gradient, REALS(1, NAN, 1 / 3.0), 3);
    assert_reals(fill->gradient, REALS(1), 1);

    x = variable(&f, REALS(1, NAN, 3), SHAPE(3));
    backward(knack_where(knack_is_nan(x), fill, x), REALS(1, NAN, 1));
    assert_reals(x->gradient, REALS(1, 0, 1), 3);
    fixture_close(&f);
}

static void test_maximum(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(2, 5, 5, 5, 1, 5), SHAPE(2, 3)), *rows = knack_max(x, 1);
    assert_reals(rows->data, REALS(5, 5), 2);
    backward(rows, REALS(1, 10));
    assert_reals(x->gradient, REALS(0, 1, 0, 10, 0, 0), 6);
    assert_reals(knack_data(knack_max(x, 0)), REALS(5, 5, 5), 3);
    assert_reals(knack_data(knack_max(x, KNACK_ALL)), REALS(5), 1);
    assert_reals(knack_data(knack_max(constant(&f, REALS(1, NAN, 3, -INFINITY), SHAPE(4)), 0)), REALS(NAN), 1);
    fixture_close(&f);
}

/* Sums run in double: a small value is not lost beside a large one. */
static void test_sums(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = constant(&f, REALS(1e8, 1, -1e8, 1), SHAPE(4));
    assert_reals(knack_data(knack_sum(x, KNACK_ALL)), REALS(2), 1);
    assert_reals(knack_data(knack_mean(knack_reshape(x, SHAPE(2, 2)), 0)), REALS(0, 1), 2);
    assert_null(knack_sum(x, 1));
    assert_failure(&f, KNACK_E_SHAPE, "knack_sum: shape [4] has no axis 1");
    fixture_close(&f);
}

static void test_logsumexp_of_infinities(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    const knack_real no = -INFINITY;
    knack_tensor *x = variable(&f, REALS(no, 1, no, no, no, 1000, 1000, no, no, NAN), SHAPE(5, 2)), *y = knack_logsumexp(x);
    assert_reals(y->data, REALS(1, no, 1000, 1000, NAN), 5);
    fixture_close(&f);

    fixture_open(&f);
    x = variable(&f, REALS(no, 1, no, no, no, 1000, 1000, 1000), SHAPE(4, 2));
    backward(knack_logsumexp(x), REALS(1, 1, 1, 1));
    assert_reals(x->gradient, REALS(0, 1, 0, 0, 0, 1, 0.5, 0.5), 8);
    fixture_close(&f);
}

static void test_softmax_of_infinities(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    const knack_real no = -INFINITY;
    knack_tensor *x = variable(&f, REALS(no, 0, 0, 500, -500, no), SHAPE(2, 3)), *y = knack_softmax(x);
    assert_reals(y->data, REALS(0, 0.5, 0.5, 1, 0, 0), 6);
    backward(y, REALS(1, 2, 3, 1, 2, 3));
    assert_reals(x->gradient, REALS(0, -0.25, 0.25, 0, 0, 0), 6);
    assert_reals(knack_data(knack_log_softmax(x)), REALS(no, -log(2.0), -log(2.0), 0, -1000, no), 6);
    fixture_close(&f);
}

static void test_cross_entropy(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(0, 0, NAN, 3, 1e4, 0), SHAPE(3, 2)), *loss = knack_cross_entropy(x, (int32_t[]){1, -1, 1});
    assert_reals(loss->data, REALS(log(2.0), 0, 1e4), 3);
    backward(loss, REALS(2, 2, 2));
    assert_reals(x->gradient, REALS(1, -1, 0, 0, 2, -2), 6);
    assert_null(knack_cross_entropy(x, (int32_t[]){0, 1, 2}));
    assert_failure(&f, KNACK_E_SHAPE, "knack_cross_entropy: id 2 of row 2 is outside 0 to 1");
    fixture_close(&f);
}

static void test_cross_entropy_dense(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    const knack_real no = -INFINITY;
    knack_tensor *x = variable(&f, REALS(0, 0, no, 0), SHAPE(2, 2)), *target = constant(&f, REALS(0.25, 0.5, 0, 1), SHAPE(2, 2));
    knack_tensor *loss = knack_cross_entropy_dense(x, target);
    assert_reals(loss->data, REALS(0.75 * log(2.0), 0), 2);
    backward(loss, REALS(1, 1));
    assert_reals(x->gradient, REALS(0.125, -0.125, 0, 0), 4);
    assert_null(knack_cross_entropy_dense(x, knack_reshape(target, SHAPE(1, 4))));
    assert_failure(&f, KNACK_E_SHAPE, "knack_cross_entropy_dense: shapes [2, 2] and [1, 4] differ");
    fixture_close(&f);
}

static void test_normalise(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(3, 4, 0, 0, 3e-20, 4e-20), SHAPE(3, 2)), *y = knack_normalise(x, 1);
    assert_reals(y->data, REALS(0.6, 0.8, 0, 0, 0.6, 0.8), 6);
    backward(y, REALS(1, 0, 1, 1, 0, 0));
    assert_reals(x->gradient, REALS(0.128, -0.096, 0, 0, 0, 0), 6);
    fixture_close(&f);
}

static void test_gather(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(1, 2, 3, 4, 5, 6), SHAPE(3, 2)), *y = knack_gather(x, (int32_t[]){2, 0, 2}, 3);
    assert_reals(y->data, REALS(5, 6, 1, 2, 5, 6), 6);
    backward(y, REALS(1, 2, 3, 4, 5, 6));
    assert_reals(x->gradient, REALS(3, 4, 0, 0, 6, 8), 6);
    assert_null(knack_gather(x, (int32_t[]){0, 3}, 2));
    assert_failure(&f, KNACK_E_SHAPE, "knack_gather: entry 3 of row 1 is outside 0 to 2");
    assert_null(knack_gather(x, (int32_t[]){-1}, 1));
    assert_failure(&f, KNACK_E_SHAPE, "knack_gather: entry -1 of row 0 is outside 0 to 2");
    assert_null(knack_gather(x, (int32_t[]){0}, 0));
    assert_failure(&f, KNACK_E_SHAPE, "a tensor of shape [0, 2]: every size must be at least 1, empty ones are not allowed");
    fixture_close(&f);
}

static void test_pick_and_put(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    const int32_t column[] = {1, -1, 0};
    knack_tensor *x = variable(&f, REALS(1, 2, 3, 4, 5, 6), SHAPE(3, 2)), *values = variable(&f, REALS(7, NAN, 9), SHAPE(3));
    assert_reals(knack_data(knack_pick(x, column)), REALS(2, 0, 5), 3);
    knack_tensor *y = knack_put(x, column, values);
    assert_reals(y->data, REALS(1, 7, 3, 4, 9, 6), 6);
    backward(y, REALS(1, 2, 3, 4, 5, 6));
    assert_reals(x->gradient, REALS(1, 0, 3, 4, 0, 6), 6);
    assert_reals(values->gradient, REALS(2, 0, 5), 3);
    assert_null(knack_pick(x, (int32_t[]){0, 0, 2}));
    assert_failure(&f, KNACK_E_SHAPE, "knack_pick: column 2 of row 2 is outside 0 to 1");
    assert_null(knack_put(x, column, knack_slice(values, 0, 0, 2)));
    assert_failure(&f, KNACK_E_SHAPE, "knack_put: 2 values for the rows of shape [3, 2]");
    fixture_close(&f);
}

static void test_slices_and_parts(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = constant(&f, REALS(1, 2, 3, 4, 5, 6), SHAPE(2, 3));
    assert_reals(knack_data(knack_slice(x, 1, 1, 2)), REALS(2, 3, 5, 6), 4);
    assert_reals(knack_data(knack_transpose(x, 0, 1)), REALS(1, 4, 2, 5, 3, 6), 6);
    assert_reals(knack_data(knack_concat(2, (knack_tensor *[]){x, knack_slice(x, 1, 0, 1)}, 1)), REALS(1, 2, 3, 1, 4, 5, 6, 4), 8);
    assert_ptr_equal(knack_data(knack_reshape(x, SHAPE(3, -1))), knack_data(x));
    assert_null(knack_slice(x, 1, 2, 2));
    assert_failure(&f, KNACK_E_SHAPE, "knack_slice: 2 entries from 2 on are not within axis 1 of shape [2, 3]");
    assert_null(knack_slice(x, 0, 1, 0));
    assert_failure(&f, KNACK_E_SHAPE, "knack_slice: 0 entries from 1 on are not within axis 0 of shape [2, 3]");
    assert_null(knack_reshape(x, SHAPE(4, -1)));
    assert_failure(&f, KNACK_E_SHAPE, "knack_reshape: shape [2, 3] cannot become [4, -1]");
    assert_null(knack_reshape(x, SHAPE(-1, -1)));
    assert_failure(&f, KNACK_E_SHAPE, "knack_reshape: shape [2, 3] cannot become [-1, -1]");
    assert_null(knack_reshape(x, SHAPE(5)));
    assert_failure(&f, KNACK_E_SHAPE, "knack_reshape: shape [2, 3] cannot become [5]");
    assert_null(knack_concat(2, (knack_tensor *[]){x, knack_slice(x, 1, 0, 1)}, 0));
    assert_failure(&f, KNACK_E_SHAPE, "knack_concat: shapes [2, 3] and [2, 1] do not fit along axis 0");
    assert_null(knack_transpose(x, 0, 2));
    assert_failure(&f, KNACK_E_SHAPE, "knack_transpose: shape [2, 3] has no axis 2");
    fixture_close(&f);
}

static void test_cast(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(1, 1.00390625, 1.01171875, NAN, -INFINITY), SHAPE(5));
    knack_tensor *y = knack_cast(knack_cast(x, KNACK_BF16), KNACK_REAL); /* halves go to the even neighbour */
    assert_reals(y->data, REALS(1, 1, 1.015625, NAN, -INFINITY), 5);
    backward(y, REALS(1, 2, 3, 4, 5.001));
    assert_reals(x->gradient, REALS(1, 2, 3, 4, 5.001), 5);
    fixture_close(&f);
}

static void test_mix_rows(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    const int64_t partner[] = {1, 0, 2};
    knack_tensor *x = variable(&f, REALS(1, NAN, 4), SHAPE(3)), *y = tensor_mix_rows(x, partner, REALS(1, 0.5, 0.25), 3, 1);
    assert_reals(y->data, REALS(1, NAN, 4), 3);
    backward(y, REALS(1, 10, 100));
    assert_reals(x->gradient, REALS(6, 5, 100), 3);
    assert_null(tensor_mix_rows(x, (int64_t[]){0, 3, 1}, REALS(1), 1, 1));
    assert_failure(&f, KNACK_E_SHAPE, "tensor_mix_rows: partner 3 of row 1 is outside 0 to 2");
    assert_null(tensor_mix_rows(x, partner, REALS(1, 1), 2, 1));
    assert_failure(&f, KNACK_E_SHAPE, "tensor_mix_rows: keep of [2, 1] does not fit shape [3]");
    fixture_close(&f);
}

static void test_perturb(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    const int64_t row[] = {3, 1};
    knack_real gradient[8] = {0};
    const knack_real offset[8] = {0, 0, 10, 20, 0, 0, 30, 40};
    knack_tensor *x = constant(&f, REALS(1, 2, 3, 4), SHAPE(2, 2)), *y = tensor_perturb(x, offset, gradient, 0.5, row);
    assert_reals(y->data, REALS(31, 42, 13, 24), 4);
    backward(y, REALS(2, 4, 6, 8));
    assert_reals(gradient, REALS(0, 0, 3, 4, 0, 0, 1, 2), 8);
    assert_ptr_equal(knack_data(tensor_perturb(x, NULL, gradient, 1, row)), knack_data(x));
    fixture_close(&f);
}

static void test_row_errors(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(1, 2, 3, 4), SHAPE(2, 2));
    assert_reals(knack_data(tensor_squared_error(x, REALS(1, 4, 0, 4))), REALS(2, 4.5), 2);
    knack_tensor *y = tensor_absolute_error(x, REALS(1, 4, 0, 4));
    assert_reals(y->data, REALS(1, 1.5), 2);
    backward(y, REALS(1, 2));
    assert_reals(x->gradient, REALS(0, -0.5, 1, 0), 4);
    assert_null(tensor_weighted_terms(knack_reshape(x, SHAPE(4)), 3, 2, NULL));
    assert_failure(&f, KNACK_E_SHAPE, "tensor_weighted_terms: 4 values are not 2 terms of 3 rows");
    fixture_close(&f);
}

/* ---- Long tensors, which are cut into parts ---- */

enum { ROWS = 301, COLUMNS = 211, LONG = ROWS * COLUMNS };

/* Sum of many operations on x [ROWS, COLUMNS], every one of which uses threads or might. */
static knack_tensor *many(knack_step *step, knack_tensor *x)
{
    static int32_t id[ROWS];
    for (int64_t i = 0; i < ROWS; i++) id[i] = (int32_t)(i % (COLUMNS + 1)) - 1;
    knack_tensor *row = knack_slice(x, 0, 3, 1), *column = knack_slice(x, 1, 5, 1);
    knack_tensor *y = knack_add(knack_mul(knack_gelu(x), row), knack_sub(knack_sigmoid(x), column));
    y = knack_mean2(knack_relu(y), knack_add(knack_softmax(x), knack_log_softmax(y)));
    y = knack_transpose(knack_transpose(knack_normalise(y, 1), 0, 1), 1, 0);
    y = knack_add(y, knack_reshape(knack_cross_entropy(y, id), SHAPE(ROWS, 1)));
    return knack_where(knack_greater(x, knack_constant(step, KNACK_REAL, SHAPE(1), REALS(0))), y, knack_add_scalar(x, 1));
}

/* One value by hand, and the same bits with any number of threads. */
static void test_threads(void **state)
{
    (void)state;
    static knack_real value[LONG], seed[LONG], out[3][LONG], gradient[3][LONG];
    for (int64_t i = 0; i < LONG; i++) value[i] = (knack_real)((i * 7919) % 2003) / 500 - 2, seed[i] = (knack_real)(i % 17) / 8 - 1;
    for (int threads = 1; threads <= 3; threads++) {
        struct fixture f;
        fixture_open(&f);
        assert_int_equal(threads_set(threads), KNACK_OK);
        knack_tensor *x = variable(&f, value, SHAPE(ROWS, COLUMNS)), *y = many(fixture_step(&f), x);
        backward(y, seed);
        memcpy(out[threads - 1], y->data, sizeof out[0]);
        memcpy(gradient[threads - 1], x->gradient, sizeof gradient[0]);
        knack_tensor *sum = knack_add(x, knack_mul(knack_slice(x, 0, 1, 1), knack_slice(x, 1, 2, 1)));
        const int64_t r = ROWS - 2, c = COLUMNS - 3;
        assert_reals((knack_real *)sum->data + r * COLUMNS + c, REALS(value[r * COLUMNS + c] + value[COLUMNS + c] * value[r * COLUMNS + 2]),
                     1);
        fixture_close(&f);
    }
    assert_int_equal(threads_set(1), KNACK_OK);
    for (int k = 1; k < 3; k++) {
        assert_memory_equal(out[0], out[k], sizeof out[0]);
        assert_memory_equal(gradient[0], gradient[k], sizeof gradient[0]);
    }
}

/* The vectorised functions are as good as their comments say. */
static void test_functions(void **state)
{
    (void)state;
    double exp_worst = 0, tanh_worst = 0, cdf_worst = 0, tail_worst = 0, density_worst = 0;
    for (double x = -87; x < 88; x += 0.0009) {
        const knack_real at = (knack_real)x, small = at / 8;
        const double cdf = erfc(-(double)small * sqrt(0.5)) / 2, tanh_exact = tanh((double)small);
        exp_worst = fmax(exp_worst, fabs((double)vector_exp(at) / exp((double)at) - 1));
        tanh_worst = fmax(tanh_worst, fabs((double)vector_tanh(small) / tanh_exact - 1));
        density_worst =
            fmax(density_worst, fabs((double)normal(small).density - exp(-(double)small * (double)small / 2) / sqrt(2 * acos(-1.0))));
        cdf_worst = fmax(cdf_worst, fabs((double)normal(small).cdf - cdf));
        if (small < 0 && small > -5) tail_worst = fmax(tail_worst, fabs((double)normal(small).cdf / cdf - 1));
    }
    const bool exact = sizeof(knack_real) == 8;
    assert_true(exp_worst < (exact ? 1e-15 : 1.3e-7));
    assert_true(tanh_worst < (exact ? 1e-15 : 1.6e-7));
    assert_true(cdf_worst < (exact ? 1e-15 : 1e-7));
    assert_true(density_worst < (exact ? 1e-15 : 1e-7));
    assert_true(tail_worst < (exact ? 1e-14 : 2e-6));
    assert_true(vector_exp(0) == 1 && vector_exp(-INFINITY) == 0 && vector_exp(INFINITY) == (knack_real)INFINITY);
    assert_true(isnan(vector_exp(NAN)) && isnan(vector_tanh(NAN)) && isnan(normal(NAN).cdf));
    assert_true(vector_tanh(INFINITY) == 1 && vector_tanh(-INFINITY) == -1 && vector_tanh(0) == 0);
    assert_true(normal(INFINITY).cdf == 1 && normal(-INFINITY).cdf == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broadcast_shapes),
        cmocka_unit_test(test_types_refused),
        cmocka_unit_test(test_kinks),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_where_and_nan),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_logsumexp_of_infinities),
        cmocka_unit_test(test_softmax_of_infinities),
        cmocka_unit_test(test_cross_entropy),
        cmocka_unit_test(test_cross_entropy_dense),
        cmocka_unit_test(test_normalise),
        cmocka_unit_test(test_gather),
        cmocka_unit_test(test_pick_and_put),
        cmocka_unit_test(test_slices_and_parts),
        cmocka_unit_test(test_cast),
        cmocka_unit_test(test_mix_rows),
        cmocka_unit_test(test_perturb),
        cmocka_unit_test(test_row_errors),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
