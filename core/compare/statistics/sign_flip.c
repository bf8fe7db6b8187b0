#include "compare/statistics/sign_flip.h"

#include <math.h>

#include "base/random.h"

enum { MOST_EXACT = 20, DRAWS = 9999 };

/* Which sums count as far out: metrics are discrete, so ties with the observed sum are common and must survive rounding. */
struct flips {
    const double *difference;
    int64_t n;
    double least;
};

/* All signs with the first kept, one sign changed a step (Gray code); the other half is their mirror. */
static double flip_all(const struct flips *flips, double sum)
{
    uint64_t half = (uint64_t)1 << (flips->n - 1), count = fabs(sum) >= flips->least, negative = 0;
    for (uint64_t step = 1; step < half; step++) {
        int bit = __builtin_ctzll(step);
        double twice = 2 * flips->difference[bit + 1];
        sum += negative >> bit & 1 ? twice : -twice;
        negative ^= (uint64_t)1 << bit;
        count += fabs(sum) >= flips->least;
    }
    return (double)count / (double)half;
}

static double flip_some(const struct flips *flips, uint64_t seed)
{
    uint64_t key = random_key(seed, "sign flip");
    int64_t count = 0;
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        uint32_t word[4] = {0};
        double sum = 0;
        for (int64_t i = 0; i < flips->n; i++) {
            if (i % 128 == 0) random_philox(key, (uint32_t[4]){(uint32_t)(i / 128), draw, 0, 0}, word);
            sum += word[i / 32 % 4] >> (i % 32) & 1 ? flips->difference[i] : -flips->difference[i];
        }
        count += fabs(sum) >= flips->least;
    }
    return (double)(count + 1) / (DRAWS + 1);
}

double sign_flip(const double *difference, int64_t n, uint64_t seed)
{
    double sum = 0, sizes = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += difference[i];
        sizes += fabs(difference[i]);
    }
    if (n < 1 || !isfinite(sizes)) return NAN;
    struct flips flips = {difference, n, fabs(sum) - 1e-9 * sizes};
    return n <= MOST_EXACT ? flip_all(&flips, sum) : flip_some(&flips, seed);
}
