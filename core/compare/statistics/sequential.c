#include "compare/statistics/sequential.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "compare/statistics/distributions.h"
#include "compare/statistics/paths.h"

enum { PATHS = 2000000, CHANCE_PATHS = 1 << 17, GRID = 4096, BINS = 8192 };

/* The law of the largest z / w over all looks without an effect, with the weights w = (n / n of the last look)^(-1/4) of Wang and Tsiatis
 * (1987); the two tables are of 4 to 8 million simulated paths of paired t tests. */
static const double levels[LOOK_LEVELS] = {.2, .1, .05, .025, .0167, .0125, .01, .005, .0025, .001};
static const struct look_schedule known[] = {
    {4, {6, 10, 15, 20}, {1.541, 1.860, 2.141, 2.395, 2.533, 2.629, 2.701, 2.914, 3.115, 3.370}},
    {3, {4, 8, 12}, {1.507, 1.828, 2.110, 2.365, 2.505, 2.601, 2.673, 2.889, 3.091, 3.341}},
};

static double weight_of(const struct look_schedule *schedule, int64_t index)
{
    return pow((double)schedule->look[index] / (double)schedule->look[schedule->looks - 1], -.25);
}

/* ---- Boundaries by simulation ---- */

static const double most_square = 32; /* of z / w: 5.7 is beyond all levels */

/* (z / w)^2 of a look as a function of ln(1 + t^2 / df), of which it is nearly linear. */
struct transform {
    double step, square[GRID + 1];
};

static void make_transform(const struct look_schedule *schedule, int64_t index, struct transform *transform)
{
    double df = (double)(schedule->look[index] - 1), w = weight_of(schedule, index);
    double t = t_quantile(normal_cdf(-sqrt(most_square) * w), df);
    transform->step = log1p(t / df * t) / GRID;
    for (int i = 0; i <= GRID; i++) {
        double z = normal_quantile(t_two_sided(sqrt(df * expm1(i * transform->step)), df) / 2) / w;
        transform->square[i] = z * z;
    }
}

static int bin_of(const struct transform *transform, double logarithm)
{
    double place = logarithm / transform->step;
    if (!(place < GRID)) return BINS - 1;
    int i = (int)place;
    double square = transform->square[i] + (place - i) * (transform->square[i + 1] - transform->square[i]);
    int bin = (int)(square / most_square * BINS);
    return bin < BINS ? bin : BINS - 1;
}

/* count [BINS]: paths whose largest (z / w)^2 lies in a bin, less those whose last look's does. */
static void count_paths(const struct look_schedule *schedule, const struct transform *transform, int64_t *count)
{
    uint64_t key = random_key(0, "looks");
    for (uint32_t number = 0; number < PATHS; number++) {
        struct path path = path_start(key, number);
        int last = 0, most = 0;
        for (int64_t k = 0; k < schedule->looks; k++) {
            path_grow(&path, schedule->look[k]);
            last = bin_of(&transform[k], path_log(&path));
            if (last > most) most = last;
        }
        count[most]++;
        count[last]--;
    }
}

/* The last look, of weight 1, is beyond c in exactly 2 Phi(-c); what is counted is only how much more often an earlier one is. */
static void find_bounds(struct look_schedule *schedule, const int64_t *count)
{
    double above = 0, tail_above = 0, c_above = sqrt(most_square);
    for (int bin = BINS - 1, level = LOOK_LEVELS - 1; bin >= 0 && level >= 0; bin--) {
        above += (double)count[bin] / PATHS;
        double c = sqrt(most_square * bin / BINS), tail = above + 2 * normal_cdf(-c);
        for (; level >= 0 && tail >= levels[level]; level--)
            schedule->bound[level] = c + (tail - levels[level]) / (tail - tail_above) * (c_above - c);
        tail_above = tail;
        c_above = c;
    }
}

static knack_status simulate(struct look_schedule *schedule)
{
    struct transform *transform = memory_new((size_t)schedule->looks, sizeof *transform);
    int64_t *count = memory_new(BINS, sizeof *count);
    for (int64_t k = 0; transform && count && k < schedule->looks; k++) make_transform(schedule, k, &transform[k]);
    if (transform && count) {
        count_paths(schedule, transform, count);
        find_bounds(schedule, count);
    }
    knack_status status = transform && count ? KNACK_OK : KNACK_E_MEMORY;
    memory_free(transform);
    memory_free(count);
    return status;
}

/* ---- Looks ---- */

static knack_status check_looks(const int64_t *look, int64_t looks)
{
    if (looks < 1 || looks > LOOKS_MOST)
        return status_set(KNACK_E_USAGE, "%lld looks: a schedule has 1 to %d", (long long)looks, LOOKS_MOST);
    if (look[0] < 3) return status_set(KNACK_E_USAGE, "a look at %lld seeds: the first is at 3 or more", (long long)look[0]);
    for (int64_t k = 1; k < looks; k++)
        if (look[k] <= look[k - 1])
            return status_set(KNACK_E_USAGE, "a look at %lld seeds after one at %lld: looks ascend", (long long)look[k],
                              (long long)look[k - 1]);
    return KNACK_OK;
}

knack_status look_schedule_make(const int64_t *look, int64_t looks, struct look_schedule *schedule)
{
    TRY(check_looks(look, looks));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].looks == looks && memcmp(known[i].look, look, (size_t)looks * sizeof *look) == 0) {
            *schedule = known[i];
            return KNACK_OK;
        }
    *schedule = look_schedule_of(look, looks, known[0].bound);
    return simulate(schedule);
}

struct look_schedule look_schedule_of(const int64_t *look, int64_t looks, const double bound[LOOK_LEVELS])
{
    struct look_schedule schedule = {.looks = looks};
    memcpy(schedule.look, look, (size_t)looks * sizeof *look);
    memcpy(schedule.bound, bound, sizeof schedule.bound);
    return schedule;
}

/* The boundary is linear in ln alpha between the table's entries. */
double look_boundary(const struct look_schedule *schedule, int64_t index, double level)
{
    if (index < 0 || index >= schedule->looks || !(level <= levels[0] && level >= levels[LOOK_LEVELS - 1])) return NAN;
    int i = 1;
    while (level < levels[i]) i++;
    double share = log(level / levels[i - 1]) / log(levels[i] / levels[i - 1]);
    double c = schedule->bound[i - 1] + share * (schedule->bound[i] - schedule->bound[i - 1]);
    return -t_quantile(normal_cdf(-c * weight_of(schedule, index)), (double)(schedule->look[index] - 1));
}

static double level_of(const double bound[LOOK_LEVELS], double m)
{
    if (m < bound[0]) return 1;
    for (int i = 1; i < LOOK_LEVELS; i++) {
        if (m > bound[i]) continue;
        double share = (m - bound[i - 1]) / (bound[i] - bound[i - 1]);
        return levels[i - 1] * pow(levels[i] / levels[i - 1], share);
    }
    return levels[LOOK_LEVELS - 1];
}

void look_advance(const struct look_schedule *schedule, int64_t index, double paired_p, struct look_state *state)
{
    if (index < 0 || index >= schedule->looks) return;
    state->z = isnan(paired_p) ? 0 : fmax(-normal_quantile(paired_p / 2), 0);
    state->w = weight_of(schedule, index);
    state->m = fmax(state->m, state->z / state->w);
    state->p = level_of(schedule->bound, state->m);
}

static struct interval around(const struct paired *paired, double bound)
{
    double half = bound * paired->se;
    if (isinf(bound) && !isnan(paired->se)) half = INFINITY;
    return (struct interval){paired->mean - half, paired->mean + half};
}

struct interval look_interval(const struct look_schedule *schedule, int64_t index, const struct paired *paired)
{
    return around(paired, look_boundary(schedule, index, .05));
}

bool look_is_futile(const struct paired *paired, double margin)
{
    return paired_interval(paired, .9).high < margin;
}

/* ---- Reading without a plan ---- */

/* How many of the tests reject. bound [looks] */
static int64_t count_rejected(struct path path, const int64_t *n, int64_t looks, const double *bound)
{
    int64_t count = 0;
    for (int64_t k = 0; k < looks; k++) {
        path_grow(&path, n[k]);
        count += path_log(&path) > bound[k];
    }
    return count;
}

/* The mean number of tests that reject is known; by as much as the simulated one misses it, the share with any is set right (a control
 * variate). */
double looks_chance(const int64_t *n, int64_t looks)
{
    for (; looks > 0 && n[0] < 2; looks--) n++;
    double *bound = memory_new((size_t)looks, sizeof *bound);
    if (!bound) return NAN;
    for (int64_t k = 0; k < looks; k++) {
        double df = (double)(n[k] - 1), t = t_quantile(.975, df);
        bound[k] = log1p(t / df * t);
    }
    uint64_t key = random_key(0, "reading");
    double any = 0, mean = 0, square = 0;
    for (uint32_t number = 0; looks > 0 && number < CHANCE_PATHS; number++) {
        double rejected = (double)count_rejected(path_start(key, number), n, looks, bound);
        any += (rejected > 0) / (double)CHANCE_PATHS;
        mean += rejected / CHANCE_PATHS;
        square += rejected * rejected / CHANCE_PATHS;
    }
    memory_free(bound);
    return looks > 0 ? any - mean * (1 - any) / (square - mean * mean) * (mean - .05 * (double)looks) : 0;
}

/* ---- At any time ---- */

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

struct interval e_interval(const struct paired *paired, double g, double alpha)
{
    return around(paired, e_boundary(paired->n, g, alpha));
}
