/* Convolutions of images, channels-last. */
#include "tensor/convolution.h"

#include "tensor/kernels/kernels.h"
#include "tensor/operand.h"
#include "tensor/vector.h"

/* ---- Images on their way, as conv2d_forward and conv2d_backward ask for them ---- */

/* The result's values of an operation on bf16, which has their type. */
static void round_y(void *user, struct images images, knack_real *values)
{
    const knack_tensor *y = user;
    const int64_t row = y->count / y->shape[0];
    kernel_to_bf16(images.count * row, values, (uint16_t *)y->data + images.first * row);
}

static const void *round_dy(void *user, struct images images, void *room)
{
    const knack_tensor *y = user;
    const int64_t row = y->count / y->shape[0];
    kernel_to_bf16(images.count * row, y->gradient + images.first * row, room);
    return room;
}

VECTOR
static void add_values(int64_t count, const knack_real *restrict values, knack_real *restrict sum)
{
    for (int64_t i = 0; i < count; i++) sum[i] += values[i];
}

void convolution_add_dx(const knack_tensor *x, struct images images, const knack_real *dx)
{
    const int64_t row = x->count / x->shape[0];
    add_values(images.count * row, dx, x->gradient + images.first * row);
}

static void add_dx(void *user, struct images images, knack_real *values)
{
    const knack_tensor *y = user;
    convolution_add_dx(y->input[0], images, values);
}

/* ---- The operation ---- */

static void backward(knack_tensor *y)
{
    knack_tensor *x = y->input[0], *w = y->input[1], *bias = y->inputs > 2 ? y->input[2] : NULL;
    struct conv2d_backward b = {.shape = *(const struct conv2d *)y->saved, .x = x->data, .w = w->data, .user = y};
    bool fresh_x, fresh_w, fresh_bias;
    if (b.shape.type == KNACK_BF16)
        b.make_dy = round_dy;
    else
        b.dy = y->gradient;
    knack_real *dx = tape_gradient(x, &fresh_x);
    if (dx && fresh_x) b.dx = dx;
    if (dx && !fresh_x) b.made_dx = add_dx;
    b.dw = tape_gradient(w, &fresh_w);
    b.add_dw = b.dw && !fresh_w;
    if ((dx || b.dw) && !tape_check(y->tape, "knack_conv2d", kernel_conv2d_backward(y->tape->arena, &b))) return;
    knack_real *dbias = bias ? tape_gradient(bias, &fresh_bias) : NULL;
    if (dbias) kernel_column_sums(tensor_rows(y), b.shape.out, y->gradient, dbias, !fresh_bias);
}

bool convolution_sizes(const char *operation, const knack_tensor *x, const knack_tensor *w, const knack_tensor *bias, struct conv2d *c)
{
    char text_x[96], text_w[96];
    shape_text(text_x, x->ndim, x->shape);
    shape_text(text_w, w->ndim, w->shape);
    if (x->type != w->type || (x->type != KNACK_REAL && x->type != KNACK_BF16)) {
        tape_fail(x->tape, KNACK_E_SHAPE, "%s: x of type %s and w of type %s, expected both %s or both bf16", operation, type_name(x->type),
                  type_name(w->type), type_name(KNACK_REAL));
        return false;
    }
    if (x->ndim != 4 || w->ndim != 4 || x->shape[3] != w->shape[1]) {
        tape_fail(x->tape, KNACK_E_SHAPE,
                  "%s: x %s does not fit w %s: expected [rows, height, width, in] and [out, in, kernel height, kernel width]", operation,
                  text_x, text_w);
        return false;
    }
    const int64_t margins = 2 * (int64_t)c->padding;
    if (c->stride < 1 || c->padding < 0 || w->shape[2] > x->shape[1] + margins || w->shape[3] > x->shape[2] + margins) {
        tape_fail(x->tape, KNACK_E_SHAPE,
                  "%s: stride %d, padding %d, w %s: expected a stride of at least 1, a padding of at least 0, and a kernel that "
                  "fits into x %s, padded",
                  operation, c->stride, c->padding, text_w, text_x);
        return false;
    }
    if (bias && (!operand_axes(operation, bias, 1) || bias->shape[0] != w->shape[0])) {
        tape_fail(x->tape, KNACK_E_SHAPE, "%s: bias %s does not fit w %s: expected [out]", operation,
                  shape_text(text_x, bias->ndim, bias->shape), text_w);
        return false;
    }
    c->type = x->type;
    c->rows = x->shape[0], c->height = x->shape[1], c->width = x->shape[2], c->in = x->shape[3];
    c->out = w->shape[0], c->kernel_height = w->shape[2], c->kernel_width = w->shape[3];
    c->out_height = (c->height + margins - c->kernel_height) / c->stride + 1;
    c->out_width = (c->width + margins - c->kernel_width) / c->stride + 1;
    return true;
}

knack_tensor *knack_conv2d(knack_tensor *x, knack_tensor *w, knack_tensor *bias, int stride, int padding)
{
    struct conv2d c = {.stride = stride, .padding = padding};
    if (!x || !w || !convolution_sizes(__func__, x, w, bias, &c)) return NULL;
    const int64_t shape[4] = {c.rows, c.out_height, c.out_width, c.out};
    knack_tensor *y = tape_result(x->tape, x->type, 4, shape, bias ? 3 : 2, (knack_tensor *[]){x, w, bias});
    struct conv2d *saved = y ? tape_alloc(x->tape, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = c;
    y->saved = saved;
    y->backward = backward;
    struct conv2d_forward f = {.shape = c, .x = x->data, .w = w->data, .bias = bias ? bias->data : NULL, .user = y};
    if (c.type == KNACK_BF16)
        f.made_y = round_y;
    else
        f.y = y->data;
    return tape_check(x->tape, __func__, kernel_conv2d(x->tape->arena, &f)) ? y : NULL;
}
