#include "compare/preflight/calibrate.h"

#include <math.h>

#include "base/memory.h"
#include "compare/preflight/check.h"
#include "compare/statistics/ratio.h"
#include "compare/trials/workers.h"

enum { PROBED = 3, WARM = 5, ROUNDS_MOST = 64, WALL_TIMES = 5 }; /* WARM: updates that a measurement makes before it begins */
/* CPU seconds that a measurement may take: the baseline's many, as nothing is known; those of arms a generous multiple of what the
 * baseline's took, so that one that hangs does not hold up the others for long. */
static const double measure_timeout = 600, least_timeout = 2, times_baseline = 200;
/* Seconds of one measurement, and of all together: short beside the training, or short for who waits. */
static const double shortest = 0.01, longest = 0.06, tiny_study = 2, share_of_study = 0.1;

struct calibration {
    struct store *store;
    struct plan *plan;
    struct data_sets *data;
    const struct watcher *watcher;
    int64_t *rounds; /* [arms] that the arm and the baseline have in common; -1: cannot be measured, or is not to be */
    int64_t updates; /* of a measurement */
    double timeout;  /* of arms */
    int64_t round;   /* the next */
    int64_t done, planned;
};

/* ---- One measurement ---- */

static knack_status measure(struct calibration *calibration, int64_t arm, int64_t updates, struct stored_measurement *measurement)
{
    const struct plan *plan = calibration->plan;
    const struct data_set *set;
    struct trial_outcome outcome;
    struct trial_job job;
    TRY(data_sets_open(calibration->data, plan, &plan->arm[arm], &set));
    fill_job(plan, arm, set, &job);
    job.kind = TRIAL_MEASURE;
    job.updates = updates;
    double timeout = plan->timeout > 0 ? plan->timeout : arm == 0 ? measure_timeout : calibration->timeout;
    TRY(workers_run_one(&job, timeout, WALL_TIMES * timeout, calibration->watcher->interrupted, calibration->watcher->user, &outcome));
    bool measured = outcome.status == TRIAL_DONE && outcome.cost.updates > 0;
    *measurement = (struct stored_measurement){.arm = arm,
                                               .round = calibration->round,
                                               .cpu_seconds = measured ? outcome.cost.cpu_seconds / (double)outcome.cost.updates : 0,
                                               .peak_memory = outcome.cost.peak_memory};
    trial_outcome_free(&outcome);
    return KNACK_OK;
}

/* How many updates take as long as a measurement is to take. A probe of a few says how long one takes. */
static knack_status choose_updates(struct calibration *calibration, int64_t arms, int64_t trials, int64_t jobs)
{
    struct stored_measurement probe;
    TRY(measure(calibration, 0, PROBED, &probe));
    double updates = (double)calibration->plan->arm[0].updates, measurements = (double)(arms * CALIBRATION_ROUNDS);
    double study = (double)trials * updates * probe.cpu_seconds / (double)jobs;
    double each = fmin(fmax(fmax(tiny_study, share_of_study * study) / measurements, shortest), longest);
    double wanted = probe.cpu_seconds > 0 ? ceil(each / probe.cpu_seconds) : 1;
    calibration->updates = (int64_t)fmax(1, fmin(wanted, updates > WARM ? updates - WARM : 1));
    calibration->timeout = fmax(least_timeout, times_baseline * probe.cpu_seconds * (double)(calibration->updates + WARM));
    return KNACK_OK;
}

/* ---- Which arms ---- */

/* Rounds that are there, by arm. */
static void count_rounds(struct calibration *calibration, const struct stored_measurement *measurement, int64_t count)
{
    bool base[ROUNDS_MOST] = {false};
    for (int64_t i = 0; i < count; i++) {
        const struct stored_measurement *m = &measurement[i];
        if (m->round >= calibration->round) calibration->round = m->round + 1;
        if (m->arm == 0 && m->cpu_seconds > 0 && m->round >= 0 && m->round < ROUNDS_MOST) base[m->round] = true;
    }
    for (int64_t i = 0; i < count; i++) {
        const struct stored_measurement *m = &measurement[i];
        if (m->arm < 0 || m->arm >= calibration->plan->arms || calibration->rounds[m->arm] < 0) continue;
        if (!(m->cpu_seconds > 0))
            calibration->rounds[m->arm] = -1;
        else if (m->round >= 0 && m->round < ROUNDS_MOST && base[m->round])
            calibration->rounds[m->arm]++;
    }
}

static knack_status find_rounds(struct calibration *calibration)
{
    struct stored_measurement *measurement;
    int64_t count;
    TRY(store_read_measurements(calibration->store, &measurement, &count));
    for (int64_t a = 0; a < calibration->plan->arms; a++) /* a budget's updates cost what the baseline's do */
        calibration->rounds[a] = calibration->plan->arm[a].kind == ARM_BUDGET ? -1 : 0;
    count_rounds(calibration, measurement, count);
    memory_free(measurement);
    return KNACK_OK;
}

static bool lacks_rounds(const struct calibration *calibration, int64_t arm)
{
    return calibration->rounds[arm] >= 0 && calibration->rounds[arm] < CALIBRATION_ROUNDS;
}

static int64_t lacking(const struct calibration *calibration)
{
    int64_t count = 0;
    for (int64_t a = 1; a < calibration->plan->arms; a++) count += lacks_rounds(calibration, a);
    return calibration->rounds[0] < 0 ? 0 : count + (count > 0 || lacks_rounds(calibration, 0));
}

/* ---- Rounds ---- */

/* All that lack rounds, and the baseline beside them. */
static knack_status make_round(struct calibration *calibration)
{
    int64_t arms = calibration->plan->arms;
    for (int64_t i = 0; i < arms; i++) {
        int64_t a = calibration->round % 2 ? arms - 1 - i : i;
        struct stored_measurement measurement;
        if (a == 0 ? calibration->rounds[0] < 0 : !lacks_rounds(calibration, a)) continue;
        TRY(measure(calibration, a, calibration->updates, &measurement));
        TRY(store_add_measurement(calibration->store, &measurement));
        calibration->rounds[a] = measurement.cpu_seconds > 0 ? calibration->rounds[a] + 1 : -1;
        calibration->watcher->progress(calibration->watcher->user, ++calibration->done, calibration->planned);
    }
    calibration->round++;
    return KNACK_OK;
}

static knack_status make_rounds(struct calibration *calibration, int64_t trials, int64_t jobs)
{
    TRY(find_rounds(calibration));
    int64_t arms = lacking(calibration);
    if (arms == 0) return KNACK_OK;
    calibration->planned = arms * CALIBRATION_ROUNDS;
    TRY(choose_updates(calibration, arms, trials, jobs));
    while (lacking(calibration) > 0 && calibration->round < ROUNDS_MOST) TRY(make_round(calibration));
    return KNACK_OK;
}

/* ---- What arms cost ---- */

static double seconds_in(const struct stored_measurement *measurement, int64_t count, int64_t arm, int64_t round)
{
    for (int64_t i = 0; i < count; i++)
        if (measurement[i].arm == arm && measurement[i].round == round) return measurement[i].cpu_seconds;
    return 0;
}

/* By rounds in which both were measured, one after the other, so that a slow spell of the machine is in both. */
static void find_cost(const struct stored_measurement *measurement, int64_t count, struct plan *plan, int64_t a)
{
    double own[ROUNDS_MOST], base[ROUNDS_MOST];
    int64_t rounds = 0;
    for (int64_t round = 0; round < ROUNDS_MOST; round++) {
        own[rounds] = seconds_in(measurement, count, a, round);
        base[rounds] = seconds_in(measurement, count, 0, round);
        rounds += own[rounds] > 0 && base[rounds] > 0;
    }
    if (rounds == 0) return;
    struct ratio ratio = paired_ratio(own, base, rounds);
    plan->arm[a].update_cost = ratio.value;
    plan->arm[a].update_cost_low = ratio.ci.low;
    plan->arm[a].update_cost_high = ratio.ci.high;
}

/* Costs that the plan has already stay as they were fixed. */
static knack_status find_costs(struct store *store, struct plan *plan)
{
    struct stored_measurement *measurement;
    int64_t count;
    TRY(store_read_measurements(store, &measurement, &count));
    for (int64_t a = 1; a < plan->arms; a++)
        if (plan->arm[a].kind == ARM_TREATED && isnan(plan->arm[a].update_cost)) find_cost(measurement, count, plan, a);
    memory_free(measurement);
    return KNACK_OK;
}

knack_status calibrate(struct store *store, struct plan *plan, struct data_sets *data, int64_t trials, int64_t jobs,
                       const struct watcher *watcher)
{
    struct calibration calibration = {.store = store, .plan = plan, .data = data, .watcher = watcher, .timeout = measure_timeout};
    calibration.rounds = memory_new((size_t)plan->arms, sizeof *calibration.rounds);
    if (!calibration.rounds) return KNACK_E_MEMORY;
    knack_status status = make_rounds(&calibration, trials, jobs);
    memory_free(calibration.rounds);
    return status < 0 ? status : find_costs(store, plan);
}

knack_status calibration_read(struct store *store, int64_t arm, double *seconds)
{
    struct stored_measurement *measurement;
    int64_t count, measured = 0;
    double logarithms = 0;
    TRY(store_read_measurements(store, &measurement, &count));
    for (int64_t i = 0; i < count; i++) {
        if (measurement[i].arm != arm || !(measurement[i].cpu_seconds > 0)) continue;
        logarithms += log(measurement[i].cpu_seconds);
        measured++;
    }
    memory_free(measurement);
    *seconds = measured > 0 ? exp(logarithms / (double)measured) : NAN;
    return KNACK_OK;
}
