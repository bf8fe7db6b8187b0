#include "base/test.h"
#include "base/tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

/* Every test runs in an empty folder of its own. */
static int enter(void **state)
{
    char folder[] = "/tmp/knack-test-XXXXXX";
    if (!mkdtemp(folder)) return -1;
    *state = memory_text(folder);
    return chdir(folder);
}

static int leave(void **state)
{
    remove_tree(*state);
    memory_free(*state);
    return 0;
}

static void assert_content(const char *path, const char *expected)
{
    char *data;
    size_t size;
    assert_done(file_read(path, KNACK_E_IO, &data, &size));
    assert_int_equal(size, strlen(expected));
    assert_string_equal(data, expected);
    memory_free(data);
}

static void test_read_errors(void **state)
{
    (void)state;
    char *data;
    size_t size;
    assert_failure(file_read("a.json", KNACK_E_CONFIG, &data, &size), KNACK_E_CONFIG,
                   "a.json: cannot be opened: No such file or directory");
    assert_null(data);
    assert_failure(file_read(".", KNACK_E_DATA, &data, &size), KNACK_E_DATA, ".: expected a file, this is a folder");
}

/* A file that has no size until it is read. */
static void test_read_grows(void **state)
{
    (void)state;
    char *data;
    size_t size;
    assert_done(file_read("/proc/self/status", KNACK_E_IO, &data, &size));
    assert_true(size > 200);
    assert_int_equal(strlen(data), size);
    memory_free(data);
}

static void test_write_and_read(void **state)
{
    (void)state;
    assert_done(file_write("a", "", 0));
    assert_content("a", "");
    assert_done(file_write("a", "one", 3));
    assert_content("a", "one");
    assert_false(file_exists("a.tmp"));
}

static void test_output_in_pieces(void **state)
{
    (void)state;
    static char large[200000];
    memset(large, 'x', sizeof large);
    struct file_output *output;
    assert_done(file_create("big", &output));
    size_t total = 0;
    for (size_t size = 1; size < sizeof large; size = 5 * size / 2 + 1) {
        assert_done(file_put(output, large, size));
        total += size;
    }
    assert_false(file_exists("big"));
    assert_done(file_commit(output));
    char *data;
    size_t size;
    assert_done(file_read("big", KNACK_E_IO, &data, &size));
    assert_int_equal(size, total);
    for (size_t i = 0; i < size; i++) assert_int_equal(data[i], 'x');
    memory_free(data);
}

static void test_the_old_file_stays_until_commit(void **state)
{
    (void)state;
    struct file_output *output;
    assert_done(file_write("a", "old", 3));
    assert_done(file_create("a", &output));
    assert_done(file_put(output, "new", 3));
    assert_content("a", "old");
    file_abandon(output);
    file_abandon(NULL);
    assert_content("a", "old");
    assert_false(file_exists("a.tmp"));
}

static void test_a_leftover_is_overwritten(void **state)
{
    (void)state;
    assert_done(file_write("a.tmp", "what a killed program left", 26));
    assert_done(file_write("a", "new", 3));
    assert_content("a", "new");
    assert_false(file_exists("a.tmp"));
}

/* Each whole, the last one stays, and no writer takes what another one writes. */
static void test_two_writers(void **state)
{
    (void)state;
    struct file_output *first, *second;
    assert_done(file_create("a", &first));
    assert_done(file_create("a", &second));
    assert_done(file_put(first, "first", 5));
    assert_done(file_put(second, "second", 6));
    assert_done(file_commit(second));
    assert_content("a", "second");
    assert_done(file_commit(first));
    assert_content("a", "first");
    pid_t other = fork();
    assert_true(other >= 0);
    int status = 0;
    for (int i = 0; i < 300 && status == 0; i++) status = file_write("a", other ? "mine" : "another", other ? 4 : 7) < 0;
    if (other == 0) _exit(status);
    assert_int_equal(status, 0);
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(status, 0);
    char *data;
    size_t size;
    assert_done(file_read("a", KNACK_E_IO, &data, &size));
    assert_true(strcmp(data, "mine") == 0 || strcmp(data, "another") == 0);
    memory_free(data);
    assert_false(file_exists("a.tmp") || file_exists("a.2.tmp"));
}

static void test_write_errors(void **state)
{
    (void)state;
    assert_failure(file_write("no/a", "x", 1), KNACK_E_IO, "no/a: cannot be written: No such file or directory");
    assert_done(file_make_folder("folder"));
    assert_failure(file_write("folder", "x", 1), KNACK_E_IO, "folder: cannot be put in place: Is a directory");
    assert_false(file_exists("folder.tmp"));
}

static void test_full_disk(void **state)
{
    (void)state;
    static char large[100000];
    struct rlimit limit, before;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 70000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    knack_status status = file_write("a", large, sizeof large);
    struct file_log *log;
    assert_done(file_log_open("log", -1, &log));
    knack_status logged = file_log_line(log, large, sizeof large);
    file_log_close(log);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, KNACK_E_IO);
    assert_int_equal(logged, KNACK_E_IO);
    assert_string_equal(knack_error(), "log: cannot be written: File too large");
    assert_false(file_exists("a"));
    assert_false(file_exists("a.tmp"));
}

static void test_folders(void **state)
{
    (void)state;
    assert_done(file_make_folder("a/b//c/"));
    assert_true(file_is_folder("a/b/c"));
    assert_done(file_make_folder("a/b"));
    assert_done(file_write("a/file", "", 0));
    assert_failure(file_make_folder("a/file/c"), KNACK_E_IO, "a/file: this folder cannot be made: File exists");
    assert_int_equal(symlink("nowhere", "a/link"), 0); /* looking for it says that it is absent: not the reason */
    assert_failure(file_make_folder("a/link"), KNACK_E_IO, "a/link: this folder cannot be made: File exists");
    assert_true(file_folder_is_empty("a/b/c"));
    assert_true(file_folder_is_empty("absent"));
    assert_false(file_folder_is_empty("a"));
    assert_false(file_folder_is_empty("a/file"));
    assert_true(file_exists("a/file"));
    assert_false(file_is_folder("a/file"));
    assert_done(file_remove("a/file"));
    assert_done(file_remove("a/file"));
    assert_failure(file_remove("a/b"), KNACK_E_IO, "a/b: cannot be removed: Is a directory");
}

static void test_list(void **state)
{
    (void)state;
    static const char *const made[] = {"b", "a.json", "B", ".hidden", "a"}, *const sorted[] = {".hidden", "B", "a", "a.json", "b"};
    char **name;
    int64_t count;
    assert_done(file_list(".", &name, &count));
    assert_int_equal(count, 0);
    memory_free(name);
    for (int i = 0; i < 5; i++) assert_done(file_write(made[i], "", 0));
    assert_done(file_list(".", &name, &count));
    assert_int_equal(count, 5);
    for (int i = 0; i < 5; i++) assert_string_equal(name[i], sorted[i]);
    memory_free(name);
    assert_failure(file_list("absent", &name, &count), KNACK_E_IO, "absent: this folder cannot be read: No such file or directory");
    assert_null(name);
}

static void assert_text(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    memory_free(text);
}

static void test_paths(void **state)
{
    (void)state;
    assert_text(file_join("a", "b"), "a/b");
    assert_text(file_join("a/", "b"), "a/b");
    assert_text(file_join("", "b"), "b");
    assert_text(file_join("a", "/b"), "/b");
    assert_text(file_folder("a/b.json"), "a");
    assert_text(file_folder("b.json"), ".");
    assert_text(file_folder("/b.json"), "/");
    assert_text(file_stem("a.d/b.json"), "b");
    assert_text(file_stem("a.d/b"), "b");
    assert_text(file_stem(".hidden"), ".hidden");
    assert_text(file_stem("b.tar.gz"), "b.tar");
}

static void test_log(void **state)
{
    (void)state;
    struct file_log *log;
    assert_done(file_log_open("log", -1, &log));
    assert_done(file_log_line(log, "one", 3));
    assert_done(file_log_line(log, "", 0));
    assert_done(file_log_line(log, "three", 5));
    assert_done(file_log_sync(log));
    assert_int_equal(file_log_size(log), 11);
    file_log_close(log);
    assert_content("log", "one\n\nthree\n");
    assert_done(file_log_open("log", 4, &log));
    assert_int_equal(file_log_size(log), 4);
    assert_done(file_log_line(log, "two", 3));
    file_log_close(log);
    assert_content("log", "one\ntwo\n");
    assert_done(file_log_open("log", -1, &log));
    assert_int_equal(file_log_size(log), 8);
    file_log_close(log);
    file_log_close(NULL);
    assert_failure(file_log_open("log", 100, &log), KNACK_E_IO, "log: expected at least 100 bytes, it has 8: it was changed from outside");
    assert_failure(file_log_open("no/log", -1, &log), KNACK_E_IO, "no/log: cannot be written: No such file or directory");
}

/* All that allocates, until nothing fails any more. */
static knack_status everything(void)
{
    struct file_log *log;
    char **name, *data;
    int64_t count;
    size_t size;
    TRY(file_make_folder("d"));
    TRY(file_write("d/a", "text", 4));
    TRY(file_read("d/a", KNACK_E_IO, &data, &size));
    memory_free(data);
    TRY(file_list("d", &name, &count));
    memory_free(name);
    TRY(file_log_open("log", 0, &log));
    knack_status status = file_log_line(log, "line", 4);
    file_log_close(log);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    knack_status status = KNACK_E_MEMORY;
    int64_t nth = 0;
    while (status < 0) {
        memory_fail_at(++nth);
        status = everything();
        memory_fail_at(0);
        if (status < 0) {
            assert_int_equal(status, KNACK_E_MEMORY);
            assert_non_null(strstr(knack_error(), "out of memory"));
        }
        assert_false(file_exists("d/a.tmp"));
    }
    assert_true(nth > 8);
    assert_content("d/a", "text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_errors, enter, leave),
        cmocka_unit_test(test_read_grows),
        cmocka_unit_test_setup_teardown(test_write_and_read, enter, leave),
        cmocka_unit_test_setup_teardown(test_output_in_pieces, enter, leave),
        cmocka_unit_test_setup_teardown(test_the_old_file_stays_until_commit, enter, leave),
        cmocka_unit_test_setup_teardown(test_a_leftover_is_overwritten, enter, leave),
        cmocka_unit_test_setup_teardown(test_two_writers, enter, leave),
        cmocka_unit_test_setup_teardown(test_write_errors, enter, leave),
        cmocka_unit_test_setup_teardown(test_full_disk, enter, leave),
        cmocka_unit_test_setup_teardown(test_folders, enter, leave),
        cmocka_unit_test_setup_teardown(test_list, enter, leave),
        cmocka_unit_test(test_paths),
        cmocka_unit_test_setup_teardown(test_log, enter, leave),
        cmocka_unit_test_setup_teardown(test_no_memory, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
