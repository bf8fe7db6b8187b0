/* The tape: failures that are kept, gradients that are shared or added, ways back that may be gone twice. */
#include "fixture.h"

#include <math.h>
#include <string.h>

static void test_null_operands(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = constant(&f, REALS(1, 2), SHAPE(2));
    assert_null(knack_add(NULL, x));
    assert_null(knack_add(x, NULL));
    assert_null(knack_relu(NULL));
    assert_null(knack_clamp(NULL, 0, 1));
    assert_null(knack_where(x, x, NULL));
    assert_null(knack_sum(NULL, 0));
    assert_null(knack_reshape(NULL, SHAPE(1)));
    assert_null(knack_concat(2, (knack_tensor *[]){x, NULL}, 0));
    assert_null(knack_stop_gradient(NULL));
    assert_null(knack_cast(NULL, KNACK_BF16));
    assert_null(knack_cross_entropy(NULL, NULL));
    assert_null(knack_constant(NULL, KNACK_REAL, SHAPE(1), REALS(1)));
    assert_null(knack_constant(fixture_step(&f), KNACK_REAL, SHAPE(1), knack_data(NULL)));
    assert_null(knack_data(NULL));
    int ndim = 7;
    assert_null(knack_shape(NULL, &ndim));
    assert_int_equal(ndim, 0);
    assert_int_equal(tape_status(&f.tape), KNACK_OK);
    fixture_close(&f);
}

static void test_first_failure_is_kept(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = constant(&f, REALS(1, 2, 3), SHAPE(3)), *y = constant(&f, REALS(1, 2), SHAPE(2, 1, 1, 1));
    assert_null(knack_pick(y, NULL));
    assert_null(knack_pick(x, NULL));
    assert_failure(&f, KNACK_E_SHAPE, "knack_pick: expected an operand of 2 axes, got shape [2, 1, 1, 1]");
    fixture_close(&f);
}

static void test_shapes_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    const knack_real none[1] = {0};
    assert_null(constant(&f, none, SHAPE(2, 0)));
    assert_failure(&f, KNACK_E_SHAPE, "a tensor of shape [2, 0]: every size must be at least 1, empty ones are not allowed");
    assert_null(constant(&f, none, SHAPE(-1)));
    assert_failure(&f, KNACK_E_SHAPE, "a tensor of shape [-1]: every size must be at least 1, empty ones are not allowed");
    assert_null(constant(&f, none, SHAPE(1, 1, 1, 1, 1, 1)));
    assert_failure(&f, KNACK_E_SHAPE, "a tensor of 6 axes: at most 5 are allowed");
    assert_null(constant(&f, none, SHAPE(INT64_MAX / 2, 3)));
    assert_failure(&f, KNACK_E_SHAPE, "a tensor of shape [4611686018427387903, 3] is too large to be addressed");
    assert_null(knack_constant(fixture_step(&f), KNACK_U8, SHAPE(1), none));
    assert_int_equal(tape_status(&f.tape), KNACK_E_CALL);
    fixture_close(&f);
}

static void test_no_axes(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(3, 4), SHAPE(2)), *sum = knack_sum(knack_mul(x, x), 0), *root = knack_sqrt(sum);
    int ndim = 7;
    knack_shape(root, &ndim);
    assert_int_equal(ndim, 0);
    assert_int_equal(root->count, 1);
    assert_reals(root->data, REALS(5), 1);
    backward(knack_reshape(root, SHAPE(1, 1)), REALS(1));
    assert_reals(x->gradient, REALS(0.6, 0.8), 2);
    fixture_close(&f);
}

static void test_two_tapes(void **state)
{
    (void)state;
    struct fixture f, g;
    fixture_open(&f);
    fixture_open(&g);
    knack_tensor *x = constant(&f, REALS(1), SHAPE(1)), *y = constant(&g, REALS(1), SHAPE(1));
    static const char message[] = "operands of two passes cannot be combined";
    assert_null(knack_add(x, y));
    assert_failure(&f, KNACK_E_CALL, message);
    assert_null(knack_greater(x, y));
    assert_failure(&f, KNACK_E_CALL, message);
    assert_null(knack_concat(2, (knack_tensor *[]){x, y}, 0));
    assert_failure(&f, KNACK_E_CALL, message);
    assert_null(knack_cross_entropy_dense(constant(&f, REALS(1), SHAPE(1, 1)), constant(&g, REALS(1), SHAPE(1, 1))));
    assert_failure(&f, KNACK_E_CALL, message);
    assert_int_equal(tape_status(&g.tape), KNACK_OK);
    fixture_close(&f);
    fixture_close(&g);
}

/* The gradients of results in between can be read afterwards, though add hands one array to all of its operands. */
static void test_shared_gradients(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(1, 2), SHAPE(2)), *y = knack_scale(x, 3), *z = knack_add(y, y), *w = knack_add(z, y);
    backward(w, REALS(1, 10));
    assert_reals(w->gradient, REALS(1, 10), 2);
    assert_reals(z->gradient, REALS(1, 10), 2);
    assert_reals(y->gradient, REALS(3, 30), 2);
    assert_reals(x->gradient, REALS(9, 90), 2);
    fixture_close(&f);
}

/* A leaf adds up what comes after its first contribution; a second way back starts afresh in between. */
static void test_backward_twice(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_real data[2] = {1, 2}, gradient[2] = {NAN, NAN};
    uint8_t touched = 0;
    knack_tensor *x = tape_leaf(&f.tape, SHAPE(2), data, gradient, &touched), *y = knack_mul(x, x);
    backward(y, REALS(1, 1));
    assert_int_equal(touched, 1);
    assert_reals(gradient, REALS(2, 4), 2);
    backward(y, REALS(1, 1));
    assert_reals(y->gradient, REALS(1, 1), 2);
    assert_reals(gradient, REALS(4, 8), 2);
    touched = 0;
    backward(x, REALS(5, 6));
    assert_reals(gradient, REALS(5, 6), 2);
    fixture_close(&f);
}

static void test_not_recording(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(1), SHAPE(1));
    f.tape.recording = false;
    knack_tensor *y = knack_exp(x);
    assert_false(y->needs_gradient);
    assert_null(f.tape.last);
    backward(y, REALS(1));
    assert_reals(x->gradient, REALS(0), 1);
    f.tape.recording = true;
    assert_false(knack_exp(constant(&f, REALS(1), SHAPE(1)))->needs_gradient);
    assert_false(knack_stop_gradient(x)->needs_gradient);
    assert_false(knack_is_nan(x)->needs_gradient);
    assert_false(knack_greater(x, x)->needs_gradient);
    fixture_close(&f);
}

static void test_failed_tape_has_no_way_back(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    knack_tensor *x = variable(&f, REALS(1), SHAPE(1)), *y = knack_exp(x);
    knack_sum(x, 3);
    assert_int_equal(tape_backward(y, REALS(1)), KNACK_E_SHAPE);
    assert_string_equal(knack_error(), "knack_sum: shape [1] has no axis 3");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_operands),
        cmocka_unit_test(test_first_failure_is_kept),
        cmocka_unit_test(test_shapes_refused),
        cmocka_unit_test(test_no_axes),
        cmocka_unit_test(test_two_tapes),
        cmocka_unit_test(test_shared_gradients),
        cmocka_unit_test(test_backward_twice),
        cmocka_unit_test(test_not_recording),
        cmocka_unit_test(test_failed_tape_has_no_way_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
