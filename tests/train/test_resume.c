/* A run that is interrupted before any of its steps, and resumed, ends with the bits of one that was left alone. */
#include <stdio.h>

#include "harness.h"

/* What varies; "": the default. */
struct recipe {
    const char *name, *model, *augment, *train, *plugins;
};
/* Six steps: two epochs of three, of which the last has a shorter batch. */

#define MLP "{'type': 'mlp', 'hidden': [8], 'dropout': 0.2}"
#define CNN "{'type': 'cnn', 'channels': [3], 'hidden': [6], 'dropout': 0.2}"

static struct run *open_recipe(const struct recipe *recipe)
{
    const char *log_every = strstr(recipe->train, "log_every") ? "" : ", 'log_every': 2";
    return harness_open("{'data': {'limit': 40, 'validation': 10, 'augment': [%s]}, 'model': %s, "
                        "'train': {'epochs': 2, 'batch': 15%s%s%s}, 'plugins': [%s]}",
                        recipe->augment, recipe->model, log_every, *recipe->train ? ", " : "", recipe->train, recipe->plugins);
}

static void check(const struct recipe *recipe)
{
    struct run *run = open_recipe(recipe);
    harness_train(run);
    int64_t steps = run->at.batch;
    harness_close(run);
    struct harness_files undisturbed = harness_files();
    for (int64_t step = 0; step < steps; step++) {
        harness_interrupt_at(step);
        run = open_recipe(recipe);
        harness_expect(run_train(run), KNACK_E_INTERRUPTED, "a checkpoint is in", NULL);
        assert_int_equal(run->at.batch, step);
        harness_close(run);
        harness_interrupt_at(-1);
        run = harness_resume();
        assert_int_equal(run->at.batch, step);
        harness_train(run);
        harness_close(run);
        char what[128];
        snprintf(what, sizeof what, "%s, interrupted before step %d", recipe->name, (int)step);
        harness_assert_files(&undisturbed, what);
    }
    /* Resumed once it was done, only the end is made again. */
    run = harness_resume();
    harness_train(run);
    harness_close(run);
    harness_assert_files(&undisturbed, recipe->name);
    harness_files_free(&undisturbed);
}

static void check_all(const struct recipe *recipe)
{
    for (; recipe->name; recipe++) check(recipe);
}

static void optimizers(void **state)
{
    (void)state;
    check_all((const struct recipe[]){
        {"sgd", MLP, "", "'optimizer': {'type': 'sgd', 'momentum': 0}", ""},
        {"nesterov", MLP, "", "'optimizer': {'type': 'sgd', 'nesterov': true, 'weight_decay': 0.01}", ""},
        {"adam", MLP, "", "'optimizer': {'type': 'adam', 'weight_decay': 0.01}", ""},
        {"adamw", CNN, "", "'optimizer': {'type': 'adamw', 'groups': [{'parameters': 'head.*', 'lr_scale': 2}]}", ""},
        {NULL}});
}

static void schedules(void **state)
{
    (void)state;
    check_all((const struct recipe[]){{"constant", MLP, "", "'schedule': {'type': 'constant', 'warmup': '2st'}", ""},
                                      {"linear", MLP, "", "'schedule': {'type': 'linear'}", ""},
                                      {"cosine", MLP, "", "'schedule': {'type': 'cosine', 'warmup': 0.3}", ""},
                                      {"step", MLP, "", "'schedule': {'type': 'step', 'milestones': ['2st', '1ep']}", ""},
                                      {"one-cycle", MLP, "", "'schedule': {'type': 'one-cycle'}", ""},
                                      {NULL}});
}

static void ways_to_train(void **state)
{
    (void)state;
    check_all((const struct recipe[]){{"augmented", MLP, "'flip', 'shift', {'name': 'crop', 'padding': 1}", "", ""},
                                      {"micro-batches", MLP, "", "'micro_batch': 4", ""},
                                      {"class weights", MLP, "", "'class_weights': 'balanced'", ""},
                                      {"whole batches", MLP, "", "'drop_last': true", ""},
                                      {"bf16 products", CNN, "", "'compute': 'bf16'", ""},
                                      {"frequent checkpoints", MLP, "", "'checkpoint_every': '1st'", ""},
                                      {"seldom evaluated", CNN, "", "'evaluate_every': 2, 'log_every': 4", ""},
                                      {NULL}});
}

#define FGM               "{'name': 'fgm', 'layer': 'input', 'redraw': true}"
#define PROBE(at, action) "{'name': 'probe', 'at': '" at "', 'do': '" action "'}"

static void plugins(void **state)
{
    (void)state;
    check_all((const struct recipe[]){
        {"ema", CNN, "", "", "'ema'"},
        {"late ema", CNN, "", "", "{'name': 'ema', 'start': 2, 'every': 2, 'warmup': 'debias', 'buffers': 'average'}"},
        {"ema, estimated", CNN, "", "", "{'name': 'ema', 'buffers': 'reestimate', 'warmup': 'power', 'half_life': '2st'}"},
        {"two emas", MLP, "", "", "'ema', {'name': 'ema', 'as': 'ema-9', 'decay': 0.9}"},
        {"mixup", MLP, "", "", "{'name': 'mixup', 'layer': ['input', 'fc1'], 'until': '4st', 'mode': 'row'}"},
        {"taking turns", MLP, "", "", "{'name': 'mixup', 'share': 2}, {'name': 'mixup', 'as': 'hidden', 'layer': 'fc1'}"},
        {"fgm", MLP, "", "", FGM},
        {"fgm on weights", CNN, "", "", "{'name': 'fgm', 'parameters': '*.weight', 'norm': 'row'}"},
        {"arcface", MLP, "", "", "{'name': 'arcface', 'centres': 2}"},
        {"all", CNN, "'shift'", "'micro_batch': 6, 'schedule': {'type': 'cosine'}", "'ema', " FGM ", 'mixup', 'arcface'"},
        {NULL}});
}

/* What the host counts, keeps and turns for tricks goes on too. */
static void what_the_host_keeps(void **state)
{
    (void)state;
    check_all((const struct recipe[]){{"a plan", MLP, "", "", PROBE("run_begin", "set_plan_rows")},
                                      {"metrics", MLP, "", "'log_every': 1", PROBE("pre_step", "metric")},
                                      {"metrics that wait", MLP, "", "'log_every': 5", PROBE("post_step", "metric")},
                                      {"a set that becomes ready", MLP, "", "", PROBE("epoch_end", "weights_ready")},
                                      {"sweeps", MLP, "", "", PROBE("epoch_begin", "sweep")},
                                      {"skipped updates", CNN, "", "", "{'name': 'probe', 'at': 'post_backward', 'do': 'skip', 'from': 3}"},
                                      {"an early end", MLP, "", "", "{'name': 'probe', 'at': 'post_step', 'do': 'stop', 'from': 4}"},
                                      {"another rate", MLP, "", "", "{'name': 'probe', 'at': 'pre_step', 'do': 'set_lr', 'from': 2}"},
                                      {"a second forward", CNN, "", "", "{'name': 'again', 'redraw': true, 'statistics': true}"},
                                      {NULL}});
}

/* A checkpoint belongs to the tricks that it was made with, in their order. */
static void other_tricks_are_refused(void **state)
{
    (void)state;
    assert_int_equal(harness_status("{'data': {'limit': 16}, 'model': {'type': 'mlp'}, 'train': {'epochs': 1}, 'plugins': ["
                                    "{'name': 'ema', 'as': 'one'}, {'name': 'ema', 'as': 'two'}]}"),
                     KNACK_OK);
    size_t size;
    struct run *run;
    struct run_request request = {0};
    char *config = harness_read("out/config.json", &size), *name = strstr(config, "\"one\"");
    assert_non_null(name);
    memcpy(name, "\"six\"", 5);
    assert_int_equal(file_write(harness_path("out/config.json"), config, size), KNACK_OK);
    memory_free(config);
    char *out = memory_text(harness_path("out"));
    harness_expect(run_resume(out, &request, &run), KNACK_E_CONFIG, "was made with the tricks \"one,two\", the config gives \"six,two\"",
                   NULL);
    memory_free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimizers), cmocka_unit_test(schedules),           cmocka_unit_test(ways_to_train),
        cmocka_unit_test(plugins),    cmocka_unit_test(what_the_host_keeps), cmocka_unit_test(other_tricks_are_refused),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
