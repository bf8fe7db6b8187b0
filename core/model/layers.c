/* What a model calls in a pass: leaves of parameters, and the layers that need more than tensors. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "model/model.h"
#include "model/pass.h"
#include "tensor/conv_norm.h"

static const double norm_epsilon = 1e-5, norm_momentum = 0.1; /* arXiv:1502.03167, and what others use */

/* ---- Leaves ---- */

knack_tensor *knack_param_tensor(knack_step *step, const knack_param *param)
{
    if (!step || !param) return NULL;
    const struct model_pass *pass = model_pass(step);
    if (!pass->weights)
        return tape_fail(step_tape(step), KNACK_E_CALL, "knack_param_tensor(): no pass is being computed; call it in head, loss or layer");
    struct params *params = pass->params;
    int64_t index = ((const struct param *)(const void *)param)->index;
    knack_real *gradient = pass->gradients ? params->gradients + param->offset : NULL;
    return tape_leaf(step_tape(step), param->ndim, param->shape, pass->weights->values + param->offset, gradient, &params->touched[index]);
}

knack_tensor *knack_layer(knack_step *step, const char *name, knack_tensor *out)
{
    const struct model_pass *pass = model_pass(step);
    return out && pass->filter ? pass->filter(step, name, tensor_made(out)) : out;
}

/* ---- Products ---- */

knack_tensor *knack_linear_layer(knack_step *step, knack_tensor *x, const knack_param *weight, const knack_param *bias,
                                 enum knack_activation activation)
{
    knack_tensor *w = knack_param_tensor(step, weight);
    knack_tensor *b = bias ? knack_param_tensor(step, bias) : NULL;
    if (!w || (bias && !b)) return NULL;
    return tensor_linear(x, w, b, activation, model_pass(step)->compute);
}

knack_tensor *layers_linear_drop(knack_step *step, knack_tensor *x, const knack_param *weight, const knack_param *bias, const char *name,
                                 double rate)
{
    if (model_pass(step)->filter) {
        x = knack_layer(step, name, knack_linear_layer(step, x, weight, bias, KNACK_RELU));
        return knack_dropout(step, name, rate, x);
    }
    struct dropout_address address;
    knack_tensor *w = knack_param_tensor(step, weight);
    knack_tensor *b = bias ? knack_param_tensor(step, bias) : NULL;
    if (!x || !w || (bias && !b)) return NULL;
    if (!pass_drops(step, name, rate, weight->shape[0], &address)) rate = 0;
    return tensor_linear_relu_drop(x, w, b, model_pass(step)->compute, rate, &address);
}

knack_tensor *knack_conv2d_layer(knack_step *step, knack_tensor *x, const knack_param *weight, const knack_param *bias, int stride,
                                 int padding)
{
    enum knack_type compute = model_pass(step)->compute;
    knack_tensor *w = knack_param_tensor(step, weight);
    knack_tensor *b = bias ? knack_param_tensor(step, bias) : NULL;
    if (!w || (bias && !b)) return NULL;
    if (compute == KNACK_REAL) return knack_conv2d(x, w, b, stride, padding);
    return knack_cast(knack_conv2d(knack_cast(x, compute), knack_cast(w, compute), b, stride, padding), KNACK_REAL);
}

/* ---- Dropout ---- */

bool pass_drops(knack_step *step, const char *name, double rate, int64_t elements, struct dropout_address *address)
{
    const struct model_pass *pass = model_pass(step);
    char consumer[PARAMS_NAME + 16];
    if (!pass->training || rate == 0) return false;
    snprintf(consumer, sizeof consumer, "dropout.%s", name);
    if (pass->saw_mask) pass->saw_mask(step, name, rate, elements);
    *address = (struct dropout_address){random_key(pass->seed, consumer), pass->batch, pass->redraw, pass->row};
    return true;
}

knack_tensor *knack_dropout(knack_step *step, const char *name, double rate, knack_tensor *x)
{
    const struct model_pass *pass = model_pass(step);
    if (!x) return NULL;
    if (!(rate >= 0 && rate < 1)) return tape_fail(step_tape(step), KNACK_E_CONFIG, "dropout %s: its rate must lie in [0, 1)", name);
    if (!pass->training || rate == 0) return x;
    if (!params_name_fits(name)) {
        return tape_fail(step_tape(step), KNACK_E_CALL, "dropout \"%s\": a name is made of 1 to %d letters, digits, '.', '_' and '-'", name,
                         PARAMS_NAME);
    }
    if (x->shape[0] != pass->rows) {
        return tape_fail(step_tape(step), KNACK_E_SHAPE, "dropout %s: %lld rows, the pass has %lld", name, (long long)x->shape[0],
                         (long long)pass->rows);
    }
    struct dropout_address address;
    return pass_drops(step, name, rate, x->count / x->shape[0], &address) ? tensor_dropout(x, rate, &address) : x;
}

/* ---- Batch norm ---- */

/* Running statistics move towards those of the batch. A batch that overflowed must not spoil them for good: its update is skipped too. */
static void move_running(const knack_norm_layer *norm, const struct batch_norm *batch, knack_real *statistics)
{
    double unbiased = (double)*batch->count / (double)(*batch->count - 1);
    knack_real *mean = statistics + norm->mean, *variance = statistics + norm->variance; /* [channels] each */
    for (int64_t c = 0; c < norm->channels; c++) {
        if (!isfinite(batch->mean[c]) || !isfinite(batch->variance[c])) continue;
        mean[c] = (knack_real)((1 - norm_momentum) * mean[c] + norm_momentum * batch->mean[c]);
        variance[c] = (knack_real)((1 - norm_momentum) * variance[c] + norm_momentum * unbiased * batch->variance[c]);
    }
}

/* Joins the batch's statistics to those of the sweep so far (Chan, Golub and LeVeque 1979), which loses nothing to large means. */
static void pool_statistics(const knack_norm_layer *norm, const struct batch_norm *batch, double *sums, int64_t statistics_total)
{
    double *mean = sums + norm->mean, *squares = sums + norm->variance, *count = sums + statistics_total + norm->mean; /* [channels] each */
    double added = (double)*batch->count;
    for (int64_t c = 0; c < norm->channels; c++) {
        double all = count[c] + added, distance = batch->mean[c] - mean[c];
        squares[c] += added * batch->variance[c] + distance * distance * count[c] * added / all;
        mean[c] += distance * added / all;
        count[c] = all;
    }
}

void model_reestimated(struct knack_model *model, const double *sums, struct knack_weights *weights)
{
    for (int64_t i = 0; i < model->norm_count; i++) {
        const knack_norm_layer *norm = model->norm[i];
        const double *mean = sums + norm->mean, *squares = sums + norm->variance;
        const double *count = sums + model->params->statistics_total + norm->mean;
        for (int64_t c = 0; c < norm->channels; c++) {
            if (count[c] < 2) continue; /* one value has no variance: the old ones stay */
            weights->statistics[norm->mean + c] = (knack_real)mean[c];
            weights->statistics[norm->variance + c] = (knack_real)(squares[c] / (count[c] - 1));
        }
    }
}

/* The norm's statistics for a pass: running ones, or room for those of the batch, whose values are counted in *count. mean NULL: the tape's
 * failure is set. */
static struct batch_norm statistics_of(knack_step *step, const knack_norm_layer *norm, int64_t *count)
{
    const struct model_pass *pass = model_pass(step);
    knack_real *statistics = pass->weights->statistics;
    if (pass->norms == NORMS_RUNNING)
        return (struct batch_norm){false, statistics + norm->mean, statistics + norm->variance, NULL, norm_epsilon};
    const size_t bytes = (size_t)norm->channels * sizeof *statistics;
    knack_real *mean = tape_alloc(step_tape(step), bytes), *variance = tape_alloc(step_tape(step), bytes);
    return (struct batch_norm){true, variance ? mean : NULL, variance, count, norm_epsilon};
}

/* What becomes of the batch's statistics, once they are known. False: the tape's failure is set. */
static bool take_statistics(knack_step *step, const knack_norm_layer *norm, const struct batch_norm *batch)
{
    const struct model_pass *pass = model_pass(step);
    if (!batch->batch) return true;
    if (*batch->count < 2 && pass->norms != NORMS_REESTIMATE) {
        tape_fail(step_tape(step), KNACK_E_SHAPE,
                  "batch norm %.*s: one value a channel has no variance; use larger batches, or \"drop_last\" if the last one is short",
                  (int)(strlen(norm->weight->name) - strlen(".weight")), norm->weight->name);
        return false;
    }
    if (pass->norms == NORMS_MOVE) move_running(norm, batch, pass->weights->statistics);
    if (pass->norms == NORMS_REESTIMATE) pool_statistics(norm, batch, pass->sums, pass->params->statistics_total);
    return true;
}

knack_tensor *knack_batch_norm(knack_step *step, knack_norm_layer *norm, knack_tensor *x)
{
    if (!x || !norm) return NULL;
    knack_tensor *gamma = knack_param_tensor(step, norm->weight), *beta = knack_param_tensor(step, norm->bias);
    int64_t count = 0;
    const struct batch_norm statistics = statistics_of(step, norm, &count);
    if (!gamma || !beta || !statistics.mean) return NULL;
    knack_tensor *out = tensor_batch_norm(x, gamma, beta, &statistics);
    return out && take_statistics(step, norm, &statistics) ? out : NULL;
}

struct conv_norm *layers_conv_norm(knack_step *step, knack_tensor *x, const knack_param *weight, const knack_norm_layer *norm,
                                   struct conv_norm_how how)
{
    if (!x || !norm) return NULL;
    knack_tensor *w = knack_param_tensor(step, weight);
    knack_tensor *gamma = knack_param_tensor(step, norm->weight), *beta = knack_param_tensor(step, norm->bias);
    int64_t count = 0;
    const struct batch_norm statistics = statistics_of(step, norm, &count);
    if (!w || !gamma || !beta || !statistics.mean) return NULL;
    how.compute = model_pass(step)->compute;
    how.norm = &statistics;
    struct conv_norm *out = tensor_conv_norm(x, w, gamma, beta, &how);
    return out && take_statistics(step, norm, &statistics) ? out : NULL;
}
