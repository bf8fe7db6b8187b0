/* What several figures say and draw alike. */
#ifndef COMPARE_REPORT_FIGURE_PARTS_H
#define COMPARE_REPORT_FIGURE_PARTS_H

#include "compare/report/figures.h"
#include "draw/chart.h"

extern const struct figure figure_paired, figure_forest, figure_curves, figure_cost, figure_interaction, figure_variance, figure_failures;
int64_t figure_rows(const struct figure *, const struct analysis *); /* how many arms or contrasts it shows */

enum { FIGURE_TEXT = 512 };

/* "test accuracy (%)", "test loss" */
const char *figure_metric(char buffer[FIGURE_TEXT], const struct analysis *);
/* "difference in test accuracy (points)", "difference in test loss" */
const char *figure_difference(char buffer[FIGURE_TEXT], const struct analysis *);
/* "n = 10 seeds", "n = 1 seed", "n = 8 to 10 seeds" */
const char *figure_seeds(char buffer[FIGURE_TEXT], int64_t least, int64_t most);
/* " points", or nothing: what follows a difference */
const char *figure_unit(const struct analysis *);
const char *figure_name(const struct contrast_result *);
/* A verdict's mark, with form and colour; and what it means, for the key. */
struct figure_look {
    enum shape shape;
    const char *mark, *thin, *thick, *meaning;
};
const struct figure_look *figure_look(enum verdict_kind);
int64_t figure_keys(struct key *, unsigned kinds); /* keys of the verdicts whose bits are set, the first kind's being 1; how many */

/* "+0.50 [+0.30, +0.70]", without the bracket where there is no interval. */
const char *figure_effect(char buffer[FIGURE_TEXT], double value, struct interval, int decimals);
/* How many decimals tell differences with such an interval apart. */
int figure_decimals(double half_width);

/* ---- Drawings of one row for each arm or effect: name, count, what is drawn, numbers; on narrow ones in two lines ---- */

struct sheet {
    struct chart chart;
    struct panel panel;        /* its x scale is as the caller set it */
    double y;                  /* upper edge of the next row */
    double row;                /* height of one */
    double name_width;         /* room of the name */
    double count_x, numbers_x; /* right edge of the counts; left edge of the numbers, or on narrow drawings their right edge */
};
/* Heading, heads of the columns, and the panel for so many rows, `more` higher than they are. numbers: what stands over them;
 * numbers_width: of the widest. */
void sheet_begin(struct sheet *, enum figure_width, const char *heading, const char *note, const char *numbers, double numbers_width,
                 int64_t rows, double more);
void sheet_axis(struct sheet *, bool plus);
/* The next row; returns at which height its marks belong. */
double sheet_row(struct sheet *, const char *name, int64_t count, const char *numbers);
char *sheet_end(struct sheet *, const char *x_title, const struct key *, int64_t keys, const char *name); /* as chart_end() */

/* ---- Values ---- */

int64_t figure_trial(const struct arm_result *, int64_t seed); /* the index of an arm's trial of a seed; -1: none */
/* An arm's value of a seed as the metric is, times percent; NaN: no such trial. */
double figure_value(const struct analysis *, int64_t arm, int64_t seed);

#endif
