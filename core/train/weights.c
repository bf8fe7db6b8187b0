/* Files of weights: one set with its running statistics, by name, and a description of the data that it was trained on. */
#include <string.h>

#include "base/memory.h"
#include "model/safetensors.h"
#include "train/state.h"

knack_status weights_save(struct run *run, const struct knack_weights *w, const char *path)
{
    struct params *p = run->params;
    int64_t count = p->count + p->statistic_count;
    struct safetensors_entry *entry = memory_new((size_t)count + 1, sizeof *entry);
    struct json_writer *description = json_writer_new(false);
    if (description) {
        json_open(description, NULL, '{');
        data_describe(run->data, description, "data");
        json_close(description);
    }
    const char *text = description ? json_text(description, NULL) : NULL;
    for (int64_t i = 0; entry && i < p->count; i++) {
        const struct knack_param *param = &p->list[i]->public;
        entry[i] = (struct safetensors_entry){
            .name = param->name, .type = KNACK_REAL, .ndim = param->ndim, .count = param->count, .data = w->values + param->offset};
        memcpy(entry[i].shape, param->shape, sizeof param->shape);
    }
    for (int64_t i = 0; entry && i < p->statistic_count; i++)
        entry[p->count + i] = (struct safetensors_entry){.name = p->statistic[i].name,
                                                         .type = KNACK_REAL,
                                                         .ndim = 1,
                                                         .shape = {p->statistic[i].count},
                                                         .count = p->statistic[i].count,
                                                         .data = w->statistics + p->statistic[i].offset};
    const char *const keys[] = {"format", "knack", "weights"}, *const values[] = {"knack model 1", text, w->name};
    knack_status status = entry && text ? safetensors_write(path, entry, count, keys, values, 3) : KNACK_E_MEMORY;
    json_writer_free(description);
    memory_free(entry);
    return status;
}

static knack_status restore_one(const struct safetensors *file, const char *path, const char *name, int64_t count, knack_real *out)
{
    const struct safetensors_entry *e = safetensors_find(file, name);
    if (!e || e->count != count)
        return status_set(KNACK_E_DATA, "%s: \"%s\" is %s; the file does not belong to this config", path, name,
                          e ? "of another size" : "missing");
    return safetensors_reals(e, out);
}

knack_status weights_restore(struct run *run, struct knack_weights *w, const char *path)
{
    struct params *p = run->params;
    struct safetensors *file;
    knack_status status = KNACK_OK;
    TRY(safetensors_read(path, KNACK_E_DATA, &file));
    for (int64_t i = 0; i < p->count && status >= 0; i++)
        status = restore_one(file, path, p->list[i]->public.name, p->list[i]->public.count, w->values + p->list[i]->public.offset);
    for (int64_t i = 0; i < p->statistic_count && status >= 0; i++)
        status = restore_one(file, path, p->statistic[i].name, p->statistic[i].count, w->statistics + p->statistic[i].offset);
    safetensors_free(file);
    return status;
}
