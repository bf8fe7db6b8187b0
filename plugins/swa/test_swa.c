/* SWA's mean and its learning rate, by known sequences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugins/on_tape.h"
#include "swa.c"

static void known_means(void **state)
{
    (void)state;
    const knack_real w[] = {1, 2, 4};
    const double expected[] = {1, 1.5, 2.33333333333};
    knack_real s = 17; /* the first mean is the first weight, whatever there was */
    for (int n = 1; n <= 3; n++) {
        knack_lerp(&s, 1 / (double)n, &w[n - 1], 1);
        assert_near((double)s, expected[n - 1], 1e-6);
    }
}

static void known_rates(void **state)
{
    (void)state;
    const double t[] = {0, 1, 2, 5, 9, 10, 11}, rate[] = {0.1, 0.0987764129074, 0.0952254248594, 0.075, 0.0512235870926, 0.05, 0.05};
    for (int i = 0; i < 7; i++) assert_near(lr_at(0.1, 0.05, annealed(t[i], 10, false)), rate[i], 1e-10);
    assert_near(lr_at(0.1, 0.05, annealed(1, 10, true)), 0.095, 1e-10);
    assert_near(lr_at(0.1, 0.05, annealed(9, 10, true)), 0.055, 1e-10);
    assert_true(lr_at(0.1, 0.05, annealed(10, 10, true)) == 0.05);
}

/* At once, if it is to take no time. */
static void no_annealing(void **state)
{
    (void)state;
    assert_true(lr_at(0.1, 0.05, annealed(1, 0, false)) == 0.05);
    assert_true(lr_at(0.1, 0.05, annealed(1, 0, true)) == 0.05);
}

static void ends_of_stretches(void **state)
{
    (void)state;
    assert_false(snapshots_due(0, 18));
    assert_false(snapshots_due(17, 18));
    assert_true(snapshots_due(18, 18));
    assert_false(snapshots_due(19, 18));
    assert_true(snapshots_due(36, 18));
    assert_true(snapshots_due(1, 1));
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &swa);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_means),
        cmocka_unit_test(known_rates),
        cmocka_unit_test(no_annealing),
        cmocka_unit_test(ends_of_stretches),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
