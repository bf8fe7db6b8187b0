/* Runs a comparison: calibration, then trials as the schedule says, each stored as it ends. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "compare/schedule/budgets.h"
#include "compare/schedule/calibrate.h"
#include "compare/schedule/check.h"
#include "compare/state.h"

/* ---- The first block ---- */

/* The message of a stored trial; "" if it has none. */
static knack_status read_message(struct comparison *comparison, int64_t arm, char *message, size_t size)
{
    struct stored_trial *trial;
    int64_t trials;
    TRY(store_read_trials(comparison->store, &trial, &trials));
    *message = '\0';
    for (int64_t i = 0; i < trials; i++)
        if (trial[i].arm == arm && trial[i].seed == comparison->plan->first_seed) snprintf(message, size, "%s", trial[i].message);
    memory_free(trial);
    return KNACK_OK;
}

static knack_status fail_if_all_failed(struct comparison *comparison)
{
    const struct plan *plan = comparison->plan;
    char message[1024];
    for (int64_t a = 0; a < plan->arms; a++)
        if (plan->arm[a].kind != ARM_BUDGET && !results_failed(results_cell(&comparison->results, 0, a))) return KNACK_OK;
    TRY(read_message(comparison, 0, message, sizeof message));
    enum trial_status status = results_cell(&comparison->results, 0, 0)->status;
    return status_set(status == TRIAL_NOT_FINITE ? KNACK_E_NUMERIC : KNACK_E_PLUGIN,
                      "every trial of the first seed (%lld) failed, the baseline's too: %s: %s. They are kept and not tried again; compare "
                      "what trains, into another folder (--out)",
                      (long long)plan->first_seed, trial_status_name[status], message);
}

/* A trick that does nothing would be compared with its own absence. */
static knack_status fail_if_idle(struct comparison *comparison)
{
    const struct plan *plan = comparison->plan;
    for (int64_t a = 0; a < plan->arms; a++) {
        const struct result *cell = results_cell(&comparison->results, 0, a);
        if (plan->arm[a].kind == ARM_BUDGET || cell->status != TRIAL_DONE || !cell->idle[0]) continue;
        return status_set(
            KNACK_E_PLUGIN,
            "arm \"%s\": its trick \"%s\" never acted in its trial of seed %lld: there is nothing to compare. See that it can act "
            "with these options in so many updates (%lld), then compare into another folder (--out)",
            plan->arm[a].name, cell->idle, (long long)plan->first_seed, (long long)plan->arm[a].updates);
    }
    return KNACK_OK;
}

static knack_status judge_first_block(struct comparison *comparison)
{
    if (comparison->first_block_is_good || !schedule_block_is_complete(&comparison->schedule, 0)) return KNACK_OK;
    TRY(fail_if_all_failed(comparison));
    TRY(fail_if_idle(comparison));
    comparison->first_block_is_good = true;
    return KNACK_OK;
}

/* ---- Budgets for equal cost ---- */

/* Those that are needed and not there yet. A screening has no time for them: what it finds is confirmed with them. */
static knack_status add_needed(struct comparison *comparison, bool all)
{
    struct plan *plan = comparison->plan;
    double budget[BUDGETS_MOST];
    for (int64_t c = 0; c < plan->contrasts; c++) {
        if (plan->contrast[c].kind != CONTRAST_ARM) continue;
        int64_t count = budgets_around(&comparison->results, plan->contrast[c].arm, all, budget);
        for (int64_t i = 0; i < count; i++) TRY(plan_add_budget(plan, budget[i]));
    }
    return KNACK_OK;
}

static void no_progress(void *user, int64_t done, int64_t planned)
{
    (void)user, (void)done, (void)planned;
}

/* An interrupt during the short check of a budget is seen once the plan and all that goes by it agree again. */
static bool not_interrupted(void *user)
{
    (void)user;
    return false;
}

static knack_status read_calibration(struct comparison *comparison)
{
    const struct plan *plan = comparison->plan;
    double *seconds = memory_resize(comparison->update_seconds, (size_t)plan->arms, sizeof *seconds);
    if (!seconds) return KNACK_E_MEMORY;
    comparison->update_seconds = seconds;
    for (int64_t a = 0; a < plan->arms; a++) TRY(calibration_read(comparison->store, plan->arm[a].kind == ARM_BUDGET ? 0 : a, &seconds[a]));
    return KNACK_OK;
}

static knack_status add_budgets(struct comparison *comparison, bool all)
{
    struct plan *plan = comparison->plan;
    int64_t arms = plan->arms;
    if (!plan->equal_cost || plan->design == DESIGN_SCREEN || !comparison->first_block_is_good) return KNACK_OK;
    /* Results have a column for each arm of the plan as it was when they were read: what is needed is found before arms are added. */
    struct plan before = *plan;
    comparison->results.plan = &before;
    knack_status status = add_needed(comparison, all);
    comparison->results.plan = plan;
    if (status < 0 || plan->arms == arms) return status;
    struct watcher watcher = comparison_watcher(comparison);
    watcher.progress = no_progress;
    watcher.interrupted = not_interrupted;
    TRY(check_arms(plan, arms, comparison->data, 1, &watcher));
    TRY(plan_describe_differences(plan));
    TRY(store_write_plan(comparison->store, plan));
    for (int64_t a = arms; a < plan->arms; a++)
        comparison_note(comparison, "%s is run too (%lld updates), for a comparison at equal cost", plan->arm[a].name,
                        (long long)plan->arm[a].updates);
    TRY(comparison_prepare(comparison));
    return read_calibration(comparison);
}

/* What has to be decided whenever a trial has ended. */
static knack_status decide(struct comparison *comparison)
{
    TRY(judge_first_block(comparison));
    TRY(add_budgets(comparison, false));
    TRY(schedule_advance(&comparison->schedule));
    if (!comparison->schedule.finished) return KNACK_OK;
    return add_budgets(comparison, true);
}

/* ---- Trials ---- */

/* Seconds of the median trial of this budget that is done; NaN: there is none. */
static knack_status median_seconds(const struct comparison *comparison, double budget, double *median)
{
    const struct plan *plan = comparison->plan;
    double *seconds = memory_new((size_t)(plan->arms * comparison->results.blocks), sizeof *seconds);
    int64_t count = 0;
    if (!seconds) return KNACK_E_MEMORY;
    for (int64_t a = 0; a < plan->arms; a++) {
        if (plan->arm[a].budget != budget) continue;
        for (int64_t b = 0; b < comparison->results.blocks; b++) {
            const struct result *cell = results_cell(&comparison->results, b, a);
            if (cell->there && cell->status == TRIAL_DONE) seconds[count++] = cell->seconds;
        }
    }
    *median = numbers_median(seconds, count);
    memory_free(seconds);
    return KNACK_OK;
}

/* How long a trial may take. Before any of its budget is done, a generous multiple of what its updates were measured to take. */
static knack_status find_timeout(const struct comparison *comparison, int64_t arm, double *timeout)
{
    const struct plan *plan = comparison->plan;
    double median, measured = comparison->update_seconds[arm] > 0 ? comparison->update_seconds[arm] : comparison->update_seconds[0];
    *timeout = plan->timeout;
    if (plan->timeout > 0) return KNACK_OK;
    TRY(median_seconds(comparison, plan->arm[arm].budget, &median));
    if (median > 0)
        *timeout = fmax(60, 20 * median);
    else if (measured > 0)
        *timeout = fmax(600, 100 * measured * (double)plan->arm[arm].updates);
    return KNACK_OK;
}

static knack_status start_trial(struct comparison *comparison, int64_t block, int64_t arm)
{
    const struct plan *plan = comparison->plan;
    const struct data_set *set;
    struct trial_job job;
    double timeout;
    int64_t slot = 0;
    while (comparison->running[slot].busy) slot++;
    TRY(data_sets_open(comparison->data, plan, &plan->arm[arm], &set));
    fill_job(plan, arm, set, &job);
    job.kind = TRIAL_TRAIN;
    job.seed = plan->first_seed + block;
    TRY(find_timeout(comparison, arm, &timeout));
    TRY(workers_start(comparison->workers, slot, timeout, &job));
    comparison->running[slot] = (struct running){.busy = true, .block = block, .arm = arm, .began = comparison_clock()};
    results_cell(&comparison->results, block, arm)->going_on = true;
    return KNACK_OK;
}

static knack_status start_trials(struct comparison *comparison)
{
    int64_t block, arm;
    while (!workers_are_full(comparison->workers) && schedule_next(&comparison->schedule, &block, &arm))
        TRY(start_trial(comparison, block, arm));
    return KNACK_OK;
}

/* The first one of an arm; the report lists all. */
static void tell_failure(struct comparison *comparison, const struct stored_trial *trial, const char *message)
{
    int64_t failures = 0;
    if (trial->status == TRIAL_DONE) return;
    for (int64_t b = 0; b < comparison->results.blocks; b++) {
        const struct result *cell = results_cell(&comparison->results, b, trial->arm);
        failures += cell->there && results_failed(cell);
    }
    if (failures > 1) return;
    comparison_warn(comparison, "%s, seed %lld: %s: %s (more of this arm that fail are in the report)",
                    comparison->plan->arm[trial->arm].name, (long long)trial->seed, trial_status_name[trial->status], message);
}

/* A trial that ended is stored before anything else happens; a failed one too, which is not tried again. */
static knack_status keep(struct comparison *comparison, int64_t slot, const struct trial_outcome *outcome)
{
    const struct running running = comparison->running[slot];
    struct stored_trial trial = {.arm = running.arm,
                                 .seed = comparison->plan->first_seed + running.block,
                                 .status = outcome->status,
                                 .value = outcome->value,
                                 .cost = outcome->cost};
    memcpy(trial.idle, outcome->idle, sizeof trial.idle);
    TRY(store_add_trial(comparison->store, trial.arm, trial.seed, outcome));
    comparison->running[slot].busy = false;
    results_put(&comparison->results, &trial);
    tell_failure(comparison, &trial, outcome->message);
    return decide(comparison);
}

static knack_status wait_for_event(struct comparison *comparison, bool *ended)
{
    struct worker_event event;
    bool happened;
    TRY(workers_wait(comparison->workers, 0.1, &event, &happened));
    *ended = happened && event.finished;
    if (*ended) {
        knack_status status = keep(comparison, event.id, &event.outcome);
        trial_outcome_free(&event.outcome);
        TRY(status);
    } else if (happened) {
        comparison->running[event.id].progress = event.progress;
    }
    return KNACK_OK;
}

static knack_status interrupted(struct comparison *comparison)
{
    int64_t done, planned;
    schedule_count(&comparison->schedule, &done, &planned);
    return status_set(KNACK_E_INTERRUPTED, "interrupted: %lld of %lld trials are done and kept in %s; the same command goes on from there",
                      (long long)done, (long long)planned, comparison->folder);
}

static knack_status train_all(struct comparison *comparison)
{
    comparison->phase[0] = '\0';
    TRY(workers_new(comparison->jobs, &comparison->workers));
    TRY(decide(comparison));
    for (bool ended = true;;) {
        if (comparison_interrupted(comparison)) return interrupted(comparison);
        TRY(start_trials(comparison));
        comparison_tell(comparison, ended); /* once the next one has begun, so that it is told too */
        if (workers_busy(comparison->workers) == 0) return KNACK_OK;
        TRY(wait_for_event(comparison, &ended));
    }
}

/* ---- All of it ---- */

static knack_status measure_costs(struct comparison *comparison)
{
    struct watcher watcher = comparison_watcher(comparison);
    int64_t done, planned;
    schedule_count(&comparison->schedule, &done, &planned);
    snprintf(comparison->phase, sizeof comparison->phase, "measuring cost");
    knack_status status = calibrate(comparison->store, comparison->plan, comparison->data, planned, comparison->jobs, &watcher);
    if (status == KNACK_E_INTERRUPTED) return interrupted(comparison);
    TRY(status);
    TRY(read_calibration(comparison));
    if (isnan(comparison->update_seconds[0]) && !(comparison->plan->timeout > 0))
        comparison_warn(comparison,
                        "the baseline's updates could not be measured: until a trial of it is done, none is ended for taking too "
                        "long, unless --trial-timeout says when");
    return KNACK_OK;
}

static knack_status run(struct comparison *comparison)
{
    TRY(store_write_status(comparison->store, "running", comparison->number));
    TRY(measure_costs(comparison));
    return train_all(comparison);
}

knack_status comparison_run(struct comparison *comparison)
{
    char message[1280];
    comparison->began = comparison_clock();
    knack_status status = run(comparison);
    snprintf(message, sizeof message, "%s", status < 0 ? knack_error() : "");
    workers_free(comparison->workers); /* ends what still goes on */
    comparison->workers = NULL;
    for (int64_t i = 0; i < comparison->jobs; i++) comparison->running[i].busy = false;
    if (status >= 0) return store_write_status(comparison->store, "done", comparison->number);
    store_write_status(comparison->store, "interrupted", comparison->number); /* the first error is the one to tell */
    return status_set(status, "%s", message);
}
