/* How an analysis is shown. */
#include "compare/analysis/analysis.h"

#include <string.h>

bool analysis_has_inference(const struct analysis *analysis)
{
    return analysis->finished || analysis->plan->stopping != STOP_FIXED || strcmp(analysis->status, "waiting") == 0;
}

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

int64_t analysis_last_seed(const struct analysis *analysis)
{
    const struct plan *plan = analysis->plan;
    int64_t last = plan->first_seed;
    if (plan->stopping == STOP_FIXED && plan->design != DESIGN_SCREEN) return plan->first_seed + plan->seeds - 1;
    for (int64_t a = 0; a < plan->arms; a++) {
        const struct arm_result *arm = &analysis->arm[a];
        if (arm->n > 0 && arm->seed[arm->n - 1] > last) last = arm->seed[arm->n - 1];
    }
    return last;
}

const char *analysis_p(const struct analysis *analysis, char buffer[NUMBER_SIZE], double p)
{
    if (analysis->plan->stopping == STOP_LOOKS && p >= 1) return strcpy(buffer, ">0.2");
    return number_p(buffer, p);
}
