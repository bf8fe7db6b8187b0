/* Models as they are declared: parameters, names, shapes, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "bench.h"

static const int64_t digits[] = {8, 8, 1}, fashion[] = {28, 28, 1}, cifar[] = {32, 32, 3}, table[] = {5}, tokens[] = {12};

static int64_t entries(const struct bench *bench)
{
    int64_t count = 0;
    for (int64_t i = 0; i < bench->params->count; i++) count += bench->params->list[i]->public.count;
    return count;
}

static void expect_param(const struct bench *bench, const char *name, int ndim, const int64_t *shape, bool no_decay)
{
    const struct param *param = params_find(bench->params, name);
    if (!param) fail_msg("no parameter %s", name);
    assert_int_equal(param->public.ndim, ndim);
    for (int axis = 0; axis < ndim; axis++) assert_int_equal(param->public.shape[axis], shape[axis]);
    assert_int_equal(param->public.no_decay, no_decay);
    assert_null(param->owner);
}

static void expect_layers(const struct bench *bench, const char *const *names)
{
    for (int64_t i = 0; i < bench->model->layer_count; i++) {
        assert_non_null(names[i]);
        assert_string_equal(bench->model->layer[i], names[i]);
    }
    assert_null(names[bench->model->layer_count]);
}

/* ---- Each model ---- */

static void mlp_is_a_stack_of_linear_layers(void **state)
{
    (void)state;
    struct bench *bench = bench_open("{\"type\": \"mlp\", \"hidden\": [256, 128], \"dropout\": 0.1}", 3, fashion, 10);
    expect_param(bench, "fc1.weight", 2, (int64_t[]){256, 784}, false);
    expect_param(bench, "fc1.bias", 1, (int64_t[]){256}, true);
    expect_param(bench, "fc2.weight", 2, (int64_t[]){128, 256}, false);
    expect_param(bench, "head.weight", 2, (int64_t[]){10, 128}, false);
    expect_param(bench, "head.bias", 1, (int64_t[]){10}, true);
    assert_int_equal(entries(bench), 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10);
    assert_int_equal(bench->model->width, 128);
    expect_layers(bench, (const char *const[]){"input", "fc1", "fc2", "features", NULL});
    bench_close(bench);

    bench = bench_open("{\"type\": \"mlp\"}", 1, table, 2);
    assert_int_equal(entries(bench), 5 * 64 + 64 + 64 * 64 + 64 + 64 * 2 + 2);
    bench_close(bench);

    bench = bench_open("{\"type\": \"mlp\", \"hidden\": []}", 1, table, 2);
    assert_int_equal(entries(bench), 5 * 2 + 2);
    assert_int_equal(bench->model->width, 5);
    bench_close(bench);
}

static void cnn_halves_the_image_at_each_block(void **state)
{
    (void)state;
    struct bench *bench = bench_open("{\"type\": \"cnn\", \"channels\": [32, 64], \"hidden\": [128], \"dropout\": 0.25}", 3, fashion, 10);
    expect_param(bench, "conv1.weight", 4, (int64_t[]){32, 1, 3, 3}, false);
    expect_param(bench, "conv2.weight", 4, (int64_t[]){64, 32, 3, 3}, false);
    expect_param(bench, "bn1.weight", 1, (int64_t[]){32}, true);
    expect_param(bench, "bn2.bias", 1, (int64_t[]){64}, true);
    expect_param(bench, "fc1.weight", 2, (int64_t[]){128, 7 * 7 * 64}, false);
    assert_null(params_find(bench->params, "conv1.bias"));
    assert_int_equal(entries(bench), 32 * 9 + 64 + 64 * 32 * 9 + 128 + 128 * 3136 + 128 + 1280 + 10);
    assert_int_equal(bench->params->statistics_total, 2 * (32 + 64));
    assert_non_null(params_find_statistic(bench->params, "bn2.variance"));
    expect_layers(bench, (const char *const[]){"input", "block1", "block2", "fc1", "features", NULL});
    bench_close(bench);

    bench = bench_open("{\"type\": \"cnn\", \"channels\": [4, 8, 16], \"hidden\": []}", 3, (int64_t[]){9, 15, 3}, 10);
    assert_int_equal(bench->model->width, 1 * 1 * 16);
    bench_close(bench);
}

static void resnet20_has_its_size(void **state)
{
    (void)state;
    struct bench *bench = bench_open("{\"type\": \"resnet\", \"depth\": 20}", 3, cifar, 10);
    int64_t blocks = 6 * 16 * 16 * 9 + (16 * 32 + 5 * 32 * 32) * 9 + (32 * 64 + 5 * 64 * 64) * 9;
    int64_t shortcuts = 16 * 32 + 32 * 64, norms = 2 * (7 * 16 + 7 * 32 + 7 * 64);
    assert_int_equal(entries(bench), 3 * 16 * 9 + blocks + shortcuts + norms + 64 * 10 + 10);
    assert_in_range(entries(bench), 270000, 275000);
    expect_param(bench, "stem.conv.weight", 4, (int64_t[]){16, 3, 3, 3}, false);
    expect_param(bench, "stage1.block1.conv1.weight", 4, (int64_t[]){16, 16, 3, 3}, false);
    expect_param(bench, "stage2.block1.shortcut.conv.weight", 4, (int64_t[]){32, 16, 1, 1}, false);
    expect_param(bench, "stage3.block3.bn2.bias", 1, (int64_t[]){64}, true);
    assert_null(params_find(bench->params, "stage1.block1.shortcut.conv.weight"));
    assert_null(params_find(bench->params, "stage2.block2.shortcut.conv.weight"));
    expect_layers(bench, (const char *const[]){"input", "stem", "stage1.block1", "stage1.block2", "stage1.block3", "stage2.block1",
                                               "stage2.block2", "stage2.block3", "stage3.block1", "stage3.block2", "stage3.block3",
                                               "features", NULL});
    bench_close(bench);

    bench = bench_open("{\"type\": \"resnet\", \"depth\": 8, \"width\": 4}", 3, digits, 10);
    assert_int_equal(bench->model->width, 16);
    bench_close(bench);
}

static void an_encoder_is_a_table_and_layers(void **state)
{
    (void)state;
    struct bench *bench = bench_open("{\"type\": \"encoder\", \"vocabulary\": 50, \"layers\": 2, \"width\": 6, \"heads\": 2, "
                                     "\"feedforward\": 9}",
                                     1, tokens, 3);
    expect_param(bench, "embedding.weight", 2, (int64_t[]){50, 6}, false);
    expect_param(bench, "positions.weight", 2, (int64_t[]){12, 6}, false);
    expect_param(bench, "embedding.norm.weight", 1, (int64_t[]){6}, true);
    expect_param(bench, "layer1.attention.in.weight", 2, (int64_t[]){18, 6}, false);
    expect_param(bench, "layer1.attention.in.bias", 1, (int64_t[]){18}, true);
    expect_param(bench, "layer2.attention.out.weight", 2, (int64_t[]){6, 6}, false);
    expect_param(bench, "layer2.norm1.bias", 1, (int64_t[]){6}, true);
    expect_param(bench, "layer2.fc1.weight", 2, (int64_t[]){9, 6}, false);
    expect_param(bench, "layer2.fc2.weight", 2, (int64_t[]){6, 9}, false);
    expect_param(bench, "layer2.norm2.weight", 1, (int64_t[]){6}, true);
    assert_null(params_find(bench->params, "norm.weight"));
    assert_int_equal(params_find(bench->params, "embedding.weight")->init, KNACK_INIT_NORMAL);
    const int64_t layer = 18 * 6 + 18 + 6 * 6 + 6 + 9 * 6 + 9 + 6 * 9 + 6 + 4 * 6;
    assert_int_equal(entries(bench), 50 * 6 + 12 * 6 + 2 * 6 + 2 * layer + 6 * 3 + 3);
    assert_int_equal(bench->model->width, 6);
    expect_layers(bench, (const char *const[]){"input", "embedding", "layer1", "layer2", "features", NULL});
    bench_close(bench);

    bench = bench_open("{\"type\": \"encoder\", \"vocabulary\": 2, \"norm\": \"pre\"}", 1, tokens, 3);
    expect_param(bench, "norm.bias", 1, (int64_t[]){128}, true);
    assert_null(params_find(bench->params, "embedding.norm.weight"));
    expect_layers(bench, (const char *const[]){"input", "embedding", "layer1", "layer2", "layer3", "layer4", "features", NULL});
    bench_close(bench);
}

static const char list_config[] =
    "{\"type\": \"layers\", \"layers\": ["
    " {\"type\": \"conv\", \"channels\": 4, \"padding\": 1, \"bias\": false}, {\"type\": \"batch-norm\"}, {\"type\": \"relu\"},"
    " {\"residual\": [{\"type\": \"conv\", \"channels\": 6, \"stride\": 2, \"padding\": 1}, {\"type\": \"gelu\"}],"
    "  \"shortcut\": [{\"type\": \"conv\", \"channels\": 6, \"kernel\": 1, \"stride\": 2}]},"
    " {\"residual\": [{\"type\": \"tanh\"}], \"name\": \"extra\"},"
    " {\"type\": \"max-pool\"}, {\"type\": \"average-pool\", \"size\": 2, \"stride\": 1, \"padding\": 1},"
    " {\"type\": \"flatten\"}, {\"type\": \"linear\", \"size\": 7, \"name\": \"neck\"}, {\"type\": \"layer-norm\"},"
    " {\"type\": \"sigmoid\"}, {\"type\": \"dropout\", \"rate\": 0.2}, {\"type\": \"linear\", \"size\": 5, \"bias\": false}]}";

static void layers_infer_their_shapes(void **state)
{
    (void)state;
    struct bench *bench = bench_open(list_config, 3, digits, 3);
    expect_param(bench, "conv1.weight", 4, (int64_t[]){4, 1, 3, 3}, false);
    expect_param(bench, "bn1.weight", 1, (int64_t[]){4}, true);
    expect_param(bench, "block1.conv1.weight", 4, (int64_t[]){6, 4, 3, 3}, false);
    expect_param(bench, "block1.conv1.bias", 1, (int64_t[]){6}, true);
    expect_param(bench, "block1.shortcut.conv1.weight", 4, (int64_t[]){6, 4, 1, 1}, false);
    expect_param(bench, "neck.weight", 2, (int64_t[]){7, 3 * 3 * 6}, false);
    expect_param(bench, "ln1.weight", 1, (int64_t[]){7}, true);
    expect_param(bench, "fc1.weight", 2, (int64_t[]){5, 7}, false);
    assert_null(params_find(bench->params, "fc1.bias"));
    expect_layers(bench, (const char *const[]){"input",    "conv1",        "bn1",          "relu1",
                                               "block1",   "block1.conv1", "block1.gelu1", "block1.shortcut.conv1",
                                               "extra",    "extra.tanh1",  "pool1",        "pool2",
                                               "flatten1", "neck",         "ln1",          "sigmoid1",
                                               "dropout1", "fc1",          "features",     NULL});
    bench_close(bench);

    bench = bench_open("{\"type\": \"layers\", \"layers\": [{\"type\": \"global-pool\"}]}", 3, cifar, 3);
    assert_int_equal(bench->model->width, 3);
    bench_close(bench);
}

static void initialisation_can_be_xavier(void **state)
{
    (void)state;
    struct bench *bench = bench_open("{\"type\": \"mlp\", \"initialisation\": \"xavier\"}", 1, table, 2);
    assert_int_equal(params_find(bench->params, "fc1.weight")->init, KNACK_INIT_XAVIER);
    assert_int_equal(params_find(bench->params, "head.weight")->init, KNACK_INIT_XAVIER);
    assert_int_equal(params_find(bench->params, "fc1.bias")->init, KNACK_INIT_ZERO);
    bench_close(bench);
    bench = bench_open("{\"type\": \"mlp\"}", 1, table, 2);
    assert_int_equal(params_find(bench->params, "fc1.weight")->init, KNACK_INIT_HE);
    bench_close(bench);
}

static void a_trick_may_bring_the_head(void **state)
{
    (void)state;
    struct json_document *config;
    assert_int_equal(json_parse("{\"type\": \"mlp\"}", 15, "test.json", &config), KNACK_OK);
    struct params *params = params_new();
    struct knack_model *model;
    assert_int_equal(model_new(config->root, NULL, NULL, params, 1, table, 2, false, &model), KNACK_OK);
    assert_null(model->head_weight);
    assert_null(params_find(params, "head.weight"));
    model_free(model);
    params_free(params);
    json_free(config);
}

/* ---- What is refused ---- */

static void expect_refusal(const char *config, int ndim, const int64_t *input, const char *message)
{
    assert_int_equal(bench_try(config, ndim, input), KNACK_E_CONFIG);
    expect_message("test.json: ");
    expect_message(message);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    expect_refusal("[]", 1, table, "the model must be an object, such as {\"type\": \"mlp\"}");
    expect_refusal("{\"type\": \"mpl\"}", 1, table, "at type: unknown value \"mpl\"; nearest is \"mlp\"");
    expect_refusal("{\"type\": \"mlp\", \"hiden\": [3]}", 1, table, "at hiden: unknown name; nearest is \"hidden\"");
    expect_refusal("{\"type\": \"mlp\", \"hidden\": [64, 0]}", 1, table, "at hidden[1]: expected a number in [1,1048576], got 0");
    expect_refusal("{\"type\": \"mlp\", \"hidden\": [64, 2.5]}", 1, table, "at hidden[1]: expected a whole number");
    expect_refusal("{\"type\": \"mlp\", \"dropout\": 1}", 1, table, "at dropout: expected a number in [0,1), got 1");
    expect_refusal("{\"type\": \"mlp\", \"initialisation\": \"hee\"}", 1, table,
                   "at initialisation: unknown value \"hee\"; nearest is \"he\"");
    expect_refusal("{\"type\": \"resnet\", \"depth\": 21}", 3, cifar, "at depth: 21 is not 6 n + 2; the nearest depths are 20 and 26");
    expect_refusal("{\"type\": \"layers\"}", 1, table, "\"layers\" is missing");
    expect_refusal("{\"type\": \"encoder\"}", 1, tokens,
                   "\"vocabulary\" is missing; expected a whole number in [1,16777216]: how many token ids there are");
    expect_refusal("{\"type\": \"encoder\", \"vocabulary\": 9, \"width\": 32, \"heads\": 5}", 1, tokens,
                   "at heads: 5 heads do not divide a width of 32");
    expect_refusal("{\"type\": \"encoder\", \"vocabulary\": 9, \"width\": 31}", 1, tokens, "at width: 4 heads do not divide a width of 31");
    expect_refusal("{\"type\": \"encoder\", \"vocabulary\": 9, \"padding\": 9}", 1, tokens,
                   "at padding: 9 is no id of a vocabulary of 9, which are 0 to 8");
    expect_refusal("{\"type\": \"encoder\", \"vocabulary\": 9, \"norm\": \"pre-norm\"}", 1, tokens,
                   "at norm: expected one of 2 names: post, pre, got \"pre-norm\"");
    expect_refusal("{\"type\": \"mlp\", \"vocabulary\": 9}", 1, tokens,
                   "at vocabulary: mlp has no such key, encoder has; \"type\" says which model it is");
    expect_refusal("{\"type\": \"resnet\", \"channels\": [8]}", 3, cifar,
                   "at channels: resnet has no such key, cnn has; \"type\" says which model it is");
    expect_refusal("{\"channels\": [8]}", 3, cifar, "at channels: mlp has no such key, cnn has; \"type\" says which model it is");
    assert_int_equal(bench_try("{\"type\": \"mlp\", \"init\": \"w.safetensors\"}", 1, table), KNACK_OK);
    assert_int_equal(bench_try("{}", 1, table), KNACK_OK); /* an mlp */
    assert_int_equal(bench_try("{\"hidden\": [32]}", 1, table), KNACK_OK);
}

static void inputs_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    assert_int_equal(bench_try("{\"type\": \"mlp\"}", 5, (int64_t[]){1, 1, 1, 1, 1}), KNACK_E_DATA);
    expect_message("an input of a model has 1 to 4 axes, not 5");
    expect_refusal("{\"type\": \"cnn\"}", 1, table, "a cnn takes images, [height, width, channels], but an input has 1 axes");
    expect_refusal("{\"type\": \"resnet\"}", 1, table, "a resnet takes images, [height, width, channels], but an input has 1 axes");
    expect_refusal("{\"type\": \"cnn\", \"channels\": [4, 4, 4, 4]}", 3, digits,
                   "at channels: after 3 poolings the image is 1 x 1, too small for another; list fewer channels");
    expect_refusal("{\"type\": \"encoder\", \"vocabulary\": 17}", 3, digits, "an encoder takes rows of token ids, but an input has 3 axes");
}

static void expect_list_refusal(const char *list, int ndim, const int64_t *input, const char *message)
{
    char config[1024];
    snprintf(config, sizeof config, "{\"type\": \"layers\", \"layers\": %s}", list);
    expect_refusal(config, ndim, input, message);
}

static void bad_lists_of_layers_are_refused(void **state)
{
    (void)state;
    expect_list_refusal("{}", 1, table, "at layers: must be a list of layers, not an object");
    expect_list_refusal("[3]", 1, table, "at layers[0]: a layer must be an object with a \"type\", or with \"residual\"");
    expect_list_refusal("[{\"type\": \"liner\", \"size\": 3}]", 1, table,
                        "at layers[0].type: unknown value \"liner\"; nearest is \"linear\"");
    expect_list_refusal("[{\"type\": \"linear\"}]", 1, table, "at layers[0]: \"size\" is missing");
    expect_list_refusal("[{\"type\": \"relu\", \"size\": 3}]", 1, table, "at layers[0].size: unknown name");
    expect_list_refusal("[{\"type\": \"linear\", \"size\": 3}]", 3, digits,
                        "at layers[0]: takes vectors (put a flatten or global-pool before it), but what comes in is [8, 8, 1]");
    expect_list_refusal("[{\"type\": \"flatten\"}, {\"type\": \"conv\", \"channels\": 3}]", 3, digits,
                        "at layers[1]: takes images, [height, width, channels], but what comes in is [64]");
    expect_list_refusal("[{\"type\": \"conv\", \"channels\": 3, \"kernel\": 11, \"padding\": 1}]", 3, digits,
                        "at layers[0]: takes images no smaller than its window, but what comes in is [8, 8, 1]");
    expect_list_refusal("[{\"type\": \"max-pool\", \"size\": 2, \"padding\": 2}]", 3, digits,
                        "at layers[0]: a padding of more than half the size leaves windows empty");
    expect_list_refusal("[{\"type\": \"global-pool\"}]", 1, table, "at layers[0]: takes images");
    expect_list_refusal("[{\"type\": \"relu\"}]", 3, digits,
                        "at layers: the last layer gives [8, 8, 1], but features must be a vector; end with global-pool or flatten");
    expect_list_refusal("[{\"residual\": [{\"type\": \"linear\", \"size\": 3}]}]", 1, table,
                        "at layers[0]: residual gives [3], but the block's input is [5]; they must be equal to be added");
    expect_list_refusal("[{\"residual\": [], \"shortcut\": [{\"type\": \"linear\", \"size\": 3}]}]", 1, table,
                        "at layers[0]: residual gives [5], but the shortcut is [3]; they must be equal to be added");
    expect_list_refusal("[{\"residual\": {}}]", 1, table, "at layers[0].residual: must be a list of layers, not an object");
    expect_list_refusal("[{\"residual\": [{\"type\": \"conv\", \"channels\": 2}]}]", 1, table, "at layers[0].residual[0]: takes images");
    expect_list_refusal("[{\"type\": \"relu\", \"name\": \"a\"}, {\"type\": \"relu\", \"name\": \"a\"}]", 1, table,
                        "at layers[1].name: an earlier layer has the name a");
    expect_list_refusal("[{\"type\": \"relu\", \"name\": \"a.b\"}]", 1, table,
                        "at layers[0].name: a name is made of letters, digits, '_' and '-'");
    expect_list_refusal("[{\"type\": \"relu\", \"name\": \"features\"}]", 1, table, "layer features: this name is already taken");
    expect_list_refusal("[{\"type\": \"relu\", \"name\": \"head\"}]", 1, table, "layer head: this name is already taken");
    expect_list_refusal("[{\"type\": \"relu\", \"name\": \"input\"}]", 1, table, "an earlier layer has the name input");
}

/* ---- A program's own model ---- */

struct own {
    const knack_param *weight;
    int mistake; /* see own_declare */
    int closed;
};

static knack_status own_declare(knack_model *model, void *user)
{
    struct own *own = user;
    int ndim;
    const int64_t *input = knack_model_input(model, &ndim);
    assert_int_equal(ndim, 1);
    struct knack_param_spec spec = {.size = sizeof spec, .name = "w", .ndim = 2, .init = KNACK_INIT_HE, .shape = {4, input[0]}};
    own->weight = knack_model_param(model, &spec);
    knack_model_layer(model, "hidden");
    if (own->mistake == 1) knack_model_layer(model, "hidden");
    if (own->mistake == 2) knack_model_norm(model, "w", 0);
    if (own->mistake == 3) return status_set(KNACK_E_DATA, "my own reason");
    if (own->mistake == 4) return KNACK_OK;
    if (own->mistake == 5) knack_model_param(model, &spec);
    if (own->mistake == 8) return KNACK_E_DATA;
    if (own->mistake == 9) knack_model_param(model, NULL);
    if (own->mistake == 10) knack_model_norm(model, NULL, 3);
    return knack_model_set_width(model, own->mistake == 6 ? 0 : own->mistake == 7 ? 5 : 4);
}

static knack_tensor *own_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    const struct own *own = user;
    knack_tensor *y = knack_layer(step, "hidden", knack_linear_layer(step, x, own->weight, NULL, KNACK_RELU));
    assert_int_equal(knack_model_layer(model, "late"), KNACK_E_CALL);
    return own->mistake == 11 ? NULL : y;
}

static void own_close(knack_model *model, void *user)
{
    (void)model;
    ((struct own *)user)->closed++;
}

static const struct knack_model_type own_type = {sizeof own_type, "own", own_declare, own_features, own_close};

static void a_program_brings_its_own_model(void **state)
{
    (void)state;
    struct own own = {0};
    struct bench *bench = bench_open_own(&own_type, &own, 1, table, 3);
    expect_layers(bench, (const char *const[]){"input", "hidden", "features", NULL});
    knack_real x[2 * 5];
    fill_noise(x, 10, 1);
    bench_begin(bench, 0, 2, NORMS_RUNNING, false);
    knack_tensor *logits = bench_logits(bench, x);
    assert_int_equal(logits->shape[0], 2);
    assert_int_equal(logits->shape[1], 3);
    bench_close(bench);
    assert_int_equal(own.closed, 1);
}

static void its_mistakes_are_told(void **state)
{
    (void)state;
    static const struct {
        knack_status status;
        const char *message;
    } expected[] = {
        [1] = {KNACK_E_CONFIG, "model own: layer hidden: this name is already taken"},
        [2] = {KNACK_E_CONFIG, "parameter w.weight: each size of its shape must be at least 1"},
        [3] = {KNACK_E_DATA, "my own reason"},
        [4] = {KNACK_E_CONFIG, "model own: declare() did not say the features' width by knack_model_set_width()"},
        [5] = {KNACK_E_CONFIG, "parameter w: this name is already taken"},
        [6] = {KNACK_E_CONFIG, "model own: the features' width is 0, it must be at least 1"},
        [8] = {KNACK_E_DATA, "model own: its declare() failed with status -3"},
        [9] = {KNACK_E_CONFIG, "model own: knack_model_param() was called without a specification"},
        [10] = {KNACK_E_CONFIG, "model own: knack_model_norm() was called without a name"},
    };
    for (int mistake = 1; mistake <= 10; mistake++) {
        if (!expected[mistake].message) continue; /* one of features(), below */
        struct own own = {.mistake = mistake};
        struct params *params = params_new();
        struct knack_model *model;
        assert_int_equal(model_new(NULL, &own_type, &own, params, 1, table, 3, true, &model), expected[mistake].status);
        expect_message(expected[mistake].message);
        assert_null(model);
        assert_int_equal(own.closed, 1);
        params_free(params);
    }
    struct own own = {.mistake = 7};
    struct bench *bench = bench_open_own(&own_type, &own, 1, table, 3);
    knack_step *step = bench_begin(bench, 0, 2, NORMS_RUNNING, false);
    knack_tensor *x = knack_constant(step, KNACK_REAL, 2, (int64_t[]){2, 5}, (knack_real[10]){0});
    assert_null(model_features(bench->model, step, x));
    assert_int_equal(tape_status(&bench->tape), KNACK_E_SHAPE);
    expect_message("model own: features gave [2, 4], not [2, 5]");
    bench_close(bench);
    own = (struct own){.mistake = 11};
    bench = bench_open_own(&own_type, &own, 1, table, 3);
    step = bench_begin(bench, 0, 2, NORMS_RUNNING, false);
    assert_null(model_features(bench->model, step, knack_constant(step, KNACK_REAL, 2, (int64_t[]){2, 5}, (knack_real[10]){0})));
    assert_int_equal(tape_status(&bench->tape), KNACK_E_CALL);
    expect_message("model own: features gave no tensor");
    bench_close(bench);
}

/* Whatever is wrong before the model is declared, what it owns is freed. */
static void it_is_closed_when_all_else_is_wrong(void **state)
{
    (void)state;
    static const char text[] = "{\"initialisation\": \"hee\"}";
    struct own own = {0};
    struct params *params = params_new();
    struct knack_model *model;
    struct json_document *config;
    assert_int_equal(json_parse(text, sizeof text - 1, "test.json", &config), KNACK_OK);
    assert_int_equal(model_new(config->root, &own_type, &own, params, 1, table, 3, true, &model), KNACK_E_CONFIG);
    expect_message("at initialisation: unknown value \"hee\"; nearest is \"he\"");
    assert_int_equal(own.closed, 1);
    assert_int_equal(model_new(NULL, &own_type, &own, params, 0, table, 3, true, &model), KNACK_E_DATA);
    expect_message("an input of a model has 1 to 4 axes, not 0");
    assert_int_equal(own.closed, 2);
    json_free(config);
    params_free(params);
}

static void an_incomplete_table_is_refused(void **state)
{
    (void)state;
    struct params *params = params_new();
    struct knack_model *model;
    struct knack_model_type type = own_type;
    type.size = 0;
    assert_int_equal(model_new(NULL, &type, NULL, params, 1, table, 3, true, &model), KNACK_E_CALL);
    expect_message("struct knack_model_type: set its size to sizeof");
    assert_int_equal(model_new(NULL, NULL, NULL, params, 1, table, 3, true, &model), KNACK_E_CONFIG);
    expect_message("the config has no \"model\"");
    params_free(params);
}

/* ---- Schema, memory ---- */

static void the_schema_lists_all_models(void **state)
{
    (void)state;
    struct json_writer *writer = json_writer_new(true);
    json_open(writer, NULL, '{');
    model_schema(writer, "model");
    json_close(writer);
    size_t size;
    const char *text = json_text(writer, &size);
    assert_non_null(text);
    struct json_document *schema;
    if (json_parse(text, size, "schema", &schema) < 0) fail_msg("%s", knack_error());
    const struct json *models = json_member(json_member(schema->root, "model"), "oneOf");
    assert_int_equal(models->count, 5);
    const struct json *mlp = models->first, *layers = mlp->next->next->next->next;
    assert_non_null(json_member(json_member(mlp, "properties"), "hidden"));
    assert_non_null(json_member(json_member(mlp, "properties"), "initialisation"));
    const struct json *layer = json_member(json_member(layers, "$defs"), "layer");
    assert_int_equal(json_member(layer, "oneOf")->count, 14); /* thirteen kinds, and residual blocks */
    assert_string_equal(json_member(layer, "$anchor")->string, "layer");
    json_free(schema);
    json_writer_free(writer);
}

static void fail_allocations(const char *config, int ndim, const int64_t *input)
{
    struct json_document *document;
    assert_int_equal(json_parse(config, strlen(config), "test.json", &document), KNACK_OK);
    struct knack_model *model = NULL;
    int64_t nth = 1;
    for (; nth < 1000 && !model; nth++) {
        struct params *params = params_new();
        memory_fail_at(nth);
        knack_status status = model_new(document->root, NULL, NULL, params, ndim, input, 3, true, &model);
        memory_fail_at(0);
        assert_true(status == KNACK_OK || status == KNACK_E_MEMORY);
        model_free(model);
        params_free(params);
    }
    assert_true(nth > 10 && nth < 1000);
    json_free(document);
}

static void failing_allocations_leave_nothing(void **state)
{
    (void)state;
    fail_allocations("{\"type\": \"mlp\", \"hidden\": [3, 4]}", 3, digits);
    fail_allocations("{\"type\": \"cnn\", \"channels\": [3], \"hidden\": [4]}", 3, digits);
    fail_allocations("{\"type\": \"resnet\", \"depth\": 8, \"width\": 2}", 3, digits);
    fail_allocations("{\"type\": \"encoder\", \"vocabulary\": 9, \"width\": 8, \"layers\": 2}", 1, tokens);
    fail_allocations(list_config, 3, digits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mlp_is_a_stack_of_linear_layers),
        cmocka_unit_test(cnn_halves_the_image_at_each_block),
        cmocka_unit_test(resnet20_has_its_size),
        cmocka_unit_test(an_encoder_is_a_table_and_layers),
        cmocka_unit_test(layers_infer_their_shapes),
        cmocka_unit_test(initialisation_can_be_xavier),
        cmocka_unit_test(a_trick_may_bring_the_head),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(inputs_that_do_not_fit_are_refused),
        cmocka_unit_test(bad_lists_of_layers_are_refused),
        cmocka_unit_test(a_program_brings_its_own_model),
        cmocka_unit_test(its_mistakes_are_told),
        cmocka_unit_test(an_incomplete_table_is_refused),
        cmocka_unit_test(it_is_closed_when_all_else_is_wrong),
        cmocka_unit_test(the_schema_lists_all_models),
        cmocka_unit_test(failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
