/* ArcFace's margin: values, gradients, and its edges at 0 and 180 degrees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arcface.c"
#include "plugins/on_tape.h"

enum { CLASSES = 3 };
static const int32_t first_class[] = {0};

/* The loss of cosines [1, CLASSES] at class 0 with scale 16, and its gradient. */
static double loss_of(double m, knack_real *cosines, knack_real *gradient)
{
    struct on_tape on;
    knack_step *step = on_tape_begin(&on);
    knack_tensor *c = on_tape_leaf(&on, 1, CLASSES, cosines, gradient);
    knack_tensor *logits = knack_scale(knack_put(c, first_class, with_margin(step, knack_pick(c, first_class), m, false)), 16);
    double loss = (double)on_tape_backward(knack_cross_entropy(logits, first_class))[0];
    on_tape_end(&on);
    return loss;
}

/* phi of one cosine, and d phi / d c. */
static double phi_of(double cosine, double m, bool easy, double *slope)
{
    struct on_tape on;
    knack_step *step = on_tape_begin(&on);
    knack_real c = (knack_real)cosine, gradient = 0;
    knack_tensor *picked = knack_pick(on_tape_leaf(&on, 1, 1, &c, &gradient), first_class);
    double phi = (double)on_tape_backward(with_margin(step, picked, m, easy))[0];
    if (slope) *slope = (double)gradient;
    on_tape_end(&on);
    return phi;
}

static void known_values(void **state)
{
    (void)state;
    knack_real c[] = {(knack_real)0.5, (knack_real)0.2, (knack_real)-0.1}, gradient[CLASSES];
    assert_near(loss_of(0, c, gradient), 0.00826324097793, 1e-6);
    assert_near(loss_of(0.5, c, gradient), 2.88795165791, 1e-5);
    assert_near((double)gradient[0], -17.4414634136, 1e-5);
    assert_near((double)gradient[1], 14.9856293669, 1e-5);
    assert_near((double)gradient[2], 0.12332793906, 1e-5);
    double slope;
    assert_near(phi_of(0.5, 0.5, false, &slope), 0.0235965852909, 1e-6);
    assert_near(slope, 1.15437902566, 1e-6);
    assert_near(phi_of(-0.95, 0.5, false, &slope), -1.1897127693, 1e-6);
    assert_near(slope, 1, 1e-6);
}

static void no_margin_changes_nothing(void **state)
{
    (void)state;
    for (int i = -100; i <= 100; i++) {
        double slope, c = i / 100.0;
        assert_true(phi_of(c, 0, false, &slope) == (double)(knack_real)c);
        assert_true(slope == 1);
    }
}

static void easy_margin_is_for_acute_angles(void **state)
{
    (void)state;
    assert_near(phi_of(-0.25, 0.5, true, NULL), -0.25, 1e-7);
    assert_near(phi_of(0.5, 0.5, true, NULL), 0.0235965852909, 1e-6);
}

/* Farther from the class is never better: phi falls with the angle, over the switch at pi - m too. */
static void phi_falls_with_the_angle(void **state)
{
    (void)state;
    const double margins[] = {0.1, 0.5, 1, 1.5};
    for (int k = 0; k < 4; k++) {
        double last = INFINITY;
        for (int i = 0; i <= 2000; i++) {
            double phi = phi_of(cos(acos(-1) * i / 2000), margins[k], false, NULL);
            assert_true(phi <= last + 1e-6);
            last = phi;
        }
    }
}

/* The loss of features e at class 0 of two, whose directions are w; its gradient goes to e's [2]. */
static void whole_head(knack_real *e, knack_real *w, knack_real *gradient)
{
    struct on_tape on;
    knack_real unused[4];
    knack_step *step = on_tape_begin(&on);
    knack_tensor *unit_e = knack_normalise(on_tape_leaf(&on, 1, 2, e, gradient), 1);
    knack_tensor *unit_w = knack_normalise(on_tape_leaf(&on, 2, 2, w, unused), 1);
    knack_tensor *c = knack_clamp(knack_matmul(unit_e, unit_w, false, true), -1, 1);
    c = knack_put(c, first_class, with_margin(step, knack_pick(c, first_class), 0.5, false));
    on_tape_backward(knack_cross_entropy(knack_scale(c, 16), first_class));
    on_tape_end(&on);
}

/* dL/de turns e towards w with the force 16 (1 - p) sin(theta + m), which is bounded, however small theta is. */
static void the_force_is_bounded_near_the_class(void **state)
{
    (void)state;
    for (double theta = 1; theta > 1e-12; theta /= 1.7) {
        knack_real e[] = {(knack_real)cos(theta), (knack_real)sin(theta)}, w[] = {1, 0, -1, 0}, gradient[2];
        whole_head(e, w, gradient);
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
    knack_real e[] = {3, 0}, w[] = {1, 0, 0, 1}, gradient[2];
    whole_head(e, w, gradient);
    assert_true(isfinite(gradient[0]) && gradient[0] == 0);
    knack_real zero[] = {0, 0};
    whole_head(zero, w, gradient); /* no direction: no gradient, and no NaN */
    assert_true(gradient[0] == 0 && gradient[1] == 0);
}

static void least_scales(void **state)
{
    (void)state;
    assert_true(fabs(least_scale(10, 0.99) - 6.11) < 0.005 && fabs(least_scale(1000, 0.99) - 11.5) < 0.05);
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
        cmocka_unit_test(the_force_is_bounded_near_the_class),
        cmocka_unit_test(exactly_at_the_class_nothing_pulls),
        cmocka_unit_test(least_scales),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
