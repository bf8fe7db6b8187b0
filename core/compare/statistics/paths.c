#include "compare/statistics/paths.h"

#include <math.h>

#include "base/random.h"

struct path path_start(uint64_t key, uint32_t number)
{
    return (struct path){.key = key, .number = number};
}

/* Two numbers in (0, 1]. */
static void two_uniforms(struct path *path, double out[2])
{
    uint32_t word[4];
    random_philox(path->key, (uint32_t[4]){path->drawn++, path->number, 0, 0}, word);
    for (int i = 0; i < 2; i++) out[i] = ((double)(((uint64_t)word[2 * i + 1] << 32 | word[2 * i]) >> 11) + 1) * 0x1p-53;
}

/* By Box and Muller; *other: a second one, independent of the first. */
static double draw_normal(struct path *path, double *other)
{
    double u[2];
    two_uniforms(path, u);
    double radius = sqrt(-2 * log(u[0]));
    *other = radius * sin(2 * M_PI * u[1]);
    return radius * cos(2 * M_PI * u[1]);
}

/* Twice a gamma variate of shape df / 2, 1 or more, from a normal and a uniform one (Marsaglia and Tsang 2000). */
static double draw_chi_squared(struct path *path, double df, double normal)
{
    double d = df / 2 - 1.0 / 3, c = 1 / sqrt(9 * d), u[2], unused;
    for (;; normal = draw_normal(path, &unused)) {
        double v = 1 + c * normal;
        if (v <= 0) continue;
        v = v * v * v;
        two_uniforms(path, u);
        if (log(u[0]) < normal * normal / 2 + d - d * v + d * log(v)) return 2 * d * v;
    }
}

/* The sum of m normal variates, and apart from it the sum of squared deviations from their mean. */
void path_grow(struct path *path, int64_t n)
{
    double more = (double)(n - path->n), other;
    if (!(more > 0)) return;
    double sum = draw_normal(path, &other) * sqrt(more);
    path->n = n;
    path->sum += sum;
    path->squares += sum * sum / more;
    if (more == 2) path->squares += other * other;
    if (more > 2) path->squares += draw_chi_squared(path, more - 1, other);
}

double path_log(const struct path *path)
{
    return -log1p(-path->sum * path->sum / ((double)path->n * path->squares));
}
