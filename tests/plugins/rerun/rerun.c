/* A plugin for tests: any number of gradient passes, all but the first at a point that the first one's gradient leads to:
 *
 *     gradient = keep[k] gradient + weight[k] gradient_k,   k = 0, 1, ...
 *     point    = weights + rho g / |g|, or a layer's output + rho g / |g|, g being the gradient there after pass 0
 */
#include <string.h>

#include <knack/plugin.h>

struct rerun {
    double rho, loss_scale;
    const double *keep, *weight; /* [passes] */
    int64_t passes;
    uint32_t flags; /* of all passes but the first */
    const char *layer;
    knack_weights *shifted;
};

static knack_status rerun_open(knack_trick *trick)
{
    struct rerun *self = knack_self(trick);
    int64_t weights;
    self->rho = knack_option_number(trick, "rho");
    self->loss_scale = knack_option_number(trick, "loss_scale");
    self->keep = knack_option_numbers(trick, "keep", &self->passes);
    self->weight = knack_option_numbers(trick, "weight", &weights);
    self->flags = knack_option_flag(trick, "redraw") ? KNACK_REDRAW : 0;
    self->layer = knack_option_string(trick, "layer");
    if (weights != self->passes) return knack_fail(trick, "as many weights as keeps are needed");
    self->shifted = knack_weight_set(trick, NULL, KNACK_SCRATCH);
    return self->layer ? knack_watch_layer(trick, self->layer) : KNACK_OK;
}

static knack_tensor *rerun_layer(knack_trick *trick, knack_step *step, const char *name, knack_tensor *out)
{
    return knack_perturb(trick, step, name, out);
}

static void move(knack_real *to, const knack_real *gradient, int64_t count, double rho)
{
    double norm = knack_norm(gradient, count);
    if (norm > 0) knack_axpy(to, rho / norm, gradient, count);
}

static knack_status lead_on(knack_trick *trick, knack_step *step)
{
    const struct rerun *self = knack_self(trick);
    int64_t count = knack_task(trick)->parameters;
    if (self->layer) {
        struct knack_perturbation *at = knack_perturbation(trick, step, self->layer, NULL);
        move(at->value, at->gradient, at->rows * at->width, self->rho);
        at->active = 1;
        return KNACK_OK;
    }
    knack_real *values = knack_values(self->shifted, NULL);
    memcpy(values, knack_weights_in_use(trick, NULL), (size_t)count * sizeof *values);
    move(values, knack_gradients(step, NULL), count, self->rho);
    return knack_use_weights(trick, self->shifted);
}

static knack_status rerun_gradient(knack_trick *trick, knack_step *step)
{
    const struct rerun *self = knack_self(trick);
    struct knack_plan plan = {.size = sizeof plan, .loss_scale = self->loss_scale};
    knack_status status = self->loss_scale > 0 ? knack_set_plan(trick, &plan) : KNACK_OK;
    for (int64_t k = 0; k < self->passes && status == KNACK_OK; k++) {
        status = knack_next_gradient(trick, step, self->keep[k], self->weight[k], k > 0 ? self->flags : 0);
        if (status == KNACK_OK && k == 0 && self->rho != 0) status = lead_on(trick, step);
    }
    return status;
}

static const knack_plugin rerun = {
    .size = sizeof rerun,
    .abi = KNACK_ABI,
    .name = "rerun",
    .version = "1.0.0",
    .self_size = sizeof(struct rerun),
    .open = rerun_open,
    .layer = rerun_layer,
    .gradient = rerun_gradient,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &rerun : NULL;
}
