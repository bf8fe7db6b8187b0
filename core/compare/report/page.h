/* Within report/: the sections of the page, and how numbers stand in it. */
#ifndef COMPARE_REPORT_PAGE_H
#define COMPARE_REPORT_PAGE_H

#include "base/number.h"
#include "compare/analysis/analysis.h"
#include "draw/markup.h"

struct page {
    const struct analysis *analysis;
    struct growing *html;
    bool inference; /* estimates and verdicts may be shown: the comparison is finished, or looks at it are planned */
    int places;     /* decimals of differences and means */
};

/* ---- Sections, in the order of the page ---- */

extern const char page_style[];           /* CSS, but that of the figures */
void page_header(const struct page *);    /* the answer, and what to know about it */
void page_result(const struct page *);    /* the table of contrasts and a sentence for each; unfinished: counts and means */
void page_figures(const struct page *);   /* all that there is to draw */
void page_setup(const struct page *);     /* what was compared, and how */
void page_estimates(const struct page *); /* what else is known of each contrast */
void page_secondary(const struct page *);
void page_recalls(const struct page *); /* of classifications of few classes */
void page_design(const struct page *);  /* which tricks are on in which arm, of designs that combine them */
void page_costs(const struct page *);
void page_trials(const struct page *); /* those that failed or do not count, and what they said */
void page_arms(const struct page *);   /* what differs, and the options of each trick */
void page_source(const struct page *); /* how to repeat it, and the raw numbers */

/* Tables within a container that scrolls by itself. heading: "Arm\n>Mean", a line a column, > before those of numbers. */
void page_table_open(const struct page *, const char *caption, const char *heading);
void page_table_close(const struct page *);
void page_row_open(const struct page *, const char *name); /* with its first cell, the row's heading */
void page_cell(const struct page *, const char *text);     /* of numbers, which are typeset */
void page_cell_text(const struct page *, const char *text);
void page_row_close(const struct page *);

const char *page_title(const struct contrast_result *); /* what a contrast is called */
/* The class of a verdict's colour: "helps". */
const char *page_verdict_class(enum verdict_kind);

/* ---- Numbers, as base/number.h writes them: each returns its buffer ---- */

const char *page_range(char buffer[NUMBER_SIZE], double low, double high, int decimals); /* "0.98 to 1.02" */
/* A mean of the primary metric, an interval of differences (larger is better), as they are shown. */
const char *page_mean(const struct page *, char buffer[NUMBER_SIZE], double value);
const char *page_interval(const struct page *, char buffer[NUMBER_SIZE], struct interval);

#endif
