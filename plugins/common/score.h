/* How right predictions are, gathered in sweeps: shared by early-stop and checkpoint-average, linked into each of them. */
#ifndef PLUGINS_SCORE_H
#define PLUGINS_SCORE_H

#include <knack/plugin.h>

struct score {
    double rows, right, loss; /* with a label; of these, predicted right; sum of -log p of the label */
};

/* State, since that is what a sweep may change. NULL on error. [open] */
struct score *score_declare(knack_trick *);
/* Adds a batch: p [rows, classes]; labels [rows], negative ones do not count. Of equal probabilities the first class's counts as
 * predicted, and none counts as less than 1e-12, as in the host's own metrics. */
void score_add(struct score *, int64_t rows, int64_t classes, const knack_real *p, const int32_t *label);
/* The same of a visited batch, for which predict gave p. [sweep] */
void score_batch(struct score *, knack_trick *, knack_step *, const knack_tensor *p);

#endif
