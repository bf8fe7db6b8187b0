/* Opening and closing: the lock, the file's marks, the tables; status and identity. */
#include "compare/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <knack/knack.h>

#include "base/file.h"
#include "base/memory.h"
#include "compare/store/parts.h"

/* Marks of the file: "Knck", and the tables' version. */
#define APPLICATION "1265525611"
#define FORMAT      "2"
enum { APPLICATION_NUMBER = 1265525611, FORMAT_NUMBER = 2 };

/* ---- Making ---- */

static knack_status make_identity(char identity[40])
{
    unsigned char random[16];
    ssize_t got;
    do got = getrandom(random, sizeof random, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof random) return status_set(KNACK_E_IO, "cannot draw a random identity: %s", strerror(errno));
    for (size_t i = 0; i < sizeof random; i++) snprintf(identity + 2 * i, 3, "%02x", random[i]);
    return KNACK_OK;
}

void store_now(char text[32])
{
    time_t now = time(NULL);
    struct tm parts = {0};
    gmtime_r(&now, &parts);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static knack_status fill_tables(struct store *store)
{
    char identity[40] = "", now[32], machine[256];
    TRY(make_identity(identity));
    TRY(sql_run(&store->sql, "make its tables", store_tables));
    TRY(sql_run(&store->sql, "mark it as knack's", "PRAGMA application_id = " APPLICATION "; PRAGMA user_version = " FORMAT));
    store_now(now);
    store_machine(machine);
    struct query add = query_new(&store->sql, "make its tables",
                                 "INSERT INTO experiments (identity, status, comparison_number, created, knack_version, machine) "
                                 "VALUES (?, 'running', 0, ?, ?, ?)");
    query_text(&add, identity);
    query_text(&add, now);
    query_text(&add, knack_version());
    query_text(&add, machine);
    return query_run(&add);
}

static knack_status make_tables(struct store *store)
{
    TRY(sql_begin(&store->sql));
    return sql_end(&store->sql, fill_tables(store));
}

/* ---- Opening ---- */

static knack_status refuse_missing(const struct store *store)
{
    return status_set(KNACK_E_IO, "%s: no comparison is here: knack.db is missing; name a folder that knack compare made", store->folder);
}

/* Whose file it is; *fresh: nobody's yet. */
static knack_status check_marks(struct store *store, bool *fresh)
{
    int64_t application = 0, format = 0, tables = 0;
    TRY(sql_ask_integer(&store->sql, "PRAGMA application_id", "read it", &application));
    TRY(sql_ask_integer(&store->sql, "PRAGMA user_version", "read it", &format));
    TRY(sql_ask_integer(&store->sql, "SELECT count(*) FROM sqlite_master", "read it", &tables));
    *fresh = application == 0 && format == 0 && tables == 0;
    if (*fresh) return KNACK_OK;
    if (application != APPLICATION_NUMBER)
        return status_set(KNACK_E_IO, "%s: this is another program's SQLite file, not a comparison", store->sql.path);
    if (format != FORMAT_NUMBER)
        return status_set(KNACK_E_IO, "%s: has format %lld, of another version of knack; this one, %s, reads format " FORMAT,
                          store->sql.path, (long long)format, knack_version());
    return KNACK_OK;
}

/* A log that readers may read past; the file is never broken, and a killed process loses nothing that it was told is kept. */
static knack_status set_writing(struct store *store)
{
    char mode[16];
    TRY(sql_ask_text(&store->sql, "PRAGMA journal_mode = WAL", "begin a write-ahead log", mode, sizeof mode));
    if (strcmp(mode, "wal") != 0)
        return status_set(KNACK_E_IO, "%s: this file system cannot keep a write-ahead log; choose a folder on a local disk",
                          store->sql.path);
    return sql_run(&store->sql, "set it up", "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
}

static knack_status read_identity(struct store *store)
{
    TRY(sql_ask_text(&store->sql, "SELECT identity FROM experiments", "read which comparison it is", store->identity,
                     sizeof store->identity));
    return store->identity[0] ? KNACK_OK : status_set(KNACK_E_IO, "%s: has no experiment: the file is damaged", store->sql.path);
}

/* What trials are added to must be whole: the pages of the file, and how they hang together. */
static knack_status check_pages(struct store *store)
{
    char found[256];
    TRY(sql_ask_text(&store->sql, "PRAGMA quick_check(1)", "check it", found, sizeof found));
    if (strcmp(found, "ok") == 0) return KNACK_OK;
    return status_set(KNACK_E_IO, "%s: the file is damaged (%.*s): keep a copy, and begin in another folder", store->sql.path,
                      (int)strcspn(found, "\n"), found);
}

/* A folder without knack.db becomes a comparison's only if nothing is there but what a comparison leaves that was killed at once. */
knack_status store_check_folder(const char *folder)
{
    char **name;
    int64_t count;
    if (!file_exists(folder)) return KNACK_OK;
    TRY(file_list(folder, &name, &count));
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < count && status >= 0; i++)
        if (strncmp(name[i], "knack.db-", 9) != 0 && strcmp(name[i], "knack.lock") != 0)
            status = status_set(KNACK_E_USAGE, "%s: holds something else (%s) and no comparison: choose another folder", folder, name[i]);
    memory_free(name);
    return status;
}

static knack_status open_to_write(struct store *store, const char *path)
{
    bool fresh = false;
    TRY(file_make_folder(store->folder));
    if (!file_exists(path)) TRY(store_check_folder(store->folder));
    TRY(lock_take(store->folder, &store->lock));
    TRY(sql_open(&store->sql, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, false));
    TRY(check_marks(store, &fresh));
    TRY(set_writing(store));
    if (fresh)
        TRY(make_tables(store));
    else
        TRY(check_pages(store));
    return read_identity(store);
}

static bool is_writable(const char *path)
{
    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

/* A log that a killed writer left is put into the file first, where that can be done. A file without a log, where nothing can be written,
 * nobody changes; SQLite would want to write beside it all the same. */
static knack_status open_file_to_read(struct store *store, const char *path)
{
    if (is_writable(store->folder) && is_writable(path)) {
        TRY(sql_open(&store->sql, path, SQLITE_OPEN_READWRITE, false));
        return sql_run(&store->sql, "read it", "PRAGMA query_only = ON");
    }
    char *log = memory_format("%s-wal", path), *journal = memory_format("%s-journal", path);
    knack_status status =
        log && journal ? sql_open(&store->sql, path, SQLITE_OPEN_READONLY, !file_exists(log) && !file_exists(journal)) : KNACK_E_MEMORY;
    memory_free(log);
    memory_free(journal);
    return status;
}

/* All that a reader reads is of one moment, so that what it shows agrees with itself while another process writes. */
static knack_status open_to_read(struct store *store, const char *path)
{
    bool fresh = false;
    if (!file_exists(path)) return refuse_missing(store);
    store->goes_on = lock_is_held(store->folder);
    TRY(open_file_to_read(store, path));
    TRY(sql_run(&store->sql, "read it", "BEGIN"));
    TRY(check_marks(store, &fresh));
    if (fresh) return status_set(KNACK_E_IO, "%s: is empty: no comparison was begun here", path);
    return read_identity(store);
}

knack_status store_open(const char *folder, bool create, struct store **made)
{
    *made = NULL;
    struct store *store = memory_new(1, sizeof *store);
    char *path = file_join(folder, "knack.db");
    knack_status status = store && path ? KNACK_OK : KNACK_E_MEMORY;
    if (status >= 0) {
        store->folder = memory_text(folder);
        status = !store->folder ? KNACK_E_MEMORY : create ? open_to_write(store, path) : open_to_read(store, path);
    }
    memory_free(path);
    if (status >= 0)
        *made = store;
    else
        store_close(store);
    return status;
}

/* The log is put into the file and removed; while someone reads that is not possible, and whoever opens it next does it. */
static void settle(struct store *store)
{
    sqlite3_busy_timeout(store->sql.file, 0);
    sqlite3_wal_checkpoint_v2(store->sql.file, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_exec(store->sql.file, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
}

static void release(struct store *store)
{
    sql_close(&store->sql);
    lock_give(store->lock);
    memory_free(store->folder);
    memory_free(store);
}

void store_close(struct store *store)
{
    if (!store) return;
    if (store->lock && store->identity[0]) settle(store);
    release(store);
}

void store_discard(struct store *store)
{
    char *file = file_join(store->folder, "knack.db"), *folder = memory_text(store->folder);
    sql_close(&store->sql);
    if (file && store->lock) file_remove(file); /* while nobody else can begin here */
    release(store);
    if (folder) rmdir(folder); /* stays if it holds something else */
    memory_free(file);
    memory_free(folder);
}

/* ---- A copy ---- */

static knack_status copy_file(struct store *from, const char *path)
{
    sqlite3 *to = NULL;
    int error = sqlite3_open(path, &to);
    sqlite3_backup *backup = error == SQLITE_OK ? sqlite3_backup_init(to, "main", from->sql.file, "main") : NULL;
    if (backup) sqlite3_backup_step(backup, -1);
    if (error == SQLITE_OK) error = backup ? sqlite3_backup_finish(backup) : sqlite3_errcode(to);
    sqlite3_close(to);
    return error == SQLITE_OK ? KNACK_OK
                              : status_set(KNACK_E_IO, "%s: cannot copy it to %s: %s", from->sql.path, path, sqlite3_errstr(error));
}

static knack_status copy_folder(const char *folder, const char *scratch)
{
    struct store *store;
    char *from = file_join(folder, "knack.db"), *to = file_join(scratch, "knack.db");
    knack_status status = from && to ? KNACK_OK : KNACK_E_MEMORY;
    if (status >= 0 && file_exists(from) && (status = store_open(folder, false, &store)) >= 0) {
        status = copy_file(store, to);
        store_close(store);
    }
    memory_free(from);
    memory_free(to);
    return status;
}

knack_status store_open_copy(const char *folder, const char *scratch, struct store **copy)
{
    *copy = NULL;
    char *name = memory_text(folder);
    knack_status status = name ? copy_folder(folder, scratch) : KNACK_E_MEMORY;
    if (status >= 0) status = store_open(scratch, true, copy);
    if (status < 0) {
        memory_free(name);
        return status;
    }
    memory_free((*copy)->folder);
    (*copy)->folder = name;
    return KNACK_OK;
}

const char *store_folder(const struct store *store)
{
    return store->folder;
}

const char *store_identity(const struct store *store)
{
    return store->identity;
}

knack_status store_begin(struct store *store)
{
    if (!store->lock) return status_set(KNACK_E_CALL, "%s: was opened for reading only", store->sql.path);
    return sql_begin(&store->sql);
}

/* ---- Status ---- */

knack_status store_write_status(struct store *store, const char *status, int64_t comparison_number)
{
    TRY(store_begin(store));
    struct query query = query_new(&store->sql, "write the status", "UPDATE experiments SET status = ?, comparison_number = ?");
    query_text(&query, status);
    query_integer(&query, comparison_number);
    return sql_end(&store->sql, query_run(&query));
}

knack_status store_read_status(struct store *store, char status[32], int64_t *comparison_number)
{
    TRY(sql_ask_text(&store->sql, "SELECT status FROM experiments", "read the status", status, 32));
    TRY(sql_ask_integer(&store->sql, "SELECT comparison_number FROM experiments", "read the status", comparison_number));
    if (strcmp(status, "running") == 0 && !store->lock && !store->goes_on) strcpy(status, "interrupted");
    return KNACK_OK;
}
