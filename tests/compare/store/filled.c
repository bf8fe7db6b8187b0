#include "filled.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tree.h"

static char *const arm_name[FILLED_ARMS] = {(char[]){"baseline"}, (char[]){"mixup"}, (char[]){"sam"}};
static char resolved[] = "{\"train\": {\"epochs\": 3, \"optimizer\": {\"type\": \"adamw\", \"lr\": 0.003}}}";
static char *difference[FILLED_ARMS][1] = {{NULL}, {(char[]){"plugins: + mixup (alpha 0.2)"}}, {(char[]){"plugins: + sam (rho 0.05)"}}};
static char *const tricks[FILLED_ARMS] = {
    (char[]){"[]"}, (char[]){"[{\"name\": \"mixup\", \"plugin\": \"mixup\", \"version\": \"1.0.0\", \"options\": {\"alpha\": 0.2}}]"},
    (char[]){"[{\"name\": \"sam\", \"plugin\": \"sam\", \"version\": \"1.0.0\", \"options\": {\"rho\": 0.05}}]"}};
static char *const identity[FILLED_ARMS] = {(char[]){"{\"code\": 1}"}, (char[]){"{\"code\": 2}"}, (char[]){"{\"code\": 3}"}};
static double weight[FILLED_ARMS - 1][FILLED_ARMS] = {{-1, 1, 0}, {-1, 0, 1}};

struct plan filled_plan(void)
{
    static char name[] = "digits-small", config[] = "examples/digits-small.json", root[] = "/",
                command[] = "knack compare examples/digits-small.json --tricks mixup,sam --seeds 5", part[] = "test", metric[] = "accuracy",
                title[] = "digits";
    static struct arm arm[FILLED_ARMS];
    static struct contrast contrast[FILLED_ARMS - 1];
    for (int a = 0; a < FILLED_ARMS; a++)
        arm[a] = (struct arm){.name = arm_name[a],
                              .kind = a ? ARM_TREATED : ARM_BASELINE,
                              .budget = 1,
                              .config = resolved,
                              .resolved = resolved,
                              .tricks = tricks[a],
                              .identity = identity[a],
                              .difference = difference[a],
                              .differences = a ? 1 : 0,
                              .updates = 57,
                              .parameters = 650};
    for (int c = 0; c < FILLED_ARMS - 1; c++)
        contrast[c] = (struct contrast){.name = arm_name[c + 1], .kind = CONTRAST_ARM, .arm = c + 1, .weight = weight[c]};
    return (struct plan){.name = name,
                         .config = config,
                         .folder = root,
                         .command = command,
                         .design = DESIGN_ONE,
                         .role = ROLE_VERDICT,
                         .arm = arm,
                         .arms = FILLED_ARMS,
                         .contrast = contrast,
                         .contrasts = FILLED_ARMS - 1,
                         .first_seed = FILLED_FIRST,
                         .seeds = FILLED_SEEDS,
                         .part = part,
                         .metric = metric,
                         .margin = .005,
                         .failed_score = .1,
                         .threads = 1,
                         .test_set = 0x1234567890abcdefu,
                         .train_count = 600,
                         .test_count = FILLED_EXAMPLES,
                         .data_title = title};
}

static void fill_metrics(struct trial_outcome *outcome, double final)
{
    static struct trial_metric metric[FILLED_METRICS];
    for (int i = 0; i < FILLED_METRICS; i++) {
        bool last = i == FILLED_METRICS - 1;
        metric[i] = (struct trial_metric){.weights = "raw", .metric = "accuracy", .final = last, .update = last ? 57 : 19 * (i + 1)};
        strcpy(metric[i].part, last ? "test" : "validation");
        metric[i].epoch = last ? 3 : i + 1;
        metric[i].value = last ? final : final - .1 * (2 - i);
    }
    outcome->metric = metric;
    outcome->metrics = FILLED_METRICS;
}

static void fill_examples(struct trial_outcome *outcome, int64_t arm, int64_t seed)
{
    static uint8_t correct[FILLED_EXAMPLES];
    static float loss[FILLED_EXAMPLES];
    for (int i = 0; i < FILLED_EXAMPLES; i++) {
        correct[i] = i == 5 ? arm == 1 : i == 4 ? (seed + arm) % 2 == 0 : 1;
        loss[i] = correct[i] ? .125f * (float)(i + 1) : 2.5f;
    }
    outcome->correct = correct;
    outcome->loss = loss;
    outcome->examples = FILLED_EXAMPLES;
}

struct trial_outcome filled_outcome(int64_t arm, int64_t seed)
{
    static const double gain[FILLED_ARMS] = {0, .02, .01};
    static char warnings[] = "sam: the first warning";
    int64_t s = seed - FILLED_FIRST;
    struct trial_outcome outcome = {.status = TRIAL_DONE, .value = .9 + gain[arm] + .002 * (double)(s % 3) + .001 * (double)(s * arm % 2)};
    outcome.cost = (struct trial_cost){.updates = 57,
                                       .gradient_rows = arm == 2 ? 114 : 57,
                                       .forward_rows = 0,
                                       .inference = 1,
                                       .seconds = .5,
                                       .cpu_seconds = arm == 2 ? .75 : .375,
                                       .peak_memory = 40 << 20};
    strcpy(outcome.weights, "raw");
    if (arm == FILLED_ARMS - 1 && s == FILLED_SEEDS - 1) {
        outcome.status = TRIAL_NOT_FINITE;
        outcome.code = KNACK_E_NUMERIC;
        outcome.fault = FAULT_OWN;
        outcome.step = 42;
        outcome.value = NAN;
        strcpy(outcome.message, "loss or gradient was not finite in 11 steps in a row, at step 42 (loss nan)");
        return outcome;
    }
    if (arm == FILLED_ARMS - 1) outcome.warnings = warnings;
    fill_metrics(&outcome, outcome.value);
    fill_examples(&outcome, arm, seed);
    return outcome;
}

/* A trial whose worker the system ended. */
static knack_status fill_aside(struct store *store)
{
    struct trial_outcome killed = {.status = TRIAL_CRASHED, .fault = FAULT_MACHINE, .value = NAN, .step = 17};
    strcpy(killed.message, "signal 9 (Killed) ended its process");
    strcpy(killed.place, "trick \"mixup\", hook pre_step");
    TRY(store_add_trial(store, 1, 2001, &killed));
    return store_set_aside(store, 1, 2001, "machine");
}

static knack_status fill(struct store *store)
{
    struct plan plan = filled_plan();
    TRY(store_write_plan(store, &plan));
    TRY(fill_aside(store));
    for (int64_t s = FILLED_FIRST; s < FILLED_FIRST + FILLED_SEEDS; s++)
        for (int64_t a = 0; a < FILLED_ARMS; a++) {
            struct trial_outcome outcome = filled_outcome(a, s);
            TRY(store_add_trial(store, a, s, &outcome));
        }
    for (int64_t round = 0; round < 2; round++)
        for (int64_t a = 0; a < FILLED_ARMS; a++) {
            struct stored_measurement measurement = {a, round, (a == 2 ? .004 : .002) + .0005 * (double)round, 40 << 20};
            TRY(store_add_measurement(store, &measurement));
        }
    return store_write_status(store, "done", 1);
}

knack_status filled_store(const char *folder, struct store **store)
{
    TRY(store_open(folder, true, store));
    knack_status status = fill(*store);
    if (status >= 0) return status;
    store_close(*store);
    *store = NULL;
    return status;
}

void filled_folder(char folder[32])
{
    strcpy(folder, "/tmp/knack-store-XXXXXX");
    if (!mkdtemp(folder)) abort();
}

void filled_remove(const char *folder)
{
    remove_tree(folder);
}
