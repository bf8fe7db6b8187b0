/* The verdict on one contrast in words: what may be said, and no more. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "compare/analysis/phrases.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/power.h"

enum { MOST_SEEDS = 10000 };

static void say(struct draft *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct draft *draft, const char *format, ...)
{
    size_t used = strlen(draft->sentence);
    va_list list;
    va_start(list, format);
    vsnprintf(draft->sentence + used, sizeof draft->sentence - used, format, list);
    va_end(list);
}

static void name(struct draft *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void name(struct draft *draft, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(draft->word, sizeof draft->word, format, list);
    va_end(list);
    if (draft->estimate->extended)
        snprintf(draft->word + strlen(draft->word), sizeof draft->word - strlen(draft->word), ", EXTENDED AFTER A LOOK");
    say(draft, "%s: ", draft->word);
}

static bool is_interaction(const struct draft *draft)
{
    return contrast_is_interaction(draft->result->contrast);
}

static bool both_claim(const struct draft *draft)
{
    return draft->result->updates_say == draft->result->equal_cost_says && draft->kind == draft->result->updates_say;
}

/* Which line a word is of, where the lines do not say the same. */
static const char *where(const struct draft *draft)
{
    const struct contrast_result *result = draft->result;
    if (result->at_equal_cost.n > 0 && both_claim(draft)) return "";
    if (result->by_cost) return " at equal cost";
    bool claims = draft->kind == VERDICT_HELPS || draft->kind == VERDICT_HURTS;
    if (claims && result->equal_cost_missing) return " at equal updates (cost not compared)";
    return result->at_equal_cost.n > 0 && result->equal_cost_says == VERDICT_HELPS ? " at equal updates" : "";
}

/* "p 0.002, Holm 0.006" */
static void say_p(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct contrast_result *result = draft->result;
    char p[NUMBER_SIZE];
    say(draft, "p %s", analysis_p(analysis, p, result->p));
    if (analysis->family_size[result->contrast->family] < 2) return;
    say(draft, ", %s %s", analysis->screening ? "q" : "Holm", analysis_p(analysis, p, result->p_adjusted));
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
    int decimals = phrase_decimals(analysis, estimate->ci, 8);
    say(draft, "%s%s (%s %s; ", phrase_amount(analysis, estimate->delta, decimals, amount),
        draft->result->by_cost && both_claim(draft) ? " at equal cost" : "", phrase_interval_name(analysis->plan, estimate),
        phrase_interval(analysis, estimate->ci, decimals, interval));
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

static void write_effect(struct draft *draft)
{
    const struct interval ci = draft->estimate->ci;
    double near = draft->kind == VERDICT_HELPS ? ci.low : -ci.high, far = draft->kind == VERDICT_HELPS ? ci.high : -ci.low;
    double margin = draft->analysis->plan->margin;
    char size[64];
    phrase_margin(draft->analysis, size);
    if (fails_more(draft))
        name(draft, "HELPS WHEN IT TRAINS%s; failed %lld of %lld", where(draft), (long long)draft->result->failed,
             (long long)phrase_trials(draft->analysis->plan, draft->result, true));
    else if (!(margin > 0))
        name(draft, "%s%s", word_of(draft), where(draft));
    else
        name(draft, "%s%s, %s%s", word_of(draft), where(draft),
             near > margin  ? "at least "
             : far < margin ? "but less than "
                            : "size uncertain vs ",
             size);
    say_evidence(draft);
}

static void write_no_difference(struct draft *draft)
{
    char size[64];
    name(draft, "NO MEANINGFUL DIFFERENCE%s (within %s either way)", where(draft), phrase_margin(draft->analysis, size));
    say_evidence(draft);
}

/* The margin is out of reach, whatever more seeds would say. */
static void write_not_worth_it(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct estimate *estimate = draft->estimate;
    char size[64], limit[192], interval[128];
    int decimals = phrase_decimals(analysis, estimate->ci, 8);
    name(draft, "NOT WORTH IT%s", where(draft));
    say(draft, "does not gain %s (one-sided 95%% limit %s; %s %s; n=%lld)", phrase_margin(analysis, size),
        phrase_amount(analysis, estimate->upper, decimals, limit), phrase_interval_name(analysis->plan, estimate),
        phrase_interval(analysis, estimate->ci, decimals, interval), (long long)estimate->n);
}

/* How many seeds would tell, from the spread alone: from the observed difference it would be p in other words. */
static void say_what_would_tell(struct draft *draft)
{
    const struct plan *plan = draft->analysis->plan;
    const struct estimate *estimate = draft->estimate;
    char size[NUMBER_SIZE];
    if (plan->redraw || estimate->futile) return; /* seeds that split one pool again and again do not narrow it so */
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
    name(draft, "INCONCLUSIVE%s", where(draft));
    phrase_interval(analysis, estimate->ci, phrase_decimals(analysis, estimate->ci, 3), interval);
    if (phrase_in_points(analysis))
        say(draft, "%s points (n=%lld)", interval, (long long)estimate->n);
    else
        say(draft, "%s %s (n=%lld)", phrase_metric(analysis, metric), interval, (long long)estimate->n);
    int64_t family = analysis->family_size[draft->result->contrast->family];
    if ((estimate->ci.low > 0 || estimate->ci.high < 0) && family > 1)
        say(draft, "; excludes 0 on its own, not after %lld comparisons", (long long)family);
    if (draft->result->by_failures) {
        char amount[192];
        say(draft, "; failures alone move it: over the %lld seeds in which all train it is %s", (long long)draft->result->trained,
            phrase_amount(analysis, draft->result->trained_delta, phrase_in_points(analysis) ? 2 : 4, amount));
    } else {
        say_what_would_tell(draft);
    }
    say(draft, ". Not evidence of no effect.");
}

static void write_identical(struct draft *draft)
{
    long long n = (long long)draft->estimate->n;
    name(draft, "IDENTICAL%s", draft->result->by_cost ? " at equal cost" : "");
    say(draft, "the metric is the same to the bit in %lld of %lld seeds; %s", n, n,
        draft->result->by_cost  ? "it gains what longer training gains"
        : is_interaction(draft) ? "are these tricks active?"
                                : "is the trick active?");
}

static void say_differences(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct estimate *estimate = draft->estimate;
    char amount[192], number[NUMBER_SIZE];
    int decimals = phrase_in_points(analysis) ? 2 : 4;
    if (estimate->n == 1)
        say(draft, "one seed, difference %s", phrase_amount(analysis, estimate->difference[0], decimals, amount));
    else
        say(draft, "2 seeds, differences %s and %s", number_signed(number, analysis_shown(analysis, estimate->difference[0]), decimals),
            phrase_amount(analysis, estimate->difference[1], decimals, amount));
    say(draft, "; an interval takes 3 or more");
}

static void write_none(struct draft *draft)
{
    const struct estimate *estimate = draft->estimate;
    char amount[192], p[NUMBER_SIZE];
    name(draft, "NO VERDICT");
    if (draft->result->score_missing)
        say(draft, "trials failed, and what a failed one counts as is not known; say it with --failed-score");
    else if (estimate->n == 0)
        say(draft, "no seed has all the trials that this compares");
    else if (draft->result->all_failed)
        say(draft, "every trial failed");
    else if (estimate->n < INFERENCE_FROM)
        say_differences(draft);
    else if (estimate->s_d == 0)
        say(draft, "%s in each of %lld seeds, without any spread, which the t test needs (sign-flip p %s)",
            phrase_amount(draft->analysis, estimate->delta, phrase_in_points(draft->analysis) ? 2 : 4, amount), (long long)estimate->n,
            number_p(p, estimate->p_flip));
    else if (draft->analysis->plan->stopping == STOP_LOOKS && estimate->look < 0)
        say(draft, "%lld seeds, fewer than the first look takes", (long long)estimate->n);
    else
        say(draft, "%lld seeds allow no interval yet", (long long)estimate->n);
}

static void write_candidate(struct draft *draft)
{
    const struct estimate *estimate = draft->estimate;
    char amount[192];
    phrase_amount(draft->analysis, estimate->delta, phrase_in_points(draft->analysis) ? 2 : 4, amount);
    name(draft, draft->kind == VERDICT_CANDIDATE ? "CANDIDATE" : "NO CANDIDATE");
    if (draft->kind == VERDICT_CANDIDATE)
        say(draft, "%s over %lld seeds that also chose it; confirm it on fresh seeds (--confirm)", amount, (long long)estimate->n);
    else if (estimate->delta > 0)
        say(draft, "%s over %lld seeds; others did better, or it does not stand out", amount, (long long)estimate->n);
    else
        say(draft, "%s over %lld seeds, no better than the baseline", amount, (long long)estimate->n);
}

static void write_waiting(struct draft *draft)
{
    name(draft, "WAITS");
    say(draft, "some of its trials could not be made, by no fault of its own; the same command makes them");
}

static void write_unfinished(struct draft *draft)
{
    const struct estimate *estimate = draft->estimate;
    const struct plan *plan = draft->analysis->plan;
    char amount[192], planned[32] = "";
    name(draft, "NOT FINISHED");
    if (plan->design != DESIGN_SCREEN) snprintf(planned, sizeof planned, " of %lld", (long long)plan->seeds);
    if (estimate->n == 0)
        say(draft, "no seed has all the trials that this compares");
    else
        say(draft, "%lld%s seeds, %s so far", (long long)estimate->n, planned,
            phrase_amount(draft->analysis, estimate->delta, phrase_in_points(draft->analysis) ? 2 : 4, amount));
}

static void write_dropped(struct draft *draft)
{
    name(draft, "NO VERDICT");
    say(draft, "dropped by --drop after %lld seeds; it stays in the family", (long long)draft->estimate->n);
}

/* ---- The whole ---- */

/* Plans of fixed size are judged at their end; those with looks, arm by arm, when an arm needs no more seeds. */
static bool is_open(const struct draft *draft)
{
    const struct contrast_result *result = draft->result;
    bool futile = result->estimate.futile || result->at_equal_cost.futile;
    bool waited_for = strcmp(draft->analysis->status, "waiting") == 0 && result->estimate.n >= draft->analysis->plan->seeds;
    if (draft->analysis->finished || result->waits || waited_for) return false;
    return draft->analysis->plan->stopping == STOP_FIXED || !(result->decided || futile);
}

static bool is_dropped(const struct draft *draft)
{
    const struct contrast *contrast = draft->result->contrast;
    return contrast->kind == CONTRAST_ARM && draft->analysis->plan->arm[contrast->arm].dropped;
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
    case VERDICT_NOT_WORTH_IT:
        write_not_worth_it(draft);
        break;
    case VERDICT_INCONCLUSIVE:
        write_inconclusive(draft);
        break;
    case VERDICT_IDENTICAL:
        write_identical(draft);
        break;
    case VERDICT_CANDIDATE:
    case VERDICT_NO_CANDIDATE:
        write_candidate(draft);
        break;
    case VERDICT_NONE:
        write_none(draft);
        break;
    }
}

/* One line claims an effect, and the other, whose word stands, does not. */
static void say_other_line(struct draft *draft)
{
    const struct analysis *analysis = draft->analysis;
    const struct contrast_result *result = draft->result;
    enum verdict_kind claim = result->by_cost ? result->updates_say : result->equal_cost_says;
    const struct estimate *other = result->by_cost ? &result->estimate : &result->at_equal_cost;
    char amount[192], interval[128], cost[128];
    if (result->at_equal_cost.n == 0 || claim == draft->kind || (claim != VERDICT_HELPS && claim != VERDICT_HURTS)) return;
    int decimals = phrase_decimals(analysis, other->ci, 8);
    size_t used = strlen(draft->sentence);
    say(draft, "%s It %s at equal %s, %s (%s %s)", used && strchr(".?", draft->sentence[used - 1]) ? "" : ".",
        claim == VERDICT_HELPS ? "helps" : "hurts", result->by_cost ? "updates" : "cost",
        phrase_amount(analysis, other->delta, decimals, amount), phrase_interval_name(analysis->plan, other),
        phrase_interval(analysis, other->ci, decimals, interval));
    say(draft, result->by_cost ? ", but %s." : ", and %s.", phrase_cost(result, cost));
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

static knack_status write_verdict(struct analysis *analysis, struct contrast_result *result)
{
    struct draft draft = {.analysis = analysis, .result = result, .status = KNACK_OK, .kind = result->verdict.kind};
    bool open = false;
    draft.estimate = result->by_cost ? &result->at_equal_cost : &result->estimate;
    if (result->waits || is_dropped(&draft) || (open = is_open(&draft))) {
        draft.kind = VERDICT_NONE;
        draft.estimate = &result->estimate;
        open ? write_unfinished(&draft) : result->waits ? write_waiting(&draft) : write_dropped(&draft);
        return keep(&draft, &result->verdict);
    }
    write_body(&draft);
    say_other_line(&draft);
    draft_qualify(&draft);
    return keep(&draft, &result->verdict);
}

knack_status verdicts_fill(struct analysis *analysis)
{
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) TRY(write_verdict(analysis, &analysis->contrast[c]));
    return KNACK_OK;
}
