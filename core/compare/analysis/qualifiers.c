/* What a verdict holds for, and what it rests on: short notes behind its sentence. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "compare/analysis/phrases.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/sequential.h"

enum { FEW_SEEDS = 5 };

static void qualify(struct draft *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void qualify(struct draft *draft, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    char *copy = draft->qualifiers < MOST_QUALIFIERS ? arena_text(draft->analysis->arena, text) : NULL;
    if (copy)
        draft->qualifier[draft->qualifiers++] = copy;
    else
        draft->status = KNACK_E_MEMORY;
}

static bool claims_effect(const struct draft *draft)
{
    return draft->kind == VERDICT_HELPS || draft->kind == VERDICT_HURTS;
}

/* ---- What was read before ---- */

static void qualify_readings(struct draft *draft)
{
    const struct plan *plan = draft->analysis->plan;
    int64_t index = draft->result->contrast->arm, now = draft->estimate->n, at[READS_MOST + 1], looks = 0;
    const struct arm *arm = &plan->arm[index > 0 ? index : plan->arms > 1];
    char text[256] = "", chance[NUMBER_SIZE];
    if (arm->joined) qualify(draft, "joined after results of this comparison had been read");
    if (!draft->estimate->extended) return;
    for (int64_t i = 0; i < arm->reads; i++) {
        if (now > 0 && arm->read[i] > now) at[looks++] = now;
        if (arm->read[i] >= now) now = arm->read[i] == now ? now : -1;
        at[looks++] = arm->read[i];
    }
    if (now > 0 && at[looks - 1] != now) at[looks++] = now;
    for (int64_t i = 0; i < looks; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%lld",
                 i == 0           ? ""
                 : i + 1 == looks ? " and "
                                  : ", ",
                 (long long)at[i]);
    qualify(draft, "read at %s seeds: without any effect at least one of these reads p < .05 in %s %% of comparisons; p is the e-process's",
            text, number_fixed(chance, 100 * looks_chance(at, looks), 1));
}

/* ---- Statistics ---- */

static void qualify_statistics(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct estimate *estimate = draft->estimate;
    const struct two_level *two = &draft->result->two_level;
    char number[NUMBER_SIZE];
    bool own = estimate == &draft->result->estimate;
    if (claims_effect(draft) && own && two->known && two->transfer.low <= 0 && two->transfer.high >= 0)
        qualify(draft, "this test set only");
    if (claims_effect(draft) && estimate->n >= FLIPS_FROM && estimate->p_flip > ALPHA)
        qualify(draft, "fragile: sign-flip p %s", number_p(number, estimate->p_flip));
    if ((claims_effect(draft) || draft->kind == VERDICT_NO_DIFFERENCE) && estimate->n <= FEW_SEEDS)
        qualify(draft, "n<=5: relies on normal differences");
    if (claims_effect(draft) && estimate->stopped_early)
        qualify(draft, "stopped early: effect likely overstated by about 0.05 to 0.2 s_D");
    else if (claims_effect(draft) && estimate->detectable > fabs(estimate->delta))
        qualify(draft, "effect likely overstated: %lld seeds detect %s%s with 80%% power", (long long)estimate->n,
                number_fixed(number, analysis->percent * estimate->detectable, phrase_decimals(analysis, estimate->ci, 8)),
                phrase_in_points(analysis) ? " points" : "");
    bool futile = draft->result->at_equal_cost.n > 0 ? draft->result->at_equal_cost.futile : draft->result->estimate.futile;
    if (futile && !claims_effect(draft)) qualify(draft, "dropped for futility at %lld seeds", (long long)draft->result->estimate.n);
    if (analysis->plan->margin > 0 && analysis->plan->margin != analysis->plan->first_margin) {
        char margin[64];
        qualify(draft, "the margin of %s was said after the first trial", phrase_margin(analysis, margin));
    }
}

/* ---- Cost ---- */

/* Where both lines say the same, the other one's numbers. */
static void qualify_cost(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct contrast_result *result = draft->result;
    const struct estimate *other = result->by_cost ? &result->estimate : &result->at_equal_cost;
    char cost[128], amount[192], interval[128];
    enum verdict_kind says = result->by_cost ? result->updates_say : result->equal_cost_says;
    bool told = result->at_equal_cost.n > 0 && says != draft->kind && (says == VERDICT_HELPS || says == VERDICT_HURTS);
    if (!*phrase_cost(result, cost) || told) return; /* the sentence says it */
    if (result->equal_cost_missing)
        qualify(draft, "%s; not compared at equal cost", cost);
    else if (result->at_equal_cost.n > 0 && !isnan(other->ci.low)) {
        int decimals = phrase_decimals(analysis, other->ci, 8);
        qualify(draft, "%s; at equal %s: %s (%s %s)", cost, result->by_cost ? "updates" : "cost",
                phrase_amount(analysis, other->delta, decimals, amount), phrase_interval_name(analysis->plan, other),
                phrase_interval(analysis, other->ci, decimals, interval));
    } else
        qualify(draft, "%s", cost);
}

/* ---- Trials ---- */

static void qualify_trials(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct contrast_result *result = draft->result;
    const struct contrast *contrast = result->contrast;
    const struct arm_result *arm = contrast->kind == CONTRAST_ARM ? &analysis->arm[contrast->arm] : NULL;
    char number[NUMBER_SIZE], p[64] = "";
    if (arm && !isnan(arm->p_failures)) snprintf(p, sizeof p, "; p %s", number_p(number, arm->p_failures));
    if (contrast_is_interaction(contrast) && result->failed + result->base_failed > 0)
        qualify(draft, "trials that failed: %lld", (long long)(result->failed + result->base_failed));
    else if (result->failed + result->base_failed > 0)
        qualify(draft, "fails %lld/%lld, %s %lld/%lld%s", (long long)result->failed, (long long)phrase_trials(analysis->plan, result, true),
                arm ? "baseline" : "without it", (long long)result->base_failed, (long long)phrase_trials(analysis->plan, result, false),
                p);
    if (draft->estimate->vrf < 1.2 && isfinite(draft->estimate->rho))
        qualify(draft, "seeds of both arms are no more alike than others (rho = %s): pairing gains nothing here",
                number_fixed(number, draft->estimate->rho, 2));
    if (arm && arm->idle) qualify(draft, "%s never acted", arm->idle);
}

void draft_qualify(struct draft *draft)
{
    char budget[192];
    qualify_readings(draft);
    if (draft->kind != VERDICT_NONE && *phrase_budget(draft->analysis, budget)) qualify(draft, "%s", budget);
    qualify_statistics(draft);
    if (draft->result->estimate.n == 0) return;
    qualify_cost(draft);
    qualify_trials(draft);
}
