#include "fixture.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { EXAMPLES = 797, EPOCHS = 30, MOST_TRICKS = 20 };
static const double trick_effect[MOST_TRICKS] = {.021, .012, .006, .018, .001, -.03,  .009, .0002, .004, -.013,
                                                 .003, 0,    .008, .002, .005, -.001, .007, 0,     .011, -.002};
static const double trick_cost[MOST_TRICKS] = {1.02, 1.03, 1,    2,    1.95, 2.1, 1.04, 1.01, 1,    1,
                                               1.05, .85,  1.02, 1.98, 4.1,  3.2, 1,    1,    1.04, 1.3};
static const double budget_size[] = {1.5, 2, 3, 4}, budget_gain[] = {.006, .009, .012, .0125};

static double normal(const char *name, int a, int b, int c)
{
    return random_normal(random_key(4, name), (struct random_place){(uint32_t)a, (uint32_t)b, (uint32_t)c}, 0);
}

/* Which tricks an arm has; as recipe.c numbers them. */
static uint64_t tricks_of(const struct recipe *recipe, int a)
{
    int k = recipe->arms / 2 - 1;
    if (a >= recipe->arms) return 0;
    if (recipe->design == DESIGN_FACTORIAL) return (uint64_t)a;
    if (recipe->design == DESIGN_ABLATION && a > k) return ((uint64_t)1 << k) - 1 - (a > k + 1 ? (uint64_t)1 << (a - k - 2) : 0);
    return a ? (uint64_t)1 << (a - 1) : 0;
}

/* Together they add up to less than alone. */
static double effect_of(const struct recipe *recipe, int a)
{
    if (a >= recipe->arms) return budget_gain[a - recipe->arms];
    double sum = 0;
    int tricks = 0;
    for (int j = 0; j < MOST_TRICKS; j++) {
        if (!(tricks_of(recipe, a) >> j & 1)) continue;
        sum += trick_effect[j];
        tricks++;
    }
    return tricks > 1 ? .7 * sum : sum;
}

static double passes_of(const struct recipe *recipe, int a)
{
    if (a >= recipe->arms) return budget_size[a - recipe->arms];
    double cost = 1;
    for (int j = 0; j < MOST_TRICKS; j++)
        if (tricks_of(recipe, a) >> j & 1) cost += trick_cost[j] - 1;
    return cost;
}

static bool has_failed(const struct recipe *recipe, int a, int s)
{
    return recipe->arms >= 8 && a == 5 && s % 6 == 2;
}

/* Noise of variance 1 for four examples at once. */
static void noise(const char *name, int a, int b, int four, double *out)
{
    uint32_t word[4];
    random_philox(random_key(4, name), (const uint32_t[4]){(uint32_t)four, 0, (uint32_t)a, (uint32_t)b}, word);
    for (int k = 0; k < 4; k++) out[k] = sqrt(12) * ((word[k] + .5) / 4294967296.0 - .5);
}

/* An example is right if what the model knows outweighs its difficulty. Some of its chance is common to the arms of a seed. */
static bool add_examples(const struct recipe *recipe, int a, int s, struct trial_outcome *outcome)
{
    double ability = .62 + .02 * normal("seed", s, 0, 0) + .007 * normal("arm", s, a, 0) + effect_of(recipe, a) * 2;
    double difficulty[4], block[4], own[4];
    int right = 0;
    outcome->examples = EXAMPLES;
    outcome->correct = memory_new(EXAMPLES, sizeof *outcome->correct);
    outcome->loss = memory_new(EXAMPLES, sizeof *outcome->loss);
    if (!outcome->correct || !outcome->loss) return false;
    for (int i = 0; i < EXAMPLES; i++) {
        if (i % 4 == 0) {
            noise("difficulty", 0, 0, i / 4, difficulty);
            noise("block", s, 0, i / 4, block);
            noise("own", s, a + 1, i / 4, own);
        }
        double surplus = ability - .5 * difficulty[i % 4] - .12 * block[i % 4] - .1 * own[i % 4];
        outcome->correct[i] = surplus > 0;
        outcome->loss[i] = (float)log1p(exp(-4 * surplus));
        right += outcome->correct[i];
    }
    outcome->value = (double)right / EXAMPLES;
    return true;
}

static void add_metric(struct trial_outcome *outcome, const char *part, const char *metric, int epoch, double value, bool final)
{
    struct trial_metric *to = &outcome->metric[outcome->metrics++];
    strcpy(to->part, part);
    strcpy(to->metric, metric);
    strcpy(to->weights, "raw");
    to->update = 19 * epoch;
    to->epoch = epoch;
    to->value = value;
    to->final = final;
}

static bool add_metrics(const struct recipe *recipe, int a, int s, struct trial_outcome *outcome)
{
    int epochs = (int)(EPOCHS * (a >= recipe->arms ? budget_size[a - recipe->arms] : 1)), until = has_failed(recipe, a, s) ? 12 : epochs;
    outcome->metric = memory_new((size_t)epochs + 3, sizeof *outcome->metric);
    if (!outcome->metric) return false;
    for (int e = 1; e <= until; e++) {
        double rise = 1 - exp(-.15 * e);
        add_metric(outcome, "train", "loss", e, 2.3 - 1.6 * rise - 3 * rise * effect_of(recipe, a) + .03 * normal("curve", s, a, e), false);
    }
    if (until < epochs) return true;
    add_metric(outcome, "test", "accuracy", epochs, outcome->value, true);
    add_metric(outcome, "test", "loss", epochs, .52 - effect_of(recipe, a) + .01 * normal("loss", s, a, 0), true);
    add_metric(outcome, "test", "ece", epochs, .04 + .005 * normal("ece", s, a, 0), true);
    return true;
}

static bool make_trial(const struct recipe *recipe, int a, int s, struct trial_outcome *outcome)
{
    if (has_failed(recipe, a, s)) {
        outcome->status = TRIAL_NOT_FINITE;
        outcome->value = NAN;
        strcpy(outcome->message, "loss or gradient was not finite in 11 steps in a row, at step 233");
        strcpy(outcome->place, "trick \"awp\", hook post_backward");
        outcome->step = 232;
        return add_metrics(recipe, a, s, outcome);
    }
    return add_examples(recipe, a, s, outcome) && add_metrics(recipe, a, s, outcome);
}

struct analysis *fixture_analysis(int arms, int seeds, enum design design)
{
    double cost[MOST_TRICKS + 16];
    struct recipe recipe = {.design = design,
                            .arms = arms,
                            .seeds = seeds,
                            .budgets = arms >= 8 && design == DESIGN_ONE ? 4 : 0,
                            .margin = .002,
                            .failed_score = .1,
                            .classes = 4,
                            .number = 3,
                            .measurements = 6,
                            .cost = cost,
                            .trial = make_trial};
    for (int a = 0; a < arms + recipe.budgets; a++) cost[a] = passes_of(&recipe, a);
    return recipe_analysis(&recipe);
}
