/* mixup's shares, and what the host makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mixup.c"
#include "plugins/on_tape.h"

static void one_share_for_the_batch(void **state)
{
    (void)state;
    const int64_t partner[] = {1, 0, 2, 4, 3};
    const knack_real drawn[] = {0.25f};
    knack_real lambda[5];
    set_lambda(lambda, drawn, false, partner, 5);
    const knack_real expected[] = {0.75f, 0.75f, 1, 0.75f, 0.75f}; /* the larger part; row 2 has no partner */
    assert_memory_equal(lambda, expected, sizeof expected);
}

static void one_share_a_row(void **state)
{
    (void)state;
    const int64_t partner[] = {1, 0, 2};
    const knack_real drawn[] = {0.25f, 0.875f, 0.5f};
    knack_real lambda[3];
    set_lambda(lambda, drawn, true, partner, 3);
    const knack_real expected[] = {0.75f, 0.875f, 1};
    assert_memory_equal(lambda, expected, sizeof expected);
}

/* lambda = 0.3 of 1 and 0.7 of 5 is 3.8: the row of 5 is the one that keeps the larger part. */
static void rows_are_mixed(void **state)
{
    (void)state;
    struct on_tape on;
    on_tape_begin(&on);
    const int64_t partner[] = {1, 0, 2};
    const knack_real drawn[] = {(knack_real)0.3};
    knack_real lambda[3], x[] = {1, 5, (knack_real)0.1}, gradient[3];
    set_lambda(lambda, drawn, false, partner, 3);
    const knack_real *mixed = on_tape_backward(tensor_mix_rows(on_tape_leaf(&on, 3, 1, x, gradient), partner, lambda, 3, 1));
    assert_near((double)mixed[0], 2.2, 1e-6);
    assert_near((double)mixed[1], 3.8, 1e-6);
    assert_true(mixed[2] == x[2]); /* to the bit */
    for (int i = 0; i < 3; i++) assert_near((double)gradient[i], 1, 1e-6);
    on_tape_end(&on);
}

static void loss_of_a_mixed_target(void **state)
{
    (void)state;
    struct on_tape on;
    knack_step *step = on_tape_begin(&on);
    knack_real logits[] = {1, 2, 0.5f}, target[] = {(knack_real)0.3, (knack_real)0.7, 0}, gradient[3];
    knack_tensor *dense = knack_constant(step, KNACK_REAL, 2, (const int64_t[]){1, 3}, target);
    const knack_real *loss = on_tape_backward(knack_cross_entropy_dense(on_tape_leaf(&on, 1, 3, logits, gradient), dense));
    assert_near((double)loss[0], 0.764368784108, 1e-6);
    on_tape_end(&on);
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &mixup);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_share_for_the_batch), cmocka_unit_test(one_share_a_row),          cmocka_unit_test(rows_are_mixed),
        cmocka_unit_test(loss_of_a_mixed_target),  cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
