#include "compare/statistics/power.h"

#include <math.h>

#include "compare/statistics/distributions.h"

enum { MOST_SEEDS_EXACT = 4096 };
static const double aimed_power = .8;

double power_paired(int64_t n, double effect, double alpha)
{
    if (n < 2 || isnan(effect) || !(alpha > 0 && alpha < 1)) return NAN;
    double df = (double)(n - 1), bound = -t_quantile(alpha / 2, df), delta = fabs(effect) * sqrt((double)n);
    return 1 - noncentral_t_cdf(bound, df, delta) + noncentral_t_cdf(-bound, df, delta);
}

double detectable_effect(int64_t n, double power, double alpha)
{
    if (n < 2 || !(alpha > 0 && alpha < 1) || !(power < 1)) return NAN;
    if (power <= alpha) return 0;
    double low = 0, high = 1;
    while (power_paired(n, high, alpha) < power && high < 1e6) low = high, high *= 2;
    while (high - low > 1e-10 * high) {
        double middle = (low + high) / 2;
        *(power_paired(n, middle, alpha) < power ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

int64_t seeds_needed(double effect, double sd, double df, double alpha)
{
    effect = fabs(effect);
    if (!(effect > 0) || !(sd >= 0) || !(df > 0) || isinf(sd) || !(alpha > 0 && alpha < 1)) return 0;
    double upper = isinf(df) ? sd : sd * sqrt(df / chi_squared_quantile(1 - aimed_power, df));
    double z = normal_quantile(1 - alpha / 2), normal = z + normal_quantile(aimed_power);
    double share = upper / effect, near = normal * normal * share * share + z * z / 2;
    if (!(near < MOST_SEEDS_EXACT)) return near < 1e15 ? (int64_t)ceil(near) : INT64_C(1000000000000000);
    int64_t n = near > 6 ? (int64_t)near - 3 : 3; /* the approximation is off by one at most from there on */
    while (power_paired(n, 1 / share, alpha) < aimed_power) n++;
    return n;
}

double failure_rate_bound(int64_t n)
{
    return n < 1 ? 1 : -expm1(log(.05) / (double)n);
}
