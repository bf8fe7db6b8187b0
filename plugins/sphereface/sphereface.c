/* SphereFace, or A-softmax (Liu et al. 2017, arXiv:1704.08063). With e the features, w_j the direction of class j, of length 1,
 * c_j = e w_j / |e| = cos(theta_j) and y the target:
 *
 *     logit_j = |e| c_j,   logit_y = |e| (lambda c_y + psi(theta_y)) / (1 + lambda)
 *     psi(theta) = (-1)^k cos(m theta) - 2k   for theta from k pi / m to (k + 1) pi / m
 *     lambda = max(lambda_min, lambda_base (1 + lambda_gamma update)^-lambda_power)
 *
 * The angle to the target counts m times. Begun with that training fails, so lambda lets it in by and by. The margin is for
 * training; a prediction is |e| c. A class may have several directions, of which the nearest one counts.
 */
#include "common/margins.h"

#include <math.h>

struct sphereface {
    struct margins margins;
    int64_t multiple; /* m */
    double least, base, gamma, power;
};

static double lambda_at(const struct sphereface *self, int64_t update)
{
    return fmax(self->least, self->base * pow(1 + self->gamma * (double)update, -self->power));
}

/* cos(m theta) of c = cos(theta) [items]: the Chebyshev polynomial T_m, by T_n+1 = 2 c T_n - T_n-1. */
static knack_tensor *cosine_of_multiple(knack_step *step, knack_tensor *c, int64_t m)
{
    knack_tensor *last = knack_constant(step, KNACK_REAL, 1, (const int64_t[]){1}, &(const knack_real){1}), *t = c;
    for (int64_t n = 1; n < m; n++) {
        knack_tensor *next = knack_sub(knack_mul(knack_scale(c, 2), t), last);
        last = t;
        t = next;
    }
    return t;
}

/* psi of c [items]. As a polynomial it needs no arc functions, and its gradient, m sin(m theta) / sin(theta), no division that
 * would fail at 0 and 180 degrees: it is m^2 there, and nowhere more. */
static knack_tensor *falling(knack_step *step, knack_tensor *c, int64_t m)
{
    static const double pi = 3.14159265358979323846;
    knack_tensor *cosine = cosine_of_multiple(step, c, m), *psi = cosine;
    for (int64_t k = 1; k < m; k++) {
        knack_real turn = (knack_real)cos((double)k * pi / (double)m);
        knack_tensor *limit = knack_constant(step, KNACK_REAL, 1, (const int64_t[]){1}, &turn);
        knack_tensor *beyond = knack_add_scalar(knack_scale(cosine, k % 2 ? -1 : 1), -2 * (double)k);
        psi = knack_where(knack_greater(limit, c), beyond, psi);
    }
    return psi;
}

static knack_tensor *with_margin(knack_step *step, knack_tensor *c, int64_t m, double lambda)
{
    return knack_scale(knack_add(knack_scale(c, lambda), falling(step, c, m)), 1 / (1 + lambda));
}

/* |e| c; |e| as e times its direction, since a sum of squares may leave a float's range. */
static knack_tensor *at_length_of(knack_tensor *e, knack_tensor *unit, knack_tensor *c)
{
    knack_tensor *length = knack_sum(knack_mul(e, unit), 1); /* [items] */
    return knack_mul(knack_reshape(length, 2, (const int64_t[]){-1, 1}), c);
}

static knack_status sphereface_open(knack_trick *trick)
{
    struct sphereface *self = knack_self(trick);
    self->multiple = (int64_t)knack_option_number(trick, "m");
    self->least = knack_option_number(trick, "lambda_min");
    self->base = knack_option_number(trick, "lambda_base");
    self->gamma = knack_option_number(trick, "lambda_gamma");
    self->power = knack_option_number(trick, "lambda_power");
    margins_open(trick, &self->margins);
    return KNACK_OK;
}

static knack_tensor *sphereface_head(knack_trick *trick, knack_step *step, knack_tensor *features)
{
    const struct sphereface *self = knack_self(trick);
    const struct knack_now *now = knack_now(trick);
    knack_tensor *unit = margins_unit(trick, features);            /* [items, width] */
    knack_tensor *c = margins_cosines(step, &self->margins, unit); /* [items, classes] */
    if (now->training) {
        const int32_t *target = knack_batch(step)->target;
        double lambda = lambda_at(self, now->update);
        knack_metric(trick, "lambda", lambda);
        c = knack_put(c, target, with_margin(step, knack_pick(c, target), self->multiple, lambda));
    }
    return at_length_of(features, unit, c);
}

static const knack_plugin sphereface = {
    .size = sizeof sphereface,
    .abi = KNACK_ABI,
    .name = "sphereface",
    .version = "1.0.0",
    .self_size = sizeof(struct sphereface),
    .open = sphereface_open,
    .head = sphereface_head,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &sphereface : NULL;
}
