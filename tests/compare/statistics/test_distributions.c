#include "printed.h"

#include "compare/statistics/distributions.h"
#include "vectors/statistics.h"

static void assert_relative(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-10 * fabs(expected))) fail_msg("expected %.17g, got %.17g", expected, found);
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(t_quantiles_975); i++) {
        assert_printed(t_quantile(.975, t_quantiles_975[i].df), t_quantiles_975[i].t);
        assert_true(t_quantile(.025, t_quantiles_975[i].df) < 0);
    }
}

/* Where a formula without a series exists. */
static void test_closed_forms(void **state)
{
    (void)state;
    static const double t[] = {1e-8, .001, .3, 1, 2.5, 12, 1e4, 1e150};
    for (size_t i = 0; i < COUNT(t); i++) {
        double root = sqrt(2 + t[i] * t[i]);
        assert_relative(t_two_sided(t[i], 1), 2 * atan(1 / t[i]) / M_PI);
        assert_relative(t_two_sided(-t[i], 2), 2 / (root * (root + t[i])));
        assert_true(fabs(t_cdf(t[i], 1) - .5 - atan(t[i]) / M_PI) < 1e-15);
    }
    for (double x = .05; x < 1; x += .09) {
        assert_relative(chi_squared_quantile(x, 2), -2 * log1p(-x));
        double z = normal_quantile((1 + x) / 2);
        assert_relative(chi_squared_quantile(x, 1), z * z);
    }
}

/* Latest quantiles are kept: a kept one is of no other arguments. */
static void test_again(void **state)
{
    (void)state;
    double first[600][2];
    for (int turn = 0; turn < 3; turn++)
        for (int i = 0; i < 600; i++)
            for (int k = 0; k < 2; k++) {
                double t = t_quantile(k ? .975 : .95, turn < 2 ? i + 1 : 600 - i);
                if (turn == 0) first[i][k] = t;
                assert_true(t == first[turn < 2 ? i : 599 - i][k] && t == t_quantile(k ? .975 : .95, turn < 2 ? i + 1 : 600 - i));
            }
    assert_true(first[9][0] < first[8][0] && first[9][0] < first[9][1]);
}

static void test_inverses(void **state)
{
    (void)state;
    static const double p[] = {1e-300, 1e-30, 1e-9, .001, .025, .3, .49}, df[] = {1, 2, 3, 4.5, 9, 30, 1000};
    for (size_t i = 0; i < COUNT(p); i++) {
        assert_relative(normal_cdf(normal_quantile(p[i])), p[i]);
        for (size_t j = 0; j < COUNT(df); j++) {
            assert_relative(t_cdf(t_quantile(p[i], df[j]), df[j]), p[i]);
            double back = 1 - p[i];
            assert_true(fabs(t_cdf(t_quantile(back, df[j]), df[j]) - back) < 1e-14);
        }
    }
    assert_relative(normal_quantile(.975), 1.9599639845400545);
    double z = normal_quantile(.975);
    assert_relative(t_quantile(.975, 1e4), z + (pow(z, 3) + z) / 4e4 + (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / 96e8);
    assert_relative(chi_squared_quantile(.2, 4), 1.6487766180659689);
    assert_relative(chi_squared_quantile(.95, 10), 18.307038053275146);
    assert_relative(chi_squared_quantile(1e-12, 4), 2.8284284580803877e-06);
}

static double binomial_sum(int64_t k, int64_t n, double p)
{
    double term = pow(1 - p, (double)n), sum = 0;
    for (int64_t i = 0; i <= k; i++) {
        sum += term;
        term *= (double)(n - i) / (double)(i + 1) * p / (1 - p);
    }
    return sum;
}

static void test_binomial(void **state)
{
    (void)state;
    for (int64_t k = 0; k < 29; k += 4) {
        assert_relative(binomial_cdf(k, 29, .5), binomial_sum(k, 29, .5));
        assert_relative(binomial_cdf(k, 29, .05), binomial_sum(k, 29, .05));
    }
    assert_true(binomial_cdf(-1, 5, .5) == 0 && binomial_cdf(5, 5, .5) == 1 && binomial_cdf(7, 5, .5) == 1 && binomial_cdf(0, 0, .5) == 1);
    assert_true(binomial_cdf(2, 5, 0) == 1 && binomial_cdf(2, 5, 1) == 0 && isnan(binomial_cdf(2, 5, 1.5)) &&
                isnan(binomial_cdf(0, -1, .5)));
}

/* P(T <= t) as an integral over the deviation, by Simpson's rule: another way than the series. */
static double noncentral_integral(double t, double df, double delta)
{
    enum { STEPS = 20000 };
    double most = 8, step = most / STEPS, sum = 0;
    for (int i = 0; i <= STEPS; i++) {
        double s = i * step, weight = i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2;
        double density = s > 0 ? exp(log(2) + df / 2 * log(df / 2) - lgamma(df / 2) + (df - 1) * log(s) - df * s * s / 2) : 0;
        if (s == 0 && df == 1) density = sqrt(2 / M_PI);
        sum += weight * density * normal_cdf(t * s - delta);
    }
    return sum * step / 3;
}

static void test_noncentral(void **state)
{
    (void)state;
    static const double df[] = {1, 2, 4, 9, 29}, delta[] = {-2, -.1, .5, 3, 9}, t[] = {-3, -.5, 0, .7, 2.3, 12};
    for (size_t i = 0; i < COUNT(df); i++)
        for (size_t j = 0; j < COUNT(delta); j++)
            for (size_t k = 0; k < COUNT(t); k++) {
                double expected = noncentral_integral(t[k], df[i], delta[j]), found = noncentral_t_cdf(t[k], df[i], delta[j]);
                if (!(fabs(found - expected) < 1e-8)) fail_msg("%g %g %g: %.12g, %.12g", t[k], df[i], delta[j], expected, found);
            }
    assert_true(fabs(noncentral_t_cdf(130, 1, 160) - noncentral_integral(130, 1, 160)) < 1e-8);
    assert_true(noncentral_t_cdf(2, 5, 0) == t_cdf(2, 5));
    assert_near(noncentral_t_cdf(2, INFINITY, 1.5), normal_cdf(.5));
}

static void test_edges(void **state)
{
    (void)state;
    assert_true(t_two_sided(0, 4) == 1 && t_two_sided(INFINITY, 4) == 0 && isnan(t_two_sided(NAN, 4)) && isnan(t_two_sided(1, 0)));
    assert_true(t_cdf(-INFINITY, 3) == 0 && t_cdf(INFINITY, 3) == 1 && t_cdf(0, 3) == .5);
    assert_true(t_quantile(.5, 3) == 0 && isinf(t_quantile(1, 3)) && isinf(t_quantile(0, 3)) && isnan(t_quantile(1.2, 3)));
    assert_true(isnan(t_quantile(.9, 0)) && isnan(t_quantile(NAN, 3)) && t_quantile(.9, INFINITY) == normal_quantile(.9));
    assert_near(t_two_sided(1.5, INFINITY), 2 * normal_cdf(-1.5));
    assert_true(normal_quantile(0) == -INFINITY && normal_quantile(1) == INFINITY && fabs(normal_quantile(.5)) < 1e-15);
    assert_true(isnan(normal_quantile(-.1)) && isnan(normal_quantile(NAN)) && normal_cdf(-INFINITY) == 0 && isnan(normal_cdf(NAN)));
    assert_true(chi_squared_quantile(0, 3) == 0 && isinf(chi_squared_quantile(1, 3)) && isnan(chi_squared_quantile(.5, -1)));
    assert_true(isnan(noncentral_t_cdf(NAN, 3, 1)) && isnan(noncentral_t_cdf(1, 0, 1)) && noncentral_t_cdf(1, 3, INFINITY) == 0);
    assert_true(noncentral_t_cdf(INFINITY, 3, 1) > 1 - 1e-12 && noncentral_t_cdf(-INFINITY, 3, 1) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),  cmocka_unit_test(test_closed_forms), cmocka_unit_test(test_inverses), cmocka_unit_test(test_again),
        cmocka_unit_test(test_binomial), cmocka_unit_test(test_noncentral),   cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
