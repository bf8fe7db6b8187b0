#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "fixture.h"

/* 500 rows of one value, their own number; label: row mod 5. */
static int set_up(void **state)
{
    uint8_t label[500];
    float value[500];
    for (int i = 0; i < 500; i++) {
        label[i] = (uint8_t)(i % 5);
        value[i] = (float)i;
    }
    if (fixture_set_up(state) != 0) return -1;
    put_npy("x.npy", 1, "'descr': '<f4', 'fortran_order': False, 'shape': (500,)", value, sizeof value);
    put_npy("y.npy", 1, "'descr': '|u1', 'fortran_order': False, 'shape': (500,)", label, sizeof label);
    put_npy("tx.npy", 1, "'descr': '<f4', 'fortran_order': False, 'shape': (100,)", value, 100 * sizeof(float));
    put_npy("ty.npy", 1, "'descr': '|u1', 'fortran_order': False, 'shape': (100,)", label, 100);
    put_npy("r.npy", 1, "'descr': '<f4', 'fortran_order': False, 'shape': (500,)", value, sizeof value);
    return 0;
}

#define FILES "'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}"
#define TEST  ", 'test': {'npy': {'inputs': 'tx.npy', 'targets': 'ty.npy'}}"

static bool same_rows(const struct part *a, const struct part *b)
{
    return a->count == b->count && memcmp(a->row, b->row, (size_t)a->count * sizeof *a->row) == 0;
}

static bool has_row(const struct part *part, int32_t row)
{
    for (int64_t i = 0; i < part->count; i++)
        if (part->row[i] == row) return true;
    return false;
}

static void validation(void **state)
{
    (void)state;
    struct dataset *share = open_data("{" FILES ", 'validation': 0.1}", 1), *count = open_data("{" FILES ", 'validation': 50}", 2);
    struct part *train = &share->part[PART_TRAIN], *held = &share->part[PART_VALIDATION];
    assert_int_equal(train->count, 450);
    assert_int_equal(held->count, 50);
    assert_true(same_rows(held, &count->part[PART_VALIDATION])); /* the run's seed has no part in it */
    for (int32_t row = 0; row < 500; row++) assert_true(has_row(train, row) != has_row(held, row));
    for (int64_t i = 1; i < held->count; i++) assert_true(held->row[i] > held->row[i - 1]);
    for (int64_t i = 0; i < held->count; i++) assert_int_equal(held->label[i], held->row[i] % 5);
    for (int64_t i = 0; i < train->count; i++) assert_int_equal(train->label[i], train->row[i] % 5);
    data_close(count);

    struct dataset *other = open_data("{" FILES ", 'validation': 50, 'seed': 1}", 1);
    assert_false(same_rows(held, &other->part[PART_VALIDATION]));
    data_close(other);
    other = open_data("{" FILES ", 'validation': 50, 'limit': 100, 'label_noise': 0.5}", 1);
    assert_true(same_rows(held, &other->part[PART_VALIDATION])); /* later draws do not move it */
    for (int64_t i = 0; i < held->count; i++) assert_int_equal(other->part[PART_VALIDATION].label[i], held->row[i] % 5);
    data_close(other);
    data_close(share);
}

static void redraw(void **state)
{
    (void)state;
    struct dataset *a = open_data("{" FILES ", 'validation': 0.2, 'redraw': true}", 1);
    struct dataset *b = open_data("{" FILES ", 'validation': 0.2, 'redraw': true}", 1);
    struct dataset *c = open_data("{" FILES ", 'validation': 0.2, 'redraw': true}", 2);
    assert_true(same_rows(&a->part[PART_VALIDATION], &b->part[PART_VALIDATION]));
    assert_false(same_rows(&a->part[PART_VALIDATION], &c->part[PART_VALIDATION]));
    data_close(a);
    data_close(b);
    data_close(c);
}

static void limit_and_rest(void **state)
{
    (void)state;
    struct dataset *small = open_data("{" FILES ", 'limit': 40}", 0), *large = open_data("{" FILES ", 'limit': 90}", 0);
    assert_int_equal(small->part[PART_TRAIN].count, 40);
    assert_int_equal(small->part[PART_TEST].count, 0);
    for (int i = 0; i < 40; i++) assert_true(has_row(&large->part[PART_TRAIN], small->part[PART_TRAIN].row[i]));
    data_close(large);

    struct dataset *rest = open_data("{" FILES TEST ", 'limit': 40, 'rest': 'test'}", 0);
    struct part *test = &rest->part[PART_TEST];
    assert_true(same_rows(&rest->part[PART_TRAIN], &small->part[PART_TRAIN]));
    assert_int_equal(test->count, 100 + 460);
    knack_real *x = all_inputs(rest, PART_TEST);
    for (int i = 0; i < 100; i++) assert_true(test->row[i] == 500 + i && x[i] == i); /* its own file's first */
    for (int i = 100; i < 560; i++) {
        assert_true(x[i] == test->row[i] && !has_row(&rest->part[PART_TRAIN], test->row[i]));
        assert_int_equal(test->label[i], test->row[i] % 5);
    }
    memory_free(x);
    data_close(rest);

    rest = open_data("{" FILES ", 'limit': 40, 'rest': 'test'}", 0); /* without a test set */
    assert_int_equal(rest->part[PART_TEST].count, 460);
    data_close(rest);
    rest = open_data("{" FILES ", 'limit': 500, 'rest': 'test'}", 0);
    assert_int_equal(rest->part[PART_TEST].count, 0);
    data_close(rest);
    data_close(small);
}

static void label_noise(void **state)
{
    (void)state;
    struct dataset *noisy = open_data("{" FILES TEST ", 'label_noise': 0.4}", 0);
    const struct part *train = &noisy->part[PART_TRAIN];
    int flipped = 0, to[5] = {0};
    for (int i = 0; i < 500; i++) {
        assert_in_range(train->label[i], 0, 4);
        if (train->label[i] != i % 5) to[(train->label[i] - i % 5 + 5) % 5]++, flipped++;
    }
    assert_in_range(flipped, 160, 240); /* 200, four standard errors of 11 */
    for (int k = 1; k < 5; k++) assert_in_range(to[k], 25, 75);
    for (int i = 0; i < 100; i++) assert_int_equal(noisy->part[PART_TEST].label[i], i % 5);
    int64_t total = 0;
    for (int c = 0; c < 5; c++) total += noisy->class_count[c];
    assert_int_equal(total, 500);

    struct dataset *part = open_data("{" FILES ", 'label_noise': 0.4, 'validation': 0.3, 'limit': 100}", 0);
    for (int i = 0; i < 100; i++) assert_int_equal(part->part[PART_TRAIN].label[i], train->label[part->part[PART_TRAIN].row[i]]);
    data_close(part);
    data_close(noisy);

    noisy = open_data("{" FILES ", 'label_noise': 1}", 0);
    for (int i = 0; i < 500; i++) assert_int_not_equal(noisy->part[PART_TRAIN].label[i], i % 5);
    data_close(noisy);
}

static void long_tail(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" FILES TEST ", 'long_tail': 0.01}", 0);
    int seen[5] = {0};
    for (int c = 0; c < 5; c++) assert_int_equal(data->class_count[c], lrint(100 * pow(0.01, c / 4.0))); /* 100, 32, 10, 3, 1 */
    for (int64_t i = 0; i < data->part[PART_TRAIN].count; i++) {
        int label = data->part[PART_TRAIN].label[i];
        assert_int_equal(data->part[PART_TRAIN].row[i] / 5, seen[label]++); /* the first ones */
    }
    assert_int_equal(data->part[PART_TEST].count, 100);
    data_close(data);
    data = open_data("{" FILES ", 'long_tail': 1e-9}", 0);
    for (int c = 1; c < 5; c++) assert_true(data->class_count[c] >= 1 && data->class_count[c] <= 2);
    data_close(data);
}

static void positive(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" FILES TEST ", 'positive': [3, 1, 3], 'validation': 100, 'long_tail': 0.5}", 0);
    assert_int_equal(data->classes, 2);
    assert_int_equal(data->outputs, 2);
    assert_string_equal(data->class_name[0], "not 3, 1");
    assert_string_equal(data->class_name[1], "3, 1");
    assert_string_equal(data->title, "x.npy: 300 train, 100 validation, 100 test, 1 value, 2 classes");
    for (int p = 0; p < PART_COUNT; p++)
        for (int64_t i = 0; i < data->part[p].count; i++) {
            int id = data->part[p].row[i] % 5;
            assert_int_equal(data->part[p].label[i], id == 1 || id == 3);
        }
    assert_int_equal(data->part[PART_TRAIN].count + 100, 300 + 100); /* class 1: half of 200 */
    data_close(data);
}

static void refusals(void **state)
{
    (void)state;
    expect_failure("{" FILES ", 'validation': 0.0001}", KNACK_E_CONFIG,
                   "test.json: at validation: this share of 500 training examples is none");
    expect_failure("{" FILES ", 'validation': 500}", KNACK_E_CONFIG, "at validation: leaves none of 500 training examples to train on");
    expect_failure("{" FILES ", 'validation': 1e300}", KNACK_E_CONFIG, "at validation: leaves none of 500");
    expect_failure("{" FILES ", 'validation': 1.5}", KNACK_E_CONFIG, "at validation: expected a share below 1 or a whole number");
    expect_failure("{" FILES ", 'limit': 501}", KNACK_E_CONFIG, "at limit: is more than the 500 training examples there are");
    expect_failure("{" FILES ", 'rest': 'test'}", KNACK_E_CONFIG, "at rest: sends what \"limit\" leaves; give a \"limit\" too");
    expect_failure("{" FILES ", 'rest': 'validation'}", KNACK_E_CONFIG, "at rest: ");
    expect_failure("{" FILES ", 'label_noise': 1.1}", KNACK_E_CONFIG, "at label_noise: ");
    expect_failure("{" FILES ", 'long_tail': 0}", KNACK_E_CONFIG, "at long_tail: ");
    expect_failure("{" FILES ", 'positive': [5]}", KNACK_E_CONFIG, "at positive[0]: is none of the 5 classes of the training data");
    expect_failure("{" FILES ", 'positive': ['a']}", KNACK_E_CONFIG, "at positive[0]: is none of the 5 classes");
    expect_failure("{" FILES ", 'positive': []}", KNACK_E_CONFIG, "at positive: expected a list of classes, such as [8]");
    expect_failure("{" FILES ", 'positive': [0, 1, 2, 3, 4]}", KNACK_E_CONFIG,
                   "at positive: names every class; at least one must be left to be class 0");

#define NUMBERS "{'npy': {'inputs': 'x.npy', 'targets': 'r.npy'}, 'task': 'regression'"
    expect_failure(NUMBERS ", 'positive': [1]}", KNACK_E_CONFIG, "at positive: needs classes; the task is regression");
    expect_failure(NUMBERS ", 'long_tail': 0.5}", KNACK_E_CONFIG, "at long_tail: needs classes");
    expect_failure(NUMBERS ", 'label_noise': 0.5}", KNACK_E_CONFIG, "at label_noise: needs classes");
    struct dataset *data = open_data(NUMBERS ", 'validation': 0.5, 'limit': 10}", 0);
    for (int i = 0; i < 10; i++) assert_true(data->part[PART_TRAIN].target[i] == data->part[PART_TRAIN].row[i]);
    data_close(data);
}

static void order(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" FILES "}", 0), *plain = open_data("{" FILES ", 'shuffle': false}", 0);
    int32_t first[500], again[500], second[500], other[500], seen[500] = {0};
    data_order(data, 1, 0, first);
    data_order(data, 1, 0, again);
    data_order(data, 1, 1, second);
    data_order(data, 2, 0, other);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    for (int i = 0; i < 500; i++) seen[first[i]]++;
    for (int i = 0; i < 500; i++) assert_int_equal(seen[i], 1);
    data_order(plain, 1, 3, first);
    for (int i = 0; i < 500; i++) assert_int_equal(first[i], i);
    data_close(data);
    data_close(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validation), cmocka_unit_test(redraw),   cmocka_unit_test(limit_and_rest), cmocka_unit_test(label_noise),
        cmocka_unit_test(long_tail),  cmocka_unit_test(positive), cmocka_unit_test(refusals),       cmocka_unit_test(order),
    };
    return cmocka_run_group_tests_name("draws", tests, set_up, fixture_tear_down);
}
