/* For tests of a trick's own arithmetic: a tape without a run, on which its static functions compute. */
#ifndef PLUGINS_ON_TAPE_H
#define PLUGINS_ON_TAPE_H

#include "base/arena.h"
#include "tensor/tape.h"

struct on_tape {
    struct step_base base; /* first: what knack_step begins with */
    struct tape tape;
    struct arena *arena;
};

static inline knack_step *on_tape_begin(struct on_tape *on)
{
    on->arena = arena_new(1 << 16);
    assert_non_null(on->arena);
    tape_begin(&on->tape, on->arena);
    on->base.tape = &on->tape;
    return (knack_step *)(void *)on;
}

/* A leaf [rows, columns] whose gradient is kept. */
static inline knack_tensor *on_tape_leaf(struct on_tape *on, int64_t rows, int64_t columns, knack_real *data, knack_real *gradient)
{
    static uint8_t untouched[16];
    static int next;
    uint8_t *touched = &untouched[next++ % 16];
    *touched = 0;
    return tape_leaf(&on->tape, 2, (const int64_t[]){rows, columns}, data, gradient, touched);
}

/* The values of x [count], and, seeded with ones, the gradients of all leaves. */
static inline const knack_real *on_tape_backward(knack_tensor *x)
{
    static const knack_real ones[64] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    assert_non_null(x);
    assert_true(x->count <= 64);
    assert_int_equal(tape_backward(x, ones), KNACK_OK);
    return x->data;
}

static inline void on_tape_end(struct on_tape *on)
{
    assert_int_equal(tape_status(&on->tape), KNACK_OK);
    arena_free(on->arena);
}

/* For values of the reference sheets, which are given to 12 digits. */
static inline void assert_near(double value, double expected, double float_tolerance)
{
#ifdef KNACK_REAL_DOUBLE
    float_tolerance = 1e-10;
#endif
    double bound = float_tolerance * (expected > 1 ? expected : expected < -1 ? -expected : 1);
    if (!(value - expected <= bound && expected - value <= bound)) fail_msg("%.12g is not %.12g", value, expected);
}

#endif
