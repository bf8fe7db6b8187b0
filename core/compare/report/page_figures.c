/* The figures: each in a wide and a narrow layout, of which the style shows one; many of a kind as small multiples. */
#include <inttypes.h>

#include "base/memory.h"
#include "compare/report/figures.h"
#include "compare/report/page.h"

enum {
    APART = 2, /* so many drawings of a kind stand below each other; more of them side by side */
    OPEN = 6   /* of those, so many are seen at once; the others are folded away */
};

static void put_drawing(const struct page *page, const struct figure *figure, int64_t item, enum figure_width width, const char *class)
{
    char *svg = figure_draw(figure, page->analysis, item, width);
    markup_put(page->html, "<div class=\"%s\">\n", class);
    markup_raw(page->html, svg);
    markup_raw(page->html, "</div>\n");
    memory_free(svg);
}

static void put_multiples(const struct page *page, const struct figure *figure, int64_t from, int64_t to)
{
    markup_raw(page->html, "<div class=\"multiples\">\n");
    for (int64_t i = from; i < to; i++) put_drawing(page, figure, i, FIGURE_NARROW, "drawing");
    markup_raw(page->html, "</div>\n");
}

static void put_figure(const struct page *page, const struct figure *figure, int64_t items, int number)
{
    bool many = items > APART;
    int64_t open = items > OPEN + 1 ? OPEN : items;
    markup_put(page->html, "<h3>%s</h3>\n<figure id=\"figure-%s\" class=\"%s\">\n", figure->title, figure->name, many ? "wide" : "single");
    for (int64_t i = 0; i < items && !many; i++) {
        put_drawing(page, figure, i, FIGURE_WIDE, "drawing for-wide");
        put_drawing(page, figure, i, FIGURE_NARROW, "drawing for-narrow");
    }
    if (many) put_multiples(page, figure, 0, open);
    if (open < items) {
        markup_put(page->html, "<details class=\"printed\"><summary>%" PRId64 " more</summary>\n", items - open);
        put_multiples(page, figure, open, items);
        markup_raw(page->html, "</details>\n");
    }
    markup_put(page->html, "<figcaption><b>Figure %d. %s.</b> %s</figcaption>\n</figure>\n", number, figure->title, figure->text);
}

void page_figures(const struct page *page)
{
    int number = 0;
    bool overview = page->analysis->plan->contrasts >= FIGURE_MANY; /* of all effects, before each of them */
    markup_raw(page->html, "<section>\n<h2 id=\"figures\">Figures</h2>\n");
    for (int i = 0; figures[i]; i++) {
        const struct figure *figure = figures[overview && i < 2 ? 1 - i : i];
        int64_t items = figure_items(figure, page->analysis);
        if (items > 0) put_figure(page, figure, items, ++number);
    }
    markup_raw(page->html, "</section>\n");
}
