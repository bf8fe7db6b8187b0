/* What getters ask of an instance, and how its options are written. */
#include "builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static struct instances *instances;

static int write_plugins(void **state)
{
    if (make_folder(state) < 0) return -1;
    setenv("KNACK_PLUGIN_PATH", folder, 1);
    write_plugin("mine", (struct change[]){{"options", "{\"rate\": {\"type\": \"number\", \"default\": 0.1, \"help\": \"x\"},"
                                                       " \"count\": {\"type\": \"integer\", \"default\": 3, \"help\": \"x\"},"
                                                       " \"start\": {\"type\": \"duration\", \"default\": \"2ep\", \"help\": \"x\"},"
                                                       " \"flag\": {\"type\": \"boolean\", \"default\": true, \"help\": \"x\"},"
                                                       " \"norm\": {\"type\": \"string\", \"help\": \"x\"},"
                                                       " \"radii\": {\"type\": \"numbers\", \"default\": [1, 2.5], \"help\": \"x\"},"
                                                       " \"views\": {\"type\": \"strings\", \"default\": \"flip\", \"help\": \"x\"}}"},
                                           {0}});
    return 0;
}

static int resolve_mine(void **state)
{
    *state = NULL;
    if (resolve_text("[{\"name\": \"mine\", \"as\": \"my\", \"rate\": 0.25, \"start\": 100}]", &instances) < 0) return -1;
    *state = instances->list[0];
    return 0;
}

static int free_mine(void **state)
{
    plugins_free(instances);
    return free_configs(state);
}

static void gives_options_by_type(void **state)
{
    struct instance *mine = *state;
    assert_true(instance_option(mine, "rate", OPTION_NUMBER)->number == 0.25);
    assert_true(instance_option(mine, "count", OPTION_NUMBER)->number == 3);
    assert_true(instance_option(mine, "start", OPTION_DURATION)->duration.amount == 100);
    assert_true(instance_option(mine, "flag", OPTION_BOOLEAN)->flag);
    assert_false(instance_option(mine, "norm", OPTION_STRING)->given);
}

static void refuses_other_names_and_types(void **state)
{
    struct instance *mine = *state;
    assert_null(instance_option(mine, "rat", OPTION_NUMBER));
    expect_error(KNACK_E_PLUGIN, KNACK_E_PLUGIN,
                 "my reads option \"rat\", which FOLDER/mine/mine.json does not declare; nearest is \"rate\"");
    assert_null(instance_option(mine, "unheard-of", OPTION_NUMBER));
    expect_error(KNACK_E_PLUGIN, KNACK_E_PLUGIN, "my reads option \"unheard-of\", which FOLDER/mine/mine.json does not declare");
    assert_null(instance_option(mine, "norm", OPTION_NUMBER));
    expect_error(KNACK_E_PLUGIN, KNACK_E_PLUGIN, "my reads option \"norm\" as number, FOLDER/mine/mine.json declares it as string");
    assert_null(instance_option(mine, "rate", OPTION_INTEGER));
    expect_error(KNACK_E_PLUGIN, KNACK_E_PLUGIN, "my reads option \"rate\" as integer, FOLDER/mine/mine.json declares it as number");
}

static void wants_every_option_read(void **state)
{
    struct instance *mine = *state;
    assert_non_null(instance_option(mine, "rate", OPTION_NUMBER));
    expect_error(instance_all_read(mine), KNACK_E_PLUGIN,
                 "my never reads its option \"count\", which FOLDER/mine/mine.json declares; read it in open, or do not declare it");
    assert_non_null(instance_option(mine, "count", OPTION_NUMBER));
    assert_non_null(instance_option(mine, "start", OPTION_DURATION));
    assert_non_null(instance_option(mine, "flag", OPTION_BOOLEAN));
    assert_non_null(instance_option(mine, "norm", OPTION_STRING));
    assert_non_null(instance_option(mine, "radii", OPTION_NUMBERS));
    assert_non_null(instance_option(mine, "views", OPTION_STRINGS));
    assert_int_equal(instance_all_read(mine), KNACK_OK);
}

static void writes_all_options(void **state)
{
    struct json_writer *writer = json_writer_new(false);
    size_t size;
    json_open(writer, NULL, '{');
    instance_write(*state, writer, "options");
    json_close(writer);
    const char *text = json_text(writer, &size);
    assert_non_null(text);
    assert_string_equal(text, "{\"options\": {\"rate\": 0.25, \"count\": 3, \"start\": \"100st\", \"flag\": true, \"norm\": null,"
                              " \"radii\": [1, 2.5], \"views\": [\"flip\"]}}");
    json_writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_options_by_type, resolve_mine, free_mine),
        cmocka_unit_test_setup_teardown(refuses_other_names_and_types, resolve_mine, free_mine),
        cmocka_unit_test_setup_teardown(wants_every_option_read, resolve_mine, free_mine),
        cmocka_unit_test_setup_teardown(writes_all_options, resolve_mine, free_mine),
    };
    return cmocka_run_group_tests(tests, write_plugins, remove_folder);
}
