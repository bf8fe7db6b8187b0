/* layers: a list of layers in the config, with residual blocks. Shapes are inferred and checked while it is declared. */
#include <string.h>

#include "base/memory.h"
#include "model/builtin.h"
#include "model/layer_kinds.h"
#include "tensor/tape.h"

struct layers_options {
    struct builtin_options common;
    const struct json *layers;
};

struct layers {
    const struct json *config; /* the list; while the model is declared */
    struct sequence sequence;
};

struct residual_options {
    const char *name;
    const struct json *residual, *shortcut;
};

static const char *const layers_names[] = {"layers", NULL};
static const struct json_field layers_fields[] = {
    BUILTIN_FIELDS(layers_names, NULL),
    {"layers", JSON_ANY, offsetof(struct layers_options, layers), NULL, NULL, NULL, "list of layers, from the input to the features"},
    {NULL}};

static const struct json_field residual_fields[] = {
    {"residual", JSON_ANY, offsetof(struct residual_options, residual), NULL, NULL, NULL,
     "list of layers whose output is added to the shortcut's"},
    {"shortcut", JSON_ANY, offsetof(struct residual_options, shortcut), "", NULL, NULL, "list of layers; none: what comes in, unchanged"},
    {"name", JSON_TEXT, offsetof(struct residual_options, name), "", NULL, NULL, "of the block, before the names of its layers"},
    {NULL}};

/* ---- Names ---- */

/* PREFIX.NAME, or for name NULL PREFIX.KINDn with the first free n. */
static const char *name_layer(knack_model *model, const struct json *at, const char *prefix, const char *name, const char *kind)
{
    char full[2 * PARAMS_NAME];
    const char *dot = *prefix ? "." : "";
    if (name) {
        if (!params_name_fits(name) || strchr(name, '.')) {
            model_fail(model, json_member(at, "name"), "a name is made of letters, digits, '_' and '-'");
            return NULL;
        }
        if (model_has_layer(model, part_name(full, "%s%s%s", prefix, dot, name))) {
            model_fail(model, json_member(at, "name"), "an earlier layer has the name %s", full);
            return NULL;
        }
    } else {
        long long number = 1;
        while (model_has_layer(model, part_name(full, "%s%s%s%lld", prefix, dot, kind, number))) number++;
    }
    return model_watch(model, full);
}

/* ---- Declaring ---- */

static knack_status declare_sequence(knack_model *, struct sequence *, const struct json *list, const char *prefix, struct part_shape *);

static knack_status declare_residual(knack_model *model, struct layer *layer, const struct json *at, const char *prefix,
                                     struct part_shape *shape)
{
    struct residual_options options = {0};
    TRY(json_fields(at, residual_fields, &options));
    layer->name = name_layer(model, at, prefix, options.name, "block");
    if (!layer->name) return model->failure;
    struct part_shape through = *shape, around = *shape;
    TRY(declare_sequence(model, &layer->residual, options.residual, layer->name, &through));
    if (options.shortcut) {
        char name[2 * PARAMS_NAME];
        TRY(declare_sequence(model, &layer->shortcut, options.shortcut, part_name(name, "%s.shortcut", layer->name), &around));
    }
    if (through.ndim != around.ndim || memcmp(through.size, around.size, (size_t)through.ndim * sizeof *through.size)) {
        char residual_text[96], shortcut_text[96];
        return model_fail(model, at, "residual gives %s, but %s is %s; they must be equal to be added",
                          shape_text(residual_text, through.ndim, through.size), options.shortcut ? "the shortcut" : "the block's input",
                          shape_text(shortcut_text, around.ndim, around.size));
    }
    *shape = through;
    return KNACK_OK;
}

static knack_status declare_layer(knack_model *model, struct layer *layer, const struct json *at, const char *prefix,
                                  struct part_shape *shape)
{
    if (json_member(at, "residual")) return declare_residual(model, layer, at, prefix, shape);
    layer->kind = layer_kind_find(at);
    if (!layer->kind) return KNACK_E_CONFIG;
    TRY(json_fields(at, layer->kind->fields, &layer->options));
    layer->name = name_layer(model, at, prefix, layer->options.name, layer->kind->prefix);
    if (!layer->name) return model->failure;
    if (layer->kind->declare) TRY(layer->kind->declare(model, layer, at, shape));
    return model->failure;
}

static knack_status declare_sequence(knack_model *model, struct sequence *sequence, const struct json *list, const char *prefix,
                                     struct part_shape *shape)
{
    if (list->kind != JSON_ARRAY) return model_fail(model, list, "must be a list of layers, not %s", json_kind_name(list->kind));
    sequence->layer = memory_new((size_t)list->count, sizeof *sequence->layer);
    if (!sequence->layer) return KNACK_E_MEMORY;
    for (const struct json *at = list->first; at; at = at->next) {
        TRY(declare_layer(model, &sequence->layer[sequence->count++], at, prefix, shape));
    }
    return KNACK_OK;
}

/* ---- Running ---- */

static knack_tensor *run_sequence(knack_step *step, const struct sequence *sequence, knack_tensor *x);

static knack_tensor *run_layer(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    if (layer->kind) return layer->kind->run(step, layer, x);
    knack_tensor *through = run_sequence(step, &layer->residual, x);
    knack_tensor *around = run_sequence(step, &layer->shortcut, x);
    return knack_add(through, around);
}

static knack_tensor *run_sequence(knack_step *step, const struct sequence *sequence, knack_tensor *x)
{
    for (int64_t i = 0; i < sequence->count; i++) x = knack_layer(step, sequence->layer[i].name, run_layer(step, &sequence->layer[i], x));
    return x;
}

static void free_sequence(struct sequence *sequence)
{
    for (int64_t i = 0; i < sequence->count; i++) {
        free_sequence(&sequence->layer[i].residual);
        free_sequence(&sequence->layer[i].shortcut);
    }
    memory_free(sequence->layer);
}

/* ---- The model ---- */

static knack_status layers_read(const struct json *config, void **user)
{
    struct layers_options options = {0};
    TRY(json_fields(config, layers_fields, &options));
    struct layers *layers = memory_new(1, sizeof *layers);
    if (!layers) return KNACK_E_MEMORY;
    layers->config = options.layers;
    *user = layers;
    return KNACK_OK;
}

static knack_status layers_declare(knack_model *model, void *user)
{
    struct layers *layers = user;
    struct part_shape shape;
    const int64_t *input = knack_model_input(model, &shape.ndim);
    memcpy(shape.size, input, (size_t)shape.ndim * sizeof *input);
    TRY(declare_sequence(model, &layers->sequence, layers->config, "", &shape));
    if (shape.ndim != 1) {
        char text[96];
        return model_fail(model, layers->config, "the last layer gives %s, but features must be a vector; end with global-pool or flatten",
                          shape_text(text, shape.ndim, shape.size));
    }
    layers->config = NULL;
    return knack_model_set_width(model, shape.size[0]);
}

static knack_tensor *layers_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model;
    const struct layers *layers = user;
    return run_sequence(step, &layers->sequence, x);
}

static void layers_close(knack_model *model, void *user)
{
    (void)model;
    struct layers *layers = user;
    free_sequence(&layers->sequence);
    memory_free(layers);
}

/* "layers" as a list whose entries are one of the kinds, or a residual block of further lists. */
static void layers_list_schema(struct json_writer *writer, const char *name)
{
    json_open(writer, name, '{');
    json_string(writer, "type", "array");
    json_open(writer, "items", '{');
    json_string(writer, "$ref", "#layer");
    json_close(writer);
    json_close(writer);
}

static void layers_schema(struct json_writer *writer)
{
    json_open(writer, "$defs", '{');
    json_open(writer, "layer", '{');
    json_string(writer, "$anchor", "layer");
    json_open(writer, "oneOf", '[');
    layer_kinds_schema(writer);
    json_open(writer, NULL, '{');
    json_schema_fields(writer, residual_fields);
    json_open(writer, "allOf", '[');
    json_open(writer, NULL, '{');
    json_open(writer, "properties", '{');
    layers_list_schema(writer, "residual");
    layers_list_schema(writer, "shortcut");
    for (int depth = 0; depth < 7; depth++) json_close(writer);
    json_open(writer, "allOf", '[');
    json_open(writer, NULL, '{');
    json_open(writer, "properties", '{');
    layers_list_schema(writer, "layers");
    for (int depth = 0; depth < 3; depth++) json_close(writer);
}

const struct builtin_model builtin_layers = {
    .type = {sizeof(struct knack_model_type), "layers", layers_declare, layers_features, layers_close},
    .summary = "a list of layers, with residual blocks",
    .fields = layers_fields,
    .read = layers_read,
    .schema = layers_schema,
};
