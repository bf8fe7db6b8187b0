/* The style sheet of all drawings. Colours keep their distance for all common kinds of colour blindness (after Okabe and Ito's palette),
 * and no meaning hangs on colour alone. */
#include "draw/style.h"

#include <string.h>

#include "base/status.h"
#include "draw/markup.h"

/* Name, on light paper, on dark paper. */
#define COLOURS(EACH)                                                                                                                      \
    EACH(paper, "#ffffff", "#14171c")                                                                                                      \
    EACH(ink, "#1c2128", "#e4e7eb")                                                                                                        \
    EACH(muted, "#57606a", "#a3acb8")                                                                                                      \
    EACH(grid, "#e4e7eb", "#2a3038")                                                                                                       \
    EACH(axis, "#8c959f", "#6b7480")                                                                                                       \
    EACH(margin, "#fbf1d4", "#332d19")                                                                                                     \
    EACH(base, "#6e7781", "#9aa4b0")                                                                                                       \
    EACH(arm, "#0068a8", "#56b4e9")                                                                                                        \
    EACH(helps, "#00795a", "#2fc79a")                                                                                                      \
    EACH(hurts, "#c24100", "#ff8f4d")                                                                                                      \
    EACH(same, "#8a4f9e", "#d79ae8")                                                                                                       \
    EACH(unclear, "#57606a", "#a3acb8")

#define LIGHT(name, light, dark) "--figure-" #name ":" light ";"
#define DARK(name, light, dark)  "--figure-" #name ":" dark ";"

/* Of drawings alone: what else a page has is not touched. */
#define FORMS                                                                                                                              \
    "svg.figure text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}\n"                             \
    "svg.figure text{fill:var(--figure-ink)}\n"                                                                                            \
    "svg.figure .heading{font-size:13px;font-weight:600}\n"                                                                                \
    "svg.figure .note{fill:var(--figure-muted)}\n"                                                                                         \
    "svg.figure .paper{fill:var(--figure-paper)}\n"                                                                                        \
    "svg.figure .margin{fill:var(--figure-margin)}\n"                                                                                      \
    "svg.figure .grid{stroke:var(--figure-grid);stroke-width:1}\n"                                                                         \
    "svg.figure .axis{stroke:var(--figure-axis);stroke-width:1}\n"                                                                         \
    "svg.figure .leader{stroke:var(--figure-axis);stroke-width:.75}\n"                                                                     \
    "svg.figure .zero{stroke:var(--figure-ink);stroke-width:1}\n"                                                                          \
    "svg.figure .stairs{fill:none;stroke:var(--figure-ink);stroke-width:1;stroke-dasharray:1.5 2.5}\n"                                     \
    "svg.figure .base{color:var(--figure-base)}\n"                                                                                         \
    "svg.figure .arm{color:var(--figure-arm)}\n"                                                                                           \
    "svg.figure .helps{color:var(--figure-helps)}\n"                                                                                       \
    "svg.figure .hurts{color:var(--figure-hurts)}\n"                                                                                       \
    "svg.figure .same{color:var(--figure-same)}\n"                                                                                         \
    "svg.figure .unclear{color:var(--figure-unclear)}\n"                                                                                   \
    "svg.figure .line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}\n"                                               \
    "svg.figure .dashes{fill:none;stroke:currentColor;stroke-width:1.5;stroke-dasharray:5 3}\n"                                            \
    "svg.figure .faint{fill:none;stroke:currentColor;stroke-width:1;stroke-opacity:.3}\n"                                                  \
    "svg.figure .thin{fill:none;stroke:currentColor;stroke-width:1.25}\n"                                                                  \
    "svg.figure .thick{fill:none;stroke:currentColor;stroke-width:4.5}\n"                                                                  \
    "svg.figure .solid{fill:currentColor;stroke:var(--figure-paper);stroke-width:1}\n"                                                     \
    "svg.figure .hollow{fill:var(--figure-paper);stroke:currentColor;stroke-width:2}\n"                                                    \
    "svg.figure .area{fill:currentColor;fill-opacity:.18}\n"                                                                               \
    "svg.figure .bar{fill:currentColor}\n"                                                                                                 \
    "svg.figure .light{fill:currentColor;fill-opacity:.25}\n"                                                                              \
    "svg.figure .middle{fill:currentColor;fill-opacity:.55}\n"

const char *drawing_style(void)
{
    return ".figure{" COLOURS(LIGHT) "-webkit-print-color-adjust:exact;print-color-adjust:exact}\n"
                                     "@media screen and (prefers-color-scheme:dark){.figure{" COLOURS(DARK) "}}\n" FORMS;
}

static const struct {
    const char *name, *shade[2];
} colours[] = {
#define ROW(name, light, dark) {#name ")", {light, dark}},
    COLOURS(ROW)};

/* The forms with their colours written out: what makes papers of drawings often knows no variables. */
static void write_forms(struct growing *svg, int dark)
{
    static const char variable[] = "var(--figure-";
    const char *rest = FORMS;
    for (const char *found; (found = strstr(rest, variable)) != NULL;) {
        growing_put(svg, rest, (size_t)(found - rest));
        rest = found + sizeof variable - 1;
        for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
            if (strncmp(rest, colours[i].name, strlen(colours[i].name)) != 0) continue;
            markup_raw(svg, colours[i].shade[dark]);
            rest += strlen(colours[i].name);
            break;
        }
    }
    markup_raw(svg, rest);
}

char *drawing_file(const char *drawing)
{
    static const char root[] = "<svg ";
    const char *inside = strstr(drawing, ">\n");
    if (strncmp(drawing, root, sizeof root - 1) != 0 || !inside) {
        status_set(KNACK_E_CALL, "drawing_file: this is no drawing");
        return NULL;
    }
    struct growing svg = {0};
    markup_raw(&svg, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" ");
    const char *attributes = drawing + sizeof root - 1;
    growing_put(&svg, attributes, (size_t)(inside - attributes));
    markup_raw(&svg, ">\n<style>\n");
    write_forms(&svg, 0);
    markup_raw(&svg, "@media screen and (prefers-color-scheme:dark){\n");
    write_forms(&svg, 1);
    markup_raw(&svg, "}\n</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>");
    markup_raw(&svg, inside + 1);
    return growing_take(&svg);
}
