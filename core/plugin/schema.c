/* The JSON Schema of a config's "plugins". */
#include "base/memory.h"
#include "plugin/instance.h"

/* What an entry by name may say besides options. */
static const struct json_field name_field = {"name", JSON_TEXT, 0, NULL, NULL, NULL, "name of the plugin"};
static const struct json_field as_field = {"as", JSON_TEXT, 0, "", NULL, NULL, "name of this instance, the plugin's by default"};
static const struct json_field share_field = {
    "share", JSON_DOUBLE, 0, "1", "(0,inf)", NULL, "how often it acts, relative to the others of its group"};

/* An entry as an object, of one plugin. */
static knack_status write_entry(struct json_writer *writer, const struct manifest *manifest)
{
    struct json_field *table = memory_new((size_t)manifest->option_count + 4, sizeof *table), *field = table;
    if (!table) return KNACK_E_MEMORY;
    const char *const own_name[] = {manifest->name, NULL};
    *field = name_field;
    field++->choices = own_name;
    *field++ = as_field;
    if (manifest->one_of) *field++ = share_field;
    for (int64_t i = 0; i < manifest->option_count; i++) *field++ = manifest->option[i].field;
    json_open(writer, NULL, '{');
    json_string(writer, "description", manifest->summary);
    json_schema_fields(writer, table);
    json_close(writer);
    memory_free(table);
    return KNACK_OK;
}

static void write_text(struct json_writer *writer, const char *name, const char *description)
{
    json_open(writer, name, '{');
    json_string(writer, "type", "string");
    json_string(writer, "description", description);
    json_close(writer);
}

/* An entry by manifest: its options are those of a plugin that only the config knows. */
static void write_entry_by_manifest(struct json_writer *writer)
{
    json_open(writer, NULL, '{');
    json_string(writer, "description", "A plugin by its manifest");
    json_string(writer, "type", "object");
    json_open(writer, "required", '[');
    json_string(writer, NULL, "manifest");
    json_close(writer);
    json_open(writer, "properties", '{');
    write_text(writer, "manifest", "path of the manifest, from the config's folder");
    write_text(writer, "as", as_field.help);
    json_close(writer);
    json_close(writer);
}

static void write_names(struct json_writer *writer, char *const *names, int64_t count)
{
    json_open(writer, NULL, '{');
    json_string(writer, "description", "A plugin by its name, with its default options");
    json_open(writer, "enum", '[');
    for (int64_t i = 0; i < count; i++) json_string(writer, NULL, names[i]);
    json_close(writer);
    json_close(writer);
}

static knack_status write_named(struct json_writer *writer, const struct plugin_search *search, const char *name)
{
    char *path;
    struct manifest *manifest;
    TRY(plugin_search_find(search, name, NULL, &path));
    knack_status status = manifest_read(path, &manifest);
    memory_free(path);
    if (status < 0) return status;
    status = write_entry(writer, manifest);
    manifest_free(manifest);
    return status;
}

static knack_status write_items(struct json_writer *writer, const struct plugin_search *search)
{
    char **names;
    int64_t count;
    TRY(plugin_search_names(search, &names, &count));
    json_open(writer, "items", '{');
    json_open(writer, "anyOf", '[');
    write_names(writer, names, count);
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < count && status >= 0; i++) status = write_named(writer, search, names[i]);
    write_entry_by_manifest(writer);
    json_close(writer);
    json_close(writer);
    memory_free(names);
    return status;
}

knack_status plugins_schema(struct json_writer *writer, const char *name)
{
    struct plugin_search search;
    TRY(plugin_search_open(&search));
    json_open(writer, name, '{');
    json_string(writer, "description", "tricks, the outer ones first");
    json_string(writer, "type", "array");
    knack_status status = write_items(writer, &search);
    json_close(writer);
    plugin_search_close(&search);
    return status;
}
