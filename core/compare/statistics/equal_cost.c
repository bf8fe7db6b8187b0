#include "compare/statistics/equal_cost.h"

#include <math.h>

double budget_value(const double *budget, const double *value, int64_t count, double cost)
{
    for (int64_t i = 0; i < count; i++) {
        if (cost == budget[i]) return value[i];
        if (i == 0 || cost < budget[i - 1] || !(cost < budget[i])) continue;
        double share = log(cost / budget[i - 1]) / log(budget[i] / budget[i - 1]);
        return value[i - 1] + share * (value[i] - value[i - 1]);
    }
    return NAN;
}

double budget_reaching(const double *budget, const double *mean, int64_t count, double target)
{
    for (int64_t i = 0; i < count; i++) {
        if (!(mean[i] >= target)) continue;
        if (i == 0 || !isfinite(mean[i - 1]) || !isfinite(mean[i])) return budget[i];
        double share = (target - mean[i - 1]) / (mean[i] - mean[i - 1]);
        return budget[i - 1] * pow(budget[i] / budget[i - 1], share);
    }
    return INFINITY;
}
