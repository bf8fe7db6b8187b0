/* Numbers over time and at the end: curves, and the metrics that are shown without a verdict. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/number.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/paired.h"

enum { BAND_FROM = 3 }; /* seeds */

/* ---- Reading ---- */

/* All that the trials of one arm told. */
struct record {
    struct trial_metric *metric;
    int64_t count;
};

static bool is_metric(const struct trial_metric *metric, const char *part, const char *name)
{
    return strcmp(metric->part, part) == 0 && strcmp(metric->metric, name) == 0;
}

static const struct trial_metric *find_final(const struct record *record, const struct plan *plan, const char *weights)
{
    for (int64_t i = 0; i < record->count; i++) {
        const struct trial_metric *metric = &record->metric[i];
        if (metric->final && is_metric(metric, plan->part, plan->metric) && strcmp(metric->weights, weights) == 0) return metric;
    }
    return NULL;
}

/* The weights whose final metric is the trial's value in each trial of an arm: those that are primary. "": not known. */
static const char *primary_weights(const struct material *material, const struct record *record, int64_t arm)
{
    int64_t first = 0;
    while (first < material->rows && (!material_trial(material, first, arm) || material_failed(material, first, arm))) first++;
    if (first == material->rows) return "";
    for (int64_t i = 0; i < record[first].count; i++) {
        const struct trial_metric *candidate = &record[first].metric[i];
        if (!candidate->final || !is_metric(candidate, material->plan->part, material->plan->metric)) continue;
        bool fits = true;
        for (int64_t row = first; row < material->rows && fits; row++) {
            if (!material_trial(material, row, arm) || material_failed(material, row, arm)) continue;
            const struct trial_metric *final = find_final(&record[row], material->plan, candidate->weights);
            fits = final && final->value == grid_value(&material->grid, row, arm);
        }
        if (fits) return candidate->weights;
    }
    return "";
}

static bool is_of_curve(const struct analysis *analysis, const struct trial_metric *metric)
{
    return !metric->final && is_metric(metric, analysis->curve_part, analysis->curve_metric);
}

/* Of which weights the curve is: the primary ones if they were evaluated over time, else the trained ones. */
static const char *curve_weights(const struct analysis *analysis, const struct record *record, const char *primary)
{
    const char *first = "";
    for (int64_t i = 0; i < record->count; i++) {
        if (!is_of_curve(analysis, &record->metric[i])) continue;
        if (!*first) first = record->metric[i].weights;
        if (strcmp(record->metric[i].weights, primary) == 0) return primary;
        if (strcmp(record->metric[i].weights, "raw") == 0) first = record->metric[i].weights;
    }
    return first;
}

static knack_status keep_curve(struct analysis *analysis, const struct record *record, const char *primary, struct told *told)
{
    const char *weights = curve_weights(analysis, record, primary);
    if (!MAKE(analysis, told->epoch, record->count) || !MAKE(analysis, told->value, record->count)) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < record->count; i++) {
        const struct trial_metric *metric = &record->metric[i];
        if (!is_of_curve(analysis, metric) || strcmp(metric->weights, weights) != 0) continue;
        if (told->points > 0 && metric->epoch <= told->epoch[told->points - 1]) continue;
        told->epoch[told->points] = metric->epoch;
        told->value[told->points++] = isfinite(metric->value) ? metric->value : NAN;
    }
    return KNACK_OK;
}

/* The training loss of the last epoch first, so that it stands beside those of validation and test. */
static knack_status keep_finals(struct analysis *analysis, const struct record *record, const char *primary, struct told *told)
{
    const struct trial_metric *train = NULL;
    int64_t finals = 1;
    for (int64_t i = 0; i < record->count; i++) {
        const struct trial_metric *metric = &record->metric[i];
        finals += metric->final && strcmp(metric->weights, primary) == 0;
        if (!metric->final && is_metric(metric, "train", "loss")) train = metric;
    }
    if (!MAKE(analysis, told->final, finals)) return KNACK_E_MEMORY;
    if (train) told->final[told->finals++] = *train;
    for (int64_t i = 0; i < record->count; i++)
        if (record->metric[i].final && strcmp(record->metric[i].weights, primary) == 0) told->final[told->finals++] = record->metric[i];
    return KNACK_OK;
}

/* Validation's primary metric if some trial of the arm was validated on the way. */
static void choose_curve(struct analysis *analysis, const struct record *record, int64_t rows)
{
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < record[row].count; i++) {
            const struct trial_metric *metric = &record[row].metric[i];
            if (metric->final || !is_metric(metric, "validation", analysis->plan->metric)) continue;
            memcpy(analysis->curve_part, metric->part, sizeof metric->part);
            memcpy(analysis->curve_metric, metric->metric, sizeof metric->metric);
            return;
        }
}

static knack_status read_arm(struct analysis *analysis, struct material *material, int64_t arm, struct record *record)
{
    for (int64_t row = 0; row < material->rows; row++)
        if (material_trial(material, row, arm))
            TRY(store_read_metrics(material->store, arm, material->plan->first_seed + row, &record[row].metric, &record[row].count));
    if (arm == 0) choose_curve(analysis, record, material->rows);
    const char *primary = primary_weights(material, record, arm);
    for (int64_t row = 0; row < material->rows; row++) {
        struct told *told = &material->told[row * material->plan->arms + arm];
        TRY(keep_curve(analysis, &record[row], primary, told));
        if (!material_failed(material, row, arm)) TRY(keep_finals(analysis, &record[row], primary, told));
    }
    return KNACK_OK;
}

knack_status series_read(struct analysis *analysis, struct material *material)
{
    strcpy(analysis->curve_part, "train");
    strcpy(analysis->curve_metric, "loss");
    for (int64_t a = 0; a < material->plan->arms; a++) {
        struct record *record = memory_new((size_t)material->rows, sizeof *record);
        if (!record) return KNACK_E_MEMORY;
        knack_status status = read_arm(analysis, material, a, record);
        for (int64_t row = 0; row < material->rows; row++) memory_free(record[row].metric);
        memory_free(record);
        TRY(status);
    }
    return KNACK_OK;
}

/* ---- Curves ---- */

static const struct told *told_by(const struct material *material, int64_t row, int64_t arm)
{
    return &material->told[row * material->plan->arms + arm];
}

/* Epochs at which any trial of the arm has a value. */
static knack_status join_epochs(struct analysis *analysis, const struct material *material, int64_t arm, struct curve *curve)
{
    int64_t most = 0, count = 0;
    for (int64_t row = 0; row < material->rows; row++) most += told_by(material, row, arm)->points;
    if (!MAKE(analysis, curve->epoch, most)) return KNACK_E_MEMORY;
    for (int64_t row = 0; row < material->rows; row++) {
        const struct told *told = told_by(material, row, arm);
        for (int64_t p = 0; p < told->points; p++) curve->epoch[count++] = told->epoch[p];
    }
    numbers_sort(curve->epoch, count);
    for (int64_t i = 0; i < count; i++)
        if (curve->points == 0 || curve->epoch[i] > curve->epoch[curve->points - 1]) curve->epoch[curve->points++] = curve->epoch[i];
    return KNACK_OK;
}

static double value_at(const struct told *told, double epoch)
{
    for (int64_t p = 0; p < told->points && told->epoch[p] <= epoch; p++)
        if (told->epoch[p] == epoch) return told->value[p];
    return NAN;
}

/* The paired difference at one epoch, over the seeds that have both values. */
static void compare_point(const struct analysis *analysis, const struct material *material, int64_t arm, int64_t point, double *difference,
                          struct curve *curve)
{
    int64_t n = 0;
    double sum = 0;
    for (int64_t row = 0; row < material->rows; row++) {
        double value =
            value_at(told_by(material, row, arm), curve->epoch[point]) - value_at(told_by(material, row, 0), curve->epoch[point]);
        if (!isfinite(value)) continue;
        difference[n++] = value;
        sum += value;
    }
    if (n > 0) curve->difference[point] = sum / (double)n;
    if (n < BAND_FROM || !analysis_has_inference(analysis)) return;
    struct paired paired = paired_t(difference, n);
    if (!isfinite(paired.ci.low) || !isfinite(paired.ci.high)) return;
    curve->low[point] = paired.ci.low;
    curve->high[point] = paired.ci.high;
}

static knack_status fill_curve(struct analysis *analysis, const struct material *material, int64_t arm)
{
    struct curve *curve = &analysis->curve[arm];
    TRY(join_epochs(analysis, material, arm, curve));
    int64_t points = curve->points, n = analysis->arm[arm].n;
    double *difference;
    if (!MAKE(analysis, curve->value, points * n) || !MAKE(analysis, curve->mean, points) || !MAKE(analysis, curve->difference, points) ||
        !MAKE(analysis, curve->low, points) || !MAKE(analysis, curve->high, points) || !MAKE(analysis, difference, material->rows))
        return KNACK_E_MEMORY;
    bool beside = arm > 0 && material->plan->arm[arm].kind != ARM_BUDGET; /* a budget's epochs are those of another schedule */
    for (int64_t p = 0; p < points; p++) {
        int64_t trial = 0, there = 0;
        double sum = 0;
        for (int64_t row = 0; row < material->rows; row++) {
            if (!material_trial(material, row, arm)) continue;
            double value = value_at(told_by(material, row, arm), curve->epoch[p]);
            curve->value[trial++ * points + p] = value;
            if (isnan(value)) continue;
            sum += value;
            there++;
        }
        curve->mean[p] = there > 0 ? sum / (double)there : NAN;
        curve->difference[p] = curve->low[p] = curve->high[p] = NAN;
        if (beside) compare_point(analysis, material, arm, p, difference, curve);
    }
    return KNACK_OK;
}

knack_status curves_fill(struct analysis *analysis, const struct material *material)
{
    if (!MAKE(analysis, analysis->curve, material->plan->arms)) return KNACK_E_MEMORY;
    for (int64_t a = 0; a < material->plan->arms; a++) TRY(fill_curve(analysis, material, a));
    return KNACK_OK;
}

/* ---- Metrics without a verdict ---- */

static double final_value(const struct told *told, const char *part, const char *metric)
{
    for (int64_t i = 0; i < told->finals; i++)
        if (is_metric(&told->final[i], part, metric)) return told->final[i].value;
    return NAN;
}

static void average(const struct material *material, int64_t arm, struct trial_metric_mean *mean)
{
    double sum = 0, square = 0, difference = 0;
    int64_t pairs = 0;
    for (int64_t row = 0; row < material->rows; row++) {
        double value = final_value(told_by(material, row, arm), mean->part, mean->metric);
        double base = final_value(told_by(material, row, 0), mean->part, mean->metric);
        if (!isfinite(value)) continue;
        sum += value;
        mean->n++;
        if (!isfinite(base)) continue;
        difference += value - base;
        pairs++;
    }
    mean->mean = mean->n > 0 ? sum / (double)mean->n : NAN;
    mean->delta = pairs > 0 && arm > 0 ? difference / (double)pairs : NAN;
    for (int64_t row = 0; row < material->rows; row++) {
        double value = final_value(told_by(material, row, arm), mean->part, mean->metric);
        if (isfinite(value)) square += (value - mean->mean) * (value - mean->mean);
    }
    mean->sd = mean->n > 1 ? sqrt(square / (double)(mean->n - 1)) : NAN;
}

knack_status secondaries_fill(struct analysis *analysis, const struct material *material)
{
    const struct plan *plan = material->plan;
    for (int64_t a = 0; a < plan->arms; a++) {
        const struct told *told = NULL;
        for (int64_t row = 0; row < material->rows && (!told || told->finals == 0); row++) told = told_by(material, row, a);
        struct arm_result *result = &analysis->arm[a];
        if (!MAKE(analysis, result->secondary, told ? told->finals : 0)) return KNACK_E_MEMORY;
        for (int64_t i = 0; told && i < told->finals; i++) {
            const struct trial_metric *final = &told->final[i];
            if (is_metric(final, plan->part, plan->metric)) continue;
            struct trial_metric_mean *mean = &result->secondary[result->secondaries++];
            memcpy(mean->part, final->part, sizeof mean->part);
            memcpy(mean->metric, final->metric, sizeof mean->metric);
            average(material, a, mean);
        }
    }
    return KNACK_OK;
}
