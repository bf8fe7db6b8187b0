/* Manifests: read by one table of keys, then checked for sense. */
#include "plugin/manifest.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "plugin/conflict.h"
#include "plugin/option.h"

enum { MANIFEST_FORMAT = 1, NAME_MAX_LENGTH = 48 };

const char *const manifest_stage_names[] = {"head", "loss", "gradient", "predict", NULL};
const char *const manifest_access_names[] = {"gradients", "features", "inputs", "targets", "lr", "plan", NULL};
static const char *const target_names[] = {"any", "ids", "none", NULL};
static const char *const scope_names[] = {"micro-batch", "batch", NULL};
static const char *const task_names[] = {"classification", "regression", NULL};
static const char *const accept_names[] = {"missing", NULL};

/* A manifest, and beside it what needs more than a conversion by the table. */
struct reading {
    struct manifest manifest;
    int64_t format;
    const char *shared_object;
    int targets, scope;
    struct json_texts replaces, reads, writes, accepts, hooks;
    const struct json *options, *passes, *conflicts;
};

#define PART(member) offsetof(struct reading, manifest.member)
static const struct json_field manifest_table[] = {
    {"manifest", JSON_INTEGER, offsetof(struct reading, format), NULL, "[1,1]", NULL, "version of the manifest's format"},
    {"name", JSON_TEXT, PART(name), NULL, NULL, NULL, "name of the plugin"},
    {"version", JSON_TEXT, PART(version), NULL, NULL, NULL, "version of the plugin"},
    {"abi", JSON_INTEGER, PART(abi), NULL, NULL, NULL, "major version of the plugin contract"},
    {"library", JSON_TEXT, offsetof(struct reading, shared_object), NULL, NULL, NULL, "the .so, relative to the manifest's folder"},
    {"summary", JSON_TEXT, PART(summary), NULL, NULL, NULL, "what the trick does, in one line"},
    {"reference", JSON_TEXT, PART(reference), "", NULL, NULL, "where it was published"},
    {"options", JSON_ANY, offsetof(struct reading, options), "", NULL, NULL, "declared options, by name"},
    {"identity", JSON_ANY, PART(identity), "", NULL, NULL, "option values at which the trick is not installed"},
    {"example", JSON_ANY, PART(example), "", NULL, NULL, "option values to copy, where the defaults alone are not enough"},
    {"before", JSON_TEXTS, PART(before), "[]", NULL, NULL, "plugins that this one is outside of; \"*\" is all"},
    {"after", JSON_TEXTS, PART(after), "[]", NULL, NULL, "plugins that this one is inside of"},
    {"requires", JSON_TEXTS, PART(requires), "[]", NULL, NULL, "plugins that must be listed too"},
    {"conflicts", JSON_ANY, offsetof(struct reading, conflicts), "", NULL, NULL,
     "plugins that must not be listed too; its own name: twice"},
    {"replaces", JSON_TEXTS, offsetof(struct reading, replaces), "[]", NULL, manifest_stage_names, "stages whose inside it never calls"},
    {"one_of", JSON_TEXT, PART(one_of), "", NULL, NULL, "group of which one member acts a batch"},
    {"targets", JSON_CHOICE, offsetof(struct reading, targets), "\"any\"", NULL, target_names, "targets that its head or loss can take"},
    {"scope", JSON_CHOICE, offsetof(struct reading, scope), "\"micro-batch\"", NULL, scope_names, "what its head or loss must see at once"},
    {"tasks", JSON_TEXTS, PART(tasks), "[]", NULL, task_names, "tasks that it serves; none: all"},
    {"accepts", JSON_TEXTS, offsetof(struct reading, accepts), "[]", NULL, accept_names, "inputs that it can take besides the usual"},
    {"hooks", JSON_TEXTS, offsetof(struct reading, hooks), "[]", NULL, manifest_hook_names, "hooks and stages that it has"},
    {"passes", JSON_ANY, offsetof(struct reading, passes), "", NULL, NULL, "extra passes a step"},
    {"reads", JSON_TEXTS, offsetof(struct reading, reads), "[]", NULL, manifest_access_names, "what it looks at"},
    {"writes", JSON_TEXTS, offsetof(struct reading, writes), "[]", NULL, manifest_access_names, "what it changes"},
    {0},
};
#undef PART

static const struct json_field passes_table[] = {
    {"gradient", JSON_DOUBLE, offsetof(struct manifest, gradient_passes), "0", "[0,inf)", NULL, "forward and backward"},
    {"forward", JSON_DOUBLE, offsetof(struct manifest, forward_passes), "0", "[0,inf)", NULL, "forward alone"},
    {0},
};

const char manifest_name_rule[] = "names are of letters, digits, - and _, begin with a letter or digit, and have at most 48 of them";

bool manifest_name_is_valid(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t length = strlen(name);
    return length > 0 && length <= NAME_MAX_LENGTH && strspn(name, first) > 0 && strspn(name, rest) == length;
}

bool manifest_lists(const struct json_texts *names, const char *name)
{
    for (int64_t i = 0; i < names->count; i++)
        if (strcmp(names->value[i], name) == 0) return true;
    return false;
}

bool manifest_is_meant(const char *path)
{
    struct json_document *document;
    if (json_read(path, &document) < 0) {
        status_clear();
        return true;
    }
    bool meant = json_member(document->root, "manifest") != NULL;
    json_free(document);
    return meant;
}

bool manifest_key_is_reserved(const char *key)
{
    static const char *const reserved[] = {"name", "manifest", "as", "share"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(key, reserved[i]) == 0) return true;
    return false;
}

/* Looked at before anything else, since another format may have other keys. */
static knack_status check_format(const struct json *root)
{
    if (root->kind != JSON_OBJECT)
        return json_fail(root, KNACK_E_PLUGIN, "expected an object, a manifest, got %s", json_kind_name(root->kind));
    const struct json *format = json_member(root, "manifest");
    if (!format)
        return json_fail(root, KNACK_E_PLUGIN, "is no manifest: \"manifest\": %d, the version of its format, is missing", MANIFEST_FORMAT);
    if (format->kind != JSON_NUMBER || format->number == MANIFEST_FORMAT) return KNACK_OK;
    char number[32];
    return json_fail(format, KNACK_E_PLUGIN, "the manifest is of format %s, this knack reads format %d",
                     text_number(number, format->number), MANIFEST_FORMAT);
}

/* The bits of the given names, each of which is one of names. */
static uint32_t name_bits(const struct json_texts *given, const char *const *names)
{
    uint32_t bits = 0;
    for (int64_t i = 0; i < given->count; i++)
        for (int bit = 0; names[bit]; bit++)
            if (strcmp(given->value[i], names[bit]) == 0) bits |= 1u << bit;
    return bits;
}

static knack_status check_name(const struct json *root, const char *key, const char *name)
{
    if (manifest_name_is_valid(name)) return KNACK_OK;
    return json_fail(json_member(root, key), KNACK_E_PLUGIN, "\"%s\" is no name of a plugin: %s", name, manifest_name_rule);
}

/* Names in before, after, requires, conflicts; in the last the plugin's own means another instance of it. */
static knack_status check_names(const struct json *root, const char *key, const struct json_texts *names, const char *own)
{
    for (int64_t i = 0; i < names->count; i++) {
        if (strcmp(key, "before") == 0 && strcmp(names->value[i], "*") == 0) continue;
        TRY(check_name(root, key, names->value[i]));
        if (strcmp(key, "conflicts") != 0 && strcmp(names->value[i], own) == 0)
            return json_fail(json_member(root, key), KNACK_E_PLUGIN, "%s names itself; it names other plugins", own);
    }
    return KNACK_OK;
}

static knack_status check_disjoint(const struct json *root, const char *key, const struct json_texts *names, const char *other_key,
                                   const struct json_texts *other)
{
    for (int64_t i = 0; i < names->count; i++)
        if (manifest_lists(other, names->value[i]))
            return json_fail(json_member(root, key), KNACK_E_PLUGIN, "\"%s\" is in \"%s\" too", names->value[i], other_key);
    return KNACK_OK;
}

static knack_status check_relations(const struct json *root, const struct manifest *manifest)
{
    TRY(check_name(root, "name", manifest->name));
    if (manifest->one_of) TRY(check_name(root, "one_of", manifest->one_of));
    TRY(check_names(root, "before", &manifest->before, manifest->name));
    TRY(check_names(root, "after", &manifest->after, manifest->name));
    TRY(check_names(root, "requires", &manifest->requires, manifest->name));
    TRY(check_names(root, "conflicts", &manifest->conflicts, manifest->name));
    TRY(check_disjoint(root, "after", &manifest->after, "before", &manifest->before));
    return check_disjoint(root, "conflicts", &manifest->conflicts, "requires", &manifest->requires);
}

static knack_status read_options(const struct json *options, struct manifest *manifest)
{
    if (!options) return KNACK_OK;
    if (options->kind != JSON_OBJECT)
        return json_fail(options, KNACK_E_PLUGIN, "expected an object of options by name, got %s", json_kind_name(options->kind));
    struct arena *arena = options->document->arena;
    const char **names = arena_zeroed(arena, (size_t)options->count * sizeof *names);
    manifest->option = arena_zeroed(arena, (size_t)options->count * sizeof *manifest->option);
    if (!names || !manifest->option) return KNACK_E_MEMORY;
    for (const struct json *declaration = options->first; declaration; declaration = declaration->next) {
        TRY(option_declare(declaration, &manifest->option[manifest->option_count]));
        names[manifest->option_count++] = declaration->name;
    }
    manifest->option_names = (struct json_texts){names, manifest->option_count};
    return KNACK_OK;
}

static knack_status check_identity(const struct manifest *manifest)
{
    const struct json *identity = manifest->identity;
    if (!identity) return KNACK_OK;
    if (identity->kind == JSON_OBJECT && identity->count == 0)
        return json_fail(identity, KNACK_E_PLUGIN, "is empty; name the options that switch the trick off, or leave it out");
    return option_values_check(manifest, identity);
}

static knack_status read_library(const struct json *root, const char *library, struct manifest *manifest)
{
    if (!*library) return json_fail(json_member(root, "library"), KNACK_E_PLUGIN, "expected the path of a .so file");
    char *folder = file_folder(manifest->path);
    if (!folder) return KNACK_E_MEMORY;
    manifest->library = file_join(folder, library);
    memory_free(folder);
    return manifest->library ? KNACK_OK : KNACK_E_MEMORY;
}

static knack_status check_abi(const struct json *root, int64_t abi)
{
    if (abi == KNACK_ABI_MAJOR) return KNACK_OK;
    return json_fail(json_member(root, "abi"), KNACK_E_PLUGIN, "the plugin is made for contract %lld, this knack has contract %u",
                     (long long)abi, KNACK_ABI_MAJOR);
}

static knack_status read_keys(const struct json *root, struct manifest *manifest)
{
    struct reading reading = {.manifest = *manifest};
    TRY(check_format(root));
    TRY(json_fields(root, manifest_table, &reading));
    *manifest = reading.manifest;
    manifest->path = manifest->document->file;
    manifest->replaces = name_bits(&reading.replaces, manifest_stage_names);
    manifest->reads = name_bits(&reading.reads, manifest_access_names);
    manifest->writes = name_bits(&reading.writes, manifest_access_names);
    manifest->hooks = name_bits(&reading.hooks, manifest_hook_names);
    manifest->targets = (enum manifest_targets)reading.targets;
    manifest->scope_batch = reading.scope == 1;
    manifest->accepts_missing = reading.accepts.count > 0;
    TRY(check_abi(root, manifest->abi));
    if (reading.passes) TRY(json_fields(reading.passes, passes_table, manifest));
    TRY(read_options(reading.options, manifest));
    TRY(conflicts_read(reading.conflicts, manifest));
    TRY(check_relations(root, manifest));
    TRY(check_identity(manifest));
    if (manifest->example) TRY(option_values_check(manifest, manifest->example));
    return read_library(root, reading.shared_object, manifest);
}

knack_status manifest_take(struct json_document *document, struct manifest **manifest)
{
    *manifest = memory_new(1, sizeof **manifest);
    if (!*manifest) {
        json_free(document);
        return KNACK_E_MEMORY;
    }
    (*manifest)->document = document;
    knack_status status = read_keys(document->root, *manifest);
    if (status >= 0) return KNACK_OK;
    manifest_free(*manifest);
    *manifest = NULL;
    return status == KNACK_E_CONFIG ? KNACK_E_PLUGIN : status;
}

knack_status manifest_read(const char *path, struct manifest **manifest)
{
    struct json_document *document;
    *manifest = NULL;
    knack_status status = json_read(path, &document);
    if (status < 0) return status == KNACK_E_MEMORY ? status : KNACK_E_PLUGIN;
    return manifest_take(document, manifest);
}

void manifest_free(struct manifest *manifest)
{
    if (!manifest) return;
    memory_free(manifest->library);
    json_free(manifest->document);
    memory_free(manifest);
}
