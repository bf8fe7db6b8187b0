/* How well scores rank positives before negatives; equal scores count as one threshold, whatever the order of rows. */
#ifndef TRAIN_RANKING_H
#define TRAIN_RANKING_H

#include <stdbool.h>
#include <stdint.h>

struct scored {
    double score;
    bool positive;
};

/* Sorts rows, highest score first. auroc: the chance that a positive outranks a negative, a tie counting half. average_precision: the
 * sum over thresholds of recall gained times precision there, as sklearn.metrics.average_precision_score. NaN where undefined. */
void ranking_measure(struct scored *rows, int64_t count, double *auroc, double *average_precision);

#endif
