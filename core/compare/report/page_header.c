/* The finding in a sentence or two, and further down what was compared and how. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/analysis/phrases.h"
#include "compare/report/page.h"

/* ---- The finding ---- */

struct group { /* contrasts of one family with one kind of verdict */
    int family;
    enum verdict_kind kind;
    int64_t count;
};

static struct group group_of(const struct analysis *analysis, int family, enum verdict_kind kind)
{
    struct group group = {family, kind, 0};
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        const struct contrast_result *result = &analysis->contrast[c];
        group.count += result->contrast->family == family && result->verdict.kind == kind;
    }
    return group;
}

/* "<b>mixup</b>, <b>ema</b> and <b>sam</b>" */
static void put_names(const struct page *page, struct group group)
{
    const struct analysis *analysis = page->analysis;
    int64_t seen = 0;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        const struct contrast_result *result = &analysis->contrast[c];
        if (result->contrast->family != group.family || result->verdict.kind != group.kind) continue;
        if (seen > 0) markup_raw(page->html, seen + 1 == group.count ? " and " : ", ");
        markup_put(page->html, "<b class=\"%s\">%s</b>", page_verdict_class(group.kind), page_title(result));
        seen++;
    }
}

static void put_group(const struct page *page, struct group group, const char *one, const char *many, bool *first)
{
    if (group.count == 0) return;
    if (!*first) markup_raw(page->html, "; ");
    *first = false;
    put_names(page, group);
    markup_put(page->html, " %s", group.count == 1 ? one : many);
}

static void put_finding(const struct page *page, int family, const char *what)
{
    const struct analysis *analysis = page->analysis;
    int64_t open = group_of(analysis, family, VERDICT_INCONCLUSIVE).count, none = group_of(analysis, family, VERDICT_NONE).count;
    int64_t all = analysis->family_size[family];
    bool first = true;
    if (all == 0) return;
    markup_put(page->html, "<p class=\"lead\">%s", what);
    put_group(page, group_of(analysis, family, VERDICT_HELPS), "helps", "help", &first);
    put_group(page, group_of(analysis, family, VERDICT_HURTS), "hurts", "hurt", &first);
    put_group(page, group_of(analysis, family, VERDICT_NO_DIFFERENCE), "makes no meaningful difference", "make no meaningful difference",
              &first);
    put_group(page, group_of(analysis, family, VERDICT_NOT_WORTH_IT), "does not gain the margin", "do not gain the margin", &first);
    put_group(page, group_of(analysis, family, VERDICT_CANDIDATE), "is a candidate", "are candidates", &first);
    put_group(page, group_of(analysis, family, VERDICT_IDENTICAL), "changes nothing at all", "change nothing at all", &first);
    if (open > 0) {
        markup_put(page->html, "%s%s%" PRId64, first ? "" : "; ", open == all ? "all " : "", open);
        if (open < all) markup_put(page->html, " of %" PRId64, all);
        markup_put(page->html, " inconclusive");
        first = false;
    }
    if (none > 0) markup_put(page->html, "%s%" PRId64 " of %" PRId64 " without a verdict", first ? "" : "; ", none, all);
    markup_raw(page->html, ".</p>\n");
}

static void put_findings(const struct page *page)
{
    bool combined = page->analysis->plan->design == DESIGN_FACTORIAL || page->analysis->plan->design == DESIGN_FRACTION;
    const char *effects = combined ? "Main effects: " : "Against the baseline: ";
    if (page->analysis->screening) effects = "Candidates, to be confirmed on new seeds: ";
    put_finding(page, 0, effects);
    put_finding(page, 1, "Interactions: ");
}

/* ---- What is not as it should be ---- */

static void put_unfinished(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    int64_t done = 0;
    for (int64_t a = 0; a < analysis->plan->arms; a++) done += analysis->arm[a].n;
    if (analysis->finished) return;
    markup_put(page->html, "<p class=\"notice\" role=\"note\"><b>Not finished</b> (%s): %" PRId64 " of %" PRId64 " trials. ",
               analysis->status, done, analysis->plan->arms * analysis->plan->seeds);
    markup_raw(page->html, page->inference
                               ? "What follows rests on the looks made so far; the plan allows for that.</p>\n"
                               : "Counts and means only, as tests and intervals hold for all planned seeds, not for those that happen "
                                 "to be there.</p>\n");
}

static void put_screening(const struct page *page)
{
    char bias[NUMBER_SIZE];
    const struct analysis *analysis = page->analysis;
    if (!analysis->screening) return;
    markup_raw(page->html, "<p class=\"notice\" role=\"note\"><b>A screening</b> finds candidates, not conclusions. ");
    if (isfinite(analysis->best_bias) && analysis->best_bias > 0)
        markup_put(page->html, "The best of so many looks better than it is, by about %s standard errors. ",
                   number_fixed(bias, analysis->best_bias, 1));
    if (analysis->candidates) markup_put(page->html, "In the last round were left, the best first: <b>%s</b>. ", analysis->candidates);
    markup_raw(page->html, "Run the best again on new seeds: <code>knack compare DIR --confirm 2</code>.</p>\n");
}

static void put_budget(const struct page *page)
{
    char budget[192];
    if (page->inference && *phrase_budget(page->analysis, budget))
        markup_put(page->html, "<p class=\"notice\" role=\"note\"><b>Verdicts hold %s.</b></p>\n", budget);
}

/* ---- How it was done ---- */

static void open_fact(const struct page *page, const char *name)
{
    markup_put(page->html, "<dt>%s</dt><dd>", name);
}

static void close_fact(const struct page *page)
{
    markup_raw(page->html, "</dd>\n");
}

static void put_metric(const struct page *page)
{
    char margin[NUMBER_SIZE], score[NUMBER_SIZE];
    const struct plan *plan = page->analysis->plan;
    open_fact(page, "Primary metric");
    markup_put(page->html, "<b>%s.%s</b>, %s is better, at the end of training", plan->part, plan->metric,
               plan->lower_is_better ? "smaller" : "larger");
    close_fact(page);
    open_fact(page, "Margin");
    bool one = page->analysis->percent == 100 && !*number_s(number_short(margin, plan->margin * page->analysis->percent));
    if (plan->margin > 0)
        markup_put(page->html, "%s %s%s: smaller differences do not matter", number_short(margin, plan->margin * page->analysis->percent),
                   one ? "point " : "", page->analysis->unit + (one ? strlen("points ") : 0));
    else
        markup_raw(page->html, "none was given: verdicts say whether there is a difference, not whether it matters");
    close_fact(page);
    open_fact(page, "Failed trials");
    if (isfinite(plan->failed_score))
        markup_put(page->html, "count as %s %s", page_mean(page, score, plan->failed_score),
                   page->analysis->percent > 1 ? "%" : plan->metric);
    else
        markup_raw(page->html, "have no score");
    close_fact(page);
}

/* At how many seeds results were read before the last of them came: those of the arm that was read most often. */
static void put_readings(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    const struct arm *most = plan->arm;
    for (int64_t a = 1; a < plan->arms; a++)
        if (plan->arm[a].reads > most->reads) most = &plan->arm[a];
    for (int64_t i = 0; i < most->reads && plan->stopping == STOP_FIXED && most->read[i] < plan->seeds; i++)
        markup_put(page->html, "%s%" PRId64, i == 0 ? "; results were read at " : ", ", most->read[i]);
}

/* Where looks, halving or --drop gave some arms more of them than others. */
static void put_arm_seeds(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    const struct arm_result *arm = page->analysis->arm;
    int64_t least = arm[0].n;
    for (int64_t a = 1; a < plan->arms; a++)
        if (plan->arm[a].kind == ARM_TREATED && arm[a].n < least) least = arm[a].n;
    for (int64_t a = 0; a < plan->arms && least < arm[0].n; a++)
        if (plan->arm[a].kind != ARM_BUDGET)
            markup_put(page->html, "%s%s %" PRId64, a == 0 ? "; of them " : ", ", plan->arm[a].name, arm[a].n);
}

/* Whether the baseline was trained for long enough. */
static void put_convergence(const struct page *page)
{
    const struct convergence *convergence = &page->analysis->convergence;
    char amount[192], factor[NUMBER_SIZE];
    open_fact(page, "Baseline\u2019s budget");
    if (convergence->known)
        markup_put(page->html, "%s: a baseline trained %s times as long gains %s, over %" PRId64 " seeds",
                   convergence->enough ? "enough" : "not enough", number_short(factor, convergence->factor),
                   phrase_amount(page->analysis, convergence->gain, phrase_in_points(page->analysis) ? 2 : 4, amount), convergence->n);
    else
        markup_raw(page->html, "not known to be enough, since no longer baseline was compared with it");
    close_fact(page);
}

static void put_seeds(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    char seeds[NUMBER_SIZE], blocks[NUMBER_SIZE];
    number_of(seeds, plan->seeds, "seed");
    open_fact(page, "Plan");
    markup_put(page->html, "design <b>%s</b>, role <b>%s</b>; ", design_name[plan->design], role_name[plan->role]);
    if (plan->design == DESIGN_SCREEN)
        markup_put(page->html, "the trials of %s an arm, shared out by halving: after each round the better half goes on", seeds);
    else if (plan->stopping == STOP_FIXED)
        markup_put(page->html, "%s, fixed before the first trial", seeds);
    put_readings(page);
    if (plan->stopping == STOP_DECIDED) markup_put(page->html, "at most %s, each followed by a test that allows for it", seeds);
    if (plan->stopping == STOP_LOOKS) {
        markup_put(page->html, "at most %s, with planned looks at ", seeds);
        for (int64_t i = 0; i < plan->looks; i++) markup_put(page->html, "%s%" PRId64, i == 0 ? "" : ", ", plan->look[i]);
    }
    close_fact(page);
    open_fact(page, "Seeds");
    markup_put(page->html, "%" PRId64 " to %" PRId64 "; %s, in each of which every arm starts from the same random numbers",
               plan->first_seed, analysis_last_seed(page->analysis), number_of(blocks, page->analysis->blocks, "complete block"));
    put_arm_seeds(page);
    close_fact(page);
    if (!page->inference) return;
    open_fact(page, "Tests");
    markup_put(page->html, "paired t on the differences within seeds, two-sided, 95 %% intervals%s%s; %s",
               plan->stopping == STOP_FIXED   ? ""
               : plan->stopping == STOP_LOOKS ? " that hold at any look"
                                              : " that hold at any time",
               plan->redraw ? ", by the formula for data that is split again" : "", page->analysis->adjustment);
    close_fact(page);
}

static void put_list(const struct page *page, const char *name, char *const *text)
{
    if (!text || !text[0]) return;
    open_fact(page, name);
    for (int64_t i = 0; text[i]; i++) markup_put(page->html, "%s%s", i == 0 ? "" : "; ", text[i]);
    close_fact(page);
}

static void put_data(const struct page *page)
{
    char train[NUMBER_SIZE], test[NUMBER_SIZE], hash[24];
    const struct plan *plan = page->analysis->plan;
    snprintf(hash, sizeof hash, "%016" PRIx64, plan->test_set);
    open_fact(page, "Data");
    if (plan->data_title) markup_put(page->html, "%s; ", plan->data_title);
    markup_put(page->html, "%s training examples, %s in the %s part", number_count(train, plan->train_count),
               number_count(test, plan->test_count), plan->part);
    close_fact(page);
    open_fact(page, "Test set");
    if (page->analysis->comparison_number > 0)
        markup_put(page->html, "this is comparison <b>#%" PRId64 "</b> on it (%s)", page->analysis->comparison_number, hash);
    else
        markup_put(page->html, "%s; this comparison is not in the ledger", hash);
    close_fact(page);
}

void page_setup(const struct page *page)
{
    char threads[NUMBER_SIZE];
    markup_raw(page->html, "<section>\n<h2 id=\"setup\">What was compared</h2>\n<dl class=\"facts\">\n");
    put_data(page);
    put_metric(page);
    put_seeds(page);
    if (page->inference) put_convergence(page);
    put_list(page, "Held fixed", page->analysis->fixed);
    put_list(page, "Random", page->analysis->random);
    if (page->analysis->plan->generators) {
        open_fact(page, "Fraction");
        markup_put(page->html, "%s", page->analysis->plan->generators);
        close_fact(page);
    }
    open_fact(page, "Build");
    markup_put(page->html, "knack %s on %s, %s a trial", page->analysis->knack, page->analysis->machine,
               number_of(threads, page->analysis->plan->threads, "thread"));
    close_fact(page);
    markup_raw(page->html, "</dl>\n</section>\n");
}

void page_header(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    markup_raw(page->html, "<header>\n");
    markup_put(page->html, "<p class=\"kicker\">%s</p>\n<h1>%s</h1>\n",
               analysis->screening                         ? "Screening of training tricks"
               : analysis->plan->role == ROLE_CONFIRMATION ? "Confirmation on fresh seeds"
                                                           : "Comparison of training tricks",
               analysis->plan->name);
    put_unfinished(page);
    put_screening(page);
    if (page->inference) put_findings(page);
    put_budget(page);
    markup_raw(page->html, "</header>\n");
}
