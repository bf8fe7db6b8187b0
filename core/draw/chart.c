#include "draw/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

void chart_begin(struct chart *chart, bool narrow)
{
    *chart = (struct chart){.width = narrow ? CHART_NARROW : CHART_WIDE, .narrow = narrow};
}

void chart_discard(struct chart *chart)
{
    growing_free(&chart->svg);
    boxes_free(&chart->taken);
    *chart = (struct chart){0};
}

char *chart_end(struct chart *chart, double y, const char *name)
{
    double height = ceil(y - LABEL_ABOVE + CHART_MARGIN);
    struct growing whole = {0};
    markup_put(&whole, "<svg class=\"figure\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n",
               chart->width, height, chart->width, height, name);
    if (chart->svg.text) markup_raw(&whole, chart->svg.text);
    markup_raw(&whole, "</svg>\n");
    if (chart->svg.failed || chart->taken.failed) whole.failed = true;
    chart_discard(chart);
    return growing_take(&whole);
}

/* The end of an element whose start tag is still open. title, shown when the pointer rests on it: NULL for none. */
static void end_element(struct chart *chart, const char *tag, const char *title)
{
    if (title)
        markup_put(&chart->svg, "><title>%s</title></%s>\n", title, tag);
    else
        markup_raw(&chart->svg, "/>\n");
}

/* ---- Text ---- */

static void write_text(struct chart *chart, const char *kind, enum anchor anchor, double x, double y, const char *text, const char *title)
{
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    if (!isfinite(x) || !isfinite(y) || *text == '\0') return;
    markup_put(&chart->svg, "<text class=\"%s\" x=\"%g\" y=\"%g\"", kind, x, y);
    markup_raw(&chart->svg, anchors[anchor]);
    markup_raw(&chart->svg, ">");
    if (title) markup_put(&chart->svg, "<title>%s</title>", title);
    markup_put(&chart->svg, "%s</text>\n", text);
    double width = strcmp(kind, "heading") == 0 ? label_width_bold(text) : label_width(text);
    boxes_add(&chart->taken, label_box(x - width * anchor / 2.0, y, width));
}

void chart_text(struct chart *chart, const char *kind, enum anchor anchor, double x, double y, const char *text)
{
    write_text(chart, kind, anchor, x, y, text, NULL);
}

void chart_label(struct chart *chart, const char *kind, enum anchor anchor, double x, double y, double width, const char *text)
{
    char buffer[512];
    if (strcmp(kind, "heading") == 0) width = width / 1.3 - 2;
    label_shorten(buffer, sizeof buffer, text, width);
    write_text(chart, kind, anchor, x, y, buffer, strcmp(buffer, text) == 0 ? NULL : text);
}

/* The line that begins at *text, which moves behind it; false at the end. */
static bool next_line(const char **text, double width, char *line, size_t size)
{
    while (**text == ' ') ++*text;
    if (**text == '\0') return false;
    size_t length = label_line(*text, width);
    if (length >= size) length = size - 1;
    memcpy(line, *text, length);
    line[length] = '\0';
    *text += length;
    return true;
}

double chart_paragraph(struct chart *chart, const char *kind, double x, double y, double width, const char *text)
{
    char line[512];
    for (; next_line(&text, width, line, sizeof line); y += LABEL_LINE) write_text(chart, kind, ANCHOR_START, x, y, line, NULL);
    return y;
}

double chart_heading(struct chart *chart, const char *heading, const char *note)
{
    double y = CHART_MARGIN + LABEL_ABOVE;
    chart_label(chart, "heading", ANCHOR_START, CHART_MARGIN, y, chart->width - 2 * CHART_MARGIN, heading);
    y += LABEL_LINE + 1;
    return note ? chart_paragraph(chart, "note", CHART_MARGIN, y, chart->width - 2 * CHART_MARGIN, note) : y;
}

/* ---- Axes ---- */

enum { TICK = LABEL_ABOVE + LABEL_BELOW + 4 }; /* from a panel to the line of its ticks, clear of the lowest text of the y axis */

double chart_ticks_width(const struct ticks *ticks)
{
    char buffer[64];
    double widest = 0;
    for (int i = 0; i < ticks->count; i++)
        widest = fmax(widest, label_width(scale_text(buffer, ticks->value[i], ticks->decimals, ticks->plus)));
    return widest;
}

struct ticks chart_x_ticks(const struct scale *scale, bool plus)
{
    struct ticks ticks = {.count = 0};
    for (int most = 9; most >= 2; most--) {
        ticks = scale_ticks(scale, most);
        ticks.plus = plus;
        double apart = INFINITY;
        for (int i = 1; i < ticks.count; i++)
            apart = fmin(apart, fabs(scale_at(scale, ticks.value[i]) - scale_at(scale, ticks.value[i - 1])));
        if (apart >= chart_ticks_width(&ticks) + 10) return ticks;
    }
    if (ticks.count > 1) ticks.count = 1; /* there is room for one text only */
    return ticks;
}

struct ticks chart_y_ticks(const struct scale *scale, bool plus)
{
    int most = (int)(fabs(scale->to - scale->from) / 30);
    struct ticks ticks = scale_ticks(scale, most < 2 ? 2 : most > 7 ? 7 : most);
    ticks.plus = plus;
    return ticks;
}

void chart_x_axis(struct chart *chart, const struct panel *panel, const struct ticks *ticks)
{
    char buffer[64];
    for (int i = 0; i < ticks->count; i++) {
        double x = scale_at(&panel->x, ticks->value[i]);
        chart_line(chart, "grid", x, panel->box.top, x, panel->box.bottom, NULL);
        scale_text(buffer, ticks->value[i], ticks->decimals, ticks->plus);
        double half = label_width(buffer) / 2, least = half + 1, most = chart->width - half - 1;
        chart_text(chart, "note", ANCHOR_MIDDLE, fmin(fmax(x, least), most), panel->box.bottom + TICK, buffer);
    }
    chart_line(chart, "axis", panel->box.left, panel->box.bottom, panel->box.right, panel->box.bottom, NULL);
}

void chart_y_axis(struct chart *chart, const struct panel *panel, const struct ticks *ticks)
{
    char buffer[64];
    for (int i = 0; i < ticks->count; i++) {
        double y = scale_at(&panel->y, ticks->value[i]);
        chart_line(chart, "grid", panel->box.left, y, panel->box.right, y, NULL);
        scale_text(buffer, ticks->value[i], ticks->decimals, ticks->plus);
        chart_text(chart, "note", ANCHOR_END, panel->box.left - 6, y + 4, buffer);
    }
}

void chart_frame(struct chart *chart, struct panel *panel, bool plus, double left, double right)
{
    panel->y.from = panel->box.bottom;
    panel->y.to = panel->box.top;
    struct ticks ticks = chart_y_ticks(&panel->y, plus);
    panel->box.left = left + chart_ticks_width(&ticks) + 7;
    panel->box.right = right;
    chart_y_axis(chart, panel, &ticks);
    chart_line(chart, "axis", panel->box.left, panel->box.bottom, right, panel->box.bottom, NULL);
}

double chart_x_title(struct chart *chart, const struct panel *panel, const char *title)
{
    char line[512];
    double y = panel->box.bottom + TICK + LABEL_LINE + 1, middle = (panel->box.left + panel->box.right) / 2;
    for (; next_line(&title, chart->width - 2 * CHART_MARGIN, line, sizeof line); y += LABEL_LINE) {
        double half = label_width(line) / 2;
        double x = fmin(fmax(middle, CHART_MARGIN + half), chart->width - CHART_MARGIN - half);
        chart_text(chart, "title", ANCHOR_MIDDLE, x, y, line);
    }
    return y;
}

/* ---- Marks ---- */

void chart_line(struct chart *chart, const char *kind, double x1, double y1, double x2, double y2, const char *title)
{
    if (!isfinite(x1 + y1 + x2 + y2)) return;
    markup_put(&chart->svg, "<line class=\"%s\" x1=\"%g\" y1=\"%g\" x2=\"%g\" y2=\"%g\"", kind, x1, y1, x2, y2);
    end_element(chart, "line", title);
}

void chart_box(struct chart *chart, const char *kind, struct box box, const char *title)
{
    double width = box.right - box.left, height = box.bottom - box.top;
    if (!isfinite(box.left + box.top + width + height) || width < 0 || height < 0) return;
    markup_put(&chart->svg, "<rect class=\"%s\" x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\"", kind, box.left, box.top, width, height);
    end_element(chart, "rect", title);
}

/* A polygon, or for an open one a line, through points about x, y. */
static void write_points(struct chart *chart, const double (*point)[2], int count, double x, double y)
{
    markup_raw(&chart->svg, " points=\"");
    for (int i = 0; i < count; i++) markup_put(&chart->svg, i ? " %g,%g" : "%g,%g", x + point[i][0], y + point[i][1]);
    markup_raw(&chart->svg, "\"");
}

void chart_mark(struct chart *chart, enum shape shape, const char *kind, double x, double y, const char *title)
{
    static const double up[][2] = {{0, -6}, {5.6, 4.2}, {-5.6, 4.2}}, down[][2] = {{0, 6}, {5.6, -4.2}, {-5.6, -4.2}};
    static const double square[][2] = {{-4.4, -4.4}, {4.4, -4.4}, {4.4, 4.4}, {-4.4, 4.4}};
    static const double diamond[][2] = {{0, -5.8}, {5.8, 0}, {0, 5.8}, {-5.8, 0}};
    static const double cross[][2] = {{-4, -4}, {4, 4}, {0, 0}, {-4, 4}, {4, -4}};
    static const struct {
        const char *tag;
        const double (*point)[2];
        int count;
    } form[] = {{"circle", NULL, 0},    {"circle", NULL, 0},     {"polygon", up, 3},    {"polygon", down, 3},
                {"polygon", square, 4}, {"polygon", diamond, 4}, {"polyline", cross, 5}};
    if (!isfinite(x + y)) return;
    markup_put(&chart->svg, "<%s class=\"%s\"", form[shape].tag, kind);
    if (form[shape].point)
        write_points(chart, form[shape].point, form[shape].count, x, y);
    else
        markup_put(&chart->svg, " cx=\"%g\" cy=\"%g\" r=\"%g\"", x, y, shape == SHAPE_RING ? 4.6 : 3.4);
    end_element(chart, form[shape].tag, title);
}

/* The part of a segment between two heights (top < bottom); false: there is none. */
static bool cut(double top, double bottom, double *x1, double *y1, double *x2, double *y2)
{
    if (fmax(*y1, *y2) < top || fmin(*y1, *y2) > bottom) return false;
    double slope = (*x2 - *x1) / (*y2 - *y1), begin_x = *x1, begin_y = *y1;
    for (int end = 0; end < 2; end++) {
        double *x = end ? x2 : x1, *y = end ? y2 : y1;
        double inside = fmin(fmax(*y, top), bottom);
        if (inside == *y) continue;
        *x = begin_x + (inside - begin_y) * slope;
        *y = inside;
    }
    return true;
}

/* Whether this point of a long series may be left out: it is nearer to the one before than an eye can tell. */
static bool skips(const struct panel *panel, struct series series, int64_t i, double last)
{
    bool dense = (double)series.count > (panel->box.right - panel->box.left) / 1.5;
    return dense && i + 1 < series.count && isfinite(last) && fabs(scale_at(&panel->x, series.x[i]) - last) < 1.5;
}

void chart_curve(struct chart *chart, const char *kind, const struct panel *panel, struct series series, const char *title)
{
    double last_x = NAN, last_y = NAN, pen_x = NAN, pen_y = NAN;
    bool begun = false;
    for (int64_t i = 0; i < series.count; i++) {
        if (skips(panel, series, i, last_x)) continue;
        double x = scale_at(&panel->x, series.x[i]), y = scale_at(&panel->y, series.factor * series.y[i]);
        double x1 = last_x, y1 = last_y, x2 = x, y2 = y;
        if (isfinite(x1 + y1 + x2 + y2) && cut(panel->box.top, panel->box.bottom, &x1, &y1, &x2, &y2)) {
            if (!begun) markup_put(&chart->svg, "<path class=\"%s\" d=\"", kind);
            if (!begun || x1 != pen_x || y1 != pen_y) markup_put(&chart->svg, "M%g %g", x1, y1);
            markup_put(&chart->svg, "L%g %g", x2, y2);
            pen_x = x2;
            pen_y = y2;
            begun = true;
        }
        last_x = isfinite(x + y) ? x : NAN;
        last_y = y;
    }
    if (!begun) return;
    markup_raw(&chart->svg, "\"");
    end_element(chart, "path", title);
}

/* Along the edge of an area, from point i to before `end`. */
static void write_edge(struct chart *chart, const struct panel *panel, struct series edge, int64_t i, int64_t end, const char *format)
{
    for (int64_t step = i < end ? 1 : -1; i != end; i += step, format = "L%g %g") {
        double y = scale_at(&panel->y, edge.factor * edge.y[i]);
        markup_put(&chart->svg, format, scale_at(&panel->x, edge.x[i]), fmin(fmax(y, panel->box.top), panel->box.bottom));
    }
}

void chart_area(struct chart *chart, const char *kind, const struct panel *panel, struct series low, struct series high, const char *title)
{
    bool begun = false;
    for (int64_t first = 0, last; first < low.count; first = last + 1) {
        for (last = first; last < low.count && isfinite(low.y[last] + high.y[last]);) last++;
        if (last - first < 2) continue;
        if (!begun) markup_put(&chart->svg, "<path class=\"%s\" d=\"", kind);
        begun = true;
        write_edge(chart, panel, high, first, last, "M%g %g");
        write_edge(chart, panel, low, last - 1, first - 1, "L%g %g");
        markup_raw(&chart->svg, "Z");
    }
    if (!begun) return;
    markup_raw(&chart->svg, "\"");
    end_element(chart, "path", title);
}

/* ---- Spans and rules ---- */

/* A small arrow head at x, y that points along dx, dy. */
static void write_arrow(struct chart *chart, const char *kind, double x, double y, double dx, double dy)
{
    const double head[][2] = {{-5 * dx - 4 * dy, -5 * dy - 4 * dx}, {0, 0}, {-5 * dx + 4 * dy, -5 * dy + 4 * dx}};
    markup_put(&chart->svg, "<polyline class=\"line%s\"", strchr(kind, ' ') ? strchr(kind, ' ') : "");
    write_points(chart, head, 3, x, y);
    end_element(chart, "polyline", NULL);
}

/* Where a bound of a span is drawn, and whether that is its place. Infinite bounds leave the panel. */
static double bound_at(const struct scale *scale, double value, bool *leaves)
{
    double at = isinf(value) ? (value > 0 ? scale->to : scale->from) : scale_at(scale, value);
    double least = fmin(scale->from, scale->to), most = fmax(scale->from, scale->to), kept = fmin(fmax(at, least), most);
    *leaves = isinf(value) || fabs(kept - at) > .5;
    return kept;
}

/* From low to high along one axis, at a place across it. */
static void span(struct chart *chart, const char *kind, const struct scale *scale, bool upright, double low, double high, double across,
                 const char *title)
{
    if (isnan(low) || isnan(high)) return;
    bool low_leaves, high_leaves;
    double from = bound_at(scale, low, &low_leaves), to = bound_at(scale, high, &high_leaves), forth = scale->to < scale->from ? -1 : 1;
    const double begin[] = {upright ? across : from, upright ? from : across}, end[] = {upright ? across : to, upright ? to : across};
    chart_line(chart, kind, begin[0], begin[1], end[0], end[1], title);
    if (low_leaves && low < scale->low) write_arrow(chart, kind, begin[0], begin[1], upright ? 0 : -forth, upright ? -forth : 0);
    if (high_leaves && high > scale->high) write_arrow(chart, kind, end[0], end[1], upright ? 0 : forth, upright ? forth : 0);
}

void chart_span_x(struct chart *chart, const char *kind, const struct panel *panel, double low, double high, double y, const char *title)
{
    span(chart, kind, &panel->x, false, low, high, y, title);
}

void chart_span_y(struct chart *chart, const char *kind, const struct panel *panel, double low, double high, double x, const char *title)
{
    span(chart, kind, &panel->y, true, low, high, x, title);
}

void chart_rule_x(struct chart *chart, const char *kind, const struct panel *panel, double value)
{
    double x = scale_at(&panel->x, value);
    if (value >= panel->x.low && value <= panel->x.high) chart_line(chart, kind, x, panel->box.top, x, panel->box.bottom, NULL);
}

void chart_rule_y(struct chart *chart, const char *kind, const struct panel *panel, double value)
{
    double y = scale_at(&panel->y, value);
    if (value >= panel->y.low && value <= panel->y.high) chart_line(chart, kind, panel->box.left, y, panel->box.right, y, NULL);
}

/* ---- Key ---- */

static void write_key(struct chart *chart, const struct key *key, double x, double y)
{
    if (key->form == KEY_MARK)
        chart_mark(chart, key->shape, key->kind, x + 9, y - 4, NULL);
    else if (key->form == KEY_LINE)
        chart_line(chart, key->kind, x, y - 4, x + 18, y - 4, NULL);
    else
        chart_box(chart, key->kind, (struct box){x, y - 10, x + 18, y + 2}, NULL);
}

double chart_key(struct chart *chart, double y, const struct key *key, int64_t count)
{
    const double x = CHART_MARGIN, width = chart->width - 2 * CHART_MARGIN;
    enum { SYMBOL = 25, GAP = 18 };
    double at = x;
    for (int64_t i = 0; i < count; i++) {
        double needed = SYMBOL + label_width(key[i].text);
        if (at > x && at + needed > x + width) {
            at = x;
            y += LABEL_LINE + 1;
        }
        write_key(chart, &key[i], at, y);
        double next = chart_paragraph(chart, "note", at + SYMBOL, y, x + width - at - SYMBOL, key[i].text);
        y = fmax(y, next - LABEL_LINE); /* a name may be blank */
        at += needed + GAP;
    }
    return y + LABEL_LINE;
}
