/* Trials in processes of their own, so many at once: the pool, and what goes through its pipes. */
#ifndef COMPARE_TRIALS_WORKERS_H
#define COMPARE_TRIALS_WORKERS_H

#include "compare/trials/trial.h"

struct workers;

/* size: how many at once. As pool_new(). */
knack_status workers_new(int64_t size, struct workers **);
void workers_free(struct workers *); /* ends what still works; NULL is fine */
bool workers_are_full(const struct workers *);
int64_t workers_busy(const struct workers *);

/* The job's texts and data are used in the worker only: they may go once this returns. id: the caller's. timeout: seconds
 * of the process's CPU time, and 5 times that by the clock; 0: none. */
knack_status workers_start(struct workers *, int64_t id, double timeout, const struct trial_job *);

struct worker_event {
    int64_t id;
    bool finished;
    struct trial_progress progress; /* unless finished */
    struct trial_outcome outcome;   /* finished: the caller's, trial_outcome_free(); however the worker ended */
};
/* The next event, at most after seconds; *happened false if there was none, or a signal came. */
knack_status workers_wait(struct workers *, double seconds, struct worker_event *, bool *happened);

/* One job from its start to its end, in a process of its own, with nothing else going on. cpu, wall: seconds that it may take; 0: no limit.
 * interrupted (may be NULL) is asked ten times a second; true: KNACK_E_INTERRUPTED. outcome: trial_outcome_free() unless that failed. */
knack_status workers_run_one(const struct trial_job *, double cpu, double wall, bool (*interrupted)(void *user), void *user,
                             struct trial_outcome *);

#endif
