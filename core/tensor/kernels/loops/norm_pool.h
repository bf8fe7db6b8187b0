/* The part of kernel_norm_relu() and what belongs to it where y is the maxima of windows; see images.h. */
#ifndef KERNELS_LOOPS_NORM_POOL_H
#define KERNELS_LOOPS_NORM_POOL_H

#include "tensor/kernels/images.h"

void norm_pool_forward(const struct norm_relu *, struct images, enum knack_type, void *y);
void norm_pool_backward(const struct norm_relu *, struct images, const knack_real *more, knack_real *dy, double *sums);
void norm_pool_input_gradient(const struct norm_relu *, struct images, const struct norm_slopes *, const knack_real *dy, enum knack_type,
                              void *dx);

#endif
