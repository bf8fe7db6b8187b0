#include "compare/schedule/budgets.h"

#include <math.h>

#include "compare/statistics/equal_cost.h"

static const double size[] = {1, 1.5, 2, 3, 4};
enum { SIZES = sizeof size / sizeof *size };
static const double worth_it = 1.25; /* what costs less is compared at equal updates only */

/* The least budget that is enough, and the one below it unless the cost is just a budget. */
static void mark(double cost, bool needed[SIZES])
{
    if (!(cost > worth_it)) return;
    double above = budget_round_up(cost);
    for (int i = 1; i < SIZES; i++) {
        bool below = size[i] < above && i + 1 < SIZES && size[i + 1] == above;
        if (size[i] == above || (below && cost < above)) needed[i] = true;
    }
}

/* Means over all trials that are done, as the analysis has them. */
static double mean_cost(const struct results *results, int64_t arm)
{
    double gradients = 0, forwards = 0, count = 0;
    for (int64_t b = 0; b < results->blocks; b++) {
        const struct result *cell = results_cell(results, b, arm);
        if (!cell->there || cell->status != TRIAL_DONE) continue;
        gradients += cell->gradient_rows;
        forwards += cell->forward_rows;
        count++;
    }
    return count > 0 ? 3 * (gradients / count) + forwards / count : NAN;
}

int64_t budgets_around(const struct results *results, int64_t arm, bool all, double budget[BUDGETS_MOST])
{
    bool needed[SIZES] = {false};
    int64_t count = 0;
    mark(results_cost(results, 0, arm) / results_cost(results, 0, 0), needed);
    if (all) mark(mean_cost(results, arm) / mean_cost(results, 0), needed);
    for (int i = 1; i < SIZES; i++)
        if (needed[i]) budget[count++] = size[i];
    return count;
}

bool budget_is_needed(const struct results *results, int64_t arm, bool all, int64_t longer)
{
    double around[BUDGETS_MOST];
    int64_t count = budgets_around(results, arm, all, around);
    for (int64_t i = 0; i < count; i++)
        if (plan_find_budget(results->plan, around[i]) == longer) return true;
    return false;
}
