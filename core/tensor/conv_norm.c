/* A convolution and the batch norm behind it. On the way forward the sums for the statistics are taken of images just convolved; on the way
 * back the norm's second half makes the gradient of few images at a time, from which both gradients of the convolution are computed. */
#include "tensor/conv_norm.h"

#include <math.h>
#include <string.h>

#include "tensor/convolution.h"
#include "tensor/kernels/kernels.h"
#include "tensor/norm_relu.h"
#include "tensor/operand.h"

static int64_t image_size(const knack_tensor *x)
{
    return x->count / x->shape[0];
}

static int64_t value_size(const struct conv_norm *norm)
{
    return norm->value_shape[1] * norm->value_shape[2] * norm->value_shape[3];
}

static bool pools(const struct conv_norm *norm)
{
    return norm->values != norm->out->data;
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
    const knack_tensor *gamma = norm->out->input[2];
    if (norm->batch) kernel_image_moments(images.count, c->out_height * c->out_width, c->out, y, norm->sums + images.first * 2 * c->out);
    if (pools(norm))
        kernel_window_extremes(images.count, c->out_height, c->out_width, c->out, y, gamma->data,
                               norm->values + images.first * value_size(norm));
}

/* What the way back needs besides. */
struct way_back {
    const struct conv_norm *norm;
    struct norm_input input;
    knack_real *relu_gradient; /* the array of which relu_gradient_images() completes images; NULL: x was not made here */
    bool partial;
};

static const void *make_dy(void *user, struct images images, void *room)
{
    const struct way_back *back = user;
    const struct conv_norm *norm = back->norm;
    const knack_real *gradient = norm->out->gradient + images.first * value_size(norm);
    if (pools(norm))
        kernel_windows_input_gradient(&back->input, images, gradient, norm->shape.type, room);
    else
        kernel_norm_input_gradient(&back->input, images, gradient, norm->shape.type, room);
    return room;
}

static const void *make_x_again(void *user, struct images images, void *room)
{
    const struct way_back *back = user;
    return make_x((void *)back->norm, images, room);
}

static void made_dx(void *user, struct images images, knack_real *dx)
{
    const struct way_back *back = user;
    const knack_tensor *x = back->norm->out->input[0];
    if (back->relu_gradient)
        relu_gradient_images(x, images, back->partial ? dx : NULL, back->relu_gradient);
    else if (back->partial)
        convolution_add_dx(x, images, dx);
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
    const double *first = norm->sums, *second = norm->sums + c->out, pixels = (double)(c->rows * c->out_height * c->out_width);
    const knack_real *gamma = norm->out->input[2]->data;
    knack_real *slope = tape_alloc(norm->out->tape, (size_t)c->out * sizeof *slope);
    knack_real *shift = tape_alloc(norm->out->tape, (size_t)c->out * sizeof *shift);
    if (!slope || !shift) return false;
    for (int64_t k = 0; k < c->out; k++) {
        const double share = norm->batch ? (double)gamma[k] * norm->scale[k] / pixels : 0;
        slope[k] = (knack_real)(share * norm->scale[k] * second[k]);
        shift[k] = (knack_real)(share * first[k]);
    }
    *back = (struct way_back){.norm = norm,
                              .input = {.height = c->out_height,
                                        .width = c->out_width,
                                        .channels = c->out,
                                        .x = norm->out->data,
                                        .extreme = pools(norm) ? norm->values : NULL,
                                        .mean = norm->line.mean,
                                        .factor = norm->line.factor,
                                        .slope = slope,
                                        .shift = shift}};
    return true;
}

/* Where the gradient of x goes. */
static void choose_dx(knack_tensor *out, struct way_back *back, struct conv2d_backward *b)
{
    knack_tensor *x = out->input[0];
    if (!x->needs_gradient) return;
    bool fresh = false;
    knack_real *dx;
    if (relu_made_by(out, x)) {
        dx = back->relu_gradient = relu_gradient(x, &back->partial);
    } else {
        dx = tape_gradient(x, &fresh);
        back->partial = !fresh;
    }
    if (!back->partial) b->dx = dx;
    if (back->partial || back->relu_gradient) b->made_dx = made_dx;
}

static void conv_norm_backward(knack_tensor *out)
{
    struct conv_norm *norm = out->saved;
    knack_tensor *w = out->input[1];
    struct tape *tape = out->tape;
    struct way_back back;
    bool fresh = false;
    norm_gradients(norm);
    if (!set_out(norm, &back)) return;
    struct conv2d_backward b = {.shape = norm->shape, .make_x = make_x_again, .make_dy = make_dy, .w = w->data, .user = &back};
    if (norm->shape.type == KNACK_REAL) b.x = out->input[0]->data;
    choose_dx(out, &back, &b);
    b.dw = tape_gradient(w, &fresh);
    b.add_dw = !fresh;
    if (tape->failure != KNACK_OK) return;
    if ((b.dx || b.made_dx || b.dw) && !tape_check(tape, "tensor_conv_norm", kernel_conv2d_backward(tape->arena, &b))) return;
    if (back.relu_gradient) relu_arrived(out->input[0], back.relu_gradient);
    /* What is shared is somebody else's still. */
    if (!out->shared_gradient) tape_give_back(tape, out->gradient, (size_t)(norm->shape.rows * value_size(norm)) * sizeof(knack_real));
    out->gradient = NULL;
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

/* False: the tape's failure is set. */
static bool set_values(struct conv_norm *norm, bool pool)
{
    const struct conv2d *c = &norm->shape;
    const int64_t shape[4] = {c->rows, pool ? c->out_height / 2 : c->out_height, pool ? c->out_width / 2 : c->out_width, c->out};
    char text[96];
    memcpy(norm->value_shape, shape, sizeof shape);
    norm->values = norm->out->data;
    if (!pool) return true;
    if (shape[1] < 1 || shape[2] < 1) {
        tape_fail(norm->out->tape, KNACK_E_SHAPE, "tensor_conv_norm: a window of 2 x 2 does not fit into images of %s",
                  shape_text(text, 4, norm->out->shape));
        return false;
    }
    norm->values = tape_alloc(norm->out->tape, (size_t)(c->rows * value_size(norm)) * sizeof *norm->values);
    return norm->values;
}

static struct conv_norm *new_conv_norm(const struct conv2d *c, knack_tensor *const input[4], const struct conv_norm_how *how)
{
    struct tape *tape = input[0]->tape;
    const int64_t shape[4] = {c->rows, c->out_height, c->out_width, c->out};
    knack_tensor *out = tape_result(tape, KNACK_REAL, 4, shape, 4, input);
    struct conv_norm *norm = out ? tape_alloc(tape, sizeof *norm) : NULL;
    if (!norm) return NULL;
    *norm = (struct conv_norm){.out = out, .shape = *c, .batch = how->norm->batch};
    out->saved = norm;
    out->backward = conv_norm_backward;
    norm->scale = tape_alloc(tape, (size_t)c->out * sizeof *norm->scale);
    norm->sums = tape_alloc(tape, (size_t)(c->rows * 2 * c->out) * sizeof *norm->sums);
    return norm->scale && norm->sums && set_values(norm, how->pool) ? norm : NULL;
}

static bool convolve(struct conv_norm *norm)
{
    const knack_tensor *x = norm->out->input[0];
    struct tape *tape = norm->out->tape;
    struct relu *relu = relu_promised(x);
    struct conv2d_forward f = {.shape = norm->shape, .w = norm->out->input[1]->data, .y = norm->out->data, .user = norm};
    if (!relu && f.shape.type == KNACK_REAL) f.x = x->data;
    f.make_x = make_x;
    if (norm->batch || pools(norm)) f.made_y = made_y;
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

static bool set_line(struct conv_norm *norm, const struct batch_norm *from)
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
    norm->line = (struct norm_line){.mean = mean, .factor = factor, .beta = norm->out->input[3]->data};
    return true;
}

struct conv_norm *tensor_conv_norm(knack_tensor *x, knack_tensor *w, knack_tensor *gamma, knack_tensor *beta,
                                   const struct conv_norm_how *how)
{
    struct conv2d c = {.stride = how->stride, .padding = how->padding};
    if (!operand_real(__func__, x) || !operand_real(__func__, w) || !convolution_sizes(__func__, x, w, NULL, &c)) return NULL;
    if (!channels_fit(gamma, beta, c.out)) return NULL;
    c.type = how->compute;
    w = knack_cast(w, how->compute);
    struct conv_norm *norm = w ? new_conv_norm(&c, (knack_tensor *[]){x, w, gamma, beta}, how) : NULL;
    if (!norm || !convolve(norm)) return NULL;
    if (how->norm->batch) statistics(norm, how->norm);
    return set_line(norm, how->norm) ? norm : NULL;
}
