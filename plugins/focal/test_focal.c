/* Focal loss: values and gradients, items that are all but certain, and the weights of classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "focal.c"
#include "plugins/on_tape.h"

/* The loss of one item; alpha [classes] or NULL. */
static double loss_of(int64_t classes, knack_real *logits, int32_t target, double gamma, const knack_real *alpha, knack_real *gradient)
{
    struct on_tape on;
    knack_step *step = on_tape_begin(&on);
    knack_tensor *weights = alpha ? knack_constant(step, KNACK_REAL, 1, &classes, alpha) : NULL;
    double loss = (double)on_tape_backward(focal_loss(on_tape_leaf(&on, 1, classes, logits, gradient), &target, gamma, weights))[0];
    on_tape_end(&on);
    return loss;
}

static void known_values(void **state)
{
    (void)state;
    knack_real z[] = {1, 2, (knack_real)0.5}, gradient[3];
    const double expected[] = {-0.854592540168, 0.698693048387, 0.155899491781};
    assert_near(loss_of(3, z, 0, 2, NULL, gradient), 0.865466399905, 1e-6);
    for (int c = 0; c < 3; c++) assert_near((double)gradient[c], expected[c], 1e-6);
}

static void without_gamma_it_is_cross_entropy(void **state)
{
    (void)state;
    knack_real z[] = {1, 2, (knack_real)0.5}, gradient[3];
    const double p[] = {0.231223897622, 0.628531719212, 0.140244383166};
    assert_near(loss_of(3, z, 0, 0, NULL, gradient), 1.46436878411, 1e-6);
    for (int c = 0; c < 3; c++) assert_near((double)gradient[c], p[c] - (c == 0), 1e-6);
}

/* Two classes with logits 0 and x are the sigmoid of x; alpha is class 1's. */
static void two_classes(void **state)
{
    (void)state;
    const double quarter = 0.25;
    knack_real z[] = {0, (knack_real)-1.5}, alpha[2], gradient[2];
    given_alpha(alpha, 2, &quarter, 1);
    assert_near(loss_of(2, z, 1, 2, alpha, gradient), 0.284318078905, 1e-6);
    assert_near((double)gradient[1], -0.240356171868, 1e-6);
    assert_near(loss_of(2, z, 0, 2, alpha, gradient), 0.00502713519493, 1e-7);
    assert_near((double)gradient[1], 0.0127733289174, 1e-7);
}

/* (1 - p)^gamma and its slope stay right where p rounds to 1, whatever gamma is: there the loss is e^(gamma (r - z)) (e^(r - z)). */
static void certain_items(void **state)
{
    (void)state;
    const double gammas[] = {0.1, 0.5, 1, 2, 5};
    for (int k = 0; k < 5; k++) {
        for (double x = 1; x <= 60; x *= 1.25) {
            knack_real z[] = {(knack_real)x, 0}, gradient[2];
            double log_p = -log1p(exp(-(double)z[0])), miss = -expm1(log_p), p = exp(log_p);
            double w = pow(miss, gammas[k]) * (1 - gammas[k] * p * log_p / miss);
            double loss = loss_of(2, z, 0, gammas[k], NULL, gradient);
            assert_near(loss, -pow(miss, gammas[k]) * log_p, 1e-6);
            assert_near((double)gradient[1], w * miss, 1e-6);
            assert_true(isfinite(gradient[0]) && isfinite(gradient[1]));
        }
        knack_real far[] = {3000, 0, -INFINITY}, gradient[3];
        assert_true(loss_of(3, far, 0, gammas[k], NULL, gradient) == 0);
        for (int c = 0; c < 3; c++) assert_true(gradient[c] == 0);
    }
}

/* Nothing of (1 - p) gets lost in p: at gamma 1 the other class's gradient is about 2 (1 - p)^2, far below what 1 - p resolves. */
static void one_minus_p_is_exact(void **state)
{
    (void)state;
    knack_real z[] = {12, 0}, gradient[2];
    double miss = 1 / (1 + exp(12)), log_p = log1p(-miss), p = 1 - miss;
    loss_of(2, z, 0, 1, NULL, gradient);
    double expected = (miss - p * log_p) * miss;
    assert_true(fabs((double)gradient[1] / expected - 1) < (sizeof(knack_real) > 4 ? 1e-9 : 0.02));
}

static void hopeless_items(void **state)
{
    (void)state;
    knack_real z[] = {-1000, 0, 3}, gradient[3];
    assert_near(loss_of(3, z, 0, 2, NULL, gradient), 1000 + log(1 + exp(3)), 1e-5);
    assert_near((double)gradient[0], -1, 1e-6);
}

static void an_item_without_target_loses_nothing(void **state)
{
    (void)state;
    knack_real z[] = {1, 2, (knack_real)0.5}, gradient[3];
    assert_true(loss_of(3, z, -1, 2, NULL, gradient) == 0);
    for (int c = 0; c < 3; c++) assert_true(gradient[c] == 0);
}

static void weights_by_count(void **state)
{
    (void)state;
    const int64_t count[] = {60, 0, 30, 10};
    knack_real alpha[4];
    balanced_alpha(alpha, 4, count);
    double mean = 0;
    for (int c = 0; c < 4; c++) mean += (double)alpha[c] * (double)count[c] / 100;
    assert_near(mean, 1, 1e-6);
    assert_near((double)alpha[0], 100.0 / (3 * 60), 1e-6);
    assert_near((double)alpha[3], 100.0 / (3 * 10), 1e-6);
    assert_true(alpha[1] == 1);
}

static void weights_by_class(void **state)
{
    (void)state;
    const double given[] = {1, 2, 4};
    knack_real alpha[3], z[] = {1, 2, (knack_real)0.5}, gradient[3];
    given_alpha(alpha, 3, given, 3);
    assert_near(loss_of(3, z, 2, 2, alpha, gradient), 4 * loss_of(3, z, 2, 2, NULL, gradient), 1e-6);
}

#ifdef KNACK_REAL_DOUBLE
static knack_tensor *whole_loss(knack_step *step, knack_tensor *const *z, void *gamma)
{
    static const int32_t target[] = {1, 0, 2, -1};
    static const knack_real alpha[] = {1, 0.25, 3};
    return focal_loss(z[0], target, *(double *)gamma, knack_constant(step, KNACK_REAL, 1, (const int64_t[]){3}, alpha));
}

static void gradient_agrees_with_differences(void **state)
{
    (void)state;
    knack_real z[] = {1, 2, 0.5, -1, 0.25, 3, 0, 0, 9, 1, 1, 1}, *const values[] = {z};
    const int64_t shape[] = {4, 3}, *const shapes[] = {shape};
    double gammas[] = {0, 0.3, 1, 2, 5}, worst;
    for (int k = 0; k < 5; k++) {
        assert_int_equal(knack_check_gradient(whole_loss, &gammas[k], 1, (const int[]){2}, shapes, values, 1e-6, &worst), KNACK_OK);
        assert_true(worst < 1e-8);
    }
}
#endif

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &focal);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(without_gamma_it_is_cross_entropy),
        cmocka_unit_test(two_classes),
        cmocka_unit_test(certain_items),
        cmocka_unit_test(one_minus_p_is_exact),
        cmocka_unit_test(hopeless_items),
        cmocka_unit_test(an_item_without_target_loses_nothing),
        cmocka_unit_test(weights_by_count),
        cmocka_unit_test(weights_by_class),
#ifdef KNACK_REAL_DOUBLE
        cmocka_unit_test(gradient_agrees_with_differences),
#endif
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
