/* Which hooks and stages a plugin has: the slots of its struct that are filled, but open and close, which say nothing of it. */
#include <stdio.h>
#include <string.h>

#include "plugin/manifest.h"

const char *const manifest_hook_names[] = {"run_begin",     "run_end",   "epoch_begin", "epoch_end", "pre_step",
                                           "post_backward", "post_step", "eval_begin",  "eval_end",  "layer",
                                           "head",          "loss",      "gradient",    "predict",   NULL};

#define AT(slot) offsetof(knack_plugin, slot)
static const size_t offset[] = {AT(run_begin),     AT(run_end),   AT(epoch_begin), AT(epoch_end), AT(pre_step),
                                AT(post_backward), AT(post_step), AT(eval_begin),  AT(eval_end),  AT(layer),
                                AT(head),          AT(loss),      AT(gradient),    AT(predict)};
_Static_assert(sizeof offset / sizeof *offset + 1 == sizeof manifest_hook_names / sizeof *manifest_hook_names, "a name for each slot");

/* A slot counts if it lies within the plugin's own struct, and is not NULL. */
static bool has_slot(const knack_plugin *plugin, size_t at)
{
    static const char empty[sizeof(void (*)(void))];
    return at + sizeof empty <= plugin->size && memcmp((const char *)plugin + at, empty, sizeof empty) != 0;
}

uint32_t plugin_hooks(const knack_plugin *plugin)
{
    uint32_t hooks = 0;
    for (size_t i = 0; i < sizeof offset / sizeof *offset; i++)
        if (has_slot(plugin, offset[i])) hooks |= 1u << i;
    return hooks;
}

const char *hooks_text(uint32_t hooks, char buffer[HOOKS_TEXT])
{
    size_t used = 0;
    for (int i = 0; manifest_hook_names[i]; i++)
        if (hooks >> i & 1) used += (size_t)snprintf(buffer + used, HOOKS_TEXT - used, "%s%s", used ? ", " : "", manifest_hook_names[i]);
    return used ? buffer : "none";
}
