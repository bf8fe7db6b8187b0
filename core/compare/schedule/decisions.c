#include "compare/schedule/decisions.h"

#include <math.h>

#include "base/memory.h"
#include "compare/analysis/steps.h"

knack_status decisions_new(const struct plan *plan, struct decisions *decisions)
{
    size_t contrasts = (size_t)plan->contrasts;
    *decisions = (struct decisions){.plan = plan,
                                    .stopped = memory_new(contrasts, sizeof(bool)),
                                    .p = memory_new(contrasts, sizeof(double)),
                                    .adjusted = memory_new(contrasts, sizeof(double))};
    if (!decisions->stopped || !decisions->p || !decisions->adjusted) {
        decisions_free(decisions);
        return KNACK_E_MEMORY;
    }
    for (int64_t c = 0; c < plan->contrasts; c++) decisions->p[c] = decisions->adjusted[c] = NAN;
    return KNACK_OK;
}

void decisions_free(struct decisions *decisions)
{
    memory_free(decisions->stopped);
    memory_free(decisions->p);
    memory_free(decisions->adjusted);
    *decisions = (struct decisions){0};
}

bool decisions_any(const struct decisions *decisions)
{
    for (int64_t c = 0; c < decisions->plan->contrasts; c++)
        if (!decisions->stopped[c]) return true;
    return false;
}

/* D of the first blocks, as the analysis has them: blocks that have no score are left out. */
static void gather(const struct contrast *contrast, const struct results *results, int64_t blocks, struct estimate *estimate, double *scale)
{
    *scale = 0;
    for (int64_t b = 0; b < blocks; b++) {
        double difference = 0, size = 0;
        for (int64_t a = 0; a < results->plan->arms; a++) {
            if (contrast->weight[a] == 0) continue;
            double term = contrast->weight[a] * results_score(results, b, a);
            difference += term;
            size += fabs(term);
        }
        if (!isfinite(difference)) continue;
        estimate->seed[estimate->n] = results->plan->first_seed + b;
        estimate->difference[estimate->n++] = difference;
        *scale = fmax(*scale, size);
    }
}

static knack_status test(const struct results *results, int64_t c, int64_t blocks, double *p, bool *futile)
{
    const struct plan *plan = results->plan;
    struct estimate estimate = {.seed = memory_new((size_t)blocks, sizeof(int64_t)),
                                .difference = memory_new((size_t)blocks, sizeof(double))};
    bool memory = estimate.seed && estimate.difference;
    if (memory) {
        double scale;
        gather(&plan->contrast[c], results, blocks, &estimate, &scale);
        estimate_infer(plan, false, plan_family_size(plan, plan->contrast[c].family), scale, &estimate);
        *p = estimate.p;
        *futile = estimate.futile;
    }
    memory_free(estimate.seed);
    memory_free(estimate.difference);
    return memory ? KNACK_OK : KNACK_E_MEMORY;
}

static knack_status adjust(struct decisions *decisions, int family)
{
    const struct plan *plan = decisions->plan;
    double *p = memory_new(2 * (size_t)plan->contrasts, sizeof *p);
    if (!p) return KNACK_E_MEMORY;
    double *adjusted = p + plan->contrasts;
    int64_t count = 0;
    for (int64_t c = 0; c < plan->contrasts; c++)
        if (plan->contrast[c].family == family) p[count++] = decisions->p[c];
    adjust_p(plan, p, count, adjusted);
    count = 0;
    for (int64_t c = 0; c < plan->contrasts; c++)
        if (plan->contrast[c].family == family) decisions->adjusted[c] = adjusted[count++];
    memory_free(p);
    return KNACK_OK;
}

knack_status decisions_make(struct decisions *decisions, const struct results *results, int64_t blocks)
{
    const struct plan *plan = decisions->plan;
    bool *futile = memory_new((size_t)plan->contrasts, sizeof *futile);
    knack_status status = futile ? KNACK_OK : KNACK_E_MEMORY;
    for (int64_t c = 0; c < plan->contrasts && status >= 0; c++)
        if (!decisions->stopped[c]) status = test(results, c, blocks, &decisions->p[c], &futile[c]);
    for (int family = 0; family < 2 && status >= 0; family++) status = adjust(decisions, family);
    for (int64_t c = 0; c < plan->contrasts && status >= 0; c++)
        if (decisions->adjusted[c] <= ALPHA || futile[c]) decisions->stopped[c] = true;
    memory_free(futile);
    return status;
}
