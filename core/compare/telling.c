/* What a comparison says while it goes on. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "compare/analysis/steps.h"
#include "compare/state.h"

double comparison_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void say(void *user, void (*to)(void *user, const char *text), const char *format, va_list list)
{
    char text[1280];
    if (!to) return;
    vsnprintf(text, sizeof text, format, list);
    to(user, text);
}

void comparison_note(struct comparison *comparison, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(comparison->observer.user, comparison->observer.note, format, list);
    va_end(list);
}

void comparison_warn(struct comparison *comparison, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(comparison->observer.user, comparison->observer.warning, format, list);
    va_end(list);
}

bool comparison_interrupted(struct comparison *comparison)
{
    return comparison->observer.interrupted && comparison->observer.interrupted(comparison->observer.user);
}

/* ---- How long it takes ---- */

static double mean_seconds(const struct comparison *comparison, int64_t arm, double *count)
{
    double sum = 0;
    *count = 0;
    for (int64_t b = 0; b < comparison->grid.blocks; b++) {
        const struct trial_cell *cell = grid_cell(&comparison->grid, b, arm);
        if (!cell->there || cell->status != TRIAL_DONE) continue;
        sum += cell->cost.seconds;
        ++*count;
    }
    return *count > 0 ? sum / *count : NAN;
}

double comparison_expected(const struct comparison *comparison, int64_t arm)
{
    double count, base_count, own = mean_seconds(comparison, arm, &count), base = mean_seconds(comparison, 0, &base_count);
    if (count > 0) return own;
    const double *update = comparison->update_seconds;
    const struct arm *of = &comparison->plan->arm[arm];
    bool measured = update && update[arm] > 0 && update[0] > 0;
    double updates = measured ? update[arm] * (double)of->updates : NAN;
    if (isnan(base)) return updates;
    return base * (measured ? updates / (update[0] * (double)comparison->plan->arm[0].updates) : of->budget);
}

/* Of a trial that is going on: by how long others took, or by how far it is, once that tells. */
static double running_left(const struct comparison *comparison, const struct running *running, double now)
{
    const struct trial_progress *at = &running->progress;
    double spent = now - running->began, expected = comparison_expected(comparison, running->arm);
    if (at->update > 0 && (5 * at->update > at->updates || isnan(expected)))
        return spent * (double)(at->updates - at->update) / (double)at->update;
    return fmax(0, expected - spent);
}

/* Of what is known to be wanted. */
static double seconds_left(const struct comparison *comparison)
{
    double sum = 0, longest = 0, now = comparison_clock();
    for (int64_t a = 0; a < comparison->plan->arms; a++) {
        int64_t missing = 0;
        for (int64_t b = 0; b < comparison->schedule.until[a]; b++) {
            const struct trial_cell *cell = grid_cell(&comparison->grid, b, a);
            missing += !cell->there && !cell->going_on;
        }
        if (missing > 0) sum += (double)missing * comparison_expected(comparison, a);
    }
    for (int64_t i = 0; i < comparison->jobs; i++) {
        if (!comparison->running[i].busy) continue;
        double left = running_left(comparison, &comparison->running[i], now);
        sum += left;
        longest = fmax(longest, left);
    }
    return isnan(sum) ? NAN : fmax(longest, sum / (double)comparison->jobs);
}

/* ---- What is there ---- */

static void tell_arm(const struct comparison *comparison, int64_t a, struct comparison_arm *told)
{
    const struct plan *plan = comparison->plan;
    const struct schedule *schedule = &comparison->schedule;
    double sum = 0;
    *told = (struct comparison_arm){.name = plan->arm[a].name,
                                    .planned = schedule->until[a],
                                    .stopped = schedule->stopped[a] && !schedule->finished,
                                    .p_adjusted = NAN};
    for (int64_t b = 0; b < comparison->grid.blocks; b++) {
        const struct trial_cell *cell = grid_cell(&comparison->grid, b, a);
        if (!cell->there) continue;
        sum += grid_value(&comparison->grid, b, a);
        told->done++;
        told->failed += grid_failed(cell);
    }
    told->mean = told->done > 0 ? sum / (double)told->done : NAN;
    for (int64_t c = 0; c < plan->contrasts; c++)
        if (plan->contrast[c].kind == CONTRAST_ARM && plan->contrast[c].arm == a) told->p_adjusted = schedule->p_adjusted[c];
}

static int64_t tell_trials(struct comparison *comparison, double now)
{
    int64_t count = 0;
    for (int64_t i = 0; i < comparison->jobs; i++) {
        const struct running *running = &comparison->running[i];
        if (!running->busy) continue;
        comparison->told_trial[count++] = (struct comparison_trial){.arm = comparison->plan->arm[running->arm].name,
                                                                    .seed = comparison->plan->first_seed + running->block,
                                                                    .progress = running->progress,
                                                                    .seconds = now - running->began};
    }
    return count;
}

static bool trains(const struct comparison *comparison)
{
    return comparison->schedule.plan != NULL && comparison->phase[0] == '\0';
}

void comparison_tell(struct comparison *comparison, bool always)
{
    double now = comparison_clock();
    if (!comparison->observer.progress || (!always && now - comparison->last_told < 0.1)) return;
    comparison->last_told = now;
    char phase[48];
    struct comparison_progress told = {.phase = phase,
                                       .done = comparison->phase_done,
                                       .planned = comparison->phase_planned,
                                       .seconds = now - comparison->began,
                                       .seconds_left = NAN,
                                       .percent = metric_is_share(comparison->plan->metric) ? 100 : 1};
    snprintf(phase, sizeof phase, "%s", comparison->phase);
    if (trains(comparison)) {
        schedule_phase(&comparison->schedule, phase);
        schedule_count(&comparison->schedule, &told.done, &told.planned);
        told.seconds_left = seconds_left(comparison);
        told.trials = tell_trials(comparison, now);
        told.trial = comparison->told_trial;
        told.arms = comparison->plan->arms;
        told.arm = comparison->told_arm;
        for (int64_t a = 0; a < told.arms; a++) tell_arm(comparison, a, &comparison->told_arm[a]);
    }
    comparison->observer.progress(comparison->observer.user, &told);
}

/* ---- Steps before the trials ---- */

static bool watcher_interrupted(void *user)
{
    return comparison_interrupted(user);
}

static void watcher_progress(void *user, int64_t done, int64_t planned)
{
    struct comparison *comparison = user;
    comparison->phase_done = done;
    comparison->phase_planned = planned;
    comparison_tell(comparison, false);
}

struct watcher comparison_watcher(struct comparison *comparison)
{
    return (struct watcher){.user = comparison, .interrupted = watcher_interrupted, .progress = watcher_progress};
}
