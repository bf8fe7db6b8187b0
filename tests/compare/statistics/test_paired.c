#include "printed.h"

#include "compare/statistics/paired.h"
#include "compare/statistics/ratio.h"
#include "compare/statistics/sign_flip.h"
#include "vectors/statistics.h"

static void assert_paired(struct paired found, const struct paired_vector *known)
{
    assert_printed(found.mean, known->mean);
    assert_printed(found.sd, known->sd);
    assert_printed(found.t, known->t);
    assert_printed(found.p, known->p);
    assert_printed(found.ci.low, known->low);
    assert_printed(found.ci.high, known->high);
}

static void subtract(const double *arm, const double *base, int64_t n, double *difference)
{
    for (int64_t i = 0; i < n; i++) difference[i] = arm[i] - base[i];
}

static void test_five(void **state)
{
    (void)state;
    double difference[FIVE];
    subtract(five_arm, five_base, FIVE, difference);
    struct paired paired = paired_t(difference, FIVE);
    assert_paired(paired, &five_paired);
    assert_printed(paired.se, five_se);
    assert_true(paired.df == 4 && paired.n == FIVE);
    assert_printed(sign_flip(difference, FIVE, 0), five_flip);
    assert_true(wins(difference, FIVE) == 5);
    assert_printed(wilson(5, 5).low, five_wilson);
    assert_true(wilson(5, 5).high == 1);
    assert_printed(paired_next(&paired).low, five_next[0]);
    assert_printed(paired_next(&paired).high, five_next[1]);
    assert_printed(correlation(five_base, five_arm, FIVE), five_correlation);
    assert_printed(variance_reduction(five_base, five_arm, FIVE), five_vrf);
}

static void test_ten(void **state)
{
    (void)state;
    struct paired paired = paired_t(ten, TEN);
    assert_paired(paired, &ten_paired);
    assert_true(paired.df == 9);
    assert_paired(paired_resplit(ten, TEN, .25), &ten_resplit);
    assert_paired(paired_subset(ten, TEN, .2), &ten_resplit); /* .2 / .8 of the pool in common */
    assert_paired(paired_subset(ten, TEN, 0), &ten_paired);
    assert_true(isnan(paired_subset(ten, TEN, 1).p) && isnan(paired_subset(ten, TEN, -.1).p) && isnan(paired_subset(ten, TEN, NAN).p));
    assert_printed(sign_flip(ten, TEN, 0), ten_flip);
    assert_true(wins(ten, TEN) == 8);
    assert_printed(wilson(8, 10).low, ten_wilson[0]);
    assert_printed(wilson(8, 10).high, ten_wilson[1]);
    struct interval same = paired_interval(&paired, .95), wider = paired_interval(&paired, .99);
    assert_near(same.low, paired.ci.low);
    assert_true(wider.low < same.low && wider.high > same.high);
}

static void test_wilson(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wilson_vectors); i++) {
        struct interval found = wilson(wilson_vectors[i].successes, wilson_vectors[i].n);
        assert_printed(found.low, wilson_vectors[i].low);
        assert_printed(found.high, wilson_vectors[i].high);
    }
    assert_true(isnan(wilson(0, 0).low) && isnan(wilson(3, 2).high) && isnan(wilson(NAN, 5).low) && isnan(wilson(1, INFINITY).low));
}

static void test_ratio(void **state)
{
    (void)state;
    struct ratio ratio = paired_ratio(cost_arm, cost_base, 4);
    assert_printed(ratio.value, cost_ratio[0]);
    assert_printed(ratio.ci.low, cost_ratio[1]);
    assert_printed(ratio.ci.high, cost_ratio[2]);
    struct ratio other = paired_ratio(cost_base, cost_arm, 4);
    assert_near(other.value, 1 / ratio.value);
    assert_near(other.ci.low, 1 / ratio.ci.high);
    struct ratio single = paired_ratio(cost_arm, cost_base, 1);
    assert_near(single.value, 15.1 / 10.2);
    assert_true(isnan(single.ci.low) && isnan(single.ci.high));
    assert_true(isnan(paired_ratio(cost_arm, cost_base, 0).value));
    assert_true(isnan(paired_ratio((double[]){1, 0}, cost_base, 2).value));
    assert_true(isnan(paired_ratio((double[]){1, NAN}, cost_base, 2).value));
    assert_true(isnan(paired_ratio((double[]){1, INFINITY}, cost_base, 2).value));
}

/* A unit, an origin, an order or the arms' order are no part of the question. */
static void test_what_changes_nothing(void **state)
{
    (void)state;
    static const int order[FIVE] = {3, 0, 4, 1, 2};
    double plain[FIVE], scaled[FIVE], swapped[FIVE], shuffled[FIVE], base[FIVE], arm[FIVE];
    subtract(five_arm, five_base, FIVE, plain);
    subtract(five_base, five_arm, FIVE, swapped);
    for (int i = 0; i < FIVE; i++) {
        base[i] = 1000 * five_base[i] - 7;
        arm[i] = 1000 * five_arm[i] - 7;
        shuffled[i] = plain[order[i]];
    }
    subtract(arm, base, FIVE, scaled);
    struct paired first = paired_t(plain, FIVE), found = paired_t(scaled, FIVE);
    assert_printed(found.t, five_paired.t);
    assert_printed(found.p, five_paired.p);
    assert_true(fabs(found.mean - 1000 * first.mean) < 1e-8);
    assert_true(sign_flip(scaled, FIVE, 0) == sign_flip(plain, FIVE, 0) && wins(scaled, FIVE) == wins(plain, FIVE));
    assert_printed(correlation(base, arm, FIVE), five_correlation);
    assert_printed(variance_reduction(base, arm, FIVE), five_vrf);
    found = paired_t(swapped, FIVE);
    assert_true(found.mean == -first.mean && found.t == -first.t && found.p == first.p);
    assert_true(found.ci.low == -first.ci.high && found.ci.high == -first.ci.low);
    assert_true(wins(swapped, FIVE) == 0 && sign_flip(swapped, FIVE, 0) == sign_flip(plain, FIVE, 0));
    found = paired_t(shuffled, FIVE);
    assert_near(found.mean, first.mean);
    assert_near(found.t, first.t);
    assert_near(found.p, first.p);
    assert_true(sign_flip(shuffled, FIVE, 0) == sign_flip(plain, FIVE, 0) && wins(shuffled, FIVE) == wins(plain, FIVE));
}

/* Discrete metrics tie all the time: sums that differ by rounding only count as equal. */
static void test_flips(void **state)
{
    (void)state;
    assert_true(sign_flip((double[]){.1, .2, .3, -.3, .1, .2}, 6, 0) == sign_flip((double[]){1, 2, 3, -3, 1, 2}, 6, 0));
    assert_true(sign_flip((double[]){0, 0, 0}, 3, 0) == 1);
    assert_true(sign_flip((double[]){.1, .1, .1, .1, .1, .1}, 6, 0) == 2. / 64);
    assert_true(sign_flip((double[]){2}, 1, 0) == 1);
    assert_true(isnan(sign_flip(NULL, 0, 0)) && isnan(sign_flip((double[]){1, NAN}, 2, 0)) &&
                isnan(sign_flip((double[]){1, INFINITY}, 2, 0)));
    double twenty[20], many[30];
    for (int i = 0; i < 30; i++) many[i] = ten[i % 10] - (i < 10 ? 4 : 5);
    for (int i = 0; i < 20; i++) twenty[i] = i < 19;
    assert_near(sign_flip(twenty, 20, 0), 2. / (1 << 19)); /* all of one sign but a 0: it may have either */
    double p = sign_flip(many, 30, 5);
    assert_true(p == sign_flip(many, 30, 5));
    assert_true(fabs(p * 10000 - round(p * 10000)) < 1e-9 && p > 1e-4 && p < 1);
    assert_true(fabs(p - paired_t(many, 30).p) < .03); /* the normal approximation of both is close by then */
    for (int i = 0; i < 30; i++) many[i] = 1 + i;
    assert_near(sign_flip(many, 30, 5), 1e-4);
}

static void assert_nothing(struct paired found)
{
    assert_true(isnan(found.mean) && isnan(found.sd) && isnan(found.se) && isnan(found.t) && isnan(found.p));
    assert_true(isnan(found.ci.low) && isnan(found.ci.high) && isnan(paired_interval(&found, .9).low) && isnan(paired_next(&found).high));
}

static void test_too_little(void **state)
{
    (void)state;
    assert_nothing(paired_t(NULL, 0));
    assert_nothing(paired_t((double[]){1, 2, NAN}, 3));
    assert_nothing(paired_t((double[]){1, 2, INFINITY}, 3));
    assert_nothing(paired_t((double[]){DBL_MAX, DBL_MAX, -DBL_MAX}, 3));
    struct paired one = paired_t((double[]){3}, 1);
    assert_true(one.mean == 3 && isnan(one.sd) && isnan(one.t) && isnan(one.p) && isnan(one.ci.low) && isnan(paired_next(&one).low));
    struct paired two = paired_t((double[]){1, 3}, 2);
    assert_near(two.t, 2);
    assert_printed(two.ci.high - two.mean, "12.706205");
    struct paired resplit = paired_resplit(ten, TEN, NAN);
    assert_true(resplit.mean == 5.9 && isnan(resplit.se) && isnan(resplit.p) && isnan(resplit.ci.low));
}

static void test_constant_differences(void **state)
{
    (void)state;
    struct paired same = paired_t((double[]){.1, .1, .1}, 3); /* three tenths do not sum to .3 */
    assert_true(same.mean == .1 && same.sd == 0 && same.se == 0 && isnan(same.t) && isnan(same.p));
    assert_true(same.ci.low == .1 && same.ci.high == .1);
    struct paired none = paired_t((double[]){0, 0, 0}, 3);
    assert_true(none.mean == 0 && none.sd == 0 && isnan(none.t) && isnan(none.p));
    assert_true(isinf(variance_reduction((double[]){1, 2, 3}, (double[]){2, 3, 4}, 3)));
    assert_true(isnan(variance_reduction((double[]){1}, (double[]){2}, 1)));
    assert_true(isnan(variance_reduction((double[]){1, NAN}, (double[]){2, 3}, 2)));
    assert_true(isnan(correlation((double[]){1, 1, 1}, (double[]){1, 2, 3}, 3)));
    assert_true(isnan(correlation((double[]){1}, (double[]){1}, 1)) && isnan(correlation((double[]){1, NAN}, (double[]){1, 2}, 2)));
    assert_near(correlation((double[]){1, 2, 3}, (double[]){-2, -4, -6}, 3), -1);
}

static void test_wins(void **state)
{
    (void)state;
    assert_true(wins((double[]){1, 0, -1, 0, 2}, 5) == 3);
    assert_true(wins(NULL, 0) == 0 && isnan(wins((double[]){1, NAN}, 2)) && wins((double[]){INFINITY, -INFINITY}, 2) == 1);
}

static void test_outliers(void **state)
{
    (void)state;
    assert_int_equal(tukey_outliers((double[]){1, 2, 3, 4, 100}, 5), 1);
    assert_int_equal(tukey_outliers((double[]){-90, 2, 3, 4, 3, 2, 100}, 7), 2);
    assert_int_equal(tukey_outliers((double[]){1, 2, 3, 4, 7}, 5), 0); /* on the fence */
    assert_int_equal(tukey_outliers((double[]){1, 2, 3, 4, 7.01}, 5), 1);
    assert_int_equal(tukey_outliers((double[]){1, 1, 1, 1, 1}, 5), 0);
    assert_int_equal(tukey_outliers((double[]){1, 2, 3, 100}, 4), 0);
    assert_int_equal(tukey_outliers((double[]){1, 2, 3, 4, NAN}, 5), 0);
    assert_int_equal(tukey_outliers(ten, TEN), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_five),
        cmocka_unit_test(test_ten),
        cmocka_unit_test(test_wilson),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_what_changes_nothing),
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_too_little),
        cmocka_unit_test(test_constant_differences),
        cmocka_unit_test(test_wins),
        cmocka_unit_test(test_outliers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
