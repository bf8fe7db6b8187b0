/* Tables of fields: values, defaults, every refusal, and their schema. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static const char *const types[] = {"sgd", "adam", "adamw", NULL};
static const char *const views[] = {"flip", "shift", NULL};

struct sample {
    double lr, optional;
    int64_t epochs;
    bool nesterov;
    const char *name, *view;
    int type;
    struct json_duration warmup;
    struct json_doubles sizes;
    struct json_texts tags, views;
    const struct json *any;
};

static const struct json_field table[] = {
    {"lr", JSON_DOUBLE, offsetof(struct sample, lr), NULL, "(0,1]", NULL, "learning rate"},
    {"optional", JSON_DOUBLE, offsetof(struct sample, optional), "", NULL, NULL, NULL},
    {"epochs", JSON_INTEGER, offsetof(struct sample, epochs), "10", "[1,inf)", NULL, "passes over the data"},
    {"nesterov", JSON_BOOLEAN, offsetof(struct sample, nesterov), "true", NULL, NULL, NULL},
    {"name", JSON_TEXT, offsetof(struct sample, name), "\"none\"", NULL, NULL, NULL},
    {"view", JSON_TEXT, offsetof(struct sample, view), "\"flip\"", NULL, views, NULL},
    {"type", JSON_CHOICE, offsetof(struct sample, type), "\"adamw\"", NULL, types, NULL},
    {"warmup", JSON_DURATION, offsetof(struct sample, warmup), "\"2ep\"", NULL, NULL, NULL},
    {"sizes", JSON_DOUBLES, offsetof(struct sample, sizes), "[64, 32]", "[1,1000)", NULL, NULL},
    {"tags", JSON_TEXTS, offsetof(struct sample, tags), "[]", NULL, NULL, NULL},
    {"views", JSON_TEXTS, offsetof(struct sample, views), "[\"shift\"]", NULL, views, NULL},
    {"any", JSON_ANY, offsetof(struct sample, any), "", NULL, NULL, NULL},
    {0},
};

static struct json_document *parse(const char *text)
{
    struct json_document *document;
    if (json_parse(text, strlen(text), "c.json", &document) < 0) fail_msg("%s", knack_error());
    return document;
}

static void test_all_given(void **state)
{
    (void)state;
    struct json_document *document =
        parse("{\"lr\": 1, \"optional\": -2, \"epochs\": 3, \"nesterov\": false, \"name\": \"n\", \"view\": \"shift\", \"type\": \"sgd\","
              " \"warmup\": \"0.5dur\", \"sizes\": [1, 2.5, 3], \"tags\": \"one\", \"views\": [\"flip\", \"shift\"], \"any\": {\"x\": 1}}");
    struct sample sample = {0};
    for (int again = 0; again < 2; again++) {
        assert_done(json_fields(document->root, table, &sample));
        assert_true(sample.lr == 1 && sample.optional == -2 && sample.epochs == 3 && !sample.nesterov);
        assert_string_equal(sample.name, "n");
        assert_string_equal(sample.view, "shift");
        assert_int_equal(sample.type, 0);
        assert_true(sample.warmup.unit == DURATION_RUN && sample.warmup.amount == 0.5);
        assert_int_equal(sample.sizes.count, 3);
        assert_true(sample.sizes.value[1] == 2.5);
        assert_int_equal(sample.tags.count, 1);
        assert_string_equal(sample.tags.value[0], "one");
        assert_int_equal(sample.views.count, 2);
        assert_string_equal(sample.views.value[1], "shift");
        assert_true(json_member(sample.any, "x")->number == 1);
    }
    json_free(document);
}

static void assert_defaults(const struct sample *sample)
{
    assert_true(sample->optional == 7 && sample->epochs == 10 && sample->nesterov);
    assert_string_equal(sample->name, "none");
    assert_string_equal(sample->view, "flip");
    assert_int_equal(sample->type, 2);
    assert_true(sample->warmup.unit == DURATION_EPOCHS && sample->warmup.amount == 2);
    assert_int_equal(sample->sizes.count, 2);
    assert_true(sample->sizes.value[0] == 64 && sample->sizes.value[1] == 32);
    assert_int_equal(sample->tags.count, 0);
    assert_int_equal(sample->views.count, 1);
    assert_string_equal(sample->views.value[0], "shift");
    assert_null(sample->any);
}

/* Defaults do not die with the document; without any object they are all there is. */
static void test_defaults(void **state)
{
    (void)state;
    struct json_document *document = parse("{\"lr\": 0.5}");
    struct sample sample = {.optional = 7};
    assert_done(json_fields(document->root, table, &sample));
    json_free(document);
    assert_true(sample.lr == 0.5);
    assert_defaults(&sample);
    struct sample other = {.optional = 7};
    assert_done(json_fields(NULL, table + 1, &other));
    assert_defaults(&other);
    assert_failure(json_fields(NULL, table, &other), KNACK_E_CONFIG, "\"lr\" is missing; expected a number in (0,1]: learning rate");
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *members, *message;
    } cases[] = {
        {"\"lR\": 1", "at o.lR: unknown name; nearest is \"lr\""},
        {"\"epohcs\": 1", "at o.epohcs: unknown name; nearest is \"epochs\""},
        {"\"momentum\": 1", "at o.momentum: unknown name; known are 12 names: lr, optional, epochs, nesterov, name, view, type, warmup, "
                            "sizes, tags, views, any"},
        {"\"epochs\": 3", "at o: \"lr\" is missing; expected a number in (0,1]: learning rate"},
        {"\"lr\": 0", "at o.lr: expected a number in (0,1], got 0"},
        {"\"lr\": 1.5", "at o.lr: expected a number in (0,1], got 1.5"},
        {"\"lr\": \"1\"", "at o.lr: expected a number in (0,1], got \"1\""},
        {"\"lr\": null", "at o.lr: expected a number in (0,1], got null"},
        {"\"lr\": 1, \"epochs\": 0", "at o.epochs: expected a whole number in [1,inf), got 0"},
        {"\"lr\": 1, \"epochs\": 2.5", "at o.epochs: expected a whole number in [1,inf), got 2.5"},
        {"\"lr\": 1, \"epochs\": 1e16", "at o.epochs: 1e16 is too large: whole numbers go up to 2^53 - 1"},
        {"\"lr\": 1, \"epochs\": 9007199254740993", "at o.epochs: 9007199254740992 is too large: whole numbers go up to 2^53 - 1"},
        {"\"lr\": 1, \"nesterov\": 1", "at o.nesterov: expected true or false, got 1"},
        {"\"lr\": 1, \"name\": true", "at o.name: expected a string, got true"},
        {"\"lr\": 1, \"view\": \"filp\"", "at o.view: unknown value \"filp\"; nearest is \"flip\""},
        {"\"lr\": 1, \"type\": \"adaw\"", "at o.type: unknown value \"adaw\"; nearest is \"adam\""},
        {"\"lr\": 1, \"type\": \"rmsprop\"", "at o.type: expected one of 3 names: sgd, adam, adamw, got \"rmsprop\""},
        {"\"lr\": 1, \"type\": 2", "at o.type: expected one of 3 names: sgd, adam, adamw, got 2"},
        {"\"lr\": 1, \"warmup\": \"2 epochs\"",
         "at o.warmup: expected a number of updates, or a duration such as \"100st\", \"2ep\" or \"0.7dur\", got \"2 epochs\""},
        {"\"lr\": 1, \"warmup\": -1",
         "at o.warmup: expected a number of updates, or a duration such as \"100st\", \"2ep\" or \"0.7dur\", got -1"},
        {"\"lr\": 1, \"sizes\": 3", "at o.sizes: expected a list of numbers in [1,1000), got 3"},
        {"\"lr\": 1, \"sizes\": [3, 1000]", "at o.sizes[1]: expected a number in [1,1000), got 1000"},
        {"\"lr\": 1, \"sizes\": [[]]", "at o.sizes[0]: expected a number in [1,1000), got a list"},
        {"\"lr\": 1, \"tags\": [\"a\", {}]", "at o.tags[1]: expected a string, got an object"},
        {"\"lr\": 1, \"views\": 1", "at o.views: expected a list of one of 2 names: flip, shift, got 1"},
        {"\"lr\": 1, \"views\": \"crop\"", "at o.views: expected one of 2 names: flip, shift, got \"crop\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200], expected[300];
        snprintf(text, sizeof text, "{\"o\": {%s}}", cases[i].members);
        snprintf(expected, sizeof expected, "c.json: %s", cases[i].message);
        struct json_document *document = parse(text);
        struct sample sample;
        assert_failure(json_fields(document->root->first, table, &sample), KNACK_E_CONFIG, expected);
        json_free(document);
    }
    struct json_document *document = parse("{\"o\": []}");
    assert_failure(json_fields(document->root->first, table, NULL), KNACK_E_CONFIG, "c.json: at o: expected an object, got a list");
    json_free(document);
}

/* Mistakes in a table are told too. */
static void test_bad_tables(void **state)
{
    (void)state;
    struct json_document *document = parse("{\"x\": 1}");
    double x;
    static const char *const ranges[] = {"", "[0]", "0,1", "[0,1", "[,1]", "[0,1]x", "[a,b]"};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        const struct json_field bad[] = {{"x", JSON_DOUBLE, 0, NULL, ranges[i], NULL, NULL}, {0}};
        char expected[100];
        snprintf(expected, sizeof expected, "c.json: at x: the range \"%s\" of this field cannot be read", ranges[i]);
        assert_failure(json_fields(document->root, bad, &x), KNACK_E_CALL, expected);
    }
    json_free(document);
    const struct json_field broken[] = {{"x", JSON_DOUBLE, 0, "1,", NULL, NULL, NULL}, {0}};
    assert_int_equal(json_fields(NULL, broken, &x), KNACK_E_CONFIG);
    assert_string_equal(knack_error(), "default of \"x\": a default:1:1: expected the { of an object, found \"1\"; is this csv or YAML?");
    const struct json_field outside[] = {{"x", JSON_DOUBLE, 0, "2", "[0,1]", NULL, NULL}, {0}};
    assert_failure(json_fields(NULL, outside, &x), KNACK_E_CONFIG, "default of \"x\": a default: expected a number in [0,1], got 2");
}

/* A document that is being completed takes defaults by the same rules, and then has them. */
static void test_completed(void **state)
{
    (void)state;
    struct json_document *document = parse("{\"x\": 1}");
    document->complete = true;
    struct {
        double x, y;
        const char *name;
    } out;
    const struct json_field broken[] = {
        {"x", JSON_DOUBLE, 0, NULL, NULL, NULL, NULL}, {"name", JSON_TEXT, offsetof(__typeof__(out), name), "adam", NULL, NULL, NULL}, {0}};
    assert_failure(
        json_fields(document->root, broken, &out), KNACK_E_CONFIG,
        "default of \"name\": a default:1:1: unexpected \"adam\"; names and strings stand in \"...\"; words are true, false, null");
    const struct json_field right[] = {{"x", JSON_DOUBLE, 0, NULL, NULL, NULL, NULL},
                                       {"y", JSON_DOUBLE, offsetof(__typeof__(out), y), "2.5", NULL, NULL, NULL},
                                       {"name", JSON_TEXT, offsetof(__typeof__(out), name), "\"adam\"", NULL, NULL, NULL},
                                       {0}};
    assert_done(json_fields(document->root, right, &out));
    assert_true(out.x == 1 && out.y == 2.5);
    assert_string_equal(out.name, "adam");
    assert_true(json_member(document->root, "y")->number == 2.5);
    assert_string_equal(json_member(document->root, "name")->string, "adam");
    assert_int_equal(document->root->count, 3);
    json_free(document);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int unit;
        double amount;
        int64_t updates; /* of 3 epochs with 10 updates each */
    } good[] = {
        {"100st", DURATION_UPDATES, 100, 100}, {"2ep", DURATION_EPOCHS, 2, 20},       {"0.7dur", DURATION_RUN, 0.7, 21},
        {"0.05ep", DURATION_EPOCHS, 0.05, 1},  {"1e2st", DURATION_UPDATES, 100, 100}, {"0st", DURATION_UPDATES, 0, 0},
    };
    static const char *const bad[] = {"", "st", "100", "-1st", "1 st", "1sts", "1STs", "nanst", "infep", "1e999dur"};
    struct json_duration duration;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(json_duration_parse(good[i].text, &duration), KNACK_OK);
        assert_int_equal(duration.unit, good[i].unit);
        assert_true(duration.amount == good[i].amount);
        assert_int_equal(json_duration_updates(duration, 10, 3), good[i].updates);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_int_equal(json_duration_parse(bad[i], &duration), KNACK_E_CONFIG);
    assert_int_equal(json_duration_updates((struct json_duration){1e300, DURATION_EPOCHS}, 10, 3), INT64_MAX);
    assert_int_equal(json_duration_updates((struct json_duration){0, DURATION_NONE}, 10, 3), 0);
}

static void assert_writes(const struct json_field *fields, const struct sample *sample, const char *expected)
{
    struct json_writer *writer = json_writer_new(false);
    json_open(writer, NULL, '{');
    json_write_fields(writer, fields, sample);
    json_close(writer);
    assert_string_equal(json_text(writer, NULL), expected);
    json_writer_free(writer);
}

/* What one table read it writes, and reads back as the same. */
static void test_writing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"lr\": 0.1, \"optional\": -2, \"epochs\": 9007199254740991, \"nesterov\": false, \"name\": \"\\\"n\\n\", \"view\": \"shift\", "
        "\"type\": \"sgd\", \"warmup\": \"0.3dur\", \"sizes\": [1, 0.30000000000000004], \"tags\": [\"one\"], \"views\": [\"flip\", "
        "\"shift\"], \"any\": {\"x\": [1, null]}}",
        "{\"lr\": 1, \"optional\": 0, \"epochs\": 1, \"nesterov\": true, \"name\": \"\", \"view\": \"flip\", \"type\": \"adamw\", "
        "\"warmup\": "
        "\"0st\", \"sizes\": [], \"tags\": [], \"views\": []}",
    };
    struct json_field fields[sizeof table / sizeof table[0]];
    memcpy(fields, table, sizeof fields);
    fields[8].range = "(0,inf)";
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct json_document *document = parse(texts[i]);
        struct sample sample = {0};
        assert_done(json_fields(document->root, fields, &sample));
        assert_writes(fields, &sample, texts[i]);
        json_free(document);
    }
}

static void test_nothing_to_write(void **state)
{
    (void)state;
    static const struct json_field fields[] = {
        {"lr", JSON_DOUBLE, offsetof(struct sample, lr), NULL, NULL, NULL, NULL},
        {"optional", JSON_DOUBLE, offsetof(struct sample, optional), "", "[0,1]", NULL, NULL},
        {"epochs", JSON_INTEGER, offsetof(struct sample, epochs), "", "[1,inf)", NULL, NULL},
        {"name", JSON_TEXT, offsetof(struct sample, name), "", NULL, NULL, NULL},
        {"type", JSON_CHOICE, offsetof(struct sample, type), "", NULL, types, NULL},
        {"warmup", JSON_DURATION, offsetof(struct sample, warmup), "", NULL, NULL, NULL},
        {"sizes", JSON_DOUBLES, offsetof(struct sample, sizes), "", NULL, NULL, NULL},
        {"tags", JSON_TEXTS, offsetof(struct sample, tags), "", NULL, NULL, NULL},
        {"any", JSON_ANY, offsetof(struct sample, any), "", NULL, NULL, NULL},
        {0},
    };
    struct sample sample = {.lr = NAN, .optional = -1, .type = -1};
    assert_writes(fields, &sample, "{}");
    sample = (struct sample){.lr = 1, .optional = NAN, .type = 3};
    assert_writes(fields, &sample, "{\"lr\": 1}");
    json_write_fields(NULL, fields, &sample);
}

static void test_schema(void **state)
{
    (void)state;
    const struct json_field some[] = {table[0], table[2], table[6], table[7], table[8], table[10], table[11], {0}};
    struct json_writer *writer = json_writer_new(false);
    size_t size;
    json_open(writer, NULL, '{');
    json_schema_fields(writer, some);
    json_close(writer);
    assert_string_equal(json_text(writer, &size),
                        "{\"type\": \"object\", \"properties\": {"
                        "\"lr\": {\"type\": \"number\", \"exclusiveMinimum\": 0, \"maximum\": 1, \"description\": \"learning rate\"}, "
                        "\"epochs\": {\"type\": \"integer\", \"minimum\": 1, \"default\": 10, \"description\": \"passes over the data\"}, "
                        "\"type\": {\"type\": \"string\", \"enum\": [\"sgd\", \"adam\", \"adamw\"], \"default\": \"adamw\"}, "
                        "\"warmup\": {\"anyOf\": [{\"type\": \"number\", \"minimum\": 0}, {\"type\": \"string\", "
                        "\"pattern\": \"^[0-9.]+([eE][-+]?[0-9]+)?(st|ep|dur)$\"}], \"default\": \"2ep\"}, "
                        "\"sizes\": {\"type\": \"array\", \"items\": {\"type\": \"number\", \"minimum\": 1, \"exclusiveMaximum\": 1000}, "
                        "\"default\": [64, 32]}, "
                        "\"views\": {\"anyOf\": [{\"type\": \"string\", \"enum\": [\"flip\", \"shift\"]}, {\"type\": \"array\", \"items\": "
                        "{\"type\": \"string\", "
                        "\"enum\": [\"flip\", \"shift\"]}}], \"default\": [\"shift\"]}, "
                        "\"any\": {}}, \"required\": [\"lr\"], \"additionalProperties\": false}");
    json_writer_free(writer);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct json_document *document = parse("{\"lr\": 1, \"sizes\": [1, 2], \"tags\": [\"a\"]}");
    static const struct json_field own[] = {
        {"lr", JSON_DOUBLE, offsetof(struct sample, lr), NULL, NULL, NULL, NULL},
        {"sizes", JSON_DOUBLES, offsetof(struct sample, sizes), NULL, NULL, NULL, NULL},
        {"tags", JSON_TEXTS, offsetof(struct sample, tags), NULL, NULL, NULL, NULL},
        {"name", JSON_TEXT, offsetof(struct sample, name), "\"a default of this test alone\"", NULL, NULL, NULL},
        {0},
    };
    struct sample sample = {0};
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; status < 0; nth++) {
        memory_fail_at(nth);
        status = json_fields(document->root, own, &sample);
        memory_fail_at(0);
        if (status < 0) assert_int_equal(status, KNACK_E_MEMORY);
    }
    assert_string_equal(sample.name, "a default of this test alone");
    json_free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_given), cmocka_unit_test(test_defaults),         cmocka_unit_test(test_completed),
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_bad_tables),       cmocka_unit_test(test_durations),
        cmocka_unit_test(test_writing),   cmocka_unit_test(test_nothing_to_write), cmocka_unit_test(test_schema),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
