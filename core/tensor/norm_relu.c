/* relu(norm(x) + skip), behind a convolution with batch norm. */
#include "tensor/norm_relu.h"

#include <string.h>

#include "base/threads.h"
#include "tensor/kernels/kernels.h"
#include "tensor/operand.h"
#include "tensor/vector.h"

static int64_t image_size(const knack_tensor *x)
{
    return x->count / x->shape[0];
}

/* ---- Work on all images, by threads ---- */

struct loop {
    knack_tensor *y;
    knack_real *gradient;
    int64_t together; /* images of a part */
};

static struct loop new_loop(knack_tensor *y, knack_real *gradient)
{
    const int64_t size = image_size(y);
    return (struct loop){y, gradient, size < VECTOR_PART ? VECTOR_PART / size : 1};
}

static struct images part_images(const struct loop *loop, int64_t part)
{
    const int64_t first = part * loop->together, left = loop->y->shape[0] - first;
    return (struct images){first, left < loop->together ? left : loop->together};
}

static void run(struct loop *loop, void (*body)(void *, int64_t))
{
    threads_run((loop->y->shape[0] - 1) / loop->together + 1, body, loop);
}

/* ---- Forward ---- */

static void relu_backward(knack_tensor *);

static struct relu *relu_of(const knack_tensor *x)
{
    return x->backward == relu_backward ? x->saved : NULL;
}

struct relu *relu_promised(const knack_tensor *x)
{
    struct relu *relu = relu_of(x);
    return relu && !relu->made ? relu : NULL;
}

struct relu *relu_made_by(const knack_tensor *out, const knack_tensor *x)
{
    struct relu *relu = relu_of(x);
    return relu && relu->maker == out ? relu : NULL;
}

const void *relu_images(const knack_tensor *x, struct images images, enum knack_type type, void *room)
{
    const struct relu *relu = x->saved;
    if (!x->data) {
        kernel_norm_relu(&relu->made_of, images, type, room);
        return room;
    }
    knack_real *kept = (knack_real *)x->data + images.first * image_size(x);
    if (!relu->made) kernel_norm_relu(&relu->made_of, images, KNACK_REAL, kept);
    if (type == KNACK_REAL) return kept;
    kernel_to_bf16(images.count * image_size(x), kept, room);
    return room;
}

static void make_part(void *user, int64_t part)
{
    const struct loop *loop = user;
    relu_images(loop->y, part_images(loop, part), KNACK_REAL, NULL);
}

knack_tensor *tensor_made(knack_tensor *x)
{
    struct relu *relu = x ? relu_of(x) : NULL;
    if (!relu || (relu->made && x->data)) return x;
    if (!x->data) {
        x->data = tape_alloc(x->tape, (size_t)x->count * sizeof(knack_real));
        if (!x->data) return NULL;
        relu->made = false;
    }
    struct loop loop = new_loop(x, NULL);
    run(&loop, make_part);
    relu->made = true;
    return x;
}

/* ---- Backward ---- */

static size_t gradient_bytes(const knack_tensor *x)
{
    return (size_t)x->count * sizeof(knack_real);
}

static double *image_sums(const struct conv_norm *norm, int64_t image)
{
    return norm ? norm->sums + image * 2 * norm->shape.out : NULL;
}

void relu_gradient_images(const knack_tensor *y, struct images images, const knack_real *more, knack_real *gradient)
{
    const struct relu *relu = y->saved;
    const int64_t at = images.first * image_size(y);
    const knack_real *values = relu->made_of.skip ? (const knack_real *)y->data + at : NULL;
    kernel_norm_relu_backward(&relu->made_of, images, values, more, gradient + at, image_sums(relu->norm, images.first),
                              image_sums(relu->skip_norm, images.first));
}

knack_real *relu_gradient(knack_tensor *x, bool *partial)
{
    const struct relu *relu = x->saved;
    bool fresh;
    *partial = x->gradient != NULL;
    if (!*partial) return tape_reuse(x->tape, gradient_bytes(x));
    return x->gradient == relu->free_gradient ? x->gradient : tape_gradient(x, &fresh);
}

static void give_gradient(struct conv_norm *norm, knack_real *gradient, bool shared)
{
    kernel_join_images(norm->shape.rows, norm->shape.out, norm->sums);
    norm->out->gradient = gradient;
    norm->out->shared_gradient = shared;
}

void relu_arrived(knack_tensor *x, knack_real *gradient)
{
    struct relu *relu = x->saved;
    x->gradient = NULL; /* it has gone on: x's own backward has nothing left to do */
    x->shared_gradient = false;
    relu->free_gradient = NULL;
    give_gradient(relu->norm, gradient, relu->skip || relu->skip_norm);
    if (relu->skip_norm) give_gradient(relu->skip_norm, gradient, true);
    if (!relu->skip) return;
    tape_pass_gradient(relu->norm->out, relu->skip);
    /* What made the skip stands before this norm's convolution on the tape, whose backward is done with the gradient by then. */
    struct relu *before = relu_of(relu->skip);
    if (before) before->free_gradient = gradient;
}

static void gradient_part(void *user, int64_t part)
{
    const struct loop *loop = user;
    const struct images images = part_images(loop, part);
    const int64_t at = images.first * image_size(loop->y);
    memcpy(loop->gradient + at, loop->y->gradient + at, (size_t)(images.count * image_size(loop->y)) * sizeof(knack_real));
    relu_gradient_images(loop->y, images, NULL, loop->gradient);
}

/* Of one whose gradient no convolution took on the way. */
static void relu_backward(knack_tensor *y)
{
    struct loop loop = new_loop(y, tape_reuse(y->tape, gradient_bytes(y)));
    if (!loop.gradient) return;
    run(&loop, gradient_part);
    relu_arrived(y, loop.gradient);
}

/* ---- The operations ---- */

/* A result whose values are still to be made of norm's output and of a skip, or a skip's norm, of which there may be none. */
static knack_tensor *promise(struct conv_norm *norm, knack_tensor *skip, struct conv_norm *skip_norm, bool keep)
{
    struct tape *tape = norm->out->tape;
    knack_tensor *const input[2] = {norm->out, skip_norm ? skip_norm->out : skip};
    knack_tensor *y = tape_promise(tape, KNACK_REAL, 4, norm->value_shape, input[1] ? 2 : 1, input);
    struct relu *relu = y ? tape_alloc(tape, sizeof *relu) : NULL;
    if (!relu) return NULL;
    *relu = (struct relu){.norm = norm, .skip = skip, .skip_norm = skip_norm};
    relu->made_of = (struct norm_relu){.image = image_size(y), .channels = norm->shape.out, .x = norm->values, .norm = norm->line};
    if (skip) relu->made_of.skip = skip->data;
    if (skip_norm) {
        relu->made_of.skip = skip_norm->values;
        relu->made_of.skip_norm = skip_norm->line;
    }
    y->saved = relu;
    y->backward = relu_backward;
    if (keep) y->data = tape_alloc(tape, (size_t)y->count * sizeof(knack_real));
    return keep && !y->data ? NULL : y;
}

knack_tensor *tensor_norm_relu(struct conv_norm *norm, bool keep)
{
    return norm ? promise(norm, NULL, NULL, keep) : NULL;
}

/* Whether a skip of this shape fits. */
static bool fits(const char *operation, const struct conv_norm *norm, int ndim, const int64_t *shape)
{
    char text[96], text_skip[96];
    if (ndim == 4 && memcmp(shape, norm->value_shape, sizeof norm->value_shape) == 0) return true;
    tape_fail(norm->out->tape, KNACK_E_SHAPE, "%s: shapes %s and %s differ", operation, shape_text(text, 4, norm->value_shape),
              shape_text(text_skip, ndim, shape));
    return false;
}

knack_tensor *tensor_norm_add_relu(struct conv_norm *norm, knack_tensor *skip)
{
    if (!norm || !tensor_made(skip) || !operand_real(__func__, skip) || !fits(__func__, norm, skip->ndim, skip->shape)) return NULL;
    return promise(norm, skip, NULL, true);
}

knack_tensor *tensor_norm_add_norm_relu(struct conv_norm *norm, struct conv_norm *skip)
{
    return norm && skip && fits(__func__, norm, 4, skip->value_shape) ? promise(norm, NULL, skip, true) : NULL;
}
