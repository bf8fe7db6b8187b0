/* Numbers that read back, the width of text, and tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/columns.h"
#include "cli/format.h"
#include "cli/paragraph.h"

static void test_reals_read_back(void **state)
{
    (void)state;
    static const knack_real value[] = {
        0, 1, (knack_real)0.1, (knack_real)(1.0 / 3), (knack_real)1e-30, (knack_real)16777217, -2.5f, (knack_real)3e38};
    for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
        char text[NUMBER_SIZE];
        double back;
        assert_int_equal(sscanf(format_real(text, value[i]), "%lf", &back), 1);
        assert_true((knack_real)back == value[i]);
    }
    char text[NUMBER_SIZE];
    if (sizeof(knack_real) == sizeof(float)) assert_string_equal(format_real(text, (knack_real)0.1), "0.1");
}

/* Two columns for what fills a square, none for an accent that joins the letter before; a narrow line is cut before a wide character. */
static void test_columns_of_text(void **state)
{
    (void)state;
    locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!unicode) skip();
    freelocale(unicode);
    assert_int_equal(text_columns("plain"), 5);
    assert_int_equal(text_columns("\u00fcber"), 4);
    assert_int_equal(text_columns("u\u0308ber"), 4);
    assert_int_equal(text_columns("\u6df7\u5408"), 4);
    assert_int_equal(text_columns("\U0001F600!"), 3);
    assert_int_equal(text_columns("\xff"), 1);
    assert_int_equal(text_cut("\u6df7\u5408", 3), 3);
    assert_int_equal(text_cut("u\u0308ber", 1), 3);
    assert_int_equal(text_line_length("\u6df7\u5408 \u6df7\u5408", 7), 6);
    assert_int_equal(text_line_length("\u6df7\u5408 \u6df7\u5408", 9), 13);
    assert_int_equal(text_line_length("averylongword then", 5), 13);
    assert_int_equal(text_line_length("", 5), 0);
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
    static const char *const cell[] = {"a", "1", "x", "\u00fcber", "1,000", "longer note", "\u6df7\u5408", "2", "wide"};
    for (int i = 0; i < 9; i++) columns_cell(table, cell[i]);
    char text[512];
    print_to(text, sizeof text, table, 0);
    assert_string_equal(text, "name  count  note\n"
                              "----  -----  -----------\n"
                              "a         1  x\n"
                              "\u00fcber  1,000  longer note\n"
                              "\u6df7\u5408      2  wide\n");
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
        cmocka_unit_test(test_reals_read_back),          cmocka_unit_test(test_columns_of_text),      cmocka_unit_test(test_table),
        cmocka_unit_test(test_table_on_a_narrow_screen), cmocka_unit_test(test_table_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
