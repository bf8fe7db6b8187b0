#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/array.h"
#include "fixture.h"

static knack_status open_idx(const char *name, struct array *array)
{
    struct blob blob;
    knack_status status = blob_open(fixture_path(name), &blob);
    return status < 0 ? status : read_idx(&blob, array);
}

/* Every type, big-endian by hand: -2, 0 (or 0.5), 3. */
static void types(void **state)
{
    (void)state;
    static const struct {
        uint8_t code;
        enum element type;
        uint8_t bytes[24];
        double value[3];
    } cases[] = {
        {0x08, ELEMENT_U8, {254, 0, 3}, {254, 0, 3}},
        {0x09, ELEMENT_I8, {254, 0, 3}, {-2, 0, 3}},
        {0x0B, ELEMENT_I16, {255, 254, 0, 0, 1, 3}, {-2, 0, 259}},
        {0x0C, ELEMENT_I32, {255, 255, 255, 254, 0, 0, 0, 0, 1, 0, 0, 3}, {-2, 0, 16777219}},
        {0x0D, ELEMENT_F32, {0xc0, 0, 0, 0, 0x3f, 0, 0, 0, 0x40, 0x40, 0, 0}, {-2, 0.5, 3}},
        {0x0E, ELEMENT_F64, {0xc0, 0, 0, 0, 0, 0, 0, 0, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0, 0x40, 0x08}, {-2, 0.5, 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct array array;
        double value[3];
        put_idx("x", cases[i].code, 1, (uint32_t[]){3}, cases[i].bytes, 3 * element_size(cases[i].type));
        if (open_idx("x", &array) < 0) fail_msg("%s", knack_error());
        assert_int_equal(array.type, cases[i].type);
        assert_int_equal(array.ndim, 1);
        assert_int_equal(array.width, 1);
        element_doubles(array.type, array.swapped, array.blob.bytes, 3, value);
        for (int k = 0; k < 3; k++) assert_true(value[k] == cases[i].value[k]);
        array_free(&array);
    }
}

/* Members of a gzip file follow each other. */
static void gzip_members(void **state)
{
    (void)state;
    uint8_t bytes[8 + 100] = {0, 0, 8, 1, 0, 0, 0, 100};
    for (int i = 0; i < 100; i++) bytes[8 + i] = (uint8_t)i;
    put_gzip("first", bytes, 50);
    put_gzip("second", bytes + 50, 58);
    char both[1024];
    size_t size = 0;
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(fixture_path(i ? "second" : "first"), "rb");
        assert_non_null(file);
        size += fread(both + size, 1, sizeof both - size, file);
        fclose(file);
    }
    put_file("both.gz", both, (int64_t)size);
    struct array array;
    if (open_idx("both.gz", &array) < 0) fail_msg("%s", knack_error());
    assert_int_equal(array.shape[0], 100);
    for (int i = 0; i < 100; i++) assert_int_equal(array.blob.bytes[i], i);
    array_free(&array);

    put_file("cut.gz", both, (int64_t)size - 12);
    assert_int_equal(open_idx("cut.gz", &array), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "cut.gz: compressed data ends early: the file is cut"));
    both[size - 20] ^= 0x55;
    put_file("bad.gz", both, (int64_t)size);
    assert_int_equal(open_idx("bad.gz", &array), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "bad.gz: compressed data is damaged"));
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int64_t size;
        const char *message;
    } cases[] = {
        {"\0\0", 2, "is no idx file: it has 2 bytes"},
        {"PNG\1", 4, "is no idx file: it does not begin with two zero bytes"},
        {"\0\0\7\1\0\0\0\1x", 9, "its idx header names the type 0x07; known are 0x08"},
        {"\0\0\10\0", 4, "its idx header says 0 dimensions; 1 to 8 are supported"},
        {"\0\0\10\11", 4, "its idx header says 9 dimensions"},
        {"\0\0\10\2\0\0\0\1", 8, "ends within its idx header"},
        {"\0\0\10\1\0\0\0\2x", 9,
         "holds 1 bytes of values; 2 8-bit unsigned integers need another number: the file is cut, or its header is wrong"},
        {"\0\0\10\1\0\0\0\1xy", 10, "holds 2 bytes of values; 1 8-bit unsigned integers need another number"},
        {"\0\0\10\1\0\0\0\0", 8, "is empty: its shape is 0"},
        {"\0\0\16\3\377\377\377\377\377\377\377\377\377\377\377\377", 16, "its header gives sizes that no file can have"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct array array;
        put_file("bad.idx", cases[i].bytes, cases[i].size);
        assert_int_equal(open_idx("bad.idx", &array), KNACK_E_DATA);
        if (!strstr(knack_error(), cases[i].message)) fail_msg("said %s, not %s", knack_error(), cases[i].message);
        assert_non_null(strstr(knack_error(), "/bad.idx: "));
    }
    struct array array;
    assert_int_equal(open_idx("absent", &array), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "absent: cannot open: No such file"));
    assert_int_equal(open_idx(".", &array), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "is no regular file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(gzip_members),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("idx files", tests, fixture_set_up, fixture_tear_down);
}
