/* Each allocation fails in turn: opening reports it, leaks nothing (the sanitizers watch), and works again afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "fixture.h"

static void open_failing(const char *json)
{
    struct json_document *document;
    assert_int_equal(json_parse(json, strlen(json), "test.json", &document), KNACK_OK);
    struct dataset *data;
    if (data_open(document->root, fixture_folder(), 0, &data) < 0) fail_msg("%s", knack_error()); /* also keeps the defaults of fields */
    data_close(data);
    knack_status status = KNACK_E_MEMORY;
    for (int64_t n = 1; status < 0; n++) {
        memory_fail_at(n);
        status = data_open(document->root, fixture_folder(), 0, &data);
        memory_fail_at(0);
        if (status < 0) {
            assert_int_equal(status, KNACK_E_MEMORY);
            assert_null(data);
        }
        assert_true(n < 10000);
    }
    data_close(data);
    json_free(document);
}

static void opening(void **state)
{
    (void)state;
    uint8_t pixel[24] = {1, 2, 3}, label[4] = {0, 1, 2, 1};
    put_idx("x.idx", 8, 3, (uint32_t[]){4, 2, 3}, pixel, 24);
    put_idx("y.idx", 8, 1, (uint32_t[]){4}, label, 4);
    put_npy("x.npy", 1, "'descr': '|u1', 'fortran_order': False, 'shape': (4, 2, 3), ", pixel, 24);
    put_npy("y.npy", 1, "'descr': '|u1', 'fortran_order': False, 'shape': (4,), ", label, 4);
    put_text("t.csv", "a,b,kind\n1,2,cat\n3,,dog\n5,6,cow\n");
    open_failing("{\"validation\": 0.1, \"limit\": 500, \"rest\": \"test\", \"label_noise\": 0.1, \"long_tail\": 0.5, \"positive\": [1, 2],"
                 " \"standardise\": true, \"augment\": [\"flip\", \"crop\"]}");
    open_failing(
        "{\"idx\": {\"inputs\": \"x.idx\", \"targets\": \"y.idx\"}, \"test\": {\"npy\": {\"inputs\": \"x.npy\", \"targets\": \"y.npy\"}}}");
    open_failing("{\"npz\": \"" TEST_FILES "/deflated.npz\"}");
    open_failing("{\"csv\": \"t.csv\", \"target\": \"kind\", \"test\": {\"csv\": \"t.csv\"}, \"positive\": [\"cat\"]}");
}

static void describing(void **state)
{
    (void)state;
    struct dataset *data = open_data("{'standardise': true, 'positive': [3], 'augment': ['flip']}", 0);
    struct json_writer *writer = json_writer_new(false);
    assert_non_null(writer);
    data_describe(data, writer, NULL);
    size_t size;
    const char *text = json_text(writer, &size);
    struct json_document *document;
    assert_int_equal(json_parse(text, size, "model", &document), KNACK_OK);
    struct dataset *restored;
    knack_status status = data_restore(document->root, &restored);
    assert_int_equal(status, KNACK_OK);
    data_close(restored);
    status = KNACK_E_MEMORY;
    for (int64_t n = 1; status < 0; n++) {
        memory_fail_at(n);
        status = data_restore(document->root, &restored);
        memory_fail_at(0);
        if (status < 0) assert_int_equal(status, KNACK_E_MEMORY);
    }
    int64_t count;
    knack_real *x;
    put_npy("x.npy", 1, "'descr': '|u1', 'fortran_order': False, 'shape': (1, 8, 8), ", (uint8_t[64]){0}, 64);
    char path[256];
    strcpy(path, fixture_path("x.npy"));
    status = KNACK_E_MEMORY;
    for (int64_t n = 1; status < 0; n++) {
        memory_fail_at(n);
        status = data_read_inputs(restored, path, &count, &x);
        memory_fail_at(0);
        if (status < 0) assert_int_equal(status, KNACK_E_MEMORY);
    }
    memory_free(x);
    data_close(restored);
    data_close(data);
    json_free(document);
    json_writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(opening), cmocka_unit_test(describing)};
    return cmocka_run_group_tests_name("failing allocations", tests, fixture_set_up, fixture_tear_down);
}
