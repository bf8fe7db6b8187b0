/* grad-clip and early-stop within whole runs. */
#include <stdio.h>

#include "resumed.h"

#include "base/text.h"

#define MLP "'model': {'type': 'mlp', 'hidden': [12]}"
#define CNN "'model': {'type': 'cnn', 'channels': [3], 'hidden': [8]}"

static const double near = IS_DOUBLE ? 1e-14 : 1e-6;

static knack_real *copy_of(const knack_real *x, int64_t count)
{
    knack_real *copy = memory_new((size_t)count + 1, sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, x, (size_t)count * sizeof *copy);
    return copy;
}

/* ---- grad-clip ---- */

#define CLIPPED                                                                                                                            \
    "{'data': {'source': 'digits', 'limit': 64, 'validation': 16}, 'train': {'epochs': 2, 'batch': 16, 'log_every': 1, %s'optimizer': "    \
    "{'type': 'sgd', 'lr': 0.1}}, %s, 'plugins': [%s]}"

/* The first batch's gradient [*count], memory_free(). */
static knack_real *gradient_of(const char *train, const char *model, const char *plugins, int64_t *count)
{
    struct run *run = harness_open(CLIPPED, train, model, plugins);
    knack_real *gradient = copy_of(harness_gradient(run), *count = run->params->total);
    harness_close(run);
    return gradient;
}

/* What is clipped is the sum of FGM's two passes, however the config orders the two. */
static void after_fgm(void **state)
{
    (void)state;
    const char *const fgm = "{'name': 'fgm', 'layer': 'input', 'epsilon': 0.5}";
    const char *const both[] = {"{'name': 'grad-clip', 'max_norm': 0.25}, {'name': 'fgm', 'layer': 'input', 'epsilon': 0.5}",
                                "{'name': 'fgm', 'layer': 'input', 'epsilon': 0.5}, {'name': 'grad-clip', 'max_norm': 0.25}"};
    int64_t count;
    knack_real *whole = gradient_of("", MLP, fgm, &count);
    double norm = knack_norm(whole, count);
    assert_true(norm > 0.25);
    for (int64_t i = 0; i < count; i++) whole[i] = (knack_real)(whole[i] * 0.25 / norm);
    for (int i = 0; i < 2; i++) {
        knack_real *clipped = gradient_of("", MLP, both[i], &count);
        assert_close(clipped, whole, count, near);
        memory_free(clipped);
    }
    memory_free(whole);
}

static void by_value(void **state)
{
    (void)state;
    int64_t count, cut = 0;
    knack_real *whole = gradient_of("", MLP, "", &count), bound = (knack_real)0.01;
    knack_real *clipped = gradient_of("", MLP, "{'name': 'grad-clip', 'mode': 'value', 'max_norm': 0.01}", &count);
    for (int64_t i = 0; i < count; i++) {
        cut += whole[i] > bound || whole[i] < -bound;
        assert_true(clipped[i] == (whole[i] > bound ? bound : whole[i] < -bound ? -bound : whole[i]));
    }
    assert_true(cut > 0 && cut < count);
    memory_free(whole);
    memory_free(clipped);
}

/* The sum of all micro-batches is clipped, once. */
static void micro_batches(void **state)
{
    (void)state;
    const char *const plugins[] = {"{'name': 'grad-clip', 'max_norm': 0.25}", "{'name': 'grad-clip', 'mode': 'value', 'max_norm': 0.01}"};
    for (int i = 0; i < 2; i++) {
        int64_t count;
        knack_real *whole = gradient_of("", MLP, plugins[i], &count), *split = gradient_of("'micro_batch': 5, ", MLP, plugins[i], &count);
        assert_close(split, whole, count, IS_DOUBLE ? 1e-12 : 1e-5);
        memory_free(whole);
        memory_free(split);
    }
}

/* Below the bound the run is bit for bit the one without it, and is told that the trick never acted. */
static void idle_below_the_bound(void **state)
{
    (void)state;
    size_t size, again;
    harness_close(harness_open(CLIPPED, "", MLP, ""));
    assert_int_equal(harness_status(CLIPPED, "", MLP, ""), KNACK_OK);
    char *without = harness_read("out/model.safetensors", &size);
    struct run *run = harness_open(CLIPPED, "", MLP, "{'name': 'grad-clip', 'max_norm': 1000}");
    harness_train(run);
    assert_int_equal(run->tricks[0].calls[SLOT_POST_BACKWARD], 8);
    assert_int_equal(run->tricks[0].acted[SLOT_POST_BACKWARD], 0);
    harness_close(run);
    assert_true(harness_warned("grad-clip never acted in this run"));
    char *with = harness_read("out/model.safetensors", &again);
    assert_int_equal(size, again);
    assert_memory_equal(with, without, size);
    memory_free(with);
    memory_free(without);
}

static void the_norm_is_logged(void **state)
{
    (void)state;
    struct run *run = harness_open(CLIPPED, "", MLP, "");
    char text[64], number[32];
    double norm = knack_norm(harness_gradient(run), run->params->total);
    harness_close(run);
    assert_int_equal(harness_status(CLIPPED, "", MLP, "{'name': 'grad-clip', 'max_norm': 0.25}"), KNACK_OK);
    snprintf(text, sizeof text, "\"grad-clip\": {\"norm\": %s", text_number(number, norm));
    assert_true(harness_has("out/metrics.jsonl", text));
}

/* What another trick spoiled before it does not reach the weights. */
static void a_gradient_that_is_not_finite(void **state)
{
    (void)state;
    struct run *run = harness_open(CLIPPED, "", MLP, "{'name': 'probe', 'at': 'post_backward', 'do': 'spoil_gradient'}, 'grad-clip'");
    knack_real *before = copy_of(run->params->live.values, run->params->total);
    harness_train(run);
    assert_memory_equal(before, run->params->live.values, (size_t)run->params->total * sizeof *before);
    assert_int_equal(run->at.update, 0);
    assert_int_equal(run->tricks[1].acted[SLOT_POST_BACKWARD], 8); /* skipping is acting */
    harness_close(run);
    memory_free(before);
}

/* ---- early-stop ---- */

enum { EPOCHS = 25 };
#define STOPPED                                                                                                                            \
    "{'data': {'source': 'digits', 'limit': 48, 'validation': 64, 'label_noise': 0.2}, 'seed': %d, 'train': {'epochs': 25, 'batch': 16, "  \
    "'evaluate_every': %d, 'optimizer': {'type': 'adam', 'lr': 0.02}}, " MLP ", 'plugins': [%s]}"

/* After how many evaluations a run with these values ends; all of them if it goes on to its end. */
static int64_t evaluations_until_stop(const double *value, int64_t count, bool higher, double min_delta, int64_t patience)
{
    double best = value[0];
    int64_t waited = 0;
    for (int64_t i = 1; i < count; i++) {
        bool better = higher ? value[i] > best + min_delta : value[i] < best - min_delta;
        waited = better ? 0 : waited + 1;
        if (better) best = value[i];
        if (waited == patience) return i + 1;
    }
    return count;
}

/* Epochs between evaluations, and how many pass before there are the watched weights. */
struct evaluated {
    int64_t every, after;
};

/* Compares with a run that has no early-stop, but the same other plugins. Returns the epochs. */
static int64_t check_stop(int seed, struct evaluated when, const char *others, const char *weights, const char *metric, double min_delta,
                          int64_t patience)
{
    double value[EPOCHS];
    char plugins[256];
    assert_int_equal(harness_status(STOPPED, seed, (int)when.every, others), KNACK_OK);
    int64_t count = logged(weights, "validation", metric, value, EPOCHS) - 1; /* the last is once more, of the ended run */
    int64_t stop = when.after + when.every * evaluations_until_stop(value, count, !strcmp(metric, "accuracy"), min_delta, patience);
    snprintf(plugins, sizeof plugins, "{'name': 'early-stop', 'weights': '%s', 'metric': '%s', 'min_delta': %g, 'patience': %lld}%s%s",
             weights, metric, min_delta, (long long)patience, *others ? ", " : "", others);
    struct run *run = harness_open(STOPPED, seed, (int)when.every, plugins);
    harness_train(run);
    int64_t epochs = run->at.epoch;
    assert_int_equal(epochs, stop < EPOCHS ? stop : EPOCHS);
    assert_int_equal(run->at.update, epochs * run->steps_per_epoch);
    harness_close(run);
    assert_true(harness_has("out/result.json", "\"status\": \"done\""));
    assert_int_equal(logged(weights, "validation", metric, value, 0), (epochs - when.after + when.every - 1) / when.every + 1);
    return epochs;
}

static void it_stops_where_it_should(void **state)
{
    (void)state;
    int64_t epochs = 0;
    for (int seed = 1; seed <= 3; seed++) {
        epochs += check_stop(seed, (struct evaluated){1, 0}, "", "raw", "loss", 0, 3);
        epochs += check_stop(seed, (struct evaluated){1, 0}, "", "raw", "accuracy", 0, 1);
        epochs += check_stop(seed, (struct evaluated){1, 0}, "", "raw", "accuracy", 0.03, 4);
        epochs += check_stop(seed, (struct evaluated){2, 0}, "", "raw", "loss", 0.01, 2);
    }
    assert_true(epochs < 12 * EPOCHS);
}

/* Averages are judged with the statistics that they are evaluated with, wherever they stand in the config. */
static void it_watches_other_weights(void **state)
{
    (void)state;
    check_stop(1, (struct evaluated){1, 0}, "{'name': 'ema', 'decay': 0.9}", "ema", "loss", 0, 2);
    check_stop(2, (struct evaluated){1, 3}, "{'name': 'swa', 'start': '3ep'}", "swa", "loss", 0, 2);
}

static void it_judges_once_what_was_evaluated(void **state)
{
    (void)state;
    struct run *run = harness_open(STOPPED, 1, 1, "{'name': 'early-stop', 'patience': 25}");
    harness_train(run);
    assert_int_equal(run->at.epoch, EPOCHS);
    assert_int_equal(run->tricks[0].acted[SLOT_EVAL_BEGIN], EPOCHS); /* not again at the end */
    assert_int_equal(run->tricks[0].swept, EPOCHS);
    harness_close(run);
}

/* What follows the stop sees the run as it is: an average of the epochs there were. */
static void averages_of_a_stopped_run(void **state)
{
    (void)state;
    struct run *run = harness_open(STOPPED, 1, 1, "{'name': 'early-stop', 'patience': 1}, 'checkpoint-average'");
    harness_train(run);
    assert_true(run->at.epoch < EPOCHS);
    assert_string_equal(run->primary, "checkpoint-average");
    assert_true(params_find_set(run->params, "checkpoint-average")->ready);
    harness_close(run);
}

static void what_is_refused(void **state)
{
    (void)state;
    harness_expect(
        harness_status("{'data': {'source': 'digits', 'limit': 32}, 'train': {'epochs': 1}, " MLP ", 'plugins': ['early-stop']}"),
        KNACK_E_PLUGIN, "early-stop, run_begin", "stops by the validation part, and the data have none", "data.validation", NULL);
    harness_expect(harness_status(STOPPED, 1, 1, "{'name': 'early-stop', 'weights': 'emma'}, 'ema'"), KNACK_E_PLUGIN, "early-stop, open",
                   "no weights \"emma\" are evaluated while training goes on; \"raw\" are", "as \"ema\" and \"swa\"", NULL);
    harness_expect(harness_status(STOPPED, 1, 1, "{'name': 'early-stop', 'weights': 'best'}"), KNACK_E_PLUGIN, "early-stop, open",
                   "\"best\" are those of the best evaluation so far", NULL);
    const char *const average[] = {"'checkpoint-average', {'name': 'early-stop', 'weights': 'checkpoint-average'}",
                                   "{'name': 'checkpoint-average', 'as': 'mean'}, {'name': 'early-stop', 'weights': 'mean'}"};
    const char *const why[] = {"\"checkpoint-average\" are made once training is over, too late to end it",
                               "no weights \"mean\" are evaluated"};
    for (int i = 0; i < 2; i++) harness_expect(harness_status(STOPPED, 1, 1, average[i]), KNACK_E_PLUGIN, "early-stop, open", why[i], NULL);
    assert_int_equal(
        harness_status(STOPPED, 1, 25, "{'name': 'early-stop', 'weights': 'late'}, {'name': 'swa', 'as': 'late', 'start': '99ep'}"),
        KNACK_OK);
    assert_true(harness_warned("early-stop: the weights \"late\" were never evaluated"));
    const double values[] = {1, 2, 3, 4, 5, 6, 7, 8};
    harness_put_npy("x", 8, 1, values);
    harness_put_npy("y", 8, 1, values);
    harness_expect(harness_status("{'data': {'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}, 'task': 'regression', 'validation': 2}, " MLP
                                  ", 'plugins': ['early-stop']}"),
                   KNACK_E_CONFIG, "early-stop", "regression", NULL);
}

static void resumed_at_any_step_they_end_alike(void **state)
{
    (void)state;
    char config[1024];
    snprintf(config, sizeof config, CLIPPED, "", CNN, "{'name': 'fgm', 'layer': 'input'}, {'name': 'grad-clip', 'max_norm': 0.25}");
    check_resumed_at_every_step(config, "model");
    snprintf(config, sizeof config, STOPPED, 1, 1, "{'name': 'early-stop', 'patience': 1}, {'name': 'ema', 'decay': 0.9}");
    check_resumed_at_every_step(config, "model.raw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_fgm),
        cmocka_unit_test(by_value),
        cmocka_unit_test(micro_batches),
        cmocka_unit_test(idle_below_the_bound),
        cmocka_unit_test(the_norm_is_logged),
        cmocka_unit_test(a_gradient_that_is_not_finite),
        cmocka_unit_test(it_stops_where_it_should),
        cmocka_unit_test(it_watches_other_weights),
        cmocka_unit_test(it_judges_once_what_was_evaluated),
        cmocka_unit_test(averages_of_a_stopped_run),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(resumed_at_any_step_they_end_alike),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
