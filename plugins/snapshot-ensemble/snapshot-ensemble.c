/* Snapshot ensemble (Huang and others 2017, arXiv:1704.00109): one training, several models. The weights at the ends of the latest `count`
 * epochs, or other stretches, predict together:
 *
 *     p(x) = mean over m of softmax(f(x; w_m))
 *
 * Where "cyclic", the learning rate falls along half a cosine in each stretch and starts anew, so that each ends in a minimum of its own:
 *
 *     rate = schedule's * (1 + cos(pi t / T)) / 2,   t = 0 .. T - 1 within a stretch of T updates
 *
 * The members predict in place of the trained weights; other sets, as averages, predict for themselves.
 */
#include "common/snapshots.h"

#include <math.h>
#include <string.h>

struct snapshot_ensemble {
    int64_t every; /* updates */
    bool cyclic;
    struct snapshots snapshots;
};

/* What update t of a stretch of so many takes of the schedule's rate. */
static double cycle_share(int64_t t, int64_t updates)
{
    return (1 + cos(M_PI * (double)t / (double)updates)) / 2;
}

static knack_status snapshot_ensemble_open(knack_trick *trick)
{
    struct snapshot_ensemble *self = knack_self(trick);
    self->cyclic = knack_option_flag(trick, "cyclic");
    knack_status status = snapshots_every(trick, &self->every);
    return status < 0 ? status : snapshots_open(trick, &self->snapshots);
}

static knack_status snapshot_ensemble_pre_step(knack_trick *trick, knack_step *step)
{
    const struct snapshot_ensemble *self = knack_self(trick);
    const struct knack_now *now = knack_now(trick);
    int64_t t = now->update % self->every;
    if (!self->cyclic || t == 0) return KNACK_IDLE;
    return knack_set_lr(step, now->lr * cycle_share(t, self->every));
}

static knack_status snapshot_ensemble_post_step(knack_trick *trick, knack_step *step)
{
    (void)step;
    const struct snapshot_ensemble *self = knack_self(trick);
    if (!snapshots_due(knack_now(trick)->update, self->every) || !snapshots_fit(trick)) return KNACK_IDLE;
    snapshots_take(trick, &self->snapshots);
    knack_metric(trick, "members", (double)snapshots_held(&self->snapshots));
    return KNACK_OK;
}

static knack_tensor *snapshot_ensemble_predict(knack_trick *trick, knack_step *step, knack_tensor *x)
{
    const struct snapshot_ensemble *self = knack_self(trick);
    int64_t members = snapshots_held(&self->snapshots);
    knack_tensor *sum = NULL;
    if (strcmp(knack_now(trick)->weights, "raw") != 0) return knack_next_predict(trick, step, x);
    if (members == 0 && knack_task(trick)->train == 0) { /* training is over, and its members should be here */
        knack_fail(trick, "the snapshots that predict as \"raw\" are not here: they were in the run's folder checkpoint. Weights of a "
                          "file model.NAME.safetensors, as \"best\", still predict: --weights NAME");
        return NULL;
    }
    if (members == 0) return knack_next_predict(trick, step, x);
    for (int64_t m = 0; m < members; m++) {
        if (knack_use_weights(trick, snapshots_latest(&self->snapshots, m)) < 0) return NULL;
        knack_tensor *p = knack_next_predict(trick, step, x);
        sum = m ? knack_add(sum, p) : p;
    }
    return knack_scale(sum, 1 / (double)members);
}

static knack_status snapshot_ensemble_run_end(knack_trick *trick)
{
    const struct snapshot_ensemble *self = knack_self(trick);
    if (*self->snapshots.taken == 0) knack_warn(trick, "training ended before there was a snapshot: \"every\" says when");
    return KNACK_IDLE;
}

static const knack_plugin snapshot_ensemble = {
    .size = sizeof snapshot_ensemble,
    .abi = KNACK_ABI,
    .name = "snapshot-ensemble",
    .version = "1.0.0",
    .self_size = sizeof(struct snapshot_ensemble),
    .open = snapshot_ensemble_open,
    .run_end = snapshot_ensemble_run_end,
    .pre_step = snapshot_ensemble_pre_step,
    .post_step = snapshot_ensemble_post_step,
    .predict = snapshot_ensemble_predict,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &snapshot_ensemble : NULL;
}
