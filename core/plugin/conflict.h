/* Plugins that cannot be in one run: "conflicts" of a manifest. */
#ifndef PLUGIN_CONFLICT_H
#define PLUGIN_CONFLICT_H

#include "plugin/instance.h"

/* Reads the list (NULL: none), of names and of objects with "name", "why" and "when", into conflicts and conflict[] of the manifest,
 * whose options are known already. */
knack_status conflicts_read(const struct json *list, struct manifest *);
/* The conflict that a's manifest declares with b and that is one at a's options; NULL: there is none. */
knack_status conflict_find(const struct instance *a, const struct instance *b, const struct conflict **);

#endif
