#include "printed.h"

#include "compare/statistics/distributions.h"
#include "compare/statistics/sequential.h"
#include "vectors/statistics.h"

static const int64_t usual[] = {6, 10, 15, 20};

static void test_schedules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(schedule_vectors); i++) {
        const struct schedule_vector *known = &schedule_vectors[i];
        const struct look_schedule *schedule = look_schedule_find(known->look, known->looks);
        assert_non_null(schedule);
        for (int64_t k = 0; k < known->looks; k++) {
            double bound = look_boundary(schedule, k);
            /* The table's bounds come from more digits of C than its 4: that is worth some units where t is steep. */
            check_printed(bound, known->bound[k], bound > 5 ? 6 : 1.5, "boundary");
            check_printed(t_two_sided(bound, (double)(known->look[k] - 1)), known->p[k], 1, "nominal p");
        }
        assert_true(isnan(look_boundary(schedule, -1)) && isnan(look_boundary(schedule, known->looks)));
    }
    assert_null(look_schedule_find(usual, 3));
    assert_null(look_schedule_find((int64_t[]){6, 11}, 2));
    assert_null(look_schedule_find(NULL, 0));
}

/* p of a single last look, so that m is its z. */
static double p_at(const struct schedule_vector *known, double m)
{
    struct look_state look = {0};
    const struct look_schedule *schedule = look_schedule_find(known->look, known->looks);
    look_advance(schedule, known->looks - 1, 2 * normal_cdf(-m), &look);
    assert_true(fabs(look.m - m) < 1e-12 && look.w == 1);
    return look.p;
}

static void test_levels(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(schedule_vectors); i++) {
        const struct schedule_vector *known = &schedule_vectors[i];
        for (int j = 0; j < 10; j++) {
            assert_true(fabs(p_at(known, known->c[j] + 1e-9) / level_vectors[j] - 1) < 1e-6);
            if (j == 0) continue;
            double between = p_at(known, (known->c[j - 1] + known->c[j]) / 2);
            assert_true(fabs(between / sqrt(level_vectors[j - 1] * level_vectors[j]) - 1) < 1e-9);
        }
        assert_true(p_at(known, known->c[0] - 1e-6) == 1 && p_at(known, 0) == 1);
        assert_true(p_at(known, known->c[9] + 1) == .001);
    }
}

static void test_ten_at_its_looks(void **state)
{
    (void)state;
    const struct look_schedule *schedule = look_schedule_find(usual, 4);
    struct look_state look = {0};
    double p = 1;
    for (int k = 0; k < 2; k++) {
        struct paired paired = paired_t(ten, usual[k]);
        look_advance(schedule, k, paired.p, &look);
        assert_printed(paired.t, look_vectors[k].t);
        if (k == 0) assert_printed(paired.p, look_first_p);
        assert_printed(look.z, look_vectors[k].z);
        assert_printed(look.w, look_vectors[k].w);
        assert_printed(look.m, look_vectors[k].m);
        assert_true(look.p < p);
        p = look.p;
        bool rejects = fabs(paired.t) >= look_boundary(schedule, k);
        assert_true(rejects == (k == 1) && rejects == (look.p <= .05));
    }
    struct paired paired = paired_t(ten, TEN);
    struct bounds bounds = look_interval(schedule, 1, &paired);
    assert_printed(paired.se, look_last_se);
    assert_true(fabs((bounds.high - 5.9) / paired.se - 3.196) < 5e-4 && fabs((5.9 - bounds.low) / paired.se - 3.196) < 5e-4);
    look_advance(schedule, 2, .9, &look); /* a weaker look takes nothing back */
    assert_true(look.p == p && look.z < 1);
    look_advance(schedule, 3, 0, &look);
    assert_true(look.p == .001 && isinf(look.m));
}

static void test_looks_without_a_test(void **state)
{
    (void)state;
    const struct look_schedule *schedule = look_schedule_find(usual, 4);
    struct look_state look = {0};
    look_advance(schedule, 0, NAN, &look);
    assert_true(look.z == 0 && look.m == 0 && look.p == 1);
    look_advance(schedule, 9, .001, &look);
    assert_true(look.m == 0 && look.p == 1);
    struct paired none = paired_t((double[]){1, NAN}, 2);
    assert_true(isnan(look_interval(schedule, 0, &none).low) && !look_is_futile(&none, 1));
}

static void test_futility(void **state)
{
    (void)state;
    struct paired paired = paired_t(ten, TEN); /* upper one-sided limit: 5.9 + 1.833113 * 1.785435 = 9.172904 */
    assert_true(look_is_futile(&paired, 9.174) && !look_is_futile(&paired, 9.172));
    struct paired one = paired_t(ten, 1);
    assert_false(look_is_futile(&one, 100));
}

static void test_e_values(void **state)
{
    (void)state;
    double five[FIVE];
    for (int i = 0; i < FIVE; i++) five[i] = five_arm[i] - five_base[i];
    for (size_t i = 0; i < COUNT(e_vectors); i++) {
        const struct e_vector *known = &e_vectors[i];
        assert_printed(e_value(paired_t(known->ten ? ten : five, known->n).t, known->n, known->g), known->e);
    }
    assert_true(e_value(3, 1, 1) == 1 && e_value(3, 0, 1) == 1 && e_value(NAN, 5, 1) == 1 && e_value(3, 5, 0) == 1);
    assert_near(e_value(-3, 8, 1), e_value(3, 8, 1));
    assert_near(e_value(INFINITY, 5, 1), 36); /* (1 + n)^((n - 1) / 2) */
    assert_near(e_value(1e200, 5, 1), 36);
    assert_true(e_value(0, 5, 1) < 1);
}

static void test_e_boundaries(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(e_boundaries); i++) {
        double bound = e_boundary(e_boundaries[i].n, 1, .05);
        assert_printed(bound, e_boundaries[i].bound);
        assert_true(fabs(e_value(bound, e_boundaries[i].n, 1) - 20) < 1e-9); /* it is where E is 1 / alpha */
        struct paired paired = {.n = e_boundaries[i].n, .mean = 1, .se = 2};
        assert_near(e_interval(&paired, 1, .05).high, 1 + 2 * bound);
        assert_near(e_interval(&paired, 1, .05).low, 1 - 2 * bound);
    }
    assert_true(isinf(e_boundary(1, 1, .05)) && isinf(e_boundary(2, 1, .05)) && isinf(e_boundary(3, 1, .05)));
    struct paired three = paired_t(ten, 3), same = paired_t((double[]){1, 1, 1}, 3), none = paired_t(NULL, 0);
    assert_true(e_interval(&three, 1, .05).low == -INFINITY && e_interval(&three, 1, .05).high == INFINITY);
    assert_true(e_interval(&same, 1, .05).high == INFINITY);
    assert_true(isnan(e_interval(&none, 1, .05).low));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedules),        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_ten_at_its_looks), cmocka_unit_test(test_looks_without_a_test),
        cmocka_unit_test(test_futility),         cmocka_unit_test(test_e_values),
        cmocka_unit_test(test_e_boundaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
