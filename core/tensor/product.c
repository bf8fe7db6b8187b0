/* Matrix products and linear layers. With bf16 operands the gradient of the result is rounded to bf16 on the way back, and the products
 * that make the operands' gradients are summed and kept in KNACK_REAL. A linear layer may also compute in bf16 what comes and goes in
 * KNACK_REAL: each operand is rounded once, and that copy serves the way back too. */
#include "tensor/dropout.h"
#include "tensor/kernels/kernels.h"
#include "tensor/operand.h"

/* Runs a product; on failure the tape's is set, with the operation's name. */
static bool multiply(const char *operation, struct tape *tape, const struct matmul *product)
{
    return tape_check(tape, operation, kernel_matmul(tape->arena, product));
}

/* Values in the type of a product's operands: themselves, or rounded to bf16. NULL: memory failed. */
static const void *in_type(struct tape *tape, enum knack_type type, int64_t count, const knack_real *values)
{
    if (type == KNACK_REAL) return values;
    uint16_t *rounded = tape_alloc(tape, (size_t)count * sizeof *rounded);
    if (rounded) kernel_to_bf16(count, values, rounded);
    return rounded;
}

/* Both KNACK_REAL or both KNACK_BF16. */
static bool types_fit(const char *operation, const knack_tensor *a, const knack_tensor *b)
{
    if (a->type == b->type && (a->type == KNACK_REAL || a->type == KNACK_BF16)) return true;
    tape_fail(a->tape, KNACK_E_SHAPE, "%s: operands of type %s and %s, expected both %s or both bf16", operation, type_name(a->type),
              type_name(b->type), type_name(KNACK_REAL));
    return false;
}

/* ---- Products of two matrices ---- */

struct product {
    bool transpose_a, transpose_b;
    int64_t batch, m, n, k;
};

/* op(a) op(b) in KNACK_REAL for the gradient of x, added to what is there. */
static void product_gradient(knack_tensor *x, struct matmul product)
{
    bool fresh;
    product.c = tape_gradient(x, &fresh);
    if (!product.c) return;
    product.result = KNACK_REAL;
    product.add = !fresh;
    multiply("knack_matmul", x->tape, &product);
}

static void product_backward(knack_tensor *result)
{
    const struct product *p = result->saved;
    knack_tensor *a = result->input[0], *b = result->input[1];
    const struct matmul base = {.type = a->type, .batch = p->batch};
    const void *dc = in_type(result->tape, a->type, result->count, result->gradient);
    if (!dc) return;
    struct matmul da = base, db = base;
    if (p->transpose_a) /* a [k, m]: da = op(b) dc^T */
        da.m = p->k, da.n = p->m, da.k = p->n, da.a = b->data, da.transpose_a = p->transpose_b, da.b = dc, da.transpose_b = true;
    else /* a [m, k]: da = dc op(b)^T */
        da.m = p->m, da.n = p->k, da.k = p->n, da.a = dc, da.b = b->data, da.transpose_b = !p->transpose_b;
    if (p->transpose_b) /* b [n, k]: db = dc^T op(a) */
        db.m = p->n, db.n = p->k, db.k = p->m, db.a = dc, db.transpose_a = true, db.b = a->data, db.transpose_b = p->transpose_a;
    else /* b [k, n]: db = op(a)^T dc */
        db.m = p->k, db.n = p->n, db.k = p->m, db.a = a->data, db.transpose_a = !p->transpose_a, db.b = dc;
    product_gradient(a, da);
    product_gradient(b, db);
}

/* The sizes of a product; false: the operands do not fit. */
static bool product_sizes(const knack_tensor *a, const knack_tensor *b, struct product *p)
{
    if (a->ndim != b->ndim || a->ndim < 2 || a->ndim > 3) return false;
    const int64_t *last_a = a->shape + a->ndim - 2, *last_b = b->shape + b->ndim - 2;
    p->batch = a->ndim == 3 ? a->shape[0] : 1;
    p->m = last_a[p->transpose_a ? 1 : 0];
    p->k = last_a[p->transpose_a ? 0 : 1];
    p->n = last_b[p->transpose_b ? 0 : 1];
    return last_b[p->transpose_b ? 1 : 0] == p->k && (a->ndim == 2 || b->shape[0] == p->batch);
}

knack_tensor *knack_matmul(knack_tensor *a, knack_tensor *b, bool transpose_a, bool transpose_b)
{
    char text_a[96], text_b[96];
    if (!a || !b || !types_fit(__func__, a, b)) return NULL;
    struct product p = {.transpose_a = transpose_a, .transpose_b = transpose_b};
    if (!product_sizes(a, b, &p))
        return tape_fail(a->tape, KNACK_E_SHAPE, "%s: shapes %s%s and %s%s do not fit", __func__, shape_text(text_a, a->ndim, a->shape),
                         transpose_a ? " transposed" : "", shape_text(text_b, b->ndim, b->shape), transpose_b ? " transposed" : "");
    const int64_t shape[3] = {p.batch, p.m, p.n};
    knack_tensor *result = tape_result(a->tape, a->type, a->ndim, shape + 3 - a->ndim, 2, (knack_tensor *[]){a, b});
    struct product *saved = result ? tape_alloc(a->tape, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = p;
    result->saved = saved;
    result->backward = product_backward;
    const struct matmul product = {.type = a->type,
                                   .batch = p.batch,
                                   .m = p.m,
                                   .n = p.n,
                                   .k = p.k,
                                   .transpose_a = transpose_a,
                                   .transpose_b = transpose_b,
                                   .a = a->data,
                                   .b = b->data,
                                   .c = result->data};
    return multiply(__func__, a->tape, &product) ? result : NULL;
}

/* ---- Linear layers ---- */

struct linear {
    enum knack_activation activation; /* behind the product: LINEAR or RELU */
    knack_real scale;                 /* behind that, of what dropout keeps; 1: there is none */
    enum knack_type type;             /* of the operands as they are multiplied */
    const void *x, *w;                /* those */
};

/* y as kernel_linear_gradient() wants it: NULL without an activation. False: memory failed. */
static bool activated_values(const knack_tensor *y, const knack_real **values)
{
    const struct linear *saved = y->saved;
    *values = saved->activation == KNACK_RELU ? y->data : NULL;
    if (!*values || y->type == KNACK_REAL) return true;
    knack_real *widened = tape_alloc(y->tape, (size_t)y->count * sizeof *widened);
    if (widened) kernel_from_bf16(y->count, y->data, widened);
    *values = widened;
    return widened != NULL;
}

/* The gradient of x w^T + bias in the type of products, while that of the bias is taken; NULL: memory failed. */
static const void *inner_gradient(knack_tensor *y)
{
    const struct linear *saved = y->saved;
    knack_tensor *bias = y->inputs > 2 ? y->input[2] : NULL;
    const int64_t columns = tensor_width(y);
    bool fresh = false;
    struct linear_gradient l = {
        .rows = y->count / columns, .columns = columns, .scale = saved->scale, .dy = y->gradient, .type = saved->type};
    if (!activated_values(y, &l.y)) return NULL;
    const bool changed = l.y || l.type != KNACK_REAL;
    if (changed && !(l.dz = tape_alloc(y->tape, (size_t)y->count * type_size(l.type)))) return NULL;
    l.dbias = bias ? tape_gradient(bias, &fresh) : NULL;
    l.add = !fresh;
    if (changed || l.dbias) kernel_linear_gradient(&l);
    return changed ? l.dz : l.dy;
}

static void linear_backward(knack_tensor *y)
{
    const struct linear *saved = y->saved;
    knack_tensor *x = y->input[0], *w = y->input[1];
    const int64_t rows = tensor_rows(y), out = w->shape[0], in = w->shape[1];
    struct matmul product = {.type = saved->type, .result = KNACK_REAL, .batch = 1, .a = inner_gradient(y)};
    if (!product.a) return;
    bool fresh;
    knack_real *dx = tape_gradient(x, &fresh);
    if (dx) {
        product.m = rows, product.n = in, product.k = out, product.b = saved->w, product.c = dx, product.add = !fresh;
        if (!multiply("knack_linear", y->tape, &product)) return;
    }
    knack_real *dw = tape_gradient(w, &fresh);
    if (!dw) return;
    product.m = out, product.n = in, product.k = rows, product.transpose_a = true, product.b = saved->x, product.c = dw;
    product.add = !fresh;
    multiply("knack_linear", y->tape, &product);
}

static bool linear_fits(const char *operation, const knack_tensor *x, const knack_tensor *w, const knack_tensor *bias)
{
    char text_x[96], text_w[96];
    if (!x || !w || !types_fit(operation, x, w)) return false;
    if (x->ndim < 1 || w->ndim != 2 || tensor_width(x) != w->shape[1]) {
        tape_fail(x->tape, KNACK_E_SHAPE, "%s: x %s does not fit w %s: expected [..., in] and [out, in]", operation,
                  shape_text(text_x, x->ndim, x->shape), shape_text(text_w, w->ndim, w->shape));
        return false;
    }
    if (bias && !operand_axes(operation, bias, 1)) return false;
    if (!bias || bias->shape[0] == w->shape[0]) return true;
    tape_fail(x->tape, KNACK_E_SHAPE, "%s: bias %s does not fit w %s: expected [out] and [out, in]", operation,
              shape_text(text_x, bias->ndim, bias->shape), shape_text(text_w, w->ndim, w->shape));
    return false;
}

/* x w^T + bias, with RELU or nothing after it, by products of the type `compute`. */
static knack_tensor *linear(knack_tensor *x, knack_tensor *w, knack_tensor *bias, enum knack_activation activation, enum knack_type compute)
{
    static const char name[] = "knack_linear";
    int64_t shape[KNACK_MAX_DIMS];
    if (!linear_fits(name, x, w, bias)) return NULL;
    for (int i = 0; i < x->ndim - 1; i++) shape[i] = x->shape[i];
    shape[x->ndim - 1] = w->shape[0];
    knack_tensor *y = tape_result(x->tape, x->type, x->ndim, shape, bias ? 3 : 2, (knack_tensor *[]){x, w, bias});
    struct linear *saved = y ? tape_alloc(x->tape, sizeof *saved) : NULL;
    if (!saved) return NULL;
    const bool rounds = compute != x->type;
    *saved = (struct linear){.activation = activation,
                             .scale = 1,
                             .type = compute,
                             .x = rounds ? in_type(x->tape, compute, x->count, x->data) : x->data,
                             .w = rounds ? in_type(x->tape, compute, w->count, w->data) : w->data};
    if (!saved->x || !saved->w) return NULL;
    y->saved = saved;
    y->backward = linear_backward;
    const struct matmul product = {.type = compute,
                                   .result = x->type,
                                   .batch = 1,
                                   .m = tensor_rows(x),
                                   .n = w->shape[0],
                                   .k = w->shape[1],
                                   .transpose_b = true,
                                   .a = saved->x,
                                   .b = saved->w,
                                   .bias = bias ? bias->data : NULL,
                                   .activation = activation,
                                   .c = y->data};
    return multiply(name, x->tape, &product) ? y : NULL;
}

/* With an activation that needs what was before it, in KNACK_REAL. */
static knack_tensor *activated(knack_tensor *inner, knack_tensor *(*activation)(knack_tensor *))
{
    return inner ? knack_cast(activation(knack_cast(inner, KNACK_REAL)), inner->type) : NULL;
}

knack_tensor *tensor_linear(knack_tensor *x, knack_tensor *w, knack_tensor *bias, enum knack_activation activation, enum knack_type compute)
{
    switch (activation) {
    case KNACK_LINEAR:
    case KNACK_RELU:
        return linear(x, w, bias, activation, compute);
    case KNACK_GELU:
        return activated(linear(x, w, bias, KNACK_LINEAR, compute), knack_gelu);
    case KNACK_TANH:
        return activated(linear(x, w, bias, KNACK_LINEAR, compute), knack_tanh);
    case KNACK_SIGMOID:
        return activated(linear(x, w, bias, KNACK_LINEAR, compute), knack_sigmoid);
    }
    return x ? tape_fail(x->tape, KNACK_E_CALL, "knack_linear: activation %d is none of enum knack_activation", (int)activation) : NULL;
}

knack_tensor *tensor_linear_relu_drop(knack_tensor *x, knack_tensor *w, knack_tensor *bias, enum knack_type compute, double rate,
                                      const struct dropout_address *address)
{
    knack_tensor *y = linear(x, w, bias, KNACK_RELU, compute);
    if (!y || rate == 0) return y;
    ((struct linear *)y->saved)->scale = dropout_scale(rate);
    dropout_rows(address, rate, y->shape[0], y->count / y->shape[0], y->data, y->data, NULL);
    return y;
}

knack_tensor *knack_linear(knack_tensor *x, knack_tensor *w, knack_tensor *bias, enum knack_activation activation)
{
    return x ? tensor_linear(x, w, bias, activation, x->type) : NULL;
}
