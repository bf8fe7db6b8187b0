/* What the store needs of SQLite: statements that are prepared once, and errors as statuses that name file, intent and reason. */
#ifndef COMPARE_STORE_SQL_H
#define COMPARE_STORE_SQL_H

#include <sqlite3.h>

#include "base/status.h"

/* Statements of the store, in statements.c. */
enum sql_statement {
    SQL_BEGIN_READING,
    SQL_BEGIN_WRITING,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_ADD_EXPERIMENT,
    SQL_READ_IDENTITY,
    SQL_READ_PLAN,
    SQL_WRITE_PLAN,
    SQL_READ_STATUS,
    SQL_WRITE_STATUS,
    SQL_CLEAR_POSITIONS,
    SQL_WRITE_ARM,
    SQL_FIND_ARM,
    SQL_ADD_TRIAL,
    SQL_ADD_METRIC,
    SQL_ADD_EXAMPLES,
    SQL_COUNT_TRIALS,
    SQL_READ_TRIALS,
    SQL_FIND_TRIAL,
    SQL_COUNT_METRICS,
    SQL_READ_METRICS,
    SQL_READ_EXAMPLES,
    SQL_ADD_MEASUREMENT,
    SQL_COUNT_MEASUREMENTS,
    SQL_READ_MEASUREMENTS,
    SQL_STATEMENTS
};
struct sql_text {
    const char *text, *intent; /* "add a trial" */
};
extern const struct sql_text sql_text[SQL_STATEMENTS];

struct sql {
    sqlite3 *file;
    char *path;
    sqlite3_stmt *statement[SQL_STATEMENTS]; /* NULL until used */
};

/* flags: SQLITE_OPEN_... On failure nothing is left open. */
knack_status sql_open(struct sql *, const char *path, int flags);
void sql_close(struct sql *); /* zeroed, or failed to open: fine */
/* "PATH: cannot INTENT: REASON", and what to do about it where that is known; KNACK_E_IO, or KNACK_E_MEMORY. code: SQLite's. */
knack_status sql_fail(struct sql *, int code, const char *intent);
/* Statements without results. */
knack_status sql_run(struct sql *, const char *text, const char *intent);
/* The first column of the first row; "" or 0 if there is none. */
knack_status sql_ask_integer(struct sql *, const char *text, const char *intent, int64_t *answer);
knack_status sql_ask_text(struct sql *, const char *text, const char *intent, char *answer, size_t size);

/* All until sql_end() happens, or nothing. sql_end() passes on a status below 0, with its message, and then undoes; it undoes too if the
 * commit fails. */
knack_status sql_begin(struct sql *);
knack_status sql_end(struct sql *, knack_status);

/* A statement with values for its ?s, from left to right. The first error is kept until query_run() or query_next(). Texts, blobs: not
 * copied, they stay until then. */
struct query {
    struct sql *sql;
    enum sql_statement which;
    sqlite3_stmt *statement;
    int values, error;
};
struct query query_new(struct sql *, enum sql_statement);
void query_integer(struct query *, int64_t);
void query_real(struct query *, double);       /* NaN: NULL */
void query_text(struct query *, const char *); /* NULL: NULL */
void query_blob(struct query *, const void *, int64_t size);
knack_status query_run(struct query *); /* one without rows, to its end */
/* *row false after the last; then, or after an error, the query is over. */
knack_status query_next(struct query *, bool *row);
void query_end(struct query *); /* before the last row; else it does nothing */

/* Columns of the row, from 0 on. */
int64_t column_integer(const struct query *, int column);
double column_real(const struct query *, int column);      /* NULL: NaN */
const char *column_text(const struct query *, int column); /* until the next row; NULL: "" */
void column_copy(const struct query *, int column, char *text, size_t size);
/* The position of the column's text in a NULL-terminated list; KNACK_E_IO if it is none of them. */
knack_status column_choice(const struct query *, int column, const char *const *choices, int *choice);

#endif
