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
#include "model/safetensors.h"
#include "train/state.h"

/* The top level of a config. */
struct config {
    const struct json *data, *model, *train, *plugins;
    int64_t seed, threads;
    const char *folder;
};
static const struct json_field config_fields[] = {
    {"data", JSON_ANY, offsetof(struct config, data), "", NULL, NULL, "what to train on; the embedded digits by default"},
    {"model", JSON_ANY, offsetof(struct config, model), "", NULL, NULL, "what to train; mlp by default"},
    {"train", JSON_ANY, offsetof(struct config, train), "", NULL, NULL, "how to train"},
    {"plugins", JSON_ANY, offsetof(struct config, plugins), "", NULL, NULL, "the tricks, outermost first: names, or objects with options"},
    {"seed", JSON_INTEGER, offsetof(struct config, seed), "1", "[0,inf)", NULL, "of weights, order, masks and tricks"},
    {"threads", JSON_INTEGER, offsetof(struct config, threads), "1", "[1,1024]", NULL, "results do not depend on it"},
    {"folder", JSON_TEXT, offsetof(struct config, folder), "", NULL, NULL,
     "where relative paths start; written by knack, else the config's own"},
    {NULL},
};

void run_note(struct run *run, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (run->observer.note) run->observer.note(run->observer.user, text);
}

void run_warn(struct run *run, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (run->observer.warning) run->observer.warning(run->observer.user, text);
}

/* ---- The config ---- */

static knack_status apply_set(struct json_document *config, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    char path[256];
    if (!equals || equals == assignment || (size_t)(equals - assignment) >= sizeof path)
        return status_set(KNACK_E_USAGE, "--set %s: expected KEY=VALUE, as in --set train.epochs=2", assignment);
    memcpy(path, assignment, (size_t)(equals - assignment));
    path[equals - assignment] = 0;
    return json_set(config, path, equals + 1);
}

static knack_status read_config(struct run *run, const char *path, const struct run_request *request)
{
    TRY(json_read(path, &run->config));
    for (int64_t i = 0; i < request->set_count; i++) TRY(apply_set(run->config, request->set[i]));
    for (int64_t i = 0; i < request->plugin_count; i++) TRY(json_append(run->config, "plugins", request->plugin[i]));
    static const char *const objects[] = {"data", "model", "train", "train.optimizer", "train.schedule"};
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) TRY(json_ensure_object(run->config, objects[i]));
    run->config->complete = true;
    return KNACK_OK;
}

/* Where relative paths start: in the config's folder, or in one that it names from there. The resolved config names it in full, since it is
 * kept in another folder. */
static knack_status set_base(struct run *run, const char *path, const char *named)
{
    run->base = file_folder(path);
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

static knack_status set_folders(struct run *run, const char *path, const struct config *config, const char *out)
{
    TRY(set_base(run, path, config->folder));
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
    if (data->kind != KNACK_CLASSIFICATION) return status_set(KNACK_E_CONFIG, "train.class_weights: the task is a regression");
    if (!s->balanced && s->class_weights.count != data->classes)
        return status_set(KNACK_E_CONFIG, "train.class_weights: %lld weights for %lld classes", (long long)s->class_weights.count,
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
    run->updates = run->steps_per_epoch * s->epochs;
    if (!run->reopened && run->steps_per_epoch == 0)
        return status_set(KNACK_E_CONFIG, "train.batch: %lld rows with \"drop_last\", but the training part has %lld", (long long)s->batch,
                          (long long)count);
    run->plan = (struct plan){.compute = KNACK_REAL, .micro_batch = s->micro_batch, .loss_scale = 1};
    return KNACK_OK;
}

static knack_status read_settings(struct run *run, const struct config *config)
{
    bool regression = run->data->kind == KNACK_REGRESSION;
    TRY(train_settings_read(config->train, regression, &run->settings));
    if (!run->settings.metric) run->settings.metric = regression ? "r2" : "accuracy";
    TRY(metric_check(run->settings.metric, run->data->kind, run->data->outputs));
    if (regression == (run->settings.loss == LOSS_CROSS_ENTROPY))
        return status_set(KNACK_E_CONFIG, "%s: at train.loss: %s", run->config->file,
                          regression ? "cross-entropy needs classes; a regression takes \"squared\" or \"absolute\""
                                     : "a classification takes \"cross-entropy\"");
    TRY(set_schedule(run));
    return set_class_weights(run);
}

static knack_status refuse_missing(const struct run *run)
{
    for (int64_t i = 0; run->data->missing && i < run->instances->installed; i++)
        if (run->instances->list[i]->manifest->accepts_missing) return KNACK_OK;
    if (!run->data->missing) return KNACK_OK;
    return status_set(KNACK_E_DATA, "the inputs have missing values (NaN), which no model takes: fill them in, or list a trick that "
                                    "accepts them (\"accepts\": [\"missing\"] in its manifest)");
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
    run->in_use = &run->params->live;
    run->task = (struct knack_task){.size = sizeof run->task,
                                    .kind = data->kind,
                                    .classes = data->classes,
                                    .width = run->model->width,
                                    .batch = run->settings.batch,
                                    .class_count = data->class_count};
    return KNACK_OK;
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
    TRY(metrics_new(run->data->kind, run->data->outputs, 0, &run->table_metrics));
    metrics_set_loss(run->metrics, run->settings.loss);
    metrics_set_loss(run->table_metrics, run->settings.loss);
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

/* Everything from the config on. path: the config file; describes: the data set to build for, or NULL to open the config's. */
static knack_status open_all(struct run *run, const char *path, const struct run_request *request, struct dataset *described)
{
    struct config config = {0};
    run->data = described;
    TRY(read_config(run, path, request));
    TRY(json_fields(run->config->root, config_fields, &config));
    TRY(set_folders(run, path, &config, request->out));
    run->seed = (uint64_t)config.seed;
    run->threads = config.threads;
    TRY(threads_set((int)config.threads));
    if (!run->data) TRY(data_open(config.data, run->base, run->seed, &run->data));
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
    TRY(allocate(run));
    return load_init(run, &config);
}

static struct run *new_run(const struct run_request *request)
{
    struct run *run = memory_new(1, sizeof *run);
    if (!run) return NULL;
    run->observer = request->observer;
    run->force = request->force;
    run->trace_asked = request->trace;
    run->model_type = request->model;
    run->model_user = request->model_user;
    run->at.best = NAN;
    return run;
}

static knack_status finish_open(struct run *run, knack_status status, struct run **out)
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
    struct run *run = new_run(request);
    *out = NULL;
    if (!run) return KNACK_E_MEMORY;
    return finish_open(run, open_all(run, request->config, request, NULL), out);
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
    data_close(run->data);
    metrics_free(run->metrics);
    metrics_free(run->table_metrics);
    arena_free(run->step_arena);
    arena_free(run->pass_arena);
    memory_free(run->epoch_order);
    memory_free(run->batch_example);
    memory_free(run->statistics_before);
    memory_free(run->class_weight);
    memory_free(run->fact_trick);
    memory_free(run->fact_data);
    memory_free(run->fact_model);
    memory_free(run->base);
    memory_free(run->folder);
    json_free(run->config);
    memory_free(run);
}

/* ---- Coming back to a run ---- */

static knack_status begin_again(const char *folder, const struct run_request *request, struct run **run, char **config)
{
    *run = new_run(request);
    if (!*run) return KNACK_E_MEMORY;
    (*run)->folder = memory_text(folder);
    *config = file_join(folder, "config.json");
    if (!(*run)->folder || !*config) return KNACK_E_MEMORY;
    if (!file_exists(*config)) return status_set(KNACK_E_IO, "%s: no config.json, so that this is no folder of a run", folder);
    return KNACK_OK;
}

knack_status run_resume(const char *folder, const struct run_request *request, struct run **out)
{
    char *config = NULL, *checkpoint = NULL;
    struct run *run;
    *out = NULL;
    knack_status status = begin_again(folder, request, &run, &config);
    if (status >= 0) status = open_all(run, config, request, NULL);
    if (status >= 0) status = checkpoint_newest(folder, &checkpoint);
    if (status >= 0 && checkpoint) status = checkpoint_restore(run, checkpoint);
    if (run) run->resuming = true;
    if (status >= 0)
        run_note(run, checkpoint ? "resuming from %s" : "no checkpoint yet in %s: from the beginning", checkpoint ? checkpoint : folder);
    memory_free(config);
    memory_free(checkpoint);
    return run ? finish_open(run, status, out) : status;
}

/* The weight sets that were written: the primary one from model.safetensors, then model.NAME.safetensors. */
static knack_status list_weights(struct run *run, const char *primary)
{
    char **files;
    int64_t count, names = 0;
    TRY(file_list(run->folder, &files, &count));
    run->weight_names = memory_new((size_t)count + 2, sizeof *run->weight_names);
    if (run->weight_names) run->weight_names[names++] = memory_text(primary);
    for (int64_t i = 0; run->weight_names && i < count; i++) {
        size_t length = strlen(files[i]);
        if (strncmp(files[i], "model.", 6) != 0 || length <= 18 || strcmp(files[i] + length - 12, ".safetensors") != 0) continue;
        run->weight_names[names++] = memory_format("%.*s", (int)(length - 18), files[i] + 6);
    }
    memory_free(files);
    bool full = run->weight_names != NULL;
    for (int64_t i = 0; i < names; i++) full &= run->weight_names[i] != NULL;
    return full ? KNACK_OK : KNACK_E_MEMORY;
}

/* What model.safetensors says of its data and of its weights' name. */
static knack_status read_description(const char *folder, struct dataset **data, char **primary)
{
    struct safetensors *file = NULL;
    struct json_document *document = NULL;
    char *path = file_join(folder, "model.safetensors");
    knack_status status = path ? safetensors_read(path, KNACK_E_DATA, &file) : KNACK_E_MEMORY;
    if (status >= 0) {
        const char *text = safetensors_metadata(file, "knack"), *weights = safetensors_metadata(file, "weights");
        status = text && weights ? json_parse(text, strlen(text), path, &document)
                                 : status_set(KNACK_E_DATA, "%s: was not written by knack: it lacks the description of its data", path);
        if (status >= 0) status = data_restore(json_member(document->root, "data"), data);
        *primary = weights ? memory_text(weights) : NULL;
        if (status >= 0 && !*primary) status = KNACK_E_MEMORY;
    }
    json_free(document);
    safetensors_free(file);
    memory_free(path);
    return status;
}

/* States of tricks, which some need to predict, come from the newest checkpoint; its weights are then replaced by the files'. */
static knack_status reopen_states(struct run *run, const char *folder)
{
    char *checkpoint;
    TRY(checkpoint_newest(folder, &checkpoint));
    knack_status status = checkpoint ? checkpoint_restore(run, checkpoint) : KNACK_OK;
    memory_free(checkpoint);
    return status;
}

knack_status run_reopen(const char *folder, const struct run_request *request, struct run **out)
{
    char *config = NULL, *primary = NULL;
    struct dataset *data = NULL;
    struct run *run;
    *out = NULL;
    knack_status status = begin_again(folder, request, &run, &config);
    if (run) run->reopened = true;
    if (status >= 0) status = read_description(folder, &data, &primary);
    if (status >= 0) status = open_all(run, config, request, data);
    if (status >= 0) status = reopen_states(run, folder);
    if (status >= 0) status = list_weights(run, primary);
    if (status >= 0) status = run_select_weights(run, NULL);
    memory_free(config);
    memory_free(primary);
    return run ? finish_open(run, status, out) : status;
}

const char *const *run_weight_names(const struct run *run)
{
    return (const char *const *)run->weight_names;
}

knack_status run_select_weights(struct run *run, const char *weights)
{
    int64_t found = 0, count = 0;
    char text[256];
    while (run->weight_names[count]) count++;
    while (weights && found < count && strcmp(run->weight_names[found], weights) != 0) found++;
    if (found == count)
        return status_set(KNACK_E_USAGE, "%s: no weights \"%s\"; there are %s", run->folder, weights,
                          text_list(text, sizeof text, (const char *const *)run->weight_names, count));
    const char *name = run->weight_names[found];
    struct knack_weights *set = params_find_set(run->params, name);
    char *path = found ? memory_format("%s/model.%s.safetensors", run->folder, name) : file_join(run->folder, "model.safetensors");
    knack_status status = path ? weights_restore(run, set ? set : &run->params->live, path) : KNACK_E_MEMORY;
    memory_free(path);
    run->in_use = set ? set : &run->params->live;
    return status;
}

knack_status run_load_parts(struct run *run)
{
    struct config config = {0};
    struct dataset *data;
    TRY(json_fields(run->config->root, config_fields, &config));
    TRY(data_open(config.data, run->base, run->seed, &data));
    bool same = data->width == run->data->width && data->outputs == run->data->outputs && data->kind == run->data->kind;
    if (!same) {
        data_close(data);
        return status_set(KNACK_E_DATA, "the data have changed since %s was trained: their rows or targets have other shapes", run->folder);
    }
    data_close(run->data);
    run->data = data;
    return KNACK_OK;
}

knack_status run_evaluate(struct run *run, const char *part, const char *weights, const struct metric_value **values, int64_t *count)
{
    int p = 0;
    TRY(run_select_weights(run, weights));
    while (p < PART_COUNT && strcmp(data_part_name[p], part) != 0) p++;
    if (p == PART_COUNT) return status_set(KNACK_E_USAGE, "there is no part \"%s\"; there are train, validation, test", part);
    if (!run->data->part[p].count) return status_set(KNACK_E_USAGE, "the data have no %s part", part);
    TRY(evaluate_part(run, (enum data_part)p, run->in_use, false, run->metrics));
    *values = metrics_values(run->metrics);
    *count = metrics_count(run->metrics);
    return KNACK_OK;
}

knack_status run_predict(struct run *run, const knack_real *inputs, int64_t count, knack_real *out)
{
    return predict_rows(run, inputs, count, out);
}

/* ---- What there is to know ---- */

const char *run_folder(const struct run *run)
{
    return run->folder;
}

const struct json_document *run_config(const struct run *run)
{
    return run->config;
}

struct dataset *run_data(struct run *run)
{
    return run->data;
}

char *run_config_text(const struct run *run)
{
    struct json_writer *w = json_writer_new(true);
    if (!w) return NULL;
    json_node(w, NULL, run->config->root);
    const char *text = json_text(w, NULL);
    char *copy = text ? memory_format("%s\n", text) : NULL;
    json_writer_free(w);
    return copy;
}

static knack_status describe_tricks(struct run *run)
{
    int64_t count = run->instances->count;
    run->fact_trick = memory_new((size_t)count + 1, sizeof *run->fact_trick);
    if (!run->fact_trick) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        const struct instance *instance = run->instances->list[i];
        run->fact_trick[i] = (struct run_trick){.name = instance->name,
                                                .plugin = instance->manifest->name,
                                                .summary = instance->manifest->summary,
                                                .installed = !instance->at_identity,
                                                .gradient_passes = instance->manifest->gradient_passes,
                                                .forward_passes = instance->manifest->forward_passes};
    }
    return KNACK_OK;
}

knack_status run_facts(struct run *run, bool estimate, struct run_facts *facts)
{
    int64_t parameters = 0;
    const struct json *type = json_member(json_member(run->config->root, "model"), "type");
    for (int64_t i = 0; i < run->params->count; i++) parameters += run->params->list[i]->public.count;
    TRY(describe_tricks(run));
    run->fact_data = memory_text(run->data->title);
    run->fact_model = memory_format("%s: %lld parameters",
                                    run->model_type ? run->model_type->name
                                    : type          ? type->string
                                                    : "mlp",
                                    (long long)parameters);
    if (!run->fact_data || !run->fact_model) return KNACK_E_MEMORY;
    *facts = (struct run_facts){.data = run->fact_data,
                                .model = run->fact_model,
                                .train = run->data->part[PART_TRAIN].count,
                                .validation = run->data->part[PART_VALIDATION].count,
                                .test = run->data->part[PART_TEST].count,
                                .parameters = parameters,
                                .steps_per_epoch = run->steps_per_epoch,
                                .steps = run->updates,
                                .tricks = run->instances->count,
                                .trick = run->fact_trick,
                                .seconds = NAN};
    return estimate ? loop_estimate(run, &facts->seconds) : KNACK_OK;
}

char *run_schema(void)
{
    struct json_writer *w = json_writer_new(true);
    if (!w) return NULL;
    json_open(w, NULL, '{');
    json_string(w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_string(w, "title", "knack config");
    json_string(w, "type", "object");
    json_boolean(w, "additionalProperties", false);
    json_open(w, "properties", '{');
    data_schema(w, "data");
    model_schema(w, "model");
    train_schema(w, "train");
    knack_status status = plugins_schema(w, "plugins");
    for (const char *const *name = (const char *const[]){"seed", "threads", NULL}; *name; name++) {
        json_open(w, *name, '{');
        json_string(w, "type", "integer");
        json_integer(w, "default", 1);
        json_close(w);
    }
    json_open(w, "folder", '{');
    json_string(w, "type", "string");
    json_close(w);
    json_close(w);
    json_close(w);
    const char *text = status >= 0 ? json_text(w, NULL) : NULL;
    char *copy = text ? memory_format("%s\n", text) : NULL;
    json_writer_free(w);
    return copy;
}
