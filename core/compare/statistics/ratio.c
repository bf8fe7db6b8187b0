#include "compare/statistics/ratio.h"

#include <math.h>

#include "compare/statistics/distributions.h"

static const struct ratio no_ratio = {NAN, {NAN, NAN}};

struct ratio paired_ratio(const double *cost, const double *base, int64_t n)
{
    double mean = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!(cost[i] > 0 && base[i] > 0) || isinf(cost[i]) || isinf(base[i])) return no_ratio;
        mean += (log(cost[i]) - log(base[i])) / (double)n;
    }
    if (n < 1) return no_ratio;
    struct ratio ratio = {exp(mean), {NAN, NAN}};
    if (n < 2) return ratio;
    for (int64_t i = 0; i < n; i++) {
        double deviation = log(cost[i]) - log(base[i]) - mean;
        squares += deviation * deviation;
    }
    double df = (double)(n - 1), half = t_quantile(.975, df) * sqrt(squares / df / (double)n);
    ratio.ci = (struct interval){exp(mean - half), exp(mean + half)};
    return ratio;
}
