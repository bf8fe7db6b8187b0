/* Label smoothing: values, its floor, and what it makes of other losses. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "label-smoothing.c"
#include "plugins/on_tape.h"

enum { CLASSES = 3 };
static const int32_t first_class[] = {0};

/* The smoothed cross-entropy at class 0 of one item, and its gradient [CLASSES]. */
static double loss_of(knack_real *logits, double eps, knack_real *gradient)
{
    struct on_tape on;
    on_tape_begin(&on);
    knack_tensor *z = on_tape_leaf(&on, 1, CLASSES, logits, gradient);
    double loss = (double)on_tape_backward(smoothed(knack_cross_entropy(z, first_class), z, eps))[0];
    on_tape_end(&on);
    return loss;
}

static void known_values(void **state)
{
    (void)state;
    knack_real z[] = {1, 2, (knack_real)0.5}, gradient[CLASSES];
    const double expected[] = {-0.702109435711, 0.595198385878, 0.106911049833};
    assert_near(loss_of(z, 0.1, gradient), 1.44770211744, 1e-6);
    for (int c = 0; c < CLASSES; c++) assert_near((double)gradient[c], expected[c], 1e-6);
    assert_near(loss_of(z, 0, gradient), 1.46436878411, 1e-6);
}

/* Where p is the target nothing pulls, and what is left is the target's entropy. */
static void the_floor(void **state)
{
    (void)state;
    knack_real gradient[CLASSES], z[] = {(knack_real)log(0.9 + 0.1 / 3), (knack_real)log(0.1 / 3), (knack_real)log(0.1 / 3)};
    assert_near(loss_of(z, 0.1, gradient), 0.291139838832, 1e-6);
    for (int c = 0; c < CLASSES; c++) assert_near((double)gradient[c], 0, 1e-6);
}

/* The same as the cross-entropy of a smoothed target; for a mixture too, since both are linear. */
static void the_target_is_what_is_smoothed(void **state)
{
    (void)state;
    struct on_tape on;
    knack_step *step = on_tape_begin(&on);
    knack_real logits[] = {1, 2, (knack_real)0.5, -4, 0, 9}, gradient[2 * CLASSES];
    knack_real mixed[] = {(knack_real)0.3, (knack_real)0.7, 0, 0, (knack_real)0.5, (knack_real)0.5}, smooth[2 * CLASSES];
    for (int i = 0; i < 2 * CLASSES; i++) smooth[i] = (knack_real)(0.8 * (double)mixed[i] + 0.2 / CLASSES);
    const int64_t shape[] = {2, CLASSES};
    knack_tensor *z = on_tape_leaf(&on, 2, CLASSES, logits, gradient);
    knack_tensor *inside = knack_cross_entropy_dense(z, knack_constant(step, KNACK_REAL, 2, shape, mixed));
    const knack_real *given = knack_data(smoothed(inside, z, 0.2));
    const knack_real *expected = knack_data(knack_cross_entropy_dense(z, knack_constant(step, KNACK_REAL, 2, shape, smooth)));
    for (int i = 0; i < 2; i++) assert_near((double)given[i], (double)expected[i], 1e-6);
    on_tape_end(&on);
}

/* The host multiplies an item's loss by the weight of its class, w. torch.nn.CrossEntropyLoss puts weights into the uniform part instead,
 * so that they change what is smoothed: (1 - eps) w_y (-log p_y) + eps / C sum_c w_c (-log p_c), 1.65961795532 for w = (1, 2, 4). */
static void weights_of_classes_leave_the_smoothing_alone(void **state)
{
    (void)state;
    knack_real z[] = {1, 2, (knack_real)0.5}, gradient[CLASSES];
    const double w[] = {1, 2, 4}, ours = w[0] * loss_of(z, 0.1, gradient);
    const double log_sum = log(exp(1) + exp(2) + exp(0.5));
    double torch = 0.9 * w[0] * (log_sum - 1);
    for (int c = 0; c < CLASSES; c++) torch += 0.1 / CLASSES * w[c] * (log_sum - (double)z[c]);
    assert_near(torch, 1.65961795532, 1e-10);
    assert_near(ours, 1.44770211744, 1e-6);
}

#ifdef KNACK_REAL_DOUBLE
static knack_tensor *whole_loss(knack_step *step, knack_tensor *const *z, void *user)
{
    static const int32_t target[] = {1, 0};
    (void)step, (void)user;
    return smoothed(knack_cross_entropy(z[0], target), z[0], 0.15);
}

static void gradient_agrees_with_differences(void **state)
{
    (void)state;
    knack_real z[] = {1, 2, 0.5, -1, 0.25, 3}, *const values[] = {z};
    const int64_t shape[] = {2, 3}, *const shapes[] = {shape};
    double worst;
    assert_int_equal(knack_check_gradient(whole_loss, NULL, 1, (const int[]){2}, shapes, values, 1e-6, &worst), KNACK_OK);
    assert_true(worst < 1e-8);
}
#endif

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &smoothing);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(the_floor),
        cmocka_unit_test(the_target_is_what_is_smoothed),
        cmocka_unit_test(weights_of_classes_leave_the_smoothing_alone),
#ifdef KNACK_REAL_DOUBLE
        cmocka_unit_test(gradient_agrees_with_differences),
#endif
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
