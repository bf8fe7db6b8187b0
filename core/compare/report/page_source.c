/* How to repeat the comparison, and the numbers that everything was computed from. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compare/report/page.h"
#include "compare/report/report.h"

/* JSON text again, indented. */
static void put_config(const struct page *page, const char *summary, const char *config)
{
    struct json_document *document = NULL;
    if (!config) return;
    char *indented = json_parse(config, strlen(config), "config", &document) < 0 ? NULL : json_node_text(document->root, true);
    markup_put(page->html, "<details class=\"screen\"><summary>%s</summary>\n<pre tabindex=\"0\"><code>", summary);
    if (indented) markup_text(page->html, indented);
    markup_raw(page->html, indented ? "</code></pre></details>\n" : NULL);
    memory_free(indented);
    json_free(document);
}

static void put_reproduce(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    const struct plan *plan = analysis->plan;
    markup_put(page->html, "<h2 id=\"reproduce\">How to reproduce</h2>\n<p>With knack %s", analysis->knack);
    markup_put(page->html, ":</p>\n<pre tabindex=\"0\"><code>%s</code></pre>\n", plan->command ? plan->command : "");
    markup_put(page->html,
               "<p>Seeds %" PRId64 " to %" PRId64 ", one thread after the other or many trials at once: the same numbers to the bit on "
               "the same build and kind of machine (%s); measured times and memory vary.</p>\n",
               plan->first_seed, analysis_last_seed(analysis), analysis->machine);
    if (plan->arms == 0) return;
    put_config(page, "Config of the baseline, as given", plan->arm[0].config);
    put_config(page, "Config of the baseline with all defaults", plan->arm[0].resolved);
}

/* Percent-encoded, for a data: URI within quotes. */
static void put_percent(const struct page *page, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~,";
    for (; *text; text++) {
        char code[4] = {*text, '\0'};
        if (!strchr(plain, *text)) snprintf(code, sizeof code, "%%%02X", (unsigned char)*text);
        growing_put_text(page->html, code);
    }
}

static void put_numbers(const struct page *page)
{
    char *csv = report_csv(page->analysis);
    markup_raw(page->html, "<h2 id=\"numbers\">Raw numbers</h2>\n");
    if (csv) {
        markup_raw(page->html, "<p><a download=\"values.csv\" href=\"data:text/csv;charset=utf-8,");
        put_percent(page, csv);
        markup_raw(page->html, "\">Download values.csv</a>, a row for each trial.</p>\n"
                               "<details class=\"screen\"><summary>Show them</summary>\n<pre tabindex=\"0\"><code>");
        markup_text(page->html, csv);
        markup_raw(page->html, "</code></pre></details>\n");
    } else {
        markup_raw(page->html, NULL);
    }
    memory_free(csv);
}

void page_source(const struct page *page)
{
    markup_raw(page->html, "<section>\n");
    put_reproduce(page);
    put_numbers(page);
    markup_raw(page->html, "</section>\n");
}
