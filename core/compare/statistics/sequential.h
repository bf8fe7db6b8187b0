/* Stopping early: looks fixed in advance with t-calibrated Wang-Tsiatis boundaries, and an e-process for any time. */
#ifndef COMPARE_STATISTICS_SEQUENTIAL_H
#define COMPARE_STATISTICS_SEQUENTIAL_H

#include "compare/statistics/paired.h"

/* A schedule of looks that boundaries are known for: 6,10,15,20; 5,10,15,20; 4,8,12; 6,12. NULL: none. */
struct look_schedule;
const struct look_schedule *look_schedule_find(const int64_t *look, int64_t looks);
double look_boundary(const struct look_schedule *, int64_t index); /* |t| at which it rejects at 5 % */

struct look_state {
    double z, w, m; /* of the latest look; m is the largest z / w so far */
    double p;       /* sequential p, for Holm: G(m); above the table's range 1 (p > .2), below it the last entry's */
};
/* After look index (0, 1, ...) with the paired t p of its blocks. state: zeroed before the first. */
void look_advance(const struct look_schedule *, int64_t index, double paired_p, struct look_state *);
struct bounds look_interval(const struct look_schedule *, int64_t index, const struct paired *); /* repeated CI */
/* Non-binding futility: even the one-sided 95 % upper limit is below the margin. */
bool look_is_futile(const struct paired *, double margin);

double e_value(double t, int64_t n, double g);                           /* E_n, g = 1 by default; 1 below n 2 */
double e_boundary(int64_t n, double g, double alpha);                    /* T_n; inf where there is none yet */
struct bounds e_interval(const struct paired *, double g, double alpha); /* confidence sequence */

#endif
