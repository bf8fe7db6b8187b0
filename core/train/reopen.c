/* Coming back to a run: to resume it, or to evaluate and predict with what it wrote. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/safetensors.h"
#include "train/state.h"

static knack_status begin_again(const char *folder, const struct run_request *request, struct run **run, char **config)
{
    *run = run_new(request);
    if (!*run) return KNACK_E_MEMORY;
    (*run)->folder = memory_text(folder);
    *config = file_join(folder, "config.json");
    if (!(*run)->folder || !*config) return KNACK_E_MEMORY;
    if (!file_exists(*config)) return status_set(KNACK_E_IO, "%s: no config.json, so that this is no folder of a run", folder);
    return KNACK_OK;
}

/* A head or a view of a trick is part of the model, so no run is opened again without the tricks that it was trained with. */
static knack_status open_again(struct run *run, const char *config, const struct run_request *request, struct dataset *described)
{
    knack_status status = run_open_all(run, config, request, described);
    if (status != KNACK_E_PLUGIN) return status;
    return status_prefix(status, "%s: what was trained with tricks needs them again (KNACK_PLUGIN_PATH may name their folders)",
                         run->folder);
}

/* Whether result.json says that the run came to its end. */
static bool is_finished(const char *folder)
{
    struct json_document *result = NULL;
    char *path = file_join(folder, "result.json");
    if (path && file_exists(path)) json_read(path, &result);
    const struct json *status = result ? json_member(result->root, "status") : NULL;
    bool finished = status && status->kind == JSON_STRING && !strcmp(status->string, "done");
    json_free(result);
    memory_free(path);
    return finished;
}

/* Says where a resumed run goes on. A finished one is only evaluated again, for which it needs its last checkpoint. */
static knack_status say_where(struct run *run, const char *checkpoint)
{
    bool finished = is_finished(run->folder);
    if (finished && !checkpoint)
        return status_set(KNACK_E_USAGE,
                          "%s is finished, and its checkpoints are gone: there is nothing to resume; knack run --force trains "
                          "again",
                          run->folder);
    if (finished)
        run_note(run, "finished already: evaluating again what %s holds", checkpoint);
    else if (checkpoint)
        run_note(run, "resuming from %s", checkpoint);
    else
        run_note(run, "no checkpoint yet in %s: from the beginning", run->folder);
    return KNACK_OK;
}

knack_status run_resume(const char *folder, const struct run_request *request, struct run **out)
{
    char *config = NULL, *checkpoint = NULL;
    struct run *run;
    *out = NULL;
    knack_status status = begin_again(folder, request, &run, &config);
    if (status >= 0) status = open_again(run, config, request, NULL);
    if (status >= 0) status = checkpoint_restore(run, &checkpoint);
    if (status >= 0) status = say_where(run, checkpoint);
    if (run) run->resuming = true;
    memory_free(config);
    memory_free(checkpoint);
    return run ? run_finish_open(run, status, out) : status;
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
static knack_status reopen_states(struct run *run)
{
    char *checkpoint = NULL;
    int64_t states = 0;
    for (int64_t i = 0; i < run->trick_count; i++) states += run->tricks[i].states;
    knack_status status = states > 0 ? checkpoint_restore(run, &checkpoint) : KNACK_OK;
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
    if (status >= 0) status = open_again(run, config, request, data);
    if (status >= 0) status = reopen_states(run);
    if (status >= 0) status = list_weights(run, primary);
    if (status >= 0) status = run_select_weights(run, NULL);
    memory_free(config);
    memory_free(primary);
    return run ? run_finish_open(run, status, out) : status;
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
    TRY(run_read_top(run->config, &config));
    TRY(data_open(config.data, run->base, run->seed, &data));
    bool same = data->width == run->data->width && data->outputs == run->data->outputs && data->kind == run->data->kind;
    if (!same) {
        data_close(data);
        return status_set(KNACK_E_DATA, "the data have changed since %s was trained: their rows or targets have other shapes", run->folder);
    }
    if (!run->data_borrowed) data_close(run->data);
    run->data_borrowed = false;
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
