#include <stdio.h>

#include "base/memory.h"
#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/plugin_matrix.h"
#include "cli/plugin_page.h"
#include "plugin/instance.h"

struct options {
    const char *name, *check;
    bool matrix;
};

static const struct argument arguments[] = {
    {"TRICK", 0, ARGUMENT_MAY_BE, offsetof(struct options, name), NULL, "shows this trick with its options; without it, all are listed"},
    {"--check", 0, ARGUMENT_TEXT, offsetof(struct options, check), "PATH", "checks the manifest at PATH and loads its library"},
    {"--matrix", 0, ARGUMENT_FLAG, offsetof(struct options, matrix), NULL, "shows which of them go together, and why others do not"},
    {NULL},
};

/* ---- knack plugins ---- */

static void add_row(struct columns *table, const struct manifest *manifest)
{
    char passes[PLUGIN_PASSES], hooks[HOOKS_TEXT];
    columns_cell(table, manifest->name);
    columns_cell(table, manifest->hooks ? hooks_text(manifest->hooks, hooks) : "");
    columns_cell(table, plugin_passes(manifest, passes));
    columns_cell(table, manifest->summary ? manifest->summary : "");
}

/* Calls visit for every plugin whose manifest can be read, and warns of the others. */
static knack_status each_plugin(const struct console *console, void (*visit)(void *user, const struct manifest *), void *user)
{
    struct plugin_search search;
    char **name;
    int64_t count;
    TRY(plugin_search_open(&search));
    knack_status status = plugin_search_names(&search, &name, &count);
    for (int64_t i = 0; status >= 0 && i < count; i++) {
        char *path;
        struct manifest *manifest = NULL;
        knack_status found = plugin_search_find(&search, name[i], NULL, &path);
        if (found >= 0) {
            found = manifest_read(path, &manifest);
            memory_free(path);
        }
        if (found >= 0)
            visit(user, manifest);
        else if (found == KNACK_E_MEMORY)
            status = found;
        else
            console_warning(console, knack_error());
        manifest_free(manifest);
    }
    if (status >= 0) memory_free(name);
    plugin_search_close(&search);
    return status;
}

static void visit_row(void *user, const struct manifest *manifest)
{
    add_row(user, manifest);
}

static knack_status list_as_table(const struct console *console)
{
    static const char *const heading[] = {"trick", "hooks and stages", "extra passes a step", "what it does"};
    struct columns *table = columns_new(4, heading);
    if (!table) return KNACK_E_MEMORY;
    knack_status status = each_plugin(console, visit_row, table);
    if (status < 0) {
        columns_free(table);
        return status;
    }
    TRY(columns_print(table, console));
    puts("\n`knack plugins TRICK` shows a trick's options.");
    return KNACK_OK;
}

static void visit_object(void *user, const struct manifest *manifest)
{
    struct json_writer *writer = user;
    json_open(writer, NULL, '{');
    json_string(writer, "name", manifest->name);
    json_string(writer, "version", manifest->version);
    json_string(writer, "summary", manifest->summary);
    json_string(writer, "reference", manifest->reference);
    json_string(writer, "manifest", manifest->path);
    plugin_write_hooks(writer, manifest->hooks);
    json_open(writer, "passes", '{');
    json_number(writer, "gradient", manifest->gradient_passes);
    json_number(writer, "forward", manifest->forward_passes);
    json_close(writer);
    json_close(writer);
}

static knack_status list_as_json(const struct console *console)
{
    struct json_writer *writer = json_writer_new(true);
    if (!writer) return KNACK_E_MEMORY;
    json_open(writer, NULL, '[');
    knack_status status = each_plugin(console, visit_object, writer);
    json_close(writer);
    if (status >= 0) return console_print_json(writer);
    json_writer_free(writer);
    return status;
}

/* ---- knack plugins --matrix ---- */

static knack_status show_matrix(const struct console *console)
{
    struct matrix *matrix = matrix_new();
    if (!matrix) return KNACK_E_MEMORY;
    knack_status status = each_plugin(console, matrix_add, matrix);
    if (status >= 0) return matrix_print(matrix, console);
    matrix_free(matrix);
    return status;
}

/* ---- knack plugins TRICK ---- */

static knack_status find_manifest(const char *name, struct manifest **manifest)
{
    struct plugin_search search;
    char *path;
    TRY(plugin_search_open(&search));
    knack_status status = plugin_search_find(&search, name, NULL, &path);
    plugin_search_close(&search);
    if (status < 0) return status;
    status = manifest_read(path, manifest);
    memory_free(path);
    return status;
}

static knack_status show_plugin(const struct console *console, const char *name)
{
    struct manifest *manifest;
    TRY(find_manifest(name, &manifest));
    knack_status status = console->json ? plugin_print_json(manifest, NULL) : plugin_print_page(console, manifest);
    manifest_free(manifest);
    return status;
}

/* ---- knack plugins --check PATH ---- */

static knack_status check_plugin(const struct console *console, const char *path)
{
    struct manifest *manifest;
    TRY(manifest_read(path, &manifest));
    const knack_plugin *plugin;
    knack_status status = plugin_load(manifest, &plugin);
    if (status >= 0) status = console->json ? plugin_print_json(manifest, plugin) : plugin_print_check(manifest, plugin);
    manifest_free(manifest);
    return status;
}

static knack_status run(const struct console *console, const void *user)
{
    const struct options *options = user;
    if ((options->check != NULL) + (options->name != NULL) + options->matrix > 1)
        return status_set(KNACK_E_USAGE, "knack plugins takes one of TRICK, --check PATH and --matrix");
    if (options->matrix) return show_matrix(console);
    if (options->check) return check_plugin(console, options->check);
    if (options->name) return show_plugin(console, options->name);
    return console->json ? list_as_json(console) : list_as_table(console);
}

const struct command command_plugins = {
    .name = "plugins",
    .summary = "Lists the tricks that are installed, shows one or which go together, or checks one that you wrote.",
    .example = "knack plugins mixup",
    .arguments = arguments,
    .options_size = sizeof(struct options),
    .run = run,
};
