/* Operations on two operands, element by element, with broadcasting. */
#include "tensor/broadcast.h"
#include "tensor/operand.h"
#include "tensor/vector.h"

#define BINARY(name, value)                                                                                                                \
    VECTOR static void name(int64_t count, const knack_real *restrict as, int step_a, const knack_real *restrict bs, int step_b,           \
                            knack_real *restrict ys)                                                                                       \
    {                                                                                                                                      \
        if (step_a && step_b) {                                                                                                            \
            for (int64_t i = 0; i < count; i++) {                                                                                          \
                const knack_real a = as[i], b = bs[i];                                                                                     \
                ys[i] = (value);                                                                                                           \
            }                                                                                                                              \
        } else if (step_a) {                                                                                                               \
            const knack_real b = bs[0];                                                                                                    \
            for (int64_t i = 0; i < count; i++) {                                                                                          \
                const knack_real a = as[i];                                                                                                \
                ys[i] = (value);                                                                                                           \
            }                                                                                                                              \
        } else {                                                                                                                           \
            const knack_real a = as[0];                                                                                                    \
            for (int64_t i = 0; i < count; i++) {                                                                                          \
                const knack_real b = bs[i];                                                                                                \
                ys[i] = (value);                                                                                                           \
            }                                                                                                                              \
        }                                                                                                                                  \
    }

BINARY(sum_run, a + b)
BINARY(difference_run, a - b)
BINARY(product_run, a *b)
BINARY(average_run, (a + b) / 2)
BINARY(greater_run, a > b)

struct binary {
    void (*run)(int64_t count, const knack_real *a, int step_a, const knack_real *b, int step_b, knack_real *y);
    bool gradient, product;
    knack_real share[2]; /* of the result's gradient g that an operand gets; times the other operand in a product */
};
static const struct binary sum_of = {sum_run, true, false, {1, 1}};
static const struct binary difference_of = {difference_run, true, false, {1, -1}};
static const struct binary average_of = {average_run, true, false, {(knack_real)0.5, (knack_real)0.5}};
static const struct binary product_of = {product_run, true, true, {1, 1}};
static const struct binary greater_of = {greater_run, false, false, {0, 0}};

struct binary_work {
    const struct binary *operation;
    struct broadcast plan;
    const knack_real *a, *b;
    knack_real *y;
};

static int64_t runs_per_part(const struct broadcast *plan)
{
    int64_t runs = VECTOR_PART / run_length(plan);
    return runs > 1 ? runs : 1;
}

static void binary_part(void *user, int64_t part)
{
    const struct binary_work *work = user;
    const struct broadcast *plan = &work->plan;
    int64_t length = run_length(plan);
    int step_a = run_step(plan, 0), step_b = run_step(plan, 1);
    if (plan->runs == 1) {
        int64_t piece, first = vector_part(length, part, &piece);
        work->operation->run(piece, work->a + first * step_a, step_a, work->b + first * step_b, step_b, work->y + first);
        return;
    }
    int64_t each = runs_per_part(plan), end = (part + 1) * each < plan->runs ? (part + 1) * each : plan->runs;
    for (int64_t run = part * each; run < end; run++)
        work->operation->run(length, work->a + run_offset(plan, 0, run), step_a, work->b + run_offset(plan, 1, run), step_b,
                             work->y + run * length);
}

VECTOR static void add_scaled(int64_t count, knack_real factor, const knack_real *restrict g, knack_real *restrict dx, bool fresh)
{
    for (int64_t i = 0; i < count; i++) dx[i] = fresh ? factor * g[i] : dx[i] + factor * g[i];
}

VECTOR static void add_product(int64_t count, const knack_real *restrict other, const knack_real *restrict g, knack_real *restrict dx,
                               bool fresh)
{
    for (int64_t i = 0; i < count; i++) dx[i] = fresh ? other[i] * g[i] : dx[i] + other[i] * g[i];
}

VECTOR static double total(int64_t count, const knack_real *restrict g)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++) sum += g[i];
    return sum;
}

VECTOR static double dot(int64_t count, const knack_real *restrict g, const knack_real *restrict other)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++) sum += (double)g[i] * other[i];
    return sum;
}

/* One run's share of g for an operand that moves by step; other: the other factor of a product, or NULL. */
static void share_run(int64_t count, knack_real share, const knack_real *g, const knack_real *other, int step_other, knack_real *dx,
                      int step, bool fresh)
{
    if (other && !step_other) {
        share = *other;
        other = NULL;
    }
    if (step && other) {
        add_product(count, other, g, dx, fresh);
    } else if (step) {
        add_scaled(count, share, g, dx, fresh);
    } else {
        const knack_real sum = (knack_real)(other ? dot(count, g, other) : share * total(count, g));
        *dx = fresh ? sum : *dx + sum;
    }
}

/* The gradient of operand k: the result's, summed over the axes along which the operand stretched. */
static void binary_share(knack_tensor *result, int k)
{
    const struct binary_work *work = result->saved;
    const struct broadcast *plan = &work->plan;
    const knack_real *other = !work->operation->product ? NULL : k == 0 ? work->b : work->a;
    knack_tensor *x = result->input[k];
    if (!other && x->count == result->count && work->operation->share[k] == 1) {
        tape_pass_gradient(result, x);
        return;
    }
    bool fresh;
    knack_real *dx = broadcast_gradient(result, x, &fresh);
    if (!dx) return;
    int64_t length = run_length(plan);
    for (int64_t run = 0; run < plan->runs; run++)
        share_run(length, work->operation->share[k], result->gradient + run * length, other ? other + run_offset(plan, 1 - k, run) : NULL,
                  run_step(plan, 1 - k), dx + run_offset(plan, k, run), run_step(plan, k), fresh);
}

static void binary_backward(knack_tensor *result)
{
    binary_share(result, 0);
    binary_share(result, 1);
}

static knack_tensor *binary(const char *name, knack_tensor *a, knack_tensor *b, const struct binary *operation)
{
    knack_tensor *const operand[2] = {a, b};
    int ndim;
    int64_t shape[KNACK_MAX_DIMS];
    if (!broadcast_shape(name, 2, operand, &ndim, shape)) return NULL;
    knack_tensor *result = tape_result(a->tape, KNACK_REAL, ndim, shape, operation->gradient ? 2 : 0, operand);
    struct binary_work *work = result ? tape_alloc(a->tape, sizeof *work) : NULL;
    if (!work) return NULL;
    work->operation = operation;
    broadcast_plan(&work->plan, 2, operand, ndim, shape);
    work->a = a->data;
    work->b = b->data;
    work->y = result->data;
    result->saved = work;
    result->backward = binary_backward;
    const struct broadcast *plan = &work->plan;
    int64_t parts = plan->runs == 1 ? vector_parts(result->count) : (plan->runs - 1) / runs_per_part(plan) + 1;
    threads_run(parts, binary_part, work);
    return result;
}

knack_tensor *knack_add(knack_tensor *a, knack_tensor *b)
{
    return binary(__func__, a, b, &sum_of);
}

knack_tensor *knack_sub(knack_tensor *a, knack_tensor *b)
{
    return binary(__func__, a, b, &difference_of);
}

knack_tensor *knack_mul(knack_tensor *a, knack_tensor *b)
{
    return binary(__func__, a, b, &product_of);
}

knack_tensor *knack_mean2(knack_tensor *a, knack_tensor *b)
{
    return binary(__func__, a, b, &average_of);
}

knack_tensor *knack_greater(knack_tensor *a, knack_tensor *b)
{
    return binary(__func__, a, b, &greater_of);
}
