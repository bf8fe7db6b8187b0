#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "data/array.h"
#include "fixture.h"

static knack_status open_npy(const char *path, struct array *array)
{
    struct blob blob;
    knack_status status = blob_open(path, &blob);
    return status < 0 ? status : read_npy(&blob, array);
}

static knack_status open_numpy(const char *name, struct array *array)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TEST_FILES, name);
    return open_npy(path, array);
}

static void numpy_types(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        for (int type = 0; type < ELEMENT_COUNT; type++) {
            const char *code = element_code[type];
            if (big && (code[0] == 'u' || code[1] == '1')) continue;
            char name[32];
            snprintf(name, sizeof name, "%s%s.npy", big ? "big-" : "", code);
            struct array array;
            if (open_numpy(name, &array) < 0) fail_msg("%s", knack_error());
            assert_int_equal(array.type, type);
            double value[3];
            element_doubles(array.type, array.swapped, array.blob.bytes, 3, value);
            assert_true(value[0] == (code[0] == 'b' ? 1 : code[0] == 'u' ? 2 : -2));
            assert_true(value[1] == (code[0] == 'f' ? 0.5 : 0));
            assert_true(value[2] == (code[0] == 'b' ? 1 : 3));
            knack_real real[3];
            element_reals(array.type, array.swapped, array.blob.bytes, 3, 2, real);
            for (int i = 0; i < 3; i++) assert_true(real[i] == (knack_real)(value[i] / 2));
            array_free(&array);
        }
    }
}

static void numpy_versions(void **state)
{
    (void)state;
    for (int version = 1; version <= 3; version++) {
        char name[32];
        snprintf(name, sizeof name, "version-%d.npy", version);
        struct array array;
        if (open_numpy(name, &array) < 0) fail_msg("%s", knack_error());
        assert_int_equal(array.ndim, 3);
        assert_int_equal(array.shape[0], 2);
        assert_int_equal(array.shape[2], 4);
        assert_int_equal(array.width, 12);
        for (int i = 0; i < 24; i++) assert_int_equal(array.blob.bytes[i], i);
        array_free(&array);
    }
}

static void numpy_refusals(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"fortran.npy", "fortran.npy: is in Fortran order; save numpy.ascontiguousarray(x) instead"},
        {"half.npy",
         "holds values of type '<f2'; u1, i1, u2, i2, u4, i4, u8, i8, f4, f8 and b1 are known: convert them by x.astype(numpy.float32)"},
        {"structured.npy", "holds a structured array; save plain columns, each as an array of its own"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct array array;
        assert_int_equal(open_numpy(cases[i][0], &array), KNACK_E_DATA);
        if (!strstr(knack_error(), cases[i][1])) fail_msg("said %s", knack_error());
    }
}

static void header_forms(void **state)
{
    (void)state;
    static const char *const good[] = {
        "'descr': '|u1', 'fortran_order': False, 'shape': (4,), ",
        "\"shape\": (2, 2), \"fortran_order\": False, \"descr\": \"=u1\"",
        "'shape': (4,), 'fortran_order': True, 'descr': '<u1'",
        "'shape': (4), 'fortran_order': False, 'descr': '>u1',",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct array array;
        put_npy("x.npy", 1 + (int)(i % 3), good[i], "\1\2\3\4", 4);
        knack_status status = open_npy(fixture_path("x.npy"), &array);
        if (status < 0) fail_msg("%s", knack_error());
        assert_int_equal(array.blob.bytes[3], 4);
        array_free(&array);
    }
}

static void header_refusals(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"'descr': '<f4', 'fortran_order': False", "its npy header is malformed at character"},
        {"'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)", "malformed at character 35"},
        {"'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)", "malformed at character 26"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1", "malformed"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': (-1,)", "malformed"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': (1 2)", "malformed"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)", "malformed"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': (1,)} {", "malformed"},
        {"'descr': '<f4' 'fortran_order': False", "malformed"},
        {"'descr': <f4", "malformed"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': ()", "holds a single number; an array of rows is needed"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)", "has more than 8 dimensions"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "holds 4 bytes of values; 2 32-bit floats need another number"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': (0, 5)", "holds 4 bytes of values; 0x5 32-bit floats need another number"},
        {"'descr': '<f4', 'fortran_order': False, 'shape': (4000000000,4000000000,4000000000)",
         "its header gives sizes that no file can have"},
        {"'descr': '<U7', 'fortran_order': False, 'shape': (1,)", "holds values of type '<U7'"},
        {"'descr': 'x\x1b[31m', 'fortran_order': False, 'shape': (1,)", "holds values of type 'x?[31m'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct array array;
        put_npy("bad.npy", 1, cases[i][0], "1234", 4);
        assert_int_equal(open_npy(fixture_path("bad.npy"), &array), KNACK_E_DATA);
        if (!strstr(knack_error(), cases[i][1])) fail_msg("said %s, not %s", knack_error(), cases[i][1]);
    }
}

static void file_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int64_t size;
        const char *message;
    } cases[] = {
        {"", 0, "is no npy file: it has 0 bytes"},
        {"PK\3\4abcdef", 10, "is no npy file: it does not begin with \\x93NUMPY"},
        {"\x93NUMPY\4\0\1\0", 10, "is an npy file of version 4; 1 to 3 are known"},
        {"\x93NUMPY\1\0\1\0", 10, "ends within its npy header"},
        {"\x93NUMPY\2\0\1\0", 10, "ends within its npy header"},
        {"\x93NUMPY\3\0\0\0\3\0", 12, "its npy header is 196608 bytes long; at most 65536 are expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct array array;
        put_file("bad.npy", cases[i].bytes, cases[i].size);
        assert_int_equal(open_npy(fixture_path("bad.npy"), &array), KNACK_E_DATA);
        if (!strstr(knack_error(), cases[i].message)) fail_msg("said %s, not %s", knack_error(), cases[i].message);
    }
    struct array array;
    put_npy("empty.npy", 1, "'descr': '<f4', 'fortran_order': False, 'shape': (0, 5)", "", 0);
    assert_int_equal(open_npy(fixture_path("empty.npy"), &array), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "is empty: its shape is 0x5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numpy_types),  cmocka_unit_test(numpy_versions),  cmocka_unit_test(numpy_refusals),
        cmocka_unit_test(header_forms), cmocka_unit_test(header_refusals), cmocka_unit_test(file_refusals),
    };
    return cmocka_run_group_tests_name("npy files", tests, fixture_set_up, fixture_tear_down);
}
