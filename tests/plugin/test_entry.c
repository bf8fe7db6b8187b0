/* Entries of a config: the ways to name a plugin, and option values of every type. */
#include "builder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char every_type[] =
    "{"
    "\"rate\": {\"type\": \"number\", \"default\": 0.5, \"min\": 0, \"below\": 1, \"help\": \"x\"},"
    "\"count\": {\"type\": \"integer\", \"default\": 3, \"min\": 1, \"help\": \"x\"},"
    "\"nesterov\": {\"type\": \"boolean\", \"default\": false, \"help\": \"x\"},"
    "\"norm\": {\"type\": \"string\", \"default\": \"row\", \"one_of\": [\"row\", \"tensor\"], \"help\": \"x\"},"
    "\"start\": {\"type\": \"duration\", \"default\": \"2ep\", \"help\": \"x\"},"
    "\"radii\": {\"type\": \"numbers\", \"default\": [1, 2], \"above\": 0, \"help\": \"x\"},"
    "\"views\": {\"type\": \"strings\", \"default\": [\"flip\"], \"one_of\": [\"flip\", \"shift\"], \"help\": \"x\"},"
    "\"layer\": {\"type\": \"string\", \"help\": \"x\"},"
    "\"weight\": {\"type\": \"number\", \"default\": null, \"help\": \"x\"}}";

static int write_plugins(void **state)
{
    if (make_folder(state) < 0) return -1;
    setenv("KNACK_PLUGIN_PATH", folder, 1);
    write_plugin("every", (struct change[]){{"options", every_type}, {0}});
    write_plugin("mixup", (struct change[]){{"one_of", "\"mix\""}, {0}});
    write_text("misnamed/misnamed.json",
               "{\"manifest\": 1, \"name\": \"other\", \"version\": \"1\", \"abi\": 1, \"library\": \"a.so\", \"summary\": \"\"}");
    return 0;
}

static const struct option_value *value_of(const struct instance *instance, const char *name)
{
    for (int64_t i = 0; i < instance->manifest->option_count; i++)
        if (strcmp(instance->manifest->option[i].name, name) == 0) return &instance->value[i];
    fail_msg("no option %s", name);
    return NULL;
}

static void gives_defaults(void **state)
{
    (void)state;
    struct instances *instances;
    assert_int_equal(resolve_text("[\"every\"]", &instances), KNACK_OK);
    const struct instance *every = instances->list[0];
    assert_string_equal(every->name, "every");
    assert_true(every->share == 1);
    assert_true(value_of(every, "rate")->given && value_of(every, "rate")->number == 0.5);
    assert_true(value_of(every, "count")->number == 3);
    assert_false(value_of(every, "nesterov")->flag);
    assert_string_equal(value_of(every, "norm")->string, "row");
    assert_true(value_of(every, "start")->duration.amount == 2 && value_of(every, "start")->duration.unit == DURATION_EPOCHS);
    assert_int_equal(value_of(every, "radii")->numbers.count, 2);
    assert_string_equal(value_of(every, "views")->strings.value[0], "flip");
    assert_false(value_of(every, "layer")->given || value_of(every, "weight")->given);
    assert_null(value_of(every, "layer")->string);
    assert_true(isnan(value_of(every, "weight")->number));
    plugins_free(instances);
}

static void takes_given_values(void **state)
{
    (void)state;
    struct instances *instances;
    assert_int_equal(
        resolve_text("[{\"name\": \"every\", \"as\": \"all-2\", \"rate\": 0, \"count\": 7, \"nesterov\": true, \"norm\": \"tensor\","
                     " \"start\": 100, \"radii\": 0.25, \"views\": \"shift\", \"layer\": null, \"weight\": 1e-3}]",
                     &instances),
        KNACK_OK);
    const struct instance *every = instances->list[0];
    assert_string_equal(every->name, "all-2");
    assert_true(value_of(every, "rate")->number == 0 && value_of(every, "count")->number == 7 && value_of(every, "nesterov")->flag);
    assert_string_equal(value_of(every, "norm")->string, "tensor");
    assert_true(value_of(every, "start")->duration.amount == 100 && value_of(every, "start")->duration.unit == DURATION_UPDATES);
    assert_int_equal(value_of(every, "radii")->numbers.count, 1);
    assert_true(value_of(every, "radii")->numbers.value[0] == 0.25);
    assert_int_equal(value_of(every, "views")->strings.count, 1);
    assert_string_equal(value_of(every, "views")->strings.value[0], "shift");
    assert_false(value_of(every, "layer")->given);
    assert_true(value_of(every, "weight")->number == 1e-3);
    plugins_free(instances);
}

static void reads_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double amount;
        int unit;
    } cases[] = {{"\"100st\"", 100, DURATION_UPDATES},
                 {"\"2ep\"", 2, DURATION_EPOCHS},
                 {"\"0.7dur\"", 0.7, DURATION_RUN},
                 {"5", 5, DURATION_UPDATES}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = memory_format("[{\"name\": \"every\", \"start\": %s}]", cases[i].text);
        struct instances *instances;
        assert_int_equal(resolve_text(text, &instances), KNACK_OK);
        const struct json_duration *start = &value_of(instances->list[0], "start")->duration;
        assert_true(start->amount == cases[i].amount && (int)start->unit == cases[i].unit);
        plugins_free(instances);
        memory_free(text);
    }
}

static void reads_a_manifest_by_its_path(void **state)
{
    (void)state;
    struct instances *instances;
    assert_int_equal(resolve_text("[{\"manifest\": \"./mixup/mixup.json\", \"alpha\": 2, \"share\": 3}]", &instances), KNACK_OK);
    assert_string_equal(instances->list[0]->name, "mixup");
    assert_true(instances->list[0]->share == 3);
    assert_true(value_of(instances->list[0], "alpha")->number == 2);
    plugins_free(instances);
}

static const struct {
    const char *plugins;
    knack_status status;
    const char *message; /* after "config.json: at " */
} wrong[] = {
    {"{}", KNACK_E_CONFIG, "plugins: expected a list of plugins, such as [\"ema\"], got an object"},
    {"[7]", KNACK_E_CONFIG,
     "plugins[0]: expected the name of a plugin, or an object with \"name\" or \"manifest\" and options, got a number"},
    {"[{}]", KNACK_E_CONFIG, "plugins[0]: has neither \"name\" nor \"manifest\"; give one"},
    {"[{\"name\": \"mixup\", \"manifest\": \"mixup/mixup.json\"}]", KNACK_E_CONFIG,
     "plugins[0]: has both \"name\" and \"manifest\"; give one"},
    {"[{\"name\": 1}]", KNACK_E_CONFIG, "plugins[0].name: expected a string, got 1"},
    {"[\"mixup\", \"mixpu\"]", KNACK_E_PLUGIN, "plugins[1]: no plugin \"mixpu\"; nearest is \"mixup\" (searched: FOLDER)"},
    {"[\"mixup\", {\"name\": \"mixpu\"}]", KNACK_E_PLUGIN, "plugins[1].name: no plugin \"mixpu\"; nearest is \"mixup\" (searched: FOLDER)"},
    {"[\"../mixup\"]", KNACK_E_PLUGIN, "plugins[0]: no plugin \"../mixup\"; nearest is \"mixup\" (searched: FOLDER)"},
    {"[\"\"]", KNACK_E_PLUGIN, "plugins[0]: no plugin \"\" (searched: FOLDER)"},
    {"[{\"manifest\": \"mine/mine.json\"}]", KNACK_E_PLUGIN, "plugins[0].manifest: there is no file FOLDER/mine/mine.json"},
    {"[{\"name\": \"every\", \"rte\": 1}]", KNACK_E_CONFIG, "plugins[0].rte: every has no such option; nearest is \"rate\""},
    {"[{\"name\": \"every\", \"Rate\": 1}]", KNACK_E_CONFIG, "plugins[0].Rate: every has no such option; nearest is \"rate\""},
    {"[{\"name\": \"mixup\", \"decay\": 1}]", KNACK_E_CONFIG, "plugins[0].decay: mixup has no such option; it has 1 name: alpha"},
    {"[{\"name\": \"every\", \"rate\": 1}]", KNACK_E_CONFIG, "plugins[0].rate: expected a number in [0,1), got 1"},
    {"[{\"name\": \"every\", \"rate\": \"1\"}]", KNACK_E_CONFIG, "plugins[0].rate: expected a number in [0,1), got \"1\""},
    {"[{\"name\": \"every\", \"rate\": null}]", KNACK_E_CONFIG, "plugins[0].rate: expected a number in [0,1), got null"},
    {"[{\"name\": \"every\", \"count\": 1.5}]", KNACK_E_CONFIG, "plugins[0].count: expected a whole number in [1,inf), got 1.5"},
    {"[{\"name\": \"every\", \"nesterov\": 0}]", KNACK_E_CONFIG, "plugins[0].nesterov: expected true or false, got 0"},
    {"[{\"name\": \"every\", \"norm\": \"tensr\"}]", KNACK_E_CONFIG, "plugins[0].norm: unknown value \"tensr\"; nearest is \"tensor\""},
    {"[{\"name\": \"every\", \"start\": \"soon\"}]", KNACK_E_CONFIG,
     "plugins[0].start: expected a number of updates, or a duration such as \"100st\", \"2ep\" or \"0.7dur\", got \"soon\""},
    {"[{\"name\": \"every\", \"radii\": [1, 0]}]", KNACK_E_CONFIG, "plugins[0].radii[1]: expected a number in (0,inf), got 0"},
    {"[{\"name\": \"every\", \"views\": [\"fip\"]}]", KNACK_E_CONFIG, "plugins[0].views[0]: unknown value \"fip\"; nearest is \"flip\""},
    {"[{\"name\": \"every\", \"as\": \"a b\"}]", KNACK_E_CONFIG,
     "plugins[0].as: \"a b\" cannot name an instance: names are of letters, digits, - and _, begin with a letter or digit, and have at "
     "most 48 of them"},
    {"[{\"name\": \"every\", \"share\": 1}]", KNACK_E_CONFIG,
     "plugins[0].share: every is of no group of which one acts at a time, so it has no share"},
    {"[{\"name\": \"mixup\", \"share\": 0}]", KNACK_E_CONFIG, "plugins[0].share: expected a number in (0,inf), got 0"},
};

static void refuses_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct instances *instances;
        knack_status status = resolve_text(wrong[i].plugins, &instances);
        char *message = memory_format("config.json: at %s", wrong[i].message);
        expect_error(status, wrong[i].status, message);
        assert_null(instances);
        memory_free(message);
    }
}

static void refuses_a_manifest_found_under_another_name(void **state)
{
    (void)state;
    struct instances *instances;
    expect_error(
        resolve_text("[\"misnamed\"]", &instances), KNACK_E_PLUGIN,
        "FOLDER/misnamed/misnamed.json: at name: the plugin calls itself \"other\", but is found as \"misnamed\"; name file and folder "
        "after it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gives_defaults, free_configs),
        cmocka_unit_test_teardown(takes_given_values, free_configs),
        cmocka_unit_test_teardown(reads_durations, free_configs),
        cmocka_unit_test_teardown(reads_a_manifest_by_its_path, free_configs),
        cmocka_unit_test_teardown(refuses_what_is_wrong, free_configs),
        cmocka_unit_test_teardown(refuses_a_manifest_found_under_another_name, free_configs),
    };
    return cmocka_run_group_tests(tests, write_plugins, remove_folder);
}
