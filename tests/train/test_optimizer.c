/* Optimizers against PyTorch float64, step by step; groups, decay, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "train/optimizer.h"
#include "vectors/optimizers.h"

#ifdef KNACK_REAL_DOUBLE
static const double tolerance = 1e-13;
#else
static const double tolerance = 2e-5;
#endif

static struct params *params_of(int64_t count, const struct knack_param_spec *specs)
{
    struct params *params = params_new();
    assert_non_null(params);
    for (int64_t i = 0; i < count; i++) assert_non_null(params_add(params, NULL, &specs[i]));
    assert_int_equal(params_allocate(params, 1), KNACK_OK);
    return params;
}

static struct params *one_param(int64_t entries)
{
    struct knack_param_spec spec = {.size = sizeof spec, .name = "weight", .ndim = 2, .shape = {1, entries}};
    return params_of(1, &spec);
}

static knack_real *values(const struct params *params, int64_t param)
{
    return params->live.values + params->list[param]->public.offset;
}

static knack_real *gradients(const struct params *params, int64_t param)
{
    return params->gradients + params->list[param]->public.offset;
}

static void check_vector(const struct optimizer_vector *vector)
{
    struct params *params = one_param(VECTOR_ENTRIES);
    struct optimizer *optimizer;
    assert_int_equal(optimizer_new(&vector->settings, params, &optimizer), KNACK_OK);
    for (int i = 0; i < VECTOR_ENTRIES; i++) values(params, 0)[i] = (knack_real)vector_weights[i];
    for (int t = 0; t < VECTOR_STEPS; t++) {
        for (int i = 0; i < VECTOR_ENTRIES; i++) gradients(params, 0)[i] = (knack_real)vector_gradients[t][i];
        optimizer_update(optimizer, vector_rates[t]);
        for (int i = 0; i < VECTOR_ENTRIES; i++) {
            double expected = vector->after[t][i];
            assert_true(fabs((double)values(params, 0)[i] - expected) <= tolerance * fmax(1, fabs(expected)));
        }
    }
    assert_int_equal(optimizer->updates, VECTOR_STEPS);
    optimizer_free(optimizer);
    params_free(params);
}

static void equals_pytorch(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof optimizer_vectors / sizeof *optimizer_vectors; k++) check_vector(&optimizer_vectors[k]);
}

static const struct knack_param_spec model[] = {
    {.size = sizeof *model, .name = "conv1.weight", .ndim = 2, .shape = {2, 3}},
    {.size = sizeof *model, .name = "conv1.bias", .ndim = 1, .shape = {2}},
    {.size = sizeof *model, .name = "table", .ndim = 2, .shape = {2, 2}, .no_decay = 1},
    {.size = sizeof *model, .name = "head.weight", .ndim = 2, .shape = {2, 2}, .lr_scale = 0.5},
};
enum { MODEL = sizeof model / sizeof *model };

static void decay_spares_vectors_and_marked(void **state)
{
    (void)state;
    struct params *params = params_of(MODEL, model);
    struct optimizer_settings settings = {.type = OPTIMIZER_SGD, .weight_decay = 0.1};
    struct optimizer *optimizer;
    assert_int_equal(optimizer_new(&settings, params, &optimizer), KNACK_OK);
    const double spared[MODEL] = {0.1, 0, 0, 0.1};
    assert_memory_equal(optimizer->weight_decay, spared, sizeof spared);
    assert_int_equal(optimizer->moments, 0);
    optimizer_free(optimizer);

    settings.decay_all = true;
    assert_int_equal(optimizer_new(&settings, params, &optimizer), KNACK_OK);
    const double all[MODEL] = {0.1, 0.1, 0.1, 0.1};
    assert_memory_equal(optimizer->weight_decay, all, sizeof all);
    optimizer_free(optimizer);
    params_free(params);
}

static void first_matching_group_holds(void **state)
{
    (void)state;
    struct params *params = params_of(MODEL, model);
    struct group_settings groups[] = {
        {.parameters = "conv1.*", .lr_scale = 0, .weight_decay = NAN},
        {.parameters = "*", .lr_scale = 3, .weight_decay = 0.7},
    };
    struct optimizer_settings settings = {.type = OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 0.1, .group = groups, .groups = 2};
    struct optimizer *optimizer;
    assert_int_equal(optimizer_new(&settings, params, &optimizer), KNACK_OK);
    const double scale[MODEL] = {0, 0, 3, 1.5}, decay[MODEL] = {0.1, 0, 0.7, 0.7};
    assert_memory_equal(optimizer->lr_scale, scale, sizeof scale);
    assert_memory_equal(optimizer->weight_decay, decay, sizeof decay);

    for (int64_t i = 0; i < params->total; i++) params->live.values[i] = 1;
    for (int64_t k = 0; k < MODEL; k++) gradients(params, k)[0] = 1;
    optimizer_update(optimizer, 0.1);
    assert_true(values(params, 0)[0] == 1); /* frozen */
    assert_true(values(params, 2)[0] == 1 - (knack_real)(0.1 * 3) * (1 + (knack_real)0.7));
    optimizer_free(optimizer);
    params_free(params);
}

static void a_pattern_without_match_lists_the_names(void **state)
{
    (void)state;
    struct params *params = params_of(MODEL, model);
    struct group_settings groups[] = {{.parameters = "*", .lr_scale = 1, .weight_decay = NAN},
                                      {.parameters = "head.weigth", .lr_scale = 1}};
    struct optimizer_settings settings = {.type = OPTIMIZER_ADAMW, .group = groups, .groups = 2};
    struct optimizer *optimizer;
    assert_int_equal(optimizer_new(&settings, params, &optimizer), KNACK_E_CONFIG);
    assert_null(optimizer);
    assert_string_equal(knack_error(), "at train.optimizer.groups[1].parameters: no parameter matches \"head.weigth\"; nearest is "
                                       "\"head.weight\"; there are 4 names: conv1.weight, conv1.bias, table, head.weight");
    params_free(params);
}

/* Sizes around the parts that threads take, and padding, which stays 0. */
static void threads_and_length_change_no_bit(void **state)
{
    (void)state;
    enum { LONG = 100001 };
    struct params *params = one_param(LONG);
    struct optimizer_settings settings = {
        .type = OPTIMIZER_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01, .decay_all = true};
    knack_real *once = memory_new(LONG, sizeof *once);
    assert_non_null(once);
    for (int threads = 1; threads <= 2; threads++) {
        assert_int_equal(threads_set(threads), KNACK_OK);
        struct optimizer *optimizer;
        assert_int_equal(optimizer_new(&settings, params, &optimizer), KNACK_OK);
        for (int64_t i = 0; i < LONG; i++) {
            values(params, 0)[i] = (knack_real)sin((double)(i % 1000));
            gradients(params, 0)[i] = (knack_real)cos((double)(i % 1000));
        }
        for (int t = 0; t < 3; t++) optimizer_update(optimizer, 0.01);
        /* The same entry at another place of a vector or part is the same. */
        for (int64_t i = 1000; i < LONG; i++) assert_true(values(params, 0)[i] == values(params, 0)[i - 1000]);
        if (threads == 1) memcpy(once, values(params, 0), LONG * sizeof *once);
        assert_memory_equal(once, values(params, 0), LONG * sizeof *once);
        for (int64_t i = LONG; i < params->total; i++) assert_true(params->live.values[i] == 0);
        optimizer_free(optimizer);
    }
    assert_int_equal(threads_set(1), KNACK_OK);
    memory_free(once);
    params_free(params);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct params *params = params_of(MODEL, model);
    struct optimizer_settings settings = {.type = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    struct optimizer *optimizer = NULL;
    int64_t failures = 0;
    for (int64_t nth = 1; !optimizer; nth++) {
        memory_fail_at(nth);
        knack_status status = optimizer_new(&settings, params, &optimizer);
        memory_fail_at(0);
        assert_int_equal(status, optimizer ? KNACK_OK : KNACK_E_MEMORY);
        failures += !optimizer;
    }
    assert_int_equal(failures, 5);
    optimizer_free(optimizer);
    params_free(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_pytorch),
        cmocka_unit_test(decay_spares_vectors_and_marked),
        cmocka_unit_test(first_matching_group_holds),
        cmocka_unit_test(a_pattern_without_match_lists_the_names),
        cmocka_unit_test(threads_and_length_change_no_bit),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
