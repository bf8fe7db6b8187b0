/* FGM, adversarial training by one step up the loss (Miyato, Dai and Goodfellow 2017, arXiv:1605.07725):
 *
 *     r = epsilon g / |g|,   loss = L(x) + coefficient L(x + r)
 *
 * x is a layer's output or some of the weights, g the gradient of L there, of the whole logical batch. Where |g| is 0 or not finite there
 * is no step. The weights that are trained never move: attacked ones are a copy.
 */
#include "common/adversary.h"

struct fgm {
    struct adversary attack;
    double epsilon, coefficient;
    uint32_t flags; /* of the pass under attack */
};

static knack_status fgm_open(knack_trick *trick)
{
    struct fgm *self = knack_self(trick);
    self->epsilon = knack_option_number(trick, "epsilon");
    self->coefficient = knack_option_number(trick, "coefficient");
    self->flags = knack_option_flag(trick, "redraw") ? KNACK_REDRAW : 0;
    return adversary_open(trick, &self->attack);
}

/* ---- Attacks: each returns how many steps it made ---- */

static int64_t attack_layer(knack_trick *trick, knack_step *step)
{
    const struct fgm *self = knack_self(trick);
    const struct adversary_local *local = knack_local(trick, step);
    struct knack_perturbation *at = adversary_offset(trick, step, self->attack.layer);
    if (!at) return KNACK_E_PLUGIN;
    int64_t moved = adversary_step(at->value, at->gradient, adversary_of_layer(self->attack.norm, at, local->row), self->epsilon);
    at->active = moved > 0;
    return moved;
}

static int64_t attack_parameters(knack_trick *trick, knack_step *step)
{
    const struct fgm *self = knack_self(trick);
    int64_t moved = 0;
    adversary_copy_weights(trick, self->attack.shifted);
    for (int64_t k = 0; k < self->attack.params; k++) {
        const knack_param *p = self->attack.param[k];
        moved += adversary_step(knack_values(self->attack.shifted, p), knack_gradients(step, p), adversary_of_param(self->attack.norm, p),
                                self->epsilon);
    }
    return moved;
}

static knack_status fgm_gradient(knack_trick *trick, knack_step *step)
{
    const struct fgm *self = knack_self(trick);
    knack_status status = knack_next_gradient(trick, step, 0, 1, 0); /* clean */
    if (status != KNACK_OK) return status;
    if (self->epsilon == 0) return KNACK_IDLE; /* the same gradient twice would be no attack, but twice the rate */
    int64_t moved = self->attack.layer ? attack_layer(trick, step) : attack_parameters(trick, step);
    if (moved < 0) return (knack_status)moved;
    knack_metric(trick, "attacked", (double)moved);
    if (moved == 0) return KNACK_IDLE;
    if (!self->attack.layer && (status = knack_use_weights(trick, self->attack.shifted)) < 0) return status;
    return knack_next_gradient(trick, step, 1, self->coefficient, self->flags); /* added */
}

static const knack_plugin fgm = {
    .size = sizeof fgm,
    .abi = KNACK_ABI,
    .name = "fgm",
    .version = "1.0.0",
    .self_size = sizeof(struct fgm),
    .local_size = sizeof(struct adversary_local),
    .open = fgm_open,
    .layer = adversary_layer,
    .gradient = fgm_gradient,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &fgm : NULL;
}
