/* AWP, adversarial weight perturbation (Wu, Xia and Wang 2020, arXiv:2004.05884):
 *
 *     v = gamma |w| g / |g|    in each tensor w,    gradient = that at w + v    (or, with "replace": false, the sum of both)
 *
 * g is the gradient at w, of the whole logical batch. Vectors (biases, norms) are left alone by default, as are tensors where |g| or |w| is
 * 0, or |g| is not finite. The step starts from w, which never moves: w + v is a copy.
 */
#include "common/adversary.h"

struct awp {
    double gamma;
    int64_t start_epoch, min_ndim;
    bool replace;
    const knack_param *const *param; /* [params] that match; those with fewer axes than min_ndim are passed over */
    int64_t params;
    knack_weights *shifted; /* w + v */
};

static knack_status awp_open(knack_trick *trick)
{
    struct awp *self = knack_self(trick);
    const char *pattern = knack_option_string(trick, "parameters");
    int64_t attacked = 0;
    self->gamma = knack_option_number(trick, "gamma");
    self->start_epoch = (int64_t)knack_option_number(trick, "start_epoch");
    self->replace = knack_option_flag(trick, "replace");
    self->min_ndim = (int64_t)knack_option_number(trick, "min_ndim");
    self->params = knack_params(trick, pattern, &self->param);
    self->shifted = knack_weight_set(trick, NULL, KNACK_SCRATCH);
    for (int64_t k = 0; k < self->params; k++) attacked += self->param[k]->ndim >= self->min_ndim;
    if (self->params > 0 && attacked == 0)
        return knack_fail(trick, "of %lld parameters that match \"%s\" none has %lld axes or more; lower \"min_ndim\"",
                          (long long)self->params, pattern, (long long)self->min_ndim);
    return KNACK_OK;
}

/* w [count], a copy of the weights, becomes w + v; returns whether it moved. */
static bool shift(knack_real *w, const knack_real *g, int64_t count, double gamma)
{
    double length = gamma * knack_norm(w, count);
    return length > 0 && adversary_step(w, g, (struct adversary_stretches){1, count}, length) > 0;
}

static knack_status awp_gradient(knack_trick *trick, knack_step *step)
{
    const struct awp *self = knack_self(trick);
    int64_t moved = 0;
    knack_status status = knack_next_gradient(trick, step, 0, 1, 0); /* at w */
    if (status != KNACK_OK) return status;
    if (knack_now(trick)->epoch < self->start_epoch) return KNACK_IDLE;
    adversary_copy_weights(trick, self->shifted);
    for (int64_t k = 0; k < self->params; k++) {
        const knack_param *p = self->param[k];
        if (p->ndim >= self->min_ndim) moved += shift(knack_values(self->shifted, p), knack_gradients(step, p), p->count, self->gamma);
    }
    knack_metric(trick, "attacked", (double)moved);
    if (moved == 0) return KNACK_IDLE;
    knack_use_weights(trick, self->shifted);
    return knack_next_gradient(trick, step, self->replace ? 0 : 1, 1, 0);
}

static const knack_plugin awp = {
    .size = sizeof awp,
    .abi = KNACK_ABI,
    .name = "awp",
    .version = "1.0.0",
    .self_size = sizeof(struct awp),
    .open = awp_open,
    .gradient = awp_gradient,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &awp : NULL;
}
