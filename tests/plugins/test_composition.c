/* The rules of docs/composition.md for two tricks in one run, as far as no test of a family has them. */
#include <stdio.h>

#include "../train/resumed.h"
#include "../train/whole.h"

#define MLP "{'type': 'mlp', 'hidden': [12], 'dropout': 0.3}"
#define CNN "{'type': 'cnn', 'channels': [3], 'hidden': [8]}" /* with batch norm */

#define SAM      "{'name': 'sam'}"
#define CLIP     "{'name': 'grad-clip', 'max_norm': 0.05}"
#define EMA      "{'name': 'ema', 'decay': 0.7}"
#define SWA      "{'name': 'swa', 'start': 2, 'every': 2}"
#define AVERAGE  "{'name': 'checkpoint-average', 'count': 2}"
#define ENSEMBLE "{'name': 'snapshot-ensemble', 'every': 3}"
#define TTA      "{'name': 'tta', 'views': ['shift 1 0', 'shift 0 1']}"

static const char *both(const char *first, const char *second)
{
    static char plugins[512];
    snprintf(plugins, sizeof plugins, "%s, %s", first, second);
    return plugins;
}

static struct run *trained(const char *model, const char *plugins)
{
    struct run *run = harness_open("%s", whole_config("'log_every': 1, ", model, plugins));
    harness_train(run);
    return run;
}

static knack_real *copy_of(const knack_real *x, int64_t count)
{
    knack_real *copy = memory_new((size_t)count + 1, sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, x, (size_t)count * sizeof *copy);
    return copy;
}

/* ---- Clipping is last: of adversarial passes that are added up, or of the one that replaces the others, the outcome is clipped ---- */

static void clipping_is_last(void **state)
{
    (void)state;
    const char *const adversary[] = {SAM, "{'name': 'fgm', 'layer': 'input'}", "{'name': 'pgd', 'layer': 'input'}", "{'name': 'freelb'}",
                                     "{'name': 'awp'}"};
    for (size_t i = 0; i < sizeof adversary / sizeof *adversary; i++) {
        int64_t count, again;
        knack_real *expected = whole_gradient("", MLP, adversary[i], &count);
        double norm = knack_norm(expected, count);
        assert_true(norm > 0.05);
        for (int64_t k = 0; k < count; k++) expected[k] = (knack_real)(expected[k] * 0.05 / norm);
        for (int order = 0; order < 2; order++) {
            knack_real *clipped = whole_gradient("", MLP, order ? both(CLIP, adversary[i]) : both(adversary[i], CLIP), &again);
            check_same(clipped, expected, count);
            memory_free(clipped);
        }
        memory_free(expected);
    }
}

/* ---- Averages are of the trained weights, never of each other, and each is evaluated by itself ---- */

static const struct average {
    const char *entry, *set;
} averages[] = {{EMA, "ema"}, {SWA, "swa"}, {AVERAGE, "checkpoint-average"}};
enum { AVERAGES = sizeof averages / sizeof *averages, EVALUATIONS = 3 }; /* of whole_config()'s two epochs, and in the end */

/* The set's weights [*count] and its losses on the validation part, in a run with these plugins. */
static knack_real *averaged(const struct average *average, const char *plugins, double loss[EVALUATIONS], int64_t *count)
{
    struct run *run = trained(CNN, plugins);
    struct knack_weights *set = params_find_set(run->params, average->set);
    assert_true(set && set->ready);
    knack_real *values = copy_of(set->values, *count = run->params->total);
    harness_close(run);
    for (int i = 0; i < EVALUATIONS; i++) loss[i] = 0;
    assert_in_range(logged(average->set, "validation", "loss", loss, EVALUATIONS), 1, EVALUATIONS);
    return values;
}

static void averages_stay_apart(void **state)
{
    (void)state;
    for (int i = 0; i < AVERAGES; i++) {
        double loss[EVALUATIONS], other_loss[EVALUATIONS];
        int64_t count;
        knack_real *alone = averaged(&averages[i], averages[i].entry, loss, &count);
        for (int j = 0; j < AVERAGES; j++) {
            const char *other = averages[j].entry;
            for (int order = 0; order < 2 && i != j; order++) {
                const char *plugins = order ? both(other, averages[i].entry) : both(averages[i].entry, other);
                knack_real *beside = averaged(&averages[i], plugins, other_loss, &count);
                assert_memory_equal(beside, alone, (size_t)count * sizeof *alone);
                assert_memory_equal(other_loss, loss, sizeof loss);
                memory_free(beside);
            }
        }
        memory_free(alone);
    }
}

/* A score says whose it is, and all that were scored are there: the first one listed is the primary one. */
static void scores_name_their_weights(void **state)
{
    (void)state;
    harness_close(trained(MLP, both(EMA, SWA)));
    assert_true(harness_has("out/result.json", "\"weights\": \"ema\""));
    assert_true(file_exists(harness_path("out/model.safetensors")));
    assert_true(file_exists(harness_path("out/model.swa.safetensors")));
    assert_true(file_exists(harness_path("out/model.raw.safetensors")));
    harness_close(trained(MLP, both(SWA, EMA)));
    assert_true(harness_has("out/result.json", "\"weights\": \"swa\""));
    assert_true(file_exists(harness_path("out/model.ema.safetensors")));
}

/* Averages count updates: neither micro-batches nor attempts that are skipped. */
static void averages_count_updates(void **state)
{
    (void)state;
    struct run *run = harness_open("%s", whole_config("'micro_batch': 4, ", MLP, both(EMA, CLIP)));
    harness_train(run);
    assert_int_equal(whole_trick(run, "ema")->acted[SLOT_POST_STEP], run->at.update);
    assert_int_equal(run->at.update, 10);
    harness_close(run);
    run = trained(MLP, "{'name': 'probe', 'at': 'post_backward', 'do': 'spoil_gradient'}, " CLIP ", " EMA);
    assert_int_equal(run->at.update, 0);
    assert_int_equal(whole_trick(run, "ema")->calls[SLOT_POST_STEP], 0);
    assert_false(params_find_set(run->params, "ema")->ready);
    harness_close(run);
}

/* ---- Views within members: means commute, geometric means do not mix with them ---- */

enum { ROWS = 5, CLASSES = 10, WIDTH = 64, VIEWS = 3, MEMBERS = 3, VALUES = ROWS * CLASSES };
static const char *const views[VIEWS] = {"identity", "shift 1 0", "shift 0 1"};

/* What the trained run says of some images seen as the view, under a weight set. */
static void predict(struct run *run, const char *view, const char *weights, knack_real out[VALUES])
{
    knack_real image[ROWS * WIDTH], seen[ROWS * WIDTH];
    for (int i = 0; i < ROWS * WIDTH; i++) image[i] = (knack_real)(i * 37 % 17) / 16;
    assert_int_equal(data_view(run->data, view, ROWS, image, seen, NULL), KNACK_OK);
    run->in_use = params_find_set(run->params, weights);
    assert_non_null(run->in_use);
    assert_int_equal(predict_rows(run, seen, ROWS, out), KNACK_OK);
    run->in_use = &run->params->live;
}

/* Of the ensemble's members by themselves, mean over members of: the mean over views, or the geometric one. */
static void by_hand(struct run *run, double mean[VALUES], double gmean[VALUES])
{
    for (int i = 0; i < VALUES; i++) mean[i] = gmean[i] = 0;
    for (int m = 1; m <= MEMBERS; m++) {
        double product[VALUES];
        knack_real p[VALUES];
        char set[64];
        snprintf(set, sizeof set, "snapshot-ensemble.%d", m);
        for (int v = 0; v < VIEWS; v++) {
            predict(run, views[v], set, p);
            for (int i = 0; i < VALUES; i++) mean[i] += (double)p[i] / (VIEWS * MEMBERS);
            for (int i = 0; i < VALUES; i++) product[i] = (v ? product[i] : 1) * pow((double)p[i], 1.0 / VIEWS);
        }
        for (int row = 0; row < ROWS; row++) {
            double sum = 0;
            for (int c = 0; c < CLASSES; c++) sum += product[row * CLASSES + c];
            for (int c = 0; c < CLASSES; c++) gmean[row * CLASSES + c] += product[row * CLASSES + c] / sum / MEMBERS;
        }
    }
}

static void expect_predictions(const char *plugins, const double expected[VALUES])
{
    knack_real together[VALUES];
    struct run *run = trained(CNN, plugins);
    predict(run, "identity", "raw", together);
    harness_close(run);
    for (int i = 0; i < VALUES; i++)
        if (!(fabs((double)together[i] - expected[i]) < (IS_DOUBLE ? 1e-12 : 1e-6))) fail_msg("%s: %d", plugins, i);
}

static void views_within_members(void **state)
{
    (void)state;
    double mean[VALUES], gmean[VALUES];
    knack_real members[VALUES];
    struct run *run = trained(CNN, ENSEMBLE);
    by_hand(run, mean, gmean);
    for (int v = 0; v < VIEWS; v++) { /* the same, first over members, then over views */
        predict(run, views[v], "raw", members);
        for (int i = 0; i < VALUES; i++) mean[i] -= (double)members[i] / VIEWS;
    }
    for (int i = 0; i < VALUES; i++) assert_true(fabs(mean[i]) < (IS_DOUBLE ? 1e-12 : 1e-6));
    by_hand(run, mean, gmean);
    harness_close(run);
    expect_predictions(ENSEMBLE ", " TTA, mean);
    expect_predictions(TTA ", " ENSEMBLE, mean);
    expect_predictions(ENSEMBLE ", {'name': 'tta', 'views': ['shift 1 0', 'shift 0 1'], 'merge': 'gmean'}", gmean);
    expect_predictions("{'name': 'tta', 'views': ['shift 1 0', 'shift 0 1'], 'merge': 'gmean'}, " ENSEMBLE, gmean);
}

/* ---- Where the rule says so, the config's order says nothing ---- */

static void order_says_nothing(void **state)
{
    (void)state;
    static const char mixup[] = "{'name': 'mixup', 'alpha': 1}", cutmix[] = "{'name': 'cutmix'}", smooth[] = "{'name': 'label-smoothing'}",
                      rdrop[] = "{'name': 'rdrop'}", focal[] = "{'name': 'focal'}", head[] = "{'name': 'cosface'}";
    static const char *const pairs[][2] = {{mixup, smooth}, {cutmix, smooth}, {mixup, focal},  {cutmix, focal}, {mixup, head},
                                           {cutmix, head},  {mixup, rdrop},   {smooth, focal}, {smooth, rdrop}, {SAM, CLIP},
                                           {EMA, SWA},      {ENSEMBLE, TTA},  {smooth, head}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        double loss[2];
        knack_real *weights[2];
        int64_t count = 0;
        for (int order = 0; order < 2; order++) {
            struct run *run = trained(MLP, both(pairs[i][order], pairs[i][!order]));
            weights[order] = copy_of(run->params->live.values, count = run->params->total);
            harness_close(run);
            assert_int_equal(logged("raw", "test", "loss", &loss[order], 1), 1);
        }
        if (memcmp(weights[0], weights[1], (size_t)count * sizeof **weights) != 0 || loss[0] != loss[1])
            fail_msg("%s and %s: the order matters", pairs[i][0], pairs[i][1]);
        memory_free(weights[0]);
        memory_free(weights[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clipping_is_last),       cmocka_unit_test(averages_stay_apart),  cmocka_unit_test(scores_name_their_weights),
        cmocka_unit_test(averages_count_updates), cmocka_unit_test(views_within_members), cmocka_unit_test(order_says_nothing),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
