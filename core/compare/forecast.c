#include "compare/forecast.h"

#include <math.h>

#include "base/memory.h"
#include "compare/state.h"
#include "compare/statistics/power.h"

/* Bytes in the store: of a trial, of a number that it tells, of an example. */
static const double trial_bytes = 700, metric_bytes = 90, example_bytes = 5;
static const double start_seconds = .004; /* of a trial's process */
enum { METRICS = 8, WEIGHTS = 2 };        /* numbers of an evaluation, and weight sets: about */

/* ---- Trials ---- */

/* The first block as if it were there, its rows by CPU seconds, so that the schedule says which longer baselines are to come. */
static void pretend_first_block(struct comparison *comparison)
{
    const struct plan *plan = comparison->plan;
    double base = comparison->update_seconds[0] * (double)plan->arm[0].updates;
    double rows = grid_there(&comparison->grid, 0, 0) ? grid_mean_cost(&comparison->grid, 0, 1) / base : 1;
    for (int64_t a = 0; a < plan->arms; a++) {
        double seconds = comparison->update_seconds[a] * (double)plan->arm[a].updates;
        if (plan->arm[a].kind == ARM_BUDGET || grid_there(&comparison->grid, 0, a) || !(seconds * rows > 0)) continue;
        grid_put(&comparison->grid, &(struct stored_trial){.arm = a,
                                                           .seed = plan->first_seed,
                                                           .cost = {.updates = plan->arm[a].updates,
                                                                    .gradient_rows = seconds * rows / 3,
                                                                    .seconds = comparison_expected(comparison, a)}});
    }
}

static knack_status add_budgets(struct comparison *comparison)
{
    double size[BUDGETS_MOST];
    pretend_first_block(comparison);
    TRY(schedule_advance(&comparison->schedule));
    int64_t count = schedule_budgets(&comparison->schedule, size);
    for (int64_t i = 0; i < count; i++) TRY(comparison_add_budget(comparison, size[i], ""));
    return schedule_advance(&comparison->schedule);
}

static int64_t most_trials(const struct plan *plan, const struct forecast *forecast)
{
    int64_t most = 0, treated = 0;
    for (int64_t a = 0; a < plan->arms; a++) {
        bool grows = plan->arm[a].kind != ARM_BUDGET && plan->stopping != STOP_FIXED;
        treated += plan->arm[a].kind == ARM_TREATED;
        most += grows ? plan->seeds : forecast->arm[a].planned;
    }
    return plan->design == DESIGN_SCREEN ? treated * plan->seeds + schedule_blocks(plan) : most;
}

/* Counted before the first block is made up, and with longer baselines, which it asks for. */
static knack_status count_trials(struct forecast *forecast)
{
    struct comparison *comparison = forecast->comparison;
    struct forecast_arm *arm = memory_new((size_t)comparison->plan->arms + BUDGETS_MOST, sizeof *arm);
    int64_t arms = comparison->plan->arms;
    if (!arm) return KNACK_E_MEMORY;
    forecast->arm = arm;
    for (int64_t a = 0; a < arms; a++) {
        arm[a].planned = comparison->schedule.until[a];
        for (int64_t b = 0; b < comparison->grid.blocks; b++) arm[a].done += grid_there(&comparison->grid, b, a);
    }
    TRY(add_budgets(comparison));
    for (int64_t a = 0; a < comparison->plan->arms; a++) {
        int64_t wanted = comparison->plan->arm[a].kind == ARM_BUDGET ? comparison->schedule.until[a] : 0;
        arm[a].planned = wanted > arm[a].planned ? wanted : arm[a].planned;
        if (arm[a].planned < arm[a].done) arm[a].planned = arm[a].done;
        arm[a].seconds = comparison_expected(comparison, a);
        forecast->planned += arm[a].planned;
        forecast->done += arm[a].done;
    }
    return KNACK_OK;
}

/* ---- Seconds and bytes ---- */

/* What a trial takes besides its updates: evaluations, whose rows go forward only. */
static void add_evaluations(struct forecast *forecast, const struct dataset *data)
{
    const struct plan *plan = forecast->plan;
    double trained = (double)(plan->epochs * plan->train_count), validated = (double)(plan->epochs * data->part[PART_VALIDATION].count);
    double factor = 1 + WEIGHTS * (validated + (double)data->part[PART_TEST].count) / (3 * trained);
    for (int64_t a = 0; a < plan->arms; a++)
        if (forecast->arm[a].done == 0 && trained > 0) forecast->arm[a].seconds = factor * forecast->arm[a].seconds + start_seconds;
}

static void sum_seconds(struct forecast *forecast)
{
    double sum = 0, each = 0;
    for (int64_t a = 0; a < forecast->plan->arms; a++) {
        sum += (double)(forecast->arm[a].planned - forecast->arm[a].done) * forecast->arm[a].seconds;
        each += (double)forecast->arm[a].planned * forecast->arm[a].seconds / (double)forecast->planned;
    }
    forecast->most = most_trials(forecast->plan, forecast);
    forecast->seconds = sum / (double)forecast->jobs;
    forecast->seconds_most = forecast->seconds + each * (double)(forecast->most - forecast->planned) / (double)forecast->jobs;
}

static void sum_bytes(struct forecast *forecast, const struct dataset *data)
{
    const struct plan *plan = forecast->plan;
    double evaluation = METRICS * WEIGHTS, epochs = (double)plan->epochs;
    double metrics = epochs + evaluation + (data->part[PART_VALIDATION].count > 0 ? (epochs + 1) * evaluation : 0);
    double each = trial_bytes + metric_bytes * metrics + example_bytes * (double)plan->test_count;
    forecast->bytes = each * (double)(forecast->most - forecast->done);
}

/* ---- Seeds ---- */

static knack_status find_power(struct forecast *forecast, struct comparison *pilot)
{
    const struct plan *plan = pilot->plan;
    struct inference inference;
    forecast->contrast = memory_new((size_t)plan->contrasts + 1, sizeof *forecast->contrast);
    if (!forecast->contrast) return KNACK_E_MEMORY;
    TRY(inference_make(plan, &pilot->grid, PROGRESS_DONE, pilot->grid.blocks, &inference));
    for (int64_t c = 0; c < plan->contrasts; c++) {
        const struct estimate *e = &inference.finding[c].estimate;
        struct paired paired = estimate_test(plan, e->difference, e->n);
        double alpha = ALPHA / (double)inference.family_size[plan->contrast[c].family];
        forecast->contrast[c] = (struct forecast_contrast){NAN, NAN, 0};
        if (e->n < 2) continue;
        if (e->n > forecast->pilot) forecast->pilot = e->n;
        forecast->contrast[c].deviation = paired.sd;
        forecast->contrast[c].detectable = paired.sd * detectable_effect(forecast->plan->seeds, .8, alpha);
        forecast->contrast[c].needed = seeds_needed(plan->margin, paired.sd, (double)e->n - 1, alpha);
    }
    inference_free(&inference);
    return KNACK_OK;
}

static knack_status train_pilot(const struct comparison_request *request, struct forecast *forecast)
{
    struct comparison *pilot;
    TRY(comparison_open(request, &pilot));
    knack_status status = comparison_run(pilot);
    forecast->on_tuning_seeds = true;
    for (int64_t a = 0; a < forecast->plan->arms && status >= 0; a++) /* whole trials tell more than updates */
        if (forecast->plan->arm[a].kind == ARM_BUDGET)
            forecast->arm[a].seconds = forecast->plan->arm[a].budget * comparison_expected(pilot, 0);
        else if (grid_there(&pilot->grid, 0, a))
            forecast->arm[a].seconds = comparison_expected(pilot, a);
    if (status >= 0) status = find_power(forecast, pilot);
    comparison_close(pilot);
    return status;
}

/* ---- All of it ---- */

knack_status forecast_make(const struct comparison_request *request, int64_t pilot, struct forecast *forecast)
{
    struct comparison_request dry = *request;
    const struct data_set *set;
    *forecast = (struct forecast){0};
    dry.dry_run = true;
    TRY(comparison_open(&dry, &forecast->comparison));
    struct comparison *comparison = forecast->comparison;
    forecast->plan = comparison->plan;
    forecast->jobs = comparison->jobs;
    forecast->taken = comparison->taken;
    dry.pilot = pilot;
    TRY(comparison_measure(comparison));
    if (pilot == 0) TRY(find_power(forecast, comparison));
    TRY(count_trials(forecast));
    TRY(data_sets_open(comparison->data, comparison->plan, &comparison->plan->arm[0], &set));
    add_evaluations(forecast, set->data);
    if (pilot > 0) TRY(train_pilot(&dry, forecast));
    sum_seconds(forecast);
    sum_bytes(forecast, set->data);
    return KNACK_OK;
}

void forecast_free(struct forecast *forecast)
{
    memory_free(forecast->arm);
    memory_free(forecast->contrast);
    comparison_close(forecast->comparison);
    *forecast = (struct forecast){0};
}
