/* FGM, adversarial training by one step up the loss (Miyato, Dai and Goodfellow 2017, arXiv:1605.07725):
 *
 *     r = epsilon g / |g|,   loss = L(x) + coefficient L(x + r)
 *
 * x is a layer's output or some of the weights, g the gradient of L there, of the whole logical batch. Where |g| is 0 or not finite there
 * is no step. The weights that are trained never move: attacked ones are a copy.
 */
#include <knack/plugin.h>

#include <math.h>
#include <string.h>

enum norm { NORM_TENSOR, NORM_EXAMPLE, NORM_ROW };

struct fgm {
    double epsilon, coefficient;
    uint32_t flags; /* of the pass under attack */
    enum norm norm;
    const char *layer;               /* attacked; NULL: */
    const knack_param *const *param; /* [params] attacked */
    int64_t params;
    knack_weights *shifted; /* weights, with the attacked ones moved */
};

struct fgm_local {
    int64_t row; /* width of the layer's last axis */
};

/* x += epsilon g / |g| in each of `spans` stretches of x, g [spans, width]; returns how many had a direction to go. */
static int64_t attack(knack_real *x, const knack_real *g, int64_t spans, int64_t width, double epsilon)
{
    int64_t moved = 0;
    for (int64_t i = 0; i < spans; i++) {
        double norm = knack_norm(g + i * width, width), factor = epsilon / norm;
        if (!isfinite(norm) || !isfinite((knack_real)factor)) continue; /* Inf / Inf would write NaN, a norm near 0 overflow */
        knack_axpy(x + i * width, factor, g + i * width, width);
        moved++;
    }
    return moved;
}

/* ---- Options ---- */

static knack_status choose_norm(knack_trick *trick, struct fgm *self, const char *norm)
{
    self->norm = self->layer ? NORM_EXAMPLE : NORM_TENSOR;
    if (!norm) return KNACK_OK;
    self->norm = !strcmp(norm, "row") ? NORM_ROW : !strcmp(norm, "example") ? NORM_EXAMPLE : NORM_TENSOR;
    if (self->norm == NORM_EXAMPLE && !self->layer)
        return knack_fail(trick, "\"norm\": \"example\" is for a layer; a parameter has no examples, but \"tensor\" and \"row\"");
    return KNACK_OK;
}

static knack_status fgm_open(knack_trick *trick)
{
    struct fgm *self = knack_self(trick);
    const char *parameters = knack_option_string(trick, "parameters");
    self->layer = knack_option_string(trick, "layer");
    self->epsilon = knack_option_number(trick, "epsilon");
    self->coefficient = knack_option_number(trick, "coefficient");
    self->flags = knack_option_flag(trick, "redraw") ? KNACK_REDRAW : 0;
    knack_status status = choose_norm(trick, self, knack_option_string(trick, "norm"));
    if (status < 0) return status;
    if (!parameters == !self->layer)
        return knack_fail(trick,
                          "give one of \"layer\" (a layer's name, as \"input\") and \"parameters\" (a pattern of names, as \"*embed*\")");
    if (self->layer && strpbrk(self->layer, "*?["))
        return knack_fail(trick, "\"layer\": \"%s\" is a pattern; one layer's name is needed", self->layer);
    if (self->layer) return knack_watch_layer(trick, self->layer);
    self->params = knack_params(trick, parameters, &self->param);
    self->shifted = knack_weight_set(trick, NULL, KNACK_SCRATCH);
    return KNACK_OK;
}

/* ---- Attacks: each returns how many steps it made ---- */

static knack_tensor *fgm_layer(knack_trick *trick, knack_step *step, const char *name, knack_tensor *out)
{
    int axes;
    const int64_t *shape = knack_shape(out, &axes);
    struct fgm_local *local = knack_local(trick, step);
    if (local && axes > 0) local->row = shape[axes - 1];
    return knack_perturb(trick, step, name, out);
}

static int64_t attack_layer(knack_trick *trick, knack_step *step)
{
    const struct fgm *self = knack_self(trick);
    const struct fgm_local *local = knack_local(trick, step);
    struct knack_perturbation *at = knack_perturbation(trick, step, self->layer, NULL);
    if (!at) return knack_fail(trick, "layer \"%s\" was not computed in this step", self->layer);
    int64_t entries = at->rows * at->width;
    int64_t width = self->norm == NORM_TENSOR ? entries : self->norm == NORM_ROW ? local->row : at->width;
    int64_t moved = attack(at->value, at->gradient, entries / width, width, self->epsilon);
    at->active = moved > 0;
    return moved;
}

static int64_t attack_parameters(knack_trick *trick, knack_step *step)
{
    const struct fgm *self = knack_self(trick);
    int64_t moved = 0;
    memcpy(knack_values(self->shifted, NULL), knack_weights_in_use(trick, NULL),
           (size_t)knack_task(trick)->parameters * sizeof(knack_real));
    for (int64_t k = 0; k < self->params; k++) {
        const knack_param *p = self->param[k];
        int64_t rows = self->norm == NORM_ROW ? p->shape[0] : 1;
        moved += attack(knack_values(self->shifted, p), knack_gradients(step, p), rows, p->count / rows, self->epsilon);
    }
    return moved;
}

static knack_status fgm_gradient(knack_trick *trick, knack_step *step)
{
    const struct fgm *self = knack_self(trick);
    knack_status status = knack_next_gradient(trick, step, 0, 1, 0); /* clean */
    if (status != KNACK_OK && status != KNACK_IDLE) return status;
    int64_t moved = self->layer ? attack_layer(trick, step) : attack_parameters(trick, step);
    if (moved < 0) return (knack_status)moved;
    knack_metric(trick, "attacked", (double)moved);
    if (moved == 0) return KNACK_IDLE;
    if (!self->layer && (status = knack_use_weights(trick, self->shifted)) < 0) return status;
    return knack_next_gradient(trick, step, 1, self->coefficient, self->flags); /* added */
}

static const knack_plugin fgm = {
    .size = sizeof fgm,
    .abi = KNACK_ABI,
    .name = "fgm",
    .version = "1.0.0",
    .self_size = sizeof(struct fgm),
    .local_size = sizeof(struct fgm_local),
    .open = fgm_open,
    .layer = fgm_layer,
    .gradient = fgm_gradient,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &fgm : NULL;
}
