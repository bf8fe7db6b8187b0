/* What a comparison asks of a run: to write nothing, on data that are lent, and to tell what each example got and what training cost. */
#include <stdio.h>
#include <unistd.h>

#include "harness.h"

/* Of the digits: 80 rows in batches of 20, so 4 updates an epoch. */
#define DATA  "'data': {'source': 'digits', 'limit': 80}"
#define TRAIN "'train': {'epochs': 3, 'batch': 20}"

static struct run *open_text(const char *config)
{
    static char text[4096];
    struct run *run;
    snprintf(text, sizeof text, "%s", config);
    for (char *quote = text; (quote = strchr(quote, '\''));) *quote = '"';
    struct run_request request = {.config = "the text", .text = text, .in_memory = true, .examples = true};
    if (run_open(&request, &run) < 0) fail_msg("%s", knack_error());
    return run;
}

static struct run_cost cost_of(const char *config)
{
    struct run *run = open_text(config);
    harness_train(run);
    struct run_cost cost = run_cost(run);
    run_close(run);
    return cost;
}

/* ---- Cost ---- */

static void check_cost(const char *config, double gradient_rows, double forward_rows, double inference)
{
    struct run_cost cost = cost_of(config);
    if (cost.gradient_rows != gradient_rows || cost.forward_rows != forward_rows || cost.inference != inference)
        fail_msg("%g rows with gradient, %g forward only, %g to predict, not %g, %g, %g: %s", cost.gradient_rows, cost.forward_rows,
                 cost.inference, gradient_rows, forward_rows, inference, config);
}

static void costs_are_counted_in_rows(void **state)
{
    (void)state;
    check_cost("{" DATA ", " TRAIN "}", 240, 0, 1);
    check_cost("{" DATA ", 'train': {'epochs': 3, 'batch': 20, 'micro_batch': 7}}", 240, 0, 1);
    check_cost("{" DATA ", 'train': {'epochs': 3, 'batch': 30}}", 240, 0, 1); /* the last batch of an epoch has 20 */
    check_cost("{" DATA ", 'train': {'epochs': 3, 'batch': 10}}", 240, 0, 1);
    check_cost("{" DATA ", " TRAIN ", 'plugins': ['mixup']}", 240, 0, 1);
    check_cost("{" DATA ", " TRAIN ", 'plugins': ['sam']}", 480, 0, 1);
    check_cost("{" DATA ", " TRAIN ", 'plugins': [{'name': 'awp', 'start_epoch': 0}]}", 480, 0, 1);
    check_cost("{" DATA ", " TRAIN ", 'plugins': ['sam', {'name': 'awp', 'start_epoch': 0, 'replace': false}]}", 960, 0, 1);
    check_cost("{" DATA ", " TRAIN ", 'plugins': [{'name': 'fgm', 'layer': 'input'}]}", 480, 0, 1);
    check_cost("{" DATA ", " TRAIN ", 'plugins': [{'name': 'pgd', 'layer': 'input', 'steps': 3}]}", 960, 0, 1);
    check_cost("{" DATA ", " TRAIN ", 'plugins': [{'name': 'freelb', 'layer': 'input', 'steps': 3}]}", 720, 0, 1);
    check_cost("{" DATA ", " TRAIN ", 'model': {'type': 'mlp', 'dropout': 0.1}, 'plugins': ['rdrop']}", 480, 0, 1);
}

static void views_and_members_are_counted_where_they_predict(void **state)
{
    (void)state;
    check_cost("{" DATA ", " TRAIN ", 'plugins': [{'name': 'tta', 'views': ['shift 1 0']}]}", 240, 0, 2);
    check_cost("{" DATA ", 'train': {'epochs': 4, 'batch': 20}, 'plugins': [{'name': 'snapshot-ensemble', 'count': 2}]}", 320, 0, 2);
}

static void sweeps_are_forwards_of_training(void **state)
{
    (void)state;
    struct run_cost cost = cost_of("{" DATA ", " TRAIN ", 'model': {'type': 'resnet'}, 'plugins': [{'name': 'swa', 'start': '1ep'}]}");
    assert_true(cost.gradient_rows == 240);
    assert_true(cost.forward_rows > 0 && cost.forward_rows == 80 * floor(cost.forward_rows / 80)); /* of the training part */
    assert_true(cost.inference == 1);
}

/* ---- Nothing is written, and data are lent ---- */

static void a_run_in_memory_is_the_same_run(void **state)
{
    (void)state;
    struct run *written = harness_open("{" DATA ", " TRAIN ", 'plugins': ['ema']}");
    harness_train(written);
    struct run *run = open_text("{" DATA ", " TRAIN ", 'plugins': ['ema']}");
    harness_train(run);
    assert_null(run_folder(run));
    int64_t count, other;
    const struct evaluation *a = run_evaluations(written, &count), *b = run_evaluations(run, &other);
    assert_int_equal(count, other);
    for (int64_t i = 0; i < count; i++) {
        assert_string_equal(a[i].weights, b[i].weights);
        assert_string_equal(a[i].part, b[i].part);
        for (int64_t k = 0; k < a[i].count; k++) assert_memory_equal(&a[i].value[k].value, &b[i].value[k].value, sizeof(double));
    }
    assert_string_equal(run_primary(run), "ema");
    assert_null(run_idle_trick(run));
    assert_int_equal(run_updates(run), 12);
    assert_true(run_epochs(run) == 3);
    run_close(run);
    harness_close(written);
}

static void errors_of_a_text_have_its_name(void **state)
{
    (void)state;
    struct run *run;
    struct run_request request = {.config = "arm mixup", .text = "{\"train\": {\"epoch\": 3}}", .in_memory = true};
    harness_expect(run_open(&request, &run), KNACK_E_CONFIG, "arm mixup: at train.epoch: ", "nearest is", NULL);
    request.text = "{\"train\": ";
    harness_expect(run_open(&request, &run), KNACK_E_CONFIG, "arm mixup:1:", NULL);
    request.text = "{}";
    request.folder = "/nowhere/at/all";
    harness_expect(run_open(&request, &run), KNACK_E_CONFIG, "arm mixup: folder \"/nowhere/at/all\"", NULL);
}

static bool at_once(void *user)
{
    (void)user;
    return true;
}

static void an_interrupted_run_in_memory_just_ends(void **state)
{
    (void)state;
    struct run *run;
    struct run_request request = {.config = "t", .text = "{}", .in_memory = true, .observer = {.interrupted = at_once}};
    assert_int_equal(run_open(&request, &run), KNACK_OK);
    assert_int_equal(run_train(run), KNACK_E_INTERRUPTED);
    assert_string_equal(knack_error(), "interrupted at step 0 of 230");
    run_close(run);
}

/* ---- Examples ---- */

static void check_mean(const struct run *run, enum data_part part, const char *metric, double mean)
{
    int64_t count;
    const struct evaluation *e = run_evaluations(run, &count);
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(e[i].part, data_part_name[part]) != 0 || strcmp(e[i].weights, run_primary(run)) != 0) continue;
        for (int64_t k = 0; k < e[i].count; k++)
            if (!strcmp(e[i].value[k].name, metric)) {
                if (!(fabs(e[i].value[k].value - mean) <= 1e-6 * fabs(mean))) fail_msg("%s: %g, not %g", metric, mean, e[i].value[k].value);
                return;
            }
    }
    fail_msg("no %s", metric);
}

static void check_part(const struct run *run, enum data_part part, int64_t count, bool classes)
{
    struct run_examples examples = run_examples(run, part);
    double loss = 0, right = 0;
    assert_int_equal(examples.count, count);
    for (int64_t i = 0; i < count; i++) loss += (double)examples.loss[i] / (double)count;
    check_mean(run, part, "loss", loss);
    assert_int_equal(examples.correct != NULL, classes);
    for (int64_t i = 0; classes && i < count; i++) right += examples.correct[i];
    if (classes) check_mean(run, part, "accuracy", right / (double)count);
}

static void examples_add_up_to_the_metrics(void **state)
{
    (void)state;
    struct run *run = open_text("{'data': {'source': 'digits', 'limit': 80, 'validation': 30}, " TRAIN ", 'plugins': ['ema']}");
    harness_train(run);
    check_part(run, PART_VALIDATION, 30, true);
    check_part(run, PART_TEST, 360, true);
    assert_int_equal(run_examples(run, PART_TRAIN).count, 0);
    run_close(run);
}

static void examples_of_a_regression_have_losses_only(void **state)
{
    (void)state;
    double inputs[60 * 3], targets[60 * 2];
    for (int i = 0; i < 180; i++) inputs[i] = sin(i * 1.7);
    for (int i = 0; i < 60; i++) {
        targets[2 * i] = inputs[3 * i] - inputs[3 * i + 1];
        targets[2 * i + 1] = inputs[3 * i + 2];
    }
    harness_put_npy("in", 60, 3, inputs);
    harness_put_npy("out_of", 60, 2, targets);
    const char *const losses[] = {"squared", "absolute"};
    for (int l = 0; l < 2; l++) {
        char config[512], folder[256];
        snprintf(folder, sizeof folder, "%s", harness_path("."));
        snprintf(config, sizeof config,
                 "{'folder': '%s', 'data': {'npy': {'inputs': 'in.npy', 'targets': 'out_of.npy'}, 'task': 'regression', 'validation': 20}, "
                 "'train': {'epochs': 2, 'batch': 20, 'loss': '%s'}}",
                 folder, losses[l]);
        struct run *run = open_text(config);
        harness_train(run);
        check_part(run, PART_VALIDATION, 20, false);
        run_close(run);
    }
}

static void nothing_is_kept_unless_it_is_asked_for(void **state)
{
    (void)state;
    struct run *run = harness_open("{" DATA ", " TRAIN "}");
    harness_train(run);
    assert_int_equal(run_examples(run, PART_TEST).count, 0);
    assert_null(run_examples(run, PART_TEST).loss);
    harness_close(run);
}

/* ---- Numbers over time ---- */

struct points {
    int64_t train, validation;
    double latest, epoch;
};

static void count_point(void *user, const struct run_point *point)
{
    struct points *points = user;
    bool train = !strcmp(point->part, "train");
    assert_true(point->epoch >= points->epoch);
    points->epoch = point->epoch;
    points->train += train;
    points->validation += !train;
    if (!train) return;
    assert_int_equal(point->count, 1);
    assert_string_equal(point->value->name, "loss");
    points->latest = point->value->value;
}

static void curves_have_a_point_at_each_logged_step(void **state)
{
    (void)state;
    const char *text = "{\"data\": {\"limit\": 80, \"validation\": 20}, \"train\": {\"epochs\": 3, \"batch\": 20, \"log_every\": \"1ep\"}}";
    double latest[2];
    for (int again = 0; again < 2; again++) {
        struct points points = {0};
        struct run *run;
        struct run_request request = {.config = "t", .text = text, .in_memory = true, .observer = {.user = &points, .point = count_point}};
        assert_int_equal(run_open(&request, &run), KNACK_OK);
        harness_train(run);
        run_close(run);
        assert_int_equal(points.train, 4);
        assert_int_equal(points.validation, 3);
        latest[again] = points.latest;
    }
    assert_true(latest[0] == latest[1] && isfinite(latest[0]));
}

/* ---- Measuring ---- */

static void a_measurement_scales_with_its_updates(void **state)
{
    (void)state;
    double seconds[2];
    for (int i = 0; i < 2; i++) {
        struct run *run = open_text("{'data': {'limit': 600}, 'train': {'epochs': 200, 'batch': 50}}");
        int64_t made, updates = i ? 800 : 400;
        assert_int_equal(run_measure(run, updates, &made, &seconds[i]), KNACK_OK);
        assert_int_equal(made, updates);
        run_close(run);
    }
    assert_true(seconds[0] > 0);
    double ratio = seconds[1] / seconds[0];
    if (!(ratio > 1.5 && ratio < 2.7)) fail_msg("twice the updates took %g times as long", ratio);
}

/* ---- Threads ---- */

static int64_t threads_now(void)
{
    char line[256];
    long long count = -1;
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Threads: %lld", &count) == 1) break;
    fclose(file);
    return count;
}

/* What forks must have no threads besides its own. */
static void opening_makes_no_threads(void **state)
{
    (void)state;
    struct dataset *data;
    assert_int_equal(threads_now(), 1);
    assert_int_equal(data_open(NULL, ".", 1, &data), KNACK_OK);
    assert_int_equal(threads_now(), 1);
    struct run *run;
    struct run_request request = {.config = "t",
                                  .text = "{\"model\": {\"type\": \"cnn\"}, \"train\": {\"epochs\": 1}, \"data\": {\"limit\": 64}}",
                                  .in_memory = true};
    assert_int_equal(run_open(&request, &run), KNACK_OK);
    assert_int_equal(threads_now(), 1);
    harness_train(run);
    assert_int_equal(threads_now(), 1);
    run_close(run);
    data_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_makes_no_threads), /* first: no other has made any */
        cmocka_unit_test(costs_are_counted_in_rows),
        cmocka_unit_test(views_and_members_are_counted_where_they_predict),
        cmocka_unit_test(sweeps_are_forwards_of_training),
        cmocka_unit_test(a_run_in_memory_is_the_same_run),
        cmocka_unit_test(errors_of_a_text_have_its_name),
        cmocka_unit_test(an_interrupted_run_in_memory_just_ends),
        cmocka_unit_test(examples_add_up_to_the_metrics),
        cmocka_unit_test(examples_of_a_regression_have_losses_only),
        cmocka_unit_test(nothing_is_kept_unless_it_is_asked_for),
        cmocka_unit_test(curves_have_a_point_at_each_logged_step),
        cmocka_unit_test(a_measurement_scales_with_its_updates),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
