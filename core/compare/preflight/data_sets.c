#include "compare/preflight/data_sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"
#include "compare/trials/trial.h"

struct entry {
    char *key;                    /* folder and "data" as text */
    struct json_document *config; /* that data was opened by */
    struct data_set set;
    struct entry *next;
};

struct data_sets {
    struct entry *first;
};

knack_status data_sets_new(struct data_sets **out)
{
    /* Nothing here is to start threads: trials are forked from this process. */
    TRY(threads_set(1));
    *out = memory_new(1, sizeof **out);
    return *out ? KNACK_OK : KNACK_E_MEMORY;
}

static void free_entry(struct entry *entry)
{
    data_close(entry->set.data);
    json_free(entry->config);
    memory_free(entry->key);
    memory_free(entry);
}

void data_sets_free(struct data_sets *sets)
{
    if (!sets) return;
    for (struct entry *entry = sets->first, *next; entry; entry = next) {
        next = entry->next;
        free_entry(entry);
    }
    memory_free(sets);
}

/* As a run has it: the folder that the config names, if it does, from the plan's. memory_free() */
static char *base_folder(const struct plan *plan, const struct json *config)
{
    const struct json *named = json_member(config, "folder");
    return named && named->kind == JSON_STRING ? file_join(plan->folder, named->string) : memory_text(plan->folder);
}

static char *key_of(const char *folder, const struct json *data)
{
    struct json_writer *writer = json_writer_new(false);
    if (!writer) return NULL;
    json_open(writer, NULL, '{');
    json_string(writer, "folder", folder);
    if (data) json_node(writer, "data", data);
    json_close(writer);
    return json_take(writer);
}

static knack_status fill(const struct plan *plan, const char *folder, struct entry *entry)
{
    const struct json *data = json_member(entry->config->root, "data"), *redraw = json_member(data, "redraw");
    enum data_part part = PART_TEST;
    entry->set.redrawn = redraw && redraw->kind == JSON_FLAG && redraw->flag;
    TRY(data_open(data, folder, 0, &entry->set.data));
    TRY(trial_find_part(plan->part, plan->metric, entry->set.data, &part));
    return data_part_hash(entry->set.data, part, &entry->set.hash);
}

static struct entry *find(const struct data_sets *sets, const char *key)
{
    struct entry *entry = sets->first;
    while (entry && strcmp(entry->key, key) != 0) entry = entry->next;
    return entry;
}

/* Takes the config. */
static knack_status open_new(struct data_sets *sets, const struct plan *plan, struct json_document *config, const char *folder,
                             struct entry **out)
{
    struct entry *entry = memory_new(1, sizeof *entry);
    char *key = key_of(folder, json_member(config->root, "data"));
    struct entry *known = entry && key ? find(sets, key) : NULL;
    if (!entry || !key || known) {
        json_free(config);
        memory_free(key);
        memory_free(entry);
        *out = known;
        return known ? KNACK_OK : KNACK_E_MEMORY;
    }
    *entry = (struct entry){.key = key, .config = config};
    knack_status status = fill(plan, folder, entry);
    if (status < 0) {
        free_entry(entry);
        return status;
    }
    entry->next = sets->first;
    *out = sets->first = entry;
    return KNACK_OK;
}

knack_status data_sets_open(struct data_sets *sets, const struct plan *plan, const struct arm *arm, const struct data_set **set)
{
    struct json_document *config;
    const char *name = arm->kind == ARM_BASELINE ? plan->config : arm->name; /* what errors begin with */
    TRY(json_parse(arm->config, strlen(arm->config), name, &config));
    char *folder = base_folder(plan, config->root);
    if (!folder) {
        json_free(config);
        return KNACK_E_MEMORY;
    }
    struct entry *entry;
    knack_status status = open_new(sets, plan, config, folder, &entry);
    memory_free(folder);
    if (status >= 0) *set = &entry->set;
    return status;
}
