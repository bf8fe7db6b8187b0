/* How an analysis is shown. */
#include "compare/analysis/analysis.h"

double analysis_shown(const struct analysis *analysis, double difference)
{
    return (analysis->plan->lower_is_better ? -1 : 1) * analysis->percent * difference;
}

struct interval analysis_shown_interval(const struct analysis *analysis, struct interval interval)
{
    double low = analysis_shown(analysis, interval.low), high = analysis_shown(analysis, interval.high);
    return analysis->plan->lower_is_better ? (struct interval){high, low} : (struct interval){low, high};
}

int64_t analysis_arm_contrast(const struct analysis *analysis, int64_t arm)
{
    for (int64_t c = 0; c < analysis->plan->contrasts; c++)
        if (analysis->plan->contrast[c].kind == CONTRAST_ARM && analysis->plan->contrast[c].arm == arm) return c;
    return -1;
}
