/* relu(norm(x) + skip) and relu's maxima, behind a convolution with batch norm. */
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
    const int64_t size = image_size(((const struct relu *)y->saved)->norm->out);
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

static double *image_sums(const struct conv_norm *norm, int64_t image)
{
    return norm ? norm->sums + image * 2 * norm->shape.out : NULL;
}

void relu_gradient_images(const knack_tensor *x, struct images images, knack_real *dx)
{
    const struct relu *relu = x->saved;
    const int64_t at = images.first * image_size(x);
    const knack_real *y = relu->made_of.skip ? (const knack_real *)x->data + at : NULL, *more = x->gradient ? x->gradient + at : NULL;
    kernel_norm_relu_backward(&relu->made_of, images, y, more, dx, image_sums(relu->norm, images.first),
                              image_sums(relu->skip_norm, images.first));
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
    const bool skips = relu->skip || relu->skip_norm;
    x->gradient = NULL; /* it has gone on: x's own backward has nothing left to do */
    x->shared_gradient = false;
    give_gradient(relu->norm, gradient, skips);
    if (relu->skip_norm) give_gradient(relu->skip_norm, gradient, true);
    if (relu->skip) tape_pass_gradient(relu->norm->out, relu->skip);
}

static void gradient_part(void *user, int64_t part)
{
    const struct loop *loop = user;
    const knack_tensor *y = loop->y;
    const struct relu *relu = y->saved;
    const struct images images = part_images(loop, part);
    const int64_t at = images.first * image_size(y);
    knack_real *gradient = loop->gradient + at;
    if (loop->gradient != y->gradient) memcpy(gradient, y->gradient + at, (size_t)(images.count * image_size(y)) * sizeof *gradient);
    kernel_norm_relu_backward(&relu->made_of, images, relu->made_of.skip ? (const knack_real *)y->data + at : NULL, NULL, gradient,
                              image_sums(relu->norm, images.first), image_sums(relu->skip_norm, images.first));
}

/* Of one whose gradient no convolution took on the way. */
static void relu_backward(knack_tensor *y)
{
    const struct relu *relu = y->saved;
    knack_real *gradient = y->gradient; /* maxima keep theirs as it is */
    if (!relu->made_of.pool) gradient = tape_alloc(y->tape, (size_t)y->count * sizeof *gradient);
    if (!gradient) return;
    struct loop loop = new_loop(y, gradient);
    run(&loop, gradient_part);
    relu_arrived(y, gradient);
}

/* ---- The operations ---- */

/* A result whose values are still to be made of norm's output and of a skip, or a skip's norm, of which there may be none. */
static knack_tensor *promise(struct conv_norm *norm, const int64_t *shape, knack_tensor *skip, struct conv_norm *skip_norm, bool keep)
{
    const knack_tensor *out = norm->out;
    struct tape *tape = out->tape;
    knack_tensor *const input[2] = {norm->out, skip_norm ? skip_norm->out : skip};
    knack_tensor *y = tape_promise(tape, KNACK_REAL, 4, shape, input[1] ? 2 : 1, input);
    struct relu *relu = y ? tape_alloc(tape, sizeof *relu) : NULL;
    if (!relu) return NULL;
    *relu = (struct relu){.norm = norm, .skip = skip, .skip_norm = skip_norm};
    relu->made_of = (struct norm_relu){.height = out->shape[1],
                                       .width = out->shape[2],
                                       .channels = out->shape[3],
                                       .pool = norm->pooled,
                                       .x = out->data,
                                       .norm = norm->terms};
    if (input[1]) relu->made_of.skip = input[1]->data;
    if (skip_norm) relu->made_of.skip_norm = skip_norm->terms;
    y->saved = relu;
    y->backward = relu_backward;
    if (keep) y->data = tape_alloc(tape, (size_t)y->count * sizeof(knack_real));
    return keep && !y->data ? NULL : y;
}

knack_tensor *tensor_norm_relu(struct conv_norm *norm, bool keep)
{
    return norm ? promise(norm, norm->out->shape, NULL, NULL, keep) : NULL;
}

knack_tensor *tensor_norm_add_relu(struct conv_norm *norm, knack_tensor *skip)
{
    if (!norm || !tensor_made(skip) || !operand_alike(__func__, norm->out, skip)) return NULL;
    return promise(norm, norm->out->shape, skip, NULL, true);
}

knack_tensor *tensor_norm_add_norm_relu(struct conv_norm *norm, struct conv_norm *skip)
{
    if (!norm || !skip || !operand_alike(__func__, norm->out, skip->out)) return NULL;
    return promise(norm, norm->out->shape, NULL, skip, true);
}

knack_tensor *tensor_norm_relu_pool(struct conv_norm *norm)
{
    char text[96];
    if (!norm) return NULL;
    const int64_t *shape = norm->out->shape;
    if (shape[1] < 2 || shape[2] < 2) {
        return tape_fail(norm->out->tape, KNACK_E_SHAPE, "%s: a window of 2 x 2 does not fit into images of %s", __func__,
                         shape_text(text, norm->out->ndim, shape));
    }
    norm->pooled = true;
    return promise(norm, (int64_t[]){shape[0], shape[1] / 2, shape[2] / 2, shape[3]}, NULL, NULL, true);
}
