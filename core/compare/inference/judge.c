/* The verdict's rule: what one line says, and what both say together. */
#include <math.h>

#include "compare/inference/inference.h"

const char *const verdict_kind_name[] = {"none",         "identical",    "helps",     "hurts",        "no meaningful difference",
                                         "not worth it", "inconclusive", "candidate", "no candidate", NULL};

enum verdict_kind judge_line(const struct estimate *e, bool sure, double margin)
{
    if (e->n < INFERENCE_FROM) return VERDICT_NONE;
    if (e->s_d == 0 && e->delta == 0) return VERDICT_IDENTICAL;
    if (isnan(e->ci.low) || isnan(e->ci.high)) return VERDICT_NONE;
    if (sure && e->ci.low > 0) return VERDICT_HELPS;
    if (sure && e->ci.high < 0) return VERDICT_HURTS;
    if (margin > 0 && -margin < e->ci.low && e->ci.high < margin) return VERDICT_NO_DIFFERENCE;
    if (margin > 0 && e->upper < margin) return VERDICT_NOT_WORTH_IT;
    return VERDICT_INCONCLUSIVE;
}

const struct estimate *finding_line(const struct finding *finding)
{
    return finding->by_cost ? &finding->at_equal_cost : &finding->estimate;
}

/* How much of an effect is sure. */
static double sure_size(const struct estimate *e)
{
    return e->delta > 0 ? e->ci.low : -e->ci.high;
}

/* Both lines claim the same: the weaker one decides how much, and their common p whether. */
static void judge_agreement(struct finding *f)
{
    f->by_cost = sure_size(&f->at_equal_cost) < sure_size(&f->estimate);
    f->kind = f->p_adjusted < ALPHA ? f->updates : VERDICT_INCONCLUSIVE;
}

/* Neither claims an effect: no difference takes both lines; whether it is worth the margin is asked at equal cost. */
static void judge_silence(struct finding *f, double margin)
{
    f->by_cost = f->updates != VERDICT_INCONCLUSIVE && f->equal == VERDICT_INCONCLUSIVE;
    f->kind = f->updates == f->equal ? f->equal : VERDICT_INCONCLUSIVE;
    if (f->kind == VERDICT_NO_DIFFERENCE) {
        f->by_cost = f->at_equal_cost.ci.high - f->at_equal_cost.ci.low > f->estimate.ci.high - f->estimate.ci.low;
    } else if (margin > 0 && f->at_equal_cost.upper < margin) {
        f->kind = VERDICT_NOT_WORTH_IT;
        f->by_cost = true;
    }
}

static bool claims(enum verdict_kind kind)
{
    return kind == VERDICT_HELPS || kind == VERDICT_HURTS;
}

/* What one line says where the other claims the contrary, or where only the other claims anything. Each line has a family of its own, so
 * that a HURTS of one alone has half the level: all wrong claims together, with those of both lines, stay below ALPHA. */
static enum verdict_kind judge_alone(const struct estimate *e, double margin)
{
    return judge_line(e, 2 * e->p_adjusted < ALPHA, margin);
}

static void judge_both(struct finding *f, double margin)
{
    if (f->updates == VERDICT_IDENTICAL || f->equal == VERDICT_IDENTICAL) {
        f->kind = VERDICT_IDENTICAL;
        f->by_cost = f->updates != VERDICT_IDENTICAL;
    } else if (claims(f->updates) && f->updates == f->equal) {
        judge_agreement(f);
    } else if (f->updates == VERDICT_HELPS || (claims(f->updates) && f->equal != VERDICT_HELPS)) {
        f->kind = judge_alone(&f->at_equal_cost, margin);
        f->by_cost = true;
    } else if (claims(f->equal) || claims(f->updates)) {
        f->kind = judge_alone(&f->estimate, margin);
    } else {
        judge_silence(f, margin);
    }
}

static bool is_sure(const struct estimate *e)
{
    return e->p_adjusted < ALPHA;
}

bool finding_asks_trained(const struct finding *f)
{
    return f->failed != f->base_failed && f->trained.n > 0;
}

/* A claim, or what would be one if trials that train showed it too. */
static bool failures_make(const struct finding *f, enum verdict_kind claim)
{
    if (!claims(claim) || !finding_asks_trained(f)) return false;
    return !(f->trained.p < ALPHA) || (f->trained.delta > 0) != (claim == VERDICT_HELPS);
}

void judge_finding(const struct plan *plan, struct finding *f)
{
    bool both = f->at_equal_cost.n > 0, agree = f->estimate.delta * f->at_equal_cost.delta > 0;
    f->updates = judge_line(&f->estimate, is_sure(&f->estimate), plan->margin);
    f->equal = both ? judge_line(&f->at_equal_cost, is_sure(&f->at_equal_cost), plan->margin) : VERDICT_NONE;
    f->by_cost = false;
    f->kind = judge_line(&f->estimate, f->p_adjusted < ALPHA, plan->margin);
    if (both && f->equal != VERDICT_NONE && f->updates != VERDICT_NONE) judge_both(f, plan->margin);
    f->decided = f->p_adjusted < ALPHA || (both && !agree && claims(f->kind) && is_sure(&f->estimate) && is_sure(&f->at_equal_cost));
    f->by_failures = failures_make(f, both && f->updates != f->equal ? f->kind : f->updates);
    if (f->by_failures) {
        f->kind = VERDICT_INCONCLUSIVE;
        f->decided = false;
    }
    if (f->score_missing || f->all_failed) f->kind = VERDICT_NONE;
}
