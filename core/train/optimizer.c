/* The update rules. Each is one loop over a parameter's span of the flat buffers. Factors that are the same for all entries are worked
 * out in double beforehand, the entries themselves in knack_real; what an entry becomes depends on that entry alone, so that neither
 * the width of vectors nor the number of threads changes a bit. */
#include "train/optimizer.h"

#include <tgmath.h>

#include "base/memory.h"
#include "base/text.h"
#include "tensor/vector.h"

/* ---- Rules ----
 * count entries of weights w, gradients g, and moments m and v where the rule has them. */

struct factors {
    knack_real rate, decay, momentum; /* decay: what of w is added to g */
    knack_real keep;                  /* 1 - lr weight_decay, if decoupled */
    knack_real take1, take2, beta2;   /* 1 - beta1, 1 - beta2, beta2 */
    knack_real unbias;                /* 1 / sqrt(1 - beta2^t) */
    knack_real epsilon;
};

typedef void rule(int64_t count, struct factors f, knack_real *w, const knack_real *g, knack_real *m, knack_real *v);

VECTOR static void sgd(int64_t count, struct factors f, knack_real *restrict w, const knack_real *restrict g, knack_real *m, knack_real *v)
{
    (void)m, (void)v;
    for (int64_t i = 0; i < count; i++) w[i] -= f.rate * (g[i] + f.decay * w[i]);
}

VECTOR static void sgd_momentum(int64_t count, struct factors f, knack_real *restrict w, const knack_real *restrict g,
                                knack_real *restrict m, knack_real *v)
{
    (void)v;
    for (int64_t i = 0; i < count; i++) {
        m[i] = f.momentum * m[i] + (g[i] + f.decay * w[i]);
        w[i] -= f.rate * m[i];
    }
}

VECTOR static void sgd_nesterov(int64_t count, struct factors f, knack_real *restrict w, const knack_real *restrict g,
                                knack_real *restrict m, knack_real *v)
{
    (void)v;
    for (int64_t i = 0; i < count; i++) {
        knack_real slope = g[i] + f.decay * w[i];
        m[i] = f.momentum * m[i] + slope;
        w[i] -= f.rate * (slope + f.momentum * m[i]);
    }
}

/* Adam with decay in the slope, or AdamW with keep below 1: m and v are the running means of the slope and of its square. */
VECTOR static void adam(int64_t count, struct factors f, knack_real *restrict w, const knack_real *restrict g, knack_real *restrict m,
                        knack_real *restrict v)
{
    for (int64_t i = 0; i < count; i++) {
        knack_real slope = g[i] + f.decay * w[i];
        m[i] += f.take1 * (slope - m[i]);
        v[i] = f.beta2 * v[i] + f.take2 * slope * slope;
        w[i] = f.keep * w[i] - f.rate * m[i] / (sqrt(v[i]) * f.unbias + f.epsilon);
    }
}

static rule *rule_of(const struct optimizer_settings *settings)
{
    if (settings->type != OPTIMIZER_SGD) return adam;
    if (settings->momentum == 0) return sgd;
    return settings->nesterov ? sgd_nesterov : sgd_momentum;
}

static int64_t moments_of(const struct optimizer_settings *settings)
{
    if (settings->type != OPTIMIZER_SGD) return 2;
    return settings->momentum != 0;
}

/* What the zeros that Adam's moments begin with took from the means: 1 - beta^t. */
struct bias {
    double first, second;
};

static struct bias bias_of(const struct optimizer *optimizer)
{
    const struct optimizer_settings *settings = &optimizer->settings;
    double t = (double)optimizer->updates;
    if (settings->type == OPTIMIZER_SGD) return (struct bias){1, 1};
    return (struct bias){1 - pow(settings->beta1, t), 1 - pow(settings->beta2, t)};
}

static struct factors factors_of(const struct optimizer *optimizer, struct bias bias, double rate, double decay)
{
    const struct optimizer_settings *settings = &optimizer->settings;
    bool decoupled = settings->type == OPTIMIZER_ADAMW;
    struct factors f = {.decay = decoupled ? 0 : (knack_real)decay, .keep = decoupled ? (knack_real)(1 - rate * decay) : 1};
    if (settings->type == OPTIMIZER_SGD) {
        f.rate = (knack_real)rate;
        f.momentum = (knack_real)settings->momentum;
        return f;
    }
    f.rate = (knack_real)(rate / bias.first);
    f.take1 = (knack_real)(1 - settings->beta1);
    f.take2 = (knack_real)(1 - settings->beta2);
    f.beta2 = (knack_real)settings->beta2;
    f.unbias = (knack_real)(1 / sqrt(bias.second));
    f.epsilon = (knack_real)settings->epsilon;
    return f;
}

/* ---- An update ---- */

struct work {
    rule *rule;
    struct factors factors;
    knack_real *w, *g, *m, *v; /* of the parameter */
    int64_t count;
};

static void update_part(void *user, int64_t part)
{
    const struct work *work = user;
    int64_t length, first = vector_part(work->count, part, &length);
    work->rule(length, work->factors, work->w + first, work->g + first, work->m ? work->m + first : NULL, work->v ? work->v + first : NULL);
}

void optimizer_update(struct optimizer *optimizer, double lr)
{
    struct params *params = optimizer->params;
    optimizer->updates++;
    const struct bias bias = bias_of(optimizer);
    for (int64_t k = 0; k < params->count; k++) {
        const struct knack_param *param = &params->list[k]->public;
        knack_real *m = optimizer->moment[0], *v = optimizer->moment[1];
        struct work work = {
            .rule = rule_of(&optimizer->settings),
            .factors = factors_of(optimizer, bias, lr * optimizer->lr_scale[k], optimizer->weight_decay[k]),
            .w = params->live.values + param->offset,
            .g = params->gradients + param->offset,
            .m = m ? m + param->offset : NULL,
            .v = v ? v + param->offset : NULL,
            .count = param->count,
        };
        threads_run(vector_parts(param->count), update_part, &work);
    }
}

/* ---- Groups ---- */

static knack_status no_match(const struct params *params, int64_t group, const char *pattern)
{
    char listed[1024] = "none";
    const char **names = memory_new((size_t)params->count, sizeof *names);
    if (!names) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < params->count; i++) names[i] = params->list[i]->public.name;
    text_list(listed, sizeof listed, names, params->count);
    const char *nearest = text_nearest(pattern, names, params->count);
    knack_status status =
        status_set(KNACK_E_CONFIG, "at train.optimizer.groups[%lld].parameters: no parameter matches \"%s\"%s%s%s; there are %s",
                   (long long)group, pattern, nearest ? "; nearest is \"" : "", nearest ? nearest : "", nearest ? "\"" : "", listed);
    memory_free(names);
    return status;
}

static knack_status check_groups(const struct optimizer_settings *settings, const struct params *params)
{
    for (int64_t g = 0; g < settings->groups; g++) {
        bool matches = false;
        for (int64_t k = 0; k < params->count && !matches; k++)
            matches = text_glob(settings->group[g].parameters, params->list[k]->public.name);
        if (!matches) return no_match(params, g, settings->group[g].parameters);
    }
    return KNACK_OK;
}

static const struct group_settings *group_of(const struct optimizer_settings *settings, const char *name)
{
    for (int64_t g = 0; g < settings->groups; g++)
        if (text_glob(settings->group[g].parameters, name)) return &settings->group[g];
    return NULL;
}

static void set_scales(struct optimizer *optimizer)
{
    const struct optimizer_settings *settings = &optimizer->settings;
    for (int64_t k = 0; k < optimizer->params->count; k++) {
        const struct param *param = optimizer->params->list[k];
        const struct group_settings *group = group_of(settings, param->public.name);
        bool spared = param->public.no_decay || param->public.ndim <= 1; /* biases, gains of norms */
        optimizer->lr_scale[k] = param->lr_scale * (group ? group->lr_scale : 1);
        optimizer->weight_decay[k] = spared && !settings->decay_all ? 0 : settings->weight_decay;
        if (group && !isnan(group->weight_decay)) optimizer->weight_decay[k] = group->weight_decay;
    }
}

/* ---- Life ---- */

static knack_status allocate(struct optimizer *optimizer)
{
    size_t count = (size_t)optimizer->params->count, total = (size_t)optimizer->params->total;
    for (int64_t i = 0; i < optimizer->moments; i++) {
        optimizer->moment[i] = memory_new(total, sizeof(knack_real));
        if (!optimizer->moment[i]) return KNACK_E_MEMORY;
    }
    optimizer->lr_scale = memory_new(count, sizeof(double));
    optimizer->weight_decay = memory_new(count, sizeof(double));
    return optimizer->lr_scale && optimizer->weight_decay ? KNACK_OK : KNACK_E_MEMORY;
}

knack_status optimizer_new(const struct optimizer_settings *settings, struct params *params, struct optimizer **out)
{
    *out = NULL;
    TRY(check_groups(settings, params));
    struct optimizer *optimizer = memory_new(1, sizeof *optimizer);
    if (!optimizer) return KNACK_E_MEMORY;
    optimizer->settings = *settings;
    optimizer->params = params;
    optimizer->moments = moments_of(settings);
    knack_status status = allocate(optimizer);
    if (status < 0) {
        optimizer_free(optimizer);
        return status;
    }
    set_scales(optimizer);
    *out = optimizer;
    return KNACK_OK;
}

void optimizer_free(struct optimizer *optimizer)
{
    if (!optimizer) return;
    for (int i = 0; i < 2; i++) memory_free(optimizer->moment[i]);
    memory_free(optimizer->lr_scale);
    memory_free(optimizer->weight_decay);
    memory_free(optimizer);
}
