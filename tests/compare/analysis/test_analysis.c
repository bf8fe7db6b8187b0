/* What is computed from a store: estimates, blocks, families, costs, two levels, curves. */
#include "base/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "fixture.h"

#define assert_near(value, expected, tolerance)                                                                                            \
    do {                                                                                                                                   \
        double near_value_ = value, near_expected_ = expected;                                                                             \
        if (!(fabs(near_value_ - near_expected_) <= (tolerance))) fail_msg("%s is %.12g, not %.12g", #value, near_value_, near_expected_); \
    } while (0)

static struct analysis *analyse(const struct recipe *recipe)
{
    struct analysis *analysis = recipe_analysis(recipe);
    assert_non_null(analysis);
    return analysis;
}

/* One trick whose differences are these, in a metric that is no share and lets them be anything. */
static struct analysis *analyse_differences(const double *difference, int n, struct recipe recipe)
{
    static double value[80];
    for (int s = 0; s < n; s++) {
        value[2 * s] = s % 3;
        value[2 * s + 1] = value[2 * s] + difference[s];
    }
    recipe.arms = 2;
    recipe.seeds = n;
    recipe.metric = "r2";
    recipe.value = value;
    return analyse(&recipe);
}

/* ---- One contrast ---- */

static const double ten[] = {7, -1, 13, 4, 11, 3, -2, 12, 11, 1};

static void test_fixed(void **state)
{
    (void)state;
    struct analysis *analysis = analyse_differences(ten, 10, (struct recipe){0});
    const struct estimate *e = &analysis->contrast[0].estimate;
    assert_int_equal(e->n, 10);
    assert_near(e->delta, 5.9, 1e-9);
    assert_near(e->s_d, 5.646040894, 1e-8);
    assert_near(e->t, 3.304517014, 1e-8);
    assert_near(e->df, 9, 0);
    assert_near(e->p, .009163661571, 1e-9);
    assert_near(e->p_adjusted, e->p, 0);
    assert_near(e->ci.low, 1.861065655, 1e-6);
    assert_near(e->ci.high, 9.938934345, 1e-6);
    assert_near(e->simultaneous.low, e->ci.low, 1e-9);
    assert_near(e->p_flip, .015625, 1e-12);
    assert_near(e->wins, 8, 0);
    assert_near(e->wins_ci.low, .49016247, 1e-7);
    assert_near(e->detectable, .996 * e->s_d, .002 * e->s_d);
    assert_int_equal(e->look, -1);
    assert_true(isnan(e->boundary));
    assert_int_equal(e->seed[0], 2000);
    assert_int_equal(e->seed[9], 2009);
    assert_near(e->difference[2], 13, 1e-12);
    fixture_free(analysis);
}

static void test_redraw(void **state)
{
    (void)state;
    struct analysis *analysis = analyse_differences(ten, 10, (struct recipe){.redraw = true, .train_count = 400, .test_count = 100});
    const struct estimate *e = &analysis->contrast[0].estimate;
    assert_near(e->t, 1.766338642, 1e-8);
    assert_near(e->p, .1111463855, 1e-8);
    assert_near(e->ci.low, -1.656154263, 1e-6);
    assert_near(e->ci.high, 13.45615426, 1e-6);
    assert_true(isnan(e->p_flip));
    assert_false(analysis->contrast[0].two_level.known);
    assert_near(analysis->contrast[0].two_level.transfer.low, e->ci.low, 0);
    fixture_free(analysis);
}

/* Turned values give the same tests, and differences that mirror. */
static void test_direction(void **state)
{
    (void)state;
    struct analysis *up = analyse_differences(ten, 10, (struct recipe){0});
    struct analysis *down = analyse_differences(ten, 10, (struct recipe){.lower_is_better = true});
    const struct estimate *a = &up->contrast[0].estimate, *b = &down->contrast[0].estimate;
    assert_near(b->delta, -a->delta, 0);
    assert_near(b->p, a->p, 0);
    assert_near(b->ci.low, -a->ci.high, 1e-12);
    assert_near(b->wins, 2, 0);
    assert_near(analysis_shown(down, b->delta), 5.9, 1e-9);
    struct interval shown = analysis_shown_interval(down, b->ci);
    assert_near(shown.low, a->ci.low, 1e-12);
    assert_near(shown.high, a->ci.high, 1e-12);
    assert_near(up->contrast[0].arm_mean, down->contrast[0].arm_mean, 0);
    fixture_free(up);
    fixture_free(down);
}

static void test_looks(void **state)
{
    (void)state;
    static const double more[] = {7, -1, 13, 4, 11, 3, -2, 12, 11, 1, 5};
    struct recipe recipe = {.stopping = STOP_LOOKS, .planned = 20, .looks = 4, .look = {6, 10, 15, 20}, .status = "running"};
    struct analysis *analysis = analyse_differences(more, 7, recipe); /* the seventh waits for the next look */
    const struct estimate *e = &analysis->contrast[0].estimate;
    assert_int_equal(e->look, 0);
    assert_int_equal(e->n, 6);
    assert_near(e->t, 2.887454488, 1e-8);
    assert_near(e->boundary, 5.085, 1e-3);
    assert_false(analysis->contrast[0].decided);
    fixture_free(analysis);
    analysis = analyse_differences(more, 11, recipe);
    e = &analysis->contrast[0].estimate;
    assert_int_equal(e->look, 1);
    assert_int_equal(e->n, 10);
    assert_near(e->ci.low, 5.9 - 3.196 * 1.785434899, 2e-3);
    assert_near(e->ci.high, 5.9 + 3.196 * 1.785434899, 2e-3);
    assert_true(e->p <= .05 && e->p > .025); /* M 2.191 */
    assert_true(analysis->contrast[0].decided && e->stopped_early && !e->futile);
    fixture_free(analysis);
}

/* A seed that is missing in the row ends what a look may use: those after it came early for a reason. */
static void test_looks_without_gaps(void **state)
{
    (void)state;
    double value[16];
    for (int s = 0; s < 8; s++) {
        value[2 * s] = .5 + .01 * (s % 3);
        value[2 * s + 1] = s == 3 ? -INFINITY : .6 + .02 * s;
    }
    struct recipe recipe = {
        .arms = 2, .seeds = 8, .value = value, .stopping = STOP_LOOKS, .planned = 20, .looks = 4, .look = {6, 10, 15, 20}};
    struct analysis *analysis = analyse(&recipe);
    assert_int_equal(analysis->contrast[0].estimate.look, -1);
    assert_int_equal(analysis->contrast[0].estimate.n, 7);
    assert_true(isnan(analysis->contrast[0].estimate.p));
    fixture_free(analysis);
}

static void test_until_decided(void **state)
{
    (void)state;
    struct recipe recipe = {.stopping = STOP_DECIDED, .planned = 20, .status = "running"};
    struct analysis *analysis = analyse_differences(ten, 10, recipe);
    const struct estimate *e = &analysis->contrast[0].estimate;
    assert_near(e->p, 1 / 9.491071, 2e-4); /* of the largest E so far, which is that of nine seeds */
    assert_true(e->p < 1 / 9.491071);
    assert_near(e->boundary, 3.870, 1e-3);
    assert_near(e->ci.low, 5.9 - 3.870 * 1.785434899, 2e-3);
    assert_false(analysis->contrast[0].decided);
    fixture_free(analysis);
}

static void test_unfinished(void **state)
{
    (void)state;
    struct analysis *analysis = analyse_differences(ten, 8, (struct recipe){.planned = 10, .status = "running"});
    const struct estimate *e = &analysis->contrast[0].estimate;
    assert_int_equal(e->n, 8);
    assert_near(e->delta, 47.0 / 8, 1e-9);
    assert_true(isnan(e->p) && isnan(e->p_adjusted) && isnan(e->ci.low) && isnan(e->p_flip) && isnan(e->s_d));
    assert_false(analysis->finished);
    fixture_free(analysis);
}

/* ---- Blocks ---- */

static void test_blocks(void **state)
{
    (void)state;
    const double none = -INFINITY;
    double value[] = {.90, .92, .91, .90, .91, none, .88, none, .90, .91, .93, .90, none, .99, .99, .89, .91, .90};
    struct analysis *analysis = analyse(&(struct recipe){.arms = 3, .seeds = 6, .value = value});
    assert_int_equal(analysis->blocks, 3);
    assert_int_equal(analysis->contrast[0].estimate.n, 4);
    assert_int_equal(analysis->contrast[0].estimate.seed[2], 2003);
    assert_int_equal(analysis->contrast[1].estimate.n, 4);
    assert_int_equal(analysis->contrast[1].estimate.seed[1], 2002);
    assert_int_equal(analysis->arm[1].n, 5);
    assert_near(analysis->arm[1].value[4], .91, 0);
    assert_near(analysis->contrast[1].base_mean, (.90 + .88 + .91 + .89) / 4, 1e-12);
    assert_near(analysis->contrast[1].arm_mean, (.91 + .90 + .90 + .90) / 4, 1e-12);
    fixture_free(analysis);
}

/* Sums of weighted values differ by rounding although the values are the same. */
static void test_rounding_is_no_spread(void **state)
{
    (void)state;
    double value[40];
    for (int s = 0; s < 10; s++)
        for (int a = 0; a < 4; a++) value[4 * s + a] = (700 + 3 * s) / 797.0 + (a & 1) * 7 / 797.0;
    struct analysis *analysis = analyse(&(struct recipe){.design = DESIGN_FACTORIAL, .arms = 4, .seeds = 10, .value = value});
    assert_near(analysis->contrast[0].estimate.s_d, 0, 0);
    assert_near(analysis->contrast[0].estimate.delta, 7 / 797.0, 1e-12);
    assert_true(isnan(analysis->contrast[0].estimate.p));
    assert_near(analysis->contrast[1].estimate.delta, 0, 0);
    assert_int_equal(analysis->contrast[1].verdict.kind, VERDICT_IDENTICAL);
    assert_int_equal(analysis->contrast[2].verdict.kind, VERDICT_IDENTICAL);
    fixture_free(analysis);
}

static void test_duplicates(void **state)
{
    (void)state;
    char folder[] = "/tmp/knack-analysis-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct store *store;
    double value[] = {.9, .91};
    assert_done(recipe_store(&(struct recipe){.arms = 2, .seeds = 1, .value = value}, folder, &store));
    struct trial_outcome again = {.value = .9};
    assert_int_equal(store_add_trial(store, 1, 2000, &again), KNACK_E_CALL);
    assert_non_null(strstr(knack_error(), "duplicate replicate"));
    store_close(store);
    recipe_remove(folder);
}

/* ---- Failures ---- */

static void test_failures(void **state)
{
    (void)state;
    double value[20];
    for (int s = 0; s < 10; s++) {
        value[2 * s] = .9 + .001 * s;
        value[2 * s + 1] = s < 3 ? NAN : .92;
    }
    value[2 * 2] = NAN;
    struct analysis *analysis = analyse(&(struct recipe){.arms = 2, .seeds = 10, .value = value, .failed_score = .1});
    const struct contrast_result *result = &analysis->contrast[0];
    assert_int_equal(analysis->arm[1].failed, 3);
    assert_int_equal(result->failed, 3);
    assert_int_equal(result->base_failed, 1);
    assert_near(analysis->arm[1].value[0], .1, 0);
    assert_near(result->estimate.difference[0], .1 - .9, 1e-12);
    assert_near(result->estimate.difference[2], 0, 0);
    assert_near(analysis->arm[1].p_failures, .5, 1e-9); /* 0 against 2 */
    assert_true(isnan(analysis->arm[1].failure_bound));
    assert_int_equal(analysis->arm[1].trial[0]->status, TRIAL_NOT_FINITE);
    assert_string_equal(analysis->arm[1].trial[0]->message, "loss or gradient was not finite in 11 steps in a row, at step 233");
    assert_string_equal(analysis->arm[1].trial[5]->message, "");
    fixture_free(analysis);
}

static void test_no_failure(void **state)
{
    (void)state;
    struct analysis *analysis = analyse_differences(ten, 10, (struct recipe){0});
    assert_near(analysis->arm[0].failure_bound, .258865550, 1e-8);
    assert_true(isnan(analysis->arm[0].p_failures));
    fixture_free(analysis);
}

/* ---- Families ---- */

/* Differences whose t test gives about these p: checked by Holm's rule on whatever they give. */
static struct analysis *analyse_five(enum design design, int tricks)
{
    static double value[240];
    for (int s = 0; s < 10; s++) {
        value[s * (tricks + 1)] = .9 + .01 * (s % 3);
        for (int a = 1; a <= tricks; a++)
            value[s * (tricks + 1) + a] = value[s * (tricks + 1)] + .001 * a + .003 * ((s + a) * (s + 3) % 7 - 3);
    }
    return analyse(&(struct recipe){.design = design, .arms = tricks + 1, .seeds = 10, .value = value});
}

static void test_holm(void **state)
{
    (void)state;
    struct analysis *analysis = analyse_five(DESIGN_ONE, 5);
    int least = 0;
    for (int c = 1; c < 5; c++)
        if (analysis->contrast[c].estimate.p < analysis->contrast[least].estimate.p) least = c;
    assert_near(analysis->contrast[least].estimate.p_adjusted, 5 * analysis->contrast[least].estimate.p, 1e-12);
    assert_true(analysis->contrast[least].estimate.simultaneous.low < analysis->contrast[least].estimate.ci.low);
    assert_string_equal(analysis->adjustment, "Holm over 5 comparisons");
    assert_false(analysis->screening);
    fixture_free(analysis);
    analysis = analyse_five(DESIGN_ONE, 1);
    assert_string_equal(analysis->adjustment, "one comparison, nothing to adjust");
    fixture_free(analysis);
}

static void test_screening(void **state)
{
    (void)state;
    struct analysis *analysis = analyse_five(DESIGN_SCREEN, 5);
    double most = 0;
    for (int c = 0; c < 5; c++) most = fmax(most, analysis->contrast[c].estimate.p);
    for (int c = 0; c < 5; c++)
        if (analysis->contrast[c].estimate.p == most) assert_near(analysis->contrast[c].estimate.p_adjusted, most, 1e-12);
    assert_string_equal(analysis->adjustment, "Benjamini-Hochberg q over 5 comparisons");
    assert_true(analysis->screening);
    assert_near(analysis->best_bias, 1.1630, 1e-3);
    fixture_free(analysis);
    analysis = analyse_five(DESIGN_ONE, 11); /* many arms are a verdict still */
    assert_false(analysis->screening);
    assert_string_equal(analysis->adjustment, "Holm over 11 comparisons");
    fixture_free(analysis);
}

static void test_factorial(void **state)
{
    (void)state;
    /* Columns (1), a, b, ab. */
    static const double percent[] = {90.10, 90.60, 90.40, 91.20, 89.80, 90.50, 90.00, 90.90,
                                     90.30, 90.60, 90.70, 91.50, 89.90, 90.30, 90.35, 90.80};
    double value[16];
    for (int i = 0; i < 16; i++) value[i] = percent[i] / 100;
    struct analysis *analysis = analyse(&(struct recipe){.design = DESIGN_FACTORIAL, .arms = 4, .seeds = 4, .value = value});
    const struct estimate *a = &analysis->contrast[0].estimate, *b = &analysis->contrast[1].estimate, *ab = &analysis->contrast[2].estimate;
    assert_near(100 * a->difference[0], .65, 1e-9);
    assert_near(100 * a->difference[3], .425, 1e-9);
    assert_near(100 * a->delta, .60625, 1e-9);
    assert_near(a->t, 7.6446709, 1e-6);
    assert_near(a->p, .0046480227, 1e-8);
    assert_near(100 * a->ci.low, .35387052, 1e-6);
    assert_near(100 * b->delta, .46875, 1e-9);
    assert_near(b->p, .0072788585, 1e-8);
    assert_near(a->p_adjusted, 2 * a->p, 1e-12);
    assert_near(100 * ab->delta, .13125, 1e-9);
    assert_near(ab->p, .068903509, 1e-8);
    assert_near(ab->p_adjusted, ab->p, 0);
    assert_near(100 * analysis->contrast[0].base_mean, (90.10 + 89.80 + 90.30 + 89.90 + 90.40 + 90.00 + 90.70 + 90.35) / 8, 1e-9);
    assert_true(isnan(analysis->contrast[2].base_mean) && isnan(a->rho));
    assert_string_equal(analysis->adjustment, "Holm over 2 effects, and over 1 interaction apart");
    fixture_free(analysis);
}

/* ---- Cost ---- */

static void test_costs(void **state)
{
    (void)state;
    static const double cost[] = {1, 2, 1.3, 1.5, 2};
    double value[50];
    for (int s = 0; s < 10; s++) {
        double base = .8 + .01 * (s % 3);
        value[5 * s] = base;
        value[5 * s + 1] = base + .03 + .001 * (s % 4);
        value[5 * s + 2] = base + .01 + .001 * (s % 5);
        value[5 * s + 3] = base + .01;
        value[5 * s + 4] = base + .02;
    }
    struct analysis *analysis =
        analyse(&(struct recipe){.arms = 3, .seeds = 10, .budgets = 2, .value = value, .cost = cost, .measurements = 5});
    assert_near(analysis->arm[1].cost.counted, 2, 1e-12);
    assert_near(analysis->arm[2].cost.counted, 1.3, 1e-12);
    assert_near(analysis->arm[0].cost.cpu, 1, 0);
    assert_true(analysis->arm[1].cost.cpu_ci.low < analysis->arm[1].cost.cpu &&
                analysis->arm[1].cost.cpu < analysis->arm[1].cost.cpu_ci.high);
    assert_near(analysis->arm[1].cost.cpu, 2.067, .01);
    assert_near(analysis->arm[3].cost.cpu, 1.5, 1e-9); /* of a larger budget: by its updates */
    const struct contrast_result *sam = &analysis->contrast[0], *other = &analysis->contrast[1];
    assert_near(sam->equal_cost, 2, 1e-12);
    assert_near(sam->at_equal_cost.delta, sam->estimate.delta - .02, 1e-12);
    assert_int_equal(sam->at_equal_cost.n, 10);
    assert_false(sam->equal_cost_missing);
    assert_near(other->at_equal_cost.delta, other->estimate.delta - .01 * log(1.3) / log(1.5), 1e-12);
    assert_true(isinf(sam->equal_quality_saving));
    double needed = 1.5 * exp(log(2 / 1.5) * (other->estimate.delta - .01) / .01);
    assert_near(other->equal_quality_saving, needed / 1.3, 1e-9);
    assert_true(analysis->arm[0].pareto && analysis->arm[1].pareto && analysis->arm[2].pareto);
    assert_false(analysis->arm[3].pareto || analysis->arm[4].pareto);
    fixture_free(analysis);
}

static void test_pairing_and_relative(void **state)
{
    (void)state;
    static const double base[] = {91.20, 90.85, 91.55, 91.05, 90.70}, arm[] = {91.75, 91.30, 91.80, 91.65, 91.35};
    double value[10];
    for (int s = 0; s < 5; s++) {
        value[2 * s] = base[s] / 100;
        value[2 * s + 1] = arm[s] / 100;
    }
    struct analysis *analysis = analyse(&(struct recipe){.arms = 2, .seeds = 5, .value = value});
    const struct estimate *e = &analysis->contrast[0].estimate;
    assert_near(e->rho, .8989362567, 1e-9);
    assert_near(e->vrf, 6.46, .005);
    assert_near(e->relative, 100 * .5 / (100 - 91.07), 1e-9);
    assert_near(e->relative_ci.low, 100 * .3036756838 / (100 - 91.07), 1e-6);
    assert_near(100 * e->next.low, .0191056013, 1e-6);
    assert_true(isnan(e->p_flip));
    fixture_free(analysis);
}

/* ---- Two levels ---- */

static const signed char nine[4][12] = {{1, 0, 0, -1, 1, 0, 1, 0, 0, 0, 1, 0},
                                        {0, 0, 1, 0, 1, 0, 1, 0, -1, 0, 0, 0},
                                        {1, 0, 0, 0, 1, -1, 1, 0, 0, 0, 1, 0},
                                        {0, 1, 0, -1, 1, 0, 0, 0, 0, 0, 1, 0}};

static bool add_correct(const struct recipe *recipe, int arm, int seed, struct trial_outcome *outcome)
{
    (void)recipe;
    int right = 0;
    outcome->examples = 12;
    outcome->correct = memory_new(12, sizeof *outcome->correct);
    outcome->loss = memory_new(12, sizeof *outcome->loss);
    if (!outcome->correct || !outcome->loss) return false;
    for (int i = 0; i < 12; i++) {
        outcome->correct[i] = nine[seed][i] == (arm ? 1 : -1);
        outcome->loss[i] = outcome->correct[i] ? .25f : 1.5f;
        right += outcome->correct[i];
    }
    outcome->value = strcmp(recipe->metric ? recipe->metric : "accuracy", "loss") ? right / 12.0 : 1.5 - 1.25 * right / 12.0;
    return true;
}

static void test_two_levels(void **state)
{
    (void)state;
    struct recipe recipe = {.arms = 2, .seeds = 4, .trial = add_correct};
    struct analysis *analysis = analyse(&recipe);
    const struct two_level *two = &analysis->contrast[0].two_level;
    assert_true(two->known);
    assert_near(analysis->contrast[0].estimate.delta, .2083333333, 1e-9);
    assert_near(analysis->contrast[0].estimate.p, .003239037077, 1e-9);
    assert_near(two->se, .1198431214, 1e-9);
    assert_near(two->df, 6.986637237, 1e-8);
    assert_near(two->p, .1257865472, 1e-8);
    assert_near(two->transfer.low, -.0751605290, 1e-6);
    assert_near(two->transfer.high, .4918271957, 1e-6);
    assert_near(two->seed_share + two->example_share + two->interaction_share, 1, 1e-12);
    assert_string_equal(analysis->contrast[0].verdict.qualifier[0], "this test set only");
    fixture_free(analysis);
    recipe.metric = "loss";
    recipe.lower_is_better = true;
    analysis = analyse(&recipe);
    assert_true(analysis->contrast[0].two_level.known);
    assert_near(analysis->contrast[0].two_level.transfer.high, 1.25 * .4918271957, 1e-6);
    fixture_free(analysis);
    recipe.metric = "macro_f1"; /* no mean over examples */
    recipe.lower_is_better = false;
    analysis = analyse(&recipe);
    assert_false(analysis->contrast[0].two_level.known);
    assert_true(isnan(analysis->contrast[0].two_level.transfer.low));
    fixture_free(analysis);
}

/* Half of the examples are of each class, so that the mean recall is the accuracy. */
static void test_recalls(void **state)
{
    (void)state;
    struct analysis *analysis = analyse(&(struct recipe){.arms = 2, .seeds = 4, .trial = add_correct, .test_count = 12, .classes = 2});
    for (int a = 0; a < 2; a++) {
        double right = 0;
        for (int s = 0; s < 4; s++)
            for (int i = 0; i < 12; i += 2) right += nine[s][i] == (a ? 1 : -1);
        assert_near(analysis->arm[a].recall[0], right / 24, 1e-12);
        assert_near((analysis->arm[a].recall[0] + analysis->arm[a].recall[1]) / 2, analysis->arm[a].mean, 1e-12);
    }
    assert_near(analysis->arm[1].recall_delta[0], analysis->arm[1].recall[0] - analysis->arm[0].recall[0], 1e-12);
    assert_true(isnan(analysis->arm[0].recall_delta[0]));
    fixture_free(analysis);
    analysis = analyse(&(struct recipe){.arms = 2, .seeds = 4, .trial = add_correct, .test_count = 11, .classes = 2}); /* other examples */
    assert_true(isnan(analysis->arm[1].recall[0]));
    fixture_free(analysis);
    analysis = analyse(&(struct recipe){.arms = 2, .seeds = 4, .trial = add_correct});
    assert_null(analysis->arm[0].recall);
    fixture_free(analysis);
}

static bool disagree(const struct recipe *recipe, int arm, int seed, struct trial_outcome *outcome)
{
    if (!add_correct(recipe, arm, seed, outcome)) return false;
    if (arm == 1 && seed == 2) outcome->value += .05;
    return true;
}

static void test_two_levels_that_do_not_add_up(void **state)
{
    (void)state;
    struct analysis *analysis = analyse(&(struct recipe){.arms = 2, .seeds = 4, .trial = disagree});
    assert_false(analysis->contrast[0].two_level.known);
    fixture_free(analysis);
}

/* ---- Curves and other metrics ---- */

static void add_metric(struct trial_outcome *outcome, const char *part, const char *weights, const char *metric, double epoch, double value,
                       bool final)
{
    struct trial_metric *grown = memory_resize(outcome->metric, (size_t)outcome->metrics + 1, sizeof *grown);
    if (!grown) return;
    outcome->metric = grown;
    struct trial_metric *to = memset(&grown[outcome->metrics++], 0, sizeof *grown);
    strcpy(to->part, part);
    strcpy(to->weights, weights);
    strcpy(to->metric, metric);
    to->epoch = epoch;
    to->value = value;
    to->final = final;
}

static bool add_series(const struct recipe *recipe, int arm, int seed, struct trial_outcome *outcome)
{
    bool validated = recipe->user != NULL, fails = arm == 1 && seed == 3;
    for (int epoch = 1; epoch <= (fails ? 2 : 4); epoch++) {
        add_metric(outcome, "train", "", "loss", epoch, 2.0 / epoch - .1 * arm + .01 * seed, false);
        if (!validated) continue;
        add_metric(outcome, "validation", "raw", "accuracy", epoch, .5 + .1 * epoch, false);
        add_metric(outcome, "validation", "ema", "accuracy", epoch, .6 + .05 * epoch + (arm ? .01 + .001 * seed : 0), false);
    }
    if (fails) {
        outcome->status = TRIAL_CRASHED;
        outcome->value = NAN;
        return true;
    }
    outcome->value = .9 + .001 * seed + .01 * arm;
    add_metric(outcome, "test", "raw", "accuracy", 4, .8, true);
    add_metric(outcome, "test", "raw", "loss", 4, .9, true);
    add_metric(outcome, "test", "ema", "accuracy", 4, outcome->value, true);
    add_metric(outcome, "test", "ema", "loss", 4, .4 - .02 * arm + .01 * (seed % 2), true);
    return true;
}

static void test_curves(void **state)
{
    (void)state;
    struct recipe recipe = {.arms = 2, .seeds = 4, .trial = add_series, .failed_score = .1};
    struct analysis *analysis = analyse(&recipe);
    const struct curve *curve = &analysis->curve[1];
    assert_string_equal(analysis->curve_part, "train");
    assert_string_equal(analysis->curve_metric, "loss");
    assert_int_equal(curve->points, 4);
    assert_near(curve->epoch[2], 3, 0);
    assert_near(curve->value[0 * 4 + 1], .9, 1e-12);
    assert_near(curve->value[3 * 4 + 1], .93, 1e-12);
    assert_true(isnan(curve->value[3 * 4 + 2]));
    assert_near(curve->mean[1], .915, 1e-12);
    assert_near(curve->mean[2], 2 / 3.0 - .1 + .01, 1e-12);
    assert_near(curve->difference[1], -.1, 1e-12);
    assert_true(isnan(analysis->curve[0].difference[1]));
    fixture_free(analysis);
    recipe.user = "validated";
    analysis = analyse(&recipe);
    assert_string_equal(analysis->curve_part, "validation");
    assert_string_equal(analysis->curve_metric, "accuracy");
    assert_near(analysis->curve[0].mean[3], .8, 1e-12); /* of the primary weights */
    assert_near(analysis->curve[1].difference[3], .011, 1e-12);
    assert_true(analysis->curve[1].low[3] < .011 && analysis->curve[1].high[3] > .011);
    fixture_free(analysis);
}

static void test_secondaries(void **state)
{
    (void)state;
    struct analysis *analysis = analyse(&(struct recipe){.arms = 2, .seeds = 4, .trial = add_series, .failed_score = .1});
    const struct arm_result *arm = &analysis->arm[1];
    assert_int_equal(arm->secondaries, 2);
    assert_string_equal(arm->secondary[0].part, "train"); /* of the last epoch, beside the others */
    assert_string_equal(arm->secondary[0].metric, "loss");
    assert_near(arm->secondary[0].mean, .5 - .1 + .01, 1e-12);
    assert_near(arm->secondary[0].delta, -.1, 1e-12);
    assert_string_equal(arm->secondary[1].part, "test");
    assert_string_equal(arm->secondary[1].metric, "loss");
    assert_int_equal(arm->secondary[1].n, 3);
    assert_near(arm->secondary[1].mean, .38 + .01 / 3, 1e-12);
    assert_near(arm->secondary[1].delta, -.02, 1e-12);
    assert_true(isnan(analysis->arm[0].secondary[1].delta));
    fixture_free(analysis);
}

/* ---- The header ---- */

static void test_header(void **state)
{
    (void)state;
    struct analysis *analysis = analyse_differences(ten, 10, (struct recipe){.number = 4});
    assert_int_equal(analysis->comparison_number, 4);
    assert_string_equal(analysis->fixed[0], "data and their split: digits, 20 % wrong labels");
    assert_string_equal(analysis->fixed[1], "model: mlp, 12010 parameters");
    assert_string_equal(analysis->fixed[2], "budget: 30 epochs, 570 updates of 32 rows");
    assert_string_equal(
        analysis->fixed[3],
        "hyper-parameters: those of the base config (adamw, lr 0.003, cosine schedule) for every arm; no trick got tuning of its own");
    assert_string_equal(analysis->random[0], "initial weights");
    assert_string_equal(analysis->random[1], "order of the data");
    assert_string_equal(analysis->random[2], "dropout");
    assert_string_equal(analysis->random[3], "what tricks draw");
    assert_null(analysis->random[4]);
    assert_string_equal(analysis->unit, "r2");
    assert_near(analysis->percent, 1, 0);
    fixture_free(analysis);
}

/* ---- Without memory ---- */

static bool add_all(const struct recipe *recipe, int arm, int seed, struct trial_outcome *outcome)
{
    return add_series(recipe, arm, seed, outcome) && (outcome->status != TRIAL_DONE || add_correct(recipe, arm, seed, outcome));
}

static void test_without_memory(void **state)
{
    (void)state;
    char folder[] = "/tmp/knack-analysis-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct store *store;
    struct recipe recipe = {.arms = 2, .seeds = 4, .trial = add_all, .failed_score = .1, .measurements = 2};
    assert_done(recipe_store(&recipe, folder, &store));
    knack_status status = KNACK_E_MEMORY;
    int64_t nth = 0;
    while (status < 0) {
        struct analysis *analysis;
        memory_fail_at(++nth);
        status = analysis_new(store, &analysis);
        memory_fail_at(0);
        if (status < 0) {
            assert_int_equal(status, KNACK_E_MEMORY);
            assert_null(analysis);
        } else {
            analysis_free(analysis);
        }
    }
    assert_true(nth > 20);
    store_close(store);
    recipe_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_redraw),
        cmocka_unit_test(test_direction),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_looks_without_gaps),
        cmocka_unit_test(test_until_decided),
        cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_rounding_is_no_spread),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_no_failure),
        cmocka_unit_test(test_holm),
        cmocka_unit_test(test_screening),
        cmocka_unit_test(test_factorial),
        cmocka_unit_test(test_costs),
        cmocka_unit_test(test_pairing_and_relative),
        cmocka_unit_test(test_two_levels),
        cmocka_unit_test(test_recalls),
        cmocka_unit_test(test_two_levels_that_do_not_add_up),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_secondaries),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
