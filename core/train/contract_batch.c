/* The contract: the batch and its targets. */
#include <string.h>

#include "train/state.h"

static const uint32_t with_step =
    AT(PRE_STEP) | AT(POST_BACKWARD) | AT(POST_STEP) | AT(LAYER) | AT(HEAD) | AT(LOSS) | AT(GRADIENT) | AT(PREDICT) | AT(VISIT);
static const uint32_t in_pass = AT(LAYER) | AT(HEAD) | AT(LOSS) | AT(PREDICT) | AT(VISIT);

struct knack_batch *knack_batch(knack_step *step)
{
    if (!call_of_step(step, with_step, "knack_batch")) return NULL;
    return in_pass >> step->run->call->slot & 1 ? &step->items : &step->logical;
}

knack_tensor *knack_input(knack_step *step)
{
    knack_trick *trick = call_of_step(step, AT(PRE_STEP) | AT(LOSS) | AT(PREDICT), "knack_input");
    if (!trick || !call_access(trick, ACCESS_INPUTS, false, "knack_input")) return NULL;
    if (step->run->call->slot != SLOT_PRE_STEP) return step->x;
    knack_tensor *x = passes_input(step);
    bool writes = trick->instance->manifest->writes & ACCESS_INPUTS;
    return !x || writes ? x : knack_constant(step, KNACK_REAL, x->ndim, x->shape, x->data); /* a copy, to be read */
}

knack_status knack_set_targets(knack_step *step, knack_tensor *targets)
{
    knack_trick *trick = call_of_step(step, AT(PRE_STEP), "knack_set_targets");
    if (!trick || !call_access(trick, ACCESS_TARGETS, true, "knack_set_targets")) return KNACK_E_CALL;
    knack_status status = targets_replace(step, targets);
    return status < 0 ? call_fail_current(step->run, status) : status;
}

knack_status knack_mix_targets(knack_step *step, const int64_t *partner, const knack_real *lambda)
{
    knack_trick *trick = call_of_step(step, AT(PRE_STEP), "knack_mix_targets");
    if (!trick || !call_access(trick, ACCESS_TARGETS, true, "knack_mix_targets")) return KNACK_E_CALL;
    knack_status status = targets_mix(step, partner, lambda);
    return status < 0 ? call_fail_current(step->run, status) : status;
}

knack_status knack_keep_together(knack_step *step, const int64_t *partner)
{
    knack_trick *trick = call_of_step(step, AT(PRE_STEP), "knack_keep_together");
    if (!trick) return KNACK_E_CALL;
    int64_t rows = step->logical.rows;
    for (int64_t i = 0; i < rows; i++)
        if (partner[i] < 0 || partner[i] >= rows || partner[partner[i]] != i)
            return call_fail(step->run, KNACK_E_CALL, "knack_keep_together(): partner is no involution at row %lld", (long long)i);
    if (!step->group) {
        step->group = arena_alloc(step->run->step_arena, (size_t)rows * sizeof *step->group);
        if (!step->group) return call_fail_current(step->run, KNACK_E_MEMORY);
        for (int64_t i = 0; i < rows; i++) step->group[i] = partner[i] < i ? partner[i] : i;
        return KNACK_OK;
    }
    /* Groups are named by their smallest row; joining two renames the one with the larger name. */
    for (int64_t i = 0; i < rows; i++) {
        int64_t a = step->group[i], b = step->group[partner[i]];
        for (int64_t j = 0; a != b && j < rows; j++)
            if (step->group[j] == (a > b ? a : b)) step->group[j] = a < b ? a : b;
    }
    return KNACK_OK;
}

knack_tensor *knack_mix_rows(knack_step *step, knack_tensor *x, const int64_t *partner, const knack_real *keep, int64_t rows, int64_t width)
{
    knack_trick *trick = call_of_step(step, AT(LAYER), "knack_mix_rows");
    struct model_pass *pass = &step->pass;
    if (!trick || !passes_rows_fit(step, x, "knack_mix_rows")) return NULL;
    int64_t logical = step->logical.rows;
    if (rows != 1 && rows != logical) {
        call_fail(step->run, KNACK_E_CALL, "knack_mix_rows(): keep has %lld rows; there are 1 or %lld", (long long)rows,
                  (long long)logical);
        return NULL;
    }
    int64_t *place = tape_alloc(&step->tape, (size_t)logical * sizeof *place); /* [logical rows] -> row of this pass, or -1 */
    int64_t *local = tape_alloc(&step->tape, (size_t)pass->rows * sizeof *local);
    knack_real *own = rows > 1 ? tape_alloc(&step->tape, (size_t)(pass->rows * width) * sizeof *own) : NULL;
    if (!place || !local || (rows > 1 && !own)) return NULL;
    for (int64_t i = 0; i < logical; i++) place[i] = -1;
    for (int64_t p = 0; p < pass->rows; p++) place[pass->row[p]] = p;
    for (int64_t p = 0; p < pass->rows; p++) {
        int64_t other = partner[pass->row[p]];
        if (other < 0 || other >= logical || place[other] < 0)
            return tape_fail(&step->tape, KNACK_E_CALL,
                             "knack_mix_rows(): row %lld and its partner %lld are not in one micro-batch; "
                             "call knack_keep_together() in pre_step",
                             (long long)pass->row[p], (long long)other);
        local[p] = place[other];
        if (own) memcpy(own + p * width, keep + pass->row[p] * width, (size_t)width * sizeof *own);
    }
    return tensor_mix_rows(x, local, own ? own : keep, own ? pass->rows : 1, width);
}
