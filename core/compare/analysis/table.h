/* The result table: a row for each contrast, in the plan's order, and the same numbers with the same decimals wherever it stands. The
 * terminal, the page and files only lay it out. */
#ifndef COMPARE_ANALYSIS_TABLE_H
#define COMPARE_ANALYSIS_TABLE_H

#include "compare/analysis/analysis.h"

enum table_column {
    TABLE_N,
    TABLE_BASE,
    TABLE_MEAN,
    TABLE_DELTA,
    TABLE_P,
    TABLE_ADJUSTED,
    TABLE_WINS,
    TABLE_SPREAD,
    TABLE_VRF,
    TABLE_TRANSFER,
    TABLE_COST,
    TABLE_EQUAL,
    TABLE_COLUMNS
};
enum { TABLE_NUMBERS = 4 };

struct table_heading {
    const char *text, *below;        /* "\u0394", "95 % CI"; below: "" for nothing */
    const char *plain;               /* in ASCII: "delta [95% CI]" */
    const char *name[TABLE_NUMBERS]; /* of the numbers, in files; NULL: there are no more */
};
struct table_cell {
    char text[NUMBER_SIZE], below[NUMBER_SIZE]; /* below: in smaller letters, "" for nothing */
    double number[TABLE_NUMBERS];               /* what text and below show, unrounded; NaN: none */
};
struct result_table {
    const struct analysis *analysis;
    int64_t rows;
    struct table_heading heading[TABLE_COLUMNS];
    bool shown[TABLE_COLUMNS];                /* it says something of some row */
    struct table_cell (*cell)[TABLE_COLUMNS]; /* [rows] */
};

knack_status result_table_new(const struct analysis *, struct result_table *);
void result_table_free(struct result_table *); /* zeroed is fine */
/* Decimals of differences, their intervals, and means: two digits of the middle half interval, so that one contrast that hardly varies does
 * not give all others many decimals. -1: no memory. */
int result_table_decimals(const struct analysis *);
/* What follows the verdict's word in its sentence. */
const char *result_table_sentence(const struct verdict *);

#endif
