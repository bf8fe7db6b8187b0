#include "compare/comparison.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compare/preflight/check.h"
#include "compare/preflight/kept.h"
#include "compare/state.h"
#include "compare/store/ledger.h"

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
    if (comparison->scratch) return KNACK_OK;
    entered.seeds = schedule_blocks(comparison->plan);
    knack_status status = ledger_enter(&entered, store_identity(comparison->store), comparison->folder, &comparison->number, &note);
    if (!note) return status;
    comparison_warn(comparison, "%s: the networks that chose are the judges; use others, by --first-seed", note);
    memory_free(comparison->plan->note);
    comparison->plan->note = note;
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
    TRY(store_open(comparison->scratch ? comparison->scratch : comparison->folder, true, &comparison->store));
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
    int64_t aside;
    char *from = NULL;
    TRY(kept_check(comparison->store, comparison->plan, &request->kept, &aside));
    if (aside > 0) comparison_note(comparison, "%lld trials are set aside, to be made anew", (long long)aside);
    TRY(comparison_prepare(comparison));
    TRY(kept_check_machine(comparison->store, &comparison->schedule));
    knack_status status =
        request->no_cache ? KNACK_OK : kept_take_over(comparison->store, &comparison->schedule, &comparison->taken, &from);
    if (comparison->taken > 0)
        comparison_note(comparison,
                        "%lld trials of the baseline are taken over from %s, where they are equal in everything (--no-cache trains them)",
                        (long long)comparison->taken, from);
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
    schedule_count(&comparison->schedule, &done, &planned);
    comparison_note(comparison, "%s", plan->data_title);
    comparison_note(comparison, "%lld arms, seeds from %lld on, %lld at once: comparison %lld on this %s set",
                    (long long)plan_own_arms(plan), (long long)plan->first_seed, (long long)comparison->jobs, (long long)comparison->number,
                    plan->part);
    if (plan->seeds < 3) comparison_note(comparison, "fewer than 3 seeds give differences, but neither an interval nor a verdict");
    if (done > 0) comparison_note(comparison, "%s: %lld trials already done", comparison->folder, (long long)done);
}

/* The plan has to be there before what goes by the order of its arms; of one that is refused the store keeps nothing. */
static knack_status write_plan(struct comparison *comparison, const struct comparison_request *request)
{
    struct plan *before;
    TRY(store_read_plan(comparison->store, &before));
    knack_status status = comparison_write_plan(comparison);
    if (status >= 0) status = settle_kept(comparison, request);
    if (status < 0 && before) {
        char message[1280];
        snprintf(message, sizeof message, "%s", knack_error());
        struct plan *refused = comparison->plan;
        comparison->plan = before;
        comparison_write_plan(comparison);
        comparison->plan = refused;
        status_set(status, "%s", message);
    }
    plan_free(before);
    return status;
}

static knack_status make_scratch(struct comparison *comparison)
{
    const char *base = getenv("TMPDIR");
    comparison->observer.note = NULL; /* of what is not to happen */
    comparison->scratch = memory_format("%s/knack-dry-XXXXXX", base && *base ? base : "/tmp");
    if (!comparison->scratch) return KNACK_E_MEMORY;
    if (mkdtemp(comparison->scratch)) return KNACK_OK;
    return status_set(KNACK_E_IO, "%s: cannot make this folder: %s", comparison->scratch, strerror(errno));
}

static knack_status open_all(struct comparison *comparison, const struct comparison_request *request)
{
    if (request->dry_run) TRY(make_scratch(comparison));
    TRY(data_sets_new(&comparison->data));
    TRY(comparison_plan(comparison, request));
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
    comparison_leave_store(comparison);
    plan_free(comparison->plan);
    memory_free(comparison->scratch);
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
