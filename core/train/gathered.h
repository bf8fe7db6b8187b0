/* What metrics.c gathers from predictions, for the files that make numbers and tables of it. Sums are over rows in their order, in double:
 * how the rows came in batches does not show. */
#ifndef TRAIN_GATHERED_H
#define TRAIN_GATHERED_H

#include "train/metrics.h"
#include "train/ranking.h"

enum { CONFIDENCE_BINS = 15, METRICS_MOST = 16, TOP_MOST = 5 };

/* Of the rows whose top probability falls into one of the bins (0, 1/15], (1/15, 2/15], ... */
struct confidence_bin {
    int64_t rows, right;
    double confidence; /* sum */
};

/* Of one output of a regression: targets by Welford's recurrence, which is exact for constants. */
struct output_sums {
    double mean, spread;      /* of targets: mean, and sum of squared differences from it */
    double squared, absolute; /* errors, summed */
};

struct metrics {
    enum knack_task_kind kind;
    int loss_type;   /* enum loss_type */
    int64_t outputs; /* classes, or outputs */
    int64_t rows;    /* that were counted */
    bool poisoned;   /* a prediction was NaN: nothing that follows from it is worth a number */

    /* Classification */
    int64_t *confusion;        /* [true, predicted] */
    int64_t top[TOP_MOST + 1]; /* rows whose class is among the first k */
    double loss;               /* -log p of the class, summed */
    struct confidence_bin bin[CONFIDENCE_BINS];
    struct scored *scored; /* [rows], two classes only: probability of class 1 */
    int64_t scored_capacity;
    double auroc, average_precision; /* of scored, once computed */

    /* Regression */
    struct output_sums *output; /* [outputs] */

    struct metric_value value[METRICS_MOST];
    int64_t values;
    bool computed;
};

/* Of one class, from the confusion matrix. */
struct class_counts {
    int64_t actual, predicted, right;
};
struct class_counts class_counts(const struct metrics *, int64_t label);
double class_recall(struct class_counts);    /* NaN without rows of the class */
double class_precision(struct class_counts); /* NaN without predictions of it */
double class_f1(struct class_counts);        /* NaN without either */

#endif
