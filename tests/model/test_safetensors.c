/* safetensors files: what is written is read back, and everything that can be wrong with one is refused with its reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/safetensors.h"

static char path[] = "/tmp/knack-safetensors-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* ---- Round trip ---- */

static const float floats[6] = {1, -2.5f, 3e-30f, 0, -0.0f, 1e30f};
static const double doubles[2] = {0.1, -1e300};
static const uint16_t halves[3] = {0x3f80, 0xc000, 0x7f80}; /* 1, -2, infinity */
static const uint8_t bytes[5] = {0, 1, 2, 254, 255};
static const int64_t integers[1] = {INT64_MIN};
static const struct safetensors_entry entries[] = {
    {"w", KNACK_F32, 2, {2, 3}, 6, floats},
    {"double", KNACK_F64, 1, {2}, 2, doubles},
    {"half", KNACK_BF16, 1, {3}, 3, halves},
    {"bytes", KNACK_U8, 1, {5}, 5, bytes},
    {"scalar", KNACK_I64, 0, {0}, 1, integers},
    {"none", KNACK_F32, 2, {0, 7}, 0, floats},
    {"quote\" \xc3\xa4", KNACK_F32, 1, {1}, 1, floats},
};
enum { ENTRIES = sizeof entries / sizeof *entries };
static const char *const keys[] = {"format", "note"}, *const values[] = {"pt", "a \"quoted\"\nline"};

static struct safetensors *read_back(void)
{
    struct safetensors *file = NULL;
    if (safetensors_read(path, KNACK_E_DATA, &file) < 0) fail_msg("%s", knack_error());
    return file;
}

static void round_trip_keeps_all(void **state)
{
    (void)state;
    assert_int_equal(safetensors_write(path, entries, ENTRIES, keys, values, 2), KNACK_OK);
    struct safetensors *file = read_back();
    assert_int_equal(file->count, ENTRIES);
    for (int i = 1; i < ENTRIES; i++) assert_true(strcmp(file->entry[i - 1].name, file->entry[i].name) < 0);
    for (int i = 0; i < ENTRIES; i++) {
        const struct safetensors_entry *entry = safetensors_find(file, entries[i].name);
        assert_non_null(entry);
        assert_int_equal(entry->type, entries[i].type);
        assert_int_equal(entry->ndim, entries[i].ndim);
        assert_int_equal(entry->count, entries[i].count);
        for (int axis = 0; axis < entry->ndim; axis++) assert_int_equal(entry->shape[axis], entries[i].shape[axis]);
    }
    assert_memory_equal(safetensors_find(file, "w")->data, floats, sizeof floats);
    assert_memory_equal(safetensors_find(file, "double")->data, doubles, sizeof doubles);
    assert_memory_equal(safetensors_find(file, "half")->data, halves, sizeof halves);
    assert_memory_equal(safetensors_find(file, "bytes")->data, bytes, sizeof bytes);
    assert_memory_equal(safetensors_find(file, "scalar")->data, integers, sizeof integers);
    assert_null(safetensors_find(file, "W"));
    assert_string_equal(safetensors_metadata(file, "format"), "pt");
    assert_string_equal(safetensors_metadata(file, "note"), values[1]);
    assert_null(safetensors_metadata(file, "w"));
    safetensors_free(file);
}

static void a_file_may_be_empty(void **state)
{
    (void)state;
    assert_int_equal(safetensors_write(path, NULL, 0, NULL, NULL, 0), KNACK_OK);
    struct safetensors *file = read_back();
    assert_int_equal(file->count, 0);
    assert_null(safetensors_find(file, "w"));
    safetensors_free(file);
}

static void the_header_fills_64_bytes(void **state)
{
    (void)state;
    for (int count = 0; count <= ENTRIES; count++) {
        assert_int_equal(safetensors_write(path, entries, count, keys, values, count % 3), KNACK_OK);
        char *text;
        size_t size;
        assert_int_equal(file_read(path, KNACK_E_DATA, &text, &size), KNACK_OK);
        uint64_t length;
        memcpy(&length, text, sizeof length);
        assert_int_equal((8 + length) % 64, 0);
        assert_int_equal(text[8], '{');
        memory_free(text);
    }
}

static void equal_content_gives_equal_bytes(void **state)
{
    (void)state;
    struct safetensors_entry reversed[ENTRIES];
    for (int i = 0; i < ENTRIES; i++) reversed[i] = entries[ENTRIES - 1 - i];
    char *first, *second;
    size_t first_size, second_size;
    assert_int_equal(safetensors_write(path, entries, ENTRIES, keys, values, 2), KNACK_OK);
    assert_int_equal(file_read(path, KNACK_E_DATA, &first, &first_size), KNACK_OK);
    assert_int_equal(safetensors_write(path, reversed, ENTRIES, keys, values, 2), KNACK_OK);
    assert_int_equal(file_read(path, KNACK_E_DATA, &second, &second_size), KNACK_OK);
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    memory_free(first);
    memory_free(second);
}

static void reals_are_converted(void **state)
{
    (void)state;
    knack_real out[6];
    assert_int_equal(safetensors_reals(&entries[0], out), KNACK_OK);
    for (int i = 0; i < 6; i++) assert_true(out[i] == (knack_real)floats[i]);
    struct safetensors_entry small = {"double", KNACK_F64, 1, {1}, 1, doubles};
    assert_int_equal(safetensors_reals(&small, out), KNACK_OK);
    assert_true(out[0] == (knack_real)0.1);
    assert_int_equal(safetensors_reals(&entries[2], out), KNACK_OK);
    assert_true(out[0] == 1 && out[1] == -2 && out[2] > 1e30);
    assert_int_equal(safetensors_reals(&entries[3], out), KNACK_E_DATA);
    assert_string_equal(knack_error(), "tensor bytes holds U8, F64, F32 or BF16 is needed");
}

static void two_equal_names_are_not_written(void **state)
{
    (void)state;
    struct safetensors_entry twice[] = {entries[0], entries[1], entries[0]};
    assert_int_equal(safetensors_write(path, twice, 3, NULL, NULL, 0), KNACK_E_CALL);
    assert_non_null(strstr(knack_error(), "two tensors are named w"));
}

/* ---- Faulty files ---- */

/* A file with this header and so many bytes of data. */
static void put_file(const char *header, size_t data)
{
    uint64_t length = strlen(header);
    char *text = calloc(1, 8 + length + data);
    memcpy(text, &length, sizeof length);
    memcpy(text + 8, header, length);
    assert_int_equal(file_write(path, text, 8 + length + data), KNACK_OK);
    free(text);
}

static void expect_refusal(const char *message)
{
    struct safetensors *file = (struct safetensors *)path;
    assert_int_equal(safetensors_read(path, KNACK_E_DATA, &file), KNACK_E_DATA);
    assert_null(file);
    if (!strstr(knack_error(), message)) fail_msg("expected \"%s\" within \"%s\"", message, knack_error());
    assert_non_null(strstr(knack_error(), path));
}

static void faulty_headers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *message;
    } cases[] = {
        {"[1]", 0, "the safetensors header must be an object"},
        {"{\"w\":{}", 0, "in the safetensors header: "},
        {"{} {}", 0, "in the safetensors header: "},
        {"{\"w\":3}", 0, "at w: a tensor must have exactly dtype, shape and data_offsets"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "at w: a tensor must have exactly"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}", 4, "at w: a tensor must have exactly"},
        {"{\"w\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "at w.dtype: the type must be one of F64, F32"},
        {"{\"w\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "at w.dtype: the type must be one of F64, F32"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "at w.shape: the shape must be a list of at most 8 sizes"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4, "at most 8 sizes"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "at w.shape[0]: must be a whole number, at least 0"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "at w.shape[0]: must be a whole number, at least 0"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}}", 4, "at w.shape[0]: must be a whole number, at least 0"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1e15,1e15],\"data_offsets\":[0,4]}}", 4,
         "at w.shape: the product of these sizes is too large"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[4e15,1000],\"data_offsets\":[0,4]}}", 4, "4 bytes, but type and shape need another number"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "4 bytes, but type and shape need another number"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "at w.data_offsets: must be two numbers"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{}}}", 4, "at w.data_offsets: must be two numbers"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "4 to 0 lies outside of the 4 bytes of data"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "0 to 8 lies outside of the 7 bytes of data"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5, "1 bytes behind the last tensor belong to none"},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "tensors the header and w leave a gap"},
        {"{\"v\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3,
         "tensors v and w overlap"},
        {"{\"v\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}", 3,
         "tensors v and w leave a gap"},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2,
         "at w: this name stands twice in its object"},
        {"{\"__metadata__\":[]}", 0, "at __metadata__: metadata must be an object of strings"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "at __metadata__.a: metadata must be a string, not a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_file(cases[i].header, cases[i].data);
        expect_refusal(cases[i].message);
    }
}

static void faulty_lengths_are_refused(void **state)
{
    (void)state;
    assert_int_equal(file_write(path, "\2\0\0\0\0\0\0", 7), KNACK_OK);
    expect_refusal("no safetensors file: 7 bytes, and 8 are needed");
    assert_int_equal(file_write(path, "\3\0\0\0\0\0\0\0{}", 10), KNACK_OK);
    expect_refusal("cut short: the header has 3 bytes, 2 are there");
    assert_int_equal(file_write(path, "\1\xe1\xf5\5\0\0\0\0{}", 10), KNACK_OK);
    expect_refusal("its header would have 100000001 bytes, more than the 100000000 allowed");
    assert_int_equal(file_write(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), KNACK_OK);
    expect_refusal("more than the 100000000 allowed");
    assert_int_equal(safetensors_read("/nowhere/at/all", KNACK_E_DATA, &(struct safetensors *){NULL}), KNACK_E_DATA);
}

static void unaligned_data_is_copied(void **state)
{
    (void)state;
    uint64_t length = 132;
    char text[8 + 132 + 9] = {0};
    memcpy(text, &length, 8);
    snprintf(
        text + 8, 133, "%-132s",
        "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"w\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[1,9]}}");
    memcpy(text + 8 + 132 + 1, doubles, 8);
    assert_int_equal(file_write(path, text, sizeof text), KNACK_OK);
    struct safetensors *file = read_back();
    const double *value = safetensors_find(file, "w")->data;
    assert_int_equal((uintptr_t)value % sizeof *value, 0);
    assert_true(*value == doubles[0]);
    safetensors_free(file);
}

/* Any change of a byte or of the length gives a file or an error, never a crash. */
static void changed_files_do_no_harm(void **state)
{
    (void)state;
    assert_int_equal(safetensors_write(path, entries, ENTRIES, keys, values, 2), KNACK_OK);
    char *text;
    size_t size;
    assert_int_equal(file_read(path, KNACK_E_DATA, &text, &size), KNACK_OK);
    uint32_t random = 1;
    for (int round = 0; round < 300; round++) {
        char *changed = malloc(size);
        memcpy(changed, text, size);
        for (int change = 0; change < 1 + round % 3; change++) {
            random = random * 1664525 + 1013904223;
            changed[(random >> 8) % size] = (char)(random >> 3);
        }
        size_t kept = round % 5 ? size : (random >> 5) % size;
        assert_int_equal(file_write(path, changed, kept), KNACK_OK);
        struct safetensors *file;
        if (safetensors_read(path, KNACK_E_DATA, &file) == KNACK_OK) safetensors_free(file);
        free(changed);
    }
    memory_free(text);
}

static void failing_allocations_leave_nothing(void **state)
{
    (void)state;
    assert_int_equal(safetensors_write(path, entries, ENTRIES, keys, values, 2), KNACK_OK);
    int refused = 0;
    for (int64_t nth = 1; nth < 1000; nth++) {
        struct safetensors *file;
        memory_fail_at(nth);
        knack_status status = safetensors_read(path, KNACK_E_DATA, &file);
        memory_fail_at(0);
        if (status == KNACK_OK) {
            safetensors_free(file);
            break;
        }
        assert_int_equal(status, KNACK_E_MEMORY);
        refused++;
    }
    assert_true(refused > 2 && refused < 999);
    for (int64_t nth = 1; nth < 1000; nth++) {
        memory_fail_at(nth);
        knack_status status = safetensors_write(path, entries, ENTRIES, keys, values, 2);
        memory_fail_at(0);
        if (status == KNACK_OK) break;
        assert_int_equal(status, KNACK_E_MEMORY);
    }
    safetensors_free(read_back());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_keeps_all),
        cmocka_unit_test(a_file_may_be_empty),
        cmocka_unit_test(the_header_fills_64_bytes),
        cmocka_unit_test(equal_content_gives_equal_bytes),
        cmocka_unit_test(reals_are_converted),
        cmocka_unit_test(two_equal_names_are_not_written),
        cmocka_unit_test(faulty_headers_are_refused),
        cmocka_unit_test(faulty_lengths_are_refused),
        cmocka_unit_test(unaligned_data_is_copied),
        cmocka_unit_test(changed_files_do_no_harm),
        cmocka_unit_test(failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
