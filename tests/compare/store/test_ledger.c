/* Where the ledger is, what it counts and refuses, and who writes to it at once. */
#include "base/test.h"
#include "base/tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "compare/store/ledger.h"

/* Every test runs in an empty folder of its own, which is the state's. */
static int enter(void **state)
{
    char folder[] = "/tmp/knack-ledger-XXXXXX";
    if (!mkdtemp(folder)) return -1;
    *state = memory_text(folder);
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    setenv("KNACK_LEDGER", "ledger.jsonl", 1);
    return chdir(folder);
}

static int leave(void **state)
{
    remove_tree(*state);
    memory_free(*state);
    return 0;
}

static struct plan make_plan(uint64_t test_set, enum role role, int64_t first_seed, int64_t seeds)
{
    static char name[] = "mixup", metric[] = "accuracy";
    return (struct plan){.name = name, .metric = metric, .test_set = test_set, .role = role, .first_seed = first_seed, .seeds = seeds};
}

static int64_t enter_plan(struct plan plan, const char *identity)
{
    int64_t number = -1;
    assert_done(ledger_enter(&plan, identity, "results/mixup", &number));
    return number;
}

static int64_t count_lines(const char *path)
{
    char *text;
    size_t size;
    int64_t lines = 0;
    assert_done(file_read(path, KNACK_E_IO, &text, &size));
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    memory_free(text);
    return lines;
}

static struct ledger *read_ledger(void)
{
    struct ledger *ledger;
    assert_done(ledger_read(&ledger));
    return ledger;
}

static void assert_starts(const char *text, const char *start)
{
    char *cut = memory_format("%.*s", (int)strlen(start), text);
    assert_string_equal(cut, start);
    memory_free(cut);
}

/* ---- Where it is ---- */

static void test_place(void **state)
{
    char *folder = *state, *path;
    setenv("KNACK_LEDGER", "a/b/own.jsonl", 1);
    path = memory_format("%s/state", folder);
    setenv("XDG_STATE_HOME", path, 1);
    memory_free(path);
    path = memory_format("%s/home", folder);
    setenv("HOME", path, 1);
    memory_free(path);
    assert_int_equal(enter_plan(make_plan(1, ROLE_VERDICT, 2000, 5), "a"), 1);
    assert_int_equal(count_lines("a/b/own.jsonl"), 1);
    setenv("KNACK_LEDGER", "", 1);
    assert_int_equal(enter_plan(make_plan(1, ROLE_VERDICT, 2000, 5), "a"), 1);
    assert_int_equal(count_lines("state/knack/ledger.jsonl"), 1);
    setenv("XDG_STATE_HOME", "not/absolute", 1);
    assert_int_equal(enter_plan(make_plan(1, ROLE_VERDICT, 2000, 5), "a"), 1);
    assert_int_equal(count_lines("home/.local/state/knack/ledger.jsonl"), 1);
    assert_false(file_exists("not"));
}

static void test_no_place(void **state)
{
    (void)state;
    struct plan plan = make_plan(1, ROLE_VERDICT, 2000, 5);
    struct ledger *ledger;
    int64_t number;
    const char *message =
        "the ledger of comparisons has no place: none of KNACK_LEDGER, XDG_STATE_HOME and HOME is set; set KNACK_LEDGER to "
        "a file for it";
    unsetenv("KNACK_LEDGER");
    assert_failure(ledger_enter(&plan, "a", "f", &number), KNACK_E_IO, message);
    assert_failure(ledger_read(&ledger), KNACK_E_IO, message);
    assert_null(ledger);
}

static void test_unwritable(void **state)
{
    (void)state;
    struct plan plan = make_plan(1, ROLE_VERDICT, 2000, 5);
    struct ledger *ledger;
    int64_t number;
    assert_done(file_write("file", "", 0));
    assert_done(file_make_folder("folder"));
    setenv("KNACK_LEDGER", "file/ledger.jsonl", 1);
    assert_failure(ledger_enter(&plan, "a", "f", &number), KNACK_E_IO,
                   "file: this folder cannot be made: File exists; it is for the ledger of comparisons, for which KNACK_LEDGER can name "
                   "another file");
    assert_done(ledger_read(&ledger)); /* nothing is there */
    assert_int_equal(ledger->entries, 0);
    ledger_free(ledger);
    setenv("KNACK_LEDGER", "folder", 1);
    assert_failure(ledger_enter(&plan, "a", "f", &number), KNACK_E_IO,
                   "folder: the ledger of comparisons cannot be opened: Is a directory; KNACK_LEDGER can name another file for it");
    setenv("KNACK_LEDGER", "/dev/null", 1); /* for those who want none */
    assert_int_equal(enter_plan(plan, "a"), 1);
}

/* A disk that is full in the middle of a line. */
static void test_full_disk(void **state)
{
    (void)state;
    struct plan plan = make_plan(1, ROLE_VERDICT, 2000, 5);
    int64_t number;
    assert_int_equal(enter_plan(plan, "a"), 1);
    char *before, *after;
    size_t size_before, size_after;
    assert_done(file_read("ledger.jsonl", KNACK_E_IO, &before, &size_before));
    struct rlimit limit, tight;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    tight = limit;
    tight.rlim_cur = size_before + 20;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    knack_status status = ledger_enter(&plan, "b", "f", &number);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_failure(status, KNACK_E_IO,
                   "ledger.jsonl: the ledger of comparisons cannot be written: File too large; KNACK_LEDGER can name another file for it");
    assert_done(file_read("ledger.jsonl", KNACK_E_IO, &after, &size_after));
    assert_int_equal(size_after, size_before);
    assert_string_equal(after, before);
    memory_free(before);
    memory_free(after);
    assert_int_equal(enter_plan(plan, "b"), 2);
}

/* ---- Counting ---- */

static void test_count(void **state)
{
    (void)state;
    struct ledger *ledger = read_ledger();
    assert_string_equal(ledger->path, "ledger.jsonl");
    assert_int_equal(ledger->entries, 0);
    ledger_free(ledger);
    assert_int_equal(enter_plan(make_plan(1, ROLE_VERDICT, 2000, 5), "a"), 1);
    assert_int_equal(enter_plan(make_plan(1, ROLE_VERDICT, 2000, 5), "b"), 2);
    assert_int_equal(enter_plan(make_plan(2, ROLE_VERDICT, 2000, 5), "c"), 1);    /* another test set */
    assert_int_equal(enter_plan(make_plan(1, ROLE_SCREENING, 1000, 20), "d"), 3); /* other roles count too */
    assert_int_equal(enter_plan(make_plan(1, ROLE_VERDICT, 2000, 5), "a"), 1);    /* resumed */
    assert_int_equal(count_lines("ledger.jsonl"), 4);
    ledger_free(NULL);
}

static void test_update(void **state)
{
    char *folder = *state;
    assert_done(file_make_folder("results/mixup"));
    enter_plan(make_plan(0xfedcba9876543210u, ROLE_VERDICT, 2000, 10), "a");
    enter_plan(make_plan(0xfedcba9876543210u, ROLE_VERDICT, 2000, 10), "b");
    assert_int_equal(enter_plan(make_plan(0xfedcba9876543210u, ROLE_VERDICT, 2000, 20), "a"), 1);
    assert_int_equal(count_lines("ledger.jsonl"), 3);
    enter_plan(make_plan(0xfedcba9876543210u, ROLE_VERDICT, 2000, 10), "a"); /* seeds that were used stay used */
    assert_int_equal(count_lines("ledger.jsonl"), 3);
    struct ledger *ledger = read_ledger();
    assert_int_equal(ledger->entries, 2);
    const struct ledger_entry *entry = ledger->entry;
    assert_string_equal(entry->identity, "a");
    assert_true(entry->test_set == 0xfedcba9876543210u);
    assert_int_equal(entry->role, ROLE_VERDICT);
    assert_int_equal(entry->first_seed, 2000);
    assert_int_equal(entry->seeds, 20);
    assert_string_equal(entry->name, "mixup");
    assert_string_equal(entry->metric, "accuracy");
    assert_int_equal(strlen(entry->when), strlen("2026-11-24T09:33:42Z"));
    char *absolute = memory_format("%s/results/mixup", folder);
    assert_string_equal(entry->folder, absolute);
    assert_string_equal(entry[1].identity, "b");
    assert_int_equal(entry[1].seeds, 10);
    memory_free(absolute);
    ledger_free(ledger);
}

/* Texts that JSON must escape, a name that is not UTF-8, and a file whose last line lacks its end. */
static void test_odd_texts(void **state)
{
    (void)state;
    struct plan plan = make_plan(1, ROLE_VERDICT, 2000, 5);
    char name[] = "a \"b\"\n\\ \xff";
    plan.name = name;
    enter_plan(plan, "a");
    char *text;
    size_t size;
    assert_done(file_read("ledger.jsonl", KNACK_E_IO, &text, &size));
    assert_done(file_write("ledger.jsonl", text, size - 1));
    memory_free(text);
    assert_int_equal(enter_plan(plan, "b"), 2);
    struct ledger *ledger = read_ledger();
    assert_int_equal(ledger->entries, 2);
    assert_string_equal(ledger->entry[0].name, "a \"b\"\n\\ \xef\xbf\xbd");
    ledger_free(ledger);
}

/* ---- Refusing ---- */

static void test_reuse(void **state)
{
    (void)state;
    int64_t number = -1;
    struct plan screen = make_plan(1, ROLE_SCREENING, 1000, 20), next = make_plan(1, ROLE_SCREENING, 1020, 10);
    char name[] = "eight tricks";
    screen.name = name;
    enter_plan(screen, "s");
    enter_plan(next, "t");
    struct plan verdict = make_plan(1, ROLE_VERDICT, 1015, 5);
    assert_int_equal(ledger_enter(&verdict, "v", "results/v", &number), KNACK_E_USAGE);
    char *text = memory_text(knack_error());
    assert_starts(text,
                  "seeds 1015 to 1019 are asked for as verdict, but on this test set the comparison \"eight tricks\" in results/mixup "
                  "used seeds 1000 to 1019 as screening (20");
    assert_string_equal(strstr(text, "Z): "), "Z): seeds that were chosen by cannot judge the choice; use others, by --first-seed 2000");
    memory_free(text);
    assert_int_equal(count_lines("ledger.jsonl"), 2); /* it was not entered */
    verdict.first_seed = 1030;
    assert_int_equal(enter_plan(verdict, "v"), 3); /* none of theirs */
    verdict.first_seed = 1015;
    verdict.test_set = 2;
    assert_int_equal(enter_plan(verdict, "w"), 1); /* another test set */
    verdict.test_set = 1;
    verdict.first_seed = 990;
    verdict.seeds = 10;
    assert_int_equal(enter_plan(verdict, "x"), 4); /* ends just before */
    verdict.seeds = 11;
    assert_int_equal(ledger_enter(&verdict, "y", "results/v", &number), KNACK_E_USAGE);
    screen.first_seed = 1010;
    assert_int_equal(enter_plan(screen, "z"), 5); /* the same role may use them again */
}

static void test_more_seeds_that_are_taken(void **state)
{
    (void)state;
    int64_t number;
    struct plan tuning = make_plan(1, ROLE_TUNING, 2010, 5), verdict = make_plan(1, ROLE_VERDICT, 2000, 10);
    enter_plan(tuning, "t");
    assert_int_equal(enter_plan(verdict, "v"), 2);
    verdict.seeds = 20;
    assert_int_equal(ledger_enter(&verdict, "v", "results/v", &number), KNACK_E_USAGE);
    verdict.seeds = 10;
    assert_int_equal(enter_plan(verdict, "v"), 2);
}

static void test_identity(void **state)
{
    (void)state;
    struct plan plan = make_plan(1, ROLE_VERDICT, 2000, 5);
    int64_t number;
    assert_failure(ledger_enter(&plan, "", "f", &number), KNACK_E_CALL, "an identity of 0 bytes for the ledger: expected 1 to 39");
    assert_failure(ledger_enter(&plan, "0123456789012345678901234567890123456789", "f", &number), KNACK_E_CALL,
                   "an identity of 40 bytes for the ledger: expected 1 to 39");
    assert_int_equal(enter_plan(plan, "012345678901234567890123456789012345678"), 1);
}

/* ---- Lines that cannot be read ---- */

#define LINE                                                                                                                               \
    "{\"identity\":\"a\",\"test_set\":\"0000000000000001\",\"role\":\"verdict\",\"first_seed\":2000,\"seeds\":5,\"name\":\"n\","           \
    "\"folder\":\"/f\",\"metric\":\"accuracy\",\"when\":\"2026-11-24T09:33:42Z\"}\n"
#define ADVICE "; correct this line of the ledger of comparisons, or remove it"

static void test_bad_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"{\"identity\":\"a\",\n", "ledger.jsonl:3:17: "},
        {"[]\n", "ledger.jsonl:3: expected an object, this is a list"},
        {"{\"identity\":\"a\",\"test_set\":\"1\",\"role\":\"verdict\",\"first_seed\":1,\"seeds\":1,\"name\":\"\",\"folder\":\"\","
         "\"metric\":"
         "\"\",\"when\":\"\"}\n",
         "ledger.jsonl:3: at test_set: expected 16 hexadecimal digits, in lower case"},
        {"{\"identity\":\"\",\"test_set\":\"0000000000000001\",\"role\":\"verdict\",\"first_seed\":1,\"seeds\":1,\"name\":\"\",\"folder\":"
         "\"\",\"metric\":\"\",\"when\":\"\"}\n",
         "ledger.jsonl:3: at identity: expected 1 to 39 bytes"},
        {"{\"identity\":\"a\",\"test_set\":\"0000000000000001\",\"role\":\"exam\",\"first_seed\":1,\"seeds\":1}\n",
         "ledger.jsonl:3: at role: "},
        {"{\"identity\":\"a\",\"test_set\":\"0000000000000001\",\"role\":\"verdict\",\"first_seed\":1,\"seeds\":0}\n",
         "ledger.jsonl:3: at seeds: "},
        {"{\"identity\":\"a\",\"test_set\":\"0000000000000001\",\"role\":\"verdict\"}\n", "ledger.jsonl:3: "},
    };
    struct plan plan = make_plan(1, ROLE_VERDICT, 2000, 5);
    struct ledger *ledger;
    int64_t number;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = memory_format("%s\n%s%s", LINE, cases[i].line, LINE); /* the second is empty */
        assert_done(file_write("ledger.jsonl", text, strlen(text)));
        assert_int_equal(ledger_read(&ledger), KNACK_E_DATA);
        assert_null(ledger);
        assert_starts(knack_error(), cases[i].message);
        assert_string_equal(knack_error() + strlen(knack_error()) - strlen(ADVICE), ADVICE);
        assert_int_equal(ledger_enter(&plan, "b", "f", &number), KNACK_E_DATA);
        assert_int_equal(count_lines("ledger.jsonl"), 4);
        memory_free(text);
    }
}

/* ---- Several at once ---- */

enum { PROCESSES = 6, EACH = 10 };

static void enter_many(int process)
{
    for (int i = 0; i < EACH; i++) {
        struct plan plan = make_plan(1, ROLE_VERDICT, 2000, 5);
        char identity[16];
        int64_t number = 0, again = 0;
        snprintf(identity, sizeof identity, "%d-%d", process, i);
        if (ledger_enter(&plan, identity, "f", &number) < 0 || number <= i || number > PROCESSES * EACH) _exit(1);
        struct ledger *ledger;
        if (ledger_read(&ledger) < 0) _exit(2);
        ledger_free(ledger);
        if (ledger_enter(&plan, identity, "f", &again) < 0 || again != number) _exit(3);
    }
    _exit(0);
}

static void test_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < PROCESSES; i++) {
        pid_t process = fork();
        assert_true(process >= 0);
        if (process == 0) enter_many(i);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(count_lines("ledger.jsonl"), PROCESSES * EACH);
    struct ledger *ledger = read_ledger();
    assert_int_equal(ledger->entries, PROCESSES * EACH);
    ledger_free(ledger);
    assert_int_equal(enter_plan(make_plan(1, ROLE_VERDICT, 2000, 5), "last"), PROCESSES * EACH + 1);
}

/* ---- Without memory ---- */

static void test_out_of_memory(void **state)
{
    (void)state;
    struct plan plan = make_plan(1, ROLE_VERDICT, 2000, 5);
    struct ledger *ledger = NULL;
    int64_t number = 0;
    enter_plan(plan, "a");
    enter_plan(plan, "b");
    for (int64_t nth = 1; !ledger; nth++) {
        memory_fail_at(nth);
        knack_status status = ledger_read(&ledger);
        memory_fail_at(0);
        assert_true(status == KNACK_OK || status == KNACK_E_MEMORY);
    }
    ledger_free(ledger);
    for (int64_t nth = 1; number == 0; nth++) {
        memory_fail_at(nth);
        knack_status status = ledger_enter(&plan, "c", "f", &number);
        memory_fail_at(0);
        assert_true(status == KNACK_OK || status == KNACK_E_MEMORY);
    }
    assert_int_equal(number, 3);
    assert_int_equal(count_lines("ledger.jsonl"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_place, enter, leave),
        cmocka_unit_test_setup_teardown(test_no_place, enter, leave),
        cmocka_unit_test_setup_teardown(test_unwritable, enter, leave),
        cmocka_unit_test_setup_teardown(test_full_disk, enter, leave),
        cmocka_unit_test_setup_teardown(test_count, enter, leave),
        cmocka_unit_test_setup_teardown(test_update, enter, leave),
        cmocka_unit_test_setup_teardown(test_odd_texts, enter, leave),
        cmocka_unit_test_setup_teardown(test_reuse, enter, leave),
        cmocka_unit_test_setup_teardown(test_more_seeds_that_are_taken, enter, leave),
        cmocka_unit_test_setup_teardown(test_identity, enter, leave),
        cmocka_unit_test_setup_teardown(test_bad_lines, enter, leave),
        cmocka_unit_test_setup_teardown(test_at_once, enter, leave),
        cmocka_unit_test_setup_teardown(test_out_of_memory, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
