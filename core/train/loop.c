/* The loop: steps, epochs, and what surrounds them. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "train/state.h"

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double scheduled_lr(const struct run *run)
{
    int64_t last = run->updates > 0 ? run->updates - 1 : 0, update = run->at.update < last ? run->at.update : last;
    return schedule_lr(&run->settings.schedule, run->settings.optimizer.lr, update, run->steps_per_epoch, run->settings.epochs);
}

/* What knack_now() tells between passes. */
static void set_now(struct run *run)
{
    struct knack_now *now = &run->now;
    now->training = 0;
    now->pass = 0;
    now->batch = run->at.batch;
    now->update = run->at.update;
    now->updates = run->updates;
    now->epoch = run->at.epoch;
    now->epochs = run->settings.epochs;
    now->lr = scheduled_lr(run);
    now->weights = run->in_use->name;
    now->part = data_part_name[PART_TRAIN];
}

/* ---- One step ---- */

static knack_status load_batch(struct run *run)
{
    int64_t batch = run->settings.batch, count = run->data->part[PART_TRAIN].count, first = run->at.batch_in_epoch * batch;
    int64_t rows = count - first < batch ? count - first : batch;
    if (run->ordered_epoch != run->at.epoch) data_order(run->data, run->seed, run->at.epoch, run->epoch_order);
    run->ordered_epoch = run->at.epoch;
    for (int64_t i = 0; i < rows; i++) run->batch_example[i] = run->epoch_order[first + i];
    return step_load(&run->step, PART_TRAIN, run->batch_example, rows);
}

static void statistics_copy(struct run *run, bool back)
{
    knack_real *live = run->params->live.statistics;
    size_t bytes = (size_t)run->params->statistics_total * sizeof *live;
    if (bytes) memcpy(back ? live : run->statistics_before, back ? run->statistics_before : live, bytes);
}

static knack_status too_many_skipped(struct run *run)
{
    char loss[32];
    return status_set(
        KNACK_E_NUMERIC,
        "loss or gradient was not finite in %lld steps in a row, at step %lld (loss %s): lower train.optimizer.lr, or look for "
        "extreme values in the data; train.max_skipped is %lld",
        (long long)run->at.skipped_in_row, (long long)run->at.batch, text_number(loss, run->last_loss),
        (long long)run->settings.max_skipped);
}

/* From pre_step to the final gradient. outcome gets bits of OUTCOME_*; not_finite: the gradient stage said so. */
static knack_status gradient_of_step(struct run *run, knack_status *outcome, bool *not_finite)
{
    knack_step *step = &run->step;
    *not_finite = false;
    passes_hook(step);
    TRY(*outcome = tricks_hook(run, SLOT_PRE_STEP, step));
    TRY(step_finish_batch(step));
    if (step->logical.items == 0) *outcome |= OUTCOME_SKIP;
    if (*outcome & OUTCOME_SKIP) return KNACK_OK;
    knack_status status = stages_gradient(run, -1, 0, 1, 0, true);
    if (status == KNACK_SKIP_UPDATE) {
        *outcome |= OUTCOME_SKIP;
        *not_finite = true;
    }
    if (status < 0 || status == KNACK_SKIP_UPDATE) return status < 0 ? status : KNACK_OK;
    TRY(status = tricks_hook(run, SLOT_POST_BACKWARD, step));
    *outcome |= status;
    if (status & OUTCOME_NOT_FINITE) *not_finite = true;
    return KNACK_OK;
}

static knack_status update_weights(struct run *run, knack_status *outcome)
{
    knack_status status;
    run->changing = true;
    optimizer_update(run->optimizer, run->step.lr);
    run->at.update++;
    run->now.update = run->at.update;
    TRY(status = tricks_hook(run, SLOT_POST_STEP, &run->step));
    statistics_copy(run, false);
    *outcome |= status;
    run->at.skipped_in_row = 0;
    if (isfinite(run->last_loss)) {
        run->at.loss_sum += run->last_loss;
        run->at.loss_count++;
    }
    return KNACK_OK;
}

static bool logs_now(const struct run *run)
{
    int64_t every = json_duration_updates(run->settings.log_every, run->steps_per_epoch, run->settings.epochs);
    return run->at.update % (every > 0 ? every : 1) == 0 || run->at.update == run->updates || run->at.update == 1;
}

static knack_status one_step(struct run *run)
{
    knack_status outcome;
    bool not_finite;
    set_now(run);
    run->place->step = run->at.batch;
    run->step.lr = run->now.lr;
    tricks_begin_batch(run, (uint32_t)run->at.batch);
    TRY(load_batch(run));
    TRY(trace_begin(run));
    TRY(gradient_of_step(run, &outcome, &not_finite));
    if (!(outcome & OUTCOME_SKIP)) TRY(update_weights(run, &outcome));
    TRY(trace_end(run));
    run->at.batch++;
    run->at.batch_in_epoch++;
    if (outcome & OUTCOME_STOP) run->at.stopped = 1;
    if (outcome & OUTCOME_SKIP) {
        statistics_copy(run, true);
        run->at.skipped++;
        run->at.skipped_in_row = not_finite ? run->at.skipped_in_row + 1 : run->at.skipped_in_row;
        return run->at.skipped_in_row > run->settings.max_skipped ? too_many_skipped(run) : KNACK_OK;
    }
    return logs_now(run) ? results_log_step(run) : KNACK_OK;
}

/* ---- Around the steps ---- */

static void show_progress(struct run *run, bool always)
{
    double now = seconds_now();
    if (!run->observer.progress || (!always && now - run->clock.shown < 0.1)) return;
    run->clock.shown = now;
    double seconds = now - run->clock.started, made = (double)(run->at.update - run->clock.first_update);
    double rate = seconds > 0 ? made / seconds : 0;
    double loss = run->at.loss_count ? run->at.loss_sum / (double)run->at.loss_count : run->last_loss;
    struct run_progress progress = {.epoch = run->at.epoch,
                                    .epochs = run->settings.epochs,
                                    .update = run->at.update,
                                    .updates = run->updates,
                                    .loss = loss,
                                    .lr = scheduled_lr(run),
                                    .seconds = seconds,
                                    .seconds_left = rate > 0 ? (double)(run->updates - run->at.update) / rate : NAN,
                                    .updates_per_second = rate};
    run->observer.progress(run->observer.user, &progress);
}

static knack_status checkpoint_if_due(struct run *run)
{
    double every = run->settings.checkpoint_seconds;
    bool due = every > 0 && seconds_now() - run->clock.checkpointed >= every;
    if (run->settings.checkpoint_updates > 0 && run->at.update % run->settings.checkpoint_updates == 0) due = true;
    return due ? checkpoint_save(run) : KNACK_OK;
}

static bool interrupted(const struct run *run)
{
    return run->observer.interrupted && run->observer.interrupted(run->observer.user);
}

static knack_status interrupt(struct run *run)
{
    TRY(checkpoint_save(run));
    if (run->in_memory)
        return status_set(KNACK_E_INTERRUPTED, "interrupted at step %lld of %lld", (long long)run->at.batch, (long long)run->updates);
    return status_set(KNACK_E_INTERRUPTED, "interrupted at step %lld of %lld; a checkpoint is in %s: knack resume %s",
                      (long long)run->at.batch, (long long)run->updates, run->folder, run->folder);
}

static knack_status steps_of_epoch(struct run *run)
{
    while (run->at.batch_in_epoch < run->steps_per_epoch && !run->at.stopped) {
        if (interrupted(run)) return interrupt(run);
        TRY(one_step(run));
        if (run->at.batch_in_epoch < run->steps_per_epoch && !run->at.stopped) TRY(checkpoint_if_due(run));
        show_progress(run, false);
    }
    return KNACK_OK;
}

static knack_status one_epoch(struct run *run)
{
    knack_status outcome;
    set_now(run);
    if (!run->at.epoch_open) {
        TRY(outcome = tricks_hook(run, SLOT_EPOCH_BEGIN, NULL));
        if (outcome & OUTCOME_STOP) {
            run->at.stopped = 1; /* before this epoch, which does not take place */
            return checkpoint_save(run);
        }
        run->at.epoch_open = 1;
    }
    TRY(steps_of_epoch(run));
    set_now(run);
    TRY(outcome = tricks_hook(run, SLOT_EPOCH_END, NULL));
    if (outcome & OUTCOME_STOP) run->at.stopped = 1;
    run->at.epoch++;
    run->at.batch_in_epoch = 0;
    run->at.epoch_open = 0;
    show_progress(run, true);
    bool last = run->at.epoch == run->settings.epochs || run->at.stopped;
    if (run->data->part[PART_VALIDATION].count > 0 && (last || run->at.epoch % run->settings.evaluate_every == 0)) TRY(evaluate_epoch(run));
    return checkpoint_save(run);
}

static void warn_of_no_update(struct run *run)
{
    if (run->at.update == 0) run_warn(run, "no update was made: %lld steps were skipped", (long long)run->at.skipped);
}

static bool has_acted(const knack_trick *trick)
{
    int64_t acted = 0;
    for (int slot = SLOT_RUN_BEGIN; slot < SLOT_COUNT; slot++) acted += trick->acted[slot];
    return acted > 0;
}

static void warn_of_idle_tricks(struct run *run)
{
    for (int64_t i = 0; i < run->trick_count; i++)
        if (!has_acted(&run->tricks[i])) run_warn(run, "%s never acted in this run", run->tricks[i].name);
}

const char *run_idle_trick(const struct run *run)
{
    for (int64_t i = 0; i < run->trick_count; i++)
        if (!has_acted(&run->tricks[i])) return run->tricks[i].name;
    return NULL;
}

static knack_status train(struct run *run)
{
    knack_status outcome;
    set_now(run);
    statistics_copy(run, false);
    TRY(outcome = tricks_hook(run, SLOT_RUN_BEGIN, NULL));
    if (outcome & OUTCOME_STOP) run->at.stopped = 1;
    while (run->at.epoch < run->settings.epochs && !run->at.stopped) TRY(one_epoch(run));
    set_now(run);
    TRY(tricks_hook(run, SLOT_RUN_END, NULL));
    run->primary = primary_weights(run);
    TRY(evaluate_end(run));
    if (run->settings.primary && strcmp(run->primary, run->settings.primary) != 0)
        run_warn(run, "train.primary: the weights \"%s\" were never made in this run; \"%s\" stand for them", run->settings.primary,
                 run->primary);
    warn_of_no_update(run);
    warn_of_idle_tricks(run);
    return KNACK_OK;
}

/* What an error leaves behind (rule 13): the state of the last update, or, if hooks were changing states, the last checkpoint. */
static void save_after_error(struct run *run, knack_status status)
{
    char message[1024];
    if (run->in_memory) return;
    bool kept = run->changing || status == KNACK_E_IO || status == KNACK_E_MEMORY || run->at.batch == 0;
    if (status == KNACK_E_INTERRUPTED) return;
    snprintf(message, sizeof message, "%s", knack_error());
    if (!kept) {
        statistics_copy(run, true);
        kept = checkpoint_save(run) < 0;
    }
    if (run->at.batch > 0)
        run_note(run, kept ? "the newest checkpoint of %s is the last good state" : "the state of the last update was saved to %s",
                 run->folder);
    status_set(status, "%s", message);
}

/* A run that ended early still says so in result.json; if that fails too, the first message is the one that counts. */
static knack_status end_early(struct run *run, knack_status status)
{
    char message[1024];
    save_after_error(run, status);
    snprintf(message, sizeof message, "%s", knack_error());
    results_summarise(run);
    return status_set(status, "%s", message);
}

static const char *outcome_name(knack_status status)
{
    return status >= 0 ? "done" : status == KNACK_E_INTERRUPTED ? "interrupted" : "failed";
}

knack_status run_train(struct run *run)
{
    TRY(results_prepare(run));
    run->clock.started = run->clock.checkpointed = seconds_now();
    run->clock.first_update = run->at.update;
    knack_status status = train(run);
    run->report.status = outcome_name(status);
    run->report.seconds = seconds_now() - run->clock.started;
    if (status >= 0) return results_write(run);
    return end_early(run, status);
}

/* ---- Estimate ---- */

/* Seconds of the whole run by a few steps; they change the run, which is then only good for closing. */
knack_status loop_estimate(struct run *run, double *seconds)
{
    enum { WARM = 3, MOST = 20 };
    double began = seconds_now(), measured = 0;
    int64_t counted = 0;
    run->log.metrics = NULL;
    set_now(run);
    statistics_copy(run, false);
    TRY(tricks_hook(run, SLOT_RUN_BEGIN, NULL));
    TRY(tricks_hook(run, SLOT_EPOCH_BEGIN, NULL));
    for (int64_t i = 0; i < MOST + WARM && run->at.batch_in_epoch < run->steps_per_epoch && seconds_now() - began < 2; i++) {
        double before = seconds_now();
        TRY(one_step(run));
        if (i < WARM && run->steps_per_epoch > WARM) continue;
        measured += seconds_now() - before;
        counted++;
    }
    *seconds = counted ? measured / (double)counted * (double)run->updates : NAN;
    return KNACK_OK;
}

/* ---- Measuring ---- */

static double cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Steps, with what surrounds epochs except evaluations, until so many updates were made in all or training is over. */
static knack_status steps_until(struct run *run, int64_t updates)
{
    while (run->at.update < updates && run->at.epoch < run->settings.epochs && !run->at.stopped) {
        knack_status outcome = KNACK_OK;
        set_now(run);
        if (!run->at.epoch_open) TRY(outcome = tricks_hook(run, SLOT_EPOCH_BEGIN, NULL));
        if (outcome & OUTCOME_STOP) return KNACK_OK;
        run->at.epoch_open = 1;
        while (run->at.update < updates && run->at.batch_in_epoch < run->steps_per_epoch && !run->at.stopped) TRY(one_step(run));
        if (run->at.batch_in_epoch < run->steps_per_epoch) return KNACK_OK;
        set_now(run);
        TRY(outcome = tricks_hook(run, SLOT_EPOCH_END, NULL));
        run->at.epoch++;
        run->at.batch_in_epoch = run->at.epoch_open = 0;
        if (outcome & OUTCOME_STOP) return KNACK_OK;
    }
    return KNACK_OK;
}

knack_status run_measure(struct run *run, int64_t updates, int64_t *made, double *cpu_seconds)
{
    enum { WARM = 5 };
    knack_status outcome;
    *made = 0;
    *cpu_seconds = 0;
    set_now(run);
    statistics_copy(run, false);
    TRY(outcome = tricks_hook(run, SLOT_RUN_BEGIN, NULL));
    if (outcome & OUTCOME_STOP) return KNACK_OK;
    TRY(steps_until(run, WARM));
    int64_t first = run->at.update;
    double began = cpu_now();
    TRY(steps_until(run, first + updates));
    *cpu_seconds = cpu_now() - began;
    *made = run->at.update - first;
    return KNACK_OK;
}
