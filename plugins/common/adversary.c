#include "common/adversary.h"

#include <math.h>
#include <string.h>

/* ---- What is attacked ---- */

knack_status adversary_watch(knack_trick *trick, const char *layer)
{
    if (!layer) return knack_fail(trick, "\"layer\" is missing: the name of a layer, as \"input\"");
    if (strpbrk(layer, "*?[")) return knack_fail(trick, "\"layer\": \"%s\" is a pattern; one layer's name is needed", layer);
    if (knack_task(trick)->vocabulary && !strcmp(layer, "input"))
        return knack_fail(trick,
                          "\"layer\": the input is token ids, which have no gradient; attack a layer behind it, such as \"embedding\"");
    return knack_watch_layer(trick, layer);
}

static knack_status choose_norm(knack_trick *trick, struct adversary *attack, const char *norm)
{
    attack->norm = attack->layer ? ADVERSARY_EXAMPLE : ADVERSARY_TENSOR;
    if (!norm) return KNACK_OK;
    attack->norm = !strcmp(norm, "row") ? ADVERSARY_ROW : !strcmp(norm, "example") ? ADVERSARY_EXAMPLE : ADVERSARY_TENSOR;
    if (attack->norm == ADVERSARY_EXAMPLE && !attack->layer)
        return knack_fail(trick, "\"norm\": \"example\" is for a layer; a parameter has no examples, but \"tensor\" and \"row\"");
    return KNACK_OK;
}

knack_status adversary_open(knack_trick *trick, struct adversary *attack)
{
    const char *parameters = knack_option_string(trick, "parameters");
    attack->layer = knack_option_string(trick, "layer");
    knack_status status = choose_norm(trick, attack, knack_option_string(trick, "norm"));
    if (status < 0) return status;
    if (!parameters == !attack->layer)
        return knack_fail(
            trick, "give one of \"layer\" (a layer's name, as \"%s\") and \"parameters\" (a pattern of names, as \"embedding.weight\")",
            knack_task(trick)->vocabulary ? "embedding" : "input");
    if (attack->layer) return adversary_watch(trick, attack->layer);
    attack->params = knack_params(trick, parameters, &attack->param);
    attack->shifted = knack_weight_set(trick, NULL, KNACK_SCRATCH);
    return KNACK_OK;
}

knack_tensor *adversary_layer(knack_trick *trick, knack_step *step, const char *name, knack_tensor *out)
{
    int axes;
    const int64_t *shape = knack_shape(out, &axes);
    struct adversary_local *local = knack_local(trick, step);
    if (local && axes > 0) local->row = shape[axes - 1];
    return knack_perturb(trick, step, name, out);
}

struct knack_perturbation *adversary_offset(knack_trick *trick, knack_step *step, const char *layer)
{
    struct knack_perturbation *at = knack_perturbation(trick, step, layer, NULL);
    if (!at) knack_fail(trick, "layer \"%s\" was not computed in this step", layer);
    return at;
}

struct adversary_stretches adversary_of_layer(enum adversary_norm norm, const struct knack_perturbation *at, int64_t row)
{
    int64_t entries = at->rows * at->width;
    int64_t width = norm == ADVERSARY_TENSOR ? entries : norm == ADVERSARY_ROW ? row : at->width;
    return (struct adversary_stretches){entries / width, width};
}

struct adversary_stretches adversary_of_param(enum adversary_norm norm, const knack_param *p)
{
    int64_t rows = norm == ADVERSARY_ROW ? p->shape[0] : 1;
    return (struct adversary_stretches){rows, p->count / rows};
}

void adversary_copy_weights(knack_trick *trick, knack_weights *to)
{
    memcpy(knack_values(to, NULL), knack_weights_in_use(trick, NULL), (size_t)knack_task(trick)->parameters * sizeof(knack_real));
}

/* ---- Steps ---- */

int64_t adversary_step(knack_real *x, const knack_real *g, struct adversary_stretches in, double length)
{
    int64_t moved = 0;
    for (int64_t i = 0; i < in.count; i++) {
        double norm = knack_norm(g + i * in.width, in.width), factor = length / norm;
        if (!isfinite(norm) || !isfinite((knack_real)factor)) continue; /* Inf / Inf would write NaN, a norm near 0 overflow */
        knack_axpy(x + i * in.width, factor, g + i * in.width, in.width);
        moved++;
    }
    return moved;
}

void adversary_project(knack_real *r, struct adversary_stretches in, double radius)
{
    for (int64_t i = 0; i < in.count; i++) {
        knack_real *stretch = r + i * in.width;
        double norm = knack_norm(stretch, in.width);
        if (!(norm > radius)) continue; /* at length 0, radius / norm 0 would be NaN */
        knack_real factor = (knack_real)(radius / norm);
        for (int64_t j = 0; j < in.width; j++) stretch[j] *= factor;
    }
}
