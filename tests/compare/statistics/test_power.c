#include "printed.h"

#include "compare/statistics/distributions.h"
#include "compare/statistics/power.h"
#include "vectors/statistics.h"

static void test_detectable(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(detectable_vectors); i++) {
        int64_t n = detectable_vectors[i].n;
        double effect = detectable_effect(n, .8, .05);
        assert_printed(effect, detectable_vectors[i].effect);
        assert_true(fabs(power_paired(n, effect, .05) - .8) < 1e-8);
        assert_printed(t_quantile(.975, (double)(n - 1)) / sqrt((double)n), detectable_vectors[i].half);
    }
    assert_true(isnan(detectable_effect(1, .8, .05)) && isnan(detectable_effect(0, .8, .05)) && isnan(detectable_effect(5, 1, .05)));
    assert_true(isnan(detectable_effect(5, .8, 0)) && isnan(detectable_effect(5, NAN, .05)));
    assert_true(detectable_effect(5, .05, .05) == 0);
    assert_true(detectable_effect(2, .8, .05) > 10 && isfinite(detectable_effect(2, .8, .005)));
}

static void test_power(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(power_vectors); i++) {
        assert_printed(power_paired(power_vectors[i].n, power_vectors[i].effect, .05), power_vectors[i].power);
        assert_near(power_paired(power_vectors[i].n, -power_vectors[i].effect, .05),
                    power_paired(power_vectors[i].n, power_vectors[i].effect, .05));
    }
    assert_true(fabs(power_paired(7, 0, .05) - .05) < 1e-10); /* no effect: the level itself */
    assert_true(isnan(power_paired(1, 1, .05)) && isnan(power_paired(5, NAN, .05)) && isnan(power_paired(5, 1, 1)));
}

static void test_seeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(seeds_vectors); i++) {
        int64_t n = seeds_needed(seeds_vectors[i].effect, 1, INFINITY, .05); /* a deviation that is known */
        assert_int_equal(n, seeds_vectors[i].n);
        assert_true(power_paired(n, seeds_vectors[i].effect, .05) >= .8 && power_paired(n - 1, seeds_vectors[i].effect, .05) < .8);
        assert_int_equal(seeds_needed(-10 * seeds_vectors[i].effect, 10, INFINITY, .05), n);
    }
    /* Five seeds gave a deviation of .2818: it may as well be .2818 sqrt(4 / 1.6488) = .439. */
    assert_int_equal(seeds_needed(.3, .2818, 4, .05), 19);
    assert_int_equal(seeds_needed(100, 1, 4, .05), 3);
    assert_int_equal(seeds_needed(1, 0, 4, .05), 3);
    assert_true(seeds_needed(1e-9, 1, 4, .05) > 1000000 && seeds_needed(1e-300, 1, 4, .05) > 1000000);
    assert_true(seeds_needed(.02, 1, INFINITY, .05) > 19000 && seeds_needed(.02, 1, INFINITY, .05) < 20000);
    assert_int_equal(seeds_needed(0, 1, 4, .05), 0);
    assert_int_equal(seeds_needed(NAN, 1, 4, .05), 0);
    assert_int_equal(seeds_needed(1, NAN, 4, .05), 0);
    assert_int_equal(seeds_needed(1, 1, 0, .05), 0);
    assert_int_equal(seeds_needed(1, INFINITY, 4, .05), 0);
    for (int m = 1; m <= 40; m++)
        for (double effect = .4; effect < 3; effect += .3) {
            int64_t n = seeds_needed(effect, 1, INFINITY, .05 / m);
            assert_true(power_paired(n, effect, .05 / m) >= .8 && (n == 3 || power_paired(n - 1, effect, .05 / m) < .8));
        }
    /* One of three, of seven tests under Holm. */
    assert_int_equal(seeds_needed(.82, 1, INFINITY, .05), 14);
    assert_int_equal(seeds_needed(.82, 1, INFINITY, .05 / 3), 19);
    assert_int_equal(seeds_needed(.82, 1, INFINITY, .05 / 7), 23);
    assert_true(power_paired(19, .82, .05 / 3) >= .8 && power_paired(14, .82, .05 / 3) < .65);
    assert_true(seeds_needed(1, 1, 4, 0) == 0 && seeds_needed(1, 1, 4, 1) == 0 && seeds_needed(1, 1, 4, NAN) == 0);
    assert_true(detectable_effect(19, .8, .05 / 3) < .82 && detectable_effect(18, .8, .05 / 3) > .82);
}

static void test_failures(void **state)
{
    (void)state;
    assert_printed(failure_rate_bound(5), ".45");
    assert_printed(failure_rate_bound(10), ".26");
    assert_printed(failure_rate_bound(20), ".14");
    assert_printed(failure_rate_bound(30), ".095");
    assert_near(failure_rate_bound(1), .95);
    assert_true(failure_rate_bound(0) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_detectable),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
