/* The oneDNN primitives of convolutions: one for each pass over a sub-batch, with the reorder between plain weights and its own layout. */
#ifndef KERNELS_ONEDNN_CONVOLUTION_PRIMITIVE_H
#define KERNELS_ONEDNN_CONVOLUTION_PRIMITIVE_H

#include "tensor/kernels/images.h"
#include "tensor/kernels/onednn/primitive.h"

enum pass { FORWARD = 2, BACKWARD_DATA, BACKWARD_WEIGHTS }; /* also the kind in a primitive's key; 1 is a matrix product */

enum { X, W, Y, BIAS }; /* a primitive's arguments in order: inputs or gradients, as the pass has them */

/* One sub-batch of a convolution. */
struct piece {
    const struct conv2d *c;
    int64_t rows;
    enum pass pass;
    bool bias;
    const dnnl_memory_desc_t *weights; /* a layout that the weights must have, or NULL: the primitive's choice */
};

/* The engine's primitive for a piece. If it does not take plain weights [out, in, height, width], ->reorder makes its own of them, or, for
 * the gradient of the weights, plain ones of its own. */
dnnl_status_t convolution_primitive(struct engine *, const struct piece *, struct primitive **);
knack_status convolution_fail(dnnl_status_t, const struct conv2d *, enum pass);

#endif
