/* One seed, one result: whatever runs beside, however often, with however many threads. */
#include <stdio.h>

#include "harness.h"

/* Large enough that kernels share their work among threads. */
#define MLP "{'type': 'mlp', 'hidden': [256, 128], 'dropout': 0.2}"
#define CNN "{'type': 'cnn', 'channels': [16, 16], 'hidden': [64], 'dropout': 0.2}"
#define NET                                                                                                                                \
    "{'type': 'layers', 'layers': [{'type': 'conv', 'channels': 16, 'padding': 1}, {'type': 'batch-norm'}, {'type': 'gelu'}, "             \
    "{'type': 'average-pool'}, {'type': 'flatten'}, {'type': 'linear', 'size': 96}, {'type': 'layer-norm'}, {'type': 'sigmoid'}]}"
#define TRICKS "'ema', {'name': 'fgm', 'layer': 'input', 'redraw': true}, 'mixup', {'name': 'arcface', 'centres': 2}"

#define FORMAT                                                                                                                             \
    "{'data': {'limit': 320, 'validation': 64, 'augment': ['shift']}, 'model': %s, 'seed': %d, 'threads': %d, "                            \
    "'train': {'epochs': 2, 'batch': 160, 'log_every': 1%s}, 'plugins': [%s]}"

static void expect_same_with(const char *train, const char *model, const char *plugins, int threads)
{
    if (harness_status(FORMAT, model, 5, 1, train, plugins) < 0) fail_msg("%s", knack_error());
    struct harness_files files = harness_files();
    if (harness_status(FORMAT, model, 5, threads, train, plugins) < 0) fail_msg("%s", knack_error());
    harness_assert_files(&files, model);
    harness_files_free(&files);
}

static void expect_same(const char *model, const char *plugins, int threads)
{
    expect_same_with("", model, plugins, threads);
}

static void the_same_again(void **state)
{
    (void)state;
    expect_same(MLP, TRICKS, 1);
    expect_same(CNN, TRICKS, 1);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    const char *const models[] = {MLP, CNN, NET};
    for (int i = 0; i < 3; i++) {
        expect_same(models[i], "", 2);
        expect_same(models[i], TRICKS, 2);
    }
    expect_same(MLP, "", 3);
    expect_same_with(", 'compute': 'bf16'", CNN, "", 2);
}

static void another_seed_is_another_run(void **state)
{
    (void)state;
    assert_int_equal(harness_status(FORMAT, MLP, 5, 1, "", ""), KNACK_OK);
    struct harness_files files = harness_files();
    assert_int_equal(harness_status(FORMAT, MLP, 6, 1, "", ""), KNACK_OK);
    struct harness_files others = harness_files();
    assert_int_equal(others.size[0], files.size[0]);
    assert_memory_not_equal(others.bytes[0], files.bytes[0], files.size[0]);
    harness_files_free(&others);
    harness_files_free(&files);
}

/* ---- Rows of a table that many positions share ---- */

enum { ENTRIES = 17, WIDTH = 64, PIXELS = 64 };
static const knack_param *table;

static knack_status tokens_declare(knack_model *model, void *user)
{
    (void)user;
    struct knack_param_spec spec = {
        .size = sizeof spec, .name = "table", .ndim = 2, .shape = {ENTRIES, WIDTH}, .init = KNACK_INIT_NORMAL, .init_scale = 0.5};
    table = knack_model_param(model, &spec);
    return knack_model_set_width(model, WIDTH);
}

/* The mean over the pixels of what the table has for their 17 grey levels. */
static knack_tensor *tokens_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model, (void)user;
    int64_t shape[2] = {knack_shape(x, NULL)[0], PIXELS};
    const knack_real *grey = knack_data(x);
    int32_t *ids = knack_scratch(step, (size_t)(shape[0] * PIXELS) * sizeof *ids);
    for (int64_t i = 0; ids && i < shape[0] * PIXELS; i++) ids[i] = (int32_t)lround((double)grey[i] * 16);
    return knack_mean(knack_embedding(knack_constant(step, KNACK_I32, 2, shape, ids), knack_param_tensor(step, table)), 1);
}

static const struct knack_model_type tokens = {
    .size = sizeof tokens, .name = "tokens", .declare = tokens_declare, .features = tokens_features};

/* Gradients of a row add up in the order of the positions. */
static void embeddings_add_up_in_one_order(void **state)
{
    (void)state;
    struct harness_files files;
    for (int threads = 1; threads <= 2; threads++) {
        struct run *run =
            harness_open_model(&tokens, NULL, "{'data': {'limit': 256}, 'threads': %d, 'train': {'epochs': 1, 'batch': 128}}", threads);
        harness_train(run);
        harness_close(run);
        if (threads == 1) files = harness_files();
    }
    harness_assert_files(&files, "with two threads");
    harness_files_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_again),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(another_seed_is_another_run),
        cmocka_unit_test(embeddings_add_up_in_one_order),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
