#include "data/settings.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "data/augment.h"
#include "data/dataset.h"
#include "data/named.h"

struct pair {
    const char *inputs, *targets, *file;
};
static const struct json_field npy_fields[] = {{"inputs", JSON_TEXT, offsetof(struct pair, inputs), NULL, NULL, NULL,
                                                "npy file: [rows, values], [rows, height, width] or [rows, height, width, channels]"},
                                               {"targets", JSON_TEXT, offsetof(struct pair, targets), NULL, NULL, NULL,
                                                "npy file: class ids [rows], or numbers [rows] or [rows, numbers]"},
                                               {0}};
static const struct json_field idx_fields[] = {
    {"inputs", JSON_TEXT, offsetof(struct pair, inputs), NULL, NULL, NULL, "idx file, which may be compressed by gzip"},
    {"targets", JSON_TEXT, offsetof(struct pair, targets), NULL, NULL, NULL, "idx file, which may be compressed by gzip"},
    {0}};
static const struct json_field npz_fields[] = {
    {"file", JSON_TEXT, offsetof(struct pair, file), NULL, NULL, NULL, "npz file"},
    {"inputs", JSON_TEXT, offsetof(struct pair, inputs), "\"x\"", NULL, NULL, "the array of inputs"},
    {"targets", JSON_TEXT, offsetof(struct pair, targets), "\"y\"", NULL, NULL, "the array of targets"},
    {0}};

#define FORM_FIELDS                                                                                                                        \
    {"npy", JSON_ANY, offsetof(struct form, npy), "", NULL, NULL, "two npy files: {\"inputs\": \"x.npy\", \"targets\": \"y.npy\"}"},       \
        {"npz",                                                                                                                            \
         JSON_ANY,                                                                                                                         \
         offsetof(struct form, npz),                                                                                                       \
         "",                                                                                                                               \
         NULL,                                                                                                                             \
         NULL,                                                                                                                             \
         "an npz file with arrays x and y, or {\"file\": \"a.npz\", \"inputs\": \"x\", \"targets\": \"y\"}"},                              \
        {"idx",                                                                                                                            \
         JSON_ANY,                                                                                                                         \
         offsetof(struct form, idx),                                                                                                       \
         "",                                                                                                                               \
         NULL,                                                                                                                             \
         NULL,                                                                                                                             \
         "two idx files: {\"inputs\": \"x.idx.gz\", \"targets\": \"y.idx.gz\"}"},                                                          \
        {"csv", JSON_TEXT, offsetof(struct form, csv), "", NULL, NULL, "a csv file with a header; its target column is \"target\""},       \
        {"target",                                                                                                                         \
         JSON_TEXT,                                                                                                                        \
         offsetof(struct form, target),                                                                                                    \
         "",                                                                                                                               \
         NULL,                                                                                                                             \
         NULL,                                                                                                                             \
         "csv: the column of targets; texts are classes in the order of their bytes"},                                                     \
        {"drop", JSON_TEXTS, offsetof(struct form, drop), "", NULL, NULL, "csv: columns that are neither inputs nor target"},              \
    {                                                                                                                                      \
        "divide", JSON_DOUBLE, offsetof(struct form, divide), "", "(0,inf)", NULL,                                                         \
            "what inputs are divided by; by default 255 for 8-bit unsigned integers (16 for the digits), else 1"                           \
    }

static const char *const rest_choices[] = {"test", NULL};
static const char *const task_choices[] = {"classification", "regression", NULL};

static const struct json_field test_fields[] = {FORM_FIELDS, {0}};

#define FIELD(member) offsetof(struct data_settings, member)
/* What JSON gives but settings hold otherwise. */
struct raw_settings {
    struct data_settings settings;
    const struct json *test;
    int rest, task;
};
static const struct json_field data_fields[] = {
    {"source", JSON_CHOICE, offsetof(struct form, named), "", NULL, named_name,
     "a data set by name; digits are part of the library and the default, fashion-mnist is Debian's package dataset-fashion-mnist"},
    FORM_FIELDS,
    {"test", JSON_ANY, offsetof(struct raw_settings, test), "", NULL, NULL, "the test set: an object with npy, npz, idx or csv as here"},
    {"validation", JSON_DOUBLE, FIELD(validation), "0", "[0,inf)", NULL,
     "a share below 1, or a number, of training examples held out by a plain random draw, first of all draws"},
    {"limit", JSON_INTEGER, FIELD(limit), "0", "[0,inf)", NULL,
     "train on so many randomly drawn examples of those that validation leaves; a smaller limit draws a part of a larger one's; 0: all"},
    {"rest", JSON_CHOICE, offsetof(struct raw_settings, rest), "", NULL, rest_choices,
     "\"test\": examples that limit leaves are added to the test set"},
    {"label_noise", JSON_DOUBLE, FIELD(label_noise), "0", "[0,1]", NULL,
     "each training label becomes, with this probability, another one, all others being as likely; last of all draws"},
    {"positive", JSON_ANY, FIELD(positive), "", NULL, NULL, "classes (ids or names) that become class 1 of two; all others become class 0"},
    {"long_tail", JSON_DOUBLE, FIELD(long_tail), "1", "(0,1]", NULL,
     "r: of class c out of C the first r^(c/(C-1)) of its training examples are kept, at least one"},
    {"standardise", JSON_BOOLEAN, FIELD(standardise), "false", NULL, NULL,
     "subtract the training examples' mean and divide by their standard deviation: of each column, or of each channel of images"},
    {"seed", JSON_INTEGER, FIELD(seed), "0", "[0,inf)", NULL, "of validation, limit and label_noise; the run's seed does not move them"},
    {"redraw", JSON_BOOLEAN, FIELD(redraw), "false", NULL, NULL, "let the run's seed move validation, limit and label_noise too"},
    {"shuffle", JSON_BOOLEAN, FIELD(shuffle), "true", NULL, NULL, "a new random order each epoch; false: the files' order"},
    {"augment", JSON_ANY, FIELD(augment), "", NULL, NULL,
     "random changes of training images: [\"flip\", {\"name\": \"shift\", \"pixels\": 1}]"},
    {"task", JSON_CHOICE, offsetof(struct raw_settings, task), "", NULL, task_choices,
     "what targets are; by default texts and integer types are classes; csv numbers and float types need it said"},
    {0}};

knack_status settings_fail(const struct data_settings *settings, const char *member, const char *format, ...)
{
    char text[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!settings->config) return status_set(KNACK_E_CONFIG, "data: %s", text);
    const struct json *node = json_member(settings->config, member);
    return json_fail(node ? node : settings->config, KNACK_E_CONFIG, "%s", text);
}

/* ---- Forms ---- */

static knack_status read_pair(const struct json *object, const struct json_field *table, enum form_kind kind, struct form *form)
{
    struct pair pair = {0};
    if (kind == FORM_NPZ && object->kind == JSON_STRING)
        pair = (struct pair){.file = object->string, .inputs = "x", .targets = "y"};
    else if (object->kind != JSON_OBJECT)
        return json_fail(object, KNACK_E_CONFIG, "expected an object with \"inputs\" and \"targets\"%s; found %s",
                         kind == FORM_NPZ ? ", or a file" : "", json_kind_name(object->kind));
    else
        TRY(json_fields(object, table, &pair));
    form->kind = kind;
    form->inputs = pair.inputs;
    form->targets = pair.targets;
    form->file = pair.file;
    return KNACK_OK;
}

/* Of which kind the form is: exactly one, or by name. The default is named -1 unless there is a source. */
static knack_status finish_form(const struct json *object, struct form *form)
{
    int given = (form->named >= 0) + (form->npy != NULL) + (form->npz != NULL) + (form->idx != NULL) + (form->csv != NULL);
    if (given > 1) return json_fail(object, KNACK_E_CONFIG, "more than one of \"source\", \"npy\", \"npz\", \"idx\" and \"csv\"; keep one");
    if (!form->csv && form->target) return json_fail(json_member(object, "target"), KNACK_E_CONFIG, "goes with \"csv\" only");
    if (!form->csv && form->drop.count) return json_fail(json_member(object, "drop"), KNACK_E_CONFIG, "goes with \"csv\" only");
    if (form->npy) return read_pair(form->npy, npy_fields, FORM_NPY, form);
    if (form->npz) return read_pair(form->npz, npz_fields, FORM_NPZ, form);
    if (form->idx) return read_pair(form->idx, idx_fields, FORM_IDX, form);
    form->kind = form->csv ? FORM_CSV : FORM_NAMED;
    form->file = form->csv;
    return KNACK_OK;
}

static knack_status read_test(const struct json *object, struct data_settings *settings)
{
    struct form *test = &settings->test;
    test->named = -1;
    if (object->kind != JSON_OBJECT)
        return json_fail(object, KNACK_E_CONFIG, "expected an object with \"npy\", \"npz\", \"idx\" or \"csv\"; found %s",
                         json_kind_name(object->kind));
    TRY(json_fields(object, test_fields, test));
    TRY(finish_form(object, test));
    if (test->kind == FORM_NAMED) return json_fail(object, KNACK_E_CONFIG, "expected \"npy\", \"npz\", \"idx\" or \"csv\"");
    if (test->kind == FORM_CSV && !test->target) test->target = settings->train.target;
    if (test->kind == FORM_CSV && !test->target)
        return json_fail(object, KNACK_E_CONFIG, "\"csv\" needs \"target\", the name of the column to learn");
    settings->has_test = true;
    return KNACK_OK;
}

static knack_status check_settings(const struct data_settings *settings)
{
    if (settings->validation >= 1 && settings->validation != rint(settings->validation))
        return settings_fail(settings, "validation", "expected a share below 1 or a whole number");
    if (settings->rest && settings->limit == 0) return settings_fail(settings, "rest", "sends what \"limit\" leaves; give a \"limit\" too");
    return KNACK_OK;
}

knack_status settings_read_data(const struct json *config, struct data_settings *settings)
{
    struct raw_settings raw = {.settings = {.train.named = -1, .config = config}, .rest = -1, .task = -1};
    struct form *train = &raw.settings.train;
    TRY(json_fields(config, data_fields, &raw));
    TRY(finish_form(config, train));
    if (train->kind == FORM_NAMED && train->named < 0) train->named = NAMED_DIGITS;
    if (train->kind == FORM_CSV && !train->target)
        return json_fail(config, KNACK_E_CONFIG, "\"csv\" needs \"target\", the name of the column to learn");
    if (raw.test) TRY(read_test(raw.test, &raw.settings));
    raw.settings.rest = raw.rest == 0;
    raw.settings.task = raw.task < 0 ? 0 : raw.task == 0 ? KNACK_CLASSIFICATION : KNACK_REGRESSION;
    *settings = raw.settings;
    return check_settings(settings);
}

/* ---- Schema ---- */

static void schema_of(struct json_writer *writer, const char *name, const struct json_field *table)
{
    json_open(writer, name, '{');
    json_schema_fields(writer, table);
    json_close(writer);
}

/* Objects within objects, beside what the table of fields says: {"properties": {...}}. */
static void schema_of_forms(struct json_writer *writer, bool whole)
{
    json_open(writer, NULL, '{');
    json_open(writer, "properties", '{');
    schema_of(writer, "npy", npy_fields);
    schema_of(writer, "idx", idx_fields);
    json_open(writer, "npz", '{');
    json_open(writer, "anyOf", '[');
    json_open(writer, NULL, '{');
    json_string(writer, "type", "string");
    json_close(writer);
    schema_of(writer, NULL, npz_fields);
    json_close(writer);
    json_close(writer);
    if (whole) {
        json_open(writer, "test", '{');
        json_schema_fields(writer, test_fields);
        json_open(writer, "allOf", '[');
        schema_of_forms(writer, false);
        json_close(writer);
        json_close(writer);
        json_open(writer, "positive", '{');
        json_string(writer, "type", "array");
        json_close(writer);
        augment_schema(writer, "augment");
    }
    json_close(writer);
    json_close(writer);
}

void data_schema(struct json_writer *writer, const char *name)
{
    json_open(writer, name, '{');
    json_schema_fields(writer, data_fields);
    json_open(writer, "allOf", '[');
    schema_of_forms(writer, true);
    json_close(writer);
    json_close(writer);
}
