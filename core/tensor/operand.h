/* Checks of operands, with the operation's name (its __func__) in the message. False: the tape's failure is set, or an operand is NULL. */
#ifndef TENSOR_OPERAND_H
#define TENSOR_OPERAND_H

#include "tensor/tape.h"

bool operand_real(const char *operation, const knack_tensor *x);                         /* is of type KNACK_REAL */
bool operand_axes(const char *operation, const knack_tensor *x, int ndim);               /* is KNACK_REAL and has so many axes */
bool operand_axis(const char *operation, const knack_tensor *x, int axis);               /* has that axis; of any type */
bool operand_alike(const char *operation, const knack_tensor *a, const knack_tensor *b); /* both KNACK_REAL, of one shape and pass */
bool same_shape(const knack_tensor *a, const knack_tensor *b);
/* A copy on the tape of indices [count] into entries, each below that, and not below 0 unless that means none. `what` names them. */
const int32_t *operand_ids(const char *operation, const char *what, struct tape *, const int32_t *ids, int64_t count, int64_t entries,
                           bool negative_is_none);

/* x seen as [outer, size, inner], size being an axis or all there is (KNACK_ALL). */
struct axis_view {
    int64_t outer, size, inner;
};
struct axis_view axis_view(const knack_tensor *x, int axis);

#endif
