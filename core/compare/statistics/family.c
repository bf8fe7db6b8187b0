#include "compare/statistics/family.h"

#include <math.h>
#include <stdbool.h>

/* Whether test j comes before test i by its p; of equal ones the first. */
static bool before(const double *p, int64_t j, int64_t i)
{
    return p[j] < p[i] || (p[j] == p[i] && j < i);
}

static int64_t rank_of(const double *p, int64_t count, int64_t i)
{
    int64_t rank = 0;
    for (int64_t j = 0; j < count; j++) rank += before(p, j, i);
    return rank;
}

static double family_size(const double *p, int64_t count, int64_t of)
{
    int64_t tests = 0;
    for (int64_t i = 0; i < count; i++) tests += !isnan(p[i]);
    return (double)(of > tests ? of : tests);
}

/* Both: each test's own bound first, then what its neighbours impose. A bound that is already corrected imposes the same. */
void holm(const double *p, int64_t count, int64_t of, double *adjusted)
{
    double tests = family_size(p, count, of);
    for (int64_t i = 0; i < count; i++) adjusted[i] = isnan(p[i]) ? NAN : fmin(1, (tests - (double)rank_of(p, count, i)) * p[i]);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < count; j++)
            if (before(p, j, i)) adjusted[i] = fmax(adjusted[i], adjusted[j]);
}

void benjamini_hochberg(const double *p, int64_t count, int64_t of, double *adjusted)
{
    double tests = family_size(p, count, of);
    for (int64_t i = 0; i < count; i++) adjusted[i] = isnan(p[i]) ? NAN : fmin(1, tests / (double)(rank_of(p, count, i) + 1) * p[i]);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < count; j++)
            if (before(p, i, j)) adjusted[i] = fmin(adjusted[i], adjusted[j]);
}
