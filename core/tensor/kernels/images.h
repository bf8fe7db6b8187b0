/* Kernels of images, channels-last: convolutions, batch norm, pooling. What kernels.h says of all kernels holds here too. */
#ifndef TENSOR_KERNELS_IMAGES_H
#define TENSOR_KERNELS_IMAGES_H

#include <knack/tensor.h>

#include "base/arena.h"
#include "base/status.h"

/* Some of the images of a batch: first, first + 1, ... */
struct images {
    int64_t first, count;
};

/* ---- Convolutions ----
 * x [rows, height, width, in], w [out, in, kernel_height, kernel_width], y [rows, out_height, out_width, out].
 *
 * A convolution goes through a batch a few images at a time, so that these stay in a core's cache, and what comes before and after it
 * can be done there: make_x() and make_dy() give images of an operand, in room or wherever they lie; made_y() and made_dx() get images of
 * a result that were computed just now. Each image of the batch is asked for, or given, once, in no particular order, and by several
 * threads. Which images go together follows from the shape alone. */
struct conv2d {
    enum knack_type type; /* of x, w and dy: KNACK_REAL or KNACK_BF16; y, dx and dw are KNACK_REAL */
    int64_t rows, height, width, in, out, kernel_height, kernel_width, out_height, out_width;
    int stride, padding;
};

typedef const void *make_images(void *user, struct images, void *room);
typedef void made_images(void *user, struct images, knack_real *values);

struct conv2d_forward {
    struct conv2d shape;
    const void *x;       /* NULL: from make_x */
    make_images *make_x; /* with x NULL */
    const void *w;
    const knack_real *bias; /* [out] or NULL */
    knack_real *y;          /* NULL: images live for made_y() only */
    made_images *made_y;    /* NULL: nothing is done with them */
    void *user;             /* of make_x() and made_y() */
};
knack_status kernel_conv2d(struct arena *, const struct conv2d_forward *);
knack_status reference_conv2d(struct arena *, const struct conv2d_forward *);

/* The gradient of the bias is the column sums of dy. */
struct conv2d_backward {
    struct conv2d shape;
    const void *x, *dy; /* NULL: from make_x, make_dy */
    make_images *make_x, *make_dy;
    const void *w;
    knack_real *dx; /* NULL: images live for made_dx() only; if that is NULL too, there is no dx and w may be NULL */
    made_images *made_dx;
    knack_real *dw; /* NULL: there is no dw, and x is not asked for */
    bool add_dw;
    void *user; /* of make_x(), make_dy() and made_dx() */
};
knack_status kernel_conv2d_backward(struct arena *, const struct conv2d_backward *);
knack_status reference_conv2d_backward(struct arena *, const struct conv2d_backward *);

/* ---- Pooling ---- */

struct pool2d {
    int64_t rows, height, width, channels, out_height, out_width;
    int64_t size, stride, padding;
};
/* Max: the first maximum of a window in row-major order gets the gradient; which one is found again by comparing x and y, so that
 * no index is kept. Average: padding is left out of the count. */
knack_status kernel_max_pool(struct arena *, const struct pool2d *, const knack_real *x, knack_real *y);
knack_status kernel_max_pool_backward(struct arena *, const struct pool2d *, const knack_real *x, const knack_real *y, const knack_real *dy,
                                      knack_real *dx, bool add);
knack_status kernel_average_pool(struct arena *, const struct pool2d *, const knack_real *x, knack_real *y);
knack_status kernel_average_pool_backward(struct arena *, const struct pool2d *, const knack_real *dy, knack_real *dx, bool add);
knack_status reference_max_pool(struct arena *, const struct pool2d *, const knack_real *x, knack_real *y);
knack_status reference_max_pool_backward(struct arena *, const struct pool2d *, const knack_real *x, const knack_real *y,
                                         const knack_real *dy, knack_real *dx, bool add);
knack_status reference_average_pool(struct arena *, const struct pool2d *, const knack_real *x, knack_real *y);
knack_status reference_average_pool_backward(struct arena *, const struct pool2d *, const knack_real *dy, knack_real *dx, bool add);

/* ---- Batch norm ---- */

/* x [rows, channels]; variance is the biased one. Sums over fixed blocks of rows, joined in order, in double. */
knack_status kernel_channel_moments(struct arena *, int64_t rows, int64_t channels, const knack_real *x, knack_real *mean,
                                    knack_real *variance);
void kernel_batch_norm(int64_t rows, int64_t channels, const knack_real *x, const knack_real *mean, const knack_real *variance,
                       double epsilon, const knack_real *gamma, const knack_real *beta, knack_real *y);
/* batch: mean and variance are x's own, so gradients flow through them. dx may be NULL. */
knack_status kernel_batch_norm_backward(struct arena *, bool batch, int64_t rows, int64_t channels, const knack_real *x,
                                        const knack_real *mean, const knack_real *variance, double epsilon, const knack_real *gamma,
                                        const knack_real *dy, knack_real *dx, bool add_dx, knack_real *dgamma, bool add_dgamma,
                                        knack_real *dbeta, bool add_dbeta);
knack_status reference_channel_moments(struct arena *, int64_t rows, int64_t channels, const knack_real *x, knack_real *mean,
                                       knack_real *variance);
void reference_batch_norm(int64_t rows, int64_t channels, const knack_real *x, const knack_real *mean, const knack_real *variance,
                          double epsilon, const knack_real *gamma, const knack_real *beta, knack_real *y);
knack_status reference_batch_norm_backward(struct arena *, bool batch, int64_t rows, int64_t channels, const knack_real *x,
                                           const knack_real *mean, const knack_real *variance, double epsilon, const knack_real *gamma,
                                           const knack_real *dy, knack_real *dx, bool add_dx, knack_real *dgamma, bool add_dgamma,
                                           knack_real *dbeta, bool add_dbeta);

#endif
