/* What the models of the program share in reading their options. */
#include "model/builtin.h"

#include "base/memory.h"

const char *const builtin_initialisations[] = {"he", "xavier", NULL};

knack_status builtin_sizes(const struct json *config, const char *name, struct json_doubles list, struct part_sizes *sizes)
{
    int64_t *value = memory_new((size_t)list.count, sizeof *value);
    if (!value) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < list.count; i++) {
        value[i] = (int64_t)list.value[i];
        if ((double)value[i] == list.value[i]) continue;
        memory_free(value);
        return json_fail(json_member(config, name), KNACK_E_CONFIG, "entry %lld must be a whole number", (long long)i + 1);
    }
    *sizes = (struct part_sizes){value, list.count};
    return KNACK_OK;
}
