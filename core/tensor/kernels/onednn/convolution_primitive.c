/* Making the oneDNN primitives of convolutions. */
#include "tensor/kernels/onednn/convolution_primitive.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const pass_name[] = {
    [FORWARD] = "", [BACKWARD_DATA] = ", gradient of the input", [BACKWARD_WEIGHTS] = ", gradient of the weights"};

knack_status convolution_fail(dnnl_status_t status, const struct conv2d *c, enum pass pass)
{
    char text[240];
    snprintf(text, sizeof text,
             "convolution of %s [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 "] by [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
             "], stride %d, padding %d%s",
             c->type == KNACK_BF16 ? "bf16" : "f32", c->rows, c->height, c->width, c->in, c->out, c->in, c->kernel_height, c->kernel_width,
             c->stride, c->padding, pass_name[pass]);
    return engine_fail(status, text);
}

struct layouts {
    dnnl_memory_desc_t x, w, y, bias;
    dnnl_dims_t stride, padding;
};

static dnnl_status_t plain_weights(const struct conv2d *c, enum knack_type type, dnnl_memory_desc_t *layout)
{
    const dnnl_dims_t dims = {c->out, c->in, c->kernel_height, c->kernel_width};
    return dnnl_memory_desc_init_by_tag(layout, 4, dims, type == KNACK_BF16 ? dnnl_bf16 : dnnl_f32, dnnl_oihw);
}

/* 3 x 3 convolutions of many channels go by Winograd's method, which multiplies a quarter as often (A. Lavin, S. Gray, "Fast Algorithms for
 * Convolutional Neural Networks", arXiv:1509.09308; tiles of 4 x 4) and rounds two to three times as much as a plain sum does. */
static bool winograd_fits(const struct conv2d *c)
{
    return c->type == KNACK_REAL && c->kernel_height == 3 && c->kernel_width == 3 && c->stride == 1 && c->padding == 1 &&
           c->in % CHANNEL_GROUP == 0 && c->out % CHANNEL_GROUP == 0;
}

static dnnl_status_t piece_layouts(const struct piece *piece, dnnl_alg_kind_t method, struct layouts *l)
{
    const struct conv2d *c = piece->c;
    const dnnl_data_type_t type = c->type == KNACK_BF16 ? dnnl_bf16 : dnnl_f32;
    const dnnl_dims_t x = {piece->rows, c->in, c->height, c->width}, y = {piece->rows, c->out, c->out_height, c->out_width};
    const dnnl_dims_t w = {c->out, c->in, c->kernel_height, c->kernel_width}, bias = {c->out};
    for (int i = 0; i < 2; i++) {
        l->stride[i] = c->stride;
        l->padding[i] = c->padding;
    }
    const dnnl_format_tag_t images = method == dnnl_convolution_winograd ? dnnl_nChw16c : dnnl_nhwc;
    DNNL_TRY(dnnl_memory_desc_init_by_tag(&l->x, 4, x, piece->pass == BACKWARD_DATA ? dnnl_f32 : type, images));
    DNNL_TRY(dnnl_memory_desc_init_by_tag(&l->y, 4, y, piece->pass == FORWARD ? dnnl_f32 : type, images));
    DNNL_TRY(dnnl_memory_desc_init_by_tag(&l->bias, 1, bias, dnnl_f32, dnnl_a));
    if (piece->weights) {
        l->w = *piece->weights;
        return dnnl_success;
    }
    return dnnl_memory_desc_init_by_tag(&l->w, 4, w, piece->pass == BACKWARD_WEIGHTS ? dnnl_f32 : type, dnnl_format_tag_any);
}

static dnnl_status_t create_description(const struct engine *engine, const dnnl_convolution_desc_t *operation,
                                        const_dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *description)
{
    dnnl_primitive_attr_t attributes;
    DNNL_TRY(primitive_attributes(&attributes));
    dnnl_status_t status = dnnl_primitive_desc_create(description, operation, attributes, engine->dnnl, forward);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t describe_forward(const struct engine *engine, const struct piece *piece, dnnl_alg_kind_t method,
                                      dnnl_primitive_desc_t *description)
{
    struct layouts l;
    dnnl_convolution_desc_t operation;
    DNNL_TRY(piece_layouts(piece, method, &l));
    DNNL_TRY(dnnl_convolution_forward_desc_init(&operation, dnnl_forward_training, method, &l.x, &l.w, piece->bias ? &l.bias : NULL, &l.y,
                                                l.stride, l.padding, l.padding));
    return create_description(engine, &operation, NULL, description);
}

static dnnl_status_t describe_backward(const struct engine *engine, const struct piece *piece, dnnl_alg_kind_t method,
                                       const_dnnl_primitive_desc_t forward, dnnl_primitive_desc_t *description)
{
    struct layouts l;
    dnnl_convolution_desc_t operation;
    DNNL_TRY(piece_layouts(piece, method, &l));
    if (piece->pass == BACKWARD_DATA)
        DNNL_TRY(dnnl_convolution_backward_data_desc_init(&operation, method, &l.x, &l.w, &l.y, l.stride, l.padding, l.padding));
    else
        DNNL_TRY(dnnl_convolution_backward_weights_desc_init(&operation, method, &l.x, &l.w, NULL, &l.y, l.stride, l.padding, l.padding));
    return create_description(engine, &operation, forward, description);
}

static dnnl_status_t describe_by(const struct engine *engine, const struct piece *piece, dnnl_alg_kind_t method,
                                 dnnl_primitive_desc_t *description)
{
    if (piece->pass == FORWARD) return describe_forward(engine, piece, method, description);
    /* oneDNN wants the forward pass as a hint. */
    const struct piece forward_piece = {.c = piece->c, .rows = piece->rows, .pass = FORWARD};
    dnnl_primitive_desc_t forward;
    DNNL_TRY(describe_forward(engine, &forward_piece, method, &forward));
    dnnl_status_t status = describe_backward(engine, piece, method, forward, description);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

static dnnl_status_t describe(const struct engine *engine, const void *shape, dnnl_primitive_desc_t *description)
{
    const struct piece *piece = shape;
    if (winograd_fits(piece->c)) {
        dnnl_status_t status = describe_by(engine, piece, dnnl_convolution_winograd, description);
        if (status != dnnl_unimplemented) return status; /* else this processor has none */
    }
    return describe_by(engine, piece, dnnl_convolution_direct, description);
}

static dnnl_status_t pass_primitive(struct engine *engine, const struct piece *piece, struct primitive **primitive)
{
    const struct conv2d *c = piece->c;
    const struct primitive_key key = {{piece->pass, c->type, piece->rows, c->height, c->width, c->in, c->out, c->kernel_height,
                                       c->kernel_width, c->stride, c->padding, piece->bias, piece->weights != NULL}};
    struct primitive_plan plan = {.describe = describe, .shape = piece, .arguments = 3};
    static const int names[][3] = {[FORWARD] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                   [BACKWARD_DATA] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                                   [BACKWARD_WEIGHTS] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    for (int i = 0; i < 3; i++) plan.name[i] = names[piece->pass][i];
    if (piece->bias) plan.name[plan.arguments++] = DNNL_ARG_BIAS;
    return primitive_get(engine, &key, &plan, primitive);
}

struct reordering {
    const dnnl_memory_desc_t *from, *to;
};

static dnnl_status_t describe_reorder(const struct engine *engine, const void *shape, dnnl_primitive_desc_t *description)
{
    const struct reordering *r = shape;
    dnnl_primitive_attr_t attributes;
    DNNL_TRY(primitive_attributes(&attributes));
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(description, r->from, engine->dnnl, r->to, engine->dnnl, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

/* From plain weights to the primitive's layout, or for a gradient from its layout to plain. */
static dnnl_status_t new_reorder(const struct engine *engine, const dnnl_memory_desc_t *plain, enum pass pass, struct primitive *primitive)
{
    const dnnl_memory_desc_t *own = &primitive->layout[W];
    const bool gradient = pass == BACKWARD_WEIGHTS;
    const struct reordering reordering = {.from = gradient ? own : plain, .to = gradient ? plain : own};
    const struct primitive_plan plan = {
        .describe = describe_reorder, .shape = &reordering, .arguments = 2, .name = {DNNL_ARG_FROM, DNNL_ARG_TO}};
    return primitive_new(engine, &plan, &primitive->reorder);
}

/* Makes the primitive's reorder, unless it takes plain weights. */
static dnnl_status_t weights_reorder(const struct engine *engine, const struct conv2d *c, enum pass pass, struct primitive *primitive)
{
    if (!primitive->reorder) {
        dnnl_memory_desc_t plain;
        DNNL_TRY(plain_weights(c, pass == BACKWARD_WEIGHTS ? KNACK_F32 : c->type, &plain));
        if (dnnl_memory_desc_equal(&plain, &primitive->layout[W])) return dnnl_success;
        DNNL_TRY(new_reorder(engine, &plain, pass, primitive));
    }
    return primitive_slots(engine, primitive->reorder, 1);
}

dnnl_status_t convolution_primitive(struct engine *engine, const struct piece *piece, struct primitive **primitive)
{
    DNNL_TRY(pass_primitive(engine, piece, primitive));
    return weights_reorder(engine, piece->c, piece->pass, *primitive);
}
