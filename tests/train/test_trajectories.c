/* Whole trainings under the tricks beside PyTorch's in float64: tests/vectors/make_trajectories.py. */
#include "harness.h"

#include "base/json.h"
#include "vectors/trajectories.h"

enum { CASES = sizeof trajectories / sizeof *trajectories };
/* In double all steps agree. In float rounding adds up until a ReLU is on in one program and off in the other; the first steps agree. */
enum { JUDGED_STEPS = IS_DOUBLE ? TRAJECTORY_STEPS : 10 };
static const double tolerance = IS_DOUBLE ? 1e-8 : 1e-6;

/* The losses that metrics.jsonl logged, of every step. */
static void read_losses(double loss[TRAJECTORY_STEPS])
{
    int64_t count = 0;
    char *text = harness_read("out/metrics.jsonl", NULL);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        struct json_document *document;
        assert_int_equal(json_parse(line, (size_t)(end - line), "metrics.jsonl", &document), KNACK_OK);
        if (json_member(document->root, "lr")) {
            assert_true(count < TRAJECTORY_STEPS);
            loss[count++] = json_member(document->root, "loss")->number;
        }
        json_free(document);
    }
    memory_free(text);
    assert_int_equal(count, TRAJECTORY_STEPS);
}

static void compare_losses(const struct trajectory *expected)
{
    double loss[TRAJECTORY_STEPS];
    read_losses(loss);
    for (int step = 0; step < JUDGED_STEPS; step++)
        if (!(fabs(loss[step] - expected->loss[step]) <= tolerance * expected->loss[step]))
            fail_msg("step %d: loss %.17g instead of %.17g", step + 1, loss[step], expected->loss[step]);
}

/* Weighted sums of the final weights and of the averages: a wrong, missing or displaced entry changes them. */
static void compare_weights(struct run *run, const struct trajectory *expected)
{
    for (int k = 0; k < TRAJECTORY_SUMS && expected->weights[k].set; k++) {
        struct knack_weights *set = params_find_set(run->params, expected->weights[k].set);
        struct param *param = params_find(run->params, expected->weights[k].param);
        assert_true(set && param);
        double sum = 0, size = 0;
        for (int64_t i = 0; i < param->public.count; i++) {
            double term = (double)(1 + i % 17) * (double)set->values[param->public.offset + i];
            sum += term;
            size += fabs(term);
        }
        if (!(fabs(sum - expected->weights[k].sum) <= tolerance * size))
            fail_msg("%s of %s: %.17g instead of %.17g", expected->weights[k].param, expected->weights[k].set, sum,
                     expected->weights[k].sum);
    }
}

static void agrees(void **state)
{
    const struct trajectory *expected = *state;
    struct run *run = harness_open("%s", expected->config);
    harness_train(run);
    compare_losses(expected);
    if (IS_DOUBLE) compare_weights(run, expected);
    harness_close(run);
}

int main(void)
{
    struct CMUnitTest tests[CASES];
    for (int i = 0; i < CASES; i++) tests[i] = (struct CMUnitTest){trajectories[i].name, agrees, NULL, NULL, (void *)&trajectories[i]};
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
