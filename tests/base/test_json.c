/* Reading: what is accepted, what is refused and how that is said, paths. */
#include "base/test.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/comma_locale.h"
#include "base/json.h"
#include "base/memory.h"

static struct json_document *parse(const char *text)
{
    struct json_document *document;
    if (json_parse(text, strlen(text), "c.json", &document) < 0) fail_msg("%s", knack_error());
    return document;
}

static void test_kinds(void **state)
{
    (void)state;
    struct json_document *document =
        parse("{\"a\": null, \"b\": true, \"c\": false, \"d\": -1.5e2, \"e\": \"x\\n\\u00e9\", \"f\": [1, []], \"g\": {}}");
    const struct json *root = document->root;
    assert_int_equal(root->kind, JSON_OBJECT);
    assert_int_equal(root->count, 7);
    assert_null(root->parent);
    assert_int_equal(json_member(root, "a")->kind, JSON_NULL);
    assert_true(json_member(root, "b")->flag);
    assert_false(json_member(root, "c")->flag);
    assert_true(json_member(root, "d")->number == -150);
    assert_string_equal(json_member(root, "e")->string, "x\n\xC3\xA9");
    const struct json *list = json_member(root, "f");
    assert_int_equal(list->count, 2);
    assert_int_equal(list->index, 5);
    assert_int_equal(list->first->next->index, 1);
    assert_ptr_equal(list->first->next->parent, list);
    assert_null(list->first->next->next);
    assert_int_equal(json_member(root, "g")->count, 0);
    assert_null(json_member(root, "A")); /* names are case-sensitive */
    assert_null(json_member(list, "a"));
    assert_null(json_member(NULL, "a"));
    json_free(document);
    json_free(NULL);
}

static void test_comments(void **state)
{
    (void)state;
    struct json_document *document = parse("// first\n{ /* a, \" */ \"u\": \"http://x/*y*/\", // \"z\": 1\n \"n\"/**/:/***/ 7 } // last");
    assert_int_equal(document->root->count, 2);
    assert_string_equal(json_member(document->root, "u")->string, "http://x/*y*/");
    assert_true(json_member(document->root, "n")->number == 7);
    json_free(document);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0", 0},
        {"-0", -0.0},
        {"10", 10},
        {"0.5", 0.5},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"25e-1", 2.5},
        {"1e-999", 0},
        {"9007199254740993", 9007199254740992.0},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"0.3000000000000000721644966006351751275360584259033203125000001",
         0.3000000000000001}, /* 63 characters, of which the last decides */
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
        {"4.9406564584124654e-324", 4.9406564584124654e-324},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_document *document = parse(cases[i].text);
        assert_memory_equal(&document->root->number, &cases[i].value, sizeof(double));
        json_free(document);
    }
}

static void test_numbers_under_a_decimal_comma(void **state)
{
    if (!comma_locale_begin()) skip();
    test_numbers(state);
    struct json_document *document;
    assert_failure(json_parse("[0,5]x", 6, "c.json", &document), KNACK_E_CONFIG,
                   "c.json:1:6: unexpected \"x\"; is a comma, a colon or a bracket missing before it?");
    comma_locale_end();
}

static void test_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " \t\r\n", " // nothing\n"};
    struct json_document *document;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_failure(json_parse(texts[i], strlen(texts[i]), "c.json", &document), KNACK_E_CONFIG,
                       "c.json: is empty; expected an object, at least {}");
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"a\": [1, 2", "1:12: the text ends here, and is not complete"},
        {"{\"a\": 1,\n  \"b\": 2, // last\n}", "2:9: trailing comma: nothing follows it before \"}\"; remove it"},
        {"[1, /* */ ]", "1:3: trailing comma: nothing follows it before \"]\"; remove it"},
        {"{, \"a\": 1}", "1:2: expected a name in \"...\", found \",\""},
        {"{\"a\": 1, 2}", "1:10: expected a name in \"...\", found \"2\""},
        {"[1}", "1:3: unexpected \"}\""},
        {"[,1]", "1:2: unexpected \",\""},
        {"[1,,2]", "1:4: unexpected \",\""},
        {"{\"a\": }", "1:7: unexpected \"}\""},
        {"{\"a\"}", "1:5: unexpected \"}\""},
        {"]", "1:1: \"]\" closes nothing"},
        {"{\"a\" 1}", "1:6: unexpected \"1\"; is a comma, a colon or a bracket missing before it?"},
        {"{\"a\": 1\n \"b\": 2}", "2:2: unexpected \"\"\"; is a comma, a colon or a bracket missing before it?"},
        {"{1: 2}", "1:2: expected a name in \"...\", found \"1\""},
        {"{} {}", "1:4: unexpected \"{\"; is a comma, a colon or a bracket missing before it?"},
        {"{a: 1}", "1:2: expected a name in \"...\", found \"a\""},
        {"['a']", "1:2: unexpected \"'\"; names and strings stand in \"...\"; words are true, false, null"},
        {"['a\"]", "1:4: this string has no closing \" on its line"},
        {"[$]", "1:2: unexpected \"$\"; names and strings stand in \"...\"; words are true, false, null"},
        {"[\x01]", "1:2: unexpected character 0x01"},
        {"{\xE2\x80\x9Clr\xE2\x80\x9D: 1}", "1:2: expected a name in \"...\", found \"\xE2\x80\x9C\""},
        {"[1 true]", "1:4: unexpected \"true\"; is a comma, a colon or a bracket missing before it?"},
        {"[1.5.2]", "1:2: \"1.5.2\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[-.5]", "1:2: \"-.5\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[5.e1]", "1:2: \"5.e1\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[-01]", "1:2: \"-01\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[12abc]", "1:2: \"12abc\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"/* 1 */ -", "1:9: \"-\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[0.0000000000000000000000000000000000000000000000000000000000001, "
         "0.00000000000000000000000000000000000000000000000000000000000001]",
         "1:67: a number of 64 characters; at most 63 are read"},
        {"[True]", "1:2: unexpected \"True\"; names and strings stand in \"...\"; words are true, false, null"},
        {"[truefalse]", "1:2: unexpected \"truefalse\"; names and strings stand in \"...\"; words are true, false, null"},
        {"[NaN]", "1:2: unexpected \"NaN\"; names and strings stand in \"...\"; words are true, false, null"},
        {"[-Infinity]", "1:2: \"-Infinity\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[01]", "1:2: \"01\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[+1]", "1:2: \"+1\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[.5]", "1:2: \".5\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[5.]", "1:2: \"5.\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[1e]", "1:2: \"1e\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[0x10]", "1:2: \"0x10\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"[-]", "1:2: \"-\" is not a number; numbers look like -0.5, 12 or 1e-3"},
        {"{\"lr\": 1e999}", "1:8: 1e999 is too large: numbers go to about 1.8e308"},
        {"[\"a\nb\"]", "1:2: this string has no closing \" on its line"},
        {"[\"abc]", "1:2: this string has no closing \" on its line"},
        {"[\"a\tb\"]", "1:4: control character 0x09 within a string; write it as \\u0009"},
        {"[\"\\u0000\"]", "1:3: \\u0000 is not accepted within strings"},
        {"[\"\\x\"]", "1:3: this is no escape that JSON knows"},
        {"[\"\\ud800\"]", "1:3: this is no escape that JSON knows"},
        {"[1 /* 2]", "1:4: this comment has no end"},
        {"[1 / 2]", "1:4: \"/\" begins no comment; comments are // and /* */"},
        {"[\"\xC3\xA9\", #]", "1:7: \"#\" begins no comment; comments are // and /* */"}, /* columns count characters */
        {"[\"\xFF\"]", "1:3: byte 0xFF is not UTF-8"},
        {"[\"\xC0\x80\"]", "1:3: byte 0xC0 is not UTF-8"},
        {"[\"\xE2\x82\"]", "1:3: byte 0xE2 is not UTF-8"},
        {"[\"\xED\xA0\x80\"]", "1:3: byte 0xED is not UTF-8"},
        {"[\"\xF4\x90\x80\x80\"]", "1:3: byte 0xF4 is not UTF-8"},
        {"{\"a\": 1, # a\n}", "1:10: \"#\" begins no comment; comments are // and /* */"},
        {"\xEF\xBB\xBF[x]", "1:2: unexpected \"x\"; names and strings stand in \"...\"; words are true, false, null"},
        {"// f\nepochs: 3\n", "2:1: expected the { of an object, found \"epochs\"; is this csv or YAML?"},
        {"--- \na: 3\n", "1:1: expected the { of an object, found \"---\"; is this csv or YAML?"},
        {"\"x\",\"y\"\n1,2\n", "1:1: expected the { of an object, found \"\"\"; is this csv or YAML?"},
        {"5.1,3.5\n", "1:1: expected the { of an object, found \"5.1\"; is this csv or YAML?"},
        {"epochs", "1:1: unexpected \"epochs\"; names and strings stand in \"...\"; words are true, false, null"},
        {"{\"lr\": 1, \"lr\": 1}", "1:11: at lr: this name stands twice in its object"},
        {"{\"a\": [{\"b\": {}}, {\n\"x\": 1, \"y\": 2,\n \"x\": 3}]}", "3:2: at a[1].x: this name stands twice in its object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_document *document = (void *)&i;
        assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), "c.json", &document), KNACK_E_CONFIG);
        char expected[200];
        snprintf(expected, sizeof expected, "c.json:%s", cases[i].message);
        assert_string_equal(knack_error(), expected);
        assert_null(document);
    }
}

static void test_byte_order_mark(void **state)
{
    (void)state;
    struct json_document *document = parse("\xEF\xBB\xBF{\"a\": 1}");
    assert_true(json_member(document->root, "a")->number == 1);
    json_free(document);
}

static void test_nul_byte(void **state)
{
    (void)state;
    struct json_document *document;
    assert_failure(json_parse("{}\0", 3, "c.json", &document), KNACK_E_CONFIG, "c.json:1:3: a NUL byte has no place in JSON");
}

static void test_names_of_one_object_may_differ_in_case(void **state)
{
    (void)state;
    struct json_document *document = parse("{\"rho\": 1, \"Rho\": 2}");
    assert_true(json_member(document->root, "Rho")->number == 2);
    json_free(document);
}

static void test_depth(void **state)
{
    (void)state;
    char text[300];
    memset(text, '[', 101);
    memset(text + 101, ']', 101);
    struct json_document *document;
    assert_failure(json_parse(text, 202, "c.json", &document), KNACK_E_CONFIG, "c.json:1:101: nested more than 100 deep");
    assert_done(json_parse(text + 1, 200, "c.json", &document));
    const struct json *node = document->root;
    while (node->first) node = node->first;
    assert_int_equal(strlen(json_path(node)), 99 * 3);
    json_free(document);
    memset(text, '{', 200);
    assert_int_equal(json_parse(text, 200, "c.json", &document), KNACK_E_CONFIG);
}

static void test_paths(void **state)
{
    (void)state;
    struct json_document *document = parse("{\"train\": {\"optimizer\": {\"lr\": 1}}, \"plugins\": [0, {\"alpha\": 2}]}");
    const struct json *lr = json_member(json_member(json_member(document->root, "train"), "optimizer"), "lr");
    const struct json *entry = json_member(document->root, "plugins")->first->next;
    assert_string_equal(json_path(document->root), "");
    const char *first = json_path(lr);
    assert_string_equal(json_path(entry), "plugins[1]");
    assert_string_equal(json_path(entry->first), "plugins[1].alpha");
    json_path(document->root);
    assert_string_equal(first, "train.optimizer.lr"); /* valid for four calls */
    assert_failure(json_fail(lr, KNACK_E_DATA, "too %s", "large"), KNACK_E_DATA, "c.json: at train.optimizer.lr: too large");
    assert_failure(json_fail(document->root, KNACK_E_CONFIG, "empty"), KNACK_E_CONFIG, "c.json: empty");
    assert_failure(json_fail(NULL, KNACK_E_CONFIG, "empty"), KNACK_E_CONFIG, "empty");
    json_free(document);
}

static void test_long_path_is_cut(void **state)
{
    (void)state;
    char text[3000];
    int used = 0;
    for (int i = 0; i < 20; i++) used += snprintf(text + used, sizeof text - (size_t)used, "{\"%050d\": ", i);
    used += snprintf(text + used, sizeof text - (size_t)used, "1");
    for (int i = 0; i < 20; i++) text[used++] = '}';
    text[used] = '\0';
    struct json_document *document = parse(text);
    const struct json *node = document->root;
    while (node->first) node = node->first;
    size_t length = strlen(json_path(node));
    assert_true(length > 400 && length < 512);
    json_free(document);
}

static void test_read(void **state)
{
    (void)state;
    char path[] = "/tmp/knack-test-XXXXXX", expected[100];
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "{\"a\": 1}", 8), 8);
    close(fd);
    struct json_document *document;
    assert_done(json_read(path, &document));
    assert_string_equal(document->file, path);
    json_free(document);
    unlink(path);
    snprintf(expected, sizeof expected, "%s: cannot be opened: No such file or directory", path);
    assert_failure(json_read(path, &document), KNACK_E_CONFIG, expected);
    assert_null(document);
}

static void test_no_memory(void **state)
{
    (void)state;
    const char *text = "{\"a\": [1, 2.5, {\"b\": \"text\"}], \"c\": {\"d\": null}}";
    struct json_document *document = NULL;
    int64_t nth = 0;
    while (!document) {
        memory_fail_at(++nth);
        knack_status status = json_parse(text, strlen(text), "c.json", &document);
        memory_fail_at(0);
        assert_int_equal(status, document ? KNACK_OK : KNACK_E_MEMORY);
    }
    assert_true(nth > 5);
    json_free(document);
}

static int64_t allowed;

static void *allow(size_t size)
{
    if (allowed-- > 0) return malloc(size);
    errno = ENOMEM;
    return NULL;
}

/* cJSON's own allocations: its NULL is no fault of the text. */
static void test_no_memory_for_cjson(void **state)
{
    (void)state;
    const char *text = "{\"a\": [1, 2.5, {\"b\": \"text\"}], \"c\": {\"d\": null}}";
    struct json_document *document = NULL;
    int64_t count = -1;
    cJSON_InitHooks(&(cJSON_Hooks){allow, free});
    while (!document) {
        allowed = ++count;
        knack_status status = json_parse(text, strlen(text), "c.json", &document);
        if (!document) assert_failure(status, KNACK_E_MEMORY, "out of memory: c.json cannot be parsed");
    }
    cJSON_InitHooks(NULL);
    assert_true(count > 10);
    json_free(document);
}

/* Every text that a good one turns into by losing or changing a byte is either accepted or refused with a place. */
static void test_damaged(void **state)
{
    (void)state;
    static const char good[] = "{ \"a\": [1, -2.5e3, true], /* c */ \"b\": {\"\\u00e9\\n\": null} } // end";
    static const char bytes[] = {'"', '\\', '{', ']', ',', ':', '0', 'e', '/', '*', '\n', '\xC3', '\0', 'u'};
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (size_t k = 0; k <= sizeof bytes; k++) {
            char text[sizeof good];
            memcpy(text, good, sizeof good);
            size_t size = k == sizeof bytes ? at : sizeof good - 1; /* the last: cut */
            if (k < sizeof bytes) text[at] = bytes[k];
            struct json_document *document;
            if (json_parse(text, size, "c.json", &document) < 0) assert_memory_equal(knack_error(), "c.json:", 7);
            json_free(document);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_under_a_decimal_comma),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_nul_byte),
        cmocka_unit_test(test_names_of_one_object_may_differ_in_case),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_long_path_is_cut),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_no_memory_for_cjson),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
