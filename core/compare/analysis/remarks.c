/* What every output says first, and what a reader of verdicts has to know beside them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/growing.h"
#include "compare/analysis/phrases.h"
#include "compare/analysis/steps.h"
#include "compare/inference/choice.h"

enum { MOST_REMARKS = 32, LEDGER_MANY = 3 };

static void add(struct growing *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct growing *text, const char *format, ...)
{
    char part[1280];
    va_list list;
    va_start(list, format);
    vsnprintf(part, sizeof part, format, list);
    va_end(list);
    growing_put_text(text, part);
}

static char *keep(struct analysis *analysis, struct growing *text)
{
    char *copy = text->failed || !text->text ? NULL : arena_text(analysis->arena, text->text);
    growing_free(text);
    return copy;
}

/* ---- The headline ---- */

/* Verdicts of one kind are told together. WAITS is not a verdict. */
enum { WAITS = VERDICT_NO_CANDIDATE + 1 };
static const struct {
    int kind;
    const char *one, *many;
} groups[] = {
    {VERDICT_HELPS, "helps", "help"},
    {VERDICT_HURTS, "hurts", "hurt"},
    {VERDICT_CANDIDATE, "is a candidate, to be confirmed on new seeds", "are candidates, to be confirmed on new seeds"},
    {VERDICT_NO_DIFFERENCE, "makes no meaningful difference", "make no meaningful difference"},
    {VERDICT_NOT_WORTH_IT, "does not gain the margin", "do not gain the margin"},
    {VERDICT_IDENTICAL, "changes nothing at all", "change nothing at all"},
    {WAITS, "waits for trials that the machine did not allow", "wait for trials that the machine did not allow"},
};

static int kind_of(const struct contrast_result *result)
{
    return result->waits ? WAITS : (int)result->verdict.kind;
}

static int64_t count_kind(const struct analysis *analysis, int family, int kind)
{
    int64_t count = 0;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++)
        count += analysis->contrast[c].contrast->family == family && kind_of(&analysis->contrast[c]) == kind;
    return count;
}

/* "mixup, ema and sam" */
static void add_names(struct growing *text, const struct analysis *analysis, int family, int kind, int64_t count)
{
    int64_t seen = 0;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        const struct contrast_result *result = &analysis->contrast[c];
        if (result->contrast->family != family || kind_of(result) != kind) continue;
        add(text, "%s%s", seen == 0 ? "" : seen + 1 == count ? " and " : ", ", result->title);
        seen++;
    }
}

static void add_count(struct growing *text, int64_t count, int64_t all, const char *what, bool *first)
{
    if (count == 0) return;
    growing_put_text(text, *first ? "" : "; ");
    *first = false;
    if (count < all)
        add(text, "%lld of %lld %s", (long long)count, (long long)all, what);
    else
        add(text, "%s%s", all == 1 ? "" : "all ", what);
}

static void add_family(struct growing *text, const struct analysis *analysis, int family, const char *what)
{
    int64_t all = analysis->family_size[family];
    bool first = true;
    if (all == 0) return;
    growing_put_text(text, what);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        int64_t count = count_kind(analysis, family, groups[i].kind);
        if (count == 0) continue;
        growing_put_text(text, first ? "" : "; ");
        add_names(text, analysis, family, groups[i].kind, count);
        add(text, " %s", count == 1 ? groups[i].one : groups[i].many);
        first = false;
    }
    add_count(text, count_kind(analysis, family, VERDICT_INCONCLUSIVE), all, "inconclusive", &first);
    add_count(text, count_kind(analysis, family, VERDICT_NONE), all, "without a verdict", &first);
    growing_put_text(text, ".");
}

static bool no_candidate(const struct analysis *analysis)
{
    int64_t none = count_kind(analysis, 0, VERDICT_NO_CANDIDATE), same = count_kind(analysis, 0, VERDICT_IDENTICAL);
    return none > 0 && none + same == analysis->family_size[0];
}

static knack_status fill_headline(struct analysis *analysis)
{
    const struct plan *plan = analysis->plan;
    char budget[192];
    bool combined = plan->design == DESIGN_FACTORIAL || plan->design == DESIGN_FRACTION;
    struct growing text = {0};
    if (!analysis->finished && plan->stopping == STOP_FIXED && strcmp(analysis->status, "waiting") != 0)
        add(&text, "Not finished (%s).", analysis->status);
    else if (no_candidate(analysis))
        add(&text, "No candidate beats the baseline.");
    else
        add_family(&text, analysis, 0, analysis->screening ? "" : combined ? "Main effects: " : "Against the baseline: ");
    if (analysis->family_size[1] > 0 && text.text && strncmp(text.text, "Not", 3) != 0) add_family(&text, analysis, 1, " Interactions: ");
    if (*phrase_budget(analysis, budget)) add(&text, " These verdicts are %s.", budget);
    if (!text.text) add(&text, "Nothing is compared.");
    analysis->headline = keep(analysis, &text);
    return analysis->headline ? KNACK_OK : KNACK_E_MEMORY;
}

/* ---- Remarks ---- */

/* Takes the text; "" is no remark. */
static knack_status put(struct analysis *analysis, const char *about, bool alarm, struct growing *text)
{
    if (!text->text && !text->failed) return KNACK_OK;
    char *copy = analysis->remarks < MOST_REMARKS ? keep(analysis, text) : NULL;
    growing_free(text);
    if (!copy) return KNACK_E_MEMORY;
    analysis->remark[analysis->remarks++] = (struct remark){about, copy, alarm};
    return KNACK_OK;
}

static knack_status tell_budget(struct analysis *analysis)
{
    const struct convergence *convergence = &analysis->convergence;
    struct growing text = {0};
    char gain[192], times[64], factor[NUMBER_SIZE], seeds[NUMBER_SIZE];
    double largest = 0;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) largest = fmax(largest, analysis->contrast[c].estimate.delta);
    if (!analysis->finished && !convergence->known) return KNACK_OK;
    if (!convergence->known) {
        add(&text, "UNKNOWN whether the baseline's budget is enough: %s",
            analysis->plan->converge ? "no longer baseline was trained on 3 seeds or more" : "--no-converge left that out");
        return put(analysis, "budget", false, &text);
    }
    phrase_amount(analysis, convergence->gain, phrase_in_points(analysis) ? 1 : 3, gain);
    snprintf(times, sizeof times, convergence->factor == 2 ? "twice" : "%s times", number_short(factor, convergence->factor));
    add(&text, "%s: %s the updates %s the baseline%s %s (%s)%s", convergence->enough ? "enough" : "NOT ENOUGH, the baseline is not done",
        times, convergence->enough ? "change" : "gain", convergence->enough ? " by" : "", gain, number_of(seeds, convergence->n, "seed"),
        convergence->enough           ? ""
        : convergence->gain > largest ? ", more than anything here does; verdicts hold for this budget only"
                                      : "; verdicts hold for this budget only");
    return put(analysis, "budget", !convergence->enough, &text);
}

static void add_mean(struct growing *text, const struct analysis *analysis, const struct choice *choice, int64_t i)
{
    char mean[NUMBER_SIZE];
    add(text, "%s (%s)", analysis->plan->arm[choice->arm[i]].name,
        number_fixed(mean, analysis->percent * choice->mean[i], phrase_in_points(analysis) ? 2 : 4));
}

static knack_status tell_choice(struct analysis *analysis, const struct material *material)
{
    struct choice choice = {0};
    struct growing text = {0};
    double worst = 0;
    char p[NUMBER_SIZE], pairs[NUMBER_SIZE];
    bool extended = false;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) extended |= analysis->contrast[c].estimate.extended;
    if (analysis->finished && !extended) TRY(choice_make(analysis->plan, &material->grid, &choice));
    if (choice.arms == 0) return KNACK_OK;
    for (int64_t i = 1; i < choice.arms; i++) worst = fmax(worst, choice.p[i]);
    add(&text, "if you take one: ");
    add_mean(&text, analysis, &choice, 0);
    if (choice.alike) growing_put_text(&text, ", not distinguishable from ");
    for (int64_t i = 1, seen = 0; i < choice.arms; i++) {
        if (choice.p[i] < ALPHA) continue;
        growing_put_text(&text, seen++ ? ", " : "");
        add_mean(&text, analysis, &choice, i);
    }
    if (!choice.alike) add(&text, ", better than every other arm (Holm p at most %s)", number_p(p, worst));
    add(&text, "; at equal updates, Holm over %s of arms", number_of(pairs, choice.pairs, "pair"));
    return put(analysis, "one recipe", false, &text);
}

static knack_status tell_screening(struct analysis *analysis)
{
    struct growing text = {0};
    char bias[NUMBER_SIZE];
    if (!analysis->screening) return KNACK_OK;
    growing_put_text(&text, "finds candidates, not conclusions: confirm the best on new seeds (--confirm)");
    if (analysis->best_bias > 0)
        add(&text, "; the best of %lld is overstated by about %s of its standard errors", (long long)analysis->family_size[0],
            number_fixed(bias, analysis->best_bias, 2));
    if (analysis->candidates) add(&text, "; left in the last round, the best first: %s", analysis->candidates);
    return put(analysis, "screening", true, &text);
}

/* What was read, said or used before. */
static knack_status tell_before(struct analysis *analysis)
{
    const struct plan *plan = analysis->plan;
    struct growing text = {0};
    char margin[64], number[NUMBER_SIZE];
    int64_t extended = 0;
    for (int64_t c = 0; c < plan->contrasts; c++) extended += analysis->contrast[c].estimate.extended;
    if (extended > 0)
        add(&text,
            "EXTENDED AFTER A LOOK: results had been read before the last seeds came. In %lld of %lld comparisons p is the e-process's, "
            "and the sentence says how often such looks find something by chance",
            (long long)extended, (long long)plan->contrasts);
    TRY(put(analysis, "read before", true, &text));
    if (plan->margin > 0 && plan->margin != plan->first_margin)
        add(&text, "%s, said after the first trial; before, it was %s", phrase_margin(analysis, margin),
            plan->first_margin > 0 ? number_short(number, analysis->percent * plan->first_margin) : "none");
    TRY(put(analysis, "margin", true, &text));
    if (plan->note) add(&text, "%s: the networks that chose are the judges here", plan->note);
    TRY(put(analysis, "seeds", true, &text));
    if (analysis->comparison_number > 0) add(&text, "comparison #%lld on this %s set", (long long)analysis->comparison_number, plan->part);
    if (analysis->comparison_number >= LEDGER_MANY && plan->role == ROLE_VERDICT)
        growing_put_text(&text,
                         "; who looks often at one test set finds something by chance: try things out with --role tuning, which goes "
                         "by the validation part, and come back with the best");
    return put(analysis, "ledger", false, &text);
}

/* ---- Of trials ---- */

static knack_status tell_warnings(struct analysis *analysis)
{
    enum { MOST = 8 };
    char trials[NUMBER_SIZE];
    for (int64_t i = 0; i < analysis->warnings && i <= MOST; i++) {
        const struct stored_warning *warning = &analysis->warning[i];
        struct growing text = {0};
        if (i == MOST)
            add(&text, "%lld more are in comparison.json", (long long)(analysis->warnings - MOST));
        else
            add(&text, "%s, in %s: %s", analysis->plan->arm[warning->arm].name, number_of(trials, warning->trials, "trial"), warning->text);
        TRY(put(analysis, i == 0 ? "warnings" : "", false, &text));
    }
    return KNACK_OK;
}

static bool waits(const struct material *material, int64_t arm)
{
    for (int64_t row = 0; row < material->rows; row++)
        if (grid_cell(&material->grid, row, arm)->waits) return true;
    return false;
}

/* Why an arm gets no more trials; "": it gets all. */
static const char *why_dropped(const struct analysis *analysis, int64_t arm)
{
    int64_t c = analysis_arm_contrast(analysis, arm);
    const struct contrast_result *result = c < 0 ? NULL : &analysis->contrast[c];
    if (analysis->plan->arm[arm].dropped) return "by --drop, and still counted in the family";
    if (!result || !(result->at_equal_cost.n > 0 ? result->at_equal_cost.futile : result->estimate.futile)) return "";
    return "as the margin is out of its reach";
}

static knack_status tell_arms(struct analysis *analysis, const struct material *material)
{
    struct growing dropped = {0}, idle = {0}, waiting = {0};
    char seeds[NUMBER_SIZE];
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        const struct arm_result *arm = &analysis->arm[a];
        const char *name = arm->arm->name, *why = why_dropped(analysis, a);
        if (*why) add(&dropped, "%s%s after %s, %s", dropped.text ? "; " : "", name, number_of(seeds, arm->n, "seed"), why);
        if (arm->idle) add(&idle, "%s%s in arm %s", idle.text ? ", " : "", arm->idle, name);
        if (waits(material, a)) add(&waiting, "%s%s", waiting.text ? ", " : "", name);
    }
    if (idle.text) growing_put_text(&idle, " never acted in a trial: the arm may not be what it says");
    if (waiting.text)
        growing_put_text(&waiting,
                         ": trials could not be made, by no fault of their own; free memory or disk, then the same command makes them");
    knack_status status = put(analysis, "dropped", false, &dropped);
    if (status >= 0) status = put(analysis, "idle", true, &idle);
    if (status >= 0) status = put(analysis, "waiting", true, &waiting);
    growing_free(&idle);
    growing_free(&waiting);
    return status;
}

static knack_status tell_aside(struct analysis *analysis)
{
    static const char *const why[][2] = {{"unclear", "for an end that may have been the machine's"},
                                         {"machine", "for trouble of the machine"},
                                         {"again", "by --again"},
                                         {"retry-failed", "failed ones by --retry-failed"}};
    struct growing text = {0};
    char trials[NUMBER_SIZE];
    for (size_t w = 0; w < sizeof why / sizeof *why; w++) {
        int64_t count = 0;
        for (int64_t i = 0; i < analysis->asides; i++) count += strcmp(analysis->aside[i].aside, why[w][0]) == 0;
        if (count > 0) add(&text, "%s%s %s", text.text ? ", " : "", number_of(trials, count, "trial"), why[w][1]);
    }
    if (text.text) growing_put_text(&text, ": kept, but others were made in their place");
    return put(analysis, "made anew", false, &text);
}

static knack_status tell_sources(struct analysis *analysis)
{
    struct growing text = {0};
    char trials[NUMBER_SIZE];
    for (int64_t i = 0; i < analysis->trials; i++) {
        const char *source = analysis->trial[i].source;
        int64_t before = 0, count = 0;
        for (int64_t k = 0; *source && k < analysis->trials; k++) {
            bool same = strcmp(analysis->trial[k].source, source) == 0;
            before += same && k < i;
            count += same;
        }
        if (count > 0 && before == 0) add(&text, "%s%s from %s", text.text ? ", " : "", number_of(trials, count, "trial"), source);
    }
    if (text.text) growing_put_text(&text, ": of the baseline, equal in everything");
    return put(analysis, "taken over", false, &text);
}

knack_status remarks_fill(struct analysis *analysis, const struct material *material)
{
    TRY(fill_headline(analysis));
    if (!MAKE(analysis, analysis->remark, MOST_REMARKS)) return KNACK_E_MEMORY;
    TRY(tell_budget(analysis));
    TRY(tell_choice(analysis, material));
    TRY(tell_screening(analysis));
    TRY(tell_before(analysis));
    TRY(tell_arms(analysis, material));
    TRY(tell_aside(analysis));
    TRY(tell_sources(analysis));
    return tell_warnings(analysis);
}
