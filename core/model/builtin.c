/* What the models of the program share in reading their options. */
#include "model/builtin.h"

#include "base/memory.h"

const char *const builtin_initialisations[] = {"he", "xavier", NULL};

knack_status builtin_sizes(const struct json *config, const char *name, struct json_doubles list, struct part_sizes *sizes)
{
    const struct json *member = json_member(config, name); /* absent: the default, which is right */
    for (const struct json *entry = member ? member->first : NULL; entry; entry = entry->next) {
        if (entry->number == (double)(int64_t)entry->number) continue;
        return json_fail(entry, KNACK_E_CONFIG, "expected a whole number");
    }
    int64_t *value = memory_new((size_t)list.count, sizeof *value);
    if (!value) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < list.count; i++) value[i] = (int64_t)list.value[i];
    *sizes = (struct part_sizes){value, list.count};
    return KNACK_OK;
}
