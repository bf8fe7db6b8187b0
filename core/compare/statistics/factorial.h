/* Contrasts of two-level designs, computed within a block. Standard order: run x has trick j on where bit j of x is set. */
#ifndef COMPARE_STATISTICS_FACTORIAL_H
#define COMPARE_STATISTICS_FACTORIAL_H

#include "base/status.h"

double effect_weight(uint64_t run, uint64_t effect, int64_t runs); /* 2/runs times the product of the signs of the effect's tricks */

/* Regular fractions of k tricks (3 to 7) of highest resolution (Box, Hunter and Hunter), and of 5 tricks in 8 runs. */
struct fraction {
    int k, p;               /* 2^(k-p) runs */
    int resolution;         /* 3, 4, 5 */
    const char *generators; /* "D = ABC" */
    uint64_t word[16];      /* [words] the defining relation without 1, as sets of tricks; those of the generators first */
    int words;
};
/* The fraction for k tricks with the fewest runs: of resolution 4 at least, or for screening of any. NULL: none. */
const struct fraction *fraction_find(int k, bool screening);
/* Its runs: sets of tricks that are on, [2^(k-p)]. sign: +1 or -1 of the generators (whether it holds the full stack or the baseline). */
void fraction_runs(const struct fraction *, int sign, uint64_t *run);
/* What cannot be told from effect: other sets of 1 to `most` tricks, [16]; returns how many. */
int fraction_aliases(const struct fraction *, uint64_t effect, int most, uint64_t *alias);

#endif
