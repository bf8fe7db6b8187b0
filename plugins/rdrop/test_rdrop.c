/* R-Drop's divergence and loss: values, gradients, and classes that are ruled out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugins/on_tape.h"
#include "rdrop.c"

static const int32_t second_class[] = {1};

/* Both passes' logits, and the gradients of what was computed from them. */
struct passes {
    knack_real z1[3], z2[3], dz1[3], dz2[3];
};

/* The loss (which: 0) or the divergence (1) of one item of class 1. */
static double compute(struct passes *p, double alpha, int which)
{
    struct on_tape on;
    knack_step *step = on_tape_begin(&on);
    knack_tensor *z1 = on_tape_leaf(&on, 1, 3, p->z1, p->dz1), *z2 = on_tape_leaf(&on, 1, 3, p->z2, p->dz2);
    knack_tensor *apart = symmetric_kl(step, z1, z2);
    knack_tensor *loss = joined(knack_cross_entropy(z1, second_class), knack_cross_entropy(z2, second_class), apart, alpha);
    double value = (double)on_tape_backward(which ? apart : loss)[0];
    on_tape_end(&on);
    return value;
}

static struct passes example(void)
{
    return (struct passes){.z1 = {1, 2, (knack_real)0.5}, .z2 = {(knack_real)0.8, (knack_real)2.2, (knack_real)0.1}};
}

static void known_values(void **state)
{
    (void)state;
    struct passes p = example();
    assert_near(compute(&p, 0, 0), (0.464368784108 + 0.314119546418) / 2, 1e-6);
    assert_near(compute(&p, 0, 1), (0.026386951259 + 0.024532707195) / 2, 1e-6);
    assert_near(2 * compute(&p, 1, 0), 0.803948159753, 1e-6); /* the paper's, a sum of two losses */
    assert_near(compute(&p, 1, 0), 0.401974079877, 1e-6);     /* a mean, with 0.5 for the divergence */
    assert_near(compute(&p, 2, 0), 0.41470399449, 1e-6);      /* and with 1 */
}

static void known_gradients(void **state)
{
    (void)state;
    const double dz1[] = {0.166986303017, -0.292194855769, 0.125208552752};
    const double dz2[] = {0.0398080148916, -0.0379204874627, -0.00188752742893};
    struct passes p = example();
    compute(&p, 2, 0);
    for (int c = 0; c < 3; c++) {
        assert_near((double)p.dz1[c], dz1[c], 1e-6);
        assert_near((double)p.dz2[c], dz2[c], 1e-6);
    }
}

/* The divergence is 0 exactly where both passes agree, has no slope there, and is above 0 elsewhere. */
static void alike_is_nothing(void **state)
{
    (void)state;
    struct passes p = {.z1 = {-3, (knack_real)0.7, 40}, .z2 = {-3, (knack_real)0.7, 40}};
    assert_true(compute(&p, 1, 1) == 0);
    for (int c = 0; c < 3; c++) assert_true(p.dz1[c] == 0 && p.dz2[c] == 0);
    for (int c = 0; c < 3; c++) {
        p.z2[c] += (knack_real)0.25;
        assert_true(compute(&p, 1, 1) > 0 || c == 2); /* all moved alike is the same distribution */
    }
}

static void sides_may_change_places(void **state)
{
    (void)state;
    struct passes p = example(), q = example();
    for (int c = 0; c < 3; c++) {
        q.z1[c] = p.z2[c];
        q.z2[c] = p.z1[c];
    }
    assert_true(compute(&p, 1, 1) == compute(&q, 1, 1));
    for (int c = 0; c < 3; c++) assert_near((double)p.dz1[c], (double)q.dz2[c], 1e-7);
}

/* A class with a logit of -Inf in both passes is no part of the divergence; in one alone no finite number tells them apart. */
static void classes_that_are_ruled_out(void **state)
{
    (void)state;
    struct passes p = example(), two = example();
    p.z1[2] = p.z2[2] = -INFINITY;
    two.z1[2] = two.z2[2] = -1000; /* as good as ruled out */
    assert_near(compute(&p, 1, 1), compute(&two, 1, 1), 1e-7);
    compute(&p, 1, 0);
    for (int c = 0; c < 3; c++) assert_true(isfinite(p.dz1[c]) && isfinite(p.dz2[c]));
    assert_true(p.dz1[2] == 0 && p.dz2[2] == 0);
    p.z2[2] = 0;
    assert_true(isinf(compute(&p, 1, 1)));
}

/* Probabilities that underflow leave logarithms that do not. */
static void far_apart_is_finite(void **state)
{
    (void)state;
    struct passes p = {.z1 = {1000, 0, 0}, .z2 = {0, 1000, 0}};
    assert_near(compute(&p, 1, 1), 1000, 1e-6);
    for (int c = 0; c < 3; c++) assert_true(isfinite(p.dz1[c]) && isfinite(p.dz2[c]));
}

static void outputs_of_a_regression(void **state)
{
    (void)state;
    struct on_tape on;
    knack_real z1[] = {1, 2}, z2[] = {(knack_real)1.5, 0}, dz1[2], dz2[2];
    on_tape_begin(&on);
    const knack_real *d = on_tape_backward(squared_difference(on_tape_leaf(&on, 1, 2, z1, dz1), on_tape_leaf(&on, 1, 2, z2, dz2)));
    assert_near((double)d[0], (0.25 + 4) / 2, 1e-7);
    assert_near((double)dz1[0], -0.5, 1e-7);
    assert_near((double)dz2[1], -2, 1e-7);
    on_tape_end(&on);
}

#ifdef KNACK_REAL_DOUBLE
static knack_tensor *whole_loss(knack_step *step, knack_tensor *const *z, void *user)
{
    static const int32_t target[] = {1, 0};
    (void)user;
    return joined(knack_cross_entropy(z[0], target), knack_cross_entropy(z[1], target), symmetric_kl(step, z[0], z[1]), 1.5);
}

static knack_tensor *regression(knack_step *step, knack_tensor *const *z, void *user)
{
    (void)step, (void)user;
    return squared_difference(z[0], z[1]);
}

static void gradients_agree_with_differences(void **state)
{
    (void)state;
    knack_real z1[] = {1, 2, 0.5, -1, 0.25, 3}, z2[] = {0.8, 2.2, 0.1, 0, -0.5, 2}, *const values[] = {z1, z2};
    const int64_t shape[] = {2, 3}, *const shapes[] = {shape, shape};
    double worst;
    assert_int_equal(knack_check_gradient(whole_loss, NULL, 2, (const int[]){2, 2}, shapes, values, 1e-6, &worst), KNACK_OK);
    assert_true(worst < 1e-8);
    assert_int_equal(knack_check_gradient(regression, NULL, 2, (const int[]){2, 2}, shapes, values, 1e-6, &worst), KNACK_OK);
    assert_true(worst < 1e-8);
}
#endif

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &rdrop);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(known_gradients),
        cmocka_unit_test(alike_is_nothing),
        cmocka_unit_test(sides_may_change_places),
        cmocka_unit_test(classes_that_are_ruled_out),
        cmocka_unit_test(far_apart_is_finite),
        cmocka_unit_test(outputs_of_a_regression),
#ifdef KNACK_REAL_DOUBLE
        cmocka_unit_test(gradients_agree_with_differences),
#endif
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
