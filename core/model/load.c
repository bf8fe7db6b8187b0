/* Initial weights from a safetensors file. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "tensor/tape.h"

enum { LIST_TEXT = 512 };

/* Says which names are wanted and not there, or there and not wanted. */
static knack_status refuse_names(const char *path, const char *what, const char *const *names, int64_t count)
{
    char list[LIST_TEXT];
    return status_set(KNACK_E_DATA, "%s: %s %s", path, what, text_list(list, sizeof list, names, count));
}

static knack_status check_missing(const struct params *params, const char *path, const struct safetensors *file, const char **names)
{
    int64_t missing = 0;
    for (int64_t i = 0; i < params->count; i++) {
        const struct param *param = params->list[i];
        if (!param->owner && !safetensors_find(file, param->public.name)) names[missing++] = param->public.name;
    }
    return missing ? refuse_names(path, "parameters of the model are missing:", names, missing) : KNACK_OK;
}

static knack_status check_extra(const struct params *params, const char *path, const struct safetensors *file, const char **names)
{
    int64_t extra = 0;
    for (int64_t i = 0; i < file->count; i++) {
        const char *name = file->entry[i].name;
        if (!params_find(params, name) && !params_find_statistic(params, name)) names[extra++] = name;
    }
    return extra ? refuse_names(path, "the model has no parameter or statistic for", names, extra) : KNACK_OK;
}

static knack_status check_names(const struct params *params, const char *path, const struct safetensors *file)
{
    const char **names = memory_new((size_t)(params->count + file->count), sizeof *names);
    if (!names) return KNACK_E_MEMORY;
    knack_status status = check_missing(params, path, file, names);
    if (status == KNACK_OK) status = check_extra(params, path, file, names);
    memory_free(names);
    return status;
}

static knack_status load_entry(const char *path, const struct safetensors_entry *entry, int ndim, const int64_t *shape, knack_real *out)
{
    bool equal = entry->ndim == ndim;
    for (int axis = 0; equal && axis < ndim; axis++) equal = entry->shape[axis] == shape[axis];
    if (!equal) {
        char got[96], wanted[96];
        return status_set(KNACK_E_DATA, "%s: %s has shape %s, the model's has %s", path, entry->name,
                          shape_text(got, entry->ndim, entry->shape), shape_text(wanted, ndim, shape));
    }
    knack_status status = safetensors_reals(entry, out);
    return status < 0 ? status_prefix(status, "%s", path) : status;
}

static knack_status load_entries(struct params *params, const char *path, const struct safetensors *file)
{
    TRY(check_names(params, path, file));
    for (int64_t i = 0; i < params->count; i++) {
        const struct knack_param *param = &params->list[i]->public;
        const struct safetensors_entry *entry = safetensors_find(file, param->name);
        if (entry) TRY(load_entry(path, entry, param->ndim, param->shape, params->live.values + param->offset));
    }
    for (int64_t i = 0; i < params->statistic_count; i++) {
        const struct statistic *statistic = &params->statistic[i];
        const struct safetensors_entry *entry = safetensors_find(file, statistic->name);
        if (entry) TRY(load_entry(path, entry, 1, &statistic->count, params->live.statistics + statistic->offset));
    }
    for (int64_t i = 0; i < params->set_count; i++) weights_copy(params->set[i], &params->live);
    return KNACK_OK;
}

knack_status model_load_init(struct params *params, const char *path)
{
    struct safetensors *file;
    TRY(safetensors_read(path, KNACK_E_DATA, &file));
    knack_status status = load_entries(params, path, file);
    safetensors_free(file);
    return status;
}
