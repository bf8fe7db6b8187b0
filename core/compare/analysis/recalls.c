/* How often each arm is right on the examples of each class: means over trials, and against the baseline within seeds. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "compare/analysis/steps.h"

/* Shares of each class that a trial got right -> recall [classes]; NaN: not known. */
static knack_status read_recall(const struct material *material, int64_t row, int64_t arm, double *recall)
{
    const struct plan *plan = material->plan;
    uint8_t *correct = NULL;
    float *loss = NULL;
    int64_t examples = 0;
    for (int64_t k = 0; k < plan->classes; k++) recall[k] = NAN;
    if (!material_trial(material, row, arm) || material_failed(material, row, arm)) return KNACK_OK;
    TRY(store_read_examples(material->store, arm, plan->first_seed + row, &correct, &loss, &examples));
    for (int64_t k = 0; k < plan->classes && correct && examples == (int64_t)strlen(plan->labels); k++) {
        int64_t there = 0, right = 0;
        for (int64_t i = 0; i < examples; i++) {
            bool of_class = plan->labels[i] == 'a' + k;
            there += of_class;
            right += of_class && correct[i];
        }
        recall[k] = there > 0 ? (double)right / (double)there : NAN;
    }
    memory_free(correct);
    memory_free(loss);
    return KNACK_OK;
}

/* base, own: [rows, classes] */
static void average(const struct material *material, const double *base, const double *own, struct arm_result *arm)
{
    int64_t classes = material->plan->classes;
    for (int64_t k = 0; k < classes; k++) {
        double sum = 0, difference = 0;
        int64_t n = 0, pairs = 0;
        for (int64_t i = k; i < material->rows * classes; i += classes) {
            if (isnan(own[i])) continue;
            sum += own[i];
            n++;
            if (isnan(base[i])) continue;
            difference += own[i] - base[i];
            pairs++;
        }
        arm->recall[k] = n > 0 ? sum / (double)n : NAN;
        arm->recall_delta[k] = pairs > 0 && own != base ? difference / (double)pairs : NAN;
    }
}

knack_status recalls_fill(struct analysis *analysis, const struct material *material)
{
    const struct plan *plan = analysis->plan;
    int64_t size = material->rows * plan->classes;
    if (!plan->labels) return KNACK_OK;
    double *base = memory_new(2 * (size_t)size + 1, sizeof *base);
    knack_status status = base ? KNACK_OK : KNACK_E_MEMORY;
    for (int64_t a = 0; a < plan->arms && status >= 0; a++) {
        struct arm_result *arm = &analysis->arm[a];
        double *own = a == 0 ? base : base + size;
        for (int64_t row = 0; row < material->rows && status >= 0; row++) status = read_recall(material, row, a, own + row * plan->classes);
        if (!MAKE(analysis, arm->recall, plan->classes) || !MAKE(analysis, arm->recall_delta, plan->classes)) status = KNACK_E_MEMORY;
        if (status >= 0) average(material, base, own, arm);
    }
    memory_free(base);
    return status;
}
