/* A tape to run operations on, as tests of tensors need it. */
#ifndef TESTS_TENSOR_FIXTURE_H
#define TESTS_TENSOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tensor/tape.h"

struct fixture {
    struct step_base base; /* first: a step begins with it */
    struct tape tape;
    struct arena *arena;
};

static inline void fixture_open(struct fixture *fixture)
{
    fixture->arena = arena_new(1 << 20);
    assert_non_null(fixture->arena);
    fixture->base.tape = &fixture->tape;
    tape_begin(&fixture->tape, fixture->arena);
}

static inline void fixture_close(struct fixture *fixture)
{
    arena_free(fixture->arena);
}

static inline knack_step *fixture_step(struct fixture *fixture)
{
    return (knack_step *)(void *)fixture;
}

/* Fails unless the tape's failure has exactly this message; then the tape is fit for use again. */
static inline void assert_failure(struct fixture *fixture, knack_status code, const char *message)
{
    assert_int_equal(tape_status(&fixture->tape), code);
    assert_string_equal(knack_error(), message);
    tape_begin(&fixture->tape, fixture->arena);
}

#define LENGTH(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))
/* Tensors of numbers written in place: constant(f, (knack_real[]){1, 2}, 2) and so on. */
#define SHAPE(...)                                                                                                                         \
    (int)LENGTH(((int64_t[]){__VA_ARGS__})), (int64_t[])                                                                                   \
    {                                                                                                                                      \
        __VA_ARGS__                                                                                                                        \
    }
#define REALS(...)                                                                                                                         \
    (knack_real[])                                                                                                                         \
    {                                                                                                                                      \
        __VA_ARGS__                                                                                                                        \
    }

static inline knack_tensor *constant(struct fixture *fixture, const knack_real *values, int ndim, const int64_t *shape)
{
    return knack_constant(fixture_step(fixture), KNACK_REAL, ndim, shape, values);
}

/* A leaf whose gradient can be read after backward(). The values are copied. */
static inline knack_tensor *variable(struct fixture *fixture, const knack_real *values, int ndim, const int64_t *shape)
{
    knack_tensor *copy = constant(fixture, values, ndim, shape);
    assert_non_null(copy);
    knack_real *gradient = arena_zeroed(fixture->arena, (size_t)copy->count * sizeof *gradient);
    assert_non_null(gradient);
    return tape_leaf(&fixture->tape, ndim, shape, copy->data, gradient, NULL);
}

static inline void backward(knack_tensor *result, const knack_real *seed)
{
    assert_non_null(result);
    if (tape_backward(result, seed) != KNACK_OK) fail_msg("%s", knack_error());
}

/* Values that are equal, or both NaN, or within a few roundings. */
static inline void assert_reals(const void *values, const knack_real *expected, int64_t count)
{
    assert_non_null(values);
    const double tolerance = sizeof(knack_real) == 4 ? 2e-6 : 1e-14;
    for (int64_t i = 0; i < count; i++) {
        const double value = (double)((const knack_real *)values)[i], wanted = (double)expected[i];
        const double size = wanted < 0 ? -wanted : wanted;
        const bool alike = value == wanted || (value != value && wanted != wanted);
        const double distance = value < wanted ? wanted - value : value - wanted;
        if (!alike && !(distance <= tolerance * (size > 1 ? size : 1))) fail_msg("value %d is %.9g, expected %.9g", (int)i, value, wanted);
    }
}

#endif
