/* FGM's step: lengths, and gradients without a direction. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fgm.c"
#include "plugins/on_tape.h"

static const knack_real diagonal[] = {3, 0, 0, 4}; /* [2, 2] */

static void the_whole_tensor_has_the_length(void **state)
{
    (void)state;
    knack_real x[4] = {0};
    assert_int_equal(adversary_step(x, diagonal, (struct adversary_stretches){1, 4}, 1), 1);
    assert_near((double)x[0], 0.6, 1e-7);
    assert_near((double)x[3], 0.8, 1e-7);
    assert_true(x[1] == 0 && x[2] == 0);
}

static void each_row_has_the_length(void **state)
{
    (void)state;
    knack_real x[4] = {10, 10, 10, 10};
    assert_int_equal(adversary_step(x, diagonal, (struct adversary_stretches){2, 2}, 1), 2);
    const double expected[] = {11, 10, 10, 11};
    for (int i = 0; i < 4; i++) assert_near((double)x[i], expected[i], 1e-7);
}

static void length_is_epsilon_whatever_the_gradient(void **state)
{
    (void)state;
    const knack_real scales[] = {(knack_real)1e-18, 1, (knack_real)1e18};
    for (int k = 0; k < 3; k++) {
        knack_real g[] = {scales[k], -2 * scales[k], 2 * scales[k]}, x[3] = {0};
        assert_int_equal(adversary_step(x, g, (struct adversary_stretches){1, 3}, 0.25), 1);
        assert_near(knack_norm(x, 3), 0.25, 1e-7);
    }
}

static void without_direction_nothing_moves(void **state)
{
    (void)state;
    const knack_real g[] = {0, 0, INFINITY, 1, NAN, 1, 3, 4};
    knack_real x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    assert_int_equal(adversary_step(x, g, (struct adversary_stretches){4, 2}, 5), 1);
    for (int i = 0; i < 6; i++) assert_true(x[i] == (knack_real)(i + 1));
    assert_near((double)x[6], 10, 1e-7);
    assert_near((double)x[7], 12, 1e-7);
}

#ifndef KNACK_REAL_DOUBLE
/* epsilon / |g| must not overflow to Inf, which times 0 would be NaN. */
static void a_vanishing_gradient_is_no_direction(void **state)
{
    (void)state;
    const knack_real g[] = {2e-38f, 0};
    knack_real x[2] = {1, 1};
    assert_int_equal(adversary_step(x, g, (struct adversary_stretches){1, 2}, 1e3), 0);
    assert_true(x[0] == 1 && x[1] == 1);
}
#endif

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &fgm);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_tensor_has_the_length),
        cmocka_unit_test(each_row_has_the_length),
        cmocka_unit_test(length_is_epsilon_whatever_the_gradient),
        cmocka_unit_test(without_direction_nothing_moves),
#ifndef KNACK_REAL_DOUBLE
        cmocka_unit_test(a_vanishing_gradient_is_no_direction),
#endif
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
