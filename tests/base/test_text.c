#include "base/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/comma_locale.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "base/threads.h"

static const struct {
    double value;
    const char *text;
} numbers[] = {
    {0, "0"},
    {-0.0, "-0"},
    {1, "1"},
    {-1.5, "-1.5"},
    {0.1, "0.1"},
    {1e-5, "1e-5"},
    {1e20, "1e20"},
    {1e-300, "1e-300"},
    {123456, "123456"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {DBL_MAX, "1.7976931348623157e308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {5e-324, "5e-324"},
    {1.5e-323, "1.5e-323"},
    {9007199254740992, "9007199254740992"},
    {NAN, "nan"},
    {INFINITY, "inf"},
    {-INFINITY, "-inf"},
};

static void assert_number_texts(void)
{
    char buffer[32];
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_string_equal(text_number(buffer, numbers[i].value), numbers[i].text);
        double back;
        const char *end = numbers[i].text + strlen(numbers[i].text);
        assert_ptr_equal(text_parse(numbers[i].text, end, &back), end);
        if (isnan(numbers[i].value))
            assert_true(isnan(back));
        else
            assert_memory_equal(&back, &numbers[i].value, sizeof back);
    }
}

static void assert_fixed(double value, int decimals, const char *text)
{
    char buffer[48];
    assert_string_equal(text_fixed(buffer, value, decimals), text);
}

static void test_fixed_decimals(void **state)
{
    (void)state;
    assert_fixed(1.005, 1, "1.0");
    assert_fixed(-0.001, 2, "0.00");
    assert_fixed(-12.345, 2, "-12.35");
    assert_fixed(0.000001, 6, "0.000001");
    assert_fixed(7.5, 0, "8");
    assert_fixed(1e13, 2, "10000000000000");
    assert_fixed(NAN, 2, "nan");
    assert_fixed(-INFINITY, 0, "-inf");
}

static void assert_character(const char *text, int length, uint32_t point)
{
    uint32_t read;
    assert_int_equal(text_character(text, &read), length);
    assert_int_equal(read, point);
}

static void test_characters(void **state)
{
    (void)state;
    assert_character("ab", 1, 'a');
    assert_character("\xC3\xA9t", 2, 0xE9);
    assert_character("\xE2\x88\x92", 3, 0x2212);
    assert_character("\xF0\x9F\x8E\xB2", 4, 0x1F3B2);
    assert_character("\xE2\x88", 1, TEXT_UNKNOWN); /* cut */
    assert_character("\x80", 1, TEXT_UNKNOWN);
    assert_character("\xC0\xAF", 1, TEXT_UNKNOWN); /* too long for what it says */
}

static void test_numbers(void **state)
{
    (void)state;
    assert_number_texts();
    struct random_place place = {0, 0, 0};
    for (uint64_t i = 0; i < 20000; i++) { /* any bits */
        uint64_t bits = random_below(1, place, i, UINT64_MAX);
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        char text[32];
        text_number(text, value);
        assert_non_null(text_parse(text, text + strlen(text), &back));
        assert_memory_equal(&back, &value, sizeof back);
    }
}

static void test_numbers_under_a_decimal_comma(void **state)
{
    (void)state;
    if (!comma_locale_begin()) skip();
    char text[16];
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0,5");
    assert_number_texts();
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0,5"); /* the host's locale stays */
    comma_locale_end();
}

/* With denormals taken as zero, which threads_set() asks for, they are still written and read. */
static void test_numbers_without_denormals(void **state)
{
    (void)state;
    assert_done(threads_set(1));
    assert_number_texts();
}

static void test_parse_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int length; /* -1: no number */
        double value;
    } cases[] = {
        {"1,5", 1, 1},  {"+2x", 2, 2},          {"-.5", 3, -0.5}, {"5.", 2, 5},    {".", -1, 0},           {"", -1, 0},
        {"-", -1, 0},   {"e5", -1, 0},          {"1e", 1, 1},     {"1e+", 1, 1},   {"1e2", 3, 100},        {"1E-2;", 4, .01},
        {"0x10", 1, 0}, {" 1", -1, 0},          {"--1", -1, 0},   {"NaN", 3, NAN}, {"-Inf", 4, -INFINITY}, {"+inf", 4, INFINITY},
        {"na", -1, 0},  {"1e999", 5, INFINITY}, {"1e-999", 6, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 7;
        const char *text = cases[i].text, *after = text_parse(text, text + strlen(text), &value);
        if (cases[i].length < 0) {
            assert_null(after);
            continue;
        }
        assert_int_equal(after - text, cases[i].length);
        if (!isnan(cases[i].value))
            assert_true(value == cases[i].value);
        else
            assert_true(isnan(value));
    }
    double value;
    const char *cut = "12345";
    assert_ptr_equal(text_parse(cut, cut + 2, &value), cut + 2); /* not a byte beyond the end */
    assert_true(value == 12);
}

static void test_parse_long(void **state)
{
    (void)state;
    char text[400];
    memset(text, '0', sizeof text);
    memcpy(text, "0.", 2);
    text[300] = '1';
    double value;
    assert_ptr_equal(text_parse(text, text + 301, &value), text + 301);
    assert_true(value == 1e-299);
    memory_fail_at(1);
    assert_null(text_parse(text, text + 301, &value));
    memory_fail_at(0);
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"optimizer", "epochs", "batch", "lr"};
    assert_string_equal(text_nearest("optimiser", names, 4), "optimizer");
    assert_string_equal(text_nearest("epoch", names, 4), "epochs");
    assert_string_equal(text_nearest("bacth", names, 4), "batch");
    assert_string_equal(text_nearest("rl", names, 4), "lr");
    assert_null(text_nearest("schedule", names, 4));
    assert_null(text_nearest("xy", names, 4));
    assert_null(text_nearest("", names, 4));
    assert_null(text_nearest("optimizer", names, 0));
    char longer[300];
    memset(longer, 'o', sizeof longer - 1);
    longer[299] = '\0';
    assert_null(text_nearest(longer, names, 4));
}

static void test_glob(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"*", "", true},
        {"*", "a/b.c", true},
        {"", "", true},
        {"", "a", false},
        {"fc?.weight", "fc1.weight", true},
        {"fc?.weight", "fc.weight", false},
        {"*.bias", "conv1.bias", true},
        {"*.bias", "conv1.bias2", false},
        {"*a*b*c", "xxaxxbxbxc", true},
        {"*a*b*c", "xxaxxbxbx", false},
        {"fc[12].*", "fc2.weight", true},
        {"fc[12].*", "fc3.weight", false},
        {"fc[0-9]", "fc7", true},
        {"fc[!0-9]", "fc7", false},
        {"fc[!0-9]", "fcx", true},
        {"[]]", "]", true},
        {"a[b", "a[b", true},
        {"a[b", "ab", false},
        {"**", "abc", true},
        {"a*", "b", false},
        {"[a-]", "-", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (text_glob(cases[i].pattern, cases[i].text) != cases[i].match) fail_msg("%s on %s", cases[i].pattern, cases[i].text);
    }
}

static void test_list(void **state)
{
    (void)state;
    static const char *const names[] = {"adam", "adamw", "sgd"};
    char buffer[100];
    assert_string_equal(text_list(buffer, sizeof buffer, names, 3), "3 names: adam, adamw, sgd");
    assert_string_equal(text_list(buffer, sizeof buffer, names, 1), "1 name: adam");
    assert_string_equal(text_list(buffer, sizeof buffer, names, 0), "no names");
    assert_string_equal(text_list(buffer, 20, names, 3), "3 names: adam, ...");
    assert_string_equal(text_list(buffer, 26, names, 3), "3 names: adam, adamw, sgd");
    assert_string_equal(text_list(buffer, 25, names, 3), "3 names: adam, ...");
    for (size_t size = 1; size < 30; size++) assert_true(strlen(text_list(buffer, size, names, 3)) < size);
    static const char *const with_commas[] = {"tall, thin", "low", ""};
    assert_string_equal(text_list(buffer, sizeof buffer, with_commas, 3), "3 names: \"tall, thin\", low, \"\"");
    for (size_t size = 1; size < 40; size++) assert_true(strlen(text_list(buffer, size, with_commas, 3)) < size);
}

/* Published values of FNV-1a; in two stretches it is the same. */
static void test_hash(void **state)
{
    (void)state;
    assert_true(text_hash(TEXT_HASH, "", 0) == 0xcbf29ce484222325u);
    assert_true(text_hash(TEXT_HASH, "a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(text_hash(text_hash(TEXT_HASH, "foo", 3), "bar", 3) == 0x85944171f73967e8u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_fixed_decimals),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_numbers_under_a_decimal_comma),
        cmocka_unit_test(test_numbers_without_denormals),
        cmocka_unit_test(test_parse_ends),
        cmocka_unit_test(test_parse_long),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_glob),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
