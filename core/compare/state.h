/* Within core/compare: a comparison that is open. */
#ifndef COMPARE_STATE_H
#define COMPARE_STATE_H

#include "compare/comparison.h"
#include "compare/preflight/data_sets.h"
#include "compare/preflight/watcher.h"
#include "compare/schedule/schedule.h"
#include "compare/trials/workers.h"

/* A trial that is going on. */
struct running {
    bool busy;
    int64_t block, arm;
    double began;
    struct trial_progress progress;
};

struct comparison {
    struct comparison_observer observer;
    char *folder;
    char *scratch; /* of a dry run: where its copy is; NULL: it is none */
    struct store *store;
    struct plan *plan;
    struct data_sets *data;
    int64_t jobs;
    int64_t number; /* of comparisons on its test set */
    int64_t taken;  /* trials that were taken over from other folders */
    struct grid grid;
    struct schedule schedule;
    struct workers *workers;
    struct running *running; /* [jobs] */
    double *update_seconds;  /* [arms] CPU, of an update, as measured; NaN: not */
    bool first_block_is_good;
    char *waiting; /* what the machine kept from being made, and what to do; NULL: nothing */
    /* What is told. */
    char phase[48];
    int64_t phase_done, phase_planned; /* before trials */
    double began, last_told;
    struct comparison_trial *told_trial; /* [jobs] */
    struct comparison_arm *told_arm;     /* [arms] */
};

double comparison_clock(void); /* seconds */
/* Plan and folder, and the store if the folder holds a comparison: refuses what can be refused without data and code. */
knack_status comparison_plan(struct comparison *, const struct comparison_request *);
/* Closes the store; of a dry run nothing stays of it. */
void comparison_leave_store(struct comparison *);
/* To the store, and for people to plan.json. */
knack_status comparison_write_plan(struct comparison *);
/* Trials that are there, and are to be there. */
knack_status comparison_prepare(struct comparison *);
/* Adds the baseline at this budget, checked; what goes by the plan is made to agree. */
knack_status comparison_add_budget(struct comparison *, double size, const char *why);
/* Measures what updates cost, as far as that is not known yet. */
knack_status comparison_measure(struct comparison *);
struct watcher comparison_watcher(struct comparison *);
bool comparison_interrupted(struct comparison *);

/* Tells the observer; at most ten times a second unless it is to be told always. */
void comparison_tell(struct comparison *, bool always);
void comparison_note(struct comparison *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void comparison_warn(struct comparison *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Seconds of a trial of the arm: the mean of those that are done, else by the baseline's and what updates were measured to take; NaN:
 * nothing is known. */
double comparison_expected(const struct comparison *, int64_t arm);

#endif
