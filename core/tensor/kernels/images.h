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

/* Between [images, pixels, channels], of which CHANNEL_GROUP is a divisor, and [images, channels / CHANNEL_GROUP, pixels, CHANNEL_GROUP].
 */
enum { CHANNEL_GROUP = 16 };
void kernel_group_channels(int64_t images, int64_t pixels, int64_t channels, const knack_real *x, knack_real *grouped);
void kernel_ungroup_channels(int64_t images, int64_t pixels, int64_t channels, const knack_real *grouped, knack_real *x);

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

/* ---- Batch norm between convolutions ----
 * What becomes of a convolution's output: relu(norm(x) + skip), and the way back; for a few images at a time, so that convolutions can do
 * it on the way. The result does not depend on which go together. Arrays in the structs are those of the whole batch, arguments begin at
 * the first of the images. */

/* The sums of x [images, pixels, channels] and of its squares: sums [images, 2, channels]. */
void kernel_image_moments(int64_t images, int64_t pixels, int64_t channels, const knack_real *x, double *sums);
/* Sums [images, 2, channels], in order, into those of the first image. */
void kernel_join_images(int64_t images, int64_t channels, double *sums);
/* The value of each 2 x 2 window of x [images, height, width, channels] that gives the maximum behind a norm with this gamma [channels] and
 * ReLU: the largest, the smallest if gamma is below 0; a NaN if there is one. out [images, height / 2, width / 2, channels]: an odd last
 * row or column belongs to no window. */
void kernel_window_extremes(int64_t images, int64_t height, int64_t width, int64_t channels, const knack_real *x, const knack_real *gamma,
                            knack_real *out);

/* A batch norm as a line through each channel: (x - mean) factor + beta. */
struct norm_line {
    const knack_real *mean, *factor, *beta; /* [channels] */
};
struct norm_relu {
    int64_t image, channels; /* image: values of one */
    const knack_real *x;     /* [rows, image] */
    struct norm_line norm;
    const knack_real *skip;     /* like x; NULL: nothing is added */
    struct norm_line skip_norm; /* of skip; mean NULL: it is added as it is */
};
/* y, like x, is written as KNACK_REAL or KNACK_BF16. A NaN is no less than 0. */
void kernel_norm_relu(const struct norm_relu *, struct images, enum knack_type, void *y);
/* g, at first the gradient of y, becomes that of what went into ReLU: of norm(x) and of the skip. more, like g, is added before; NULL:
 * nothing. y is asked for only if there is a skip. sums [count, 2, channels] are of that gradient, and of it times (x - mean); skip_sums,
 * NULL unless there is a skip_norm, of it and of it times (skip - mean). */
void kernel_norm_relu_backward(const struct norm_relu *, struct images, const knack_real *y, const knack_real *more, knack_real *g,
                               double *sums, double *skip_sums);

/* From the gradient g of norm(x) that of x: factor g - slope (x - mean) - shift. */
struct norm_input {
    int64_t height, width, channels;
    const knack_real *x;                             /* [rows, height, width, channels] */
    const knack_real *extreme;                       /* [rows, height / 2, width / 2, channels] or NULL */
    const knack_real *mean, *factor, *slope, *shift; /* [channels] */
};
/* dx is written as KNACK_REAL or KNACK_BF16. */
void kernel_norm_input_gradient(const struct norm_input *, struct images, const knack_real *g, enum knack_type, void *dx);
/* The same where g is that of the windows' extremes. */
void kernel_windows_input_gradient(const struct norm_input *, struct images, const knack_real *g, enum knack_type, void *dx);

#endif
