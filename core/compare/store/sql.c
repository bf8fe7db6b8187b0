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

static knack_status fail(struct sql *sql, int code, const char *intent)
{
    if ((code & 0xff) == SQLITE_NOMEM) return status_set(KNACK_E_MEMORY, "%s: cannot %s: out of memory", sql->path, intent);
    const char *reason = sql->file ? sqlite3_errmsg(sql->file) : sqlite3_errstr(code);
    int number = sql->file && (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(sql->file) : 0;
    return status_set(KNACK_E_IO, "%s: cannot %s: %s%s%s%s", sql->path, intent, reason, number ? ": " : "", number ? strerror(number) : "",
                      advice(code));
}

/* "file:a%3Fb/knack.db?immutable=1"; an absolute path gets an empty authority before it. memory_free() */
static char *make_uri(const char *path)
{
    char *uri = memory_new(3 * strlen(path) + sizeof "file://?immutable=1", 1), *end = uri;
    if (!uri) return NULL;
    end = stpcpy(end, path[0] == '/' ? "file://" : "file:");
    for (const char *c = path; *c; c++) end += sprintf(end, strchr("%?#", *c) ? "%%%02X" : "%c", (unsigned char)*c);
    strcpy(end, "?immutable=1");
    return uri;
}

knack_status sql_open(struct sql *sql, const char *path, int flags, bool immutable)
{
    *sql = (struct sql){.path = memory_text(path)};
    char *name = immutable ? make_uri(path) : memory_text(path);
    int code = sql->path && name ? sqlite3_open_v2(name, &sql->file, immutable ? flags | SQLITE_OPEN_URI : flags, NULL) : SQLITE_NOMEM;
    memory_free(name);
    if (code == SQLITE_OK) code = sqlite3_extended_result_codes(sql->file, 1);
    if (code == SQLITE_OK) code = sqlite3_busy_timeout(sql->file, PATIENCE);
    if (code == SQLITE_OK) code = sqlite3_exec(sql->file, "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF", NULL, NULL, NULL);
    if (code == SQLITE_OK) return KNACK_OK;
    knack_status status = sql->path ? fail(sql, code, "open it") : KNACK_E_MEMORY;
    sql_close(sql);
    return status;
}

void sql_close(struct sql *sql)
{
    for (sqlite3_stmt *statement; sql->file && (statement = sqlite3_next_stmt(sql->file, NULL));) sqlite3_finalize(statement);
    sqlite3_close(sql->file);
    memory_free(sql->path);
    *sql = (struct sql){0};
}

knack_status sql_run(struct sql *sql, const char *intent, const char *text)
{
    int code = sqlite3_exec(sql->file, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? KNACK_OK : fail(sql, code, intent);
}

knack_status sql_ask_integer(struct sql *sql, const char *text, const char *intent, int64_t *answer)
{
    bool row = false;
    struct query query = query_new(sql, intent, text);
    TRY(query_next(&query, &row));
    *answer = row ? column_integer(&query, 0) : 0;
    query_end(&query);
    return KNACK_OK;
}

knack_status sql_ask_text(struct sql *sql, const char *text, const char *intent, char *answer, size_t size)
{
    bool row = false;
    struct query query = query_new(sql, intent, text);
    answer[0] = '\0';
    TRY(query_next(&query, &row));
    if (row) column_copy(&query, 0, answer, size);
    query_end(&query);
    return KNACK_OK;
}

/* ---- Transactions ---- */

knack_status sql_begin(struct sql *sql)
{
    struct query query = query_new(sql, "write to it", "BEGIN IMMEDIATE");
    return query_run(&query);
}

knack_status sql_end(struct sql *sql, knack_status status)
{
    struct query query = query_new(sql, "write to it", "COMMIT");
    if (status >= 0) status = query_run(&query);
    /* Straight through SQLite: the message of what failed before must stay. */
    if (status < 0 && !sqlite3_get_autocommit(sql->file)) sqlite3_exec(sql->file, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* ---- Queries ---- */

/* SQLite itself keeps the statements that were prepared. */
struct query query_new(struct sql *sql, const char *intent, const char *text)
{
    struct query query = {.sql = sql, .intent = intent};
    while ((query.statement = sqlite3_next_stmt(sql->file, query.statement)))
        if (!sqlite3_stmt_busy(query.statement) && strcmp(sqlite3_sql(query.statement), text) == 0) return query;
    query.error = sqlite3_prepare_v3(sql->file, text, -1, SQLITE_PREPARE_PERSISTENT, &query.statement, NULL);
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

void query_copy(struct query *query, const struct query *from, int column)
{
    keep(query, sqlite3_bind_value(query->statement, ++query->values, sqlite3_column_value(from->statement, column)));
}

static void write_column(struct query *query, const struct column *column, const char *in)
{
    const char *text = in;
    switch (column->kind) {
    case COLUMN_INTEGER:
        query_integer(query, *(const int64_t *)in);
        return;
    case COLUMN_FLAG:
        query_integer(query, *(const bool *)in);
        return;
    case COLUMN_REAL:
        query_real(query, *(const double *)in);
        return;
    case COLUMN_CHOICE:
        text = column->choices[*(const int *)in];
        break;
    case COLUMN_POINTER:
        text = *(const char *const *)in;
        break;
    case COLUMN_TEXT:
        break;
    }
    query_text(query, text && *text ? text : NULL);
}

void query_columns(struct query *query, const struct column *column, int64_t columns, const void *in)
{
    for (int64_t i = 0; i < columns; i++) write_column(query, &column[i], (const char *)in + column[i].offset);
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
    knack_status status = query->error == SQLITE_DONE ? KNACK_OK : fail(query->sql, query->error, query->intent);
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

/* ---- Rows ---- */

int64_t column_integer(const struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
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

static knack_status read_choice(const struct query *query, int column, const char *const *choices, int *choice)
{
    const char *text = column_text(query, column);
    for (*choice = 0; choices[*choice]; ++*choice)
        if (strcmp(choices[*choice], text) == 0) return KNACK_OK;
    return status_set(KNACK_E_IO, "%s: cannot %s: %s is \"%s\", which knack does not know", query->sql->path, query->intent,
                      sqlite3_column_name(query->statement, column), text);
}

static knack_status read_row(const struct query *query, const struct column *column, int64_t columns, char *out)
{
    for (int i = 0; i < columns; i++, column++) {
        char *member = out + column->offset;
        bool null = sqlite3_column_type(query->statement, i) == SQLITE_NULL;
        if (column->kind == COLUMN_INTEGER) *(int64_t *)member = column_integer(query, i);
        if (column->kind == COLUMN_FLAG) *(bool *)member = column_integer(query, i) != 0;
        if (column->kind == COLUMN_REAL) *(double *)member = null ? NAN : sqlite3_column_double(query->statement, i);
        if (column->kind == COLUMN_TEXT) column_copy(query, i, member, column->size);
        if (column->kind == COLUMN_CHOICE) TRY(read_choice(query, i, column->choices, (int *)member));
    }
    return KNACK_OK;
}

knack_status query_list(struct query *query, const struct column *column, int64_t columns, size_t size, void **list, int64_t *count)
{
    char *made = memory_new(1, size);
    int64_t rows = 0, room = 1;
    bool row = true;
    knack_status status = made ? KNACK_OK : KNACK_E_MEMORY;
    *list = NULL;
    *count = 0;
    while (status >= 0 && (status = query_next(query, &row)) >= 0 && row) {
        char *grown = rows == room ? memory_resize(made, (size_t)(room = 2 * room), size) : made;
        if (grown) made = grown;
        status = grown ? read_row(query, column, columns, made + (size_t)rows++ * size) : KNACK_E_MEMORY;
    }
    query_end(query);
    if (status < 0) {
        memory_free(made);
        return status;
    }
    *list = made;
    *count = rows;
    return KNACK_OK;
}
