/* Pooling of images, channels-last: the maximum or the mean over windows, and the mean over whole images. */
#include "tensor/kernels/images.h"
#include "tensor/operand.h"

static void max_backward(knack_tensor *y)
{
    bool fresh;
    knack_tensor *x = y->input[0];
    knack_real *dx = tape_gradient(x, &fresh);
    if (dx)
        tape_check(y->tape, "knack_max_pool",
                   kernel_max_pool_backward(y->tape->arena, y->saved, x->data, y->data, y->gradient, dx, !fresh));
}

static void average_backward(knack_tensor *y)
{
    bool fresh;
    knack_real *dx = tape_gradient(y->input[0], &fresh);
    if (dx) tape_check(y->tape, "knack_average_pool", kernel_average_pool_backward(y->tape->arena, y->saved, y->gradient, dx, !fresh));
}

/* A result of the shape given, with the pool's sizes saved for the way back. */
static knack_tensor *pool_result(knack_tensor *x, const struct pool2d *p, int ndim, const int64_t *shape, void (*backward)(knack_tensor *))
{
    knack_tensor *y = tape_result(x->tape, KNACK_REAL, ndim, shape, 1, &x);
    struct pool2d *saved = y ? tape_alloc(x->tape, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = *p;
    y->saved = saved;
    y->backward = backward;
    return y;
}

/* The sizes of a pool; every window holds at least one value. False: the tape's failure is set. */
static bool sizes(const char *operation, const knack_tensor *x, int size, int stride, int padding, struct pool2d *p)
{
    char text[96];
    const int64_t margins = 2 * (int64_t)padding;
    if (!operand_axes(operation, x, 4)) return false;
    if (size < 1 || stride < 1 || padding < 0 || padding >= size || size > x->shape[1] + margins || size > x->shape[2] + margins) {
        tape_fail(x->tape, KNACK_E_SHAPE,
                  "%s: size %d, stride %d, padding %d: expected a stride of at least 1, padding below size, and windows that fit into x %s",
                  operation, size, stride, padding, shape_text(text, x->ndim, x->shape));
        return false;
    }
    *p = (struct pool2d){.rows = x->shape[0],
                         .height = x->shape[1],
                         .width = x->shape[2],
                         .channels = x->shape[3],
                         .size = size,
                         .stride = stride,
                         .padding = padding};
    p->out_height = (p->height + margins - size) / stride + 1;
    p->out_width = (p->width + margins - size) / stride + 1;
    return true;
}

knack_tensor *knack_max_pool(knack_tensor *x, int size, int stride, int padding)
{
    struct pool2d p;
    if (!x || !sizes(__func__, x, size, stride, padding, &p)) return NULL;
    const int64_t shape[4] = {p.rows, p.out_height, p.out_width, p.channels};
    knack_tensor *y = pool_result(x, &p, 4, shape, max_backward);
    return y && tape_check(x->tape, __func__, kernel_max_pool(x->tape->arena, &p, x->data, y->data)) ? y : NULL;
}

knack_tensor *knack_average_pool(knack_tensor *x, int size, int stride, int padding)
{
    struct pool2d p;
    if (!x || !sizes(__func__, x, size, stride, padding, &p)) return NULL;
    const int64_t shape[4] = {p.rows, p.out_height, p.out_width, p.channels};
    knack_tensor *y = pool_result(x, &p, 4, shape, average_backward);
    return y && tape_check(x->tape, __func__, kernel_average_pool(x->tape->arena, &p, x->data, y->data)) ? y : NULL;
}

knack_tensor *knack_global_pool(knack_tensor *x)
{
    if (!x || !operand_axes(__func__, x, 4)) return NULL;
    /* An image's pixels as one column, and one window as tall; what of it is beyond the column's width does not count. */
    const int64_t pixels = x->shape[1] * x->shape[2];
    const struct pool2d p = {.rows = x->shape[0],
                             .height = pixels,
                             .width = 1,
                             .channels = x->shape[3],
                             .out_height = 1,
                             .out_width = 1,
                             .size = pixels,
                             .stride = 1};
    const int64_t shape[2] = {p.rows, p.channels};
    knack_tensor *y = pool_result(x, &p, 2, shape, average_backward);
    return y && tape_check(x->tape, __func__, kernel_average_pool(x->tape->arena, &p, x->data, y->data)) ? y : NULL;
}
