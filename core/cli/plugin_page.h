/* What a manifest says of a plugin, and what its library holds, as people and programs read it. */
#ifndef CLI_PLUGIN_PAGE_H
#define CLI_PLUGIN_PAGE_H

#include "cli/console.h"
#include "plugin/manifest.h"

enum { PLUGIN_PASSES = 96 };
const char *plugin_passes(const struct manifest *, char buffer[PLUGIN_PASSES]); /* "1 gradient", "none" */

void plugin_write_hooks(struct json_writer *, uint32_t hooks); /* as member "hooks" */

knack_status plugin_print_page(const struct console *, const struct manifest *); /* all, with options and a config to copy */
knack_status plugin_print_check(const struct manifest *, const knack_plugin *);  /* that both are right, and the hooks found */
knack_status plugin_print_json(const struct manifest *, const knack_plugin *);   /* plugin NULL: not loaded */

#endif
