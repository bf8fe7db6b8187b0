/* From what is asked for to the plan of a comparison that is opened: a new one, a confirmation, or what a folder holds. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "compare/state.h"

static const char database[] = "knack.db";

/* ---- What may be said besides ---- */

/* What a plan that is there has settled. first: its first trial is still to come. */
static const char *said_of_settled(const struct plan_request *request, bool first)
{
    bool later = !first;
    return request->tricks                          ? "--tricks"
           : request->design                        ? "--design"
           : request->role                          ? "--role"
           : request->on                            ? "--on"
           : request->metric                        ? "--metric"
           : request->looks                         ? "--looks"
           : request->adaptive                      ? "--adaptive"
           : request->until_decided                 ? "--until-decided"
           : request->sets                          ? "--set"
           : later && request->first_seed >= 0      ? "--first-seed"
           : later && !isnan(request->failed_score) ? "--failed-score"
                                                    : NULL;
}

static void change(const struct plan_request *request, struct plan *plan)
{
    if (!isnan(request->margin)) plan->margin = request->margin;
    if (request->no_equal_cost) plan->equal_cost = false;
    if (request->no_converge) plan->converge = false;
    if (request->timeout > 0) plan->timeout = request->timeout;
}

/* ---- A confirmation ---- */

/* The best of a screening that is done, by the rules that it went by; *count: as many as there are. */
static knack_status find_best(struct store *store, const struct plan *screening, int64_t *count, const char **name)
{
    struct grid grid = {0};
    struct schedule schedule = {0};
    int64_t *best = memory_new((size_t)screening->arms, sizeof *best), there = 0;
    if (!best) return KNACK_E_MEMORY;
    knack_status status = grid_read(store, screening, schedule_blocks(screening), &grid);
    if (status >= 0) status = schedule_new(screening, &grid, &schedule);
    if (status >= 0) status = schedule_rank(&schedule, best, &there);
    if (status >= 0 && there == 0)
        status = status_set(KNACK_E_USAGE, "--confirm: no arm in %s has a result besides the baseline", store_folder(store));
    if (there < *count) *count = there;
    for (int64_t i = 0; i < *count && status >= 0; i++) name[i] = screening->arm[best[i]].name;
    schedule_free(&schedule);
    grid_free(&grid);
    memory_free(best);
    return status;
}

static knack_status plan_from_screening(struct store *store, const struct plan *screening, int64_t count, struct plan **plan)
{
    char status_word[32];
    int64_t number;
    TRY(store_read_status(store, status_word, &number));
    if (screening->role != ROLE_SCREENING)
        return status_set(KNACK_E_USAGE, "--confirm: %s is no screening but of role \"%s\"", store_folder(store),
                          role_name[screening->role]);
    if (strcmp(status_word, "done") != 0)
        return status_set(KNACK_E_USAGE, "--confirm: the screening in %s is not finished (%s); finish it first: knack compare %s",
                          store_folder(store), status_word, store_folder(store));
    const char **name = memory_new((size_t)count, sizeof *name);
    if (!name) return KNACK_E_MEMORY;
    knack_status status = find_best(store, screening, &count, name);
    if (status >= 0) status = plan_confirm(screening, name, count, plan);
    memory_free(name);
    return status;
}

static knack_status change_confirmation(const struct comparison_request *request, struct plan *plan)
{
    const struct plan_request *said = &request->plan;
    char *command = memory_text(said->command ? said->command : "");
    if (!command) return KNACK_E_MEMORY;
    memory_free(plan->command);
    plan->command = command;
    change(said, plan);
    plan->first_margin = plan->margin;
    if (said->seeds > 0) plan->seeds = said->seeds;
    if (said->first_seed >= 0) plan->first_seed = said->first_seed;
    if (!isnan(said->failed_score)) plan->failed_score = said->failed_score;
    plan->failed_score_given |= !isnan(said->failed_score);
    return plan_find_project(plan, request->project);
}

static knack_status plan_confirmation(const struct comparison_request *request, struct plan **plan)
{
    struct store *store;
    struct plan *screening = NULL;
    const char *said = said_of_settled(&request->plan, true);
    if (said) return status_set(KNACK_E_USAGE, "--confirm takes arms, metric and config from the screening, and no %s", said);
    TRY(store_open(request->plan.config, false, &store));
    knack_status status = store_read_plan(store, &screening);
    if (status >= 0 && !screening) status = status_set(KNACK_E_USAGE, "--confirm: %s holds no plan", request->plan.config);
    if (status >= 0) status = plan_from_screening(store, screening, request->confirm, plan);
    if (status >= 0) status = change_confirmation(request, *plan);
    plan_free(screening);
    store_close(store);
    return status;
}

/* ---- What a folder holds ---- */

static knack_status open_store(struct comparison *comparison)
{
    return comparison->scratch ? store_open_copy(comparison->folder, comparison->scratch, &comparison->store)
                               : store_open(comparison->folder, true, &comparison->store);
}

void comparison_leave_store(struct comparison *comparison)
{
    static const char *const name[] = {"knack.db", "knack.db-wal", "knack.db-shm", "knack.lock"};
    store_close(comparison->store);
    comparison->store = NULL;
    if (!comparison->scratch) return;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char path[4200];
        snprintf(path, sizeof path, "%s/%s", comparison->scratch, name[i]);
        remove(path);
    }
    rmdir(comparison->scratch);
}

/* What the folder holds goes on, with what is asked for in addition. */
static knack_status merge_kept(struct comparison *comparison)
{
    struct plan *kept;
    TRY(open_store(comparison));
    TRY(store_read_plan(comparison->store, &kept));
    if (!kept) return KNACK_OK;
    int64_t contrasts = kept->contrasts, seeds = kept->seeds;
    knack_status status = plan_merge(kept, comparison->plan);
    if (status < 0) {
        plan_free(kept);
        return status;
    }
    if (contrasts > comparison->plan->contrasts || seeds > comparison->plan->seeds)
        comparison_note(comparison, "%s: what it has stays: %lld comparisons, %lld seeds", comparison->folder, (long long)contrasts,
                        (long long)seeds);
    plan_free(comparison->plan);
    comparison->plan = kept;
    return KNACK_OK;
}

static knack_status change_kept(const struct comparison_request *request, struct plan *plan)
{
    const struct plan_request *said = &request->plan;
    const char *settled = request->out ? "--out" : said_of_settled(said, false);
    if (settled)
        return status_set(KNACK_E_USAGE, "%s: goes on as it was planned, and takes no %s; to add arms repeat its command: %s", said->config,
                          settled, plan->command);
    if (said->seeds > 0 && plan->stopping == STOP_LOOKS && said->seeds != plan->seeds)
        return status_set(KNACK_E_USAGE, "%s: looks were planned up to %lld seeds", said->config, (long long)plan->seeds);
    bool changes = said->seeds > plan->seeds || !isnan(said->margin) || said->drops > 0;
    change(said, plan);
    TRY(plan_find_project(plan, request->project));
    return changes ? plan_extend(plan, said->seeds, said->command) : KNACK_OK;
}

static knack_status go_on_by_folder(struct comparison *comparison, const struct comparison_request *request)
{
    comparison->folder = memory_text(request->plan.config);
    if (!comparison->folder) return KNACK_E_MEMORY;
    struct store *reading; /* a folder that holds none is left as it is */
    TRY(store_open(comparison->folder, false, &reading));
    store_close(reading);
    TRY(open_store(comparison));
    TRY(store_read_plan(comparison->store, &comparison->plan));
    if (!comparison->plan)
        return status_set(KNACK_E_USAGE, "%s: no comparison was planned here yet; begin one with a config", comparison->folder);
    TRY(change_kept(request, comparison->plan));
    return plan_drop(comparison->plan, request->plan.drop, request->plan.drops);
}

/* ---- All of it ---- */

/* Where results go, unless it is said: beside the screening, or named after the config. memory_free() */
static char *default_folder(const struct comparison_request *request, const struct plan *plan)
{
    if (request->confirm <= 0) return memory_format("comparisons/%s", plan->name);
    size_t length = strlen(request->plan.config);
    while (length > 1 && request->plan.config[length - 1] == '/') length--;
    return memory_format("%.*s-confirmation", (int)length, request->plan.config);
}

static knack_status make_plan(struct comparison *comparison, const struct comparison_request *request)
{
    if (request->confirm <= 0 && file_is_folder(request->plan.config)) return go_on_by_folder(comparison, request);
    if (request->confirm <= 0 && request->project)
        return status_set(KNACK_E_USAGE, "--project is for what a folder holds; of %s paths start from its own folder",
                          request->plan.config);
    TRY(request->confirm > 0 ? plan_confirmation(request, &comparison->plan) : plan_new(&request->plan, &comparison->plan));
    comparison->folder = request->out ? memory_text(request->out) : default_folder(request, comparison->plan);
    char *file = comparison->folder ? file_join(comparison->folder, database) : NULL;
    if (!file) return KNACK_E_MEMORY;
    bool kept = file_exists(file);
    memory_free(file);
    TRY(kept ? merge_kept(comparison) : store_check_folder(comparison->folder));
    TRY(plan_find_bounds(comparison->plan));
    return plan_drop(comparison->plan, request->plan.drop, request->plan.drops);
}

/* The same arms on seeds of their own, so that nothing is read of those that will judge. */
static void become_pilot(struct comparison *comparison, int64_t seeds)
{
    struct plan *plan = comparison->plan;
    plan->role = ROLE_TUNING;
    plan->design = plan->design == DESIGN_SCREEN ? DESIGN_ONE : plan->design;
    plan->stopping = STOP_FIXED;
    plan->first_seed = role_first_seed(ROLE_TUNING);
    plan->seeds = seeds;
    plan->looks = 0;
    plan->equal_cost = plan->converge = false;
    comparison_leave_store(comparison);
}

knack_status comparison_plan(struct comparison *comparison, const struct comparison_request *request)
{
    TRY(make_plan(comparison, request));
    if (request->pilot > 0) become_pilot(comparison, request->pilot);
    return KNACK_OK;
}

knack_status comparison_write_plan(struct comparison *comparison)
{
    TRY(store_write_plan(comparison->store, comparison->plan));
    if (comparison->scratch) return KNACK_OK;
    char *text = plan_readable(comparison->plan), *path = file_join(comparison->folder, "plan.json");
    knack_status status = text && path ? file_write(path, text, strlen(text)) : KNACK_E_MEMORY;
    memory_free(text);
    memory_free(path);
    return status;
}
