#include "base/test.h"

#include <string.h>

#include "base/memory.h"

static void test_new_is_zeroed_and_aligned(void **state)
{
    (void)state;
    for (size_t size = 0; size < 5000; size = 3 * size / 2 + 1) {
        unsigned char *data = memory_new(size, 1);
        assert_non_null(data);
        for (size_t i = 0; i < size; i++) assert_int_equal(data[i], 0);
        if (size >= 64) assert_int_equal((uintptr_t)data % 64, 0);
        memset(data, 0xFF, size);
        memory_free(data);
    }
    memory_free(NULL);
}

static void test_resize_keeps_content_and_alignment(void **state)
{
    (void)state;
    unsigned char *data = NULL;
    size_t held = 0;
    static const size_t sizes[] = {1, 63, 64, 1000, 100000, 9000000, 70, 3, 4096, 0, 5};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        data = memory_resize(data, sizes[k], 1);
        assert_non_null(data);
        if (sizes[k] >= 64) assert_int_equal((uintptr_t)data % 64, 0);
        size_t kept = held < sizes[k] ? held : sizes[k];
        for (size_t i = 0; i < kept; i++) assert_int_equal(data[i], i % 251);
        for (size_t i = 0; i < sizes[k]; i++) data[i] = (unsigned char)(i % 251);
        held = sizes[k];
    }
    memory_free(data);
}

static void test_too_much(void **state)
{
    (void)state;
    assert_null(memory_new(SIZE_MAX / 2, 3));
    assert_string_equal(knack_error(), "out of memory: 9223372036854775807 times 3 bytes are not to be had");
    char *old = memory_text("stays");
    assert_null(memory_resize(old, SIZE_MAX / 2, 3));
    assert_string_equal(old, "stays");
    memory_free(old);
}

static void test_texts(void **state)
{
    (void)state;
    char *copy = memory_text("");
    assert_string_equal(copy, "");
    memory_free(copy);
    char *formatted = memory_format("%s-%03d", "a", 7);
    assert_string_equal(formatted, "a-007");
    memory_free(formatted);
}

static void test_fail_at(void **state)
{
    (void)state;
    int64_t before = memory_allocations();
    memory_fail_at(2);
    char *first = memory_text("first");
    assert_non_null(first);
    status_clear();
    assert_null(memory_new(10, 4));
    assert_string_equal(knack_error(), "out of memory: 10 times 4 bytes are not to be had");
    assert_null(memory_text("third"));
    assert_null(memory_format("%d", 4));
    assert_null(memory_resize(first, 100, 1));
    assert_string_equal(first, "first");
    memory_fail_at(0);
    assert_int_equal(memory_allocations() - before, 5);
    first = memory_resize(first, 100, 1);
    assert_string_equal(first, "first");
    memory_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_is_zeroed_and_aligned),
        cmocka_unit_test(test_resize_keeps_content_and_alignment),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_fail_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
