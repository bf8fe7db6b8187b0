/* A plugin for tests: the features are the outputs. */
#include <knack/plugin.h>

static knack_tensor *bare_head_head(knack_trick *trick, knack_step *step, knack_tensor *features)
{
    (void)trick, (void)step;
    return features;
}

static const knack_plugin bare_head = {
    .size = sizeof bare_head, .abi = KNACK_ABI, .name = "bare_head", .version = "1.0.0", .head = bare_head_head};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &bare_head : NULL;
}
