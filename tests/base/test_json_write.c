#include "base/test.h"

#include <math.h>
#include <string.h>

#include "base/comma_locale.h"
#include "base/json.h"
#include "base/memory.h"

static void write_sample(struct json_writer *writer)
{
    json_open(writer, NULL, '{');
    json_string(writer, "name", "a\"b\\c\n\t\x01\xC3\xA9");
    json_string(writer, "none", NULL);
    json_number(writer, "lr", 0.1);
    json_number(writer, "lost", NAN);
    json_integer(writer, "big", INT64_MIN);
    json_boolean(writer, "on", true);
    json_open(writer, "list", '[');
    json_integer(writer, NULL, 1);
    json_open(writer, NULL, '{');
    json_close(writer);
    json_open(writer, NULL, '[');
    json_close(writer);
    json_close(writer);
    json_close(writer);
}

static const char compact[] =
    "{\"name\": \"a\\\"b\\\\c\\n\\t\\u0001\xC3\xA9\", \"none\": null, \"lr\": 0.1, \"lost\": null, \"big\": -9223372036854775808, "
    "\"on\": true, \"list\": [1, {}, []]}";

static void assert_compact(void)
{
    struct json_writer *writer = json_writer_new(false);
    size_t size;
    write_sample(writer);
    assert_string_equal(json_text(writer, &size), compact);
    assert_int_equal(size, sizeof compact - 1);
    json_writer_free(writer);
}

static void test_compact(void **state)
{
    (void)state;
    assert_compact();
}

static void test_under_a_decimal_comma(void **state)
{
    (void)state;
    if (!comma_locale_begin()) skip();
    assert_compact();
    comma_locale_end();
}

static void test_indented(void **state)
{
    (void)state;
    struct json_writer *writer = json_writer_new(true);
    size_t size;
    json_open(writer, NULL, '{');
    json_integer(writer, "a", 1);
    json_open(writer, "b", '[');
    json_boolean(writer, NULL, false);
    json_close(writer);
    json_open(writer, "c", '{');
    json_close(writer);
    json_close(writer);
    assert_string_equal(json_text(writer, &size), "{\n  \"a\": 1,\n  \"b\": [\n    false\n  ],\n  \"c\": {}\n}");
    json_writer_free(writer);
}

static void test_what_is_written_reads_back(void **state)
{
    (void)state;
    struct json_document *document;
    assert_done(json_parse(compact, sizeof compact - 1, "c.json", &document));
    for (int indented = 0; indented < 2; indented++) {
        struct json_writer *writer = json_writer_new(indented), *again = json_writer_new(false);
        struct json_document *read;
        size_t size;
        json_node(writer, NULL, document->root);
        const char *text = json_text(writer, &size);
        assert_done(json_parse(text, size, "written", &read));
        json_node(again, NULL, read->root);
        /* the one difference: a whole number of 64 bits is a double when it was read */
        assert_non_null(strstr(json_text(again, &size), "\"big\": -9.223372036854776e18, \"on\": true, \"list\": [1, {}, []]}"));
        json_free(read);
        json_writer_free(writer);
        json_writer_free(again);
    }
    json_free(document);
}

static void test_strings_that_are_no_utf8(void **state)
{
    (void)state;
    struct json_writer *writer = json_writer_new(false);
    size_t size;
    json_string(writer, NULL, "a\xFF\xC3\xA9\xE2\x82");
    assert_string_equal(json_text(writer, &size), "\"a\\ufffd\xC3\xA9\\ufffd\\ufffd\"");
    json_writer_free(writer);
}

static void test_empty_and_unbalanced(void **state)
{
    (void)state;
    size_t size;
    struct json_writer *writer = json_writer_new(false);
    assert_null(json_text(writer, &size));
    json_close(writer);
    assert_null(json_text(writer, &size));
    for (int i = 0; i < 200; i++) json_open(writer, NULL, '[');
    assert_null(json_text(writer, &size));
    assert_string_equal(knack_error(), "JSON is written more than 128 deep");
    json_writer_free(writer);
}

static void test_no_memory(void **state)
{
    (void)state;
    const char *text = NULL;
    for (int64_t nth = 1; !text; nth++) {
        size_t size;
        memory_fail_at(nth);
        struct json_writer *writer = json_writer_new(false);
        for (int i = 0; i < 20; i++) write_sample(writer);
        text = json_text(writer, &size);
        memory_fail_at(0);
        if (!text) assert_non_null(strstr(knack_error(), "out of memory"));
        json_writer_free(writer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compact),
        cmocka_unit_test(test_under_a_decimal_comma),
        cmocka_unit_test(test_indented),
        cmocka_unit_test(test_what_is_written_reads_back),
        cmocka_unit_test(test_strings_that_are_no_utf8),
        cmocka_unit_test(test_empty_and_unbalanced),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
