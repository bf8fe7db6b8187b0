/* FreeLB: the size of its noise, padding, steps and projections in both norms. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "freelb.c"
#include "plugins/on_tape.h"

/* Uniforms [4] as the host draws them: the smallest, a quarter, the middle, three quarters. */
static void draw(knack_real r[4])
{
    for (int i = 0; i < 4; i++) r[i] = (knack_real)i / 4;
}

static void noise_shrinks_with_the_number_of_entries(void **state)
{
    (void)state;
    const struct freelb self = {.init_mag = 0.16};
    const knack_real x[4] = {0, 0, 1, 1};
    const double expected[] = {-0.08, -0.04, 0, 0.04};
    knack_real r[4];
    draw(r);
    scale_noise(&self, r, x, 4, 2);
    for (int i = 0; i < 4; i++) assert_near((double)r[i], expected[i], 1e-7);
}

static void the_largest_entry_of_noise_does_not(void **state)
{
    (void)state;
    const struct freelb self = {.init_mag = 0.16, .largest = true};
    const knack_real x[4] = {1, 1, 1, 1};
    const double expected[] = {-0.16, -0.08, 0, 0.08};
    knack_real r[4];
    draw(r);
    scale_noise(&self, r, x, 4, 2);
    for (int i = 0; i < 4; i++) assert_near((double)r[i], expected[i], 1e-7);
}

/* The first token is padding: it gets nothing, and does not count; all of them: nothing happens. */
static void padding_gets_no_noise(void **state)
{
    (void)state;
    const struct freelb self = {.init_mag = 0.16, .skip_padding = true};
    const knack_real x[4] = {0, 0, 1, 0}, nothing[4] = {0};
    knack_real r[4];
    draw(r);
    scale_noise(&self, r, x, 4, 2);
    assert_true(r[0] == 0 && r[1] == 0 && r[2] == 0);
    assert_near((double)r[3], 0.08 / sqrt(2), 1e-7);
    draw(r);
    scale_noise(&self, r, nothing, 4, 2);
    for (int i = 0; i < 4; i++) assert_true(r[i] == 0);
}

static void steps_have_a_length_and_a_bound(void **state)
{
    (void)state;
    const struct freelb self = {.adv_lr = 0.2, .max_norm = 0.3};
    const knack_real g[] = {3, 4, 0, 1};
    knack_real r[4] = {0};
    assert_int_equal(climb(&self, r, g, 2, 2), 2);
    assert_near((double)r[0], 0.12, 1e-7);
    assert_near((double)r[1], 0.16, 1e-7);
    assert_near((double)r[3], 0.2, 1e-7);
    assert_int_equal(climb(&self, r, g, 2, 2), 2);
    assert_near((double)r[0], 0.18, 1e-7); /* 0.4 back to 0.3 */
    assert_near((double)r[1], 0.24, 1e-7);
    assert_near((double)r[3], 0.3, 1e-7);
}

static void the_largest_entry_is_bounded(void **state)
{
    (void)state;
    const struct freelb self = {.adv_lr = 0.2, .max_norm = 0.3, .largest = true};
    const knack_real g[] = {-4, 2};
    knack_real r[2] = {0};
    assert_int_equal(climb(&self, r, g, 1, 2), 1);
    assert_near((double)r[0], -0.2, 1e-7);
    assert_near((double)r[1], 0.1, 1e-7);
    climb(&self, r, g, 1, 2);
    assert_near((double)r[0], -0.3, 1e-7);
    assert_near((double)r[1], 0.2, 1e-7);
}

static void without_a_bound_it_goes_on(void **state)
{
    (void)state;
    const struct freelb self = {.adv_lr = 2};
    const knack_real g[] = {0, -5};
    knack_real r[2] = {0};
    for (int k = 0; k < 3; k++) climb(&self, r, g, 1, 2);
    assert_near((double)r[1], -6, 1e-7);
}

/* A gradient shorter than 1e-8 makes a step that is shorter too. */
static void short_gradients_make_short_steps(void **state)
{
    (void)state;
    const struct freelb self = {.adv_lr = 0.5, .max_norm = 1};
    const knack_real g[] = {(knack_real)5e-9, 0};
    knack_real r[2] = {0};
    climb(&self, r, g, 1, 2);
    assert_near((double)r[0], 0.25, 1e-7);
}

/* An offset of length 0 with a gradient of 0 is where max_norm / |r| r is 0 / 0; one that is not finite gives no direction. */
static void without_direction_nothing_moves(void **state)
{
    (void)state;
    const knack_real g[] = {0, 0, INFINITY, 1, NAN, 1, 1, NAN};
    for (int largest = 0; largest < 2; largest++) {
        const struct freelb self = {.adv_lr = 0.1, .max_norm = 0.3, .largest = largest};
        knack_real r[8] = {0};
        assert_int_equal(climb(&self, r, g, 4, 2), 0);
        for (int i = 0; i < 8; i++) assert_true(r[i] == 0);
    }
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &freelb);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_shrinks_with_the_number_of_entries),
        cmocka_unit_test(the_largest_entry_of_noise_does_not),
        cmocka_unit_test(padding_gets_no_noise),
        cmocka_unit_test(steps_have_a_length_and_a_bound),
        cmocka_unit_test(the_largest_entry_is_bounded),
        cmocka_unit_test(without_a_bound_it_goes_on),
        cmocka_unit_test(short_gradients_make_short_steps),
        cmocka_unit_test(without_direction_nothing_moves),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
