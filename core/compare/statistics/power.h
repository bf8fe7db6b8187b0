/* Power of the paired t test by the noncentral t, and what to tell before and after. */
#ifndef COMPARE_STATISTICS_POWER_H
#define COMPARE_STATISTICS_POWER_H

#include <stdint.h>

double power_paired(int64_t n, double effect, double alpha);     /* effect in standard deviations of the difference */
double detectable_effect(int64_t n, double power, double alpha); /* in standard deviations: k_n; NaN below 2 */
/* Seeds that detect `effect` with 80 % at level alpha (of one of m tests under Holm: .05 / m), with the deviation's own 80 % upper limit in
 * place of sd: never from the observed effect. df infinite: sd is known. 3 at least; 0 where an argument makes no sense. */
int64_t seeds_needed(double effect, double sd, double df, double alpha);
double failure_rate_bound(int64_t n); /* still possible at 95 % after n trials without one: 1 - .05^(1/n); 1 for n 0 */

#endif
