/* What a running trick asks of its instance: options, each to be read, by the getter of its type. */
#include "plugin/instance.h"

#include <string.h>

#include "base/text.h"
#include "plugin/option.h"

static bool serves(enum option_type getter, enum option_type declared)
{
    return getter == declared || (getter == OPTION_NUMBER && declared == OPTION_INTEGER);
}

struct option_value *instance_option(struct instance *instance, const char *name, enum option_type type)
{
    const struct manifest *manifest = instance->manifest;
    for (int64_t i = 0; i < manifest->option_count; i++) {
        const struct option *option = &manifest->option[i];
        if (strcmp(option->name, name) != 0) continue;
        if (serves(type, option->type)) {
            instance->value[i].read = true;
            return &instance->value[i];
        }
        status_set(KNACK_E_PLUGIN, "%s reads option \"%s\" as %s, %s declares it as %s", instance->name, name, option_type_names[type],
                   manifest->path, option_type_names[option->type]);
        return NULL;
    }
    const char *nearest = text_nearest(name, manifest->option_names.value, manifest->option_count);
    status_set(KNACK_E_PLUGIN, "%s reads option \"%s\", which %s does not declare%s%s%s", instance->name, name, manifest->path,
               nearest ? "; nearest is \"" : "", nearest ? nearest : "", nearest ? "\"" : "");
    return NULL;
}

knack_status instance_all_read(const struct instance *instance)
{
    const struct manifest *manifest = instance->manifest;
    for (int64_t i = 0; i < manifest->option_count; i++)
        if (!instance->value[i].read)
            return status_set(KNACK_E_PLUGIN, "%s never reads its option \"%s\", which %s declares; read it in open, or do not declare it",
                              instance->name, manifest->option[i].name, manifest->path);
    return KNACK_OK;
}

void instance_write(const struct instance *instance, struct json_writer *writer, const char *name)
{
    const struct manifest *manifest = instance->manifest;
    json_open(writer, name, '{');
    for (int64_t i = 0; i < manifest->option_count; i++) option_write(&manifest->option[i], &instance->value[i], writer);
    json_close(writer);
}
