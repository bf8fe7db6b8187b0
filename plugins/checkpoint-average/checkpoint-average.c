/* Checkpoint average: once training is over, the mean of some of the weights on its way, evaluated beside the last ones. Of the latest
 * `count` epoch ends it takes
 *
 *     uniform    all (as Vaswani and others 2017, arXiv:1706.03762, 6.1)
 *     greedy     the best on the validation part, and then, from the best to the worst, each with which the mean is not worse than without
 *                (a soup: Wortsman and others 2022, arXiv:2203.05482, algorithm 1, ">="; "strict" wants it to be better, ">")
 *
 * Better is a higher count of right predictions; of equals the later comes first. Running statistics of norms are estimated anew for each
 * mean.
 */
#include "common/score.h"
#include "common/snapshots.h"

#include <string.h>

struct checkpoint_average {
    int64_t every; /* updates */
    bool greedy, strict;
    struct snapshots snapshots;
    knack_weights *mean;
    struct score *score; /* state, of the latest sweep */
};

/* Snapshots, by how late they are, and what each has right. */
struct ranking {
    int64_t count, latest[SNAPSHOTS_MOST], right[SNAPSHOTS_MOST];
};

/* Puts the k-th latest in its place: the most right first, of equals the one that was there. */
static void rank(struct ranking *ranking, int64_t k, int64_t right)
{
    int64_t at = ranking->count++;
    for (; at > 0 && ranking->right[at - 1] < right; at--) {
        ranking->right[at] = ranking->right[at - 1];
        ranking->latest[at] = ranking->latest[at - 1];
    }
    ranking->right[at] = right;
    ranking->latest[at] = k;
}

/* ---- Options ---- */

static knack_status checkpoint_average_open(knack_trick *trick)
{
    struct checkpoint_average *self = knack_self(trick);
    const char *mode = knack_option_string(trick, "mode");
    self->greedy = mode && !strcmp(mode, "greedy");
    self->strict = knack_option_flag(trick, "strict");
    if (self->greedy && knack_task(trick)->kind != KNACK_CLASSIFICATION)
        return knack_fail(trick, "\"mode\": \"greedy\" counts right classes, but the task is a regression; use \"uniform\"");
    self->mean = knack_weight_set(trick, NULL, KNACK_EVALUATE);
    self->score = score_declare(trick);
    knack_status status = snapshots_every(trick, &self->every);
    return status < 0 ? status : snapshots_open(trick, &self->snapshots);
}

static knack_status checkpoint_average_run_begin(knack_trick *trick)
{
    const struct checkpoint_average *self = knack_self(trick);
    if (self->greedy && knack_task(trick)->validation == 0)
        return knack_fail(trick, "\"mode\": \"greedy\" chooses by the validation part, and the data have none: give \"data.validation\", "
                                 "or use \"uniform\"");
    return KNACK_IDLE;
}

static knack_status checkpoint_average_post_step(knack_trick *trick, knack_step *step)
{
    (void)step;
    const struct checkpoint_average *self = knack_self(trick);
    if (!snapshots_due(knack_now(trick)->update, self->every) || !snapshots_fit(trick)) return KNACK_IDLE;
    snapshots_take(trick, &self->snapshots);
    return KNACK_OK;
}

/* ---- Means ---- */

/* The mean of the snapshots [count], and its statistics: one alone has its own, more need new ones. */
static knack_status average(knack_trick *trick, const int64_t *latest, int64_t count)
{
    const struct checkpoint_average *self = knack_self(trick);
    int64_t statistics, parameters = knack_task(trick)->parameters;
    knack_real *s = knack_values(self->mean, NULL), *running = knack_statistics(trick, self->mean, &statistics);
    for (int64_t k = 0; k < count; k++)
        knack_lerp(s, 1 / (double)(k + 1), knack_values(snapshots_latest(&self->snapshots, latest[k]), NULL), parameters);
    knack_lerp(running, 1, knack_statistics(trick, snapshots_latest(&self->snapshots, latest[0]), NULL), statistics);
    if (count == 1 || statistics == 0) return KNACK_OK;
    knack_status status = knack_use_weights(trick, self->mean);
    return status < 0 ? status : knack_sweep(trick, "train", KNACK_STATISTICS, NULL);
}

static knack_status visit(knack_trick *trick, knack_step *step, knack_tensor *p)
{
    const struct checkpoint_average *self = knack_self(trick);
    score_batch(self->score, trick, step, p);
    return KNACK_OK;
}

/* How many of the validation part the set has right, or an error below 0. */
static int64_t right_of(knack_trick *trick, knack_weights *set)
{
    const struct checkpoint_average *self = knack_self(trick);
    *self->score = (struct score){0};
    knack_status status = knack_use_weights(trick, set);
    if (status >= 0) status = knack_sweep(trick, "validation", KNACK_EVAL, visit);
    return status < 0 ? status : (int64_t)self->score->right;
}

static knack_status rank_all(knack_trick *trick, struct ranking *ranking)
{
    const struct checkpoint_average *self = knack_self(trick);
    for (int64_t k = 0; k < snapshots_held(&self->snapshots); k++) {
        int64_t right = right_of(trick, snapshots_latest(&self->snapshots, k));
        if (right < 0) return (knack_status)right;
        rank(ranking, k, right);
    }
    return KNACK_OK;
}

/* chosen [SNAPSHOTS_MOST] gets those that make the soup; returns how many, or an error below 0. */
static int64_t choose(knack_trick *trick, int64_t *chosen)
{
    const struct checkpoint_average *self = knack_self(trick);
    struct ranking ranking = {0};
    knack_status status = rank_all(trick, &ranking);
    int64_t count = 1, best = ranking.right[0];
    chosen[0] = ranking.latest[0];
    if (status < 0) return status;
    for (int64_t i = 1; i < ranking.count; i++) {
        chosen[count] = ranking.latest[i];
        status = average(trick, chosen, count + 1);
        int64_t right = status < 0 ? status : right_of(trick, self->mean);
        if (right < 0) return right;
        if (!(self->strict ? right > best : right >= best)) continue;
        best = right;
        count++;
    }
    return count;
}

static knack_status checkpoint_average_run_end(knack_trick *trick)
{
    const struct checkpoint_average *self = knack_self(trick);
    int64_t held = snapshots_held(&self->snapshots), count = held, chosen[SNAPSHOTS_MOST];
    if (held == 0) {
        knack_warn(trick, "training ended before there was anything to average: \"every\" says when");
        return KNACK_IDLE;
    }
    for (int64_t k = 0; k < held; k++) chosen[k] = k;
    if (self->greedy) count = choose(trick, chosen);
    if (count < 0) return (knack_status)count;
    knack_status status = average(trick, chosen, count);
    knack_weights_ready(self->mean);
    return status;
}

static const knack_plugin checkpoint_average = {
    .size = sizeof checkpoint_average,
    .abi = KNACK_ABI,
    .name = "checkpoint-average",
    .version = "1.0.0",
    .self_size = sizeof(struct checkpoint_average),
    .open = checkpoint_average_open,
    .run_begin = checkpoint_average_run_begin,
    .run_end = checkpoint_average_run_end,
    .post_step = checkpoint_average_post_step,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &checkpoint_average : NULL;
}
