/* AWP: the step of one tensor, and when there is none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "awp.c"
#include "plugins/on_tape.h"

/* f = (4 x^2 + y^2) / 2 at (1, 2): g = (4, 2). */
static void a_share_of_the_norm(void **state)
{
    (void)state;
    const knack_real g[] = {4, 2};
    knack_real w[] = {1, 2};
    assert_true(shift(w, g, 2, 0.01));
    assert_near((double)w[0], 1.02, 1e-7);
    assert_near((double)w[1], 2.01, 1e-7);
}

static void scale_of_the_gradient_does_not_matter(void **state)
{
    (void)state;
    const knack_real scales[] = {(knack_real)1e-18, 1, (knack_real)1e18};
    for (int k = 0; k < 3; k++) {
        const knack_real g[] = {3 * scales[k], 4 * scales[k]};
        knack_real w[] = {0, 5};
        assert_true(shift(w, g, 2, 0.2));
        assert_near((double)w[0], 0.6, 1e-6);
        assert_near((double)w[1], 5.8, 1e-6);
    }
}

static void without_direction_nothing_moves(void **state)
{
    (void)state;
    const knack_real g[][2] = {{0, 0}, {INFINITY, 1}, {NAN, 1}};
    for (int k = 0; k < 3; k++) {
        knack_real w[] = {3, 4};
        assert_false(shift(w, g[k], 2, 0.01));
        assert_true(w[0] == 3 && w[1] == 4);
    }
}

/* Weights of 0 have no length to take a share of. */
static void zeros_stay(void **state)
{
    (void)state;
    const knack_real g[] = {1, 2};
    knack_real w[] = {0, 0};
    assert_false(shift(w, g, 2, 0.01));
    assert_true(w[0] == 0 && w[1] == 0);
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &awp);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_of_the_norm),
        cmocka_unit_test(scale_of_the_gradient_does_not_matter),
        cmocka_unit_test(without_direction_nothing_moves),
        cmocka_unit_test(zeros_stay),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
