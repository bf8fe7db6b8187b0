/* The contract: weights in use, weight sets, running statistics. */
#include <string.h>

#include "train/state.h"

static const uint32_t after_open = ANYWHERE & ~AT(OPEN);

const knack_real *knack_weights_in_use(knack_trick *trick, const knack_param *param)
{
    if (!call_allowed(trick, after_open, "knack_weights_in_use")) return NULL;
    return trick->run->in_use->values + (param ? param->offset : 0);
}

/* Sets do not say who is asking: it is whoever is being called. */
static const knack_trick *call_of_set(const knack_weights *set, uint32_t where, const char *function)
{
    struct run *run = set->params->run;
    if (!run->call) {
        call_fail(run, KNACK_E_CALL, "%s() was called outside of any hook", function);
        return NULL;
    }
    return call_allowed(run->call->trick, where, function) ? run->call->trick : NULL;
}

knack_real *knack_values(knack_weights *set, const knack_param *param)
{
    if (!set || !call_of_set(set, after_open, "knack_values")) return NULL;
    return set->values + (param ? param->offset : 0);
}

knack_real *knack_statistics(knack_trick *trick, knack_weights *set, int64_t *count)
{
    if (count) *count = trick->run->params->statistics_total;
    if (!call_allowed(trick, after_open, "knack_statistics")) return NULL;
    return set ? set->statistics : trick->run->in_use->statistics;
}

knack_status knack_use_weights(knack_trick *trick, knack_weights *set)
{
    static const uint32_t where =
        AT(GRADIENT) | AT(LOSS) | AT(PREDICT) | AT(EPOCH_BEGIN) | AT(EPOCH_END) | AT(EVAL_BEGIN) | AT(EVAL_END) | AT(RUN_END);
    if (!call_allowed(trick, where, "knack_use_weights")) return KNACK_E_CALL;
    struct run *run = trick->run;
    struct call *call = run->call;
    run->in_use = set ? set : call->in_use;
    run->now.weights = run->in_use->name;
    if (call->step && call->step->pass.weights) call->step->pass.weights = run->in_use;
    return KNACK_OK;
}

void knack_weights_ready(knack_weights *set)
{
    const knack_trick *trick = set ? call_of_set(set, AT(POST_STEP) | AT(EPOCH_END) | AT(RUN_END), "knack_weights_ready") : NULL;
    if (!trick) return;
    if (!set->owner || strcmp(set->owner, trick->name) != 0)
        call_fail(trick->run, KNACK_E_CALL, "knack_weights_ready(): the set \"%s\" is not of %s", set->name, trick->name);
    else
        set->ready = true;
}
