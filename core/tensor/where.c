/* where(mask, a, b): element by element a or b, with broadcasting. */
#include "tensor/broadcast.h"
#include "tensor/operand.h"
#include "tensor/vector.h"

VECTOR static void choose_run(int64_t count, const knack_real *restrict mask, int step_mask, const knack_real *restrict a, int step_a,
                              const knack_real *restrict b, int step_b, knack_real *restrict y)
{
    if (step_mask && step_a && step_b)
        for (int64_t i = 0; i < count; i++) y[i] = mask[i] != 0 ? a[i] : b[i];
    else
        for (int64_t i = 0; i < count; i++) y[i] = mask[i * step_mask] != 0 ? a[i * step_a] : b[i * step_b];
}

VECTOR_INLINE knack_real share(knack_real mask, bool taken, knack_real g)
{
    return (mask != 0) == taken ? g : 0;
}

/* What an operand gets of a run's gradient g: that of the elements for which it was taken. Summed if it stood still. */
VECTOR static void share_run(int64_t count, const knack_real *restrict mask, int step_mask, bool taken, const knack_real *restrict g,
                             knack_real *restrict dx, int step, bool fresh)
{
    if (!step) {
        double sum = 0;
        for (int64_t i = 0; i < count; i++) sum += share(mask[i * step_mask], taken, g[i]);
        *dx = (knack_real)sum + (fresh ? 0 : *dx);
    } else if (!step_mask) {
        for (int64_t i = 0; i < count; i++) dx[i] = share(*mask, taken, g[i]) + (fresh ? 0 : dx[i]);
    } else if (fresh) {
        for (int64_t i = 0; i < count; i++) dx[i] = share(mask[i], taken, g[i]);
    } else {
        for (int64_t i = 0; i < count; i++) dx[i] += share(mask[i], taken, g[i]);
    }
}

enum { MASK, TAKEN, OTHERWISE };

static void where_share(knack_tensor *result, int k)
{
    const struct broadcast *plan = result->saved;
    const knack_real *mask = result->input[MASK]->data;
    knack_tensor *x = result->input[k];
    bool fresh;
    knack_real *dx = broadcast_gradient(result, x, &fresh);
    if (!dx) return;
    int64_t length = run_length(plan);
    for (int64_t run = 0; run < plan->runs; run++)
        share_run(length, mask + run_offset(plan, MASK, run), run_step(plan, MASK), k == TAKEN, result->gradient + run * length,
                  dx + run_offset(plan, k, run), run_step(plan, k), fresh);
}

static void where_backward(knack_tensor *result)
{
    where_share(result, TAKEN);
    where_share(result, OTHERWISE);
}

knack_tensor *knack_where(knack_tensor *mask, knack_tensor *a, knack_tensor *b)
{
    knack_tensor *const operand[BROADCAST_OPERANDS] = {[MASK] = mask, [TAKEN] = a, [OTHERWISE] = b};
    int ndim;
    int64_t shape[KNACK_MAX_DIMS];
    if (!broadcast_shape(__func__, BROADCAST_OPERANDS, operand, &ndim, shape)) return NULL;
    knack_tensor *result = tape_result(mask->tape, KNACK_REAL, ndim, shape, BROADCAST_OPERANDS, operand);
    struct broadcast *plan = result ? tape_alloc(mask->tape, sizeof *plan) : NULL;
    if (!plan) return NULL;
    broadcast_plan(plan, BROADCAST_OPERANDS, operand, ndim, shape);
    result->saved = plan;
    result->backward = where_backward;
    const knack_real *masks = mask->data, *as = a->data, *bs = b->data;
    knack_real *y = result->data;
    int64_t length = run_length(plan);
    for (int64_t run = 0; run < plan->runs; run++)
        choose_run(length, masks + run_offset(plan, MASK, run), run_step(plan, MASK), as + run_offset(plan, TAKEN, run),
                   run_step(plan, TAKEN), bs + run_offset(plan, OTHERWISE, run), run_step(plan, OTHERWISE), y + run * length);
    return result;
}
