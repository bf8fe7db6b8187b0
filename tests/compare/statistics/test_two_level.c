#include "printed.h"

#include "compare/statistics/two_level.h"
#include "vectors/statistics.h"

static void test_grid(void **state)
{
    (void)state;
    struct two_way found = two_way(grid, GRID_SEEDS, GRID_EXAMPLES);
    assert_printed(found.mean, grid_mean);
    assert_printed(found.ms_seed, grid_seed);
    assert_printed(found.ms_example, grid_example);
    assert_printed(found.ms_rest, grid_rest);
    assert_printed(found.variance, grid_variance);
    assert_printed(found.se, grid_se);
    assert_printed(found.df, grid_df);
    assert_printed(found.t, grid_t);
    assert_printed(found.p, grid_p);
    assert_printed(found.ci.low, grid_bounds[0]);
    assert_printed(found.ci.high, grid_bounds[1]);
    double cells = GRID_SEEDS * GRID_EXAMPLES;
    assert_true(found.seed_variance == 0); /* less between seeds than within */
    assert_near(found.example_variance, (found.ms_example - found.ms_rest) / cells);
    assert_near(found.rest_variance, found.ms_rest / cells);
    double mean[GRID_SEEDS] = {0};
    for (int i = 0; i < GRID_SEEDS * GRID_EXAMPLES; i++) mean[i / GRID_EXAMPLES] += grid[i] / GRID_EXAMPLES;
    struct paired paired = paired_t(mean, GRID_SEEDS);
    assert_printed(paired.t, grid_seed_t);
    assert_printed(paired.p, grid_seed_p);
}

/* Nothing between examples: the variance between seeds is the floor, and the test that of the seeds. */
static void test_floor(void **state)
{
    (void)state;
    enum { SEEDS = 70, EXAMPLES = 3 }; /* more seeds than are worked on at a time */
    double difference[SEEDS * EXAMPLES], mean[SEEDS];
    for (int s = 0; s < SEEDS; s++) {
        mean[s] = ten[s * 7 % 10] + s % 3;
        for (int i = 0; i < EXAMPLES; i++) difference[s * EXAMPLES + i] = mean[s] + ((s + i) % 3 - 1);
    }
    struct two_way found = two_way(difference, SEEDS, EXAMPLES);
    struct paired paired = paired_t(mean, SEEDS);
    assert_true(found.ms_example < found.ms_rest && found.df == SEEDS - 1);
    assert_near(found.se, paired.se);
    assert_near(found.t, paired.t);
    double squares = 0;
    for (int i = 0; i < SEEDS * EXAMPLES; i++) {
        double column = 0, rest;
        for (int s = 0; s < SEEDS; s++) column += difference[s * EXAMPLES + i % EXAMPLES] / SEEDS;
        rest = difference[i] - mean[i / EXAMPLES] - column + paired.mean;
        squares += rest * rest;
    }
    assert_true(fabs(found.ms_rest / (squares / ((SEEDS - 1) * (EXAMPLES - 1))) - 1) < 1e-10);
}

static void assert_no_test(struct two_way found)
{
    assert_true(isnan(found.t) && isnan(found.p) && isnan(found.se) && isnan(found.df) && isnan(found.ci.low) &&
                isnan(found.seed_variance));
}

static void test_too_little(void **state)
{
    (void)state;
    assert_no_test(two_way(NULL, 0, 0));
    assert_no_test(two_way(grid, 1, 12));
    assert_no_test(two_way(grid, 12, 1));
    assert_near(two_way(grid, 1, 12).mean, .25);
    double spoiled[] = {1, 2, NAN, 4}, infinite[] = {1, 2, INFINITY, 4}, huge[] = {DBL_MAX, -DBL_MAX, 1, 2};
    assert_no_test(two_way(spoiled, 2, 2));
    assert_true(isnan(two_way(spoiled, 2, 2).mean) && isnan(two_way(infinite, 2, 2).mean));
    assert_no_test(two_way(huge, 2, 2));
    static const double zeros[6];
    struct two_way same = two_way(zeros, 2, 3);
    assert_true(same.mean == 0 && same.se == 0 && isnan(same.t) && isnan(same.p) && same.ci.low == 0 && same.ci.high == 0);
}

static void test_mcnemar(void **state)
{
    (void)state;
    struct mcnemar found = mcnemar(8, 21, 1000);
    assert_printed(found.exact, mcnemar_exact);
    assert_printed(found.mid, mcnemar_mid);
    assert_printed(found.chi_squared, mcnemar_chi_squared);
    assert_printed(found.p, mcnemar_p);
    assert_printed(found.corrected, mcnemar_corrected);
    assert_printed(found.p_corrected, mcnemar_p_corrected);
    assert_printed(found.difference, mcnemar_difference);
    assert_printed(found.ci.low, mcnemar_bounds[0]);
    assert_printed(found.ci.high, mcnemar_bounds[1]);
    struct mcnemar swapped = mcnemar(21, 8, 1000);
    assert_true(swapped.exact == found.exact && swapped.difference == -found.difference && swapped.ci.low == -found.ci.high);
}

static void test_mcnemar_edges(void **state)
{
    (void)state;
    struct mcnemar none = mcnemar(0, 0, 100), even = mcnemar(4, 4, 10), one = mcnemar(0, 1, 5), unknown = mcnemar(3, 3, 0);
    assert_true(none.exact == 1 && none.mid == 1 && none.p == 1 && none.p_corrected == 1 && none.difference == 0);
    assert_true(none.ci.low < 0 && none.ci.high == -none.ci.low);
    assert_true(even.exact == 1 && fabs(even.mid - 1) < 1e-15 && even.corrected == 0 && even.p == 1);
    assert_true(one.exact == 1 && one.mid == .5 && one.corrected == 0);
    assert_true(unknown.exact == 1 && isnan(unknown.difference) && isnan(unknown.ci.low));
    assert_true(isnan(mcnemar(-1, 2, 10).exact) && isnan(mcnemar(-1, 2, 10).ci.low));
    assert_near(mcnemar(0, 5, 5).exact, .0625);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid),    cmocka_unit_test(test_floor),         cmocka_unit_test(test_too_little),
        cmocka_unit_test(test_mcnemar), cmocka_unit_test(test_mcnemar_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
