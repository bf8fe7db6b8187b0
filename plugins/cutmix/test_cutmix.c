/* CutMix's boxes, the share that is left, and images that exchange them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cutmix.c"
#include "plugins/on_tape.h"

static void check_box(double lambda, const int64_t centre[2], const int64_t size[2], const struct box *expected, double left)
{
    struct box box = box_at(lambda, centre[0], centre[1], size[0], size[1]);
    if (area(&box) || area(expected)) assert_memory_equal(&box, expected, sizeof box);
    assert_true(1 - (double)area(&box) / (double)(size[0] * size[1]) == left);
}

static void known_boxes(void **state)
{
    (void)state;
    const int64_t small[] = {8, 8}, large[] = {32, 32};
    check_box(0.6, (const int64_t[]){4, 4}, small, &(struct box){2, 6, 2, 6}, 0.75); /* 5 x 5 was asked: each half is rounded down */
    check_box(0.6, (const int64_t[]){1, 6}, small, &(struct box){0, 3, 4, 8}, 0.8125);
    check_box(0.6, (const int64_t[]){0, 0}, small, &(struct box){0, 2, 0, 2}, 0.9375);
    check_box(0.99, (const int64_t[]){4, 4}, small, &(struct box){0}, 1);
    check_box(0.5, (const int64_t[]){16, 16}, large, &(struct box){5, 27, 5, 27}, 0.52734375);
}

static void the_ends(void **state)
{
    (void)state;
    const int64_t odd[] = {7, 9};
    check_box(1, (const int64_t[]){3, 3}, odd, &(struct box){0}, 1);                              /* nothing is cut */
    check_box(0, (const int64_t[]){4, 4}, (const int64_t[]){8, 8}, &(struct box){0, 8, 0, 8}, 0); /* all of it is */
    check_box(0, (const int64_t[]){3, 4}, odd, &(struct box){0, 6, 0, 8}, 1 - 48.0 / 63);         /* odd sizes lose one */
    check_box(0, (const int64_t[]){0, 0}, (const int64_t[]){1, 1}, &(struct box){0}, 1);
}

/* Wherever the box lies, it is within the image, and as many pixels change as it has. */
static void pixels_are_the_share(void **state)
{
    (void)state;
    enum { HEIGHT = 7, WIDTH = 10, CHANNELS = 3 };
    knack_real keep[HEIGHT * WIDTH * CHANNELS];
    for (int k = 0; k <= 20; k++) {
        for (int64_t y = 0; y < HEIGHT; y++) {
            for (int64_t x = 0; x < WIDTH; x++) {
                struct box box = box_at(k / 20.0, y, x, HEIGHT, WIDTH);
                int64_t cut_out = 0;
                assert_true(box.top >= 0 && box.bottom <= HEIGHT && box.left >= 0 && box.right <= WIDTH);
                fill_keep(keep, &box, HEIGHT, WIDTH, CHANNELS);
                for (int i = 0; i < HEIGHT * WIDTH * CHANNELS; i++) cut_out += keep[i] == 0;
                assert_int_equal(cut_out, CHANNELS * area(&box));
            }
        }
    }
}

static void images_exchange_boxes(void **state)
{
    (void)state;
    struct on_tape on;
    on_tape_begin(&on);
    enum { SIZE = 3, VALUES = SIZE * SIZE };
    const int64_t partner[] = {1, 0, 2};
    knack_real keep[VALUES], x[3 * VALUES], gradient[3 * VALUES];
    struct box box = {1, 3, 0, 2};
    fill_keep(keep, &box, SIZE, SIZE, 1);
    for (int i = 0; i < 3 * VALUES; i++) x[i] = (knack_real)(i / VALUES + 1) * (knack_real)0.1;
    const knack_real *mixed = on_tape_backward(tensor_mix_rows(on_tape_leaf(&on, 3, VALUES, x, gradient), partner, keep, 1, VALUES));
    for (int row = 0; row < 3; row++) {
        for (int i = 0; i < VALUES; i++) {
            bool inside = i / SIZE >= 1 && i % SIZE < 2;
            assert_true(mixed[row * VALUES + i] == x[(inside ? partner[row] : row) * VALUES + i]); /* to the bit */
            assert_true(gradient[row * VALUES + i] == 1);
        }
    }
    on_tape_end(&on);
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &cutmix);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_boxes),
        cmocka_unit_test(the_ends),
        cmocka_unit_test(pixels_are_the_share),
        cmocka_unit_test(images_exchange_boxes),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
