/* Opening, closing and sharing a comparison's file. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <knack/knack.h>

#include "base/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "compare/store/parts.h"
#include "filled.h"

static char folder[32], message[512];

static const char *told(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    return message;
}

static int set_up(void **state)
{
    (void)state;
    filled_folder(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    filled_remove(folder);
    return 0;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_done(file_write(path, bytes, size));
}

/* On a connection of its own, as another program would. */
static void run_sql(const char *text)
{
    char path[64];
    sqlite3 *file = NULL;
    snprintf(path, sizeof path, "%s/knack.db", folder);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(file);
}

static void test_a_new_folder(void **state)
{
    (void)state;
    char below[64], identity[40], **name = NULL;
    int64_t count = 0;
    struct store *store = NULL;
    snprintf(below, sizeof below, "%s/a", folder);
    assert_done(store_open(below, true, &store));
    assert_string_equal(store_folder(store), below);
    snprintf(identity, sizeof identity, "%s", store_identity(store));
    assert_int_equal(strlen(identity), 32);
    assert_int_equal(strspn(identity, "0123456789abcdef"), 32);
    struct plan *plan = (struct plan *)below;
    assert_done(store_read_plan(store, &plan));
    assert_null(plan);
    char status[32];
    int64_t number = -1;
    assert_done(store_read_status(store, status, &number));
    assert_string_equal(status, "running");
    assert_int_equal(number, 0);
    assert_done(store_write_status(store, "interrupted", 7));
    store_close(store);

    assert_done(file_list(below, &name, &count));
    assert_int_equal(count, 1); /* nothing but the file that people's tools open */
    assert_string_equal(name[0], "knack.db");
    memory_free(name);

    assert_done(store_open(below, true, &store));
    assert_string_equal(store_identity(store), identity);
    assert_done(store_read_status(store, status, &number));
    assert_string_equal(status, "interrupted");
    assert_int_equal(number, 7);
    store_close(store);
    filled_remove(below);
}

static void test_what_is_no_comparison(void **state)
{
    (void)state;
    struct store *store = NULL;
    assert_failure(store_open(folder, false, &store), KNACK_E_IO,
                   told("%s: no comparison is here: knack.db is missing; name a folder that knack compare made", folder));
    assert_null(store);
    write_file("knack.db", "", 0);
    assert_failure(store_open(folder, false, &store), KNACK_E_IO, told("%s/knack.db: is empty: no comparison was begun here", folder));
    run_sql("CREATE TABLE bookmarks (url TEXT)");
    for (int create = 0; create < 2; create++)
        assert_failure(store_open(folder, create, &store), KNACK_E_IO,
                       told("%s/knack.db: this is another program's SQLite file, not a comparison", folder));
    char noise[5000];
    memset(noise, 'n', sizeof noise);
    write_file("knack.db", noise, sizeof noise);
    for (int create = 0; create < 2; create++)
        assert_failure(store_open(folder, create, &store), KNACK_E_IO,
                       told("%s/knack.db: cannot read it: file is not a database; this is not a file that knack made", folder));
}

static void test_another_format(void **state)
{
    (void)state;
    struct store *store = NULL;
    assert_done(store_open(folder, true, &store));
    store_close(store);
    run_sql("PRAGMA user_version = 1");
    for (int create = 0; create < 2; create++)
        assert_failure(
            store_open(folder, create, &store), KNACK_E_IO,
            told("%s/knack.db: has format 1, of another version of knack; this one, %s, reads format 2", folder, knack_version()));
}

static void test_a_damaged_file(void **state)
{
    (void)state;
    struct store *store = NULL;
    char path[64], noise[4096];
    assert_done(filled_store(folder, &store));
    store_close(store);
    snprintf(path, sizeof path, "%s/knack.db", folder);
    memset(noise, 0x5a, sizeof noise);
    int file = open(path, O_WRONLY);
    off_t size = lseek(file, 0, SEEK_END);
    for (off_t at = 4096; at < size; at += 4096) assert_int_equal(pwrite(file, noise, sizeof noise, at), sizeof noise);
    close(file);
    assert_failure(
        store_open(folder, false, &store), KNACK_E_IO,
        told("%s: cannot read which comparison it is: database disk image is malformed; the file is damaged: keep a copy, and begin in "
             "another folder",
             path));
}

static void test_a_folder_that_cannot_be_written(void **state)
{
    (void)state;
    struct store *store = NULL;
    assert_done(filled_store(folder, &store));
    store_close(store);
    chmod(folder, 0555);
    bool root = geteuid() == 0;
    if (root) assert_int_equal(seteuid(65534), 0); /* root may write everywhere */
    knack_status status = store_open(folder, true, &store);
    char *text = memory_text(knack_error());
    struct stored_trial *trials = NULL;
    int64_t count = 0;
    knack_status reading = store_open(folder, false, &store);
    if (reading >= 0) reading = store_read_trials(store, &trials, &count);
    store_close(store);
    if (root) assert_int_equal(seteuid(0), 0);
    chmod(folder, 0755);
    assert_int_equal(status, KNACK_E_IO);
    assert_string_equal(text, told("%s: cannot write in this folder: Permission denied", folder));
    assert_done(reading);
    assert_int_equal(count, FILLED_ARMS * FILLED_SEEDS);
    memory_free(trials);
    memory_free(text);
}

/* Reads as somebody who may write neither file nor folder. */
static knack_status read_as_guest(const char *at, mode_t file_mode)
{
    struct store *store = NULL;
    struct stored_trial *trials = NULL;
    int64_t count = 0;
    char path[96];
    snprintf(path, sizeof path, "%s/knack.db", at);
    chmod(path, file_mode);
    chmod(at, 0555);
    chmod(folder, 0755); /* others may enter */
    bool root = geteuid() == 0;
    if (root) assert_int_equal(seteuid(65534), 0); /* root may write everywhere */
    knack_status status = store_open(at, false, &store);
    if (status >= 0) status = store_read_trials(store, &trials, &count);
    if (status >= 0) assert_int_equal(count, FILLED_ARMS * FILLED_SEEDS);
    store_close(store);
    if (root) assert_int_equal(seteuid(0), 0);
    chmod(at, 0755);
    memory_free(trials);
    return status;
}

/* A file that is whole; and a copy of knack.db alone which says that it has a log, as one that was made while it was written. Its path has
 * what has a meaning in a URI. */
static void test_an_archive(void **state)
{
    (void)state;
    struct store *store = NULL;
    char odd[64], path[96], **name = NULL;
    int64_t count = 0;
    sqlite3 *file = NULL;
    snprintf(odd, sizeof odd, "%s/a?b#c%%d", folder);
    snprintf(path, sizeof path, "%s/knack.db", odd);
    assert_done(filled_store(odd, &store));
    store_close(store);
    assert_done(read_as_guest(odd, 0444));
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file, "PRAGMA journal_mode = WAL", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(file);
    assert_done(read_as_guest(odd, 0444));
    assert_done(read_as_guest(odd, 0644));
    assert_done(file_list(odd, &name, &count));
    assert_int_equal(count, 1); /* nothing is written beside it */
    memory_free(name);
}

static void test_settings(void **state)
{
    (void)state;
    struct store *store = NULL;
    int64_t answer = 0;
    for (int create = 1; create >= 0; create--) {
        assert_done(store_open(folder, create, &store));
        assert_done(sql_ask_integer(&store->sql, "PRAGMA cell_size_check", "ask", &answer));
        assert_int_equal(answer, 1);
        assert_done(sql_ask_integer(&store->sql, "PRAGMA trusted_schema", "ask", &answer));
        assert_int_equal(answer, 0);
        store_close(store);
    }
}

/* Only what SQLite finds by looking at every page: an index that lacks a row. */
static void test_damage_before_writing(void **state)
{
    (void)state;
    struct store *store = NULL;
    assert_done(filled_store(folder, &store));
    store_close(store);
    run_sql("PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'metrics') "
            "WHERE name = 'examples'");
    knack_status status = store_open(folder, true, &store);
    assert_int_equal(status, KNACK_E_IO);
    const char *start = told("%s/knack.db: the file is damaged (", folder);
    assert_memory_equal(knack_error(), start, strlen(start));
    assert_non_null(strstr(knack_error(), "): keep a copy, and begin in another folder"));
}

static void test_other_things(void **state)
{
    (void)state;
    struct store *store = NULL;
    char **name = NULL;
    int64_t count = 0;
    write_file("result.json", "{}", 2);
    assert_failure(store_open(folder, true, &store), KNACK_E_USAGE,
                   told("%s: holds something else (result.json) and no comparison: choose another folder", folder));
    assert_done(file_list(folder, &name, &count));
    assert_int_equal(count, 1);
    memory_free(name);
    char path[64];
    snprintf(path, sizeof path, "%s/result.json", folder);
    assert_done(file_remove(path));
    write_file("knack.lock", "", 0); /* left by a process that was killed before it made anything else */
    assert_done(store_open(folder, true, &store));
    store_close(store);
    write_file("report.html", "", 0);
    assert_done(store_open(folder, true, &store)); /* a comparison's */
    store_close(store);
}

static void test_discarding(void **state)
{
    (void)state;
    struct store *store = NULL;
    char below[64], other[64];
    snprintf(below, sizeof below, "%s/a", folder);
    snprintf(other, sizeof other, "%s/a/other", folder);
    for (int i = 0; i < 2; i++) {
        assert_done(store_open(below, true, &store));
        if (i == 1) assert_done(file_write(other, "", 0));
        store_discard(store);
        assert_int_equal(file_exists(below), i == 1);
    }
    assert_done(file_remove(other));
    assert_true(file_folder_is_empty(below));
}

static void test_a_second_writer_of_one_process(void **state)
{
    (void)state;
    struct store *store = NULL, *second = NULL;
    assert_done(store_open(folder, true, &store));
    for (int i = 0; i < 2; i++) /* being refused must not end the lock */
        assert_failure(
            store_open(folder, true, &second), KNACK_E_USAGE,
            told("%s: process %ld is working on this comparison; wait until it ends, or choose another folder", folder, (long)getpid()));
    store_close(store);
    assert_done(store_open(folder, true, &store));
    store_close(store);
}

/* A child that opens the folder for writing, says so, and waits to be killed; with a child of its own that outlives it, if asked. */
static pid_t start_writer(bool with_child, pid_t *grandchild)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store *store = NULL;
        pid_t own = 0;
        if (store_open(folder, true, &store) < 0) _exit(1);
        if (with_child && (own = fork()) == 0)
            while (true) pause();
        if (write(pipes[1], &own, sizeof own) != sizeof own) _exit(1);
        while (true) pause();
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], grandchild, sizeof *grandchild), sizeof *grandchild);
    close(pipes[0]);
    return child;
}

static void stop(pid_t process)
{
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
}

static void test_a_second_writer_of_another_process(void **state)
{
    (void)state;
    struct store *store = NULL;
    pid_t grandchild = 0, child = start_writer(true, &grandchild);
    assert_failure(
        store_open(folder, true, &store), KNACK_E_USAGE,
        told("%s: process %ld is working on this comparison; wait until it ends, or choose another folder", folder, (long)child));
    assert_done(store_open(folder, false, &store));
    store_close(store);
    stop(child);
    assert_done(store_open(folder, true, &store)); /* though a child of the killed one lives */
    store_close(store);
    kill(grandchild, SIGKILL);
}

static void check_status(const char *expected)
{
    struct store *store = NULL;
    char status[32];
    int64_t number = -1;
    assert_done(store_open(folder, false, &store));
    assert_done(store_read_status(store, status, &number));
    assert_string_equal(status, expected);
    store_close(store);
}

/* "running" is only what a process that lives works on: of another process, of this one, and of one that was killed. */
static void test_a_dead_process(void **state)
{
    (void)state;
    struct store *store = NULL;
    pid_t none = 0, child = start_writer(false, &none);
    check_status("running");
    stop(child);
    check_status("interrupted");
    assert_done(store_open(folder, true, &store));
    check_status("running");
    assert_done(store_write_status(store, "done", 1));
    check_status("done");
    store_close(store);
    check_status("done");
}

static void test_a_reader_beside_the_writer(void **state)
{
    (void)state;
    struct store *store = NULL, *reader = NULL;
    struct stored_trial *trials = NULL;
    int64_t count = 0;
    assert_done(filled_store(folder, &store));
    assert_done(store_open(folder, false, &reader));
    struct trial_outcome outcome = filled_outcome(0, 2000);
    assert_done(store_add_trial(store, 0, 2100, &outcome));
    assert_done(store_read_trials(reader, &trials, &count));
    assert_int_equal(count, FILLED_ARMS * FILLED_SEEDS); /* as it was when it was opened */
    memory_free(trials);
    assert_failure(store_write_status(reader, "done", 1), KNACK_E_CALL, told("%s/knack.db: was opened for reading only", folder));
    store_close(store);
    assert_done(store_open(folder, true, &store)); /* while the reader still reads */
    outcome = filled_outcome(1, 2000);
    assert_done(store_add_trial(store, 1, 2100, &outcome));
    store_close(reader);
    assert_done(store_open(folder, false, &reader));
    assert_done(store_read_trials(reader, &trials, &count));
    assert_int_equal(count, FILLED_ARMS * FILLED_SEEDS + 2);
    memory_free(trials);
    store_close(reader);
    store_close(store);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct store *store = NULL;
    for (int create = 1; create >= 0; create--) {
        bool opened = false;
        for (int64_t nth = 1; nth < 100 && !opened; nth++) {
            memory_fail_at(nth);
            knack_status status = store_open(folder, create, &store);
            memory_fail_at(0);
            opened = status >= 0;
            if (!opened) assert_int_equal(status, KNACK_E_MEMORY);
        }
        assert_true(opened);
        store_close(store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_new_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_comparison, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_format, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_damaged_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_folder_that_cannot_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_archive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage_before_writing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_things, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_discarding, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_dead_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_writer_of_one_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_writer_of_another_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_reader_beside_the_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
