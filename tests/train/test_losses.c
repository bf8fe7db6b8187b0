/* R-Drop, focal loss and label smoothing within whole runs. */
#include "whole.h"

#define MLP     "{'type': 'mlp', 'hidden': [12]}"
#define DROPOUT "{'type': 'mlp', 'hidden': [12], 'dropout': 0.3}"
#define CNN     "{'type': 'cnn', 'channels': [4], 'hidden': [8], 'dropout': 0.3}"

static void split_and_resumed(void **state)
{
    (void)state;
    const char *const plugins[] = {"{'name': 'rdrop'}",
                                   "{'name': 'focal'}",
                                   "{'name': 'focal', 'gamma': 0.5, 'balanced': true}",
                                   "{'name': 'label-smoothing'}",
                                   "{'name': 'label-smoothing'}, {'name': 'focal'}",
                                   "{'name': 'rdrop'}, {'name': 'focal'}",
                                   "{'name': 'label-smoothing'}, {'name': 'arcface'}"};
    for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++) {
        check_split(DROPOUT, plugins[i]);
        check_resume(DROPOUT, plugins[i]);
    }
    check_resume(CNN, plugins[0]);
}

/* Without dropout both passes are one, the divergence is 0, and what is left is the loss as it was. The run says so. */
static void rdrop_without_dropout(void **state)
{
    (void)state;
    check_alike(MLP, "{'name': 'rdrop', 'alpha': 5}", "");
    assert_int_equal(harness_status("%s", whole_config("", MLP, "{'name': 'rdrop'}")), KNACK_OK);
    assert_true(harness_warned("rdrop: both passes gave the same: without dropout"));
    assert_int_equal(harness_status("%s", whole_config("", DROPOUT, "{'name': 'rdrop'}")), KNACK_OK);
    assert_false(harness_warned("both passes gave the same"));
}

/* Both masks of one row are alike now and then: that tells nothing, in a micro-batch of one row either. Nor do 60 rows. */
static void rdrop_tells_little_from_few_rows(void **state)
{
    (void)state;
    const char *config = "{'data': {'source': 'digits', 'limit': %d}, 'train': {'epochs': %d, 'batch': 16%s}, 'model': "
                         "{'type': 'mlp', 'hidden': [2], 'dropout': %s}, 'plugins': ['rdrop']}";
    assert_int_equal(harness_status(config, 64, 3, ", 'micro_batch': 1", "0.1"), KNACK_OK);
    assert_false(harness_warned("both passes gave the same"));
    assert_int_equal(harness_status(config, 16, 4, "", "0"), KNACK_OK); /* 48 rows after the first update */
    assert_false(harness_warned("both passes gave the same"));
    assert_int_equal(harness_status(config, 16, 5, "", "0"), KNACK_OK);
    assert_true(harness_warned("both passes gave the same"));
}

/* The second pass has masks of its own, moves no running statistics, and leaves the first one's masks alone. */
static void rdrop_makes_one_more_pass(void **state)
{
    (void)state;
    struct run *run = harness_open("%s", whole_config("", CNN, ""));
    harness_gradient(run);
    size_t bytes = (size_t)run->params->statistics_total * sizeof(knack_real);
    knack_real *plain = memory_new((size_t)run->params->statistics_total, sizeof *plain);
    memcpy(plain, run->params->live.statistics, bytes);
    double loss = run->last_loss;
    harness_close(run);

    run = harness_open("%s", whole_config("", CNN, "{'name': 'rdrop', 'alpha': 1e-9}"));
    harness_gradient(run);
    assert_memory_equal(plain, run->params->live.statistics, bytes);
    assert_int_equal(whole_trick(run, "rdrop")->forwards, 1);
    assert_true(fabs(run->last_loss - loss) > 1e-4 * loss); /* the mean of two different ones */
    harness_close(run);
    memory_free(plain);
}

#define REGRESSION                                                                                                                         \
    "{'data': {'npy': {'inputs': 'x.npy', 'targets': 't.npy'}, 'task': 'regression'}, 'train': {'epochs': 2, 'batch': 6, %s}, "            \
    "'model': " DROPOUT ", 'plugins': [%s]}"

static void regressions(void **state)
{
    (void)state;
    double x[12 * 4], t[12 * 2];
    for (int i = 0; i < 48; i++) x[i] = (double)(i * 7 % 11) / 11;
    for (int i = 0; i < 24; i++) t[i] = (double)(i * 5 % 7);
    harness_put_npy("x", 12, 4, x);
    harness_put_npy("t", 12, 2, t);
    assert_int_equal(harness_status(REGRESSION, "'log_every': 1", "{'name': 'rdrop'}"), KNACK_OK);
    assert_false(harness_warned("both passes gave the same"));
    struct run *run = harness_open(REGRESSION, "'log_every': 1", "{'name': 'rdrop'}");
    int64_t count = run->params->total;
    knack_real *whole = memory_new((size_t)count, sizeof *whole);
    memcpy(whole, harness_gradient(run), (size_t)count * sizeof *whole);
    harness_close(run);
    run = harness_open(REGRESSION, "'micro_batch': 4", "{'name': 'rdrop'}");
    check_same(harness_gradient(run), whole, count);
    harness_close(run);
    memory_free(whole);
    harness_expect(harness_status(REGRESSION, "'log_every': 1", "{'name': 'focal'}"), KNACK_E_CONFIG, "focal", "classification", NULL);
    harness_expect(harness_status(REGRESSION, "'log_every': 1", "{'name': 'label-smoothing'}"), KNACK_E_CONFIG, "label-smoothing",
                   "classification", NULL);
}

/* gamma 0 and a weight a class are the class weights of "train"; balanced is its "balanced". */
static void focal_weights_are_class_weights(void **state)
{
    (void)state;
    int64_t count, again;
    const char *weights = "'class_weights': [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], ";
    const char *alpha = "{'name': 'focal', 'gamma': 0, 'alpha': [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}";
    knack_real *ours = whole_gradient("", MLP, alpha, &count), *host = whole_gradient(weights, MLP, "", &again);
    check_same(ours, host, count);
    memory_free(ours);
    memory_free(host);
    ours = whole_gradient("", MLP, "{'name': 'focal', 'gamma': 0, 'balanced': true}", &count);
    host = whole_gradient("'class_weights': 'balanced', ", MLP, "", &again);
    check_same(ours, host, count);
    memory_free(ours);
    memory_free(host);
}

static void focal_options(void **state)
{
    (void)state;
    const char *const wrong[][2] = {
        {"'alpha': [1, 2]", "\"alpha\" has 2 entries; give one for each of the 10 classes"},
        {"'alpha': 0.25", "\"alpha\" is one number, which is for two classes"},
        {"'alpha': [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]", "\"alpha\" is 0 for each class, which leaves no loss"},
        {"'alpha': [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 'balanced': true", "\"alpha\" and \"balanced\" both say"},
    };
    char plugins[160];
    for (int i = 0; i < 4; i++) {
        snprintf(plugins, sizeof plugins, "{'name': 'focal', %s}", wrong[i][0]);
        harness_expect(harness_status("%s", whole_config("", MLP, plugins)), KNACK_E_PLUGIN, "focal, open", wrong[i][1], NULL);
    }
}

/* At its identity a trick is not there. */
static void identities(void **state)
{
    (void)state;
    struct run *run = harness_open("%s", whole_config("", MLP,
                                                      "{'name': 'rdrop', 'alpha': 0}, {'name': 'focal', 'gamma': 0}, "
                                                      "{'name': 'label-smoothing', 'eps': 0}, {'name': 'cutmix', 'alpha': 0}, "
                                                      "{'name': 'tta', 'views': 'identity'}"));
    assert_int_equal(run->trick_count, 0);
    harness_close(run);
}

/* Rounded operands give another gradient, and nearly the same; of a network without kinks, where small changes stay small. */
static void bf16_products(void **state)
{
    (void)state;
    static const char *const models[] = {
        "{'type': 'layers', 'layers': [{'type': 'flatten'}, {'type': 'linear', 'size': 12}, {'type': 'tanh'}]}",
        "{'type': 'layers', 'layers': [{'type': 'conv', 'channels': 4}, {'type': 'gelu'}, {'type': 'flatten'}, {'type': 'linear', 'size': "
        "8}]}"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        int64_t count;
        knack_real *plain = whole_gradient("", models[i], "", &count),
                   *rounded = whole_gradient("'compute': 'bf16', ", models[i], "", &count);
        const double distance = harness_distance(plain, rounded, count);
        if (!(distance > 1e-4 && distance < 0.02)) fail_msg("%s: gradients are %g of their norm apart", models[i], distance);
        memory_free(plain);
        memory_free(rounded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_products),
        cmocka_unit_test(split_and_resumed),
        cmocka_unit_test(rdrop_without_dropout),
        cmocka_unit_test(rdrop_tells_little_from_few_rows),
        cmocka_unit_test(rdrop_makes_one_more_pass),
        cmocka_unit_test(regressions),
        cmocka_unit_test(focal_weights_are_class_weights),
        cmocka_unit_test(focal_options),
        cmocka_unit_test(identities),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
