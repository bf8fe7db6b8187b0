/* Rows of inputs: those of an array in a file, converted when they are asked for. */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include "data/array.h"

struct source {
    struct array array;
    int64_t count;                 /* rows */
    int ndim;                      /* 1 or 3 */
    int64_t shape[KNACK_MAX_DIMS]; /* of one row: [values], or [height, width, channels] */
    int64_t width;                 /* values a row */
    double divide;                 /* what each value is divided by */
    struct source *next;           /* row numbers run on in it: count is the first row of next; NULL: no more. Not owned. */
};

/* Takes the array over, also on error. [n] and [n, values] are tables; [n, height, width] and [n, height, width, channels] images.
 * divide 0: by 255 if the values are 8-bit unsigned integers, else by 1. */
knack_status source_new(struct array *array, double divide, struct source **source);
void source_free(struct source *); /* NULL is fine */

/* Rows row[count], in any order -> out [count, width]. */
knack_status source_rows(const struct source *, const int32_t *row, int64_t count, knack_real *out);
/* Values first .. first + count - 1 of the source itself, not of next. */
knack_status source_values(const struct source *, int64_t first, int64_t count, knack_real *out);
/* Which value of the source itself, not of next, is the first that is NaN; -1: none. One that is infinite is an error that names its row.
 */
knack_status source_check(const struct source *, int64_t *missing);

#endif
