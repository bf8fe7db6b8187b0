/* Calls of kernels as tests make them: operands drawn on an arena, and results that do not depend on threads. */
#ifndef TESTS_TENSOR_KERNEL_CALL_H
#define TESTS_TENSOR_KERNEL_CALL_H

#include "fixture.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/threads.h"
#include "tensor/kernels/kernels.h"

static struct arena *arena;
static uint32_t drawn; /* arrays so far: each has other values */

static inline int open_arena(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    return arena ? 0 : -1;
}

static inline int close_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return threads_set(1);
}

static inline void *room(size_t bytes)
{
    void *memory = arena_alloc(arena, bytes ? bytes : 1);
    assert_non_null(memory);
    return memory;
}

/* Values in [-1, 1). */
static inline knack_real *values(int64_t count)
{
    knack_real *out = room((size_t)count * sizeof *out);
    random_uniforms(7, (struct random_place){.a = drawn++}, 0, count, out);
    for (int64_t i = 0; i < count; i++) out[i] = 2 * out[i] - 1;
    return out;
}

static inline void assert_close(const char *what, const knack_real *got, const knack_real *wanted, int64_t count, double absolute,
                                double relative)
{
    for (int64_t i = 0; i < count; i++) {
        const double distance = fabs((double)got[i] - (double)wanted[i]);
        if (!(distance <= absolute + relative * fabs((double)wanted[i])))
            fail_msg("%s: value %d is %.9g, expected %.9g", what, (int)i, (double)got[i], (double)wanted[i]);
    }
}

/* Sums of so many products of values within [-1, 1], in f32; the double build sums them in another order. */
static inline double sum_error(int64_t terms)
{
    return (sizeof(knack_real) == 4 ? 3e-6 : 1e-13) * sqrt((double)terms);
}

/* A kernel with its operands, which writes `bytes` to out; out holds `before` at first, if that is not NULL. */
struct call {
    void (*run)(const struct call *, void *out);
    const void *user, *before;
    size_t bytes;
};

/* What the call writes, which must be the same bits for 1, 2 and 3 threads. */
static inline void *run_call(const struct call *call)
{
    void *first = NULL;
    for (int threads = 1; threads <= 3; threads++) {
        void *out = room(call->bytes);
        if (call->before)
            memcpy(out, call->before, call->bytes);
        else
            memset(out, 0xff, call->bytes); /* NaN */
        assert_int_equal(threads_set(threads), KNACK_OK);
        call->run(call, out);
        if (first && memcmp(first, out, call->bytes) != 0) fail_msg("%d threads give other bits than one", threads);
        if (!first) first = out;
    }
    threads_set(1);
    return first;
}

#define ASSERT_OK(call)                                                                                                                    \
    do {                                                                                                                                   \
        if ((call) != KNACK_OK) fail_msg("%s", knack_error());                                                                             \
    } while (0)

#endif
