/* Test-time augmentation within whole runs: its predictions under each weight set, and what it says of views. */
#include "whole.h"

#define CONFIG                                                                                                                             \
    "{'data': {'source': 'digits', 'limit': 60, 'validation': 16%s}, 'train': {'epochs': 3, 'batch': 20}, 'model': {'type': "              \
    "'mlp', 'hidden': [12]}, 'plugins': [%s]}"
#define SHIFTED ", 'augment': [{'name': 'shift', 'pixels': 1}]"

enum { ROWS = 5, CLASSES = 10, WIDTH = 64 };
typedef knack_real predictions[ROWS * CLASSES];

/* What the trained run says of ROWS images seen as the view, under a weight set. */
static void predict(struct run *run, const char *view, const char *weights, predictions out)
{
    knack_real image[ROWS * WIDTH], seen[ROWS * WIDTH];
    for (int i = 0; i < ROWS * WIDTH; i++) image[i] = (knack_real)(i * 37 % 17) / 16;
    assert_int_equal(data_view(run->data, view, ROWS, image, seen, NULL), KNACK_OK);
    struct knack_weights *before = run->in_use, *set = params_find_set(run->params, weights);
    assert_non_null(set);
    run->in_use = set;
    assert_int_equal(predict_rows(run, seen, ROWS, out), KNACK_OK);
    run->in_use = before;
}

static struct run *trained(const char *tta)
{
    char plugins[256];
    snprintf(plugins, sizeof plugins, "{'name': 'ema', 'decay': 0.8}%s%s", *tta ? ", " : "", tta);
    struct run *run = harness_open(CONFIG, SHIFTED, plugins);
    harness_train(run);
    return run;
}

/* Weights are the same with and without the trick, so that views predicted one by one show what it has to give. */
static void check_mean(const char *tta, int views, const char *const *view, const double *weight)
{
    static const char *const set[] = {"raw", "ema"};
    predictions alone[2][3], merged;
    struct run *run = trained("");
    for (int s = 0; s < 2; s++)
        for (int v = 0; v < views; v++) predict(run, view[v], set[s], alone[s][v]);
    harness_close(run);
    run = trained(tta);
    for (int s = 0; s < 2; s++) {
        predict(run, "identity", set[s], merged);
        for (int i = 0; i < ROWS * CLASSES; i++) {
            double expected = 0;
            for (int v = 0; v < views; v++) expected += weight[v] * (double)alone[s][v][i];
            assert_true(fabs((double)merged[i] - expected) < 1e-6);
        }
    }
    assert_true(harness_has("out/result.json", "\"plain\""));
    harness_close(run);
}

static void means_under_every_weight_set(void **state)
{
    (void)state;
    const char *const view[] = {"identity", "shift 1 0", "shift 0 -1"};
    check_mean("{'name': 'tta', 'views': ['shift 1 0', 'shift 0 -1']}", 3, view, (const double[]){1.0 / 3, 1.0 / 3, 1.0 / 3});
    check_mean("{'name': 'tta', 'views': ['shift 1 0', 'shift 0 -1'], 'weights': [2, 1, 1]}", 3, view, (const double[]){0.5, 0.25, 0.25});
    check_mean("{'name': 'tta', 'views': ['shift 1 0', 'shift 0 -1'], 'identity': false}", 2, view + 1, (const double[]){0.5, 0.5});
    check_mean("{'name': 'tta', 'views': ['identity', 'shift 1 0'], 'weights': [1, 3]}", 2, view, (const double[]){0.25, 0.75});
}

/* Softmax turns the mean of logits and the geometric mean of probabilities into the same, where these are above 1e-12. */
static void logits_and_geometric_means(void **state)
{
    (void)state;
    predictions by_logit, by_gmean;
    struct run *run = trained("{'name': 'tta', 'views': 'shift 1 0', 'merge': 'logit'}");
    predict(run, "identity", "ema", by_logit);
    harness_close(run);
    run = trained("{'name': 'tta', 'views': 'shift 1 0', 'merge': 'gmean'}");
    predict(run, "identity", "ema", by_gmean);
    harness_close(run);
    for (int i = 0; i < ROWS * CLASSES; i++) assert_true(fabs((double)(by_logit[i] - by_gmean[i])) < (IS_DOUBLE ? 1e-12 : 1e-5));
}

static void views_that_training_draws(void **state)
{
    (void)state;
    const char *tta = "{'name': 'tta', 'views': ['shift 1 0', 'shift 0 2', 'flip']}";
    assert_int_equal(harness_status(CONFIG, SHIFTED, tta), KNACK_OK);
    assert_true(harness_warned("tta: the model is to predict views that training never shows it, since nothing in data.augment draws them, "
                               "and will only guess: \"shift 0 2\", \"flip\"; let"));
    assert_false(harness_warned("\"shift 1 0\""));
}

struct mistake {
    const char *options, *message;
};

/* All of it before training begins. */
static void mistakes(void **state)
{
    (void)state;
    const struct mistake mistake[] = {
        {"'views': ['shfit 1 0']", "\"shfit 1 0\" is no view"},
        {"'views': 'train'", "\"train\" is drawn anew each time"},
        {"'merge': 'mean'", "\"views\" are missing"},
        {"'views': ['flip', 'shift 1 0', 'flip']", "\"views\": \"flip\" is listed twice; \"weights\" make one view count more"},
        {"'views': 'flip', 'weights': [1]", "\"weights\" has 1 entries for 2 views, of which the first is \"identity\""},
        {"'views': 'flip', 'weights': [0, 0]", "\"weights\" are all 0"},
        {"'views': 'flip', 'weights': [1, 1], 'merge': 'max'", "\"weights\" have no meaning"},
    };
    for (size_t i = 0; i < sizeof mistake / sizeof *mistake; i++) {
        char plugins[160];
        snprintf(plugins, sizeof plugins, "{'name': 'tta', %s}", mistake[i].options);
        knack_status status = harness_status(CONFIG, "", plugins);
        assert_true(status < 0);
        harness_expect(status, status, "tta, open", mistake[i].message, NULL);
    }
}

static void outputs_of_a_regression(void **state)
{
    (void)state;
    double x[12 * 4], t[12 * 2];
    for (int i = 0; i < 48; i++) x[i] = i % 7;
    for (int i = 0; i < 24; i++) t[i] = i % 5;
    harness_put_npy("x", 12, 4, x);
    harness_put_npy("t", 12, 2, t);
    const char *config = "{'data': {'npy': {'inputs': 'x.npy', 'targets': 't.npy'}, 'task': 'regression'}, "
                         "'train': {'epochs': 1}, 'model': {'type': 'mlp'}, 'plugins': [{'name': 'tta', 'views': %s}]}";
    harness_expect(harness_status(config, "'identity', 'merge': 'gmean'"), KNACK_OK, NULL); /* nothing but itself: not installed */
    harness_expect(harness_status(config, "'flip'"), KNACK_E_CONFIG, "view \"flip\" needs images", NULL);
    config = "{'data': {'source': 'digits', 'limit': 12, 'task': 'regression'}, 'train': {'epochs': 1}, 'model': {'type': 'mlp'}, "
             "'plugins': [{'name': 'tta', 'views': %s}]}";
    harness_expect(harness_status(config, "'flip', 'merge': 'gmean'"), KNACK_E_PLUGIN, "probabilities of classes", NULL);
    harness_expect(harness_status(config, "'flip'"), KNACK_OK, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_under_every_weight_set), cmocka_unit_test(logits_and_geometric_means),
        cmocka_unit_test(views_that_training_draws),    cmocka_unit_test(mistakes),
        cmocka_unit_test(outputs_of_a_regression),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
