/* Processes that work side by side, one per job: forked from this one, whose memory they share until they write, and ending with it.
 * Knows nothing of training. This process must have one thread only. */
#ifndef COMPARE_TRIALS_POOL_H
#define COMPARE_TRIALS_POOL_H

#include "base/status.h"

struct pool;
struct pool_channel; /* the worker's end of its pipe */

/* In the worker: sends a message to the parent. kind is the caller's. Ends the process if the parent is gone. */
void pool_send(struct pool_channel *, uint32_t kind, const void *bytes, size_t size);

/* In the worker: POOL_SHARED bytes, zero at first, that the parent sees too, however the worker ends. */
enum { POOL_SHARED = 4032 };
void *pool_shared(const struct pool_channel *);

enum pool_event_kind { POOL_MESSAGE, POOL_ENDED, POOL_CRASHED, POOL_TIMED_OUT };
struct pool_event {
    enum pool_event_kind kind;
    int64_t job;       /* as pool_start() was told */
    uint32_t message;  /* POOL_MESSAGE: its kind */
    const void *bytes; /* [size], the pool's, until the next call; aligned for any type */
    size_t size;
    int ended_by; /* POOL_CRASHED: signal, or 0 and exit_status */
    int exit_status;
    double limit;  /* POOL_TIMED_OUT: seconds that it was allowed, */
    bool by_clock; /* by the clock instead of CPU time */
    bool refused;  /* after its end: memory, or what a worker needs to begin, was refused to it; or there was none when a signal came */
    const void *shared;  /* after its end: as in pool_shared(), until a worker is started */
    bool garbled;        /* POOL_CRASHED: something else wrote to its pipe, for which it was killed, or its last message was cut off */
    double seconds;      /* since it was started */
    double cpu_seconds;  /* after its end: of the process, user and system */
    int64_t peak_memory; /* after its end: bytes, most that were resident at once, with those that it shared with its parent */
};

/* size: how many work at once, from 1. */
knack_status pool_new(int64_t size, struct pool **);
void pool_free(struct pool *); /* kills what still works; NULL is fine */
bool pool_is_full(const struct pool *);
int64_t pool_working(const struct pool *);
/* Forks a worker that calls work(user, channel) and ends with what it returns as exit status. It is killed after so many
 * seconds of its CPU time (of all its threads), or by the clock; 0: no limit. What the worker writes to standard output goes to standard
 * error; it reads nothing from standard input and ignores SIGINT, SIGTERM and SIGHUP: a whole group gets them, and this process decides
 * what they mean. KNACK_E_CALL if the pool is full. */
knack_status pool_start(struct pool *, int64_t job, double cpu, double wall, int (*work)(void *user, struct pool_channel *), void *user);
/* The next event, at most after seconds (below 0: however long); *happened false if there was none, a signal came, or none works. Every job
 * ends with one of ENDED (exit status 0), CRASHED, TIMED_OUT, after its last message. Timeouts are kept while this function is called. */
knack_status pool_wait(struct pool *, double seconds, struct pool_event *, bool *happened);

#endif
