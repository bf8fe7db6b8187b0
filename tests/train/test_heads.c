/* Runs under the margin heads: beside their formulas, written out with angles and without tensors; split, interrupted, mixed. */
#include "whole.h"

static const double pi = 3.14159265358979323846;

enum { CLASSES = 10, CENTRES = 2, WIDTH = 12, ROWS = 13, INPUTS = 64 };

/* ---- A model that shows its features ---- */

static const knack_param *first;
static knack_real features[ROWS][WIDTH]; /* of the latest forward, by row of the logical batch */

static knack_status shown_declare(knack_model *model, void *user)
{
    (void)user;
    struct knack_param_spec spec = {
        .size = sizeof spec, .name = "first", .ndim = 2, .shape = {WIDTH, INPUTS}, .init = KNACK_INIT_NORMAL, .init_scale = 0.2};
    first = knack_model_param(model, &spec);
    return knack_model_set_width(model, WIDTH);
}

static knack_tensor *shown_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model, (void)user;
    knack_tensor *rows = knack_reshape(x, 2, (const int64_t[]){-1, INPUTS});
    knack_tensor *out = knack_dropout(step, "dropout", 0.2, knack_linear_layer(step, rows, first, NULL, KNACK_TANH));
    const knack_real *value = knack_data(out); /* [rows of the pass, WIDTH] */
    for (int64_t i = 0; value && i < step->pass.rows; i++)
        if (step->pass.row[i] < ROWS) memcpy(features[step->pass.row[i]], value + i * WIDTH, sizeof features[0]);
    return out;
}

static const struct knack_model_type shown = {.size = sizeof shown, .name = "shown", .declare = shown_declare, .features = shown_features};

/* ---- The heads' formulas, of the angle to the target and its cosine ---- */

static double arcface(double theta, double cosine)
{
    return theta <= pi - 0.4 ? cos(theta + 0.4) : cosine - 0.4 * sin(0.4);
}

static double cosface(double theta, double cosine)
{
    (void)theta;
    return cosine - 0.3;
}

static double sphereface(double theta, double cosine)
{
    double k = floor(3 * theta / pi), lambda = 4; /* of the first update: 4 (1 + 0)^-1 */
    return (lambda * cosine + pow(-1, k) * cos(3 * theta) - 2 * k) / (1 + lambda);
}

static const struct head {
    const char *name, *entry;
    double scale; /* 0: the features' length */
    double (*phi)(double theta, double cosine);
} heads[] = {
    {"arcface", "{'name': 'arcface', 's': 12, 'm': 0.4, 'centres': 2}", 12, arcface},
    {"cosface", "{'name': 'cosface', 's': 12, 'm': 0.3, 'centres': 2}", 12, cosface},
    {"sphereface", "{'name': 'sphereface', 'm': 3, 'lambda_base': 4, 'lambda_min': 1, 'lambda_gamma': 0.1, 'centres': 2}", 0, sphereface},
};
enum { HEADS = sizeof heads / sizeof *heads };

/* Logits [CLASSES] of features e [WIDTH]; target -1: no margin. */
static void logits_of(const struct run *run, const struct head *head, const knack_real *e, int target, double logit[CLASSES])
{
    char name[64];
    snprintf(name, sizeof name, "%s.centres", head->name);
    const knack_real *w = run->params->live.values + params_find(run->params, name)->public.offset; /* [CLASSES, CENTRES, WIDTH] */
    double length = knack_norm(e, WIDTH);
    for (int j = 0; j < CLASSES; j++) {
        double cosine = -1;
        for (int k = 0; k < CENTRES; k++, w += WIDTH) {
            double product = 0;
            for (int i = 0; i < WIDTH; i++) product += (double)e[i] * (double)w[i];
            cosine = fmax(cosine, product / (length * knack_norm(w, WIDTH)));
        }
        logit[j] = (head->scale ? head->scale : length) * (j == target ? head->phi(acos(cosine), cosine) : cosine);
    }
}

static double log_sum_of(const double logit[CLASSES])
{
    double sum = 0;
    for (int j = 0; j < CLASSES; j++) sum += exp(logit[j]);
    return log(sum);
}

/* -(1 - smoothing) log p_target - smoothing times the mean of all log p. */
static double loss_of(const struct run *run, const struct head *head, double smoothing, const knack_real *e, int target)
{
    double logit[CLASSES], mean = 0;
    logits_of(run, head, e, target, logit);
    for (int j = 0; j < CLASSES; j++) mean += logit[j] / CLASSES;
    return log_sum_of(logit) - (1 - smoothing) * logit[target] - smoothing * mean;
}

/* Of the latest batch, by its features: each component of a row's target has a softmax, and a margin, of its own. */
static double loss_by_hand(const struct run *run, const struct head *head, double smoothing)
{
    const struct targets *targets = &run->step.targets;
    double sum = 0;
    for (int64_t k = 0; k < targets->components; k++) {
        for (int64_t row = 0; row < ROWS; row++) {
            double share = (double)targets->share[k * ROWS + row];
            if (share > 0) sum += share * loss_of(run, head, smoothing, features[row], targets->id[k * ROWS + row]);
        }
    }
    return sum / ROWS;
}

/* ---- Runs ---- */

static struct run *open_run(const char *plugins, int epochs)
{
    return harness_open_model(&shown, NULL,
                              "{'data': {'limit': 39, 'validation': 13}, 'train': {'batch': %d, 'epochs': %d}, 'plugins': [%s]}", ROWS,
                              epochs, plugins);
}

static const char *mixed(const struct head *head, const char *mode)
{
    static char plugins[256];
    snprintf(plugins, sizeof plugins, "{'name': 'mixup', 'alpha': 1, 'mode': '%s'}, %s", mode, head->entry);
    return plugins;
}

static void expect_loss_by_hand(const char *plugins, const struct head *head, double smoothing)
{
    struct run *run = open_run(plugins, 1);
    harness_gradient(run);
    double expected = loss_by_hand(run, head, smoothing), tolerance = (IS_DOUBLE ? 1e-11 : 1e-5) * expected;
    if (!(fabs(run->last_loss - expected) <= tolerance)) fail_msg("%s: loss %.15g instead of %.15g", plugins, run->last_loss, expected);
    harness_close(run);
}

static void losses_equal_their_formulas(void **state)
{
    (void)state;
    for (int i = 0; i < HEADS; i++) expect_loss_by_hand(heads[i].entry, &heads[i], 0);
}

/* lambda L(target) + (1 - lambda) L(partner's target): two softmaxes, each with its own margin, not one with a mixture of margins. */
static void mixed_targets_have_a_margin_each(void **state)
{
    (void)state;
    for (int i = 0; i < HEADS; i++) {
        expect_loss_by_hand(mixed(&heads[i], "batch"), &heads[i], 0);
        expect_loss_by_hand(mixed(&heads[i], "row"), &heads[i], 0);
        char plugins[256];
        snprintf(plugins, sizeof plugins, "%s, {'name': 'cutmix'}", heads[i].entry);
        expect_loss_by_hand(plugins, &heads[i], 0);
    }
}

/* The margin is part of all logits that the smoothed loss sees, also of the uniform share. */
static void smoothed_targets(void **state)
{
    (void)state;
    for (int i = 0; i < HEADS; i++) {
        char plugins[512];
        snprintf(plugins, sizeof plugins, "{'name': 'label-smoothing', 'eps': 0.3}, %s", heads[i].entry);
        expect_loss_by_hand(plugins, &heads[i], 0.3);
        snprintf(plugins, sizeof plugins, "{'name': 'label-smoothing', 'eps': 0.3}, %s", mixed(&heads[i], "row"));
        expect_loss_by_hand(plugins, &heads[i], 0.3);
    }
}

/* The loss of the first batch with one weight moved. */
static double loss_beside(struct run *run, int64_t entry, double by)
{
    knack_real *weight = run->params->live.values + entry, own = *weight;
    *weight += (knack_real)by;
    harness_gradient(run);
    *weight = own;
    return run->last_loss;
}

/* Through head and model; central differences need the double build. */
static void gradients_equal_differences(void **state)
{
    (void)state;
    if (!IS_DOUBLE) skip();
    for (int i = 0; i < HEADS; i++) {
        struct run *run = open_run(mixed(&heads[i], "row"), 1);
        int64_t total = run->params->total, moving = 0;
        knack_real *gradient = memory_new((size_t)total, sizeof *gradient);
        assert_non_null(gradient);
        memcpy(gradient, harness_gradient(run), (size_t)total * sizeof *gradient);
        for (int64_t entry = 3; entry < total; entry += 11) {
            double difference = (loss_beside(run, entry, 1e-6) - loss_beside(run, entry, -1e-6)) / 2e-6;
            if (!(fabs(difference - (double)gradient[entry]) <= 1e-8 * fmax(1, fabs(difference))))
                fail_msg("%s: entry %lld has gradient %.12g, by differences %.12g", heads[i].name, (long long)entry,
                         (double)gradient[entry], difference);
            moving += gradient[entry] != 0;
        }
        assert_true(moving > 20);
        memory_free(gradient);
        harness_close(run);
    }
}

#define LAYERS "{'type': 'mlp', 'hidden': [16, 12], 'dropout': 0.2}"

static void micro_batches_equal_one_batch(void **state)
{
    (void)state;
    for (int i = 0; i < HEADS; i++) {
        check_split(LAYERS, heads[i].entry);
        check_split(LAYERS, mixed(&heads[i], "row"));
    }
}

/* Directions, their optimizer's moments, and where lambda stands. */
static void resumes_with_the_same_bits(void **state)
{
    (void)state;
    for (int i = 0; i < HEADS; i++) {
        check_resume(LAYERS, heads[i].entry);
        check_resume(LAYERS, mixed(&heads[i], "batch"));
    }
}

static void predictions_have_no_margin(void **state)
{
    (void)state;
    for (int i = 0; i < HEADS; i++) {
        struct run *run = open_run(heads[i].entry, 2);
        harness_train(run);
        knack_real input[5 * INPUTS], probability[5 * CLASSES];
        for (int k = 0; k < 5 * INPUTS; k++) input[k] = (knack_real)(0.5 + 0.5 * sin(3 * k));
        assert_int_equal(predict_rows(run, input, 5, probability), KNACK_OK);
        for (int row = 0; row < 5; row++) {
            double logit[CLASSES];
            logits_of(run, &heads[i], features[row], -1, logit);
            for (int j = 0; j < CLASSES; j++) {
                double expected = exp(logit[j] - log_sum_of(logit));
                assert_true(fabs((double)probability[row * CLASSES + j] - expected) <= (IS_DOUBLE ? 1e-12 : 1e-5));
            }
        }
        harness_close(run);
    }
}

static void lambda_is_reported(void **state)
{
    (void)state;
    struct run *run = harness_open("{'data': {'limit': 26}, 'train': {'batch': 13, 'epochs': 1, 'log_every': 1}, "
                                   "'plugins': [{'name': 'sphereface', 'lambda_gamma': 1}]}");
    harness_train(run);
    harness_close(run);
    assert_true(harness_has("out/metrics.jsonl", "\"sphereface\": {\"lambda\": 1000")); /* update 0 */
    assert_true(harness_has("out/metrics.jsonl", "\"sphereface\": {\"lambda\": 500"));  /* update 1 */
}

/* ---- What is refused, and what draws a warning ---- */

static void one_head_only(void **state)
{
    (void)state;
    for (int i = 0; i < HEADS; i++)
        for (int k = 0; k < HEADS; k++) {
            if (i == k) continue;
            knack_status status = harness_status("{'plugins': ['%s', '%s']}", heads[i].name, heads[k].name);
            harness_expect(status, KNACK_E_CONFIG, heads[i].name, heads[k].name, "both replace the head; leave one out", NULL);
        }
}

static void options_have_bounds(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {{"{'name': 'cosface', 'm': -0.1}", "plugins[0].m"},
                                           {"{'name': 'cosface', 'm': 2.5}", "plugins[0].m"},
                                           {"{'name': 'cosface', 's': 0}", "plugins[0].s"},
                                           {"{'name': 'cosface', 'centres': 0}", "plugins[0].centres"},
                                           {"{'name': 'arcface', 'm': 1.6}", "plugins[0].m"},
                                           {"{'name': 'sphereface', 'm': 0}", "plugins[0].m"},
                                           {"{'name': 'sphereface', 'm': 2.5}", "plugins[0].m"},
                                           {"{'name': 'sphereface', 's': 16}", "plugins[0].s"},
                                           {"{'name': 'sphereface', 'lambda_min': -1}", "plugins[0].lambda_min"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        harness_expect(harness_status("{'plugins': [%s]}", wrong[i][0]), KNACK_E_CONFIG, wrong[i][1], NULL);
}

static void warnings_of_scale_and_margin(void **state)
{
    (void)state;
    const char *config = "{'data': {'limit': 13}, 'model': {'type': 'mlp', 'hidden': [%d]}, 'train': {'epochs': 1}, 'plugins': [%s]}";
    harness_close(harness_open(config, 12, "{'name': 'cosface', 's': 2}"));
    assert_true(harness_warned("with \"s\": 2 no probability can reach 0.9 among 10 classes"));
    harness_close(harness_open(config, 12, "{'name': 'cosface', 'm': 1.2}"));
    assert_true(harness_warned("\"m\": 1.2 is more than 10 classes can keep from each other with features of width 12; that is 1.11"));
    harness_close(harness_open(config, 2, "'cosface'"));
    assert_true(harness_warned("\"m\": 0.35 is more than 10 classes can keep from each other with features of width 2; that is 0.191"));
    harness_close(harness_open(config, 2, "{'name': 'arcface', 'm': 0.7}"));
    assert_true(harness_warned("\"m\": 0.7 is more than 10 classes can keep from each other with features of width 2; that is 0.628"));
    for (int i = 0; i < HEADS; i++) {
        harness_close(harness_open(config, 12, heads[i].entry));
        assert_false(harness_warned("\"m\"") || harness_warned("\"s\""));
    }
}

static struct run *open_table(const char *rows, const char *plugins)
{
    assert_int_equal(file_write(harness_path("table.csv"), rows, strlen(rows)), KNACK_OK);
    return harness_open("{'data': {'csv': 'table.csv', 'target': 'class'}, 'model': {'type': 'mlp', 'hidden': [4]}, 'train': {'epochs': 2, "
                        "'batch': 4}, 'plugins': [%s]}",
                        plugins);
}

/* Inputs of 0 make features of 0: the run goes on, with numbers, and says so. */
static void features_of_zero(void **state)
{
    (void)state;
    for (int i = 0; i < HEADS; i++) {
        struct run *run = open_table("x,y,class\n0,0,a\n0,0,b\n1,2,a\n-1,1,b\n", heads[i].entry);
        harness_train(run);
        assert_true(harness_warned("features of an example are all 0"));
        assert_true(isfinite(run->last_loss));
        assert_int_equal(run->at.skipped, 0);
        harness_close(run);
    }
}

static void one_class_is_none(void **state)
{
    (void)state;
    const char *rows = "x,y,class\n0,1,a\n1,0,a\n1,2,a\n-1,1,a\n";
    assert_int_equal(file_write(harness_path("table.csv"), rows, strlen(rows)), KNACK_OK);
    for (int i = 0; i < HEADS; i++)
        harness_expect(harness_status("{'data': {'csv': 'table.csv', 'target': 'class'}, 'plugins': ['%s']}", heads[i].name), KNACK_E_DATA,
                       "class", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_equal_their_formulas),
        cmocka_unit_test(mixed_targets_have_a_margin_each),
        cmocka_unit_test(smoothed_targets),
        cmocka_unit_test(gradients_equal_differences),
        cmocka_unit_test(micro_batches_equal_one_batch),
        cmocka_unit_test(resumes_with_the_same_bits),
        cmocka_unit_test(predictions_have_no_margin),
        cmocka_unit_test(lambda_is_reported),
        cmocka_unit_test(one_head_only),
        cmocka_unit_test(options_have_bounds),
        cmocka_unit_test(warnings_of_scale_and_margin),
        cmocka_unit_test(features_of_zero),
        cmocka_unit_test(one_class_is_none),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
