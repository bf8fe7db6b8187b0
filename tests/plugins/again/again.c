/* A plugin for tests: the mean of the loss and of that of a second forward, with flags to choose. */
#include <knack/plugin.h>

struct again {
    uint32_t flags;
    const char *view; /* of the input; NULL: the input itself */
};

static knack_status again_open(knack_trick *trick)
{
    struct again *self = knack_self(trick);
    self->flags = (knack_option_flag(trick, "redraw") ? KNACK_REDRAW : 0) |
                  (knack_option_flag(trick, "statistics") ? KNACK_STATISTICS : 0) | (knack_option_flag(trick, "eval") ? KNACK_EVAL : 0) |
                  (knack_option_flag(trick, "no_gradient") ? KNACK_NO_GRADIENT : 0);
    self->view = knack_option_string(trick, "view");
    return KNACK_OK;
}

static knack_tensor *again_loss(knack_trick *trick, knack_step *step, knack_tensor *logits)
{
    const struct again *self = knack_self(trick);
    knack_tensor *x = self->view ? knack_view(trick, step, self->view, knack_input(step)) : NULL;
    knack_tensor *other = knack_forward(trick, step, x, self->flags);
    return knack_mean2(knack_next_loss(trick, step, logits), knack_next_loss(trick, step, other));
}

static const knack_plugin again = {
    .size = sizeof again,
    .abi = KNACK_ABI,
    .name = "again",
    .version = "1.0.0",
    .self_size = sizeof(struct again),
    .open = again_open,
    .loss = again_loss,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &again : NULL;
}
