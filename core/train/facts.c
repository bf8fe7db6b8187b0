/* What there is to know of a run without training it: its config, its sizes, the schema of configs. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/state.h"

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

const struct evaluation *run_evaluations(const struct run *run, int64_t *count)
{
    *count = run->report.evaluations;
    return run->report.evaluation;
}

int64_t run_updates(const struct run *run)
{
    return run->at.update;
}

double run_epochs(const struct run *run)
{
    return (double)run->at.epoch + (double)run->at.batch_in_epoch / (double)run->steps_per_epoch;
}

const char *run_primary(const struct run *run)
{
    return run->primary;
}

void facts_write(const struct instance *instance, struct json_writer *w)
{
    json_string(w, "name", instance->name);
    json_string(w, "plugin", instance->manifest->name);
    json_string(w, "version", instance->manifest->version);
    json_boolean(w, "installed", !instance->at_identity);
    instance_write(instance, w, "options");
}

char *run_tricks_text(const struct run *run)
{
    struct json_writer *w = json_writer_new(false);
    if (!w) return NULL;
    json_open(w, NULL, '[');
    for (int64_t i = 0; i < run->instances->count; i++) {
        const struct instance *instance = run->instances->list[i];
        json_open(w, NULL, '{');
        facts_write(instance, w);
        json_close(w);
    }
    json_close(w);
    return json_take(w);
}

void facts_free(struct facts *facts)
{
    memory_free(facts->trick);
    memory_free(facts->data);
    memory_free(facts->model);
    *facts = (struct facts){0};
}

static knack_status describe_tricks(struct run *run)
{
    int64_t count = run->instances->count;
    run->facts.trick = memory_new((size_t)count + 1, sizeof *run->facts.trick);
    if (!run->facts.trick) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        const struct instance *instance = run->instances->list[i];
        run->facts.trick[i] = (struct run_trick){.name = instance->name,
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
    facts_free(&run->facts);
    TRY(describe_tricks(run));
    run->facts.data = memory_text(run->data->title);
    run->facts.model = memory_format("%s: %lld parameters",
                                     run->model_type ? run->model_type->name
                                     : type          ? type->string
                                                     : "mlp",
                                     (long long)parameters);
    if (!run->facts.data || !run->facts.model) return KNACK_E_MEMORY;
    *facts = (struct run_facts){.data = run->facts.data,
                                .model = run->facts.model,
                                .train = run->data->part[PART_TRAIN].count,
                                .validation = run->data->part[PART_VALIDATION].count,
                                .test = run->data->part[PART_TEST].count,
                                .parameters = parameters,
                                .steps_per_epoch = run->steps_per_epoch,
                                .steps = run->updates,
                                .tricks = run->instances->count,
                                .trick = run->facts.trick,
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
    for (const char *const *name = (const char *const[]){"folder", "own_model", NULL}; *name; name++) {
        json_open(w, *name, '{');
        json_string(w, "type", "string");
        json_close(w);
    }
    json_close(w);
    json_close(w);
    const char *text = status >= 0 ? json_text(w, NULL) : NULL;
    char *copy = text ? memory_format("%s\n", text) : NULL;
    json_writer_free(w);
    return copy;
}
