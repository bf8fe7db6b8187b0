/* Verdicts: the algorithm, and each sentence as a user reads it. */
#include "base/test.h"

#include <math.h>
#include <string.h>

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
        {{-5, 1, .001}, {5, 1, .001}, 1, 0, VERDICT_HURTS, false},        /* cheap, and better than as cheap a baseline */
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

static void check(const struct recipe *recipe, int64_t contrast, const char *word, const char *sentence)
{
    struct analysis *analysis = recipe_analysis(recipe);
    assert_non_null(analysis);
    const struct verdict *verdict = &analysis->contrast[contrast].verdict;
    if (sentence) assert_string_equal(verdict->sentence, sentence);
    assert_string_equal(verdict->word, word);
    fixture_free(analysis);
}

/* One trick with so many seeds, mean and deviation of D in points, and a margin in points. */
static void check_points(int n, double mean, double sd, double margin, const char *word, const char *sentence)
{
    double value[2 * MOST];
    fill(value, n, mean / 100, sd / 100);
    check(&(struct recipe){.arms = 2, .seeds = n, .margin = margin / 100, .value = value}, 0, word, sentence);
}

static void test_first_example(void **state)
{
    (void)state;
    static const double base[] = {.9120, .9085, .9155, .9105, .9070}, arm[] = {.9175, .9130, .9180, .9165, .9135};
    static const double cost[] = {1, 1.02, 1, 1};
    double value[20];
    for (int s = 0; s < 5; s++) {
        value[4 * s] = base[s];
        value[4 * s + 1] = arm[s];
        value[4 * s + 2] = base[s] + spread(5, s, .001, .004);
        value[4 * s + 3] = base[s] - spread(5, s, .001, .004);
    }
    check(&(struct recipe){.arms = 4, .seeds = 5, .value = value, .cost = cost}, 0, "HELPS",
          "HELPS: +0.50 points accuracy (95% CI +0.30 to +0.70; 5 of 5 seeds; p 0.002, Holm 0.006) "
          "[n<=5: relies on normal differences] [costs 1.02x]");
}

static void test_second_example(void **state)
{
    (void)state;
    check_points(5, .15, .28188, .3, "INCONCLUSIVE",
                 "INCONCLUSIVE: -0.2 to +0.5 points (n=5); about 19 seeds would detect 0.3. Not evidence of no effect.");
}

static void test_helps(void **state)
{
    (void)state;
    check_points(10, .5, .2, 0, "HELPS", "HELPS: +0.50 points accuracy (95% CI +0.36 to +0.64; 10 of 10 seeds; p <0.0001)");
    check_points(10, .5, .2, .2, "HELPS, at least 0.2 points",
                 "HELPS, at least 0.2 points: +0.50 points accuracy (95% CI +0.36 to +0.64; 10 of 10 seeds; p <0.0001)");
    check_points(10, .5, .2, 1, "HELPS, but less than 1 point",
                 "HELPS, but less than 1 point: +0.50 points accuracy (95% CI +0.36 to +0.64; 10 of 10 seeds; p <0.0001)");
    check_points(10, .5, .2, .4, "HELPS, size uncertain vs 0.4 points",
                 "HELPS, size uncertain vs 0.4 points: +0.50 points accuracy (95% CI +0.36 to +0.64; 10 of 10 seeds; p <0.0001)");
}

static void test_hurts(void **state)
{
    (void)state;
    check_points(10, -.5, .2, 0, "HURTS", "HURTS: -0.50 points accuracy (95% CI -0.64 to -0.36; worse in 10 of 10 seeds; p <0.0001)");
    check_points(10, -.5, .2, .2, "HURTS, at least 0.2 points",
                 "HURTS, at least 0.2 points: -0.50 points accuracy (95% CI -0.64 to -0.36; worse in 10 of 10 seeds; p <0.0001)");
    check_points(10, -.5, .2, 1, "HURTS, but less than 1 point",
                 "HURTS, but less than 1 point: -0.50 points accuracy (95% CI -0.64 to -0.36; worse in 10 of 10 seeds; p <0.0001)");
    check_points(10, -.5, .2, .6, "HURTS, size uncertain vs 0.6 points",
                 "HURTS, size uncertain vs 0.6 points: -0.50 points accuracy (95% CI -0.64 to -0.36; worse in 10 of 10 seeds; p <0.0001)");
}

static void test_no_meaningful_difference(void **state)
{
    (void)state;
    check_points(
        10, .02, .2, .3, "NO MEANINGFUL DIFFERENCE (within 0.3 points either way)",
        "NO MEANINGFUL DIFFERENCE (within 0.3 points either way): +0.02 points accuracy (95% CI -0.12 to +0.16; better in 5 of 10 seeds; "
        "p 0.76)");
    check_points(
        5, .02, .1, .3, "NO MEANINGFUL DIFFERENCE (within 0.3 points either way)",
        "NO MEANINGFUL DIFFERENCE (within 0.3 points either way): +0.02 points accuracy (95% CI -0.10 to +0.14; better in 3 of 5 seeds; "
        "p 0.68) [n<=5: relies on normal differences]");
}

static void test_inconclusive(void **state)
{
    (void)state;
    check_points(10, .1, .5, 0, "INCONCLUSIVE",
                 "INCONCLUSIVE: -0.3 to +0.5 points (n=10); 40 seeds would halve the interval. Not evidence of no effect.");
    check_points(20, .15, .4, .3, "INCONCLUSIVE",
                 "INCONCLUSIVE: -0.04 to +0.34 points (n=20); about 22 seeds would detect 0.3. Not evidence of no effect.");
    check_points(20, .05, .4, .2, "INCONCLUSIVE",
                 "INCONCLUSIVE: -0.14 to +0.24 points (n=20); about 46 seeds would detect 0.2. Not evidence of no effect.");
    check_points(20, .05, .4, .22, "NOT WORTH IT",
                 "NOT WORTH IT: does not gain 0.22 points (one-sided 95% limit +0.20 points accuracy; 95% CI -0.14 to +0.24; n=20)");
    check_points(30, .2, .55, .36, "INCONCLUSIVE",
                 "INCONCLUSIVE: -0.01 to +0.41 points (n=30); 120 seeds would halve the interval. Not evidence of no effect.");
    check_points(
        10, .1, .5, .0005, "INCONCLUSIVE",
        "INCONCLUSIVE: -0.3 to +0.5 points (n=10); more than 10000 seeds would be needed to detect 0.0005. Not evidence of no effect.");
}

static void test_excluded_alone(void **state)
{
    (void)state;
    double value[40];
    for (int s = 0; s < 10; s++) {
        value[4 * s] = .9 + (s % 3) * .01;
        value[4 * s + 1] = value[4 * s] + spread(10, s, .004, .005); /* p .032 */
        value[4 * s + 2] = value[4 * s] + spread(10, s, .001, .005);
        value[4 * s + 3] = value[4 * s] - spread(10, s, .001, .005);
    }
    check(&(struct recipe){.arms = 4, .seeds = 10, .value = value}, 0, "INCONCLUSIVE",
          "INCONCLUSIVE: +0.04 to +0.8 points (n=10); excludes 0 on its own, not after 3 comparisons; 40 seeds would halve the interval. "
          "Not "
          "evidence of no effect.");
}

static void test_side_of_0(void **state)
{
    (void)state;
    check_points(10, -3, 4.2, 0, "INCONCLUSIVE",
                 "INCONCLUSIVE: -6 to +0.004 points (n=10); 40 seeds would halve the interval. Not evidence of no effect.");
}

/* ---- Other metrics ---- */

static void test_lower_is_better(void **state)
{
    (void)state;
    double value[16];
    for (int s = 0; s < 8; s++) {
        value[2 * s] = .52 + (s % 2 ? .02 : -.02);
        value[2 * s + 1] = value[2 * s] - spread(8, s, .031, .010765);
    }
    struct recipe recipe = {.arms = 2, .seeds = 8, .metric = "loss", .lower_is_better = true, .value = value};
    check(&recipe, 0, "HELPS", "HELPS: loss -0.031 (95% CI -0.040 to -0.022; 8 of 8 seeds; p <0.0001)");
    recipe.margin = .05;
    check(&recipe, 0, "HELPS, but less than 0.05",
          "HELPS, but less than 0.05: loss -0.031 (95% CI -0.040 to -0.022; 8 of 8 seeds; p <0.0001)");
    recipe.part = "validation";
    recipe.margin = 0;
    for (int s = 0; s < 8; s++) value[2 * s + 1] = value[2 * s] + spread(8, s, .031, .010765);
    check(&recipe, 0, "HURTS", "HURTS: validation loss +0.031 (95% CI +0.022 to +0.040; worse in 8 of 8 seeds; p <0.0001)");
    for (int s = 0; s < 8; s++) value[2 * s + 1] = value[2 * s] - spread(8, s, .005, .02);
    check(&recipe, 0, "INCONCLUSIVE",
          "INCONCLUSIVE: validation loss -0.022 to +0.012 (n=8); 32 seeds would halve the interval. Not evidence of no effect.");
}

/* ---- Too little, or nothing, to compare ---- */

static void test_too_few_seeds(void **state)
{
    (void)state;
    double nothing[] = {-INFINITY, .9, .9, -INFINITY};
    check(&(struct recipe){.arms = 2, .seeds = 2, .value = nothing}, 0, "NO VERDICT",
          "NO VERDICT: no seed has all the trials that this compares");
    check_points(1, .3, 0, 0, "NO VERDICT", "NO VERDICT: one seed, difference +0.30 points accuracy; an interval takes 3 or more");
    check_points(2, .3, .1414, 0, "NO VERDICT",
                 "NO VERDICT: 2 seeds, differences +0.20 and +0.40 points accuracy; an interval takes 3 or more");
    check_points(3, .3, .05, 0, "HELPS",
                 "HELPS: +0.30 points accuracy (95% CI +0.18 to +0.42; 3 of 3 seeds; p 0.009) [n<=5: relies on normal differences]");
}

static void test_without_spread(void **state)
{
    (void)state;
    check_points(10, 0, 0, 0, "IDENTICAL", "IDENTICAL: the metric is the same to the bit in 10 of 10 seeds; is the trick active?");
    check_points(10, .5, 0, 0, "NO VERDICT",
                 "NO VERDICT: +0.50 points accuracy in each of 10 seeds, without any spread, which the t test needs (sign-flip p 0.002)");
    check_points(3, -.5, 0, 0, "NO VERDICT",
                 "NO VERDICT: -0.50 points accuracy in each of 3 seeds, without any spread, which the t test needs (sign-flip p 0.25)");
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
    double value[6];
    fill(value, 3, 0, 0);
    check(&(struct recipe){.arms = 2, .seeds = 3, .value = value, .trial = never_act}, 0, "IDENTICAL",
          "IDENTICAL: the metric is the same to the bit in 3 of 3 seeds; is the trick active? [mixup never acted]");
}

/* ---- Failures ---- */

static void test_failures(void **state)
{
    (void)state;
    double value[20];
    fill(value, 10, .1, .03);
    for (int s = 0; s < 10; s++) value[2 * s] -= .1, value[2 * s + 1] -= .1;
    value[2 * 3 + 1] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 10, .value = value, .failed_score = .8}, 0, "HELPS WHEN IT TRAINS; failed 1 of 10",
          "HELPS WHEN IT TRAINS; failed 1 of 10: +9.0 points accuracy (95% CI +5.7 to +12.4; 9 of 10 seeds; p 0.0002) "
          "[fails 1/10, baseline 0/10; p 1] [seeds of both arms are no more alike than others (rho = 0.33): pairing gains nothing here]");
    fill(value, 10, .005, .002);
    value[2 * 3] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 10, .value = value, .failed_score = .9}, 0, "HELPS",
          "HELPS: +0.63 points accuracy (95% CI +0.33 to +0.93; 10 of 10 seeds; p 0.001) [fails 0/10, baseline 1/10; p 1]");
}

/* One trick fails in four of twenty seeds, and else does nothing: that is no effect on how well it trains. */
static void test_failures_alone(void **state)
{
    (void)state;
    double value[40];
    fill(value, 20, 0, .002);
    for (int s = 0; s < 20; s += 5) value[2 * s + 1] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 20, .value = value, .failed_score = .1}, 0, "INCONCLUSIVE", NULL);
    fill(value, 20, -.01, .002);
    for (int s = 0; s < 20; s += 5) value[2 * s + 1] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 20, .value = value, .failed_score = .1}, 0, "HURTS", NULL);
    fill(value, 20, .01, .002); /* it fails, and helps when it trains: neither */
    for (int s = 0; s < 20; s += 5) value[2 * s + 1] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 20, .value = value, .failed_score = .1}, 0, "INCONCLUSIVE", NULL);
}

static void test_all_failed(void **state)
{
    (void)state;
    double value[8] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    check(&(struct recipe){.arms = 2, .seeds = 4, .value = value, .failed_score = .1}, 0, "NO VERDICT",
          "NO VERDICT: every trial failed [fails 4/4, baseline 4/4]");
    fill(value, 4, 0, 0);
    for (int s = 0; s < 4; s++) value[2 * s + 1] = NAN;
    check(&(struct recipe){.arms = 2, .seeds = 4, .value = value, .failed_score = .1}, 0, "HURTS",
          "HURTS: -80.2 points accuracy (95% CI -82.1 to -78.2; worse in 4 of 4 seeds; p <0.0001) [n<=5: relies on normal differences] "
          "[fails 4/4, baseline 0/4; p 0.13]");
    check(&(struct recipe){.arms = 2, .seeds = 4, .value = value, .failed_score = NAN}, 0, "NO VERDICT",
          "NO VERDICT: trials failed, and what a failed one counts as is not known; say it with --failed-score");
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
    static const double cost[] = {1, 2, 1.5, 2};
    double value[40];
    struct recipe recipe = {.arms = 2, .seeds = 10, .budgets = 2, .value = value, .cost = cost};
    fill_budgets(value, 10, .01, .004);
    check(&recipe, 0, "HELPS",
          "HELPS: +0.60 points accuracy at equal cost (95% CI +0.46 to +0.74; 10 of 10 seeds; p <0.0001) "
          "[costs 2.00x; at equal updates: +1.00 points accuracy (95% CI +0.86 to +1.14)]");
    fill_budgets(value, 10, .01, -.004); /* longer training harms: the weaker line is the one at equal updates */
    check(&recipe, 0, "HELPS",
          "HELPS: +1.00 points accuracy (95% CI +0.86 to +1.14; 10 of 10 seeds; p <0.0001) "
          "[costs 2.00x; at equal cost: +1.40 points accuracy (95% CI +1.26 to +1.54)]");
    fill_budgets(value, 10, .01, .01);
    check(&recipe, 0, "INCONCLUSIVE at equal cost",
          "INCONCLUSIVE at equal cost: -0.14 to +0.14 points (n=10); 40 seeds would halve the interval. Not evidence of no effect. "
          "It helps at equal updates, +1.00 points accuracy (95% CI +0.86 to +1.14), but costs 2.00x. "
          "[for 30 epochs only: twice as many gain the baseline +1.0 points accuracy]");
    fill_budgets(value, 10, .01, .015);
    check(&recipe, 0, "HURTS at equal cost",
          "HURTS at equal cost: -0.50 points accuracy (95% CI -0.64 to -0.36; worse in 10 of 10 seeds; p <0.0001). "
          "It helps at equal updates, +1.00 points accuracy (95% CI +0.86 to +1.14), but costs 2.00x. "
          "[for 30 epochs only: twice as many gain the baseline +1.5 points accuracy]");
    recipe.margin = .003;
    fill_budgets(value, 10, .01, .008); /* the margin's phrase goes by the weaker line */
    check(&recipe, 0, "HELPS, size uncertain vs 0.3 points", NULL);
    fill_budgets(value, 10, .01, .01);
    check(&recipe, 0, "NO MEANINGFUL DIFFERENCE at equal cost (within 0.3 points either way)", NULL);
    fill_budgets(value, 10, -.01, .005);
    check(&recipe, 0, "HURTS, at least 0.3 points", NULL);
}

/* Twice the training and nothing else: at equal cost it is the baseline. */
static void test_longer_training(void **state)
{
    (void)state;
    static const double cost[] = {1, 2, 1.5, 2};
    double value[40];
    for (int s = 0; s < 10; s++) {
        value[4 * s] = .7 + (s % 2 ? .01 : -.01);
        value[4 * s + 2] = value[4 * s] + .1 + .001 * (s % 3);
        value[4 * s + 1] = value[4 * s + 3] = value[4 * s] + .2 + .002 * (s % 4);
    }
    check(&(struct recipe){.arms = 2, .seeds = 10, .budgets = 2, .value = value, .cost = cost}, 0, "IDENTICAL at equal cost", NULL);
}

static void test_equal_cost_missing(void **state)
{
    (void)state;
    static const double double_cost[] = {1, 2}, small[] = {1, 1.2}, cheap[] = {1, .8};
    double value[20];
    fill(value, 10, .01, .002);
    struct recipe recipe = {.arms = 2, .seeds = 10, .value = value, .cost = double_cost};
    check(&recipe, 0, "HELPS at equal updates (cost not compared)",
          "HELPS at equal updates (cost not compared): +1.00 points accuracy (95% CI +0.86 to +1.14; 10 of 10 seeds; p <0.0001) "
          "[costs 2.00x; not compared at equal cost]");
    recipe.cost = small;
    check(&recipe, 0, "HELPS", "HELPS: +1.00 points accuracy (95% CI +0.86 to +1.14; 10 of 10 seeds; p <0.0001) [costs 1.20x]");
    recipe.cost = cheap;
    check(&recipe, 0, "HELPS", "HELPS: +1.00 points accuracy (95% CI +0.86 to +1.14; 10 of 10 seeds; p <0.0001) [costs 0.80x]");
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
    static const double cost[] = {1, 1};
    double value[20];
    fill(value, 10, .01, .002);
    check(&(struct recipe){.arms = 2, .seeds = 10, .value = value, .cost = cost, .measurements = 6, .trial = slow}, 0, "HELPS",
          "HELPS: +1.00 points accuracy (95% CI +0.86 to +1.14; 10 of 10 seeds; p <0.0001) [costs 1.20x, in CPU time 1.03x]");
}

/* ---- Qualifiers ---- */

static void test_fragile(void **state)
{
    (void)state;
    /* A difference far from the others: the t test believes it less than the signs do, and the other way round. */
    static const double difference[] = {.1, .1, .1, .1, .1, -.02, .1, .12};
    double value[16];
    for (int s = 0; s < 6; s++) {
        value[2 * s] = .5 + (s % 2 ? .1 : -.1);
        value[2 * s + 1] = value[2 * s] + difference[s];
    }
    check(&(struct recipe){.arms = 2, .seeds = 6, .value = value}, 0, "HELPS",
          "HELPS: +8.0 points accuracy (95% CI +2.9 to +13.1; 5 of 6 seeds; p 0.010) [fragile: sign-flip p 0.063]");
}

static void test_pairing(void **state)
{
    (void)state;
    static const double base[] = {.90, .91, .89, .92, .88, .90}, arm[] = {.95, .93, .95, .94, .96, .94};
    double value[12];
    for (int s = 0; s < 6; s++) {
        value[2 * s] = base[s];
        value[2 * s + 1] = arm[s];
    }
    check(&(struct recipe){.arms = 2, .seeds = 6, .value = value}, 0, "HELPS",
          "HELPS: +4.5 points accuracy (95% CI +2.0 to +7.0; 6 of 6 seeds; p 0.005) [seeds of both arms are no more alike than others (rho "
          "= -0.81): pairing gains nothing here]");
}

static void test_overstated(void **state)
{
    (void)state;
    check_points(10, .4, .5, 0, "HELPS",
                 "HELPS: +0.40 points accuracy (95% CI +0.04 to +0.76; 7 of 10 seeds; p 0.032) "
                 "[effect likely overstated: 10 seeds detect 0.50 points with 80% power]");
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
    double value[40];
    struct recipe recipe = {.arms = 2, .seeds = 6, .value = value, .status = "running"};
    fill_looks(&recipe);
    fill(value, 6, .01, .002);
    check(&recipe, 0, "HELPS",
          "HELPS: +1.00 points accuracy (95% repeated CI +0.58 to +1.42; 6 of 6 seeds; p 0.004) "
          "[stopped early: effect likely overstated by about 0.05 to 0.2 s_D]");
    fill(value, 6, .0001, .002);
    check(&recipe, 0, "NOT FINISHED", "NOT FINISHED: 6 of 20 seeds, +0.01 points accuracy so far");
    recipe.margin = .01;
    check(&recipe, 0, "NO MEANINGFUL DIFFERENCE (within 1 point either way)",
          "NO MEANINGFUL DIFFERENCE (within 1 point either way): +0.01 points accuracy (95% repeated CI -0.41 to +0.43; better in 3 of 6 "
          "seeds; p >0.2) [dropped for futility at 6 seeds]");
    recipe.seeds = 4;
    check(&recipe, 0, "NOT FINISHED", "NOT FINISHED: 4 of 20 seeds, -0.10 points accuracy so far");
    recipe.status = "done";
    check(&recipe, 0, "NO VERDICT", "NO VERDICT: 4 seeds, fewer than the first look takes");
}

static void test_until_decided(void **state)
{
    (void)state;
    double value[40];
    struct recipe recipe = {.arms = 2, .seeds = 8, .planned = 20, .value = value, .status = "running", .stopping = STOP_DECIDED};
    fill(value, 8, .01, .002);
    check(&recipe, 0, "HELPS",
          "HELPS: +1.00 points accuracy (95% confidence sequence +0.70 to +1.30; 8 of 8 seeds; p 0.001) "
          "[stopped early: effect likely overstated by about 0.05 to 0.2 s_D]");
    recipe.seeds = 3;
    recipe.status = "done";
    check(&recipe, 0, "NO VERDICT", "NO VERDICT: 3 seeds allow no interval yet");
}

static void test_unfinished(void **state)
{
    (void)state;
    double value[40];
    fill(value, 8, .01, .002);
    struct recipe recipe = {.arms = 2, .seeds = 8, .planned = 10, .value = value, .status = "interrupted"};
    check(&recipe, 0, "NOT FINISHED", "NOT FINISHED: 8 of 10 seeds, +1.00 points accuracy so far");
    double nothing[] = {.9, -INFINITY};
    recipe.seeds = 1;
    recipe.value = nothing;
    check(&recipe, 0, "NOT FINISHED", "NOT FINISHED: no seed has all the trials that this compares");
}

static void test_screening(void **state)
{
    (void)state;
    double value[33];
    for (int s = 0; s < 11; s++) {
        value[3 * s] = .9 + (s % 2 ? .01 : -.01);
        value[3 * s + 1] = value[3 * s] + spread(11, s, .01, .002);
        value[3 * s + 2] = value[3 * s] + spread(11, s, .0, .002);
    }
    check(&(struct recipe){.design = DESIGN_SCREEN, .arms = 3, .seeds = 11, .value = value}, 0, "CANDIDATE",
          "CANDIDATE: +1.00 points accuracy over 11 seeds that also chose it; confirm it on fresh seeds (--confirm)");
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
    double value[28];
    fill_factorial(value, 7);
    struct recipe recipe = {.design = DESIGN_FACTORIAL, .arms = 4, .seeds = 7, .value = value};
    check(&recipe, 0, "HELPS on average",
          "HELPS on average: +0.50 points accuracy (95% CI +0.41 to +0.59; 7 of 7 seeds; p <0.0001, Holm <0.0001)");
    check(&recipe, 2, "ADD UP TO LESS",
          "ADD UP TO LESS: -0.500 points accuracy (95% CI -0.546 to -0.454; less in 7 of 7 seeds; p <0.0001)");
    recipe.margin = .002;
    check(&recipe, 2, "ADD UP TO LESS, at least 0.2 points",
          "ADD UP TO LESS, at least 0.2 points: -0.500 points accuracy (95% CI -0.546 to -0.454; less in 7 of 7 seeds; p <0.0001)");
}

static void test_ablation(void **state)
{
    (void)state;
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
    check(&recipe, 3, "HELPS in the stack",
          "HELPS in the stack: +1.50 points accuracy (95% CI +1.41 to +1.59; 7 of 7 seeds; p <0.0001, Holm <0.0001)");
    check(&recipe, 5, "ADD UP TO MORE",
          "ADD UP TO MORE: +0.50 points accuracy (95% CI +0.32 to +0.68; more in 7 of 7 seeds; p 0.0006, Holm 0.0006)");
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
