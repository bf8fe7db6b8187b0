#include "cli/plugin_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/columns.h"

/* ---- Cost ---- */

const char *plugin_passes(const struct manifest *manifest, char buffer[PLUGIN_PASSES])
{
    char gradient[32], forward[32];
    bool any_gradient = manifest->gradient_passes != 0, any_forward = manifest->forward_passes != 0;
    if (!any_gradient && !any_forward) return strcpy(buffer, "none");
    text_number(gradient, manifest->gradient_passes);
    text_number(forward, manifest->forward_passes);
    snprintf(buffer, PLUGIN_PASSES, "%s%s%s%s%s", any_gradient ? gradient : "", any_gradient ? " gradient" : "",
             any_gradient && any_forward ? ", " : "", any_forward ? forward : "", any_forward ? " forward" : "");
    return buffer;
}

/* ---- Hooks ---- */

void plugin_write_hooks(struct json_writer *writer, uint32_t hooks)
{
    json_open(writer, "hooks", '[');
    for (int i = 0; manifest_hook_names[i]; i++)
        if (hooks >> i & 1) json_string(writer, NULL, manifest_hook_names[i]);
    json_close(writer);
}

/* ---- Options ---- */

enum { TEXT = 256 };

static const char *const type_name[] = {"number", "integer", "boolean", "string", "duration", "numbers", "strings"};

static void append(char text[TEXT], const char *before, const char *value)
{
    size_t length = strlen(text);
    snprintf(text + length, TEXT - length, "%s%s%s", length ? ", " : "", before, value);
}

static const char *describe_bounds(const struct option *option, char text[TEXT])
{
    char number[32];
    text[0] = '\0';
    if (!isnan(option->min)) append(text, ">= ", text_number(number, option->min));
    if (!isnan(option->above)) append(text, "> ", text_number(number, option->above));
    if (!isnan(option->max)) append(text, "<= ", text_number(number, option->max));
    if (!isnan(option->below)) append(text, "< ", text_number(number, option->below));
    for (int64_t i = 0; i < option->choices.count; i++) append(text, "", option->choices.value[i]);
    return text;
}

/* A JSON value on one line. */
static const char *describe_value(const struct json *value, char text[TEXT])
{
    text[0] = '\0';
    char *written = value ? json_node_text(value, false) : NULL;
    if (written) snprintf(text, TEXT, "%s", written);
    memory_free(written);
    return text;
}

static knack_status print_options(const struct console *console, const struct manifest *manifest)
{
    if (manifest->option_count == 0) {
        puts("\nIt has no options.");
        return KNACK_OK;
    }
    static const char *const heading[] = {"option", "type", "default", "bounds", "meaning"};
    struct columns *table = columns_new(5, heading);
    if (!table) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < manifest->option_count; i++) {
        const struct option *option = &manifest->option[i];
        char text[TEXT];
        columns_cell(table, option->name);
        columns_cell(table, type_name[option->type]);
        columns_cell(table, describe_value(option->fallback, text));
        columns_cell(table, describe_bounds(option, text));
        columns_cell(table, option->help ? option->help : "");
    }
    putchar('\n');
    return columns_print(table, console);
}

/* ---- The page ---- */

static void print_line(const char *label, const char *text)
{
    if (text && *text) printf("%-12s%s\n", label, text);
}

static void print_names(const char *label, struct json_texts names)
{
    char text[TEXT] = "";
    for (int64_t i = 0; i < names.count; i++) append(text, "", names.value[i]);
    print_line(label, text);
}

/* Each on a line of its own, with what its manifest says of it. */
static void print_conflicts(const struct manifest *manifest)
{
    for (int64_t i = 0; i < manifest->conflicts.count; i++) {
        const struct conflict *conflict = &manifest->conflict[i];
        const char *name = manifest->conflicts.value[i];
        char values[TEXT];
        printf("%-12s%s%s", i ? "" : "not with", strcmp(name, manifest->name) == 0 ? "another " : "", name);
        if (conflict->when) printf(" at %s", describe_value(conflict->when, values));
        printf("%s%s\n", conflict->why ? ": " : "", conflict->why ? conflict->why : "");
    }
}

static void print_facts(const struct manifest *manifest)
{
    char passes[PLUGIN_PASSES], hooks[HOOKS_TEXT];
    printf("%s %s: %s\n\n", manifest->name, manifest->version, manifest->summary ? manifest->summary : "");
    print_line("reference", manifest->reference);
    if (manifest->hooks) print_line("hooks", hooks_text(manifest->hooks, hooks));
    print_line("cost", plugin_passes(manifest, passes)[0] == 'n' ? "no extra passes" : passes);
    print_names("needs", manifest->requires);
    print_conflicts(manifest);
    print_names("outside of", manifest->before);
    print_names("inside of", manifest->after);
    if (manifest->one_of)
        printf("%-12s%s: of those in the config one acts in each batch, drawn by \"share\" of their entries (1 if not said)\n", "one of",
               manifest->one_of);
    print_names("tasks", manifest->tasks);
    print_line("manifest", manifest->path);
}

/* Options as the manifest's example has them, else with their defaults; those without a value are left out. */
static void print_config(const struct manifest *manifest)
{
    printf("\nTo copy into a config:\n  \"plugins\": [ { \"name\": \"%s\"", manifest->name);
    for (int64_t i = 0; i < manifest->option_count; i++) {
        const struct option *option = &manifest->option[i];
        const struct json *given = json_member(manifest->example, option->name), *value = given ? given : option->fallback;
        char text[TEXT];
        if (value && value->kind != JSON_NULL) printf(", \"%s\": %s", option->name, describe_value(value, text));
    }
    puts(" } ]");
}

knack_status plugin_print_page(const struct console *console, const struct manifest *manifest)
{
    print_facts(manifest);
    TRY(print_options(console, manifest));
    print_config(manifest);
    return KNACK_OK;
}

/* ---- What the library holds ---- */

knack_status plugin_print_check(const struct manifest *manifest, const knack_plugin *plugin)
{
    char hooks[HOOKS_TEXT];
    printf("%s %s: its manifest is right, its library loads, and they agree\n", manifest->name, manifest->version);
    print_line("manifest", manifest->path);
    print_line("library", manifest->library);
    print_line("hooks", hooks_text(plugin_hooks(plugin), hooks));
    printf("%-12s%lld\n", "options", (long long)manifest->option_count);
    print_line("not checked", "whether the code reads these options, and touches only what it declares: a run does that");
    return KNACK_OK;
}

knack_status plugin_print_json(const struct manifest *manifest, const knack_plugin *plugin)
{
    struct json_writer *writer = json_writer_new(true);
    if (!writer) return KNACK_E_MEMORY;
    json_open(writer, NULL, '{');
    json_string(writer, "path", manifest->path);
    json_string(writer, "library", manifest->library);
    json_node(writer, "manifest", manifest->document->root);
    if (plugin) plugin_write_hooks(writer, plugin_hooks(plugin));
    json_close(writer);
    return console_print_json(writer);
}
