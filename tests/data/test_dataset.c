#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "fixture.h"

static void put_floats(const char *name, const char *shape, const float *value, int count)
{
    char header[128];
    snprintf(header, sizeof header, "'descr': '<f4', 'fortran_order': False, 'shape': %s", shape);
    put_npy(name, 1, header, value, count * (int64_t)sizeof *value);
}

static void put_bytes(const char *name, const char *shape, const uint8_t *value, int count)
{
    char header[128];
    snprintf(header, sizeof header, "'descr': '|u1', 'fortran_order': False, 'shape': %s", shape);
    put_npy(name, 1, header, value, count);
}

/* x: u1 [4, 2, 3]; f: f4 [4, 2]; y: ids; t: f4 targets, also as [4, 2]. */
static int set_up(void **state)
{
    if (fixture_set_up(state) != 0) return -1;
    uint8_t pixel[24];
    for (int i = 0; i < 24; i++) pixel[i] = (uint8_t)(i * 11);
    float f[8] = {1, 10, 2, 10, 3, 10, 6, 10}, t[8] = {0.5f, -1, 2, 3, 4, 5, 6, 7};
    put_bytes("x.npy", "(4, 2, 3)", pixel, 24);
    put_bytes("y.npy", "(4,)", (uint8_t[]){0, 2, 1, 2}, 4);
    put_floats("f.npy", "(4, 2)", f, 8);
    put_floats("t.npy", "(4,)", t, 4);
    put_floats("unit.npy", "(4, 2, 3)", (float[24]){0}, 24);
    put_floats("t2.npy", "(4, 2)", t, 8);
    put_idx("x.idx", 8, 3, (uint32_t[]){4, 2, 3}, pixel, 24);
    put_idx("y.idx", 8, 1, (uint32_t[]){4}, (uint8_t[]){0, 2, 1, 2}, 4);
    put_text("train.csv", "id,a,b,kind\n1,0.5,10,cat\n2,1.5,,dog\n3,2.5,30,cat\n4,3.5,40,cow\n");
    put_text("test.csv", "kind,b,extra,a\ncow,1,x,2\ncat,3,y,4\n");
    put_text("numbers.csv", "a,y\n1,-1\n2,1\n3,-1\n");
    return 0;
}

/* ---- Forms ---- */

static void npy(void **state)
{
    (void)state;
    struct dataset *data = open_data("{'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}}", 0);
    assert_string_equal(data->title, "x.npy: 4 train, 2x3x1, 3 classes");
    assert_int_equal(data->shape[2], 1);
    assert_int_equal(data->class_count[2], 2);
    knack_real *x = all_inputs(data, PART_TRAIN);
    for (int i = 0; i < 24; i++) assert_true(x[i] == (knack_real)(i * 11) / 255);
    memory_free(x);
    data_close(data);

    data = open_data("{'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}, 'divide': 1}", 0);
    x = all_inputs(data, PART_TRAIN);
    assert_true(x[23] == 253);
    memory_free(x);
    data_close(data);

    data = open_data("{'npy': {'inputs': 'f.npy', 'targets': 't2.npy'}, 'task': 'regression'}", 0);
    assert_string_equal(data->title, "f.npy: 4 train, 2 values, 2 outputs");
    assert_int_equal(data->kind, KNACK_REGRESSION);
    assert_int_equal(data->classes, 0);
    assert_null(data->class_count);
    assert_true(data->part[PART_TRAIN].target[1] == -1 && data->part[PART_TRAIN].target[7] == 7);
    data_close(data);
}

static void idx_and_npz(void **state)
{
    (void)state;
    struct dataset *data =
        open_data("{'idx': {'inputs': 'x.idx', 'targets': 'y.idx'}, 'test': {'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}}}", 0);
    assert_string_equal(data->title, "x.idx: 4 train, 4 test, 2x3x1, 3 classes");
    knack_real *x = all_inputs(data, PART_TEST);
    assert_true(x[1] == (knack_real)11 / 255);
    memory_free(x);
    data_close(data);

    char json[1200];
    snprintf(json, sizeof json,
             "{'npz': '%s/stored.npz', 'test': {'npz': {'file': '%s/deflated.npz', 'inputs': 'x_test', 'targets': 'y_test'}}}", TEST_FILES,
             TEST_FILES);
    data = open_data(json, 0);
    assert_int_equal(data->part[PART_TRAIN].count, 2);
    assert_int_equal(data->part[PART_TRAIN].label[0], 1);
    x = all_inputs(data, PART_TEST);
    assert_true(x[0] == (knack_real)1 / 255 && x[11] == (knack_real)12 / 255);
    memory_free(x);
    data_close(data);
}

static void csv(void **state)
{
    (void)state;
    struct dataset *data = open_data("{'csv': 'train.csv', 'target': 'kind', 'drop': 'id', 'test': {'csv': 'test.csv'}}", 0);
    assert_string_equal(data->title, "train.csv: 4 train, 2 test, 2 values, 3 classes");
    assert_string_equal(data->class_name[0], "cat");
    assert_string_equal(data->class_name[1], "cow");
    assert_string_equal(data->column[1], "b");
    assert_true(data->missing);
    assert_non_null(strstr(data->first_missing, "train.csv: row 1 (the first is 0), column 'b'"));
    knack_real *x = all_inputs(data, PART_TRAIN);
    assert_true(x[2] == (knack_real)1.5 && isnan(x[3]));
    memory_free(x);
    x = all_inputs(data, PART_TEST); /* columns by name */
    assert_true(x[0] == 2 && x[1] == 1 && x[2] == 4 && x[3] == 3);
    assert_int_equal(data->part[PART_TEST].label[0], 1);
    memory_free(x);
    data_close(data);

    data = open_data("{'csv': 'numbers.csv', 'target': 'y', 'task': 'classification', 'positive': [-1]}", 0);
    assert_string_equal(data->class_name[1], "-1");
    assert_int_equal(data->part[PART_TRAIN].label[0], 1);
    data_close(data);
    data = open_data("{'csv': 'numbers.csv', 'target': 'y', 'task': 'regression'}", 0);
    assert_true(data->part[PART_TRAIN].target[0] == -1);
    data_close(data);
}

/* ---- Standardising ---- */

static void standardise(void **state)
{
    (void)state;
    struct dataset *data = open_data("{'npy': {'inputs': 'f.npy', 'targets': 'y.npy'}, 'standardise': true}", 0);
    assert_int_equal(data->statistics, 2);
    assert_true(data->mean[0] == 3 && fabs(data->deviation[0] - sqrt(3.5)) < 1e-12);
    assert_true(data->mean[1] == 10 && data->deviation[1] == 1); /* a constant */
    knack_real *x = all_inputs(data, PART_TRAIN);
    assert_true(x[4] == 0 && x[5] == 0 && fabs((double)x[6] - 3 / sqrt(3.5)) < 1e-6);
    memory_free(x);
    data_close(data);

    data = open_data("{'csv': 'train.csv', 'target': 'kind', 'drop': ['id'], 'standardise': true}", 0);
    assert_true(fabs(data->mean[1] - 80.0 / 3) < 1e-12); /* what is missing does not count */
    data_close(data);

    data = open_data("{'validation': 0.1, 'standardise': true}", 0); /* one channel; from the training part only */
    assert_int_equal(data->statistics, 1);
    x = all_inputs(data, PART_TRAIN);
    double sum = 0, squares = 0, n = (double)data->part[PART_TRAIN].count * 64;
    for (int64_t i = 0; i < (int64_t)n; i++) {
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
    }
    assert_true(fabs(sum / n) < 1e-6 && fabs(squares / n - 1) < 1e-6);
    memory_free(x);
    data_close(data);
}

/* ---- Refusals ---- */

#define X_Y "'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}"

static void config_refusals(void **state)
{
    (void)state;
    expect_failure("{'source': 'digit'}", KNACK_E_CONFIG, "at source: unknown value \"digit\"; nearest is \"digits\"");
    expect_failure("{'sauce': 'digits'}", KNACK_E_CONFIG, "at sauce: unknown name; nearest is \"source\"");
    expect_failure("[]", KNACK_E_CONFIG, "expected an object");
    expect_failure("{'source': 'digits', 'csv': 'a.csv'}", KNACK_E_CONFIG,
                   "more than one of \"source\", \"npy\", \"npz\", \"idx\" and \"csv\"; keep one");
    expect_failure("{'csv': 'train.csv'}", KNACK_E_CONFIG, "\"csv\" needs \"target\", the name of the column to learn");
    expect_failure("{" X_Y ", 'test': {'csv': 'test.csv'}}", KNACK_E_CONFIG, "at test: \"csv\" needs \"target\"");
    expect_failure("{" X_Y ", 'target': 'a'}", KNACK_E_CONFIG, "at target: goes with \"csv\" only");
    expect_failure("{" X_Y ", 'drop': ['a']}", KNACK_E_CONFIG, "at drop: goes with \"csv\" only");
    expect_failure("{'npy': 'x.npy'}", KNACK_E_CONFIG, "at npy: expected an object with \"inputs\" and \"targets\"; found a string");
    expect_failure("{'npz': 3}", KNACK_E_CONFIG, "at npz: expected an object with \"inputs\" and \"targets\", or a file; found a number");
    expect_failure("{'npy': {'inputs': 'x.npy'}}", KNACK_E_CONFIG, "at npy: \"targets\" is missing");
    expect_failure("{'idx': {'input': 'x.npy'}}", KNACK_E_CONFIG, "at idx.input: unknown name; nearest is \"inputs\"");
    expect_failure("{" X_Y ", 'test': 'x.npy'}", KNACK_E_CONFIG,
                   "at test: expected an object with \"npy\", \"npz\", \"idx\" or \"csv\"; found a string");
    expect_failure("{" X_Y ", 'test': {}}", KNACK_E_CONFIG, "at test: expected \"npy\", \"npz\", \"idx\" or \"csv\"");
    expect_failure("{" X_Y ", 'divide': 0}", KNACK_E_CONFIG, "at divide: ");
    expect_failure("{'npy': {'inputs': 'f.npy', 'targets': 't.npy'}}", KNACK_E_CONFIG,
                   "t.npy are numbers; say \"task\": \"regression\", or \"classification\" if they stand for classes");
    expect_failure("{'csv': 'numbers.csv', 'target': 'y'}", KNACK_E_CONFIG, "numbers.csv are numbers; say \"task\": \"regression\"");
}

static void file_refusals(void **state)
{
    (void)state;
    put_bytes("y3.npy", "(3,)", (uint8_t[]){0, 1, 1}, 3);
    put_bytes("one.npy", "(4,)", (uint8_t[]){0, 0, 0, 0}, 4);
    put_bytes("y9.npy", "(4,)", (uint8_t[]){0, 1, 1, 9}, 4);
    put_bytes("x6.npy", "(1,2,3,1,1,1)", (uint8_t[]){0, 0, 0, 0, 0, 0}, 6);
    put_bytes("small.npy", "(4,2,2)", (uint8_t[16]){0}, 16);
    put_floats("bad.npy", "(4, 2)", (float[]){0, 1, 2, 3, INFINITY, 5, 6, 7}, 8);
    put_floats("nan.npy", "(4,)", (float[]){0, 1, NAN, 3}, 4);
    int32_t negative[4] = {0, 1, -1, 1}, large[4] = {0, 1, 1 << 20, 1};
    put_npy("minus.npy", 1, "'descr': '<i4', 'fortran_order': False, 'shape': (4,)", negative, 16);
    int32_t far[4] = {0, 600000, 7, 12};
    put_npy("far.npy", 1, "'descr': '<i4', 'fortran_order': False, 'shape': (4,)", far, 16);
    far[1] = 999; /* as many as are taken without a question */
    put_npy("near.npy", 1, "'descr': '<i4', 'fortran_order': False, 'shape': (4,)", far, 16);
    struct dataset *near = open_data("{'npy': {'inputs': 'x.npy', 'targets': 'near.npy'}}", 0);
    assert_int_equal(near->classes, 1000);
    data_close(near);
    put_npy("large.npy", 1, "'descr': '<i4', 'fortran_order': False, 'shape': (4,)", large, 16);
    put_text("new.csv", "a,b,kind\n1,2,cat\n\n3,4,owl\n");
    put_text("half.csv", "a,y\n1,0\n2,0.5\n");
    put_text("single.csv", "a,y\n1,x\n2,x\n");
    put_text("three.csv", "a,y\n2,-1\n2,3\n");
    static const char *const cases[][2] = {
        {"{'npy': {'inputs': 'gone.npy', 'targets': 'y.npy'}}", "gone.npy: cannot open: No such file or directory"},
        {"{'npy': {'inputs': 'x.npy', 'targets': 'gone.npy'}}", "gone.npy: cannot open"},
        {"{'npy': {'inputs': 'x.npy', 'targets': 'y3.npy'}}", "y3.npy has 3 targets; "},
        {"{'npy': {'inputs': 'x6.npy', 'targets': 'y.npy'}}",
         "x6.npy: has 6 dimensions; inputs are [rows, values], [rows, height, width] or [rows, height, width, channels]"},
        {"{'npy': {'inputs': 'x.npy', 'targets': 'x.npy'}}", "x.npy: targets are [rows] or [rows, numbers], not 4x2x3"},
        {"{'npy': {'inputs': 'x.npy', 'targets': 'one.npy'}}", "one.npy: the targets have 1 class; classification needs 2 to 1048576"},
        {"{'npy': {'inputs': 'x.npy', 'targets': 'minus.npy'}}",
         "minus.npy: row 2: the target -1 is out of range: class ids are 0 to 1048575"},
        {"{'npy': {'inputs': 'x.npy', 'targets': 'far.npy'}}", "far.npy: ids up to 600000, but only 4 occur; renumber them 0 to 3"},
        {"{'npy': {'inputs': 'x.npy', 'targets': 'large.npy'}}", "large.npy: row 2: the target 1048576 is out of range"},
        {"{'npy': {'inputs': 'x.npy', 'targets': 't.npy'}, 'task': 'classification'}",
         "t.npy: row 0: the target 0.5 is no class id: ids are whole numbers"},
        {"{'npy': {'inputs': 'x.npy', 'targets': 't2.npy'}, 'task': 'classification'}",
         "t2.npy: classification needs one class id a row; there are 2 numbers a row"},
        {"{'npy': {'inputs': 'x.npy', 'targets': 'nan.npy'}, 'task': 'regression'}",
         "nan.npy: row 2: the target is nan; regression needs finite numbers"},
        {"{'npy': {'inputs': 'bad.npy', 'targets': 'y.npy'}}", "bad.npy: row 2 holds a value that is infinite"},
        {"{" X_Y ", 'test': {'npy': {'inputs': 'small.npy', 'targets': 'y.npy'}}}",
         "small.npy: its rows are 2x2x1; those of the training data are 2x3x1"},
        {"{" X_Y ", 'test': {'npy': {'inputs': 'x.npy', 'targets': 'y9.npy'}}}",
         "y9.npy: row 3: the target 9 is out of range: the classes of the training data are 0 to 2"},
        {"{'npy': {'inputs': 'f.npy', 'targets': 't.npy'}, 'task': 'regression', 'test': {'npy': {'inputs': 'f.npy', 'targets': "
         "'t2.npy'}}}",
         "t2.npy has 2 numbers a target; "},
        {"{'csv': 'train.csv', 'target': 'kind', 'drop': 'id', 'test': {'csv': 'new.csv'}}",
         "new.csv:4: the target 'owl' is no class of the training data, which has 3 names: cat, cow, dog"},
        {"{'csv': 'train.csv', 'target': 'kind', 'test': {'csv': 'new.csv'}}", "new.csv:1: has no column 'id' (of the training data)"},
        {"{'csv': 'train.csv', 'target': 'a', 'task': 'regression'}", "train.csv:2: column 'kind': 'cat' is no number"},
        {"{'csv': 'train.csv', 'target': 'kind', 'drop': 'id', 'task': 'regression'}",
         "train.csv:2: the target 'cat' is a text; regression needs numbers"},
        {"{'csv': 'half.csv', 'target': 'y', 'task': 'classification'}", "half.csv:3: the target 0.5 is no class id"},
        {"{'csv': 'single.csv', 'target': 'y'}", "single.csv: the targets have 1 class; "},
        {"{'csv': 'numbers.csv', 'target': 'y', 'task': 'classification', 'test': {'csv': 'three.csv'}}",
         "three.csv:3: the target '3' is no class of the training data, which has 2 names: -1, 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_failure(cases[i][0], KNACK_E_DATA, cases[i][1]);

    expect_failure("{" X_Y ", 'test': {'npy': {'inputs': 'unit.npy', 'targets': 'y.npy'}}}", KNACK_E_DATA,
                   "unit.npy: holds 32-bit floats; the training data were 8-bit unsigned integers divided by 255: give the same type");
    data_close(open_data("{" X_Y ", 'test': {'npy': {'inputs': 'unit.npy', 'targets': 'y.npy'}, 'divide': 1}}", 0));
}

/* ---- Examples that a program or a file brings ---- */

static void example_out_of_range(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" X_Y "}", 0);
    knack_real x[6];
    int64_t example = 4;
    assert_int_equal(data_inputs(data, PART_TRAIN, &example, 1, x), KNACK_E_CALL);
    assert_string_equal(knack_error(), "example 4 of the train part, which has 4");
    data_close(data);
}

static void convert(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" X_Y ", 'standardise': true}", 0);
    double raw[24];
    knack_real out[24], *x = all_inputs(data, PART_TRAIN);
    for (int i = 0; i < 24; i++) raw[i] = i * 11;
    assert_int_equal(data_convert(data, 4, raw, out), KNACK_OK);
    assert_memory_equal(out, x, sizeof out);
    memory_free(x);
    raw[7] = NAN;
    assert_int_equal(data_convert(data, 4, raw, out), KNACK_E_DATA);
    assert_string_equal(knack_error(), "row 1, value 1 is missing (NaN); the training data had no missing values");
    raw[7] = 1e308 * 10;
    assert_int_equal(data_convert(data, 4, raw, out), KNACK_E_DATA);
    assert_string_equal(knack_error(), "row 1, value 1 is infinite");
    data_close(data);

    data = open_data("{'csv': 'train.csv', 'target': 'kind', 'drop': 'id'}", 0);
    raw[0] = NAN;
    assert_int_equal(data_convert(data, 1, raw, out), KNACK_OK);
    assert_true(isnan(out[0]));
    data_close(data);
}

/* Reading by the data set itself and by what its description gives back is the same. */
static void expect_rows(struct dataset *data, const char *file, int64_t count, const knack_real *expected)
{
    knack_real *x;
    int64_t rows;
    if (data_read_inputs(data, fixture_path(file), &rows, &x) < 0) fail_msg("%s", knack_error());
    assert_int_equal(rows, count);
    assert_memory_equal(x, expected, (size_t)(count * data->width) * sizeof *x);
    memory_free(x);
}

static struct dataset *describe_and_restore(const struct dataset *data)
{
    struct json_writer *writer = json_writer_new(true);
    assert_non_null(writer);
    json_open(writer, NULL, '{');
    data_describe(data, writer, "data");
    json_close(writer);
    size_t size;
    const char *text = json_text(writer, &size);
    assert_non_null(text);
    struct json_document *document;
    if (json_parse(text, size, "model", &document) < 0) fail_msg("%s", knack_error());
    struct dataset *restored;
    if (data_restore(json_member(document->root, "data"), &restored) < 0) fail_msg("%s", knack_error());
    json_free(document);
    json_writer_free(writer);
    return restored;
}

static void described_images(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" X_Y ", 'standardise': true, 'augment': [{'name': 'shift', 'pixels': 1}], 'positive': [2]}", 0);
    struct dataset *restored = describe_and_restore(data);
    assert_int_equal(restored->kind, KNACK_CLASSIFICATION);
    assert_int_equal(restored->classes, 2);
    assert_string_equal(restored->class_name[1], "2");
    assert_int_equal(restored->width, 6);
    assert_true(restored->mean[0] == data->mean[0] && restored->deviation[0] == data->deviation[0]);
    assert_int_equal(restored->part[PART_TRAIN].count, 0);
    knack_real *x = all_inputs(data, PART_TRAIN), out[24], other[24];
    expect_rows(data, "x.npy", 4, x);
    expect_rows(restored, "x.npy", 4, x);
    expect_rows(restored, "x.idx", 4, x);
    bool trained;
    assert_int_equal(data_view(restored, "shift 0 1", 4, x, out, &trained), KNACK_OK);
    assert_true(trained);
    assert_int_equal(data_view(data, "shift 0 1", 4, x, other, &trained), KNACK_OK);
    assert_memory_equal(out, other, sizeof out);
    memory_free(x);
    data_close(restored);
    data_close(data);
}

static void described_tables(void **state)
{
    (void)state;
    struct dataset *data = open_data("{'csv': 'train.csv', 'target': 'kind', 'drop': 'id', 'test': {'csv': 'test.csv'}}", 0);
    struct dataset *restored = describe_and_restore(data);
    assert_true(restored->missing);
    assert_string_equal(restored->class_name[2], "dog");
    knack_real *x = all_inputs(data, PART_TEST);
    expect_rows(restored, "test.csv", 2, x);
    memory_free(x);
    data_close(restored);
    data_close(data);

    data = open_data("{'npy': {'inputs': 'f.npy', 'targets': 't2.npy'}, 'task': 'regression'}", 0);
    restored = describe_and_restore(data);
    assert_int_equal(restored->kind, KNACK_REGRESSION);
    assert_int_equal(restored->outputs, 2);
    assert_int_equal(restored->classes, 0);
    data_close(restored);
    data_close(data);
}

/* Rows of an image's values, of whatever type, are the images in the units of the training data's file. */
static void images_as_rows(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" X_Y ", 'standardise': true}", 0);
    knack_real *x = all_inputs(data, PART_TRAIN);
    float value[24];
    char lines[4][96], text[512];
    for (int i = 0; i < 24; i++) value[i] = (float)(i * 11);
    for (int i = 0; i < 4; i++) {
        const float *v = value + 6 * (ptrdiff_t)i;
        snprintf(lines[i], sizeof lines[i], "%g,%g,%g,%g,%g,%g\n", v[0], v[1], v[2], v[3], v[4], v[5]);
    }
    put_floats("rows.npy", "(4, 6)", value, 24);
    put_floats("images.npy", "(4, 2, 3)", value, 24);
    put_floats("channels.npy", "(4, 2, 3, 1)", value, 24);
    static const char *const header[] = {"", "a,b,c,d,e,f\n", "0,1,2,3,4,5\n", "1,2,3,4,5,6\n"}; /* the last two are what counts */
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) {
        snprintf(text, sizeof text, "%s%s%s%s%s", header[i], lines[0], lines[1], lines[2], lines[3]);
        put_text("rows.csv", text);
        expect_rows(data, "rows.csv", 4, x);
    }
    put_text("rows.csv", "0,1,2,3,4,5\n"); /* nothing follows that these could be names of */
    knack_real *alone;
    int64_t count;
    assert_int_equal(data_read_inputs(data, fixture_path("rows.csv"), &count, &alone), KNACK_OK);
    assert_int_equal(count, 1);
    memory_free(alone);
    expect_rows(data, "rows.npy", 4, x);
    expect_rows(data, "images.npy", 4, x);
    expect_rows(data, "channels.npy", 4, x);
    memory_free(x);
    data_close(data);
}

static void inputs_refused(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" X_Y "}", 0), *table = open_data("{'csv': 'numbers.csv', 'target': 'y', 'task': 'regression'}", 0);
    put_text("gap.csv", "a\n1\nNA\n");
    put_floats("gaps.npy", "(2, 2, 3)", (float[12]){1, 2, 3, 4, 5, 6, 7, NAN, 9, 10, 11, NAN}, 12);
    put_floats("quotients.npy", "(4, 6)", (float[24]){0, 0.5f, 1}, 24);
    put_text("short.csv", "1,2,3\n4,5,6\n");
    put_text("x.dat", "?");
    const struct {
        struct dataset *data;
        const char *file, *message;
    } cases[] = {
        {data, "x.dat", "x.dat: its ending is not known; inputs are .npy, .idx (or -ubyte) or .csv, and .gz after each"},
        {data, "f.npy", "f.npy: its rows are 2, 2 values; those of the training data are 2x3x1, 6 values"},
        {data, "short.csv", "short.csv: its rows are 3, 3 values; those of the training data are 2x3x1, 6 values"},
        {data, "quotients.npy",
         "quotients.npy: no value is above 1: give them in the units of the training data's file, 8-bit unsigned integers, and not divided "
         "by 255"},
        {data, "gaps.npy", "gaps.npy: row 1 (the first is 0), value 1 is missing (NaN); the training data had no missing values"},
        {data, "none.npy", "none.npy: cannot open"},
        {table, "gap.csv", "gap.csv: row 1 (the first is 0), column 'a' is missing (NaN); the training data had no missing values"},
        {table, "train.gz", "train.gz: its ending is not known"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        knack_real *x;
        int64_t count;
        knack_status status = data_read_inputs(cases[i].data, fixture_path(cases[i].file), &count, &x);
        assert_int_equal(status, KNACK_E_DATA);
        assert_null(x);
        if (!strstr(knack_error(), cases[i].message)) fail_msg("said %s, not %s", knack_error(), cases[i].message);
    }
    knack_real *x;
    int64_t count;
    assert_int_equal(data_read_inputs(table, fixture_path("test.csv"), &count, &x), KNACK_OK); /* more columns are ignored */
    assert_true(count == 2 && x[0] == 2 && x[1] == 4);
    memory_free(x);
    data_close(data);
    data_close(table);
}

static void restore_refused(void **state)
{
    (void)state;
#define DESCRIBED(shape, more)                                                                                                             \
    "{\"kind\": \"classification\", \"outputs\": 2, \"shape\": " shape                                                                     \
    ", \"type\": \"u1\", \"divide\": 255, \"missing\": false, \"augment\": []" more "}"
    static const char *const cases[][2] = {
        {"{}", "\"kind\" is missing"},
        {DESCRIBED("[2, 2]", ""), "at shape: expected 1 or 3 sizes; found 2"},
        {DESCRIBED("[2147483647, 2147483647, 2147483647]", ""), "at shape: gives more values a row than are supported"},
        {DESCRIBED("[0]", ""), "at shape[0]: "},
        {DESCRIBED("[4]", ", \"class_names\": [\"a\"]"), "at class_names: has 1 entries; expected 2"},
        {DESCRIBED("[4]", ", \"columns\": [\"a\"]"), "at columns: has 1 entries; expected 4"},
        {DESCRIBED("[4]", ", \"mean\": [1, 2, 3, 4]"), "\"mean\" and \"deviation\" have 4 and 0 entries; expected 4"},
        {DESCRIBED("[4, 4, 1]", ", \"augment\": [\"flip\"]"), "augment"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_document *document;
        struct dataset *data = NULL;
        knack_status status = json_parse(cases[i][0], strlen(cases[i][0]), "model", &document);
        if (status == KNACK_OK) status = data_restore(document->root, &data);
        json_free(document);
        assert_true(status < 0);
        assert_null(data);
        if (!strstr(knack_error(), cases[i][1])) fail_msg("said %s, not %s", knack_error(), cases[i][1]);
    }
}

static void schema(void **state)
{
    (void)state;
    struct json_writer *writer = json_writer_new(false);
    assert_non_null(writer);
    json_open(writer, NULL, '{');
    data_schema(writer, "data");
    json_close(writer);
    size_t size;
    const char *text = json_text(writer, &size);
    assert_non_null(text);
    struct json_document *document;
    if (json_parse(text, size, "schema", &document) < 0) fail_msg("%s", knack_error());
    const struct json *data = json_member(document->root, "data");
    assert_non_null(json_member(json_member(data, "properties"), "label_noise"));
    const struct json *forms = json_member(json_member(data, "allOf")->first, "properties");
    assert_non_null(json_member(json_member(json_member(forms, "npy"), "properties"), "targets"));
    assert_non_null(json_member(json_member(json_member(forms, "test"), "properties"), "csv"));
    assert_non_null(json_member(json_member(forms, "augment"), "items"));
    json_free(document);
    json_writer_free(writer);
}

/* ---- Hashes of a part ---- */

static uint64_t hash_of(const char *config, enum data_part part)
{
    uint64_t hash;
    struct dataset *data = open_data(config, 0);
    if (data_part_hash(data, part, &hash) < 0) fail_msg("%s", knack_error());
    data_close(data);
    return hash;
}

static void hash_of_a_part(void **state)
{
    (void)state;
    uint8_t pixel[24];
    for (int i = 0; i < 24; i++) pixel[i] = (uint8_t)(i * 11);
    uint64_t hash = hash_of("{'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}}", PART_TRAIN);
    assert_true(hash == hash_of("{'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}, 'standardise': true}", PART_TRAIN));
    assert_true(hash == hash_of("{'idx': {'inputs': 'x.idx', 'targets': 'y.idx'}}", PART_TRAIN));
    pixel[23] ^= 1;
    put_bytes("changed.npy", "(4, 2, 3)", pixel, 24);
    assert_true(hash != hash_of("{'npy': {'inputs': 'changed.npy', 'targets': 'y.npy'}}", PART_TRAIN));
    put_bytes("classes.npy", "(4,)", (uint8_t[]){0, 2, 1, 1}, 4);
    assert_true(hash != hash_of("{'npy': {'inputs': 'x.npy', 'targets': 'classes.npy'}}", PART_TRAIN));
}

static void hash_of_rows_from_two_files(void **state)
{
    (void)state;
    uint64_t hash = hash_of("{'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}}", PART_TRAIN);
    const char *two = "{'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}, 'test': {'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}}}";
    assert_true(hash == hash_of(two, PART_TEST));
    assert_true(hash == hash_of(two, PART_TRAIN));
    assert_true(hash_of("{'npy': {'inputs': 'f.npy', 'targets': 't.npy'}, 'task': 'regression'}", PART_TRAIN) !=
                hash_of("{'npy': {'inputs': 'f.npy', 'targets': 't2.npy'}, 'task': 'regression'}", PART_TRAIN));
    /* Label noise is in the training rows, so what is tested on stays what it is. */
    assert_true(hash_of("{'source': 'digits'}", PART_TEST) == hash_of("{'source': 'digits', 'label_noise': 0.5, 'limit': 99}", PART_TEST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy),
        cmocka_unit_test(idx_and_npz),
        cmocka_unit_test(csv),
        cmocka_unit_test(standardise),
        cmocka_unit_test(config_refusals),
        cmocka_unit_test(file_refusals),
        cmocka_unit_test(example_out_of_range),
        cmocka_unit_test(convert),
        cmocka_unit_test(described_images),
        cmocka_unit_test(described_tables),
        cmocka_unit_test(images_as_rows),
        cmocka_unit_test(inputs_refused),
        cmocka_unit_test(restore_refused),
        cmocka_unit_test(schema),
        cmocka_unit_test(hash_of_a_part),
        cmocka_unit_test(hash_of_rows_from_two_files),
    };
    return cmocka_run_group_tests_name("data sets", tests, set_up, fixture_tear_down);
}
