/* The arms: which tricks are on, what differs from the baseline, and every option. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compare/report/page.h"

/* ---- Designs that combine tricks ---- */

static void put_design_head(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    markup_raw(page->html,
               "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Combinations\">\n<table>\n<caption>Which tricks are on"
               "</caption>\n<thead><tr><th scope=\"col\" class=\"words\">Arm</th>");
    for (int64_t j = 0; j < plan->factors; j++) markup_put(page->html, "<th scope=\"col\">%s</th>", plan->factor[j]);
    markup_put(page->html, "<th scope=\"col\">Mean%s</th></tr></thead>\n<tbody>\n", page->analysis->percent > 1 ? ", %" : "");
}

static void put_design_row(const struct page *page, int64_t a)
{
    char text[NUMBER_SIZE];
    const struct plan *plan = page->analysis->plan;
    page_row_open(page, plan->arm[a].name);
    for (int64_t j = 0; j < plan->factors; j++) page_cell(page, plan->arm[a].factors >> j & 1 ? "on" : "\xc2\xb7");
    page_cell(page, page_mean(page, text, page->analysis->arm[a].mean));
    page_row_close(page);
}

void page_design(const struct page *page)
{
    const struct plan *plan = page->analysis->plan;
    bool combines = plan->design == DESIGN_ABLATION || plan->design == DESIGN_FACTORIAL || plan->design == DESIGN_FRACTION;
    if (!combines || plan->factors == 0) return;
    markup_raw(page->html, "<section>\n<h2 id=\"design\">Combinations</h2>\n");
    put_design_head(page);
    for (int64_t a = 0; a < plan->arms; a++)
        if (plan->arm[a].kind != ARM_BUDGET) put_design_row(page, a);
    page_table_close(page);
    if (plan->generators)
        markup_put(page->html, "<p>A fraction of all combinations: %s. What cannot be told apart is named together.</p>\n",
                   plan->generators);
    markup_raw(page->html, "</section>\n");
}

/* ---- Differences ---- */

static void put_differences(const struct page *page, const struct arm *arm, bool baseline)
{
    markup_raw(page->html, "<td class=\"words\">");
    if (baseline) markup_raw(page->html, "the config as it is");
    if (!baseline && arm->differences == 0) markup_raw(page->html, "nothing");
    for (int64_t i = 0; i < arm->differences; i++) markup_put(page->html, "<div><code>%s</code></div>", arm->difference[i]);
    markup_raw(page->html, "</td>");
}

static void put_arms(const struct page *page)
{
    static const char *const heading[] = {"Arm", "Differs from the baseline by", ">Updates", ">Parameters", NULL};
    const struct plan *plan = page->analysis->plan;
    char text[NUMBER_SIZE];
    page_table_open(page, "Arms", heading);
    for (int64_t a = 0; a < plan->arms; a++) {
        page_row_open(page, plan->arm[a].name);
        put_differences(page, &plan->arm[a], a == 0);
        page_cell(page, number_count(text, plan->arm[a].updates));
        page_cell(page, number_count(text, plan->arm[a].parameters));
        page_row_close(page);
    }
    page_table_close(page);
}

/* ---- Options ---- */

/* Entries that were shown, as one arm's trick is often another's. */
struct seen {
    uint64_t *hash;
    int64_t count;
};

static uint64_t hash_of(const struct json *node, uint64_t hash)
{
    if (node->name) hash = text_hash(hash, node->name, strlen(node->name) + 1);
    if (node->string) hash = text_hash(hash, node->string, strlen(node->string) + 1);
    hash = text_hash(hash, &node->number, sizeof node->number);
    hash = text_hash(hash, &node->flag, sizeof node->flag);
    hash = text_hash(hash, &node->kind, sizeof node->kind);
    for (const struct json *child = node->first; child; child = child->next) hash = hash_of(child, hash);
    return text_hash(hash, "", 1);
}

static bool was_seen(struct seen *seen, const struct json *entry)
{
    uint64_t hash = hash_of(entry, TEXT_HASH);
    for (int64_t i = 0; i < seen->count; i++)
        if (seen->hash[i] == hash) return true;
    seen->hash[seen->count++] = hash;
    return false;
}

static const char *text_of(const struct json *entry, const char *member)
{
    const struct json *node = json_member(entry, member);
    return node && node->kind == JSON_STRING ? node->string : "";
}

/* A value as compact JSON, a string without its quotes. */
static void put_value(const struct page *page, const struct json *value)
{
    if (value->kind == JSON_STRING) {
        markup_text(page->html, value->string);
        return;
    }
    char *text = json_node_text(value, false);
    if (text)
        markup_text(page->html, text);
    else
        markup_raw(page->html, NULL);
    memory_free(text);
}

static void put_options(const struct page *page, const struct json *options)
{
    markup_raw(page->html, "<td class=\"words\">");
    if (!options || !options->first) markup_raw(page->html, "none");
    for (const struct json *option = options ? options->first : NULL; option; option = option->next) {
        markup_put(page->html, "%s<code>%s ", option == options->first ? "" : ", ", option->name ? option->name : "");
        put_value(page, option);
        markup_raw(page->html, "</code>");
    }
    markup_raw(page->html, "</td>");
}

static void put_trick(const struct page *page, const struct json *entry)
{
    const char *name = text_of(entry, "name"), *plugin = text_of(entry, "plugin");
    page_row_open(page, name);
    markup_put(page->html, "<td class=\"words\">%s %s</td>", plugin, text_of(entry, "version"));
    put_options(page, json_member(entry, "options"));
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
    if (hash) {
        seen->hash = hash;
        for (const struct json *entry = entries ? document->root->first : NULL; entry; entry = entry->next)
            if (!was_seen(seen, entry)) put_trick(page, entry);
    } else {
        markup_raw(page->html, NULL);
    }
    json_free(document);
}

void page_arms(const struct page *page)
{
    static const char *const heading[] = {"Trick", "Plugin", "Options", NULL};
    struct seen seen = {NULL, 0};
    markup_raw(page->html, "<section>\n<h2 id=\"arms\">Arms and tricks</h2>\n");
    put_arms(page);
    page_table_open(page, "Options of each trick", heading);
    for (int64_t a = 0; a < page->analysis->plan->arms; a++) put_tricks_of(page, &page->analysis->plan->arm[a], &seen);
    page_table_close(page);
    markup_raw(page->html, "</section>\n");
    memory_free(seen.hash);
}
