/* The rules of the contract, one after the other: order, extra passes, evaluation, targets, loss, rows without a target, acting. */
#include <stdio.h>

#include "harness.h"
#include "plugins/recorder/recorder.h"

static const double tolerance = IS_DOUBLE ? 1e-12 : 2e-6;

/* ---- A model whose logits can be written down: x w, element by element, under a head that does nothing ---- */

enum { ROWS = 12, HELD_OUT = 8, CLASSES = 3 };
static double input[ROWS + HELD_OUT][CLASSES], label[ROWS + HELD_OUT];
static const knack_param *factor;

static knack_status product_declare(knack_model *model, void *user)
{
    (void)user;
    struct knack_param_spec spec = {.size = sizeof spec, .name = "fc1.weight", .ndim = 1, .shape = {CLASSES}, .init = KNACK_INIT_ONE};
    factor = knack_model_param(model, &spec);
    knack_model_layer(model, "fc1");
    return knack_model_set_width(model, CLASSES);
}

static knack_tensor *product_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model, (void)user;
    return knack_layer(step, "fc1", knack_mul(x, knack_param_tensor(step, factor)));
}

static const struct knack_model_type product = {
    .size = sizeof product, .name = "product", .declare = product_declare, .features = product_features};

/* Also a model that does nothing but normalise its input. */
static knack_norm_layer *only_norm;

static knack_status norm_declare(knack_model *model, void *user)
{
    (void)user;
    only_norm = knack_model_norm(model, "norm", CLASSES);
    return knack_model_set_width(model, CLASSES);
}

static knack_tensor *norm_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model, (void)user;
    return knack_batch_norm(step, only_norm, x);
}

static const struct knack_model_type normaliser = {
    .size = sizeof normaliser, .name = "normaliser", .declare = norm_declare, .features = norm_features};

static int make_data(void **state)
{
    if (harness_set_up(state) != 0) return -1;
    for (int i = 0; i < ROWS + HELD_OUT; i++) {
        for (int c = 0; c < CLASSES; c++) input[i][c] = (double)(float)(1.5 * sin(1 + 3.1 * i + 1.7 * c));
        label[i] = (i * 7 + i / 5) % CLASSES;
    }
    harness_put_npy("x", ROWS + HELD_OUT, CLASSES, &input[0][0]);
    harness_put_npy("y", ROWS + HELD_OUT, 1, label);
    harness_put_npy("numbers", ROWS + HELD_OUT, CLASSES, &input[0][0]);
    return 0;
}

#define NPY "'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}, 'task': 'classification', 'shuffle': false"

static struct run *open_product(const char *train, const char *plugins)
{
    return harness_open_model(&product, NULL,
                              "{'data': {" NPY ", 'validation': %d}, 'train': {'batch': %d, 'epochs': 1%s}, 'plugins': [%s%s'bare_head']}",
                              HELD_OUT, ROWS, train, plugins, *plugins ? ", " : "");
}

/* ---- Rules 1 and 4: order ---- */

static void assert_sequence(const char *text, const char *const *expected)
{
    char all[RECORDER_SIZE] = "";
    for (; *expected; expected++) strcat(all, *expected);
    if (strcmp(text, all) != 0) {
        size_t at = 0;
        while (text[at] == all[at]) at++;
        fail_msg("the order differs at \"%.80s\", expected \"%.80s\"", text + at, all + at);
    }
}

#define EVALUATION(part, weights)                                                                                                          \
    ", a eval_begin " part " " weights ", b eval_begin " part " " weights ", a predict " part " " weights " (, b predict " part            \
    " " weights " (, a fc1, b fc1, a head " part " " weights " (, b head " part " " weights " ())))"                                       \
    ", b eval_end " part " " weights ", a eval_end " part " " weights
/* Without the predict stages, and so without the hooks around them. */
#define PLAIN(part) ", a fc1, b fc1, a head " part " raw (, b head " part " raw ())"

static void order_of_calls(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "a open, b open, a run_begin, b run_begin, a epoch_begin, b epoch_begin, a pre_step, b pre_step",
        ", a gradient (, b gradient (, a fc1, b fc1, a head training raw (, b head training raw ()), a loss (, b loss ())))",
        ", a post_backward, b post_backward, a post_step, b post_step, b epoch_end, a epoch_end",
        EVALUATION("validation", "raw"),
        EVALUATION("validation", "averaged"),
        ", b run_end, a run_end",
        EVALUATION("validation", "raw"),
        PLAIN("validation"),
        EVALUATION("validation", "averaged"),
        EVALUATION("validation", "best"),
        NULL};
    struct run *run = harness_open_model(&product, NULL,
                                         "{'data': {" NPY ", 'validation': %d}, 'train': {'batch': %d, 'epochs': 1}, 'plugins': ["
                                         "{'name': 'recorder', 'as': 'outer', 'tag': 'a', 'first': true}, "
                                         "{'name': 'recorder', 'as': 'inner', 'tag': 'b', 'set': 'averaged'}]}",
                                         HELD_OUT, ROWS);
    const struct recorder_log *log = *(struct recorder_log **)run->tricks[0].self;
    harness_train(run);
    assert_sequence(log->text, expected);
    assert_string_equal(run->primary, "averaged");
    assert_int_equal(harness_evaluations(), 2 + 4);
    harness_close(run);
    assert_non_null(strstr(log->text, ", b close, a close"));
}

/* The set's name belongs to the one who declared it, another trick reads it. */
static void weight_sets_of_other_tricks(void **state)
{
    (void)state;
    const char *config = "{'data': {'limit': 32, 'validation': 16}, 'model': {'type': 'mlp', 'hidden': [8]}, 'train': {'epochs': 1}, "
                         "'plugins': ['probe', {'manifest': '%s/planner.json', 'as': 'other', 'at': 'post_step', 'do': '%s'}]}";
    assert_int_equal(harness_status(config, TEST_PLUGINS, "values"), KNACK_OK);
    harness_expect(harness_status(config, TEST_PLUGINS, "weights_ready"), KNACK_E_CALL, "other, post_step", "\"probed\" is not of other",
                   NULL);
}

/* Its hook uses what it was refused before it returns, as hooks do; that must end in the message, not in a crash. */
static void a_refused_gradient_can_be_used(void **state)
{
    (void)state;
    harness_expect(harness_status("{'data': {'limit': 64}, 'train': {'epochs': 1, 'batch': 16}, 'model': {'hidden': [8]}, 'plugins':"
                                  " [{'manifest': '%s/undeclared.json', 'at': 'post_backward', 'do': 'spoil'}]}",
                                  TEST_PLUGINS),
                   KNACK_E_CALL, "post_backward, step 1", "knack_gradients() needs", NULL);
}

static void primary_weights_may_be_chosen(void **state)
{
    (void)state;
    const char *config =
        "{'data': {'limit': 32, 'validation': 16}, 'model': {'type': 'mlp'}, 'train': {'epochs': 2%s}, 'plugins': ['ema']}";
    assert_int_equal(harness_status(config, ""), KNACK_OK);
    assert_true(harness_has("out/result.json", "\"weights\": \"ema\"") && file_exists(harness_path("out/model.raw.safetensors")));
    assert_int_equal(harness_status(config, ", 'primary': 'raw'"), KNACK_OK);
    assert_true(harness_has("out/result.json", "\"weights\": \"raw\"") && file_exists(harness_path("out/model.ema.safetensors")));
    harness_expect(harness_status(config, ", 'primary': 'swa'"), KNACK_E_CONFIG,
                   "at train.primary: no weights \"swa\" are evaluated in this run", NULL);
}

/* "best" is of the epochs of what would be primary without it, to the last epoch. */
static void the_best_epoch_may_be_primary(void **state)
{
    (void)state;
    int64_t best[2], epochs = 6;
    for (int i = 0; i < 2; i++) {
        struct run *run =
            harness_open("{'data': {'limit': 64, 'validation': 32}, 'model': {'type': 'mlp'}, 'train': {'epochs': %d, 'batch': 16%s}}",
                         (int)epochs, i ? ", 'primary': 'best'" : "");
        harness_train(run);
        best[i] = run->at.best_epoch;
        assert_string_equal(run->primary, i ? "best" : "raw");
        harness_close(run);
    }
    assert_true(best[0] > 1);
    assert_int_equal(best[1], best[0]);
}

/* The order is the config's unless manifests demand another, and the checkpoint knows it. */
static void the_order_is_told(void **state)
{
    (void)state;
    struct run *run = harness_open("{'data': {'limit': 16}, 'model': {'type': 'mlp'}, 'train': {'epochs': 1}, 'plugins': ['mixup', "
                                   "{'name': 'fgm', 'layer': 'input', 'epsilon': 0}, {'name': 'ema', 'as': 'ema-99', 'decay': 0.99}]}");
    struct run_facts facts;
    assert_int_equal(run_facts(run, false, &facts), KNACK_OK);
    assert_int_equal(facts.tricks, 3);
    assert_string_equal(facts.trick[0].name, "mixup");
    assert_string_equal(facts.trick[1].name, "ema-99");
    assert_string_equal(facts.trick[2].name, "fgm");
    assert_true(facts.trick[0].installed && facts.trick[1].installed && !facts.trick[2].installed);
    harness_train(run);
    harness_close(run);
    size_t size;
    char *checkpoint = harness_checkpoint(&size);
    assert_non_null(strstr(checkpoint + 8, "mixup,ema-99")); /* behind the header's length */
    memory_free(checkpoint);
}

/* ---- Rule 3: extra passes ---- */

/* Two passes, one subtracted from the other: with the same masks nothing is left. */
static double left_by_two_passes(const char *redraw)
{
    const char *config =
        "{'data': {'limit': 32}, 'model': {'type': 'mlp', 'dropout': 0.5}, 'train': {'batch': 32, 'epochs': 1}, 'plugins': "
        "[%s]}";
    char plugin[128];
    snprintf(plugin, sizeof plugin, "{'name': 'rerun', 'keep': [0, 1], 'weight': [1, -1], 'redraw': %s}", redraw);
    struct run *run = harness_open(config, "");
    double norm = knack_norm(harness_gradient(run), run->params->total);
    harness_close(run);
    run = harness_open(config, plugin);
    double left = knack_norm(harness_gradient(run), run->params->total);
    harness_close(run);
    return left / norm;
}

static void masks_of_extra_passes(void **state)
{
    (void)state;
    assert_true(left_by_two_passes("false") < 1e-6);
    assert_true(left_by_two_passes("true") > 0.1);
}

#define DROPOUT "{'data': {'limit': 32}, 'model': {'type': 'mlp', 'dropout': 0.5}, 'train': {'batch': 32, 'epochs': 1}, 'plugins': [%s]}"

static double loss_with(const char *plugins)
{
    struct run *run = harness_open(DROPOUT, plugins);
    harness_gradient(run);
    double loss = run->last_loss;
    harness_close(run);
    return loss;
}

static void masks_of_extra_forwards(void **state)
{
    (void)state;
    assert_true(loss_with("'again'") == loss_with(""));
    assert_true(fabs(loss_with("{'name': 'again', 'redraw': true}") - loss_with("")) > 1e-3);
    assert_true(fabs(loss_with("{'name': 'again', 'eval': true}") - loss_with("")) > 1e-3);
    assert_true(loss_with("{'name': 'again', 'no_gradient': true}") == loss_with(""));
}

/* A layer's offset is in both forwards of a pass, and its gradient is that of both. */
static void offsets_in_two_forwards(void **state)
{
    (void)state;
    const char *attack = "{'name': 'fgm', 'layer': 'fc1', 'epsilon': 0.5}",
               *both = "'again', {'name': 'fgm', 'layer': 'fc1', 'epsilon': 0.5}";
    struct run *run = harness_open(DROPOUT, attack);
    int64_t count = run->params->total;
    knack_real *alone = memory_new((size_t)count, sizeof *alone);
    memcpy(alone, harness_gradient(run), (size_t)count * sizeof *alone);
    harness_close(run);
    run = harness_open(DROPOUT, both);
    assert_true(harness_distance(harness_gradient(run), alone, count) <= tolerance * 10);
    harness_close(run);
    memory_free(alone);
}

/* Running statistics after one update, with these plugins. */
static knack_real *statistics_with(const char *plugins, int64_t *count)
{
    struct run *run = harness_open("{'data': {'limit': 32}, 'model': {'type': 'cnn', 'channels': [4], 'hidden': [8]}, "
                                   "'train': {'batch': 32, 'epochs': 1}, 'plugins': [%s]}",
                                   plugins);
    *count = run->params->statistics_total;
    knack_real *statistics = memory_new((size_t)*count, sizeof *statistics);
    harness_train(run);
    memcpy(statistics, run->params->live.statistics, (size_t)*count * sizeof *statistics);
    harness_close(run);
    return statistics;
}

static void running_statistics_move_once_a_step(void **state)
{
    (void)state;
    int64_t count;
    knack_real *once = statistics_with("", &count);
    const char *const plugins[] = {"'rerun'", "{'name': 'fgm', 'layer': 'input'}", "'again'", "{'name': 'again', 'eval': true}"};
    for (int i = 0; i < 4; i++) {
        knack_real *statistics = statistics_with(plugins[i], &count);
        assert_memory_equal(statistics, once, (size_t)count * sizeof *once);
        memory_free(statistics);
    }
    knack_real *twice = statistics_with("{'name': 'again', 'statistics': true}", &count);
    int64_t half = 4; /* channels: means, which begin at 0, and variances, which begin at 1 */
    for (int64_t i = 0; i < 2 * half; i++) {
        double began = i < half ? 0 : 1, batch = ((double)once[i] - 0.9 * began) / 0.1;
        if (fabs((double)twice[i] - (0.9 * (double)once[i] + 0.1 * batch)) > 1e-6) fail_msg("statistic %d moved once", (int)i);
    }
    memory_free(once);
    memory_free(twice);
}

/* A sweep gives the mean and the unbiased variance of the training rows, however they come in batches. */
static void swept_statistics_are_pooled(void **state)
{
    (void)state;
    struct run *run = harness_open_model(&normaliser, NULL,
                                         "{'data': {" NPY ", 'validation': %d}, 'train': {'batch': 5, 'epochs': 2}, "
                                         "'plugins': [{'name': 'ema', 'buffers': 'reestimate'}]}",
                                         HELD_OUT);
    harness_train(run);
    const struct part *part = &run->data->part[PART_TRAIN];
    const struct knack_weights *set = params_find_set(run->params, "ema");
    for (int c = 0; c < CLASSES; c++) {
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < part->count; i++) mean += input[part->row[i]][c] / (double)part->count;
        for (int64_t i = 0; i < part->count; i++)
            variance += (input[part->row[i]][c] - mean) * (input[part->row[i]][c] - mean) / (double)(part->count - 1);
        assert_true(fabs((double)set->statistics[only_norm->mean + c] - mean) <= tolerance);
        assert_true(fabs((double)set->statistics[only_norm->variance + c] - variance) <= tolerance * 4);
    }
    assert_int_equal(run->tricks[0].swept, 2); /* once an epoch; the end has the second epoch's */
    harness_close(run);
}

/* ---- Rules 5, 6 and 8: targets and losses ---- */

/* -log softmax(x)[c] of a training row of the run's data, all w being 1. */
static double cross_entropy(const struct run *run, int64_t row, int c)
{
    const double *x = input[run->data->part[PART_TRAIN].row[row]];
    double sum = 0;
    for (int k = 0; k < CLASSES; k++) sum += exp(x[k]);
    return log(sum) - x[c];
}

static int class_of(const struct run *run, int64_t row)
{
    return (int)label[run->data->part[PART_TRAIN].row[row]];
}

static void expect_loss(struct run *run, double expected)
{
    harness_gradient(run);
    if (!(fabs(run->last_loss - expected) <= tolerance * fabs(expected))) fail_msg("loss %.15g instead of %.15g", run->last_loss, expected);
    harness_close(run);
}

#define MIX "{'name': 'probe', 'at': 'pre_step', 'do': 'mix_targets'}" /* 3/4 of its own, 1/4 of the row at the other end */
static const double class_weight[CLASSES] = {1, 2, 4};

static const char *shaped(const char *before, const char *manifest, const char *options)
{
    static char plugins[512];
    snprintf(plugins, sizeof plugins, "%s%s{'manifest': '%s/%s.json'%s}", before, *before ? ", " : "", TEST_PLUGINS, manifest, options);
    return plugins;
}

/* Squares of the items' losses tell whether a mixture was one item or two. */
static void mixed_targets(void **state)
{
    (void)state;
    double whole = 0, parts = 0, weighted = 0, weighted_whole = 0;
    struct run *run = open_product("", MIX);
    for (int i = 0; i < ROWS; i++) {
        int own = class_of(run, i), other = class_of(run, ROWS - 1 - i);
        double a = cross_entropy(run, i, own), b = cross_entropy(run, i, other);
        double worth = 0.75 * class_weight[own] + 0.25 * class_weight[other];
        double mean = (0.75 * class_weight[own] * a + 0.25 * class_weight[other] * b) / worth;
        whole += pow(0.75 * a + 0.25 * b, 2) / ROWS;
        parts += (0.75 * a * a + 0.25 * b * b) / ROWS;
        weighted += (0.75 * class_weight[own] * a * a + 0.25 * class_weight[other] * b * b) / ROWS;
        weighted_whole += worth * mean * mean / ROWS;
    }
    harness_close(run);
    const char *weights = ", 'class_weights': [1, 2, 4]";
    expect_loss(open_product("", shaped(MIX, "shaped_loss", ", 'power': 2")), whole);
    expect_loss(open_product("", shaped(MIX, "shaped_ids", ", 'power': 2")), parts);
    expect_loss(open_product(weights, shaped(MIX, "shaped_ids", ", 'power': 2")), weighted);
    expect_loss(open_product(weights, shaped(MIX, "shaped_loss", ", 'power': 2")), weighted_whole);
    expect_loss(open_product(", 'micro_batch': 2", shaped(MIX ", 'rerun'", "shaped_ids", ", 'power': 2")), parts);
}

static void dense_targets(void **state)
{
    (void)state;
    const char *config = "{'data': {'limit': 32}, 'model': {'type': 'mlp', 'hidden': [8]}, 'train': {'epochs': 1}, 'plugins': ["
                         "{'name': 'probe', 'at': 'pre_step', 'do': 'set_targets_dense'}%s]}";
    assert_int_equal(harness_status(config, ""), KNACK_OK);
    harness_expect(harness_status(config, ", 'arcface'"), KNACK_E_CALL, "probe, pre_step, step 1",
                   "dense rows, but a trick of this run takes class ids only", NULL);
}

/* N counts items with a target: one without leaves it, one that weighs nothing stays in it. */
static void ignored_and_weightless_items(void **state)
{
    (void)state;
    const char *ignore = "{'name': 'probe', 'at': 'pre_step', 'do': 'ignore_some'}";
    struct run *run = open_product("", ignore);
    double sum = 0;
    for (int i = 2; i < ROWS; i++) sum += (i == 2 ? 2 : 1) * cross_entropy(run, i, class_of(run, i));
    harness_gradient(run);
    assert_int_equal(run->step.logical.items, ROWS - 1);
    assert_int_equal(run->step.active, ROWS - 1);
    harness_close(run);
    expect_loss(open_product("", ignore), sum / (ROWS - 1));
    expect_loss(open_product(", 'micro_batch': 4", ignore), sum / (ROWS - 1));
    expect_loss(open_product("", shaped(ignore, "shaped_ids", "")), sum / (ROWS - 1));
    /* For a trick that works without targets every row is an item: here each has 1 more. */
    double with_all = (sum + 1 + 0 + 2 + (ROWS - 3)) / ROWS;
    expect_loss(open_product("", shaped(ignore, "shaped_none", ", 'addend': 1")), with_all);
    expect_loss(open_product("", shaped(ignore, "shaped_loss", ", 'addend': 1")), (sum + 0 + 2 + (ROWS - 3)) / (ROWS - 1));
}

/* Numbers mix themselves. */
static void mixed_numbers(void **state)
{
    (void)state;
    struct run *run = harness_open_model(&product, NULL,
                                         "{'data': {'npy': {'inputs': 'x.npy', 'targets': 'numbers.npy'}, 'task': 'regression', 'shuffle': "
                                         "false}, 'train': {'batch': %d, 'epochs': 1}, 'plugins': [%s, 'bare_head']}",
                                         ROWS + HELD_OUT, MIX);
    double sum = 0;
    for (int i = 0; i < ROWS + HELD_OUT; i++)
        for (int c = 0; c < CLASSES; c++) sum += pow(0.25 * (input[i][c] - input[ROWS + HELD_OUT - 1 - i][c]), 2);
    expect_loss(run, sum / CLASSES / (ROWS + HELD_OUT));
}

/* ---- Rule 10: acting ---- */

#define SMALL                                                                                                                              \
    "'data': {'limit': 32, 'validation': 16}, 'model': {'type': 'mlp', 'hidden': [8]}, 'train': {'epochs': 2, 'batch': 16, 'log_every': "  \
    "1}"

static void idle_tricks_are_warned_of(void **state)
{
    (void)state;
    assert_int_equal(harness_status("{" SMALL ", 'plugins': ['probe']}"), KNACK_OK);
    assert_true(harness_warned("probe never acted in this run"));
    assert_true(harness_has("out/result.json", "\"acted\": 0,"));
    assert_int_equal(harness_status("{" SMALL ", 'plugins': [{'name': 'probe', 'at': 'pre_step', 'do': 'act_only'}]}"), KNACK_OK);
    assert_false(harness_warned("never acted"));
    assert_true(harness_has("out/result.json", "\"acted\": 4,"));
}

/* The same model, checkpoint and metrics, bit by bit. */
static void expect_same_files(const char *plugins, const char *others)
{
    const char *config = "{" SMALL ", 'plugins': [%s]}";
    if (harness_status(config, plugins) < 0) fail_msg("%s: %s", plugins, knack_error());
    struct harness_files files = harness_files();
    if (harness_status(config, others) < 0) fail_msg("%s: %s", others, knack_error());
    harness_assert_files(&files, others);
    harness_files_free(&files);
}

static void at_its_identity_a_trick_is_not_there(void **state)
{
    (void)state;
    const char *const identities[] = {"{'name': 'fgm', 'layer': 'input', 'epsilon': 0}", "{'name': 'mixup', 'alpha': 0}",
                                      "{'name': 'ema', 'decay': 0}"};
    for (int i = 0; i < 3; i++) {
        expect_same_files("", identities[i]);
        assert_true(harness_has("out/result.json", "\"installed\": false"));
    }
}

/* Streams belong to who draws: a quarter million numbers more in a hook leave all others alone. */
static void draws_move_nobody_else(void **state)
{
    (void)state;
    const char *const places[] = {"run_begin", "epoch_begin", "pre_step", "loss", "gradient", "post_step", "eval_begin", "predict"};
    const char *others = "'probe', {'name': 'mixup', 'alpha': 1}, {'name': 'fgm', 'layer': 'fc1', 'redraw': true}";
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char plugins[256];
        snprintf(plugins, sizeof plugins, "{'name': 'probe', 'at': '%s', 'do': 'many_draws'}%s", places[i], strchr(others, ','));
        expect_same_files(others, plugins);
    }
}

/* What a trick draws does not depend on what is listed before it. */
static void draws_belong_to_a_name(void **state)
{
    (void)state;
    const char *const plugins[] = {"", "'ema', {'name': 'mixup', 'alpha': 0}, {'name': 'ema', 'as': 'other'}, "};
    double loss[3];
    for (int i = 0; i < 3; i++) {
        struct run *run = harness_open("{'data': {'limit': 32, 'augment': ['shift']}, 'model': {'type': 'mlp'}, 'train': {'batch': 32}, "
                                       "'plugins': [%s{'name': 'again', 'as': '%s', 'view': 'train'}]}",
                                       plugins[i % 2], i < 2 ? "again" : "another");
        harness_gradient(run);
        loss[i] = run->last_loss;
        harness_close(run);
    }
    assert_true(loss[0] == loss[1]);
    assert_true(loss[0] != loss[2]);
}

/* Of a group one member has each batch, as often as the shares say. */
static void one_of_a_group(void **state)
{
    (void)state;
    struct run *run = harness_open("{'data': {'limit': 800}, 'model': {'type': 'mlp', 'hidden': [8]}, 'train': {'epochs': 2, 'batch': 4}, "
                                   "'plugins': [{'name': 'mixup', 'as': 'often', 'share': 3}, {'name': 'mixup', 'as': 'seldom'}, 'ema']}");
    harness_train(run);
    int64_t often = run->tricks[0].calls[SLOT_PRE_STEP], seldom = run->tricks[1].calls[SLOT_PRE_STEP];
    assert_int_equal(often + seldom, 400);
    assert_in_range(often, 270, 330); /* 300, with a deviation of 8.7 */
    assert_int_equal(run->tricks[2].calls[SLOT_POST_STEP], 400);
    harness_close(run);
}

/* ---- What tricks report, and what they turn ---- */

static void metrics_of_tricks(void **state)
{
    (void)state;
    assert_int_equal(harness_status("{" SMALL ", 'plugins': [{'name': 'probe', 'at': 'pre_step', 'do': 'metric'}]}"), KNACK_OK);
    assert_true(harness_has("out/metrics.jsonl", "\"probe\": {\"answer\": 42}"));
    assert_int_equal(harness_status("{" SMALL ", 'plugins': [{'name': 'probe', 'at': 'pre_step', 'do': 'set_lr'}]}"), KNACK_OK);
    assert_true(harness_has("out/metrics.jsonl", "\"lr\": 0.0125"));
}

static void warnings_are_shown_once(void **state)
{
    (void)state;
    assert_int_equal(harness_status("{" SMALL ", 'plugins': [{'name': 'probe', 'at': 'pre_step', 'do': 'warn'}]}"), KNACK_OK);
    assert_true(harness_warned("probe: a warning"));
    assert_false(harness_warned("probe: a warning\nprobe: a warning"));
}

static void an_empty_config_is_one(void **state)
{
    (void)state;
    struct run *run = harness_open("{}");
    assert_string_equal(run->model->type->name, "mlp");
    assert_int_equal(run->data->part[PART_TRAIN].count + run->data->part[PART_TEST].count, 1797);
    harness_close(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_calls),
        cmocka_unit_test(weight_sets_of_other_tricks),
        cmocka_unit_test(a_refused_gradient_can_be_used),
        cmocka_unit_test(primary_weights_may_be_chosen),
        cmocka_unit_test(the_best_epoch_may_be_primary),
        cmocka_unit_test(the_order_is_told),
        cmocka_unit_test(masks_of_extra_passes),
        cmocka_unit_test(masks_of_extra_forwards),
        cmocka_unit_test(offsets_in_two_forwards),
        cmocka_unit_test(running_statistics_move_once_a_step),
        cmocka_unit_test(swept_statistics_are_pooled),
        cmocka_unit_test(mixed_targets),
        cmocka_unit_test(dense_targets),
        cmocka_unit_test(ignored_and_weightless_items),
        cmocka_unit_test(mixed_numbers),
        cmocka_unit_test(idle_tricks_are_warned_of),
        cmocka_unit_test(at_its_identity_a_trick_is_not_there),
        cmocka_unit_test(draws_move_nobody_else),
        cmocka_unit_test(draws_belong_to_a_name),
        cmocka_unit_test(one_of_a_group),
        cmocka_unit_test(metrics_of_tricks),
        cmocka_unit_test(warnings_are_shown_once),
        cmocka_unit_test(an_empty_config_is_one),
    };
    return cmocka_run_group_tests(tests, make_data, harness_tear_down);
}
