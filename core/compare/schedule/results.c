#include "compare/schedule/results.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

knack_status results_read(struct store *store, const struct plan *plan, int64_t blocks, struct results *results)
{
    struct stored_trial *trial;
    int64_t trials;
    *results = (struct results){.plan = plan, .blocks = blocks};
    TRY(store_read_trials(store, &trial, &trials));
    results->cell = memory_new((size_t)(blocks * plan->arms), sizeof *results->cell);
    for (int64_t i = 0; results->cell && i < trials; i++) results_put(results, &trial[i]);
    memory_free(trial);
    return results->cell ? KNACK_OK : KNACK_E_MEMORY;
}

void results_release(struct results *results)
{
    memory_free(results->cell);
    results->cell = NULL;
}

void results_put(struct results *results, const struct stored_trial *trial)
{
    int64_t block = trial->seed - results->plan->first_seed;
    if (block < 0 || block >= results->blocks || trial->arm < 0 || trial->arm >= results->plan->arms) return;
    struct result *cell = results_cell(results, block, trial->arm);
    *cell = (struct result){.there = true,
                            .status = trial->status,
                            .value = trial->value,
                            .seconds = trial->cost.seconds,
                            .gradient_rows = trial->cost.gradient_rows,
                            .forward_rows = trial->cost.forward_rows};
    memcpy(cell->idle, trial->idle, sizeof cell->idle);
}

struct result *results_cell(const struct results *results, int64_t block, int64_t arm)
{
    return &results->cell[block * results->plan->arms + arm];
}

bool results_failed(const struct result *result)
{
    return result->status != TRIAL_DONE || !isfinite(result->value);
}

double results_score(const struct results *results, int64_t block, int64_t arm)
{
    const struct result *cell = results_cell(results, block, arm);
    double value = results_failed(cell) ? results->plan->failed_score : cell->value;
    return results->plan->lower_is_better ? -value : value;
}

double results_cost(const struct results *results, int64_t block, int64_t arm)
{
    const struct result *cell = results_cell(results, block, arm);
    return cell->there && cell->status == TRIAL_DONE ? 3 * cell->gradient_rows + cell->forward_rows : NAN;
}
