/* What an update costs in CPU time: every arm measured for a moment in a process of its own, one after the other with nothing else going
 * on, in rounds whose order turns around each time (ABBA), so that what drifts does not favour an arm. Whole trials cannot tell it: they
 * run beside each other. */
#ifndef COMPARE_PREFLIGHT_CALIBRATE_H
#define COMPARE_PREFLIGHT_CALIBRATE_H

#include "compare/preflight/data_sets.h"
#include "compare/preflight/watcher.h"
#include "compare/store/store.h"

enum { CALIBRATION_ROUNDS = 5 };

/* Measures what the store does not have yet, and stores it. An arm that cannot be measured has a measurement of 0 seconds, and is not tried
 * again: its trials will tell why. Fills in update_cost of the plan's arms where there is none yet. trials: how many are planned; jobs: how
 * many at once. */
knack_status calibrate(struct store *, struct plan *, struct data_sets *, int64_t trials, int64_t jobs, const struct watcher *);
/* CPU seconds of one update of the arm, geometric mean; NaN: not measured. */
knack_status calibration_read(struct store *, int64_t arm, double *seconds);

#endif
