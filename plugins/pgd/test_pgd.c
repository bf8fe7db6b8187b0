/* PGD: steps and projections, by the numbers of the reference sheet, and gradients without a direction. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pgd.c"
#include "plugins/on_tape.h"

static const struct pgd half = {.epsilon = 0.5, .alpha = 0.3};

static void three_steps(void **state)
{
    (void)state;
    const knack_real g[3][2] = {{3, 4}, {4, 3}, {0, 1}};
    const double expected[3][2] = {{0.18, 0.24}, {0.353553390593, 0.353553390593}, {0.23790498277, 0.439774054684}};
    knack_real r[2] = {0};
    for (int k = 0; k < 3; k++) {
        assert_int_equal(climb(&half, r, g[k], (struct adversary_stretches){1, 2}), 1);
        for (int i = 0; i < 2; i++) assert_near((double)r[i], expected[k][i], 1e-6);
    }
}

static void the_length_before_projection(void **state)
{
    (void)state;
    knack_real r[2] = {0};
    const struct adversary_stretches in = {1, 2};
    adversary_step(r, (const knack_real[]){3, 4}, in, 0.3);
    adversary_step(r, (const knack_real[]){4, 3}, in, 0.3);
    assert_near(knack_norm(r, 2), 0.593969696197, 1e-6);
    adversary_project(r, in, 0.5);
    assert_near(knack_norm(r, 2), 0.5, 1e-6);
}

/* Each stretch has its own length, and its own bound. */
static void each_row_by_itself(void **state)
{
    (void)state;
    const knack_real g[] = {3, 0, 0, 4, 0, 0, INFINITY, 1, NAN, 1};
    knack_real r[10] = {0};
    for (int k = 0; k < 3; k++) assert_int_equal(climb(&half, r, g, (struct adversary_stretches){5, 2}), 2);
    assert_near((double)r[0], 0.5, 1e-6);
    assert_near((double)r[3], 0.5, 1e-6);
    for (int i = 4; i < 10; i++) assert_true(r[i] == 0);
}

/* Without a direction r stays, inside of the bound, and a length of 0 is not divided by. */
static void without_direction_r_stays(void **state)
{
    (void)state;
    const knack_real none[4] = {0};
    knack_real r[4] = {(knack_real)0.1, (knack_real)0.2, 0, 0}, before[4];
    memcpy(before, r, sizeof r);
    assert_int_equal(climb(&half, r, none, (struct adversary_stretches){2, 2}), 0);
    assert_memory_equal(r, before, sizeof r);
    adversary_project(r, (struct adversary_stretches){2, 2}, 0);
    for (int i = 0; i < 4; i++) assert_true(r[i] == 0);
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &pgd);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_steps),
        cmocka_unit_test(the_length_before_projection),
        cmocka_unit_test(each_row_by_itself),
        cmocka_unit_test(without_direction_r_stays),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
