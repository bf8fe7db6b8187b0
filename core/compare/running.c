/* Runs a comparison: calibration, then trials as the schedule says, each stored as it ends. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compare/preflight/calibrate.h"
#include "compare/preflight/check.h"
#include "compare/state.h"
#include "compare/store/ledger.h"

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

/* A comparison in which nothing trains is not worth its other seeds. */
static knack_status judge_first_block(struct comparison *comparison)
{
    const struct plan *plan = comparison->plan;
    char message[1024];
    if (comparison->first_block_is_good || !schedule_block_is_complete(&comparison->schedule, 0)) return KNACK_OK;
    for (int64_t a = 0; a < plan->arms && !comparison->first_block_is_good; a++)
        comparison->first_block_is_good = plan->arm[a].kind != ARM_BUDGET && !grid_failed(grid_cell(&comparison->grid, 0, a));
    if (comparison->first_block_is_good) return KNACK_OK;
    TRY(read_message(comparison, 0, message, sizeof message));
    enum trial_status status = grid_cell(&comparison->grid, 0, 0)->status;
    return status_set(status == TRIAL_NOT_FINITE ? KNACK_E_NUMERIC : KNACK_E_PLUGIN,
                      "every trial of the first seed (%lld) failed, the baseline's too: %s: %s. They are kept; compare what trains, into "
                      "another folder (--out), or make them anew (--retry-failed)",
                      (long long)plan->first_seed, trial_status_name[status], message);
}

/* ---- Other budgets of the baseline ---- */

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

knack_status comparison_add_budget(struct comparison *comparison, double size, const char *why)
{
    struct plan *plan = comparison->plan;
    int64_t arms = plan->arms;
    TRY(plan_add_budget(plan, size));
    if (plan->arms == arms) return KNACK_OK; /* whole epochs allow no such budget */
    struct watcher watcher = comparison_watcher(comparison);
    watcher.progress = no_progress;
    watcher.interrupted = not_interrupted;
    TRY(check_arms(plan, arms, comparison->data, 1, &watcher));
    TRY(plan_describe_differences(plan));
    TRY(comparison_write_plan(comparison));
    comparison_note(comparison, "also training %s (%lld updates), %s", plan->arm[arms].name, (long long)plan->arm[arms].updates, why);
    TRY(comparison_prepare(comparison));
    return comparison->update_seconds ? read_calibration(comparison) : KNACK_OK;
}

static knack_status add_budgets(struct comparison *comparison)
{
    double size[BUDGETS_MOST];
    int64_t count;
    while (comparison->first_block_is_good && (count = schedule_budgets(&comparison->schedule, size)) > 0) {
        int64_t arms = comparison->plan->arms;
        for (int64_t i = 0; i < count; i++) TRY(comparison_add_budget(comparison, size[i], "to compare at equal cost"));
        if (comparison->plan->arms == arms) return KNACK_OK;
    }
    return KNACK_OK;
}

/* What has to be decided whenever a trial has ended. */
static knack_status decide(struct comparison *comparison)
{
    TRY(schedule_advance(&comparison->schedule));
    TRY(judge_first_block(comparison));
    TRY(add_budgets(comparison));
    return schedule_advance(&comparison->schedule);
}

/* ---- Starting trials ---- */

/* CPU seconds that a trial of the arm may take: a generous multiple of what its updates were measured to take, or its trials took. */
static double timeout_of(const struct comparison *comparison, int64_t arm)
{
    const struct plan *plan = comparison->plan;
    double own = comparison->update_seconds[arm] * (double)plan->arm[arm].updates, taken = comparison_expected(comparison, arm);
    if (plan->timeout > 0) return plan->timeout;
    return isnan(taken) ? 0 : fmax(60, 20 * fmax(own, taken));
}

static knack_status start_trial(struct comparison *comparison, int64_t block, int64_t arm)
{
    const struct plan *plan = comparison->plan;
    const struct data_set *set;
    struct trial_job job;
    int64_t slot = 0;
    while (comparison->running[slot].busy) slot++;
    TRY(data_sets_open(comparison->data, plan, &plan->arm[arm], &set));
    fill_job(plan, arm, set, &job);
    job.kind = TRIAL_TRAIN;
    job.seed = plan->first_seed + block;
    TRY(workers_start(comparison->workers, slot, timeout_of(comparison, arm), &job));
    comparison->running[slot] = (struct running){.busy = true, .block = block, .arm = arm, .began = comparison_clock()};
    grid_cell(&comparison->grid, block, arm)->going_on = true;
    return KNACK_OK;
}

/* What is to be made again is made when nothing else goes on, so that nothing else can be its trouble. */
static knack_status start_trials(struct comparison *comparison)
{
    int64_t block, arm;
    for (int64_t i = 0; i < comparison->jobs; i++)
        if (comparison->running[i].busy &&
            grid_cell(&comparison->grid, comparison->running[i].block, comparison->running[i].arm)->attempts > 0)
            return KNACK_OK;
    while (!workers_are_full(comparison->workers) && schedule_next(&comparison->schedule, false, &block, &arm))
        TRY(start_trial(comparison, block, arm));
    if (workers_busy(comparison->workers) > 0 || !schedule_next(&comparison->schedule, true, &block, &arm)) return KNACK_OK;
    return start_trial(comparison, block, arm);
}

/* ---- Ends of trials ---- */

/* The first failure of an arm; the report lists all. */
static void tell_failure(struct comparison *comparison, int64_t arm, int64_t seed, const struct trial_outcome *outcome, const char *then)
{
    int64_t failures = 0;
    for (int64_t b = 0; b < comparison->grid.blocks; b++)
        failures += grid_failed(grid_cell(&comparison->grid, b, arm)) || grid_cell(&comparison->grid, b, arm)->attempts > 0;
    if (failures > 1) return;
    comparison_warn(comparison, "%s, seed %lld: %s: %s%s", comparison->plan->arm[arm].name, (long long)seed,
                    trial_status_name[outcome->status], outcome->message, then);
}

/* What came of a trial, by whose fault it is, and by how it ended before. */
enum end { END_COUNTS, END_AGAIN, END_WAITS };
static enum end judge_end(const struct trial_cell *cell, const struct trial_outcome *outcome)
{
    if (outcome->status == TRIAL_DONE || outcome->fault == FAULT_OWN) return END_COUNTS;
    if (cell->attempts == 0) return END_AGAIN;
    bool alike = outcome->fault == FAULT_UNCLEAR && outcome->status == cell->earlier && outcome->step == cell->earlier_step;
    return alike ? END_COUNTS : END_WAITS;
}

/* Seeds are counted: of those that are made at once, the last to end need not be the last one. */
static void tell_idle(struct comparison *comparison, int64_t arm, const char *trick)
{
    int64_t seeds = 0;
    for (int64_t b = 0; b < comparison->grid.blocks; b++) seeds += grid_there(&comparison->grid, b, arm);
    comparison_warn(comparison,
                    "%s: its trick \"%s\" never acted in %lld seeds; see that it can act with these options in so many updates "
                    "(%lld). This arm ends here, the others go on",
                    comparison->plan->arm[arm].name, trick, (long long)seeds, (long long)comparison->plan->arm[arm].updates);
}

/* A trial that ended is stored before anything else happens. */
static knack_status keep(struct comparison *comparison, int64_t slot, struct trial_outcome *outcome)
{
    const struct running running = comparison->running[slot];
    struct trial_cell *cell = grid_cell(&comparison->grid, running.block, running.arm);
    int64_t seed = comparison->plan->first_seed + running.block;
    enum end end = judge_end(cell, outcome);
    if (end == END_COUNTS && outcome->status != TRIAL_DONE) outcome->fault = FAULT_OWN;
    if (end != END_COUNTS) strcpy(outcome->aside, outcome->fault == FAULT_UNCLEAR ? "unclear" : "machine");
    TRY(store_add_trial(comparison->store, running.arm, seed, outcome));
    comparison->running[slot].busy = cell->going_on = false;
    if (end == END_COUNTS) {
        struct stored_trial trial = {
            .arm = running.arm, .seed = seed, .status = outcome->status, .value = outcome->value, .cost = outcome->cost};
        memcpy(trial.idle, outcome->idle, sizeof trial.idle);
        grid_put(&comparison->grid, &trial);
        if (outcome->status != TRIAL_DONE)
            tell_failure(comparison, running.arm, seed, outcome, " (more of this arm that fail are in the report)");
        TRY(decide(comparison));
        if (outcome->idle[0] && comparison->schedule.state[running.arm].idle) tell_idle(comparison, running.arm, outcome->idle);
        return KNACK_OK;
    }
    cell->attempts++;
    cell->waits = end == END_WAITS;
    cell->earlier = outcome->status;
    cell->earlier_step = outcome->fault == FAULT_UNCLEAR ? outcome->step : INT64_MIN;
    tell_failure(comparison, running.arm, seed, outcome,
                 cell->waits ? ". Alone too: the arm waits, and has no verdict until this trial is made" : ". It is made again, alone");
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
    if (comparison->scratch) return status_set(KNACK_E_INTERRUPTED, "interrupted; nothing was written");
    schedule_count(&comparison->schedule, &done, &planned);
    return status_set(KNACK_E_INTERRUPTED,
                      "interrupted: %lld of %lld trials are done and kept in %s; the same command goes on from there, or: knack compare %s",
                      (long long)done, (long long)planned, comparison->folder, comparison->folder);
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

/* ---- The end ---- */

static knack_status tell_waiting(struct comparison *comparison)
{
    char text[1024] = "";
    for (int64_t a = 0; a < comparison->plan->arms; a++)
        if (comparison->schedule.state[a].waits)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? ", " : "", comparison->plan->arm[a].name);
    if (!*text) return KNACK_OK;
    comparison->waiting = memory_format("trials of %s could not be made, by no fault of their own: free memory or disk, or close what else "
                                        "runs, then go on: knack compare %s",
                                        text, comparison->folder);
    return comparison->waiting ? KNACK_OK : KNACK_E_MEMORY;
}

/* Results are read once they are there: who adds seeds later, or repeats these trials elsewhere, has to pay for it. */
static knack_status note_reading(struct comparison *comparison)
{
    struct plan *plan = comparison->plan;
    if (plan->design == DESIGN_SCREEN || comparison->waiting || comparison->scratch) return KNACK_OK;
    for (int64_t a = 0; a < plan->arms; a++) {
        int64_t there = 0;
        while (grid_there(&comparison->grid, there, a)) there++;
        if (there > 0) arm_add_reading(&plan->arm[a], there);
    }
    TRY(comparison_write_plan(comparison));
    return ledger_mark_read(plan, store_identity(comparison->store), comparison->folder);
}

static knack_status finish(struct comparison *comparison)
{
    TRY(tell_waiting(comparison));
    TRY(note_reading(comparison));
    return store_write_status(comparison->store, comparison->waiting ? "waiting" : "done", comparison->number);
}

knack_status comparison_measure(struct comparison *comparison)
{
    struct watcher watcher = comparison_watcher(comparison);
    int64_t done, planned;
    schedule_count(&comparison->schedule, &done, &planned);
    snprintf(comparison->phase, sizeof comparison->phase, "measuring cost");
    knack_status status = calibrate(comparison->store, comparison->plan, comparison->data, planned, comparison->jobs, &watcher);
    if (status == KNACK_E_INTERRUPTED) return interrupted(comparison);
    TRY(status);
    TRY(comparison_write_plan(comparison)); /* with the costs that were found */
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
    TRY(comparison_measure(comparison));
    TRY(train_all(comparison));
    return finish(comparison);
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
    if (status >= 0) return KNACK_OK;
    store_write_status(comparison->store, "interrupted", comparison->number); /* the first error is the one to tell */
    return status_set(status, "%s", message);
}
