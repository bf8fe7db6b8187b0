/* A plugin for tests: next^power + addend. Three manifests say what targets it takes. */
#include <knack/plugin.h>

struct shaped_loss {
    double power, addend;
};

static knack_status shaped_loss_open(knack_trick *trick)
{
    struct shaped_loss *self = knack_self(trick);
    self->power = knack_option_number(trick, "power");
    self->addend = knack_option_number(trick, "addend");
    return KNACK_OK;
}

static knack_tensor *shaped_loss_loss(knack_trick *trick, knack_step *step, knack_tensor *logits)
{
    const struct shaped_loss *self = knack_self(trick);
    return knack_add_scalar(knack_pow(knack_next_loss(trick, step, logits), self->power), self->addend);
}

static const knack_plugin shaped_loss = {
    .size = sizeof shaped_loss,
    .abi = KNACK_ABI,
    .name = "shaped_loss",
    .version = "1.0.0",
    .self_size = sizeof(struct shaped_loss),
    .open = shaped_loss_open,
    .loss = shaped_loss_loss,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &shaped_loss : NULL;
}
