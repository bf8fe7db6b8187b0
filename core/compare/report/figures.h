/* The figures of a report, each a static SVG: what it shows, when it applies, how it is drawn. */
#ifndef COMPARE_REPORT_FIGURES_H
#define COMPARE_REPORT_FIGURES_H

#include "compare/analysis/analysis.h"

/* Twice, since a page on a phone shows another layout, not smaller letters: 720 and 350 units wide, a unit being a pixel of the page. */
enum figure_width { FIGURE_WIDE, FIGURE_NARROW };

struct figure {
    const char *name;  /* of its file: "forest" */
    const char *title; /* "Effects with their intervals" */
    const char *text;  /* how to read it, a sentence or two */
    bool arms;         /* it shows arms, else contrasts */
    bool each;         /* each in a drawing of its own, else all in one */
    bool (*shows)(const struct analysis *, int64_t index);
    /* index: of the arm or contrast, if each has its own. <svg> text, to stand in a page whose style sheet has drawing_style();
     * memory_free(); NULL on error. */
    char *(*draw)(const struct analysis *, int64_t index, enum figure_width);
};
enum { FIGURE_MANY = 6 }; /* from so many contrasts on the forest comes first, and has the best first */
/* paired, forest, curves, cost, interaction, variance, failures: in the order of the page; NULL ends. */
extern const struct figure *const figures[];

int64_t figure_items(const struct figure *, const struct analysis *); /* how many drawings it has for this comparison */
/* What item is called, "mixup"; NULL where there is one drawing of all. Valid as long as the analysis. */
const char *figure_item_name(const struct figure *, const struct analysis *, int64_t item);
char *figure_draw(const struct figure *, const struct analysis *, int64_t item, enum figure_width);

#endif
