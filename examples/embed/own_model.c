/* Trains a model that this program supplies: one hidden layer and a skip connection around the next. knack does the rest: data, loop,
 * tricks, evaluation, files. The config's "model" is not used.
 *
 *   cc own_model.c $(pkg-config --cflags --libs knack) -o own_model
 *   ./own_model ../digits.json /tmp/own
 */
#include <knack/knack.h>
#include <stdio.h>

enum { WIDTH = 48 };

struct network {
    const knack_param *weight[2], *bias[2]; /* [WIDTH, inputs] and [WIDTH, WIDTH]; [WIDTH] */
};

static const knack_param *weights(knack_model *model, const char *name, int64_t outputs, int64_t inputs)
{
    return knack_model_param(
        model, &(struct knack_param_spec){
                   .size = sizeof(struct knack_param_spec), .name = name, .ndim = 2, .init = KNACK_INIT_HE, .shape = {outputs, inputs}});
}

static const knack_param *biases(knack_model *model, const char *name, int64_t outputs)
{
    return knack_model_param(
        model,
        &(struct knack_param_spec){.size = sizeof(struct knack_param_spec), .name = name, .ndim = 1, .no_decay = 1, .shape = {outputs}});
}

static knack_status declare(knack_model *model, void *user)
{
    struct network *network = user;
    int ndim;
    const int64_t *shape = knack_model_input(model, &ndim);
    int64_t inputs = 1;
    for (int i = 0; i < ndim; i++) inputs *= shape[i];
    network->weight[0] = weights(model, "first.weight", WIDTH, inputs);
    network->bias[0] = biases(model, "first.bias", WIDTH);
    network->weight[1] = weights(model, "second.weight", WIDTH, WIDTH);
    network->bias[1] = biases(model, "second.bias", WIDTH);
    knack_model_layer(model, "first"); /* a failure of any of these is kept, and reported after declare */
    knack_model_layer(model, "second");
    return knack_model_set_width(model, WIDTH);
}

static knack_tensor *features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model;
    const struct network *network = user;
    const int64_t flat[] = {knack_shape(x, NULL)[0], -1};
    x = knack_reshape(x, 2, flat); /* [rows, inputs] */
    knack_tensor *first = knack_layer(step, "first", knack_linear_layer(step, x, network->weight[0], network->bias[0], KNACK_RELU));
    knack_tensor *second = knack_linear_layer(step, first, network->weight[1], network->bias[1], KNACK_RELU);
    return knack_layer(step, "second", knack_add(first, second)); /* [rows, WIDTH] */
}

static void print_line(void *user, const char *line)
{
    (void)user;
    puts(line);
}

int main(int argc, char **argv)
{
    if (argc != 3) return fprintf(stderr, "usage: own_model CONFIG FOLDER\n"), 2;
    static const struct knack_model_type type = {.size = sizeof type, .name = "skip", .declare = declare, .features = features};
    struct network network = {0};
    struct knack_run_options options = {
        .size = sizeof options, .out = argv[2], .force = true, .model = &type, .model_user = &network, .log = print_line};
    struct knack_result result = {.size = sizeof result};
    if (knack_train(argv[1], &options, &result) < 0) return fprintf(stderr, "own_model: %s\n", knack_error()), 1;
    printf("%s of %s weights after %lld steps: %.4f\n", result.metric, result.weights, (long long)result.steps, result.value);
    return 0;
}
