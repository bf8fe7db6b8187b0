#include "printed.h"

#include "base/memory.h"
#include "compare/statistics/distributions.h"
#include "compare/statistics/paired.h"
#include "compare/statistics/two_level.h"
#include "vectors/statistics.h"

static struct two_way two_way(const double *difference, int64_t seeds, int64_t examples)
{
    struct two_way_sums sums;
    assert_int_equal(two_way_begin(&sums, examples), KNACK_OK);
    for (int64_t s = 0; s < seeds; s++) two_way_add(&sums, difference + s * examples);
    struct two_way found = two_way_end(&sums);
    assert_null(sums.column);
    return found;
}

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
    struct interval transfer = two_way_interval(&found, t_quantile(.975, GRID_SEEDS - 1));
    assert_printed(transfer.low, grid_bounds[0]);
    assert_printed(transfer.high, grid_bounds[1]);
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
}

/* The definitions, with all differences at hand. */
static struct two_way by_definition(const double *x, int seeds, int examples)
{
    struct two_way r = {0};
    double row[20] = {0}, *column = memory_new((size_t)examples, sizeof *column);
    assert_non_null(column);
    for (int i = 0; i < seeds * examples; i++) {
        row[i / examples] += x[i] / examples;
        column[i % examples] += x[i] / seeds;
        r.mean += x[i] / (seeds * examples);
    }
    for (int s = 0; s < seeds; s++) r.ms_seed += pow(row[s] - r.mean, 2) * examples / (seeds - 1);
    for (int i = 0; i < examples; i++) r.ms_example += pow(column[i] - r.mean, 2) * seeds / (examples - 1);
    for (int i = 0; i < seeds * examples; i++)
        r.ms_rest += pow(x[i] - row[i / examples] - column[i % examples] + r.mean, 2) / ((seeds - 1) * (examples - 1));
    memory_free(column);
    return r;
}

/* Far from 0, and little of it by seed: sums of squares alone would lose their digits. */
static void test_sums(void **state)
{
    (void)state;
    enum { SEEDS = 20, EXAMPLES = 500 };
    static const double shift[] = {0, 1e6};
    static double x[SEEDS * EXAMPLES];
    for (size_t k = 0; k < COUNT(shift); k++) {
        for (int i = 0; i < SEEDS * EXAMPLES; i++)
            x[i] = shift[k] + 5 * sin(i % EXAMPLES) + .05 * cos(i / EXAMPLES) + .2 * sin(.7 * i) * cos(11.3 * i);
        struct two_way found = two_way(x, SEEDS, EXAMPLES), known = by_definition(x, SEEDS, EXAMPLES);
        double tolerance = k == 0 ? 1e-11 : 1e-7; /* x itself has but ten digits then */
        assert_true(fabs(found.mean / known.mean - 1) < 1e-12 && fabs(found.ms_seed / known.ms_seed - 1) < tolerance);
        assert_true(fabs(found.ms_example / known.ms_example - 1) < tolerance && fabs(found.ms_rest / known.ms_rest - 1) < tolerance);
    }
}

/* Scaled as the interval over seeds is in a sequential plan, and never narrower than that. */
static void test_transfer(void **state)
{
    (void)state;
    struct two_way found = two_way(grid, GRID_SEEDS, GRID_EXAMPLES);
    double plain = t_quantile(.975, GRID_SEEDS - 1), half = two_way_interval(&found, plain).high - found.mean;
    assert_near(two_way_interval(&found, 2 * plain).high, found.mean + 2 * half);
    assert_near(two_way_interval(&found, 2 * plain).low, found.mean - 2 * half);
    assert_true(two_way_interval(&found, INFINITY).high == INFINITY && two_way_interval(&found, INFINITY).low == -INFINITY);
    /* Few seeds that differ, and examples that differ by a hair more than the rest: many degrees of freedom, about the same error. */
    double x[2 * 40];
    for (int i = 0; i < 80; i++) x[i] = i / 40 + ((i % 40) % 2 ? .4 : -.4) + (i % 3 - 1) * .1;
    struct two_way few = two_way(x, 2, 40);
    double seeds = t_quantile(.975, 1) * few.seed_se;
    assert_true(few.df > few.seed_df && t_quantile(.975, few.df) * few.se < seeds);
    assert_near(two_way_interval(&few, t_quantile(.975, 1)).high, few.mean + seeds);
}

static void assert_no_test(struct two_way found)
{
    assert_true(isnan(found.t) && isnan(found.p) && isnan(found.se) && isnan(found.df) && isnan(two_way_interval(&found, 2).low) &&
                isnan(found.seed_variance));
}

static void test_too_little(void **state)
{
    (void)state;
    assert_no_test(two_way(NULL, 0, 0));
    struct two_way_sums sums;
    memory_fail_at(1);
    knack_status status = two_way_begin(&sums, 3);
    memory_fail_at(0);
    assert_int_equal(status, KNACK_E_MEMORY);
    assert_no_test(two_way_end(&sums));
    assert_no_test(two_way(grid, 1, 12));
    assert_no_test(two_way(grid, 12, 1));
    assert_near(two_way(grid, 1, 12).mean, .25);
    double spoiled[] = {1, 2, NAN, 4}, infinite[] = {1, 2, INFINITY, 4}, huge[] = {DBL_MAX, -DBL_MAX, 1, 2};
    assert_no_test(two_way(spoiled, 2, 2));
    assert_true(isnan(two_way(spoiled, 2, 2).mean) && isnan(two_way(infinite, 2, 2).mean));
    assert_no_test(two_way(huge, 2, 2));
    static const double zeros[6];
    struct two_way same = two_way(zeros, 2, 3);
    assert_true(same.mean == 0 && same.se == 0 && isnan(same.t) && isnan(same.p) && two_way_interval(&same, 12.7).low == 0 &&
                two_way_interval(&same, 12.7).high == 0);
}

static void test_mcnemar(void **state)
{
    (void)state;
    assert_printed(mcnemar_exact(8, 21), mcnemar_8_21);
    assert_true(mcnemar_exact(21, 8) == mcnemar_exact(8, 21));
    assert_true(mcnemar_exact(0, 0) == 1 && mcnemar_exact(4, 4) == 1 && mcnemar_exact(0, 1) == 1 && isnan(mcnemar_exact(-1, 2)));
    assert_near(mcnemar_exact(0, 5), .0625);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid), cmocka_unit_test(test_floor),    cmocka_unit_test(test_too_little),
        cmocka_unit_test(test_sums), cmocka_unit_test(test_transfer), cmocka_unit_test(test_mcnemar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
