/* Whole trainings under the tricks beside PyTorch's in float64: tests/vectors/make_trajectories.py. TRAJECTORIES: the header of the family;
 * FLOAT_TOLERANCE: how far the float build's first losses may be off. */
#include "harness.h"

#include "base/json.h"
#include TRAJECTORIES

enum { CASES = sizeof trajectories / sizeof *trajectories };
/* In double all steps agree. In float rounding adds up until a ReLU is on in one program and off in the other; the first steps agree. */
enum { JUDGED_STEPS = IS_DOUBLE ? MOST_STEPS : 10 };
static const double tolerance = IS_DOUBLE ? 1e-8 : FLOAT_TOLERANCE;

/* ---- Data of the cases that do not train on the digits: reference/data.py ---- */

enum { ROWS = 180, HEIGHT = 5, WIDTH = 7, INPUTS = 6, OUTPUTS = 2 };

/* images.idx [ROWS, HEIGHT, WIDTH], labels.idx [ROWS] */
static void put_stripes(void)
{
    uint8_t image[ROWS][HEIGHT][WIDTH], label[ROWS];
    for (int i = 0; i < ROWS; i++) {
        label[i] = (uint8_t)(i % 3);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) image[i][y][x] = (uint8_t)(i * 7 + i % 3 * y * 50 + (2 - i % 3) * x * 40);
    }
    harness_put_idx("images", 3, (const uint8_t[]){ROWS, HEIGHT, WIDTH}, **image);
    harness_put_idx("labels", 1, (const uint8_t[]){ROWS}, label);
}

/* inputs.npy [ROWS, INPUTS], targets.npy [ROWS, OUTPUTS] */
static void put_numbers(void)
{
    double input[ROWS][INPUTS], target[ROWS][OUTPUTS];
    for (int i = 0; i < ROWS; i++) {
        double *x = input[i];
        for (int k = 0; k < INPUTS; k++) x[k] = (37 * i + 11 * k * k + i * k) % 17 / 8.0 - 1;
        target[i][0] = x[0] * x[1] + x[2];
        target[i][1] = x[3] - x[4] * x[5];
    }
    harness_put_npy("inputs", ROWS, INPUTS, *input);
    harness_put_npy("targets", ROWS, OUTPUTS, *target);
}

static int set_up(void **state)
{
    if (harness_set_up(state) < 0) return -1;
    put_stripes();
    put_numbers();
    harness_put_tokens();
    return 0;
}

/* ---- Comparison ---- */

static void compare(double found, double expected, double size, const char *what, const char *of, int number)
{
    if (!(fabs(found - expected) <= tolerance * size)) fail_msg("%s of %s, %d: %.17g instead of %.17g", what, of, number, found, expected);
}

static bool is(const struct json *line, const char *key, const char *value)
{
    return !strcmp(json_member(line, key)->string, value);
}

static void compare_step(const struct trajectory *expected, const struct json *line, int step)
{
    if (step >= expected->steps) fail_msg("more than %d steps", expected->steps);
    if (step < JUDGED_STEPS) compare(json_member(line, "loss")->number, expected->loss[step], expected->loss[step], "loss", "step", step);
}

static void compare_evaluation(const struct trajectory *expected, const struct json *line, int number)
{
    if (number >= MOST_EVALUATIONS || !expected->evaluation[number].set) fail_msg("more than %d evaluations", number);
    const char *set = expected->evaluation[number].set, *part = expected->evaluation[number].part;
    if (!is(line, "weights", set) || !is(line, "evaluation", part)) fail_msg("evaluation %d is not of %s, %s", number, set, part);
    double loss = expected->evaluation[number].loss;
    if (IS_DOUBLE) compare(json_member(line, "loss")->number, loss, loss, part, set, number);
}

/* What metrics.jsonl says: the loss of every step, and of every evaluation. */
static void compare_metrics(const struct trajectory *expected)
{
    int steps = 0, evaluations = 0;
    char *text = harness_read("out/metrics.jsonl", NULL);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        struct json_document *document;
        assert_int_equal(json_parse(line, (size_t)(end - line), "metrics.jsonl", &document), KNACK_OK);
        if (json_member(document->root, "lr")) compare_step(expected, document->root, steps++);
        if (json_member(document->root, "evaluation")) compare_evaluation(expected, document->root, evaluations++);
        json_free(document);
    }
    memory_free(text);
    assert_int_equal(steps, expected->steps);
    assert_true(evaluations == MOST_EVALUATIONS || !expected->evaluation[evaluations].set);
}

/* A parameter or a running statistic of a set: [*count]. */
static const knack_real *find(struct run *run, const char *set_name, const char *name, int64_t *count)
{
    const struct knack_weights *set = params_find_set(run->params, set_name);
    const struct param *param = params_find(run->params, name);
    const struct statistic *statistic = params_find_statistic(run->params, name);
    assert_true(set && (param || statistic));
    *count = param ? param->public.count : statistic->count;
    return param ? set->values + param->public.offset : set->statistics + statistic->offset;
}

/* Weighted sums of the final weights, averages and running statistics: a wrong, missing or displaced entry changes them. */
static void compare_weights(struct run *run, const struct trajectory *expected)
{
    for (int k = 0; k < MOST_SUMS && expected->weights[k].set; k++) {
        int64_t count;
        const knack_real *value = find(run, expected->weights[k].set, expected->weights[k].name, &count);
        double sum = 0, size = 0;
        for (int64_t i = 0; i < count; i++) {
            double term = (double)(1 + i % 17) * (double)value[i];
            sum += term;
            size += fabs(term);
        }
        compare(sum, expected->weights[k].sum, size, expected->weights[k].name, expected->weights[k].set, k);
    }
}

static void agrees(void **state)
{
    const struct trajectory *expected = *state;
    struct run *run = harness_open("%s", expected->config);
    harness_train(run);
    compare_metrics(expected);
    if (IS_DOUBLE) compare_weights(run, expected);
    harness_close(run);
}

int main(void)
{
    struct CMUnitTest tests[CASES];
    for (int i = 0; i < CASES; i++) tests[i] = (struct CMUnitTest){trajectories[i].name, agrees, NULL, NULL, (void *)&trajectories[i]};
    return cmocka_run_group_tests(tests, set_up, harness_tear_down);
}
