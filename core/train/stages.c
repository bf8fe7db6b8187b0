/* Chains of tricks: each stage's outermost trick is called, and its next_*() calls what lies inside. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/state.h"

static bool has_stage(const knack_plugin *plugin, enum slot slot)
{
    switch (slot) {
    case SLOT_HEAD:
        return plugin->head != NULL;
    case SLOT_LOSS:
        return plugin->loss != NULL;
    case SLOT_GRADIENT:
        return plugin->gradient != NULL;
    case SLOT_PREDICT:
        return plugin->predict != NULL;
    default:
        return false;
    }
}

/* The next acting trick inside `after` that has the stage, or NULL: the host. */
static knack_trick *next_trick(const struct run *run, int64_t after, enum slot slot)
{
    for (int64_t i = after + 1; i < run->trick_count; i++)
        if (run->tricks[i].acting && has_stage(run->tricks[i].plugin, slot)) return &run->tricks[i];
    return NULL;
}

knack_status passes_failure(knack_step *step)
{
    struct run *run = step->run;
    if (run->failure < 0) return status_set(run->failure, "%s", run->failure_message);
    return tape_status(&step->tape);
}

/* Whether a stage gave [rows] or, with columns above 0, [rows, columns]. */
static knack_status check_shape(const knack_tensor *out, int64_t rows, int64_t columns)
{
    char given[96], expected[96];
    int64_t shape[2] = {rows, columns};
    int ndim = columns > 0 ? 2 : 1;
    if (out->type == KNACK_REAL && out->ndim == ndim && out->shape[0] == rows && (ndim == 1 || out->shape[1] == columns)) return KNACK_OK;
    return status_set(KNACK_E_SHAPE, "gave %s, expected %s", shape_text(given, out->ndim, out->shape), shape_text(expected, ndim, shape));
}

/* Ends the call of a stage that gave `out`, which has to be [rows, columns], or [rows] if columns is 0; rows 0: of any shape. in: what it
 * got; the same back, or next's value, is idle. */
static knack_tensor *stage_end(struct call *call, const knack_tensor *in, knack_tensor *out, int64_t rows, int64_t columns)
{
    knack_status status = out == in || out == call->next ? KNACK_IDLE : KNACK_OK;
    if (!out) {
        status = passes_failure(call->step);
        if (status >= 0) status = status_set(KNACK_E_PLUGIN, "returned NULL");
    } else if (rows > 0 && check_shape(out, rows, columns) < 0) {
        status = KNACK_E_SHAPE;
    }
    return call_end(call, status) < 0 ? NULL : out;
}

knack_tensor *stages_head(knack_step *step, int64_t after, knack_tensor *features)
{
    struct run *run = step->run;
    knack_trick *trick = next_trick(run, after, SLOT_HEAD);
    if (!features) return NULL;
    if (!trick) return model_head(run->model, step, features);
    struct call call;
    call_begin(&call, trick, SLOT_HEAD, step);
    return stage_end(&call, features, trick->plugin->head(trick, step, features), features->shape[0], run->data->outputs);
}

knack_tensor *stages_loss(knack_step *step, int64_t after, knack_tensor *logits)
{
    knack_trick *trick = next_trick(step->run, after, SLOT_LOSS);
    if (!logits) return NULL;
    if (!trick) return targets_loss(step, logits);
    struct call call;
    call_begin(&call, trick, SLOT_LOSS, step);
    return stage_end(&call, logits, trick->plugin->loss(trick, step, logits), logits->shape[0], 0);
}

knack_tensor *stages_predict(knack_step *step, int64_t after, knack_tensor *x)
{
    knack_trick *trick = next_trick(step->run, after, SLOT_PREDICT);
    if (!x) return NULL;
    if (!trick) return passes_predict(step, x);
    struct call call;
    call_begin(&call, trick, SLOT_PREDICT, step);
    return stage_end(&call, x, trick->plugin->predict(trick, step, x), step->logical.rows, step->run->data->outputs);
}

knack_tensor *stages_filter(knack_step *step, const char *name, knack_tensor *out)
{
    struct run *run = step->run;
    int64_t layer = 0;
    while (layer < run->model->layer_count && strcmp(run->model->layer[layer], name) != 0) layer++;
    if (layer == run->model->layer_count) return out;
    for (int64_t i = 0; i < run->trick_count && out; i++) {
        knack_trick *trick = &run->tricks[i];
        if (!trick->acting || !trick->plugin->layer || !trick->watches || !trick->watches[layer]) continue;
        struct call call;
        call_begin(&call, trick, SLOT_LAYER, step);
        out = stage_end(&call, out, trick->plugin->layer(trick, step, run->model->layer[layer], out), 0, 0);
    }
    return out;
}

/* ---- The gradient stage (rule 1) ---- */

/* The stage of one trick; its gradient is then the buffer's. */
static knack_status call_gradient(struct run *run, knack_trick *trick, uint32_t flags)
{
    struct call call;
    uint32_t outer_flags = run->pass_flags;
    struct plan plan = run->plan;
    run->pass_flags |= flags & KNACK_REDRAW;
    perturbations_enter(trick);
    call_begin(&call, trick, SLOT_GRADIENT, &run->step);
    knack_status status = trick->plugin->gradient(trick, &run->step);
    if ((status == KNACK_OK || status == KNACK_IDLE) && call.passes == 0)
        status = status_set(KNACK_E_PLUGIN, "never called knack_next_gradient(), so that there is no gradient");
    if (status >= 0 && call.not_finite) status = KNACK_SKIP_UPDATE; /* whether the trick passes it on or not */
    bool writes = trick->instance->manifest->writes & ACCESS_GRADIENTS;
    if (writes && (status == KNACK_OK || status == KNACK_IDLE) && trick_spoiled(trick)) status = KNACK_SKIP_UPDATE;
    status = call_end(&call, status);
    run->plan = plan;
    run->pass_flags = outer_flags;
    return status;
}

static knack_status borrow(struct run *run, knack_real **buffer)
{
    size_t count = (size_t)run->params->total;
    if (run->lent == sizeof run->borrowed / sizeof *run->borrowed)
        return status_set(KNACK_E_CONFIG, "more than %zu tricks that add gradients are nested",
                          sizeof run->borrowed / sizeof *run->borrowed);
    knack_real **lent = &run->borrowed[run->lent];
    if (!*lent) *lent = memory_new(count, sizeof **lent);
    if (!*lent) return KNACK_E_MEMORY;
    run->lent++;
    memcpy(*lent, run->params->gradients, count * sizeof **lent);
    *buffer = *lent;
    return KNACK_OK;
}

knack_status stages_gradient(struct run *run, int64_t after, double keep, double weight, uint32_t flags, bool first)
{
    knack_trick *trick = next_trick(run, after, SLOT_GRADIENT);
    if (!trick) return passes_gradient(run, keep, weight, flags | run->pass_flags, first);
    knack_real *gradient = run->params->gradients, *before = NULL;
    struct kept_gradient *offsets = NULL;
    if (!first && keep != 0) {
        TRY(perturbations_keep(run, after, &offsets));
        TRY(borrow(run, &before));
    }
    knack_status status = call_gradient(run, trick, flags);
    if (before) run->lent--;
    if (status < 0 || status == KNACK_SKIP_UPDATE) return status;
    if (!before && weight == 1) return KNACK_OK;
    knack_real k = (knack_real)keep, w = (knack_real)weight;
    perturbations_combine(run, after, offsets, keep, weight);
    for (int64_t i = 0; i < run->params->total; i++) gradient[i] = before ? k * before[i] + w * gradient[i] : w * gradient[i];
    return flat_finite(gradient, run->params->total) ? KNACK_OK : KNACK_SKIP_UPDATE;
}
