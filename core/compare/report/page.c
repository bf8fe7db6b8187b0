/* The page as a whole: one file without script, and without anything from elsewhere. */
#include "compare/report/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/analysis/table.h"
#include "compare/report/figures.h"
#include "compare/report/report.h"
#include "draw/style.h"

static void head(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    markup_raw(page->html, "<!DOCTYPE html>\n<html lang=\"en\" class=\"figure\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                           "<meta name=\"color-scheme\" content=\"light dark\">\n"
                           /* A browser enforces what this page promises: it loads nothing and runs nothing. */
                           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
                           "img-src data:\">\n"
                           "<link rel=\"icon\" href=\"data:,\">\n");
    markup_put(page->html, "<meta name=\"generator\" content=\"knack %s\">\n<title>%s%s</title>\n<style>\n", page->analysis->knack,
               page->analysis->screening ? "Screening: " : "", plan->name);
    markup_raw(page->html, drawing_style());
    markup_raw(page->html, page_style);
    markup_raw(page->html, "</style>\n</head>\n<body>\n<main>\n");
}

static void body(const struct page *page)
{
    page_header(page);
    page_result(page);
    if (page->inference) page_figures(page);
    page_setup(page);
    if (page->inference) {
        page_estimates(page);
        page_secondary(page);
        page_recalls(page);
    }
    page_design(page);
    page_costs(page);
    page_trials(page);
    page_arms(page);
    page_source(page);
}

char *report_html(const struct analysis *analysis)
{
    struct growing html = {0};
    struct page page = {.analysis = analysis, .html = &html, .places = result_table_decimals(analysis)};
    if (page.places < 0) return NULL;
    page.inference = analysis_has_inference(analysis);
    head(&page);
    body(&page);
    markup_raw(page.html, "</main>\n</body>\n</html>\n");
    return growing_take(&html);
}

/* ---- Tables ---- */

void page_table_open(const struct page *page, const char *caption, const char *heading)
{
    enum { MANY = 7 }; /* columns that need more room than text has */
    int columns = 1;
    for (const char *c = heading; *c; c++) columns += *c == '\n';
    markup_put(page->html,
               "<div class=\"scroll%s\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">\n<table>\n<caption>%s</caption>\n<thead><tr>",
               columns > MANY ? " wide" : "", caption, caption);
    for (const char *end; columns-- > 0; heading = end + 1) {
        char name[256];
        bool number = *heading == '>';
        end = heading + strcspn(heading, "\n");
        snprintf(name, sizeof name, "%.*s", (int)(end - heading) - number, heading + number);
        markup_raw(page->html, number ? "<th scope=\"col\">" : "<th scope=\"col\" class=\"words\">");
        markup_put(page->html, "%s</th>", name);
    }
    markup_raw(page->html, "</tr></thead>\n<tbody>\n");
}

void page_table_close(const struct page *page)
{
    markup_raw(page->html, "</tbody>\n</table>\n</div>\n");
}

void page_row_open(const struct page *page, const char *name)
{
    markup_put(page->html, "<tr><th scope=\"row\">%s</th>", name);
}

void page_cell(const struct page *page, const char *text)
{
    char typeset[NUMBER_SIZE];
    snprintf(typeset, sizeof typeset, "%s", text);
    markup_put(page->html, "<td>%s</td>", number_typeset(typeset, sizeof typeset));
}

void page_cell_text(const struct page *page, const char *text)
{
    markup_put(page->html, "<td class=\"words\">%s</td>", text);
}

void page_row_close(const struct page *page)
{
    markup_raw(page->html, "</tr>\n");
}

const char *page_verdict_class(enum verdict_kind kind)
{
    static const char *const name[] = {"none", "same", "helps", "hurts", "same", "same", "unsure", "helps", "same"};
    return name[kind];
}

/* ---- Numbers ---- */

const char *page_range(char buffer[NUMBER_SIZE], double low, double high, int decimals)
{
    char from[NUMBER_SIZE], to[NUMBER_SIZE];
    if (isnan(low) || isnan(high)) return number_short(buffer, NAN);
    snprintf(buffer, NUMBER_SIZE, "%.21s to %.21s", number_fixed(from, low, decimals), number_fixed(to, high, decimals));
    return buffer;
}

const char *page_mean(const struct page *page, char buffer[NUMBER_SIZE], double value)
{
    return number_fixed(buffer, value * page->analysis->percent, page->places);
}

const char *page_interval(const struct page *page, char buffer[NUMBER_SIZE], struct interval interval)
{
    struct interval shown = analysis_shown_interval(page->analysis, interval);
    return number_interval(buffer, shown.low, shown.high, page->places);
}
