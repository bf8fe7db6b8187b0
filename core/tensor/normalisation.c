/* Batch norm over all but the last axis, layer norm over the last. */
#include <string.h>

#include "tensor/kernels/images.h"
#include "tensor/kernels/kernels.h"
#include "tensor/operand.h"

/* x [..., width] with gamma and beta [width]; false: the tape's failure is set. */
static bool operands_fit(const char *operation, const knack_tensor *x, const knack_tensor *gamma, const knack_tensor *beta)
{
    char text[96], text_gamma[96], text_beta[96];
    if (!operand_real(operation, x) || !operand_axes(operation, gamma, 1) || !operand_axes(operation, beta, 1)) return false;
    if (x->ndim > 0 && gamma->shape[0] == tensor_width(x) && beta->shape[0] == tensor_width(x)) return true;
    tape_fail(x->tape, KNACK_E_SHAPE, "%s: gamma %s and beta %s do not fit x %s: expected as many values as its last axis", operation,
              shape_text(text_gamma, 1, gamma->shape), shape_text(text_beta, 1, beta->shape), shape_text(text, x->ndim, x->shape));
    return false;
}

/* ---- Batch norm ---- */

struct batch_saved {
    bool batch;
    double epsilon;
    knack_real *mean, *variance; /* [channels] */
};

static void batch_backward(knack_tensor *y)
{
    const struct batch_saved *saved = y->saved;
    knack_tensor *x = y->input[0], *gamma = y->input[1], *beta = y->input[2];
    bool fresh_x = true, fresh_gamma = true, fresh_beta = true;
    knack_real *dx = tape_gradient(x, &fresh_x), *dgamma = tape_gradient(gamma, &fresh_gamma), *dbeta = tape_gradient(beta, &fresh_beta);
    tape_check(y->tape, "tensor_batch_norm",
               kernel_batch_norm_backward(y->tape->arena, saved->batch, tensor_rows(x), tensor_width(x), x->data, saved->mean,
                                          saved->variance, saved->epsilon, gamma->data, y->gradient, dx, !fresh_x, dgamma, !fresh_gamma,
                                          dbeta, !fresh_beta));
}

knack_tensor *tensor_batch_norm(knack_tensor *x, knack_tensor *gamma, knack_tensor *beta, const struct batch_norm *norm)
{
    if (!x || !gamma || !beta || !operands_fit(__func__, x, gamma, beta)) return NULL;
    const int64_t rows = tensor_rows(x), channels = tensor_width(x);
    const size_t bytes = (size_t)channels * sizeof(knack_real);
    knack_tensor *y = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 3, (knack_tensor *[]){x, gamma, beta});
    struct batch_saved *saved = y ? tape_alloc(x->tape, sizeof *saved + 2 * bytes) : NULL;
    if (!saved) return NULL;
    if (norm->batch) {
        tape_check(x->tape, __func__, kernel_channel_moments(x->tape->arena, rows, channels, x->data, norm->mean, norm->variance));
        *norm->count = rows;
    }
    *saved = (struct batch_saved){.batch = norm->batch, .epsilon = norm->epsilon};
    saved->mean = (knack_real *)(saved + 1);
    saved->variance = saved->mean + channels;
    memcpy(saved->mean, norm->mean, bytes);
    memcpy(saved->variance, norm->variance, bytes);
    y->saved = saved;
    y->backward = batch_backward;
    kernel_batch_norm(rows, channels, x->data, norm->mean, norm->variance, norm->epsilon, gamma->data, beta->data, y->data);
    return x->tape->failure == KNACK_OK ? y : NULL;
}

/* ---- Layer norm ---- */

struct layer_saved {
    knack_real *mean, *scale; /* [rows] */
};

static void layer_backward(knack_tensor *y)
{
    const struct layer_saved *saved = y->saved;
    knack_tensor *x = y->input[0], *gamma = y->input[1], *beta = y->input[2];
    bool fresh_x = true, fresh_gamma = true, fresh_beta = true;
    knack_real *dx = tape_gradient(x, &fresh_x), *dgamma = tape_gradient(gamma, &fresh_gamma), *dbeta = tape_gradient(beta, &fresh_beta);
    tape_check(y->tape, "knack_layer_norm",
               kernel_layer_norm_backward(y->tape->arena, tensor_rows(x), tensor_width(x), x->data, saved->mean, saved->scale, gamma->data,
                                          y->gradient, dx, !fresh_x, NULL, dgamma, !fresh_gamma, dbeta, !fresh_beta));
}

knack_tensor *knack_layer_norm(knack_tensor *x, knack_tensor *gamma, knack_tensor *beta, double epsilon)
{
    if (!x || !gamma || !beta || !operands_fit(__func__, x, gamma, beta)) return NULL;
    const int64_t rows = tensor_rows(x), width = tensor_width(x);
    knack_tensor *y = tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 3, (knack_tensor *[]){x, gamma, beta});
    struct layer_saved *saved = y ? tape_alloc(x->tape, sizeof *saved + 2 * (size_t)rows * sizeof(knack_real)) : NULL;
    if (!saved) return NULL;
    saved->mean = (knack_real *)(saved + 1);
    saved->scale = saved->mean + rows;
    y->saved = saved;
    y->backward = layer_backward;
    kernel_layer_norm(rows, width, x->data, NULL, epsilon, gamma->data, beta->data, saved->mean, saved->scale, y->data);
    return y;
}
