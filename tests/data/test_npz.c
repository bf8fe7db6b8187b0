#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/array.h"
#include "fixture.h"

static const char *numpy_file(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", TEST_FILES, name);
    return path;
}

static void numpy_files(void **state)
{
    (void)state;
    static const char *const file[] = {"stored.npz", "deflated.npz"};
    for (int i = 0; i < 2; i++) {
        struct array array;
        if (read_npz(numpy_file(file[i]), "x", &array) < 0) fail_msg("%s", knack_error());
        assert_int_equal(array.ndim, 3);
        for (int k = 0; k < 24; k++) assert_int_equal(array.blob.bytes[k], k);
        array_free(&array);
        if (read_npz(numpy_file(file[i]), "y_test", &array) < 0) fail_msg("%s", knack_error());
        assert_int_equal(array.type, ELEMENT_I64);
        assert_int_equal(array.blob.bytes[0], 1);
        array_free(&array);

        assert_int_equal(read_npz(numpy_file(file[i]), "x_tset", &array), KNACK_E_DATA);
        assert_non_null(strstr(knack_error(), ".npz: has no array 'x_tset'; did you mean 'x_test'?; it has 4 names: x, y, x_test, y_test"));
    }
}

/* ---- A zip file by hand, with what NumPy does not write ---- */

struct zip {
    uint8_t bytes[4096];
    int64_t size;
};

static void put(struct zip *zip, int64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) zip->bytes[zip->size++] = (uint8_t)(i < 8 ? value >> (8 * i) : 0);
}

static void put_bytes(struct zip *zip, const void *bytes, int64_t size)
{
    memcpy(zip->bytes + zip->size, bytes, (size_t)size);
    zip->size += size;
}

struct zip_options {
    bool zip64;
    int flags, method;
    uint32_t sum;
    const char *comment;
};

/* One stored npy file named x.npy, and then the directory; with zip64, its sizes and places are in 64-bit fields only. */
static void make_zip(struct zip *zip, const uint8_t *npy, int64_t size, const struct zip_options *options)
{
    *zip = (struct zip){0};
    put(zip, 0x04034b50, 4);
    put(zip, 0, 22); /* the directory's entry is what is read */
    put(zip, 5, 2);
    put(zip, 7, 2);
    put_bytes(zip, "x.npyextra..", 12);
    put_bytes(zip, npy, size);

    int64_t directory = zip->size;
    put(zip, 0x02014b50, 4);
    put(zip, 0, 4);
    put(zip, options->flags, 2);
    put(zip, options->method, 2);
    put(zip, 0, 4);
    put(zip, options->sum, 4);
    put(zip, options->zip64 ? UINT32_MAX : size, 4);
    put(zip, options->zip64 ? UINT32_MAX : size, 4);
    put(zip, 5, 2);
    put(zip, options->zip64 ? 34 : 0, 2);
    put(zip, 0, 10);
    put(zip, options->zip64 ? UINT32_MAX : 0, 4);
    put_bytes(zip, "x.npy", 5);
    if (options->zip64) {
        put(zip, 0x7777, 2);
        put(zip, 2, 2);
        put(zip, 0, 2);
        put(zip, 1, 2);
        put(zip, 24, 2);
        put(zip, size, 8);
        put(zip, size, 8);
        put(zip, 0, 8);
    }
    int64_t end = zip->size, length = end - directory;
    if (options->zip64) {
        put(zip, 0x06064b50, 4);
        put(zip, 44, 8);
        put(zip, 0, 28);
        put(zip, length, 8);
        put(zip, directory, 8);
        put(zip, 0x07064b50, 4);
        put(zip, 0, 4);
        put(zip, end, 8);
        put(zip, 1, 4);
    }
    put(zip, 0x06054b50, 4);
    put(zip, 0, 8);
    put(zip, options->zip64 ? UINT32_MAX : length, 4);
    put(zip, options->zip64 ? UINT32_MAX : directory, 4);
    put(zip, (int64_t)strlen(options->comment), 2);
    put_bytes(zip, options->comment, (int64_t)strlen(options->comment));
}

static uint32_t crc_of(const uint8_t *bytes, int64_t size)
{
    uint32_t sum = 0xffffffffu;
    for (int64_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >> 1 ^ 0xedb88320u : sum >> 1;
    }
    return ~sum;
}

static void by_hand(void **state)
{
    (void)state;
    int64_t size;
    uint8_t *npy = make_npy(1, "'descr': '|u1', 'fortran_order': False, 'shape': (3,), ", "\1\2\3", 3, &size);
    uint32_t sum = crc_of(npy, size);
    const struct {
        struct zip_options options;
        const char *message;
    } cases[] = {
        {{.sum = sum, .comment = ""}, NULL},
        {{.sum = sum, .comment = "PK\5\6 a comment that looks like an end, and is none"}, NULL},
        {{.sum = sum, .zip64 = true, .comment = ""}, NULL},
        {{.sum = sum ^ 1, .comment = ""}, "x.npz (x): a check sum is wrong: the file is damaged"},
        {{.sum = sum, .flags = 1, .comment = ""}, "x.npz (x): is encrypted"},
        {{.sum = sum, .method = 12, .comment = ""}, "x.npz (x): is packed by method 12; use numpy.savez_compressed"},
        {{.sum = sum, .method = 8, .comment = ""}, "x.npz (x): inflates to 6 bytes; its header says 131"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zip zip;
        struct array array;
        make_zip(&zip, npy, size, &cases[i].options);
        put_file("x.npz", zip.bytes, zip.size);
        knack_status status = read_npz(fixture_path("x.npz"), "x", &array);
        if (cases[i].message) {
            assert_int_equal(status, KNACK_E_DATA);
            if (!strstr(knack_error(), cases[i].message)) fail_msg("said %s, not %s", knack_error(), cases[i].message);
            continue;
        }
        if (status < 0) fail_msg("%s", knack_error());
        assert_int_equal(array.shape[0], 3);
        assert_int_equal(array.blob.bytes[2], 3);
        array_free(&array);
    }
    memory_free(npy);
}

/* A file cut anywhere is refused; nothing is read beyond its end (the sanitizers watch). */
static void cut_anywhere(void **state)
{
    (void)state;
    static const char *const file[] = {"stored.npz", "deflated.npz"};
    for (int i = 0; i < 2; i++) {
        char *bytes;
        size_t size;
        assert_int_equal(file_read(numpy_file(file[i]), KNACK_E_DATA, &bytes, &size), KNACK_OK);
        for (size_t cut = 0; cut < size; cut += 7) {
            struct array array;
            put_file("cut.npz", bytes, (int64_t)cut);
            assert_int_equal(read_npz(fixture_path("cut.npz"), "x", &array), KNACK_E_DATA);
        }
        memory_free(bytes);
    }
    assert_non_null(strstr(knack_error(), "cut.npz: is no npz file: no end of a zip directory is found; is it cut?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numpy_files),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests_name("npz files", tests, fixture_set_up, fixture_tear_down);
}
