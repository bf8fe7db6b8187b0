/* The encoder in a pass: what padding must not change, which masks dropout draws, and what tricks see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { ROWS = 6, LENGTH = 9, LONGER = 14, OUTPUTS = 3, VOCABULARY = 12, MODEL_WIDTH = 12, LAYERS = 2 };
static const double tight = sizeof(knack_real) == 8 ? 1e-12 : 2e-5; /* for values around 1 */

#define ENCODER "{\"type\": \"encoder\", \"vocabulary\": 12, \"layers\": 2, \"width\": 12, \"feedforward\": 10, "
static const char *const configs[] = {
    ENCODER "\"padding\": 0, \"heads\": 3, \"dropout\": 0.3}",
    ENCODER "\"padding\": 0, \"heads\": 2, \"dropout\": 0.3, \"pooling\": \"mean\"}",
    ENCODER "\"padding\": 0, \"heads\": 4, \"dropout\": 0.3, \"norm\": \"pre\"}",
    ENCODER "\"padding\": 0, \"heads\": 12, \"dropout\": 0.3, \"norm\": \"pre\", \"pooling\": \"mean\"}",
};
enum { CONFIGS = sizeof configs / sizeof *configs };

static struct bench *open_encoder(int config, int64_t length)
{
    return bench_open(configs[config], 1, &length, OUTPUTS);
}

/* ids [ROWS, length]: the same tokens whatever the length, 1 to LENGTH of them, behind which is padding (0), and between in odd rows. */
static void fill_ids(knack_real *ids, int64_t length)
{
    for (int64_t row = 0; row < ROWS; row++)
        for (int64_t i = 0; i < length; i++) {
            const bool padding = i > (3 * row + 2) % LENGTH || (row % 2 == 1 && i % 3 == 0);
            ids[row * length + i] = padding ? 0 : (knack_real)(1 + (row * 5 + i * 7) % (VOCABULARY - 1));
        }
}

/* Logits [rows, OUTPUTS] of rows first ..., kept beyond the next pass. */
static void logits_of(struct bench *bench, const knack_real *ids, int64_t first, int64_t rows, bool training, knack_real *logits)
{
    bench_begin(bench, first, rows, NORMS_BATCH, training);
    memcpy(logits, bench_logits(bench, ids)->data, (size_t)(rows * OUTPUTS) * sizeof *logits);
}

static void expect_all_close(const char *what, const knack_real *values, const knack_real *expected, int64_t count, double tolerance)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)values[i] - (double)expected[i]) <= tolerance * fmax(1, fabs((double)expected[i]))))
            fail_msg("%s: value %d is %.17g instead of %.17g", what, (int)i, (double)values[i], (double)expected[i]);
}

/* ---- Padding ---- */

static void more_padding_changes_nothing(void **state)
{
    (void)state;
    knack_real ids[ROWS * LENGTH], longer[ROWS * LONGER], logits[ROWS * OUTPUTS], again[ROWS * OUTPUTS];
    fill_ids(ids, LENGTH);
    fill_ids(longer, LONGER);
    for (int i = 0; i < CONFIGS; i++) {
        struct bench *bench = open_encoder(i, LENGTH), *other = open_encoder(i, LONGER);
        logits_of(bench, ids, 0, ROWS, false, logits);
        logits_of(other, longer, 0, ROWS, false, again);
        expect_all_close(configs[i], again, logits, ROWS * OUTPUTS, tight);
        bench_close(bench);
        bench_close(other);
    }
}

/* A row's logits are its own, with dropout too: whatever the others are, and whether they are in the pass. */
static void rows_do_not_see_each_other(void **state)
{
    (void)state;
    knack_real ids[ROWS * LENGTH], full[ROWS * LENGTH], logits[ROWS * OUTPUTS], again[ROWS * OUTPUTS];
    fill_ids(ids, LENGTH);
    memcpy(full, ids, sizeof ids);
    for (int64_t k = LENGTH; k < (ROWS - 1) * LENGTH; k++) full[k] = (knack_real)(1 + k % 11); /* all but the first and the last row */
    for (int i = 0; i < CONFIGS; i++)
        for (int training = 0; training < 2; training++) {
            struct bench *bench = open_encoder(i, LENGTH);
            logits_of(bench, ids, 0, ROWS, training, logits);
            logits_of(bench, full, 0, ROWS, training, again);
            expect_all_close("the first row", again, logits, OUTPUTS, tight);
            expect_all_close("the last row", again + (ROWS - 1) * OUTPUTS, logits + (ROWS - 1) * OUTPUTS, OUTPUTS, tight);
            for (int64_t k = OUTPUTS; k < 2 * OUTPUTS; k++) assert_true(again[k] != logits[k]);
            bench_close(bench);
        }
}

static void padding_has_no_gradient(void **state)
{
    (void)state;
    knack_real ids[ROWS * LENGTH], seed[ROWS * OUTPUTS];
    fill_ids(ids, LENGTH);
    fill_noise(seed, ROWS * OUTPUTS, 4);
    for (int64_t k = 0; k < ROWS * LENGTH; k++)
        if (ids[k] == 7) ids[k] = 8; /* which leaves 7 unused */
    struct bench *bench = open_encoder(1, LENGTH);
    bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
    bench_backward(bench, bench_logits(bench, ids), seed);
    const struct knack_param *table = &params_find(bench->params, "embedding.weight")->public;
    const knack_real *gradient = bench->params->gradients + table->offset;
    for (int64_t id = 0; id < VOCABULARY; id++) {
        bool any = false;
        for (int64_t j = 0; j < MODEL_WIDTH; j++) any |= gradient[id * MODEL_WIDTH + j] != 0;
        assert_int_equal(any, id != 0 && id != 7);
    }
    bench_close(bench);
}

/* ---- Dropout ---- */

static void micro_batches_get_the_masks_of_the_batch(void **state)
{
    (void)state;
    knack_real ids[ROWS * LENGTH], logits[ROWS * OUTPUTS], part[ROWS * OUTPUTS];
    fill_ids(ids, LENGTH);
    for (int i = 0; i < CONFIGS; i++) {
        struct bench *bench = open_encoder(i, LENGTH);
        logits_of(bench, ids, 0, ROWS, true, logits);
        for (int64_t rows = 1; rows <= 3; rows++)
            for (int64_t first = 0; first < ROWS; first += rows) {
                logits_of(bench, ids, first, rows, true, part);
                expect_all_close(configs[i], part, logits + first * OUTPUTS, rows * OUTPUTS, tight);
            }
        bench_close(bench);
    }
}

static void masks_change_with_their_address_only(void **state)
{
    (void)state;
    knack_real ids[ROWS * LENGTH], first[ROWS * OUTPUTS], again[ROWS * OUTPUTS];
    fill_ids(ids, LENGTH);
    for (int i = 0; i < CONFIGS; i++) {
        struct bench *bench = open_encoder(i, LENGTH);
        logits_of(bench, ids, 0, ROWS, true, first);
        for (int change = 0; change < 4; change++) {
            bench->pass.seed = change == 1 ? 2 : 1;
            bench->pass.batch = change == 2;
            bench->pass.redraw = change == 3;
            logits_of(bench, ids, 0, ROWS, true, again);
            assert_int_equal(memcmp(first, again, sizeof first) == 0, change == 0);
        }
        bench_close(bench);
    }
}

static void evaluation_draws_nothing(void **state)
{
    (void)state;
    knack_real ids[ROWS * LENGTH], first[ROWS * OUTPUTS], again[ROWS * OUTPUTS];
    fill_ids(ids, LENGTH);
    struct bench *bench = open_encoder(0, LENGTH);
    logits_of(bench, ids, 0, ROWS, false, first);
    bench->pass.seed = 2;
    bench->pass.batch = 5;
    logits_of(bench, ids, 0, ROWS, false, again);
    assert_memory_equal(first, again, sizeof first);
    bench_close(bench);
}

static struct {
    const char *name;
    int64_t elements;
} mask[16];
static int masks;

static void note_mask(knack_step *step, const char *name, double rate, int64_t elements)
{
    (void)step;
    assert_true(rate == 0.3 && masks < 16);
    mask[masks].name = name;
    mask[masks++].elements = elements;
}

/* Of a token's values in whole blocks of eight, for each place; in attention of a place's probabilities for each place and head. */
static void a_trace_sees_the_masks(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t elements;
    } expected[] = {{"embedding", LENGTH * 16},  {"layer1.attention", LENGTH * 3 * 16}, {"layer1.attention.out", LENGTH * 16},
                    {"layer1.fc1", LENGTH * 16}, {"layer1.fc2", LENGTH * 16},           {"layer2.attention", LENGTH * 3 * 16}};
    knack_real ids[ROWS * LENGTH];
    fill_ids(ids, LENGTH);
    struct bench *bench = open_encoder(0, LENGTH);
    bench->pass.saw_mask = note_mask;
    masks = 0;
    bench_begin(bench, 0, ROWS, NORMS_BATCH, false);
    bench_logits(bench, ids);
    assert_int_equal(masks, 0);
    bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
    bench_logits(bench, ids);
    assert_int_equal(masks, 1 + 4 * LAYERS);
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        assert_string_equal(mask[k].name, expected[k].name);
        assert_int_equal(mask[k].elements, expected[k].elements);
    }
    bench_close(bench);
}

/* ---- What tricks see ---- */

static int64_t seen[LAYERS + 3][KNACK_MAX_DIMS + 1]; /* axes and shape, layer by layer */
static int layers_seen;

static knack_tensor *note_shape(knack_step *step, const char *name, knack_tensor *out)
{
    (void)step, (void)name;
    assert_true(layers_seen < LAYERS + 3);
    seen[layers_seen][0] = out->ndim;
    memcpy(&seen[layers_seen++][1], out->shape, sizeof out->shape);
    return out;
}

static void layers_are_rows_of_tokens(void **state)
{
    (void)state;
    knack_real ids[ROWS * LENGTH];
    fill_ids(ids, LENGTH);
    for (int i = 0; i < CONFIGS; i++) {
        struct bench *bench = open_encoder(i, LENGTH);
        bench->pass.filter = note_shape;
        layers_seen = 0;
        bench_begin(bench, 0, ROWS, NORMS_BATCH, false);
        bench_logits(bench, ids);
        const bool first_only = i % 2 == 0; /* pooling is cls */
        const int64_t wanted[][4] = {{2, ROWS, LENGTH, 0},
                                     {3, ROWS, LENGTH, MODEL_WIDTH},
                                     {3, ROWS, LENGTH, MODEL_WIDTH},
                                     {first_only ? 2 : 3, ROWS, first_only ? MODEL_WIDTH : LENGTH, first_only ? 0 : MODEL_WIDTH},
                                     {2, ROWS, MODEL_WIDTH, 0}};
        assert_int_equal(layers_seen, LAYERS + 3);
        for (int k = 0; k < layers_seen; k++)
            for (int64_t axis = 0; axis <= wanted[k][0]; axis++) assert_int_equal(seen[k][axis], wanted[k][axis]);
        bench_close(bench);
    }
}

static knack_tensor *look_only(knack_step *step, const char *name, knack_tensor *out)
{
    (void)step, (void)name;
    return out;
}

/* Writes 100 wherever a row has 0 in all of a token's values, which only padding has. */
static knack_tensor *write_into_padding(knack_step *step, const char *name, knack_tensor *out)
{
    (void)step, (void)name;
    if (out->ndim != 3) return out;
    knack_real *value = out->data;
    for (int64_t i = 0; i < ROWS * LENGTH; i++) {
        bool padding = true;
        for (int64_t j = 0; j < MODEL_WIDTH; j++) padding &= value[i * MODEL_WIDTH + j] == 0;
        for (int64_t j = 0; padding && j < MODEL_WIDTH; j++) value[i * MODEL_WIDTH + j] = 100;
    }
    return out;
}

/* Logits and gradients, to the bit. */
static void who_looks_changes_nothing(void **state)
{
    (void)state;
    knack_real padded[ROWS * LENGTH], full[ROWS * LENGTH], seed[ROWS * OUTPUTS], logits[ROWS * OUTPUTS];
    knack_tensor *(*const looks[])(knack_step *, const char *, knack_tensor *) = {NULL, look_only, write_into_padding};
    fill_ids(padded, LENGTH);
    fill_noise(seed, ROWS * OUTPUTS, 4);
    for (int64_t k = 0; k < ROWS * LENGTH; k++) full[k] = (knack_real)(1 + k % 11);
    for (int i = 0; i < 2 * CONFIGS; i++) {
        struct bench *bench = open_encoder(i / 2, LENGTH);
        const size_t bytes = (size_t)bench->params->total * sizeof(knack_real);
        knack_real *gradients = malloc(bytes);
        for (int look = 0; look < 3; look++) {
            bench->pass.filter = looks[look];
            bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
            knack_tensor *out = bench_logits(bench, i % 2 ? full : padded);
            bench_backward(bench, out, seed);
            if (look > 0) {
                assert_memory_equal(out->data, logits, sizeof logits);
                assert_memory_equal(bench->params->gradients, gradients, bytes);
            }
            memcpy(logits, out->data, sizeof logits);
            memcpy(gradients, bench->params->gradients, bytes);
        }
        free(gradients);
        bench_close(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_padding_changes_nothing),
        cmocka_unit_test(rows_do_not_see_each_other),
        cmocka_unit_test(padding_has_no_gradient),
        cmocka_unit_test(micro_batches_get_the_masks_of_the_batch),
        cmocka_unit_test(masks_change_with_their_address_only),
        cmocka_unit_test(evaluation_draws_nothing),
        cmocka_unit_test(a_trace_sees_the_masks),
        cmocka_unit_test(layers_are_rows_of_tokens),
        cmocka_unit_test(who_looks_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
