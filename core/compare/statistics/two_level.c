#include "compare/statistics/two_level.h"

#include <math.h>

#include "base/memory.h"
#include "compare/statistics/distributions.h"

knack_status two_way_begin(struct two_way_sums *sums, int64_t examples)
{
    *sums = (struct two_way_sums){.examples = examples, .column = memory_new((size_t)examples, sizeof(double))};
    return sums->column ? KNACK_OK : KNACK_E_MEMORY;
}

/* Welford's updates (1962): of the seeds' means, and by example of the rest. */
void two_way_add(struct two_way_sums *sums, const double *difference)
{
    double row = 0, count = (double)++sums->seeds;
    for (int64_t i = 0; i < sums->examples; i++) row += difference[i];
    row /= (double)sums->examples;
    for (int64_t i = 0; i < sums->examples; i++) {
        double apart = difference[i] - row - sums->column[i];
        sums->column[i] += apart / count;
        sums->rest += apart * apart * ((count - 1) / count);
    }
    double apart = row - sums->mean;
    sums->mean += apart / count;
    sums->rows += apart * apart * ((count - 1) / count);
}

/* Satterthwaite's degrees of freedom of the sum, not below those of the seeds. */
static void find_variance(struct two_way *r, double seeds, double examples)
{
    double a = r->ms_seed, b = r->ms_example, e = r->ms_rest, sum = a + b - e, cells = seeds * examples;
    r->df = r->seed_df = seeds - 1;
    if (b > e) {
        double spread = a * a / (seeds - 1) + b * b / (examples - 1) + e * e / ((seeds - 1) * (examples - 1));
        r->df = fmax(sum * sum / spread, seeds - 1);
    }
    r->variance = fmax(sum, a) / cells;
    r->se = sqrt(r->variance);
    r->seed_se = sqrt(a / cells);
    r->seed_variance = fmax(a - e, 0) / cells;
    r->example_variance = fmax(b - e, 0) / cells;
    r->rest_variance = e / cells;
}

static const struct two_way nothing = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};

static struct two_way two_way_of(const struct two_way_sums *sums)
{
    struct two_way r = nothing;
    double seeds = (double)sums->seeds, examples = (double)sums->examples, columns = 0;
    if (seeds < 1 || examples < 1 || !isfinite(sums->mean)) return r;
    r.mean = sums->mean;
    if (seeds < 2 || examples < 2) return r;
    for (int64_t i = 0; i < sums->examples; i++) columns += sums->column[i] * sums->column[i];
    r.ms_seed = examples * sums->rows / (seeds - 1);
    r.ms_example = seeds * columns / (examples - 1);
    r.ms_rest = sums->rest / ((seeds - 1) * (examples - 1));
    find_variance(&r, seeds, examples);
    if (!isfinite(r.ms_seed) || !isfinite(r.ms_example) || !isfinite(r.ms_rest) || !isfinite(r.df)) return nothing;
    if (r.se > 0) {
        r.t = r.mean / r.se;
        r.p = t_two_sided(r.t, r.df);
    }
    return r;
}

struct two_way two_way_end(struct two_way_sums *sums)
{
    struct two_way r = two_way_of(sums);
    memory_free(sums->column);
    sums->column = NULL;
    return r;
}

struct interval two_way_interval(const struct two_way *r, double bound)
{
    if (!(r->df > 0)) return (struct interval){NAN, NAN};
    double scale = t_quantile(.975, r->df) / t_quantile(.975, r->seed_df);
    double half = isinf(bound) ? bound : bound * fmax(scale * r->se, r->seed_se);
    return (struct interval){r->mean - half, r->mean + half};
}

double mcnemar_exact(int64_t b, int64_t c)
{
    if (b < 0 || c < 0) return NAN;
    return fmin(2 * binomial_cdf(b < c ? b : c, b + c, .5), 1);
}
