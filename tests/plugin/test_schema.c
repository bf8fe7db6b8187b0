/* The JSON Schema of "plugins": every installed plugin with its options. */
#include "builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static struct json_document *schema(void)
{
    struct json_writer *writer = json_writer_new(true);
    size_t size;
    struct json_document *document;
    assert_int_equal(plugins_schema(writer, NULL), KNACK_OK);
    const char *text = json_text(writer, &size);
    assert_non_null(text);
    assert_int_equal(json_parse(text, size, "schema", &document), KNACK_OK);
    json_writer_free(writer);
    return document;
}

static const struct json *item(const struct json_document *document, int64_t index)
{
    const struct json *items = json_member(json_member(document->root, "items"), "anyOf"), *entry = items->first;
    assert_in_range(index, 0, items->count - 1);
    while (index-- > 0) entry = entry->next;
    return entry;
}

static void lists_plugins_and_options(void **state)
{
    (void)state;
    setenv("KNACK_PLUGIN_PATH", folder, 1);
    write_plugin("ema", (struct change[]){{0}});
    write_plugin("mixup", (struct change[]){
                              {"one_of", "\"mix\""},
                              {"options", "{\"norm\": {\"type\": \"string\", \"default\": \"row\", \"one_of\": [\"row\"], \"help\": \"x\"},"
                                          " \"layer\": {\"type\": \"string\", \"help\": \"y\"}}"},
                              {0}});
    struct json_document *document = schema();
    assert_string_equal(json_member(document->root, "type")->string, "array");
    const struct json *names = json_member(item(document, 0), "enum");
    assert_int_equal(names->count, 2);
    assert_string_equal(names->first->string, "ema");
    assert_string_equal(names->first->next->string, "mixup");
    const struct json *ema = json_member(item(document, 1), "properties");
    assert_string_equal(json_member(json_member(ema, "name"), "enum")->first->string, "ema");
    assert_null(json_member(ema, "share"));
    const struct json *alpha = json_member(ema, "alpha");
    assert_string_equal(json_member(alpha, "type")->string, "number");
    assert_true(json_member(alpha, "default")->number == 0.5);
    assert_true(json_member(alpha, "minimum")->number == 0);
    assert_string_equal(json_member(alpha, "description")->string, "how much");
    const struct json *mixup = item(document, 2), *options = json_member(mixup, "properties");
    assert_string_equal(json_member(mixup, "description")->string, "A trick");
    assert_non_null(json_member(options, "share"));
    assert_string_equal(json_member(json_member(options, "norm"), "enum")->first->string, "row");
    assert_null(json_member(json_member(options, "layer"), "default"));
    assert_int_equal(json_member(mixup, "required")->count, 1);
    assert_string_equal(json_member(item(document, 3), "required")->first->string, "manifest");
    json_free(document);
}

static void is_there_without_plugins(void **state)
{
    (void)state;
    unsetenv("KNACK_PLUGIN_PATH");
    struct json_document *document = schema();
    assert_int_equal(json_member(item(document, 0), "enum")->count, 0);
    assert_string_equal(json_member(item(document, 1), "required")->first->string, "manifest");
    json_free(document);
}

static void says_which_manifest_is_broken(void **state)
{
    (void)state;
    setenv("KNACK_PLUGIN_PATH", folder, 1);
    write_plugin("sam", (struct change[]){{"abi", "2"}, {0}});
    struct json_writer *writer = json_writer_new(true);
    expect_error(plugins_schema(writer, NULL), KNACK_E_PLUGIN,
                 "FOLDER/sam/sam.json: at abi: the plugin is made for contract 2, this knack has contract 1");
    json_writer_free(writer);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    write_plugin("sam", (struct change[]){{0}});
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; status == KNACK_E_MEMORY; nth++) {
        struct json_writer *writer = json_writer_new(true);
        size_t size;
        memory_fail_at(nth);
        status = plugins_schema(writer, NULL);
        if (status >= 0 && !json_text(writer, &size)) status = KNACK_E_MEMORY;
        memory_fail_at(0);
        json_writer_free(writer);
    }
    assert_int_equal(status, KNACK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_plugins_and_options),
        cmocka_unit_test(is_there_without_plugins),
        cmocka_unit_test(says_which_manifest_is_broken),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
