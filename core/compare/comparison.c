#include "compare/comparison.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "compare/preflight/check.h"
#include "compare/preflight/kept.h"
#include "compare/state.h"
#include "compare/store/ledger.h"

static const char database[] = "knack.db";

/* ---- The plan ---- */

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
        return status_set(KNACK_E_USAGE, "--confirm: the screening in %s is not finished (%s); finish it first: %s", store_folder(store),
                          status_word, screening->command ? screening->command : "knack compare");
    const char **name = memory_new((size_t)count, sizeof *name);
    if (!name) return KNACK_E_MEMORY;
    knack_status status = find_best(store, screening, &count, name);
    if (status >= 0) status = plan_confirm(screening, name, count, plan);
    memory_free(name);
    return status;
}

/* What may be asked for otherwise than the screening had it. */
static knack_status change_confirmation(const struct plan_request *request, struct plan *plan)
{
    char *command = memory_text(request->command ? request->command : "");
    if (!command) return KNACK_E_MEMORY;
    memory_free(plan->command);
    plan->command = command;
    if (request->seeds > 0) plan->seeds = request->seeds;
    if (request->first_seed >= 0) plan->first_seed = request->first_seed;
    if (!isnan(request->margin)) plan->margin = plan->first_margin = request->margin;
    if (!isnan(request->failed_score)) {
        plan->failed_score = request->failed_score;
        plan->failed_score_given = true;
    }
    if (request->no_equal_cost) plan->equal_cost = false;
    if (request->no_converge) plan->converge = false;
    if (request->timeout > 0) plan->timeout = request->timeout;
    return KNACK_OK;
}

static knack_status plan_confirmation(const struct comparison_request *request, struct plan **plan)
{
    struct store *store;
    struct plan *screening = NULL;
    TRY(store_open(request->plan.config, false, &store));
    knack_status status = store_read_plan(store, &screening);
    if (status >= 0 && !screening) status = status_set(KNACK_E_USAGE, "--confirm: %s holds no plan", request->plan.config);
    if (status >= 0) status = plan_from_screening(store, screening, request->confirm, plan);
    if (status >= 0) status = change_confirmation(&request->plan, *plan);
    plan_free(screening);
    store_close(store);
    return status;
}

/* Where results go, unless it is said: beside the screening, or named after the config. memory_free() */
static char *default_folder(const struct comparison_request *request, const struct plan *plan)
{
    if (request->confirm <= 0) return memory_format("comparisons/%s", plan->name);
    size_t length = strlen(request->plan.config);
    while (length > 1 && request->plan.config[length - 1] == '/') length--;
    return memory_format("%.*s-confirmation", (int)length, request->plan.config);
}

/* What the folder holds goes on, with what is asked for in addition. */
static knack_status merge_kept(struct comparison *comparison)
{
    struct plan *kept;
    TRY(store_open(comparison->folder, true, &comparison->store));
    TRY(store_read_plan(comparison->store, &kept));
    if (!kept) return KNACK_OK;
    knack_status status = plan_merge(kept, comparison->plan);
    if (status < 0) {
        plan_free(kept);
        return status;
    }
    if (kept->contrasts > comparison->plan->contrasts || kept->seeds > comparison->plan->seeds)
        comparison_note(comparison, "%s: what it has stays: %lld comparisons, %lld seeds", comparison->folder, (long long)kept->contrasts,
                        (long long)kept->seeds);
    plan_free(comparison->plan);
    comparison->plan = kept;
    return KNACK_OK;
}

/* What may be said of a comparison that goes on by its folder alone. */
static knack_status change_kept(const struct plan_request *request, struct plan *plan)
{
    const char *said = request->tricks            ? "--tricks"
                       : request->design          ? "--design"
                       : request->role            ? "--role"
                       : request->on              ? "--on"
                       : request->metric          ? "--metric"
                       : request->looks           ? "--looks"
                       : request->adaptive        ? "--adaptive"
                       : request->sets            ? "--set"
                       : request->first_seed >= 0 ? "--first-seed"
                                                  : NULL;
    if (said)
        return status_set(KNACK_E_USAGE, "%s: goes on as it was planned, and takes no %s; to add arms repeat its command: %s",
                          request->config, said, plan->command);
    if (request->seeds > 0 && plan->stopping == STOP_LOOKS && request->seeds != plan->seeds)
        return status_set(KNACK_E_USAGE, "%s: looks were planned up to %lld seeds", request->config, (long long)plan->seeds);
    if (request->seeds > plan->seeds) plan->seeds = request->seeds;
    if (!isnan(request->margin)) plan->margin = request->margin;
    if (request->no_equal_cost) plan->equal_cost = false;
    if (request->no_converge) plan->converge = false;
    if (request->timeout > 0) plan->timeout = request->timeout;
    return KNACK_OK;
}

static knack_status go_on_by_folder(struct comparison *comparison, const struct comparison_request *request)
{
    comparison->folder = memory_text(request->plan.config);
    if (!comparison->folder) return KNACK_E_MEMORY;
    struct store *reading; /* a folder that holds none is left as it is */
    TRY(store_open(comparison->folder, false, &reading));
    store_close(reading);
    TRY(store_open(comparison->folder, true, &comparison->store));
    TRY(store_read_plan(comparison->store, &comparison->plan));
    if (!comparison->plan)
        return status_set(KNACK_E_USAGE, "%s: no comparison was planned here yet; begin one with a config", comparison->folder);
    TRY(change_kept(&request->plan, comparison->plan));
    return plan_drop(comparison->plan, request->plan.drop, request->plan.drops);
}

static knack_status make_plan(struct comparison *comparison, const struct comparison_request *request)
{
    if (request->confirm <= 0 && file_is_folder(request->plan.config)) return go_on_by_folder(comparison, request);
    TRY(request->confirm > 0 ? plan_confirmation(request, &comparison->plan) : plan_new(&request->plan, &comparison->plan));
    comparison->folder = request->out ? memory_text(request->out) : default_folder(request, comparison->plan);
    char *file = comparison->folder ? file_join(comparison->folder, database) : NULL;
    if (!file) return KNACK_E_MEMORY;
    bool kept = file_exists(file);
    memory_free(file);
    if (kept) TRY(merge_kept(comparison));
    TRY(plan_find_bounds(comparison->plan));
    return plan_drop(comparison->plan, request->plan.drop, request->plan.drops);
}

/* ---- Jobs ---- */

/* As many as there are cores that this process may use. */
static int64_t cores(void)
{
    cpu_set_t set;
    int64_t count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? count : 1;
}

static void choose_jobs(struct comparison *comparison, int64_t asked)
{
    int64_t threads = comparison->plan->threads > 0 ? comparison->plan->threads : 1;
    comparison->jobs = asked > 0 ? asked : cores() / threads > 0 ? cores() / threads : 1;
}

/* ---- Opening ---- */

static knack_status check(struct comparison *comparison)
{
    struct watcher watcher = comparison_watcher(comparison);
    snprintf(comparison->phase, sizeof comparison->phase, "checking");
    TRY(check_arms(comparison->plan, 0, comparison->data, comparison->jobs, &watcher));
    return plan_describe_differences(comparison->plan);
}

/* Seeds that may come to be used are entered, more than the plan's own in a screening. */
static knack_status enter(struct comparison *comparison)
{
    struct plan entered = *comparison->plan;
    char *note = NULL;
    entered.seeds = schedule_blocks(comparison->plan);
    knack_status status = ledger_enter(&entered, store_identity(comparison->store), comparison->folder, &comparison->number, &note);
    if (note) comparison_warn(comparison, "%s: the networks that chose are the judges; use others, by --first-seed", note);
    memory_free(note);
    return status;
}

/* The folder was empty before the checks. */
static knack_status fail_if_begun(struct comparison *comparison)
{
    struct plan *kept;
    TRY(store_read_plan(comparison->store, &kept));
    if (!kept) return KNACK_OK;
    plan_free(kept);
    return status_set(KNACK_E_USAGE, "%s: another process began a comparison here in the meantime; the same command goes on with it",
                      comparison->folder);
}

static knack_status make_store(struct comparison *comparison)
{
    TRY(store_open(comparison->folder, true, &comparison->store));
    TRY(fail_if_begun(comparison));
    knack_status status = enter(comparison);
    if (status >= 0) return status;
    char message[1280];
    snprintf(message, sizeof message, "%s", knack_error());
    store_discard(comparison->store); /* nothing stays, so that the folder is free for another */
    comparison->store = NULL;
    return status_set(status, "%s", message);
}

knack_status comparison_prepare(struct comparison *comparison)
{
    struct plan *plan = comparison->plan;
    schedule_free(&comparison->schedule);
    struct comparison_arm *told = memory_resize(comparison->told_arm, (size_t)plan->arms, sizeof *told);
    if (!told) return KNACK_E_MEMORY;
    comparison->told_arm = told;
    TRY(comparison->grid.cell ? grid_widen(&comparison->grid)
                              : grid_read(comparison->store, plan, schedule_blocks(plan), &comparison->grid));
    return schedule_new(plan, &comparison->grid, &comparison->schedule);
}

/* Whether what is there may stand beside what comes, and what others have that is equal. */
static knack_status settle_kept(struct comparison *comparison, const struct comparison_request *request)
{
    int64_t aside, taken = 0;
    char *from = NULL;
    TRY(kept_check(comparison->store, comparison->plan, &request->kept, &aside));
    if (aside > 0) comparison_note(comparison, "%lld trials are set aside, to be made anew", (long long)aside);
    TRY(comparison_prepare(comparison));
    TRY(kept_check_machine(comparison->store, &comparison->schedule));
    knack_status status = request->no_cache ? KNACK_OK : kept_take_over(comparison->store, &comparison->schedule, &taken, &from);
    if (taken > 0)
        comparison_note(comparison,
                        "%lld trials of the baseline are taken over from %s, where they are equal in everything (--no-cache trains them)",
                        (long long)taken, from);
    memory_free(from);
    return status < 0 ? status : schedule_advance(&comparison->schedule);
}

/* Results that other folders have shown of the same trials were read before. */
static knack_status find_readings(struct comparison *comparison)
{
    struct plan *plan = comparison->plan;
    for (int64_t a = 0; a < plan->arms; a++) {
        int64_t read[READS_MOST], reads;
        struct arm *arm = &plan->arm[a];
        if (!arm->identity) continue;
        TRY(ledger_reads(plan, a, store_identity(comparison->store), read, &reads));
        for (int64_t i = 0; i < reads; i++) arm_add_reading(arm, read[i]);
    }
    return KNACK_OK;
}

static void introduce(struct comparison *comparison)
{
    const struct plan *plan = comparison->plan;
    int64_t done, planned;
    int64_t arms = plan->arms;
    while (arms > 1 && plan->arm[arms - 1].kind == ARM_BUDGET) arms--;
    schedule_count(&comparison->schedule, &done, &planned);
    comparison_note(comparison, "%s", plan->data_title);
    comparison_note(comparison, "%lld arms, seeds from %lld on, %lld at once: comparison %lld on this %s set", (long long)arms,
                    (long long)plan->first_seed, (long long)comparison->jobs, (long long)comparison->number, plan->part);
    if (plan->seeds < 3) comparison_note(comparison, "fewer than 3 seeds give differences, but neither an interval nor a verdict");
    if (done > 0) comparison_note(comparison, "%s: %lld trials already done", comparison->folder, (long long)done);
}

/* The plan has to be there before what goes by the order of its arms; of one that is refused the store keeps nothing. */
static knack_status write_plan(struct comparison *comparison, const struct comparison_request *request)
{
    struct plan *before;
    TRY(store_read_plan(comparison->store, &before));
    knack_status status = store_write_plan(comparison->store, comparison->plan);
    if (status >= 0) status = settle_kept(comparison, request);
    if (status < 0 && before) {
        char message[1280];
        snprintf(message, sizeof message, "%s", knack_error());
        store_write_plan(comparison->store, before);
        status_set(status, "%s", message);
    }
    plan_free(before);
    return status;
}

static knack_status open_all(struct comparison *comparison, const struct comparison_request *request)
{
    TRY(data_sets_new(&comparison->data));
    TRY(make_plan(comparison, request));
    choose_jobs(comparison, request->jobs);
    comparison->running = memory_new((size_t)comparison->jobs, sizeof *comparison->running);
    comparison->told_trial = memory_new((size_t)comparison->jobs, sizeof *comparison->told_trial);
    if (!comparison->running || !comparison->told_trial) return KNACK_E_MEMORY;
    TRY(check(comparison));
    TRY(comparison->store ? enter(comparison) : make_store(comparison));
    TRY(find_readings(comparison));
    TRY(write_plan(comparison, request));
    if (comparison->plan->converge) TRY(comparison_add_budget(comparison, 2, "to see whether the baseline's budget is enough"));
    introduce(comparison);
    return KNACK_OK;
}

knack_status comparison_open(const struct comparison_request *request, struct comparison **out)
{
    *out = NULL;
    struct comparison *comparison = memory_new(1, sizeof *comparison);
    if (!comparison) return KNACK_E_MEMORY;
    comparison->observer = request->observer;
    comparison->began = comparison_clock();
    knack_status status = open_all(comparison, request);
    if (status >= 0) {
        *out = comparison;
        return KNACK_OK;
    }
    char message[1280];
    snprintf(message, sizeof message, "%s", knack_error());
    comparison_close(comparison);
    return status_set(status, "%s", message);
}

void comparison_close(struct comparison *comparison)
{
    if (!comparison) return;
    workers_free(comparison->workers);
    schedule_free(&comparison->schedule);
    grid_free(&comparison->grid);
    data_sets_free(comparison->data);
    store_close(comparison->store);
    plan_free(comparison->plan);
    memory_free(comparison->folder);
    memory_free(comparison->running);
    memory_free(comparison->update_seconds);
    memory_free(comparison->told_trial);
    memory_free(comparison->told_arm);
    memory_free(comparison->waiting);
    memory_free(comparison);
}

const char *comparison_waiting(const struct comparison *comparison)
{
    return comparison->waiting;
}

const char *comparison_folder(const struct comparison *comparison)
{
    return comparison->folder;
}

struct store *comparison_store(struct comparison *comparison)
{
    return comparison->store;
}
