/* Tables in text: a header with the columns' names, then records, separated by commas; fields may be quoted (RFC 4180). */
#ifndef DATA_CSV_H
#define DATA_CSV_H

#include "data/source.h"
#include "data/targets.h"

/* Which columns to read. */
struct csv_request {
    const char *target;        /* this column's values are targets; NULL: none */
    bool text_target;          /* take them as texts even if all are numbers */
    const char *const *column; /* [columns] the inputs, by name, in this order; NULL: all but target and dropped */
    int64_t columns;
    const char *const *drop; /* [drops] not to be read */
    int64_t drops;
    bool may_lack_header; /* a first line of numbers is a row, and columns are then called 1, 2, ... */
};

struct csv_table {
    struct array values;    /* [rows, columns] KNACK_REAL; missing ones (empty, NA, NaN, null, ?) are NaN */
    struct targets targets; /* if asked for */
    char **column;          /* [columns] names of the inputs, one memory_free() each and one for the list */
    int64_t columns;
};

/* Reads it twice: once to count and to see what the targets are, then into place; the blob is left as it is. */
knack_status csv_read(const struct blob *blob, const struct csv_request *, struct csv_table *);
void csv_table_free(struct csv_table *); /* one of zeros and BLOB_NONE is fine */

#endif
