#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/random.h"

/* All in one arena, which goes with it. */
struct fixture {
    struct analysis analysis; /* first: fixture_free() is given this */
    struct arena *arena;
    enum design design;
    int treated, seeds, budgets;
};

static const char *const trick_name[] = {"mixup",
                                         "cutmix",
                                         "label-smoothing",
                                         "sam",
                                         "awp",
                                         "rdrop",
                                         "ema",
                                         "gradient-centering",
                                         "swa",
                                         "focal-loss",
                                         "lookahead",
                                         "stochastic-depth",
                                         "random-erasing",
                                         "fgm",
                                         "pgd",
                                         "freelb",
                                         "snapshot",
                                         "warm-restarts",
                                         "manifold",
                                         "noisy-labels-by-loss"};
static const double trick_effect[] = {.021, .012, .006, .018, .001, -.004, .009, .0002, .004, -.013,
                                      .003, 0,    .008, .002, .005, -.001, .007, 0,     .011, -.002};
static const double trick_cost[] = {1.02, 1.03, 1, 2, 1.95, 2.1, 1.04, 1.01, 1, 1, 1.05, .85, 1.02, 1.98, 4.1, 3.2, 1, 1, 1.04, 1.3};
static const double budget_size[] = {1.5, 2, 3, 4};
static const double budget_gain[] = {.006, .009, .012, .0125};

static void *zeroed(struct fixture *fixture, size_t count, size_t size)
{
    return arena_zeroed(fixture->arena, count * size + 1);
}

static char *text(struct fixture *fixture, const char *format, ...)
{
    char buffer[512];
    va_list list;
    va_start(list, format);
    vsnprintf(buffer, sizeof buffer, format, list);
    va_end(list);
    return arena_text(fixture->arena, buffer);
}

static char **texts(struct fixture *fixture, const char *const *from)
{
    char **to = zeroed(fixture, 9, sizeof *to);
    for (int i = 0; from[i] && i < 8; i++) to[i] = text(fixture, "%s", from[i]);
    return to;
}

static double normal(const char *name, int a, int b)
{
    return random_normal(random_key(4, name), (struct random_place){(uint32_t)a, (uint32_t)b, 0}, 0);
}

/* ---- Plan ---- */

static uint64_t arm_factors(const struct fixture *fixture, int a)
{
    if (a > fixture->treated) return 0;
    return fixture->design == DESIGN_FACTORIAL ? (uint64_t)a : a ? (uint64_t)1 << (a - 1) : 0;
}

static char *arm_name(struct fixture *fixture, int a)
{
    char name[256] = "";
    if (a == 0) return text(fixture, "baseline");
    if (a > fixture->treated) return text(fixture, "baseline x%g", budget_size[a - fixture->treated - 1]);
    for (int j = 0; j < 20; j++)
        if (arm_factors(fixture, a) >> j & 1)
            snprintf(name + strlen(name), sizeof name - strlen(name), "%s%s", *name ? " + " : "", trick_name[j]);
    return text(fixture, "%s", name);
}

static void make_arms(struct fixture *fixture, struct plan *plan)
{
    plan->arms = 1 + fixture->treated + fixture->budgets;
    plan->arm = zeroed(fixture, (size_t)plan->arms, sizeof *plan->arm);
    for (int a = 0; a < plan->arms; a++) {
        struct arm *arm = &plan->arm[a];
        bool budget = a > fixture->treated;
        arm->name = arm_name(fixture, a);
        arm->kind = budget ? ARM_BUDGET : a ? ARM_TREATED : ARM_BASELINE;
        arm->budget = budget ? budget_size[a - fixture->treated - 1] : 1;
        arm->factors = arm_factors(fixture, a);
        arm->config = text(fixture, "{\"data\": \"digits\"}");
        arm->resolved = text(fixture, "{\"data\": \"digits\", \"train\": {\"epochs\": 30}}");
        arm->tricks = a && !budget
                          ? text(fixture, "[{\"name\": \"%s\", \"plugin\": \"%s\", \"version\": \"1.0.0\", \"options\": {\"alpha\": 0.2}}]",
                                 trick_name[a - 1], trick_name[a - 1])
                          : text(fixture, "[]");
        arm->differences = a > 0;
        arm->difference = zeroed(fixture, 1, sizeof *arm->difference);
        arm->difference[0] = budget ? text(fixture, "train.epochs: 30 -> %g", 30 * arm->budget)
                                    : text(fixture, "plugins: + %s (alpha 0.2)", a ? trick_name[a - 1] : "");
        arm->updates = (int64_t)(570 * arm->budget);
        arm->parameters = 12010;
    }
}

static int bits(uint64_t set)
{
    return __builtin_popcountll(set);
}

static void make_factorial_contrast(struct fixture *fixture, struct plan *plan, struct contrast *contrast, uint64_t effect)
{
    char name[256] = "";
    for (int j = 0; j < 20; j++)
        if (effect >> j & 1) snprintf(name + strlen(name), sizeof name - strlen(name), "%s%s", *name ? " x " : "", trick_name[j]);
    contrast->name = text(fixture, "%s", name);
    contrast->kind = bits(effect) == 1 ? CONTRAST_MAIN : CONTRAST_INTERACTION;
    contrast->arm = -1;
    contrast->family = bits(effect) > 1;
    contrast->factors = effect;
    int runs = fixture->treated + 1;
    for (int a = 0; a < runs; a++) contrast->weight[a] = (bits(effect & ~(uint64_t)a) & 1 ? -1 : 1) * 2.0 / runs;
    (void)plan;
}

static void make_contrasts(struct fixture *fixture, struct plan *plan)
{
    plan->contrasts = fixture->treated;
    plan->contrast = zeroed(fixture, (size_t)plan->contrasts, sizeof *plan->contrast);
    for (int c = 0; c < plan->contrasts; c++) {
        struct contrast *contrast = &plan->contrast[c];
        contrast->weight = zeroed(fixture, (size_t)plan->arms, sizeof *contrast->weight);
        if (fixture->design == DESIGN_FACTORIAL) {
            make_factorial_contrast(fixture, plan, contrast, (uint64_t)c + 1);
            continue;
        }
        contrast->name = text(fixture, "%s", plan->arm[c + 1].name);
        contrast->kind = CONTRAST_ARM;
        contrast->arm = c + 1;
        contrast->factors = plan->arm[c + 1].factors;
        contrast->weight[0] = -1;
        contrast->weight[c + 1] = 1;
    }
}

static struct plan *make_plan(struct fixture *fixture)
{
    struct plan *plan = zeroed(fixture, 1, sizeof *plan);
    plan->name = text(fixture, "digits-small");
    plan->config = text(fixture, "examples/digits-small.json");
    plan->folder = text(fixture, "/somewhere/examples");
    plan->command = text(fixture, "knack compare examples/digits-small.json --tricks mixup,sam --seeds %d", fixture->seeds);
    plan->design = fixture->design;
    plan->role = fixture->design == DESIGN_SCREEN ? ROLE_SCREENING : ROLE_VERDICT;
    make_arms(fixture, plan);
    make_contrasts(fixture, plan);
    plan->factors = fixture->design == DESIGN_FACTORIAL ? bits((uint64_t)fixture->treated) : fixture->treated;
    plan->factor = zeroed(fixture, (size_t)plan->factors, sizeof *plan->factor);
    for (int j = 0; j < plan->factors; j++) plan->factor[j] = text(fixture, "%s", trick_name[j]);
    plan->first_seed = 2000;
    plan->seeds = fixture->seeds;
    plan->part = text(fixture, "test");
    plan->metric = text(fixture, "accuracy");
    plan->margin = .002;
    plan->failed_score = .1;
    plan->equal_cost = true;
    plan->threads = 1;
    plan->test_set = 0x1234567890abcdefu;
    plan->train_count = 600;
    plan->test_count = 797;
    plan->data_title = text(fixture, "digits: 600 training, 797 test images of 8 x 8, 10 classes, 20 %% wrong labels");
    return plan;
}

/* ---- Results ---- */

static double effect_of(const struct fixture *fixture, int a)
{
    if (a > fixture->treated) return budget_gain[a - fixture->treated - 1];
    double sum = 0;
    for (int j = 0; j < 20; j++)
        if (arm_factors(fixture, a) >> j & 1) sum += trick_effect[j];
    return bits(arm_factors(fixture, a)) > 1 ? .7 * sum : sum;
}

static double cost_of(const struct fixture *fixture, int a)
{
    if (a > fixture->treated) return budget_size[a - fixture->treated - 1];
    double cost = 1;
    for (int j = 0; j < 20; j++)
        if (arm_factors(fixture, a) >> j & 1) cost += trick_cost[j] - 1;
    return cost;
}

static bool has_failed(const struct fixture *fixture, int a, int s)
{
    return fixture->treated >= 7 && a == 5 && s % 6 == 2;
}

static double value_of(const struct fixture *fixture, int a, int s)
{
    if (has_failed(fixture, a, s)) return .1;
    double value = .862 + .008 * normal("seed", s, 0) + effect_of(fixture, a) + .003 * normal("arm", s, a + 1);
    return round(value * 797) / 797;
}

static double mean_of(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

static double sd_of(const double *x, int64_t n)
{
    double mean = mean_of(x, n), sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return n > 1 ? sqrt(sum / (double)(n - 1)) : NAN;
}

static void make_arm_result(struct fixture *fixture, int a)
{
    struct arm_result *result = &fixture->analysis.arm[a];
    size_t n = (size_t)fixture->seeds;
    double cost = cost_of(fixture, a);
    result->arm = &fixture->analysis.plan->arm[a];
    result->n = fixture->seeds;
    result->seed = zeroed(fixture, n, sizeof *result->seed);
    result->value = zeroed(fixture, n, sizeof *result->value);
    result->failure = zeroed(fixture, n, sizeof *result->failure);
    result->status = zeroed(fixture, n, sizeof *result->status);
    result->message = zeroed(fixture, n, sizeof *result->message);
    for (int s = 0; s < fixture->seeds; s++) {
        result->seed[s] = 2000 + s;
        result->value[s] = value_of(fixture, a, s);
        result->failure[s] = has_failed(fixture, a, s);
        result->failed += result->failure[s];
        if (!result->failure[s]) continue;
        result->status[s] = TRIAL_NOT_FINITE;
        result->message[s] = text(fixture, "the loss was not finite in 10 updates in a row, the last of them update 233");
    }
    result->mean = mean_of(result->value, result->n);
    result->sd = sd_of(result->value, result->n);
    result->gradient_evaluations = floor(570 * cost);
    result->cost_count = cost;
    result->cost_seconds = cost * 1.04;
    result->cost_ci = (struct interval){cost * 1.01, cost * 1.07};
    result->inference = 1;
    result->seconds = .4 * cost;
    result->cpu_per_update = 7e-4 * cost;
    result->peak_memory = 40 << 20;
    result->failure_bound = result->failed ? NAN : 1 - pow(.05, 1.0 / fixture->seeds);
    result->p_failures = result->failed ? pow(.5, (double)result->failed - 1) : NAN;
    result->secondaries = 2;
    result->secondary = zeroed(fixture, 2, sizeof *result->secondary);
    result->secondary[0] = (struct trial_metric_mean){"test", "loss", .52 - effect_of(fixture, a), .02, -effect_of(fixture, a), result->n};
    result->secondary[1] = (struct trial_metric_mean){"test", "ece", .04, .005, .001, result->n};
}

static void mark_pareto(struct analysis *analysis)
{
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        analysis->arm[a].pareto = true;
        for (int64_t b = 0; b < analysis->plan->arms; b++)
            if (analysis->arm[b].cost_count <= analysis->arm[a].cost_count && analysis->arm[b].mean > analysis->arm[a].mean)
                analysis->arm[a].pareto = false;
    }
}

static struct interval around(double centre, double half)
{
    return (struct interval){centre - half, centre + half};
}

static void make_estimate(struct fixture *fixture, const struct contrast *contrast, struct estimate *estimate)
{
    int64_t n = fixture->seeds;
    double quantile = 1.96 + 2.4 / (double)(n - 1) + 3 / pow((double)n - 1, 2);
    estimate->n = n;
    estimate->seed = zeroed(fixture, (size_t)n, sizeof *estimate->seed);
    estimate->difference = zeroed(fixture, (size_t)n, sizeof *estimate->difference);
    for (int s = 0; s < n; s++) {
        estimate->seed[s] = 2000 + s;
        for (int64_t a = 0; a < fixture->analysis.plan->arms; a++)
            estimate->difference[s] += contrast->weight[a] == 0 ? 0 : contrast->weight[a] * fixture->analysis.arm[a].value[s];
        estimate->wins += estimate->difference[s] > 0 ? 1 : estimate->difference[s] == 0 ? .5 : 0;
    }
    estimate->delta = mean_of(estimate->difference, n);
    estimate->s_d = sd_of(estimate->difference, n);
    estimate->se = estimate->s_d / sqrt((double)n);
    estimate->df = (double)n - 1;
    estimate->t = estimate->delta / estimate->se;
    estimate->p = erfc(fabs(estimate->t) / quantile * 1.3859);
    estimate->p_adjusted = fmin(1, estimate->p * (double)fixture->analysis.plan->contrasts);
    estimate->p_flip = estimate->p;
    estimate->ci = around(estimate->delta, quantile * estimate->se);
    estimate->simultaneous = around(estimate->delta, (quantile + .9) * estimate->se);
    estimate->next = around(estimate->delta, quantile * estimate->s_d * sqrt(1 + 1 / (double)n));
    double share = estimate->wins / (double)n;
    estimate->wins_ci = (struct interval){fmax(0, share - .3), fmin(1, share + .2)};
    estimate->rho = .86;
    estimate->vrf = 4.2;
    estimate->relative = 100 * estimate->delta / .138;
    estimate->relative_ci = (struct interval){100 * estimate->ci.low / .138, 100 * estimate->ci.high / .138};
    estimate->detectable = estimate->s_d;
    estimate->look = -1;
    estimate->boundary = NAN;
}

static void make_verdict(struct fixture *fixture, struct contrast_result *result)
{
    struct verdict *verdict = &result->verdict;
    const struct estimate *estimate = &result->estimate;
    bool sure = estimate->p_adjusted < .05;
    verdict->kind = !sure ? VERDICT_INCONCLUSIVE : estimate->delta > 0 ? VERDICT_HELPS : VERDICT_HURTS;
    verdict->word = text(fixture, "%s",
                         !sure                 ? "INCONCLUSIVE"
                         : estimate->delta > 0 ? "HELPS, at least 0.2 points"
                                               : "HURTS, size uncertain vs 0.2 points");
    verdict->sentence =
        text(fixture, "%s: %+.2f points accuracy (95%% CI %+.2f to %+.2f; %g of %d seeds; p %.2g, Holm %.2g) [this test set only]",
             verdict->word, 100 * estimate->delta, 100 * estimate->ci.low, 100 * estimate->ci.high, estimate->wins, fixture->seeds,
             estimate->p, estimate->p_adjusted);
    verdict->qualifiers = 1;
    verdict->qualifier = texts(fixture, (const char *const[]){"this test set only", NULL});
}

static void describe_sides(struct fixture *fixture, struct contrast_result *result)
{
    double *weight = result->contrast->weight, off = 0, on = 0;
    result->title = result->contrast->name;
    for (int64_t a = 0; a < fixture->analysis.plan->arms; a++) {
        const struct arm_result *arm = &fixture->analysis.arm[a];
        *(weight[a] < 0 ? &off : &on) += fabs(weight[a]) * arm->mean;
        *(weight[a] < 0 ? &result->base_failed : &result->failed) += weight[a] == 0 ? 0 : arm->failed;
    }
    bool sides = result->contrast->kind != CONTRAST_INTERACTION;
    result->base_mean = sides ? off : NAN;
    result->arm_mean = sides ? on : NAN;
    result->cost = sides ? result->equal_cost : NAN;
}

static void make_contrast_result(struct fixture *fixture, int64_t c)
{
    struct contrast_result *result = &fixture->analysis.contrast[c];
    result->contrast = &fixture->analysis.plan->contrast[c];
    make_estimate(fixture, result->contrast, &result->estimate);
    double variance = pow(result->estimate.se, 2);
    result->two_level = (struct two_level){true,
                                           fixture->seeds,
                                           797,
                                           1.4 * result->estimate.se,
                                           12,
                                           .01,
                                           around(result->estimate.delta, 3 * result->estimate.se),
                                           .3 + .02 * (double)c,
                                           .5,
                                           .2 - .02 * (double)c,
                                           variance * .6,
                                           variance,
                                           variance * .4};
    if (c > 8) result->two_level.known = false;
    double cost = result->contrast->arm > 0 ? fixture->analysis.arm[result->contrast->arm].cost_count : 1;
    bool read = fixture->budgets && result->contrast->arm > 0 && cost <= 4;
    result->equal_cost = cost;
    result->equal_cost_delta = read ? result->estimate.delta - .009 * log(cost) : NAN;
    result->equal_cost_ci = around(result->equal_cost_delta, 2.3 * result->estimate.se);
    result->equal_cost_p = read ? .01 : NAN;
    result->equal_cost_missing = cost > 1.25 && !read;
    result->equal_quality_saving = !read ? NAN : result->estimate.delta > .0125 ? INFINITY : fmax(.3, 1.5 / cost);
    describe_sides(fixture, result);
    make_verdict(fixture, result);
}

static void make_curve(struct fixture *fixture, int a)
{
    struct curve *curve = &fixture->analysis.curve[a];
    size_t points = 30, n = (size_t)fixture->seeds;
    curve->points = (int64_t)points;
    curve->epoch = zeroed(fixture, points, sizeof(double));
    curve->value = zeroed(fixture, points * n, sizeof(double));
    curve->mean = zeroed(fixture, points, sizeof(double));
    curve->difference = zeroed(fixture, points, sizeof(double));
    curve->low = zeroed(fixture, points, sizeof(double));
    curve->high = zeroed(fixture, points, sizeof(double));
    for (size_t p = 0; p < points; p++) {
        curve->epoch[p] = (double)(p + 1) * fixture->analysis.plan->arm[a].budget;
        double rise = 1 - exp(-.15 * (double)(p + 1));
        for (int s = 0; s < fixture->seeds; s++) {
            double value = 2.3 - 1.6 * rise - 3 * rise * effect_of(fixture, a) + .03 * normal("curve", s, 100 * a + (int)p);
            curve->value[(size_t)s * points + p] = has_failed(fixture, a, s) && p > 11 ? NAN : value;
            curve->mean[p] += value / (double)n;
        }
        curve->difference[p] = curve->mean[p] - (a ? fixture->analysis.curve[0].mean[p] : curve->mean[p]);
        curve->low[p] = curve->difference[p] - .02;
        curve->high[p] = curve->difference[p] + .02;
    }
}

static void make_header(struct fixture *fixture)
{
    struct analysis *analysis = &fixture->analysis;
    strcpy(analysis->status, "done");
    strcpy(analysis->curve_part, "train");
    strcpy(analysis->curve_metric, "loss");
    analysis->comparison_number = 3;
    analysis->blocks = fixture->seeds;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) analysis->family_size[analysis->plan->contrast[c].family]++;
    analysis->adjustment = text(
        fixture, fixture->design == DESIGN_SCREEN ? "Benjamini-Hochberg q over %d comparisons: a screening" : "Holm over %d comparisons",
        (int)analysis->family_size[0]);
    analysis->fixed =
        texts(fixture, (const char *const[]){"data and its split: digits", "model: mlp", "hyper-parameters of the base config", NULL});
    analysis->random =
        texts(fixture, (const char *const[]){"initial weights", "data order", "augmentation", "dropout", "draws of tricks", NULL});
    analysis->percent = 100;
    analysis->unit = "points of accuracy";
    analysis->knack = text(fixture, "0.1.0");
    analysis->machine = text(fixture, "x86-64-v4, oneDNN 2.6.3");
    analysis->finished = true;
    analysis->screening = fixture->design == DESIGN_SCREEN;
    analysis->best_bias = analysis->screening ? 1.87 : 0;
    analysis->arena = fixture->arena;
}

struct analysis *fixture_analysis(int arms, int seeds, enum design design)
{
    struct arena *arena = arena_new(1 << 20);
    struct fixture *fixture = arena ? arena_zeroed(arena, sizeof *fixture) : NULL;
    if (!fixture) return NULL;
    *fixture = (struct fixture){
        .arena = arena, .design = design, .treated = arms - 1, .seeds = seeds, .budgets = arms >= 8 && design != DESIGN_SCREEN ? 4 : 0};
    struct analysis *analysis = &fixture->analysis;
    analysis->plan = make_plan(fixture);
    analysis->arm = zeroed(fixture, (size_t)analysis->plan->arms, sizeof *analysis->arm);
    analysis->contrast = zeroed(fixture, (size_t)analysis->plan->contrasts, sizeof *analysis->contrast);
    analysis->curve = zeroed(fixture, (size_t)analysis->plan->arms, sizeof *analysis->curve);
    make_header(fixture);
    for (int a = 0; a < analysis->plan->arms; a++) make_arm_result(fixture, a);
    for (int a = 0; a < analysis->plan->arms; a++) make_curve(fixture, a);
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) make_contrast_result(fixture, c);
    mark_pareto(analysis);
    return analysis;
}

void fixture_free(struct analysis *analysis)
{
    if (analysis) arena_free(((struct fixture *)analysis)->arena);
}
