/* Whole comparisons within this process, in a folder that goes when the tests are done, with a ledger of its own. */
#ifndef TESTS_COMPARE_WHOLE_H
#define TESTS_COMPARE_WHOLE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "compare/comparison.h"

/* cmocka's group set-up and tear-down. */
int whole_set_up(void **state);
int whole_tear_down(void **state);
const char *whole_path(const char *name); /* FOLDER/name; valid for a while */
/* A file of the folder, from text with ' for ". Returns its path. */
const char *whole_write(const char *name, const char *text, ...) __attribute__((format(printf, 2, 3)));
void whole_forget(void); /* the ledger, and every comparison */

/* A config of 200 digits that trains for a moment. */
const char *whole_config(void);

/* NULL, 0: as the program would have it without that option. */
struct asked {
    const char *config; /* NULL: whole_config() */
    const char *tricks, *design, *role, *on, *metric;
    const char *out; /* within the folder; NULL: "out" */
    int seeds, first_seed, jobs, confirm;
    bool adaptive, until_decided;
    bool equal_cost, converge, cache; /* not unless a test is about them: they train more, or less, by what the clock says or others did */
    const char *again, *project;
    bool retry_failed;
    double margin, failed_score, timeout;
    int64_t interrupt_after; /* trials that are there; 0: never; -1: at once */
};
/* Runs to the end, or fails the test with the message. */
void whole_run(const struct asked *);
knack_status whole_status(const struct asked *);
struct forecast;
knack_status whole_forecast(const struct asked *, int64_t pilot, struct forecast *); /* of a dry run; forecast_free() */
/* Asserts that it ends with this status and a message that has each of the parts, NULL-terminated. */
void whole_expect(const struct asked *, knack_status, ...);

/* All that the store holds of the trials, but times and memory: a line a trial. arm: of one only, or NULL. free(). */
char *whole_trials(const char *out, const char *arm);
int64_t whole_count(const char *out, const char *arm); /* of these */
bool whole_warned(const char *part);                   /* in the latest run */
bool whole_noted(const char *part);
const char *whole_waiting(void);                     /* what the latest run waits for; NULL: nothing */
struct store *whole_store(const char *out);          /* store_close() */
void whole_change(const char *out, const char *sql); /* what the store holds */
/* Analysis of what is there; analysis_free(). */
struct analysis *whole_analysis(const char *out);
const struct contrast_result *whole_contrast(const struct analysis *, const char *name);

#endif
