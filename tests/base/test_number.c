/* Numbers as people read them. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>

#include "base/comma_locale.h"
#include "base/growing.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"

static char text[NUMBER_SIZE];

static void test_single_numbers(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *four, *less;
    } number[] = {{0, "0.0000", "0"},
                  {0.96551, "0.9655", "0.9655"},
                  {-0.5, "-0.5000", "-0.5"},
                  {1234.5, "1234.5000", "1235"},
                  {0.000123456, "0.0001235", "0.0001235"},
                  {123456.7, "123500", "123500"},
                  {-0.00004, "-4e-5", "-4e-5"},
                  {NAN, "-", "-"},
                  {INFINITY, "inf", "inf"}};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) {
        assert_string_equal(number_four(text, number[i].value), number[i].four);
        assert_string_equal(number_short(text, number[i].value), number[i].less);
    }
    assert_string_equal(number_fixed(text, 1.25, 0), "1");
    assert_string_equal(number_fixed(text, -0.04, 1), "0.0");
    assert_string_equal(number_fixed(text, 1.23456e-9, 9), "1.235e-9");
    assert_string_equal(number_fixed(text, NAN, 2), "-");
    assert_string_equal(number_signed(text, .5, 2), "+0.50");
    assert_string_equal(number_signed(text, -.2, 2), "-0.20");
    assert_string_equal(number_signed(text, -.001, 2), "0.00");
    assert_string_equal(number_signed(text, INFINITY, 2), "+inf");
    assert_string_equal(number_ratio(text, 1.934), "1.93x");
    assert_string_equal(number_ratio(text, NAN), "-");
    assert_string_equal(text_digits(text, 15000000, 2), "1.5e7");
    assert_string_equal(text_digits(text, 2e-9, 1), "2e-9");
    assert_true(number_round(123456.7, 4) == 123500 && number_round(0, 4) == 0 && isnan(number_round(NAN, 4)));
}

/* A bound's side of 0 is seen, however few decimals there are. */
static void test_intervals(void **state)
{
    (void)state;
    char effect[3 * NUMBER_SIZE];
    assert_string_equal(number_bound(text, .004, 1), "+0.004");
    assert_string_equal(number_bound(text, -.2, 1), "-0.2");
    assert_string_equal(number_bound(text, 0, 1), "0.0");
    assert_string_equal(number_interval(text, .3, .7, 2), "+0.30 to +0.70");
    assert_string_equal(number_interval(text, .3, NAN, 2), "-");
    assert_string_equal(number_effect(effect, sizeof effect, .5, .3, .7, 2), "+0.50 [+0.30, +0.70]");
    assert_string_equal(number_effect(effect, sizeof effect, .5, NAN, .7, 2), "+0.50");
    assert_int_equal(number_decimals(.5, 10), 2);
    assert_int_equal(number_decimals(1, 10), 1);
    assert_int_equal(number_decimals(50, 5), 0);
    assert_int_equal(number_decimals(NAN, 5), 4);
    assert_int_equal(number_decimals(1e-12, 5), 7);
}

/* .0496 must not read as .050, nor anything below 1 in 10,000 as 0. */
static void test_probabilities(void **state)
{
    (void)state;
    static const struct {
        double p;
        const char *text;
    } p[] = {{1e-9, "<0.0001"}, {.00012, "0.0001"}, {.0023, "0.002"}, {.0496, "0.0496"}, {.0504, "0.0504"},
             {.051, "0.051"},   {.1023, "0.10"},    {.312, "0.31"},   {.996, "1"},       {NAN, "-"}};
    for (size_t i = 0; i < sizeof p / sizeof *p; i++) assert_string_equal(number_p(text, p[i].p), p[i].text);
}

static void test_counts_and_durations(void **state)
{
    (void)state;
    assert_string_equal(number_count(text, 0), "0");
    assert_string_equal(number_count(text, 999), "999");
    assert_string_equal(number_count(text, 1437), "1,437");
    assert_string_equal(number_count(text, -123456), "-123,456");
    assert_string_equal(number_count(text, 1000000), "1,000,000");
    assert_string_equal(number_duration(text, 0.0007), "0.70 ms");
    assert_string_equal(number_duration(text, 0.0284), "28 ms");
    assert_string_equal(number_duration(text, 0.844), "0.84 s");
    assert_string_equal(number_duration(text, 12.34), "12.3 s");
    assert_string_equal(number_duration(text, 59.99), "1:00 min");
    assert_string_equal(number_duration(text, 125), "2:05 min");
    assert_string_equal(number_duration(text, 3725), "1:02:05 h");
    assert_string_equal(number_duration(text, NAN), "-");
}

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(number_of(text, 1, "seed"), "1 seed");
    assert_string_equal(number_of(text, 0, "seed"), "0 seeds");
    assert_string_equal(number_of(text, 1437, "complete block"), "1,437 complete blocks");
    assert_string_equal(number_s("1"), "");
    assert_string_equal(number_s("-1"), "");
    assert_string_equal(number_s("1.00"), "s");
    assert_string_equal(number_s("0.5"), "s");
}

static void assert_typeset(const char *plain, const char *typeset)
{
    snprintf(text, sizeof text, "%s", plain);
    assert_string_equal(number_typeset(text, sizeof text), typeset);
}

static void test_typeset(void **state)
{
    (void)state;
    assert_typeset("-0.2 to +0.3", "\u22120.2 to +0.3");
    assert_typeset("-2e-9", "\u22122e\u22129");
    assert_typeset("-", "\u2013");
    assert_typeset("-inf", "\u2212\u221e");
    assert_typeset("1.93x", "1.93\u00d7");
    assert_typeset("not measured, x2 max-pool", "not measured, x2 max-pool");
    char little[8] = "-1 [-2]"; /* as far as there is room */
    assert_string_equal(number_typeset(little, sizeof little), "-1 [-2]");
}

static void test_comma_locale(void **state)
{
    (void)state;
    if (!comma_locale_begin()) skip();
    assert_string_equal(number_signed(text, .5, 2), "+0.50");
    assert_string_equal(number_short(text, 1234.5), "1235");
    assert_string_equal(text_digits(text, 15000000, 2), "1.5e7");
    comma_locale_end();
}

static void test_medians(void **state)
{
    (void)state;
    double value[] = {3, 1, 2, 10};
    assert_true(numbers_median(value, 4) == 2.5);
    assert_true(value[0] == 1 && value[3] == 10);
    assert_true(numbers_median(value, 3) == 2);
    assert_true(isnan(numbers_median(value, 0)));
    numbers_sort(NULL, 0);
}

static void test_csv_fields(void **state)
{
    (void)state;
    struct growing line = {0};
    growing_put_field(&line, "plain");
    growing_put_field(&line, "a, b");
    growing_put_field(&line, "say \"no\"");
    growing_put_field(&line, "two\nlines");
    char *all = growing_take(&line);
    assert_string_equal(all, "plain\"a, b\"\"say \"\"no\"\"\"\"two\nlines\"");
    memory_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_numbers),       cmocka_unit_test(test_intervals), cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_counts_and_durations), cmocka_unit_test(test_words),     cmocka_unit_test(test_typeset),
        cmocka_unit_test(test_comma_locale),         cmocka_unit_test(test_medians),   cmocka_unit_test(test_csv_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
