/* Comparisons made of made-up numbers, for tests of what is computed and drawn from them. */
#ifndef TESTS_COMPARE_FIXTURE_H
#define TESTS_COMPARE_FIXTURE_H

#include "compare/analysis/analysis.h"

/* A finished comparison of so many arms, baseline included (DESIGN_FACTORIAL: 4, 8 or 16; else 2 to 21) and so many seeds; from 8 arms on
 * with trials that failed, tricks that cost more, and the baseline at larger budgets. The same numbers each time. NULL on error. */
struct analysis *fixture_analysis(int arms, int seeds, enum design);
void fixture_free(struct analysis *);

#endif
