/* What the store needs of SQLite: statements that are prepared once, rows that tables of columns read and write, and errors as statuses
 * that name file, intent and reason. */
#ifndef COMPARE_STORE_SQL_H
#define COMPARE_STORE_SQL_H

#include <sqlite3.h>

#include "base/status.h"

struct sql {
    sqlite3 *file;
    char *path;
};

/* flags: SQLITE_OPEN_...; immutable: nobody can change the file, so that SQLite writes nothing beside it. On failure nothing is left
 * open. */
knack_status sql_open(struct sql *, const char *path, int flags, bool immutable);
void sql_close(struct sql *); /* zeroed, or failed to open: fine */
/* Statements without results. */
knack_status sql_run(struct sql *, const char *intent, const char *text);
/* The first column of the first row; "" or 0 if there is none. */
knack_status sql_ask_integer(struct sql *, const char *text, const char *intent, int64_t *answer);
knack_status sql_ask_text(struct sql *, const char *text, const char *intent, char *answer, size_t size);

/* All until sql_end() happens, or nothing. sql_end() passes on a status below 0, with its message, and then undoes; it undoes too if the
 * commit fails. */
knack_status sql_begin(struct sql *);
knack_status sql_end(struct sql *, knack_status);

/* A column of a row, and the member of a struct that it fills. */
struct column {
    enum { COLUMN_INTEGER, COLUMN_FLAG, COLUMN_REAL, COLUMN_TEXT, COLUMN_CHOICE, COLUMN_POINTER } kind;
    size_t offset, size;        /* of an int64_t, bool, double (NaN: NULL), char[size] ("": NULL), enum, or const char * (only written) */
    const char *const *choices; /* NULL ends */
};
#define COLUMN(kind, type, member)                                                                                                         \
    {                                                                                                                                      \
        COLUMN_##kind, offsetof(type, member), sizeof(((type *)0)->member), NULL                                                           \
    }

/* A statement with values for its ?s, from left to right. The first error is kept until query_run() or query_next(). Texts, blobs: not
 * copied, they stay until then. intent: what it is for, as errors say it, "add a trial". */
struct query {
    struct sql *sql;
    const char *intent;
    sqlite3_stmt *statement;
    int values, error;
};
struct query query_new(struct sql *, const char *intent, const char *text);
void query_integer(struct query *, int64_t);
void query_real(struct query *, double);       /* NaN: NULL */
void query_text(struct query *, const char *); /* NULL: NULL */
void query_blob(struct query *, const void *, int64_t size);
void query_copy(struct query *, const struct query *from, int column); /* a value of a row */
void query_columns(struct query *, const struct column *, int64_t columns, const void *in);
knack_status query_run(struct query *); /* one without rows, to its end */
/* *row false after the last; then, or after an error, the query is over. */
knack_status query_next(struct query *, bool *row);
void query_end(struct query *); /* before the last row; else it does nothing */
/* All rows as structs of so many bytes, memory_free(). The query is over. */
knack_status query_list(struct query *, const struct column *, int64_t columns, size_t size, void **list, int64_t *count);

/* Columns of the row, from 0 on. */
int64_t column_integer(const struct query *, int column);
const char *column_text(const struct query *, int column); /* until the next row; NULL: "" */
void column_copy(const struct query *, int column, char *text, size_t size);

#endif
