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

/* Two images of 3x4 pixels and 2 channels: 1, 2, 3, ... */
static int set_up(void **state)
{
    float x[48];
    for (int i = 0; i < 48; i++) x[i] = (float)(i + 1);
    if (fixture_set_up(state) != 0) return -1;
    put_npy("x.npy", 1, "'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4, 2)", x, sizeof x);
    put_npy("y.npy", 1, "'descr': '|u1', 'fortran_order': False, 'shape': (2,)", "\0\1", 2);
    float ten[40];
    for (int i = 0; i < 40; i++) ten[i] = (float)i;
    put_npy("t.npy", 1, "'descr': '<f4', 'fortran_order': False, 'shape': (2, 20)", ten, sizeof ten);
    return 0;
}
#define FILES "'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}"
enum { HEIGHT = 3, WIDTH = 4, PIXELS = 12 };

/* The first image's first channel after a view, as numbers of pixels from 1; 0: none. */
static void expect_view(const struct dataset *data, const char *view, const int expected[PIXELS])
{
    knack_real x[48], out[48];
    for (int i = 0; i < 48; i++) x[i] = (knack_real)(i % 24 / 2 + 1) + (knack_real)(i % 2) / 2;
    if (data_view(data, view, 2, x, out, NULL) < 0) fail_msg("%s", knack_error());
    for (int i = 0; i < 24; i++) {
        knack_real want = expected[i / 2] ? (knack_real)expected[i / 2] + (knack_real)(i % 2) / 2 : 0;
        if (out[i] != want || out[24 + i] != want) fail_msg("%s: value %d is %g, not %g", view, i, (double)out[i], (double)want);
    }
}

static void views_by_hand(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" FILES "}", 0);
    expect_view(data, "identity", (int[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    expect_view(data, "flip", (int[]){4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9});
    expect_view(data, "shift 1 0", (int[]){0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11});
    expect_view(data, "shift -2 1", (int[]){0, 0, 0, 0, 3, 4, 0, 0, 7, 8, 0, 0});
    expect_view(data, "crop 3 0 0", (int[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    expect_view(data, "crop 3 -1 1", (int[]){0, 5, 6, 7, 0, 9, 10, 11, 0, 0, 0, 0}); /* a shift, seen from the window */
    expect_view(data, "crop 2 1 0", (int[]){2, 2, 3, 3, 6, 6, 7, 7, 6, 6, 7, 7});    /* 2x2 of proportions 3x4, rows 0, 1, 1 */
    expect_view(data, "place 2 1 0", (int[]){0, 2, 4, 0, 0, 10, 12, 0, 0, 0, 0, 0});
    data_close(data);
}

static void inverses(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"identity", "identity"},        {"flip", "flip"},
                                           {"shift 1 0", "shift -1 0"},     {"shift -2 2", "shift 2 -2"},
                                           {"crop 2 1 -1", "place 2 1 -1"}, {"place 2 0 1", "crop 2 0 1"}};
    struct dataset *data = open_data("{" FILES "}", 0);
    char inverse[64];
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_int_equal(data_view_inverse(data, pairs[i][0], inverse), KNACK_OK);
        assert_string_equal(inverse, pairs[i][1]);
    }
    /* What a shift keeps comes back to its place. */
    knack_real x[24], shifted[24], back[24];
    for (int i = 0; i < 24; i++) x[i] = (knack_real)(i + 1);
    assert_int_equal(data_view(data, "shift 1 1", 1, x, shifted, NULL), KNACK_OK);
    assert_int_equal(data_view_inverse(data, "shift 1 1", inverse), KNACK_OK);
    assert_int_equal(data_view(data, inverse, 1, shifted, back, NULL), KNACK_OK);
    for (int i = 0; i < 24; i++) assert_true(back[i] == (i / 8 < 2 && i % 8 / 2 < 3 ? x[i] : 0));
    data_close(data);
}

static void views_refused(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" FILES "}", 0);
    knack_real x[24] = {0}, out[24];
    static const char *const wrong[] = {"mirror",  "flip 1",   "shift",       "shift 1", "shift 1 x", "shift 1 2 3",
                                        "shift  ", "crop 2 1", "shift 1.5 0", "flips",   ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(data_view(data, wrong[i], 1, x, out, NULL), KNACK_E_CONFIG);
        assert_non_null(strstr(knack_error(), "is no view; there are \"identity\", \"flip\", \"shift RIGHT DOWN\", \"crop SIZE X Y\""));
    }
    static const char *const empty[] = {"shift 4 0", "shift 0 -3", "crop 0 0 0", "crop 13 0 0", "crop 2 4 0", "place 2 0 -2"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        assert_int_equal(data_view(data, empty[i], 1, x, out, NULL), KNACK_E_CONFIG);
        assert_non_null(strstr(knack_error(), "shows nothing of an image of 3x4"));
    }
    data_close(data);

    data = open_data("{'npy': {'inputs': 't.npy', 'targets': 'y.npy'}}", 0);
    assert_int_equal(data_view(data, "identity", 1, x, out, NULL), KNACK_OK);
    assert_int_equal(data_view(data, "flip", 1, x, out, NULL), KNACK_E_CONFIG);
    assert_non_null(strstr(knack_error(), "view \"flip\" needs images; the rows are 20 values; there is \"identity\""));
    data_close(data);
}

static bool is_trained(const struct dataset *data, const char *view)
{
    knack_real x[24] = {0}, out[24];
    bool trained;
    if (data_view(data, view, 1, x, out, &trained) < 0) fail_msg("%s", knack_error());
    return trained;
}

static void trained_views(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" FILES "}", 0);
    assert_true(is_trained(data, "identity"));
    assert_false(is_trained(data, "flip"));
    data_close(data);
    data = open_data("{" FILES ", 'augment': ['flip', {'name': 'shift', 'pixels': 2}]}", 0);
    assert_true(is_trained(data, "flip"));
    assert_true(is_trained(data, "shift -2 1"));
    assert_false(is_trained(data, "shift 3 0"));
    assert_false(is_trained(data, "crop 3 1 1"));
    data_close(data);
    data = open_data("{" FILES ", 'augment': ['crop']}", 0); /* padding 2, the image's size */
    assert_true(is_trained(data, "shift -2 2"));
    assert_false(is_trained(data, "shift 3 0"));
    assert_true(is_trained(data, "crop 3 -2 1"));
    data_close(data);
    data = open_data("{" FILES ", 'augment': [{'name': 'crop', 'size': 2, 'padding': 0}]}", 0);
    assert_true(is_trained(data, "crop 2 1 0"));
    assert_false(is_trained(data, "crop 2 3 0"));
    assert_false(is_trained(data, "shift 1 0"));
    data_close(data);
}

/* Each row becomes one of the views that are allowed, each of them at times, and by its address alone. */
static void augmentations(void **state)
{
    (void)state;
    static const struct {
        const char *augment;
        int views;
    } cases[] = {{"['flip']", 2},
                 {"['shift']", 9},
                 {"['flip', {'name': 'shift', 'pixels': 1}]", 18},
                 {"[{'name': 'crop', 'padding': 1, 'size': 2}]", 20}};
    enum { ROWS = 600 };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        char json[256];
        snprintf(json, sizeof json, "{" FILES ", 'augment': %s}", cases[c].augment);
        struct dataset *data = open_data(json, 0);
        knack_real *x = memory_new(ROWS * 24, sizeof *x);
        int64_t row[ROWS];
        for (int i = 0; i < ROWS; i++) {
            row[i] = i;
            for (int k = 0; k < 24; k++) x[i * 24 + k] = (knack_real)(k + 1);
        }
        assert_int_equal(data_augment(data, 5, 7, row, ROWS, x), KNACK_OK);
        int different = 0;
        for (int i = 0; i < ROWS; i++) {
            bool old = false;
            for (int k = 0; k < i && !old; k++) old = memcmp(x + i * 24, x + k * 24, 24 * sizeof *x) == 0;
            different += !old;
        }
        if (different != cases[c].views) fail_msg("%s: %d views, not %d", cases[c].augment, different, cases[c].views);

        knack_real alone[24]; /* row 17 in a batch of its own: the same; in another batch, or seed, mostly not */
        int same = 0;
        for (uint32_t batch = 7; batch < 27; batch++) {
            for (int k = 0; k < 24; k++) alone[k] = (knack_real)(k + 1);
            assert_int_equal(data_augment(data, 5, batch, row + 17, 1, alone), KNACK_OK);
            same += memcmp(alone, x + 17 * 24, sizeof alone) == 0;
            if (batch == 7) assert_int_equal(same, 1);
        }
        assert_in_range(same, 1, 19);
        memory_free(x);
        data_close(data);
    }
}

/* What a shift leaves free is zero in the file's units, also after standardising. */
static void fill_is_zero_of_the_file(void **state)
{
    (void)state;
    struct dataset *data = open_data("{" FILES ", 'standardise': true}", 0);
    knack_real x[24] = {0}, out[24];
    assert_int_equal(data->statistics, 2);
    assert_int_equal(data_view(data, "shift 1 0", 1, x, out, NULL), KNACK_OK);
    for (int c = 0; c < 2; c++) assert_true(fabs((double)out[c] - (0 - data->mean[c]) / data->deviation[c]) < 1e-6);
    data_close(data);
}

static void augmentations_refused(void **state)
{
    (void)state;
    expect_failure("{" FILES ", 'augment': 'flip'}", KNACK_E_CONFIG, "at augment: expected a list such as [\"flip\", {\"name\": \"shift\"");
    expect_failure("{" FILES ", 'augment': ['flop']}", KNACK_E_CONFIG,
                   "at augment[0]: expected \"flip\", \"shift\", \"crop\", or an object with such a \"name\"; did you mean \"flip\"?");
    expect_failure("{" FILES ", 'augment': ['flip', {'pixels': 1}]}", KNACK_E_CONFIG, "at augment[1]: expected \"flip\"");
    expect_failure("{" FILES ", 'augment': ['flip', 'flip']}", KNACK_E_CONFIG,
                   "at augment[1]: \"flip\" is listed twice; both would draw the same numbers");
    expect_failure("{" FILES ", 'augment': [{'name': 'shift', 'pixel': 1}]}", KNACK_E_CONFIG,
                   "at augment[0].pixel: unknown name; nearest is \"pixels\"");
    expect_failure("{" FILES ", 'augment': [{'name': 'shift', 'pixels': 0}]}", KNACK_E_CONFIG, "at augment[0].pixels: ");
    expect_failure("{" FILES ", 'augment': [{'name': 'shift', 'pixels': 3}]}", KNACK_E_CONFIG,
                   "at augment[0]: a shift of 3 pixels leaves nothing of images of 3x4");
    expect_failure("{" FILES ", 'augment': [{'name': 'crop', 'size': 6, 'padding': 1}]}", KNACK_E_CONFIG,
                   "at augment[0]: a window of size 6 with padding 1 does not fit images of 3x4");
    expect_failure("{'npy': {'inputs': 't.npy', 'targets': 'y.npy'}, 'augment': ['flip']}", KNACK_E_CONFIG,
                   "at augment: changes images; the rows are 20 values");
    data_close(open_data("{'npy': {'inputs': 't.npy', 'targets': 'y.npy'}, 'augment': []}", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_by_hand),         cmocka_unit_test(inverses),      cmocka_unit_test(views_refused),
        cmocka_unit_test(trained_views),         cmocka_unit_test(augmentations), cmocka_unit_test(fill_is_zero_of_the_file),
        cmocka_unit_test(augmentations_refused),
    };
    return cmocka_run_group_tests_name("views and augmentations", tests, set_up, fixture_tear_down);
}
