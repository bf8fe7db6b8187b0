/* The store of parameters: who they are, where each lies in the flat buffer, and the buffers. */
#include "model/params.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/list.h"

enum { PADDED_ENTRIES = 64 / sizeof(knack_real) };  /* parameters start at multiples of 64 bytes */
static const int64_t most_entries = INT64_MAX / 64; /* of all parameters together */

struct params *params_new(void)
{
    struct params *params = memory_new(1, sizeof *params);
    if (!params) return NULL;
    params->live.name = "raw";
    params->live.params = params;
    return params;
}

static void weights_release(struct knack_weights *weights)
{
    memory_free(weights->values);
    memory_free(weights->statistics);
    weights->values = weights->statistics = NULL;
}

static void buffers_release(struct params *params)
{
    weights_release(&params->live);
    for (int64_t i = 0; i < params->set_count; i++) weights_release(params->set[i]);
    memory_free(params->gradients);
    memory_free(params->touched);
    params->gradients = NULL;
    params->touched = NULL;
}

void params_free(struct params *params)
{
    if (!params) return;
    buffers_release(params);
    for (int64_t i = 0; i < params->count; i++) {
        memory_free((char *)params->list[i]->public.name);
        memory_free(params->list[i]);
    }
    for (int64_t i = 0; i < params->statistic_count; i++) memory_free((char *)params->statistic[i].name);
    for (int64_t i = 0; i < params->set_count; i++) {
        memory_free((char *)params->set[i]->name);
        memory_free(params->set[i]);
    }
    memory_free(params->list);
    memory_free(params->statistic);
    memory_free(params->set);
    memory_free(params);
}

bool params_name_fits(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = name ? strlen(name) : 0;
    return length > 0 && length <= PARAMS_NAME && strspn(name, letters) == length;
}

/* A name for something that is to be saved, new among parameters and statistics. */
static knack_status check_name(const struct params *params, const char *what, const char *name)
{
    if (params->allocated) return status_set(KNACK_E_CALL, "%s %s: declared after the weights exist; declare it in open", what, name);
    if (!params_name_fits(name)) {
        return status_set(KNACK_E_CONFIG, "%s \"%s\": a name is made of 1 to %d letters, digits, '.', '_' and '-'", what, name ? name : "",
                          PARAMS_NAME);
    }
    if (params_find(params, name) || params_find_statistic(params, name)) {
        return status_set(KNACK_E_CONFIG, "%s %s: this name is already taken", what, name);
    }
    return KNACK_OK;
}

/* Product of the sizes; -1 if a size is not positive or the product too large. */
static int64_t shape_entries(int ndim, const int64_t *shape)
{
    int64_t count = 1;
    for (int axis = 0; axis < ndim; axis++) {
        if (shape[axis] < 1 || count > most_entries / shape[axis]) return -1;
        count *= shape[axis];
    }
    return count;
}

static knack_status check_spec(const struct knack_param_spec *spec, const char *name)
{
    if (spec->ndim < 1 || spec->ndim > KNACK_MAX_DIMS) {
        return status_set(KNACK_E_CONFIG, "parameter %s: it has %d axes, 1 to %d are possible", name, (int)spec->ndim, KNACK_MAX_DIMS);
    }
    if (shape_entries(spec->ndim, spec->shape) < 0) {
        return status_set(KNACK_E_CONFIG, "parameter %s: each size of its shape must be at least 1, and memory must hold them all", name);
    }
    if (spec->init > KNACK_INIT_NORMAL) {
        return status_set(KNACK_E_CONFIG, "parameter %s: init %u is none of enum knack_init", name, (unsigned)spec->init);
    }
    if (!isfinite(spec->init_scale) || !isfinite(spec->lr_scale) || spec->lr_scale < 0) {
        return status_set(KNACK_E_CONFIG, "parameter %s: init_scale must be finite, lr_scale at least 0", name);
    }
    return KNACK_OK;
}

static void param_fill(struct param *param, const char *owner, const struct knack_param_spec *spec, const char *name)
{
    param->owner = owner;
    param->init = spec->init;
    param->init_scale = spec->init_scale != 0 ? spec->init_scale : 1;
    param->lr_scale = spec->lr_scale != 0 ? spec->lr_scale : 1;
    struct knack_param *public = &param->public;
    public->size = sizeof *public;
    public->no_decay = spec->no_decay != 0;
    public->name = name;
    public->ndim = spec->ndim;
    memcpy(public->shape, spec->shape, (size_t)spec->ndim * sizeof *spec->shape);
    public->count = shape_entries(spec->ndim, spec->shape);
}

/* Puts it behind those that are there. */
static knack_status param_append(struct params *params, struct param *param)
{
    int64_t padded = (param->public.count + PADDED_ENTRIES - 1) / PADDED_ENTRIES * PADDED_ENTRIES;
    if (padded > most_entries - params->total) {
        return status_set(KNACK_E_MEMORY, "parameter %s: more parameters than memory can hold", param->public.name);
    }
    struct param **list = list_room(params->list, params->count, &params->capacity, sizeof *list);
    if (!list) return KNACK_E_MEMORY;
    params->list = list;
    param->index = params->count;
    param->public.offset = params->total;
    params->list[params->count++] = param;
    params->total += padded;
    return KNACK_OK;
}

knack_status params_declare(struct params *params, const char *owner, const struct knack_param_spec *spec, struct param **out)
{
    *out = NULL;
    if (spec->size < sizeof *spec) {
        return status_set(KNACK_E_CALL, "struct knack_param_spec: its size is given as %u, set it to sizeof (%zu)", (unsigned)spec->size,
                          sizeof *spec);
    }
    const char *own_name = spec->name ? spec->name : "";
    char *name = owner ? memory_format("%s.%s", owner, own_name) : memory_text(own_name);
    if (!name) return KNACK_E_MEMORY;
    struct param *param = NULL;
    knack_status status = check_name(params, "parameter", name);
    if (status == KNACK_OK) status = check_spec(spec, name);
    if (status == KNACK_OK && !(param = memory_new(1, sizeof *param))) status = KNACK_E_MEMORY;
    if (status == KNACK_OK) {
        param_fill(param, owner, spec, name);
        status = param_append(params, param);
    }
    if (status < 0) {
        memory_free(param);
        memory_free(name);
        return status;
    }
    *out = param;
    return KNACK_OK;
}

struct param *params_add(struct params *params, const char *owner, const struct knack_param_spec *spec)
{
    struct param *param;
    return params_declare(params, owner, spec, &param) < 0 ? NULL : param;
}

int64_t params_add_statistic(struct params *params, const char *name, int64_t count, knack_real initial)
{
    TRY(check_name(params, "statistic", name));
    if (count < 1 || count > most_entries - params->statistics_total) {
        return status_set(KNACK_E_CONFIG, "statistic %s: it cannot have %lld entries", name, (long long)count);
    }
    struct statistic *list = list_room(params->statistic, params->statistic_count, &params->statistic_capacity, sizeof *list);
    if (!list) return KNACK_E_MEMORY;
    params->statistic = list;
    char *copy = memory_text(name);
    if (!copy) return KNACK_E_MEMORY;
    params->statistic[params->statistic_count] =
        (struct statistic){.name = copy, .count = count, .offset = params->statistics_total, .initial = initial};
    params->statistics_total += count;
    return params->statistic_count++;
}

static knack_status check_set(struct params *params, const char *name)
{
    if (params->allocated) return status_set(KNACK_E_CALL, "weight set %s: declared after the weights exist; declare it in open", name);
    if (!params_name_fits(name)) {
        return status_set(KNACK_E_CONFIG, "weight set \"%s\": a name is made of 1 to %d letters, digits, '.', '_' and '-'",
                          name ? name : "", PARAMS_NAME);
    }
    if (params_find_set(params, name)) return status_set(KNACK_E_CONFIG, "weight set %s: this name is already taken", name);
    return KNACK_OK;
}

struct knack_weights *params_add_set(struct params *params, const char *owner, const char *name, uint32_t flags)
{
    if (check_set(params, name) < 0) return NULL;
    struct knack_weights **list = list_room(params->set, params->set_count, &params->set_capacity, sizeof *list);
    if (!list) return NULL;
    params->set = list;
    struct knack_weights *set = memory_new(1, sizeof *set);
    char *copy = set ? memory_text(name) : NULL;
    if (!copy) {
        memory_free(set);
        return NULL;
    }
    *set = (struct knack_weights){.name = copy, .owner = owner, .flags = flags, .params = params};
    params->set[params->set_count++] = set;
    return set;
}

struct knack_weights *params_find_set(struct params *params, const char *name)
{
    if (!strcmp(params->live.name, name)) return &params->live;
    for (int64_t i = 0; i < params->set_count; i++) {
        if (!strcmp(params->set[i]->name, name)) return params->set[i];
    }
    return NULL;
}

struct param *params_find(const struct params *params, const char *name)
{
    for (int64_t i = 0; i < params->count; i++) {
        if (!strcmp(params->list[i]->public.name, name)) return params->list[i];
    }
    return NULL;
}

const struct statistic *params_find_statistic(const struct params *params, const char *name)
{
    for (int64_t i = 0; i < params->statistic_count; i++) {
        if (!strcmp(params->statistic[i].name, name)) return &params->statistic[i];
    }
    return NULL;
}

static knack_status weights_allocate(struct knack_weights *weights)
{
    weights->values = memory_new((size_t)weights->params->total, sizeof *weights->values);
    if (!weights->values) return KNACK_E_MEMORY;
    weights->statistics = memory_new((size_t)weights->params->statistics_total, sizeof *weights->statistics);
    return weights->statistics ? KNACK_OK : KNACK_E_MEMORY;
}

static knack_status buffers_allocate(struct params *params)
{
    TRY(weights_allocate(&params->live));
    for (int64_t i = 0; i < params->set_count; i++) TRY(weights_allocate(params->set[i]));
    params->gradients = memory_new((size_t)params->total, sizeof *params->gradients);
    if (!params->gradients) return KNACK_E_MEMORY;
    params->touched = memory_new((size_t)params->count, sizeof *params->touched);
    return params->touched ? KNACK_OK : KNACK_E_MEMORY;
}

knack_status params_allocate(struct params *params, uint64_t seed)
{
    if (params->allocated) return status_set(KNACK_E_CALL, "the parameters are allocated already");
    knack_status status = buffers_allocate(params);
    if (status < 0) {
        buffers_release(params);
        return status;
    }
    params->allocated = true;
    for (int64_t i = 0; i < params->count; i++) {
        param_initialise(params->list[i], seed, params->live.values + params->list[i]->public.offset);
    }
    for (int64_t i = 0; i < params->statistic_count; i++) {
        const struct statistic *statistic = &params->statistic[i];
        for (int64_t k = 0; k < statistic->count; k++) params->live.statistics[statistic->offset + k] = statistic->initial;
    }
    for (int64_t i = 0; i < params->set_count; i++) weights_copy(params->set[i], &params->live);
    return KNACK_OK;
}

void weights_copy(struct knack_weights *to, const struct knack_weights *from)
{
    memcpy(to->values, from->values, (size_t)from->params->total * sizeof *to->values);
    memcpy(to->statistics, from->statistics, (size_t)from->params->statistics_total * sizeof *to->statistics);
}

int64_t params_match(const struct params *params, const char *pattern, const struct knack_param **list)
{
    int64_t count = 0;
    for (int64_t i = 0; i < params->count; i++) {
        if (text_glob(pattern, params->list[i]->public.name)) list[count++] = &params->list[i]->public;
    }
    return count;
}
