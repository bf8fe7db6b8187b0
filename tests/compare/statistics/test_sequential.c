#include "printed.h"

#include "base/memory.h"
#include "compare/statistics/distributions.h"
#include "compare/statistics/sequential.h"
#include "vectors/statistics.h"

static const int64_t usual[] = {6, 10, 15, 20};

static struct look_schedule made(const int64_t *look, int64_t looks)
{
    struct look_schedule schedule;
    assert_int_equal(look_schedule_make(look, looks, &schedule), KNACK_OK);
    return schedule;
}

/* p of a single last look, so that m is its z. */
static double p_at(const struct look_schedule *schedule, double m)
{
    struct look_state look = {0};
    look_advance(schedule, schedule->looks - 1, 2 * normal_cdf(-m), &look);
    assert_true(fabs(look.m - m) < 1e-12 && look.w == 1);
    return look.p;
}

static void check_levels(const struct look_schedule *schedule)
{
    const double *c = schedule->bound;
    for (int j = 0; j < LOOK_LEVELS; j++) {
        assert_true(fabs(p_at(schedule, c[j] + 1e-9) / level_vectors[j] - 1) < 1e-6);
        if (j == 0) continue;
        double level = sqrt(level_vectors[j - 1] * level_vectors[j]), between = (c[j - 1] + c[j]) / 2;
        assert_true(fabs(p_at(schedule, between) / level - 1) < 1e-9);
        double bound = look_boundary(schedule, schedule->looks - 1, level);
        assert_true(fabs(t_two_sided(bound, (double)(schedule->look[schedule->looks - 1] - 1)) / (2 * normal_cdf(-between)) - 1) < 1e-9);
    }
    assert_true(p_at(schedule, c[0] - 1e-6) == 1 && p_at(schedule, 0) == 1);
    assert_true(p_at(schedule, c[9] + 1) == .001);
}

/* Two of these are from tables, two are simulated: those must be near to what other simulations, of more paths, have found. */
static void test_schedules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(schedule_vectors); i++) {
        const struct schedule_vector *known = &schedule_vectors[i];
        struct look_schedule schedule = made(known->look, known->looks);
        for (int j = 0; j < LOOK_LEVELS; j++) {
            double tolerance = level_vectors[j] >= .005 ? .004 : .01;
            if (!(fabs(schedule.bound[j] - known->c[j]) <= tolerance))
                fail_msg("schedule %zu, level %g: %.4f, not %.3f", i, level_vectors[j], schedule.bound[j], known->c[j]);
        }
        for (int64_t k = 0; k < known->looks; k++) {
            double bound = look_boundary(&schedule, k, .05);
            /* The table's bounds come from more digits of C than its 4: that is worth some units where t is steep. */
            check_printed(bound, known->bound[k], bound > 5 ? 20 : 4, "boundary");
            check_printed(t_two_sided(bound, (double)(known->look[k] - 1)), known->p[k], 3, "nominal p");
        }
        assert_true(isnan(look_boundary(&schedule, -1, .05)) && isnan(look_boundary(&schedule, known->looks, .05)));
        check_levels(&schedule);
        struct look_schedule kept = look_schedule_of(schedule.look, schedule.looks, schedule.bound);
        assert_memory_equal(&kept, &schedule, sizeof kept);
    }
}

/* A single look is a plain t test, and looks at many seeds are those of normal variables (C of Wang and Tsiatis for four equal
 * steps and Delta 1/4: 2.113 at 5 %). */
static void test_any_schedule(void **state)
{
    (void)state;
    struct look_schedule one = made((int64_t[]){10}, 1), many = made((int64_t[]){10000, 20000, 30000, 40000}, 4);
    for (int j = 0; j < LOOK_LEVELS; j++) assert_true(fabs(one.bound[j] + normal_quantile(level_vectors[j] / 2)) < 1e-3);
    assert_true(fabs(look_boundary(&one, 0, .05) - t_quantile(.975, 9)) < 1e-3);
    assert_true(fabs(many.bound[2] - 2.113) < .003);
}

/* For one-sided 95 % limits at a look. */
static void test_other_levels(void **state)
{
    (void)state;
    struct look_schedule schedule = made(usual, 4);
    static const char *const bound[] = {"3.85", "2.64", "2.19", "1.98"};
    for (int k = 0; k < 4; k++) assert_printed(look_boundary(&schedule, k, .1), bound[k]);
    assert_true(look_boundary(&schedule, 3, .001) > look_boundary(&schedule, 3, .002));
    assert_true(isnan(look_boundary(&schedule, 3, .3)) && isnan(look_boundary(&schedule, 3, 1e-4)) &&
                isnan(look_boundary(&schedule, 3, NAN)));
}

static void refuse(const int64_t *look, int64_t looks, const char *words)
{
    struct look_schedule schedule;
    assert_int_equal(look_schedule_make(look, looks, &schedule), KNACK_E_USAGE);
    assert_string_equal(knack_error(), words);
}

static void test_refusals(void **state)
{
    (void)state;
    refuse((int64_t[]){2, 6}, 2, "a look at 2 seeds: the first is at 3 or more");
    refuse((int64_t[]){6, 10, 10}, 3, "a look at 10 seeds after one at 10: looks ascend");
    refuse((int64_t[]){6, 5}, 2, "a look at 5 seeds after one at 6: looks ascend");
    refuse((int64_t[]){3, 4, 5, 6, 7, 8, 9, 10, 11}, 9, "9 looks: a schedule has 1 to 8");
    refuse(NULL, 0, "0 looks: a schedule has 1 to 8");
    for (int nth = 1; nth <= 2; nth++) {
        struct look_schedule schedule;
        memory_fail_at(nth);
        knack_status status = look_schedule_make((int64_t[]){6, 11}, 2, &schedule);
        double chance = nth == 1 ? (memory_fail_at(1), looks_chance(usual, 4)) : NAN;
        memory_fail_at(0);
        assert_int_equal(status, KNACK_E_MEMORY);
        assert_true(isnan(chance));
    }
}

/* From eight million paths, or exactly known. */
static void test_reading_without_a_plan(void **state)
{
    (void)state;
    static const struct {
        int64_t looks, n[8];
        double chance;
    } known[] = {{0, {0}, 0},
                 {1, {10}, .05},
                 {2, {10, 20}, .0849},
                 {3, {5, 10, 20}, .1191},
                 {4, {5, 10, 15, 20}, .1332},
                 {2, {10, 14}, .0768},
                 {3, {1, 10, 20}, .0849},
                 {8, {3, 4, 5, 6, 7, 8, 9, 10}, .1670}};
    for (size_t i = 0; i < COUNT(known); i++) {
        double chance = looks_chance(known[i].n, known[i].looks);
        if (!(fabs(chance - known[i].chance) < .002)) fail_msg("reading %zu: %.4f, not %.4f", i, chance, known[i].chance);
    }
    assert_true(fabs(looks_chance((int64_t[]){2000}, 1) - .05) < 1e-12);
    /* Many seeds: as of two normal variables whose correlation is the root of a half. */
    assert_true(fabs(looks_chance((int64_t[]){2000, 4000}, 2) - .0831) < .002);
}

static void test_ten_at_its_looks(void **state)
{
    (void)state;
    struct look_schedule schedule = made(usual, 4);
    struct look_state look = {0};
    double p = 1;
    for (int k = 0; k < 2; k++) {
        struct paired paired = paired_t(ten, usual[k]);
        look_advance(&schedule, k, paired.p, &look);
        assert_printed(paired.t, look_vectors[k].t);
        if (k == 0) assert_printed(paired.p, look_first_p);
        assert_printed(look.z, look_vectors[k].z);
        assert_printed(look.w, look_vectors[k].w);
        assert_printed(look.m, look_vectors[k].m);
        assert_true(look.p < p);
        p = look.p;
        bool rejects = fabs(paired.t) >= look_boundary(&schedule, k, .05);
        assert_true(rejects == (k == 1) && rejects == (look.p <= .05));
    }
    struct paired paired = paired_t(ten, TEN);
    struct interval bounds = look_interval(&schedule, 1, &paired);
    assert_printed(paired.se, look_last_se);
    assert_true(fabs((bounds.high - 5.9) / paired.se - 3.196) < 5e-4 && fabs((5.9 - bounds.low) / paired.se - 3.196) < 5e-4);
    look_advance(&schedule, 2, .9, &look); /* a weaker look takes nothing back */
    assert_true(look.p == p && look.z < 1);
    look_advance(&schedule, 3, 0, &look);
    assert_true(look.p == .001 && isinf(look.m));
}

static void test_looks_without_a_test(void **state)
{
    (void)state;
    struct look_schedule schedule = made(usual, 4);
    struct look_state look = {0};
    look_advance(&schedule, 0, NAN, &look);
    assert_true(look.z == 0 && look.m == 0 && look.p == 1);
    look_advance(&schedule, 9, .001, &look);
    assert_true(look.m == 0 && look.p == 1);
    struct paired none = paired_t((double[]){1, NAN}, 2);
    assert_true(isnan(look_interval(&schedule, 0, &none).low) && !look_is_futile(&none, 1));
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
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_any_schedule),
        cmocka_unit_test(test_other_levels),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_reading_without_a_plan),
        cmocka_unit_test(test_ten_at_its_looks),
        cmocka_unit_test(test_looks_without_a_test),
        cmocka_unit_test(test_futility),
        cmocka_unit_test(test_e_values),
        cmocka_unit_test(test_e_boundaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
