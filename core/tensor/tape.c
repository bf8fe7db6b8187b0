/* The tape: memory for results, the order they were made in, and the way back through them. */
#include "tensor/tape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void tape_begin(struct tape *tape, struct arena *arena)
{
    tape->arena = arena;
    tape->last = NULL;
    tape->spare = NULL;
    tape->recording = true;
    tape->failure = KNACK_OK;
    tape->message[0] = '\0';
}

knack_tensor *tape_fail(struct tape *tape, knack_status code, const char *format, ...)
{
    if (tape->failure == KNACK_OK) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(tape->message, sizeof tape->message, format, arguments);
        va_end(arguments);
        tape->failure = code;
    }
    return NULL;
}

bool tape_check(struct tape *tape, const char *operation, knack_status status)
{
    if (status < 0) tape_fail(tape, status, "%s: %s", operation, knack_error());
    return status >= 0;
}

knack_status tape_status(const struct tape *tape)
{
    return tape->failure == KNACK_OK ? KNACK_OK : status_set(tape->failure, "%s", tape->message);
}

void *tape_alloc(struct tape *tape, size_t bytes)
{
    void *memory = arena_alloc(tape->arena, bytes);
    if (!memory) tape_fail(tape, KNACK_E_MEMORY, "%s", knack_error());
    return memory;
}

/* Stands at the beginning of memory that was given back. */
struct spare {
    struct spare *next;
    size_t bytes;
};

void tape_give_back(struct tape *tape, void *memory, size_t bytes)
{
    struct spare *spare = memory;
    if (bytes < sizeof *spare) return;
    *spare = (struct spare){tape->spare, bytes};
    tape->spare = spare;
}

void *tape_reuse(struct tape *tape, size_t bytes)
{
    for (struct spare **at = &tape->spare; *at; at = &(*at)->next) {
        struct spare *spare = *at;
        if (spare->bytes != bytes) continue;
        *at = spare->next;
        return spare;
    }
    return tape_alloc(tape, bytes);
}

/* The product of the sizes, of which none may be below 1, or -1 with the tape's failure set. */
static int64_t shape_count(struct tape *tape, size_t element, int ndim, const int64_t *shape)
{
    char text[96];
    int64_t count = 1, bytes;
    if (ndim < 0 || ndim > KNACK_MAX_DIMS) {
        tape_fail(tape, KNACK_E_SHAPE, "a tensor of %d axes: at most %d are allowed", ndim, KNACK_MAX_DIMS);
        return -1;
    }
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 1) {
            tape_fail(tape, KNACK_E_SHAPE, "a tensor of shape %s: every size must be at least 1, empty ones are not allowed",
                      shape_text(text, ndim, shape));
            return -1;
        }
        if (__builtin_mul_overflow(count, shape[i], &count) || __builtin_mul_overflow(count, (int64_t)element, &bytes)) {
            tape_fail(tape, KNACK_E_SHAPE, "a tensor of shape %s is too large to be addressed", shape_text(text, ndim, shape));
            return -1;
        }
    }
    return count;
}

/* A tensor without data, operands or gradient. */
static knack_tensor *make_tensor(struct tape *tape, enum knack_type type, int ndim, const int64_t *shape)
{
    int64_t count = shape_count(tape, type_size(type), ndim, shape);
    if (count < 0) return NULL;
    knack_tensor *tensor = tape_alloc(tape, sizeof *tensor);
    if (!tensor) return NULL;
    memset(tensor, 0, sizeof *tensor);
    tensor->tape = tape;
    tensor->type = type;
    tensor->ndim = ndim;
    for (int i = 0; i < ndim; i++) tensor->shape[i] = shape[i];
    tensor->count = count;
    return tensor;
}

void tape_require_gradient(knack_tensor *result)
{
    struct tape *tape = result->tape;
    if (result->needs_gradient || !tape->recording) return;
    result->needs_gradient = true;
    result->previous = tape->last;
    tape->last = result;
}

bool tape_holds(struct tape *tape, const knack_tensor *operand)
{
    if (operand->tape == tape) return true;
    tape_fail(tape, KNACK_E_CALL, "operands of two passes cannot be combined");
    return false;
}

knack_tensor *tape_promise(struct tape *tape, enum knack_type type, int ndim, const int64_t *shape, int inputs, knack_tensor *const *input)
{
    knack_tensor *result = make_tensor(tape, type, ndim, shape);
    if (!result) return NULL;
    result->inputs = inputs;
    for (int i = 0; i < inputs; i++) {
        if (!tape_holds(tape, input[i])) return NULL;
        result->input[i] = input[i];
        if (input[i]->needs_gradient) tape_require_gradient(result);
    }
    return result;
}

knack_tensor *tape_result(struct tape *tape, enum knack_type type, int ndim, const int64_t *shape, int inputs, knack_tensor *const *input)
{
    knack_tensor *result = tape_promise(tape, type, ndim, shape, inputs, input);
    if (result) result->data = tape_alloc(tape, (size_t)result->count * type_size(type));
    return result && result->data ? result : NULL;
}

knack_tensor *tape_view(knack_tensor *x, int ndim, const int64_t *shape)
{
    knack_tensor *view = make_tensor(x->tape, x->type, ndim, shape);
    if (!view) return NULL;
    view->data = x->data;
    view->inputs = 1;
    view->input[0] = x;
    if (x->needs_gradient) tape_require_gradient(view);
    return view;
}

knack_tensor *tape_constant(struct tape *tape, enum knack_type type, int ndim, const int64_t *shape, void *data)
{
    knack_tensor *leaf = make_tensor(tape, type, ndim, shape);
    if (leaf) leaf->data = data;
    return leaf;
}

knack_tensor *tape_leaf(struct tape *tape, int ndim, const int64_t *shape, knack_real *data, knack_real *gradient, uint8_t *touched)
{
    knack_tensor *leaf = tape_constant(tape, KNACK_REAL, ndim, shape, data);
    if (!leaf || !gradient) return leaf;
    if (!touched) {
        touched = tape_alloc(tape, sizeof *touched);
        if (!touched) return NULL;
        *touched = 0;
    }
    leaf->needs_gradient = true;
    leaf->gradient = gradient;
    leaf->touched = touched;
    return leaf;
}

/* The gradient of a result as memory of its own, holding what was contributed so far. */
static knack_real *own_gradient(knack_tensor *x, bool *fresh)
{
    *fresh = x->gradient == NULL;
    if (x->gradient && !x->shared_gradient) return x->gradient;
    knack_real *own = tape_alloc(x->tape, (size_t)x->count * sizeof *own);
    if (!own) return NULL;
    if (x->gradient) memcpy(own, x->gradient, (size_t)x->count * sizeof *own);
    x->shared_gradient = false;
    x->gradient = own;
    return own;
}

knack_real *tape_gradient(knack_tensor *x, bool *fresh)
{
    if (!x->needs_gradient) return NULL;
    if (!x->touched) return own_gradient(x, fresh);
    *fresh = *x->touched == 0;
    *x->touched = 1;
    return x->gradient;
}

knack_real *tape_zeroed_gradient(knack_tensor *x)
{
    bool fresh;
    knack_real *gradient = tape_gradient(x, &fresh);
    if (gradient && fresh) memset(gradient, 0, (size_t)x->count * sizeof *gradient);
    return gradient;
}

void tape_pass_gradient(knack_tensor *result, knack_tensor *x)
{
    if (x->needs_gradient && !x->touched && !x->gradient) {
        x->gradient = result->gradient;
        x->shared_gradient = true;
        return;
    }
    bool fresh;
    knack_real *restrict out = tape_gradient(x, &fresh);
    if (!out) return;
    const knack_real *restrict gradient = result->gradient;
    if (fresh)
        memcpy(out, gradient, (size_t)x->count * sizeof *out);
    else
        for (int64_t i = 0; i < x->count; i++) out[i] += gradient[i];
}

knack_status tape_backward(knack_tensor *result, const knack_real *seed)
{
    struct tape *tape = result->tape;
    TRY(tape_status(tape));
    if (!result->needs_gradient) return KNACK_OK;
    /* What an earlier way back through the same tape left. */
    for (knack_tensor *t = result->backward ? result : NULL; t; t = t->previous) {
        t->gradient = NULL;
        t->shared_gradient = false;
    }
    bool fresh;
    knack_real *gradient = tape_gradient(result, &fresh);
    if (!gradient) return tape_status(tape);
    for (int64_t i = 0; i < result->count; i++) gradient[i] = fresh ? seed[i] : gradient[i] + seed[i];
    for (knack_tensor *t = result->backward ? result : NULL; t && tape->failure == KNACK_OK; t = t->previous)
        if (t->gradient) t->backward(t);
    return tape_status(tape);
}
