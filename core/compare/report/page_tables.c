/* Tables below the figures: what else is known of each contrast, other metrics, what it cost, and what failed. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/report/page.h"

/* ---- Estimates ---- */

static void put_estimate(const struct page *page, const struct contrast_result *result)
{
    char text[NUMBER_SIZE];
    const struct estimate *estimate = &result->estimate;
    page_row_open(page, page_title(result));
    page_cell(page, page_interval(page, text, estimate->simultaneous));
    page_cell(page, page_interval(page, text, estimate->next));
    number_signed(text, estimate->relative, 1);
    page_cell(page, isnan(estimate->relative) ? text : strcat(text, " %"));
    page_cell(page, number_interval(text, estimate->relative_ci.low, estimate->relative_ci.high, 1));
    page_cell(page, page_range(text, 100 * estimate->wins_ci.low, 100 * estimate->wins_ci.high, 0));
    page_cell(page, number_p(text, estimate->p_flip));
    page_cell(page, number_fixed(text, estimate->rho, 2));
    page_cell(page, number_fixed(text, estimate->detectable * page->analysis->percent, page->places));
    page_cell(page, number_count(text, estimate->outliers));
    if (page->analysis->plan->stopping != STOP_FIXED) {
        page_cell(page, number_count(text, estimate->n));
        page_cell(page, number_fixed(text, estimate->boundary, 2));
    }
    page_row_close(page);
}

void page_estimates(const struct page *page)
{
    static const char always[] = "Comparison\n>Interval for all at once\n>Next single seed\n>Relative change\n>its interval, %\n"
                                 ">Share of wins, %\n>Sign-flip p\n>Correlation\n>Detectable\n>Outliers";
    char heading[sizeof always + 64];
    snprintf(heading, sizeof heading, "%s%s", always,
             page->analysis->plan->stopping != STOP_FIXED ? "\n>Seeds at its look\n>|t| needed there" : "");
    markup_raw(page->html, "<section>\n<h2 id=\"estimates\">More on each comparison</h2>\n");
    page_table_open(page, "Further estimates", heading);
    for (int64_t c = 0; c < page->analysis->plan->contrasts; c++) put_estimate(page, &page->analysis->contrast[c]);
    page_table_close(page);
    markup_raw(
        page->html,
        "<p class=\"note\">All intervals are of 95 %. For all at once: holds for all comparisons of its family together. Next single "
        "seed: what one more seed would show. Relative change: of the baseline&#39;s mean, or of its error where the metric is a share; "
        "above zero is better. Sign-flip p: exact and without assumptions on the shape of differences. Detectable: the effect that so "
        "many seeds find with 80 % power. Outliers: beyond Tukey&#39;s fences; none is dropped.</p>\n</section>\n");
}

/* ---- Other metrics ---- */

/* A mean, and below it how far it is from the baseline's. */
static void put_pair(const struct page *page, double mean, double difference, int places, bool both)
{
    char text[NUMBER_SIZE], below[NUMBER_SIZE];
    number_fixed(text, mean, places);
    number_signed(below, difference, places);
    markup_put(page->html, "<td>%s", number_typeset(text, sizeof text));
    if (both) markup_put(page->html, "<small>%s</small>", number_typeset(below, sizeof below));
    markup_raw(page->html, "</td>");
}

static void table_open(const struct page *page, const char *caption, struct growing *heading)
{
    page_table_open(page, caption, heading->failed ? "" : heading->text);
    markup_raw(page->html, heading->failed ? NULL : "");
    growing_free(heading);
}

static void add_heading(struct growing *heading, const char *name)
{
    if (!heading->text) growing_put_text(heading, "Arm");
    growing_put_text(heading, "\n>");
    growing_put_text(heading, name);
}

static const struct trial_metric_mean *find_metric(const struct arm_result *arm, const struct trial_metric_mean *like)
{
    for (int64_t i = 0; i < arm->secondaries; i++)
        if (strcmp(arm->secondary[i].part, like->part) == 0 && strcmp(arm->secondary[i].metric, like->metric) == 0)
            return &arm->secondary[i];
    return NULL;
}

enum { METRICS_MOST = 64 };

/* A metric's parts beside each other. */
static int64_t order_metrics(const struct arm_result *arm, const struct trial_metric_mean *order[METRICS_MOST])
{
    int64_t count = 0;
    for (int64_t i = 0; i < arm->secondaries; i++)
        for (int64_t k = 0; k < arm->secondaries && count < METRICS_MOST; k++) {
            bool same = strcmp(arm->secondary[i].metric, arm->secondary[k].metric) == 0;
            if (same && k < i) break; /* it came before */
            if (same) order[count++] = &arm->secondary[k];
        }
    return count;
}

void page_secondary(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    const struct plan *plan = analysis->plan;
    const struct trial_metric_mean *order[METRICS_MOST];
    int64_t metrics = plan->arms > 0 ? order_metrics(&analysis->arm[0], order) : 0;
    struct growing heading = {0};
    if (metrics == 0) return;
    markup_put(page->html,
               "<section>\n<h2 id=\"secondary\">Secondary metrics</h2>\n<p>Without a verdict, as the comparison was of %s.%s. Means, as "
               "each metric is; below, the mean difference from the baseline within seeds.</p>\n",
               plan->part, plan->metric);
    for (int64_t i = 0; i < metrics; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.%s", order[i]->part, order[i]->metric);
        add_heading(&heading, name);
    }
    table_open(page, "Secondary metrics", &heading);
    for (int64_t a = 0; a < plan->arms; a++) {
        page_row_open(page, plan->arm[a].name);
        for (int64_t i = 0; i < metrics; i++) {
            const struct trial_metric_mean *metric = find_metric(&analysis->arm[a], order[i]);
            put_pair(page, metric ? metric->mean : NAN, metric ? metric->delta : NAN, 4, a > 0);
        }
        page_row_close(page);
    }
    page_table_close(page);
    if (strcmp(order[0]->part, "train") == 0)
        markup_raw(page->html, "<p class=\"note\">train.loss: of the last epoch, as the arm trains; tricks that mix or change examples or "
                               "targets make it larger. Far below the loss on other parts it speaks of overfitting.</p>\n");
    markup_raw(page->html, "</section>\n");
}

void page_recalls(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    const struct plan *plan = analysis->plan;
    struct growing heading = {0};
    if (!plan->labels || plan->arms == 0) return;
    for (int64_t k = 0; k < plan->classes; k++) add_heading(&heading, plan->class_name[k]);
    markup_put(page->html,
               "<section>\n<h2 id=\"recalls\">Recall by class</h2>\n<p>Of all %s examples of a class, how many percent are told right; "
               "below, the difference from the baseline in points, within seeds. Without a verdict.</p>\n",
               plan->part);
    table_open(page, "Recall by class", &heading);
    for (int64_t a = 0; a < plan->arms; a++) {
        const struct arm_result *arm = &analysis->arm[a];
        page_row_open(page, plan->arm[a].name);
        for (int64_t k = 0; k < plan->classes; k++) put_pair(page, 100 * arm->recall[k], 100 * arm->recall_delta[k], 1, a > 0);
        page_row_close(page);
    }
    page_table_close(page);
    markup_raw(page->html, "</section>\n");
}

/* ---- Costs ---- */

static void put_savings(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    bool any = false;
    for (int64_t c = 0; c < plan->contrasts; c++) any |= !isnan(page->analysis->contrast[c].equal_quality_saving);
    if (!any || !page->inference) return;
    markup_raw(page->html, "<h3>The same quality without the trick</h3>\n<ul>\n");
    for (int64_t c = 0; c < plan->contrasts; c++) {
        const struct contrast_result *result = &page->analysis->contrast[c];
        char saving[NUMBER_SIZE];
        if (isnan(result->equal_quality_saving) || result->verdict.kind != VERDICT_HELPS) continue;
        number_ratio(saving, result->equal_quality_saving);
        markup_put(page->html, "<li><b>%s</b>: ", page_title(result));
        if (isinf(result->equal_quality_saving))
            markup_raw(page->html, "no baseline that was run, however long, gets as far.</li>\n");
        else
            markup_put(page->html, "the baseline gets as far for %s its cost.</li>\n", number_typeset(saving, sizeof saving));
    }
    markup_raw(page->html, "</ul>\n");
}

void page_costs(const struct page *page)
{
    char text[NUMBER_SIZE];
    const struct analysis *analysis = page->analysis;
    markup_put(page->html, "<section>\n<h2 id=\"costs\">Costs</h2>\n<p>All trials together took %s of CPU time.</p>\n",
               number_duration(text, analysis->cpu_seconds));
    page_table_open(page, "Costs of a trial",
                    "Arm\n>Updates\n>Rows with gradient\n>Rows forward only\n>Cost by counts\n>Cost by time\n>its 95 % CI\n>CPU of a "
                    "trial\n>A trial took\n>Forwards per prediction\n>Peak memory");
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        const struct arm_result *arm = &analysis->arm[a];
        page_row_open(page, analysis->plan->arm[a].name);
        page_cell(page, number_count(text, analysis->plan->arm[a].updates));
        page_cell(page, number_count(text, llround(arm->gradient_rows)));
        page_cell(page, number_count(text, llround(arm->forward_rows)));
        page_cell(page, number_ratio(text, arm->cost.counted));
        page_cell(page, number_ratio(text, arm->cost.cpu));
        page_cell(page, page_range(text, arm->cost.cpu_ci.low, arm->cost.cpu_ci.high, 2));
        page_cell(page, number_duration(text, arm->cpu_seconds));
        page_cell(page, number_duration(text, arm->seconds));
        page_cell(page, number_fixed(text, arm->inference, 1));
        double mebibytes = arm->peak_memory > 0 ? (double)arm->peak_memory / (1 << 20) : NAN;
        number_fixed(text, mebibytes, mebibytes < 10 ? 1 : 0);
        page_cell(page, isnan(mebibytes) ? text : strcat(text, " MiB"));
        page_row_close(page);
    }
    page_table_close(page);
    markup_raw(
        page->html,
        "<p class=\"note\">Rows through the model are counted exactly, over the whole training; cost by counts takes a row with gradient "
        "as three that go forward only. Cost by time is CPU time of a whole training against the baseline&#39;s, from updates that "
        "were measured one after the other by turns. What a trial took includes what its neighbours slowed it down.</p>\n");
    put_savings(page);
    markup_raw(page->html, "</section>\n");
}

/* ---- Trials ---- */

/* Where trials ended that failed, or that do not count. */
static void put_ended(const struct page *page, bool counts)
{
    const struct analysis *analysis = page->analysis;
    const struct stored_trial *trial = counts ? analysis->trial : analysis->aside;
    int64_t trials = counts ? analysis->trials : analysis->asides;
    char text[NUMBER_SIZE];
    page_table_open(page, counts ? "Trials that failed" : "Trials that were set aside",
                    counts ? "Arm\n>Seed\nStatus\n>Step\nIn\nMessage" : "Arm\n>Seed\nStatus\n>Step\nIn\nMessage\nSet aside as");
    for (; trials-- > 0; trial++) {
        if (counts && trial->status == TRIAL_DONE) continue;
        page_row_open(page, analysis->plan->arm[trial->arm].name);
        markup_put(page->html, "<td>%" PRId64 "</td>", trial->seed);
        page_cell_text(page, trial_status_name[trial->status]);
        page_cell(page, trial->status == TRIAL_DONE || trial->step < 0 ? number_short(text, NAN) : number_count(text, trial->step + 1));
        page_cell_text(page, trial->place);
        page_cell_text(page, trial->message);
        if (!counts) page_cell_text(page, trial->aside);
        page_row_close(page);
    }
    page_table_close(page);
    if (!counts)
        markup_raw(page->html, "<p class=\"note\">Set aside trials do not count. Machine: its trouble ended them. Unclear: whose fault it "
                               "was, until they were made again alone. Again, retry-failed: somebody asked for new ones.</p>\n");
}

static void put_failures(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    char text[NUMBER_SIZE], p[NUMBER_SIZE];
    markup_raw(page->html, "<ul>\n");
    for (int64_t a = 0; a < plan->arms; a++) {
        const struct arm_result *arm = &page->analysis->arm[a];
        if (isnan(arm->p_failures) || !page->inference) continue;
        markup_put(page->html, "<li><b>%s</b> failed in %" PRId64 " of %s; exact test of failures against the baseline: p %s.</li>\n",
                   plan->arm[a].name, arm->failed, number_of(text, arm->n, "trial"), number_p(p, arm->p_failures));
    }
    markup_raw(page->html, "</ul>\n");
    put_ended(page, true);
}

static void put_warnings(const struct page *page)
{
    char text[NUMBER_SIZE];
    page_table_open(page, "Warnings of trials", "Arm\n>Trials\nWarning");
    for (int64_t i = 0; i < page->analysis->warnings; i++) {
        const struct stored_warning *warning = &page->analysis->warning[i];
        page_row_open(page, page->analysis->plan->arm[warning->arm].name);
        page_cell(page, number_count(text, warning->trials));
        page_cell_text(page, warning->text);
        page_row_close(page);
    }
    page_table_close(page);
}

void page_trials(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    char text[NUMBER_SIZE];
    int64_t failed = 0, all = 0;
    double bound = NAN; /* the largest: that of the arm with the fewest trials */
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        failed += analysis->arm[a].failed;
        all += analysis->arm[a].n;
        bound = fmax(bound, analysis->arm[a].failure_bound);
    }
    markup_put(page->html, "<section>\n<h2 id=\"trials\">Trials</h2>\n<p>%" PRId64 " of %s failed.", failed, number_of(text, all, "trial"));
    if (!isnan(bound))
        markup_put(page->html, " Where none did, the true rate may still be up to %s %%, at 95 %% confidence.",
                   number_fixed(text, 100 * bound, 0));
    markup_raw(page->html, "</p>\n");
    if (failed > 0) put_failures(page);
    if (analysis->asides > 0) put_ended(page, false);
    if (analysis->warnings > 0) put_warnings(page);
    markup_raw(page->html, "</section>\n");
}
