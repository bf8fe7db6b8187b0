/* A convolution and the batch norm behind it. On the way forward the sums for the statistics are taken of images just convolved; on the way
 * back the norm's second half makes the gradient of few images at a time, from which both gradients of the convolution are computed. */
#include "tensor/conv_norm.h"

#include <math.h>

#include "tensor/convolution.h"
#include "tensor/kernels/kernels.h"
#include "tensor/norm_relu.h"
#include "tensor/operand.h"

static int64_t image_size(const knack_tensor *x)
{
    return x->count / x->shape[0];
}

/* ---- Images on their way ---- */

static const void *make_x(void *user, struct images images, void *room)
{
    const struct conv_norm *norm = user;
    const knack_tensor *x = norm->out->input[0];
    if (relu_promised(x) || relu_made_by(norm->out, x)) return relu_images(x, images, norm->shape.type, room);
    kernel_to_bf16(images.count * image_size(x), (const knack_real *)x->data + images.first * image_size(x), room);
    return room;
}

static void made_y(void *user, struct images images, knack_real *y)
{
    const struct conv_norm *norm = user;
    const struct conv2d *c = &norm->shape;
    kernel_image_moments(images.count, c->out_height * c->out_width, c->out, y, norm->sums + images.first * 2 * c->out);
}

/* What the way back through the norm needs. */
struct way_back {
    const struct conv_norm *norm;
    struct norm_relu line;
    struct norm_slopes slopes;
    int64_t gradient_size; /* of an image of norm->out->gradient */
};

static const void *make_dy(void *user, struct images images, void *room)
{
    const struct way_back *back = user;
    const knack_real *gradient = back->norm->out->gradient + images.first * back->gradient_size;
    kernel_norm_input_gradient(&back->line, images, &back->slopes, gradient, back->norm->shape.type, room);
    return room;
}

static const void *make_x_again(void *user, struct images images, void *room)
{
    const struct way_back *back = user;
    return make_x((void *)back->norm, images, room);
}

static void add_dx(void *user, struct images images, knack_real *dx)
{
    const struct way_back *back = user;
    convolution_add_dx(back->norm->out->input[0], images, dx);
}

static void relu_dx(void *user, struct images images, knack_real *dx)
{
    const struct way_back *back = user;
    relu_gradient_images(back->norm->out->input[0], images, dx);
}

/* ---- Backward ---- */

static void store(int64_t count, const double *sums, knack_real *out, bool fresh)
{
    for (int64_t c = 0; c < count; c++) out[c] = (knack_real)(fresh ? sums[c] : (double)out[c] + sums[c]);
}

static void norm_gradients(struct conv_norm *norm)
{
    const int64_t channels = norm->shape.out;
    bool fresh;
    double *first = norm->sums, *second = norm->sums + channels;
    for (int64_t c = 0; c < channels; c++) second[c] *= norm->scale[c];
    knack_real *dgamma = tape_gradient(norm->out->input[2], &fresh);
    if (dgamma) store(channels, second, dgamma, fresh);
    knack_real *dbeta = tape_gradient(norm->out->input[3], &fresh);
    if (dbeta) store(channels, first, dbeta, fresh);
}

/* After norm_gradients(). False: the tape's failure is set. */
static bool set_out(const struct conv_norm *norm, struct way_back *back)
{
    const struct conv2d *c = &norm->shape;
    const double *first = norm->sums, *second = norm->sums + c->out, values = (double)(c->rows * c->out_height * c->out_width);
    const knack_real *gamma = norm->out->input[2]->data;
    knack_real *slope = tape_alloc(norm->out->tape, (size_t)c->out * sizeof *slope);
    knack_real *shift = tape_alloc(norm->out->tape, (size_t)c->out * sizeof *shift);
    if (!slope || !shift) return false;
    for (int64_t k = 0; k < c->out; k++) {
        const double share = norm->batch ? (double)gamma[k] * norm->scale[k] / values : 0;
        slope[k] = (knack_real)(share * norm->scale[k] * second[k]);
        shift[k] = (knack_real)(share * first[k]);
    }
    *back = (struct way_back){.norm = norm,
                              .line = {.height = c->out_height,
                                       .width = c->out_width,
                                       .channels = c->out,
                                       .pool = norm->pooled,
                                       .x = norm->out->data,
                                       .norm = norm->terms},
                              .slopes = {slope, shift},
                              .gradient_size = image_size(norm->out)};
    if (norm->pooled) back->gradient_size = (c->out_height / 2) * (c->out_width / 2) * c->out;
    return true;
}

static void conv_norm_backward(knack_tensor *out)
{
    struct conv_norm *norm = out->saved;
    knack_tensor *x = out->input[0], *w = out->input[1];
    struct tape *tape = out->tape;
    struct way_back back;
    bool fresh_x, fresh_w;
    norm_gradients(norm);
    if (!set_out(norm, &back)) return;
    const bool relu = x->needs_gradient && relu_made_by(out, x);
    knack_real *dx = relu ? tape_alloc(tape, (size_t)x->count * sizeof *dx) : tape_gradient(x, &fresh_x);
    knack_real *dw = tape_gradient(w, &fresh_w);
    if (tape->failure != KNACK_OK || (!dx && !dw)) return;
    struct conv2d_backward b = {.shape = norm->shape, .make_dy = make_dy, .w = w->data, .dw = dw, .add_dw = dw && !fresh_w, .user = &back};
    if (norm->shape.type == KNACK_REAL) b.x = x->data;
    b.make_x = make_x_again;
    if (relu || (dx && fresh_x)) b.dx = dx;
    if (relu)
        b.made_dx = relu_dx;
    else if (dx && !fresh_x)
        b.made_dx = add_dx;
    if (tape_check(tape, "tensor_conv_norm", kernel_conv2d_backward(tape->arena, &b)) && relu) relu_arrived(x, dx);
}

/* ---- Forward ---- */

static bool channels_fit(const knack_tensor *gamma, const knack_tensor *beta, int64_t channels)
{
    char text_gamma[96], text_beta[96];
    if (!operand_axes("tensor_conv_norm", gamma, 1) || !operand_axes("tensor_conv_norm", beta, 1)) return false;
    if (gamma->shape[0] == channels && beta->shape[0] == channels) return true;
    tape_fail(gamma->tape, KNACK_E_SHAPE, "tensor_conv_norm: gamma %s and beta %s do not fit a convolution to %lld channels",
              shape_text(text_gamma, 1, gamma->shape), shape_text(text_beta, 1, beta->shape), (long long)channels);
    return false;
}

static struct conv_norm *new_conv_norm(const struct conv2d *c, knack_tensor *const input[4], bool batch)
{
    struct tape *tape = input[0]->tape;
    const int64_t shape[4] = {c->rows, c->out_height, c->out_width, c->out};
    knack_tensor *out = tape_result(tape, KNACK_REAL, 4, shape, 4, input);
    struct conv_norm *norm = out ? tape_alloc(tape, sizeof *norm) : NULL;
    if (!norm) return NULL;
    *norm = (struct conv_norm){.out = out, .shape = *c, .batch = batch};
    norm->scale = tape_alloc(tape, (size_t)c->out * sizeof *norm->scale);
    norm->sums = tape_alloc(tape, (size_t)(c->rows * 2 * c->out) * sizeof *norm->sums);
    out->saved = norm;
    out->backward = conv_norm_backward;
    return norm->scale && norm->sums ? norm : NULL;
}

static bool convolve(struct conv_norm *norm)
{
    const knack_tensor *x = norm->out->input[0];
    struct tape *tape = norm->out->tape;
    struct relu *relu = relu_promised(x);
    struct conv2d_forward f = {.shape = norm->shape, .w = norm->out->input[1]->data, .y = norm->out->data, .user = norm};
    if (!relu && f.shape.type == KNACK_REAL) f.x = x->data;
    f.make_x = make_x;
    if (norm->batch) f.made_y = made_y;
    if (!tape_check(tape, "tensor_conv_norm", kernel_conv2d(tape->arena, &f))) return false;
    if (!relu) return true;
    relu->made = true;
    relu->maker = norm->out;
    return true;
}

/* From the sums of all images, as tensor_batch_norm() gives them. */
static void statistics(const struct conv_norm *norm, const struct batch_norm *to)
{
    const struct conv2d *c = &norm->shape;
    const double *first = norm->sums, *second = norm->sums + c->out;
    *to->count = c->rows * c->out_height * c->out_width;
    kernel_join_images(c->rows, c->out, norm->sums);
    for (int64_t k = 0; k < c->out; k++) {
        const double mean = first[k] / (double)*to->count, variance = second[k] / (double)*to->count - mean * mean;
        to->mean[k] = (knack_real)mean;
        to->variance[k] = variance < 0 ? 0 : (knack_real)variance;
    }
}

static bool set_terms(struct conv_norm *norm, const struct batch_norm *from)
{
    const int64_t channels = norm->shape.out;
    const knack_real *gamma = norm->out->input[2]->data;
    knack_real *mean = tape_alloc(norm->out->tape, (size_t)channels * sizeof *mean);
    knack_real *factor = tape_alloc(norm->out->tape, (size_t)channels * sizeof *factor);
    if (!mean || !factor) return false;
    for (int64_t c = 0; c < channels; c++) {
        norm->scale[c] = 1 / sqrt((double)from->variance[c] + from->epsilon);
        mean[c] = from->mean[c];
        factor[c] = (knack_real)((double)gamma[c] * norm->scale[c]);
    }
    norm->terms = (struct norm_terms){.mean = mean, .factor = factor, .beta = norm->out->input[3]->data};
    return true;
}

struct conv_norm *tensor_conv_norm(knack_tensor *x, knack_tensor *w, int stride, int padding, enum knack_type compute, knack_tensor *gamma,
                                   knack_tensor *beta, const struct batch_norm *from)
{
    struct conv2d c = {.stride = stride, .padding = padding};
    if (!operand_real(__func__, x) || !operand_real(__func__, w) || !convolution_sizes(__func__, x, w, NULL, &c)) return NULL;
    if (!channels_fit(gamma, beta, c.out)) return NULL;
    c.type = compute;
    w = knack_cast(w, compute);
    struct conv_norm *norm = w ? new_conv_norm(&c, (knack_tensor *[]){x, w, gamma, beta}, from->batch) : NULL;
    if (!norm || !convolve(norm)) return NULL;
    if (from->batch) statistics(norm, from);
    return set_terms(norm, from) ? norm : NULL;
}
