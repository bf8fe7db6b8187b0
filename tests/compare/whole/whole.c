#include "whole.h"

#include <ftw.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "compare/forecast.h"

static char folder[64], said[16384], waiting[2048];
static int64_t interrupt_after, there;

/* ---- The folder ---- */

int whole_set_up(void **state)
{
    (void)state;
    bool memory = access("/dev/shm", W_OK) == 0; /* where flushing costs nothing */
    snprintf(folder, sizeof folder, "%s/knack-compare-XXXXXX", memory ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder)) return -1;
    return setenv("KNACK_LEDGER", whole_path("ledger.jsonl"), 1);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info, (void)type;
    return place->level == 0 ? 0 : remove(path);
}

void whole_forget(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int whole_tear_down(void **state)
{
    (void)state;
    whole_forget();
    return rmdir(folder);
}

const char *whole_path(const char *name)
{
    static char path[64][256];
    static int next;
    char *chosen = path[next++ % 64];
    snprintf(chosen, sizeof path[0], "%s/%s", folder, name);
    return chosen;
}

const char *whole_write(const char *name, const char *text, ...)
{
    char content[4096];
    va_list list;
    va_start(list, text);
    vsnprintf(content, sizeof content, text, list);
    va_end(list);
    for (char *quote = content; (quote = strchr(quote, '\''));) *quote = '"';
    const char *path = whole_path(name);
    if (file_write(path, content, strlen(content)) < 0) fail_msg("%s", knack_error());
    return path;
}

const char *whole_config(void)
{
    return whole_write("base.json", "{'data': {'limit': 200, 'validation': 40}, 'model': {'type': 'mlp', 'hidden': [16]}, "
                                    "'train': {'epochs': 2, 'batch': 20, 'max_skipped': 0}}");
}

/* ---- Running ---- */

static void keep(const char *how, const char *text)
{
    size_t length = strlen(said);
    snprintf(said + length, sizeof said - length, "%s%s\n", how, text);
}

static void note(void *user, const char *text)
{
    (void)user;
    keep("note: ", text);
}

static void warn(void *user, const char *text)
{
    (void)user;
    keep("warning: ", text);
}

static void progress(void *user, const struct comparison_progress *now)
{
    (void)user;
    there = 0;
    for (int64_t a = 0; a < now->arms; a++) there += now->arm[a].done;
    if (now->arms > 0) assert_true(now->done <= now->planned);
    for (int64_t i = 0; i < now->trials; i++) assert_non_null(now->trial[i].arm);
}

static bool interrupted(void *user)
{
    (void)user;
    return interrupt_after < 0 || (interrupt_after > 0 && there >= interrupt_after);
}

static knack_status make_request(const struct asked *asked, char ***trick, struct comparison_request *request)
{
    *request = (struct comparison_request){
        .plan = {.config = asked->config ? asked->config : whole_config(),
                 .design = asked->design,
                 .role = asked->role,
                 .on = asked->on,
                 .metric = asked->metric,
                 .adaptive = asked->adaptive,
                 .until_decided = asked->until_decided,
                 .no_equal_cost = !asked->equal_cost,
                 .no_converge = !asked->converge,
                 .seeds = asked->seeds,
                 .first_seed = asked->first_seed > 0 ? asked->first_seed : -1,
                 .margin = asked->margin > 0 ? asked->margin : NAN,
                 .failed_score = asked->failed_score != 0 ? asked->failed_score : NAN,
                 .timeout = asked->timeout,
                 .command = "knack compare base.json"},
        .out = asked->config && !asked->confirm && file_is_folder(asked->config) ? NULL : whole_path(asked->out ? asked->out : "out"),
        .project = asked->project,
        .confirm = asked->confirm,
        .jobs = asked->jobs,
        .no_cache = !asked->cache,
        .kept = {.again = &asked->again, .agains = asked->again != NULL, .retry_failed = asked->retry_failed},
        .observer = {.note = note, .warning = warn, .progress = progress, .interrupted = interrupted},
    };
    *trick = NULL;
    if (asked->tricks) TRY(plan_split_tricks(asked->tricks, trick, &request->plan.tricks));
    request->plan.trick = (const char *const *)*trick;
    said[0] = waiting[0] = '\0';
    there = 0;
    interrupt_after = asked->interrupt_after;
    return KNACK_OK;
}

knack_status whole_status(const struct asked *asked)
{
    char **trick;
    struct comparison_request request;
    struct comparison *comparison;
    TRY(make_request(asked, &trick, &request));
    knack_status status = comparison_open(&request, &comparison);
    if (status >= 0) status = comparison_run(comparison);
    if (status >= 0 && comparison_waiting(comparison)) snprintf(waiting, sizeof waiting, "%s", comparison_waiting(comparison));
    comparison_close(comparison);
    memory_free(trick);
    return status;
}

knack_status whole_forecast(const struct asked *asked, int64_t pilot, struct forecast *forecast)
{
    char **trick;
    struct comparison_request request;
    *forecast = (struct forecast){0};
    TRY(make_request(asked, &trick, &request));
    knack_status status = forecast_make(&request, pilot, forecast);
    memory_free(trick);
    return status;
}

void whole_run(const struct asked *asked)
{
    if (whole_status(asked) < 0) fail_msg("%s", knack_error());
}

void whole_expect(const struct asked *asked, knack_status expected, ...)
{
    knack_status status = whole_status(asked);
    if (status != expected) fail_msg("status %d, not %d: %s", status, expected, status < 0 ? knack_error() : "");
    va_list list;
    va_start(list, expected);
    for (const char *part; (part = va_arg(list, const char *));)
        if (!strstr(knack_error(), part)) fail_msg("\"%s\" is not in: %s", part, knack_error());
    va_end(list);
}

static bool was_said(const char *how, const char *part)
{
    for (const char *line = said; *line;) {
        const char *end = strchr(line, '\n'), *found = strstr(line, part);
        if (strncmp(line, how, strlen(how)) == 0 && found && found < end) return true;
        line = end + 1;
    }
    return false;
}

bool whole_warned(const char *part)
{
    return was_said("warning: ", part);
}

bool whole_noted(const char *part)
{
    return was_said("note: ", part);
}

const char *whole_waiting(void)
{
    return waiting[0] ? waiting : NULL;
}

/* ---- What is there ---- */

struct store *whole_store(const char *out)
{
    struct store *store;
    if (store_open(whole_path(out), false, &store) < 0) fail_msg("%s", knack_error());
    return store;
}

void whole_change(const char *out, const char *sql)
{
    sqlite3 *file;
    char path[256];
    snprintf(path, sizeof path, "%s/knack.db", whole_path(out));
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    if (sqlite3_exec(file, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(file));
    sqlite3_close(file);
}

/* Every number that a trial told, its bits as a hash. */
static uint64_t hash_of(struct store *store, const struct stored_trial *trial)
{
    struct trial_metric *metric;
    uint8_t *correct;
    float *loss;
    int64_t metrics, examples;
    uint64_t hash = TEXT_HASH;
    assert_int_equal(store_read_metrics(store, trial->arm, trial->seed, &metric, &metrics), KNACK_OK);
    assert_int_equal(store_read_examples(store, trial->arm, trial->seed, &correct, &loss, &examples), KNACK_OK);
    for (int64_t i = 0; i < metrics; i++) {
        hash = text_hash(hash, metric[i].part, strlen(metric[i].part));
        hash = text_hash(hash, metric[i].weights, strlen(metric[i].weights));
        hash = text_hash(hash, metric[i].metric, strlen(metric[i].metric));
        hash = text_hash(hash, &metric[i].update, sizeof metric[i].update);
        hash = text_hash(hash, &metric[i].epoch, sizeof metric[i].epoch);
        hash = text_hash(hash, &metric[i].value, sizeof metric[i].value);
    }
    if (correct) hash = text_hash(hash, correct, (size_t)examples);
    if (loss) hash = text_hash(hash, loss, (size_t)examples * sizeof *loss);
    assert_true(trial->status != TRIAL_DONE || (metrics > 0 && (examples == 360 || examples == 40)));
    memory_free(metric);
    memory_free(correct);
    memory_free(loss);
    return hash;
}

char *whole_trials(const char *out, const char *arm)
{
    struct store *store = whole_store(out);
    struct plan *plan;
    struct stored_trial *trial;
    int64_t trials;
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    assert_int_equal(store_read_plan(store, &plan), KNACK_OK);
    assert_int_equal(store_read_trials(store, &trial, &trials), KNACK_OK);
    for (int64_t i = 0; i < trials; i++) {
        const struct stored_trial *t = &trial[i];
        if (arm && strcmp(plan->arm[t->arm].name, arm) != 0) continue;
        fprintf(file, "%s %lld %s %a %016llx updates %lld passes %a %a %a idle '%s' %s\n", plan->arm[t->arm].name, (long long)t->seed,
                trial_status_name[t->status], t->value, (unsigned long long)hash_of(store, t), (long long)t->cost.updates,
                t->cost.gradient_rows, t->cost.forward_rows, t->cost.inference, t->idle, t->message);
    }
    fclose(file);
    memory_free(trial);
    plan_free(plan);
    store_close(store);
    return text;
}

int64_t whole_count(const char *out, const char *arm)
{
    char *text = whole_trials(out, arm);
    int64_t count = 0;
    for (const char *c = text; *c; c++) count += *c == '\n';
    free(text);
    return count;
}

struct analysis *whole_analysis(const char *out)
{
    struct store *store = whole_store(out);
    struct analysis *analysis;
    if (analysis_new(store, &analysis) < 0) fail_msg("%s", knack_error());
    store_close(store);
    return analysis;
}

const struct contrast_result *whole_contrast(const struct analysis *analysis, const char *name)
{
    for (int64_t c = 0; c < analysis->plan->contrasts; c++)
        if (strcmp(analysis->plan->contrast[c].name, name) == 0) return &analysis->contrast[c];
    fail_msg("there is no contrast \"%s\"", name);
    return NULL;
}
