/* What tensor/conv_norm.c and tensor/norm_relu.c know of each other: the pieces of relu(norm(x) + skip) that a convolution takes over. */
#ifndef TENSOR_NORM_RELU_H
#define TENSOR_NORM_RELU_H

#include "tensor/conv_norm.h"
#include "tensor/kernels/images.h"

struct conv_norm {
    knack_tensor *out; /* its data are the convolution's, not normalised; its gradient is that of the norm of values */
    struct conv2d shape;
    bool batch;             /* the statistics are those of out */
    knack_real *values;     /* what goes on: out's data, or their windows' extremes */
    int64_t value_shape[4]; /* [rows, height, width, channels] */
    struct norm_line line;  /* the norm */
    double *scale;          /* [channels] 1 / sqrt(variance + epsilon) */
    double *sums;           /* [rows, 2, channels]: moments, later of gradients; those of image 0 are the joined ones */
};

struct relu {
    struct norm_relu made_of;
    struct conv_norm *norm, *skip_norm; /* skip_norm NULL: none */
    knack_tensor *skip;                 /* NULL: none that is as it is */
    bool made;                          /* its data are written, or nobody needs them */
    const knack_tensor *maker;          /* the convolution that made them on the way, whose backward is also this one's; NULL: none */
    const knack_real *free_gradient;    /* if x->gradient is this, nobody else needs it by the time that the maker's backward runs */
};

/* x's values are still to be made: the convolution that calls makes them by relu_images(). NULL: x has its data. */
struct relu *relu_promised(const knack_tensor *x);
/* x, if `out` made it. */
struct relu *relu_made_by(const knack_tensor *out, const knack_tensor *x);
/* Images of x as type, in room, or in x's own data if these are wanted. */
const void *relu_images(const knack_tensor *x, struct images, enum knack_type, void *room);

/* The way back, of an x that `out` made. relu_gradient() gives an array like x: if it is *partial, it holds what arrived so far, to which
 * images of the convolution's own gradient are to be added; else they are to be written to it. NULL: the tape's failure is set.
 * relu_gradient_images() completes it, `more` being what is to be added or NULL, and after all images relu_arrived() hands it on. */
knack_real *relu_gradient(knack_tensor *x, bool *partial);
void relu_gradient_images(const knack_tensor *x, struct images, const knack_real *more, knack_real *gradient);
void relu_arrived(knack_tensor *x, knack_real *gradient);

#endif
