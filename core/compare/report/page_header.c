/* The finding in a sentence or two, and further down what was compared and how. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compare/report/page.h"

/* ---- The answer ---- */

/* The contrast that is named where a part of the headline begins; NULL: none. */
static const struct contrast_result *named_at(const struct analysis *analysis, const char *at)
{
    const struct contrast_result *named = NULL;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        const struct contrast_result *result = &analysis->contrast[c];
        size_t length = strlen(result->title);
        bool here = strncmp(at, result->title, length) == 0 && (at[length] == ' ' || at[length] == ',');
        if (here && (!named || length > strlen(named->title))) named = result;
    }
    return named;
}

/* Names in the colour of their verdict. */
static void put_headline(const struct page *page)
{
    static const char before[] = ":;,d"; /* "the baseline: mixup, ema and sam help; rdrop hurts" */
    const char *headline = page->analysis->headline;
    markup_raw(page->html, "<p class=\"lead\">");
    for (const char *at = headline; *at;) {
        bool begins = at == headline || (at[-1] == ' ' && strchr(before, at[-2]));
        const struct contrast_result *named = begins ? named_at(page->analysis, at) : NULL;
        int length = named ? (int)strlen(named->title) : 1 + (int)strcspn(at + 1, " ") + (at[1 + strcspn(at + 1, " ")] == ' ');
        if (named) markup_put(page->html, "<b class=\"%s\">", page_verdict_class(named->verdict.kind));
        char *part = memory_format("%.*s", length, at);
        markup_put(page->html, "%s", part ? part : "");
        markup_raw(page->html, !part ? NULL : named ? "</b>" : "");
        memory_free(part);
        at += length;
    }
    markup_raw(page->html, "</p>\n");
}

/* ---- What is not as it should be ---- */

static void put_unfinished(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    const struct plan *plan = analysis->plan;
    int64_t done = 0, planned = 0;
    if (analysis->finished) return;
    for (int64_t a = 0; a < plan->arms; a++) {
        if (plan->arm[a].kind == ARM_BUDGET) continue;
        done += analysis->arm[a].n;
        planned += plan->seeds;
    }
    markup_put(page->html, "<p class=\"notice\" role=\"note\"><b>Not finished</b> (%s): %" PRId64, analysis->status, done);
    if (plan->design != DESIGN_SCREEN && plan->stopping == STOP_FIXED) markup_put(page->html, " of %" PRId64, planned);
    markup_raw(page->html, done == 1 && planned == 0 ? " trial. " : " trials. ");
    markup_raw(page->html, strcmp(analysis->status, "waiting") == 0
                               ? "Some trials could not be made, by no fault of their own. Their arms have no verdict; the same command "
                                 "makes what is missing.</p>\n"
                           : page->inference
                               ? "What follows rests on the looks made so far; the plan allows for that.</p>\n"
                               : "Counts and means only, as tests and intervals hold for all planned seeds, not for those that happen "
                                 "to be there.</p>\n");
}

/* ---- How it was done ---- */

/* Alarms as notices, the others as facts. Warnings, which are the last, have a table of their own. */
static void put_remarks(const struct page *page, bool alarm)
{
    const struct analysis *analysis = page->analysis;
    int64_t count = 0;
    for (int64_t i = 0; i < analysis->remarks && strcmp(analysis->remark[i].about, "warnings") != 0; i++) {
        const struct remark *remark = &analysis->remark[i];
        if (remark->alarm != alarm) continue;
        if (count++ == 0 && !alarm) markup_raw(page->html, "<dl class=\"facts remarks\">\n");
        markup_put(page->html, alarm ? "<p class=\"notice\" role=\"note\"><b>%s</b>: %s</p>\n" : "<dt>%s</dt><dd>%s</dd>\n", remark->about,
                   remark->text);
    }
    if (count > 0 && !alarm) markup_raw(page->html, "</dl>\n");
}

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
    if (page->inference) put_headline(page);
    put_remarks(page, true);
    put_remarks(page, false);
    markup_raw(page->html, "</header>\n");
}
