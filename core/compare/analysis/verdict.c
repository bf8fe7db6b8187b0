#include "compare/analysis/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/number.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/power.h"

enum { FEW_SEEDS = 5, FLIPS_FROM = 6, MOST_QUALIFIERS = 16, MOST_SEEDS = 10000 };
static const double costly = 1.25;

enum verdict_kind verdict_judge(const struct estimate *estimate, double margin)
{
    if (estimate->n < 3) return VERDICT_NONE;
    if (estimate->s_d == 0 && estimate->delta == 0) return VERDICT_IDENTICAL;
    if (isnan(estimate->ci.low) || isnan(estimate->ci.high)) return VERDICT_NONE;
    bool sure = estimate->p_adjusted < ALPHA || estimate->decided;
    if (sure && estimate->ci.low > 0) return VERDICT_HELPS;
    if (sure && estimate->ci.high < 0) return VERDICT_HURTS;
    if (margin > 0 && -margin < estimate->ci.low && estimate->ci.high < margin) return VERDICT_NO_DIFFERENCE;
    return VERDICT_INCONCLUSIVE;
}

/* ---- Pieces of text ---- */

/* A verdict while it is written. */
struct draft {
    struct analysis *analysis;
    const struct contrast_result *result;
    const struct estimate *estimate; /* the one that the verdict rests on: at equal updates, or at equal cost */
    enum verdict_kind kind;
    char word[256], sentence[2048];
    char *qualifier[MOST_QUALIFIERS];
    int64_t qualifiers;
    knack_status status;
};

static void say(struct draft *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct draft *draft, const char *format, ...)
{
    size_t used = strlen(draft->sentence);
    va_list list;
    va_start(list, format);
    vsnprintf(draft->sentence + used, sizeof draft->sentence - used, format, list);
    va_end(list);
}

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

static bool shares(const struct analysis *analysis)
{
    return analysis->percent == 100;
}

/* "accuracy", "validation accuracy". */
static const char *metric_name(const struct analysis *analysis, char buffer[64])
{
    bool test = strcmp(analysis->plan->part, "test") == 0;
    snprintf(buffer, 64, "%s%s%s", test ? "" : analysis->plan->part, test ? "" : " ", analysis->plan->metric);
    return buffer;
}

/* "0.2 points", "0.01". */
static const char *margin_text(const struct analysis *analysis, char buffer[64])
{
    char number[NUMBER_SIZE];
    number_short(number, analysis->percent * analysis->plan->margin);
    snprintf(buffer, 64, shares(analysis) ? "%s point%s" : "%s", number, number_s(number));
    return buffer;
}

static int decimals_of(const struct analysis *analysis, struct interval interval, double steps)
{
    return number_decimals(analysis->percent * (interval.high - interval.low) / 2, steps);
}

/* "+0.50 points accuracy", "loss -0.031". */
static const char *amount_text(const struct analysis *analysis, double difference, int decimals, char buffer[192])
{
    char number[NUMBER_SIZE], metric[64];
    number_signed(number, analysis_shown(analysis, difference), decimals);
    metric_name(analysis, metric);
    if (shares(analysis))
        snprintf(buffer, 192, "%s point%s %s", number, number_s(number), metric);
    else
        snprintf(buffer, 192, "%s %s", metric, number);
    return buffer;
}

/* "+0.30 to +0.70" */
static const char *interval_text(const struct analysis *analysis, struct interval interval, int decimals, char buffer[128])
{
    struct interval shown = analysis_shown_interval(analysis, interval);
    return number_interval(buffer, shown.low, shown.high, decimals);
}

static const char *interval_name(const struct plan *plan)
{
    if (plan->stopping == STOP_LOOKS) return "95% repeated CI";
    return plan->stopping == STOP_DECIDED ? "95% confidence sequence" : "95% CI";
}

/* "p 0.002, Holm 0.006" */
static void say_p(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    char p[NUMBER_SIZE], adjusted[NUMBER_SIZE];
    say(draft, "p %s", analysis_p(analysis, p, draft->estimate->p));
    if (analysis->family_size[draft->result->contrast->family] < 2) return;
    say(draft, ", %s %s", analysis->screening ? "q" : "Holm", analysis_p(analysis, adjusted, draft->estimate->p_adjusted));
}

static bool is_interaction(const struct draft *draft)
{
    return draft->result->contrast->kind == CONTRAST_INTERACTION || draft->result->contrast->kind == CONTRAST_REST;
}

/* In how many seeds it went the way that the verdict says. */
static void say_wins(struct draft *draft)
{
    const struct estimate *estimate = draft->estimate;
    bool down = draft->kind == VERDICT_HURTS;
    char number[NUMBER_SIZE];
    number_short(number, down ? (double)estimate->n - estimate->wins : estimate->wins);
    const char *way = is_interaction(draft) ? (down ? "less in " : "more in ") : down ? "worse in " : "better in ";
    if (draft->kind == VERDICT_HELPS && !is_interaction(draft)) way = "";
    say(draft, "%s%s of %lld seeds", way, number, (long long)estimate->n);
}

/* "+0.50 points accuracy (95% CI +0.30 to +0.70; 5 of 5 seeds; p 0.002, Holm 0.006)" */
static void say_evidence(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct estimate *estimate = draft->estimate;
    char amount[192], interval[128];
    int decimals = decimals_of(analysis, estimate->ci, 8);
    say(draft, "%s (%s %s; ", amount_text(analysis, estimate->delta, decimals, amount), interval_name(analysis->plan),
        interval_text(analysis, estimate->ci, decimals, interval));
    say_wins(draft);
    say(draft, "; ");
    say_p(draft);
    say(draft, ")");
}

/* ---- Verdicts ---- */

static const char *word_of(const struct draft *draft)
{
    bool up = draft->kind == VERDICT_HELPS;
    switch (draft->result->contrast->kind) {
    case CONTRAST_INTERACTION:
    case CONTRAST_REST:
        return up ? "ADD UP TO MORE" : "ADD UP TO LESS";
    case CONTRAST_LEFT_OUT:
        return up ? "HELPS in the stack" : "HURTS in the stack";
    case CONTRAST_MAIN:
        return up ? "HELPS on average" : "HURTS on average";
    default:
        return up ? "HELPS" : "HURTS";
    }
}

/* More failures than the baseline has: whatever the values say, it helps only when it trains. */
static bool fails_more(const struct draft *draft)
{
    return draft->kind == VERDICT_HELPS && draft->result->failed > draft->result->base_failed && !is_interaction(draft);
}

static int64_t trials_on(const struct draft *draft)
{
    int64_t arms = 0;
    for (int64_t a = 0; a < draft->analysis->plan->arms; a++) arms += draft->result->contrast->weight[a] > 0;
    return arms * draft->result->estimate.n;
}

static int64_t trials_off(const struct draft *draft)
{
    int64_t arms = 0;
    for (int64_t a = 0; a < draft->analysis->plan->arms; a++) arms += draft->result->contrast->weight[a] < 0;
    return arms * draft->result->estimate.n;
}

static void write_effect(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct interval ci = draft->estimate->ci;
    double near = draft->kind == VERDICT_HELPS ? ci.low : -ci.high, far = draft->kind == VERDICT_HELPS ? ci.high : -ci.low;
    double margin = analysis->plan->margin;
    char size[64], where[32] = "";
    margin_text(analysis, size);
    if (draft->estimate != &draft->result->estimate) strcpy(where, " at equal cost");
    if (fails_more(draft))
        snprintf(draft->word, sizeof draft->word, "HELPS WHEN IT TRAINS%s; failed %lld of %lld", where, (long long)draft->result->failed,
                 (long long)trials_on(draft));
    else if (!(margin > 0))
        snprintf(draft->word, sizeof draft->word, "%s%s", word_of(draft), where);
    else
        snprintf(draft->word, sizeof draft->word, "%s%s, %s%s", word_of(draft), where,
                 near > margin  ? "at least "
                 : far < margin ? "but less than "
                                : "size uncertain vs ",
                 size);
    say(draft, "%s: ", draft->word);
    say_evidence(draft);
}

static void write_no_difference(struct draft *draft)
{
    char size[64];
    snprintf(draft->word, sizeof draft->word, "NO MEANINGFUL DIFFERENCE%s (within %s either way)",
             draft->estimate != &draft->result->estimate ? " at equal cost" : "", margin_text(draft->analysis, size));
    say(draft, "%s: ", draft->word);
    say_evidence(draft);
}

/* How many seeds would tell, from the spread alone: from the observed difference it would be p in other words. */
static void say_what_would_tell(struct draft *draft)
{
    const struct plan *plan = draft->analysis->plan;
    const struct estimate *estimate = draft->estimate;
    char size[NUMBER_SIZE];
    if (plan->redraw) return; /* seeds that split one pool again and again do not narrow it so */
    double level = ALPHA / (double)draft->analysis->family_size[draft->result->contrast->family];
    int64_t needed = plan->margin > 0 ? seeds_needed(plan->margin, estimate->s_d, estimate->df, level) : 0;
    number_short(size, draft->analysis->percent * plan->margin);
    if (needed > MOST_SEEDS)
        say(draft, "; more than %d seeds would be needed to detect %s", MOST_SEEDS, size);
    else if (needed > estimate->n)
        say(draft, "; about %lld seeds would detect %s", (long long)needed, size);
    else
        say(draft, "; %lld seeds would halve the interval", 4 * (long long)estimate->n);
}

static void write_inconclusive(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct estimate *estimate = draft->estimate;
    char interval[128], metric[64];
    snprintf(draft->word, sizeof draft->word, "INCONCLUSIVE%s", estimate != &draft->result->estimate ? " at equal cost" : "");
    interval_text(analysis, estimate->ci, decimals_of(analysis, estimate->ci, 3), interval);
    if (shares(analysis))
        say(draft, "%s: %s points (n=%lld)", draft->word, interval, (long long)estimate->n);
    else
        say(draft, "%s: %s %s (n=%lld)", draft->word, metric_name(analysis, metric), interval, (long long)estimate->n);
    int64_t family = analysis->family_size[draft->result->contrast->family];
    if ((estimate->ci.low > 0 || estimate->ci.high < 0) && family > 1)
        say(draft, "; excludes 0 on its own, not after %lld comparisons", (long long)family);
    say_what_would_tell(draft);
    say(draft, ". Not evidence of no effect.");
}

static void write_identical(struct draft *draft)
{
    long long n = (long long)draft->estimate->n;
    strcpy(draft->word, "IDENTICAL");
    say(draft, "IDENTICAL: the metric is the same to the bit in %lld of %lld seeds; %s", n, n,
        is_interaction(draft) ? "are these tricks active?" : "is the trick active?");
}

static void say_differences(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct estimate *estimate = draft->estimate;
    char amount[192], number[NUMBER_SIZE];
    if (estimate->n == 1)
        say(draft, "one seed, difference %s", amount_text(analysis, estimate->difference[0], shares(analysis) ? 2 : 4, amount));
    else
        say(draft, "2 seeds, differences %s and %s",
            number_signed(number, analysis_shown(analysis, estimate->difference[0]), shares(analysis) ? 2 : 4),
            amount_text(analysis, estimate->difference[1], shares(analysis) ? 2 : 4, amount));
    say(draft, "; an interval takes 3 or more");
}

static bool all_failed(const struct draft *draft)
{
    const struct contrast_result *result = draft->result;
    return result->estimate.n > 0 && result->failed == trials_on(draft) && result->base_failed == trials_off(draft);
}

static void write_none(struct draft *draft)
{
    const struct estimate *estimate = draft->estimate;
    char amount[192], p[NUMBER_SIZE];
    strcpy(draft->word, "NO VERDICT");
    say(draft, "NO VERDICT: ");
    if (draft->result->score_missing)
        say(draft, "trials failed, and what a failed one counts as is not known; say it with --failed-score");
    else if (estimate->n == 0)
        say(draft, "no seed has all the trials that this compares");
    else if (all_failed(draft))
        say(draft, "every trial failed");
    else if (estimate->n < 3)
        say_differences(draft);
    else if (estimate->s_d == 0)
        say(draft, "%s in each of %lld seeds, without any spread, which the t test needs (sign-flip p %s)",
            amount_text(draft->analysis, estimate->delta, shares(draft->analysis) ? 2 : 4, amount), (long long)estimate->n,
            number_p(p, estimate->p_flip));
    else if (draft->analysis->plan->stopping == STOP_LOOKS && estimate->look < 0)
        say(draft, "%lld seeds, fewer than the first look takes", (long long)estimate->n);
    else
        say(draft, "%lld seeds allow no interval yet", (long long)estimate->n);
}

static void write_unfinished(struct draft *draft)
{
    const struct estimate *estimate = draft->estimate;
    char amount[192];
    strcpy(draft->word, "NOT FINISHED");
    if (estimate->n == 0)
        say(draft, "NOT FINISHED: no seed has all the trials that this compares");
    else
        say(draft, "NOT FINISHED: %lld of %lld seeds, %s so far", (long long)estimate->n, (long long)draft->analysis->plan->seeds,
            amount_text(draft->analysis, estimate->delta, shares(draft->analysis) ? 2 : 4, amount));
}

/* ---- Qualifiers ---- */

static bool claims_effect(const struct draft *draft)
{
    return draft->kind == VERDICT_HELPS || draft->kind == VERDICT_HURTS;
}

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
                number_fixed(number, analysis->percent * estimate->detectable, decimals_of(analysis, estimate->ci, 8)),
                shares(analysis) ? " points" : "");
    if (estimate->futile) {
        char size[64];
        qualify(draft, "dropped at %lld seeds: %s is out of reach", (long long)estimate->n, margin_text(analysis, size));
    }
    if (analysis->screening && draft->kind == VERDICT_HELPS) qualify(draft, "screening: confirm on fresh seeds");
}

/* "costs 2.00x", by counts of passes; by time where that says something else. */
static const char *cost_text(const struct draft *draft, char buffer[128])
{
    const struct contrast_result *result = draft->result;
    double cpu = result->contrast->kind == CONTRAST_ARM ? draft->analysis->arm[result->contrast->arm].cost_seconds : NAN;
    char passes[NUMBER_SIZE], time[NUMBER_SIZE];
    number_fixed(passes, result->cost, 2);
    number_fixed(time, cpu, 2);
    buffer[0] = '\0';
    if (isnan(result->cost)) return buffer;
    if (!isnan(cpu) && fabs(cpu / result->cost - 1) > .05)
        snprintf(buffer, 128, "costs %sx, in CPU time %sx", passes, time);
    else if (fabs(result->cost - 1) >= .005)
        snprintf(buffer, 128, "costs %sx", passes);
    return buffer;
}

static void qualify_cost(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct contrast_result *result = draft->result;
    char cost[128], amount[192], interval[128];
    if (draft->estimate != &result->estimate) return; /* the sentence says it */
    if (!*cost_text(draft, cost)) return;
    if (result->equal_cost_missing)
        qualify(draft, "%s; not compared at equal cost", cost);
    else if (!isnan(result->equal_cost_ci.low) && result->cost > 1.05) {
        int decimals = decimals_of(analysis, result->equal_cost_ci, 8);
        qualify(draft, "%s; at equal cost: %s (%s %s)", cost, amount_text(analysis, result->equal_cost_delta, decimals, amount),
                interval_name(analysis->plan), interval_text(analysis, result->equal_cost_ci, decimals, interval));
    } else
        qualify(draft, "%s", cost);
}

static void qualify_trials(struct draft *draft)
{
    const struct contrast_result *result = draft->result;
    const struct contrast *contrast = result->contrast;
    char number[NUMBER_SIZE], p[64] = "";
    if (contrast->kind == CONTRAST_ARM && !isnan(draft->analysis->arm[contrast->arm].p_failures))
        snprintf(p, sizeof p, "; p %s", number_p(number, draft->analysis->arm[contrast->arm].p_failures));
    const char *off = contrast->kind == CONTRAST_ARM ? "baseline" : "without it";
    if (is_interaction(draft) && result->failed + result->base_failed > 0)
        qualify(draft, "trials that failed: %lld", (long long)(result->failed + result->base_failed));
    else if (result->failed + result->base_failed > 0)
        qualify(draft, "fails %lld/%lld, %s %lld/%lld%s", (long long)result->failed, (long long)trials_on(draft), off,
                (long long)result->base_failed, (long long)trials_off(draft), p);
    if (draft->estimate->vrf < 1.2 && isfinite(draft->estimate->rho))
        qualify(draft, "pairing bought nothing (rho = %s)", number_fixed(number, draft->estimate->rho, 2));
    if (contrast->kind == CONTRAST_ARM && draft->analysis->arm[contrast->arm].idle)
        qualify(draft, "%s never acted", draft->analysis->arm[contrast->arm].idle);
}

/* ---- The whole ---- */

/* A trick that helps at equal updates but not at equal cost is judged at equal cost. */
static void choose_line(struct draft *draft)
{
    const struct contrast_result *result = draft->result;
    const struct plan *plan = draft->analysis->plan;
    draft->estimate = &result->estimate;
    draft->kind = verdict_judge(&result->estimate, plan->margin);
    if (result->score_missing || all_failed(draft)) draft->kind = VERDICT_NONE;
    if (draft->kind != VERDICT_HELPS || !(result->cost > costly)) return;
    enum verdict_kind equal = verdict_judge(&result->at_equal_cost, plan->margin);
    if (equal == VERDICT_NONE || equal == VERDICT_IDENTICAL || equal == VERDICT_HELPS) return;
    draft->estimate = &result->at_equal_cost;
    draft->kind = equal;
}

/* Plans of fixed size are judged at their end; those with looks, arm by arm, when an arm needs no more seeds. */
static bool is_open(const struct draft *draft)
{
    const struct estimate *estimate = &draft->result->estimate;
    if (draft->analysis->finished) return false;
    return draft->analysis->plan->stopping == STOP_FIXED || !(estimate->decided || estimate->futile);
}

static void write_body(struct draft *draft)
{
    switch (draft->kind) {
    case VERDICT_HELPS:
    case VERDICT_HURTS:
        write_effect(draft);
        break;
    case VERDICT_NO_DIFFERENCE:
        write_no_difference(draft);
        break;
    case VERDICT_INCONCLUSIVE:
        write_inconclusive(draft);
        break;
    case VERDICT_IDENTICAL:
        write_identical(draft);
        break;
    case VERDICT_NONE:
        write_none(draft);
        break;
    }
}

static void say_equal_updates(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct estimate *estimate = &draft->result->estimate;
    char amount[192], interval[128], cost[128];
    int decimals = decimals_of(analysis, estimate->ci, 8);
    size_t used = strlen(draft->sentence);
    say(draft, "%s It helps at equal updates, %s (%s %s), but %s.", used && draft->sentence[used - 1] == '.' ? "" : ".",
        amount_text(analysis, estimate->delta, decimals, amount), interval_name(analysis->plan),
        interval_text(analysis, estimate->ci, decimals, interval), cost_text(draft, cost));
}

static knack_status keep(struct draft *draft, struct verdict *verdict)
{
    for (int64_t i = 0; i < draft->qualifiers; i++) say(draft, " [%s]", draft->qualifier[i]);
    verdict->kind = draft->kind;
    verdict->qualifiers = draft->qualifiers;
    verdict->word = arena_text(draft->analysis->arena, draft->word);
    verdict->sentence = arena_text(draft->analysis->arena, draft->sentence);
    if (!MAKE(draft->analysis, verdict->qualifier, draft->qualifiers) || !verdict->word || !verdict->sentence) return KNACK_E_MEMORY;
    memcpy(verdict->qualifier, draft->qualifier, (size_t)draft->qualifiers * sizeof *verdict->qualifier);
    return draft->status;
}

knack_status verdict_write(struct analysis *analysis, struct contrast_result *result)
{
    struct draft draft = {.analysis = analysis, .result = result, .status = KNACK_OK};
    choose_line(&draft);
    if (is_open(&draft)) {
        draft.kind = VERDICT_NONE;
        draft.estimate = &result->estimate;
        write_unfinished(&draft);
        return keep(&draft, &result->verdict);
    }
    write_body(&draft);
    if (draft.estimate != &result->estimate) say_equal_updates(&draft);
    qualify_statistics(&draft);
    if (result->estimate.n > 0) {
        qualify_cost(&draft);
        qualify_trials(&draft);
    }
    return keep(&draft, &result->verdict);
}

knack_status verdicts_fill(struct analysis *analysis)
{
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) TRY(verdict_write(analysis, &analysis->contrast[c]));
    return KNACK_OK;
}
