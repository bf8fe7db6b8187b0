/* Inference on differences: of a plan of fixed size, at a look, or at any time. */
#include "compare/inference/estimate.h"

#include <math.h>

#include "compare/statistics/power.h"
#include "compare/statistics/sequential.h"
#include "compare/statistics/sign_flip.h"

static const double prior = 1; /* g of the e-process: effects of about one deviation are looked for */
static const struct interval none = {NAN, NAN};

static struct interval bounded(struct interval interval)
{
    return isfinite(interval.low) && isfinite(interval.high) ? interval : none;
}

void estimate_clear(struct estimate *e)
{
    e->delta = e->s_d = e->se = e->df = e->t = e->p = e->p_flip = e->p_adjusted = e->rho = e->vrf = e->relative = e->detectable =
        e->boundary = NAN;
    e->ci = e->simultaneous = e->next = e->wins_ci = e->relative_ci = none;
    e->upper = INFINITY;
    e->look = -1;
}

/* Differences that agree but for the rounding of their sums are made to agree: otherwise a constant difference would have a tiny
 * deviation, and any p. */
static void remove_rounding(double *difference, int64_t n, double scale)
{
    double tolerance = 1e-13 * scale;
    bool constant = true;
    for (int64_t i = 0; i < n; i++) {
        if (fabs(difference[i]) <= tolerance) difference[i] = 0;
        constant &= fabs(difference[i] - difference[0]) <= tolerance;
    }
    for (int64_t i = 0; constant && i < n; i++) difference[i] = difference[0];
}

struct paired estimate_test(const struct plan *plan, const double *difference, int64_t n)
{
    if (!plan->redraw) return paired_t(difference, n);
    if (plan->shared >= 0) return paired_subset(difference, n, plan->shared);
    return paired_resplit(difference, n, plan->train_count > 0 ? (double)plan->test_count / (double)plan->train_count : NAN);
}

static double or_one(double p)
{
    return isfinite(p) ? p : 1;
}

/* Looks use the lowest seeds: those that finish first are not a random choice, since trials that diverge end early. */
static int64_t blocks_in_a_row(const struct plan *plan, const struct estimate *e)
{
    int64_t count = 0;
    while (count < e->n && e->seed[count] == plan->first_seed + count) count++;
    return count;
}

static void describe(struct estimate *e)
{
    double sum = 0;
    for (int64_t i = 0; i < e->n; i++) sum += e->difference[i];
    e->delta = e->n > 0 ? sum / (double)e->n : NAN;
    e->wins = wins(e->difference, e->n);
}

/* What does not depend on when it is asked. Returns whether there is a spread to test with. */
static bool test(const struct plan *plan, struct estimate *e, struct paired *paired)
{
    describe(e);
    if (e->n < INFERENCE_FROM) return false;
    *paired = estimate_test(plan, e->difference, e->n);
    e->s_d = paired->sd;
    e->se = paired->se;
    e->df = paired->df;
    if (e->s_d > 0) e->t = paired->t;
    return e->s_d > 0;
}

double estimate_any_time_p(const struct plan *plan, const double *difference, int64_t n)
{
    double most = 1;
    for (int64_t i = 2; i <= n; i++) most = fmax(most, e_value(estimate_test(plan, difference, i).t, i, prior));
    return 1 / most;
}

/* Any time after the first: the e-process, with the largest value that it had on the way. */
static void infer_any_time(const struct estimate_context *context, struct estimate *e)
{
    const struct plan *plan = context->plan;
    struct paired paired;
    e->n = blocks_in_a_row(plan, e);
    if (!test(plan, e, &paired)) return;
    e->boundary = e_boundary(e->n, prior, ALPHA);
    e->p = estimate_any_time_p(plan, e->difference, e->n);
    e->ci = bounded(e_interval(&paired, prior, ALPHA));
    e->simultaneous = bounded(e_interval(&paired, prior, ALPHA / (double)context->of));
    e->upper = e_interval(&paired, prior, 2 * ALPHA).high;
}

/* Who read a plan of fixed size has spent its 5 %: what is added then is judged by the e-process, and the plain test of the first reading
 * stays. */
static void infer_extended(const struct estimate_context *context, struct estimate *e)
{
    infer_any_time(context, e);
    e->boundary = NAN;
    if (context->read[0] < e->n) {
        double first = estimate_test(context->plan, e->difference, context->read[0]).p;
        if (first < e->p) e->p = first;
    }
}

static bool was_read_otherwise(const struct estimate_context *context, int64_t n)
{
    for (int64_t i = 0; i < context->reads; i++)
        if (context->read[i] != n) return true;
    return false;
}

static void infer_fixed(const struct estimate_context *context, struct estimate *e)
{
    struct paired paired;
    e->extended = was_read_otherwise(context, e->n);
    if (e->extended) {
        infer_extended(context, e);
        return;
    }
    if (!test(context->plan, e, &paired)) return;
    e->p = paired.p;
    e->ci = bounded(paired.ci);
    e->simultaneous = bounded(paired_interval(&paired, 1 - ALPHA / (double)context->of));
    e->upper = paired_interval(&paired, 1 - 2 * ALPHA).high;
}

static void infer_at_look(const struct plan *plan, struct estimate *e)
{
    struct look_schedule schedule = look_schedule_of(plan->look, plan->looks, plan->look_bound);
    int64_t blocks = blocks_in_a_row(plan, e);
    while (e->look + 1 < plan->looks && plan->look[e->look + 1] <= blocks) e->look++;
    if (e->look < 0) {
        describe(e);
        return;
    }
    struct look_state state = {0};
    for (int64_t k = 0; k <= e->look; k++) look_advance(&schedule, k, or_one(estimate_test(plan, e->difference, plan->look[k]).p), &state);
    struct paired paired;
    e->n = plan->look[e->look];
    bool spread = test(plan, e, &paired);
    e->boundary = look_boundary(&schedule, e->look, ALPHA);
    if (!spread) return;
    e->p = state.p;
    e->ci = bounded(look_interval(&schedule, e->look, &paired));
    e->upper = paired.mean + look_boundary(&schedule, e->look, 2 * ALPHA) * paired.se;
    e->futile = plan->margin > 0 && e->look + 1 < plan->looks && look_is_futile(&paired, plan->margin);
}

/* Looks that were planned hold for trials that nobody has read otherwise. */
static void infer_at_looks(const struct estimate_context *context, struct estimate *e)
{
    int64_t n = e->n;
    infer_at_look(context->plan, e);
    e->extended = e->look >= 0 && was_read_otherwise(context, e->n);
    if (!e->extended) return;
    e->n = n;
    e->futile = false;
    infer_extended(context, e);
}

void estimate_infer(const struct estimate_context *context, struct estimate *e)
{
    const struct plan *plan = context->plan;
    estimate_clear(e);
    remove_rounding(e->difference, e->n, context->scale);
    if (plan->stopping == STOP_LOOKS)
        infer_at_looks(context, e);
    else if (plan->stopping == STOP_DECIDED)
        infer_any_time(context, e);
    else if (context->finished)
        infer_fixed(context, e);
    else
        describe(e);
}

void estimate_describe(const struct plan *plan, int64_t of, struct estimate *e)
{
    if (!(e->df > 0)) return;
    struct paired paired = estimate_test(plan, e->difference, e->n);
    e->wins_ci = bounded(wilson(e->wins, (double)e->n));
    e->outliers = tukey_outliers(e->difference, e->n);
    bool constant = e->s_d == 0 && e->delta != 0;
    if (!plan->redraw && (e->n >= FLIPS_FROM || constant)) e->p_flip = sign_flip(e->difference, e->n, (uint64_t)plan->first_seed);
    if (!(e->s_d > 0)) return;
    e->next = bounded(paired_next(&paired));
    e->detectable = detectable_effect(e->n, .8, ALPHA / (double)of) * e->se * sqrt((double)e->n);
}
