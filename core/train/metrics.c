/* Gathers predictions and makes numbers of them. What metrics there are is the table at the end. */
#include "train/metrics.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "train/gathered.h"
#include "train/settings.h"

static const double least_probability = 1e-12;

/* ---- Gathering ---- */

knack_status metrics_new(enum knack_task_kind kind, int64_t outputs, int64_t examples, struct metrics **out)
{
    *out = NULL;
    struct metrics *metrics = memory_new(1, sizeof *metrics);
    if (!metrics) return KNACK_E_MEMORY;
    metrics->kind = kind;
    metrics->outputs = outputs;
    metrics->loss_type = kind == KNACK_REGRESSION ? LOSS_SQUARED : LOSS_CROSS_ENTROPY;
    bool ready;
    if (kind == KNACK_REGRESSION) {
        ready = (metrics->output = memory_new((size_t)outputs, sizeof *metrics->output));
    } else {
        ready = (metrics->confusion = memory_new((size_t)(outputs * outputs), sizeof *metrics->confusion));
        metrics->scored_capacity = outputs == 2 ? examples : 0;
        ready = ready && (metrics->scored = memory_new((size_t)metrics->scored_capacity, sizeof *metrics->scored));
    }
    if (!ready) {
        metrics_free(metrics);
        return KNACK_E_MEMORY;
    }
    *out = metrics;
    return KNACK_OK;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics) return;
    memory_free(metrics->confusion);
    memory_free(metrics->scored);
    memory_free(metrics->output);
    memory_free(metrics);
}

void metrics_clear(struct metrics *metrics)
{
    struct metrics cleared = {
        .kind = metrics->kind,
        .loss_type = metrics->loss_type,
        .outputs = metrics->outputs,
        .confusion = metrics->confusion,
        .scored = metrics->scored,
        .scored_capacity = metrics->scored_capacity,
        .output = metrics->output,
    };
    size_t outputs = (size_t)metrics->outputs;
    if (cleared.confusion) memset(cleared.confusion, 0, outputs * outputs * sizeof *cleared.confusion);
    if (cleared.output) memset(cleared.output, 0, outputs * sizeof *cleared.output);
    *metrics = cleared;
}

void metrics_set_loss(struct metrics *metrics, int loss_type)
{
    metrics->loss_type = loss_type;
    metrics->computed = false;
}

static bool any_nan(const knack_real *x, int64_t count)
{
    bool found = false;
    for (int64_t i = 0; i < count; i++) found |= isnan(x[i]);
    return found;
}

static knack_status add_scored(struct metrics *metrics, double score, bool positive)
{
    if (metrics->rows == metrics->scored_capacity) {
        int64_t capacity = metrics->scored_capacity + metrics->scored_capacity / 2 + 256;
        struct scored *grown = memory_resize(metrics->scored, (size_t)capacity, sizeof *grown);
        if (!grown) return KNACK_E_MEMORY;
        metrics->scored = grown;
        metrics->scored_capacity = capacity;
    }
    metrics->scored[metrics->rows] = (struct scored){score, positive};
    return KNACK_OK;
}

/* The class's rank among probabilities p [classes]; of equal ones the lower class ranks first. */
static int64_t rank_of(const knack_real *p, int64_t classes, int32_t label)
{
    int64_t rank = 0;
    for (int64_t c = 0; c < classes; c++) rank += p[c] > p[label] || (p[c] == p[label] && c < label);
    return rank;
}

static double likelihood_loss(knack_real own)
{
    double p = (double)own;
    return -log(p > least_probability ? p : least_probability);
}

/* p [classes]. The prediction is the first class of the highest probability; of equal ones the lower class ranks first. */
static knack_status add_probabilities(struct metrics *metrics, const knack_real *p, int32_t label)
{
    int64_t classes = metrics->outputs, predicted = 0, rank = rank_of(p, classes, label);
    for (int64_t c = 0; c < classes; c++)
        if (p[c] > p[predicted]) predicted = c;
    if (classes == 2) TRY(add_scored(metrics, (double)p[1], label == 1));
    metrics->rows++;
    metrics->confusion[label * classes + predicted]++;
    for (int64_t k = rank + 1; k <= TOP_MOST; k++) metrics->top[k]++;
    double confidence = (double)p[predicted];
    metrics->loss += likelihood_loss(p[label]);
    int bin = (int)ceil(confidence * CONFIDENCE_BINS) - 1;
    bin = bin < 0 ? 0 : bin >= CONFIDENCE_BINS ? CONFIDENCE_BINS - 1 : bin;
    metrics->bin[bin].rows++;
    metrics->bin[bin].right += predicted == label;
    metrics->bin[bin].confidence += confidence;
    return KNACK_OK;
}

/* x, target [outputs] */
static void add_outputs(struct metrics *metrics, const knack_real *x, const knack_real *target)
{
    metrics->rows++;
    for (int64_t k = 0; k < metrics->outputs; k++) {
        struct output_sums *sums = &metrics->output[k];
        double t = (double)target[k], error = (double)x[k] - t, off = t - sums->mean;
        sums->mean += off / (double)metrics->rows;
        sums->spread += off * (t - sums->mean);
        sums->squared += error * error;
        sums->absolute += fabs(error);
    }
}

knack_status metrics_add(struct metrics *metrics, int64_t rows, const knack_real *prediction, const int32_t *label,
                         const knack_real *target)
{
    int64_t outputs = metrics->outputs;
    metrics->computed = false;
    for (int64_t i = 0; i < rows; i++) {
        const knack_real *row = prediction + i * outputs;
        if (metrics->kind == KNACK_CLASSIFICATION && label[i] < 0) continue;
        if (any_nan(row, outputs)) {
            metrics->poisoned = true;
        } else if (metrics->kind == KNACK_REGRESSION) {
            add_outputs(metrics, row, target + i * outputs);
        } else {
            if (label[i] >= outputs)
                return status_set(KNACK_E_DATA, "row %lld has class %d, of %lld classes from 0", (long long)i, label[i],
                                  (long long)outputs);
            TRY(add_probabilities(metrics, row, label[i]));
        }
    }
    return KNACK_OK;
}

void metrics_example(const struct metrics *metrics, const knack_real *prediction, int32_t label, const knack_real *target, bool *correct,
                     double *loss)
{
    int64_t outputs = metrics->outputs;
    *correct = false;
    *loss = NAN;
    if (any_nan(prediction, outputs)) return;
    if (metrics->kind == KNACK_CLASSIFICATION) {
        *correct = rank_of(prediction, outputs, label) == 0;
        *loss = likelihood_loss(prediction[label]);
        return;
    }
    *loss = 0;
    for (int64_t k = 0; k < outputs; k++) {
        double error = (double)prediction[k] - (double)target[k];
        *loss += (metrics->loss_type == LOSS_ABSOLUTE ? fabs(error) : error * error) / (double)outputs;
    }
}

/* ---- Numbers ---- */

/* a / b, which has no value over nothing. */
static double ratio(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

struct class_counts class_counts(const struct metrics *metrics, int64_t label)
{
    struct class_counts counts = {.right = metrics->confusion[label * metrics->outputs + label]};
    for (int64_t c = 0; c < metrics->outputs; c++) {
        counts.actual += metrics->confusion[label * metrics->outputs + c];
        counts.predicted += metrics->confusion[c * metrics->outputs + label];
    }
    return counts;
}

double class_recall(struct class_counts counts)
{
    return ratio((double)counts.right, (double)counts.actual);
}

double class_precision(struct class_counts counts)
{
    return ratio((double)counts.right, (double)counts.predicted);
}

double class_f1(struct class_counts counts)
{
    return ratio(2 * (double)counts.right, (double)(counts.actual + counts.predicted));
}

/* The mean over the classes that have a value. */
static double class_mean(const struct metrics *metrics, double (*value)(struct class_counts))
{
    double sum = 0, count = 0;
    for (int64_t c = 0; c < metrics->outputs; c++) {
        double one = value(class_counts(metrics, c));
        if (isnan(one)) continue;
        sum += one;
        count++;
    }
    return ratio(sum, count);
}

static double top(const struct metrics *metrics, int k)
{
    return ratio((double)metrics->top[k], (double)metrics->rows);
}

static double accuracy(const struct metrics *metrics)
{
    return top(metrics, 1);
}
static double top2(const struct metrics *metrics)
{
    return top(metrics, 2);
}
static double top3(const struct metrics *metrics)
{
    return top(metrics, 3);
}
static double top5(const struct metrics *metrics)
{
    return top(metrics, 5);
}
static double macro_f1(const struct metrics *metrics)
{
    return class_mean(metrics, class_f1);
}
static double balanced_accuracy(const struct metrics *metrics)
{
    return class_mean(metrics, class_recall);
}
static double f1(const struct metrics *metrics)
{
    return class_f1(class_counts(metrics, 1));
}
static double auroc(const struct metrics *metrics)
{
    return metrics->auroc;
}
static double auprc(const struct metrics *metrics)
{
    return metrics->average_precision;
}
static double likelihood(const struct metrics *metrics)
{
    return ratio(metrics->loss, (double)metrics->rows);
}

/* Expected calibration error (arXiv:1706.04599): the mean distance of accuracy from confidence, over bins of confidence. */
static double ece(const struct metrics *metrics)
{
    double sum = 0;
    for (int b = 0; b < CONFIDENCE_BINS; b++) sum += fabs((double)metrics->bin[b].right - metrics->bin[b].confidence);
    return ratio(sum, (double)metrics->rows);
}

static double mse(const struct metrics *metrics)
{
    double sum = 0;
    for (int64_t k = 0; k < metrics->outputs; k++) sum += metrics->output[k].squared;
    return ratio(sum, (double)(metrics->rows * metrics->outputs));
}

static double mae(const struct metrics *metrics)
{
    double sum = 0;
    for (int64_t k = 0; k < metrics->outputs; k++) sum += metrics->output[k].absolute;
    return ratio(sum, (double)(metrics->rows * metrics->outputs));
}

static double error(const struct metrics *metrics)
{
    return metrics->loss_type == LOSS_ABSOLUTE ? mae(metrics) : mse(metrics);
}

/* 1 - unexplained variance over variance: the mean over the outputs that vary. */
static double r2(const struct metrics *metrics)
{
    double sum = 0, count = 0;
    for (int64_t k = 0; k < metrics->outputs; k++) {
        if (!(metrics->output[k].spread > 0)) continue;
        sum += 1 - metrics->output[k].squared / metrics->output[k].spread;
        count++;
    }
    return ratio(sum, count);
}

/* ---- The metrics that there are ---- */

static const struct metric {
    const char *name;
    enum knack_task_kind kind;
    int64_t least, most; /* outputs with which it is given */
    bool lower_is_better;
    double (*measure)(const struct metrics *);
} table[] = {
    {"accuracy", KNACK_CLASSIFICATION, 1, INT64_MAX, false, accuracy},
    {"top2", KNACK_CLASSIFICATION, 3, INT64_MAX, false, top2},
    {"top3", KNACK_CLASSIFICATION, 4, INT64_MAX, false, top3},
    {"top5", KNACK_CLASSIFICATION, 6, INT64_MAX, false, top5},
    {"loss", KNACK_CLASSIFICATION, 1, INT64_MAX, true, likelihood},
    {"ece", KNACK_CLASSIFICATION, 1, INT64_MAX, true, ece},
    {"macro_f1", KNACK_CLASSIFICATION, 1, INT64_MAX, false, macro_f1},
    {"balanced_accuracy", KNACK_CLASSIFICATION, 1, INT64_MAX, false, balanced_accuracy},
    {"auroc", KNACK_CLASSIFICATION, 2, 2, false, auroc},
    {"auprc", KNACK_CLASSIFICATION, 2, 2, false, auprc},
    {"f1", KNACK_CLASSIFICATION, 2, 2, false, f1},
    {"mse", KNACK_REGRESSION, 1, INT64_MAX, true, mse},
    {"mae", KNACK_REGRESSION, 1, INT64_MAX, true, mae},
    {"r2", KNACK_REGRESSION, 1, INT64_MAX, false, r2},
    {"loss", KNACK_REGRESSION, 1, INT64_MAX, true, error},
};
enum { TABLE = sizeof table / sizeof *table };
_Static_assert((int)TABLE <= (int)METRICS_MOST, "struct metrics has room for all");

static bool given(const struct metric *metric, enum knack_task_kind kind, int64_t outputs)
{
    return metric->kind == kind && outputs >= metric->least && outputs <= metric->most;
}

const struct metric_value *metrics_values(struct metrics *metrics)
{
    if (metrics->computed) return metrics->value;
    if (metrics->kind == KNACK_CLASSIFICATION) {
        int64_t scored = metrics->outputs == 2 ? metrics->rows : 0;
        ranking_measure(metrics->scored, scored, &metrics->auroc, &metrics->average_precision);
    }
    metrics->values = 0;
    for (int i = 0; i < TABLE; i++) {
        if (!given(&table[i], metrics->kind, metrics->outputs)) continue;
        metrics->value[metrics->values++] = (struct metric_value){table[i].name, metrics->poisoned ? NAN : table[i].measure(metrics)};
    }
    metrics->computed = true;
    return metrics->value;
}

int64_t metrics_count(const struct metrics *metrics)
{
    int64_t count = 0;
    for (int i = 0; i < TABLE; i++) count += given(&table[i], metrics->kind, metrics->outputs);
    return count;
}

knack_status metrics_find(struct metrics *metrics, const char *name, double *value)
{
    TRY(metric_check(name, metrics->kind, metrics->outputs));
    const struct metric_value *values = metrics_values(metrics);
    for (int64_t i = 0; i < metrics->values; i++)
        if (strcmp(values[i].name, name) == 0) *value = values[i].value;
    return KNACK_OK;
}

bool metric_lower_is_better(const char *name)
{
    for (int i = 0; i < TABLE; i++)
        if (strcmp(table[i].name, name) == 0) return table[i].lower_is_better;
    return false;
}

bool metric_is_share(const char *name)
{
    static const char *const share[] = {"accuracy", "top2", "top3", "top5", "balanced_accuracy", "macro_f1", "f1", "auroc", "auprc"};
    for (size_t i = 0; i < sizeof share / sizeof *share; i++)
        if (strcmp(name, share[i]) == 0) return true;
    return false;
}

knack_status metric_check(const char *name, enum knack_task_kind kind, int64_t outputs)
{
    const char *names[TABLE];
    char listed[512];
    int64_t count = 0;
    for (int i = 0; i < TABLE; i++) {
        if (!given(&table[i], kind, outputs)) continue;
        if (strcmp(table[i].name, name) == 0) return KNACK_OK;
        names[count++] = table[i].name;
    }
    const char *nearest = text_nearest(name, names, count);
    return status_set(KNACK_E_CONFIG, "this task has no metric \"%s\"%s%s%s; there are %s", name, nearest ? "; nearest is \"" : "",
                      nearest ? nearest : "", nearest ? "\"" : "", text_list(listed, sizeof listed, names, count));
}
