/* Sum, mean and maximum over an axis, seen as the middle one of [outer, size, inner]. Sums run in double. */
#include "tensor/operand.h"
#include "tensor/vector.h"

/* A result without the axis, or [1] for all. */
static knack_tensor *reduced(const char *operation, knack_tensor *x, int axis)
{
    int64_t shape[KNACK_MAX_DIMS] = {1};
    int ndim = 0;
    if (!operand_real(operation, x)) return NULL;
    if (axis == KNACK_ALL) return tape_result(x->tape, KNACK_REAL, 1, shape, 1, &x);
    if (!operand_axis(operation, x, axis)) return NULL;
    for (int i = 0; i < x->ndim; i++)
        if (i != axis) shape[ndim++] = x->shape[i];
    return tape_result(x->tape, KNACK_REAL, ndim, shape, 1, &x);
}

/* ---- Sum and mean ---- */

struct sum {
    struct axis_view view;
    double factor; /* of the sum: 1, or 1 / size */
};

VECTOR static double row_sum(int64_t count, const knack_real *restrict x)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++) sum += x[i];
    return sum;
}

/* x [size, inner] -> y [inner], by sums [inner]. */
VECTOR static void column_sums(int64_t size, int64_t inner, double factor, const knack_real *restrict x, double *restrict sums,
                               knack_real *restrict y)
{
    for (int64_t i = 0; i < inner; i++) sums[i] = 0;
    for (int64_t k = 0; k < size; k++)
        for (int64_t i = 0; i < inner; i++) sums[i] += x[k * inner + i];
    for (int64_t i = 0; i < inner; i++) y[i] = (knack_real)(factor * sums[i]);
}

/* g [inner] to each of dx [size, inner]. */
VECTOR static void spread(int64_t size, int64_t inner, knack_real factor, const knack_real *restrict g, knack_real *restrict dx, bool fresh)
{
    if (inner == 1) {
        const knack_real share = factor * g[0];
        for (int64_t k = 0; k < size; k++) dx[k] = fresh ? share : dx[k] + share;
        return;
    }
    for (int64_t k = 0; k < size; k++)
        for (int64_t i = 0; i < inner; i++) dx[k * inner + i] = fresh ? factor * g[i] : dx[k * inner + i] + factor * g[i];
}

static void sum_backward(knack_tensor *result)
{
    const struct sum *sum = result->saved;
    bool fresh;
    knack_real *dx = tape_gradient(result->input[0], &fresh);
    if (!dx) return;
    for (int64_t o = 0; o < sum->view.outer; o++)
        spread(sum->view.size, sum->view.inner, (knack_real)sum->factor, result->gradient + o * sum->view.inner,
               dx + o * sum->view.size * sum->view.inner, fresh);
}

static knack_tensor *sum_over(const char *operation, knack_tensor *x, int axis, bool mean)
{
    knack_tensor *result = reduced(operation, x, axis);
    if (!result) return NULL;
    const struct axis_view view = axis_view(x, axis);
    struct sum *sum = tape_alloc(x->tape, sizeof *sum);
    double *sums = tape_alloc(x->tape, (size_t)view.inner * sizeof *sums);
    if (!sum || !sums) return NULL;
    *sum = (struct sum){.view = view, .factor = mean ? 1 / (double)view.size : 1};
    const knack_real *from = x->data;
    knack_real *to = result->data;
    for (int64_t o = 0; o < view.outer; o++, from += view.size * view.inner, to += view.inner) {
        if (view.inner == 1)
            *to = (knack_real)(sum->factor * row_sum(view.size, from));
        else
            column_sums(view.size, view.inner, sum->factor, from, sums, to);
    }
    result->saved = sum;
    result->backward = sum_backward;
    return result;
}

knack_tensor *knack_sum(knack_tensor *x, int axis)
{
    return sum_over(__func__, x, axis, false);
}

knack_tensor *knack_mean(knack_tensor *x, int axis)
{
    return sum_over(__func__, x, axis, true);
}

/* ---- Maximum ---- */

static void max_backward(knack_tensor *result)
{
    const int64_t *where = result->saved;
    knack_real *dx = tape_zeroed_gradient(result->input[0]);
    if (!dx) return;
    for (int64_t i = 0; i < result->count; i++) dx[where[i]] += result->gradient[i];
}

knack_tensor *knack_max(knack_tensor *x, int axis)
{
    knack_tensor *result = reduced(__func__, x, axis);
    int64_t *where = result ? tape_alloc(x->tape, (size_t)result->count * sizeof *where) : NULL; /* each result's place in x */
    if (!where) return NULL;
    const struct axis_view view = axis_view(x, axis);
    const knack_real *from = x->data;
    knack_real *to = result->data;
    for (int64_t o = 0; o < view.outer; o++) {
        for (int64_t i = 0; i < view.inner; i++) {
            int64_t first = o * view.size * view.inner + i, best = first;
            for (int64_t k = 1; k < view.size; k++) {
                int64_t at = first + k * view.inner;
                /* The first NaN, if there is one, is the maximum: it must not vanish. */
                if (from[at] > from[best] || (from[at] != from[at] && from[best] == from[best])) best = at;
            }
            where[o * view.inner + i] = best;
            to[o * view.inner + i] = from[best];
        }
    }
    result->saved = where;
    result->backward = max_backward;
    return result;
}
