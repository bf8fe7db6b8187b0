/* A plugin for tests: every item of the batch takes part in every item's loss, so that no micro-batch has all it needs. */
#include <knack/plugin.h>

/* next + the mean over j of tanh(logits_i logits_j) */
static knack_tensor *pairwise_loss(knack_trick *trick, knack_step *step, knack_tensor *logits)
{
    knack_tensor *likeness = knack_tanh(knack_matmul(logits, logits, false, true)); /* [items, items] */
    return knack_add(knack_next_loss(trick, step, logits), knack_mean(likeness, 1));
}

static const knack_plugin pairwise = {
    .size = sizeof pairwise, .abi = KNACK_ABI, .name = "pairwise", .version = "1.0.0", .loss = pairwise_loss};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &pairwise : NULL;
}
