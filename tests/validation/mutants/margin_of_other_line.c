/* A fault on purpose: whether an effect reaches the margin is asked at equal updates, and told of equal cost. */
#include "compare/inference/inference.h"

void __real_judge_finding(const struct plan *, struct finding *);
void __wrap_judge_finding(const struct plan *, struct finding *);

void __wrap_judge_finding(const struct plan *plan, struct finding *f)
{
    __real_judge_finding(plan, f);
    if (f->at_equal_cost.n == 0 || f->kind == VERDICT_HELPS || f->kind == VERDICT_HURTS || f->kind == VERDICT_NONE) return;
    f->kind = judge_line(&f->estimate, false, plan->margin);
    f->by_cost = true;
}
