/* The arms: which tricks are on, what differs from the baseline, and every option. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compare/report/page.h"

/* Designs that combine tricks: which are on in which arm. */
void page_design(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    bool combines = plan->design == DESIGN_ABLATION || plan->design == DESIGN_FACTORIAL || plan->design == DESIGN_FRACTION;
    if (!combines || plan->factors == 0) return;
    struct growing heading = {0};
    growing_put_text(&heading, "Arm");
    for (int64_t j = 0; j < plan->factors; j++) {
        growing_put_text(&heading, "\n>");
        growing_put_text(&heading, plan->factor[j]);
    }
    growing_put_text(&heading, page->analysis->percent > 1 ? "\n>Mean, %" : "\n>Mean");
    markup_raw(page->html, "<section>\n<h2 id=\"design\">Combinations</h2>\n");
    page_table_open(page, "Which tricks are on", heading.failed ? "" : heading.text);
    for (int64_t a = 0; a < plan->arms; a++) {
        char text[NUMBER_SIZE];
        if (plan->arm[a].kind == ARM_BUDGET) continue;
        page_row_open(page, plan->arm[a].name);
        for (int64_t j = 0; j < plan->factors; j++) page_cell(page, plan->arm[a].factors >> j & 1 ? "on" : "\xc2\xb7");
        page_cell(page, page_mean(page, text, page->analysis->arm[a].mean));
        page_row_close(page);
    }
    page_table_close(page);
    if (plan->generators)
        markup_put(page->html, "<p>A fraction of all combinations: %s. What cannot be told apart is named together.</p>\n",
                   plan->generators);
    markup_raw(page->html, heading.failed ? NULL : "</section>\n");
    growing_free(&heading);
}

static void put_arms(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    char text[NUMBER_SIZE];
    page_table_open(page, "Arms", "Arm\nDiffers from the baseline by\n>Updates\n>Parameters");
    for (int64_t a = 0; a < plan->arms; a++) {
        const struct arm *arm = &plan->arm[a];
        page_row_open(page, arm->name);
        markup_raw(page->html, "<td class=\"words\">");
        if (a == 0 || arm->differences == 0) markup_raw(page->html, a == 0 ? "the config as it is" : "nothing");
        for (int64_t i = 0; i < arm->differences; i++) markup_put(page->html, "<div><code>%s</code></div>", arm->difference[i]);
        markup_raw(page->html, "</td>");
        page_cell(page, number_count(text, arm->updates));
        page_cell(page, number_count(text, arm->parameters));
        page_row_close(page);
    }
    page_table_close(page);
}

/* ---- Options ---- */

/* Hashes of entries that were shown, as one arm's trick is often another's. */
struct seen {
    uint64_t *hash;
    int64_t count;
};

static bool was_seen(struct seen *seen, const char *text)
{
    uint64_t hash = text_hash(TEXT_HASH, text, strlen(text));
    for (int64_t i = 0; i < seen->count; i++)
        if (seen->hash[i] == hash) return true;
    seen->hash[seen->count++] = hash;
    return false;
}

static void put_trick(const struct page *page, const struct json *entry)
{
    const struct json *options = json_member(entry, "options"), *option = options ? options->first : NULL;
    page_row_open(page, json_member_text(entry, "name", ""));
    markup_put(page->html, "<td class=\"words\">%s %s</td><td class=\"words\">%s", json_member_text(entry, "plugin", ""),
               json_member_text(entry, "version", ""), option ? "" : "none");
    for (; option; option = option->next) {
        char *value = option->kind == JSON_STRING ? memory_text(option->string) : json_node_text(option, false);
        if (value)
            markup_put(page->html, "%s<code>%s %s</code>", option == options->first ? "" : ", ", option->name ? option->name : "", value);
        else
            markup_raw(page->html, NULL);
        memory_free(value);
    }
    markup_raw(page->html, "</td>");
    page_row_close(page);
}

/* The tricks of an arm that no arm before had with the same options. */
static void put_tricks_of(const struct page *page, const struct arm *arm, struct seen *seen)
{
    struct json_document *document;
    if (!arm->tricks) return;
    if (json_parse(arm->tricks, strlen(arm->tricks), arm->name, &document) < 0) {
        markup_raw(page->html, NULL);
        return;
    }
    int64_t entries = document->root->kind == JSON_ARRAY ? document->root->count : 0;
    uint64_t *hash = memory_resize(seen->hash, (size_t)(seen->count + entries + 1), sizeof *hash);
    if (hash) seen->hash = hash;
    for (const struct json *entry = entries && hash ? document->root->first : NULL; entry; entry = entry->next) {
        char *text = json_node_text(entry, false);
        if (!text) hash = NULL;
        if (text && !was_seen(seen, text)) put_trick(page, entry);
        memory_free(text);
    }
    if (!hash) markup_raw(page->html, NULL);
    json_free(document);
}

void page_arms(const struct page *page)
{
    struct seen seen = {NULL, 0};
    markup_raw(page->html, "<section>\n<h2 id=\"arms\">Arms and tricks</h2>\n");
    put_arms(page);
    page_table_open(page, "Options of each trick", "Trick\nPlugin\nOptions");
    for (int64_t a = 0; a < page->analysis->plan->arms; a++) put_tricks_of(page, &page->analysis->plan->arm[a], &seen);
    page_table_close(page);
    markup_raw(page->html, "</section>\n");
    memory_free(seen.hash);
}
