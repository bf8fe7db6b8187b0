/* What is wrong in what a comparison says, by the truth of its cell. */
#include <math.h>

#include "rule.h"

const char *const measure_name[MEASURES] = {[WRONG_EFFECT] = "wrong HELPS or HURTS",
                                            [WRONG_EFFECT_EVER] = "wrong HELPS or HURTS at any reading",
                                            [WRONG_SAME] = "wrong NO MEANINGFUL DIFFERENCE (an arm)",
                                            [WRONG_NOT_WORTH] = "wrong NOT WORTH IT (an arm)",
                                            [ANY_NOT_WORTH] = "wrong NOT WORTH IT (any arm)",
                                            [WRONG_AT_LEAST] = "wrong \"at least\" the margin (an arm)",
                                            [WRONG_LESS] = "wrong \"but less than\" the margin (an arm)",
                                            [WRONG_NOT_ENOUGH] = "baseline's budget wrongly called too small",
                                            [SCREENING_CLAIMS] = "screening says HELPS or HURTS (an arm)",
                                            [COVERS_UPDATES] = "interval at equal updates covers",
                                            [COVERS_COST] = "interval at equal cost covers",
                                            [COVERS_PRINTED] = "interval of the verdict's line covers",
                                            [COVERS_TOGETHER] = "simultaneous intervals cover",
                                            [COVERS_UPPER] = "one-sided upper limit covers",
                                            [COVERS_NEXT] = "interval for one more seed covers",
                                            [COVERS_WINS] = "Wilson's interval of wins covers",
                                            [COVERS_TRANSFER] = "transfer interval covers",
                                            [AGREES_WITH_STORE] = "report from a store agrees",
                                            [FOUND] = "HELPS or HURTS (an arm)"};

void tally_add(struct tally *tally, enum measure measure, bool event)
{
    tally->tries[measure]++;
    tally->events[measure] += event;
}

/* ---- Truth ---- */

bool cell_differs(const struct cell *cell, int64_t arm)
{
    const struct kind_of_arm *kind = &cell->kind[arm % 2];
    return kind->passes != 1 || kind->cpu > SAME_COST;
}

double cell_effect(const struct cell *cell, int64_t arm, bool at_equal_cost, bool trained)
{
    const struct kind_of_arm *kind = &cell->kind[arm % 2];
    double base = !at_equal_cost ? 0 : kind->passes < 1 ? cell->loss : cell->gain, arm_trains = 1 - cell->fails[1];
    if (trained) return DEVIATION * (kind->effect - base);
    return DEVIATION * (arm_trains * kind->effect - (1 - cell->fails[0]) * base - (cell->fails[1] - cell->fails[0]) * cell->worst);
}

/* ---- Verdicts ---- */

/* An effect has to be there on every line that says so; where nothing is said of cost, at equal updates. */
static bool is_wrong(const struct cell *cell, const struct finding *f)
{
    int64_t arm = f->contrast->arm;
    double sign = f->kind == VERDICT_HELPS ? 1 : -1;
    bool updates = !(sign * cell_effect(cell, arm, false, true) > 0), cost = !(sign * cell_effect(cell, arm, true, true) > 0);
    if (f->kind != VERDICT_HELPS && f->kind != VERDICT_HURTS) return false;
    if (!cell_differs(cell, arm) || f->cost_missing) return updates;
    if (f->kind == VERDICT_HELPS || f->updates == f->equal) return updates || cost;
    return f->by_cost ? cost : updates;
}

bool rule_claims_wrongly(const struct cell *cell, const struct inference *inference)
{
    bool wrong = false;
    for (int64_t c = 0; c < inference->plan->contrasts; c++) wrong |= is_wrong(cell, &inference->finding[c]);
    return wrong;
}

/* Of the size of the margin, but for rounding. */
static bool reaches(double effect, double margin)
{
    return effect > margin * (1 - 1e-9);
}

static void count_margin(const struct cell *cell, const struct finding *f, struct tally *tally)
{
    int64_t arm = f->contrast->arm;
    double margin = DEVIATION * cell->margin, updates = cell_effect(cell, arm, false, false), cost = cell_effect(cell, arm, true, false);
    bool differs = cell_differs(cell, arm);
    bool both = f->at_equal_cost.n > 0 && f->updates == f->equal; /* say it; else it is said of one of them */
    double own = f->by_cost ? cost : updates, larger = fmax(fabs(updates), fabs(cost));
    const struct interval ci = finding_line(f)->ci;
    if (reaches(fabs(updates), margin) || (differs && reaches(fabs(cost), margin)))
        tally_add(tally, WRONG_SAME, f->kind == VERDICT_NO_DIFFERENCE && (both ? reaches(larger, margin) : reaches(fabs(own), margin)));
    if (reaches(updates, margin) || (differs && reaches(cost, margin)))
        tally_add(tally, WRONG_NOT_WORTH, f->kind == VERDICT_NOT_WORTH_IT && reaches(own, margin));
    tally_add(tally, WRONG_AT_LEAST, f->kind == VERDICT_HELPS && ci.low > margin && reaches(margin, own));
    tally_add(tally, WRONG_LESS, f->kind == VERDICT_HELPS && ci.high < margin && reaches(own, margin));
}

/* ---- Intervals ---- */

/* One that is not printed, for it has no end, is not counted. */
static void count_interval(struct tally *tally, enum measure measure, struct interval interval, double truth)
{
    if (isnan(interval.low) || isnan(interval.high)) return;
    tally_add(tally, measure, interval.low <= truth && truth <= interval.high);
}

static bool holds(struct interval interval, double truth)
{
    return isnan(interval.low) || isnan(interval.high) || (interval.low <= truth && truth <= interval.high);
}

/* Those that estimate_describe() adds for the report, without its search for the effect that would be found. */
static void count_described(const struct made_up *made, const struct finding *f, struct tally *tally)
{
    const struct cell *cell = made->cell;
    const struct estimate *e = &f->estimate;
    bool symmetric = cell_effect(cell, 1, false, true) == 0;
    if (cell->arms > 1 || cell->stopping != STOP_FIXED || cell->fails[0] + cell->fails[1] > 0) return;
    struct paired paired = estimate_test(made->plan, e->difference, e->n);
    count_interval(tally, COVERS_NEXT, paired_next(&paired), rule_difference(made, f->contrast->arm, 1000));
    if (symmetric) count_interval(tally, COVERS_WINS, wilson(e->wins, (double)e->n), .5);
}

static void count_finding(const struct made_up *made, const struct finding *f, struct tally *tally)
{
    const struct cell *cell = made->cell;
    int64_t arm = f->contrast->arm;
    double updates = cell_effect(cell, arm, false, false), cost = cell_effect(cell, arm, true, false);
    bool both = f->at_equal_cost.n > 0;
    count_interval(tally, COVERS_UPDATES, f->estimate.ci, updates);
    if (isfinite(f->estimate.upper)) tally_add(tally, COVERS_UPPER, f->estimate.upper >= updates);
    if (cell->margin > 0) count_margin(cell, f, tally);
    tally_add(tally, FOUND, f->kind == VERDICT_HELPS || f->kind == VERDICT_HURTS);
    if (!both) return;
    count_interval(tally, COVERS_COST, f->at_equal_cost.ci, cost);
    count_interval(tally, COVERS_PRINTED, finding_line(f)->ci, f->by_cost ? cost : updates);
    if (isfinite(f->at_equal_cost.upper)) tally_add(tally, COVERS_UPPER, f->at_equal_cost.upper >= cost);
}

void rule_count(const struct made_up *made, const struct inference *inference, struct tally *tally)
{
    const struct cell *cell = made->cell;
    const struct plan *plan = inference->plan;
    bool together = true, not_worth = false, some = false;
    for (int64_t c = 0; c < plan->contrasts; c++) {
        const struct finding *f = &inference->finding[c];
        int64_t arm = f->contrast->arm;
        count_finding(made, f, tally);
        count_described(made, f, tally);
        some |= !isnan(f->estimate.simultaneous.low);
        together &= holds(f->estimate.simultaneous, cell_effect(cell, arm, false, false));
        double own = cell_effect(cell, arm, f->by_cost, false);
        not_worth |= f->kind == VERDICT_NOT_WORTH_IT && reaches(own, DEVIATION * cell->margin);
    }
    tally_add(tally, WRONG_EFFECT, rule_claims_wrongly(cell, inference));
    if (some && plan->contrasts > 1) tally_add(tally, COVERS_TOGETHER, together);
    if (tally->tries[WRONG_NOT_WORTH] > 0 && plan->contrasts > 1) tally_add(tally, ANY_NOT_WORTH, not_worth);
    if (cell->converge && cell->gain <= 0)
        tally_add(tally, WRONG_NOT_ENOUGH, inference->convergence.known && !inference->convergence.enough);
}

/* ---- What is accepted ---- */

static bool covers(enum measure measure)
{
    return measure >= COVERS_UPDATES && measure <= COVERS_TRANSFER;
}

/* Its chance has to be 95 % exactly, not at least. */
static bool is_exact(const struct cell *cell, enum measure measure)
{
    bool plain = cell->way == WAY_PLAN && cell->stopping == STOP_FIXED && !cell->heavy && cell->fails[0] + cell->fails[1] == 0;
    return plain && measure != COVERS_PRINTED && measure != COVERS_TOGETHER;
}

bool cell_accepts(const struct cell *cell, enum measure measure, double *low, double *high)
{
    *low = 0;
    *high = 1;
    if (measure == ANY_NOT_WORTH || measure == FOUND || measure == COVERS_WINS) return false;
    if (measure == COVERS_NEXT && cell->heavy) return false; /* it is of normal differences */
    if (measure == SCREENING_CLAIMS) {
        *high = 0;
    } else if (measure == AGREES_WITH_STORE) {
        *low = 1;
    } else if (measure == COVERS_TRANSFER) {
        *low = .925;
    } else if (covers(measure)) {
        if (cell->fails[0] != cell->fails[1]) return false; /* of one side only */
        *low = .945;
        if (is_exact(cell, measure)) *high = .955;
    } else {
        *high = measure == WRONG_EFFECT_EVER ? .063 : .055;
    }
    return true;
}
