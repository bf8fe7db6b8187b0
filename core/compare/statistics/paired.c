#include "compare/statistics/paired.h"

#include <math.h>

#include "compare/statistics/distributions.h"

static const struct interval no_interval = {NAN, NAN};

static bool all_finite(const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

/* Equal values have exactly this mean and no deviation, whatever the rounding of a sum. */
static bool all_equal(const double *x, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (x[i] != x[0]) return false;
    return true;
}

static double mean_of(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    return all_equal(x, n) && n > 0 ? x[0] : sum / (double)n;
}

/* Sum of products of deviations from the means. */
static double products(const double *a, const double *b, int64_t n)
{
    double mean_a = mean_of(a, n), mean_b = mean_of(b, n), sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (a[i] - mean_a) * (b[i] - mean_b);
    return sum;
}

/* se = sqrt(share) sd */
static struct paired paired_test(const double *x, int64_t n, double share)
{
    struct paired r = {.n = n, .mean = NAN, .sd = NAN, .se = NAN, .df = NAN, .t = NAN, .p = NAN, .ci = no_interval};
    if (n < 1 || !all_finite(x, n)) return r;
    r.mean = mean_of(x, n);
    if (n < 2 || !(share > 0)) return r;
    r.df = (double)(n - 1);
    r.sd = sqrt(products(x, x, n) / r.df);
    r.se = sqrt(share) * r.sd;
    if (!isfinite(r.mean) || !isfinite(r.se))
        return (struct paired){.n = n, .mean = NAN, .sd = NAN, .se = NAN, .df = NAN, .t = NAN, .p = NAN, .ci = no_interval};
    if (r.se > 0) {
        r.t = r.mean / r.se;
        r.p = t_two_sided(r.t, r.df);
    }
    r.ci = paired_interval(&r, .95);
    return r;
}

struct paired paired_t(const double *difference, int64_t n)
{
    return paired_test(difference, n, 1 / (double)n);
}

struct paired paired_resplit(const double *difference, int64_t n, double test_over_train)
{
    return paired_test(difference, n, test_over_train >= 0 ? 1 / (double)n + test_over_train : NAN);
}

struct paired paired_subset(const double *difference, int64_t n, double share)
{
    return paired_resplit(difference, n, share < 1 ? share / (1 - share) : NAN);
}

static struct interval around(double middle, double half)
{
    return (struct interval){middle - half, middle + half};
}

struct interval paired_interval(const struct paired *paired, double confidence)
{
    if (!(paired->df > 0)) return no_interval;
    return around(paired->mean, -t_quantile((1 - confidence) / 2, paired->df) * paired->se);
}

struct interval paired_next(const struct paired *paired)
{
    if (!(paired->df > 0)) return no_interval;
    return around(paired->mean, t_quantile(.975, paired->df) * paired->sd * sqrt(1 + 1 / (double)paired->n));
}

double wins(const double *difference, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(difference[i])) return NAN;
        sum += difference[i] > 0 ? 1 : difference[i] < 0 ? 0 : .5;
    }
    return sum;
}

struct interval wilson(double successes, double n)
{
    if (!(n > 0 && successes >= 0 && successes <= n) || isinf(n)) return no_interval;
    double z = normal_quantile(.975), z2 = z * z;
    double middle = (successes + z2 / 2) / (n + z2);
    double half = z / (n + z2) * sqrt(successes * (n - successes) / n + z2 / 4);
    return (struct interval){successes > 0 ? fmax(middle - half, 0) : 0, successes < n ? fmin(middle + half, 1) : 1};
}

double correlation(const double *a, const double *b, int64_t n)
{
    if (n < 2 || all_equal(a, n) || all_equal(b, n)) return NAN;
    double r = products(a, b, n) / (sqrt(products(a, a, n)) * sqrt(products(b, b, n)));
    return isfinite(r) ? fmin(fmax(r, -1), 1) : NAN;
}

double variance_reduction(const double *a, const double *b, int64_t n)
{
    if (n < 2 || !all_finite(a, n) || !all_finite(b, n)) return NAN;
    double mean = 0, sum = 0;
    bool constant = true;
    for (int64_t i = 0; i < n; i++) {
        mean += (b[i] - a[i]) / (double)n;
        constant = constant && b[i] - a[i] == b[0] - a[0];
    }
    if (constant) return INFINITY;
    for (int64_t i = 0; i < n; i++) sum += (b[i] - a[i] - mean) * (b[i] - a[i] - mean);
    return (products(a, a, n) + products(b, b, n)) / sum;
}

/* The value of rank `rank` (0: the least). Quadratic: replicates are few, and nothing is allocated. */
static double ranked(const double *x, int64_t n, int64_t rank)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t below = 0, same = 0;
        for (int64_t j = 0; j < n; j++) {
            below += x[j] < x[i];
            same += x[j] == x[i];
        }
        if (below <= rank && rank < below + same) return x[i];
    }
    return NAN;
}

/* Linear between order statistics. */
static double quantile(const double *x, int64_t n, double share)
{
    double place = share * (double)(n - 1), whole = floor(place);
    double low = ranked(x, n, (int64_t)whole);
    return place > whole ? low + (place - whole) * (ranked(x, n, (int64_t)whole + 1) - low) : low;
}

int64_t tukey_outliers(const double *x, int64_t n)
{
    if (n < 5 || !all_finite(x, n)) return 0;
    double low = quantile(x, n, .25), high = quantile(x, n, .75), reach = 1.5 * (high - low);
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += x[i] < low - reach || x[i] > high + reach;
    return count;
}
