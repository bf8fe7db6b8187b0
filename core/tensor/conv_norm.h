/* Convolution, batch norm, ReLU and what is between one convolution and the next, as operations that leave values unwritten until somebody
 * needs them. The next convolution makes them of a few images at a time, in a core's cache, and on the way back takes their gradient there;
 * tensor_made() makes them for anybody else. Both ways give the same bits. */
#ifndef TENSOR_CONV_NORM_H
#define TENSOR_CONV_NORM_H

#include "tensor/tape.h"

/* A convolution without bias and the batch norm behind it, of which only the statistics are known. It is for one of the functions below. */
struct conv_norm;
struct conv_norm_how {
    int stride, padding;
    enum knack_type compute;       /* KNACK_REAL or KNACK_BF16: what operands are rounded to */
    bool pool;                     /* behind ReLU comes max_pool(x, 2, 2, 0), which is taken along */
    const struct batch_norm *norm; /* as in tensor_batch_norm() */
};
/* x [rows, height, width, in], w [out, in, kernel height, kernel width], gamma and beta [out]. */
struct conv_norm *tensor_conv_norm(knack_tensor *x, knack_tensor *w, knack_tensor *gamma, knack_tensor *beta, const struct conv_norm_how *);

/* Results for tensor_conv_norm(); no other operation may have them before tensor_made(). */
knack_tensor *tensor_norm_relu(struct conv_norm *, bool keep); /* keep: there are other consumers than one tensor_conv_norm() */
knack_tensor *tensor_norm_add_relu(struct conv_norm *, knack_tensor *skip); /* relu(normed + skip) */
knack_tensor *tensor_norm_add_norm_relu(struct conv_norm *, struct conv_norm *skip);

knack_tensor *tensor_made(knack_tensor *); /* x, its values written; any tensor will do */

#endif
