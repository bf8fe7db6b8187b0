/* One entry of a config's "plugins". */
#ifndef PLUGIN_ENTRY_H
#define PLUGIN_ENTRY_H

#include "plugin/instance.h"

/* Reads an entry, finds and reads the manifest it means, and checks its options. base: folder that "manifest" paths start from. */
knack_status entry_read(const struct json *entry, const char *base, const struct plugin_search *, struct instance **);
void entry_free(struct instance *);

#endif
