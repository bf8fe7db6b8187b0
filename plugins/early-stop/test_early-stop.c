/* What counts as better. When it stops is shown by whole runs, in tests/train/test_clip_and_stop.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "early-stop.c"
#include "plugins/on_tape.h"

static void lower_losses_are_better(void **state)
{
    (void)state;
    assert_true(improves(0.4, 0.5, 0, false));
    assert_false(improves(0.5, 0.5, 0, false));
    assert_false(improves(0.6, 0.5, 0, false));
    assert_false(improves(0.375, 0.5, 0.125, false)); /* by more than min_delta */
    assert_true(improves(0.37, 0.5, 0.125, false));
}

static void higher_accuracies_are_better(void **state)
{
    (void)state;
    assert_true(improves(0.6, 0.5, 0, true));
    assert_false(improves(0.5, 0.5, 0, true));
    assert_false(improves(0.625, 0.5, 0.125, true));
    assert_true(improves(0.63, 0.5, 0.125, true));
}

static void the_first_number_is_better_and_none_is_not(void **state)
{
    (void)state;
    assert_true(improves(7, NAN, 1, false));
    assert_true(improves(0, NAN, 1, true));
    assert_false(improves(NAN, NAN, 0, false));
    assert_false(improves(NAN, 0.5, 0, false));
    assert_false(improves(NAN, 0.5, 0, true));
    assert_true(improves(INFINITY, NAN, 0, false)); /* anything finite is better then */
    assert_true(improves(1e300, INFINITY, 0, false));
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &early_stop);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lower_losses_are_better),
        cmocka_unit_test(higher_accuracies_are_better),
        cmocka_unit_test(the_first_number_is_better_and_none_is_not),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
