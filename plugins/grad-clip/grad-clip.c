/* Gradient clipping (Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063), of the gradient that the optimizer is about to get:
 *
 *     by norm     g *= max_norm / |g|,   where |g|, the L2 norm over all parameters, is above max_norm
 *     by value    each entry into [-max_norm, max_norm]
 *
 * A gradient that is not finite has no direction: the update is skipped.
 */
#include <knack/plugin.h>

#include <math.h>
#include <string.h>

struct grad_clip {
    double max_norm;
    bool by_value;
};

/* Returns whether any entry of g [count] was out of bounds. */
static bool clip_values(knack_real *g, int64_t count, double bound)
{
    knack_real high = (knack_real)bound;
    int clipped = 0;
    for (int64_t i = 0; i < count; i++) {
        knack_real below = g[i] > high ? high : g[i];
        knack_real within = below < -high ? -high : below;
        clipped |= within != g[i];
        g[i] = within;
    }
    return clipped;
}

/* Returns whether the norm of g [count] was out of bounds. */
static bool clip_norm(knack_real *g, int64_t count, double norm, double bound)
{
    if (norm <= bound) return false;
    knack_real factor = (knack_real)(bound / norm);
    for (int64_t i = 0; i < count; i++) g[i] *= factor;
    return true;
}

static knack_status grad_clip_open(knack_trick *trick)
{
    struct grad_clip *self = knack_self(trick);
    const char *mode = knack_option_string(trick, "mode");
    self->max_norm = knack_option_number(trick, "max_norm");
    self->by_value = mode && !strcmp(mode, "value");
    return KNACK_OK;
}

static knack_status grad_clip_post_backward(knack_trick *trick, knack_step *step)
{
    const struct grad_clip *self = knack_self(trick);
    int64_t count = knack_task(trick)->parameters;
    knack_real *g = knack_gradients(step, NULL);
    double norm = knack_norm(g, count);
    if (!isfinite(norm)) return KNACK_SKIP_UPDATE;
    knack_metric(trick, "norm", norm);
    bool clipped = self->by_value ? clip_values(g, count, self->max_norm) : clip_norm(g, count, norm, self->max_norm);
    return clipped ? KNACK_OK : KNACK_IDLE;
}

static const knack_plugin grad_clip = {
    .size = sizeof grad_clip,
    .abi = KNACK_ABI,
    .name = "grad-clip",
    .version = "1.0.0",
    .self_size = sizeof(struct grad_clip),
    .open = grad_clip_open,
    .post_backward = grad_clip_post_backward,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &grad_clip : NULL;
}
