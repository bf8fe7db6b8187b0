/* PGD, adversarial training by several projected steps up the loss (Madry and others 2018, arXiv:1706.06083):
 *
 *     r_0 = 0,   r_k = project(r_{k-1} + alpha g_k / |g_k|, |r| <= epsilon),   loss = L(x) + coefficient L(x + r_K)
 *
 * x is a layer's output or some of the weights, g_k the gradient of L at x + r_{k-1}, of the whole logical batch. The first and the last
 * pass make the gradient of the weights; those between only show the way. Where |g| is 0 or not finite r stays where it is.
 */
#include "common/adversary.h"

#include <string.h>

struct pgd {
    struct adversary attack;
    double epsilon, alpha, coefficient;
    int64_t steps;
    uint32_t flags; /* of the passes under attack */
};

/* One step of r against g; returns how many stretches had a direction to go. */
static int64_t climb(const struct pgd *self, knack_real *r, const knack_real *g, struct adversary_stretches in)
{
    int64_t moved = adversary_step(r, g, in, self->alpha);
    adversary_project(r, in, self->epsilon);
    return moved;
}

static knack_status pgd_open(knack_trick *trick)
{
    struct pgd *self = knack_self(trick);
    self->epsilon = knack_option_number(trick, "epsilon");
    self->alpha = knack_option_number(trick, "alpha");
    self->steps = (int64_t)knack_option_number(trick, "steps");
    self->coefficient = knack_option_number(trick, "coefficient");
    self->flags = knack_option_flag(trick, "redraw") ? KNACK_REDRAW : 0;
    if (self->alpha * (double)self->steps < self->epsilon / 2) /* the usual defaults fall a tenth short, on purpose */
        knack_warn(trick, "\"steps\" of length \"alpha\" get %g far at most, so that \"epsilon\" %g bounds nothing",
                   self->alpha * (double)self->steps, self->epsilon);
    return adversary_open(trick, &self->attack);
}

/* ---- In a layer: its offset is r, and has gradients of its own ---- */

static knack_status attack_layer(knack_trick *trick, knack_step *step)
{
    const struct pgd *self = knack_self(trick);
    const struct adversary_local *local = knack_local(trick, step);
    struct knack_perturbation *at = adversary_offset(trick, step, self->attack.layer);
    if (!at) return KNACK_E_PLUGIN;
    for (int64_t k = 1; k <= self->steps; k++) {
        int64_t moved = climb(self, at->value, at->gradient, adversary_of_layer(self->attack.norm, at, local->row));
        knack_metric(trick, "attacked", (double)moved);
        if (moved == 0 && !at->active) return KNACK_IDLE;
        at->active = 1;
        knack_status status = knack_next_gradient(trick, step, 1, k < self->steps ? 0 : self->coefficient, self->flags);
        if (status != KNACK_OK) return status;
    }
    return KNACK_OK;
}

/* ---- In weights: what the passes between leave in the gradient is not wanted, so the clean one is put by ----
 * That of outer tricks' offsets cannot be: for an attack on a layer around this one the pass before the last stands for the clean one. */

/* r [parameters] takes a step, and the set becomes weights + r. */
static int64_t climb_parameters(knack_trick *trick, knack_step *step, knack_real *r)
{
    const struct pgd *self = knack_self(trick);
    int64_t moved = 0;
    adversary_copy_weights(trick, self->attack.shifted);
    for (int64_t i = 0; i < self->attack.params; i++) {
        const knack_param *p = self->attack.param[i];
        moved += climb(self, r + p->offset, knack_gradients(step, p), adversary_of_param(self->attack.norm, p));
        knack_axpy(knack_values(self->attack.shifted, p), 1, r + p->offset, p->count);
    }
    return moved;
}

static knack_status attack_parameters(knack_trick *trick, knack_step *step)
{
    const struct pgd *self = knack_self(trick);
    size_t bytes = (size_t)knack_task(trick)->parameters * sizeof(knack_real);
    knack_real *r = knack_scratch(step, bytes), *clean = knack_scratch(step, bytes);
    if (!r || !clean) return KNACK_E_MEMORY;
    memcpy(clean, knack_gradients(step, NULL), bytes);
    for (int64_t k = 1; k <= self->steps; k++) {
        knack_use_weights(trick, NULL); /* r starts from the weights outside of the attack */
        int64_t moved = climb_parameters(trick, step, r);
        knack_metric(trick, "attacked", (double)moved);
        if (moved == 0 && k == 1) return KNACK_IDLE;
        bool last = k == self->steps;
        if (last) memcpy(knack_gradients(step, NULL), clean, bytes);
        knack_use_weights(trick, self->attack.shifted);
        knack_status status = knack_next_gradient(trick, step, last, last ? self->coefficient : 1, self->flags);
        if (status != KNACK_OK) return status;
    }
    return KNACK_OK;
}

static knack_status pgd_gradient(knack_trick *trick, knack_step *step)
{
    const struct pgd *self = knack_self(trick);
    knack_status status = knack_next_gradient(trick, step, 0, 1, 0); /* clean */
    if (status != KNACK_OK) return status;
    return self->attack.layer ? attack_layer(trick, step) : attack_parameters(trick, step);
}

static const knack_plugin pgd = {
    .size = sizeof pgd,
    .abi = KNACK_ABI,
    .name = "pgd",
    .version = "1.0.0",
    .self_size = sizeof(struct pgd),
    .local_size = sizeof(struct adversary_local),
    .open = pgd_open,
    .layer = adversary_layer,
    .gradient = pgd_gradient,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &pgd : NULL;
}
