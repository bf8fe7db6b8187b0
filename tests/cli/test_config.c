/* Wrong configs: what the user is told. */
#include "config.h"
#include "program.h"

#include <string.h>

/* Runs a config that is refused, and checks exit status and message; nothing may have been written. */
static void refused(const char *config, int status, const char *message)
{
    write_text("wrong.json", config);
    struct outcome outcome = run_knack("run", "wrong.json", "--out", "refused");
    assert_status(&outcome, status);
    assert_contains(outcome.err, message);
    assert_int_equal(strncmp(outcome.err, "knack: ", 7), 0);
    assert_string_equal(outcome.out, "");
    assert_false(path_exists("refused"));
    outcome_free(&outcome);
}

static void test_misspelt_keys(void **state)
{
    (void)state;
    refused("{\"dta\": {}}", 2, "nearest is \"data\"");
    refused("{\"train\": {\"epohcs\": 3}}", 2, "nearest is \"epochs\"");
    refused("{\"train\": {\"epohcs\": 3}}", 2, "wrong.json: at train");
    refused("{\"train\": {\"optimizer\": {\"type\": \"adamww\"}}}", 2, "nearest is \"adamw\"");
    refused("{\"train\": {\"optimizer\": {\"type\": \"adamww\"}}}", 2, "train.optimizer.type");
    refused("{\"model\": {\"type\": \"mlp\", \"hiden\": [3]}}", 2, "nearest is \"hidden\"");
    refused("{\"data\": {\"sauce\": \"digits\"}}", 2, "nearest is \"source\"");
    refused("{\"plugins\": [\"emaa\"]}", 4, "nearest is \"ema\"");
    refused("{\"plugins\": [{\"name\": \"ema\", \"dekay\": 0.9}]}", 2, "nearest is \"decay\"");
}

static void test_wrong_types(void **state)
{
    (void)state;
    refused("{\"train\": {\"epochs\": \"three\"}}", 2, "train.epochs");
    refused("{\"train\": {\"batch\": -1}}", 2, "train.batch");
    refused("{\"train\": {\"batch\": 1.5}}", 2, "train.batch");
    refused("{\"plugins\": [{\"name\": \"ema\", \"as\": \"best\"}]}", 2, "\"best\" names weights that knack evaluates");
    refused("{\"plugins\": [{\"name\": \"swa\", \"start\": 0.75}]}", 2, "0.75 is no whole number of updates; \"0.75dur\" is that share");
    refused("{\"train\": []}", 2, "wrong.json: at train");
    refused("{\"seed\": \"one\"}", 2, "wrong.json: at seed");
    refused("[]", 2, "wrong.json");
}

static void test_wrong_json(void **state)
{
    (void)state;
    refused("{\"seed\": 1,}", 2, "trailing comma");
    refused("{\n  \"seed\": 1,\n}", 2, "wrong.json:2:12");
    refused("{\"seed\": 1, \"seed\": 2}", 2, "seed");
    refused("{\"seed\": 1} {}", 2, "wrong.json:1:13");
    refused("{\"seed\": 1e999}", 2, "wrong.json:1:10");
    refused("epochs: 3\n", 2, "wrong.json:1:1: expected the { of an object, found \"epochs\"; is this csv or YAML?");
    refused("{\n  # few\n}", 2, "wrong.json:2:3: \"#\" begins no comment; comments are // and /* */");
    refused("{\"seed\": 9007199254740993}", 2, "wrong.json: at seed: 9007199254740992 is too large");
    refused("", 2, "wrong.json: is empty; expected an object, at least {}");
    refused("null", 2, "wrong.json: expected an object, got null");
}

static void test_models(void **state)
{
    (void)state;
    refused("{\"model\": {\"channels\": [8]}}", 2, "at model.channels: mlp has no such key, cnn has; \"type\" says which model it is");
    write_text("hidden.json", "{\"model\": {\"hidden\": [32]}}");
    struct outcome outcome = run_knack("run", "hidden.json", "--dry-run");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "\"type\": \"mlp\"");
    outcome_free(&outcome);
}

static void test_missing_files(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("run", "absent.json");
    assert_status(&outcome, 2);
    assert_contains(outcome.err, "knack: absent.json: cannot be opened: No such file or directory");
    outcome_free(&outcome);
    refused("{\"data\": {\"csv\": \"absent.csv\", \"target\": \"y\"}}", 3, "absent.csv: cannot open: No such file or directory");
    outcome = run_knack("resume", "absent");
    assert_status(&outcome, 6);
    assert_contains(outcome.err, "absent");
    outcome_free(&outcome);
}

static void test_set(void **state)
{
    (void)state;
    write_text("small.json", SMALL_RUN);
    struct outcome outcome = run_knack("run", "small.json", "--set", "train.epohcs=2");
    assert_status(&outcome, 2);
    assert_contains(outcome.err, "nearest is \"epochs\"");
    outcome_free(&outcome);
    outcome = run_knack("run", "small.json", "--set", "train.epochs");
    assert_status(&outcome, 2);
    assert_contains(outcome.err, "KEY=VALUE");
    outcome_free(&outcome);
    outcome = run_knack("run", "small.json", "--set", "plugins=[\"ema\"]", "--set", "plugins.0.decay=0.9");
    assert_status(&outcome, 2);
    assert_contains(outcome.err, "this is a list, whose entries are written in brackets: plugins[0].decay");
    outcome_free(&outcome);
    outcome = run_knack("run", "small.json", "--plugin", "mixupp");
    assert_status(&outcome, 4);
    assert_contains(outcome.err, "nearest is \"mixup\"");
    outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_misspelt_keys), cmocka_unit_test(test_wrong_types),   cmocka_unit_test(test_wrong_json),
        cmocka_unit_test(test_models),        cmocka_unit_test(test_missing_files), cmocka_unit_test(test_set),
    };
    return cmocka_run_group_tests(tests, workplace_enter, workplace_leave);
}
