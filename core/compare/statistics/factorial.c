#include "compare/statistics/factorial.h"

double effect_weight(uint64_t run, uint64_t effect, int64_t runs)
{
    bool minus = __builtin_popcountll(effect & ~run) % 2;
    return (minus ? -2.0 : 2.0) / (double)runs;
}

/* The words of the generators come first, one for each added trick: it is the highest of its word. The others are their products. */
enum { A = 1, B = 2, C = 4, D = 8, E = 16, F = 32, G = 64 };
static const struct fraction fractions[] = {
    {3, 1, 3, "C = AB", {A | B | C}, 1},
    {4, 1, 4, "D = ABC", {A | B | C | D}, 1},
    {5, 1, 5, "E = ABCD", {A | B | C | D | E}, 1},
    {5, 2, 3, "D = AB, E = AC", {A | B | D, A | C | E, B | C | D | E}, 3},
    {6, 2, 4, "E = ABC, F = BCD", {A | B | C | E, B | C | D | F, A | D | E | F}, 3},
    {7,
     3,
     4,
     "E = ABC, F = BCD, G = ACD",
     {A | B | C | E, B | C | D | F, A | C | D | G, A | D | E | F, B | D | E | G, A | B | F | G, C | E | F | G},
     7},
};

const struct fraction *fraction_find(int k, bool screening)
{
    const struct fraction *best = NULL;
    for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
        const struct fraction *fraction = &fractions[i];
        if (fraction->k != k || (!screening && fraction->resolution < 4)) continue;
        if (best == NULL || fraction->p > best->p) best = fraction;
    }
    return best;
}

void fraction_runs(const struct fraction *fraction, int sign, uint64_t *run)
{
    int free_tricks = fraction->k - fraction->p;
    for (uint64_t i = 0; i < (uint64_t)1 << free_tricks; i++) {
        run[i] = i;
        for (int g = 0; g < fraction->p; g++) {
            uint64_t added = (uint64_t)1 << (free_tricks + g), others = fraction->word[g] & ~added;
            bool minus = __builtin_popcountll(others & ~i) % 2;
            if (minus == (sign < 0)) run[i] |= added;
        }
    }
}

int fraction_aliases(const struct fraction *fraction, uint64_t effect, int most, uint64_t *alias)
{
    int count = 0;
    for (int i = 0; i < fraction->words; i++) {
        uint64_t other = effect ^ fraction->word[i];
        int size = __builtin_popcountll(other);
        if (size > 0 && size <= most) alias[count++] = other;
    }
    return count;
}
