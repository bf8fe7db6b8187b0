/* The table of all contrasts, with a sentence for each; of what is not finished, counts and means. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/analysis/table.h"
#include "compare/report/page.h"

const char *page_title(const struct contrast_result *result)
{
    return result->title ? result->title : result->contrast->name;
}

/* ---- Rows ---- */

static const char *group_title(enum contrast_kind kind)
{
    static const char *const title[] = {"Each arm against the baseline", "Within the stack: all tricks against all but one",
                                        "Interaction with the rest: the effect within the stack minus the effect alone",
                                        "Main effects: averaged over the other tricks",
                                        "Interactions: how far one trick's effect depends on another"};
    return title[kind];
}

/* What columns are; NULL: what they say. */
static const char *const key[TABLE_COLUMNS] = {
    [TABLE_DELTA] = "mean difference within seeds",
    [TABLE_WINS] = "seeds where it is better, ties a half",
    [TABLE_SPREAD] = "standard deviation of the differences",
    [TABLE_VRF] = "variance reduction factor: how many times smaller pairing makes the variance of the difference",
    [TABLE_TRANSFER] = "interval for new seeds and new test examples, not only these",
    [TABLE_COST] = "passes of a whole training over rows, the baseline's being 1, and below it CPU time where that differs",
    [TABLE_EQUAL] = "against a baseline that was trained as much longer",
};

static void put_head(const struct page *page, const struct result_table *table)
{
    markup_raw(page->html, "<thead><tr><th scope=\"col\" class=\"words\">Comparison</th>");
    for (int i = 0; i < TABLE_COLUMNS; i++) {
        const struct table_heading *heading = &table->heading[i];
        if (!table->shown[i]) continue;
        markup_raw(page->html, "<th scope=\"col\">");
        if (key[i]) markup_put(page->html, "<abbr title=\"%s\">", key[i]);
        markup_put(page->html, key[i] ? "%s</abbr>" : "%s", heading->text);
        markup_put(page->html, *heading->below ? "<small>%s</small></th>" : "</th>", heading->below);
    }
    markup_raw(page->html, "<th scope=\"col\" class=\"words\">Verdict</th></tr></thead>\n");
}

static void put_cell(const struct page *page, const struct table_heading *heading, struct table_cell cell)
{
    markup_put(page->html, "<td role=\"cell\" data-label=\"%s%s%s\">%s", heading->text, *heading->below ? ", " : "", heading->below,
               number_typeset(cell.text, sizeof cell.text));
    if (*cell.below) markup_put(page->html, "<small>%s</small>", number_typeset(cell.below, sizeof cell.below));
    markup_raw(page->html, "</td>");
}

/* Rows are cards where the page is narrow, and cells with roles stay a table for those who do not see it. The verdict's word stands in the
 * row, and the rest of its sentence below. */
static void put_row(const struct page *page, const struct result_table *table, int64_t r, int columns)
{
    const struct contrast_result *result = &page->analysis->contrast[r];
    const struct verdict *verdict = &result->verdict;
    markup_put(page->html, "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\" class=\"words\">%s</th>", page_title(result));
    for (int i = 0; i < TABLE_COLUMNS; i++)
        if (table->shown[i]) put_cell(page, &table->heading[i], table->cell[r][i]);
    markup_put(page->html, "<td role=\"cell\" class=\"words verdict\" data-label=\"Verdict\"><b class=\"%s\">%s</b></td></tr>\n",
               page_verdict_class(verdict->kind), verdict->word ? verdict->word : "no verdict");
    markup_put(page->html, "<tr role=\"row\" class=\"sentence\"><td role=\"cell\" class=\"words\" colspan=\"%d\">%s</td></tr>\n", columns,
               result_table_sentence(verdict));
}

static bool kinds_differ(const struct plan *plan)
{
    for (int64_t c = 1; c < plan->contrasts; c++)
        if (plan->contrast[c].kind != plan->contrast[0].kind) return true;
    return false;
}

/* By kind, as the order of a factorial plan mixes effects and interactions. */
static void put_rows(const struct page *page, const struct result_table *table)
{
    const struct plan *plan = page->analysis->plan;
    int columns = 2;
    for (int i = 0; i < TABLE_COLUMNS; i++) columns += table->shown[i];
    for (int kind = CONTRAST_ARM; kind <= CONTRAST_INTERACTION; kind++) {
        int64_t rows = 0;
        for (int64_t c = 0; c < plan->contrasts; c++) {
            if ((int)plan->contrast[c].kind != kind) continue;
            if (rows == 0) markup_raw(page->html, "<tbody>\n");
            if (rows++ == 0 && kinds_differ(plan))
                markup_put(page->html,
                           "<tr role=\"row\" class=\"group\"><th role=\"rowheader\" scope=\"rowgroup\" colspan=\"%d\">%s</th></tr>\n",
                           columns, group_title(plan->contrast[c].kind));
            put_row(page, table, c, columns);
        }
        if (rows > 0) markup_raw(page->html, "</tbody>\n");
    }
}

/* Of what is there. */
static void put_key(const struct page *page, const struct result_table *table)
{
    const struct analysis *analysis = page->analysis;
    markup_put(page->html, "<p class=\"note\">Means in %s; differences in %s. ", analysis->percent > 1 ? "percent" : analysis->plan->metric,
               analysis->unit);
    for (int i = 0; i < TABLE_COLUMNS; i++)
        if (table->shown[i] && key[i]) markup_put(page->html, "%s: %s. ", table->heading[i].text, key[i]);
    if (analysis->plan->stopping != STOP_FIXED)
        markup_raw(page->html, "Repeated intervals and confidence sequences hold although results were looked at on the way, and are "
                               "wider for it. ");
    if (table->rows > 1) markup_raw(page->html, "All arms share one baseline sample: an unlucky baseline moves every row the same way.");
    markup_raw(page->html, "</p>\n");
}

static void put_result(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    const char *caption = plan->contrasts == 0 || kinds_differ(plan) ? "All comparisons" : group_title(plan->contrast[0].kind);
    struct result_table table;
    if (result_table_new(page->analysis, &table) < 0) {
        markup_raw(page->html, NULL);
        return;
    }
    markup_put(page->html,
               "<h2 id=\"result\">Result</h2>\n<div class=\"scroll wide\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">\n"
               "<table class=\"result\" role=\"table\">\n<caption>%s</caption>\n",
               caption, caption);
    put_head(page, &table);
    put_rows(page, &table);
    markup_raw(page->html, "</table>\n</div>\n");
    put_key(page, &table);
    result_table_free(&table);
}

/* ---- Not finished ---- */

static void put_counts(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    char text[NUMBER_SIZE];
    markup_raw(page->html, "<h2 id=\"result\">So far</h2>\n");
    page_table_open(page, "Trials and means so far", "Arm\n>Trials\n>Failed\n>Mean");
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        const struct arm_result *arm = &analysis->arm[a];
        page_row_open(page, analysis->plan->arm[a].name);
        if (analysis->plan->design == DESIGN_SCREEN || arm->arm->kind == ARM_BUDGET)
            number_count(text, arm->n);
        else
            snprintf(text, sizeof text, "%" PRId64 " of %" PRId64, arm->n, analysis->plan->seeds);
        page_cell(page, text);
        page_cell(page, number_count(text, arm->failed));
        page_cell(page, page_mean(page, text, arm->mean));
        page_row_close(page);
    }
    page_table_close(page);
    markup_put(page->html, "<p class=\"note\">Means of %s%s.</p>\n", analysis->plan->metric, analysis->percent > 1 ? ", in percent" : "");
}

void page_result(const struct page *page)
{
    markup_raw(page->html, "<section>\n");
    if (page->inference)
        put_result(page);
    else
        put_counts(page);
    markup_raw(page->html, "</section>\n");
}
