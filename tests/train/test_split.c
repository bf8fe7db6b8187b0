/* The gradient of a logical batch does not depend on how it is split into micro-batches: exactly, but for the order of sums. */
#include <stdio.h>

#include "harness.h"

static const double tolerance = IS_DOUBLE ? 1e-12 : 1e-5;

#define MLP "{'type': 'mlp', 'hidden': [12, 8], 'dropout': 0.3}"
#define LAYERS                                                                                                                             \
    "{'type': 'layers', 'layers': [{'type': 'conv', 'channels': 4, 'padding': 1}, {'type': 'gelu', 'name': 'early'}, "                     \
    "{'type': 'max-pool'}, {'type': 'conv', 'channels': 6}, {'type': 'tanh'}, {'type': 'flatten'}, {'type': 'layer-norm'}, "               \
    "{'type': 'dropout', 'rate': 0.2}, {'type': 'linear', 'size': 10, 'name': 'late'}]}"

/* An odd batch, so that a pairing leaves one row alone, and no micro-batch size but 1 divides it. */
static struct run *open_split(const char *model, const char *plugins, const char *train, int micro_batch)
{
    return harness_open("{'data': {'limit': 40}, 'model': %s, 'train': {'batch': 13, 'epochs': 1, 'micro_batch': %d%s}, 'plugins': [%s]}",
                        model, micro_batch, train, plugins);
}

static void assert_equal(const struct run *split, const char *what, const knack_real *a, const knack_real *b)
{
    double distance = harness_distance(a, b, split->params->total);
    if (!(distance <= tolerance)) fail_msg("%s: micro-batches of %d are %g off", what, (int)split->plan.micro_batch, distance);
}

static void expect_unchanged(const char *model, const char *plugins, const char *train, int least)
{
    static const int sizes[] = {1, 2, 3, 5, 12};
    struct run *whole = open_split(model, plugins, train, 0);
    int64_t count = whole->params->total;
    knack_real *gradient = memory_new((size_t)count, sizeof *gradient);
    assert_non_null(gradient);
    memcpy(gradient, harness_gradient(whole), (size_t)count * sizeof *gradient);
    double loss = whole->last_loss;
    assert_int_equal(whole->step.micro_batches, 1);
    harness_close(whole);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (sizes[i] < least) continue;
        struct run *split = open_split(model, plugins, train, sizes[i]);
        const knack_real *parts = harness_gradient(split);
        assert_true(split->step.micro_batches >= (12 + sizes[i]) / sizes[i]);
        assert_equal(split, plugins, parts, gradient);
        if (!(fabs(split->last_loss - loss) <= tolerance * fabs(loss))) fail_msg("loss %.17g instead of %.17g", split->last_loss, loss);
        harness_close(split);
    }
    memory_free(gradient);
}

#define EMA        "'ema'"
#define MIXUP      "{'name': 'mixup', 'alpha': 1}"
#define MIXUP_ROWS "{'name': 'mixup', 'alpha': 1, 'mode': 'row'}"
#define FGM_INPUT  "{'name': 'fgm', 'layer': 'input', 'epsilon': 0.5}"
#define FGM_WHOLE  "{'name': 'fgm', 'layer': 'input', 'norm': 'tensor', 'epsilon': 2, 'coefficient': 0.7, 'redraw': true}"
#define FGM_WEIGHT "{'name': 'fgm', 'parameters': '*.weight', 'epsilon': 0.3}"
#define ARCFACE    "'arcface'"
#define CENTRES    "{'name': 'arcface', 'centres': 3}"

static void models(void **state)
{
    (void)state;
    expect_unchanged(MLP, "", "", 1);
    expect_unchanged(LAYERS, "", "", 1);
}

static void class_weights(void **state)
{
    (void)state;
    expect_unchanged(MLP, "", ", 'class_weights': 'balanced'", 1);
    expect_unchanged(MLP, MIXUP_ROWS, ", 'class_weights': [1, 2, 3, 4, 5, 5, 4, 3, 2, 1]", 2);
    expect_unchanged(MLP, MIXUP_ROWS ", " ARCFACE, ", 'class_weights': [1, 2, 3, 4, 5, 5, 4, 3, 2, 1]", 2);
}

static void each_plugin(void **state)
{
    (void)state;
    const char *const alone[] = {EMA, FGM_INPUT, FGM_WHOLE, FGM_WEIGHT, ARCFACE, CENTRES};
    const char *const in_pairs[] = {MIXUP, MIXUP_ROWS};
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        expect_unchanged(MLP, alone[i], "", 1);
        expect_unchanged(LAYERS, alone[i], "", 1);
    }
    for (size_t i = 0; i < sizeof in_pairs / sizeof *in_pairs; i++) {
        expect_unchanged(MLP, in_pairs[i], "", 2);
        expect_unchanged(LAYERS, in_pairs[i], "", 2);
    }
}

static void hidden_layers(void **state)
{
    (void)state;
    expect_unchanged(MLP, "{'name': 'mixup', 'alpha': 1, 'layer': 'fc1'}", "", 2);
    expect_unchanged(LAYERS, "{'name': 'mixup', 'alpha': 1, 'layer': 'early', 'mode': 'row'}", "", 2);
    expect_unchanged(MLP, "{'name': 'fgm', 'layer': 'fc1'}", "", 1);
    expect_unchanged(LAYERS, "{'name': 'fgm', 'layer': 'early', 'norm': 'row'}", "", 1);
    expect_unchanged(MLP, "{'name': 'mixup', 'alpha': 1, 'layer': 'fc1'}, {'name': 'fgm', 'layer': 'fc1'}", "", 2);
}

static void pairs_of_plugins(void **state)
{
    (void)state;
    const char *const sets[] = {MIXUP ", " ARCFACE,      MIXUP_ROWS ", " CENTRES,
                                MIXUP ", " FGM_INPUT,    FGM_INPUT ", " MIXUP_ROWS,
                                MIXUP ", " FGM_WEIGHT,   EMA ", " MIXUP,
                                EMA ", " FGM_WHOLE,      FGM_INPUT ", " ARCFACE,
                                FGM_WEIGHT ", " ARCFACE, EMA ", " FGM_WEIGHT ", " MIXUP ", " ARCFACE};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        expect_unchanged(MLP, sets[i], "", 2);
        expect_unchanged(LAYERS, sets[i], "", 2);
    }
}

static void nested_reruns(void **state)
{
    (void)state;
    expect_unchanged(MLP, "{'name': 'rerun', 'rho': 0.1, 'redraw': true}, " FGM_INPUT, "", 1);
    expect_unchanged(MLP, FGM_INPUT ", {'name': 'rerun', 'rho': 0.1, 'keep': [0, 0.5], 'weight': [2, 1]}", "", 1);
}

/* What couples the items of a batch gets all of them at once, and costs one more forward (rule 7). */
static void losses_over_the_whole_batch(void **state)
{
    (void)state;
    expect_unchanged(MLP, "'pairwise'", "", 1);
    expect_unchanged(LAYERS, "'pairwise'", "", 1);
    expect_unchanged(MLP, "'pairwise', " CENTRES, "", 1);
    expect_unchanged(MLP, "'pairwise', " MIXUP_ROWS, "", 2);
    expect_unchanged(MLP, "'pairwise', " MIXUP ", " ARCFACE, "", 2);
    expect_unchanged(LAYERS, "'pairwise', " FGM_INPUT, "", 1);
    expect_unchanged(MLP, "'pairwise', {'name': 'fgm', 'layer': 'fc1'}", "", 1);
    expect_unchanged(MLP, FGM_WEIGHT ", 'pairwise'", ", 'class_weights': 'balanced'", 1);
    expect_unchanged(MLP, "'freelb', 'pairwise'", "", 1); /* layer filters see the rows of each pass */
    expect_unchanged(LAYERS, "'pairwise', {'name': 'freelb', 'layer': 'early'}, " MIXUP_ROWS ", " ARCFACE, "", 2);
}

static void pairs_do_not_fit_into_single_rows(void **state)
{
    (void)state;
    knack_status status = harness_status("{'data': {'limit': 40}, 'model': %s, 'train': {'batch': 13, 'epochs': 1, 'micro_batch': 1}, "
                                         "'plugins': ['mixup']}",
                                         MLP);
    harness_expect(status, KNACK_E_CONFIG, "2 rows have to share a micro-batch, but train.micro_batch is 1: raise it to 2", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models),
        cmocka_unit_test(class_weights),
        cmocka_unit_test(each_plugin),
        cmocka_unit_test(hidden_layers),
        cmocka_unit_test(pairs_of_plugins),
        cmocka_unit_test(nested_reruns),
        cmocka_unit_test(losses_over_the_whole_batch),
        cmocka_unit_test(pairs_do_not_fit_into_single_rows),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
