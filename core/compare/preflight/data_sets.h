/* The data of all arms, opened once in this process: trials that are forked from it share its pages. Arms whose configs say the same of
 * their data have one data set. */
#ifndef COMPARE_PREFLIGHT_DATA_SETS_H
#define COMPARE_PREFLIGHT_DATA_SETS_H

#include "compare/plan/plan.h"
#include "data/dataset.h"

struct data_sets;

struct data_set {
    struct dataset *data; /* of data that seeds redraw: as another seed would draw them, for their sizes */
    bool redrawn;         /* trials open their own */
    uint64_t hash;        /* of the part that the metric is of */
};

knack_status data_sets_new(struct data_sets **);
void data_sets_free(struct data_sets *); /* NULL is fine */
/* What the arm's config says; relative paths start from the plan's folder. The data sets own it. */
knack_status data_sets_open(struct data_sets *, const struct plan *, const struct arm *, const struct data_set **);

#endif
