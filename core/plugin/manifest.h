/* Manifests: the JSON file beside a plugin, the only thing read to list plugins. */
#ifndef PLUGIN_MANIFEST_H
#define PLUGIN_MANIFEST_H

#include <knack/plugin.h>

#include "base/json.h"

enum option_type { OPTION_NUMBER, OPTION_INTEGER, OPTION_BOOLEAN, OPTION_STRING, OPTION_DURATION, OPTION_NUMBERS, OPTION_STRINGS };

/* One declared option. */
struct option {
    const char *name, *help;
    enum option_type type;
    const struct json *fallback;   /* "default"; NULL or JSON null: may stay without a value */
    double min, max, above, below; /* NaN: not given; of numbers and of a list's entries */
    struct json_texts choices;     /* "one_of"; count 0: any */
    struct json_field field;       /* the same as a field of a table, by which values are checked and the schema is written */
};

/* Beside the name of a plugin that cannot be with this one; the same name: of a second instance. */
struct conflict {
    const char *why;         /* a clause, as "both replace the gradient", or NULL */
    const struct json *when; /* object of own option values at which it is so, or NULL: at all */
};

/* What a trick may touch: bits of manifest.reads and .writes, in the order of their names in the manifest. */
enum access { ACCESS_GRADIENTS = 1, ACCESS_FEATURES = 2, ACCESS_INPUTS = 4, ACCESS_TARGETS = 8, ACCESS_LR = 16, ACCESS_PLAN = 32 };
enum stage { STAGE_HEAD = 1, STAGE_LOSS = 2, STAGE_GRADIENT = 4, STAGE_PREDICT = 8 }; /* bits of replaces */
extern const char *const manifest_access_names[], *const manifest_stage_names[];      /* name i is of bit i; NULL ends */
extern const char *const manifest_hook_names[];                                       /* likewise, of hooks and plugin_hooks() */
enum manifest_targets { TARGETS_ANY, TARGETS_IDS, TARGETS_NONE };

struct manifest {
    const char *path; /* of the manifest */
    char *library;    /* path, relative ones resolved against the manifest's folder */
    const char *name, *version, *summary, *reference;
    int64_t abi;
    struct option *option;
    int64_t option_count;
    struct json_texts option_names;                       /* of option[], for errors */
    struct json_texts before, after, requires, conflicts; /* names of plugins; before: ["*"] is all; conflicts: its own too */
    struct conflict *conflict;                            /* [conflicts.count] */
    uint32_t replaces, reads, writes;
    uint32_t hooks;     /* hooks and stages that it has; 0: not said */
    const char *one_of; /* group of which one acts a batch, or NULL */
    enum manifest_targets targets;
    bool scope_batch;
    struct json_texts tasks; /* empty: all */
    bool accepts_missing;
    const struct json *identity;            /* object of option values at which it is not installed, or NULL */
    const struct json *example;             /* object of option values to copy, where the defaults alone are not enough, or NULL */
    double gradient_passes, forward_passes; /* extra ones a step */
    struct json_document *document;         /* holds the texts */
};

/* Reads and checks one manifest: format version first, then every key by a table. Errors: KNACK_E_PLUGIN. */
knack_status manifest_read(const char *path, struct manifest **);
knack_status manifest_take(struct json_document *, struct manifest **); /* the same, parsed already; owns the document, also on failure */
void manifest_free(struct manifest *);
uint32_t plugin_hooks(const knack_plugin *); /* those that it has indeed */
enum { HOOKS_TEXT = 192 };
const char *hooks_text(uint32_t hooks, char buffer[HOOKS_TEXT]); /* "layer, gradient", "none" */

/* Names of plugins and of their instances become names of folders, files and parameters: letters, digits, - and _, a letter or digit first.
 */
bool manifest_name_is_valid(const char *name);
bool manifest_lists(const struct json_texts *names, const char *name);
/* Whether the file is meant as a manifest: an object that says "manifest", or something that is no JSON, so that its errors are shown. */
bool manifest_is_meant(const char *path);
extern const char manifest_name_rule[]; /* that, in words, for errors */
/* Keys of a config's entry that are not options, and that no option may be called. */
bool manifest_key_is_reserved(const char *key);

/* Where plugins are found by name: NAME/NAME.json or NAME.json in each folder: the build or install folder first, then those of
 * KNACK_PLUGIN_PATH. */
struct plugin_search {
    char **folder;
    int64_t count;
};
knack_status plugin_search_open(struct plugin_search *); /* finds the folders; none is no error */
void plugin_search_close(struct plugin_search *);
/* The folder of plugins that belongs to a library or program at this path, built or installed; memory_free(). *folder NULL: there is none.
 */
knack_status plugin_search_beside(const char *library, char **folder);
/* All names found, sorted; memory_free() one block. Files that are no manifests are left out; a broken one is listed all the same, and
 * fails when it is read. */
knack_status plugin_search_names(const struct plugin_search *, char ***names, int64_t *count);
/* Path of the named plugin's manifest, memory_free(); unknown: an error with the nearest right name, blamed on `where` (may be NULL). */
knack_status plugin_search_find(const struct plugin_search *, const char *name, const struct json *where, char **path);

#endif
