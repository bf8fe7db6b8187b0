/* Where the ledger is, what it counts and refuses, and who writes to it at once. */
#include "base/test.h"
#include "base/tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compare/store/ledger.h"

static char *no_note;

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
    char *note = NULL;
    assert_done(ledger_enter(&plan, identity, "results/mixup", &number, &note));
    assert_null(note);
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
    assert_failure(ledger_enter(&plan, "a", "f", &number, &no_note), KNACK_E_IO, message);
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
    assert_failure(ledger_enter(&plan, "a", "f", &number, &no_note), KNACK_E_IO,
                   "file: this folder cannot be made: File exists; it is for the ledger of comparisons, for which KNACK_LEDGER can name "
                   "another file");
    assert_done(ledger_read(&ledger)); /* nothing is there */
    assert_int_equal(ledger->entries, 0);
    ledger_free(ledger);
    setenv("KNACK_LEDGER", "folder", 1);
    assert_failure(ledger_enter(&plan, "a", "f", &number, &no_note), KNACK_E_IO,
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
    knack_status status = ledger_enter(&plan, "b", "f", &number, &no_note);
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

/* ---- What was read ---- */

enum { ARMS = 3 };

/* A plan with arms "baseline", "mixup", "sam", of which so many blocks were read, and whose identities are their names. */
static struct plan make_read_plan(int64_t first_seed, int64_t seeds, int64_t read)
{
    static char name[ARMS][16] = {"baseline", "mixup", "sam"};
    static struct arm arm[ARMS];
    struct plan plan = make_plan(1, ROLE_VERDICT, first_seed, seeds);
    for (int a = 0; a < ARMS; a++) arm[a] = (struct arm){.name = name[a], .identity = name[a], .kind = a ? ARM_TREATED : ARM_BASELINE};
    for (int a = 0; a < ARMS; a++) arm[a].reads = read > 0, arm[a].read[0] = read;
    plan.arm = arm;
    plan.arms = ARMS;
    return plan;
}

static void mark_read(const struct plan *plan, const char *identity, int64_t lines)
{
    assert_done(ledger_mark_read(plan, identity, "results/mixup"));
    assert_int_equal(count_lines("ledger.jsonl"), lines);
}

static void assert_reads(struct plan plan, int64_t arm, const char *own, int64_t count, const int64_t *expected)
{
    int64_t read[READS_MOST], reads = -1;
    assert_done(ledger_reads(&plan, arm, own, read, &reads));
    assert_int_equal(reads, count);
    for (int64_t i = 0; i < count; i++) assert_int_equal(read[i], expected[i]);
}

static void test_marks(void **state)
{
    (void)state;
    struct plan plan = make_read_plan(2000, 20, 10), other = make_read_plan(2000, 20, 0);
    enter_plan(plan, "a");
    plan = make_read_plan(2000, 20, 0);
    mark_read(&plan, "a", 1); /* nothing was read */
    plan = make_read_plan(2000, 20, 10);
    mark_read(&plan, "a", 2);
    mark_read(&plan, "a", 2); /* known */
    plan.arm[1].reads = 2;
    plan.arm[1].read[1] = 20;
    plan.arm[2].identity = NULL; /* not known */
    mark_read(&plan, "a", 3);
    assert_int_equal(enter_plan(plan, "a"), 1); /* it keeps what it has */
    struct ledger *ledger = read_ledger();
    assert_int_equal(ledger->entries, 1);
    assert_int_equal(ledger->entry[0].arms, 4);
    const struct ledger_arm *arm = ledger->entry[0].arm;
    assert_true(arm[0].identity == text_hash(TEXT_HASH, "baseline", 8));
    assert_true(arm[0].baseline && !arm[1].baseline);
    assert_int_equal(arm[0].first_seed, 2000);
    assert_int_equal(arm[0].seeds, 10);
    assert_true(arm[3].identity == arm[1].identity);
    assert_int_equal(arm[3].seeds, 20);
    ledger_free(ledger);
    other = make_read_plan(2000, 20, 0);
    assert_reads(other, 1, "b", 2, (int64_t[]){10, 20});
    assert_reads(other, 0, "b", 1, (int64_t[]){10});
    assert_reads(other, 0, "a", 0, NULL); /* its own */
    other.arm[0].identity = other.arm[2].name;
    assert_reads(other, 0, "b", 1, (int64_t[]){10}); /* as the third was, whatever its name is here */
    other.arm[0].identity = NULL;
    assert_reads(other, 0, "b", 0, NULL);
    other = make_read_plan(2000, 20, 0);
    other.test_set = 2;
    assert_reads(other, 0, "b", 0, NULL);
}

/* Seeds that two comparisons have in common, however they lie; more looks than there is room for. */
static void test_common_seeds(void **state)
{
    (void)state;
    static const struct {
        int64_t first, seeds, common;
    } cases[] = {{2000, 20, 10}, {2003, 20, 7}, {1995, 20, 10}, {1995, 8, 3}, {2000, 6, 6}, {2010, 5, 0}, {1990, 10, 0}};
    struct plan plan = make_read_plan(2000, 10, 10);
    mark_read(&plan, "a", 1); /* entered by this alone */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_reads(make_read_plan(cases[i].first, cases[i].seeds, 0), 0, "b", cases[i].common > 0, &cases[i].common);
    for (int64_t read = 11; read < 11 + READS_MOST; read++) {
        plan = make_read_plan(2000, read, read);
        mark_read(&plan, read % 2 ? "a" : "c", read - 9);
    }
    int64_t expected[READS_MOST];
    for (int64_t i = 0; i < READS_MOST; i++) expected[i] = i < READS_MOST - 1 ? 10 + i : 10 + READS_MOST;
    assert_reads(make_read_plan(2000, 50, 0), 0, "b", READS_MOST, expected);
}

static void test_folders(void **state)
{
    char *here = *state, **folder = NULL;
    int64_t count = -1;
    static const char *const place[] = {"one", "two", "one"};
    struct plan plan = make_read_plan(2000, 10, 10);
    assert_done(ledger_find_folders(text_hash(TEXT_HASH, "baseline", 8), &folder, &count));
    assert_int_equal(count, 0);
    memory_free(folder);
    for (int i = 0; i < 3; i++) {
        char identity[] = {(char)('a' + i), '\0'};
        plan.test_set = (uint64_t)i;
        assert_done(file_make_folder(place[i]));
        assert_done(ledger_mark_read(&plan, identity, place[i]));
    }
    assert_done(ledger_find_folders(text_hash(TEXT_HASH, "baseline", 8), &folder, &count));
    assert_int_equal(count, 2);
    for (int i = 0; i < 2; i++) { /* the latest first */
        char *full = file_join(here, place[i]);
        assert_string_equal(folder[i], full);
        memory_free(full);
    }
    memory_free(folder);
    assert_done(ledger_find_folders(1, &folder, &count));
    assert_int_equal(count, 0);
    memory_free(folder);
}

/* Networks that chose on one part, and would be judged on another of the same data. */
static void test_another_part(void **state)
{
    char *folder = *state;
    static char validation[] = "validation", test[] = "test";
    struct plan tuning = make_plan(1, ROLE_TUNING, 2000, 10), verdict = make_plan(2, ROLE_VERDICT, 2005, 20);
    int64_t number = 0;
    char *note = NULL;
    assert_done(file_make_folder("results/mixup"));
    tuning.part = validation;
    tuning.train_set = 7;
    enter_plan(tuning, "t");
    verdict.part = test;
    verdict.train_set = 8;
    enter_plan(verdict, "other data");
    verdict.train_set = 7;
    verdict.first_seed = 2010;
    enter_plan(verdict, "other seeds");
    verdict.first_seed = 2005;
    assert_done(ledger_enter(&verdict, "v", "results/v", &number, &note));
    assert_int_equal(number, 3);
    char *expected = memory_format("seeds 2005 to 2009 chose on the validation part in %s/results/mixup (tuning)", folder);
    assert_string_equal(note, expected);
    memory_free(note);
    tuning.first_seed = 2020;
    enter_plan(tuning, "u"); /* the verdict's seeds tune: that harms nobody */
    tuning.first_seed = 2008;
    enter_plan(tuning, "w");
    assert_done(ledger_enter(&verdict, "v", "results/v", &number, &note)); /* again: it is still true */
    char *more = memory_format("%s, and in 2 other comparisons", expected);
    assert_string_equal(note, more);
    memory_free(note);
    memory_free(more);
    memory_free(expected);
}

/* Twenty times the lines take about twenty times as long, not four hundred. */
static void test_many_lines(void **state)
{
    (void)state;
    double seconds[2];
    for (int large = 0; large < 2; large++) {
        int64_t lines = large ? 20000 : 1000;
        struct timespec began, ended;
        FILE *file = fopen("ledger.jsonl", "w");
        assert_non_null(file);
        for (int64_t i = 0; i < lines; i++)
            fprintf(file,
                    "{\"identity\":\"%lld\",\"test_set\":\"0000000000000001\",\"role\":\"verdict\",\"first_seed\":2000,\"seeds\":5,"
                    "\"name\":\"n\",\"folder\":\"/f\",\"metric\":\"accuracy\",\"when\":\"2026-11-24T09:33:42Z\"}\n",
                    (long long)i);
        assert_int_equal(fclose(file), 0);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
        struct ledger *ledger = read_ledger();
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
        assert_int_equal(ledger->entries, lines);
        ledger_free(ledger);
        assert_int_equal(enter_plan(make_plan(1, ROLE_VERDICT, 2000, 5), "last"), lines + 1);
        seconds[large] = (double)(ended.tv_sec - began.tv_sec) + 1e-9 * (double)(ended.tv_nsec - began.tv_nsec);
    }
    if (seconds[1] > 80 * seconds[0]) fail_msg("1,000 lines take %g s, 20,000 take %g s", seconds[0], seconds[1]);
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
    assert_int_equal(ledger_enter(&verdict, "v", "results/v", &number, &no_note), KNACK_E_USAGE);
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
    assert_int_equal(ledger_enter(&verdict, "y", "results/v", &number, &no_note), KNACK_E_USAGE);
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
    assert_int_equal(ledger_enter(&verdict, "v", "results/v", &number, &no_note), KNACK_E_USAGE);
    verdict.seeds = 10;
    assert_int_equal(enter_plan(verdict, "v"), 2);
}

static void test_identity(void **state)
{
    (void)state;
    struct plan plan = make_plan(1, ROLE_VERDICT, 2000, 5);
    int64_t number;
    assert_failure(ledger_enter(&plan, "", "f", &number, &no_note), KNACK_E_CALL,
                   "an identity of 0 bytes for the ledger: expected 1 to 39");
    assert_failure(ledger_enter(&plan, "0123456789012345678901234567890123456789", "f", &number, &no_note), KNACK_E_CALL,
                   "an identity of 40 bytes for the ledger: expected 1 to 39");
    assert_int_equal(enter_plan(plan, "012345678901234567890123456789012345678"), 1);
}

/* ---- Lines that cannot be read ---- */

#define LINE                                                                                                                               \
    "{\"identity\":\"a\",\"test_set\":\"0000000000000001\",\"role\":\"verdict\",\"first_seed\":2000,\"seeds\":5,\"name\":\"n\","           \
    "\"folder\":\"/f\",\"metric\":\"accuracy\",\"when\":\"2026-11-24T09:33:42Z\"}\n"
/* All that a line must have. */
#define BEGIN                                                                                                                              \
    "{\"identity\":\"a\",\"test_set\":\"0000000000000001\",\"role\":\"verdict\",\"first_seed\":1,\"seeds\":1,\"name\":\"\","               \
    "\"folder\":\"\",\"metric\":\"\",\"when\":\"\","
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
        {BEGIN "\"train_set\":\"7\"}\n", "ledger.jsonl:3: at train_set: expected 16 hexadecimal digits, in lower case"},
        {BEGIN "\"arms\":{}}\n", "ledger.jsonl:3: at arms: expected a list, this is an object"},
        {BEGIN "\"arms\":[7]}\n", "ledger.jsonl:3: at arms[0]: expected an object, this is a number"},
        {BEGIN "\"arms\":[{\"identity\":\"x\",\"name\":\"n\",\"baseline\":true,\"first_seed\":0,\"seeds\":1}]}\n",
         "ledger.jsonl:3: at arms[0].identity: expected 16 hexadecimal digits, in lower case"},
        {BEGIN "\"arms\":[{\"identity\":\"0000000000000001\",\"name\":\"n\",\"baseline\":true,\"first_seed\":0,\"seeds\":0}]}\n",
         "ledger.jsonl:3: at arms[0].seeds: "},
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
        assert_int_equal(ledger_enter(&plan, "b", "f", &number, &no_note), KNACK_E_DATA);
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
        if (ledger_enter(&plan, identity, "f", &number, &no_note) < 0 || number <= i || number > PROCESSES * EACH) _exit(1);
        struct ledger *ledger;
        if (ledger_read(&ledger) < 0) _exit(2);
        ledger_free(ledger);
        if (ledger_enter(&plan, identity, "f", &again, &no_note) < 0 || again != number) _exit(3);
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
        knack_status status = ledger_enter(&plan, "c", "f", &number, &no_note);
        memory_fail_at(0);
        assert_true(status == KNACK_OK || status == KNACK_E_MEMORY);
    }
    assert_int_equal(number, 3);
    assert_int_equal(count_lines("ledger.jsonl"), 3);

    struct plan marked = make_read_plan(2000, 10, 10);
    bool done = false;
    for (int64_t nth = 1; !done; nth++) {
        char **folder = NULL;
        int64_t read[READS_MOST], reads = 0, folders = 0;
        memory_fail_at(nth);
        knack_status status = ledger_mark_read(&marked, "a", "f");
        if (status >= 0) status = ledger_reads(&marked, 0, "b", read, &reads);
        if (status >= 0) status = ledger_find_folders(text_hash(TEXT_HASH, "sam", 3), &folder, &folders);
        memory_fail_at(0);
        done = status >= 0;
        if (!done) assert_int_equal(status, KNACK_E_MEMORY);
        if (done) assert_true(reads == 1 && folders == 1);
        memory_free(folder);
    }
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
        cmocka_unit_test_setup_teardown(test_marks, enter, leave),
        cmocka_unit_test_setup_teardown(test_common_seeds, enter, leave),
        cmocka_unit_test_setup_teardown(test_folders, enter, leave),
        cmocka_unit_test_setup_teardown(test_another_part, enter, leave),
        cmocka_unit_test_setup_teardown(test_many_lines, enter, leave),
        cmocka_unit_test_setup_teardown(test_reuse, enter, leave),
        cmocka_unit_test_setup_teardown(test_more_seeds_that_are_taken, enter, leave),
        cmocka_unit_test_setup_teardown(test_identity, enter, leave),
        cmocka_unit_test_setup_teardown(test_bad_lines, enter, leave),
        cmocka_unit_test_setup_teardown(test_at_once, enter, leave),
        cmocka_unit_test_setup_teardown(test_out_of_memory, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
