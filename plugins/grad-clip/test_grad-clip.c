/* Clipping of given gradients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grad-clip.c"
#include "plugins/on_tape.h"

static void by_norm(void **state)
{
    (void)state;
    knack_real g[] = {3, 0, -4, 0};
    assert_true(clip_norm(g, 4, knack_norm(g, 4), 2));
    assert_near((double)g[0], 1.2, 1e-6);
    assert_near((double)g[2], -1.6, 1e-6);
    assert_near(knack_norm(g, 4), 2, 1e-6);
}

/* Not a bit moves at the bound and below it. */
static void within_the_bound(void **state)
{
    (void)state;
    knack_real g[] = {3, 0, -4, 0}, same[] = {3, 0, -4, 0}, none[] = {0, 0};
    assert_false(clip_norm(g, 4, knack_norm(g, 4), 5));
    assert_false(clip_values(g, 4, 4));
    assert_memory_equal(g, same, sizeof g);
    assert_false(clip_norm(none, 2, 0, 1e-30));
    assert_false(clip_values(none, 2, 1e-30));
}

static void by_value(void **state)
{
    (void)state;
    knack_real g[] = {3, (knack_real)0.5, -4, -(knack_real)0.5, 1, -1};
    assert_true(clip_values(g, 6, 1));
    const double clipped[] = {1, 0.5, -1, -0.5, 1, -1};
    for (int i = 0; i < 6; i++) assert_true((double)g[i] == clipped[i]);
}

/* Squares that float does not hold: the norm is summed in double. */
static void large_gradients(void **state)
{
    (void)state;
    knack_real g[] = {(knack_real)3e30, (knack_real)-4e30};
    assert_true(clip_norm(g, 2, knack_norm(g, 2), 5));
    assert_near((double)g[0], 3, 1e-6);
    assert_near((double)g[1], -4, 1e-6);
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &grad_clip);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_norm),         cmocka_unit_test(within_the_bound),         cmocka_unit_test(by_value),
        cmocka_unit_test(large_gradients), cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
