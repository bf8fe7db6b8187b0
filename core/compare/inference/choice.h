/* "If you take one": the arm that is best by its mean, and which others it cannot be told from. */
#ifndef COMPARE_INFERENCE_CHOICE_H
#define COMPARE_INFERENCE_CHOICE_H

#include "compare/grid/grid.h"

enum { CHOICE_ARMS = 20 };

struct choice {
    int64_t arm[CHOICE_ARMS], arms; /* by mean at equal updates, the best first; arms 0: nothing can be said */
    double mean[CHOICE_ARMS];       /* over the blocks that all of them have; as the metric is */
    double p[CHOICE_ARMS];          /* of the best against it: the paired t test, Holm over all pairs of arms; p[0] NaN */
    int64_t blocks, pairs;
    bool alike; /* one of these p is not below ALPHA */
};

/* Of a plan of fixed size that is finished: the baseline and every arm that has as many trials, at most CHOICE_ARMS; its larger budgets are
 * none of them. Of plans that stop by results, or pick by them, nothing is said. */
knack_status choice_make(const struct plan *, const struct grid *, struct choice *);

#endif
