/* Vectors of length 1: x / |x| in L2 along an axis, seen as the middle one of [outer, size, inner]. */
#include <tgmath.h>

#include "tensor/operand.h"
#include "tensor/vector.h"

/* sums [inner] = the sum over size of a b, each [size, inner]. */
VECTOR static void column_dots(const struct axis_view *view, const knack_real *restrict a, const knack_real *restrict b,
                               double *restrict sums)
{
    const int64_t size = view->size, inner = view->inner;
    if (inner == 1) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t k = 0; k < size; k++) sum += (double)a[k] * b[k];
        *sums = sum;
        return;
    }
    for (int64_t i = 0; i < inner; i++) sums[i] = 0;
    for (int64_t k = 0; k < size; k++)
        for (int64_t i = 0; i < inner; i++) sums[i] += (double)a[k * inner + i] * b[k * inner + i];
}

/* y = x inverse; inverse [inner] is 1 / norm, and 0 where that is 0. */
VECTOR static void multiply(const struct axis_view *view, const knack_real *restrict x, const double *restrict inverse,
                            knack_real *restrict y)
{
    const int64_t size = view->size, inner = view->inner;
    if (inner == 1)
        for (int64_t k = 0; k < size; k++) y[k] = (knack_real)(x[k] * *inverse);
    else
        for (int64_t k = 0; k < size; k++)
            for (int64_t i = 0; i < inner; i++) y[k * inner + i] = (knack_real)(x[k * inner + i] * inverse[i]);
}

VECTOR_INLINE knack_real tangent(knack_real y, knack_real g, double dot, double inverse)
{
    return (knack_real)((g - y * dot) * inverse);
}

/* dx (+)= (g - y sum(g y)) inverse, with dots [inner] the sums. */
VECTOR static void add_tangent(const struct axis_view *view, const knack_real *restrict y, const knack_real *restrict g,
                               const double *restrict dots, const double *restrict inverse, knack_real *restrict dx, bool fresh)
{
    const int64_t size = view->size, inner = view->inner;
    if (inner == 1) {
        for (int64_t k = 0; k < size; k++) dx[k] = tangent(y[k], g[k], *dots, *inverse) + (fresh ? 0 : dx[k]);
        return;
    }
    for (int64_t k = 0; k < size; k++)
        for (int64_t i = 0; i < inner; i++) {
            const int64_t at = k * inner + i;
            dx[at] = tangent(y[at], g[at], dots[i], inverse[i]) + (fresh ? 0 : dx[at]);
        }
}

struct normalised {
    struct axis_view view;
    double *inverse; /* [outer, inner], of the norms */
    double *dots;    /* [inner], scratch of backward */
};

static void normalise_backward(knack_tensor *result)
{
    const struct normalised *saved = result->saved;
    const struct axis_view *view = &saved->view;
    const knack_real *y = result->data;
    bool fresh;
    knack_real *dx = tape_gradient(result->input[0], &fresh);
    for (int64_t o = 0; dx && o < view->outer; o++) {
        const int64_t at = o * view->size * view->inner;
        column_dots(view, y + at, result->gradient + at, saved->dots);
        add_tangent(view, y + at, result->gradient + at, saved->dots, saved->inverse + o * view->inner, dx + at, fresh);
    }
}

knack_tensor *knack_normalise(knack_tensor *x, int axis)
{
    if (!operand_real(__func__, x) || (axis != KNACK_ALL && !operand_axis(__func__, x, axis))) return NULL;
    const struct axis_view view = axis_view(x, axis);
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 1, &x);
    struct normalised *saved = result ? tape_alloc(x->tape, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = (struct normalised){.view = view,
                                 .inverse = tape_alloc(x->tape, (size_t)(view.outer * view.inner) * sizeof(double)),
                                 .dots = tape_alloc(x->tape, (size_t)view.inner * sizeof(double))};
    if (!saved->inverse || !saved->dots) return NULL;
    const knack_real *from = x->data;
    knack_real *to = result->data;
    for (int64_t o = 0; o < view.outer; o++) {
        const int64_t at = o * view.size * view.inner;
        double *inverse = saved->inverse + o * view.inner;
        column_dots(&view, from + at, from + at, inverse);
        for (int64_t i = 0; i < view.inner; i++) inverse[i] = inverse[i] == 0 ? 0 : 1 / sqrt(inverse[i]);
        multiply(&view, from + at, inverse, to + at);
    }
    result->saved = saved;
    result->backward = normalise_backward;
    return result;
}
