/* The table of all contrasts, and a sentence for each; of what is not finished, counts and means. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/report/page.h"

const char *page_title(const struct contrast_result *result)
{
    return result->title ? result->title : result->contrast->name;
}

/* ---- Columns ---- */

/* A cell: a number, and what stands below it in smaller letters ("": nothing). */
struct cell {
    char text[NUMBER_SIZE], below[NUMBER_SIZE];
};

struct column {
    const char *heading, *below; /* markup; below: in smaller letters, "95 % CI" */
    const char *label;           /* both, on a phone */
    void (*fill)(const struct page *, const struct contrast_result *, struct cell *);
    bool (*applies)(const struct page *, const struct contrast_result *); /* NULL: to all. A column that applies to none is left out */
};

static void fill_n(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    (void)page;
    snprintf(cell->text, sizeof cell->text, result->failed > 0 ? "%" PRId64 " (%" PRId64 ")" : "%" PRId64, result->estimate.n,
             result->failed);
    if (result->base_failed > 0) snprintf(cell->below, sizeof cell->below, "base (%" PRId64 ")", result->base_failed);
}

static void fill_base(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    page_mean(page, cell->text, result->base_mean);
}

static void fill_mean(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    page_mean(page, cell->text, result->arm_mean);
}

static bool has_means(const struct page *page, const struct contrast_result *result)
{
    (void)page;
    return isfinite(result->base_mean);
}

static void fill_delta(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    page_difference(page, cell->text, result->estimate.delta);
    page_interval(page, cell->below, result->estimate.ci);
}

static void fill_p(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    analysis_p(page->analysis, cell->text, result->estimate.p);
}

static void fill_adjusted(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    analysis_p(page->analysis, cell->text, result->estimate.p_adjusted);
}

static bool is_screening(const struct page *page, const struct contrast_result *result)
{
    (void)result;
    return page->analysis->screening;
}

static bool is_no_screening(const struct page *page, const struct contrast_result *result)
{
    return !is_screening(page, result);
}

static void fill_wins(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    char wins[NUMBER_SIZE];
    double doubled = 2 * result->estimate.wins;
    (void)page;
    number_fixed(wins, result->estimate.wins, fmod(doubled, 2) == 0 ? 0 : 1);
    snprintf(cell->text, sizeof cell->text, "%.32s of %" PRId64, wins, result->estimate.n);
}

static void fill_spread(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    number_fixed(cell->text, result->estimate.s_d * page->analysis->percent, page->places);
}

static void fill_vrf(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    (void)page;
    number_fixed(cell->text, result->estimate.vrf, 1);
}

static bool has_vrf(const struct page *page, const struct contrast_result *result)
{
    (void)page;
    return !isnan(result->estimate.vrf);
}

static void fill_transfer(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    if (result->two_level.known)
        page_interval(page, cell->text, result->two_level.transfer);
    else
        number_short(cell->text, NAN);
}

static bool has_transfer(const struct page *page, const struct contrast_result *result)
{
    (void)page;
    return result->two_level.known;
}

static void fill_cost(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    bool arm = result->contrast->kind == CONTRAST_ARM && result->contrast->arm >= 0;
    const struct arm_result *of = arm ? &page->analysis->arm[result->contrast->arm] : NULL;
    bool measured = of && !isnan(of->cost_seconds);
    number_ratio(cell->text, measured ? of->cost_seconds : arm ? of->cost_count : result->cost);
    if (measured) page_range(cell->below, of->cost_ci.low, of->cost_ci.high, 2);
    if (!measured && cell->text[0] >= '0' && cell->text[0] <= '9') strcpy(cell->below, "counted");
}

static bool has_cost(const struct page *page, const struct contrast_result *result)
{
    struct cell cell;
    fill_cost(page, result, &cell);
    return cell.text[0] >= '0' && cell.text[0] <= '9';
}

static void fill_equal(const struct page *page, const struct contrast_result *result, struct cell *cell)
{
    if (result->equal_cost_missing) {
        strcpy(cell->text, "not measured");
        return;
    }
    if (result->at_equal_cost.n == 0) return;
    page_difference(page, cell->text, result->at_equal_cost.delta);
    page_interval(page, cell->below, result->at_equal_cost.ci);
}

static bool has_equal(const struct page *page, const struct contrast_result *result)
{
    (void)page;
    return result->equal_cost_missing || result->at_equal_cost.n > 0;
}

static const struct column columns[] = {
    {"n", "failed", "n (failed)", fill_n, NULL},
    {"Base", "mean", "Base mean", fill_base, has_means},
    {"Arm", "mean", "Arm mean", fill_mean, has_means},
    {"\xce\x94", "95 % CI", "\xce\x94, 95 % CI", fill_delta, NULL},
    {"p", "", "p", fill_p, NULL},
    {"p", "Holm", "p, Holm", fill_adjusted, is_no_screening},
    {"q", "BH", "q, Benjamini-Hochberg", fill_adjusted, is_screening},
    {"Wins", "", "Wins", fill_wins, NULL},
    {"s<sub>D</sub>", "", "s of \xce\x94", fill_spread, NULL},
    {"VRF", "", "VRF", fill_vrf, has_vrf},
    {"Transfer", "95 % CI", "Transfer, 95 % CI", fill_transfer, has_transfer},
    {"Cost", "95 % CI", "Cost, 95 % CI", fill_cost, has_cost},
    {"\xce\x94 at equal cost", "95 % CI", "\xce\x94 at equal cost, 95 % CI", fill_equal, has_equal},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static bool is_shown(const struct page *page, const struct column *column)
{
    if (!column->applies) return true;
    for (int64_t c = 0; c < page->analysis->plan->contrasts; c++)
        if (column->applies(page, &page->analysis->contrast[c])) return true;
    return false;
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

static void put_cell(const struct page *page, const struct column *column, const struct contrast_result *result)
{
    struct cell cell = {"", ""};
    column->fill(page, result, &cell);
    markup_put(page->html, "<td role=\"cell\" data-label=\"%s\">%s", column->label, number_typeset(cell.text, sizeof cell.text));
    if (*cell.below) markup_put(page->html, "<small>%s</small>", number_typeset(cell.below, sizeof cell.below));
    markup_raw(page->html, "</td>");
}

static void put_verdict(const struct page *page, const struct verdict *verdict)
{
    markup_put(page->html, "<td role=\"cell\" class=\"words verdict\" data-label=\"Verdict\"><b class=\"%s\">%s</b>",
               page_verdict_class(verdict->kind), verdict->word ? verdict->word : "no verdict");
    for (int64_t q = 0; q < verdict->qualifiers; q++) markup_put(page->html, "<small>%s</small>", verdict->qualifier[q]);
    markup_raw(page->html, "</td>");
}

static void put_head(const struct page *page)
{
    markup_raw(page->html, "<thead><tr><th scope=\"col\" class=\"words\">Comparison</th>");
    for (int i = 0; i < COLUMNS; i++) {
        if (!is_shown(page, &columns[i])) continue;
        markup_raw(page->html, "<th scope=\"col\">");
        markup_raw(page->html, columns[i].heading);
        if (*columns[i].below) markup_put(page->html, "<small>%s</small>", columns[i].below);
        markup_raw(page->html, "</th>");
    }
    markup_raw(page->html, "<th scope=\"col\" class=\"words\">Verdict</th></tr></thead>\n");
}

/* Rows are cards where the page is narrow, and cells with roles stay a table for those who do not see it. */
static void put_row(const struct page *page, int64_t c)
{
    const struct contrast_result *result = &page->analysis->contrast[c];
    markup_put(page->html, "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\" class=\"words\">%s</th>", page_title(result));
    for (int i = 0; i < COLUMNS; i++)
        if (is_shown(page, &columns[i])) put_cell(page, &columns[i], result);
    put_verdict(page, &result->verdict);
    markup_raw(page->html, "</tr>\n");
}

static bool kinds_differ(const struct plan *plan)
{
    for (int64_t c = 1; c < plan->contrasts; c++)
        if (plan->contrast[c].kind != plan->contrast[0].kind) return true;
    return false;
}

/* By kind, as the order of a factorial plan mixes effects and interactions. */
static void put_rows(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    int shown = 2;
    for (int i = 0; i < COLUMNS; i++) shown += is_shown(page, &columns[i]);
    for (int kind = CONTRAST_ARM; kind <= CONTRAST_INTERACTION; kind++) {
        int64_t rows = 0;
        for (int64_t c = 0; c < plan->contrasts; c++) {
            if ((int)plan->contrast[c].kind != kind) continue;
            if (rows == 0) markup_raw(page->html, "<tbody>\n");
            if (rows++ == 0 && kinds_differ(plan))
                markup_put(page->html,
                           "<tr role=\"row\" class=\"group\"><th role=\"rowheader\" scope=\"rowgroup\" colspan=\"%d\">%s</th></tr>\n",
                           shown, group_title(plan->contrast[c].kind));
            put_row(page, c);
        }
        if (rows > 0) markup_raw(page->html, "</tbody>\n");
    }
}

static void put_key(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    markup_put(page->html, "<p class=\"note\">Means in %s; \xce\x94 and s<sub>D</sub> in %s. ",
               analysis->percent > 1 ? "percent" : analysis->plan->metric, analysis->unit);
    markup_raw(
        page->html,
        "\xce\x94: mean difference within seeds. s<sub>D</sub>: standard deviation of these differences. Wins: seeds where "
        "it is better, ties a half. VRF: how many times smaller pairing makes the variance of the difference. Transfer: interval for "
        "new seeds and new test examples, not only these. Cost: CPU time of an update against the baseline&#39;s, or passes counted. "
        "At equal cost: against a baseline that was trained as much longer. All arms share one baseline sample: an unlucky "
        "baseline moves every row the same way.</p>\n");
}

static void put_sentence(const struct page *page, const struct contrast_result *result)
{
    const struct verdict *verdict = &result->verdict;
    const char *sentence = verdict->sentence ? verdict->sentence : "";
    size_t word = verdict->word ? strlen(verdict->word) : 0;
    bool begins = word > 0 && strncmp(sentence, verdict->word, word) == 0;
    markup_put(page->html, "<li><b>%s</b>", page_title(result));
    if (begins) markup_put(page->html, " <b class=\"%s\">%s</b>", page_verdict_class(verdict->kind), verdict->word);
    markup_put(page->html, "%s%s</li>\n", begins ? "" : " ", sentence + (begins ? word : 0));
}

static void put_result(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    const char *caption = plan->contrasts == 0 || kinds_differ(plan) ? "All comparisons" : group_title(plan->contrast[0].kind);
    markup_put(page->html,
               "<h2 id=\"result\">Result</h2>\n<div class=\"scroll wide\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">\n"
               "<table class=\"result\" role=\"table\">\n<caption>%s</caption>\n",
               caption, caption);
    put_head(page);
    put_rows(page);
    markup_raw(page->html, "</table>\n</div>\n");
    put_key(page);
    markup_raw(page->html, "<h3>In sentences</h3>\n<ul class=\"sentences\">\n");
    for (int64_t c = 0; c < page->analysis->plan->contrasts; c++) put_sentence(page, &page->analysis->contrast[c]);
    markup_raw(page->html, "</ul>\n");
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
