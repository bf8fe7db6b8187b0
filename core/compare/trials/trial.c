/* One trial: opens a run that writes nothing, trains it, and gathers what it came to. */
#include "compare/trials/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/memory.h"
#include "train/identity.h"

const char *const trial_status_name[] = {"done", "not finite", "crashed", "timed out", "error", NULL};
const char *const trial_fault_name[] = {"", "own", "unclear", "machine", NULL};

struct trial {
    const struct trial_job *job;
    void (*said)(void *user, const struct trial_progress *);
    void *user;
    double last_said;
    struct trial_outcome *outcome;
    int64_t room;        /* of outcome->metric */
    knack_status memory; /* below 0: a metric found no room */
    enum data_part part; /* the job's */
};

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- What the run says while it goes on ---- */

static void add_metric(struct trial *trial, const char *part, const char *weights, const struct metric_value *value, int64_t update,
                       double epoch, bool final)
{
    struct trial_outcome *outcome = trial->outcome;
    if (outcome->metrics == trial->room) {
        int64_t room = 2 * trial->room + 64;
        struct trial_metric *grown = memory_resize(outcome->metric, (size_t)room, sizeof *grown);
        if (!grown) {
            trial->memory = KNACK_E_MEMORY;
            return;
        }
        outcome->metric = grown;
        trial->room = room;
    }
    struct trial_metric *metric = &outcome->metric[outcome->metrics++];
    *metric = (struct trial_metric){.update = update, .epoch = epoch, .value = value->value, .final = final};
    snprintf(metric->part, sizeof metric->part, "%s", part);
    snprintf(metric->weights, sizeof metric->weights, "%s", weights);
    snprintf(metric->metric, sizeof metric->metric, "%s", value->name);
}

static void keep_point(void *user, const struct run_point *point)
{
    struct trial *trial = user;
    for (int64_t i = 0; i < point->count; i++)
        add_metric(trial, point->part, point->weights, &point->value[i], point->update, point->epoch, false);
}

static void pass_on(void *user, const struct run_progress *progress)
{
    struct trial *trial = user;
    double now = seconds_of(CLOCK_MONOTONIC);
    if (!trial->said || now - trial->last_said < 0.1) return;
    trial->last_said = now;
    struct trial_progress said = {.epoch = progress->epoch,
                                  .epochs = progress->epochs,
                                  .update = progress->update,
                                  .updates = progress->updates,
                                  .loss = progress->loss};
    trial->said(trial->user, &said);
}

/* A line, once. Beyond their room warnings are left out, as a last line says. */
static void keep_warning(void *user, const char *text)
{
    static const char more[] = "(further warnings are left out)";
    struct trial *trial = user;
    char *all = trial->outcome->warnings;
    if (!all) all = trial->outcome->warnings = memory_new(TRIAL_WARNINGS, 1);
    if (!all) {
        trial->memory = KNACK_E_MEMORY;
        return;
    }
    size_t used = strlen(all), length = strlen(text);
    for (const char *line = all; used > 0 && line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, text, length) && (line[length] == '\n' || line[length] == '\0')) return;
        if (!strcmp(line, more)) return;
    }
    if (used + length + sizeof more + 2 > TRIAL_WARNINGS) text = more;
    snprintf(all + used, TRIAL_WARNINGS - used, "%s%s", used > 0 ? "\n" : "", text);
}

/* ---- Opening ---- */

knack_status trial_find_part(const char *part, const char *metric, const struct dataset *data, enum data_part *found)
{
    int p = 0;
    while (p < PART_COUNT && strcmp(data_part_name[p], part) != 0) p++;
    if (p == PART_COUNT)
        return status_set(KNACK_E_USAGE, "metric %s.%s: there is no part \"%s\"; there are validation, test", part, metric, part);
    if (p == PART_TRAIN)
        return status_set(KNACK_E_USAGE, "metric %s.%s: training rows are no judge; take \"test\" or \"validation\"", part, metric);
    knack_status known = metric_check(metric, data->kind, data->outputs);
    if (known < 0) status_prefix(known, "metric %s.%s", part, metric);
    if (data->part[p].count == 0) {
        char unknown[512];
        snprintf(unknown, sizeof unknown, "%s%s", known < 0 ? "; " : "", known < 0 ? knack_error() : "");
        if (data->part[PART_TEST].count == 0 && data->part[PART_VALIDATION].count == 0)
            return status_set(
                KNACK_E_USAGE,
                "metric %s.%s: the data have neither a test nor a validation part to judge by; give \"data.test\", or of one file "
                "\"limit\": N with \"rest\": \"test\", or \"data.validation\"%s",
                part, metric, unknown);
        return status_set(KNACK_E_USAGE, "metric %s.%s: the data have no %s part; give \"data.%s\", or judge on the other part%s", part,
                          metric, part, part, unknown);
    }
    *found = (enum data_part)p;
    return known;
}

/* Training losses are wanted once an epoch, unless the config says how often. */
static knack_status says_log_every(const struct trial_job *job, bool *says)
{
    struct json_document *config;
    TRY(json_parse(job->config, strlen(job->config), job->arm, &config));
    *says = json_member(json_member(config->root, "train"), "log_every") != NULL;
    json_free(config);
    return KNACK_OK;
}

static knack_status open_run(struct trial *trial, struct run **run)
{
    const struct trial_job *job = trial->job;
    char seed[32];
    const char *set[2] = {seed, "train.log_every=1ep"};
    bool says = true;
    if (job->kind == TRIAL_TRAIN) TRY(says_log_every(job, &says));
    snprintf(seed, sizeof seed, "seed=%lld", (long long)job->seed);
    struct run_request request = {.config = job->arm,
                                  .text = job->config,
                                  .folder = job->folder,
                                  .set = set,
                                  .set_count = says ? 1 : 2,
                                  .in_memory = true,
                                  .examples = job->kind == TRIAL_TRAIN,
                                  .data = job->data,
                                  .observer = {.user = trial, .progress = pass_on, .point = keep_point, .warning = keep_warning},
                                  .place = job->place};
    TRY(run_open(&request, run));
    return trial_find_part(job->part, job->metric, run_data(*run), &trial->part);
}

/* ---- TRIAL_CHECK ---- */

/* The config without what differs from trial to trial and from machine to machine. */
static char *resolved_text(const struct run *run)
{
    struct json_writer *w = json_writer_new(true);
    if (!w) return NULL;
    json_open(w, NULL, '{');
    for (const struct json *member = run_config(run)->root->first; member; member = member->next)
        if (strcmp(member->name, "seed") != 0 && strcmp(member->name, "folder") != 0 && strcmp(member->name, "own_model") != 0)
            json_node(w, member->name, member);
    json_close(w);
    return json_take(w);
}

/* What a metric without a known value of chance is before training: losses and errors. */
static bool needs_initial(struct run *run, const char *metric)
{
    return metric_lower_is_better(metric) || run_data(run)->kind == KNACK_REGRESSION;
}

static knack_status check(struct trial *trial, struct run *run)
{
    struct trial_outcome *outcome = trial->outcome;
    struct run_facts facts;
    TRY(run_facts(run, false, &facts));
    outcome->updates = facts.steps;
    outcome->parameters = facts.parameters;
    outcome->resolved = resolved_text(run);
    outcome->tricks = run_tricks_text(run);
    TRY(run_identity_text(run, true, &outcome->identity));
    if (!outcome->resolved || !outcome->tricks) return KNACK_E_MEMORY;
    return needs_initial(run, trial->job->metric) ? run_initial(run, trial->part, trial->job->metric, &outcome->initial) : KNACK_OK;
}

/* ---- TRIAL_TRAIN ---- */

static void keep_evaluations(struct trial *trial, const struct run *run)
{
    const struct trial_job *job = trial->job;
    int64_t count;
    const struct evaluation *evaluation = run_evaluations(run, &count);
    for (int64_t i = 0; i < count; i++) {
        const struct evaluation *e = &evaluation[i];
        bool primary = !strcmp(e->weights, run_primary(run)) && !strcmp(e->part, job->part);
        for (int64_t k = 0; k < e->count; k++) {
            add_metric(trial, e->part, e->weights, &e->value[k], run_updates(run), run_epochs(run), true);
            if (primary && !strcmp(e->value[k].name, job->metric)) trial->outcome->value = e->value[k].value;
        }
    }
}

static knack_status keep_examples(struct trial *trial, const struct run *run)
{
    struct trial_outcome *outcome = trial->outcome;
    struct run_examples examples = run_examples(run, trial->part);
    size_t count = (size_t)examples.count;
    outcome->loss = memory_new(count, sizeof *outcome->loss);
    if (!outcome->loss) return KNACK_E_MEMORY;
    if (count > 0) memcpy(outcome->loss, examples.loss, count * sizeof *outcome->loss);
    outcome->examples = examples.count;
    if (!examples.correct) return KNACK_OK;
    outcome->correct = memory_new(count, sizeof *outcome->correct);
    if (!outcome->correct) return KNACK_E_MEMORY;
    memcpy(outcome->correct, examples.correct, count * sizeof *outcome->correct);
    return KNACK_OK;
}

static knack_status train(struct trial *trial, struct run *run)
{
    struct trial_outcome *outcome = trial->outcome;
    const struct trial_job *job = trial->job;
    TRY(run_train(run));
    keep_evaluations(trial, run);
    TRY(trial->memory);
    TRY(keep_examples(trial, run));
    const char *idle = run_idle_trick(run);
    snprintf(outcome->weights, sizeof outcome->weights, "%s", run_primary(run));
    snprintf(outcome->idle, sizeof outcome->idle, "%s", idle ? idle : "");
    if (isfinite(outcome->value)) return KNACK_OK;
    return status_set(KNACK_E_NUMERIC, "%s.%s of the weights \"%s\" is not finite after training", job->part, job->metric,
                      outcome->weights);
}

/* What was spent, however the run ended. */
static void keep_cost(struct trial *trial, const struct run *run)
{
    struct trial_cost *cost = &trial->outcome->cost;
    struct run_cost spent = run_cost(run);
    cost->updates = run_updates(run);
    cost->gradient_rows = spent.gradient_rows;
    cost->forward_rows = spent.forward_rows;
    cost->inference = spent.inference;
}

/* ---- All of it ---- */

static knack_status run_job(struct trial *trial)
{
    struct trial_cost *cost = &trial->outcome->cost;
    struct run *run = NULL;
    knack_status status = open_run(trial, &run);
    if (status >= 0) {
        switch (trial->job->kind) {
        case TRIAL_CHECK:
            status = check(trial, run);
            break;
        case TRIAL_MEASURE:
            status = run_measure(run, trial->job->updates, &cost->updates, &cost->cpu_seconds);
            break;
        case TRIAL_TRAIN:
            status = train(trial, run);
            keep_cost(trial, run);
            break;
        }
    }
    char message[sizeof trial->outcome->message];
    snprintf(message, sizeof message, "%s", status < 0 ? knack_error() : "");
    run_close(run);
    if (status < 0) status_set(status, "%s", message);
    return status;
}

static int64_t peak_memory(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

knack_status trial_run(const struct trial_job *job, void (*said)(void *user, const struct trial_progress *), void *user,
                       struct trial_outcome *outcome)
{
    struct trial trial = {.job = job, .said = said, .user = user, .outcome = outcome};
    double began = seconds_of(CLOCK_MONOTONIC), cpu_began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    memset(outcome, 0, sizeof *outcome); /* its padding too */
    outcome->value = outcome->initial = NAN;
    knack_status status = run_job(&trial);
    outcome->code = status < 0 ? status : KNACK_OK;
    outcome->status = status >= 0 ? TRIAL_DONE : status == KNACK_E_NUMERIC ? TRIAL_NOT_FINITE : TRIAL_BROKEN;
    if (status < 0) {
        snprintf(outcome->message, sizeof outcome->message, "%s", knack_error());
        outcome->value = NAN;
    }
    outcome->cost.seconds = seconds_of(CLOCK_MONOTONIC) - began;
    if (job->kind != TRIAL_MEASURE) outcome->cost.cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_began;
    outcome->cost.peak_memory = peak_memory();
    return KNACK_OK;
}
