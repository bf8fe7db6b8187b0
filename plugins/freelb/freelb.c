/* FreeLB, adversarial training whose every step counts (Zhu and others 2020, arXiv:1909.11764):
 *
 *     r_0 = noise,   r_k = project(r_{k-1} + adv_lr g_k / max(|g_k|, 1e-8), |r| <= max_norm),   loss = 1 / K  sum of L(x + r_k), k < K
 *
 * x is a layer's output; lengths are each example's, by the norm that is chosen. All K passes add to the gradient of the weights, and there
 * is no clean one. The noise is uniform in -1 ... 1, times init_mag, and for the Euclidean norm over the root of the number of entries.
 */
#include "common/adversary.h"

#include <math.h>
#include <string.h>

enum { DRAW_NOISE };

struct freelb {
    const char *layer;
    double adv_lr, init_mag, max_norm;
    int64_t steps;
    bool largest;      /* the norm is the largest entry, not the Euclidean one */
    bool skip_padding; /* tokens that are all 0 get no noise */
};

struct freelb_local {
    bool first; /* pass of the gradient stage: noise is wanted */
};

static bool is(const char *value, const char *name)
{
    return value && !strcmp(value, name);
}

static knack_status freelb_open(knack_trick *trick)
{
    struct freelb *self = knack_self(trick);
    self->layer = knack_option_string(trick, "layer");
    self->adv_lr = knack_option_number(trick, "adv_lr");
    self->steps = (int64_t)knack_option_number(trick, "steps");
    self->init_mag = knack_option_number(trick, "init_mag");
    self->max_norm = knack_option_number(trick, "max_norm");
    self->largest = is(knack_option_string(trick, "norm_type"), "linf");
    self->skip_padding = is(knack_option_string(trick, "padding"), "zeros");
    return adversary_watch(trick, self->layer);
}

/* ---- Noise ---- */

static bool is_zero(const knack_real *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (x[i] != 0) return false;
    return true;
}

/* r [width], uniform in 0 ... 1, becomes the noise for an example x [width / token, token]. */
static void scale_noise(const struct freelb *self, knack_real *r, const knack_real *x, int64_t width, int64_t token)
{
    int64_t entries = 0;
    for (int64_t i = 0; i < width; i += token) {
        bool padding = self->skip_padding && is_zero(x + i, token);
        for (int64_t j = i; j < i + token; j++) r[j] = padding ? 0 : 2 * r[j] - 1;
        if (!padding) entries += token;
    }
    double size = self->largest || entries == 0 ? self->init_mag : self->init_mag / sqrt((double)entries);
    for (int64_t i = 0; i < width; i++) r[i] *= (knack_real)size;
}

/* Of the rows of this pass. The noise is addressed by logical row, so that it does not depend on micro-batches. */
static void add_noise(knack_trick *trick, knack_step *step, struct knack_perturbation *at, const knack_tensor *out)
{
    int axes;
    const int64_t *shape = knack_shape(out, &axes), *row = knack_batch(step)->row;
    const knack_real *x = knack_data(out);
    for (int64_t i = 0; i < shape[0]; i++) {
        knack_real *r = at->value + row[i] * at->width;
        knack_uniform(trick, DRAW_NOISE, row[i] * at->width, at->width, r);
        scale_noise(knack_self(trick), r, x + i * at->width, at->width, axes > 1 ? shape[axes - 1] : 1);
    }
    at->active = 1;
}

static knack_tensor *freelb_layer(knack_trick *trick, knack_step *step, const char *name, knack_tensor *out)
{
    const struct freelb *self = knack_self(trick);
    const struct freelb_local *local = knack_local(trick, step);
    if (local && local->first && self->init_mag > 0) {
        struct knack_perturbation *at = knack_perturbation(trick, step, name, out);
        if (at) add_noise(trick, step, at, out);
    }
    return knack_perturb(trick, step, name, out);
}

/* ---- Steps ---- */

static double norm_of(const struct freelb *self, const knack_real *x, int64_t count)
{
    if (!self->largest) return knack_norm(x, count);
    double most = 0;
    for (int64_t i = 0; i < count; i++) {
        if (isnan(x[i])) return NAN;
        most = fmax(most, fabs((double)x[i]));
    }
    return most;
}

/* Not longer than max_norm; 0: as long as it likes. A length of 0 is never divided by. */
static void project(const struct freelb *self, knack_real *r, int64_t width)
{
    knack_real most = (knack_real)self->max_norm;
    if (self->max_norm == 0) return;
    if (!self->largest)
        adversary_project(r, (struct adversary_stretches){1, width}, self->max_norm);
    else
        for (int64_t i = 0; i < width; i++) r[i] = r[i] > most ? most : r[i] < -most ? -most : r[i];
}

/* One step of r [rows, width] against g; returns how many rows had a direction to go. */
static int64_t climb(const struct freelb *self, knack_real *r, const knack_real *g, int64_t rows, int64_t width)
{
    int64_t moved = 0;
    for (int64_t i = 0; i < rows; i++, r += width, g += width) {
        double norm = norm_of(self, g, width);
        if (isfinite(norm) && norm > 0) {
            knack_axpy(r, self->adv_lr / fmax(norm, 1e-8), g, width);
            moved++;
        }
        project(self, r, width);
    }
    return moved;
}

static knack_status freelb_gradient(knack_trick *trick, knack_step *step)
{
    const struct freelb *self = knack_self(trick);
    struct freelb_local *local = knack_local(trick, step);
    if (!local) return KNACK_E_MEMORY;
    local->first = true;
    knack_status status = knack_next_gradient(trick, step, 0, 1.0 / (double)self->steps, 0);
    local->first = false;
    struct knack_perturbation *at = status == KNACK_OK ? adversary_offset(trick, step, self->layer) : NULL;
    for (int64_t k = 1; k < self->steps && at && status == KNACK_OK; k++) {
        knack_metric(trick, "attacked", (double)climb(self, at->value, at->gradient, at->rows, at->width));
        at->active = 1;
        status = knack_next_gradient(trick, step, 1, 1.0 / (double)self->steps, 0);
    }
    return status;
}

static const knack_plugin freelb = {
    .size = sizeof freelb,
    .abi = KNACK_ABI,
    .name = "freelb",
    .version = "1.0.0",
    .self_size = sizeof(struct freelb),
    .local_size = sizeof(struct freelb_local),
    .open = freelb_open,
    .layer = freelb_layer,
    .gradient = freelb_gradient,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &freelb : NULL;
}
