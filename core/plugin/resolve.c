/* From a config's "plugins" to instances in order: each entry by itself, then what they demand of each other. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "plugin/conflict.h"
#include "plugin/entry.h"
#include "plugin/order.h"

static knack_status check_distinct(const struct instance *a, const struct instance *b)
{
    if (strcmp(a->name, b->name) != 0) return KNACK_OK;
    return json_fail(b->entry, KNACK_E_CONFIG, "the name \"%s\" is taken by %s; give this one another with \"as\"", b->name,
                     json_path(a->entry));
}

/* It is enough that one of two plugins says so. Two instances of one plugin both have to be at options at which it is so. */
static knack_status check_conflicts(const struct instance *a, const struct instance *b)
{
    const struct instance *witness = b;
    const struct conflict *conflict;
    bool alike = strcmp(a->manifest->name, b->manifest->name) == 0;
    TRY(conflict_find(b, a, &conflict));
    if (alike == (conflict != NULL)) TRY(conflict_find(witness = a, b, &conflict));
    if (!conflict) return KNACK_OK;
    return json_fail(b->entry, KNACK_E_CONFIG, "%s conflicts with %s at %s%s%s (says %s.json); leave one out", b->name, a->name,
                     json_path(a->entry), conflict->why ? ": " : "", conflict->why ? conflict->why : "", witness->manifest->name);
}

static knack_status check_replaces(const struct instance *a, const struct instance *b)
{
    uint32_t both = a->manifest->replaces & b->manifest->replaces;
    for (int bit = 0; manifest_stage_names[bit]; bit++)
        if (both & 1u << bit)
            return json_fail(b->entry, KNACK_E_CONFIG, "%s and %s at %s both replace the %s; leave one out", b->name, a->name,
                             json_path(a->entry), manifest_stage_names[bit]);
    return KNACK_OK;
}

/* The learning rate can have one master only; members of a group take turns. */
static knack_status check_lr(const struct instance *a, const struct instance *b)
{
    const char *group = a->manifest->one_of, *other = b->manifest->one_of;
    if (!(a->manifest->writes & b->manifest->writes & ACCESS_LR) || (group && other && strcmp(group, other) == 0)) return KNACK_OK;
    return json_fail(b->entry, KNACK_E_CONFIG, "%s and %s at %s both set the learning rate; leave one out", b->name, a->name,
                     json_path(a->entry));
}

/* Each pair once, a listed before b. */
static knack_status check_pairs(const struct instances *instances)
{
    for (int64_t i = 0; i < instances->count; i++)
        for (int64_t j = 0; j < i; j++) {
            const struct instance *a = instances->list[j], *b = instances->list[i];
            TRY(check_distinct(a, b));
            if (a->at_identity || b->at_identity) continue;
            TRY(check_conflicts(a, b));
            TRY(check_replaces(a, b));
            TRY(check_lr(a, b));
        }
    return KNACK_OK;
}

static const struct instance *listed(const struct instances *instances, const char *plugin)
{
    const struct instance *found = NULL;
    for (int64_t i = 0; i < instances->count; i++)
        if (strcmp(instances->list[i]->manifest->name, plugin) == 0 && (!found || found->at_identity)) found = instances->list[i];
    return found;
}

static knack_status check_requires(const struct instances *instances, const struct instance *instance)
{
    const struct json_texts *requires = &instance->manifest->requires;
    for (int64_t i = 0; i < requires->count; i++) {
        const struct instance *found = listed(instances, requires->value[i]);
        if (!found)
            return json_fail(instance->entry, KNACK_E_CONFIG, "%s requires %s, which is not listed; add it to \"plugins\"", instance->name,
                             requires->value[i]);
        if (found->at_identity)
            return json_fail(instance->entry, KNACK_E_CONFIG, "%s requires %s, which the options at %s switch off", instance->name,
                             requires->value[i], json_path(found->entry));
    }
    return KNACK_OK;
}

static knack_status check_task(const struct instance *instance, const char *task)
{
    const struct json_texts *tasks = &instance->manifest->tasks;
    if (tasks->count == 0 || manifest_lists(tasks, task)) return KNACK_OK;
    char list[200];
    return json_fail(instance->entry, KNACK_E_CONFIG, "%s does not serve the task %s; leave it out (its \"tasks\" has %s)", instance->name,
                     task, text_list(list, sizeof list, tasks->value, tasks->count));
}

static knack_status check_each(const struct instances *instances, const char *task)
{
    for (int64_t i = 0; i < instances->count; i++) {
        const struct instance *instance = instances->list[i];
        if (instance->at_identity) continue;
        TRY(check_task(instance, task));
        TRY(check_requires(instances, instance));
    }
    return KNACK_OK;
}

static knack_status read_entries(const struct json *plugins, const char *base, struct instances *instances)
{
    instances->list = memory_new((size_t)plugins->count, sizeof(struct instance *));
    if (!instances->list) return KNACK_E_MEMORY;
    for (const struct json *entry = plugins->first; entry; entry = entry->next) {
        TRY(entry_read(entry, base, &instances->search, &instances->list[instances->count]));
        instances->count++;
    }
    return KNACK_OK;
}

/* Those at identity last, the order within both parts kept. */
static knack_status part_by_identity(struct instances *instances)
{
    struct instance **parted = memory_new((size_t)instances->count, sizeof(struct instance *));
    if (!parted) return KNACK_E_MEMORY;
    int64_t filled = 0;
    for (int at_identity = 0; at_identity < 2; at_identity++) {
        for (int64_t i = 0; i < instances->count; i++)
            if (instances->list[i]->at_identity == at_identity) parted[filled++] = instances->list[i];
        if (!at_identity) instances->installed = filled;
    }
    memory_free(instances->list);
    instances->list = parted;
    return KNACK_OK;
}

static knack_status resolve(const struct json *plugins, const char *base, const char *task, struct instances *instances)
{
    TRY(plugin_search_open(&instances->search));
    if (!plugins) return KNACK_OK;
    if (plugins->kind != JSON_ARRAY)
        return json_fail(plugins, KNACK_E_CONFIG, "expected a list of plugins, such as [\"ema\"], got %s", json_kind_name(plugins->kind));
    TRY(read_entries(plugins, base, instances));
    TRY(check_pairs(instances));
    TRY(check_each(instances, task));
    TRY(part_by_identity(instances));
    return order_resolve(instances->list, instances->installed, plugins);
}

knack_status plugins_resolve(const struct json *plugins, const char *base, const char *task, struct instances **instances)
{
    *instances = memory_new(1, sizeof **instances);
    if (!*instances) return KNACK_E_MEMORY;
    knack_status status = resolve(plugins, base, task, *instances);
    if (status >= 0) return KNACK_OK;
    plugins_free(*instances);
    *instances = NULL;
    return status;
}

void plugins_free(struct instances *instances)
{
    if (!instances) return;
    for (int64_t i = 0; i < instances->count; i++) entry_free(instances->list[i]);
    memory_free(instances->list);
    plugin_search_close(&instances->search);
    memory_free(instances);
}
