/* Tricks that make something of several weights of a run: swa, snapshot-ensemble, checkpoint-average. Beside each run stands one without
 * the trick, which takes the same steps, ended at the epochs' ends to look at its weights. */
#include <stdio.h>

#include "resumed.h"

#define DATA "'data': {'source': 'digits', 'limit': 80, 'validation': 32}"
#define MLP  "{'type': 'mlp', 'hidden': [12]}"
#define CNN  "{'type': 'cnn', 'channels': [3], 'hidden': [8]}"

static const double near = IS_DOUBLE ? 1e-14 : 1e-6;

static const char *config_of(const char *train, const char *model, const char *plugins)
{
    static char config[2048];
    snprintf(config, sizeof config,
             "{" DATA ", 'train': {'epochs': 4, 'batch': 16, 'log_every': 1, %s"
             "'optimizer': {'type': 'sgd', 'lr': 0.1, 'momentum': 0.9}}, 'model': %s, 'plugins': [%s]}",
             train, model, plugins);
    return config;
}

static struct run *trained(const char *config)
{
    struct run *run = harness_open("%s", config);
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

/* The weights after so many epochs of the run without tricks, memory_free(); statistics as well, unless NULL. */
static knack_real *weights_after(const char *train, const char *model, int64_t epochs, knack_real **statistics)
{
    struct run *run = harness_open("%s", config_of(train, model, ""));
    if (epochs < run->settings.epochs) {
        harness_interrupt_at(epochs * run->steps_per_epoch);
        assert_int_equal(run_train(run), KNACK_E_INTERRUPTED);
        harness_interrupt_at(-1);
    } else {
        harness_train(run);
    }
    knack_real *values = copy_of(run->params->live.values, run->params->total);
    if (statistics) *statistics = copy_of(run->params->live.statistics, run->params->statistics_total);
    harness_close(run);
    return values;
}

/* Asserts that the set holds the mean of the weights after epochs first to last. */
static void assert_mean_of_epochs(struct run *run, const char *set, const char *train, const char *model, int64_t first, int64_t last,
                                  double tolerance)
{
    int64_t total = run->params->total;
    knack_real *held = copy_of(params_find_set(run->params, set)->values, total), *mean = memory_new((size_t)total, sizeof *mean);
    harness_close(run);
    for (int64_t epoch = first; epoch <= last; epoch++) {
        knack_real *w = weights_after(train, model, epoch, NULL);
        for (int64_t i = 0; i < total; i++) mean[i] += w[i] / (knack_real)(last - first + 1);
        memory_free(w);
    }
    assert_close(held, mean, total, tolerance);
    memory_free(held);
    memory_free(mean);
}

static struct knack_weights *set_of(const struct run *run, const char *name)
{
    struct knack_weights *set = params_find_set(run->params, name);
    assert_non_null(set);
    return set;
}

/* ---- swa ---- */

static void swa_is_the_mean_of_the_epochs_after_its_start(void **state)
{
    (void)state;
    struct run *run = trained(config_of("", MLP, "{'name': 'swa', 'start': '1ep'}"));
    assert_true(set_of(run, "swa")->ready);
    assert_string_equal(run->primary, "swa");
    assert_mean_of_epochs(run, "swa", "", MLP, 2, 4, near);
    run = trained(config_of("", MLP, "{'name': 'swa', 'start': '0.1dur', 'every': '2ep'}"));
    assert_int_equal(*(int64_t *)run->tricks[0].state[0].data, 2);
    harness_close(run);
}

/* It is evaluated from the first epoch on whose end it holds, and not before. */
static void swa_is_evaluated_once_there_is_a_mean(void **state)
{
    (void)state;
    double unused[8];
    struct run *run = trained(config_of("", MLP, "{'name': 'swa', 'start': '2ep'}"));
    harness_close(run);
    assert_int_equal(logged("raw", "validation", "loss", unused, 0), 4 + 1); /* and at the end */
    assert_int_equal(logged("swa", "validation", "loss", unused, 0), 2 + 1);
    assert_true(file_exists(harness_path("out/model.raw.safetensors")));

    run = trained(config_of("", MLP, "{'name': 'swa', 'start': '9ep'}"));
    assert_false(set_of(run, "swa")->ready);
    assert_string_equal(run->primary, "raw");
    harness_close(run);
    assert_true(harness_warned("swa: training ended before any weights were averaged"));
    assert_int_equal(logged("swa", "validation", "loss", unused, 0), 0);
}

static void swa_at_its_identity_is_not_there(void **state)
{
    (void)state;
    struct run *run = harness_open("%s", config_of("", MLP, "{'name': 'swa', 'start': '1dur', 'lr': 0.05}"));
    assert_int_equal(run->trick_count, 0);
    harness_close(run);
}

enum { EPOCH = 5, STEPS = 4 * EPOCH }; /* updates */

/* The rates that were logged. */
static void rates_of(const char *train, const char *plugins, double rate[STEPS])
{
    harness_close(trained(config_of(train, MLP, plugins)));
    assert_int_equal(logged(NULL, NULL, "lr", rate, STEPS), STEPS);
}

/* From the schedule's rate at the start to the trick's own, by a cosine or a line, and then at that. */
static void swa_anneals_the_rate(void **state)
{
    (void)state;
    const char *train = "'schedule': {'type': 'linear', 'final': 0.2}, ", *const anneal[] = {"cos", "linear"};
    double plain[STEPS], rate[STEPS];
    rates_of(train, "", plain);
    for (int a = 0; a < 2; a++) {
        char plugins[128];
        snprintf(plugins, sizeof plugins, "{'name': 'swa', 'start': '1ep', 'lr': 0.05, 'anneal': '%s', 'anneal_epochs': '2ep'}", anneal[a]);
        rates_of(train, plugins, rate);
        for (int update = 0; update < STEPS; update++) {
            double t = update <= EPOCH ? 0 : update < 3 * EPOCH ? (double)(update - EPOCH) / (2 * EPOCH) : 1;
            double share = a ? t : (1 - cos(M_PI * t)) / 2;
            double expected = update <= EPOCH ? plain[update] : share * 0.05 + (1 - share) * plain[EPOCH];
            assert_true(fabs(rate[update] - expected) < 1e-12);
        }
    }
    /* At once from the first update on; and without a rate of its own the schedule's. */
    rates_of(train, "{'name': 'swa', 'start': 0, 'lr': 0.05, 'anneal_epochs': 0}", rate);
    assert_true(rate[0] == plain[0] && rate[1] == 0.05 && rate[STEPS - 1] == 0.05);
    rates_of(train, "{'name': 'swa', 'start': '1ep'}", rate);
    assert_memory_equal(rate, plain, sizeof rate);
}

/* ---- Running statistics ---- */

/* A batch norm of the inputs themselves, whose statistics are the data's, whatever the weights; 300 rows are three batches of a sweep, the
 * last one short. The epochs' weights hardly differ, so that a greedy average takes them all. */
static const char *const normed =
    "{'data': {'source': 'digits', 'limit': 300, 'validation': 32}, 'train': {'epochs': 3, 'batch': 64, 'optimizer': {'lr': 1e-6}}, "
    "'model': {'type': 'layers', "
    "'layers': [{'type': 'flatten'}, {'type': 'batch-norm'}, {'type': 'linear', 'size': 8}, {'type': 'relu'}]}, 'plugins': [%s]}";

/* Asserts that the set's statistics are mean and unbiased variance of the whole training data. */
static void assert_pooled(struct run *run, const char *set)
{
    int64_t rows = run->data->part[PART_TRAIN].count, width = run->data->width, *example = memory_new((size_t)rows, sizeof *example);
    for (int64_t i = 0; i < rows; i++) example[i] = i;
    assert_int_equal(step_load(&run->eval_step, PART_TRAIN, example, rows), KNACK_OK);
    const knack_real *x = run->eval_step.input, *statistics = set_of(run, set)->statistics;
    const struct statistic *mean = params_find_statistic(run->params, "bn1.mean");
    const struct statistic *variance = params_find_statistic(run->params, "bn1.variance");
    assert_true(mean && variance && mean->count == width);
    for (int64_t c = 0; c < width; c++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < rows; i++) sum += (double)x[i * width + c];
        for (int64_t i = 0; i < rows; i++) squares += pow((double)x[i * width + c] - sum / (double)rows, 2);
        assert_true(fabs((double)statistics[mean->offset + c] - sum / (double)rows) < 10 * near);
        assert_true(fabs((double)statistics[variance->offset + c] - squares / (double)(rows - 1)) < 10 * near);
    }
    memory_free(example);
}

static void statistics_of_a_mean_are_pooled_over_all_data(void **state)
{
    (void)state;
    const char *const plugins[] = {"{'name': 'swa', 'start': '1ep'}", "{'name': 'checkpoint-average', 'as': 'swa', 'count': 2}",
                                   "{'name': 'checkpoint-average', 'as': 'swa', 'count': 3, 'mode': 'greedy'}"};
    for (int i = 0; i < 3; i++) {
        struct run *run = harness_open(normed, plugins[i]);
        harness_train(run);
        assert_pooled(run, "swa");
        harness_close(run);
    }
}

/* One pass for each mean that is evaluated, however many evaluations there are; none without running statistics. */
static void swa_sweeps_once_a_mean(void **state)
{
    (void)state;
    enum { BATCHES = 3 };
    struct run *run = harness_open(normed, "{'name': 'swa', 'start': '1ep'}");
    harness_train(run);
    assert_int_equal(run->tricks[0].swept, 2 * BATCHES); /* after epochs 2 and 3, not at the end again */
    harness_close(run);
    run = trained(config_of("", MLP, "{'name': 'swa', 'start': '1ep'}"));
    assert_int_equal(run->tricks[0].swept, 0);
    harness_close(run);
}

/* ---- snapshot-ensemble ---- */

static void snapshots_are_the_latest_epochs(void **state)
{
    (void)state;
    const char *const names[] = {"snapshot-ensemble.1", "snapshot-ensemble.2", "snapshot-ensemble.3"};
    const int64_t epochs[] = {4, 2, 3};
    struct run *run = trained(config_of("", CNN, "{'name': 'snapshot-ensemble', 'count': 3}"));
    size_t values = (size_t)run->params->total * sizeof(knack_real), running = (size_t)run->params->statistics_total * sizeof(knack_real);
    knack_real *held[3], *statistics[3], *expected;
    assert_true(running > 0);
    for (int i = 0; i < 3; i++) {
        held[i] = copy_of(set_of(run, names[i])->values, run->params->total);
        statistics[i] = copy_of(set_of(run, names[i])->statistics, run->params->statistics_total);
    }
    harness_close(run);
    for (int i = 0; i < 3; i++) {
        knack_real *w = weights_after("", CNN, epochs[i], &expected);
        assert_memory_equal(held[i], w, values);
        assert_memory_equal(statistics[i], expected, running);
        memory_free(w);
        memory_free(expected);
        memory_free(held[i]);
        memory_free(statistics[i]);
    }
}

enum { ASKED = 20 }; /* rows that are predicted */

static void predict_under(struct run *run, struct knack_weights *weights, const knack_real *inputs, knack_real *out)
{
    run->in_use = weights;
    if (predict_rows(run, inputs, ASKED, out) < 0) fail_msg("%s", knack_error());
    run->in_use = &run->params->live;
}

static void check_ensemble(const char *plugins, int64_t members)
{
    int64_t example[ASKED];
    char name[64];
    struct run *run = trained(config_of("", CNN, plugins));
    int64_t count = ASKED * run->data->outputs;
    for (int64_t i = 0; i < ASKED; i++) example[i] = i;
    assert_int_equal(step_load(&run->eval_step, PART_VALIDATION, example, ASKED), KNACK_OK);
    knack_real *inputs = copy_of(run->eval_step.input, ASKED * run->data->width);
    knack_real *together = copy_of(inputs, count), *one = copy_of(inputs, count), *mean = memory_new((size_t)count, sizeof *mean);
    predict_under(run, &run->params->live, inputs, together);
    for (int64_t m = 1; m <= members; m++) {
        snprintf(name, sizeof name, "snapshot-ensemble.%lld", (long long)m);
        predict_under(run, set_of(run, name), inputs, one); /* a set predicts for itself */
        for (int64_t i = 0; i < count; i++) mean[i] += one[i] / (knack_real)members;
    }
    assert_close(together, mean, count, near);
    assert_true(members == 1 || memcmp(together, one, (size_t)count * sizeof *one) != 0);
    harness_close(run);
    memory_free(inputs);
    memory_free(together);
    memory_free(one);
    memory_free(mean);
}

static void an_ensemble_predicts_the_mean_of_its_members(void **state)
{
    (void)state;
    check_ensemble("{'name': 'snapshot-ensemble', 'count': 3}", 3);
    check_ensemble("{'name': 'snapshot-ensemble', 'count': 32}", 4); /* as many as there are */
    check_ensemble("{'name': 'snapshot-ensemble', 'count': 1}", 1);
    check_ensemble("{'name': 'snapshot-ensemble', 'count': 3, 'every': '2ep', 'cyclic': true}", 2);
}

static void an_ensemble_is_reported_beside_the_plain_weights(void **state)
{
    (void)state;
    double raw, plain;
    harness_close(trained(config_of("", MLP, "{'name': 'snapshot-ensemble'}")));
    assert_int_equal(logged("raw", "test", "loss", &raw, 1), 1);
    assert_int_equal(logged("plain", "test", "loss", &plain, 1), 1);
    assert_true(raw != plain);
    harness_close(trained(config_of("", MLP, "{'name': 'snapshot-ensemble', 'every': '5ep'}")));
    assert_true(harness_warned("snapshot-ensemble: training ended before there was a snapshot"));
    assert_int_equal(logged("raw", "test", "loss", &raw, 1), 1);
    assert_int_equal(logged("plain", "test", "loss", &plain, 1), 1);
    assert_true(raw == plain);
}

/* What is in the run's folder predicts as the run did: the members are in the checkpoint. */
static void an_ensemble_is_found_again(void **state)
{
    (void)state;
    double loss, again;
    char *checkpoint;
    struct run *run;
    const struct metric_value *value;
    int64_t count;
    const struct run_request request = {.config = NULL};
    harness_close(trained(config_of("", CNN, "{'name': 'snapshot-ensemble', 'count': 3}")));
    assert_int_equal(logged("raw", "test", "loss", &loss, 1), 1);
    for (int there = 1; there >= 0; there--) {
        while (!there && checkpoint_newest(harness_path("out"), &checkpoint) >= 0 && checkpoint) {
            file_remove(checkpoint);
            memory_free(checkpoint);
        }
        assert_int_equal(run_reopen(harness_path("out"), &request, &run), KNACK_OK);
        assert_int_equal(run_load_parts(run), KNACK_OK);
        knack_status status = run_evaluate(run, "test", "raw", &value, &count);
        if (there) {
            assert_int_equal(status, KNACK_OK);
            assert_int_equal(metrics_find(run->metrics, "loss", &again), KNACK_OK);
            assert_true(loss == again);
        } else {
            harness_expect(status, KNACK_E_PLUGIN, "snapshot-ensemble, predict", "snapshots that predict as \"raw\" are not here",
                           "--weights NAME", NULL);
        }
        harness_close(run);
    }
    /* Other weights do without them. */
    assert_int_equal(run_reopen(harness_path("out"), &request, &run), KNACK_OK);
    assert_int_equal(run_load_parts(run), KNACK_OK);
    assert_int_equal(run_evaluate(run, "test", "best", &value, &count), KNACK_OK);
    harness_close(run);
}

static void cycles_restart_the_schedules_rate(void **state)
{
    (void)state;
    double plain[STEPS], rate[STEPS];
    rates_of("'schedule': {'type': 'linear'}, ", "", plain);
    rates_of("'schedule': {'type': 'linear'}, ", "{'name': 'snapshot-ensemble', 'every': '2ep', 'cyclic': true}", rate);
    for (int update = 0; update < STEPS; update++) {
        double share = (1 + cos(M_PI * (update % (2 * EPOCH)) / (2 * EPOCH))) / 2;
        assert_true(fabs(rate[update] - plain[update] * share) < 1e-12);
    }
}

/* ---- ema, in a run of 20 updates; its averages are in test_rules.c ---- */

/* (1 + 20) / (10 + 20) = 0.7, and 1 - 20^(-2/3) = 0.864. */
static void a_warm_up_may_not_get_to_the_decay(void **state)
{
    (void)state;
    assert_int_equal(harness_status("%s", config_of("", MLP, "{'name': 'ema', 'decay': 0.9}")), KNACK_OK);
    assert_true(harness_warned("ema: the run averages 20 times, in which the warm-up gets to a decay of 0.7, short of 0.9"));
    assert_true(harness_warned("\"warmup\": \"none\""));
    const char *const told[] = {"'decay': 0.71, 'start': 1", "'decay': 0.9, 'warmup': 'power'"};
    const char *const quiet[] = {"'decay': 0.7", "'decay': 0.9, 'warmup': 'none'", "'decay': 0.9, 'warmup': 'debias'",
                                 "'decay': 0.85, 'warmup': 'power'"};
    char plugins[96];
    for (int i = 0; i < 6; i++) {
        snprintf(plugins, sizeof plugins, "{'name': 'ema', %s}", i < 2 ? told[i] : quiet[i - 2]);
        assert_int_equal(harness_status("%s", config_of("", MLP, plugins)), KNACK_OK);
        assert_int_equal(harness_warned("which so has no effect"), i < 2);
    }
}

/* ---- checkpoint-average ---- */

static void a_uniform_average_is_the_mean_of_the_latest_epochs(void **state)
{
    (void)state;
    double unused;
    struct run *run = trained(config_of("", MLP, "{'name': 'checkpoint-average', 'count': 3}"));
    assert_string_equal(run->primary, "checkpoint-average");
    assert_int_equal(logged("checkpoint-average", "validation", "loss", &unused, 0), 1); /* once training is over */
    assert_mean_of_epochs(run, "checkpoint-average", "", MLP, 2, 4, near);
    run = trained(config_of("", MLP, "{'name': 'checkpoint-average', 'as': 'all', 'count': 32}"));
    assert_mean_of_epochs(run, "all", "", MLP, 1, 4, near);
    run = trained(config_of("", MLP, "{'name': 'checkpoint-average', 'count': 1}"));
    assert_mean_of_epochs(run, "checkpoint-average", "", MLP, 4, 4, 0);
}

/* Two of them keep their weights apart. */
static void two_averages(void **state)
{
    (void)state;
    struct run *run =
        trained(config_of("", MLP, "{'name': 'checkpoint-average', 'count': 2}, {'name': 'checkpoint-average', 'as': 'all'}"));
    assert_int_equal(run->params->set_count, 2 + 1 + 5 + 1 + 1); /* the last is the host's best */
    assert_mean_of_epochs(run, "checkpoint-average", "", MLP, 3, 4, near);
    run = trained(config_of("", MLP, "{'name': 'checkpoint-average', 'count': 2}, {'name': 'checkpoint-average', 'as': 'all'}"));
    assert_mean_of_epochs(run, "all", "", MLP, 1, 4, near);
}

static double accuracy_of(struct run *run, struct knack_weights *set)
{
    double accuracy;
    assert_int_equal(evaluate_part(run, PART_VALIDATION, set, true, run->metrics), KNACK_OK);
    assert_int_equal(metrics_find(run->metrics, "accuracy", &accuracy), KNACK_OK);
    return accuracy;
}

/* The mean of the sets [count], into the average itself. */
static void mean_into(struct knack_weights *average, struct knack_weights *const *set, int64_t count)
{
    for (int64_t i = 0; i < average->params->total; i++) {
        double sum = 0;
        for (int64_t k = 0; k < count; k++) sum += (double)set[k]->values[i];
        average->values[i] = (knack_real)(sum / (double)count);
    }
}

/* Makes the soup by the definition; returns how many are in it. set: [count], the latest first. */
static int64_t make_soup(struct run *run, struct knack_weights *average, struct knack_weights **set, int64_t count, bool strict)
{
    struct knack_weights *chosen[8];
    int64_t kept = 0;
    double best = -1;
    for (int64_t tried = 0; tried < count; tried++) {
        int64_t next = -1; /* the best that was not tried; of equals the later */
        double accuracy = -1;
        for (int64_t k = 0; k < count; k++) {
            if (!set[k] || accuracy_of(run, set[k]) <= accuracy) continue;
            next = k;
            accuracy = accuracy_of(run, set[k]);
        }
        chosen[kept] = set[next];
        set[next] = NULL;
        mean_into(average, chosen, kept + 1);
        accuracy = accuracy_of(run, average);
        if (strict ? accuracy <= best : accuracy < best) continue;
        best = accuracy;
        kept++;
    }
    mean_into(average, chosen, kept);
    return kept;
}

/* Returns how many of the four snapshots are in the average, which has to be what make_soup() gives. */
static int64_t check_greedy(int seed, bool strict)
{
    char plugins[128], name[64];
    struct knack_weights *set[4];
    snprintf(plugins, sizeof plugins, "{'name': 'checkpoint-average', 'count': 4, 'mode': 'greedy', 'strict': %s}",
             strict ? "true" : "false");
    struct run *run = harness_open("{" DATA ", 'seed': %d, 'train': {'epochs': 6, 'batch': 16, 'optimizer': {'type': 'sgd', 'lr': 0.3, "
                                   "'momentum': 0.9}}, 'model': " MLP ", 'plugins': [%s]}",
                                   seed, plugins);
    harness_train(run);
    struct knack_weights *average = set_of(run, "checkpoint-average");
    knack_real *made = copy_of(average->values, run->params->total);
    for (int k = 0; k < 4; k++) { /* of six the latest is the second place */
        snprintf(name, sizeof name, "checkpoint-average.%d", (5 - k) % 4 + 1);
        set[k] = set_of(run, name);
    }
    int64_t kept = make_soup(run, average, set, 4, strict);
    assert_close(made, average->values, run->params->total, near);
    memory_free(made);
    harness_close(run);
    return kept;
}

static void a_greedy_average_takes_what_helps(void **state)
{
    (void)state;
    int64_t kept[2] = {0};
    for (int seed = 1; seed <= 5; seed++)
        for (int strict = 0; strict < 2; strict++) kept[strict] += check_greedy(seed, strict);
    assert_true(kept[1] >= 5 && kept[1] < kept[0] && kept[0] < 20); /* some are left out, more of them if strict */
}

static void what_is_refused(void **state)
{
    (void)state;
    const char *config = "{'data': {'source': 'digits', 'limit': 32}, 'train': {'epochs': 1}, 'model': " MLP ", 'plugins': [%s]}";
    harness_expect(harness_status(config, "{'name': 'checkpoint-average', 'mode': 'greedy'}"), KNACK_E_PLUGIN,
                   "checkpoint-average, run_begin", "chooses by the validation part, and the data have none", "data.validation", NULL);
    assert_int_equal(harness_status(config, "{'name': 'checkpoint-average'}"), KNACK_OK);
    harness_expect(harness_status(config, "'swa', 'snapshot-ensemble'"), KNACK_E_CONFIG, "swa", "snapshot-ensemble", NULL);
    const char *const every[] = {"swa", "snapshot-ensemble", "checkpoint-average"};
    for (int i = 0; i < 3; i++) {
        char plugins[64];
        snprintf(plugins, sizeof plugins, "{'name': '%s', 'every': 0}", every[i]);
        harness_expect(harness_status(config, plugins), KNACK_E_PLUGIN, every[i], "\"every\" is less than one update", NULL);
    }
}

static void regressions(void **state)
{
    (void)state;
    double x[24 * 2], y[24];
    for (int i = 0; i < 24; i++) {
        x[2 * i] = sin(i);
        x[2 * i + 1] = cos(3 * i);
        y[i] = x[2 * i] - x[2 * i + 1];
    }
    harness_put_npy("x", 24, 2, x);
    harness_put_npy("y", 24, 1, y);
    const char *config = "{'data': {'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}, 'task': 'regression', 'validation': 8}, 'train': "
                         "{'epochs': 3, 'batch': 4}, 'model': " MLP ", 'plugins': [%s]}";
    assert_int_equal(harness_status(config, "'swa', 'checkpoint-average'"), KNACK_OK);
    assert_int_equal(harness_status(config, "'snapshot-ensemble'"), KNACK_OK);
    harness_expect(harness_status(config, "{'name': 'checkpoint-average', 'mode': 'greedy'}"), KNACK_E_PLUGIN, "counts right classes",
                   "use \"uniform\"", NULL);
}

/* ---- All of them ---- */

static const char *const all[][2] = {
    {"{'name': 'swa', 'start': '1ep', 'lr': 0.02, 'anneal_epochs': '1ep'}", "model"},
    {"{'name': 'snapshot-ensemble', 'count': 2, 'cyclic': true}", "model"},
    {"{'name': 'checkpoint-average', 'count': 2, 'mode': 'greedy'}", "model.raw"},
    {"{'name': 'checkpoint-average', 'count': 3, 'every': 3}, 'ema'", "model.ema"},
};
enum { ALL = sizeof all / sizeof *all };

static void resumed_at_any_step_they_end_alike(void **state)
{
    (void)state;
    for (int i = 0; i < ALL; i++) check_resumed_at_every_step(config_of("", CNN, all[i][0]), all[i][1]);
}

/* Whole runs, so rounding adds up over the updates. */
static void micro_batches_make_the_same_weights(void **state)
{
    (void)state;
    for (int i = 0; i < ALL; i++) {
        struct run *run = trained(config_of("'micro_batch': 5, ", MLP, all[i][0]));
        struct knack_weights *set = set_of(run, run->primary);
        int64_t total = run->params->total;
        knack_real *split = copy_of(set->values, total);
        harness_close(run);
        run = trained(config_of("", MLP, all[i][0]));
        assert_close(split, set_of(run, run->primary)->values, total, IS_DOUBLE ? 1e-12 : 1e-4);
        harness_close(run);
        memory_free(split);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swa_is_the_mean_of_the_epochs_after_its_start),
        cmocka_unit_test(swa_is_evaluated_once_there_is_a_mean),
        cmocka_unit_test(swa_at_its_identity_is_not_there),
        cmocka_unit_test(swa_anneals_the_rate),
        cmocka_unit_test(statistics_of_a_mean_are_pooled_over_all_data),
        cmocka_unit_test(swa_sweeps_once_a_mean),
        cmocka_unit_test(snapshots_are_the_latest_epochs),
        cmocka_unit_test(an_ensemble_predicts_the_mean_of_its_members),
        cmocka_unit_test(an_ensemble_is_reported_beside_the_plain_weights),
        cmocka_unit_test(an_ensemble_is_found_again),
        cmocka_unit_test(cycles_restart_the_schedules_rate),
        cmocka_unit_test(a_warm_up_may_not_get_to_the_decay),
        cmocka_unit_test(a_uniform_average_is_the_mean_of_the_latest_epochs),
        cmocka_unit_test(two_averages),
        cmocka_unit_test(a_greedy_average_takes_what_helps),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(regressions),
        cmocka_unit_test(resumed_at_any_step_they_end_alike),
        cmocka_unit_test(micro_batches_make_the_same_weights),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
