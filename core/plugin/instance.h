/* Plugins as a config asks for them: manifest, checked options, order, and only then code. Nothing here knows of training. */
#ifndef PLUGIN_INSTANCE_H
#define PLUGIN_INSTANCE_H

#include "plugin/manifest.h"

struct option_value {
    bool given, read; /* given: has a value, the config's or the default; read: a getter asked for it */
    double number;
    bool flag;
    const char *string;
    struct json_duration duration;
    struct json_doubles numbers;
    struct json_texts strings;
};

struct instance {
    struct manifest *manifest;
    const char *name;           /* "as", or the plugin's */
    const struct json *entry;   /* in the config, for errors */
    struct option_value *value; /* [manifest->option_count] */
    bool at_identity;           /* not to be installed */
    double share;               /* of its one_of group, when several members are listed: relative frequency; 1 by default */
    const knack_plugin *plugin; /* after plugins_load() */
};

struct instances {
    struct instance **list; /* in resolved order, outermost first; those at identity last */
    int64_t count;          /* all */
    int64_t installed;      /* those not at identity: the first so many */
    struct plugin_search search;
};

/* Reads the "plugins" array (NULL: none): a name, or {"name" or "manifest": ..., "as": ..., options...}; checks options by manifest, tasks
 * (task: its name, e.g. "classification"), duplicates, requires, conflicts, replaces, two writers of lr (those of plan are told apart by
 * field, in knack_set_plan); resolves the order. base: folder that "manifest" paths start from. The config's document must outlive the
 * instances. Loads no code. */
knack_status plugins_resolve(const struct json *plugins, const char *base, const char *task, struct instances **);
/* dlopen(RTLD_NOW | RTLD_LOCAL), entry, ABI, size, name and version against the manifest, of those installed. Nothing is ever closed. */
knack_status plugins_load(struct instances *);
void plugins_free(struct instances *);
knack_status plugin_load(const struct manifest *, const knack_plugin **); /* one */

/* An option for a getter of `type` (getters of numbers also serve integers): marks it read. NULL, with an error that names it and the
 * nearest right name, if it is not declared so. */
struct option_value *instance_option(struct instance *, const char *name, enum option_type type);
/* KNACK_E_PLUGIN naming the first option that no getter asked for. */
knack_status instance_all_read(const struct instance *);
/* The checked options as members of a JSON object (defaults included), for result.json and the resolved config. */
void instance_write(const struct instance *, struct json_writer *, const char *name);
/* JSON Schema of "plugins": every installed plugin with its options. */
knack_status plugins_schema(struct json_writer *, const char *name);

#endif
