/* Charts as SVG: panels with axes, and what stands in them. Kinds are classes of the style sheet (style.c): a form ("line", "faint",
 * "thin", "thick", "solid", "hollow", "area") and a colour ("base", "arm", "helps", "hurts", "same", "unclear"), or a role ("grid", "zero",
 * "margin"). Places are units of the drawing from its upper left corner. Nothing is drawn where a value is not finite. */
#ifndef DRAW_CHART_H
#define DRAW_CHART_H

#include "draw/labels.h"
#include "draw/markup.h"
#include "draw/scale.h"

enum { CHART_WIDE = 720, CHART_NARROW = 350, CHART_MARGIN = 8 };

struct chart {
    struct growing svg;
    struct boxes taken; /* by text, and by what labels must not cover */
    double width;
    bool narrow;
};

/* Where values are drawn: x from left to right, y from bottom to top. */
struct panel {
    struct box box;
    struct scale x, y;
};

enum anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END };
enum shape { SHAPE_DOT, SHAPE_RING, SHAPE_UP, SHAPE_DOWN, SHAPE_SQUARE, SHAPE_DIAMOND, SHAPE_CROSS };

void chart_begin(struct chart *, bool narrow);
/* The drawing, to above y, where a next line would stand; called so by screen readers. The chart is gone. NULL on error; memory_free(). */
char *chart_end(struct chart *, double y, const char *name);
/* The same without a result. */
void chart_discard(struct chart *);

/* ---- Text ---- */

void chart_text(struct chart *, const char *kind, enum anchor, double x, double y, const char *text);
/* Shortened to width; the whole of it is shown by the pointer. */
void chart_label(struct chart *, const char *kind, enum anchor, double x, double y, double width, const char *text);
/* In lines of at most width; the first stands on y. Returns where a next line would stand. */
double chart_paragraph(struct chart *, const char *kind, double x, double y, double width, const char *text);
/* A bold line and, if not NULL, what is said below it, at the top; returns where the next line would stand. */
double chart_heading(struct chart *, const char *heading, const char *note);

/* ---- Axes ---- */

/* Ticks that fit the length of the axis, with their text. plus: differences. */
struct ticks chart_x_ticks(const struct scale *, bool plus);
struct ticks chart_y_ticks(const struct scale *, bool plus);
double chart_ticks_width(const struct ticks *); /* of the widest text */
void chart_x_axis(struct chart *, const struct panel *, const struct ticks *);
void chart_y_axis(struct chart *, const struct panel *, const struct ticks *);
/* Fits the panel, whose y scale and upper and lower edge are set, between left and right, and draws its y axis and its lower edge. */
void chart_frame(struct chart *, struct panel *, bool plus, double left, double right);
/* Below the ticks' text, middle under the panel; returns where a next line would stand. */
double chart_x_title(struct chart *, const struct panel *, const char *title);

/* ---- Marks: title, shown by the pointer, may be NULL ---- */

void chart_line(struct chart *, const char *kind, double x1, double y1, double x2, double y2, const char *title);
void chart_box(struct chart *, const char *kind, struct box, const char *title);
void chart_mark(struct chart *, enum shape, const char *kind, double x, double y, const char *title);
/* Values [count], times factor, against x; with gaps where they are not finite, cut at the panel's edges. */
struct series {
    const double *x, *y;
    int64_t count;
    double factor;
};
void chart_curve(struct chart *, const char *kind, const struct panel *, struct series, const char *title);
/* What lies between two of them, which have the same x. */
void chart_area(struct chart *, const char *kind, const struct panel *, struct series low, struct series high, const char *title);
/* From low to high on the panel's x scale at the height y, or on its y scale at x; with arrows where it leaves the panel. */
void chart_span_x(struct chart *, const char *kind, const struct panel *, double low, double high, double y, const char *title);
void chart_span_y(struct chart *, const char *kind, const struct panel *, double low, double high, double x, const char *title);
/* A line over the whole panel at a value. */
void chart_rule_x(struct chart *, const char *kind, const struct panel *, double value);
void chart_rule_y(struct chart *, const char *kind, const struct panel *, double value);

/* ---- Key ---- */

enum key_form { KEY_MARK, KEY_LINE, KEY_AREA };
struct key {
    enum key_form form;
    enum shape shape;
    const char *kind, *text;
};
/* One after another from y on, in as many lines as they need; returns where a next line would stand. */
double chart_key(struct chart *, double y, const struct key *, int64_t count);

#endif
