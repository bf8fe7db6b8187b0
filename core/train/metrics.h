/* Metrics of predictions, gathered batch by batch in double: the same whatever the batches. */
#ifndef TRAIN_METRICS_H
#define TRAIN_METRICS_H

#include <knack/plugin.h>

#include "base/json.h"

struct metrics; /* gathers */

/* kind, and classes or outputs. examples: about how many will come (0: unknown). */
knack_status metrics_new(enum knack_task_kind, int64_t outputs, int64_t examples, struct metrics **);
void metrics_free(struct metrics *);
void metrics_clear(struct metrics *);
/* Probabilities [rows, classes] with labels [rows] (negative: not counted), or outputs [rows, outputs] with targets [rows, outputs]. */
knack_status metrics_add(struct metrics *, int64_t rows, const knack_real *prediction, const int32_t *label, const knack_real *target);

/* What one row adds, as metrics_add() would take it: NaN if the prediction is. correct (classification): the class ranks first. loss: as
 * the metric of that name. */
void metrics_example(const struct metrics *, const knack_real *prediction, int32_t label, const knack_real *target, bool *correct,
                     double *loss);

/* Classification: accuracy, top2, top3, top5 (if there are more classes), loss (mean NLL, p clamped at 1e-12), ece (15 equal bins of
 * confidence), macro_f1, balanced_accuracy; two classes: auroc, auprc (average precision), f1 (of class 1). Regression: mse, mae, r2, loss
 * (given as which error is trained). A metric without a value (no positives) is NaN. */
struct metric_value {
    const char *name;
    double value;
};
int64_t metrics_count(const struct metrics *);
const struct metric_value *metrics_values(struct metrics *); /* [metrics_count], computed once; valid until add or clear */
knack_status metrics_find(struct metrics *, const char *name, double *value);
bool metric_lower_is_better(const char *name);
bool metric_is_share(const char *name); /* of examples or pairs, 0 to 1, the more the better: shown in percent and points */
/* KNACK_E_CONFIG with the names there are, if this task has no such metric. Where it was asked for is the caller's to say. */
knack_status metric_check(const char *name, enum knack_task_kind, int64_t outputs);
void metrics_set_loss(struct metrics *, int loss_type); /* regression: which error `loss` is; enum loss_type */
/* classes.csv text: class, count, recall, precision, f1; and confusion.csv text: true class by predicted class. NULL on error;
 * memory_free(). */
char *metrics_classes_csv(struct metrics *, char *const *class_name);
char *metrics_confusion_csv(struct metrics *, char *const *class_name);

#endif
