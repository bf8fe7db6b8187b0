/* A comparison: from a plan to trials in a pool, a store that survives, and an analysis. */
#ifndef COMPARE_COMPARISON_H
#define COMPARE_COMPARISON_H

#include "compare/analysis/analysis.h"
#include "compare/preflight/kept.h"
#include "compare/trials/trial.h"

struct comparison;

struct comparison_trial { /* one that is going on */
    const char *arm;
    int64_t seed;
    struct trial_progress progress; /* updates 0: nothing said yet */
    double seconds;
};
struct comparison_arm { /* what is known so far: counts and means */
    const char *name;
    int64_t done, failed, planned;
    double mean;       /* as the metric is; NaN: none */
    bool stopped;      /* decided, or dropped */
    double p_adjusted; /* only of plans with looks, else NaN */
};
struct comparison_progress {
    const char *phase;                    /* "checking", "measuring cost", "training", "round 2 of 5" */
    int64_t done, planned;                /* trials; of the phase */
    double seconds, seconds_left;         /* NaN: not known */
    const struct comparison_trial *trial; /* [trials] */
    int64_t trials;
    const struct comparison_arm *arm; /* [arms] */
    int64_t arms;
    double percent; /* 100: means are shares, shown as percent */
};
struct comparison_observer {
    void *user;
    void (*note)(void *user, const char *text);
    void (*warning)(void *user, const char *text);
    void (*progress)(void *user, const struct comparison_progress *); /* at most ten times a second, and after each trial */
    bool (*interrupted)(void *user);
};

struct comparison_request {
    struct plan_request plan;            /* plan.config: a config, a comparison file, or with confirm a comparison's folder */
    const char *out;                     /* NULL: comparisons/STEM */
    const char *project;                 /* of what a folder holds: where relative paths of its configs start now; NULL: as before */
    int64_t confirm;                     /* the best so many of a screening; 0: no */
    int64_t jobs;                        /* 0: as many as cores */
    struct kept_request kept;            /* what is to be made anew of what the folder holds */
    bool no_cache;                       /* trains the baseline also where another folder has equal trials */
    bool dry_run;                        /* on a copy that goes when it is closed: nothing stays, neither here nor in the ledger */
    int64_t pilot;                       /* of a dry run: trains this number of tuning seeds, from 0 on, instead of what is planned */
    struct comparison_observer observer; /* copied */
};

/* Plan, data, store, ledger, and a check of every arm's config (in a process of its own): everything that can be refused is refused here,
 * before any trial. Goes on with what the folder holds. */
knack_status comparison_open(const struct comparison_request *, struct comparison **);
/* Calibration, and all trials that are not there yet. KNACK_E_INTERRUPTED: running it again goes on. */
knack_status comparison_run(struct comparison *);
/* After comparison_run(): which arms wait for what the machine could not give, and what to do; NULL: none. */
const char *comparison_waiting(const struct comparison *);
const char *comparison_folder(const struct comparison *);
struct store *comparison_store(struct comparison *);
void comparison_close(struct comparison *); /* NULL is fine */

#endif
