/* A table as Markdown on standard output, and the same as JSON: a list of rows, each an object by column. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "base/growing.h"
#include "base/json.h"

struct table {
    const char *const *column; /* names, NULL ends */
    int64_t at;                /* column of the next cell */
    struct growing text;
    struct json_writer *json;
};

knack_status table_begin(struct table *, const char *const *column);
/* The next cell. */
void table_text(struct table *, const char *);
void table_number(struct table *, double, int decimals);
void table_range(struct table *, double, double low, double high);   /* "1.850 (1.792 to 1.931)"; as JSON the first alone */
void table_digits(struct table *, double);                           /* to three significant digits */
void table_none(struct table *);                                     /* nothing to say here */
void table_target(struct table *, bool reached, const char *target); /* "at most 10: reached" */
/* Prints; json: file for the other form, or NULL. */
knack_status table_end(struct table *, const char *json);

#endif
