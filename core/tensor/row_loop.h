/* Operations that work on one row after the other, the last axis of their first operand; threads share the rows. */
#ifndef TENSOR_ROW_LOOP_H
#define TENSOR_ROW_LOOP_H

#include "tensor/tape.h"

/* x and y are the operand's and the result's data, dy and dx their gradients; dx and fresh as of tape_gradient(), on the way back only. */
struct row_loop {
    void (*body)(const struct row_loop *, int64_t row);
    const knack_tensor *result;
    int64_t rows, width; /* of the operand */
    const knack_real *x; /* [rows, width] */
    knack_real *y;       /* [rows, width] or [rows] */
    const knack_real *dy;
    knack_real *dx; /* [rows, width] */
    bool fresh;
};
typedef void row_body(const struct row_loop *, int64_t row);

void row_loop_forward(knack_tensor *result, row_body *);
void row_loop_backward(knack_tensor *result, row_body *); /* does nothing if the operand needs no gradient */

#endif
