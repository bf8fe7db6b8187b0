/* What tensor/conv_norm.c and tensor/norm_relu.c know of each other: the pieces of relu(norm(x) + skip) that a convolution takes over. */
#ifndef TENSOR_NORM_RELU_H
#define TENSOR_NORM_RELU_H

#include "tensor/conv_norm.h"
#include "tensor/kernels/images.h"

struct conv_norm {
    knack_tensor *out; /* its data are the convolution's, not normalised; its gradient is what kernel_norm_relu_backward() gives */
    struct conv2d shape;
    bool batch;              /* the statistics are those of out */
    struct norm_terms terms; /* of the norm */
    double *scale;           /* [out] 1 / sqrt(variance + epsilon) */
    double *sums;            /* [rows, 2, out]: moments, later of gradients; those of image 0 are the joined ones */
    bool pooled;             /* what becomes of it is maxima */
};

struct relu {
    struct norm_relu made_of;
    struct conv_norm *norm, *skip_norm; /* skip_norm NULL: none */
    knack_tensor *skip;                 /* NULL: none that is as it is */
    bool made;                          /* its data are written, or nobody needs them */
    const knack_tensor *maker;          /* the convolution that made them on the way, whose backward is also this one's; NULL: none */
};

/* x's values are still to be made: the convolution that calls makes them by relu_images(). NULL: x has its data. */
struct relu *relu_promised(const knack_tensor *x);
/* x, if `out` made it. */
struct relu *relu_made_by(const knack_tensor *out, const knack_tensor *x);
/* Images of x as type, in room, or in x's own data if these are wanted. */
const void *relu_images(const knack_tensor *x, struct images, enum knack_type, void *room);

/* The way back, while x's gradient is made: dx are images of the array that relu_arrived() gets when all are done. What x->gradient holds
 * is added. */
void relu_gradient_images(const knack_tensor *x, struct images, knack_real *dx);
void relu_arrived(knack_tensor *x, knack_real *gradient);

#endif
