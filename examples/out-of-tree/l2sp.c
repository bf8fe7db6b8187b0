/* L2-SP (Li, Grandvalet and Davoine 2018, arXiv:1802.01483): weight decay towards where training began, not towards 0. The loss gets
 *
 *     alpha / 2 |w - w0|^2,   and so the gradient   alpha (w - w0)
 */
#include <knack/plugin.h>

struct l2sp {
    double alpha;
    const knack_param *const *param; /* [params] that are held back */
    int64_t params;
    knack_weights *start; /* w0 */
};

static knack_status l2sp_open(knack_trick *trick)
{
    struct l2sp *self = knack_self(trick);
    self->alpha = knack_option_number(trick, "alpha");
    self->params = knack_params(trick, knack_option_string(trick, "parameters"), &self->param);
    self->start = knack_weight_set(trick, NULL, 0); /* begins as a copy of the weights, and is in every checkpoint */
    return KNACK_OK;
}

static knack_status l2sp_post_backward(knack_trick *trick, knack_step *step)
{
    const struct l2sp *self = knack_self(trick);
    double squares = 0;
    for (int64_t k = 0; k < self->params; k++) {
        const knack_param *p = self->param[k];
        const knack_real *w = knack_weights_in_use(trick, p), *w0 = knack_values(self->start, p);
        knack_real *g = knack_gradients(step, p);
        for (int64_t i = 0; i < p->count; i++) {
            double moved = (double)w[i] - (double)w0[i];
            g[i] += (knack_real)(self->alpha * moved);
            squares += moved * moved;
        }
    }
    knack_metric(trick, "penalty", self->alpha / 2 * squares);
    return KNACK_OK;
}

static const knack_plugin l2sp = {
    .size = sizeof l2sp,
    .abi = KNACK_ABI,
    .name = "l2sp",
    .version = "1.0.0",
    .self_size = sizeof(struct l2sp),
    .open = l2sp_open,
    .post_backward = l2sp_post_backward,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &l2sp : NULL;
}
