/* Picks a model, declares it, and computes it. */
#include "model/model.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "model/builtin.h"
#include "model/pass.h"

static const struct builtin_model *const models[] = {&builtin_mlp, &builtin_cnn, &builtin_resnet, &builtin_encoder, &builtin_layers};
enum { MODELS = sizeof models / sizeof *models };

/* ---- Which model ---- */

/* The one that "type" names; without it, the first. */
static const struct builtin_model *find_builtin(const struct json *config)
{
    const char *names[MODELS + 1] = {0};
    for (int i = 0; i < MODELS; i++) names[i] = models[i]->type.name;
    struct json_field field = {"type", JSON_CHOICE, 0, NULL, NULL, names, NULL};
    const struct json *type = json_member(config, "type");
    int chosen = 0;
    if (!type) return models[0];
    return json_value(type, &field, &chosen) < 0 ? NULL : models[chosen];
}

static bool has_key(const struct builtin_model *builtin, const char *name)
{
    const struct json_field *field = builtin->fields;
    while (field->name && strcmp(field->name, name) != 0) field++;
    return field->name != NULL;
}

/* A key that only models of other types have; those that none has are the table's to refuse. */
static knack_status refuse_foreign(const struct json *config, const struct builtin_model *builtin)
{
    for (const struct json *member = config->first; member; member = member->next) {
        if (has_key(builtin, member->name)) continue;
        for (int i = 0; i < MODELS; i++)
            if (has_key(models[i], member->name))
                return json_fail(member, KNACK_E_CONFIG, "%s has no such key, %s has; \"type\" says which model it is", builtin->type.name,
                                 models[i]->type.name);
    }
    return KNACK_OK;
}

/* The type and user pointer that the config asks for. On error *type says whether there is something to close. */
static knack_status choose_builtin(struct knack_model *model, const struct json *config)
{
    if (!config || config->kind != JSON_OBJECT) {
        return config ? json_fail(config, KNACK_E_CONFIG, "the model must be an object, such as {\"type\": \"mlp\"}")
                      : status_set(KNACK_E_CONFIG, "the config has no \"model\"");
    }
    const struct builtin_model *builtin = find_builtin(config);
    if (!builtin) return KNACK_E_CONFIG;
    TRY(refuse_foreign(config, builtin));
    knack_status status = builtin->read(config, &model->user);
    if (model->user) model->type = &builtin->type;
    return status;
}

static knack_status check_type(const struct knack_model_type *type)
{
    if (type->size >= sizeof *type && type->name && type->declare && type->features) return KNACK_OK;
    return status_set(KNACK_E_CALL, "struct knack_model_type: set its size to sizeof (%zu), and give name, declare and features",
                      sizeof *type);
}

static knack_status read_initialisation(const struct json *config, enum knack_init *init)
{
    static const struct json_field field = {"initialisation", JSON_CHOICE, 0, NULL, NULL, builtin_initialisations, NULL};
    const struct json *value = json_member(config, "initialisation");
    int chosen = 0;
    if (value) TRY(json_value(value, &field, &chosen));
    *init = chosen == 0 ? KNACK_INIT_HE : KNACK_INIT_XAVIER;
    return KNACK_OK;
}

/* ---- Declaring ---- */

static void declare_head(struct knack_model *model)
{
    struct knack_param_spec weight = {
        .size = sizeof weight, .name = "head.weight", .ndim = 2, .init = KNACK_INIT_HE, .shape = {model->outputs, model->width}};
    struct knack_param_spec bias = {
        .size = sizeof bias, .no_decay = 1, .name = "head.bias", .ndim = 1, .init = KNACK_INIT_ZERO, .shape = {model->outputs}};
    model->head_weight = knack_model_param(model, &weight);
    model->head_bias = knack_model_param(model, &bias);
}

static knack_status declare(struct knack_model *model, bool own_head)
{
    model->declaring = true;
    status_clear(); /* an earlier error's message would be taken for that of a declare() that gives none */
    knack_status status = model_add_layer(model, "input") ? model->type->declare(model, model->user) : model->failure;
    if (model->failure < 0) return model->failure;
    if (status < 0 && !*knack_error()) status_set(status, "model %s: its declare() failed with status %d", model->type->name, status);
    if (status < 0) return status;
    if (!model->width) return model_fail(model, NULL, "declare() did not say the features' width by knack_model_set_width()");
    model_add_layer(model, "features");
    if (own_head) declare_head(model);
    model->declaring = false;
    model->config = NULL;
    return model->failure;
}

/* A program's own type. From here on the model is closed, whatever fails. */
static knack_status take_type(struct knack_model *model, const struct knack_model_type *type, void *user)
{
    TRY(check_type(type));
    model->type = type;
    model->user = user;
    return KNACK_OK;
}

static knack_status set_input(struct knack_model *model, int ndim, const int64_t *shape)
{
    if (ndim < 1 || ndim >= KNACK_MAX_DIMS)
        return status_set(KNACK_E_DATA, "an input of a model has 1 to %d axes, not %d", KNACK_MAX_DIMS - 1, ndim);
    model->input_ndim = ndim;
    memcpy(model->input, shape, (size_t)ndim * sizeof *shape);
    return KNACK_OK;
}

static knack_status read_config(struct knack_model *model, const struct json *config)
{
    TRY(read_initialisation(config, &model->init));
    if (model->type) return KNACK_OK;
    model->config = config;
    return choose_builtin(model, config);
}

knack_status model_new(const struct json *config, const struct knack_model_type *type, void *user, struct params *params, int input_ndim,
                       const int64_t *input, int64_t outputs, bool own_head, struct knack_model **out)
{
    *out = NULL;
    struct knack_model *model = memory_new(1, sizeof *model);
    if (!model) return KNACK_E_MEMORY;
    model->params = params;
    model->outputs = outputs;
    knack_status status = type ? take_type(model, type, user) : KNACK_OK;
    if (status == KNACK_OK) status = set_input(model, input_ndim, input);
    if (status == KNACK_OK) status = read_config(model, config);
    if (status == KNACK_OK) status = declare(model, own_head);
    if (status < 0) {
        model_free(model);
        return status;
    }
    *out = model;
    return KNACK_OK;
}

void model_free(struct knack_model *model)
{
    if (!model) return;
    if (model->type && model->type->close) model->type->close(model, model->user);
    for (int64_t i = 0; i < model->layer_count; i++) memory_free(model->layer[i]);
    for (int64_t i = 0; i < model->norm_count; i++) memory_free(model->norm[i]);
    memory_free(model->layer);
    memory_free(model->norm);
    memory_free(model);
}

/* ---- Computing ---- */

knack_tensor *model_features(struct knack_model *model, knack_step *step, knack_tensor *x)
{
    knack_tensor *input = knack_layer(step, "input", x);
    if (!input) return NULL;
    int64_t rows = input->shape[0];
    knack_tensor *features = model->type->features(model, step, input, model->user);
    /* Kept only if nothing else failed: what failed first says more. */
    if (!features) return tape_fail(step_tape(step), KNACK_E_CALL, "model %s: features gave no tensor", model->type->name);
    if (features->ndim != 2 || features->shape[0] != rows || features->shape[1] != model->width) {
        char got[96], wanted[96];
        return tape_fail(step_tape(step), KNACK_E_SHAPE, "model %s: features gave %s, not %s", model->type->name,
                         shape_text(got, features->ndim, features->shape), shape_text(wanted, 2, (int64_t[]){rows, model->width}));
    }
    return knack_layer(step, "features", features);
}

knack_tensor *model_head(struct knack_model *model, knack_step *step, knack_tensor *features)
{
    return knack_linear_layer(step, features, model->head_weight, model->head_bias, KNACK_LINEAR);
}

/* ---- Describing ---- */

void model_schema(struct json_writer *writer, const char *name)
{
    json_open(writer, name, '{');
    json_open(writer, "oneOf", '[');
    for (int i = 0; i < MODELS; i++) {
        json_open(writer, NULL, '{');
        json_string(writer, "description", models[i]->summary);
        json_schema_fields(writer, models[i]->fields);
        if (models[i]->schema) models[i]->schema(writer);
        json_close(writer);
    }
    json_close(writer);
    json_close(writer);
}
