/* Programs that embed knack: training, predicting, a model of their own, and what they are told when something is wrong. */
#include "config.h"
#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <knack/knack.h>

/* ---- Training and predicting ---- */

static void count_line(void *user, const char *line)
{
    assert_true(*line);
    ++*(int *)user;
}

static int set_up(void **state)
{
    if (workplace_enter(state) != 0) return -1;
    write_text("small.json", SMALL_RUN);
    struct knack_run_options options = {.size = sizeof options, .out = "trained"};
    return knack_train("small.json", &options, NULL) < 0 ? -1 : 0;
}

static void test_train(void **state)
{
    (void)state;
    int lines = 0;
    struct knack_run_options options = {.size = sizeof options, .out = "logged", .log = count_line, .log_user = &lines};
    options.set = (const char *const[]){"train.epochs=2", "seed=7"};
    options.set_count = 2;
    struct knack_result result = {.size = sizeof result};
    assert_int_equal(knack_train("small.json", &options, &result), KNACK_OK);
    assert_true(lines > 0);
    assert_int_equal(result.steps, 20);
    assert_true(result.seconds > 0 && result.value > 0 && result.value <= 1);
    assert_string_equal(result.metric, "accuracy");
    assert_string_equal(result.weights, "raw");
    assert_string_equal(result.out, "logged");
}

/* A caller that was compiled against a shorter struct gets what it knows, and not a byte more. */
static void test_older_structs(void **state)
{
    (void)state;
    struct knack_run_options options = {.size = offsetof(struct knack_run_options, set), .out = "older", .set_count = 99};
    struct knack_result result = {.size = offsetof(struct knack_result, value)};
    result.value = -1;
    assert_int_equal(knack_train("small.json", &options, &result), KNACK_OK);
    assert_int_equal(result.steps, 30);
    assert_true(result.value == -1);
    assert_int_equal(result.size, offsetof(struct knack_result, value));
}

static void test_wrong_training(void **state)
{
    (void)state;
    assert_int_equal(knack_train("absent.json", NULL, NULL), KNACK_E_CONFIG);
    assert_contains(knack_error(), "absent.json");
    struct knack_run_options options = {.size = sizeof options, .out = "trained"};
    assert_int_equal(knack_train("small.json", &options, NULL), KNACK_E_USAGE);
    assert_contains(knack_error(), "trained holds results already");
    options.out = "";
    assert_int_equal(knack_train("small.json", &options, NULL), KNACK_E_USAGE);
    assert_contains(knack_error(), "the results folder's name is empty");
}

/* Many rows at once give what each gives alone, and the units are those of the file: 0 to 16. */
static void test_predict(void **state)
{
    (void)state;
    enum { ROWS = 2500, WIDTH = 64, CLASSES = 10 };
    knack_predictor *predictor = knack_predictor_open("trained", NULL, NULL, NULL);
    assert_non_null(predictor);
    assert_int_equal(knack_predictor_inputs(predictor), WIDTH);
    assert_int_equal(knack_predictor_outputs(predictor), CLASSES);
    float *rows = malloc(sizeof(float[ROWS][WIDTH])), *out = malloc(sizeof(float[ROWS][CLASSES])), alone[CLASSES];
    assert_true(rows && out);
    for (int i = 0; i < ROWS * WIDTH; i++) rows[i] = (float)(i * 7 % 17);
    assert_int_equal(knack_predict(predictor, rows, ROWS, out), KNACK_OK);
    for (int i = 0; i < ROWS; i += 499) {
        assert_int_equal(knack_predict(predictor, rows + i * WIDTH, 1, alone), KNACK_OK);
        float sum = 0;
        for (int c = 0; c < CLASSES; c++) {
            sum += alone[c];
            assert_true(fabsf(alone[c] - out[i * CLASSES + c]) < 1e-5f);
        }
        assert_true(fabsf(sum - 1) < 1e-5f);
    }
    rows[3] = NAN;
    assert_int_equal(knack_predict(predictor, rows, 1, alone), KNACK_E_DATA);
    free(rows);
    free(out);
    knack_predictor_close(predictor);
    knack_predictor_close(NULL);
}

static void test_wrong_predictor(void **state)
{
    (void)state;
    assert_null(knack_predictor_open("absent", NULL, NULL, NULL));
    assert_contains(knack_error(), "absent");
    assert_null(knack_predictor_open("trained", "ema", NULL, NULL));
    assert_contains(knack_error(), "ema");
    knack_predictor *predictor = knack_predictor_open("trained", "best", NULL, NULL);
    assert_non_null(predictor);
    knack_predictor_close(predictor);
}

/* ---- A model of one's own: one linear layer and a watched name ---- */

enum { FEATURES = 12 };
struct own {
    const knack_param *weight;
    int closed;
};

static knack_status own_declare(knack_model *model, void *user)
{
    struct own *own = user;
    own->weight = knack_model_param(
        model,
        &(struct knack_param_spec){
            .size = sizeof(struct knack_param_spec), .name = "own.weight", .ndim = 2, .init = KNACK_INIT_XAVIER, .shape = {FEATURES, 64}});
    knack_model_layer(model, "own");
    return knack_model_set_width(model, FEATURES);
}

static knack_tensor *own_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model;
    const struct own *own = user;
    x = knack_reshape(x, 2, (const int64_t[]){knack_shape(x, NULL)[0], 64});
    return knack_layer(step, "own", knack_linear_layer(step, x, own->weight, NULL, KNACK_TANH));
}

static void own_close(knack_model *model, void *user)
{
    (void)model;
    ((struct own *)user)->closed++;
}

static void test_own_model(void **state)
{
    (void)state;
    static const struct knack_model_type type = {sizeof type, "own", own_declare, own_features, own_close};
    struct own own = {0};
    struct knack_run_options options = {.size = sizeof options, .out = "own", .model = &type, .model_user = &own};
    struct knack_result result = {.size = sizeof result};
    if (knack_train("small.json", &options, &result) < 0) fail_msg("%s", knack_error());
    assert_int_equal(own.closed, 1);
    assert_true(result.value > 0.3);
    char *weights = read_text("own/model.safetensors");
    assert_contains(weights + 8, "own.weight");
    free(weights);

    knack_predictor *predictor = knack_predictor_open("own", NULL, &type, &own);
    if (!predictor) fail_msg("%s", knack_error());
    float row[64] = {0}, out[10];
    assert_int_equal(knack_predict(predictor, row, 1, out), KNACK_OK);
    knack_predictor_close(predictor);
    assert_int_equal(own.closed, 2);
    assert_null(knack_predictor_open("own", NULL, NULL, NULL)); /* without the table there is no such model */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train),   cmocka_unit_test(test_older_structs),   cmocka_unit_test(test_wrong_training),
        cmocka_unit_test(test_predict), cmocka_unit_test(test_wrong_predictor), cmocka_unit_test(test_own_model),
    };
    return cmocka_run_group_tests(tests, set_up, workplace_leave);
}
