#include "compare/trials/workers.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compare/trials/pool.h"
#include "train/run.h"

enum { SAYS_PROGRESS = 1, SAYS_OUTCOME = 2 };
static const double wall_factor = 5;

/* A job that is going on, and what came of it until its process ends. */
struct worker {
    bool busy, told, garbled; /* garbled: what it told cannot be read */
    int64_t id;
    enum trial_kind kind;
    struct trial_outcome outcome; /* once told */
};

struct workers {
    struct pool *pool;
    struct worker *worker; /* [size] */
    int64_t size;
};

knack_status workers_new(int64_t size, struct workers **out)
{
    *out = NULL;
    struct workers *workers = memory_new(1, sizeof *workers);
    if (!workers) return KNACK_E_MEMORY;
    workers->size = size;
    workers->worker = memory_new((size_t)size, sizeof *workers->worker);
    knack_status status = workers->worker ? pool_new(size, &workers->pool) : KNACK_E_MEMORY;
    if (status >= 0) {
        *out = workers;
        return KNACK_OK;
    }
    memory_free(workers->worker);
    memory_free(workers);
    return status;
}

void workers_free(struct workers *workers)
{
    if (!workers) return;
    pool_free(workers->pool);
    for (int64_t i = 0; i < workers->size; i++)
        if (workers->worker[i].told) trial_outcome_free(&workers->worker[i].outcome);
    memory_free(workers->worker);
    memory_free(workers);
}

bool workers_are_full(const struct workers *workers)
{
    return pool_is_full(workers->pool);
}

int64_t workers_busy(const struct workers *workers)
{
    return pool_working(workers->pool);
}

/* ---- In the worker ---- */

static void say(void *user, const struct trial_progress *progress)
{
    pool_send(user, SAYS_PROGRESS, progress, sizeof *progress);
}

_Static_assert(sizeof(struct run_place) <= POOL_SHARED, "a place fits into what a worker shares");

static int work(void *user, struct pool_channel *channel)
{
    struct trial_job *job = user;
    struct trial_outcome outcome;
    size_t size;
    job->place = pool_shared(channel);
    *job->place = (struct run_place){.step = -1, .trick = -1};
    if (trial_run(job, say, channel, &outcome) < 0) return 1;
    void *bytes = trial_outcome_pack(&outcome, &size);
    if (!bytes) return 1;
    pool_send(channel, SAYS_OUTCOME, bytes, size);
    return 0;
}

/* ---- In the parent ---- */

static knack_status start(struct workers *workers, int64_t id, double cpu, double wall, const struct trial_job *job)
{
    struct worker *worker = workers->worker;
    while (worker < workers->worker + workers->size && worker->busy) worker++;
    if (worker == workers->worker + workers->size) return status_set(KNACK_E_CALL, "all %lld workers are busy", (long long)workers->size);
    struct trial_job copy = *job;
    TRY(pool_start(workers->pool, worker - workers->worker, cpu, wall, work, &copy));
    *worker = (struct worker){.busy = true, .id = id, .kind = job->kind};
    return KNACK_OK;
}

knack_status workers_start(struct workers *workers, int64_t id, double timeout, const struct trial_job *job)
{
    return start(workers, id, timeout, wall_factor * timeout, job);
}

static knack_status hear(struct worker *worker, const struct pool_event *message, struct worker_event *event, bool *happened)
{
    if (message->message == SAYS_PROGRESS && message->size == sizeof event->progress) {
        memcpy(&event->progress, message->bytes, message->size);
        *happened = true;
        return KNACK_OK;
    }
    if (message->message != SAYS_OUTCOME || worker->told) return KNACK_OK;
    knack_status status = trial_outcome_unpack(message->bytes, message->size, &worker->outcome);
    if (status == KNACK_E_MEMORY) return status;
    worker->told = status >= 0;
    worker->garbled = status < 0;
    return KNACK_OK;
}

/* What is known of a trial that could not tell itself. */
static void describe_end(const struct worker *worker, const struct pool_event *end, struct trial_outcome *outcome)
{
    char number[32];
    size_t room = sizeof outcome->message;
    *outcome = (struct trial_outcome){.status = TRIAL_CRASHED,
                                      .code = KNACK_E_PLUGIN,
                                      .value = NAN,
                                      .initial = NAN,
                                      .cost = {.seconds = end->seconds, .cpu_seconds = end->cpu_seconds, .peak_memory = end->peak_memory}};
    if (end->kind == POOL_TIMED_OUT) {
        outcome->status = TRIAL_TIMED_OUT;
        snprintf(outcome->message, room, "was ended after %s s %s: it took longer than it may", text_number(number, end->limit),
                 end->by_clock ? "by the clock" : "of CPU time");
    } else if (worker->garbled || end->garbled) {
        snprintf(outcome->message, room, "what its process told cannot be read: something in it writes where it should not");
    } else if (end->ended_by != 0) {
        if (end->refused || end->ended_by == SIGKILL) outcome->code = KNACK_E_MEMORY;
        snprintf(outcome->message, room, "signal %d (%s) ended its process%s", end->ended_by, strsignal(end->ended_by),
                 end->refused               ? " after memory was refused to it"
                 : end->ended_by == SIGKILL ? ", which knack did not send (is memory short?)"
                                            : "");
    } else if (end->refused) {
        outcome->code = KNACK_E_MEMORY;
        snprintf(outcome->message, room, "out of memory: its process could not tell what came of it");
    } else {
        snprintf(outcome->message, room, "its process ended by itself, with exit status %d", end->exit_status);
    }
}

/* Whose fault it is. An error before the first step, outside of any trick, is none of the arm's: it was checked before, so a file has
 * changed since, or is gone. */
static enum trial_fault fault_of(const struct trial_outcome *outcome, enum trial_kind kind, bool refused)
{
    int code = outcome->code;
    bool in_trick = outcome->place[0] != '\0', opened = outcome->step >= 0;
    if (outcome->status == TRIAL_DONE) return FAULT_NONE;
    if (outcome->status == TRIAL_NOT_FINITE) return FAULT_OWN;
    if (outcome->status == TRIAL_TIMED_OUT) return FAULT_UNCLEAR;
    if (refused || code == KNACK_E_MEMORY || code == KNACK_E_IO) return FAULT_MACHINE;
    if (outcome->status == TRIAL_CRASHED) return FAULT_UNCLEAR;
    if (in_trick) return code == KNACK_E_PLUGIN || code == KNACK_E_CALL || code == KNACK_E_SHAPE ? FAULT_OWN : FAULT_UNCLEAR;
    if (kind == TRIAL_CHECK) return FAULT_OWN;
    if (!opened || code == KNACK_E_DATA) return FAULT_MACHINE;
    return code == KNACK_E_PLUGIN ? FAULT_OWN : FAULT_UNCLEAR;
}

/* Step, place and fault of a trial that is not done; the message names the step, and the place unless the trial told itself: then its
 * error names its trick. */
static void explain(const struct worker *worker, const struct pool_event *end, struct trial_outcome *outcome)
{
    const struct run_place *place = end->shared;
    char step[32], *message = outcome->message;
    size_t room = sizeof outcome->message;
    if (outcome->status == TRIAL_DONE) return;
    outcome->step = place->step;
    run_place_text(place, outcome->place, sizeof outcome->place);
    outcome->fault = fault_of(outcome, worker->kind, end->refused);
    snprintf(step, sizeof step, " step %lld", (long long)place->step + 1);
    if (!worker->told && outcome->place[0]) snprintf(message + strlen(message), room - strlen(message), ", in %s", outcome->place);
    if (place->step >= 0 && !strstr(message, step)) snprintf(message + strlen(message), room - strlen(message), ", at%s", step);
}

/* What was told counts, whatever the process did afterwards. */
static void finish(struct worker *worker, const struct pool_event *end, struct worker_event *event)
{
    event->finished = true;
    if (worker->told)
        event->outcome = worker->outcome;
    else
        describe_end(worker, end, &event->outcome);
    explain(worker, end, &event->outcome);
    *worker = (struct worker){0};
}

knack_status workers_wait(struct workers *workers, double seconds, struct worker_event *event, bool *happened)
{
    struct pool_event next;
    bool any;
    *happened = false;
    TRY(pool_wait(workers->pool, seconds, &next, &any));
    if (!any) return KNACK_OK;
    struct worker *worker = &workers->worker[next.job];
    *event = (struct worker_event){.id = worker->id};
    if (next.kind == POOL_MESSAGE) return hear(worker, &next, event, happened);
    finish(worker, &next, event);
    *happened = true;
    return KNACK_OK;
}

static knack_status run_one(struct workers *workers, const struct trial_job *job, double cpu, double wall, bool (*interrupted)(void *user),
                            void *user, struct trial_outcome *outcome)
{
    TRY(start(workers, 0, cpu, wall, job));
    for (;;) {
        struct worker_event event;
        bool happened;
        if (interrupted && interrupted(user)) return status_set(KNACK_E_INTERRUPTED, "interrupted");
        TRY(workers_wait(workers, 0.1, &event, &happened));
        if (!happened || !event.finished) continue;
        *outcome = event.outcome;
        return KNACK_OK;
    }
}

knack_status workers_run_one(const struct trial_job *job, double cpu, double wall, bool (*interrupted)(void *user), void *user,
                             struct trial_outcome *outcome)
{
    struct workers *workers;
    TRY(workers_new(1, &workers));
    knack_status status = run_one(workers, job, cpu, wall, interrupted, user, outcome);
    workers_free(workers);
    return status;
}
