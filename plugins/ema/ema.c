/* EMA, an exponential moving average of the weights (Polyak and Juditsky 1992), evaluated beside them:
 *
 *     s += (1 - beta_t) (w - s)    after every update
 *
 * In this form equal weights are a fixed point, bit for bit. In float, entries with |w - s| (1 - beta) < |s| 2^-24 do not move any more: a
 * decay of 0.9999 cannot follow changes below about 6e-4 of a weight.
 */
#include <knack/plugin.h>

#include <math.h>
#include <string.h>

#include "common/vector.h"

enum warmup { WARMUP_NONE, WARMUP_TF, WARMUP_POWER, WARMUP_DEBIAS };
enum buffers { BUFFERS_COPY, BUFFERS_AVERAGE, BUFFERS_REESTIMATE };

struct ema {
    double decay; /* from one averaging to the next */
    int warmup, buffers;
    int64_t start, every; /* updates */
    knack_weights *average;
    int64_t *averaged;  /* state: how often */
    int64_t *estimated; /* state: how often, when its statistics were last computed anew */
};

/* beta_t of the t-th averaging, from 1. */
static double decay_at(int warmup, double decay, int64_t t)
{
    switch (warmup) {
    case WARMUP_TF:
        return fmin(decay, (1 + (double)t) / (10 + (double)t)); /* TensorFlow's num_updates */
    case WARMUP_POWER:
        return fmin(decay, 1 - pow((double)t, -2.0 / 3)); /* timm: gamma 1, power 2/3; the first is a copy */
    case WARMUP_DEBIAS:
        return (decay - pow(decay, (double)t)) / (1 - pow(decay, (double)t)); /* s / (1 - decay^t), had s begun at 0 */
    default:
        return decay;
    }
}

/* Told once, at the first averaging: in a run too short for its warm-up the decay plays no part. */
static void warn_if_short(knack_trick *trick)
{
    const struct ema *self = knack_self(trick);
    int64_t times = (knack_now(trick)->updates - self->start) / self->every;
    if (self->warmup != WARMUP_TF && self->warmup != WARMUP_POWER) return;
    double reached = decay_at(self->warmup, self->decay, times);
    if (reached < self->decay)
        knack_warn(trick,
                   "the run averages %lld times, in which the warm-up gets to a decay of %.4g, short of %.6g, which so has no effect; "
                   "\"warmup\": \"none\" gives it one",
                   (long long)times, reached, self->decay);
}

/* s += share (w - s), of count entries; share 1 copies. A weight that is not finite leaves its average alone, which it would spoil for
 * ever. Returns whether there was none. */
VECTOR
static bool average(knack_real *restrict s, double share, const knack_real *restrict w, int64_t count)
{
    knack_real part = (knack_real)share;
    int bad = 0;
    for (int64_t i = 0; i < count; i++) {
        knack_real step = w[i] - s[i];
        int unfit = !(step - step == 0); /* NaN and Inf */
        knack_real moved = part == 1 ? w[i] : s[i] + part * step;
        s[i] = unfit ? s[i] : moved;
        bad |= unfit;
    }
    return !bad;
}

/* The position of the option's value in names. */
static int choice(knack_trick *trick, const char *option, const char *const *names)
{
    const char *value = knack_option_string(trick, option);
    int index = 0;
    while (value && names[index + 1] && strcmp(value, names[index]) != 0) index++;
    return index;
}

static knack_status ema_open(knack_trick *trick)
{
    static const char *const warmups[] = {"none", "tf", "power", "debias", NULL}, *const buffers[] = {"copy", "average", "reestimate",
                                                                                                      NULL};
    struct ema *self = knack_self(trick);
    double decay = knack_option_number(trick, "decay");
    int64_t half_life = knack_option_updates(trick, "half_life");
    self->start = knack_option_updates(trick, "start");
    self->every = knack_option_updates(trick, "every");
    self->warmup = choice(trick, "warmup", warmups);
    self->buffers = choice(trick, "buffers", buffers);
    if (half_life == 0 || self->every < 1)
        return knack_fail(trick, "\"%s\" is less than one update of this run", half_life == 0 ? "half_life" : "every");
    if (half_life > 0) decay = exp2(-1 / (double)half_life);
    self->decay = pow(decay, (double)self->every);
    self->average = knack_weight_set(trick, NULL, KNACK_EVALUATE);
    self->averaged = knack_state(trick, "averaged", KNACK_I64, 1);
    self->estimated = knack_state(trick, "estimated", KNACK_I64, 1);
    return KNACK_OK;
}

static knack_status ema_post_step(knack_trick *trick, knack_step *step)
{
    (void)step;
    const struct ema *self = knack_self(trick);
    int64_t update = knack_now(trick)->update - self->start, count;
    if (update < 1 || update % self->every != 0) return KNACK_IDLE;
    int64_t t = ++*self->averaged;
    double share = 1 - decay_at(self->warmup, self->decay, t);
    if (t == 1) warn_if_short(trick);
    if (t == 1 && self->start > 0) share = 1; /* the set still holds the initial weights */
    knack_real *statistics = knack_statistics(trick, self->average, &count);
    bool finite = average(knack_values(self->average, NULL), share, knack_weights_in_use(trick, NULL), knack_task(trick)->parameters);
    if (self->buffers != BUFFERS_REESTIMATE)
        finite &= average(statistics, self->buffers == BUFFERS_AVERAGE ? share : 1, knack_statistics(trick, NULL, NULL), count);
    if (!finite) knack_warn(trick, "weights that are not finite were left out of the average");
    knack_weights_ready(self->average);
    return KNACK_OK;
}

static knack_status ema_eval_begin(knack_trick *trick)
{
    const struct ema *self = knack_self(trick);
    int64_t count;
    knack_statistics(trick, self->average, &count);
    bool bound = knack_weights_in_use(trick, NULL) == knack_values(self->average, NULL);
    if (self->buffers != BUFFERS_REESTIMATE || !bound || count == 0 || *self->estimated == *self->averaged) return KNACK_IDLE;
    *self->estimated = *self->averaged;
    return knack_sweep(trick, "train", KNACK_STATISTICS, NULL);
}

static const knack_plugin ema = {
    .size = sizeof ema,
    .abi = KNACK_ABI,
    .name = "ema",
    .version = "1.0.0",
    .self_size = sizeof(struct ema),
    .open = ema_open,
    .post_step = ema_post_step,
    .eval_begin = ema_eval_begin,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &ema : NULL;
}
