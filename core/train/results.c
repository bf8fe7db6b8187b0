/* The results folder: the resolved config, metrics.jsonl, weights, tables and result.json. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/kernels/kernels.h"
#include "train/state.h"

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), own = strlen(ending);
    return length > own && !strcmp(name + length - own, ending);
}

/* What knack writes into a folder; --force removes it and nothing else. */
static bool is_result(const char *name)
{
    static const char *const names[] = {"config.json", "metrics.jsonl", "trace.jsonl", "result.json", "classes.csv", "confusion.csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return !strncmp(name, "model.", 6) && ends_with(name, ".safetensors");
}

static bool is_checkpoint(const char *name)
{
    return ends_with(name, ".safetensors");
}

/* What a killed run left behind; the file that it was to become is whole without it. */
static bool is_temporary(const char *name)
{
    return ends_with(name, ".tmp");
}

static knack_status remove_files(const char *folder, bool (*wanted)(const char *name))
{
    char **names;
    int64_t count;
    if (!file_is_folder(folder)) return KNACK_OK;
    TRY(file_list(folder, &names, &count));
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < count && status >= 0; i++) {
        if (!wanted(names[i])) continue;
        char *path = file_join(folder, names[i]);
        status = path ? file_remove(path) : KNACK_E_MEMORY;
        memory_free(path);
    }
    memory_free(names);
    return status;
}

/* A new run removes the results of an old one; a resumed one, what a killed one left half done. */
static knack_status clear_folder(struct run *run)
{
    char *checkpoint = file_join(run->folder, "checkpoint");
    knack_status status = checkpoint ? remove_files(run->folder, is_temporary) : KNACK_E_MEMORY;
    if (status >= 0) status = remove_files(checkpoint, is_temporary);
    if (status >= 0 && !run->resuming) status = remove_files(run->folder, is_result);
    if (status >= 0 && !run->resuming) status = remove_files(checkpoint, is_checkpoint);
    memory_free(checkpoint);
    return status;
}

static knack_status write_text(struct run *run, const char *name, const char *text)
{
    char *path = file_join(run->folder, name);
    knack_status status = path && text ? file_write(path, text, strlen(text)) : KNACK_E_MEMORY;
    memory_free(path);
    return status;
}

static knack_status open_log(struct run *run, const char *name, int64_t keep, struct file_log **log)
{
    char *path = file_join(run->folder, name);
    knack_status status = path ? file_log_open(path, keep, log) : KNACK_E_MEMORY;
    memory_free(path);
    return status;
}

/* Results within the folder that relative paths start from name it from where they are ("../.."), so that a project can be moved as a
 * whole; others by its full path, which is there already. */
static knack_status name_base(struct run *run)
{
    char way[256] = "";
    char *base = realpath(run->base, NULL), *own = realpath(run->folder, NULL); /* the C library's own memory */
    size_t length = base ? strlen(base) : 0, used = 0;
    bool inside = base && own && strncmp(own, base, length) == 0 && (own[length] == '/' || own[length] == '\0');
    for (const char *at = inside ? own + length : ""; *at && used < sizeof way - 3; at++)
        if (*at == '/') used += (size_t)sprintf(way + used, "%s..", used ? "/" : "");
    inside = inside && used < sizeof way - 3;
    free(base);
    free(own);
    return inside ? json_set_text(run->config, "folder", used ? way : ".") : KNACK_OK;
}

static knack_status write_config(struct run *run)
{
    TRY(name_base(run));
    char *text = run_config_text(run);
    knack_status status = write_text(run, "config.json", text);
    memory_free(text);
    return status;
}

static bool holds(const char *folder, const char *name)
{
    char *path = file_join(folder, name);
    bool there = path && file_exists(path);
    memory_free(path);
    return there;
}

/* Results go to a folder that is empty or not there yet, unless they may go among what is there. */
static knack_status check_folder(const struct run *run)
{
    const char *folder = run->folder;
    if (!*folder) return status_set(KNACK_E_USAGE, "the results folder's name is empty");
    if (file_exists(folder) && !file_is_folder(folder))
        return status_set(KNACK_E_USAGE, "%s is a file, and results go to a folder: choose another --out", folder);
    if (run->resuming || run->force || file_folder_is_empty(folder)) return KNACK_OK;
    if (holds(folder, "config.json") || holds(folder, "result.json"))
        return status_set(KNACK_E_USAGE, "%s holds results already: choose another --out, --force to replace them, or knack resume %s",
                          folder, folder);
    return status_set(KNACK_E_USAGE, "%s is not empty: choose another --out, or --force to write among what is there", folder);
}

knack_status results_prepare(struct run *run)
{
    if (run->in_memory) return KNACK_OK;
    TRY(check_folder(run));
    TRY(run_identify(run)); /* now: data and code may be others before the first checkpoint */
    TRY(file_make_folder(run->folder));
    TRY(clear_folder(run));
    if (!run->resuming) TRY(write_config(run));
    TRY(open_log(run, "metrics.jsonl", run->log.metrics_keep, &run->log.metrics));
    return run->trace_asked ? open_log(run, "trace.jsonl", run->log.trace_keep, &run->log.trace) : KNACK_OK;
}

/* ---- metrics.jsonl ---- */

static knack_status write_line(struct run *run, struct json_writer *w)
{
    size_t size;
    const char *line = json_text(w, &size);
    knack_status status = !line              ? status_set(KNACK_E_MEMORY, "out of memory writing metrics.jsonl")
                          : run->log.metrics ? file_log_line(run->log.metrics, line, size)
                                             : KNACK_OK;
    json_writer_free(w);
    return status;
}

static void write_trick_metrics(struct json_writer *w, knack_trick *trick)
{
    bool open = false;
    for (int64_t i = 0; i < trick->metrics; i++) {
        if (!trick->metric[i].pending) continue;
        if (!open) json_open(w, trick->name, '{');
        open = true;
        json_number(w, trick->metric[i].name, trick->metric[i].value);
        trick->metric[i].pending = false;
    }
    if (open) json_close(w);
}

void results_point(struct run *run, enum data_part part, const char *weights, const struct metric_value *value, int64_t count)
{
    if (!run->observer.point) return;
    struct run_point point = {data_part_name[part], weights, run->at.update, 0, value, count};
    point.epoch = part == PART_TRAIN ? (double)run->at.batch / (double)run->steps_per_epoch : (double)run->at.epoch;
    run->observer.point(run->observer.user, &point);
}

static double mean_loss(const struct run *run)
{
    return run->at.loss_count ? run->at.loss_sum / (double)run->at.loss_count : NAN;
}

static knack_status log_step(struct run *run)
{
    struct json_writer *w = json_writer_new(false);
    if (!w) return KNACK_E_MEMORY;
    json_open(w, NULL, '{');
    json_integer(w, "step", run->at.update);
    json_number(w, "epoch", (double)run->at.batch / (double)run->steps_per_epoch);
    json_number(w, "loss", mean_loss(run));
    json_number(w, "lr", run->step.lr);
    if (run->at.skipped) json_integer(w, "skipped", run->at.skipped);
    for (int64_t i = 0; i < run->trick_count; i++) write_trick_metrics(w, &run->tricks[i]);
    json_close(w);
    return write_line(run, w);
}

knack_status results_log_step(struct run *run)
{
    struct metric_value loss = {"loss", mean_loss(run)};
    if (!run->in_memory) TRY(log_step(run));
    results_point(run, PART_TRAIN, run->params->live.name, &loss, 1);
    run->at.loss_sum = 0;
    run->at.loss_count = 0;
    return KNACK_OK;
}

knack_status results_log_evaluation(struct run *run, const char *part, const char *weights, const struct metric_value *value, int64_t count)
{
    if (run->in_memory) return KNACK_OK;
    struct json_writer *w = json_writer_new(false);
    if (!w) return KNACK_E_MEMORY;
    json_open(w, NULL, '{');
    json_integer(w, "step", run->at.update);
    json_string(w, "evaluation", part);
    json_string(w, "weights", weights);
    for (int64_t i = 0; i < count; i++) json_number(w, value[i].name, value[i].value);
    json_close(w);
    return write_line(run, w);
}

/* ---- result.json ---- */

/* The evaluation that the primary metric is read from: the test part's, else validation's. */
static const struct evaluation *primary_evaluation(const struct run *run)
{
    const struct evaluation *found = NULL;
    for (int64_t i = 0; i < run->report.evaluations; i++) {
        const struct evaluation *e = &run->report.evaluation[i];
        if (run->primary && !strcmp(e->weights, run->primary) && (!found || !strcmp(e->part, "test"))) found = e;
    }
    return found;
}

static double value_of(const struct evaluation *e, const char *metric)
{
    for (int64_t i = 0; e && i < e->count; i++)
        if (!strcmp(e->value[i].name, metric)) return e->value[i].value;
    return NAN;
}

static void write_primary(const struct run *run, struct json_writer *w)
{
    const struct evaluation *e = primary_evaluation(run);
    json_open(w, "primary", '{');
    json_string(w, "metric", run->settings.metric);
    json_string(w, "weights", run->primary);
    json_string(w, "part", e ? e->part : NULL);
    json_number(w, "value", value_of(e, run->settings.metric));
    json_close(w);
}

/* By weight set, by part, by metric. */
static void write_evaluations(const struct run *run, struct json_writer *w)
{
    json_open(w, "evaluations", '{');
    for (int64_t i = 0; i < run->report.evaluations; i++) {
        bool first = true;
        for (int64_t j = 0; j < i && first; j++) first = strcmp(run->report.evaluation[j].weights, run->report.evaluation[i].weights) != 0;
        if (!first) continue;
        json_open(w, run->report.evaluation[i].weights, '{');
        for (int64_t j = i; j < run->report.evaluations; j++) {
            const struct evaluation *e = &run->report.evaluation[j];
            if (strcmp(e->weights, run->report.evaluation[i].weights) != 0) continue;
            json_open(w, e->part, '{');
            for (int64_t k = 0; k < e->count; k++) json_number(w, e->value[k].name, e->value[k].value);
            json_close(w);
        }
        json_close(w);
    }
    json_close(w);
}

static void write_counts(const knack_trick *trick, struct json_writer *w)
{
    int64_t total = 0;
    for (int slot = SLOT_RUN_BEGIN; slot < SLOT_COUNT; slot++) total += trick->acted[slot];
    json_integer(w, "acted", total);
    json_open(w, "acted_by_hook", '{');
    for (int slot = SLOT_RUN_BEGIN; slot < SLOT_COUNT; slot++)
        if (trick->calls[slot]) json_integer(w, slot_name[slot], trick->acted[slot]);
    json_close(w);
    json_number(w, "seconds", trick->seconds);
    json_integer(w, "extra_gradient_passes", trick->gradient_passes);
    json_integer(w, "extra_forwards", trick->forwards);
    json_integer(w, "swept_batches", trick->swept);
}

static void write_tricks(const struct run *run, struct json_writer *w)
{
    json_open(w, "tricks", '[');
    for (int64_t i = 0; i < run->instances->count; i++) {
        const struct instance *instance = run->instances->list[i];
        json_open(w, NULL, '{');
        facts_write(instance, w);
        if (i < run->trick_count) {
            json_integer(w, "order", i);
            write_counts(&run->tricks[i], w);
        }
        json_close(w);
    }
    json_close(w);
}

static void write_environment(const struct run *run, struct json_writer *w)
{
    json_open(w, "environment", '{');
    json_string(w, "version", knack_version());
    json_string(w, "library", kernel_library_version());
    json_string(w, "cpu", kernel_cpu_level());
    json_integer(w, "threads", run->threads);
    json_integer(w, "seed", (int64_t)run->seed);
    json_close(w);
}

char *run_result_text(const struct run *run)
{
    struct json_writer *w = json_writer_new(true);
    if (!w) return NULL;
    json_open(w, NULL, '{');
    json_string(w, "status", run->report.status);
    json_integer(w, "steps", run->at.update);
    json_integer(w, "skipped", run->at.skipped);
    json_number(w, "seconds", run->report.seconds);
    write_primary(run, w);
    if (run->best && run->best->ready) json_integer(w, "best_epoch", run->at.best_epoch);
    write_evaluations(run, w);
    write_tricks(run, w);
    write_environment(run, w);
    json_close(w);
    const char *text = json_text(w, NULL);
    char *copy = text ? memory_format("%s\n", text) : NULL;
    json_writer_free(w);
    return copy;
}

/* ---- Weights and tables ---- */

static knack_status save_weights(struct run *run, const struct knack_weights *set, const char *primary)
{
    char *name = !strcmp(set->name, primary) ? memory_text("model.safetensors") : memory_format("model.%s.safetensors", set->name);
    char *path = name ? file_join(run->folder, name) : NULL;
    knack_status status = path ? weights_save(run, set, path) : KNACK_E_MEMORY;
    memory_free(path);
    memory_free(name);
    return status;
}

/* Per-class figures and the confusion matrix of the primary weights on the test part, else the validation part. */
static knack_status write_tables(struct run *run)
{
    const struct evaluation *e = primary_evaluation(run);
    if (run->data->kind != KNACK_CLASSIFICATION || !e) return KNACK_OK;
    char *classes = metrics_classes_csv(run->report.table, run->data->class_name);
    char *confusion = metrics_confusion_csv(run->report.table, run->data->class_name);
    knack_status status = write_text(run, "classes.csv", classes);
    if (status >= 0) status = write_text(run, "confusion.csv", confusion);
    memory_free(classes);
    memory_free(confusion);
    return status;
}

knack_status results_write(struct run *run)
{
    struct params *p = run->params;
    if (run->in_memory) return KNACK_OK;
    TRY(save_weights(run, &p->live, run->primary));
    for (int64_t i = 0; i < p->set_count; i++)
        if (p->set[i]->ready && ((p->set[i]->flags & KNACK_EVALUATE) || p->set[i] == run->best))
            TRY(save_weights(run, p->set[i], run->primary));
    TRY(write_tables(run));
    TRY(file_log_sync(run->log.metrics));
    return results_summarise(run);
}

knack_status results_summarise(struct run *run)
{
    if (run->in_memory) return KNACK_OK;
    char *text = run_result_text(run);
    knack_status status = write_text(run, "result.json", text);
    memory_free(text);
    return status;
}

void results_free(struct run *run)
{
    for (int64_t i = 0; i < run->report.evaluations; i++) {
        memory_free(run->report.evaluation[i].weights);
        memory_free(run->report.evaluation[i].part);
        memory_free(run->report.evaluation[i].value);
    }
    memory_free(run->report.evaluation);
    for (int p = 0; p < PART_COUNT; p++) examples_free(&run->report.examples[p]);
    file_log_close(run->log.metrics);
    file_log_close(run->log.trace);
    json_writer_free(run->trace);
}
