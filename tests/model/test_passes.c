/* Models as they are computed: gradients, modes of batch norm, addresses of dropout, types, and what tricks get to see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const double tight = sizeof(knack_real) == 8 ? 1e-12 : 2e-5; /* for values around 1 */

static void expect_close(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * fmax(1, fabs(expected)))) fail_msg("%.17g is not %.17g", value, expected);
}

/* ---- What a pass shows ---- */

static const char mlp_config[] = "{\"type\": \"mlp\", \"hidden\": [7, 6], \"dropout\": 0.3}";
static const char cnn_config[] = "{\"type\": \"cnn\", \"channels\": [3, 4], \"hidden\": [5], \"dropout\": 0.2}";
static const char resnet_config[] = "{\"type\": \"resnet\", \"depth\": 8, \"width\": 2}";
static const char layers_config[] =
    "{\"type\": \"layers\", \"layers\": ["
    " {\"type\": \"conv\", \"channels\": 3, \"padding\": 1}, {\"type\": \"batch-norm\"}, {\"type\": \"gelu\"},"
    " {\"residual\": [{\"type\": \"conv\", \"channels\": 4, \"stride\": 2, \"padding\": 1, \"bias\": false}, {\"type\": \"tanh\"}],"
    "  \"shortcut\": [{\"type\": \"conv\", \"channels\": 4, \"kernel\": 1, \"stride\": 2}]},"
    " {\"type\": \"average-pool\", \"size\": 3, \"stride\": 1, \"padding\": 1}, {\"residual\": [{\"type\": \"sigmoid\"}]}, {\"type\": "
    "\"max-pool\"},"
    " {\"type\": \"flatten\"}, {\"type\": \"linear\", \"size\": 6}, {\"type\": \"layer-norm\"}, {\"type\": \"dropout\", \"rate\": 0.2}]}";

static const char encoder_config[] = "{\"type\": \"encoder\", \"vocabulary\": 11, \"padding\": 0, \"layers\": 2, \"width\": 6, "
                                     "\"heads\": 2, \"feedforward\": 5, \"dropout\": 0.2}";
static const char pre_norm_config[] = "{\"type\": \"encoder\", \"vocabulary\": 11, \"layers\": 2, \"width\": 6, \"heads\": 2, "
                                      "\"feedforward\": 5, \"dropout\": 0.2, \"norm\": \"pre\", \"pooling\": \"mean\"}";

static const struct {
    const char *config;
    bool tokens;
} models[] = {{mlp_config, false},    {cnn_config, false},    {resnet_config, false},
              {layers_config, false}, {encoder_config, true}, {pre_norm_config, true}};
enum { MODELS = sizeof models / sizeof *models, ROWS = 6, OUTPUTS = 3, SIDE = 6, CHANNELS = 2, WIDTH = SIDE * SIDE * CHANNELS };
static const int64_t image[] = {SIDE, SIDE, CHANNELS}, tokens[] = {WIDTH / 8};

/* The ith model with inputs x that suit it: images, or ids with padding (0) at the end of most rows. */
static struct bench *open_model(int i, knack_real *x)
{
    fill_noise(x, ROWS * WIDTH, 3);
    if (!models[i].tokens) return bench_open(models[i].config, 3, image, OUTPUTS);
    for (int64_t k = 0; k < ROWS * tokens[0]; k++) {
        const int64_t row = k / tokens[0], place = k % tokens[0];
        x[k] = place > 3 * row ? 0 : (knack_real)(1 + (7 * k + 3 * row) % 10);
    }
    return bench_open(models[i].config, 1, tokens, OUTPUTS);
}

static const char *seen[64];
static int64_t seen_count;

static knack_tensor *note_layer(knack_step *step, const char *name, knack_tensor *out)
{
    (void)step;
    assert_true(seen_count < 64);
    seen[seen_count++] = name;
    return out;
}

static void tricks_see_every_layer(void **state)
{
    (void)state;
    knack_real x[ROWS * WIDTH];
    for (int i = 0; i < MODELS; i++) {
        struct bench *bench = open_model(i, x);
        bench->pass.filter = note_layer;
        seen_count = 0;
        bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
        bench_logits(bench, x);
        assert_int_equal(seen_count, bench->model->layer_count);
        assert_string_equal(seen[0], "input");
        assert_string_equal(seen[seen_count - 1], "features");
        for (int64_t k = 0; k < bench->model->layer_count; k++) {
            bool found = false;
            for (int64_t j = 0; j < seen_count; j++) found |= !strcmp(seen[j], bench->model->layer[k]);
            if (!found) fail_msg("layer %s was not seen", bench->model->layer[k]);
        }
        bench_close(bench);
    }
}

/* What is left undone when nobody watches changes no bit. */
static void watching_changes_nothing(void **state)
{
    (void)state;
    knack_real x[ROWS * WIDTH], seed[ROWS * OUTPUTS];
    fill_noise(seed, ROWS * OUTPUTS, 4);
    for (int i = 0; i < MODELS; i++) {
        struct bench *bench = open_model(i, x);
        const size_t bytes = (size_t)bench->params->total * sizeof(knack_real);
        knack_real *gradients = malloc(bytes), logits[ROWS * OUTPUTS];
        for (int watched = 0; watched < 2; watched++) {
            bench->pass.filter = watched ? note_layer : NULL;
            seen_count = 0;
            bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
            knack_tensor *y = bench_logits(bench, x);
            bench_backward(bench, y, seed);
            if (watched) {
                assert_memory_equal(logits, y->data, sizeof logits);
                assert_memory_equal(gradients, bench->params->gradients, bytes);
            } else {
                memcpy(logits, y->data, sizeof logits);
                memcpy(gradients, bench->params->gradients, bytes);
            }
        }
        free(gradients);
        bench_close(bench);
    }
}

static knack_tensor *replace_block(knack_step *step, const char *name, knack_tensor *out)
{
    (void)step;
    return strcmp(name, "fc2") ? out : knack_scale(out, 2);
}

static void what_a_trick_returns_goes_on(void **state)
{
    (void)state;
    knack_real x[WIDTH], plain[OUTPUTS];
    fill_noise(x, WIDTH, 3);
    struct bench *bench = bench_open(mlp_config, 3, image, OUTPUTS);
    bench_begin(bench, 0, 1, NORMS_RUNNING, false);
    memcpy(plain, bench_logits(bench, x)->data, sizeof plain);
    bench->pass.filter = replace_block;
    bench_begin(bench, 0, 1, NORMS_RUNNING, false);
    const knack_real *doubled = bench_logits(bench, x)->data;
    for (int i = 0; i < OUTPUTS; i++) expect_close(doubled[i], 2 * plain[i], tight); /* the head's bias is 0 */
    bench_close(bench);
}

/* ---- Gradients ---- */

static double weighted_logits(struct bench *bench, const knack_real *x, const knack_real *seed)
{
    bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
    const knack_tensor *logits = bench_logits(bench, x);
    const knack_real *value = logits->data;
    double sum = 0;
    for (int64_t i = 0; i < logits->count; i++) sum += (double)value[i] * seed[i];
    return sum;
}

/* Central differences in every parameter, in the double build; in the other only that gradients reach all of them. */
static void check_model_gradient(int model, const knack_real *seed)
{
    knack_real x[ROWS * WIDTH];
    struct bench *bench = open_model(model, x);
    bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
    bench_backward(bench, bench_logits(bench, x), seed);
    for (int64_t i = 0; i < bench->params->count; i++) assert_int_equal(bench->params->touched[i], 1);
    for (int64_t i = 0; i < bench->params->count; i++) {
        const struct knack_param *param = &bench->params->list[i]->public;
        for (int64_t k = 0; sizeof(knack_real) == 8 && k < param->count; k++) {
            static const double distance = 1e-6;
            knack_real *value = &bench->params->live.values[param->offset + k], was = *value;
            double gradient = bench->params->gradients[param->offset + k];
            *value = (knack_real)(was + distance);
            double above = weighted_logits(bench, x, seed);
            *value = (knack_real)(was - distance);
            double below = weighted_logits(bench, x, seed);
            *value = was;
            expect_close((above - below) / (2 * distance), gradient, 1e-6);
        }
    }
    bench_close(bench);
}

static void gradients_equal_differences(void **state)
{
    (void)state;
    knack_real seed[ROWS * OUTPUTS];
    fill_noise(seed, ROWS * OUTPUTS, 4);
    for (int i = 0; i < MODELS; i++) check_model_gradient(i, seed);
}

static void the_input_gets_no_gradient(void **state)
{
    (void)state;
    knack_real x[ROWS * WIDTH];
    fill_noise(x, ROWS * WIDTH, 3);
    struct bench *bench = bench_open(cnn_config, 3, image, OUTPUTS);
    knack_step *step = bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
    knack_tensor *input = knack_constant(step, KNACK_REAL, 4, (int64_t[]){ROWS, SIDE, SIDE, CHANNELS}, x);
    knack_tensor *logits = model_head(bench->model, step, model_features(bench->model, step, input));
    bench_backward(bench, logits, x);
    assert_false(input->needs_gradient);
    assert_null(input->gradient);
    bench->pass.gradients = false;
    assert_false(knack_param_tensor(step, &bench->params->list[0]->public)->needs_gradient);
    bench_close(bench);
}

static void weights_in_use_are_those_of_the_pass(void **state)
{
    (void)state;
    struct params *params = params_new();
    struct knack_weights *set = params_add_set(params, NULL, "other", 0);
    struct knack_param_spec spec = {.size = sizeof spec, .name = "w", .ndim = 1, .shape = {2}};
    const struct param *param = params_add(params, NULL, &spec);
    assert_int_equal(params_allocate(params, 1), KNACK_OK);
    set->values[param->public.offset] = 5;
    struct tape tape;
    struct arena *arena = arena_new(4096);
    tape_begin(&tape, arena);
    struct model_pass pass = {.base = {&tape}, .params = params, .weights = set, .gradients = true};
    const knack_tensor *leaf = knack_param_tensor((knack_step *)&pass, &param->public);
    assert_true(((const knack_real *)leaf->data)[0] == 5);
    assert_ptr_equal(leaf->touched, params->touched);
    arena_free(arena);
    params_free(params);
}

/* ---- Batch norm ---- */

enum { NORM_WIDTH = 3, SAMPLES = 12 };
static const char norm_config[] = "{\"type\": \"layers\", \"layers\": [{\"type\": \"batch-norm\"}]}";
static const int64_t norm_input[] = {NORM_WIDTH};

/* Samples [SAMPLES, NORM_WIDTH] whose channels have different means and spreads; and their mean and unbiased variance. */
static void make_samples(knack_real *x)
{
    fill_noise(x, SAMPLES * NORM_WIDTH, 9);
    for (int i = 0; i < SAMPLES * NORM_WIDTH; i++) x[i] = x[i] * (knack_real)(1 + i % NORM_WIDTH) + (knack_real)(5 * (i % NORM_WIDTH));
}

static void sample_statistics(const knack_real *x, int first, int count, int channel, double *mean, double *variance)
{
    *mean = *variance = 0;
    for (int i = first; i < first + count; i++) *mean += x[i * NORM_WIDTH + channel] / (double)count;
    for (int i = first; i < first + count; i++) *variance += pow(x[i * NORM_WIDTH + channel] - *mean, 2) / (count - 1.0);
}

static void running_statistics_move_by_a_tenth(void **state)
{
    (void)state;
    knack_real x[SAMPLES * NORM_WIDTH];
    make_samples(x);
    struct bench *bench = bench_open(norm_config, 1, norm_input, OUTPUTS);
    double mean[NORM_WIDTH] = {0}, variance[NORM_WIDTH] = {1, 1, 1};
    for (int batch = 0; batch < 3; batch++) {
        bench_begin(bench, 4 * batch, 4, NORMS_MOVE, true);
        bench_logits(bench, x);
        for (int c = 0; c < NORM_WIDTH; c++) {
            double batch_mean, batch_variance;
            sample_statistics(x, 4 * batch, 4, c, &batch_mean, &batch_variance);
            mean[c] = 0.9 * mean[c] + 0.1 * batch_mean;
            variance[c] = 0.9 * variance[c] + 0.1 * batch_variance;
            expect_close(bench->params->live.statistics[c], mean[c], tight);
            expect_close(bench->params->live.statistics[NORM_WIDTH + c], variance[c], tight);
        }
    }
    knack_real before[2 * NORM_WIDTH];
    memcpy(before, bench->params->live.statistics, sizeof before);
    bench_begin(bench, 0, 4, NORMS_BATCH, true);
    bench_logits(bench, x);
    bench_begin(bench, 0, 4, NORMS_RUNNING, false);
    bench_logits(bench, x);
    assert_memory_equal(before, bench->params->live.statistics, sizeof before);
    bench_close(bench);
}

static knack_tensor *norm_output(struct bench *bench, const knack_real *x)
{
    knack_step *step = (knack_step *)&bench->pass;
    int64_t shape[] = {bench->pass.rows, NORM_WIDTH};
    return model_features(bench->model, step, knack_constant(step, KNACK_REAL, 2, shape, x + bench->row[0] * NORM_WIDTH));
}

static void each_mode_normalises_by_its_statistics(void **state)
{
    (void)state;
    knack_real x[SAMPLES * NORM_WIDTH];
    make_samples(x);
    struct bench *bench = bench_open(norm_config, 1, norm_input, OUTPUTS);
    knack_real *statistics = bench->params->live.statistics;
    for (int c = 0; c < NORM_WIDTH; c++) {
        statistics[c] = (knack_real)(c + 0.5);
        statistics[NORM_WIDTH + c] = (knack_real)(2 + c);
    }
    bench_begin(bench, 0, SAMPLES, NORMS_RUNNING, false);
    const knack_real *y = norm_output(bench, x)->data;
    for (int i = 0; i < SAMPLES * NORM_WIDTH; i++) {
        int c = i % NORM_WIDTH;
        expect_close(y[i], (x[i] - (c + 0.5)) / sqrt(2 + c + 1e-5), tight);
    }
    bench_begin(bench, 0, SAMPLES, NORMS_BATCH, true);
    y = norm_output(bench, x)->data;
    for (int i = 0; i < SAMPLES * NORM_WIDTH; i++) {
        double mean, variance;
        sample_statistics(x, 0, SAMPLES, i % NORM_WIDTH, &mean, &variance);
        expect_close(y[i], (x[i] - mean) / sqrt(variance * (SAMPLES - 1) / SAMPLES + 1e-5), tight);
    }
    bench_close(bench);
}

static void re_estimated_statistics_do_not_depend_on_batches(void **state)
{
    (void)state;
    static const int splits[][4] = {{12}, {5, 4, 3}, {1, 11}, {6, 6}};
    knack_real x[SAMPLES * NORM_WIDTH];
    make_samples(x);
    for (int split = 0; split < 4; split++) {
        struct bench *bench = bench_open(norm_config, 1, norm_input, OUTPUTS);
        double sums[2 * 2 * NORM_WIDTH] = {0};
        bench->pass.sums = sums;
        for (int batch = 0, first = 0; batch < 4 && splits[split][batch]; first += splits[split][batch++]) {
            bench_begin(bench, first, splits[split][batch], NORMS_REESTIMATE, false);
            bench_logits(bench, x);
        }
        expect_close(bench->params->live.statistics[0], 0, 0);
        model_reestimated(bench->model, sums, &bench->params->live);
        for (int c = 0; c < NORM_WIDTH; c++) {
            double mean, variance;
            sample_statistics(x, 0, SAMPLES, c, &mean, &variance);
            expect_close(bench->params->live.statistics[c], mean, tight);
            expect_close(bench->params->live.statistics[NORM_WIDTH + c], variance, tight);
        }
        bench_close(bench);
    }
}

static void one_value_has_no_variance(void **state)
{
    (void)state;
    knack_real x[NORM_WIDTH] = {1, 2, 3};
    struct bench *bench = bench_open(norm_config, 1, norm_input, OUTPUTS);
    bench_begin(bench, 0, 1, NORMS_MOVE, true);
    assert_null(norm_output(bench, x));
    assert_int_equal(tape_status(&bench->tape), KNACK_E_SHAPE);
    expect_message("batch norm bn1: one value a channel has no variance; use larger batches");
    double sums[2 * 2 * NORM_WIDTH] = {0};
    bench->pass.sums = sums;
    bench_begin(bench, 0, 1, NORMS_REESTIMATE, false);
    assert_non_null(norm_output(bench, x));
    model_reestimated(bench->model, sums, &bench->params->live);
    expect_close(bench->params->live.statistics[0], 0, 0);
    bench_close(bench);
}

static void an_overflow_does_not_spoil_running_statistics(void **state)
{
    (void)state;
    knack_real x[2 * NORM_WIDTH] = {1, INFINITY, 3, 2, 0, NAN};
    struct bench *bench = bench_open(norm_config, 1, norm_input, OUTPUTS);
    bench_begin(bench, 0, 2, NORMS_MOVE, true);
    norm_output(bench, x);
    const knack_real *statistics = bench->params->live.statistics;
    expect_close(statistics[0], 0.15, tight);
    assert_true(statistics[1] == 0 && statistics[2] == 0 && statistics[4] == 1 && statistics[5] == 1);
    bench_close(bench);
}

/* ---- Dropout ---- */

static void micro_batches_get_the_masks_of_the_batch(void **state)
{
    (void)state;
    knack_real x[ROWS * WIDTH], whole[ROWS * OUTPUTS];
    fill_noise(x, ROWS * WIDTH, 3);
    struct bench *bench = bench_open(mlp_config, 3, image, OUTPUTS);
    bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
    memcpy(whole, bench_logits(bench, x)->data, sizeof whole);
    for (int first = 0; first < ROWS; first += 2) {
        bench_begin(bench, first, 2, NORMS_BATCH, true);
        const knack_real *part = bench_logits(bench, x)->data;
        for (int i = 0; i < 2 * OUTPUTS; i++) expect_close(part[i], whole[first * OUTPUTS + i], tight);
    }
    bench_close(bench);
}

static void masks_change_with_their_address_only(void **state)
{
    (void)state;
    knack_real x[ROWS * WIDTH], first[ROWS * OUTPUTS];
    fill_noise(x, ROWS * WIDTH, 3);
    struct bench *bench = bench_open(mlp_config, 3, image, OUTPUTS);
    bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
    memcpy(first, bench_logits(bench, x)->data, sizeof first);
    for (int change = 0; change < 4; change++) {
        bench->pass.seed = change == 1 ? 2 : 1;
        bench->pass.batch = change == 2;
        bench->pass.redraw = change == 3;
        bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
        bool equal = !memcmp(first, bench_logits(bench, x)->data, sizeof first);
        assert_int_equal(equal, change == 0);
    }
    bench_close(bench);
}

static int64_t masks_seen;
static void note_mask(knack_step *step, const char *name, double rate, int64_t elements)
{
    (void)step;
    assert_true(!strcmp(name, "fc1") || !strcmp(name, "fc2"));
    assert_true(rate == 0.3);
    assert_int_equal(elements, !strcmp(name, "fc1") ? 7 : 6);
    masks_seen++;
}

static void a_trace_sees_the_masks(void **state)
{
    (void)state;
    knack_real x[ROWS * WIDTH];
    fill_noise(x, ROWS * WIDTH, 3);
    struct bench *bench = bench_open(mlp_config, 3, image, OUTPUTS);
    bench->pass.saw_mask = note_mask;
    bench_begin(bench, 0, ROWS, NORMS_RUNNING, false);
    bench_logits(bench, x);
    assert_int_equal(masks_seen, 0);
    bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
    bench_logits(bench, x);
    assert_int_equal(masks_seen, 2);
    bench_close(bench);
}

static void dropout_checks_what_it_gets(void **state)
{
    (void)state;
    static const struct {
        double rate;
        int64_t rows;
        const char *name, *message;
    } cases[] = {
        {1, 2, "d", "dropout d: its rate must lie in [0, 1)"},
        {-0.1, 2, "d", "dropout d: its rate must lie in [0, 1)"},
        {0.5, 3, "d", "dropout d: 3 rows, the pass has 2"},
        {0.5, 2, "", "dropout \"\": a name is made of 1 to 128 letters"},
    };
    struct bench *bench = bench_open(mlp_config, 3, image, OUTPUTS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        knack_step *step = bench_begin(bench, 0, 2, NORMS_BATCH, true);
        knack_tensor *x = knack_constant(step, KNACK_REAL, 2, (int64_t[]){cases[i].rows, 1}, (knack_real[3]){1, 1, 1});
        assert_null(knack_dropout(step, cases[i].name, cases[i].rate, x));
        assert_true(tape_status(&bench->tape) < 0);
        expect_message(cases[i].message);
        assert_null(knack_dropout(step, "d", 0.5, NULL));
    }
    bench_close(bench);
}

/* ---- Types ---- */

static void bf16_products_are_near(void **state)
{
    (void)state;
    knack_real x[ROWS * WIDTH], full[ROWS * OUTPUTS], seed[ROWS * OUTPUTS];
    fill_noise(seed, ROWS * OUTPUTS, 4);
    for (int i = 0; i < MODELS; i++) {
        struct bench *bench = open_model(i, x);
        bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
        memcpy(full, bench_logits(bench, x)->data, sizeof full);
        bench->pass.compute = KNACK_BF16;
        bench_begin(bench, 0, ROWS, NORMS_BATCH, true);
        knack_tensor *logits = bench_logits(bench, x);
        assert_int_equal(knack_type(logits), KNACK_REAL);
        double distance = 0, size = 0;
        for (int k = 0; k < ROWS * OUTPUTS; k++) {
            distance += pow((double)((const knack_real *)logits->data)[k] - full[k], 2);
            size += pow(full[k], 2);
        }
        assert_true(distance > 0 && sqrt(distance / size) < 0.05);
        bench_backward(bench, logits, seed);
        for (int64_t k = 0; k < bench->params->count; k++) assert_int_equal(bench->params->touched[k], 1);
        bench_close(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tricks_see_every_layer),
        cmocka_unit_test(watching_changes_nothing),
        cmocka_unit_test(what_a_trick_returns_goes_on),
        cmocka_unit_test(gradients_equal_differences),
        cmocka_unit_test(the_input_gets_no_gradient),
        cmocka_unit_test(weights_in_use_are_those_of_the_pass),
        cmocka_unit_test(running_statistics_move_by_a_tenth),
        cmocka_unit_test(each_mode_normalises_by_its_statistics),
        cmocka_unit_test(re_estimated_statistics_do_not_depend_on_batches),
        cmocka_unit_test(one_value_has_no_variance),
        cmocka_unit_test(an_overflow_does_not_spoil_running_statistics),
        cmocka_unit_test(micro_batches_get_the_masks_of_the_batch),
        cmocka_unit_test(masks_change_with_their_address_only),
        cmocka_unit_test(a_trace_sees_the_masks),
        cmocka_unit_test(dropout_checks_what_it_gets),
        cmocka_unit_test(bf16_products_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
