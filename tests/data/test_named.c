#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/named.h"
#include "fixture.h"

static void digits_are_the_default(void **state)
{
    (void)state;
    struct dataset *data;
    assert_int_equal(data_open(NULL, ".", 7, &data), KNACK_OK);
    assert_string_equal(data->title, "digits: 1,437 train, 360 test, 8x8x1, 10 classes");
    assert_int_equal(data->kind, KNACK_CLASSIFICATION);
    assert_int_equal(data->classes, 10);
    assert_int_equal(data->outputs, 10);
    assert_null(data->class_name);
    assert_int_equal(data->ndim, 3);
    assert_int_equal(data->width, 64);
    assert_true(data->shuffle);
    assert_false(data->missing);
    const struct part *train = &data->part[PART_TRAIN], *test = &data->part[PART_TEST];
    assert_int_equal(data->part[PART_VALIDATION].count, 0);
    for (int64_t i = 0; i < test->count; i++) assert_int_equal(test->row[i], 5 * i);
    for (int64_t i = 0; i < train->count; i++) assert_int_equal(train->row[i], i + i / 4 + 1);
    int64_t total = 0;
    for (int c = 0; c < 10; c++) total += data->class_count[c];
    assert_int_equal(total, 1437);
    data_close(data);
}

/* The first image is a zero; its first lines by hand, in sixteenths. */
static void digits_are_divided_by_16(void **state)
{
    (void)state;
    static const int first[] = {0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0};
    struct dataset *data = open_data("{'source': 'digits'}", 0);
    knack_real *x = all_inputs(data, PART_TEST);
    for (int i = 0; i < 16; i++) assert_true(x[i] == (knack_real)first[i] / 16);
    assert_int_equal(data->part[PART_TEST].label[0], 0);
    assert_int_equal(data->part[PART_TRAIN].label[0], 1);
    knack_real largest = 0;
    for (int64_t i = 0; i < data->part[PART_TEST].count * 64; i++) largest = x[i] > largest ? x[i] : largest;
    assert_true(largest == 1);
    memory_free(x);
    data_close(data);

    data = open_data("{'divide': 1}", 0);
    x = all_inputs(data, PART_TEST);
    assert_true(x[3] == 13);
    memory_free(x);
    data_close(data);
}

static void put_tiny_fashion(void)
{
    uint8_t pixel[3 * 4] = {0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8}, label[3] = {9, 0, 3};
    for (int test = 0; test < 2; test++) { /* not compressed: that is seen by their contents */
        put_idx(test ? "t10k-images-idx3-ubyte.gz" : "train-images-idx3-ubyte.gz", 8, 3, (uint32_t[]){3, 2, 2}, pixel, 12);
        put_idx(test ? "t10k-labels-idx1-ubyte.gz" : "train-labels-idx1-ubyte.gz", 8, 1, (uint32_t[]){3}, label, 3);
    }
}

static void fashion_mnist_says_how_to_get_it(void **state)
{
    (void)state;
    struct table train = {0}, test = {0};
    assert_int_equal(named_fashion_mnist(fixture_folder(), &train, &test), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "train-images-idx3-ubyte.gz is not there; apt-get install dataset-fashion-mnist brings it"));

    put_tiny_fashion();
    assert_int_equal(named_fashion_mnist(fixture_folder(), &train, &test), KNACK_OK);
    assert_int_equal(train.source->count, 3);
    assert_true(train.source->divide == 255);
    assert_true(test.targets.value[2] == 3);
    table_free(&train);
    table_free(&test);

    remove(fixture_path("t10k-labels-idx1-ubyte.gz"));
    assert_int_equal(named_fashion_mnist(fixture_folder(), &train, &test), KNACK_E_DATA);
    assert_non_null(strstr(knack_error(), "t10k-labels-idx1-ubyte.gz is not there"));
}

/* Where Debian's package is installed. */
static void fashion_mnist_opens(void **state)
{
    (void)state;
    FILE *there = fopen("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", "rb");
    if (!there) skip();
    fclose(there);
    struct dataset *data = open_data("{'source': 'fashion-mnist', 'validation': 0.1, 'limit': 1000, 'rest': 'test'}", 0);
    assert_string_equal(data->title, "fashion-mnist: 1,000 train, 6,000 validation, 63,000 test, 28x28x1, 10 classes");
    assert_string_equal(data->class_name[9], "Ankle boot");
    knack_real *x = all_inputs(data, PART_TRAIN);
    for (int64_t i = 0; i < 1000 * 784; i++) assert_true(x[i] >= 0 && x[i] <= 1);
    memory_free(x);
    int64_t last = 62999; /* a training file's row among the test part, behind the test file's own */
    assert_true(data->part[PART_TEST].row[0] == 60000 && data->part[PART_TEST].row[last] < 60000);
    data_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_the_default),
        cmocka_unit_test(digits_are_divided_by_16),
        cmocka_unit_test(fashion_mnist_says_how_to_get_it),
        cmocka_unit_test(fashion_mnist_opens),
    };
    return cmocka_run_group_tests_name("named data sets", tests, fixture_set_up, fixture_tear_down);
}
