/* Opening and closing a run: from a config to data, plugins, model, optimizer and open tricks. */
#include "train/run.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/threads.h"
#include "train/state.h"

/* The top level of a config. */
static const struct json_field config_fields[] = {
    {"data", JSON_ANY, offsetof(struct config, data), "", NULL, NULL, "what to train on; the embedded digits by default"},
    {"model", JSON_ANY, offsetof(struct config, model), "", NULL, NULL, "what to train; mlp by default"},
    {"train", JSON_ANY, offsetof(struct config, train), "", NULL, NULL, "how to train"},
    {"plugins", JSON_ANY, offsetof(struct config, plugins), "", NULL, NULL, "the tricks, outermost first: names, or objects with options"},
    {"seed", JSON_INTEGER, offsetof(struct config, seed), "1", "[0,inf)", NULL, "of weights, order, masks and tricks"},
    {"threads", JSON_INTEGER, offsetof(struct config, threads), "1", "[1,1024]", NULL, "results do not depend on it"},
    {"folder", JSON_TEXT, offsetof(struct config, folder), "", NULL, NULL,
     "where relative paths start; written by knack, else the config's own"},
    {"own_model", JSON_TEXT, offsetof(struct config, own_model), "", NULL, NULL,
     "written by knack: the name of a program's own model, which only that program can open again"},
    {NULL},
};

knack_status run_read_top(const struct json_document *document, struct config *config)
{
    return json_fields(document->root, config_fields, config);
}

static void say(const struct run *run, void (*to)(void *user, const char *text), const char *format, va_list arguments)
{
    char text[1024];
    if (!to) return;
    vsnprintf(text, sizeof text, format, arguments);
    to(run->observer.user, text);
}

void run_note(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(run, run->observer.note, format, arguments);
    va_end(arguments);
}

void run_warn(struct run *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(run, run->observer.warning, format, arguments);
    va_end(arguments);
}

/* ---- The config ---- */

/* "ema" becomes {"name": "ema"}, so that the resolved config has room for its options. */
static knack_status spell_out_plugins(struct json_document *config)
{
    const struct json *list = json_member(config->root, "plugins");
    if (!list || list->kind != JSON_ARRAY) return KNACK_OK;
    for (const struct json *entry = list->first; entry; entry = entry->next) {
        char path[64];
        if (entry->kind != JSON_STRING) continue;
        const char *name = entry->string;
        snprintf(path, sizeof path, "plugins[%lld]", (long long)entry->index);
        TRY(json_set(config, path, "{}"));
        snprintf(path, sizeof path, "plugins[%lld].name", (long long)entry->index);
        TRY(json_set_text(config, path, name));
    }
    return KNACK_OK;
}

static knack_status read_config(struct run *run, const char *path, const struct run_request *request)
{
    TRY(request->text ? json_parse(request->text, strlen(request->text), path, &run->config) : json_read(path, &run->config));
    for (int64_t i = 0; i < request->plugin_count; i++) TRY(json_append(run->config, "plugins", request->plugin[i]));
    for (int64_t i = 0; i < request->set_count; i++) TRY(json_assign(run->config, request->set[i]));
    TRY(spell_out_plugins(run->config));
    static const char *const objects[] = {"data", "model", "train", "train.optimizer", "train.schedule"};
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) TRY(json_ensure_object(run->config, objects[i]));
    run->config->complete = true;
    return KNACK_OK;
}

/* Where relative paths start: in the config's folder, or in one that it names from there. The resolved config names it in full, since it is
 * kept in another folder. */
static knack_status set_base(struct run *run, const char *path, const struct run_request *request, const char *named)
{
    run->base = !request->text ? file_folder(path) : memory_text(request->folder ? request->folder : ".");
    if (run->base && named) {
        char *own = run->base;
        run->base = file_join(own, named);
        memory_free(own);
    }
    if (!run->base) return KNACK_E_MEMORY;
    char *full = realpath(run->base, NULL); /* the C library's own memory */
    if (!full) return status_set(KNACK_E_CONFIG, "%s: folder \"%s\": %s", path, run->base, strerror(errno));
    knack_status status = json_set(run->config, "folder", full);
    free(full);
    return status;
}

static knack_status set_folders(struct run *run, const char *path, const struct config *config, const struct run_request *request)
{
    const char *out = request->out;
    TRY(set_base(run, path, request, config->folder));
    if (run->in_memory) return KNACK_OK;
    char *stem = file_stem(path);
    if (!run->folder) run->folder = out ? memory_text(out) : stem ? memory_format("runs/%s", stem) : NULL;
    memory_free(stem);
    return run->folder ? KNACK_OK : KNACK_E_MEMORY;
}

/* ---- Data and settings ---- */

static knack_status set_class_weights(struct run *run)
{
    const struct train_settings *s = &run->settings;
    const struct dataset *data = run->data;
    if (!s->balanced && !s->class_weights.count) return KNACK_OK;
    if (!s->balanced && s->class_weights.count != data->classes)
        return status_set(KNACK_E_CONFIG, "at train.class_weights: %lld weights for %lld classes", (long long)s->class_weights.count,
                          (long long)data->classes);
    if (s->balanced && !data->class_count) return KNACK_OK; /* reopened: nothing will be trained */
    run->class_weight = memory_new((size_t)data->classes, sizeof *run->class_weight);
    if (!run->class_weight) return KNACK_E_MEMORY;
    double items = (double)data->part[PART_TRAIN].count;
    for (int64_t c = 0; c < data->classes; c++) {
        double count = s->balanced ? (double)data->class_count[c] : 0;
        run->class_weight[c] = (knack_real)(!s->balanced ? s->class_weights.value[c]
                                            : count > 0  ? items / ((double)data->classes * count)
                                                         : 0);
    }
    return KNACK_OK;
}

static knack_status set_schedule(struct run *run)
{
    const struct train_settings *s = &run->settings;
    int64_t count = run->data->part[PART_TRAIN].count;
    run->steps_per_epoch = s->drop_last ? count / s->batch : (count + s->batch - 1) / s->batch;
    if (run->reopened) run->steps_per_epoch = 1 << 20; /* has no training part; tricks read durations all the same, and 0 would be none */
    run->updates = json_duration_updates((struct json_duration){1, DURATION_RUN}, run->steps_per_epoch, s->epochs); /* never overflows */
    if (!run->reopened && run->steps_per_epoch == 0)
        return status_set(KNACK_E_CONFIG, "at train.batch: %lld rows with \"drop_last\", but the training part has %lld",
                          (long long)s->batch, (long long)count);
    run->plan =
        (struct plan){.compute = s->compute == COMPUTE_BF16 ? KNACK_BF16 : KNACK_REAL, .micro_batch = s->micro_batch, .loss_scale = 1};
    return KNACK_OK;
}

/* The defaults that depend on the task join the resolved config. */
static knack_status complete_settings(struct run *run, const struct json *train)
{
    static const char *const losses[] = {"cross-entropy", "squared", "absolute"};
    if (!json_member(train, "metric")) TRY(json_set_text(run->config, "train.metric", run->settings.metric));
    return json_member(train, "loss") ? KNACK_OK : json_set_text(run->config, "train.loss", losses[run->settings.loss]);
}

static knack_status check_settings(struct run *run)
{
    knack_status status = metric_check(run->settings.metric, run->data->kind, run->data->outputs);
    if (status < 0) return status_prefix(status, "at train.metric");
    TRY(set_schedule(run));
    return set_class_weights(run);
}

static knack_status read_settings(struct run *run, const struct config *config)
{
    bool regression = run->data->kind == KNACK_REGRESSION;
    TRY(train_settings_read(config->train, regression, &run->settings));
    if (!run->settings.metric) run->settings.metric = regression ? "r2" : "accuracy";
    knack_status status = check_settings(run);
    return status < 0 ? status_prefix(status, "%s", run->config->file) : complete_settings(run, config->train);
}

static knack_status refuse_missing(const struct run *run)
{
    for (int64_t i = 0; run->data->missing && i < run->instances->installed; i++)
        if (run->instances->list[i]->manifest->accepts_missing) return KNACK_OK;
    if (!run->data->missing) return KNACK_OK;
    return status_set(KNACK_E_DATA,
                      "%s%sthe inputs have missing values (NaN), which no model takes: fill them in, or list a trick that accepts them "
                      "(\"accepts\": [\"missing\"] in its manifest)",
                      run->data->first_missing ? run->data->first_missing : "", run->data->first_missing ? ": " : "");
}

/* ---- Plugins and model ---- */

static void note_demands(struct run *run)
{
    for (int64_t i = 0; i < run->instances->installed; i++) {
        const struct manifest *m = run->instances->list[i]->manifest;
        run->ids_wanted |= m->targets == TARGETS_IDS;
        run->rows_without_target |= m->targets == TARGETS_NONE;
        run->scope_batch |= m->scope_batch;
    }
}

static bool head_replaced(const struct run *run)
{
    for (int64_t i = 0; i < run->instances->installed; i++)
        if (run->instances->list[i]->manifest->replaces & STAGE_HEAD) return true;
    return false;
}

static knack_status make_model(struct run *run, const struct config *config)
{
    const struct dataset *data = run->data;
    run->params = params_new();
    if (!run->params) return KNACK_E_MEMORY;
    TRY(model_new(config->model, run->model_type, run->model_user, run->params, data->ndim, data->shape, data->outputs, !head_replaced(run),
                  &run->model));
    run->params->run = run;
    run->in_use = &run->params->live;
    run->task = (struct knack_task){.size = sizeof run->task,
                                    .kind = data->kind,
                                    .classes = data->classes,
                                    .width = run->model->width,
                                    .batch = run->settings.batch,
                                    .class_count = data->class_count,
                                    .train = data->part[PART_TRAIN].count,
                                    .validation = data->part[PART_VALIDATION].count,
                                    .test = data->part[PART_TEST].count,
                                    .input_ndim = data->ndim,
                                    .vocabulary = run->model->vocabulary};
    memcpy(run->task.input, data->shape, (size_t)data->ndim * sizeof *data->shape);
    return run->model->vocabulary ? data_set_ids(run->data, run->model->vocabulary, run->model->padding) : KNACK_OK;
}

/* "primary" has to name the live weights or a set that will be evaluated. */
static knack_status check_primary(const struct run *run)
{
    const char *name = run->settings.primary, *names[64] = {run->params->live.name};
    int64_t count = 1;
    char list[512];
    for (int64_t i = 0; i < run->params->set_count && count < 64; i++)
        if ((run->params->set[i]->flags & KNACK_EVALUATE) || run->params->set[i] == run->best) names[count++] = run->params->set[i]->name;
    for (int64_t i = 0; i < count; i++)
        if (!name || !strcmp(names[i], name)) return KNACK_OK;
    return status_set(KNACK_E_CONFIG, "%s: at train.primary: no weights \"%s\" are evaluated in this run; there are %s", run->config->file,
                      name, text_list(list, sizeof list, names, count));
}

/* Initial weights from a file: "init" of "model", a path. */
static knack_status load_init(struct run *run, const struct config *config)
{
    const struct json *init = json_member(config->model, "init");
    if (!init || init->kind != JSON_STRING || run->reopened) return KNACK_OK;
    char *path = file_join(run->base, init->string);
    knack_status status = path ? model_load_init(run->params, path) : KNACK_E_MEMORY;
    memory_free(path);
    return status;
}

static knack_status allocate(struct run *run)
{
    int64_t most = run->settings.batch;
    TRY(params_allocate(run->params, run->seed));
    run->task.parameters = run->params->total;
    TRY(optimizer_new(&run->settings.optimizer, run->params, &run->optimizer));
    run->epoch_order = memory_new((size_t)run->data->part[PART_TRAIN].count + 1, sizeof *run->epoch_order);
    run->batch_example = memory_new((size_t)most, sizeof *run->batch_example);
    run->statistics_before = memory_new((size_t)run->params->statistics_total + 1, sizeof *run->statistics_before);
    run->step_arena = arena_new(1 << 16);
    run->pass_arena = arena_new(1 << 20);
    if (!run->epoch_order || !run->batch_example || !run->statistics_before || !run->step_arena || !run->pass_arena) return KNACK_E_MEMORY;
    TRY(metrics_new(run->data->kind, run->data->outputs, 0, &run->metrics));
    TRY(metrics_new(run->data->kind, run->data->outputs, 0, &run->report.table));
    metrics_set_loss(run->metrics, run->settings.loss);
    metrics_set_loss(run->report.table, run->settings.loss);
    run->ordered_epoch = -1;
    run->step.run = run->eval_step.run = run;
    run->eval_step.evaluation = true;
    run->now.size = sizeof run->now;
    return KNACK_OK;
}

/* Whether there are validation examples, whose best epoch is kept. What is reopened has no parts, but its config tells. */
static bool holds_out(const struct run *run, const struct config *config)
{
    if (!run->reopened) return run->data->part[PART_VALIDATION].count > 0;
    const struct json *validation = json_member(config->data, "validation");
    return validation && validation->number > 0;
}

/* A model from a program's table is known to that program alone, so the resolved config names it. */
static knack_status name_own_model(struct run *run, const struct config *config)
{
    if (run->model_type) return json_set(run->config, "own_model", run->model_type->name);
    if (!config->own_model) return KNACK_OK;
    return status_set(KNACK_E_CONFIG, "%s: the model is \"%s\", a program's own: open it from that program, which has its functions",
                      run->config->file, config->own_model);
}

/* One that is there already is only lent. */
static knack_status open_data(struct run *run, const struct config *config, struct dataset *opened)
{
    if (run->data) return KNACK_OK;
    if (!opened) return data_open(config->data, run->base, run->seed, &run->data);
    run->data = opened;
    run->data_borrowed = true;
    return data_complete(config->data, opened);
}

/* Everything from the config on. path: the config file; describes: the data set to build for, or NULL to open the config's. */
knack_status run_open_all(struct run *run, const char *path, const struct run_request *request, struct dataset *described)
{
    struct config config = {0};
    run->data = described;
    TRY(read_config(run, path, request));
    TRY(run_read_top(run->config, &config));
    TRY(name_own_model(run, &config));
    TRY(set_folders(run, path, &config, request));
    run->seed = (uint64_t)config.seed;
    run->threads = config.threads;
    TRY(threads_set((int)config.threads));
    TRY(open_data(run, &config, request->data));
    TRY(read_settings(run, &config));
    TRY(plugins_resolve(config.plugins, run->base, run->data->kind == KNACK_CLASSIFICATION ? "classification" : "regression",
                        &run->instances));
    TRY(refuse_missing(run));
    note_demands(run);
    TRY(make_model(run, &config));
    TRY(plugins_load(run->instances));
    TRY(tricks_new(run));
    TRY(tricks_open(run));
    if (holds_out(run, &config)) {
        run->best = params_add_set(run->params, NULL, "best", 0);
        if (!run->best) return KNACK_E_MEMORY;
    }
    TRY(check_primary(run));
    TRY(allocate(run));
    return load_init(run, &config);
}

struct run *run_new(const struct run_request *request)
{
    struct run *run = memory_new(1, sizeof *run);
    if (!run) return NULL;
    run->observer = request->observer;
    run->force = request->force;
    run->trace_asked = request->trace;
    run->in_memory = request->in_memory;
    run->examples_asked = request->examples;
    run->model_type = request->model;
    run->model_user = request->model_user;
    run->place = request->place ? request->place : &run->own_place;
    *run->place = (struct run_place){.step = -1, .trick = -1};
    run->at.best = NAN;
    return run;
}

knack_status run_finish_open(struct run *run, knack_status status, struct run **out)
{
    *out = status >= 0 ? run : NULL;
    if (status < 0) {
        char message[1024];
        snprintf(message, sizeof message, "%s", knack_error());
        run_close(run);
        status_set(status, "%s", message);
    }
    return status < 0 ? status : KNACK_OK;
}

knack_status run_open(const struct run_request *request, struct run **out)
{
    struct run *run = run_new(request);
    *out = NULL;
    if (!run) return KNACK_E_MEMORY;
    return run_finish_open(run, run_open_all(run, request->config, request, NULL), out);
}

void run_close(struct run *run)
{
    if (!run) return;
    if (run->tricks) tricks_close(run);
    results_free(run);
    for (size_t i = 0; i < sizeof run->borrowed / sizeof *run->borrowed; i++) memory_free(run->borrowed[i]);
    for (char **name = run->weight_names; name && *name; name++) memory_free(*name);
    memory_free(run->weight_names);
    optimizer_free(run->optimizer);
    model_free(run->model);
    params_free(run->params);
    plugins_free(run->instances);
    train_settings_free(&run->settings);
    if (!run->data_borrowed) data_close(run->data);
    metrics_free(run->metrics);
    metrics_free(run->report.table);
    arena_free(run->step_arena);
    arena_free(run->pass_arena);
    memory_free(run->epoch_order);
    memory_free(run->batch_example);
    memory_free(run->statistics_before);
    memory_free(run->class_weight);
    facts_free(&run->facts);
    memory_free(run->base);
    memory_free(run->folder);
    memory_free(run->identity);
    json_free(run->config);
    memory_free(run);
}
