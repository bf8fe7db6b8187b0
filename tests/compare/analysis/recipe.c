/* A store filled by a recipe. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/tree.h"
#include "fixture.h"

enum { UPDATES = 570, FIRST_SEED = 2000 };
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
static const double budget_size[] = {1.5, 2, 3, 4};

/* A plan, and the arena that it lies in. */
struct kept_plan {
    struct plan plan; /* first: an analysis has this */
    struct arena *arena;
};
/* While it is made. */
struct making {
    const struct recipe *recipe;
    struct arena *arena;
    struct plan *plan;
    int tricks;
};

static void *zeroed(struct making *making, size_t count, size_t size)
{
    return arena_zeroed(making->arena, count * size + 1);
}

static char *text(struct making *making, const char *format, ...) __attribute__((format(printf, 2, 3)));
static char *text(struct making *making, const char *format, ...)
{
    char buffer[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(buffer, sizeof buffer, format, list);
    va_end(list);
    return arena_text(making->arena, buffer);
}

static int bits(uint64_t set)
{
    return __builtin_popcountll(set);
}

/* ---- Arms ---- */

/* Ablations: the baseline, each trick alone, all, all but each. */
static uint64_t arm_factors(const struct making *making, int a)
{
    int k = making->tricks;
    if (a >= making->recipe->arms) return 0;
    if (making->recipe->design == DESIGN_FACTORIAL) return (uint64_t)a;
    if (making->recipe->design == DESIGN_ABLATION && a > k) return ((uint64_t)1 << k) - 1 - (a > k + 1 ? (uint64_t)1 << (a - k - 2) : 0);
    return a ? (uint64_t)1 << (a - 1) : 0;
}

static const char *name_of_trick(const struct making *making, int j)
{
    return making->recipe->name ? making->recipe->name[j] : trick_name[j];
}

static char *join_tricks(struct making *making, uint64_t set, const char *between)
{
    char name[512] = "";
    for (int j = 0; j < making->tricks; j++)
        if (set >> j & 1) snprintf(name + strlen(name), sizeof name - strlen(name), "%s%s", *name ? between : "", name_of_trick(making, j));
    return text(making, "%s", name);
}

static char *arm_name(struct making *making, int a)
{
    int k = making->tricks;
    if (a == 0) return text(making, "baseline");
    if (a >= making->recipe->arms) return text(making, "baseline x%g", budget_size[a - making->recipe->arms]);
    if (making->recipe->design == DESIGN_ABLATION && a == k + 1) return text(making, "all");
    if (making->recipe->design == DESIGN_ABLATION && a > k + 1) return text(making, "all - %s", name_of_trick(making, a - k - 2));
    return join_tricks(making, arm_factors(making, a), " + ");
}

static char *arm_tricks(struct making *making, uint64_t set)
{
    char list[4096] = "[";
    for (int j = 0; j < making->tricks; j++)
        if (set >> j & 1)
            snprintf(list + strlen(list), sizeof list - strlen(list),
                     "%s{\"name\": \"%s\", \"plugin\": \"%s\", \"version\": \"1.0.0\", \"options\": {\"alpha\": 0.2}}", list[1] ? ", " : "",
                     name_of_trick(making, j), name_of_trick(making, j));
    char *copy = zeroed(making, strlen(list) + 2, 1);
    return copy ? strcat(strcpy(copy, list), "]") : NULL;
}

static void make_arm(struct making *making, int a)
{
    struct arm *arm = &making->plan->arm[a];
    bool budget = a >= making->recipe->arms;
    uint64_t set = arm_factors(making, a);
    arm->name = arm_name(making, a);
    arm->kind = budget ? ARM_BUDGET : a ? ARM_TREATED : ARM_BASELINE;
    arm->budget = budget ? budget_size[a - making->recipe->arms] : 1;
    arm->factors = making->recipe->design == DESIGN_ONE ? 0 : set;
    arm->config = text(making, "{\"data\": {\"source\": \"digits\"}, \"train\": {\"epochs\": %g}}", 30 * arm->budget);
    arm->resolved =
        text(making,
             "{\"data\": {\"source\": \"digits\", \"shuffle\": true, \"augment\": []}, \"model\": {\"type\": \"mlp\", \"dropout\": 0.1}, "
             "\"train\": {\"epochs\": %g, \"batch\": 32, \"optimizer\": {\"type\": \"adamw\", \"lr\": 0.003}, \"schedule\": {\"type\": "
             "\"cosine\"}}}",
             30 * arm->budget);
    arm->tricks = arm_tricks(making, set);
    arm->differences = a > 0 ? (budget ? 1 : bits(set)) : 0;
    arm->difference = zeroed(making, (size_t)arm->differences, sizeof *arm->difference);
    for (int j = 0, i = 0; j < making->tricks; j++)
        if (set >> j & 1) arm->difference[i++] = text(making, "plugins: + %s (alpha 0.2)", name_of_trick(making, j));
    if (budget) arm->difference[0] = text(making, "train.epochs: 30 -> %g", 30 * arm->budget);
    arm->updates = (int64_t)(UPDATES * arm->budget);
    arm->parameters = 12010;
    arm->update_cost = arm->update_cost_low = arm->update_cost_high = NAN;
    if (making->recipe->measurements == 0 || a == 0 || budget) return;
    double passes = making->recipe->cost ? making->recipe->cost[a] : 1;
    arm->update_cost = 1.034 * passes; /* as add_measurements() has it */
    arm->update_cost_low = 1.03 * passes;
    arm->update_cost_high = 1.038 * passes;
}

/* ---- Contrasts ---- */

static struct contrast *add_contrast(struct making *making, enum contrast_kind kind, uint64_t factors, char *name)
{
    struct contrast *contrast = &making->plan->contrast[making->plan->contrasts++];
    contrast->name = name;
    contrast->kind = kind;
    contrast->arm = -1;
    contrast->family = kind == CONTRAST_REST || kind == CONTRAST_INTERACTION;
    contrast->factors = factors;
    contrast->weight = zeroed(making, (size_t)making->plan->arms, sizeof *contrast->weight);
    return contrast;
}

static void make_factorial(struct making *making)
{
    for (uint64_t effect = 1; effect < (uint64_t)making->recipe->arms; effect++) {
        struct contrast *contrast =
            add_contrast(making, bits(effect) > 1 ? CONTRAST_INTERACTION : CONTRAST_MAIN, effect, join_tricks(making, effect, " x "));
        for (int a = 0; a < making->recipe->arms; a++)
            contrast->weight[a] = (bits(effect & ~(uint64_t)a) & 1 ? -2.0 : 2.0) / making->recipe->arms;
    }
}

static void make_ones(struct making *making, int arms)
{
    for (int a = 1; a < arms; a++) {
        struct contrast *contrast =
            add_contrast(making, CONTRAST_ARM, arm_factors(making, a), text(making, "%s", making->plan->arm[a].name));
        contrast->arm = a;
        contrast->weight[0] = -1;
        contrast->weight[a] = 1;
    }
}

static void make_ablation(struct making *making)
{
    int k = making->tricks;
    make_ones(making, k + 2);
    for (int j = 0; j < k; j++) {
        struct contrast *out =
            add_contrast(making, CONTRAST_LEFT_OUT, (uint64_t)1 << j, text(making, "all without %s", name_of_trick(making, j)));
        out->arm = k + 2 + j;
        out->weight[k + 1] = 1;
        out->weight[k + 2 + j] = -1;
    }
    for (int j = 0; j < k; j++) {
        struct contrast *rest =
            add_contrast(making, CONTRAST_REST, (uint64_t)1 << j, text(making, "%s x the rest", name_of_trick(making, j)));
        rest->weight[k + 1] = 1;
        rest->weight[k + 2 + j] = -1;
        rest->weight[1 + j] = -1;
        rest->weight[0] = 1;
    }
}

static const char *either(const char *given, const char *usual)
{
    return given ? given : usual;
}

static void make_rest(struct making *making)
{
    const struct recipe *recipe = making->recipe;
    struct plan *plan = making->plan;
    plan->name = text(making, "digits-small");
    plan->config = text(making, "examples/digits-small.json");
    plan->folder = text(making, "/");
    plan->command = text(making, "knack compare examples/digits-small.json --tricks mixup,sam --seeds %d", recipe->seeds);
    plan->design = recipe->design;
    plan->stopping = recipe->stopping;
    plan->role = recipe->design == DESIGN_SCREEN ? ROLE_SCREENING : recipe->role ? recipe->role : ROLE_VERDICT;
    plan->factors = recipe->design == DESIGN_ONE ? 0 : making->tricks;
    plan->factor = zeroed(making, (size_t)making->tricks, sizeof *plan->factor);
    for (int j = 0; j < making->tricks; j++) plan->factor[j] = text(making, "%s", name_of_trick(making, j));
    plan->first_seed = FIRST_SEED;
    plan->seeds = recipe->planned ? recipe->planned : recipe->seeds;
    plan->looks = recipe->looks;
    memcpy(plan->look, recipe->look, sizeof plan->look);
    if (plan_find_bounds(plan) < 0) abort();
    plan->part = text(making, "%s", either(recipe->part, "test"));
    plan->metric = text(making, "%s", either(recipe->metric, "accuracy"));
    plan->lower_is_better = recipe->lower_is_better;
    plan->margin = plan->first_margin = recipe->margin;
    plan->failed_score = recipe->failed_score;
    plan->equal_cost = true;
    plan->redraw = recipe->redraw;
    plan->shared = NAN;
    plan->epochs = 30;
    plan->threads = 1;
    plan->test_set = 0x1234567890abcdefu;
    plan->train_count = recipe->train_count ? recipe->train_count : 600;
    plan->test_count = recipe->test_count ? recipe->test_count : 797;
    plan->classes = recipe->classes;
    plan->labels = recipe->classes > 0 ? zeroed(making, (size_t)plan->test_count + 1, 1) : NULL;
    plan->class_name = zeroed(making, (size_t)recipe->classes, sizeof *plan->class_name);
    for (int64_t i = 0; i < plan->test_count && plan->labels; i++) plan->labels[i] = (char)('a' + i % recipe->classes);
    for (int k = 0; k < recipe->classes; k++) plan->class_name[k] = text(making, "class %d", k + 1);
    plan->data_title = text(making, "digits, 20 %% wrong labels");
}

static int count_tricks(const struct recipe *recipe)
{
    if (recipe->design == DESIGN_FACTORIAL) return bits((uint64_t)recipe->arms - 1);
    return recipe->design == DESIGN_ABLATION ? recipe->arms / 2 - 1 : recipe->arms - 1;
}

static void make_plan(struct making *making)
{
    const struct recipe *recipe = making->recipe;
    struct kept_plan *kept = zeroed(making, 1, sizeof *kept);
    struct plan *plan = making->plan = &kept->plan;
    kept->arena = making->arena;
    making->tricks = count_tricks(recipe);
    make_rest(making);
    plan->arms = recipe->arms + recipe->budgets;
    plan->arm = zeroed(making, (size_t)plan->arms, sizeof *plan->arm);
    for (int a = 0; a < plan->arms; a++) make_arm(making, a);
    plan->contrast = zeroed(making, (size_t)(3 * recipe->arms), sizeof *plan->contrast);
    if (recipe->design == DESIGN_FACTORIAL)
        make_factorial(making);
    else if (recipe->design == DESIGN_ABLATION)
        make_ablation(making);
    else
        make_ones(making, recipe->arms);
}

/* ---- Trials ---- */

/* The outcome as the recipe's table has it; false: no such trial. */
static bool read_value(const struct making *making, int a, int s, struct trial_outcome *outcome)
{
    const struct recipe *recipe = making->recipe;
    double passes = recipe->cost ? recipe->cost[a] : making->plan->arm[a].budget;
    outcome->cost = (struct trial_cost){.updates = making->plan->arm[a].updates,
                                        .gradient_rows = UPDATES * passes,
                                        .inference = 1,
                                        .seconds = .4 * passes,
                                        .cpu_seconds = .39 * passes,
                                        .peak_memory = 40 << 20};
    strcpy(outcome->weights, "raw");
    outcome->initial = .1;
    outcome->value = recipe->value ? recipe->value[s * making->plan->arms + a] : 0;
    if (isinf(outcome->value)) return false;
    if (!isnan(outcome->value)) return true;
    outcome->status = TRIAL_NOT_FINITE;
    outcome->code = KNACK_E_NUMERIC;
    strcpy(outcome->message, "loss or gradient was not finite in 11 steps in a row, at step 233");
    return true;
}

static knack_status add_trial(struct making *making, struct store *store, int a, int s)
{
    const struct recipe *recipe = making->recipe;
    struct trial_outcome outcome = {0};
    bool there = read_value(making, a, s, &outcome);
    if (there && recipe->trial) there = recipe->trial(recipe, a, s, &outcome);
    knack_status status = there ? store_add_trial(store, a, FIRST_SEED + s, &outcome) : KNACK_OK;
    trial_outcome_free(&outcome);
    return status;
}

static knack_status add_measurements(struct making *making, struct store *store)
{
    for (int round = 0; round < making->recipe->measurements; round++)
        for (int64_t a = 0; a < making->recipe->arms; a++) {
            double passes = making->recipe->cost ? making->recipe->cost[a] : 1;
            struct stored_measurement measurement = {a, round, 7e-4 * (1 + .01 * round) * (a ? passes * (1.03 + .004 * (round % 3)) : 1),
                                                     40 << 20};
            TRY(store_add_measurement(store, &measurement));
        }
    return KNACK_OK;
}

static knack_status fill(struct making *making, struct store *store)
{
    TRY(store_write_plan(store, making->plan));
    for (int s = 0; s < making->recipe->seeds; s++)
        for (int a = 0; a < making->plan->arms; a++) TRY(add_trial(making, store, a, s));
    TRY(add_measurements(making, store));
    return store_write_status(store, either(making->recipe->status, "done"), making->recipe->number);
}

/* The plan is the caller's, with its arena. */
static knack_status make_store(const struct recipe *recipe, const char *folder, struct store **store, struct kept_plan **plan)
{
    struct making making = {.recipe = recipe, .arena = arena_new((size_t)1 << 20)};
    if (!making.arena) return KNACK_E_MEMORY;
    make_plan(&making);
    *plan = (struct kept_plan *)making.plan;
    TRY(store_open(folder, true, store));
    knack_status status = fill(&making, *store);
    if (status >= 0) return status;
    store_close(*store);
    *store = NULL;
    return status;
}

knack_status recipe_store(const struct recipe *recipe, const char *folder, struct store **store)
{
    struct kept_plan *plan = NULL;
    knack_status status = make_store(recipe, folder, store, &plan);
    if (plan) arena_free(plan->arena);
    return status;
}

void recipe_remove(const char *folder)
{
    remove_tree(folder);
}

/* Has the analysis refer to the plan in its arena, whose texts tests may replace. */
static void keep_plan(struct analysis *analysis, struct plan *plan)
{
    struct plan *read = analysis->plan;
    for (int64_t a = 0; a < plan->arms; a++) analysis->arm[a].arm = &plan->arm[a];
    for (int64_t c = 0; c < plan->contrasts; c++) {
        struct contrast_result *result = &analysis->contrast[c];
        if (result->title == read->contrast[c].name) result->title = plan->contrast[c].name;
        result->contrast = &plan->contrast[c];
    }
    analysis->plan = plan;
    plan_free(read);
}

struct analysis *recipe_analysis(const struct recipe *recipe)
{
    char folder[] = "/tmp/knack-fixture-XXXXXX";
    struct store *store = NULL;
    struct analysis *analysis = NULL;
    struct kept_plan *plan = NULL;
    if (!mkdtemp(folder)) return NULL;
    if (make_store(recipe, folder, &store, &plan) >= 0 && analysis_new(store, &analysis) < 0) analysis = NULL;
    store_close(store);
    recipe_remove(folder);
    if (analysis)
        keep_plan(analysis, &plan->plan);
    else if (plan)
        arena_free(plan->arena);
    return analysis;
}

void fixture_free(struct analysis *analysis)
{
    if (!analysis) return;
    arena_free(((struct kept_plan *)analysis->plan)->arena);
    analysis->plan = NULL;
    analysis_free(analysis);
}
