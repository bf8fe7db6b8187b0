/* The tape's gradient against central differences. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "tensor/tape.h"

/* A function under test, seen as the scalar sum(weights * f(inputs)). */
struct check {
    knack_function *function;
    void *user;
    int count;
    const int *ndims;
    const int64_t *const *shapes;
    knack_real *const *values;
    knack_real **gradient; /* [count], each like the input's values */
    struct arena *arena;
    struct tape tape;
};

/* f at the present values, and the fixed weights of its elements; NULL if it failed. */
static knack_tensor *apply(struct check *check, bool recording, knack_real **weights)
{
    struct step_base step = {.tape = &check->tape};
    arena_reset(check->arena);
    tape_begin(&check->tape, check->arena);
    check->tape.recording = recording;
    knack_tensor **inputs = tape_alloc(&check->tape, (size_t)check->count * sizeof(knack_tensor *));
    if (!inputs) return NULL;
    for (int k = 0; k < check->count; k++) {
        inputs[k] = tape_leaf(&check->tape, check->ndims[k], check->shapes[k], check->values[k], check->gradient[k], NULL);
        if (!inputs[k]) return NULL;
    }
    knack_tensor *result = check->function((knack_step *)(void *)&step, inputs, check->user);
    if (!result || result->type != KNACK_REAL)
        return tape_fail(&check->tape, KNACK_E_CALL, "knack_check_gradient: the function gave no tensor of type %s", type_name(KNACK_REAL));
    *weights = tape_alloc(&check->tape, (size_t)result->count * sizeof **weights);
    if (!*weights) return NULL;
    random_uniforms(random_key(0, "knack_check_gradient"), (struct random_place){0}, 0, result->count, *weights);
    for (int64_t i = 0; i < result->count; i++) (*weights)[i] = 2 * (*weights)[i] - 1;
    return result;
}

static knack_status weighted_sum(struct check *check, double *sum)
{
    knack_real *weights;
    const knack_tensor *result = apply(check, false, &weights);
    TRY(tape_status(&check->tape));
    const knack_real *values = result->data;
    *sum = 0;
    for (int64_t i = 0; i < result->count; i++) *sum += (double)weights[i] * values[i];
    return KNACK_OK;
}

/* Compares in one element of one input. A difference that is not finite counts as infinite. */
static knack_status check_element(struct check *check, knack_real *value, double gradient, double step, double *worst)
{
    double above, below;
    const knack_real middle = *value, high = (knack_real)(middle + step), low = (knack_real)(middle - step);
    *value = high;
    knack_status status = weighted_sum(check, &above);
    *value = low;
    if (status == KNACK_OK) status = weighted_sum(check, &below);
    *value = middle;
    if (status != KNACK_OK) return status;
    const double numeric = (above - below) / ((double)high - (double)low);
    const double error = fabs(numeric - gradient) / fmax(1, fabs(gradient));
    if (!isfinite(error))
        *worst = INFINITY;
    else if (error > *worst)
        *worst = error;
    return KNACK_OK;
}

static knack_status check_inputs(struct check *check, const int64_t *length, double step, double *worst)
{
    knack_real *weights;
    knack_tensor *result = apply(check, true, &weights);
    TRY(tape_status(&check->tape));
    TRY(tape_backward(result, weights));
    for (int k = 0; k < check->count; k++)
        for (int64_t i = 0; i < length[k]; i++) TRY(check_element(check, &check->values[k][i], check->gradient[k][i], step, worst));
    return KNACK_OK;
}

/* 0 for a shape that no tensor can have: the tape will say why. */
static int64_t element_count(int ndim, const int64_t *shape)
{
    int64_t count = 1;
    for (int i = 0; i < ndim; i++)
        if (shape[i] < 1 || __builtin_mul_overflow(count, shape[i], &count)) return 0;
    return count;
}

knack_status knack_check_gradient(knack_function *f, void *user, int count, const int *ndims, const int64_t *const *shapes,
                                  knack_real *const *values, double step, double *worst)
{
    *worst = 0;
    if (count < 1 || !(step > 0)) return status_set(KNACK_E_CALL, "knack_check_gradient: needs an input at least, and a step above 0");
    struct check check = {.function = f, .user = user, .count = count, .ndims = ndims, .shapes = shapes, .values = values};
    int64_t *length = memory_new((size_t)count, sizeof *length);
    check.gradient = memory_new((size_t)count, sizeof *check.gradient);
    check.arena = arena_new((size_t)1 << 20);
    knack_status status = length && check.gradient && check.arena ? KNACK_OK : KNACK_E_MEMORY;
    for (int k = 0; k < count && status == KNACK_OK; k++) {
        length[k] = element_count(ndims[k], shapes[k]);
        check.gradient[k] = memory_new((size_t)length[k], sizeof *check.gradient[k]);
        if (!check.gradient[k]) status = KNACK_E_MEMORY;
    }
    if (status == KNACK_OK) status = check_inputs(&check, length, step, worst);
    for (int k = 0; k < count && check.gradient; k++) memory_free(check.gradient[k]);
    memory_free(check.gradient);
    memory_free(length);
    arena_free(check.arena);
    return status;
}
