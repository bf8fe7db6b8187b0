/* SphereFace's margin: psi and its gradient, how lambda lets it in, and its edges at 0 and 180 degrees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugins/on_margins.h"
#include "sphereface.c"

static int64_t multiple = 4; /* of the functions below */
static double lambda = 5;

static knack_tensor *psi(knack_step *step, knack_tensor *c)
{
    return falling(step, c, multiple);
}

static knack_tensor *phi(knack_step *step, knack_tensor *c)
{
    return with_margin(step, c, multiple, lambda);
}

static knack_tensor *logits(knack_step *step, knack_tensor *e, knack_tensor *w, int64_t centres, const int32_t *target)
{
    knack_tensor *unit = knack_normalise(e, 1), *c = margins_nearest(unit, w, knack_shape(w, NULL)[0] / centres, centres);
    if (target) c = knack_put(c, target, phi(step, knack_pick(c, target)));
    return at_length_of(e, unit, c);
}

static knack_tensor *plain(knack_step *step, knack_tensor *e, knack_tensor *w, const int32_t *target)
{
    (void)target;
    return logits(step, e, w, 1, NULL);
}

static knack_tensor *head(knack_step *step, knack_tensor *e, knack_tensor *w, const int32_t *target)
{
    return logits(step, e, w, 1, target);
}

static knack_tensor *head_of_pairs(knack_step *step, knack_tensor *e, knack_tensor *w, const int32_t *target)
{
    return logits(step, e, w, 2, target);
}

static void known_values(void **state)
{
    (void)state;
    static const struct {
        double degrees, psi, mixed, slope;
    } known[] = {{30, -0.5, 0.638354503154, 6.92820323028},
                 {50, -1.06030737921, 0.35893844487, 1.78590235278},
                 {100, -3.23395555688, -0.683699407536, 2.61081457866},
                 {170, -6.76604444312, -1.94834720136, 14.8066652544}};
    for (int i = 0; i < 4; i++) {
        double slope, c = cos(known[i].degrees * half_turn / 180);
        assert_near(phi_of(psi, c, &slope), known[i].psi, 3e-6);
        assert_near(slope, known[i].slope, 2e-5);
        assert_near(phi_of(phi, c, &slope), known[i].mixed, 1e-6);
        assert_near(slope, (5 + known[i].slope) / 6, 1e-5);
    }
}

/* Every multiple beside the formula with its arc cosine. */
static void psi_of_every_multiple(void **state)
{
    (void)state;
    for (multiple = 1; multiple <= 8; multiple++) {
        for (int i = 1; i < 100; i++) {
            double theta = half_turn * (i + 0.3) / 101, slope, k = floor((double)multiple * theta / half_turn);
            double sign = fmod(k, 2) == 0 ? 1 : -1;
            assert_near(phi_of(psi, cos(theta), &slope), sign * cos((double)multiple * theta) - 2 * k, 5e-5);
            assert_near(slope, sign * (double)multiple * sin((double)multiple * theta) / sin(theta), 2e-3);
        }
    }
    multiple = 4;
}

static void a_multiple_of_1_is_no_margin(void **state)
{
    (void)state;
    multiple = 1;
    for (int i = -100; i <= 100; i++) {
        double slope, c = i / 100.0;
        assert_near(phi_of(phi, c, &slope), c, 1e-6);
        assert_near(slope, 1, 1e-6);
    }
    multiple = 4;
}

static void psi_falls_with_the_angle(void **state)
{
    (void)state;
    for (multiple = 2; multiple <= 4; multiple++) {
        assert_falls_with_the_angle(psi, IS_DOUBLE ? 1e-14 : 1e-5);
        assert_falls_with_the_angle(phi, IS_DOUBLE ? 1e-14 : 1e-5);
    }
    multiple = 4;
}

/* It is m^2 at both ends, where sin(m theta) / sin(theta) would be 0 / 0, and nowhere more; 0 where two stretches meet. */
static void the_slope_is_bounded(void **state)
{
    (void)state;
    double slope;
    assert_near(phi_of(psi, 1, &slope), 1, 1e-6);
    assert_near(slope, 16, 1e-6);
    assert_near(phi_of(psi, -1, &slope), -7, 1e-6);
    assert_near(slope, 16, 1e-6);
    for (int k = 1; k < 4; k++) {
        assert_near(phi_of(psi, cos(half_turn * k / 4), &slope), 1 - 2 * k, 3e-6);
        assert_near(slope, 0, 1e-5);
    }
    for (int i = 0; i <= 1000; i++) {
        phi_of(psi, cos(half_turn * i / 1000), &slope);
        assert_true(slope >= -1e-4 && slope <= 16 + 1e-4);
    }
}

static void gradients_of_the_head(void **state)
{
    (void)state;
    for (lambda = 0; lambda <= 5; lambda += 5) {
        assert_gradient_of(head, 1);
        assert_gradient_of(head_of_pairs, 2);
    }
    lambda = 5;
}

static void lambda_falls_to_its_least(void **state)
{
    (void)state;
    struct sphereface self = {.least = 5, .base = 1000, .gamma = 0.12, .power = 1};
    assert_near(lambda_at(&self, 0), 1000, 1e-12);
    assert_near(lambda_at(&self, 1), 1000 / 1.12, 1e-12);
    assert_near(lambda_at(&self, 100), 1000 / 13.0, 1e-12);
    assert_true(lambda_at(&self, 1658) > 5 && lambda_at(&self, 1659) == 5);
    self.power = 2;
    assert_near(lambda_at(&self, 50), 1000 / 49.0, 1e-12);
    self.base = 0;
    assert_true(lambda_at(&self, 0) == 5);
}

static void edges(void **state)
{
    (void)state;
    assert_finite_on_the_class(head);
    assert_zeros_get_no_gradient(head);
    assert_no_margin_without_a_target(head, plain);
}

/* A length whose square leaves a float's range is still one. */
static void lengths_far_from_1(void **state)
{
    (void)state;
    const double lengths[] = {1e-30, 1e-3, 1e3};
    for (int i = 0; i < 3; i++) {
        struct on_tape on;
        knack_real e[] = {(knack_real)(0.6 * lengths[i]), (knack_real)(0.8 * lengths[i])}, w[] = {5, 0, 0, 2}, unused[4];
        knack_step *step = on_tape_begin(&on);
        const knack_real *z = knack_data(plain(step, on_tape_leaf(&on, 1, 2, e, unused), on_tape_leaf(&on, 2, 2, w, unused), NULL));
        assert_near((double)z[0] / lengths[i], 0.6, 1e-6);
        assert_near((double)z[1] / lengths[i], 0.8, 1e-6);
        on_tape_end(&on);
    }
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &sphereface);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(psi_of_every_multiple),
        cmocka_unit_test(a_multiple_of_1_is_no_margin),
        cmocka_unit_test(psi_falls_with_the_angle),
        cmocka_unit_test(the_slope_is_bounded),
        cmocka_unit_test(gradients_of_the_head),
        cmocka_unit_test(lambda_falls_to_its_least),
        cmocka_unit_test(edges),
        cmocka_unit_test(lengths_far_from_1),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
