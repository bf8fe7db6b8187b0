/* Stopping early: looks fixed in advance with t-calibrated Wang-Tsiatis boundaries, and an e-process for any time. Reading without a plan:
 * what it costs. */
#ifndef COMPARE_STATISTICS_SEQUENTIAL_H
#define COMPARE_STATISTICS_SEQUENTIAL_H

#include "base/status.h"
#include "compare/statistics/paired.h"

enum { LOOKS_MOST = 8, LOOK_LEVELS = 10 };

/* Numbers of seeds at which results are read, and the boundaries of the largest z / w over all looks at ten levels from .2 to .001. */
struct look_schedule {
    int64_t looks, look[LOOKS_MOST];
    double bound[LOOK_LEVELS];
};
/* Finds the boundaries: from a table for 6,10,15,20 and 4,8,12, else from two million simulated paths, always the same, which takes a
 * second or two; keep them. KNACK_E_USAGE with words unless looks ascend from 3 seeds on, 1 to LOOKS_MOST of them. */
knack_status look_schedule_make(const int64_t *look, int64_t looks, struct look_schedule *);
/* From what was kept. looks is LOOKS_MOST at most. */
struct look_schedule look_schedule_of(const int64_t *look, int64_t looks, const double bound[LOOK_LEVELS]);
/* |t| at which look `index` rejects at a two-sided level from .001 to .2: .05, or .1 for a one-sided 95 % limit. NaN for others. */
double look_boundary(const struct look_schedule *, int64_t index, double level);

struct look_state {
    double z, w, m; /* of the latest look; m is the largest z / w so far */
    double p;       /* sequential p, for Holm: G(m); above the table's range 1 (p > .2), below it the last entry's */
};
/* After look index (0, 1, ...) with the paired t p of its blocks. state: zeroed before the first. */
void look_advance(const struct look_schedule *, int64_t index, double paired_p, struct look_state *);
struct interval look_interval(const struct look_schedule *, int64_t index, const struct paired *); /* repeated CI, 95 % */
/* Non-binding futility: even the one-sided 95 % upper limit is below the margin. */
bool look_is_futile(const struct paired *, double margin);

/* The chance, without any effect, that at least one of plain paired t tests at n[0] < n[1] < ... seeds reads p < .05. Simulated, always the
 * same; within .002. 0 without looks; those below 2 seeds test nothing. NaN without memory. */
double looks_chance(const int64_t *n, int64_t looks);

double e_value(double t, int64_t n, double g);                             /* E_n, g = 1 by default; 1 below n 2 */
double e_boundary(int64_t n, double g, double alpha);                      /* T_n; inf where there is none yet */
struct interval e_interval(const struct paired *, double g, double alpha); /* confidence sequence */

#endif
