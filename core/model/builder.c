/* What a model calls while it is declared. The first error is kept: later calls do nothing, and model_new() reports it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/builder.h"
#include "model/list.h"

const int64_t *knack_model_input(const knack_model *model, int *ndim)
{
    if (ndim) *ndim = model->input_ndim;
    return model->input;
}

knack_status model_keep(knack_model *model, knack_status status)
{
    if (status < 0 && model->failure >= 0) model->failure = status;
    return status;
}

knack_status model_fail(knack_model *model, const struct json *at, const char *format, ...)
{
    if (model->failure < 0) return model->failure;
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (!at) at = model->config;
    knack_status status =
        at ? json_fail(at, KNACK_E_CONFIG, "%s", message) : status_set(KNACK_E_CONFIG, "model %s: %s", model->type->name, message);
    return model_keep(model, status);
}

/* Whether builder functions may go on; if not, the model's failure says why. */
static bool may_declare(knack_model *model, const char *function)
{
    if (model->failure < 0) return false;
    if (model->declaring) return true;
    status_set(KNACK_E_CALL, "%s: a model declares its parts in declare() only", function);
    return false;
}

const knack_param *knack_model_param(knack_model *model, const struct knack_param_spec *spec)
{
    if (!may_declare(model, "knack_model_param")) return NULL;
    if (!spec) {
        model_fail(model, NULL, "knack_model_param() was called without a specification");
        return NULL;
    }
    struct knack_param_spec own = *spec;
    if (own.init == KNACK_INIT_HE) own.init = model->init;
    struct param *param;
    return model_keep(model, params_declare(model->params, NULL, &own, &param)) < 0 ? NULL : &param->public;
}

bool model_has_layer(const knack_model *model, const char *name)
{
    for (int64_t i = 0; i < model->layer_count; i++) {
        if (!strcmp(model->layer[i], name)) return true;
    }
    return false;
}

const char *model_add_layer(knack_model *model, const char *name)
{
    char **list = list_room(model->layer, model->layer_count, &model->layer_capacity, sizeof *list);
    if (list) model->layer = list;
    char *copy = list ? memory_text(name) : NULL;
    if (!copy) {
        model_keep(model, KNACK_E_MEMORY);
        return NULL;
    }
    return model->layer[model->layer_count++] = copy;
}

const char *model_watch(knack_model *model, const char *name)
{
    if (!may_declare(model, "knack_model_layer")) return NULL;
    if (!params_name_fits(name)) {
        model_fail(model, NULL, "layer \"%s\": a name is made of 1 to %d letters, digits, '.', '_' and '-'", name ? name : "", PARAMS_NAME);
        return NULL;
    }
    if (!strcmp(name, "features") || !strcmp(name, "head") || model_has_layer(model, name)) {
        model_fail(model, NULL, "layer %s: this name is already taken", name);
        return NULL;
    }
    return model_add_layer(model, name);
}

knack_status knack_model_layer(knack_model *model, const char *name)
{
    if (model_watch(model, name)) return KNACK_OK;
    return model->failure < 0 ? model->failure : KNACK_E_CALL;
}

knack_status knack_model_set_width(knack_model *model, int64_t width)
{
    if (!may_declare(model, "knack_model_set_width")) return model->failure < 0 ? model->failure : KNACK_E_CALL;
    if (width < 1) return model_fail(model, NULL, "the features' width is %lld, it must be at least 1", (long long)width);
    model->width = width;
    return KNACK_OK;
}

/* Parameter or statistic NAME.PART of a norm. */
static const knack_param *norm_param(knack_model *model, const char *name, const char *part, int64_t channels, enum knack_init init)
{
    char full[2 * PARAMS_NAME];
    snprintf(full, sizeof full, "%s.%s", name, part);
    struct knack_param_spec spec = {.size = sizeof spec, .no_decay = 1, .name = full, .ndim = 1, .init = init, .shape = {channels}};
    return knack_model_param(model, &spec);
}

static int64_t norm_statistic(knack_model *model, const char *name, const char *part, int64_t channels, knack_real initial)
{
    if (model->failure < 0) return model->failure;
    char full[2 * PARAMS_NAME];
    snprintf(full, sizeof full, "%s.%s", name, part);
    int64_t index = params_add_statistic(model->params, full, channels, initial);
    if (index >= 0) return model->params->statistic[index].offset;
    return model_keep(model, (knack_status)index);
}

knack_norm_layer *knack_model_norm(knack_model *model, const char *name, int64_t channels)
{
    if (!may_declare(model, "knack_model_norm")) return NULL;
    if (!name) {
        model_fail(model, NULL, "knack_model_norm() was called without a name");
        return NULL;
    }
    knack_norm_layer **list = list_room(model->norm, model->norm_count, &model->norm_capacity, sizeof *list);
    if (list) model->norm = list;
    knack_norm_layer *norm = list ? memory_new(1, sizeof *norm) : NULL;
    if (!norm) {
        model_keep(model, KNACK_E_MEMORY);
        return NULL;
    }
    model->norm[model->norm_count++] = norm;
    norm->channels = channels;
    norm->weight = norm_param(model, name, "weight", channels, KNACK_INIT_ONE);
    norm->bias = norm_param(model, name, "bias", channels, KNACK_INIT_ZERO);
    norm->mean = norm_statistic(model, name, "mean", channels, 0);
    norm->variance = norm_statistic(model, name, "variance", channels, 1);
    return model->failure < 0 ? NULL : norm;
}
