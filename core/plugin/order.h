/* The order of the installed plugins. */
#ifndef PLUGIN_ORDER_H
#define PLUGIN_ORDER_H

#include "plugin/instance.h"

/* Reorders list[count], which is in the config's order, outermost first: as "before" and "after" say; among those that nothing orders,
 * first those with before: ["*"], then the usual, then those that replace a stage (what is inside them is never called); then as
 * the config lists them. A cycle is an error on plugins, the config's array, that names its members. */
knack_status order_resolve(struct instance **list, int64_t count, const struct json *plugins);

#endif
