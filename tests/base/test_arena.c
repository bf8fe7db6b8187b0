#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/memory.h"

static void test_alignment_and_content(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1000);
    unsigned char *data[200];
    for (size_t i = 0; i < 200; i++) { /* through several blocks */
        data[i] = arena_alloc(arena, 37 * i);
        assert_non_null(data[i]);
        assert_int_equal((uintptr_t)data[i] % 64, 0);
        memset(data[i], (int)i, 37 * i);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t k = 0; k < 37 * i; k++) assert_int_equal(data[i][k], i);
    }
    arena_free(arena);
    arena_free(NULL);
}

static void test_zeroed_after_reuse(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    memset(arena_alloc(arena, 500), 0xFF, 500);
    arena_reset(arena);
    const unsigned char *data = arena_zeroed(arena, 500);
    for (int i = 0; i < 500; i++) assert_int_equal(data[i], 0);
    assert_string_equal(arena_text(arena, "text"), "text");
    arena_free(arena);
}

/* One step that takes count pieces of size bytes; what it got goes to *first. */
static void take(struct arena *arena, int count, size_t size, void **first)
{
    for (int i = 0; i < count; i++) {
        void *data = arena_alloc(arena, size);
        assert_non_null(data);
        memset(data, 1, size);
        if (i == 0) *first = data;
    }
}

static void test_steady_steps_map_nothing(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    void *first, *again;
    take(arena, 300, 50000, &first); /* 15 MB in many blocks */
    arena_reset(arena);
    take(arena, 300, 50000, &first); /* now in one */
    int64_t mapped = memory_allocations();
    for (int step = 0; step < 5; step++) {
        arena_reset(arena);
        take(arena, 300, 50000, &again);
        assert_ptr_equal(again, first);
    }
    assert_int_equal(memory_allocations(), mapped);
    arena_free(arena);
}

/* The largest extent of a step counts, also if it was rewound before the reset. */
static void test_rewound_steps_map_nothing(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    int64_t mapped = 0;
    for (int step = 0; step < 4; step++) {
        void *data;
        arena_reset(arena);
        take(arena, 1, 10000, &data);
        struct arena_mark mark = arena_mark(arena);
        for (int pass = 0; pass < 3; pass++) {
            take(arena, 40, 9000, &data);
            arena_rewind(arena, mark);
        }
        if (step == 1) mapped = memory_allocations();
    }
    assert_int_equal(memory_allocations(), mapped);
    arena_free(arena);
}

static void test_rewind(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct arena_mark empty = arena_mark(arena);
    void *first = arena_alloc(arena, 100);
    char *kept = arena_text(arena, "kept");
    struct arena_mark mark = arena_mark(arena);
    void *next = arena_alloc(arena, 100);
    assert_non_null(arena_alloc(arena, 1000000)); /* a block of its own, which the rewind drops */
    arena_rewind(arena, mark);
    assert_string_equal(kept, "kept");
    assert_ptr_equal(arena_alloc(arena, 100), next);
    arena_rewind(arena, empty);
    assert_ptr_equal(arena_alloc(arena, 100), first);
    arena_free(arena);
}

static void test_peak(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    assert_int_equal(arena_peak(arena), 0);
    struct arena_mark mark = arena_mark(arena);
    arena_alloc(arena, 64);
    arena_alloc(arena, 65);
    assert_int_equal(arena_peak(arena), 192);
    arena_rewind(arena, mark);
    arena_alloc(arena, 64);
    arena_reset(arena);
    assert_int_equal(arena_peak(arena), 192);
    arena_alloc(arena, 6400);
    assert_int_equal(arena_peak(arena), 6400);
    arena_free(arena);
}

static void test_no_memory(void **state)
{
    (void)state;
    memory_fail_at(1);
    assert_null(arena_new(64));
    memory_fail_at(0);
    struct arena *arena = arena_new(64);
    memory_fail_at(1);
    status_clear();
    assert_null(arena_alloc(arena, 100));
    assert_string_equal(knack_error(), "out of memory: 128 bytes are not to be had");
    assert_null(arena_zeroed(arena, 100));
    assert_null(arena_text(arena, "x"));
    arena_reset(arena);
    memory_fail_at(0);
    assert_non_null(arena_alloc(arena, 100));
    assert_null(arena_alloc(arena, SIZE_MAX - 10));
    assert_null(arena_alloc(arena, SIZE_MAX / 8)); /* more than an address space */
    assert_non_null(arena_alloc(arena, 100));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment_and_content),
        cmocka_unit_test(test_zeroed_after_reuse),
        cmocka_unit_test(test_steady_steps_map_nothing),
        cmocka_unit_test(test_rewound_steps_map_nothing),
        cmocka_unit_test(test_rewind),
        cmocka_unit_test(test_peak),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
