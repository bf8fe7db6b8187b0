/* All ordered pairs of the plugins that come with knack: a pair is refused, for a reason that docs/composition.md has too, or it trains,
 * ends with the same bits when it is interrupted and resumed, and has the same gradient however the batch is split. Run with the name of
 * the plugin that is listed first: a pair with each of the others. */
#include <stdio.h>

#include "../train/harness.h"

/* ---- The plugins: their options where they are listed first, and second ---- */

static const struct plugin {
    const char *name, *options[2];
} plugins[] = {
    {"arcface", {"'centres': 2", "'m': 0.3"}},
    {"awp", {"'gamma': 0.05", "'gamma': 0.05, 'replace': false"}},
    {"checkpoint-average", {"'count': 2, 'mode': 'greedy'", "'count': 3, 'every': 3"}},
    {"cosface", {"'centres': 2", "'m': 0.2"}},
    {"cutmix", {"'prob': 0.9", "'alpha': 0.5"}},
    {"early-stop", {"'patience': 2", "'metric': 'accuracy', 'patience': 3"}},
    {"ema", {"'decay': 0.8, 'buffers': 'reestimate'", "'decay': 0.9, 'buffers': 'average', 'warmup': 'debias'"}},
    {"fgm", {"'layer': 'input', 'epsilon': 0.5", "'parameters': '*.weight', 'epsilon': 0.1, 'redraw': true"}},
    {"focal", {"'gamma': 1.5", "'balanced': true"}},
    {"freelb", {"'layer': 'hidden'", "'norm_type': 'linf', 'steps': 2"}},
    {"grad-clip", {"'max_norm': 0.2", "'max_norm': 0.01, 'mode': 'value'"}},
    {"label-smoothing", {"'eps': 0.1", "'eps': 0.3"}},
    {"mixup", {"'alpha': 1", "'alpha': 1, 'mode': 'row', 'layer': ['input', 'hidden']"}},
    {"pgd", {"'layer': 'hidden', 'epsilon': 0.5, 'steps': 2", "'parameters': 'fc*', 'epsilon': 0.1, 'alpha': 0.05, 'steps': 2"}},
    {"rdrop", {"'alpha': 1", "'alpha': 3"}},
    {"sam", {"'rho': 0.05", "'rho': 0.5, 'adaptive': true, 'interval': 2"}},
    {"snapshot-ensemble", {"'count': 2", "'count': 2, 'every': 3, 'cyclic': true"}},
    {"sphereface", {"'centres': 2", "'m': 2"}},
    {"swa", {"'start': '1ep', 'lr': 0.02, 'anneal_epochs': '1ep'", "'start': 2, 'every': 3"}},
    {"tta", {"'views': ['shift 1 0', 'shift 0 1']", "'views': 'shift 1 0', 'merge': 'gmean'"}},
};
enum { PLUGINS = sizeof plugins / sizeof *plugins };

static const struct plugin *first; /* of the pairs that this process tests */

static const struct plugin *find(const char *name)
{
    for (int i = 0; i < PLUGINS; i++)
        if (!strcmp(plugins[i].name, name)) return &plugins[i];
    return NULL;
}

/* A plugin that is new has to be put into the list above. */
static void each_plugin_is_tested(void **state)
{
    (void)state;
    struct plugin_search search;
    char **name;
    int64_t count;
    assert_int_equal(plugin_search_open(&search), KNACK_OK);
    assert_int_equal(plugin_search_names(&search, &name, &count), KNACK_OK);
    for (int64_t i = 0; i < count; i++)
        if (!find(name[i])) fail_msg("no pair has %s", name[i]);
    assert_int_equal(count, PLUGINS);
    memory_free(name);
    plugin_search_close(&search);
}

/* ---- What may be refused ---- */

static bool among(const struct plugin *plugin, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(plugin->name, *names)) return true;
    return false;
}

/* A model has one head. */
static bool is_head(const struct plugin *plugin)
{
    return among(plugin, (const char *const[]){"arcface", "cosface", "sphereface", NULL});
}

/* The gradient that trains is one. */
static bool makes_gradient(const struct plugin *plugin, const char *options)
{
    return among(plugin, (const char *const[]){"freelb", "sam", NULL}) || (!strcmp(plugin->name, "awp") && !strstr(options, "false"));
}

static bool keeps_epochs(const struct plugin *plugin)
{
    return among(plugin, (const char *const[]){"snapshot-ensemble", "swa", NULL});
}

/* What the refusal of the pair has to say; NULL: it is to train. */
static const char *reason(const struct plugin *second)
{
    if (is_head(first) && is_head(second)) return "both replace the head";
    if (makes_gradient(first, first->options[0]) && makes_gradient(second, second->options[1])) return "both make the gradient that trains";
    if (keeps_epochs(first) && keeps_epochs(second)) return "one wants a rate that stays up";
    return NULL;
}

/* ---- Runs: 64 training rows in batches of 13, the last of an epoch of 12 ---- */

#define INPUT              "{'type': 'flatten'}, {'type': 'linear', 'size': 10, 'name': 'fc1'}, "
#define HIDDEN             "{'type': 'relu', 'name': 'hidden'}, {'type': 'dropout', 'rate': 0.3}, {'type': 'linear', 'size': 10, 'name': 'fc2'}"
#define WITH_BATCH_NORM    "[" INPUT "{'type': 'batch-norm'}, " HIDDEN "]"
#define WITHOUT_BATCH_NORM "[" INPUT HIDDEN "]"

/* cutmix and tta in views that training draws, so images that are shifted. */
static const char *config_of(const struct plugin *second, const char *layers, int micro_batch)
{
    static char config[2048];
    snprintf(config, sizeof config,
             "{'data': {'source': 'digits', 'limit': 64, 'validation': 16, 'augment': [{'name': 'shift', 'pixels': 1}]}, 'seed': 3, "
             "'model': {'type': 'layers', 'layers': %s}, 'train': {'epochs': 3, 'batch': 13, 'micro_batch': %d, 'log_every': 1, "
             "'optimizer': {'type': 'sgd', 'lr': 0.05, 'momentum': 0.9}}, 'plugins': [{'name': '%s', %s}, {'name': '%s', %s}]}",
             layers, micro_batch, first->name, first->options[0], second->name, second->options[1]);
    return config;
}

static bool acted(const knack_trick *trick)
{
    for (int slot = SLOT_RUN_BEGIN; slot < SLOT_COUNT; slot++)
        if (trick->acted[slot] > 0) return true;
    return false;
}

/* The run's files are what comes out of it: all of the state is in the checkpoint. */
static int64_t train(const struct plugin *second, struct harness_files *files)
{
    struct run *run = harness_open("%s", config_of(second, WITH_BATCH_NORM, 0));
    assert_int_equal(run->trick_count, 2);
    harness_train(run);
    for (int i = 0; i < 2; i++)
        if (!acted(&run->tricks[i])) fail_msg("%s, %s: %s never acted", first->name, second->name, run->tricks[i].name);
    int64_t steps = run->at.batch;
    harness_close(run);
    *files = harness_files();
    return steps;
}

static void expect_resumed(const struct plugin *second, int64_t step, const struct harness_files *files)
{
    char what[128];
    harness_interrupt_at(step);
    struct run *run = harness_open("%s", config_of(second, WITH_BATCH_NORM, 0));
    assert_int_equal(run_train(run), KNACK_E_INTERRUPTED);
    harness_close(run);
    harness_interrupt_at(-1);
    run = harness_resume();
    harness_train(run);
    harness_close(run);
    snprintf(what, sizeof what, "%s, %s: resumed at step %d", first->name, second->name, (int)step);
    harness_assert_files(files, what);
}

/* Exact, but for the order of sums and what docs/contract.md excepts:
 * - batch norm sees the rows of a micro-batch: this model has none;
 * - pairs need a micro-batch of at least 2 rows: these have 4;
 * - the nearest of several directions, the largest entry or what is cut off may be another one after rounding: not with these numbers. */
static void expect_same_gradient(const struct plugin *second)
{
    struct run *run = harness_open("%s", config_of(second, WITHOUT_BATCH_NORM, 0));
    int64_t count = run->params->total;
    knack_real *whole = memory_new((size_t)count, sizeof *whole);
    assert_non_null(whole);
    memcpy(whole, harness_gradient(run), (size_t)count * sizeof *whole);
    harness_close(run);
    run = harness_open("%s", config_of(second, WITHOUT_BATCH_NORM, 4));
    double distance = harness_distance(harness_gradient(run), whole, count);
    assert_true(run->step.micro_batches >= 3);
    harness_close(run);
    memory_free(whole);
    if (!(distance <= (IS_DOUBLE ? 1e-12 : 1e-5))) fail_msg("%s, %s: micro-batches are %g off", first->name, second->name, distance);
}

static void expect_refused(const struct plugin *second, const char *why)
{
    harness_expect(harness_status("%s", config_of(second, WITH_BATCH_NORM, 0)), KNACK_E_CONFIG, "at plugins[1]: ", first->name,
                   second->name, why, "leave one out", NULL);
}

static void pairs(void **state)
{
    (void)state;
    for (const struct plugin *second = plugins; second < plugins + PLUGINS; second++) {
        struct harness_files files;
        if (second == first) continue;
        const char *why = reason(second);
        if (why) {
            expect_refused(second, why);
            continue;
        }
        int64_t steps = train(second, &files);
        expect_resumed(second, steps / 2, &files);
        harness_files_free(&files);
        expect_same_gradient(second);
    }
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_plugin_is_tested), cmocka_unit_test(pairs)};
    first = count == 2 ? find(words[1]) : NULL;
    if (!first) {
        fprintf(stderr, "usage: test_pairs PLUGIN\n");
        return 2;
    }
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
