/* A plugin whose hook does nothing: what is timed is the call. */
#include <knack/plugin.h>

static knack_status idle_post_step(knack_trick *trick, knack_step *step)
{
    (void)trick, (void)step;
    return KNACK_IDLE;
}

static const knack_plugin idle = {.size = sizeof idle, .abi = KNACK_ABI, .name = "idle", .version = "1.0.0", .post_step = idle_post_step};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &idle : NULL;
}
