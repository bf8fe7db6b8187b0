/* Verdicts: the algorithm, its kinds, and in sentences.txt each sentence as a user reads it. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "compare/inference/inference.h"
#include "fixture.h"

enum { MOST = 32 };

/* ---- The algorithm ---- */

static struct estimate estimate_of(int64_t n, double delta, double half, double p)
{
    return (struct estimate){
        .n = n, .delta = delta, .s_d = 1, .p = p, .p_adjusted = p, .ci = {delta - half, delta + half}, .upper = delta + .8 * half};
}

static enum verdict_kind judge(int64_t n, double delta, double half, double p, double margin)
{
    struct estimate estimate = estimate_of(n, delta, half, p);
    return judge_line(&estimate, p < ALPHA, margin);
}

static void test_algorithm(void **state)
{
    (void)state;
    assert_int_equal(judge(2, 5, 1, .001, 0), VERDICT_NONE);
    assert_int_equal(judge(3, 5, 1, .001, 0), VERDICT_HELPS);
    assert_int_equal(judge(3, -5, 1, .001, 0), VERDICT_HURTS);
    assert_int_equal(judge(10, 5, 1, .05, 0), VERDICT_INCONCLUSIVE);
    assert_int_equal(judge(10, 5, 6, .001, 0), VERDICT_INCONCLUSIVE);
    assert_int_equal(judge(10, .1, .5, .6, 0), VERDICT_INCONCLUSIVE);
    assert_int_equal(judge(10, .1, .5, .6, 1), VERDICT_NO_DIFFERENCE);
    assert_int_equal(judge(10, .1, .5, .6, .6), VERDICT_NOT_WORTH_IT);
    assert_int_equal(judge(10, -.1, .5, .6, .6), VERDICT_NOT_WORTH_IT);
    assert_int_equal(judge(10, .1, .5, .6, .5), VERDICT_INCONCLUSIVE); /* the one-sided limit is .5 */
    assert_int_equal(judge(10, .3, .2, .01, 1), VERDICT_HELPS);
    assert_int_equal(judge(10, 5, NAN, .001, 0), VERDICT_NONE);
    assert_int_equal(judge(10, 5, 1, NAN, 0), VERDICT_INCONCLUSIVE);
    struct estimate same = {.n = 4, .ci = {NAN, NAN}, .p_adjusted = NAN};
    assert_int_equal(judge_line(&same, false, 0), VERDICT_IDENTICAL);
    same.delta = 1;
    assert_int_equal(judge_line(&same, false, 0), VERDICT_NONE);
}

/* What both lines say together: delta, half and p of each; p of both. */
struct lines {
    double updates[3], equal[3], p, margin;
    enum verdict_kind kind;
    bool by_cost;
};

static void test_both_lines(void **state)
{
    (void)state;
    static const struct lines lines[] = {
        {{5, 1, .001}, {3, 1, .002}, .002, 0, VERDICT_HELPS, true},      /* the weaker line is the one at equal cost */
        {{3, 1, .001}, {5, 1, .002}, .002, 0, VERDICT_HELPS, false},     /* and here at equal updates */
        {{5, 1, .001}, {3, 1, .04}, .06, 0, VERDICT_INCONCLUSIVE, true}, /* not after adjustment of both */
        {{-5, 1, .001}, {-3, 1, .002}, .002, 0, VERDICT_HURTS, true},
        {{5, 1, .001}, {.5, 1, .3}, .3, 0, VERDICT_INCONCLUSIVE, true}, /* HELPS at equal updates only */
        {{5, 1, .001}, {-5, 1, .001}, 1, 0, VERDICT_HURTS, true},
        {{-5, 1, .001}, {.5, 1, .3}, .3, 0, VERDICT_INCONCLUSIVE, true}, /* HURTS takes both too */
        {{.5, 1, .3}, {-5, 1, .001}, .3, 0, VERDICT_INCONCLUSIVE, false},
        {{-5, 1, .001}, {5, 1, .001}, 1, 0, VERDICT_HURTS, false},      /* cheap, and better than as cheap a baseline */
        {{5, 1, .001}, {-3, 2, .03}, 1, 0, VERDICT_INCONCLUSIVE, true}, /* what one line alone says takes half the level */
        {{-3, 2, .03}, {5, 1, .001}, 1, 0, VERDICT_INCONCLUSIVE, false},
        {{5, 1, .03}, {-3, 2, .02}, 1, 0, VERDICT_HURTS, true},
        {{.1, .5, .6}, {.2, .6, .6}, .6, 1, VERDICT_NO_DIFFERENCE, true}, /* by the wider one */
        {{.1, .5, .6}, {.1, 1.5, .6}, .6, 1, VERDICT_INCONCLUSIVE, true},
        {{.1, 1.5, .6}, {-.5, 1, .6}, .6, 1, VERDICT_NOT_WORTH_IT, true}, /* asked at equal cost */
        {{-.5, 1, .6}, {.1, 1.5, .6}, .6, 1, VERDICT_INCONCLUSIVE, true},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct lines *l = &lines[i];
        struct finding f = {.estimate = estimate_of(10, l->updates[0], l->updates[1], l->updates[2]),
                            .at_equal_cost = estimate_of(10, l->equal[0], l->equal[1], l->equal[2]),
                            .p_adjusted = l->p};
        judge_finding(&(struct plan){.margin = l->margin}, &f);
        if (f.kind != l->kind || f.by_cost != l->by_cost) fail_msg("%d: %s, %d", (int)i, verdict_kind_name[f.kind], f.by_cost);
    }
}

/* ---- Sentences ---- */

/* Differences with this mean and deviation, from a pattern without any. */
static double spread(int n, int i, double mean, double sd)
{
    double middle = (n - 1) / 2.0, square = 0;
    for (int k = 0; k < n; k++) square += (k - middle) * (k - middle);
    return n < 2 ? mean : mean + sd * (i - middle) / sqrt(square / (n - 1));
}

/* Two arms whose differences have this mean and deviation, beside a baseline that varies from seed to seed. */
static void fill(double *value, int n, double mean, double sd)
{
    for (int s = 0; s < n; s++) {
        value[2 * s] = .9 + (s % 2 ? .01 : -.01) + .001 * s;
        value[2 * s + 1] = value[2 * s] + spread(n, s, mean, sd);
    }
}

/* All that is said, as the golden file has it: a line for the test and its contrast, a line for what is said. */
static char said[1 << 17];
static const char *telling;

static void check(const struct recipe *recipe, int64_t contrast, enum verdict_kind kind)
{
    struct analysis *analysis = recipe_analysis(recipe);
    assert_non_null(analysis);
    const struct verdict *verdict = &analysis->contrast[contrast].verdict;
    size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%s\n    %s\n", telling, verdict->sentence);
    assert_int_equal(verdict->kind, kind);
    assert_int_equal(strncmp(verdict->sentence, verdict->word, strlen(verdict->word)), 0);
    fixture_free(analysis);
}

/* One trick with so many seeds, mean and deviation of D in points, and a margin in points. */
static void check_points(int n, double mean, double sd, double margin, enum verdict_kind kind)
{
    double value[2 * MOST];
    fill(value, n, mean / 100, sd / 100);
    check(&(struct recipe){.arms = 2, .seeds = n, .margin = margin / 100, .value = value}, 0, kind);
}

static void test_first_example(void **state)
{
    (void)state;
    telling = "first example";
    static const double base[] = {.9120, .9085, .9155, .9105, .9070}, arm[] = {.9175, .9130, .9180, .9165, .9135};
    static const double cost[] = {1, 1.02, 1, 1};
    double value[20];
    for (int s = 0; s < 5; s++) {
        value[4 * s] = base[s];
        value[4 * s + 1] = arm[s];
        value[4 * s + 2] = base[s] + spread(5, s, .001, .004);
        value[4 * s + 3] = base[s] - spread(5, s, .001, .004);
    }
    check(&(struct recipe){.arms = 4, .seeds = 5, .value = value, .cost = cost}, 0, VERDICT_HELPS);
}

static void test_second_example(void **state)
{
    (void)state;
    telling = "second example";
    check_points(5, .15, .28188, .3, VERDICT_INCONCLUSIVE);
}

static void test_helps(void **state)
{
    (void)state;
    telling = "helps";
    check_points(10, .5, .2, 0, VERDICT_HELPS);
    check_points(10, .5, .2, .2, VERDICT_HELPS);
    check_points(10, .5, .2, 1, VERDICT_HELPS);
    check_points(10, .5, .2, .4, VERDICT_HELPS);
}

static void test_hurts(void **state)
{
    (void)state;
    telling = "hurts";
    check_points(10, -.5, .2, 0, VERDICT_HURTS);
    check_points(10, -.5, .2, .2, VERDICT_HURTS);
    check_points(10, -.5, .2, 1, VERDICT_HURTS);
    check_points(10, -.5, .2, .6, VERDICT_HURTS);
}

static void test_no_meaningful_difference(void **state)
{
    (void)state;
    telling = "no meaningful difference";
    check_points(10, .02, .2, .3, VERDICT_NO_DIFFERENCE);
    check_points(5, .02, .1, .3, VERDICT_NO_DIFFERENCE);
}

static void test_inconclusive(void **state)
{
    (void)state;
    telling = "inconclusive";
    check_points(10, .1, .5, 0, VERDICT_INCONCLUSIVE);
    check_points(20, .15, .4, .3, VERDICT_INCONCLUSIVE);
    check_points(20, .05, .4, .2, VERDICT_INCONCLUSIVE);
    check_points(20, .05, .4, .22, VERDICT_NOT_WORTH_IT);
    check_points(30, .2, .55, .36, VERDICT_INCONCLUSIVE);
    check_points(10, .1, .5, .0005, VERDICT_INCONCLUSIVE);
}

static void test_excluded_alone(void **state)
{
    (void)state;
    telling = "excluded alone";
    double value[40];
    for (int s = 0; s < 10; s++) {
        value[4 * s] = .9 + (s % 3) * .01;
        value[4 * s + 1] = value[4 * s] + spread(10, s, .004, .005); /* p .032 */
        value[4 * s + 2] = value[4 * s] + spread(10, s, .001, .005);
        value[4 * s + 3] = value[4 * s] - spread(10, s, .001, .005);
    }
    check(&(struct recipe){.arms = 4, .seeds = 10, .value = value}, 0, VERDICT_INCONCLUSIVE);
}

static void test_side_of_0(void **state)
{
    (void)state;
    telling = "side of 0";
    check_points(10, -3, 4.2, 0, VERDICT_INCONCLUSIVE);
}

/* ---- Other metrics ---- */

static void test_lower_is_better(void **state)
{
    (void)state;
    telling = "lower is better";
    double value[16];
    for (int s = 0; s < 8; s++) {
        value[2 * s] = .52 + (s % 2 ? .02 : -.02);
        value[2 * s + 1] = value[2 * s] - spread(8, s, .031, .010765);
    }
    struct recipe recipe = {.arms = 2, .seeds = 8, .metric = "loss", .lower_is_better = true, .value = value};
    check(&recipe, 0, VERDICT_HELPS);
    recipe.margin = .05;
    check(&recipe, 0, VERDICT_HELPS);
    recipe.part = "validation";
    recipe.margin = 0;
    for (int s = 0; s < 8; s++) value[2 * s + 1] = value[2 * s] + spread(8, s, .031, .010765);
    check(&recipe, 0, VERDICT_HURTS);
    for (int s = 0; s < 8; s++) value[2 * s + 1] = value[2 * s] - spread(8, s, .005, .02);
    check(&recipe, 0, VERDICT_INCONCLUSIVE);
}

/* ---- Too little, or nothing, to compare ---- */

static void test_too_few_seeds(void **state)
{
    (void)state;
    telling = "too few seeds";
    double nothing[] = {-INFINITY, .9, .9, -INFINITY};
    check(&(struct recipe){.arms = 2, .seeds = 2, .value = nothing}, 0, VERDICT_NONE);
    check_points(1, .3, 0, 0, VERDICT_NONE);
    check_points(2, .3, .1414, 0, VERDICT_NONE);
    check_points(3, .3, .05, 0, VERDICT_HELPS);
}

static void test_without_spread(void **state)
{
    (void)state;
    telling = "without spread";
    check_points(10, 0, 0, 0, VERDICT_IDENTICAL);
    check_points(10, .5, 0, 0, VERDICT_NONE);
    check_points(3, -.5, 0, 0, VERDICT_NONE);
}

static bool never_act(const struct recipe *recipe, int arm, int seed, struct trial_outcome *outcome)
{
    (void)recipe;
    (void)seed;
    if (arm == 1) strcpy(outcome->idle, "mixup");
    return true;
}

static void test_idle_trick(void **state)
{
    (void)state;
    telling = "idle trick";
    double value[6];
    fill(value, 3, 0, 0);
    check(&(struct recipe){.arms = 2, .seeds = 3, .value = value, .trial = never_act}, 0, VERDICT_IDENTICAL);
}

/* ---- Failures ---- */

static void test_failures(void **state)
{
    (void)state;
    telling = "failures";
    double value[20];
    fill(value, 10, .1, .03);
    for (int s = 0; s < 10; s++) value[2 * s] -= .1, value[2 * s + 1] -= .1;
    value[2 * 3 + 1] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 10, .value = value, .failed_score = .8}, 0, VERDICT_HELPS);
    fill(value, 10, .005, .002);
    value[2 * 3] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 10, .value = value, .failed_score = .9}, 0, VERDICT_HELPS);
}

/* One trick fails in four of twenty seeds, and else does nothing: that is no effect on how well it trains. */
static void test_failures_alone(void **state)
{
    (void)state;
    telling = "failures alone";
    double value[40];
    fill(value, 20, 0, .002);
    for (int s = 0; s < 20; s += 5) value[2 * s + 1] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 20, .value = value, .failed_score = .1}, 0, VERDICT_INCONCLUSIVE);
    fill(value, 20, -.01, .002);
    for (int s = 0; s < 20; s += 5) value[2 * s + 1] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 20, .value = value, .failed_score = .1}, 0, VERDICT_HURTS);
    fill(value, 20, .01, .002); /* it fails, and helps when it trains: neither */
    for (int s = 0; s < 20; s += 5) value[2 * s + 1] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 20, .value = value, .failed_score = .1}, 0, VERDICT_INCONCLUSIVE);
}

static void test_all_failed(void **state)
{
    (void)state;
    telling = "all failed";
    double value[8] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    check(&(struct recipe){.arms = 2, .seeds = 4, .value = value, .failed_score = .1}, 0, VERDICT_NONE);
    fill(value, 4, 0, 0);
    for (int s = 0; s < 4; s++) value[2 * s + 1] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 4, .value = value, .failed_score = .1}, 0, VERDICT_HURTS);
    check(&(struct recipe){.arms = 2, .seeds = 4, .value = value, .failed_score = NAN}, 0, VERDICT_NONE);
}

/* ---- Cost ---- */

/* A trick at cost 2, the baseline at 1, 1.5 and 2; how much better the trick, and the baseline at twice the updates, are. */
static void fill_budgets(double *value, int n, double trick, double twice)
{
    for (int s = 0; s < n; s++) {
        value[4 * s] = .9 + (s % 2 ? .01 : -.01);
        value[4 * s + 1] = value[4 * s] + spread(n, s, trick, .002);
        value[4 * s + 2] = value[4 * s] + twice / 2;
        value[4 * s + 3] = value[4 * s] + twice;
    }
}

static void test_equal_cost(void **state)
{
    (void)state;
    telling = "equal cost";
    static const double cost[] = {1, 2, 1.5, 2};
    double value[40];
    struct recipe recipe = {.arms = 2, .seeds = 10, .budgets = 2, .value = value, .cost = cost};
    fill_budgets(value, 10, .01, .004);
    check(&recipe, 0, VERDICT_HELPS);
    fill_budgets(value, 10, .01, -.004); /* longer training harms: the weaker line is the one at equal updates */
    check(&recipe, 0, VERDICT_HELPS);
    fill_budgets(value, 10, .01, .01);
    check(&recipe, 0, VERDICT_INCONCLUSIVE);
    fill_budgets(value, 10, .01, .015);
    check(&recipe, 0, VERDICT_HURTS);
    recipe.margin = .003;
    fill_budgets(value, 10, .01, .008); /* the margin's phrase goes by the weaker line */
    check(&recipe, 0, VERDICT_HELPS);
    fill_budgets(value, 10, .01, .01);
    check(&recipe, 0, VERDICT_NO_DIFFERENCE);
    fill_budgets(value, 10, -.01, .005);
    check(&recipe, 0, VERDICT_HURTS);
}

/* Twice the training and nothing else: at equal cost it is the baseline. */
static void test_longer_training(void **state)
{
    (void)state;
    telling = "longer training";
    static const double cost[] = {1, 2, 1.5, 2};
    double value[40];
    for (int s = 0; s < 10; s++) {
        value[4 * s] = .7 + (s % 2 ? .01 : -.01);
        value[4 * s + 2] = value[4 * s] + .1 + .001 * (s % 3);
        value[4 * s + 1] = value[4 * s + 3] = value[4 * s] + .2 + .002 * (s % 4);
    }
    check(&(struct recipe){.arms = 2, .seeds = 10, .budgets = 2, .value = value, .cost = cost}, 0, VERDICT_IDENTICAL);
}

static void test_equal_cost_missing(void **state)
{
    (void)state;
    telling = "equal cost missing";
    static const double double_cost[] = {1, 2}, small[] = {1, 1.2}, cheap[] = {1, .8};
    double value[20];
    fill(value, 10, .01, .002);
    struct recipe recipe = {.arms = 2, .seeds = 10, .value = value, .cost = double_cost};
    check(&recipe, 0, VERDICT_HELPS);
    recipe.cost = small;
    check(&recipe, 0, VERDICT_HELPS);
    recipe.cost = cheap;
    check(&recipe, 0, VERDICT_HELPS);
}

static bool slow(const struct recipe *recipe, int arm, int seed, struct trial_outcome *outcome)
{
    (void)recipe;
    (void)seed;
    if (arm == 1) outcome->cost.forward_rows = .6 * outcome->cost.gradient_rows;
    return true;
}

static void test_cost_in_time(void **state)
{
    (void)state;
    telling = "cost in time";
    static const double cost[] = {1, 1};
    double value[20];
    fill(value, 10, .01, .002);
    check(&(struct recipe){.arms = 2, .seeds = 10, .value = value, .cost = cost, .measurements = 6, .trial = slow}, 0, VERDICT_HELPS);
}

/* ---- Qualifiers ---- */

static void test_fragile(void **state)
{
    (void)state;
    telling = "fragile";
    /* A difference far from the others: the t test believes it less than the signs do, and the other way round. */
    static const double difference[] = {.1, .1, .1, .1, .1, -.02, .1, .12};
    double value[16];
    for (int s = 0; s < 6; s++) {
        value[2 * s] = .5 + (s % 2 ? .1 : -.1);
        value[2 * s + 1] = value[2 * s] + difference[s];
    }
    check(&(struct recipe){.arms = 2, .seeds = 6, .value = value}, 0, VERDICT_HELPS);
}

static void test_pairing(void **state)
{
    (void)state;
    telling = "pairing";
    static const double base[] = {.90, .91, .89, .92, .88, .90}, arm[] = {.95, .93, .95, .94, .96, .94};
    double value[12];
    for (int s = 0; s < 6; s++) {
        value[2 * s] = base[s];
        value[2 * s + 1] = arm[s];
    }
    check(&(struct recipe){.arms = 2, .seeds = 6, .value = value}, 0, VERDICT_HELPS);
}

static void test_overstated(void **state)
{
    (void)state;
    telling = "overstated";
    check_points(10, .4, .5, 0, VERDICT_HELPS);
}

/* ---- Plans that stop early, screenings, combinations ---- */

static void fill_looks(struct recipe *recipe)
{
    static const int64_t look[] = {6, 10, 15, 20};
    recipe->stopping = STOP_LOOKS;
    recipe->looks = 4;
    recipe->planned = 20;
    memcpy(recipe->look, look, sizeof look);
}

static void test_looks(void **state)
{
    (void)state;
    telling = "looks";
    double value[40];
    struct recipe recipe = {.arms = 2, .seeds = 6, .value = value, .status = "running"};
    fill_looks(&recipe);
    fill(value, 6, .01, .002);
    check(&recipe, 0, VERDICT_HELPS);
    fill(value, 6, .0001, .002);
    check(&recipe, 0, VERDICT_NONE);
    recipe.margin = .01;
    check(&recipe, 0, VERDICT_NO_DIFFERENCE);
    recipe.seeds = 4;
    check(&recipe, 0, VERDICT_NONE);
    recipe.status = "done";
    check(&recipe, 0, VERDICT_NONE);
}

static void test_until_decided(void **state)
{
    (void)state;
    telling = "until decided";
    double value[40];
    struct recipe recipe = {.arms = 2, .seeds = 8, .planned = 20, .value = value, .status = "running", .stopping = STOP_DECIDED};
    fill(value, 8, .01, .002);
    check(&recipe, 0, VERDICT_HELPS);
    recipe.seeds = 3;
    recipe.status = "done";
    check(&recipe, 0, VERDICT_NONE);
}

static void test_unfinished(void **state)
{
    (void)state;
    telling = "unfinished";
    double value[40];
    fill(value, 8, .01, .002);
    struct recipe recipe = {.arms = 2, .seeds = 8, .planned = 10, .value = value, .status = "interrupted"};
    check(&recipe, 0, VERDICT_NONE);
    double nothing[] = {.9, -INFINITY};
    recipe.seeds = 1;
    recipe.value = nothing;
    check(&recipe, 0, VERDICT_NONE);
}

static void test_screening(void **state)
{
    (void)state;
    telling = "screening";
    double value[33];
    for (int s = 0; s < 11; s++) {
        value[3 * s] = .9 + (s % 2 ? .01 : -.01);
        value[3 * s + 1] = value[3 * s] + spread(11, s, .01, .002);
        value[3 * s + 2] = value[3 * s] + spread(11, s, .0, .002);
    }
    check(&(struct recipe){.design = DESIGN_SCREEN, .arms = 3, .seeds = 11, .value = value}, 0, VERDICT_CANDIDATE);
}

/* Two tricks whose effects add up to less than alone. */
static void fill_factorial(double *value, int n)
{
    for (int s = 0; s < n; s++) {
        double base = .9 + (s % 2 ? .01 : -.01), a = spread(n, s, .01, .001), b = spread(n, n - 1 - s, .008, .001);
        value[4 * s] = base;
        value[4 * s + 1] = base + a;
        value[4 * s + 2] = base + b;
        value[4 * s + 3] = base + a + b - spread(n, (s * 3) % n, .01, .001);
    }
}

static void test_factorial(void **state)
{
    (void)state;
    telling = "factorial";
    double value[28];
    fill_factorial(value, 7);
    struct recipe recipe = {.design = DESIGN_FACTORIAL, .arms = 4, .seeds = 7, .value = value};
    check(&recipe, 0, VERDICT_HELPS);
    check(&recipe, 2, VERDICT_HURTS);
    recipe.margin = .002;
    check(&recipe, 2, VERDICT_HURTS);
}

static void test_ablation(void **state)
{
    (void)state;
    telling = "ablation";
    double value[42];
    for (int s = 0; s < 7; s++) {
        double base = .9 + (s % 2 ? .01 : -.01);
        value[6 * s] = base;
        value[6 * s + 1] = base + spread(7, 6 - s, .01, .001);
        value[6 * s + 2] = base + .005;
        value[6 * s + 3] = base + spread(7, s, .02, .001);
        value[6 * s + 4] = base + .005;
        value[6 * s + 5] = base + .01;
    }
    struct recipe recipe = {.design = DESIGN_ABLATION, .arms = 6, .seeds = 7, .value = value};
    check(&recipe, 3, VERDICT_HELPS);
    check(&recipe, 5, VERDICT_HELPS);
}

/* Plainer words are one file's change: KNACK_WRITE_GOLDEN=1 writes it anew, and the difference is read by who reviews it. */
static void test_golden_file(void **state)
{
    (void)state;
    const char *path = getenv("KNACK_TEST_SENTENCES");
    char *golden;
    size_t size;
    assert_non_null(path);
    if (getenv("KNACK_WRITE_GOLDEN")) assert_int_equal(file_write(path, said, strlen(said)), KNACK_OK);
    assert_int_equal(file_read(path, KNACK_E_IO, &golden, &size), KNACK_OK);
    assert_string_equal(said, golden);
    memory_free(golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_algorithm),
        cmocka_unit_test(test_both_lines),
        cmocka_unit_test(test_first_example),
        cmocka_unit_test(test_second_example),
        cmocka_unit_test(test_helps),
        cmocka_unit_test(test_hurts),
        cmocka_unit_test(test_no_meaningful_difference),
        cmocka_unit_test(test_inconclusive),
        cmocka_unit_test(test_excluded_alone),
        cmocka_unit_test(test_side_of_0),
        cmocka_unit_test(test_lower_is_better),
        cmocka_unit_test(test_too_few_seeds),
        cmocka_unit_test(test_without_spread),
        cmocka_unit_test(test_idle_trick),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_failures_alone),
        cmocka_unit_test(test_all_failed),
        cmocka_unit_test(test_equal_cost),
        cmocka_unit_test(test_longer_training),
        cmocka_unit_test(test_equal_cost_missing),
        cmocka_unit_test(test_cost_in_time),
        cmocka_unit_test(test_fragile),
        cmocka_unit_test(test_pairing),
        cmocka_unit_test(test_overstated),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_until_decided),
        cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_screening),
        cmocka_unit_test(test_factorial),
        cmocka_unit_test(test_ablation),
        cmocka_unit_test(test_golden_file), /* of all before it */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
