/* What operations with a convolution in them share. */
#ifndef TENSOR_CONVOLUTION_H
#define TENSOR_CONVOLUTION_H

#include "tensor/kernels/images.h"
#include "tensor/tape.h"

/* The type and the sizes of a convolution, from its operands and from c->stride and c->padding. False: the tape's failure, under the
 * operation's name, says what does not fit. bias may be NULL. */
bool convolution_sizes(const char *operation, const knack_tensor *x, const knack_tensor *w, const knack_tensor *bias, struct conv2d *c);

/* Adds images of dx to x->gradient, which holds earlier contributions. */
void convolution_add_dx(const knack_tensor *x, struct images, const knack_real *dx);

#endif
