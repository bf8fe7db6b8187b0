/* `knack plugins`: the list, one trick, and checking one of one's own. */
#include "program.h"

#include <stdlib.h>

static void test_list(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("plugins");
    assert_status(&outcome, 0);
    static const char *const part[] = {"trick", "extra passes", "arcface", "ema", "fgm", "1 gradient", "mixup"};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) assert_contains(outcome.out, part[i]);
    outcome_free(&outcome);
    outcome = run_knack("plugins", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"name\": \"mixup\"");
    outcome_free(&outcome);
}

static void test_one(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("plugins", "mixup");
    assert_status(&outcome, 0);
    static const char *const part[] = {
        "mixup ", "arXiv:1710.09412", "option", "default", "alpha", "no extra passes", "\"plugins\": [ { \"name\": \"mixup\""};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) assert_contains(outcome.out, part[i]);
    outcome_free(&outcome);
    outcome = run_knack("plugins", "mixup", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    outcome_free(&outcome);
    outcome = run_knack("plugins", "mxiup");
    assert_status(&outcome, 4);
    assert_contains(outcome.err, "nearest is \"mixup\"");
    outcome_free(&outcome);
}

/* Manifests are looked for in KNACK_PLUGIN_PATH too; one that is broken is a warning, and the others are shown. */
static void test_broken_manifest_in_the_list(void **state)
{
    (void)state;
    write_text("broken.json", "{\"manifest\": 1, \"name\": \"broken\",}");
    struct outcome outcome = run_knack_with("KNACK_PLUGIN_PATH=.", "plugins");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "mixup");
    assert_contains(outcome.err, "warning: ");
    assert_contains(outcome.err, "broken.json");
    outcome_free(&outcome);
}

static void test_check(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("plugins", "--check", "absent.json");
    assert_status(&outcome, 4);
    assert_contains(outcome.err, "absent.json: cannot be opened: No such file or directory");
    outcome_free(&outcome);
    write_text(
        "hollow.json",
        "{\"manifest\": 1, \"name\": \"hollow\", \"version\": \"1\", \"abi\": 1, \"library\": \"hollow.so\", \"summary\": \"none\"}");
    outcome = run_knack("plugins", "--check", "hollow.json");
    assert_status(&outcome, 4);
    assert_contains(outcome.err, "hollow.so");
    outcome_free(&outcome);
    outcome = run_knack("plugins", "--check", getenv("KNACK_TEST_MANIFEST"));
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "ema 1");
    assert_contains(outcome.out, "is in order");
    assert_contains(outcome.out, "post_step");
    outcome_free(&outcome);
    outcome = run_knack("plugins", "--check", getenv("KNACK_TEST_MANIFEST"), "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"hooks\"");
    outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_broken_manifest_in_the_list),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, workplace_enter, workplace_leave);
}
