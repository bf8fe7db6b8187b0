#include "builder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

/* ---- Manifests ---- */

static const struct change right[] = {
    {"manifest", "1"},
    {"name", "\"mine\""},
    {"version", "\"1.2.3\""},
    {"abi", "1"},
    {"library", "\"mine.so\""},
    {"summary", "\"A trick\""},
    {"options", "{\"alpha\": {\"type\": \"number\", \"default\": 0.5, \"min\": 0, \"help\": \"how much\"}}"},
    {0},
};

static const struct change *find(const struct change *changes, const char *key)
{
    for (; changes->key; changes++)
        if (strcmp(changes->key, key) == 0) return changes;
    return NULL;
}

static void print_member(FILE *out, const struct change *member, const char **separator)
{
    if (!member->value) return;
    fprintf(out, "%s\"%s\": %s", *separator, member->key, member->value);
    *separator = ",\n  ";
}

char *manifest_text(const struct change *changes)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    const char *separator = "{ ";
    for (const struct change *member = right; member->key; member++) {
        const struct change *changed = find(changes, member->key);
        print_member(out, changed ? changed : member, &separator);
    }
    for (const struct change *member = changes; member->key; member++)
        if (!find(right, member->key)) print_member(out, member, &separator);
    fputs(" }\n", out);
    assert_int_equal(fclose(out), 0);
    char *copy = memory_text(text);
    free(text);
    assert_non_null(copy);
    return copy;
}

knack_status manifest_of(const struct change *changes, struct manifest **manifest)
{
    char *text = manifest_text(changes);
    struct json_document *document;
    *manifest = NULL;
    knack_status status = json_parse(text, strlen(text), "mine.json", &document);
    memory_free(text);
    return status < 0 ? status : manifest_take(document, manifest);
}

/* ---- Files ---- */

char folder[] = "/tmp/knack-plugin-XXXXXX";

int make_folder(void **state)
{
    (void)state;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void write_text(const char *name, const char *text)
{
    char *path = file_join(folder, name), *above = path ? file_folder(path) : NULL;
    assert_non_null(above);
    assert_int_equal(file_make_folder(above), KNACK_OK);
    assert_int_equal(file_write(path, text, strlen(text)), KNACK_OK);
    memory_free(above);
    memory_free(path);
}

void write_plugin(const char *name, const struct change *changes)
{
    struct change all[16] = {{"name", NULL}};
    int64_t count = 1;
    for (; changes->key; changes++) {
        assert_true(count < 15);
        all[count++] = *changes;
    }
    char *quoted = memory_format("\"%s\"", name), *file = memory_format("%s/%s.json", name, name);
    assert_true(quoted && file);
    all[0].value = quoted;
    char *text = manifest_text(all);
    write_text(file, text);
    memory_free(text);
    memory_free(quoted);
    memory_free(file);
}

/* ---- Configs ---- */

static struct json_document *configs[64]; /* kept for instances that point into them */
static int64_t config_count;

struct json_document *config_of(const char *text)
{
    assert_true(config_count < 64);
    struct json_document *document;
    if (json_parse(text, strlen(text), "config.json", &document) < 0) fail_msg("%s", knack_error());
    return configs[config_count++] = document;
}

knack_status resolve_text(const char *plugins, struct instances **instances)
{
    char *text = memory_format("{\"plugins\": %s}", plugins);
    assert_non_null(text);
    const struct json *root = config_of(text)->root;
    memory_free(text);
    return plugins_resolve(json_member(root, "plugins"), folder, "classification", instances);
}

int free_configs(void **state)
{
    (void)state;
    while (config_count > 0) json_free(configs[--config_count]);
    return 0;
}

/* ---- Expectations ---- */

void expect_error(knack_status got, knack_status expected, const char *message)
{
    char *wanted = memory_text(message);
    char *place;
    while (wanted && (place = strstr(wanted, "FOLDER"))) {
        char *longer = memory_format("%.*s%s%s", (int)(place - wanted), wanted, folder, place + strlen("FOLDER"));
        memory_free(wanted);
        wanted = longer;
    }
    assert_non_null(wanted);
    assert_string_equal(knack_error(), wanted);
    assert_int_equal(got, expected);
    memory_free(wanted);
}
