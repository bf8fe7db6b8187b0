/* A comparison's results in SQLite (knack.db): experiments, arms, identities, trials, metrics, examples, costs. WAL, one transaction a
 * trial; one process writes. docs/store.md describes the tables for users. */
#ifndef COMPARE_STORE_STORE_H
#define COMPARE_STORE_STORE_H

#include "compare/plan/plan.h"
#include "compare/trials/trial.h"

struct store;

/* A finished trial, or failed one, as it is kept. */
struct stored_trial {
    int64_t id, arm, seed; /* arm: index in the plan */
    enum trial_status status;
    char message[1024];
    double value; /* NaN unless done */
    struct trial_cost cost;
    char idle[64];
    enum trial_fault fault;
    int64_t step;     /* as in trial_outcome; 0 of those that are done */
    char place[96];   /* as in trial_outcome */
    int64_t attempt;  /* 1, or 2 if one before it was set aside as unclear or as the machine's, since it was last to be made anew */
    int64_t identity; /* row of identities that it was trained under; 0: not known */
    char source[128]; /* folder of the comparison that it was taken over from; "": trained here */
    char aside[16];   /* "": it counts; else why not: "unclear", "machine", "again", "retry-failed" */
};

/* All that decided what trials of an arm came to, as JSON: one row for each arm and text. */
struct stored_identity {
    int64_t id, arm; /* arm: -1 if the plan no longer has it */
    const char *text;
};

/* What trials of an arm that count said, a line each, and how many of them. */
struct stored_warning {
    int64_t arm, trials;
    char text[1024];
};

/* One measurement of the serial calibration. */
struct stored_measurement {
    int64_t arm, round; /* rounds in the order they were made */
    double cpu_seconds; /* per update */
    int64_t peak_memory;
};

/* Opens FOLDER/knack.db. create: for writing, by one process at a time; makes folder and tables if there are none, and checks the file if
 * there is one. If another process, or this one, has it open so, or if the folder holds something else: KNACK_E_USAGE, at once. Without
 * create: for reading, beside a writer too, and where nothing may be written; all that is read is as it was at this moment, and functions
 * that write are KNACK_E_CALL; a missing file is KNACK_E_IO that says what a comparison's folder is. A foreign or damaged file, one of
 * another format: KNACK_E_IO. A child of fork() must not use what its parent opened. */
knack_status store_open(const char *folder, bool create, struct store **);
/* Refuses a folder that holds something else and no comparison; one that is not there is fine. */
knack_status store_check_folder(const char *folder);
void store_close(struct store *); /* leaves one file, unless someone still reads; NULL is fine */
/* Opens a copy of what the folder holds, or a new store if it holds none, in another folder, which has to be empty; it goes by the name of
 * the first. */
knack_status store_open_copy(const char *folder, const char *scratch, struct store **);
/* Closes a store that was made in vain, and removes its file, and the folder if nothing else is in it. */
void store_discard(struct store *);
const char *store_folder(const struct store *);
/* The identity of this comparison, made at random when its folder was made: what the ledger calls it. */
const char *store_identity(const struct store *);

/* The plan; *plan NULL if there is none yet. plan_free(). */
knack_status store_read_plan(struct store *, struct plan **);
/* Replaces the plan and brings the arms' table up to it; arms are known by name, and none is removed. Trials that are added from then on
 * are of the identities that the arms have in it. One transaction. */
knack_status store_write_plan(struct store *, const struct plan *);
/* All identities that arms have had, in the order in which they came. One block: memory_free(). */
knack_status store_read_identities(struct store *, struct stored_identity **, int64_t *count);
/* "running", "done", "interrupted", also where a dead process left "running"; and which comparison on its test set this is, by the
 * ledger. */
knack_status store_write_status(struct store *, const char *status, int64_t comparison_number);
knack_status store_read_status(struct store *, char status[32], int64_t *comparison_number);

/* One finished trial with all that it told, in one transaction. The same arm and seed twice, unless the first was set aside: KNACK_E_CALL
 * "duplicate replicate". */
knack_status store_add_trial(struct store *, int64_t arm, int64_t seed, const struct trial_outcome *);
/* Takes a trial that is done, and counts, over from another comparison, with all that it told. source: that one's folder. */
knack_status store_copy_trial(struct store *to, int64_t to_arm, struct store *from, int64_t from_arm, int64_t seed, const char *source);
/* Keeps the trial, but it no longer counts: nothing but store_read_aside() reads it, and the seed may get another. why: as stored_trial
 * says. No such trial: KNACK_E_CALL. */
knack_status store_set_aside(struct store *, int64_t arm, int64_t seed, const char *why);
/* All trials of the arm, or those that failed; *count: how many. */
knack_status store_set_aside_arm(struct store *, int64_t arm, const char *why, bool failed_only, int64_t *count);
/* All that count, of arms that the plan has, by seed, then arm. memory_free(). */
knack_status store_read_trials(struct store *, struct stored_trial **, int64_t *count);
knack_status store_read_aside(struct store *, struct stored_trial **, int64_t *count);      /* those that were set aside, likewise */
knack_status store_read_warnings(struct store *, struct stored_warning **, int64_t *count); /* by arm; memory_free() */
/* Numbers over time, and final ones, of the trial of an arm at one seed. memory_free(). */
knack_status store_read_metrics(struct store *, int64_t arm, int64_t seed, struct trial_metric **, int64_t *count);
/* correct [*count] or *correct NULL; loss [*count]; memory_free() both. */
knack_status store_read_examples(struct store *, int64_t arm, int64_t seed, uint8_t **correct, float **loss, int64_t *count);

knack_status store_add_measurement(struct store *, const struct stored_measurement *);
knack_status store_read_measurements(struct store *, struct stored_measurement **, int64_t *count); /* memory_free() */

/* Folders below a folder, and itself, that hold a comparison, four levels deep. memory_free() one block. */
knack_status store_list(const char *below, char ***folder, int64_t *count);

#endif
