/* ArcFace's margin: values, gradients, and its edges at 0 and 180 degrees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arcface.c"
#include "plugins/on_margins.h"

static double margin = 0.5; /* of the functions below */
static bool easy = false;

static knack_tensor *phi(knack_step *step, knack_tensor *c)
{
    return with_margin(step, c, margin, easy);
}

static knack_tensor *plain(knack_step *step, knack_tensor *e, knack_tensor *w, const int32_t *target)
{
    (void)step, (void)target;
    return knack_scale(margins_nearest(knack_normalise(e, 1), w, knack_shape(w, NULL)[0], 1), 16);
}

static knack_tensor *head(knack_step *step, knack_tensor *e, knack_tensor *w, const int32_t *target)
{
    knack_tensor *c = margins_nearest(knack_normalise(e, 1), w, knack_shape(w, NULL)[0], 1);
    return knack_scale(knack_put(c, target, phi(step, knack_pick(c, target))), 16);
}

static knack_tensor *head_of_pairs(knack_step *step, knack_tensor *e, knack_tensor *w, const int32_t *target)
{
    knack_tensor *c = margins_nearest(knack_normalise(e, 1), w, 3, 2);
    return knack_scale(knack_put(c, target, phi(step, knack_pick(c, target))), 4);
}

static void known_values(void **state)
{
    (void)state;
    knack_real c[] = {(knack_real)0.5, (knack_real)0.2, (knack_real)-0.1}, gradient[3];
    margin = 0;
    assert_near(loss_of(phi, 16, c, gradient), 0.00826324097793, 1e-6);
    margin = 0.5;
    assert_near(loss_of(phi, 16, c, gradient), 2.88795165791, 1e-5);
    assert_near((double)gradient[0], -17.4414634136, 1e-5);
    assert_near((double)gradient[1], 14.9856293669, 1e-5);
    assert_near((double)gradient[2], 0.12332793906, 1e-5);
    double slope;
    assert_near(phi_of(phi, 0.5, &slope), 0.0235965852909, 1e-6);
    assert_near(slope, 1.15437902566, 1e-6);
    assert_near(phi_of(phi, -0.95, &slope), -1.1897127693, 1e-6);
    assert_near(slope, 1, 1e-6);
}

static void no_margin_changes_nothing(void **state)
{
    (void)state;
    margin = 0;
    for (int i = -100; i <= 100; i++) {
        double slope, c = i / 100.0;
        assert_true(phi_of(phi, c, &slope) == (double)(knack_real)c);
        assert_true(slope == 1);
    }
    margin = 0.5;
}

static void easy_margin_is_for_acute_angles(void **state)
{
    (void)state;
    easy = true;
    assert_near(phi_of(phi, -0.25, NULL), -0.25, 1e-7);
    assert_near(phi_of(phi, 0.5, NULL), 0.0235965852909, 1e-6);
    easy = false;
}

/* Over the switch at pi - m too. */
static void phi_falls_with_the_angle(void **state)
{
    (void)state;
    const double margins[] = {0.1, 0.5, 1, 1.5};
    for (int k = 0; k < 4; k++) {
        margin = margins[k];
        assert_falls_with_the_angle(phi, IS_DOUBLE ? 1e-14 : 1e-6);
    }
    margin = 0.5;
}

static void gradients_of_the_head(void **state)
{
    (void)state;
    assert_gradient_of(head, 1);
    assert_gradient_of(head_of_pairs, 2);
}

/* dL/de turns e towards w with the force 16 (1 - p) sin(theta + m), which is bounded, however small theta is. */
static void the_force_is_bounded_near_the_class(void **state)
{
    (void)state;
    for (double theta = 1; theta > 1e-12; theta /= 1.7) {
        knack_real e[] = {(knack_real)cos(theta), (knack_real)sin(theta)}, w[] = {1, 0, -1, 0}, gradient[2], unused[4];
        head_loss(head, e, w, gradient, unused);
        double force = hypot((double)gradient[0], (double)gradient[1]);
        double p = 1 / (1 + exp(16 * (-cos(theta) - cos(theta + 0.5))));
        double expected = 16 * (1 - p) * (sin(theta + 0.5) + sin(theta));
        assert_true(isfinite(force));
        if (theta > 1e-2)
            assert_near(force, expected, 1e-4);
        else
            assert_true(force <= 16);
    }
}

static void exactly_at_the_class_nothing_pulls(void **state)
{
    (void)state;
    knack_real e[] = {3, 0}, w[] = {1, 0, 0, 1}, gradient[2], unused[4];
    head_loss(head, e, w, gradient, unused);
    assert_true(isfinite(gradient[0]) && gradient[0] == 0);
}

static void edges(void **state)
{
    (void)state;
    assert_finite_on_the_class(head);
    assert_zeros_get_no_gradient(head);
    assert_no_margin_without_a_target(head, plain);
}

static void least_scales(void **state)
{
    (void)state;
    assert_true(fabs(margins_least_scale(10, 0.99) - 6.11) < 0.005 && fabs(margins_least_scale(1000, 0.99) - 11.5) < 0.05);
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &arcface);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(no_margin_changes_nothing),
        cmocka_unit_test(easy_margin_is_for_acute_angles),
        cmocka_unit_test(phi_falls_with_the_angle),
        cmocka_unit_test(gradients_of_the_head),
        cmocka_unit_test(the_force_is_bounded_near_the_class),
        cmocka_unit_test(exactly_at_the_class_nothing_pulls),
        cmocka_unit_test(edges),
        cmocka_unit_test(least_scales),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
