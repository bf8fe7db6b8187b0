/* Numbers as people read them, and tables, where the program shows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/columns.h"
#include "cli/format.h"

static void test_numbers(void **state)
{
    (void)state;
    char text[FORMAT_SIZE];
    static const struct {
        double value;
        const char *text;
    } number[] = {
        {0, "0.0000"},        {0.96551, "0.9655"}, {-0.5, "-0.5000"}, {1, "1.0000"},    {1234.5, "1234.5000"}, {0.000123456, "0.0001235"},
        {123456.7, "123500"}, {-0.00004, "-4e-5"}, {NAN, "-"},        {INFINITY, "inf"}};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) assert_string_equal(format_number(text, number[i].value), number[i].text);
    assert_string_equal(format_fixed(text, 1.25, 0), "1");
    assert_string_equal(format_fixed(text, -0.04, 1), "0.0");
    assert_string_equal(format_fixed(text, 0.95, 1), "1.0");
}

static void test_counts_and_durations(void **state)
{
    (void)state;
    char text[FORMAT_SIZE];
    assert_string_equal(format_count(text, 0), "0");
    assert_string_equal(format_count(text, 999), "999");
    assert_string_equal(format_count(text, 1437), "1,437");
    assert_string_equal(format_count(text, -123456), "-123,456");
    assert_string_equal(format_count(text, 1000000), "1,000,000");
    assert_string_equal(format_duration(text, 0.0284), "28 ms");
    assert_string_equal(format_duration(text, 0.844), "0.84 s");
    assert_string_equal(format_duration(text, 12.34), "12.3 s");
    assert_string_equal(format_duration(text, 59.99), "1:00 min");
    assert_string_equal(format_duration(text, 125), "2:05 min");
    assert_string_equal(format_duration(text, 3725), "1:02:05 h");
    assert_string_equal(format_duration(text, NAN), "-");
}

static void test_reals_read_back(void **state)
{
    (void)state;
    static const knack_real value[] = {
        0, 1, (knack_real)0.1, (knack_real)(1.0 / 3), (knack_real)1e-30, (knack_real)16777217, -2.5f, (knack_real)3e38};
    for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
        char text[FORMAT_SIZE];
        double back;
        assert_int_equal(sscanf(format_real(text, value[i]), "%lf", &back), 1);
        assert_true((knack_real)back == value[i]);
    }
    char text[FORMAT_SIZE];
    if (sizeof(knack_real) == sizeof(float)) assert_string_equal(format_real(text, (knack_real)0.1), "0.1");
}

/* What columns_print() wrote to standard output, by way of a file. */
static void print_to(char *text, size_t size, struct columns *table, int64_t width)
{
    fflush(stdout);
    int screen = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    assert_non_null(file);
    dup2(fileno(file), STDOUT_FILENO);
    struct console console = {.result_width = width};
    knack_status status = columns_print(table, &console);
    fflush(stdout);
    dup2(screen, STDOUT_FILENO);
    close(screen);
    assert_int_equal(status, KNACK_OK);
    rewind(file);
    size_t length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    fclose(file);
}

static void test_table(void **state)
{
    (void)state;
    struct columns *table = columns_new(3, (const char *const[]){"name", ">count", "note"});
    static const char *const cell[] = {"a", "1", "x", "\u00fcber", "1,000", "longer note"};
    for (int i = 0; i < 6; i++) columns_cell(table, cell[i]);
    char text[512];
    print_to(text, sizeof text, table, 0);
    assert_string_equal(text, "name  count  note\n"
                              "----  -----  -----------\n"
                              "a         1  x\n"
                              "\u00fcber  1,000  longer note\n");
}

static void test_table_on_a_narrow_screen(void **state)
{
    (void)state;
    struct columns *table = columns_new(2, (const char *const[]){"name", "meaning"});
    columns_cell(table, "alpha");
    columns_cell(table, "how much of one is mixed with the other, and so on");
    columns_cell(table, "b");
    columns_cell(table, "");
    char text[512];
    print_to(text, sizeof text, table, 30);
    assert_string_equal(text, "name   meaning\n"
                              "-----  -----------------------\n"
                              "alpha  how much of one is\n"
                              "       mixed with the other,\n"
                              "       and so on\n"
                              "b      \n");
}

/* Seven allocations: the table, its alignments, room for cells, a heading, two cells, and the widths. */
static void test_table_without_memory(void **state)
{
    (void)state;
    for (int64_t nth = 1; nth <= 7; nth++) {
        memory_fail_at(nth);
        struct columns *table = columns_new(1, (const char *const[]){"name"});
        if (table) {
            columns_cell(table, "a");
            columns_cell(table, "b");
        }
        struct console console = {0};
        assert_int_equal(columns_print(table, &console), KNACK_E_MEMORY);
        memory_fail_at(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_counts_and_durations),     cmocka_unit_test(test_reals_read_back),
        cmocka_unit_test(test_table),   cmocka_unit_test(test_table_on_a_narrow_screen), cmocka_unit_test(test_table_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
