#include "base/test.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static void open_document(struct json_document **document)
{
    static const char text[] = "{\"train\": {\"epochs\": 8}, \"plugins\": [\"ema\", {\"name\": \"mixup\"}], \"none\": null}";
    assert_done(json_parse(text, sizeof text - 1, "c.json", document));
}

static void assert_written(const struct json_document *document, const char *expected)
{
    struct json_writer *writer = json_writer_new(false);
    size_t size;
    json_node(writer, NULL, document->root);
    assert_string_equal(json_text(writer, &size), expected);
    assert_int_equal(size, strlen(expected));
    json_writer_free(writer);
}

static void test_set(void **state)
{
    (void)state;
    struct json_document *document;
    open_document(&document);
    assert_done(json_set(document, "train.epochs", "2"));
    assert_done(json_set(document, "train.optimizer.type", "sgd"));
    assert_done(json_set(document, "train.optimizer.lr", "1e-3"));
    assert_done(json_set(document, "plugins[1].alpha", "0.2"));
    assert_done(json_set(document, "plugins[0]", "{\"name\": \"sam\"}"));
    assert_done(json_set(document, "none.x", "[1, \"2\"]"));
    assert_written(document,
                   "{\"train\": {\"epochs\": 2, \"optimizer\": {\"type\": \"sgd\", \"lr\": 0.001}}, \"plugins\": [{\"name\": \"sam\"}, "
                   "{\"name\": \"mixup\", \"alpha\": 0.2}], \"none\": {\"x\": [1, \"2\"]}}");
    const struct json *lr = json_member(json_member(json_member(document->root, "train"), "optimizer"), "lr");
    assert_failure(json_fail(lr, KNACK_E_CONFIG, "bad"), KNACK_E_CONFIG, "c.json: at train.optimizer.lr: bad");
    const struct json *name = json_member(json_member(document->root, "plugins")->first, "name");
    assert_string_equal(json_path(name), "plugins[0].name");
    json_free(document);
}

static void test_values(void **state)
{
    (void)state;
    struct json_document *document;
    open_document(&document);
    static const char *const values[][2] = {{"true", "true"},   {"\"7\"", "\"7\""}, {"7 up", "\"7 up\""}, {"", "\"\""},
                                            {"[1,", "\"[1,\""}, {"01", "\"01\""},   {"{}", "{}"}};
    assert_done(json_set(document, "train", "{}"));
    assert_done(json_set(document, "plugins", "[]"));
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char expected[100];
        assert_done(json_set(document, "none", values[i][0]));
        strcat(strcat(strcpy(expected, "{\"train\": {}, \"plugins\": [], \"none\": "), values[i][1]), "}");
        assert_written(document, expected);
    }
    json_free(document);
}

static void test_append(void **state)
{
    (void)state;
    struct json_document *document;
    open_document(&document);
    assert_done(json_append(document, "plugins", "fgm"));
    assert_done(json_append(document, "plugins", "{\"name\": \"x\"}"));
    assert_done(json_append(document, "data.augment", "flip"));
    assert_done(json_append(document, "none", "1"));
    assert_written(document,
                   "{\"train\": {\"epochs\": 8}, \"plugins\": [\"ema\", {\"name\": \"mixup\"}, \"fgm\", {\"name\": \"x\"}], \"none\": [1], "
                   "\"data\": {\"augment\": [\"flip\"]}}");
    assert_string_equal(json_path(json_member(document->root, "plugins")->first->next->next->next), "plugins[3]");
    assert_failure(json_append(document, "train", "1"), KNACK_E_USAGE, "c.json: at train: expected a list to add to, this is an object");
    json_free(document);
}

static void test_bad_paths(void **state)
{
    (void)state;
    struct json_document *document;
    open_document(&document);
    static const char *const paths[] = {"", ".", "a.", ".a", "a..b", "[", "[0", "[x]", "a[]", "a[-1]", "a[0]b", "a[1234567890]"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char expected[100];
        strcat(strcat(strcpy(expected, "\""), paths[i]), "\" is no path; expected one such as train.epochs or plugins[0].alpha");
        assert_failure(json_set(document, paths[i], "1"), KNACK_E_USAGE, expected);
    }
    assert_failure(json_set(document, "plugins[2].alpha", "1"), KNACK_E_USAGE, "c.json: at plugins: no entry [2].alpha in a list of 2");
    assert_failure(json_set(document, "plugins", "{a: 1}"), KNACK_E_CONFIG, "in '{a: 1}', at 1:2: expected a name in \"...\", found \"a\"");
    assert_failure(json_set(document, "train.list[0]", "1"), KNACK_E_USAGE, "c.json: at train: no list for .list[0] here");
    assert_failure(json_set(document, "train.epochs.x", "1"), KNACK_E_USAGE,
                   "c.json: at train.epochs: expected an object for \"train.epochs.x\", this is a number");
    assert_failure(json_set(document, "plugins.x", "1"), KNACK_E_USAGE,
                   "c.json: at plugins: expected an object for \"plugins.x\", this is a list");
    assert_failure(json_set(document, "plugins.1.alpha", "1"), KNACK_E_USAGE,
                   "c.json: at plugins: this is a list, whose entries are written in brackets: plugins[1].alpha");
    assert_written(document, "{\"train\": {\"epochs\": 8}, \"plugins\": [\"ema\", {\"name\": \"mixup\"}], \"none\": null}");
    json_free(document);
}

/* What is missing is made within a document, but a document that is null is none. */
static void test_null_alone(void **state)
{
    (void)state;
    struct json_document *document;
    assert_done(json_parse("null", 4, "c.json", &document));
    assert_failure(json_set(document, "train.epochs", "1"), KNACK_E_CONFIG, "c.json: expected an object, got null");
    assert_failure(json_ensure_object(document, "train"), KNACK_E_CONFIG, "c.json: expected an object, got null");
    json_free(document);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct json_document *document;
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; status < 0; nth++) {
        open_document(&document);
        memory_fail_at(nth);
        status = json_set(document, "data.source", "digits");
        memory_fail_at(0);
        if (status < 0) assert_int_equal(status, KNACK_E_MEMORY);
        json_free(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),       cmocka_unit_test(test_values),     cmocka_unit_test(test_append),
        cmocka_unit_test(test_bad_paths), cmocka_unit_test(test_null_alone), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
