/* What the program says without work to do: help, version, and wrong words. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

#include <knack/plugin.h>

static int count_lines(const char *text)
{
    int lines = 0;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

static void test_alone(void **state)
{
    (void)state;
    struct outcome outcome = run_words(NULL, (const char *const[]){NULL});
    assert_status(&outcome, 0);
    assert_int_equal(count_lines(outcome.out), 5);
    assert_contains(outcome.out, "knack run examples/digits.json");
    assert_string_equal(outcome.err, "");
    outcome_free(&outcome);
}

static void test_help(void **state)
{
    (void)state;
    static const char *const command[] = {"run", "compare", "report", "resume", "eval", "predict", "plugins", "schema"};
    struct outcome all = run_knack("--help");
    assert_status(&all, 0);
    for (size_t i = 0; i < sizeof command / sizeof *command; i++) {
        assert_contains(all.out, command[i]);
        struct outcome one = run_knack(command[i], "--help");
        assert_status(&one, 0);
        assert_contains(one.out, "usage: knack ");
        assert_contains(one.out, command[i]);
        assert_contains(one.out, "--json");
        assert_contains(one.out, "example: knack ");
        assert_string_equal(one.err, "");
        outcome_free(&one);
    }
    outcome_free(&all);
}

static void test_version(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("--version");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "knack " KNACK_TEST_VERSION "\n");
    assert_contains(outcome.out, "plugin ABI 1");
    assert_contains(outcome.out, sizeof(knack_real) == sizeof(float) ? "oneDNN " : "reference");
    assert_contains(outcome.out, "CPU ");
    outcome_free(&outcome);
    outcome = run_knack("--version", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"version\": \"" KNACK_TEST_VERSION "\"");
    outcome_free(&outcome);
}

/* Words that are refused, and the whole message. */
struct wrong {
    const char *word[6];
    const char *message;
};

static const struct wrong wrong[] = {
    {{"rum", "x.json"}, "knack: there is no command \"rum\"; did you mean `knack run`?\n"},
    {{"fabricate"}, "knack: there is no command \"fabricate\"; `knack --help` lists what there is\n"},
    {{"--jsno"}, "knack: a command comes first, then its options: knack COMMAND --jsno; `knack --help` lists the commands\n"},
    {{"run"},
     "knack: knack run needs CONFIG: what to train: a JSON file, see docs/config.md; for example `knack run examples/digits.json --set "
     "train.epochs=10 --plugin mixup`\n"},
    {{"run", "a.json", "--froce"}, "knack: knack run has no option --froce; did you mean --force?\n"},
    {{"run", "a.json", "--frobnicate"}, "knack: knack run has no option --frobnicate; `knack run --help` lists what there is\n"},
    {{"run", "a.json", "--out"}, "knack: --out needs a value: --out DIR\n"},
    {{"run", "a.json", "--out", ""}, "knack: --out needs a value: --out DIR\n"},
    {{"run", "a.json", "--out="}, "knack: --out needs a value: --out DIR\n"},
    {{"run", "a.json", "--force=yes"}, "knack: --force takes no value\n"},
    {{"run", "a.json", "b.json"}, "knack: knack run does not take \"b.json\"; `knack run --help` says what it takes\n"},
    {{"resume", "a", "--prat=1"}, "knack: knack resume has no option --prat; `knack resume --help` lists what there is\n"},
    {{"predict", "dir"},
     "knack: knack predict needs INPUT: rows in the units of the training data's file: .npy, .idx or .csv, also .gz; for example `knack "
     "predict runs/digits new.npy -o new.csv`\n"},
    {{"predict", "dir", "a.npy", "-o", "out.txt"}, "knack: -o out.txt: the name must end in .csv or .npy, which says what is written\n"},
    {{"plugins", "ema", "--check", "x.json"}, "knack: knack plugins takes one of TRICK, --check PATH and --matrix\n"},
    {{"run", "--", "--out", "x"}, "knack: knack run does not take \"x\"; `knack run --help` says what it takes\n"},
};

static void test_wrong_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct outcome outcome = run_words(NULL, wrong[i].word);
        assert_status(&outcome, 2);
        assert_string_equal(outcome.err, wrong[i].message);
        assert_string_equal(outcome.out, "");
        outcome_free(&outcome);
    }
}

static void test_wrong_words_as_json(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("run", "a.json", "--froce", "--json");
    assert_status(&outcome, 2);
    assert_string_equal(outcome.err, "knack: knack run has no option --froce; did you mean --force?\n");
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"error\"");
    assert_contains(outcome.out, "did you mean --force?");
    assert_contains(outcome.out, "\"status\": 2");
    outcome_free(&outcome);
}

static void test_full_output(void **state)
{
    (void)state;
    if (!path_exists("/dev/full")) skip();
    const char *program = getenv("KNACK_PROGRAM");
    char command[4096];
    snprintf(command, sizeof command, "%s --help >/dev/full 2>message", program);
    int status = system(command);
    assert_int_equal(WEXITSTATUS(status), 6);
    char *message = read_text("message");
    assert_string_equal(message, "knack: standard output: No space left on device\n");
    free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_wrong_words),
        cmocka_unit_test(test_wrong_words_as_json),
        cmocka_unit_test(test_full_output),
    };
    return cmocka_run_group_tests(tests, workplace_enter, workplace_leave);
}
