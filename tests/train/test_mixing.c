/* Mixers within whole runs: what becomes of pixels and targets, who acts in which batch, and what other tricks make of mixtures. */
#include "whole.h"

#define MLP     "{'type': 'mlp', 'hidden': [12]}"
#define DROPOUT "{'type': 'mlp', 'hidden': [12], 'dropout': 0.3}"
#define CONV    "{'type': 'layers', 'layers': [{'type': 'conv', 'channels': 4}, {'type': 'relu'}, {'type': 'flatten'}]}"

static void split_and_resumed(void **state)
{
    (void)state;
    const char *const plugins[] = {"{'name': 'cutmix'}", "{'name': 'cutmix', 'prob': 0.5}, {'name': 'label-smoothing'}",
                                   "{'name': 'mixup', 'alpha': 1, 'mode': 'row'}, {'name': 'cutmix', 'share': 2}"};
    for (int i = 0; i < 3; i++) {
        check_split(MLP, plugins[i]);
        check_split(CONV, plugins[i]);
        check_resume(DROPOUT, plugins[i]);
    }
}

/* Opens a run, and lets its first batch go through pre_step and the first layer: the inputs before and after, [rows, width] each. */
struct mixed {
    struct run *run;
    knack_real *before, *after;
    int64_t rows, width;
};

static void mix_first_batch(struct mixed *mixed, const char *plugins)
{
    mixed->run = harness_open("%s", whole_config("", MLP, plugins));
    mixed->rows = mixed->run->settings.batch;
    mixed->width = mixed->run->data->width;
    size_t values = (size_t)(mixed->rows * mixed->width);
    mixed->before = memory_new(values, sizeof *mixed->before);
    mixed->after = memory_new(values, sizeof *mixed->after);
    harness_gradient(mixed->run);
    /* The filters of "input" once more, on the batch as it was. */
    knack_step *step = &mixed->run->step;
    passes_begin(step, step->logical.row, mixed->rows, true);
    const knack_real *after = knack_data(stages_filter(step, "input", passes_input(step)));
    assert_non_null(after);
    memcpy(mixed->before, step->input, values * sizeof *after);
    memcpy(mixed->after, after, values * sizeof *after);
}

static void end_mixed(struct mixed *mixed)
{
    memory_free(mixed->before);
    memory_free(mixed->after);
    harness_close(mixed->run);
}

/* Row i of one is row j of the other. */
static bool same_row(const struct mixed *mixed, const knack_real *a, int64_t i, const knack_real *b, int64_t j)
{
    return !memcmp(a + i * mixed->width, b + j * mixed->width, (size_t)mixed->width * sizeof *a);
}

/* The pixels that a row has of its partner are (1 - lambda) H W, lambda being its share of the target. The batch is of odd size: one row
 * has no partner, and stays as it is with all of its target. */
static void cutmix_counts_pixels(void **state)
{
    (void)state;
    for (int seed = 1; seed <= 8; seed++) {
        struct mixed mixed;
        char plugins[64];
        snprintf(plugins, sizeof plugins, "{'name': 'cutmix', 'as': 'cut%d'}", seed);
        mix_first_batch(&mixed, plugins);
        const struct targets *t = &mixed.run->step.targets;
        int64_t alone = 0, changed_rows = 0;
        if (t->components == 1) { /* an empty box */
            assert_memory_equal(mixed.before, mixed.after, (size_t)(mixed.rows * mixed.width) * sizeof(knack_real));
            end_mixed(&mixed);
            continue;
        }
        for (int64_t i = 0; i < mixed.rows; i++) {
            double own = (double)t->share[i], other = (double)t->share[mixed.rows + i];
            assert_true(fabs(own + other - 1) < 1e-6);
            if (other == 0) {
                alone++;
                assert_true(same_row(&mixed, mixed.after, i, mixed.before, i));
                continue;
            }
            int64_t cut = (int64_t)floor(other * (double)mixed.width + 0.5), changed = 0;
            assert_true(fabs(other * (double)mixed.width - (double)cut) < 1e-4);
            for (int64_t k = 0; k < mixed.width; k++) changed += mixed.before[i * mixed.width + k] != mixed.after[i * mixed.width + k];
            assert_true(changed <= cut); /* where two images are alike nothing shows */
            changed_rows += changed > 0;
        }
        assert_int_equal(alone, 1);
        assert_true(changed_rows > 0 || t->share[mixed.rows] < (knack_real)0.1);
        end_mixed(&mixed);
    }
}

/* In a group one member acts in each batch, as often as its share says. */
static void one_mixer_a_batch(void **state)
{
    (void)state;
    struct run *run = harness_open("{'data': {'source': 'digits', 'limit': 64}, 'train': {'epochs': 40, 'batch': 8}, 'model': " MLP
                                   ", 'plugins': [{'name': 'mixup', 'alpha': 1, 'share': 3}, {'name': 'cutmix', 'alpha': 2}]}");
    harness_train(run);
    int64_t mixup = whole_trick(run, "mixup")->calls[SLOT_PRE_STEP], cutmix = whole_trick(run, "cutmix")->calls[SLOT_PRE_STEP];
    assert_int_equal(mixup + cutmix, run->at.batch);
    assert_true(cutmix > run->at.batch / 8 && cutmix < run->at.batch * 3 / 8); /* a quarter */
    harness_close(run);
}

static void cutmix_needs_images(void **state)
{
    (void)state;
    double values[12 * 4], labels[12];
    for (int i = 0; i < 48; i++) values[i] = i % 7;
    for (int i = 0; i < 12; i++) labels[i] = i % 2;
    harness_put_npy("x", 12, 4, values);
    harness_put_npy("y", 12, 1, labels);
    harness_expect(harness_status("{'data': {'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}, 'task': 'classification'}, 'model': " MLP
                                  ", 'train': {'epochs': 1, 'batch': 4}, 'plugins': [{'name': 'cutmix'}]}"),
                   KNACK_E_PLUGIN, "cutmix, open", "boxes out of images", "mixup", NULL);
}

static void mixers_need_two_rows(void **state)
{
    (void)state;
    const char *const mixer[] = {"mixup", "cutmix"};
    for (int i = 0; i < 2; i++) {
        const char *config = "{'data': {'source': 'digits', 'limit': 8}, 'train': {'epochs': 1, 'batch': 1}, 'plugins': ['%s']}";
        harness_expect(harness_status(config, mixer[i]), KNACK_E_PLUGIN, mixer[i], "open",
                       "it mixes pairs of a batch's rows, and \"train.batch\" is 1", NULL);
    }
}

#define MIXUP  "{'name': 'mixup', 'alpha': 1}"
#define CUTMIX "{'name': 'cutmix'}"
#define SMOOTH "{'name': 'label-smoothing', 'eps': 0.2}"
#define RDROP  "{'name': 'rdrop', 'alpha': 2}"
#define FOCAL  "{'name': 'focal', 'gamma': 1.5}"

/* Both are linear in the target: smooth then mix, or mix then smooth; through a head that wants ids too. */
static void smoothing_and_mixing_commute(void **state)
{
    (void)state;
    check_alike(MLP, MIXUP ", " SMOOTH, SMOOTH ", " MIXUP);
    check_alike(MLP, CUTMIX ", " SMOOTH, SMOOTH ", " CUTMIX);
    check_alike(MLP, MIXUP ", " SMOOTH ", {'name': 'arcface'}", SMOOTH ", {'name': 'arcface'}, " MIXUP);
}

/* Both passes of R-Drop see the same mix, so the order in the config says nothing. */
static void rdrop_sees_one_mix(void **state)
{
    (void)state;
    check_alike(DROPOUT, MIXUP ", " RDROP, RDROP ", " MIXUP);
    check_alike(DROPOUT, CUTMIX ", " RDROP, RDROP ", " CUTMIX);
    check_alike(DROPOUT, SMOOTH ", " RDROP, RDROP ", " SMOOTH); /* each pass's loss is smoothed, the divergence is not */
    check_split(DROPOUT, MIXUP ", " RDROP);
    check_split(DROPOUT, MIXUP ", " RDROP ", {'name': 'arcface'}");
    check_resume(DROPOUT, MIXUP ", " RDROP ", " SMOOTH);
}

/* Loss of the first batch, from a run of one update of no effect. */
static double first_loss(const char *plugins)
{
    struct run *run = harness_open("%s", whole_config("", MLP, plugins));
    harness_gradient(run);
    double loss = run->last_loss;
    harness_close(run);
    return loss;
}

/* The focal loss of a mixture is lambda FL(y) + (1 - lambda) FL(y'), computed here from the logits. Returns it. */
static double expect_focal_mixture(const char *plugins)
{
    struct run *run = harness_open("%s", whole_config("", MLP, plugins));
    harness_gradient(run);
    const struct targets *t = &run->step.targets;
    knack_step *step = &run->step;
    double expected = 0;
    assert_int_equal(t->components, 2);
    passes_begin(step, step->logical.row, t->rows, true);
    step->x = passes_input(step);
    const knack_real *logits = knack_data(passes_forward(step, step->x, KNACK_NO_GRADIENT));
    assert_non_null(logits);
    for (int64_t k = 0; k < 2; k++) {
        for (int64_t i = 0; i < t->rows; i++) {
            const knack_real *z = logits + i * t->outputs;
            double sum = 0;
            for (int64_t c = 0; c < t->outputs; c++) sum += exp((double)z[c]);
            double log_p = (double)z[t->id[k * t->rows + i]] - log(sum);
            expected -= (double)t->share[k * t->rows + i] * pow(-expm1(log_p), 1.5) * log_p / (double)t->rows;
        }
    }
    assert_true(fabs(run->last_loss / expected - 1) < (IS_DOUBLE ? 1e-12 : 1e-5));
    harness_close(run);
    return expected;
}

/* Focal loss is not linear in the target: each component of a mixture has a loss of its own, whoever mixed it, and wherever that is listed.
 */
static void focal_loss_of_a_mixture(void **state)
{
    (void)state;
    double loss = expect_focal_mixture(MIXUP ", " FOCAL);
    assert_true(expect_focal_mixture(FOCAL ", " MIXUP) == loss);
    assert_true(first_loss(MIXUP ", {'name': 'focal', 'gamma': 3}") < loss);
    expect_focal_mixture(CUTMIX ", " FOCAL);
}

/* Focal loss has the hard label for its own, and smoothing, linear, adds the uniform part beside it, outside of it:
 * (1 - eps) FL(y) + eps U, where U is what smoothing adds to the cross-entropy. */
static void smoothed_focal_loss(void **state)
{
    (void)state;
    double plain = first_loss(""), uniform = (first_loss(SMOOTH) - 0.8 * plain) / 0.2;
    double expected = 0.8 * first_loss(FOCAL) + 0.2 * uniform;
    assert_true(fabs(first_loss(SMOOTH ", " FOCAL) / expected - 1) < (IS_DOUBLE ? 1e-12 : 1e-5));
    assert_true(fabs(first_loss(FOCAL ", " SMOOTH) / expected - 1) < (IS_DOUBLE ? 1e-12 : 1e-5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_and_resumed),   cmocka_unit_test(cutmix_counts_pixels),    cmocka_unit_test(one_mixer_a_batch),
        cmocka_unit_test(cutmix_needs_images), cmocka_unit_test(mixers_need_two_rows),    cmocka_unit_test(smoothing_and_mixing_commute),
        cmocka_unit_test(rdrop_sees_one_mix),  cmocka_unit_test(focal_loss_of_a_mixture), cmocka_unit_test(smoothed_focal_loss),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
