/* Inference on the differences of one contrast: of a plan of fixed size, at a look, or at any time. */
#include <math.h>

#include "compare/analysis/steps.h"
#include "compare/statistics/power.h"
#include "compare/statistics/sequential.h"
#include "compare/statistics/sign_flip.h"

enum { INFERENCE_FROM = 3, FLIPS_FROM = 6 };
static const double prior = 1; /* g of the e-process: effects of about one deviation are looked for */
static const struct interval none = {NAN, NAN};

static struct interval interval_of(struct interval interval)
{
    return isfinite(interval.low) && isfinite(interval.high) ? interval : none;
}

static void clear(struct estimate *e)
{
    e->s_d = e->se = e->df = e->t = e->p = e->p_flip = e->p_adjusted = e->rho = e->vrf = e->relative = e->detectable = e->boundary = NAN;
    e->ci = e->simultaneous = e->next = e->wins_ci = e->relative_ci = none;
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

static struct paired compare(const struct plan *plan, const double *difference, int64_t n)
{
    if (!plan->redraw) return paired_t(difference, n);
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

/* What does not depend on when it is asked. */
static void infer_common(const struct plan *plan, const struct paired *paired, struct estimate *e)
{
    e->s_d = paired->sd;
    e->se = paired->se;
    e->df = paired->df;
    e->wins_ci = interval_of(wilson(e->wins, (double)e->n));
    e->outliers = tukey_outliers(e->difference, e->n);
    bool constant = e->s_d == 0 && e->delta != 0;
    if (!plan->redraw && (e->n >= FLIPS_FROM || constant)) e->p_flip = sign_flip(e->difference, e->n, (uint64_t)plan->first_seed);
    if (!(e->s_d > 0)) return;
    e->t = paired->t;
    e->next = interval_of(paired_next(paired));
    e->detectable = detectable_effect(e->n, .8, ALPHA) * e->se * sqrt((double)e->n);
}

static void infer_fixed(const struct plan *plan, int64_t of, struct estimate *e)
{
    describe(e);
    if (e->n < INFERENCE_FROM) return;
    struct paired paired = compare(plan, e->difference, e->n);
    infer_common(plan, &paired, e);
    if (!(e->s_d > 0)) return;
    e->p = paired.p;
    e->ci = interval_of(paired.ci);
    e->simultaneous = interval_of(paired_interval(&paired, 1 - ALPHA / (double)of));
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
    for (int64_t k = 0; k <= e->look; k++) {
        struct paired earlier = compare(plan, e->difference, plan->look[k]);
        look_advance(&schedule, k, or_one(earlier.p), &state);
    }
    e->n = plan->look[e->look];
    describe(e);
    struct paired paired = compare(plan, e->difference, e->n);
    infer_common(plan, &paired, e);
    e->boundary = look_boundary(&schedule, e->look, ALPHA);
    if (!(e->s_d > 0)) return;
    e->p = state.p;
    e->ci = interval_of(look_interval(&schedule, e->look, &paired));
    e->futile = plan->margin > 0 && e->look + 1 < plan->looks && look_is_futile(&paired, plan->margin);
}

static void infer_any_time(const struct plan *plan, int64_t of, struct estimate *e)
{
    e->n = blocks_in_a_row(plan, e);
    describe(e);
    if (e->n < INFERENCE_FROM) return;
    struct paired paired = compare(plan, e->difference, e->n);
    infer_common(plan, &paired, e);
    e->boundary = e_boundary(e->n, prior, ALPHA);
    if (!(e->s_d > 0)) return;
    double most = 1;
    for (int64_t n = 2; n <= e->n; n++) {
        double value = e_value(compare(plan, e->difference, n).t, n, prior);
        if (value > most) most = value;
    }
    e->p = 1 / most;
    e->ci = interval_of(e_interval(&paired, prior, ALPHA));
    e->simultaneous = interval_of(e_interval(&paired, prior, ALPHA / (double)of));
}

void estimate_infer(const struct plan *plan, bool finished, int64_t of, double scale, struct estimate *e)
{
    clear(e);
    remove_rounding(e->difference, e->n, scale);
    if (plan->stopping == STOP_LOOKS)
        infer_at_look(plan, e);
    else if (plan->stopping == STOP_DECIDED)
        infer_any_time(plan, of, e);
    else if (finished)
        infer_fixed(plan, of, e);
    else
        describe(e);
}
