/* SAM and ASAM: where the search ends, and when there is none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugins/on_tape.h"
#include "sam.c"

/* f = (4 x^2 + y^2) / 2 at w = (1, 2). */
static const knack_real w[2] = {1, 2}, g[2] = {4, 2};

static void sam_climbs_along_the_gradient(void **state)
{
    (void)state;
    const struct sam self = {.rho = 0.05, .eps = 1e-12};
    knack_real to[2] = {0};
    assert_true(climb(&self, to, w, g, 2));
    assert_near((double)to[0], 1.04472135955, 1e-7);
    assert_near((double)to[1], 2.022360679775, 1e-7);
    assert_near(4 * (double)to[0], 4.1788854382, 1e-7); /* the gradient there, and the step from w */
    assert_near(1 - 0.1 * 4 * (double)to[0], 0.58211145618, 1e-7);
    assert_near(2 - 0.1 * (double)to[1], 1.79776393202, 1e-7);
}

static void asam_climbs_in_proportion(void **state)
{
    (void)state;
    const struct sam self = {.rho = 0.5, .eps = 1e-12, .adaptive = true};
    knack_real to[2] = {0};
    assert_true(climb(&self, to, w, g, 2));
    assert_near((double)to[0], 1.353553390593, 1e-7);
    assert_near((double)to[1], 2.707106781187, 1e-7);
}

/* ASAM's search is the same in other units of the weights: w -> c w, g -> g / c. */
static void asam_does_not_know_scale(void **state)
{
    (void)state;
    const struct sam self = {.rho = 0.5, .adaptive = true};
    const knack_real scaled[2] = {4 * w[0], w[1] / 8}, back[2] = {g[0] / 4, g[1] * 8};
    knack_real to[2] = {0}, other[2] = {0};
    assert_true(climb(&self, to, w, g, 2));
    assert_true(climb(&self, other, scaled, back, 2));
    assert_near((double)other[0], 4 * (double)to[0], 1e-6);
    assert_near((double)other[1], (double)to[1] / 8, 1e-6);
}

static void without_direction_there_is_no_search(void **state)
{
    (void)state;
    const knack_real gradient[][2] = {{0, 0}, {INFINITY, 1}, {NAN, 1}}, zeros[2] = {0};
    knack_real to[2] = {0};
    for (int adaptive = 0; adaptive < 2; adaptive++) {
        for (int eps = 0; eps < 2; eps++) {
            const struct sam self = {.rho = 0.05, .eps = eps * 1e-12, .adaptive = adaptive};
            for (int k = 0; k < 3; k++) assert_false(climb(&self, to, w, gradient[k], 2));
            if (adaptive) assert_false(climb(&self, to, zeros, g, 2));
        }
    }
}

/* eps keeps steps along a gradient of next to nothing short. */
static void eps_shortens_the_search(void **state)
{
    (void)state;
    const struct sam self = {.rho = 1, .eps = 1e-12};
    const knack_real small[] = {(knack_real)1e-12, 0};
    knack_real to[2] = {0};
    assert_true(climb(&self, to, w, small, 2));
    assert_near((double)to[0], 1.5, 1e-6);
}

/* Room between parameters is 0 in weights and gradients, and stays so. */
static void padding_stays_0(void **state)
{
    (void)state;
    const knack_real weights[] = {1, 0, 0, 2}, gradient[] = {4, 0, 0, 2};
    for (int adaptive = 0; adaptive < 2; adaptive++) {
        const struct sam self = {.rho = 1, .adaptive = adaptive};
        knack_real to[4] = {0};
        assert_true(climb(&self, to, weights, gradient, 4));
        assert_true(to[1] == 0 && to[2] == 0);
    }
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &sam);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sam_climbs_along_the_gradient), cmocka_unit_test(asam_climbs_in_proportion),
        cmocka_unit_test(asam_does_not_know_scale),      cmocka_unit_test(without_direction_there_is_no_search),
        cmocka_unit_test(eps_shortens_the_search),       cmocka_unit_test(padding_stays_0),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
