/* One trial: an arm trained with one seed, in a process of its own; and what it tells. */
#ifndef COMPARE_TRIALS_TRIAL_H
#define COMPARE_TRIALS_TRIAL_H

#include "base/json.h"
#include "data/dataset.h"

enum trial_kind {
    TRIAL_CHECK,   /* opens everything and trains nothing: the resolved config, or why it is refused */
    TRIAL_MEASURE, /* the first updates, on the CPU's clock */
    TRIAL_TRAIN    /* all of it, and the final evaluation */
};
enum trial_status { TRIAL_DONE, TRIAL_NOT_FINITE, TRIAL_CRASHED, TRIAL_TIMED_OUT, TRIAL_BROKEN }; /* broken: any other error */
extern const char *const trial_status_name[]; /* "done", "not finite", "crashed", "timed out", "error" */
/* Whose fault it is that a trial is not done. Trials are deterministic: what fails alike when it is made again alone is its own. */
enum trial_fault {
    FAULT_NONE,
    FAULT_OWN,     /* a loss that is not finite, or an error that a trick or its code made: data */
    FAULT_UNCLEAR, /* a signal, an exit, a timeout, garbled words: to be made again */
    FAULT_MACHINE  /* memory, disk, a file that is gone, SIGKILL, a signal behind a refused allocation: never data */
};

extern const char *const trial_fault_name[]; /* "", "own", "unclear", "machine" */

struct run_place; /* train/run.h */
struct trial_job {
    enum trial_kind kind;
    const char *arm;    /* name, for messages */
    const char *config; /* JSON text; relative paths start from folder */
    const char *folder;
    int64_t seed;
    struct dataset *data;      /* what the config's "data" says, opened before; NULL: the trial opens it */
    const char *part, *metric; /* primary */
    int64_t updates;           /* TRIAL_MEASURE: how many */
    struct run_place *place;   /* kept up to date while the trial goes on, or NULL */
};

/* One number over time or at the end. Over time: validation's metrics of each evaluated epoch, and the training loss ("train", "loss"),
 * the mean since the last. */
struct trial_metric {
    char part[12], weights[64], metric[24];
    int64_t update;
    double epoch, value;
    bool final;
};

struct trial_cost {
    int64_t updates;                    /* made */
    double gradient_rows, forward_rows; /* as in struct run_cost, of the whole training */
    double inference;                   /* forwards per example of the final test evaluation: 1, with two views 2 */
    double seconds, cpu_seconds;        /* whole trial; TRIAL_MEASURE: of its updates only */
    int64_t peak_memory;                /* bytes, resident */
};

enum { TRIAL_WARNINGS = 4096 };
struct trial_outcome {
    enum trial_status status;
    char message[1024];          /* unless done */
    int code;                    /* knack_status of it */
    double value;                /* of the primary metric, as the metric is; NaN unless done */
    char weights[64];            /* primary ones */
    struct trial_metric *metric; /* [metrics] */
    int64_t metrics;
    uint8_t *correct; /* [examples] of the part, primary weights; NULL: not a classification */
    float *loss;      /* [examples] */
    int64_t examples;
    struct trial_cost cost;
    char idle[64]; /* the first trick that never acted; "": none */
    enum trial_fault fault;
    int64_t step;   /* unless done: the latest that began, counted from 0 (messages count from 1); -1: none did */
    char place[96]; /* unless done: what it was in then, "trick \"fgm\", hook post_backward"; "": none */
    char *warnings; /* lines, each once, in all TRIAL_WARNINGS bytes at most; NULL: none */
    char aside[16]; /* set by who keeps it: why it does not count; "": it does */
    double initial; /* TRIAL_CHECK: the primary metric of untrained weights, for losses and regressions; NaN where chance is known */
    /* TRIAL_CHECK */
    char *resolved, *tricks, *identity; /* as in struct arm */
    int64_t updates, parameters;
};
void trial_outcome_free(struct trial_outcome *); /* what it points to */

/* What a trial says while it goes on. */
struct trial_progress {
    int64_t epoch, epochs, update, updates;
    double loss;
};

/* In this process. Errors of the trial are in the outcome, without fault, step and place (see workers.h); the status is below 0 only if
 * there is no memory for that. said (may be NULL): at most ten times a second. */
knack_status trial_run(const struct trial_job *, void (*said)(void *user, const struct trial_progress *), void *user,
                       struct trial_outcome *);

/* Which part a metric of that part judges; refuses one that cannot judge, or that the data do not have, and
 * a metric that there is not. */
knack_status trial_find_part(const char *part, const char *metric, const struct dataset *, enum data_part *found);

/* As bytes for a pipe: memory_free(); NULL without memory. */
void *trial_outcome_pack(const struct trial_outcome *, size_t *size);
knack_status trial_outcome_unpack(const void *bytes, size_t size, struct trial_outcome *);

#endif
