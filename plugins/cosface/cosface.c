/* CosFace (Wang et al. 2018, arXiv:1801.09414), published as additive margin softmax too (arXiv:1801.05599). With e the features and w_j
 * the direction of class j, both of length 1, c_j = e w_j = cos(theta_j) and y the target:
 *
 *     logit_j = s c_j,   logit_y = s (c_y - m)
 *
 * The margin is for training; a prediction is s c. A class may have several directions, of which the nearest one counts.
 */
#include "common/margins.h"

#include <math.h>

struct cosface {
    struct margins margins;
    double scale, margin;
};

/* phi of c [items]. Its derivative is 1: what is left of the gradient, the change of c with e, has length sin(theta). */
static knack_tensor *with_margin(knack_tensor *c, double m)
{
    return knack_add_scalar(c, -m);
}

/* At the class itself c_y - c_j is 1 - cos(theta_j), at most that of the widest angle. */
static double greatest_margin(int64_t classes, int64_t width)
{
    return 1 - cos(margins_widest_angle(classes, width));
}

static knack_status cosface_open(knack_trick *trick)
{
    struct cosface *self = knack_self(trick);
    const struct knack_task *task = knack_task(trick);
    self->scale = knack_option_number(trick, "s");
    self->margin = knack_option_number(trick, "m");
    margins_open(trick, &self->margins);
    margins_check_scale(trick, self->scale);
    margins_check_margin(trick, self->margin, greatest_margin(task->classes, task->width));
    return KNACK_OK;
}

static knack_tensor *cosface_head(knack_trick *trick, knack_step *step, knack_tensor *features)
{
    const struct cosface *self = knack_self(trick);
    knack_tensor *c = margins_cosines(step, &self->margins, margins_unit(trick, features)); /* [items, classes] */
    if (knack_now(trick)->training) {
        const int32_t *target = knack_batch(step)->target;
        c = knack_put(c, target, with_margin(knack_pick(c, target), self->margin));
    }
    return knack_scale(c, self->scale);
}

static const knack_plugin cosface = {
    .size = sizeof cosface,
    .abi = KNACK_ABI,
    .name = "cosface",
    .version = "1.0.0",
    .self_size = sizeof(struct cosface),
    .open = cosface_open,
    .head = cosface_head,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &cosface : NULL;
}
