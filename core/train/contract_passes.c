/* The contract: passes that tricks ask for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "train/state.h"

knack_status knack_next_gradient(knack_trick *trick, knack_step *step, double keep, double weight, uint32_t flags)
{
    if (!call_allowed(trick, AT(GRADIENT), "knack_next_gradient")) return KNACK_E_CALL;
    struct run *run = step->run;
    if (!isfinite(keep) || !isfinite(weight))
        return call_fail(run, KNACK_E_CALL, "knack_next_gradient(): keep = %g and weight = %g must be finite", keep, weight);
    if (flags & ~(uint32_t)KNACK_REDRAW) return call_fail(run, KNACK_E_CALL, "knack_next_gradient() takes no flag but KNACK_REDRAW");
    struct call *call = run->call;
    if (tape_status(&step->tape) < 0) return call_fail_current(run, tape_status(&step->tape)); /* which the pass would wipe out */
    bool first = call->passes++ == 0;
    if (!first) trick->gradient_passes++;
    uint64_t paused = call_pause();
    knack_status status = stages_gradient(run, trick->index, keep, weight, flags, first);
    call_resume(call, paused);
    call->not_finite = status == KNACK_SKIP_UPDATE || (call->not_finite && keep != 0);
    return status < 0 ? call_fail_current(run, status) : status;
}

/* Runs what lies inside the trick's stage; the time is not the trick's. */
static knack_tensor *next(knack_trick *trick, knack_step *step, knack_tensor *(*stage)(knack_step *, int64_t, knack_tensor *),
                          knack_tensor *in)
{
    struct call *call = trick->run->call;
    uint64_t paused = call_pause();
    knack_tensor *out = stage(step, trick->index, in);
    call_resume(call, paused);
    call->next = out;
    return out;
}

knack_tensor *knack_next_head(knack_trick *trick, knack_step *step, knack_tensor *features)
{
    return call_allowed(trick, AT(HEAD), "knack_next_head") ? next(trick, step, stages_head, features) : NULL;
}

knack_tensor *knack_next_loss(knack_trick *trick, knack_step *step, knack_tensor *logits)
{
    return call_allowed(trick, AT(LOSS), "knack_next_loss") ? next(trick, step, stages_loss, logits) : NULL;
}

knack_tensor *knack_next_predict(knack_trick *trick, knack_step *step, knack_tensor *x)
{
    return call_allowed(trick, AT(PREDICT), "knack_next_predict") ? next(trick, step, stages_predict, x) : NULL;
}

knack_tensor *knack_forward(knack_trick *trick, knack_step *step, knack_tensor *x, uint32_t flags)
{
    if (!call_allowed(trick, AT(LOSS) | AT(PREDICT), "knack_forward")) return NULL;
    struct call *call = trick->run->call;
    if (call->slot == SLOT_PREDICT && !(flags & KNACK_EVAL)) {
        call_fail(trick->run, KNACK_E_CALL, "knack_forward() in predict needs KNACK_EVAL");
        return NULL;
    }
    if (flags & KNACK_FEATURES && !call_access(trick, ACCESS_FEATURES, false, "knack_forward")) return NULL;
    uint64_t paused = call_pause();
    int64_t before = step->records;
    knack_tensor *out = passes_forward(step, x, flags);
    if (step->records != before) trick->forwards++;
    call_resume(call, paused);
    return out;
}

knack_tensor *knack_features(knack_step *step, knack_tensor *logits)
{
    knack_trick *trick = call_of_step(step, AT(LOSS), "knack_features");
    if (!trick || !call_access(trick, ACCESS_FEATURES, false, "knack_features")) return NULL;
    for (int64_t i = 0; i < step->records && i < FORWARD_RECORDS; i++)
        if (logits && step->record[i].logits == logits) return step->record[i].features;
    call_fail(step->run, KNACK_E_CALL, "knack_features(): these logits did not come from a forward of this pass");
    return NULL;
}

/* A trick that was refused the gradient often uses it before its hook returns and the run ends; zeros let it get there. */
static knack_real *spare_gradients(knack_step *step, const knack_param *param)
{
    knack_real *zeros = arena_zeroed(step->run->step_arena, (size_t)step->run->params->total * sizeof *zeros);
    return zeros ? zeros + (param ? param->offset : 0) : NULL;
}

knack_real *knack_gradients(knack_step *step, const knack_param *param)
{
    knack_trick *trick = call_of_step(step, AT(GRADIENT) | AT(POST_BACKWARD), "knack_gradients");
    if (!trick) return NULL;
    if (!call_access(trick, ACCESS_GRADIENTS, false, "knack_gradients")) return spare_gradients(step, param);
    struct call *call = step->run->call;
    if (call->slot == SLOT_GRADIENT && call->passes == 0) {
        call_fail(step->run, KNACK_E_CALL, "knack_gradients() before the first knack_next_gradient(): there is no gradient yet");
        return spare_gradients(step, param);
    }
    return step->run->params->gradients + (param ? param->offset : 0);
}

/* ---- Views and sweeps ---- */

/* Whether there are such views; warns, once, of those that training never shows. */
static knack_status check_views(knack_trick *trick, const char *const *view, int64_t count)
{
    char list[512];
    size_t used = 0;
    for (int64_t i = 0; i < count; i++) {
        bool trained;
        TRY(data_view(trick->run->data, view[i], 0, NULL, NULL, &trained));
        if (!trained && used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"", used > 0 ? ", " : "", view[i]);
    }
    if (used > 0)
        knack_warn(trick,
                   "the model is to predict views that training never shows it, since nothing in data.augment draws them, and will only "
                   "guess: %s; let training draw them, or leave them out",
                   list);
    return KNACK_OK;
}

knack_status knack_need_views(knack_trick *trick, const char *const *view, int64_t count)
{
    if (!call_allowed(trick, AT(OPEN), "knack_need_views")) return KNACK_E_CALL;
    trick->views_checked = true;
    knack_status status = check_views(trick, view, count);
    return status < 0 ? call_fail_current(trick->run, status) : status;
}

knack_tensor *knack_view(knack_trick *trick, knack_step *step, const char *view, knack_tensor *x)
{
    struct run *run = trick->run;
    if (!call_allowed(trick, AT(LOSS) | AT(PREDICT), "knack_view") || !x) return NULL;
    int64_t rows = x->shape[0];
    if (x->type != KNACK_REAL || x->count != rows * run->data->width) {
        call_fail(run, KNACK_E_SHAPE, "knack_view(): x is no batch of inputs");
        return NULL;
    }
    knack_real *out = tape_alloc(&step->tape, (size_t)x->count * sizeof *out);
    if (!out) return NULL;
    knack_status status = KNACK_OK;
    if (!strcmp(view, "train")) {
        memcpy(out, x->data, (size_t)x->count * sizeof *out);
        status = data_augment(run->data, trick_key(trick), (uint32_t)run->at.batch, step->items.row, rows, out);
    } else {
        if (!trick->views_checked) status = check_views(trick, &view, 1);
        if (status >= 0) status = data_view(run->data, view, rows, x->data, out, NULL);
    }
    if (status < 0) {
        call_fail_current(run, status);
        return NULL;
    }
    return tape_constant(&step->tape, KNACK_REAL, x->ndim, x->shape, out);
}

static knack_status part_of(struct run *run, const char *name, enum data_part *part)
{
    for (int p = 0; p < PART_COUNT; p++) {
        if (strcmp(data_part_name[p], name) != 0) continue;
        *part = (enum data_part)p;
        if (run->data->part[p].count > 0) return KNACK_OK;
        return status_set(KNACK_E_CONFIG, "knack_sweep(): the data have no %s part", name);
    }
    return status_set(KNACK_E_CALL, "knack_sweep(): there is no part \"%s\"; there are train, validation, test", name);
}

knack_status knack_sweep(knack_trick *trick, const char *name, uint32_t flags,
                         knack_status (*visit)(knack_trick *, knack_step *, knack_tensor *))
{
    struct run *run = trick->run;
    enum data_part part = PART_TRAIN;
    if (!call_allowed(trick, AT(EPOCH_BEGIN) | AT(EPOCH_END) | AT(EVAL_BEGIN) | AT(RUN_END), "knack_sweep")) return KNACK_E_CALL;
    if (flags & KNACK_FEATURES && !call_access(trick, ACCESS_FEATURES, false, "knack_sweep")) return KNACK_E_CALL;
    knack_status status = part_of(run, name, &part);
    if (status < 0) return call_fail_current(run, status);
    uint64_t paused = call_pause();
    status = evaluate_sweep(run, trick, part, flags, visit);
    call_resume(run->call, paused);
    return status < 0 ? call_fail_current(run, status) : status;
}
