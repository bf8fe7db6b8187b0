#include "model/layer_kinds.h"

#include <stddef.h>

#include "tensor/tape.h"

#define OPTION(member) offsetof(struct layer_options, member)
#define LAYER_FIELDS                                                                                                                       \
    {"type", JSON_TEXT, OPTION(type), NULL, NULL, NULL, "the kind of layer"},                                                              \
    {                                                                                                                                      \
        "name", JSON_TEXT, OPTION(name), "", NULL, NULL, "of the layer and its parameters; else the kind and a number"                     \
    }

static const struct json_field plain_fields[] = {LAYER_FIELDS, {NULL}};

/* Says that a layer wants another shape. */
static knack_status refuse_shape(knack_model *model, const struct json *at, const struct part_shape *shape, const char *wanted)
{
    char text[96];
    return model_fail(model, at, "takes %s, but what comes in is %s", wanted, shape_text(text, shape->ndim, shape->size));
}

/* ---- Linear ---- */

static const struct json_field linear_fields[] = {LAYER_FIELDS,
                                                  {"size", JSON_INTEGER, OPTION(size), NULL, "[1,1048576]", NULL, "how many outputs"},
                                                  {"bias", JSON_BOOLEAN, OPTION(bias), "true", NULL, NULL, "whether a bias is added"},
                                                  {NULL}};

static knack_status linear_declare(knack_model *model, struct layer *layer, const struct json *at, struct part_shape *shape)
{
    if (shape->ndim != 1) return refuse_shape(model, at, shape, "vectors (put a flatten or global-pool before it)");
    part_linear_declare(model, layer->name, shape->size[0], layer->options.size, layer->options.bias, &layer->linear);
    shape->size[0] = layer->options.size;
    return KNACK_OK;
}

static knack_tensor *linear_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    return knack_linear_layer(step, x, layer->linear.weight, layer->linear.bias, KNACK_LINEAR);
}

/* ---- Windows: convolution and pooling ---- */

static const struct json_field conv_fields[] = {
    LAYER_FIELDS,
    {"channels", JSON_INTEGER, OPTION(size), NULL, "[1,65536]", NULL, "how many channels it makes"},
    {"kernel", JSON_INTEGER, OPTION(kernel), "3", "[1,1024]", NULL, "side of its window"},
    {"stride", JSON_INTEGER, OPTION(stride), "1", "[1,1024]", NULL, "step of the window"},
    {"padding", JSON_INTEGER, OPTION(padding), "0", "[0,1024]", NULL, "zeros added on all four sides"},
    {"bias", JSON_BOOLEAN, OPTION(bias), "true", NULL, NULL, "whether a bias is added"},
    {NULL}};

static const struct json_field pool_fields[] = {
    LAYER_FIELDS,
    {"size", JSON_INTEGER, OPTION(kernel), "2", "[1,1024]", NULL, "side of its window"},
    {"stride", JSON_INTEGER, OPTION(stride), "", "[1,1024]", NULL, "step of the window; its side by default"},
    {"padding", JSON_INTEGER, OPTION(padding), "0", "[0,512]", NULL, "on all four sides, at most half of the side; never counts"},
    {NULL}};

/* Height and width after windows have slid over an image. */
static knack_status slide(knack_model *model, const struct layer_options *options, const struct json *at, struct part_shape *shape)
{
    if (shape->ndim != 3) return refuse_shape(model, at, shape, "images, [height, width, channels]");
    for (int axis = 0; axis < 2; axis++) {
        int64_t room = shape->size[axis] + 2 * options->padding - options->kernel;
        if (room < 0) return refuse_shape(model, at, shape, "images no smaller than its window");
        shape->size[axis] = room / options->stride + 1;
    }
    return KNACK_OK;
}

static knack_status conv_declare(knack_model *model, struct layer *layer, const struct json *at, struct part_shape *shape)
{
    const struct layer_options *options = &layer->options;
    TRY(slide(model, options, at, shape));
    struct part_conv_shape conv = {shape->size[2],       options->size,         (int)options->kernel,
                                   (int)options->stride, (int)options->padding, options->bias};
    part_conv_declare(model, layer->name, &conv, &layer->conv);
    shape->size[2] = options->size;
    return KNACK_OK;
}

static knack_tensor *conv_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    return part_conv_run(step, &layer->conv, x);
}

static knack_status pool_declare(knack_model *model, struct layer *layer, const struct json *at, struct part_shape *shape)
{
    struct layer_options *options = &layer->options;
    if (!options->stride) options->stride = options->kernel;
    if (2 * options->padding > options->kernel) return model_fail(model, at, "a padding of more than half the size leaves windows empty");
    return slide(model, options, at, shape);
}

static knack_tensor *max_pool_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    (void)step;
    const struct layer_options *options = &layer->options;
    return knack_max_pool(x, (int)options->kernel, (int)options->stride, (int)options->padding);
}

static knack_tensor *average_pool_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    (void)step;
    const struct layer_options *options = &layer->options;
    return knack_average_pool(x, (int)options->kernel, (int)options->stride, (int)options->padding);
}

static knack_status global_pool_declare(knack_model *model, struct layer *layer, const struct json *at, struct part_shape *shape)
{
    (void)layer;
    if (shape->ndim != 3) return refuse_shape(model, at, shape, "images, [height, width, channels]");
    *shape = (struct part_shape){1, {shape->size[2]}};
    return KNACK_OK;
}

static knack_tensor *global_pool_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    (void)step;
    (void)layer;
    return knack_global_pool(x);
}

/* ---- Norms ---- */

static const struct json_field layer_norm_fields[] = {
    LAYER_FIELDS, {"epsilon", JSON_DOUBLE, OPTION(epsilon), "1e-5", "(0,1]", NULL, "added to the variance"}, {NULL}};

static knack_status batch_norm_declare(knack_model *model, struct layer *layer, const struct json *at, struct part_shape *shape)
{
    (void)at;
    layer->norm = knack_model_norm(model, layer->name, shape->size[shape->ndim - 1]);
    return KNACK_OK;
}

static knack_tensor *batch_norm_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    return knack_batch_norm(step, layer->norm, x);
}

static knack_status layer_norm_declare(knack_model *model, struct layer *layer, const struct json *at, struct part_shape *shape)
{
    (void)at;
    char name[2 * PARAMS_NAME];
    struct knack_param_spec spec = {.size = sizeof spec, .no_decay = 1, .ndim = 1, .shape = {shape->size[shape->ndim - 1]}};
    spec.name = part_name(name, "%s.weight", layer->name);
    spec.init = KNACK_INIT_ONE;
    layer->weight = knack_model_param(model, &spec);
    spec.name = part_name(name, "%s.bias", layer->name);
    spec.init = KNACK_INIT_ZERO;
    layer->bias = knack_model_param(model, &spec);
    return KNACK_OK;
}

static knack_tensor *layer_norm_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    return knack_layer_norm(x, knack_param_tensor(step, layer->weight), knack_param_tensor(step, layer->bias), layer->options.epsilon);
}

/* ---- Without parameters ---- */

static const struct json_field dropout_fields[] = {
    LAYER_FIELDS, {"rate", JSON_DOUBLE, OPTION(rate), NULL, "[0,1)", NULL, "probability that a value becomes 0 in training"}, {NULL}};

static knack_tensor *dropout_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    return knack_dropout(step, layer->name, layer->options.rate, x);
}

static knack_tensor *relu_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    (void)step;
    (void)layer;
    return knack_relu(x);
}

static knack_tensor *gelu_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    (void)step;
    (void)layer;
    return knack_gelu(x);
}

static knack_tensor *tanh_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    (void)step;
    (void)layer;
    return knack_tanh(x);
}

static knack_tensor *sigmoid_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    (void)step;
    (void)layer;
    return knack_sigmoid(x);
}

static knack_status flatten_declare(knack_model *model, struct layer *layer, const struct json *at, struct part_shape *shape)
{
    (void)model;
    (void)layer;
    (void)at;
    int64_t values = 1;
    for (int axis = 0; axis < shape->ndim; axis++) values *= shape->size[axis];
    *shape = (struct part_shape){1, {values}};
    return KNACK_OK;
}

static knack_tensor *flatten_run(knack_step *step, const struct layer *layer, knack_tensor *x)
{
    (void)step;
    (void)layer;
    return part_flatten(x);
}

/* ---- The table ---- */

const struct layer_kind layer_kinds[] = {{"linear", "fc", linear_fields, linear_declare, linear_run},
                                         {"conv", "conv", conv_fields, conv_declare, conv_run},
                                         {"batch-norm", "bn", plain_fields, batch_norm_declare, batch_norm_run},
                                         {"layer-norm", "ln", layer_norm_fields, layer_norm_declare, layer_norm_run},
                                         {"relu", "relu", plain_fields, NULL, relu_run},
                                         {"gelu", "gelu", plain_fields, NULL, gelu_run},
                                         {"tanh", "tanh", plain_fields, NULL, tanh_run},
                                         {"sigmoid", "sigmoid", plain_fields, NULL, sigmoid_run},
                                         {"dropout", "dropout", dropout_fields, NULL, dropout_run},
                                         {"max-pool", "pool", pool_fields, pool_declare, max_pool_run},
                                         {"average-pool", "pool", pool_fields, pool_declare, average_pool_run},
                                         {"global-pool", "pool", plain_fields, global_pool_declare, global_pool_run},
                                         {"flatten", "flatten", plain_fields, flatten_declare, flatten_run},
                                         {NULL}};
enum { KINDS = sizeof layer_kinds / sizeof *layer_kinds - 1 };

const struct layer_kind *layer_kind_find(const struct json *object)
{
    const char *names[KINDS + 1] = {0};
    for (int i = 0; i < KINDS; i++) names[i] = layer_kinds[i].name;
    const struct json *type = json_member(object, "type");
    if (!type) {
        json_fail(object, KNACK_E_CONFIG, "a layer must be an object with a \"type\", or with \"residual\": [layers]");
        return NULL;
    }
    struct json_field field = {"type", JSON_CHOICE, 0, NULL, NULL, names, NULL};
    int chosen = 0;
    return json_value(type, &field, &chosen) < 0 ? NULL : &layer_kinds[chosen];
}

/* The properties of a layer's "type", as one more constraint beside those that its fields give. */
static void type_schema(struct json_writer *writer, const char *name)
{
    json_open(writer, "allOf", '[');
    json_open(writer, NULL, '{');
    json_open(writer, "properties", '{');
    json_open(writer, "type", '{');
    json_string(writer, "const", name);
    for (int depth = 0; depth < 3; depth++) json_close(writer);
    json_close(writer);
}

void layer_kinds_schema(struct json_writer *writer)
{
    for (const struct layer_kind *kind = layer_kinds; kind->name; kind++) {
        json_open(writer, NULL, '{');
        json_schema_fields(writer, kind->fields);
        type_schema(writer, kind->name);
        json_close(writer);
    }
}
