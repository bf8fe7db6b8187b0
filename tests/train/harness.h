/* Runs in this process, from configs given as text, in a folder that is removed afterwards. */
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

/* Opens a run of the config, into a fresh folder; fails the test with the message if it cannot. */
struct run *harness_open(const char *config);
struct run *harness_open_model(const char *config, const struct knack_model_type *, void *user);
/* The status of opening; the message is knack_error()'s. */
knack_status harness_refused(const char *config);
/* Trains it. */
void harness_train(struct run *);
knack_status harness_train_status(struct run *);
void harness_close(struct run *); /* and removes its folder */

/* The gradient of the first batch as the loop computes it (pre_step to post_backward), without an update: [params.total], the run's. */
const knack_real *harness_gradient(struct run *);
/* Largest |a - b|, over the L2 norm of b. */
double harness_distance(const knack_real *a, const knack_real *b, int64_t count);

const char *harness_note(void); /* latest warning of the latest run, or "" */

#endif
