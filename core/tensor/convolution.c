/* Convolutions of images, channels-last. */
#include <inttypes.h>

#include "tensor/kernels/kernels.h"
#include "tensor/operand.h"

static void backward(knack_tensor *y)
{
    const struct conv2d *c = y->saved;
    knack_tensor *x = y->input[0], *w = y->input[1], *bias = y->inputs > 2 ? y->input[2] : NULL;
    const void *dy = y->gradient;
    bool fresh;
    if (c->type == KNACK_BF16) {
        uint16_t *rounded = tape_alloc(y->tape, (size_t)y->count * sizeof *rounded);
        if (!rounded) return;
        kernel_to_bf16(y->count, y->gradient, rounded);
        dy = rounded;
    }
    knack_real *dx = tape_gradient(x, &fresh);
    if (dx && !tape_check(y->tape, "knack_conv2d", kernel_conv2d_backward_data(y->tape->arena, c, dy, w->data, dx, !fresh))) return;
    knack_real *dw = tape_gradient(w, &fresh);
    if (dw && !tape_check(y->tape, "knack_conv2d", kernel_conv2d_backward_weights(y->tape->arena, c, x->data, dy, dw, !fresh))) return;
    knack_real *dbias = bias ? tape_gradient(bias, &fresh) : NULL;
    if (dbias) kernel_column_sums(tensor_rows(y), c->out, y->gradient, dbias, !fresh);
}

/* The sizes of a convolution; false: the tape's failure says what does not fit. */
static bool sizes(const knack_tensor *x, const knack_tensor *w, const knack_tensor *bias, struct conv2d *c)
{
    char text_x[96], text_w[96];
    shape_text(text_x, x->ndim, x->shape);
    shape_text(text_w, w->ndim, w->shape);
    if (x->type != w->type || (x->type != KNACK_REAL && x->type != KNACK_BF16)) {
        tape_fail(x->tape, KNACK_E_SHAPE, "knack_conv2d: x of type %s and w of type %s, expected both %s or both bf16", type_name(x->type),
                  type_name(w->type), type_name(KNACK_REAL));
        return false;
    }
    if (x->ndim != 4 || w->ndim != 4 || x->shape[3] != w->shape[1]) {
        tape_fail(x->tape, KNACK_E_SHAPE,
                  "knack_conv2d: x %s does not fit w %s: expected [rows, height, width, in] and [out, in, kernel height, kernel width]",
                  text_x, text_w);
        return false;
    }
    const int64_t margins = 2 * (int64_t)c->padding;
    if (c->stride < 1 || c->padding < 0 || w->shape[2] > x->shape[1] + margins || w->shape[3] > x->shape[2] + margins) {
        tape_fail(x->tape, KNACK_E_SHAPE,
                  "knack_conv2d: stride %d, padding %d, w %s: expected a stride of at least 1, a padding of at least 0, and a kernel that "
                  "fits into x %s, padded",
                  c->stride, c->padding, text_w, text_x);
        return false;
    }
    if (bias && (!operand_axes("knack_conv2d", bias, 1) || bias->shape[0] != w->shape[0])) {
        tape_fail(x->tape, KNACK_E_SHAPE, "knack_conv2d: bias %s does not fit w %s: expected [out]",
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
    if (!x || !w || !sizes(x, w, bias, &c)) return NULL;
    const int64_t shape[4] = {c.rows, c.out_height, c.out_width, c.out};
    knack_tensor *y = tape_result(x->tape, x->type, 4, shape, bias ? 3 : 2, (knack_tensor *[]){x, w, bias});
    struct conv2d *saved = y ? tape_alloc(x->tape, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = c;
    y->saved = saved;
    y->backward = backward;
    return tape_check(x->tape, __func__, kernel_conv2d(x->tape->arena, &c, x->data, w->data, bias ? bias->data : NULL, y->data)) ? y : NULL;
}
