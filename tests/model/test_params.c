/* The store of parameters: names, layout, sets, and initial values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/params.h"

static struct param *add(struct params *params, const char *owner, const char *name, enum knack_init init, int ndim, const int64_t *shape)
{
    struct knack_param_spec spec = {.size = sizeof spec, .name = name, .ndim = ndim, .init = init};
    memcpy(spec.shape, shape, (size_t)ndim * sizeof *shape);
    return params_add(params, owner, &spec);
}

static void parameters_lie_at_64_bytes(void **state)
{
    (void)state;
    struct params *params = params_new();
    const struct param *a = add(params, NULL, "a", KNACK_INIT_ONE, 2, (int64_t[]){3, 5});
    const struct param *b = add(params, "trick", "b", KNACK_INIT_ONE, 1, (int64_t[]){64 / sizeof(knack_real)});
    const struct param *c = add(params, NULL, "c", KNACK_INIT_ONE, 1, (int64_t[]){1});
    assert_int_equal(params_allocate(params, 1), KNACK_OK);
    assert_int_equal(a->public.count, 15);
    assert_string_equal(b->public.name, "trick.b");
    int64_t padded = 64 / (int64_t)sizeof(knack_real), end = 0;
    for (int i = 0; i < 3; i++) {
        const struct param *param = (const struct param *[]){a, b, c}[i];
        assert_int_equal(param->index, i);
        assert_int_equal(param->public.offset, end);
        assert_int_equal(param->public.size, sizeof(struct knack_param));
        end += (param->public.count + padded - 1) / padded * padded;
    }
    assert_int_equal(params->total, end);
    double sum = 0;
    for (int64_t i = 0; i < params->total; i++) sum += params->live.values[i]; /* padding is 0 */
    assert_true(sum == 15 + (double)padded + 1);
    assert_int_equal((uintptr_t)params->live.values % 64, 0);
    assert_int_equal((uintptr_t)params->gradients % 64, 0);
    params_free(params);
}

static void handles_stay_when_the_store_grows(void **state)
{
    (void)state;
    struct params *params = params_new();
    const struct param *first = add(params, NULL, "p", KNACK_INIT_ZERO, 1, (int64_t[]){1});
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        assert_non_null(add(params, NULL, name, KNACK_INIT_ZERO, 1, (int64_t[]){1}));
    }
    assert_ptr_equal(params_find(params, "p"), first);
    assert_ptr_equal(params->list[0], first);
    assert_int_equal(params_find(params, "p199")->index, 200);
    assert_null(params_find(params, "q"));
    const struct knack_param *list[201];
    assert_int_equal(params_match(params, "p19?", list), 10);
    assert_string_equal(list[9]->name, "p199");
    params_free(params);
}

static void sets_are_copies(void **state)
{
    (void)state;
    struct params *params = params_new();
    add(params, NULL, "w", KNACK_INIT_HE, 2, (int64_t[]){4, 4});
    assert_int_equal(params_add_statistic(params, "bn.mean", 3, 0), 0);
    assert_int_equal(params_add_statistic(params, "bn.variance", 3, 1), 1);
    struct knack_weights *ema = params_add_set(params, "ema", "ema", KNACK_EVALUATE);
    assert_non_null(ema);
    assert_int_equal(params_allocate(params, 7), KNACK_OK);
    assert_memory_equal(ema->values, params->live.values, (size_t)params->total * sizeof(knack_real));
    assert_true(ema->statistics[2] == 0 && ema->statistics[3] == 1 && params->live.statistics[5] == 1);
    params->live.values[0] = 42;
    params->live.statistics[0] = 43;
    weights_copy(ema, &params->live);
    assert_true(ema->values[0] == 42 && ema->statistics[0] == 43);
    assert_ptr_equal(params_find_set(params, "raw"), &params->live);
    assert_ptr_equal(params_find_set(params, "ema"), ema);
    assert_null(params_find_set(params, "swa"));
    params_free(params);
}

static void assert_error(const void *result, const char *message)
{
    assert_null(result);
    if (!strstr(knack_error(), message)) fail_msg("expected \"%s\" within \"%s\"", message, knack_error());
}

static void bad_declarations_are_refused(void **state)
{
    (void)state;
    struct params *params = params_new();
    int64_t one[KNACK_MAX_DIMS] = {1, 1, 1, 1, 1};
    char long_name[PARAMS_NAME + 2];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    assert_non_null(add(params, NULL, "w", KNACK_INIT_ZERO, 1, one));
    assert_error(add(params, NULL, "w", KNACK_INIT_ZERO, 1, one), "parameter w: this name is already taken");
    assert_error(add(params, NULL, "", KNACK_INIT_ZERO, 1, one), "a name is made of 1 to 128 letters");
    assert_error(add(params, NULL, NULL, KNACK_INIT_ZERO, 1, one), "a name is made of 1 to 128 letters");
    assert_error(add(params, NULL, "a*", KNACK_INIT_ZERO, 1, one), "parameter \"a*\": a name is made of");
    assert_error(add(params, NULL, long_name, KNACK_INIT_ZERO, 1, one), "a name is made of");
    assert_error(add(params, NULL, "v", KNACK_INIT_ZERO, 0, one), "parameter v: it has 0 axes, 1 to 5 are possible");
    assert_error(add(params, NULL, "v", KNACK_INIT_ZERO, 1, (int64_t[]){0}), "parameter v: each size of its shape must be at least 1");
    assert_error(add(params, NULL, "v", KNACK_INIT_ZERO, 2, (int64_t[]){INT64_MAX / 2, 4}), "memory must hold them all");
    assert_error(add(params, NULL, "v", (enum knack_init)9, 1, one), "parameter v: init 9 is none of enum knack_init");
    struct knack_param_spec spec = {.size = sizeof spec, .name = "v", .ndim = 1, .shape = {1}, .lr_scale = -1};
    assert_error(params_add(params, NULL, &spec), "lr_scale at least 0");
    spec.size = 0;
    assert_error(params_add(params, NULL, &spec), "struct knack_param_spec: its size is given as 0, set it to sizeof");
    assert_true(params_add_statistic(params, "w", 1, 0) < 0);
    assert_error(NULL, "statistic w: this name is already taken");
    assert_true(params_add_statistic(params, "s", 0, 0) < 0);
    assert_error(NULL, "statistic s: it cannot have 0 entries");
    assert_int_equal(params_add_statistic(params, "s", 1, 0), 0);
    assert_error(add(params, NULL, "s", KNACK_INIT_ZERO, 1, one), "parameter s: this name is already taken");
    assert_error(params_add_set(params, NULL, "raw", 0), "weight set raw: this name is already taken");
    assert_error(params_add_set(params, NULL, "a/b", 0), "weight set \"a/b\": a name is made of");
    assert_int_equal(params_allocate(params, 1), KNACK_OK);
    assert_error(add(params, NULL, "late", KNACK_INIT_ZERO, 1, one), "parameter late: declared after the weights exist");
    assert_error(params_add_set(params, NULL, "late", 0), "weight set late: declared after the weights exist");
    assert_int_equal(params_allocate(params, 1), KNACK_E_CALL);
    assert_int_equal(params->count, 1);
    params_free(params);
}

/* ---- Initial values ---- */

static void moments(const knack_real *x, int64_t count, double *mean, double *deviation, double *largest)
{
    double sum = 0, squares = 0;
    *largest = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += x[i];
        squares += (double)x[i] * x[i];
        if (fabs((double)x[i]) > *largest) *largest = fabs((double)x[i]);
    }
    *mean = sum / (double)count;
    *deviation = sqrt(squares / (double)count - *mean * *mean);
}

static void initial_values_have_their_spread(void **state)
{
    (void)state;
    static const struct {
        enum knack_init init;
        int ndim;
        int64_t shape[4];
        double scale, deviation, bound;
    } cases[] = {
        {KNACK_INIT_HE, 2, {300, 200}, 0, 0.1, INFINITY},
        {KNACK_INIT_HE, 2, {300, 200}, 0.5, 0.05, INFINITY},
        {KNACK_INIT_HE, 4, {128, 50, 2, 2}, 0, 0.1, INFINITY},
        {KNACK_INIT_HE, 1, {40000}, 0, 1.4142135623730951, INFINITY},
        {KNACK_INIT_XAVIER, 2, {100, 500}, 0, 0.1 / 1.7320508075688772, 0.1},
        {KNACK_INIT_XAVIER, 4, {100, 50, 2, 2}, 0, 0.1 / 1.7320508075688772, 0.1},
        {KNACK_INIT_NORMAL, 2, {200, 200}, 3, 3, INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct params *params = params_new();
        struct knack_param_spec spec = {
            .size = sizeof spec, .name = "w", .ndim = cases[i].ndim, .init = cases[i].init, .init_scale = cases[i].scale};
        memcpy(spec.shape, cases[i].shape, sizeof cases[i].shape);
        struct param *param = params_add(params, NULL, &spec);
        assert_int_equal(params_allocate(params, i), KNACK_OK);
        double mean, deviation, largest, unit = cases[i].deviation, samples = (double)param->public.count;
        moments(params->live.values, param->public.count, &mean, &deviation, &largest);
        assert_true(fabs(mean) < 4 * unit / sqrt(samples));
        assert_true(fabs(deviation / unit - 1) < 4 / sqrt(2 * samples));
        assert_true(largest < cases[i].bound * (1 + 1e-6) && largest > 1.5 * unit);
        params_free(params);
    }
}

static void constants_are_constant(void **state)
{
    (void)state;
    struct params *params = params_new();
    const struct param *zero = add(params, NULL, "zero", KNACK_INIT_ZERO, 1, (int64_t[]){3});
    const struct param *one = add(params, NULL, "one", KNACK_INIT_ONE, 1, (int64_t[]){3});
    assert_int_equal(params_allocate(params, 1), KNACK_OK);
    for (int i = 0; i < 3; i++) {
        assert_true(params->live.values[zero->public.offset + i] == 0);
        assert_true(params->live.values[one->public.offset + i] == 1);
    }
    params_free(params);
}

/* Values of "w" in a store that may have other parameters before it. */
static void draw(uint64_t seed, const char *name, bool others, knack_real out[12])
{
    struct params *params = params_new();
    if (others) add(params, NULL, "before", KNACK_INIT_HE, 2, (int64_t[]){7, 5});
    const struct param *param = add(params, NULL, name, KNACK_INIT_HE, 2, (int64_t[]){3, 4});
    if (others) add(params, "trick", "behind", KNACK_INIT_NORMAL, 1, (int64_t[]){9});
    assert_int_equal(params_allocate(params, seed), KNACK_OK);
    memcpy(out, params->live.values + param->public.offset, 12 * sizeof *out);
    params_free(params);
}

static void a_parameter_moves_no_other(void **state)
{
    (void)state;
    knack_real alone[12], among[12], reseeded[12], renamed[12];
    draw(5, "w", false, alone);
    draw(5, "w", true, among);
    draw(6, "w", false, reseeded);
    draw(5, "v", false, renamed);
    assert_memory_equal(alone, among, sizeof alone);
    for (int i = 0; i < 12; i++) assert_true(alone[i] != reseeded[i] && alone[i] != renamed[i]);
}

static void failing_allocations_leave_nothing(void **state)
{
    (void)state;
    int refused = 0;
    for (int64_t nth = 1; nth < 100; nth++) {
        memory_fail_at(nth);
        struct params *params = params_new();
        bool complete = params && add(params, NULL, "w", KNACK_INIT_ONE, 1, (int64_t[]){100}) &&
                        params_add_statistic(params, "s", 2, 0) >= 0 && params_add_set(params, NULL, "best", 0) &&
                        params_allocate(params, 1) == KNACK_OK;
        memory_fail_at(0);
        if (params && !complete) {
            assert_false(params->allocated);
            assert_null(params->live.values);
        }
        params_free(params);
        if (complete) break;
        refused++;
    }
    assert_true(refused > 8 && refused < 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_lie_at_64_bytes),
        cmocka_unit_test(handles_stay_when_the_store_grows),
        cmocka_unit_test(sets_are_copies),
        cmocka_unit_test(bad_declarations_are_refused),
        cmocka_unit_test(initial_values_have_their_spread),
        cmocka_unit_test(constants_are_constant),
        cmocka_unit_test(a_parameter_moves_no_other),
        cmocka_unit_test(failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
