#include "compare/trials/workers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compare/trials/pool.h"

enum { SAYS_PROGRESS = 1, SAYS_OUTCOME = 2 };
enum { EXIT_MEMORY = 112 }; /* of a worker that had no memory left to tell anything */

/* A job that is going on, and what came of it until its process ends. */
struct worker {
    bool busy, told, garbled; /* garbled: what it told cannot be read */
    int64_t id;
    double timeout;
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

static int work(void *user, struct pool_channel *channel)
{
    struct trial_outcome outcome;
    size_t size;
    if (trial_run(user, say, channel, &outcome) < 0) return EXIT_MEMORY;
    void *bytes = trial_outcome_pack(&outcome, &size);
    if (!bytes) return EXIT_MEMORY;
    pool_send(channel, SAYS_OUTCOME, bytes, size);
    return 0;
}

/* ---- In the parent ---- */

knack_status workers_start(struct workers *workers, int64_t id, double timeout, const struct trial_job *job)
{
    struct worker *worker = workers->worker;
    while (worker < workers->worker + workers->size && worker->busy) worker++;
    if (worker == workers->worker + workers->size) return status_set(KNACK_E_CALL, "all %lld workers are busy", (long long)workers->size);
    struct trial_job copy = *job;
    TRY(pool_start(workers->pool, worker - workers->worker, timeout, work, &copy));
    *worker = (struct worker){.busy = true, .id = id, .timeout = timeout};
    return KNACK_OK;
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
    memset(outcome, 0, sizeof *outcome);
    outcome->value = outcome->initial = NAN;
    outcome->code = KNACK_E_PLUGIN;
    outcome->cost.seconds = end->seconds;
    outcome->cost.cpu_seconds = end->cpu_seconds;
    outcome->cost.peak_memory = end->peak_memory;
    if (end->kind == POOL_TIMED_OUT) {
        outcome->status = TRIAL_TIMED_OUT;
        snprintf(outcome->message, room, "was ended after %s s: it took longer than it may", text_number(number, worker->timeout));
    } else if (worker->garbled || end->garbled) {
        outcome->status = TRIAL_CRASHED;
        snprintf(outcome->message, room, "what its process told cannot be read: something in it writes where it should not");
    } else if (end->kind == POOL_CRASHED && end->ended_by != 0) {
        outcome->status = TRIAL_CRASHED;
        snprintf(outcome->message, room, "signal %d (%s) ended its process", end->ended_by, strsignal(end->ended_by));
    } else if (end->exit_status == EXIT_MEMORY) {
        outcome->status = TRIAL_BROKEN;
        outcome->code = KNACK_E_MEMORY;
        snprintf(outcome->message, room, "out of memory: its process could not tell what came of it");
    } else if (end->kind == POOL_CRASHED) {
        outcome->status = TRIAL_CRASHED;
        snprintf(outcome->message, room, "its process ended by itself, with exit status %d", end->exit_status);
    } else {
        outcome->status = TRIAL_BROKEN;
        outcome->code = KNACK_E_CALL;
        snprintf(outcome->message, room, "its process ended without telling what came of it");
    }
}

/* What was told counts, whatever the process did afterwards. */
static void finish(struct worker *worker, const struct pool_event *end, struct worker_event *event)
{
    event->finished = true;
    if (worker->told)
        event->outcome = worker->outcome;
    else
        describe_end(worker, end, &event->outcome);
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

static knack_status run_one(struct workers *workers, const struct trial_job *job, double timeout, bool (*interrupted)(void *user),
                            void *user, struct trial_outcome *outcome)
{
    TRY(workers_start(workers, 0, timeout, job));
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

knack_status workers_run_one(const struct trial_job *job, double timeout, bool (*interrupted)(void *user), void *user,
                             struct trial_outcome *outcome)
{
    struct workers *workers;
    TRY(workers_new(1, &workers));
    knack_status status = run_one(workers, job, timeout, interrupted, user, outcome);
    workers_free(workers);
    return status;
}
