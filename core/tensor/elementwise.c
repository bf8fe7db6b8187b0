/* Operations on one operand, element by element: y = f(x). Each is two loops, made by ELEMENTWISE from f and from what the gradient g of y
 * gives to x; operations on two operands are in arithmetic.c. */
#include <tgmath.h>

#include "tensor/functions.h"
#include "tensor/operand.h"
#include "tensor/vector.h"

/* What an operation of a family is told, such as a factor. */
struct constants {
    knack_real p, q;
};

struct elementwise {
    void (*forward)(int64_t count, const knack_real *x, knack_real *y, struct constants);
    void (*backward)(int64_t count, const knack_real *x, const knack_real *y, const knack_real *g, knack_real *dx, bool fresh,
                     struct constants);
};

#define ELEMENTWISE(name, value, gradient)                                                                                                 \
    VECTOR_INLINE knack_real name##_value(knack_real x, struct constants c)                                                                \
    {                                                                                                                                      \
        (void)c;                                                                                                                           \
        return (value);                                                                                                                    \
    }                                                                                                                                      \
    VECTOR_INLINE knack_real name##_gradient(knack_real x, knack_real y, knack_real g, struct constants c)                                 \
    {                                                                                                                                      \
        (void)x, (void)y, (void)g, (void)c;                                                                                                \
        return (gradient);                                                                                                                 \
    }                                                                                                                                      \
    VECTOR static void name##_forward(int64_t count, const knack_real *restrict x, knack_real *restrict y, struct constants c)             \
    {                                                                                                                                      \
        for (int64_t i = 0; i < count; i++) y[i] = name##_value(x[i], c);                                                                  \
    }                                                                                                                                      \
    VECTOR static void name##_backward(int64_t count, const knack_real *restrict x, const knack_real *restrict y,                          \
                                       const knack_real *restrict g, knack_real *restrict dx, bool fresh, struct constants c)              \
    {                                                                                                                                      \
        if (fresh)                                                                                                                         \
            for (int64_t i = 0; i < count; i++) dx[i] = name##_gradient(x[i], y[i], g[i], c);                                              \
        else                                                                                                                               \
            for (int64_t i = 0; i < count; i++) dx[i] += name##_gradient(x[i], y[i], g[i], c);                                             \
    }                                                                                                                                      \
    static const struct elementwise name = {name##_forward, name##_backward}

VECTOR_INLINE knack_real logistic(knack_real x)
{
    return 1 / (1 + vector_exp(-x));
}

/* x Phi(x), and its derivative. */
VECTOR_INLINE knack_real gelu(knack_real x)
{
    return x * normal(x).cdf;
}

VECTOR_INLINE knack_real gelu_slope(knack_real x)
{
    const struct normal at = normal(x);
    return at.cdf + x * at.density;
}

ELEMENTWISE(scaling, x *c.p, g *c.p);
ELEMENTWISE(addition, x + c.p, g);
ELEMENTWISE(exponential, vector_exp(x), g *y);
ELEMENTWISE(logarithm, log(x), g / x);
ELEMENTWISE(square_root, sqrt(x), y > 0 ? g / (2 * y) : 0);
ELEMENTWISE(square, x *x, 2 * x * g);
ELEMENTWISE(power, pow(x, c.p), c.p == 0 ? 0 : g * c.p * pow(x, c.p - 1));
ELEMENTWISE(rectifier, x<0 ? 0 : x, y> 0 ? g : 0);
ELEMENTWISE(gaussian, gelu(x), g *gelu_slope(x));
ELEMENTWISE(hyperbolic, vector_tanh(x), g *(1 - y * y));
ELEMENTWISE(sigmoid, logistic(x), g *y *(1 - y));
ELEMENTWISE(clamping, x<c.p ? c.p : x> c.q ? c.q : x, x >= c.p && x <= c.q ? g : 0);
ELEMENTWISE(nan_test, x != x, 0);

/* The work of one operation, cut into parts. */
struct work {
    const struct elementwise *loops;
    const knack_tensor *x, *y;
    knack_real *dx;
    bool fresh;
    struct constants constants;
};

static void forward_part(void *user, int64_t part)
{
    const struct work *work = user;
    int64_t length, first = vector_part(work->x->count, part, &length);
    const knack_real *x = work->x->data;
    knack_real *y = work->y->data;
    work->loops->forward(length, x + first, y + first, work->constants);
}

static void backward_part(void *user, int64_t part)
{
    const struct work *work = user;
    int64_t length, first = vector_part(work->x->count, part, &length);
    const knack_real *x = work->x->data, *y = work->y->data;
    work->loops->backward(length, x + first, y + first, work->y->gradient + first, work->dx + first, work->fresh, work->constants);
}

static void elementwise_backward(knack_tensor *result)
{
    struct work *work = result->saved;
    work->dx = tape_gradient(result->input[0], &work->fresh);
    if (work->dx) threads_run(vector_parts(result->count), backward_part, work);
}

static knack_tensor *elementwise(const char *operation, knack_tensor *x, const struct elementwise *loops, double p, double q)
{
    if (!operand_real(operation, x)) return NULL;
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, loops == &nan_test ? 0 : 1, &x);
    struct work *work = result ? tape_alloc(x->tape, sizeof *work) : NULL;
    if (!work) return NULL;
    *work = (struct work){.loops = loops, .x = x, .y = result, .constants = {(knack_real)p, (knack_real)q}};
    result->saved = work;
    result->backward = elementwise_backward;
    threads_run(vector_parts(x->count), forward_part, work);
    return result;
}

knack_tensor *knack_scale(knack_tensor *x, double factor)
{
    return elementwise(__func__, x, &scaling, factor, 0);
}

knack_tensor *knack_add_scalar(knack_tensor *x, double addend)
{
    return elementwise(__func__, x, &addition, addend, 0);
}

knack_tensor *knack_exp(knack_tensor *x)
{
    return elementwise(__func__, x, &exponential, 0, 0);
}

knack_tensor *knack_log(knack_tensor *x)
{
    return elementwise(__func__, x, &logarithm, 0, 0);
}

knack_tensor *knack_sqrt(knack_tensor *x)
{
    return elementwise(__func__, x, &square_root, 0, 0);
}

knack_tensor *knack_pow(knack_tensor *x, double exponent)
{
    return elementwise(__func__, x, exponent == 2 ? &square : &power, exponent, 0);
}

knack_tensor *knack_relu(knack_tensor *x)
{
    return elementwise(__func__, x, &rectifier, 0, 0);
}

knack_tensor *knack_gelu(knack_tensor *x)
{
    return elementwise(__func__, x, &gaussian, 0, 0);
}

knack_tensor *knack_tanh(knack_tensor *x)
{
    return elementwise(__func__, x, &hyperbolic, 0, 0);
}

knack_tensor *knack_sigmoid(knack_tensor *x)
{
    return elementwise(__func__, x, &sigmoid, 0, 0);
}

knack_tensor *knack_is_nan(knack_tensor *x)
{
    return elementwise(__func__, x, &nan_test, 0, 0);
}

knack_tensor *knack_clamp(knack_tensor *x, double low, double high)
{
    if (!x) return NULL;
    if (!(low <= high)) return tape_fail(x->tape, KNACK_E_CALL, "knack_clamp: low %g is not at most high %g", low, high);
    return elementwise(__func__, x, &clamping, low, high);
}

knack_tensor *knack_stop_gradient(knack_tensor *x)
{
    return x ? tape_constant(x->tape, x->type, x->ndim, x->shape, x->data) : NULL;
}
