#include "compare/statistics/two_level.h"

#include <math.h>

#include "compare/statistics/distributions.h"

enum { CHUNK = 64 };

struct grid {
    const double *x; /* [seeds, examples] */
    int64_t seeds, examples;
    double mean;
};

static double row_mean(const struct grid *grid, int64_t seed)
{
    double sum = 0;
    for (int64_t i = 0; i < grid->examples; i++) sum += grid->x[seed * grid->examples + i];
    return sum / (double)grid->examples;
}

static double column_mean(const struct grid *grid, int64_t example)
{
    double sum = 0;
    for (int64_t s = 0; s < grid->seeds; s++) sum += grid->x[s * grid->examples + example];
    return sum / (double)grid->seeds;
}

static double squares_of_rows(const struct grid *grid)
{
    double sum = 0;
    for (int64_t s = 0; s < grid->seeds; s++) sum += pow(row_mean(grid, s) - grid->mean, 2);
    return sum * (double)grid->examples;
}

static double squares_of_columns(const struct grid *grid)
{
    double sum = 0;
    for (int64_t i = 0; i < grid->examples; i++) sum += pow(column_mean(grid, i) - grid->mean, 2);
    return sum * (double)grid->seeds;
}

/* What neither seed nor example explains; some seeds at a time, so that nothing is allocated. */
static double squares_of_rest(const struct grid *grid)
{
    double sum = 0;
    for (int64_t first = 0; first < grid->seeds; first += CHUNK) {
        double shift[CHUNK];
        int64_t count = grid->seeds - first < CHUNK ? grid->seeds - first : CHUNK;
        for (int64_t s = 0; s < count; s++) shift[s] = row_mean(grid, first + s) - grid->mean;
        for (int64_t i = 0; i < grid->examples; i++) {
            double column = column_mean(grid, i);
            for (int64_t s = 0; s < count; s++) sum += pow(grid->x[(first + s) * grid->examples + i] - column - shift[s], 2);
        }
    }
    return sum;
}

/* Satterthwaite's degrees of freedom of the sum, not below those of the seeds. */
static void two_way_variance(struct two_way *r, double seeds, double examples)
{
    double a = r->ms_seed, b = r->ms_example, e = r->ms_rest, sum = a + b - e, cells = seeds * examples;
    r->df = seeds - 1;
    if (b > e) {
        double spread = a * a / (seeds - 1) + b * b / (examples - 1) + e * e / ((seeds - 1) * (examples - 1));
        r->df = fmax(sum * sum / spread, seeds - 1);
    }
    r->variance = fmax(sum, a) / cells;
    r->se = sqrt(r->variance);
    r->seed_variance = fmax(a - e, 0) / cells;
    r->example_variance = fmax(b - e, 0) / cells;
    r->rest_variance = e / cells;
}

static const struct two_way nothing = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, {NAN, NAN}, NAN, NAN, NAN};

struct two_way two_way(const double *difference, int64_t seeds, int64_t examples)
{
    struct two_way r = nothing;
    struct grid grid = {difference, seeds, examples, 0};
    if (seeds < 1 || examples < 1) return r;
    for (int64_t s = 0; s < seeds; s++) grid.mean += row_mean(&grid, s) / (double)seeds;
    if (!isfinite(grid.mean)) return r;
    r.mean = grid.mean;
    if (seeds < 2 || examples < 2) return r;
    r.ms_seed = squares_of_rows(&grid) / (double)(seeds - 1);
    r.ms_example = squares_of_columns(&grid) / (double)(examples - 1);
    r.ms_rest = squares_of_rest(&grid) / ((double)(seeds - 1) * (double)(examples - 1));
    two_way_variance(&r, (double)seeds, (double)examples);
    if (!isfinite(r.ms_seed) || !isfinite(r.ms_example) || !isfinite(r.ms_rest) || !isfinite(r.df)) return nothing;
    if (r.se > 0) {
        r.t = r.mean / r.se;
        r.p = t_two_sided(r.t, r.df);
    }
    double half = t_quantile(.975, r.df) * r.se;
    r.ci = (struct bounds){r.mean - half, r.mean + half};
    return r;
}

/* Bonett and Price (2012), with one more example in each discordant cell. */
static struct bounds difference_bounds(double b, double c, double examples)
{
    double only_second = (c + 1) / (examples + 2), only_first = (b + 1) / (examples + 2), middle = only_second - only_first;
    double half = normal_quantile(.975) * sqrt((only_second + only_first - middle * middle) / (examples + 2));
    return (struct bounds){fmax(middle - half, -1), fmin(middle + half, 1)};
}

struct mcnemar mcnemar(int64_t b, int64_t c, int64_t examples)
{
    struct mcnemar r = {1, 1, 0, 1, 0, 1, NAN, {NAN, NAN}};
    if (b < 0 || c < 0) return (struct mcnemar){NAN, NAN, NAN, NAN, NAN, NAN, NAN, {NAN, NAN}};
    int64_t least = b < c ? b : c, all = b + c;
    if (all > 0) {
        double below = binomial_cdf(least - 1, all, .5), up_to = binomial_cdf(least, all, .5);
        double gap = fabs((double)(c - b)), short_gap = fmax(gap - 1, 0);
        r.exact = fmin(2 * up_to, 1);
        r.mid = below + up_to;
        r.chi_squared = gap * gap / (double)all;
        r.corrected = short_gap * short_gap / (double)all;
        r.p = erfc(sqrt(r.chi_squared / 2));
        r.p_corrected = erfc(sqrt(r.corrected / 2));
    }
    if (examples >= all && examples > 0) {
        r.difference = (double)(c - b) / (double)examples;
        r.ci = difference_bounds((double)b, (double)c, (double)examples);
    }
    return r;
}
