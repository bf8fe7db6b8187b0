/* Comparisons made of made-up numbers, in a store of their own: for tests of what is computed and drawn from them. */
#ifndef TESTS_COMPARE_FIXTURE_H
#define TESTS_COMPARE_FIXTURE_H

#include "compare/analysis/analysis.h"

/* A finished comparison of so many arms, baseline included (DESIGN_FACTORIAL: 4, 8 or 16; DESIGN_ABLATION: even, from 4 on; else 2 to 21)
 * and so many seeds; from 8 arms on with trials that failed, tricks that cost more, and the baseline at larger budgets. The same numbers
 * each time; what it points to may be replaced. NULL on error. */
struct analysis *fixture_analysis(int arms, int seeds, enum design design);
void fixture_free(struct analysis *);

/* What a comparison is to be made of. Zeroed: a finished plan of DESIGN_ONE, accuracy, no margin. */
struct recipe {
    enum design design; /* not DESIGN_FRACTION */
    enum stopping stopping;
    enum role role;
    int arms, seeds;                    /* arms: with the baseline, without budgets; seeds: that have trials */
    int planned;                        /* seeds of the plan; 0: the same */
    int budgets;                        /* the first so many of 1.5, 2, 3, 4; arms from `arms` on */
    const char *const *name;            /* [arms - 1]; NULL: names of tricks */
    const char *part, *metric, *status; /* NULL: "test", "accuracy", "done" */
    bool lower_is_better, redraw;
    double margin, failed_score;
    int train_count, test_count; /* 0: 600, 797 */
    int classes;                 /* of the test examples, by turns; 0: labels are not known */
    int number;                  /* comparison on its test set */
    int64_t look[LOOKS_MOST], looks;
    int measurements;    /* rounds of the calibration */
    const double *value; /* [seeds, arms and budgets]; NaN: failed; -inf: no such trial. NULL: by trial() alone */
    const double *cost;  /* [arms and budgets] gradient evaluations an update; NULL: 1, and the budget */
    /* Changes what a trial gave, or says that it is not there (false); NULL: nothing. Memory within the outcome: memory_new(). */
    bool (*trial)(const struct recipe *, int arm, int seed, struct trial_outcome *);
    const void *user;
};
knack_status recipe_store(const struct recipe *, const char *folder, struct store **); /* in a folder, for tests that go on with it */
void recipe_remove(const char *folder);                                                /* with the files in it */
struct analysis *recipe_analysis(const struct recipe *);                               /* fixture_free(); NULL on error */

#endif
