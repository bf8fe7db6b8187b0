/* Plugins that cannot be in one run: always, or at some values of an option. */
#include "plugin/conflict.h"

#include <string.h>

#include "base/arena.h"
#include "plugin/option.h"

struct entry {
    const char *name;
    struct conflict conflict;
};

static const struct json_field entry_table[] = {
    {"name", JSON_TEXT, offsetof(struct entry, name), NULL, NULL, NULL, "plugin that it cannot be with"},
    {"why", JSON_TEXT, offsetof(struct entry, conflict.why), "", NULL, NULL, "the reason, as a clause"},
    {"when", JSON_ANY, offsetof(struct entry, conflict.when), "", NULL, NULL, "option values at which it is so"},
    {0},
};

static knack_status read_entry(const struct json *node, const struct manifest *manifest, struct entry *entry)
{
    *entry = (struct entry){0};
    if (node->kind == JSON_STRING) {
        entry->name = node->string;
        return KNACK_OK;
    }
    if (node->kind != JSON_OBJECT)
        return json_fail(node, KNACK_E_PLUGIN, "expected the name of a plugin, or an object with \"name\" and \"why\", got %s",
                         json_kind_name(node->kind));
    TRY(json_fields(node, entry_table, entry));
    return entry->conflict.when ? option_values_check(manifest, entry->conflict.when) : KNACK_OK;
}

knack_status conflicts_read(const struct json *list, struct manifest *manifest)
{
    if (!list) return KNACK_OK;
    bool single = list->kind == JSON_STRING;
    if (!single && list->kind != JSON_ARRAY)
        return json_fail(list, KNACK_E_PLUGIN, "expected a list of plugins, got %s", json_kind_name(list->kind));
    int64_t count = single ? 1 : list->count;
    struct arena *arena = list->document->arena;
    const char **name = arena_zeroed(arena, (size_t)count * sizeof *name);
    manifest->conflict = arena_zeroed(arena, (size_t)count * sizeof *manifest->conflict);
    if (!name || !manifest->conflict) return KNACK_E_MEMORY;
    manifest->conflicts = (struct json_texts){name, count};
    const struct json *node = single ? list : list->first;
    for (int64_t i = 0; i < count; i++, node = node->next) {
        struct entry entry;
        TRY(read_entry(node, manifest, &entry));
        name[i] = entry.name;
        manifest->conflict[i] = entry.conflict;
    }
    return KNACK_OK;
}

knack_status conflict_find(const struct instance *a, const struct instance *b, const struct conflict **found)
{
    const struct manifest *manifest = a->manifest;
    *found = NULL;
    for (int64_t i = 0; i < manifest->conflicts.count && !*found; i++) {
        const struct conflict *conflict = &manifest->conflict[i];
        bool is = true;
        if (strcmp(manifest->conflicts.value[i], b->manifest->name) != 0) continue;
        if (conflict->when) TRY(instance_has(a, conflict->when, &is));
        if (is) *found = conflict;
    }
    return KNACK_OK;
}
