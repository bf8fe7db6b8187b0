/* EMA's recurrence and its warm-ups, by known sequences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ema.c"
#include "plugins/on_tape.h"

/* The averages of w from s on. */
static void check_sequence(int warmup, double decay, double s, int64_t count, const double *w, const double *expected)
{
    knack_real averaged = (knack_real)s;
    for (int64_t t = 1; t <= count; t++) {
        knack_real weight = (knack_real)w[t - 1];
        assert_true(average(&averaged, 1 - decay_at(warmup, decay, t), &weight, 1));
        assert_near((double)averaged, expected[t - 1], 1e-6);
    }
}

static const double ramp[] = {1, 2, 3, 4};

static void known_sequences(void **state)
{
    (void)state;
    check_sequence(WARMUP_NONE, 0.9, 0, 4, ramp, (const double[]){0.1, 0.29, 0.561, 0.9049});
    check_sequence(WARMUP_DEBIAS, 0.9, 0, 4, ramp, (const double[]){1, 1.52631578947, 2.07011070111, 2.63128816516});
    check_sequence(WARMUP_TF, 0.999, 10, 4, ramp, (const double[]){2.63636363636, 2.15909090909, 2.74125874126, 3.55044955045});
}

static void known_decays(void **state)
{
    (void)state;
    const double tf[] = {0.181818181818, 0.25, 0.307692307692, 0.357142857143};
    for (int64_t t = 1; t <= 4; t++) assert_near(decay_at(WARMUP_TF, 0.999, t), tf[t - 1], 1e-10);
    assert_true(decay_at(WARMUP_TF, 0.999, 1000000) == 0.999); /* the ceiling */
    assert_true(decay_at(WARMUP_POWER, 0.9999, 1) == 0);
    assert_near(decay_at(WARMUP_POWER, 0.9999, 2), 1 - pow(2, -2.0 / 3), 1e-12);
    assert_true(decay_at(WARMUP_POWER, 0.9999, 100000000) == 0.9999);
    assert_true(decay_at(WARMUP_DEBIAS, 0.9, 1) == 0);
    assert_true(decay_at(WARMUP_NONE, 0.9, 1) == 0.9);
}

static void constant_weights(void **state)
{
    (void)state;
    const double decays[] = {0.9, 0.99, 0.999}, after_ten[] = {0.6513215599, 0.0956179249912, 0.00995511979025};
    for (int k = 0; k < 3; k++) {
        knack_real s = 0, w = 1;
        for (int t = 1; t <= 10; t++) average(&s, 1 - decay_at(WARMUP_NONE, decays[k], t), &w, 1);
        assert_near((double)s, after_ten[k], 1e-6);
    }
}

/* Debiased, the first average is the first weights whatever the set began with, and constant weights stay themselves to the bit. */
static void a_fixed_point_stays(void **state)
{
    (void)state;
    knack_real s = 17, w = (knack_real)0.1;
    for (int t = 1; t <= 100; t++) {
        average(&s, 1 - decay_at(WARMUP_DEBIAS, 0.99, t), &w, 1);
        assert_true(s == w);
    }
}

static void what_is_not_finite_stays_out(void **state)
{
    (void)state;
    knack_real s[] = {1, 2, 3, 4};
    const knack_real w[] = {NAN, 4, -INFINITY, 6};
    assert_false(average(s, 0.5, w, 4));
    assert_true(s[0] == 1 && s[1] == 3 && s[2] == 3 && s[3] == 5);
    assert_false(average(s, 1, w, 4)); /* copying too */
    assert_true(s[0] == 1 && s[1] == 4 && s[2] == 3 && s[3] == 6);
}

#ifndef KNACK_REAL_DOUBLE
/* What the file's head says of float: an increment below half a unit in the last place is lost, every time. */
static void float_stalls(void **state)
{
    (void)state;
    knack_real s = 1, w = 1 + 1e-4f;
    for (int t = 0; t < 1000; t++) average(&s, 1e-4, &w, 1);
    assert_true(s == 1);
}
#endif

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &ema);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_sequences),
        cmocka_unit_test(known_decays),
        cmocka_unit_test(constant_weights),
        cmocka_unit_test(a_fixed_point_stays),
        cmocka_unit_test(what_is_not_finite_stays_out),
#ifndef KNACK_REAL_DOUBLE
        cmocka_unit_test(float_stalls),
#endif
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
