#include "compare/store/sql.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { PATIENCE = 10000 }; /* milliseconds that a lock of a reader or of another program is waited for */

/* ---- The file ---- */

static const char *advice(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return "; make room and run it again: what is there is kept";
    case SQLITE_CORRUPT:
        return "; the file is damaged: keep a copy, and begin in another folder";
    case SQLITE_NOTADB:
        return "; this is not a file that knack made";
    case SQLITE_BUSY:
        return "; another program keeps it locked";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return "; file and folder must be there and writable";
    default:
        return "";
    }
}

knack_status sql_fail(struct sql *sql, int code, const char *intent)
{
    if ((code & 0xff) == SQLITE_NOMEM) return status_set(KNACK_E_MEMORY, "%s: cannot %s: out of memory", sql->path, intent);
    const char *reason = sql->file ? sqlite3_errmsg(sql->file) : sqlite3_errstr(code);
    int number = sql->file && (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(sql->file) : 0;
    return status_set(KNACK_E_IO, "%s: cannot %s: %s%s%s%s", sql->path, intent, reason, number ? ": " : "", number ? strerror(number) : "",
                      advice(code));
}

knack_status sql_open(struct sql *sql, const char *path, int flags)
{
    *sql = (struct sql){0};
    sql->path = memory_text(path);
    if (!sql->path) return KNACK_E_MEMORY;
    int code = sqlite3_open_v2(path, &sql->file, flags, NULL);
    if (code == SQLITE_OK) code = sqlite3_extended_result_codes(sql->file, 1);
    if (code == SQLITE_OK) code = sqlite3_busy_timeout(sql->file, PATIENCE);
    if (code == SQLITE_OK) return KNACK_OK;
    knack_status status = sql_fail(sql, code, "open it");
    sql_close(sql);
    return status;
}

void sql_close(struct sql *sql)
{
    for (int i = 0; i < SQL_STATEMENTS; i++) sqlite3_finalize(sql->statement[i]);
    sqlite3_close(sql->file);
    memory_free(sql->path);
    *sql = (struct sql){0};
}

knack_status sql_run(struct sql *sql, const char *text, const char *intent)
{
    int code = sqlite3_exec(sql->file, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? KNACK_OK : sql_fail(sql, code, intent);
}

static knack_status ask(struct sql *sql, const char *text, const char *intent, int64_t *integer, char *answer, size_t size)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(sql->file, text, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    knack_status status = code == SQLITE_ROW || code == SQLITE_DONE ? KNACK_OK : sql_fail(sql, code, intent);
    const unsigned char *told = code == SQLITE_ROW && answer ? sqlite3_column_text(statement, 0) : NULL;
    if (integer) *integer = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (answer) snprintf(answer, size, "%s", told ? (const char *)told : "");
    sqlite3_finalize(statement);
    return status;
}

knack_status sql_ask_integer(struct sql *sql, const char *text, const char *intent, int64_t *answer)
{
    return ask(sql, text, intent, answer, NULL, 0);
}

knack_status sql_ask_text(struct sql *sql, const char *text, const char *intent, char *answer, size_t size)
{
    return ask(sql, text, intent, NULL, answer, size);
}

/* ---- Transactions ---- */

static knack_status run(struct sql *sql, enum sql_statement which)
{
    struct query query = query_new(sql, which);
    return query_run(&query);
}

knack_status sql_begin(struct sql *sql)
{
    return run(sql, SQL_BEGIN_WRITING);
}

/* Straight through SQLite: the message of what failed before must stay. */
static void undo(struct sql *sql)
{
    if (!sqlite3_get_autocommit(sql->file)) sqlite3_exec(sql->file, sql_text[SQL_ROLLBACK].text, NULL, NULL, NULL);
}

knack_status sql_end(struct sql *sql, knack_status status)
{
    if (status >= 0) status = run(sql, SQL_COMMIT);
    if (status < 0) undo(sql);
    return status;
}

/* ---- Queries ---- */

struct query query_new(struct sql *sql, enum sql_statement which)
{
    struct query query = {.sql = sql, .which = which};
    if (!sql->statement[which])
        query.error = sqlite3_prepare_v3(sql->file, sql_text[which].text, -1, SQLITE_PREPARE_PERSISTENT, &sql->statement[which], NULL);
    query.statement = sql->statement[which];
    return query;
}

static void keep(struct query *query, int code)
{
    if (query->error == SQLITE_OK) query->error = code;
}

void query_integer(struct query *query, int64_t value)
{
    keep(query, sqlite3_bind_int64(query->statement, ++query->values, value));
}

void query_real(struct query *query, double value)
{
    keep(query, isnan(value) ? sqlite3_bind_null(query->statement, ++query->values)
                             : sqlite3_bind_double(query->statement, ++query->values, value));
}

void query_text(struct query *query, const char *text)
{
    keep(query, sqlite3_bind_text(query->statement, ++query->values, text, -1, SQLITE_STATIC));
}

void query_blob(struct query *query, const void *bytes, int64_t size)
{
    keep(query, sqlite3_bind_blob64(query->statement, ++query->values, bytes, (sqlite3_uint64)size, SQLITE_STATIC));
}

void query_end(struct query *query)
{
    if (!query->statement) return;
    sqlite3_reset(query->statement);
    sqlite3_clear_bindings(query->statement);
    query->statement = NULL;
}

knack_status query_next(struct query *query, bool *row)
{
    *row = false;
    if (query->error == SQLITE_OK) query->error = sqlite3_step(query->statement);
    if (query->error == SQLITE_ROW) {
        query->error = SQLITE_OK;
        *row = true;
        return KNACK_OK;
    }
    /* The message is the connection's latest: taken before the reset, which may replace it. */
    knack_status status = query->error == SQLITE_DONE ? KNACK_OK : sql_fail(query->sql, query->error, sql_text[query->which].intent);
    query_end(query);
    return status;
}

knack_status query_run(struct query *query)
{
    bool row = false;
    knack_status status = query_next(query, &row);
    query_end(query);
    return status;
}

/* ---- Columns ---- */

int64_t column_integer(const struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

double column_real(const struct query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL ? NAN : sqlite3_column_double(query->statement, column);
}

const char *column_text(const struct query *query, int column)
{
    const unsigned char *text = sqlite3_column_text(query->statement, column);
    return text ? (const char *)text : "";
}

void column_copy(const struct query *query, int column, char *text, size_t size)
{
    snprintf(text, size, "%s", column_text(query, column));
}

knack_status column_choice(const struct query *query, int column, const char *const *choices, int *choice)
{
    const char *text = column_text(query, column);
    for (int i = 0; choices[i]; i++)
        if (strcmp(choices[i], text) == 0) {
            *choice = i;
            return KNACK_OK;
        }
    return status_set(KNACK_E_IO, "%s: cannot %s: %s is \"%s\", which knack does not know", query->sql->path, sql_text[query->which].intent,
                      sqlite3_column_name(query->statement, column), text);
}
