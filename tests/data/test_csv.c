#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/csv.h"
#include "fixture.h"

static knack_status read_text(const char *text, int64_t size, const struct csv_request *request, struct csv_table *table)
{
    struct blob blob;
    put_file("t.csv", text, size);
    assert_int_equal(blob_open(fixture_path("t.csv"), &blob), KNACK_OK);
    knack_status status = csv_read(&blob, request, table);
    blob_close(&blob);
    return status;
}

static const knack_real *values(const struct csv_table *table)
{
    return (const knack_real *)table->values.blob.bytes;
}

static void open_table(const char *text, const struct csv_request *request, struct csv_table *table)
{
    if (read_text(text, (int64_t)strlen(text), request, table) < 0) fail_msg("%s", knack_error());
}

static void numbers(void **state)
{
    (void)state;
    struct csv_table table;
    open_table("\xef\xbb\xbf"
               "a,y,\"b, \"\"c\"\"\"\r\n1,0, -2.5e1 \r\n\r\n.5,1,\"3\"\n",
               &(struct csv_request){.target = "y"}, &table);
    assert_int_equal(table.columns, 2);
    assert_string_equal(table.column[0], "a");
    assert_string_equal(table.column[1], "b, \"c\"");
    assert_int_equal(table.values.shape[0], 2);
    const knack_real *x = values(&table);
    assert_true(x[0] == 1 && x[1] == -25 && x[2] == (knack_real)0.5 && x[3] == 3);
    assert_null(table.targets.name);
    assert_false(table.targets.integers);
    assert_true(table.targets.value[0] == 0 && table.targets.value[1] == 1);
    assert_int_equal(table.targets.line[0], 2);
    assert_int_equal(table.targets.line[1], 4);
    csv_table_free(&table);
}

static void missing_values(void **state)
{
    (void)state;
    struct csv_table table;
    open_table("a,b,y\n,NA,1\nNaN,nan,2\nnull, ? ,3\n\"\",7,4", &(struct csv_request){.target = "y"}, &table);
    const knack_real *x = values(&table);
    for (int i = 0; i < 7; i++) assert_true(isnan(x[i]));
    assert_true(x[7] == 7);
    csv_table_free(&table);
}

static void text_targets(void **state)
{
    (void)state;
    struct csv_table table;
    open_table("kind,a\nzebra,1\n\"two\nlines\",2\nZoo,3\nzebra,4\n\xc3\xa4,5\n12,6\n", &(struct csv_request){.target = "kind"}, &table);
    const struct targets *targets = &table.targets;
    assert_int_equal(targets->names, 5);
    static const char *const sorted[] = {"12", "Zoo", "two\nlines", "zebra", "\xc3\xa4"};
    for (int i = 0; i < 5; i++) assert_string_equal(targets->name[i], sorted[i]);
    static const int expected[] = {3, 2, 1, 3, 4, 0}, line[] = {2, 3, 5, 6, 7, 8};
    for (int i = 0; i < 6; i++) {
        assert_true(targets->value[i] == expected[i]);
        assert_int_equal(targets->line[i], line[i]);
    }
    csv_table_free(&table);

    open_table("y,a\n1,1\n0,2\n", &(struct csv_request){.target = "y", .text_target = true}, &table);
    assert_int_equal(table.targets.names, 2);
    assert_true(table.targets.value[0] == 1);
    csv_table_free(&table);
}

static void columns(void **state)
{
    (void)state;
    struct csv_table table;
    static const char text[] = "a,name,b,y\n1,x,2,0\n3,z,4,1\n";
    const char *drop[] = {"name", "a"}, *wanted[] = {"b", "a"};
    open_table(text, &(struct csv_request){.target = "y", .drop = drop, .drops = 2}, &table);
    assert_int_equal(table.columns, 1);
    assert_true(values(&table)[1] == 4);
    csv_table_free(&table);
    open_table(text, &(struct csv_request){.column = wanted, .columns = 2}, &table); /* in the order that is asked for */
    assert_null(table.targets.value);
    assert_string_equal(table.column[0], "b");
    assert_true(values(&table)[0] == 2 && values(&table)[1] == 1);
    csv_table_free(&table);
}

/* Fields and lines across the pieces in which a file is read. */
static void long_files(void **state)
{
    (void)state;
    enum { ROWS = 20000, LINE = 40 }; /* no line is longer */
    char *text = memory_new((ROWS + 1) * LINE, 1);
    assert_non_null(text);
    int64_t size = snprintf(text, LINE, "a,t,b\n");
    for (int i = 0; i < ROWS; i++) size += snprintf(text + size, LINE, "%d,\"class \"\"%d\"\"\",%d.5\r\n", i, i % 700, -i);
    struct csv_table table;
    if (read_text(text, size, &(struct csv_request){.target = "t"}, &table) < 0) fail_msg("%s", knack_error());
    assert_int_equal(table.values.shape[0], ROWS);
    assert_int_equal(table.targets.names, 700);
    for (int i = 0; i < ROWS; i++) {
        assert_true(values(&table)[2 * i] == i && values(&table)[2 * i + 1] == (knack_real)(-i - (i ? 0.5 : -0.5)));
        char name[32];
        sprintf(name, "class \"%d\"", i % 700);
        assert_string_equal(table.targets.name[(int)table.targets.value[i]], name);
    }
    csv_table_free(&table);
    memory_free(text);
}

static void refusals(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "t.csv: is empty; a header with the columns' names is needed"},
        {"\n\n", "t.csv: is empty; a header"},
        {"a,y\n", "t.csv: has a header but no rows"},
        {"a,b\n1,2\n", "t.csv:1: has no column 'y' (the target); it has 2 names: a, b"},
        {"a,yy\n1,2\n", "t.csv:1: has no column 'y' (the target); did you mean 'yy'?; it has 2 names: a, yy"},
        {"a;y\n1;2\n", "it has 1 name: a;y; fields must be separated by commas"},
        {"a,a,y\n1,2,3\n", "t.csv:1: two columns are named 'a'"},
        {"1,1,2\n3,4,5\n",
         "t.csv:1: two columns are named '1'; its first line seems to be a row: put a line with the columns' names before it"},
        {"0.5,1,2\n3,4,5\n", "t.csv:1: has no column 'y' (the target); it has 3 names: 0.5, 1, 2; its first line seems to be a row: "
                             "put a line with the columns' names before it"},
        {"a,,y\n1,2,3\n", "t.csv:1: column 2 has no name; name it, or leave it out by \"drop\": [\"\"]"},
        {"y\n1\n", "t.csv:1: leaves no column as input"},
        {"a,y\n1,2\n\n3\n", "t.csv:4: fields: 1; the header has 2"},
        {"a,y\n1,2\n1,2,3\n", "t.csv:3: fields: more than the 2 that the header has"},
        {"a,y\n1,2\nx y,2\n", "t.csv:3: column 'a': 'x y' is no number; give numbers, or leave the column out by \"drop\": [\"a\"]"},
        {"a,y\n1,2\n1.5.2,2\n", "t.csv:3: column 'a': '1.5.2' is no number"},
        {"a,y\n1,2\n-nan,2\n", "t.csv:3: column 'a': '-nan' is no number"},
        {"a,y\n1,2\n1e999,2\n", "t.csv:3: column 'a': '1e999' is infinite or too large"},
        {"a,y\n1,2\ninf,2\n", "t.csv:3: column 'a': 'inf' is infinite or too large"},
        {"a,y\n1,2\n1,\n", "t.csv:3: the target 'y' is missing"},
        {"a,y\n1,2\n1,NA\n", "t.csv:3: the target 'y' is missing"},
        {"a,y\n1,b\n1,\n", "t.csv:3: the target 'y' is missing"},
        {"a,y\n1,2\n1,1e999\n", "t.csv:3: the target 'y' is infinite: '1e999'"},
        {"a,y\n1,2\n\"1,2\n4,5\n", "t.csv:3: a quoted field is not closed"},
        {"a,y\n1,2\n\"1\"2,5\n", "t.csv:3: a quoted field ends, but no comma or new line follows; write \"\" for a quote within a field"},
        {"a,y\n1,2\n\"a\nb\nc\",\"\x1b[31m\"\n", "t.csv:3: column 'a': 'a?b?c' is no number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct csv_table table;
        knack_status status = read_text(cases[i][0], (int64_t)strlen(cases[i][0]), &(struct csv_request){.target = "y"}, &table);
        if (status >= 0) fail_msg("read: %s", cases[i][0]);
        if (!strstr(knack_error(), cases[i][1])) fail_msg("said %s, not %s", knack_error(), cases[i][1]);
        assert_int_equal(status, KNACK_E_DATA);
    }
}

static void more_refusals(void **state)
{
    (void)state;
    struct csv_table table;
    const char *drop[] = {"b"}, *target[] = {"y"}, *wanted[] = {"a", "c"};
    assert_int_equal(read_text("a,y\n1,2\n", 8, &(struct csv_request){.target = "y", .drop = drop, .drops = 1}, &table), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "has no column 'b' (to drop)"));
    assert_int_equal(read_text("a,y\n1,2\n", 8, &(struct csv_request){.target = "y", .drop = target, .drops = 1}, &table), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "'y' is the target and cannot be dropped"));
    assert_int_equal(read_text("a,y\n1,2\n", 8, &(struct csv_request){.column = wanted, .columns = 2}, &table), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "has no column 'c' (of the training data)"));
    assert_int_equal(read_text("a,y\n1\0,2\n", 9, &(struct csv_request){.target = "y"}, &table), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "t.csv:2: holds a zero byte: this is no text in UTF-8"));

    int64_t size = (1 << 20) + 100;
    char *text = memory_new((size_t)size, 1);
    assert_non_null(text);
    memset(text, '1', (size_t)size);
    memcpy(text, "a,y\n\"", 5);
    assert_int_equal(read_text(text, size, &(struct csv_request){.target = "y"}, &table), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "t.csv:2: a field is longer than a million bytes; is a quote missing?"));
    memory_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),    cmocka_unit_test(missing_values), cmocka_unit_test(text_targets),  cmocka_unit_test(columns),
        cmocka_unit_test(long_files), cmocka_unit_test(refusals),       cmocka_unit_test(more_refusals),
    };
    return cmocka_run_group_tests_name("csv files", tests, fixture_set_up, fixture_tear_down);
}
