/* Loading the code of plugins: last of all, when manifest, options and order are known to be right. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "plugin/instance.h"

typedef const knack_plugin *entry_function(uint32_t host_abi);

/* What a plugin must have to be one: all up to its hooks, each of which may be NULL and so may be missing. */
enum { SMALLEST_SIZE = offsetof(knack_plugin, open) };

static knack_status fail_library(const struct manifest *manifest, const char *message)
{
    return json_fail(json_member(manifest->document->root, "library"), KNACK_E_PLUGIN, "%s: %s", manifest->library, message);
}

/* Symbols are all bound now, so that one that is missing fails here, by its name, and not in the middle of training; and seen by no
 * other plugin. There is no dlclose() on any path: threads, destructors and messages of a plugin may outlive its use, and a
 * stack in a library that is gone has no names. */
static entry_function *find_entry(const struct manifest *manifest)
{
    if (!file_exists(manifest->library)) {
        fail_library(manifest, "there is no such file; build the plugin, or correct the path");
        return NULL;
    }
    void *library = dlopen(manifest->library, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror(); /* names the library, and a symbol that is missing */
        json_fail(json_member(manifest->document->root, "library"), KNACK_E_PLUGIN, "cannot be loaded: %s",
                  reason ? reason : "no reason given");
        return NULL;
    }
    void *symbol = dlsym(library, "knack_plugin_entry");
    if (!symbol) fail_library(manifest, "exports no knack_plugin_entry(), so it is no plugin");
    entry_function *entry;
    memcpy(&entry, &symbol, sizeof entry); /* POSIX lets a pointer to data be one to a function, ISO C has no cast for it */
    return entry;
}

static const char *abi_text(char buffer[64], uint32_t abi)
{
    uint32_t double_bit = 0x80000000u;
    snprintf(buffer, 64, "%u%s", abi & ~double_bit, abi & double_bit ? " of the double build" : "");
    return buffer;
}

static knack_status check_plugin(const struct manifest *manifest, const knack_plugin *plugin)
{
    char text[256], own[64], other[64];
    if (!plugin) {
        snprintf(text, sizeof text, "refuses this knack, which has contract %s; rebuild it for that", abi_text(own, KNACK_ABI));
        return fail_library(manifest, text);
    }
    if (plugin->abi != KNACK_ABI) {
        snprintf(text, sizeof text, "is built for contract %s, this knack has contract %s; rebuild it for that",
                 abi_text(other, plugin->abi), abi_text(own, KNACK_ABI));
        return fail_library(manifest, text);
    }
    if (plugin->size < SMALLEST_SIZE) {
        snprintf(text, sizeof text, "its knack_plugin has a size of %u bytes, at least %d are needed; set it to sizeof(knack_plugin)",
                 plugin->size, SMALLEST_SIZE);
        return fail_library(manifest, text);
    }
    return KNACK_OK;
}

static knack_status check_text(const struct manifest *manifest, const char *key, const char *declared, const char *built)
{
    if (built && strcmp(declared, built) == 0) return KNACK_OK;
    return json_fail(json_member(manifest->document->root, key), KNACK_E_PLUGIN, "is \"%s\", but %s says %s%s%s; make them equal", declared,
                     manifest->library, built ? "\"" : "", built ? built : "nothing", built ? "\"" : "");
}

/* What the catalogue shows is what is there. */
static knack_status check_hooks(const struct manifest *manifest, const knack_plugin *plugin)
{
    char declared[HOOKS_TEXT], built[HOOKS_TEXT];
    uint32_t hooks = plugin_hooks(plugin);
    if (!manifest->hooks || manifest->hooks == hooks) return KNACK_OK;
    return json_fail(json_member(manifest->document->root, "hooks"), KNACK_E_PLUGIN, "has %s, but %s has %s; make them equal",
                     hooks_text(manifest->hooks, declared), manifest->library, hooks_text(hooks, built));
}

/* A plugin built when the struct was shorter, filled up with empty slots. Kept, as its code is, until the process ends. */
struct filled {
    const knack_plugin *source;
    knack_plugin plugin;
    struct filled *next;
};

static struct filled *all_filled;
static pthread_mutex_t all_filled_lock = PTHREAD_MUTEX_INITIALIZER;

static const knack_plugin *fill(const knack_plugin *source)
{
    if (source->size >= sizeof *source) return source;
    pthread_mutex_lock(&all_filled_lock);
    struct filled *filled = all_filled;
    while (filled && filled->source != source) filled = filled->next;
    if (!filled && (filled = memory_new(1, sizeof *filled))) {
        memcpy(&filled->plugin, source, source->size);
        filled->source = source;
        filled->next = all_filled;
        all_filled = filled;
    }
    pthread_mutex_unlock(&all_filled_lock);
    return filled ? &filled->plugin : NULL;
}

knack_status plugin_load(const struct manifest *manifest, const knack_plugin **plugin)
{
    entry_function *entry = find_entry(manifest);
    if (!entry) return KNACK_E_PLUGIN;
    const knack_plugin *found = entry(KNACK_ABI);
    TRY(check_plugin(manifest, found));
    TRY(check_text(manifest, "name", manifest->name, found->name));
    TRY(check_text(manifest, "version", manifest->version, found->version));
    TRY(check_hooks(manifest, found));
    *plugin = fill(found);
    return *plugin ? KNACK_OK : KNACK_E_MEMORY;
}

knack_status plugins_load(struct instances *instances)
{
    for (int64_t i = 0; i < instances->installed; i++) {
        struct instance *instance = instances->list[i];
        TRY(plugin_load(instance->manifest, &instance->plugin));
    }
    return KNACK_OK;
}
