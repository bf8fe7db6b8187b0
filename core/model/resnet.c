/* resnet: the CIFAR form of arXiv:1512.03385, section 4.2, with 1x1 convolutions as shortcuts where shapes change (their option B). */
#include "base/memory.h"
#include "model/builtin.h"
#include "tensor/conv_norm.h"

enum { STAGES = 3 };

struct resnet_options {
    struct builtin_options common;
    int64_t depth, width;
};

struct block {
    struct part_conv_norm first, second, shortcut;
    bool projects;    /* has a shortcut of its own */
    const char *name; /* stageS.blockB: what leaves its last ReLU */
};

struct resnet {
    int64_t blocks, width; /* blocks a stage; channels of the first */
    struct part_conv_norm stem;
    const char *stem_name;
    struct block *block; /* [STAGES * blocks] */
};

static const char *const resnet_names[] = {"resnet", NULL};
static const struct json_field resnet_fields[] = {
    BUILTIN_FIELDS(resnet_names, NULL),
    {"depth", JSON_INTEGER, offsetof(struct resnet_options, depth), "20", "[8,1202]", NULL, "layers with weights: 6 n + 2"},
    {"width", JSON_INTEGER, offsetof(struct resnet_options, width), "16", "[1,4096]", NULL,
     "channels of the first stage; the next have twice as many"},
    {NULL}};

static knack_status resnet_read(const struct json *config, void **user)
{
    struct resnet_options options = {0};
    TRY(json_fields(config, resnet_fields, &options));
    int64_t blocks = (options.depth - 2) / 6;
    if (options.depth != 6 * blocks + 2) {
        return json_fail(json_member(config, "depth"), KNACK_E_CONFIG, "%lld is not 6 n + 2; the nearest depths are %lld and %lld",
                         (long long)options.depth, (long long)(6 * blocks + 2), (long long)(6 * blocks + 8));
    }
    struct resnet *resnet = memory_new(1, sizeof *resnet);
    if (!resnet) return KNACK_E_MEMORY;
    resnet->blocks = blocks;
    resnet->width = options.width;
    *user = resnet;
    return KNACK_OK;
}

static void conv_declare(knack_model *model, const char *block, const char *conv, const char *norm, const struct part_conv_shape *shape,
                         struct part_conv_norm *part)
{
    char conv_name[2 * PARAMS_NAME], norm_name[2 * PARAMS_NAME];
    part_name(conv_name, "%s.%s", block, conv);
    part_name(norm_name, "%s.%s", block, norm);
    part_conv_norm_declare(model, conv_name, norm_name, shape, part);
}

static void block_declare(knack_model *model, const char *name, int64_t in, int64_t out, int stride, struct block *block)
{
    conv_declare(model, name, "conv1", "bn1", &(struct part_conv_shape){in, out, 3, stride, 1, false}, &block->first);
    conv_declare(model, name, "conv2", "bn2", &(struct part_conv_shape){out, out, 3, 1, 1, false}, &block->second);
    block->projects = stride != 1 || in != out;
    if (block->projects) {
        conv_declare(model, name, "shortcut.conv", "shortcut.bn", &(struct part_conv_shape){in, out, 1, stride, 0, false},
                     &block->shortcut);
    }
    block->name = model_watch(model, name);
}

static knack_tensor *block_run(knack_step *step, const struct block *block, knack_tensor *x)
{
    knack_tensor *inner = tensor_norm_relu(part_conv_norm_run(step, &block->first, x), false);
    struct conv_norm *last = part_conv_norm_run(step, &block->second, inner);
    knack_tensor *y =
        block->projects ? tensor_norm_add_norm_relu(last, part_conv_norm_run(step, &block->shortcut, x)) : tensor_norm_add_relu(last, x);
    return knack_layer(step, block->name, y);
}

static knack_status resnet_declare(knack_model *model, void *user)
{
    struct resnet *resnet = user;
    int ndim;
    const int64_t *shape = knack_model_input(model, &ndim);
    if (ndim != 3) return model_fail(model, NULL, "a resnet takes images, [height, width, channels], but an input has %d axes", ndim);
    resnet->block = memory_new((size_t)(STAGES * resnet->blocks), sizeof *resnet->block);
    if (!resnet->block) return KNACK_E_MEMORY;
    int64_t channels = resnet->width;
    conv_declare(model, "stem", "conv", "bn", &(struct part_conv_shape){shape[2], channels, 3, 1, 1, false}, &resnet->stem);
    resnet->stem_name = model_watch(model, "stem");
    for (int64_t i = 0; i < STAGES * resnet->blocks; i++) {
        int64_t stage = i / resnet->blocks, number = i % resnet->blocks, out = resnet->width << stage;
        char name[2 * PARAMS_NAME];
        part_name(name, "stage%lld.block%lld", (long long)stage + 1, (long long)number + 1);
        block_declare(model, name, channels, out, stage > 0 && number == 0 ? 2 : 1, &resnet->block[i]);
        channels = out;
    }
    return knack_model_set_width(model, channels);
}

static knack_tensor *resnet_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model;
    const struct resnet *resnet = user;
    x = knack_layer(step, resnet->stem_name, tensor_norm_relu(part_conv_norm_run(step, &resnet->stem, x), true));
    for (int64_t i = 0; i < STAGES * resnet->blocks; i++) x = block_run(step, &resnet->block[i], x);
    return knack_global_pool(tensor_made(x));
}

static void resnet_close(knack_model *model, void *user)
{
    (void)model;
    struct resnet *resnet = user;
    memory_free(resnet->block);
    memory_free(resnet);
}

const struct builtin_model builtin_resnet = {
    .type = {sizeof(struct knack_model_type), "resnet", resnet_declare, resnet_features, resnet_close},
    .summary = "residual network in the form made for CIFAR",
    .fields = resnet_fields,
    .read = resnet_read,
};
