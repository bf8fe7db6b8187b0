/* Where plugins are found by name. */
#include "plugin/manifest.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Installed: LIBDIR/libknack.so, LIBDIR/knack/plugins. Built: BUILD/core/libknack.so, BUILD/plugins. */
knack_status plugin_search_beside(const char *library, char **folder)
{
    *folder = NULL;
    char *real = realpath(library, NULL); /* the library may be reached by links; the C library's own memory */
    if (!real) return KNACK_OK;
    char *home = file_folder(real);
    free(real);
    char *plugins = home ? file_join(home, "knack/plugins") : NULL;
    if (plugins && !file_is_folder(plugins) && ends_with(home, "/core")) {
        memory_free(plugins);
        home[strlen(home) - strlen("/core")] = '\0';
        plugins = file_join(home, "plugins");
    }
    memory_free(home);
    if (!plugins) return KNACK_E_MEMORY;
    if (file_is_folder(plugins))
        *folder = plugins;
    else
        memory_free(plugins);
    return KNACK_OK;
}

static knack_status add_folder(struct plugin_search *search, char *folder)
{
    char **grown = folder ? memory_resize(search->folder, (size_t)search->count + 1, sizeof *grown) : NULL;
    if (!grown) {
        memory_free(folder);
        return KNACK_E_MEMORY;
    }
    search->folder = grown;
    search->folder[search->count++] = folder;
    return KNACK_OK;
}

/* The folders of a colon-separated list; empty ones, which elsewhere mean the current folder, are left out. */
static knack_status add_list(struct plugin_search *search, const char *list)
{
    while (list && *list) {
        size_t length = strcspn(list, ":");
        if (length > 0) TRY(add_folder(search, memory_format("%.*s", (int)length, list)));
        list += length + (list[length] == ':');
    }
    return KNACK_OK;
}

/* The folder that comes with this very library, or program if it is linked statically. */
static knack_status add_own_folder(struct plugin_search *search)
{
    static const char here;
    Dl_info library;
    if (!dladdr(&here, &library) || !library.dli_fname) return KNACK_OK;
    char *folder;
    TRY(plugin_search_beside(library.dli_fname, &folder));
    return folder ? add_folder(search, folder) : KNACK_OK;
}

knack_status plugin_search_open(struct plugin_search *search)
{
    *search = (struct plugin_search){0};
    knack_status status = add_own_folder(search);
    /* A program that runs with another user's rights takes no code from a path that its caller chose. */
    if (status >= 0 && !getauxval(AT_SECURE)) status = add_list(search, getenv("KNACK_PLUGIN_PATH"));
    if (status < 0) plugin_search_close(search);
    return status;
}

void plugin_search_close(struct plugin_search *search)
{
    for (int64_t i = 0; i < search->count; i++) memory_free(search->folder[i]);
    memory_free(search->folder);
    *search = (struct plugin_search){0};
}

/* Takes path over: it becomes *found if it is a file's. */
static knack_status probe(char *path, char **found)
{
    if (!path) return KNACK_E_MEMORY;
    if (file_exists(path) && !file_is_folder(path))
        *found = path;
    else
        memory_free(path);
    return KNACK_OK;
}

/* FOLDER/NAME/NAME.json, else FOLDER/NAME.json; *path NULL: neither is there. */
static knack_status find_in(const char *folder, const char *name, char **path)
{
    *path = NULL;
    TRY(probe(memory_format("%s/%s/%s.json", folder, name, name), path));
    return *path ? KNACK_OK : probe(memory_format("%s/%s.json", folder, name), path);
}

/* ---- All names ---- */

struct names {
    char **name; /* memory_text() each */
    int64_t count;
};

static void names_free(struct names *names)
{
    for (int64_t i = 0; i < names->count; i++) memory_free(names->name[i]);
    memory_free(names->name);
}

static knack_status add_name(struct names *names, const char *name)
{
    char **grown = memory_resize(names->name, (size_t)names->count + 1, sizeof *grown);
    if (!grown) return KNACK_E_MEMORY;
    names->name = grown;
    grown[names->count] = memory_text(name);
    return grown[names->count] ? (names->count++, KNACK_OK) : KNACK_E_MEMORY;
}

/* Of a folder's entries, NAME and NAME.json, those by whose NAME a manifest is found. Other files are no manifests: a folder that is
 * searched may well hold configs too. */
static knack_status add_entry(struct names *names, const char *folder, const char *entry)
{
    char *path = NULL, *name = ends_with(entry, ".json") ? file_stem(entry) : memory_text(entry);
    knack_status status = name ? KNACK_OK : KNACK_E_MEMORY;
    if (name && manifest_name_is_valid(name)) status = find_in(folder, name, &path);
    if (path && manifest_is_meant(path)) status = add_name(names, name);
    memory_free(path);
    memory_free(name);
    return status;
}

static knack_status add_names(struct names *names, const char *folder)
{
    if (!file_is_folder(folder)) return KNACK_OK;
    char **entries;
    int64_t count;
    TRY(file_list(folder, &entries, &count));
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < count && status >= 0; i++) status = add_entry(names, folder, entries[i]);
    memory_free(entries);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once, in one block: the pointers, then the texts. */
static knack_status pack_names(struct names *names, char ***packed, int64_t *count)
{
    if (names->count > 1) qsort(names->name, (size_t)names->count, sizeof *names->name, compare_names);
    size_t bytes = (size_t)names->count * sizeof **packed;
    for (int64_t i = 0; i < names->count; i++) bytes += strlen(names->name[i]) + 1;
    *packed = memory_new(bytes, 1);
    if (!*packed) return KNACK_E_MEMORY;
    char *text = (char *)(*packed + names->count);
    for (int64_t i = 0; i < names->count; i++) {
        if (*count > 0 && strcmp((*packed)[*count - 1], names->name[i]) == 0) continue;
        (*packed)[(*count)++] = text;
        text = stpcpy(text, names->name[i]) + 1;
    }
    return KNACK_OK;
}

knack_status plugin_search_names(const struct plugin_search *search, char ***names, int64_t *count)
{
    struct names found = {0};
    *names = NULL;
    *count = 0;
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < search->count && status >= 0; i++) status = add_names(&found, search->folder[i]);
    if (status >= 0) status = pack_names(&found, names, count);
    names_free(&found);
    return status;
}

/* ---- One by name ---- */

/* "FOLDER, FOLDER, ..."; memory_free(). */
static char *folder_list(const struct plugin_search *search)
{
    if (search->count == 0) return memory_text("no folder; KNACK_PLUGIN_PATH may name some");
    char *list = memory_text(search->folder[0]);
    for (int64_t i = 1; i < search->count && list; i++) {
        char *longer = memory_format("%s, %s", list, search->folder[i]);
        memory_free(list);
        list = longer;
    }
    return list;
}

/* Says which name may be meant, and where was looked. */
static knack_status fail_unknown(const struct plugin_search *search, const char *name, const struct json *where)
{
    char **names, hint[80] = "";
    int64_t count;
    TRY(plugin_search_names(search, &names, &count));
    const char *nearest = text_nearest(name, (const char *const *)names, count);
    if (nearest) snprintf(hint, sizeof hint, "; nearest is \"%s\"", nearest);
    memory_free(names);
    char *folders = folder_list(search);
    if (!folders) return KNACK_E_MEMORY;
    status_set(KNACK_E_PLUGIN, "no plugin \"%.64s\"%s (searched: %s)", name, hint, folders);
    memory_free(folders);
    return where ? json_fail(where, KNACK_E_PLUGIN, "%s", knack_error()) : KNACK_E_PLUGIN;
}

knack_status plugin_search_find(const struct plugin_search *search, const char *name, const struct json *where, char **path)
{
    *path = NULL;
    if (!manifest_name_is_valid(name)) return fail_unknown(search, name, where);
    for (int64_t i = 0; i < search->count; i++) {
        TRY(find_in(search->folder[i], name, path));
        if (*path) return KNACK_OK;
    }
    return fail_unknown(search, name, where);
}
