/* ArcFace (Deng et al. 2019, arXiv:1801.07698), and sub-centre ArcFace (Deng et al. 2020). With e the features and w_j the direction of
 * class j, both of length 1, c_j = e w_j = cos(theta_j) and y the target:
 *
 *     logit_j = s c_j,   logit_y = s phi(c_y),   phi = cos(theta_y + m)         while theta_y + m <= pi,
 *                                                      c_y - m sin(m)           beyond, where a cosine would rise again
 *
 * The margin is for training; a prediction is s c. A class may have several directions, of which the nearest one counts.
 */
#include "common/margins.h"

#include <math.h>

struct arcface {
    struct margins margins;
    double scale, margin;
    bool easy;
};

/* phi of c [items]. By cos(theta + m) = cos(theta) cos(m) - sin(theta) sin(m) no arc functions are needed.
 *
 * d phi / d c = sin(theta + m) / sin(theta) grows without bound towards theta = 0, but what it multiplies, the change of c with e, has
 * length sin(theta), so that the product stays bounded. With e at its class rounding leaves noise in place of sin(theta): the
 * clamp, whose gradient is 0 there, takes the sine's share out below theta = 1e-6. In float c is 1 or at least 3.5e-4 off
 * in theta, and noise of 6e-8 is magnified to 1e-4 at most. */
static knack_tensor *with_margin(knack_step *step, knack_tensor *c, double m, bool easy)
{
    static const double least_sine = 1e-6;
    knack_real turn = easy ? 0 : (knack_real)-cos(m);
    knack_tensor *limit = knack_constant(step, KNACK_REAL, 1, (const int64_t[]){1}, &turn);
    knack_tensor *squared_sine = knack_mul(knack_add_scalar(knack_scale(c, -1), 1), knack_add_scalar(c, 1)); /* (1 - c) (1 + c) */
    knack_tensor *sine = knack_sqrt(knack_clamp(squared_sine, least_sine * least_sine, 1));
    knack_tensor *phi = knack_sub(knack_scale(c, cos(m)), knack_scale(sine, sin(m)));
    return knack_where(knack_greater(c, limit), phi, easy ? c : knack_add_scalar(c, -m * sin(m)));
}

static knack_status arcface_open(knack_trick *trick)
{
    struct arcface *self = knack_self(trick);
    const struct knack_task *task = knack_task(trick);
    self->scale = knack_option_number(trick, "s");
    self->margin = knack_option_number(trick, "m");
    self->easy = knack_option_flag(trick, "easy_margin");
    margins_open(trick, &self->margins);
    margins_check_scale(trick, self->scale);
    margins_check_margin(trick, self->margin, margins_widest_angle(task->classes, task->width));
    return KNACK_OK;
}

static knack_tensor *arcface_head(knack_trick *trick, knack_step *step, knack_tensor *features)
{
    const struct arcface *self = knack_self(trick);
    knack_tensor *c = margins_cosines(step, &self->margins, margins_unit(trick, features)); /* [items, classes] */
    if (knack_now(trick)->training) {
        const int32_t *target = knack_batch(step)->target;
        c = knack_put(c, target, with_margin(step, knack_pick(c, target), self->margin, self->easy));
    }
    return knack_scale(c, self->scale);
}

static const knack_plugin arcface = {
    .size = sizeof arcface,
    .abi = KNACK_ABI,
    .name = "arcface",
    .version = "1.0.0",
    .self_size = sizeof(struct arcface),
    .open = arcface_open,
    .head = arcface_head,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &arcface : NULL;
}
