/* Which hooks and stages a plugin has: the slots of its struct that are filled, but open and close, which say nothing of it. */
#include <stdio.h>
#include <string.h>

#include "plugin/manifest.h"

#define SLOTS(DO)                                                                                                                          \
    DO(run_begin)                                                                                                                          \
    DO(run_end)                                                                                                                            \
    DO(epoch_begin)                                                                                                                        \
    DO(epoch_end) DO(pre_step) DO(post_backward) DO(post_step) DO(eval_begin) DO(eval_end) DO(layer) DO(head) DO(loss) DO(gradient)        \
        DO(predict)
#define NAME(slot)   #slot,
#define OFFSET(slot) offsetof(knack_plugin, slot),

const char *const manifest_hook_names[] = {SLOTS(NAME) NULL};
static const size_t offset[] = {SLOTS(OFFSET)};

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
