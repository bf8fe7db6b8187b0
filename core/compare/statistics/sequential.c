#include "compare/statistics/sequential.h"

#include <math.h>

#include "compare/statistics/distributions.h"

enum { MOST_LOOKS = 4, LEVELS = 10, LEVEL_OF_TEST = 2 };

/* The law of the largest z / w over all looks without an effect, from 4 to 8 million simulated paths of paired t tests, with the
 * weights w = (n / n of the last look)^(-1/4) of Wang and Tsiatis (1987). */
static const double levels[LEVELS] = {.2, .1, .05, .025, .0167, .0125, .01, .005, .0025, .001};
struct look_schedule {
    int64_t looks, look[MOST_LOOKS];
    double bound[LEVELS];
};
static const struct look_schedule schedules[] = {
    {4, {6, 10, 15, 20}, {1.541, 1.860, 2.141, 2.395, 2.533, 2.629, 2.701, 2.914, 3.115, 3.370}},
    {4, {5, 10, 15, 20}, {1.538, 1.856, 2.136, 2.390, 2.529, 2.625, 2.698, 2.912, 3.113, 3.370}},
    {3, {4, 8, 12}, {1.507, 1.828, 2.110, 2.365, 2.505, 2.601, 2.673, 2.889, 3.091, 3.341}},
    {2, {6, 12}, {1.432, 1.765, 2.056, 2.316, 2.458, 2.555, 2.629, 2.847, 3.052, 3.309}},
};

static bool is_schedule(const struct look_schedule *schedule, const int64_t *look, int64_t looks)
{
    if (schedule->looks != looks) return false;
    for (int64_t i = 0; i < looks; i++)
        if (schedule->look[i] != look[i]) return false;
    return true;
}

const struct look_schedule *look_schedule_find(const int64_t *look, int64_t looks)
{
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++)
        if (is_schedule(&schedules[i], look, looks)) return &schedules[i];
    return NULL;
}

static double weight_of(const struct look_schedule *schedule, int64_t index)
{
    return pow((double)schedule->look[index] / (double)schedule->look[schedule->looks - 1], -.25);
}

double look_boundary(const struct look_schedule *schedule, int64_t index)
{
    if (index < 0 || index >= schedule->looks) return NAN;
    double tail = normal_cdf(-schedule->bound[LEVEL_OF_TEST] * weight_of(schedule, index));
    return -t_quantile(tail, (double)(schedule->look[index] - 1));
}

/* ln alpha is linear in the boundary between the table's entries. */
static double level_of(const double bound[LEVELS], double m)
{
    if (m < bound[0]) return 1;
    for (int i = 1; i < LEVELS; i++) {
        if (m > bound[i]) continue;
        double share = (m - bound[i - 1]) / (bound[i] - bound[i - 1]);
        return levels[i - 1] * pow(levels[i] / levels[i - 1], share);
    }
    return levels[LEVELS - 1];
}

void look_advance(const struct look_schedule *schedule, int64_t index, double paired_p, struct look_state *state)
{
    if (index < 0 || index >= schedule->looks) return;
    state->z = isnan(paired_p) ? 0 : fmax(-normal_quantile(paired_p / 2), 0);
    state->w = weight_of(schedule, index);
    state->m = fmax(state->m, state->z / state->w);
    state->p = level_of(schedule->bound, state->m);
}

static struct bounds around(const struct paired *paired, double bound)
{
    double half = bound * paired->se;
    if (isinf(bound) && !isnan(paired->se)) half = INFINITY;
    return (struct bounds){paired->mean - half, paired->mean + half};
}

struct bounds look_interval(const struct look_schedule *schedule, int64_t index, const struct paired *paired)
{
    return around(paired, look_boundary(schedule, index));
}

bool look_is_futile(const struct paired *paired, double margin)
{
    return paired->df > 0 && paired->mean + t_quantile(.95, paired->df) * paired->se < margin;
}

/* Mixture of Gaussian effects with variance g sd^2, and the right Haar measure for sd: the Bayes factor of a t test is then an
 * e-process at any sample size (Wang and Ramdas 2023, arXiv:2310.03722). */
double e_value(double t, int64_t n, double g)
{
    if (n < 2 || isnan(t) || !(g > 0)) return 1;
    double df = (double)(n - 1), c = 1 + (double)n * g, ratio = t / df * t;
    double gain = isinf(ratio) ? log(c) : log1p(ratio) - log1p(ratio / c);
    return exp((double)n / 2 * gain - log(c) / 2);
}

double e_boundary(int64_t n, double g, double alpha)
{
    if (n < 2 || !(g > 0) || !(alpha > 0)) return INFINITY;
    double df = (double)(n - 1), c = 1 + (double)n * g, k = pow(sqrt(c) / alpha, 2 / (double)n);
    return k < c ? sqrt(df * c * (k - 1) / (c - k)) : INFINITY;
}

struct bounds e_interval(const struct paired *paired, double g, double alpha)
{
    return around(paired, e_boundary(paired->n, g, alpha));
}
