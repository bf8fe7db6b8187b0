#include "compare/statistics/distributions.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { MOST_TERMS = 100000, MOST_STEPS = 2200 }; /* a double's range is some 2,100 halvings */

/* Keeps a factor of Lentz's method from 0. */
static double nonzero(double x)
{
    return fabs(x) < DBL_MIN ? DBL_MIN : x;
}

/* The continued fraction of the incomplete beta function (DLMF 8.17.22), by the modified method of Lentz. */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / nonzero(1 - (a + b) * x / (a + 1)), value = d;
    for (int m = 1; m < MOST_TERMS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / nonzero(1 + even * d);
        c = nonzero(1 + even / c);
        value *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / nonzero(1 + odd * d);
        c = nonzero(1 + odd / c);
        value *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON) break;
    }
    return value;
}

/* I_x(a, b), with y = 1 - x given too: whichever of them is small keeps its digits. */
static double beta_of_parts(double a, double b, double x, double y)
{
    if (x <= 0) return 0;
    if (y <= 0) return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, y) / b;
}

double normal_cdf(double z)
{
    return erfc(-z * M_SQRT1_2) / 2;
}

/* From the lower tail's approximation by Hastings (Abramowitz and Stegun 26.2.23), polished by Halley's method. */
double normal_quantile(double p)
{
    if (!(p >= 0 && p <= 1)) return NAN;
    if (p > .5) return -normal_quantile(1 - p);
    if (p == 0) return -INFINITY;
    double s = sqrt(-2 * log(p));
    double z = (2.515517 + s * (.802853 + s * .010328)) / (1 + s * (1.432788 + s * (.189269 + s * .001308))) - s;
    for (int i = 0; i < 4; i++) {
        double density = exp(-z * z / 2) / sqrt(2 * M_PI);
        if (density < DBL_MIN) break;
        double step = (normal_cdf(z) - p) / density;
        z -= step / (1 + z * step / 2);
    }
    return z;
}

/* Where t^2 leaves a double's range: the leading term of the incomplete beta function, which is exact there. */
static double t_far_tail(double t, double df)
{
    if (isinf(t)) return 0;
    return exp(lgamma((df + 1) / 2) - lgamma(df / 2) - log(M_PI) / 2 - log(df / 2) + df * (log(df) / 2 - log(t)));
}

double t_two_sided(double t, double df)
{
    if (isnan(t) || !(df > 0)) return NAN;
    if (isinf(df)) return erfc(fabs(t) * M_SQRT1_2);
    double ratio = t / df * t;
    if (ratio > 1e300) return t_far_tail(fabs(t), df);
    return beta_of_parts(df / 2, .5, 1 / (1 + ratio), ratio / (1 + ratio));
}

double t_cdf(double t, double df)
{
    double tails = t_two_sided(t, df);
    return t > 0 ? 1 - tails / 2 : tails / 2;
}

static double t_density_twice(double t, double df)
{
    double logarithm = lgamma((df + 1) / 2) - lgamma(df / 2) - log(df * M_PI) / 2 - (df + 1) / 2 * log1p(t / df * t);
    return 2 * exp(logarithm);
}

/* A monotone function of one variable for given degrees of freedom. */
struct curve {
    double (*value)(double x, double df);
    double (*density)(double x, double df); /* the size of its slope */
    bool rising;
    double df;
};

static bool beyond(const struct curve *curve, double x, double target)
{
    double value = curve->value(x, curve->df);
    return curve->rising ? value >= target : value <= target;
}

/* x > 0 where the curve is at target: a bracket of one factor of 2 from `start` on, then Newton's method kept inside of it. */
static double solve(const struct curve *curve, double target, double start)
{
    double low = start, high = start;
    for (int i = 0; i < MOST_STEPS && !beyond(curve, high, target); i++) low = high, high *= 2;
    for (int i = 0; i < MOST_STEPS && low > 0 && beyond(curve, low, target); i++) high = low, low /= 2;
    if (isinf(high)) return high;
    double x = low + (high - low) / 2;
    for (int i = 0; i < MOST_STEPS; i++) {
        double error = curve->value(x, curve->df) - target;
        if (!curve->rising) error = -error;
        if (error >= 0) high = x;
        if (error <= 0) low = x;
        double next = x - error / curve->density(x, curve->df);
        if (!(next >= low && next <= high)) next = low + (high - low) / 2;
        bool settled = fabs(next - x) <= 8 * DBL_EPSILON * x; /* rounding keeps it from being exact */
        x = next;
        if (settled) break;
    }
    return x;
}

/* A simulation asks for few of them again and again: those of the thread's latest are kept. */
double t_quantile(double p, double df)
{
    static _Thread_local struct kept {
        double p, df, t;
    } all[256];
    if (!(p >= 0 && p <= 1) || !(df > 0)) return NAN;
    if (isinf(df)) return normal_quantile(p);
    if (p == .5) return 0;
    struct kept *kept = &all[(int)(fmin(df, 1e6) + 4001 * p) % 256];
    if (kept->p == p && kept->df == df) return kept->t;
    double tail = p < .5 ? p : 1 - p;
    struct curve curve = {.value = t_two_sided, .density = t_density_twice, .df = df};
    double t = tail > 0 ? solve(&curve, 2 * tail, 1) : INFINITY;
    *kept = (struct kept){p, df, p < .5 ? -t : t};
    return kept->t;
}

/* x^a e^-x / gamma(a) */
static double gamma_front(double a, double x)
{
    return exp(a * log(x) - x - lgamma(a));
}

/* Lower part of the incomplete gamma function by its series (DLMF 8.11.4), for x < a + 1. */
static double gamma_series(double a, double x)
{
    double term = 1 / a, sum = term;
    for (int n = 1; n < MOST_TERMS && term > sum * DBL_EPSILON / 4; n++) {
        term *= x / (a + n);
        sum += term;
    }
    return sum * gamma_front(a, x);
}

/* Upper part by its continued fraction (DLMF 8.9.2, even part), by the modified method of Lentz, for x >= a + 1. */
static double gamma_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1 / DBL_MIN, d = 1 / nonzero(b), value = d;
    for (int n = 1; n < MOST_TERMS; n++) {
        double factor = -n * (n - a);
        b += 2;
        d = 1 / nonzero(b + factor * d);
        c = nonzero(b + factor / c);
        value *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON) break;
    }
    return value * gamma_front(a, x);
}

static double chi_squared_lower(double x, double df)
{
    if (x <= 0) return 0;
    return x < df + 2 ? gamma_series(df / 2, x / 2) : 1 - gamma_fraction(df / 2, x / 2);
}

static double chi_squared_upper(double x, double df)
{
    if (x <= 0) return 1;
    return x < df + 2 ? 1 - gamma_series(df / 2, x / 2) : gamma_fraction(df / 2, x / 2);
}

static double chi_squared_density(double x, double df)
{
    return gamma_front(df / 2, x / 2) / x;
}

double chi_squared_quantile(double p, double df)
{
    if (!(p >= 0 && p <= 1) || !(df > 0)) return NAN;
    if (p == 0) return 0;
    if (p == 1 || isinf(df)) return INFINITY;
    bool lower = p < .5;
    struct curve curve = {lower ? chi_squared_lower : chi_squared_upper, chi_squared_density, lower, df};
    return solve(&curve, lower ? p : 1 - p, df);
}

/* A mixture of central distributions (Guenther 1978; Lenth 1989, AS 243): Poisson weights around their largest, so that a large delta
 * does not underflow. t >= 0. */
static double noncentral_mixture(double t, double df, double delta)
{
    double mean = delta * delta / 2, sum = 0;
    double ratio = t / df * t, x = isinf(ratio) ? 1 : ratio / (1 + ratio), y = 1 / (1 + ratio);
    double spread = 9 * sqrt(mean) + 30;
    for (double j = fmax(floor(mean - spread), 0); j <= mean + spread; j++) {
        double even = exp(j * log(mean) - mean - lgamma(j + 1));
        double odd = delta * M_SQRT1_2 * exp(j * log(mean) - mean - lgamma(j + 1.5));
        sum += even * beta_of_parts(j + .5, df / 2, x, y) + odd * beta_of_parts(j + 1, df / 2, x, y);
    }
    return normal_cdf(-delta) + sum / 2;
}

double noncentral_t_cdf(double t, double df, double delta)
{
    if (isnan(t) || isnan(delta) || !(df > 0)) return NAN;
    if (isinf(delta)) return delta < 0;
    if (isinf(df)) return normal_cdf(t - delta);
    if (delta == 0 || delta * delta < DBL_MIN) return t_cdf(t, df);
    double value = t < 0 ? 1 - noncentral_mixture(-t, df, -delta) : noncentral_mixture(t, df, delta);
    return fmin(fmax(value, 0), 1);
}

double binomial_cdf(int64_t k, int64_t n, double p)
{
    if (n < 0 || !(p >= 0 && p <= 1)) return NAN;
    if (k < 0) return 0;
    if (k >= n) return 1;
    return beta_of_parts((double)(n - k), (double)k + 1, 1 - p, p);
}
