/* CosFace's margin: values and gradients; and what the heads share, at its edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cosface.c"
#include "plugins/on_margins.h"

static double margin = 0.35; /* of the functions below */

static knack_tensor *phi(knack_step *step, knack_tensor *c)
{
    (void)step;
    return with_margin(c, margin);
}

static knack_tensor *plain(knack_step *step, knack_tensor *e, knack_tensor *w, const int32_t *target)
{
    (void)step, (void)target;
    return knack_scale(margins_nearest(knack_normalise(e, 1), w, knack_shape(w, NULL)[0], 1), 4);
}

static knack_tensor *head(knack_step *step, knack_tensor *e, knack_tensor *w, const int32_t *target)
{
    knack_tensor *c = margins_nearest(knack_normalise(e, 1), w, knack_shape(w, NULL)[0], 1);
    return knack_scale(knack_put(c, target, phi(step, knack_pick(c, target))), 4);
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
    margin = 0.35;
    assert_near(loss_of(phi, 16, c, gradient), 1.17676292053, 1e-5);
}

/* s (p - 1) and s p, by a softmax of the shifted logits. */
static void gradients_of_the_cosines(void **state)
{
    (void)state;
    knack_real c[] = {(knack_real)0.5, (knack_real)0.2, (knack_real)-0.1}, gradient[3];
    loss_of(phi, 16, c, gradient);
    double force[] = {exp(16 * 0.15), exp(16 * 0.2), exp(-16 * 0.1)}, sum = force[0] + force[1] + force[2];
    for (int j = 0; j < 3; j++) assert_near((double)gradient[j], 16 * (force[j] / sum - (j == 0)), 1e-5);
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
    margin = 0.35;
}

static void phi_falls_with_the_angle(void **state)
{
    (void)state;
    assert_falls_with_the_angle(phi, 0);
    assert_near(phi_of(phi, -1, NULL), -1.35, 1e-6); /* at 180 degrees too */
}

static void gradients_of_the_head(void **state)
{
    (void)state;
    assert_gradient_of(head, 1);
    assert_gradient_of(head_of_pairs, 2);
}

/* dL/de turns e towards w with the force s (1 - p) times the sines of both angles. */
static void the_force_vanishes_at_the_class(void **state)
{
    (void)state;
    for (double theta = 1; theta > 1e-12; theta /= 1.7) {
        knack_real e[] = {(knack_real)cos(theta), (knack_real)sin(theta)}, w[] = {1, 0, -1, 0}, gradient[2], unused[4];
        head_loss(head, e, w, gradient, unused);
        double p = 1 / (1 + exp(4 * (-2 * cos(theta) + margin)));
        assert_near(hypot((double)gradient[0], (double)gradient[1]), 4 * (1 - p) * 2 * sin(theta), 1e-6);
    }
}

static void edges(void **state)
{
    (void)state;
    assert_finite_on_the_class(head);
    assert_zeros_get_no_gradient(head);
    assert_no_margin_without_a_target(head, plain);
}

/* Of a class's directions the nearest gives the cosine, and it alone gets a gradient. */
static void nearest_of_two_directions(void **state)
{
    (void)state;
    struct on_tape on;
    knack_real e[] = {1, 1}, e_gradient[2], w[] = {2, 0, 1, 3, -1, 1, -3, -4},
               w_gradient[8]; /* classes {(2, 0), (1, 3)}, {(-1, 1), (-3, -4)} */
    on_tape_begin(&on);
    knack_tensor *unit = knack_normalise(on_tape_leaf(&on, 1, 2, e, e_gradient), 1);
    const knack_real *c = on_tape_backward(margins_nearest(unit, on_tape_leaf(&on, 4, 2, w, w_gradient), 2, 2));
    assert_near((double)c[0], 4 / sqrt(20), 1e-6);
    assert_near((double)c[1], 0, 1e-6);
    assert_true(w_gradient[0] == 0 && w_gradient[1] == 0 && w_gradient[6] == 0 && w_gradient[7] == 0);
    assert_true(w_gradient[2] != 0 && w_gradient[4] != 0);
    on_tape_end(&on);
}

static void greatest_margins(void **state)
{
    (void)state;
    assert_near(greatest_margin(2, 1), 2, 1e-10);
    assert_near(greatest_margin(3, 2), 1.5, 1e-10);                          /* both formulas */
    assert_near(greatest_margin(10, 2), 1 - cos(2 * half_turn / 10), 1e-10); /* a plane */
    assert_near(greatest_margin(10, 9), 10.0 / 9, 1e-10);                    /* a simplex: C / (C - 1) */
    assert_near(greatest_margin(10, 64), 10.0 / 9, 1e-10);
    assert_near(greatest_margin(11, 9), 1, 1e-10); /* less beyond */
    assert_near(greatest_margin(3, 1), 0, 1e-10);  /* two of them have one direction */
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &cosface);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(gradients_of_the_cosines),
        cmocka_unit_test(no_margin_changes_nothing),
        cmocka_unit_test(phi_falls_with_the_angle),
        cmocka_unit_test(gradients_of_the_head),
        cmocka_unit_test(the_force_vanishes_at_the_class),
        cmocka_unit_test(edges),
        cmocka_unit_test(nearest_of_two_directions),
        cmocka_unit_test(greatest_margins),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
