/* The baseline at another cost, and who is worth it. */
#ifndef COMPARE_STATISTICS_EQUAL_COST_H
#define COMPARE_STATISTICS_EQUAL_COST_H

#include <stdint.h>

/* The baseline's value at `cost`, linear in ln(cost) between budgets (ascending, [count], the first is 1). NaN outside of them. */
double budget_value(const double *budget, const double *value, int64_t count, double cost);
/* Cost at which the baseline's means reach `target` (larger is better); inf if they do not, 1 if the first does. */
double budget_reaching(const double *budget, const double *mean, int64_t count, double target);

#endif
