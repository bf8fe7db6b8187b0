#include "compare/preflight/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compare/trials/workers.h"
#include "plugin/code_hash.h"

static const double check_timeout = 600;
enum { LABELS_MOST = 100000 };

/* The name that messages about an arm begin with: of the baseline its file. */
static const char *known_as(const struct plan *plan, int64_t arm)
{
    return arm == 0 ? plan->config : plan->arm[arm].name;
}

knack_status fail_arm(const struct plan *plan, int64_t arm, knack_status status)
{
    char message[1024];
    const char *name = known_as(plan, arm);
    size_t length = strlen(name);
    snprintf(message, sizeof message, "%s", knack_error());
    bool named = strncmp(message, name, length) == 0 && message[length] == ':';
    if (arm == 0 && named) return status;
    if (arm == 0) return status_set(status, "%s: %s", name, message);
    return status_set(status, "arm \"%s\": %s", name, named ? message + length + 2 : message);
}

void fill_job(const struct plan *plan, int64_t arm, const struct data_set *set, struct trial_job *job)
{
    *job = (struct trial_job){.arm = known_as(plan, arm),
                              .config = plan->arm[arm].config,
                              .folder = plan->folder,
                              .seed = plan->first_seed,
                              .data = set->redrawn ? NULL : set->data,
                              .part = plan->part,
                              .metric = plan->metric};
}

/* ---- Data ---- */

static const struct part *judging_part(const struct plan *plan, const struct dataset *data)
{
    return &data->part[strcmp(plan->part, "test") == 0 ? PART_TEST : PART_VALIDATION];
}

/* Seeds that draw only the training examples anew share them as often as these are a part of their pool, or less with label noise. */
static double shared_part(const struct plan *plan, const struct data_set *set)
{
    int64_t train = set->data->part[PART_TRAIN].count, pool = set->data->pool;
    bool fixed = strcmp(plan->part, "test") == 0 && train < pool;
    return set->redrawn && fixed ? (double)train / (double)pool : NAN;
}

/* The class of each example that is judged, where there are few: by which the report tells the recall of each. */
static knack_status keep_labels(struct plan *plan, const struct data_set *set)
{
    const struct dataset *data = set->data;
    const struct part *part = judging_part(plan, data);
    bool drawn = set->redrawn && !(plan->shared >= 0), few = data->classes <= CLASSES_MOST && part->count <= LABELS_MOST;
    if (plan->labels || !part->label || drawn || !few) return KNACK_OK;
    plan->labels = memory_new((size_t)part->count + 1, 1);
    plan->class_name = memory_new((size_t)data->classes, sizeof *plan->class_name);
    if (!plan->labels || !plan->class_name) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < part->count; i++) plan->labels[i] = (char)('a' + part->label[i]);
    for (; plan->classes < data->classes; plan->classes++) {
        char **name = &plan->class_name[plan->classes];
        *name = data->class_name ? memory_text(data->class_name[plan->classes]) : memory_format("%d", (int)plan->classes);
        if (!*name) return KNACK_E_MEMORY;
    }
    return KNACK_OK;
}

static knack_status keep_facts(struct plan *plan, const struct data_set *set)
{
    const struct dataset *data = set->data;
    if (plan->test_set != 0 && plan->test_set != set->hash)
        return status_set(KNACK_E_DATA,
                          "the %s examples are not those that this comparison was begun with; compare into another folder "
                          "(--out)",
                          plan->part);
    TRY(data_part_hash(data, PART_TRAIN, &plan->train_set));
    char *title = memory_text(data->title);
    if (!title) return KNACK_E_MEMORY;
    memory_free(plan->data_title);
    plan->data_title = title;
    plan->test_set = set->hash;
    plan->train_count = data->part[PART_TRAIN].count;
    plan->test_count = judging_part(plan, data)->count;
    plan->shared = shared_part(plan, set);
    return keep_labels(plan, set);
}

static knack_status open_data(struct plan *plan, int64_t a, struct data_sets *sets, const struct data_set **set)
{
    TRY(data_sets_open(sets, plan, &plan->arm[a], set));
    if (a == 0) return keep_facts(plan, *set);
    if ((*set)->hash == plan->test_set) return KNACK_OK;
    return status_set(KNACK_E_CONFIG, "its %s examples are not the baseline's, so that its results cannot be compared", plan->part);
}

/* ---- What the checks found ---- */

static void take_text(char **kept, char **now)
{
    memory_free(*kept);
    *kept = *now;
    *now = NULL;
}

static knack_status keep_outcome(struct plan *plan, int64_t a, struct trial_outcome *outcome)
{
    struct arm *arm = &plan->arm[a];
    if (outcome->status != TRIAL_DONE) return status_set(outcome->code < 0 ? outcome->code : KNACK_E_CALL, "%s", outcome->message);
    if (!outcome->resolved || !outcome->tricks || !outcome->identity) return status_set(KNACK_E_CALL, "its check told no config");
    take_text(&arm->tricks, &outcome->tricks);
    take_text(&arm->resolved, &outcome->resolved);
    take_text(&arm->identity, &outcome->identity);
    arm->updates = outcome->updates;
    arm->parameters = outcome->parameters;
    return KNACK_OK;
}

static knack_status refuse_doubles(const struct plan *plan, int64_t a)
{
    if (plan->arm[a].kind == ARM_BUDGET) return KNACK_OK;
    for (int64_t b = 0; b < a; b++) {
        if (strcmp(plan->arm[a].resolved, plan->arm[b].resolved) != 0) continue;
        return b == 0 ? status_set(KNACK_E_CONFIG, "it is the baseline: its config comes to the same")
                      : status_set(KNACK_E_CONFIG, "it is the arm \"%s\" once more: their configs come to the same", plan->arm[b].name);
    }
    return KNACK_OK;
}

/* Of class 1: the average precision of any order that does not know the classes. */
static double prevalence(const struct part *part)
{
    int64_t count = 0;
    for (int64_t i = 0; i < part->count; i++) count += part->label[i] == 1;
    return (double)count / (double)part->count;
}

/* What a trial that failed counts as: guessing, or a model that was not trained. A guess is well calibrated, so that ece counts as its
 * worst. The metrics that are not here are losses and errors, which the check has measured. */
static void set_failed_score(struct plan *plan, const struct dataset *data, double initial)
{
    const char *metric = plan->metric;
    double classes = (double)data->classes;
    if (plan->failed_score_given || isfinite(plan->failed_score)) return;
    if (!strcmp(metric, "accuracy") || !strcmp(metric, "balanced_accuracy") || !strcmp(metric, "macro_f1"))
        plan->failed_score = 1 / classes;
    else if (strncmp(metric, "top", 3) == 0)
        plan->failed_score = atof(metric + 3) / classes;
    else if (!strcmp(metric, "auroc"))
        plan->failed_score = .5;
    else if (!strcmp(metric, "auprc"))
        plan->failed_score = prevalence(judging_part(plan, data));
    else if (!strcmp(metric, "f1") || !strcmp(metric, "r2"))
        plan->failed_score = 0;
    else if (!strcmp(metric, "ece"))
        plan->failed_score = 1;
    else
        plan->failed_score = initial;
}

static knack_status read_epochs(struct plan *plan)
{
    struct json_document *resolved;
    TRY(json_parse(plan->arm[0].resolved, strlen(plan->arm[0].resolved), plan->config, &resolved));
    double epochs = json_member_number(json_member(resolved->root, "train"), "epochs");
    plan->epochs = epochs > 0 ? (int64_t)epochs : 0;
    json_free(resolved);
    return KNACK_OK;
}

static knack_status conclude(struct plan *plan, int64_t a, const struct data_set *set, struct trial_outcome *outcome)
{
    TRY(keep_outcome(plan, a, outcome));
    TRY(refuse_doubles(plan, a));
    if (a > 0) return KNACK_OK;
    set_failed_score(plan, set->data, outcome->initial);
    return read_epochs(plan);
}

/* ---- The checks ---- */

struct checks {
    struct plan *plan;
    const struct watcher *watcher;
    struct workers *workers;
    const struct data_set **set;   /* [arms] */
    struct trial_outcome *outcome; /* [arms] */
    int64_t next, done, first;
};

static knack_status start(struct checks *checks)
{
    for (; checks->next < checks->plan->arms && !workers_are_full(checks->workers); checks->next++) {
        struct trial_job job;
        fill_job(checks->plan, checks->next, checks->set[checks->next], &job);
        job.kind = TRIAL_CHECK;
        TRY(workers_start(checks->workers, checks->next, checks->plan->timeout > 0 ? checks->plan->timeout : check_timeout, &job));
    }
    return KNACK_OK;
}

static knack_status check_all(struct checks *checks)
{
    int64_t all = checks->plan->arms - checks->first;
    while (checks->done < all) {
        struct worker_event event;
        bool happened;
        if (checks->watcher->interrupted(checks->watcher->user)) return status_set(KNACK_E_INTERRUPTED, "interrupted before any trial");
        TRY(start(checks));
        TRY(workers_wait(checks->workers, 0.1, &event, &happened));
        if (!happened || !event.finished) continue;
        checks->outcome[event.id] = event.outcome;
        checks->watcher->progress(checks->watcher->user, ++checks->done, all);
    }
    return KNACK_OK;
}

static knack_status run_checks(struct checks *checks, struct data_sets *sets)
{
    struct plan *plan = checks->plan;
    for (int64_t a = 0; a < plan->arms; a++) {
        knack_status status = open_data(plan, a, sets, &checks->set[a]);
        if (status < 0) return fail_arm(plan, a, status);
    }
    TRY(check_all(checks));
    for (int64_t a = checks->first; a < plan->arms; a++) { /* the first arm's fault is told, whichever was found first */
        knack_status status = conclude(plan, a, checks->set[a], &checks->outcome[a]);
        if (status < 0) return fail_arm(plan, a, status);
    }
    return KNACK_OK;
}

knack_status check_arms(struct plan *plan, int64_t first, struct data_sets *sets, int64_t jobs, const struct watcher *watcher)
{
    struct checks checks = {.plan = plan, .watcher = watcher, .next = first, .first = first};
    uint64_t own;
    TRY(code_hash_own(&own)); /* the processes that are forked know it then */
    checks.set = memory_new((size_t)plan->arms, sizeof *checks.set);
    checks.outcome = memory_new((size_t)plan->arms, sizeof *checks.outcome);
    knack_status status = checks.set && checks.outcome ? workers_new(jobs, &checks.workers) : KNACK_E_MEMORY;
    if (status >= 0) status = run_checks(&checks, sets);
    workers_free(checks.workers);
    for (int64_t a = 0; checks.outcome && a < plan->arms; a++) trial_outcome_free(&checks.outcome[a]);
    memory_free(checks.set);
    memory_free(checks.outcome);
    return status;
}
