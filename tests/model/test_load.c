/* Initial weights from a file ("init"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "bench.h"
#include "model/safetensors.h"

static char path[] = "/tmp/knack-init-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* "w" [2, 3] of the model, batch norm statistics, "trick.v" [4], and a set. */
static struct params *new_store(void)
{
    struct params *params = params_new();
    struct knack_param_spec w = {.size = sizeof w, .name = "w", .ndim = 2, .init = KNACK_INIT_HE, .shape = {2, 3}};
    struct knack_param_spec b = {.size = sizeof b, .name = "b", .ndim = 1, .init = KNACK_INIT_HE, .shape = {2}};
    struct knack_param_spec v = {.size = sizeof v, .name = "v", .ndim = 1, .init = KNACK_INIT_HE, .shape = {4}};
    assert_non_null(params_add(params, NULL, &w));
    assert_non_null(params_add(params, NULL, &b));
    assert_non_null(params_add(params, "trick", &v));
    assert_int_equal(params_add_statistic(params, "bn.mean", 2, 0), 0);
    assert_non_null(params_add_set(params, "ema", "ema", 0));
    assert_int_equal(params_allocate(params, 1), KNACK_OK);
    return params;
}

static const double numbers[] = {0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4};
static const struct safetensors_entry w = {"w", KNACK_F64, 2, {2, 3}, 6, numbers}, b = {"b", KNACK_F64, 1, {2}, 2, numbers + 6},
                                      v = {"trick.v", KNACK_F64, 1, {4}, 4, numbers}, mean = {"bn.mean", KNACK_F64, 1, {2}, 2, numbers + 2},
                                      flat = {"w", KNACK_F64, 1, {6}, 6, numbers}, integral = {"b", KNACK_I64, 1, {2}, 2, numbers},
                                      extra = {"head.weight", KNACK_F64, 1, {2}, 2, numbers};

static void put(int count, const struct safetensors_entry *const *entry)
{
    struct safetensors_entry list[8];
    for (int i = 0; i < count; i++) list[i] = *entry[i];
    assert_int_equal(safetensors_write(path, list, count, NULL, NULL, 0), KNACK_OK);
}

static void everything_is_loaded(void **state)
{
    (void)state;
    put(4, (const struct safetensors_entry *const[]){&w, &b, &v, &mean});
    struct params *params = new_store();
    if (model_load_init(params, path) < 0) fail_msg("%s", knack_error());
    const knack_real *values = params->live.values;
    for (int i = 0; i < 6; i++) assert_true(values[params_find(params, "w")->public.offset + i] == (knack_real)numbers[i]);
    assert_true(values[params_find(params, "b")->public.offset + 1] == 4);
    assert_true(values[params_find(params, "trick.v")->public.offset + 3] == 2);
    assert_true(params->live.statistics[0] == 1.5 && params->live.statistics[1] == 2);
    const struct knack_weights *set = params_find_set(params, "ema");
    assert_memory_equal(set->values, values, (size_t)params->total * sizeof *values);
    assert_true(set->statistics[0] == 1.5);
    params_free(params);
}

static void statistics_and_tricks_may_be_absent(void **state)
{
    (void)state;
    put(2, (const struct safetensors_entry *const[]){&w, &b});
    struct params *params = new_store();
    const struct param *trick = params_find(params, "trick.v");
    knack_real drawn = params->live.values[trick->public.offset];
    assert_int_equal(model_load_init(params, path), KNACK_OK);
    assert_true(params->live.values[trick->public.offset] == drawn);
    assert_true(params->live.statistics[0] == 0);
    params_free(params);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const struct {
        int count;
        const struct safetensors_entry *entry[3];
        const char *message;
    } cases[] = {
        {1, {&w}, ": parameters of the model are missing: 1 name: b"},
        {1, {&mean}, ": parameters of the model are missing: 2 names: w, b"},
        {3, {&w, &b, &extra}, ": the model has no parameter or statistic for 1 name: head.weight"},
        {2, {&flat, &b}, ": w has shape [6], the model's has [2, 3]"},
        {2, {&w, &integral}, ": tensor b holds I64, F64, F32 or BF16 is needed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(cases[i].count, cases[i].entry);
        struct params *params = new_store();
        assert_int_equal(model_load_init(params, path), KNACK_E_DATA);
        expect_message(path);
        expect_message(cases[i].message);
        params_free(params);
    }
}

static void failing_allocations_leave_nothing(void **state)
{
    (void)state;
    put(4, (const struct safetensors_entry *const[]){&w, &b, &v, &mean});
    struct params *params = new_store();
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; nth < 1000 && status < 0; nth++) {
        memory_fail_at(nth);
        status = model_load_init(params, path);
        memory_fail_at(0);
        assert_true(status == KNACK_OK || status == KNACK_E_MEMORY);
    }
    assert_int_equal(status, KNACK_OK);
    params_free(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_loaded),
        cmocka_unit_test(statistics_and_tricks_may_be_absent),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
