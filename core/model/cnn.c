/* cnn: blocks of a 3x3 convolution, batch norm, ReLU and 2x2 max pooling, then a stack of linear layers as in mlp. */
#include "base/memory.h"
#include "model/builtin.h"
#include "tensor/conv_norm.h"

struct cnn_options {
    struct builtin_options common;
    struct json_doubles channels, hidden;
    double dropout;
};

struct block {
    struct part_conv_norm conv; /* convN, bnN */
    const char *name;           /* blockN: what leaves the pooling */
};

struct cnn {
    struct part_sizes channels, hidden;
    double dropout;
    struct block *block; /* [channels.count] */
    struct part_stack stack;
};

static const char *const cnn_names[] = {"cnn", NULL};
static const struct json_field cnn_fields[] = {
    BUILTIN_FIELDS(cnn_names, NULL),
    {"channels", JSON_DOUBLES, offsetof(struct cnn_options, channels), "[32, 64]", "[1,65536]", NULL, "channels of each convolution"},
    {"hidden", JSON_DOUBLES, offsetof(struct cnn_options, hidden), "[128]", "[1,1048576]", NULL, "units of each hidden linear layer"},
    {"dropout", JSON_DOUBLE, offsetof(struct cnn_options, dropout), "0", "[0,1)", NULL, "rate of dropout behind each hidden linear layer"},
    {NULL}};

static knack_status cnn_read(const struct json *config, void **user)
{
    struct cnn_options options = {0};
    TRY(json_fields(config, cnn_fields, &options));
    struct cnn *cnn = memory_new(1, sizeof *cnn);
    if (!cnn) return KNACK_E_MEMORY;
    cnn->dropout = options.dropout;
    *user = cnn;
    TRY(builtin_sizes(config, "channels", options.channels, &cnn->channels));
    return builtin_sizes(config, "hidden", options.hidden, &cnn->hidden);
}

static void block_declare(knack_model *model, struct block *block, int64_t number, int64_t in, int64_t out)
{
    char conv[2 * PARAMS_NAME], norm[2 * PARAMS_NAME], name[2 * PARAMS_NAME];
    part_name(conv, "conv%lld", (long long)number);
    part_name(norm, "bn%lld", (long long)number);
    part_conv_norm_declare(model, conv, norm, &(struct part_conv_shape){in, out, 3, 1, 1, false}, &block->conv);
    block->name = model_watch(model, part_name(name, "block%lld", (long long)number));
}

static knack_tensor *block_run(knack_step *step, const struct block *block, knack_tensor *x)
{
    return knack_layer(step, block->name, tensor_norm_relu(part_conv_norm_pool_run(step, &block->conv, x), false));
}

static knack_status cnn_declare(knack_model *model, void *user)
{
    struct cnn *cnn = user;
    int ndim;
    const int64_t *shape = knack_model_input(model, &ndim);
    if (ndim != 3) return model_fail(model, NULL, "a cnn takes images, [height, width, channels], but an input has %d axes", ndim);
    cnn->block = memory_new((size_t)cnn->channels.count, sizeof *cnn->block);
    if (!cnn->block) return KNACK_E_MEMORY;
    int64_t height = shape[0], width = shape[1], channels = shape[2];
    for (int64_t i = 0; i < cnn->channels.count; i++) {
        if (height < 2 || width < 2) {
            return model_fail(model, json_member(model->config, "channels"),
                              "after %lld poolings the image is %lld x %lld, too small for another; list fewer channels", (long long)i,
                              (long long)height, (long long)width);
        }
        block_declare(model, &cnn->block[i], i + 1, channels, cnn->channels.value[i]);
        height /= 2;
        width /= 2;
        channels = cnn->channels.value[i];
    }
    int64_t features = height * width * channels;
    part_stack_declare(model, &cnn->hidden, cnn->dropout, &features, &cnn->stack);
    return knack_model_set_width(model, features);
}

static knack_tensor *cnn_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model;
    const struct cnn *cnn = user;
    for (int64_t i = 0; i < cnn->channels.count; i++) x = block_run(step, &cnn->block[i], x);
    return part_stack_run(step, &cnn->stack, part_flatten(tensor_made(x)));
}

static void cnn_close(knack_model *model, void *user)
{
    (void)model;
    struct cnn *cnn = user;
    part_stack_free(&cnn->stack);
    memory_free(cnn->block);
    memory_free(cnn->channels.value);
    memory_free(cnn->hidden.value);
    memory_free(cnn);
}

const struct builtin_model builtin_cnn = {
    .type = {sizeof(struct knack_model_type), "cnn", cnn_declare, cnn_features, cnn_close},
    .summary = "3x3 convolutions with batch norm, ReLU and max pooling, then linear layers",
    .fields = cnn_fields,
    .read = cnn_read,
};
