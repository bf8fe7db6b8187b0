/* Label smoothing (Szegedy et al. 2016, arXiv:1512.00567). A share eps of each target is spread over all C classes:
 *
 *     loss = (1 - eps) L + eps U,   U = -1/C sum_c log p_c
 *
 * L being the loss inside this trick. With the cross-entropy for L that is the cross-entropy of the target (1 - eps) y + eps / C.
 */
#include <knack/plugin.h>

struct smoothing {
    double eps;
};

/* loss [items], logits [items, classes] */
static knack_tensor *smoothed(knack_tensor *loss, knack_tensor *logits, double eps)
{
    knack_tensor *log_mean = knack_mean(knack_log_softmax(logits), 1);
    return knack_sub(knack_scale(loss, 1 - eps), knack_scale(log_mean, eps));
}

static knack_status smoothing_open(knack_trick *trick)
{
    struct smoothing *self = knack_self(trick);
    self->eps = knack_option_number(trick, "eps");
    return KNACK_OK;
}

static knack_tensor *smoothing_loss(knack_trick *trick, knack_step *step, knack_tensor *logits)
{
    const struct smoothing *self = knack_self(trick);
    return smoothed(knack_next_loss(trick, step, logits), logits, self->eps);
}

static const knack_plugin smoothing = {
    .size = sizeof smoothing,
    .abi = KNACK_ABI,
    .name = "label-smoothing",
    .version = "1.0.0",
    .self_size = sizeof(struct smoothing),
    .open = smoothing_open,
    .loss = smoothing_loss,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &smoothing : NULL;
}
