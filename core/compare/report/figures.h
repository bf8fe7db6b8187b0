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
    /* How many drawings it has for this comparison: 0, one, or one per arm or contrast. */
    int64_t (*items)(const struct analysis *);
    /* What item is called, "mixup"; NULL where there is one. Valid as long as the analysis. */
    const char *(*item_name)(const struct analysis *, int64_t item);
    /* <svg> text, to stand in a page whose style sheet has drawing_style(); memory_free(); NULL on error. */
    char *(*draw)(const struct analysis *, int64_t item, enum figure_width);
};
/* paired, forest, curves, cost, interaction, variance, failures: in the order of the page; a NULL name ends. */
extern const struct figure figures[];

#endif
