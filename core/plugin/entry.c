/* One entry of a config's "plugins": "ema", {"name": "ema", "decay": 0.99, "as": "ema-99"}, or {"manifest": "./mine/mine.json"}. */
#include "plugin/entry.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "plugin/option.h"

/* The keys of an entry that are not options. */
struct keys {
    const char *name, *manifest, *as;
    double share;
};

static const struct json_field key_table[] = {
    {"name", JSON_TEXT, offsetof(struct keys, name), "", NULL, NULL, "name of the plugin"},
    {"manifest", JSON_TEXT, offsetof(struct keys, manifest), "", NULL, NULL, "path of its manifest, instead of the name"},
    {"as", JSON_TEXT, offsetof(struct keys, as), "", NULL, NULL, "name of this instance"},
    {"share", JSON_DOUBLE, offsetof(struct keys, share), "1", "(0,inf)", NULL, "how often it acts, relative to the others of its group"},
    {0},
};

static knack_status read_keys(const struct json *entry, struct keys *keys)
{
    *keys = (struct keys){.share = 1};
    if (entry->kind == JSON_STRING) {
        keys->name = entry->string;
        return KNACK_OK;
    }
    if (entry->kind != JSON_OBJECT)
        return json_fail(entry, KNACK_E_CONFIG,
                         "expected the name of a plugin, or an object with \"name\" or \"manifest\" and options, got %s",
                         json_kind_name(entry->kind));
    for (const struct json_field *field = key_table; field->name; field++) {
        const struct json *value = json_member(entry, field->name);
        if (value) TRY(json_value(value, field, (char *)keys + field->offset));
    }
    if (keys->name && keys->manifest) return json_fail(entry, KNACK_E_CONFIG, "has both \"name\" and \"manifest\"; give one");
    if (!keys->name && !keys->manifest) return json_fail(entry, KNACK_E_CONFIG, "has neither \"name\" nor \"manifest\"; give one");
    return KNACK_OK;
}

static knack_status read_named(const struct json *entry, const char *name, const struct plugin_search *search, struct manifest **manifest)
{
    char *path;
    TRY(plugin_search_find(search, name, entry->kind == JSON_OBJECT ? json_member(entry, "name") : entry, &path));
    knack_status status = manifest_read(path, manifest);
    memory_free(path);
    if (status < 0 || strcmp((*manifest)->name, name) == 0) return status;
    return json_fail(json_member((*manifest)->document->root, "name"), KNACK_E_PLUGIN,
                     "the plugin calls itself \"%s\", but is found as \"%s\"; name file and folder after it", (*manifest)->name, name);
}

static knack_status read_manifest(const struct json *entry, const char *base, const char *given, struct manifest **manifest)
{
    char *path = base ? file_join(base, given) : memory_text(given);
    if (!path) return KNACK_E_MEMORY;
    knack_status status = manifest_read(path, manifest);
    if (status == KNACK_E_PLUGIN && !file_exists(path))
        status = json_fail(json_member(entry, "manifest"), KNACK_E_PLUGIN, "there is no file %s", path);
    memory_free(path);
    return status;
}

/* Writes the defaults of absent options into an entry of a config that is being completed. */
static knack_status complete_entry(struct instance *instance)
{
    const struct json *entry = instance->entry;
    if (!entry->document->complete || entry->kind != JSON_OBJECT) return KNACK_OK;
    for (int64_t i = 0; i < instance->manifest->option_count; i++) {
        const struct option *option = &instance->manifest->option[i];
        const struct json *added;
        if (!*option->field.fallback || json_member(entry, option->name)) continue;
        TRY(json_complete(entry, option->name, option->field.fallback, &added));
    }
    return KNACK_OK;
}

static knack_status read_options(struct instance *instance)
{
    const struct option *option = instance->manifest->option;
    for (int64_t i = 0; i < instance->manifest->option_count; i++) TRY(option_read(&option[i], NULL, &instance->value[i]));
    for (const struct json *member = instance->entry->first; member; member = member->next) {
        if (manifest_key_is_reserved(member->name)) continue;
        int64_t index;
        TRY(option_find(instance->manifest, member, &index));
        TRY(option_read(&option[index], member, &instance->value[index]));
    }
    return complete_entry(instance);
}

static knack_status name_instance(struct instance *instance, const struct keys *keys)
{
    instance->name = keys->as ? keys->as : instance->manifest->name;
    instance->share = keys->share;
    if (keys->as && !manifest_name_is_valid(keys->as))
        return json_fail(json_member(instance->entry, "as"), KNACK_E_CONFIG, "\"%s\" cannot name an instance: %s", keys->as,
                         manifest_name_rule);
    const struct json *share = json_member(instance->entry, "share");
    if (share && !instance->manifest->one_of)
        return json_fail(share, KNACK_E_CONFIG, "%s is of no group of which one acts at a time, so it has no share",
                         instance->manifest->name);
    return KNACK_OK;
}

static knack_status read_instance(const struct json *entry, const char *base, const struct plugin_search *search, struct instance *instance)
{
    struct keys keys;
    TRY(read_keys(entry, &keys));
    TRY(keys.name ? read_named(entry, keys.name, search, &instance->manifest)
                  : read_manifest(entry, base, keys.manifest, &instance->manifest));
    instance->value = memory_new((size_t)instance->manifest->option_count, sizeof *instance->value);
    if (!instance->value) return KNACK_E_MEMORY;
    TRY(name_instance(instance, &keys));
    TRY(read_options(instance));
    const struct json *identity = instance->manifest->identity;
    return identity ? instance_has(instance, identity, &instance->at_identity) : KNACK_OK;
}

knack_status entry_read(const struct json *entry, const char *base, const struct plugin_search *search, struct instance **instance)
{
    *instance = memory_new(1, sizeof **instance);
    if (!*instance) return KNACK_E_MEMORY;
    (*instance)->entry = entry;
    knack_status status = read_instance(entry, base, search, *instance);
    if (status >= 0) return KNACK_OK;
    entry_free(*instance);
    *instance = NULL;
    return status;
}

void entry_free(struct instance *instance)
{
    if (!instance) return;
    manifest_free(instance->manifest);
    memory_free(instance->value);
    memory_free(instance);
}
