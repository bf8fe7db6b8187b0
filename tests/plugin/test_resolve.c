/* What plugins demand of each other: names, tasks, requires, conflicts, stages, the learning rate; and identity. */
#include "builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int write_plugins(void **state)
{
    if (make_folder(state) < 0) return -1;
    setenv("KNACK_PLUGIN_PATH", folder, 1);
    write_plugin("plain", (struct change[]){{0}});
    write_plugin("needy", (struct change[]){{"requires", "[\"off\"]"}, {"identity", "{\"alpha\": 9}"}, {0}});
    write_plugin("hater", (struct change[]){{"conflicts", "[\"plain\"]"}, {0}});
    write_plugin("picky", (struct change[]){{"conflicts", "[\"off\", {\"name\": \"plain\", \"when\": {\"alpha\": 2},"
                                                          " \"why\": \"both pick\"}]"},
                                            {0}});
    write_plugin("single",
                 (struct change[]){{"conflicts", "[{\"name\": \"single\", \"when\": {\"alpha\": 2}, \"why\": \"one is enough\"}]"}, {0}});
    write_plugin("off", (struct change[]){{"identity", "{\"alpha\": 0}"}, {0}});
    write_plugin("arc",
                 (struct change[]){{"replaces", "[\"head\"]"}, {"tasks", "[\"classification\"]"}, {"identity", "{\"alpha\": 0}"}, {0}});
    write_plugin("cos", (struct change[]){{"replaces", "[\"loss\", \"head\"]"}, {0}});
    write_plugin("swa", (struct change[]){{"writes", "[\"lr\"]"}, {0}});
    write_plugin("cycle", (struct change[]){{"writes", "[\"gradients\", \"lr\"]"}, {0}});
    write_plugin("turn-a", (struct change[]){{"writes", "[\"lr\"]"}, {"one_of", "\"turn\""}, {0}});
    write_plugin("turn-b", (struct change[]){{"writes", "[\"lr\"]"}, {"one_of", "\"turn\""}, {0}});
    write_plugin("two", (struct change[]){{"options", "{\"a\": {\"type\": \"number\", \"default\": 1, \"help\": \"x\"},"
                                                      " \"b\": {\"type\": \"duration\", \"default\": \"1ep\", \"help\": \"x\"},"
                                                      " \"c\": {\"type\": \"numbers\", \"default\": [1], \"help\": \"x\"},"
                                                      " \"d\": {\"type\": \"strings\", \"default\": [\"x\"], \"help\": \"x\"},"
                                                      " \"e\": {\"type\": \"string\", \"help\": \"x\"}}"},
                                          {"identity", "{\"a\": 0, \"b\": 0, \"c\": [], \"d\": \"y\", \"e\": null}"},
                                          {0}});
    return 0;
}

/* The config must be refused, with this message after "config.json: at ". */
static void refused(const char *plugins, const char *message)
{
    struct instances *instances;
    knack_status status = resolve_text(plugins, &instances);
    char *whole = memory_format("config.json: at %s", message);
    expect_error(status, KNACK_E_CONFIG, whole);
    assert_null(instances);
    memory_free(whole);
}

static struct instances *accepted(const char *plugins)
{
    struct instances *instances;
    if (resolve_text(plugins, &instances) < 0) fail_msg("%s", knack_error());
    return instances;
}

static void takes_no_plugins(void **state)
{
    (void)state;
    struct instances *instances;
    assert_int_equal(plugins_resolve(NULL, NULL, "regression", &instances), KNACK_OK);
    assert_int_equal(instances->count + instances->installed, 0);
    assert_int_equal(plugins_load(instances), KNACK_OK);
    plugins_free(instances);
    plugins_free(accepted("[]"));
    plugins_free(NULL);
}

static void wants_a_name_for_each_instance(void **state)
{
    (void)state;
    refused("[\"plain\", \"plain\"]", "plugins[1]: the name \"plain\" is taken by plugins[0]; give this one another with \"as\"");
    refused("[{\"name\": \"plain\", \"as\": \"off\"}, {\"name\": \"off\", \"alpha\": 0}]",
            "plugins[1]: the name \"off\" is taken by plugins[0]; give this one another with \"as\"");
    struct instances *instances = accepted("[\"plain\", {\"name\": \"plain\", \"as\": \"plain-2\"}]");
    assert_int_equal(instances->installed, 2);
    plugins_free(instances);
}

static void checks_the_task(void **state)
{
    (void)state;
    struct instances *instances;
    const struct json *plugins = config_of("[\"plain\", \"arc\"]")->root;
    expect_error(plugins_resolve(plugins, NULL, "regression", &instances), KNACK_E_CONFIG,
                 "config.json: at [1]: arc does not serve the task regression; leave it out (its \"tasks\" has 1 name: classification)");
    plugins_free(accepted("[\"plain\", \"arc\"]"));
    plugins = config_of("[{\"name\": \"arc\", \"alpha\": 0}]")->root;
    assert_int_equal(plugins_resolve(plugins, NULL, "regression", &instances), KNACK_OK);
    plugins_free(instances);
}

static void wants_what_is_required(void **state)
{
    (void)state;
    refused("[\"needy\"]", "plugins[0]: needy requires off, which is not listed; add it to \"plugins\"");
    refused("[\"needy\", {\"name\": \"off\", \"alpha\": 0}]", "plugins[0]: needy requires off, which the options at plugins[1] switch off");
    plugins_free(accepted("[\"needy\", \"off\"]"));
    plugins_free(accepted("[{\"name\": \"needy\", \"alpha\": 9}]"));
    plugins_free(accepted("[\"needy\", {\"name\": \"off\", \"alpha\": 0}, {\"name\": \"off\", \"as\": \"on\"}]"));
}

static void refuses_conflicts_whoever_declares_them(void **state)
{
    (void)state;
    refused("[\"hater\", \"plain\"]", "plugins[1]: plain conflicts with hater at plugins[0] (says hater.json); leave one out");
    refused("[\"plain\", \"hater\"]", "plugins[1]: hater conflicts with plain at plugins[0] (says hater.json); leave one out");
}

/* A conflict may be one at some options only, and say why. */
static void refuses_conflicts_when_they_are_some(void **state)
{
    (void)state;
    refused("[\"plain\", {\"name\": \"picky\", \"alpha\": 2}]",
            "plugins[1]: picky conflicts with plain at plugins[0]: both pick (says picky.json); leave one out");
    refused("[\"picky\", \"off\"]", "plugins[1]: off conflicts with picky at plugins[0] (says picky.json); leave one out");
    plugins_free(accepted("[\"plain\", {\"name\": \"picky\", \"alpha\": 1}]"));
    plugins_free(accepted("[\"picky\", {\"name\": \"off\", \"alpha\": 0}]"));
}

/* A plugin that names itself is refused twice, where both instances are at such options. */
static void refuses_a_second_instance(void **state)
{
    (void)state;
    refused("[{\"name\": \"single\", \"alpha\": 2}, {\"name\": \"single\", \"as\": \"again\", \"alpha\": 2}]",
            "plugins[1]: again conflicts with single at plugins[0]: one is enough (says single.json); leave one out");
    plugins_free(accepted("[{\"name\": \"single\", \"alpha\": 2}, {\"name\": \"single\", \"as\": \"again\", \"alpha\": 1}]"));
    plugins_free(accepted("[{\"name\": \"single\", \"alpha\": 1}, {\"name\": \"single\", \"as\": \"again\", \"alpha\": 2}]"));
}

static void refuses_two_that_replace_a_stage(void **state)
{
    (void)state;
    refused("[\"cos\", \"arc\"]", "plugins[1]: arc and cos at plugins[0] both replace the head; leave one out");
    refused("[\"cos\", {\"name\": \"cos\", \"as\": \"cos-2\"}]",
            "plugins[1]: cos-2 and cos at plugins[0] both replace the head; leave one out");
    plugins_free(accepted("[\"cos\", {\"name\": \"arc\", \"alpha\": 0}]"));
}

static void refuses_two_that_set_the_rate(void **state)
{
    (void)state;
    refused("[\"swa\", \"plain\", \"cycle\"]", "plugins[2]: cycle and swa at plugins[0] both set the learning rate; leave one out");
    refused("[\"swa\", \"turn-a\"]", "plugins[1]: turn-a and swa at plugins[0] both set the learning rate; leave one out");
    plugins_free(accepted("[\"turn-a\", \"turn-b\"]"));
}

static void puts_those_at_identity_last(void **state)
{
    (void)state;
    struct instances *instances = accepted("[{\"name\": \"off\", \"alpha\": 0}, \"plain\", {\"name\": \"off\", \"as\": \"on\"}]");
    assert_int_equal(instances->count, 3);
    assert_int_equal(instances->installed, 2);
    assert_string_equal(instances->list[0]->name, "plain");
    assert_string_equal(instances->list[1]->name, "on");
    assert_string_equal(instances->list[2]->name, "off");
    assert_true(!instances->list[0]->at_identity && !instances->list[1]->at_identity && instances->list[2]->at_identity);
    plugins_free(instances);
}

/* Identity is reached when all the options that it names are there. */
static void compares_every_option_of_the_identity(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        bool at_identity;
    } cases[] = {
        {"\"a\": 0, \"b\": 0, \"c\": [], \"d\": \"y\"", true},
        {"\"a\": -0.0, \"b\": \"0dur\", \"c\": [], \"d\": [\"y\"], \"e\": null", true}, /* nothing of a run is nothing */
        {"\"b\": 0, \"c\": [], \"d\": \"y\"", false},
        {"\"a\": 0, \"b\": 1, \"c\": [], \"d\": \"y\"", false},
        {"\"a\": 0, \"b\": 0, \"d\": \"y\"", false},
        {"\"a\": 0, \"b\": 0, \"c\": [], \"d\": [\"y\", \"y\"]", false},
        {"\"a\": 0, \"b\": 0, \"c\": [], \"d\": \"z\"", false},
        {"\"a\": 0, \"b\": 0, \"c\": [], \"d\": \"y\", \"e\": \"\"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = memory_format("[{\"name\": \"two\", %s}]", cases[i].options);
        struct instances *instances = accepted(text);
        assert_int_equal(instances->list[0]->at_identity, cases[i].at_identity);
        assert_int_equal(instances->installed, !cases[i].at_identity);
        plugins_free(instances);
        memory_free(text);
    }
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    const struct json *plugins =
        config_of("[\"two\", {\"name\": \"off\", \"alpha\": 0}, {\"manifest\": \"needy/needy.json\", \"alpha\": 9}]")->root;
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; status == KNACK_E_MEMORY; nth++) {
        struct instances *instances;
        memory_fail_at(nth);
        status = plugins_resolve(plugins, folder, "classification", &instances);
        memory_fail_at(0);
        assert_true(status == KNACK_OK || status == KNACK_E_MEMORY);
        assert_true((status == KNACK_OK) == (instances != NULL));
        plugins_free(instances);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(takes_no_plugins, free_configs),
        cmocka_unit_test_teardown(wants_a_name_for_each_instance, free_configs),
        cmocka_unit_test_teardown(checks_the_task, free_configs),
        cmocka_unit_test_teardown(wants_what_is_required, free_configs),
        cmocka_unit_test_teardown(refuses_conflicts_whoever_declares_them, free_configs),
        cmocka_unit_test_teardown(refuses_conflicts_when_they_are_some, free_configs),
        cmocka_unit_test_teardown(refuses_a_second_instance, free_configs),
        cmocka_unit_test_teardown(refuses_two_that_replace_a_stage, free_configs),
        cmocka_unit_test_teardown(refuses_two_that_set_the_rate, free_configs),
        cmocka_unit_test_teardown(puts_those_at_identity_last, free_configs),
        cmocka_unit_test_teardown(compares_every_option_of_the_identity, free_configs),
        cmocka_unit_test_teardown(survives_failing_allocations, free_configs),
    };
    return cmocka_run_group_tests(tests, write_plugins, remove_folder);
}
