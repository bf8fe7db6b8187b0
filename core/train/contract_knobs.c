/* The contract: knobs of the step. */
#include <math.h>

#include "train/state.h"

/* A field has one writer: two tricks that set it would undo each other without a word. */
static knack_status own_field(struct run *run, const knack_trick *trick, int field, const char *name)
{
    const knack_trick **owner = &run->plan.owner[field];
    if (*owner && *owner != trick)
        return call_fail(run, KNACK_E_CONFIG, "knack_set_plan(): %s is set by %s already; list one of the two", name, (*owner)->name);
    *owner = trick;
    return KNACK_OK;
}

static knack_status check_plan(struct run *run, const struct knack_plan *plan, bool begin)
{
    int exponent;
    if (plan->compute && plan->compute != KNACK_REAL && plan->compute != KNACK_F32 && plan->compute != KNACK_BF16)
        return call_fail(run, KNACK_E_CONFIG, "knack_set_plan(): compute must be KNACK_F32 or KNACK_BF16");
    if (plan->micro_batch < 0 || (plan->micro_batch && !begin))
        return call_fail(run, KNACK_E_CALL, "knack_set_plan(): micro_batch is a number of rows, set in run_begin only");
    if (plan->loss_scale != 0 && (!(plan->loss_scale > 0) || !isfinite(plan->loss_scale) || frexp(plan->loss_scale, &exponent) != 0.5))
        return call_fail(run, KNACK_E_CONFIG, "knack_set_plan(): loss_scale = %g is no power of two", plan->loss_scale);
    return KNACK_OK;
}

knack_status knack_set_plan(knack_trick *trick, const struct knack_plan *plan)
{
    struct run *run = trick->run;
    if (!call_allowed(trick, AT(RUN_BEGIN) | AT(GRADIENT), "knack_set_plan")) return KNACK_E_CALL;
    if (!call_access(trick, ACCESS_PLAN, true, "knack_set_plan")) return KNACK_E_CALL;
    bool begin = run->call->slot == SLOT_RUN_BEGIN;
    if (!begin && run->call->passes > 0)
        return call_fail(run, KNACK_E_CALL, "knack_set_plan() in gradient comes before its first knack_next_gradient()");
    TRY(check_plan(run, plan, begin));
    if (plan->compute) TRY(own_field(run, trick, 0, "compute"));
    if (plan->micro_batch) TRY(own_field(run, trick, 1, "micro_batch"));
    if (plan->loss_scale != 0) TRY(own_field(run, trick, 2, "loss_scale"));
    if (plan->compute) run->plan.compute = plan->compute == KNACK_BF16 ? KNACK_BF16 : KNACK_REAL;
    if (plan->micro_batch) run->plan.micro_batch = plan->micro_batch;
    if (plan->loss_scale != 0) run->plan.loss_scale = plan->loss_scale;
    return KNACK_OK;
}

knack_status knack_set_lr(knack_step *step, double lr)
{
    knack_trick *trick = call_of_step(step, AT(PRE_STEP), "knack_set_lr");
    if (!trick || !call_access(trick, ACCESS_LR, true, "knack_set_lr")) return KNACK_E_CALL;
    if (!isfinite(lr) || lr < 0) return call_fail(step->run, KNACK_E_CALL, "knack_set_lr(): lr = %g must be finite and at least 0", lr);
    step->lr = lr;
    step->run->now.lr = lr;
    return KNACK_OK;
}
