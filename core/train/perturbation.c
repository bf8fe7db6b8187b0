/* The contract: offsets of layers' outputs by tricks, and their gradients through the passes of a step.
 *
 * The gradient at a trick's own offset is that of what its latest knack_next_gradient() computed, whatever that weighs in the sum. To
 * tricks inside of it the offset is a part of the point, as weights are: what they keep and weigh of the weights' gradient, they keep and
 * weigh of the offset's.
 */
#include <string.h>

#include "base/memory.h"
#include "train/state.h"

static int64_t entries(const struct trick_perturbation *at)
{
    return at->public.value ? at->public.rows * at->public.width : 0;
}

/* ---- For tricks ---- */

static struct trick_perturbation *find(knack_trick *trick, const char *layer)
{
    for (int64_t i = 0; i < trick->perturbations; i++)
        if (!strcmp(trick->perturbation[i]->layer, layer)) return trick->perturbation[i];
    return NULL;
}

/* Each has memory of its own, since tricks keep pointers to its public part. */
static struct trick_perturbation *add(knack_trick *trick, const char *layer)
{
    struct trick_perturbation **grown = memory_resize(trick->perturbation, (size_t)trick->perturbations + 1, sizeof *grown);
    if (grown) trick->perturbation = grown;
    struct trick_perturbation *at = grown ? memory_new(1, sizeof *at) : NULL;
    if (at) at->layer = memory_text(layer);
    if (!at || !at->layer) {
        memory_free(at);
        return NULL;
    }
    return trick->perturbation[trick->perturbations++] = at;
}

/* The offset of this step, made at the layer's first forward. */
static struct trick_perturbation *of_layer(knack_trick *trick, knack_step *step, const char *layer, const knack_tensor *out)
{
    struct trick_perturbation *at = find(trick, layer);
    if (!at && out) at = add(trick, layer);
    if (!at || (!at->public.value && !out)) return NULL;
    if (at->public.value) return at;
    int64_t rows = step->logical.rows, width = out->shape[0] ? out->count / out->shape[0] : 0;
    size_t bytes = (size_t)(rows * width) * sizeof(knack_real);
    knack_real *value = arena_zeroed(step->run->step_arena, bytes);
    at->gradient = arena_zeroed(step->run->step_arena, bytes);
    if (!value || !at->gradient) return NULL;
    at->public = (struct knack_perturbation){sizeof at->public, 0, rows, width, value, at->gradient};
    return at;
}

struct knack_perturbation *knack_perturbation(knack_trick *trick, knack_step *step, const char *layer, knack_tensor *out)
{
    if (!call_allowed(trick, AT(LAYER) | AT(GRADIENT), "knack_perturbation")) return NULL;
    struct trick_perturbation *at = of_layer(trick, step, layer, trick->run->call->slot == SLOT_LAYER ? out : NULL);
    return at ? &at->public : NULL;
}

/* Whether the trick is outside of the one that asked for the pass. */
static bool is_outside(const knack_trick *trick, const knack_step *step)
{
    return trick->index < step->asked_by;
}

knack_tensor *knack_perturb(knack_trick *trick, knack_step *step, const char *layer, knack_tensor *out)
{
    if (!call_allowed(trick, AT(LAYER), "knack_perturb") || !out) return NULL;
    if (step->evaluation) return out;
    if (!passes_rows_fit(step, out, "knack_perturb")) return NULL;
    struct trick_perturbation *at = of_layer(trick, step, layer, out);
    if (!at) {
        call_fail_current(trick->run, KNACK_E_MEMORY);
        return NULL;
    }
    double weight = is_outside(trick, step) && !step->param_gradients ? 0 : is_outside(trick, step) ? 1 : 1 / step->weight;
    double scale = weight / trick->run->plan.loss_scale;
    return tensor_perturb(out, at->public.active ? at->public.value : NULL, at->gradient, scale, step->pass.row);
}

/* ---- For the gradient stage ---- */

void perturbations_enter(knack_trick *trick)
{
    for (int64_t i = 0; i < trick->perturbations; i++) {
        struct trick_perturbation *at = trick->perturbation[i];
        size_t bytes = (size_t)entries(at) * sizeof(knack_real);
        at->public.active = 0;
        if (!bytes) continue;
        memset(at->public.value, 0, bytes);
        memset(at->gradient, 0, bytes);
    }
}

void perturbations_begin_pass(struct run *run, double keep)
{
    for (int64_t i = 0; i < run->trick_count; i++) {
        const knack_trick *trick = &run->tricks[i];
        knack_real factor = is_outside(trick, &run->step) ? (knack_real)keep : 0;
        for (int64_t k = 0; k < trick->perturbations && factor != 1; k++) {
            knack_real *gradient = trick->perturbation[k]->gradient;
            for (int64_t j = 0; j < entries(trick->perturbation[k]); j++) gradient[j] = factor != 0 ? factor * gradient[j] : 0;
        }
    }
}

/* A copy of one offset's gradient; memory of the step's arena. */
struct kept_gradient {
    struct trick_perturbation *of;
    const knack_real *gradient;
    struct kept_gradient *next;
};

knack_status perturbations_keep(struct run *run, int64_t outside_of, struct kept_gradient **kept)
{
    *kept = NULL;
    for (int64_t i = 0; i < outside_of; i++) {
        for (int64_t k = 0; k < run->tricks[i].perturbations; k++) {
            struct trick_perturbation *at = run->tricks[i].perturbation[k];
            size_t bytes = (size_t)entries(at) * sizeof(knack_real);
            if (!bytes) continue;
            struct kept_gradient *copy = arena_alloc(run->step_arena, sizeof *copy);
            knack_real *gradient = copy ? arena_alloc(run->step_arena, bytes) : NULL;
            if (!gradient) return KNACK_E_MEMORY;
            memcpy(gradient, at->gradient, bytes);
            *copy = (struct kept_gradient){at, gradient, *kept};
            *kept = copy;
        }
    }
    return KNACK_OK;
}

void perturbations_combine(struct run *run, int64_t outside_of, const struct kept_gradient *kept, double keep, double weight)
{
    knack_real k = (knack_real)keep, w = (knack_real)weight;
    for (int64_t i = 0; i < outside_of && w != 1; i++) {
        for (int64_t p = 0; p < run->tricks[i].perturbations; p++) {
            struct trick_perturbation *at = run->tricks[i].perturbation[p];
            for (int64_t j = 0; j < entries(at); j++) at->gradient[j] *= w;
        }
    }
    for (; kept; kept = kept->next)
        for (int64_t j = 0; j < entries(kept->of); j++) kept->of->gradient[j] += k * kept->gradient[j];
}
