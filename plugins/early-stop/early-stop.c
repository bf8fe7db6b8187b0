/* Early stopping (Prechelt 1998, doi:10.1007/3-540-49430-8_3): training ends when the validation part has not got better for `patience`
 * evaluations in a row:
 *
 *     loss < best - min_delta,   or   accuracy > best + min_delta
 *
 * A trick sees no figures of the host, so it makes its own pass over the validation part, where the weights that it watches are evaluated.
 * What that pass decides takes effect before the next epoch begins.
 */
#include "common/score.h"

#include <math.h>
#include <string.h>

struct early_stop {
    int64_t patience;
    double min_delta;
    bool accuracy;       /* else the loss */
    const char *weights; /* name of the watched */
    struct score *score; /* state, of the latest pass */
    double *best;        /* state; NaN: none yet */
    int64_t *waited;     /* state: evaluations since */
    int64_t *judged;     /* state: the update whose weights were judged last */
};

/* Whether a value is better than the best so far. NaN is never. */
static bool improves(double value, double best, double min_delta, bool higher)
{
    if (isnan(best)) return !isnan(value);
    return higher ? value > best + min_delta : value < best - min_delta;
}

static knack_status check_weights(knack_trick *trick, const char *weights)
{
    if (!strcmp(weights, "best"))
        return knack_fail(trick,
                          "\"weights\": \"best\" are those of the best evaluation so far, and not evaluated themselves; watch \"raw\"");
    if (!strcmp(weights, "checkpoint-average"))
        return knack_fail(trick, "\"weights\": \"checkpoint-average\" are made once training is over, too late to end it; watch \"raw\"");
    if (knack_evaluates(trick, weights)) return KNACK_OK;
    return knack_fail(
        trick,
        "\"weights\": no weights \"%s\" are evaluated while training goes on; \"raw\" are, and those of listed tricks that make "
        "some, by the trick's name, as \"ema\" and \"swa\"",
        weights);
}

static knack_status early_stop_open(knack_trick *trick)
{
    struct early_stop *self = knack_self(trick);
    const char *metric = knack_option_string(trick, "metric");
    self->patience = (int64_t)knack_option_number(trick, "patience");
    self->min_delta = knack_option_number(trick, "min_delta");
    self->accuracy = metric && !strcmp(metric, "accuracy");
    self->weights = knack_option_string(trick, "weights");
    self->score = score_declare(trick);
    self->best = knack_state(trick, "best", KNACK_F64, 1);
    self->waited = knack_state(trick, "waited", KNACK_I64, 1);
    self->judged = knack_state(trick, "judged", KNACK_I64, 1);
    if (!self->best || !self->judged) return KNACK_E_PLUGIN;
    *self->best = NAN;
    *self->judged = -1;
    return check_weights(trick, self->weights);
}

static knack_status early_stop_run_begin(knack_trick *trick)
{
    if (knack_task(trick)->validation == 0)
        return knack_fail(trick, "it stops by the validation part, and the data have none: give \"data.validation\"");
    return KNACK_IDLE;
}

static knack_status visit(knack_trick *trick, knack_step *step, knack_tensor *p)
{
    const struct early_stop *self = knack_self(trick);
    score_batch(self->score, trick, step, p);
    return KNACK_OK;
}

static knack_status early_stop_eval_begin(knack_trick *trick)
{
    const struct early_stop *self = knack_self(trick);
    const struct knack_now *now = knack_now(trick);
    /* The evaluation after the last epoch is of weights that were judged. */
    if (strcmp(now->part, "validation") != 0 || strcmp(now->weights, self->weights) != 0 || now->update == *self->judged) return KNACK_IDLE;
    *self->judged = now->update;
    *self->score = (struct score){0};
    knack_status status = knack_sweep(trick, "validation", KNACK_EVAL, visit);
    if (status < 0) return status;
    double value = (self->accuracy ? self->score->right : self->score->loss) / self->score->rows;
    ++*self->waited;
    if (improves(value, *self->best, self->min_delta, self->accuracy)) {
        *self->best = value;
        *self->waited = 0;
    }
    knack_metric(trick, "best", *self->best);
    knack_metric(trick, "waited", (double)*self->waited);
    return KNACK_OK;
}

static knack_status early_stop_epoch_begin(knack_trick *trick)
{
    const struct early_stop *self = knack_self(trick);
    return *self->waited >= self->patience ? KNACK_STOP : KNACK_IDLE;
}

static knack_status early_stop_run_end(knack_trick *trick)
{
    const struct early_stop *self = knack_self(trick);
    if (*self->judged < 0) knack_warn(trick, "the weights \"%s\" were never evaluated, so that it watched nothing", self->weights);
    return KNACK_IDLE;
}

static const knack_plugin early_stop = {
    .size = sizeof early_stop,
    .abi = KNACK_ABI,
    .name = "early-stop",
    .version = "1.0.0",
    .self_size = sizeof(struct early_stop),
    .open = early_stop_open,
    .run_begin = early_stop_run_begin,
    .run_end = early_stop_run_end,
    .epoch_begin = early_stop_epoch_begin,
    .eval_begin = early_stop_eval_begin,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &early_stop : NULL;
}
