/* One value a row, of the last axis: logsumexp, and the cross-entropies. */
#include <string.h>
#include <tgmath.h>

#include "tensor/exp_rows.h"
#include "tensor/operand.h"
#include "tensor/row_loop.h"

/* What makes softmax(x) again on the way back: exp(x - shift) inverse. */
struct row_softmax {
    knack_real shift, inverse;
    knack_real weight; /* of a dense target: its sum; else 1 */
};

struct losses {
    const int32_t *id;         /* [rows]; cross_entropy's */
    const knack_real *target;  /* [rows, width]; cross_entropy_dense's */
    struct row_softmax *state; /* [rows] */
};

VECTOR_INLINE struct row_softmax row_softmax(struct exp_sum e)
{
    return (struct row_softmax){.shift = e.shift, .inverse = e.sum == 0 ? 0 : (knack_real)(1 / e.sum), .weight = 1};
}

/* ---- Forward: y[row] ---- */

VECTOR static void logsumexp_row(const struct row_loop *loop, int64_t row)
{
    const struct losses *losses = loop->result->saved;
    const int64_t width = loop->width;
    const struct exp_sum e = exp_sum(width, loop->x + row * width);
    losses->state[row] = row_softmax(e);
    loop->y[row] = e.shift + (knack_real)log(e.sum);
}

VECTOR static void cross_entropy_row(const struct row_loop *loop, int64_t row)
{
    const struct losses *losses = loop->result->saved;
    const int64_t width = loop->width;
    const knack_real *restrict x = loop->x + row * width;
    const int32_t id = losses->id[row];
    const struct exp_sum e = exp_sum(width, x);
    losses->state[row] = row_softmax(e);
    loop->y[row] = id < 0 ? 0 : (knack_real)log(e.sum) - (x[id] - e.shift);
}

VECTOR static void dense_row(const struct row_loop *loop, int64_t row)
{
    const struct losses *losses = loop->result->saved;
    const int64_t width = loop->width;
    const knack_real *restrict x = loop->x + row * width, *restrict target = losses->target + row * width;
    const struct exp_sum e = exp_sum(width, x);
    const knack_real log_sum = (knack_real)log(e.sum);
    double loss = 0, weight = 0;
#pragma omp simd reduction(+ : loss, weight)
    for (int64_t i = 0; i < width; i++) {
        /* A target of 0 asks nothing, even of a logit of -Inf. */
        loss += target[i] == 0 ? 0 : target[i] * (log_sum - (x[i] - e.shift));
        weight += target[i];
    }
    losses->state[row] = row_softmax(e);
    losses->state[row].weight = (knack_real)weight;
    loop->y[row] = (knack_real)loss;
}

/* ---- Backward: dx (+)= dy (weight softmax(x) - target) ---- */

VECTOR static void row_backward(const struct row_loop *loop, int64_t row)
{
    const struct losses *losses = loop->result->saved;
    const struct row_softmax state = losses->state[row];
    const int64_t width = loop->width;
    const knack_real dy = loop->dy[row];
    knack_real *restrict dx = loop->dx + row * width;
    if (losses->id && losses->id[row] < 0) {
        if (loop->fresh) memset(dx, 0, (size_t)width * sizeof *dx);
        return;
    }
    add_exp(width, loop->x + row * width, state.shift, dy * state.weight * state.inverse, dx, loop->fresh);
    if (losses->id) dx[losses->id[row]] -= dy;
    if (!losses->target) return;
    const knack_real *restrict target = losses->target + row * width;
    for (int64_t i = 0; i < width; i++) dx[i] -= dy * target[i];
}

static void losses_backward(knack_tensor *result)
{
    row_loop_backward(result, row_backward);
}

/* x [..., width] -> [...]; id and target as in struct losses. */
static knack_tensor *row_losses(knack_tensor *x, const int32_t *id, const knack_real *target, row_body *row)
{
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim - 1, x->shape, 1, &x);
    struct losses *losses = result ? tape_alloc(x->tape, sizeof *losses) : NULL;
    if (!losses) return NULL;
    *losses = (struct losses){.id = id, .target = target};
    losses->state = tape_alloc(x->tape, (size_t)result->count * sizeof *losses->state);
    if (!losses->state) return NULL;
    result->saved = losses;
    result->backward = losses_backward;
    row_loop_forward(result, row);
    return result;
}

knack_tensor *knack_logsumexp(knack_tensor *x)
{
    if (!operand_real(__func__, x) || !operand_axis(__func__, x, x->ndim - 1)) return NULL;
    return row_losses(x, NULL, NULL, logsumexp_row);
}

knack_tensor *knack_cross_entropy(knack_tensor *logits, const int32_t *id)
{
    if (!operand_axes(__func__, logits, 2)) return NULL;
    id = operand_ids(__func__, "id", logits->tape, id, logits->shape[0], logits->shape[1], true);
    return id ? row_losses(logits, id, NULL, cross_entropy_row) : NULL;
}

knack_tensor *knack_cross_entropy_dense(knack_tensor *logits, knack_tensor *target)
{
    if (!operand_axes(__func__, logits, 2) || !operand_alike(__func__, logits, target)) return NULL;
    return row_losses(logits, NULL, target->data, dense_row);
}
