/* A plugin that makes one plain pass over the weights and a set of its own after each step, reading both and writing one: what an average
 * of weights takes at least. */
#include <knack/plugin.h>

struct pass {
    knack_weights *own;
};

static knack_status pass_open(knack_trick *trick)
{
    struct pass *self = knack_self(trick);
    self->own = knack_weight_set(trick, NULL, KNACK_SCRATCH);
    return KNACK_OK;
}

static void move(knack_real *restrict to, const knack_real *restrict from, int64_t count)
{
    for (int64_t i = 0; i < count; i++) to[i] += (knack_real)0.01 * (from[i] - to[i]);
}

static knack_status pass_post_step(knack_trick *trick, knack_step *step)
{
    const struct pass *self = knack_self(trick);
    (void)step;
    move(knack_values(self->own, NULL), knack_weights_in_use(trick, NULL), knack_task(trick)->parameters);
    return KNACK_OK;
}

static const knack_plugin pass = {.size = sizeof pass,
                                  .abi = KNACK_ABI,
                                  .name = "pass",
                                  .version = "1.0.0",
                                  .self_size = sizeof(struct pass),
                                  .open = pass_open,
                                  .post_step = pass_post_step};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &pass : NULL;
}
