/* Files with random damage: each opens or is refused with a message that names it; the sanitizers watch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "fixture.h"

static uint64_t draw(uint64_t key, uint64_t element, uint64_t bound)
{
    return random_below(key, (struct random_place){0}, element, bound);
}

/* A copy with, by turns, a cut, changed bytes, or bytes moved in. */
static char *damage(uint64_t key, const char *bytes, size_t size, size_t *left)
{
    char *copy = memory_new(size + 64, 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    *left = size;
    uint64_t kind = draw(key, 0, 3);
    if (kind == 0) *left = draw(key, 1, size + 1);
    for (uint64_t i = 0; kind == 1 && i < 1 + draw(key, 1, 4); i++) {
        static const uint8_t edge[] = {0, 1, 0x7f, 0x80, 0xff, '"', ',', '\n'};
        size_t at = draw(key, 2 + 3 * i, size);
        copy[at] = (char)(draw(key, 3 + 3 * i, 2) ? edge[draw(key, 4 + 3 * i, sizeof edge)] : (uint8_t)draw(key, 4 + 3 * i, 256));
    }
    if (kind == 2) {
        size_t at = draw(key, 1, size), from = draw(key, 2, size), n = draw(key, 3, 64);
        if (n > size - from) n = size - from;
        memmove(copy + at + n, copy + at, size - at);
        memcpy(copy + at, bytes + from, n);
        *left = size + n;
    }
    return copy;
}

/* Opens the config so many times with file "name" damaged each time. The data set that opens is used. */
static void damage_and_open(const char *name, const char *json, int times)
{
    char path[256], *bytes;
    size_t size;
    strcpy(path, fixture_path(name));
    assert_int_equal(file_read(path, KNACK_E_DATA, &bytes, &size), KNACK_OK);
    struct json_document *document;
    assert_int_equal(json_parse(json, strlen(json), "test.json", &document), KNACK_OK);
    int opened = 0;
    for (int i = 0; i < times; i++) {
        size_t left;
        char *copy = damage(random_key((uint64_t)i, name), bytes, size, &left);
        put_file(name, copy, (int64_t)left);
        memory_free(copy);
        struct dataset *data;
        knack_status status = data_open(document->root, fixture_folder(), 0, &data);
        if (status >= 0) {
            opened++;
            memory_free(all_inputs(data, PART_TRAIN));
            data_close(data);
        } else if (status != KNACK_E_CONFIG && !strstr(knack_error(), fixture_folder())) {
            fail_msg("%s does not name the file", knack_error());
        }
    }
    print_message("%s: %d of %d opened\n", name, opened, times);
    assert_true(opened < times);
    put_file(name, bytes, (int64_t)size);
    json_free(document);
    memory_free(bytes);
}

static void copy_from(const char *folder, const char *name)
{
    char path[512], *bytes;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(file_read(path, KNACK_E_DATA, &bytes, &size), KNACK_OK);
    put_file(name, bytes, (int64_t)size);
    memory_free(bytes);
}

static void arrays(void **state)
{
    (void)state;
    uint8_t idx[16 + 60] = {0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 3}, label[8 + 10] = {0, 0, 8, 1, 0, 0, 0, 10};
    for (int i = 0; i < 10; i++) label[8 + i] = (uint8_t)(i % 3);
    put_file("x.idx", idx, sizeof idx);
    put_gzip("x.gz", idx, sizeof idx);
    put_gzip("y.gz", label, sizeof label);
    damage_and_open("x.idx", "{\"idx\": {\"inputs\": \"x.idx\", \"targets\": \"y.gz\"}}", 1500);
    damage_and_open("x.gz", "{\"idx\": {\"inputs\": \"x.gz\", \"targets\": \"y.gz\"}}", 1000);
    damage_and_open("y.gz", "{\"idx\": {\"inputs\": \"x.gz\", \"targets\": \"y.gz\"}}", 500);
    float values[12] = {0, 1, 2, 3};
    put_npy("x.npy", 1, "'descr': '<f4', 'fortran_order': False, 'shape': (4, 3), ", values, sizeof values);
    put_npy("y.npy", 2, "'descr': '<f4', 'fortran_order': False, 'shape': (4,), ", values, 16);
    damage_and_open("x.npy", "{\"npy\": {\"inputs\": \"x.npy\", \"targets\": \"y.npy\"}, \"task\": \"regression\"}", 2000);
    damage_and_open("y.npy", "{\"npy\": {\"inputs\": \"x.npy\", \"targets\": \"y.npy\"}, \"task\": \"classification\"}", 1000);
}

static void archives(void **state)
{
    (void)state;
    copy_from(TEST_FILES, "stored.npz");
    copy_from(TEST_FILES, "deflated.npz");
    damage_and_open("stored.npz", "{\"npz\": \"stored.npz\"}", 3000);
    damage_and_open("deflated.npz", "{\"npz\": \"deflated.npz\"}", 3000);
}

static void tables(void **state)
{
    (void)state;
    put_text("t.csv", "a,\"b \"\"1\"\"\",kind\n1,2,cat\n3,,\"dog\"\n5e1,-.5,\"a\nb\"\r\n\r\n7,8,cat\n");
    damage_and_open("t.csv", "{\"csv\": \"t.csv\", \"target\": \"kind\", \"standardise\": true}", 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(arrays), cmocka_unit_test(archives), cmocka_unit_test(tables)};
    return cmocka_run_group_tests_name("damaged files", tests, fixture_set_up, fixture_tear_down);
}
