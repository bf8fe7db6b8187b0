/* Runs within this process, from configs given as text, in a folder that goes when the tests are done. */
#ifndef TRAIN_HARNESS_H
#define TRAIN_HARNESS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "train/state.h"

#ifdef KNACK_REAL_DOUBLE
enum { IS_DOUBLE = 1 };
#else
enum { IS_DOUBLE = 0 };
#endif

/* cmocka's group set-up and tear-down: makes the folder, and removes all of it. */
int harness_set_up(void **state);
int harness_tear_down(void **state);

/* Opens a run of the config, a format with ' for "; relative paths in it start from the folder. Fails the test with the message if it
 * cannot. One run at a time; results go to the folder's "out". */
struct run *harness_open(const char *config, ...) __attribute__((format(printf, 1, 2)));
struct run *harness_open_model(const struct knack_model_type *, void *user, const char *config, ...) __attribute__((format(printf, 3, 4)));
/* Opens, and trains if that went well: the status; the message is knack_error()'s. */
knack_status harness_status(const char *config, ...) __attribute__((format(printf, 1, 2)));
/* The same, while the nth allocation and all after it fail. */
knack_status harness_status_without_memory(int64_t nth, const char *config, ...) __attribute__((format(printf, 2, 3)));
struct run *harness_resume(void); /* what is in "out" */
void harness_train(struct run *);
void harness_close(struct run *); /* what it wrote stays until the next run is opened */
/* Asserts that this status with a message that has each of the parts, NULL-terminated, is what happened. */
void harness_expect(knack_status status, knack_status expected, ...);

/* The gradient of the first batch as the loop computes it (pre_step to post_backward), without an update: [params.total], the run's. */
const knack_real *harness_gradient(struct run *);
double harness_distance(const knack_real *a, const knack_real *b, int64_t count); /* |a - b| / |b| in L2 */

/* Ends the runs that follow before their nth step (0 is the first); -1: no more. */
void harness_interrupt_at(int64_t step);
bool harness_warned(const char *part);      /* whether the latest run had a warning with this in it */
int64_t harness_evaluations(void);          /* of the latest run */
const char *harness_path(const char *name); /* FOLDER/name; valid until the next call */
/* A file of the folder, [*size] bytes and a 0; memory_free(). */
char *harness_read(const char *name, size_t *size);
char *harness_checkpoint(size_t *size); /* the newest one of "out", likewise */
bool harness_has(const char *name, const char *part);
/* What has to be the same, bit by bit, however a run came about: out/model.safetensors, the newest checkpoint, out/metrics.jsonl. */
enum { HARNESS_FILES = 3 };
struct harness_files {
    char *bytes[HARNESS_FILES];
    size_t size[HARNESS_FILES];
};
struct harness_files harness_files(void);
void harness_files_free(struct harness_files *);
/* Compares those of "out"; what: named if they differ. */
void harness_assert_files(const struct harness_files *, const char *what);
/* FOLDER/name.npy, [rows, columns]. */
void harness_put_npy(const char *name, int64_t rows, int64_t columns, const double *values);
/* FOLDER/name.idx, of sizes [axes]. */
void harness_put_idx(const char *name, int axes, const uint8_t *sizes, const uint8_t *values);
/* tokens.idx, ids below 32 of which 0 is padding, some of it within rows; and classes.idx, of three classes. */
enum { HARNESS_TEXTS = 180, HARNESS_LENGTH = 11 };
void harness_put_tokens(void);
#define HARNESS_TOKENS "'idx': {'inputs': 'tokens.idx', 'targets': 'classes.idx'}, 'divide': 1"

#endif
