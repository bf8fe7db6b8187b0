/* SWA, stochastic weight averaging (Izmailov and others 2018, arXiv:1803.05407): the mean of the weights at the ends of the epochs after
 * `start`, where the learning rate stays up, evaluated beside them:
 *
 *     s += (w - s) / n                               after the n-th such epoch
 *     rate = a lr + (1 - a) rate at start            a from 0 to 1, by a cosine or linearly; if "lr" is given
 *
 * Running statistics of norms belong to weights that are not the mean: they are estimated anew under it, from all training data, before it
 * is evaluated.
 */
#include "common/snapshots.h"

#include <math.h>
#include <string.h>

struct swa {
    int64_t start, every, annealing; /* updates */
    double lr;                       /* NaN: the schedule's */
    bool linear;
    knack_weights *mean;
    int64_t *averaged;  /* state: how often */
    int64_t *estimated; /* state: how often, when its statistics were last estimated */
    double *first_lr;   /* state: the schedule's at start */
};

/* How far the rate has come after t of so many updates, from 0 to 1. */
static double annealed(double t, double updates, bool linear)
{
    double share = t < updates ? t / updates : 1;
    return linear ? share : (1 - cos(M_PI * share)) / 2;
}

static double lr_at(double first, double last, double share)
{
    return share * last + (1 - share) * first;
}

static knack_status swa_open(knack_trick *trick)
{
    struct swa *self = knack_self(trick);
    const char *anneal = knack_option_string(trick, "anneal");
    self->start = knack_option_updates(trick, "start");
    self->lr = knack_option_number(trick, "lr");
    self->annealing = knack_option_updates(trick, "anneal_epochs");
    self->linear = anneal && !strcmp(anneal, "linear");
    self->mean = knack_weight_set(trick, NULL, KNACK_EVALUATE);
    self->averaged = knack_state(trick, "averaged", KNACK_I64, 1);
    self->estimated = knack_state(trick, "estimated", KNACK_I64, 1);
    self->first_lr = knack_state(trick, "first_lr", KNACK_F64, 1);
    return snapshots_every(trick, &self->every);
}

static knack_status swa_pre_step(knack_trick *trick, knack_step *step)
{
    const struct swa *self = knack_self(trick);
    int64_t t = knack_now(trick)->update - self->start;
    if (isnan(self->lr) || t < 1) return KNACK_IDLE; /* at start itself the rate is the schedule's still */
    return knack_set_lr(step, lr_at(*self->first_lr, self->lr, annealed((double)t, (double)self->annealing, self->linear)));
}

static knack_status swa_post_step(knack_trick *trick, knack_step *step)
{
    (void)step;
    const struct swa *self = knack_self(trick);
    const struct knack_now *now = knack_now(trick);
    int64_t count;
    if (now->update - 1 <= self->start) *self->first_lr = now->lr;
    if (now->update <= self->start || !snapshots_due(now->update, self->every) || !snapshots_fit(trick)) return KNACK_IDLE;
    double share = 1 / (double)++*self->averaged;
    knack_real *statistics = knack_statistics(trick, self->mean, &count);
    knack_lerp(knack_values(self->mean, NULL), share, knack_weights_in_use(trick, NULL), knack_task(trick)->parameters);
    knack_lerp(statistics, 1, knack_statistics(trick, NULL, NULL), count); /* the latest, until they are estimated */
    knack_weights_ready(self->mean);
    knack_metric(trick, "averaged", (double)*self->averaged);
    return KNACK_OK;
}

static knack_status swa_eval_begin(knack_trick *trick)
{
    const struct swa *self = knack_self(trick);
    int64_t count;
    knack_statistics(trick, self->mean, &count);
    bool bound = knack_weights_in_use(trick, NULL) == knack_values(self->mean, NULL);
    if (!bound || count == 0 || *self->estimated == *self->averaged) return KNACK_IDLE;
    *self->estimated = *self->averaged;
    return knack_sweep(trick, "train", KNACK_STATISTICS, NULL);
}

static knack_status swa_run_end(knack_trick *trick)
{
    const struct swa *self = knack_self(trick);
    if (*self->averaged == 0) knack_warn(trick, "training ended before any weights were averaged: \"start\" and \"every\" say when");
    return KNACK_IDLE;
}

static const knack_plugin swa = {
    .size = sizeof swa,
    .abi = KNACK_ABI,
    .name = "swa",
    .version = "1.0.0",
    .self_size = sizeof(struct swa),
    .open = swa_open,
    .run_end = swa_run_end,
    .pre_step = swa_pre_step,
    .post_step = swa_post_step,
    .eval_begin = swa_eval_begin,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &swa : NULL;
}
