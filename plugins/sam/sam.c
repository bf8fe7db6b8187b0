/* SAM, sharpness-aware minimisation (Foret and others 2021, arXiv:2010.01412), and its adaptive form ASAM (Kwon and others 2021,
 * arXiv:2102.11600):
 *
 *     SAM     e = rho g / (|g| + eps)                      gradient = that at w + e
 *     ASAM    e = rho w^2 g / (| |w| g | + eps)
 *
 * g is the gradient at w, of the whole logical batch, and the norm is over all parameters. The step starts from w, which never moves:
 * w + e is a copy. A gradient of 0 has no direction; the search is then left out.
 */
#include <knack/plugin.h>

#include <math.h>

struct sam {
    double rho, eps;
    bool adaptive;
    int64_t interval;       /* updates */
    knack_weights *climbed; /* w + e */
};

static knack_status sam_open(knack_trick *trick)
{
    struct sam *self = knack_self(trick);
    self->rho = knack_option_number(trick, "rho");
    self->adaptive = knack_option_flag(trick, "adaptive");
    self->interval = knack_option_updates(trick, "interval");
    self->eps = knack_option_number(trick, "eps");
    self->climbed = knack_weight_set(trick, NULL, KNACK_SCRATCH);
    if (self->interval < 1) return knack_fail(trick, "\"interval\" is less than one update of this run");
    return KNACK_OK;
}

/* |g|, or of the adaptive form | |w| g |; both [count]. */
static double norm_of(const struct sam *self, const knack_real *w, const knack_real *g, int64_t count)
{
    if (!self->adaptive) return knack_norm(g, count);
    double squares = 0;
    for (int64_t i = 0; i < count; i++) squares += (double)w[i] * (double)w[i] * (double)g[i] * (double)g[i];
    return sqrt(squares);
}

/* to = w + e, all [count]; false: there is no direction to go. */
static bool climb(const struct sam *self, knack_real *to, const knack_real *w, const knack_real *g, int64_t count)
{
    double norm = norm_of(self, w, g, count), factor = self->rho / (norm + self->eps);
    if (!(norm > 0) || !isfinite(norm) || !isfinite((knack_real)factor)) return false;
    knack_real f = (knack_real)factor;
    if (self->adaptive)
        for (int64_t i = 0; i < count; i++) to[i] = w[i] + (knack_real)(factor * ((double)w[i] * (double)w[i] * (double)g[i]));
    else
        for (int64_t i = 0; i < count; i++) to[i] = w[i] + f * g[i];
    return true;
}

static knack_status sam_gradient(knack_trick *trick, knack_step *step)
{
    const struct sam *self = knack_self(trick);
    knack_status status = knack_next_gradient(trick, step, 0, 1, 0); /* at w */
    if (status != KNACK_OK) return status;
    if (knack_now(trick)->update % self->interval != 0) return KNACK_IDLE;
    if (!climb(self, knack_values(self->climbed, NULL), knack_weights_in_use(trick, NULL), knack_gradients(step, NULL),
               knack_task(trick)->parameters))
        return KNACK_IDLE;
    knack_use_weights(trick, self->climbed);
    return knack_next_gradient(trick, step, 0, 1, 0); /* replaces it */
}

static const knack_plugin sam = {
    .size = sizeof sam,
    .abi = KNACK_ABI,
    .name = "sam",
    .version = "1.0.0",
    .self_size = sizeof(struct sam),
    .open = sam_open,
    .gradient = sam_gradient,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &sam : NULL;
}
