/* Initial values of parameters. */
#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "model/params.h"

/* How many inputs and outputs one unit of the parameter connects: [out, in, kernel...]; a vector [out] has one input each. */
static void count_connections(const struct knack_param *param, double *inputs, double *outputs)
{
    double kernel = 1;
    for (int axis = 2; axis < param->ndim; axis++) kernel *= (double)param->shape[axis];
    *inputs = kernel * (param->ndim > 1 ? (double)param->shape[1] : 1);
    *outputs = kernel * (double)param->shape[0];
}

static void fill(knack_real *values, int64_t count, double value)
{
    for (int64_t i = 0; i < count; i++) values[i] = (knack_real)value;
}

static void fill_normal(knack_real *values, int64_t count, uint64_t key, double deviation)
{
    for (int64_t i = 0; i < count; i++) values[i] = (knack_real)(deviation * random_normal(key, (struct random_place){0}, (uint64_t)i));
}

static void fill_uniform(knack_real *values, int64_t count, uint64_t key, double bound)
{
    for (int64_t i = 0; i < count; i++) {
        values[i] = (knack_real)(bound * (2 * random_uniform(key, (struct random_place){0}, (uint64_t)i) - 1));
    }
}

void param_initialise(const struct param *param, uint64_t seed, knack_real *values)
{
    char consumer[PARAMS_NAME + 8];
    snprintf(consumer, sizeof consumer, "init.%s", param->public.name);
    uint64_t key = random_key(seed, consumer);
    int64_t count = param->public.count;
    double scale = param->init_scale, inputs, outputs;
    count_connections(&param->public, &inputs, &outputs);
    switch ((enum knack_init)param->init) {
    case KNACK_INIT_ZERO:
        fill(values, count, 0);
        break;
    case KNACK_INIT_ONE:
        fill(values, count, scale);
        break;
    case KNACK_INIT_HE:
        fill_normal(values, count, key, scale * sqrt(2 / inputs));
        break;
    case KNACK_INIT_XAVIER:
        fill_uniform(values, count, key, scale * sqrt(6 / (inputs + outputs)));
        break;
    case KNACK_INIT_NORMAL:
        fill_normal(values, count, key, scale);
        break;
    }
}
