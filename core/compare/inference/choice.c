#include "compare/inference/choice.h"

#include <math.h>

#include "base/memory.h"
#include "compare/inference/estimate.h"
#include "compare/statistics/family.h"

static int64_t trials_of(const struct grid *grid, int64_t arm)
{
    int64_t trials = 0;
    for (int64_t b = 0; b < grid->blocks; b++) trials += isfinite(grid_score(grid, b, arm));
    return trials;
}

/* false: more than there is room for. */
static bool list_arms(const struct plan *plan, const struct grid *grid, struct choice *choice)
{
    int64_t all = trials_of(grid, 0);
    choice->arms = 0;
    for (int64_t a = 0; a < plan->arms; a++) {
        if (plan->arm[a].kind == ARM_BUDGET || plan->arm[a].dropped || trials_of(grid, a) < all) continue;
        if (choice->arms == CHOICE_ARMS) return false;
        choice->arm[choice->arms++] = a;
    }
    return choice->arms > 1;
}

static bool is_common(const struct grid *grid, const struct choice *choice, int64_t block)
{
    for (int64_t i = 0; i < choice->arms; i++)
        if (!isfinite(grid_score(grid, block, choice->arm[i]))) return false;
    return true;
}

/* Means over common blocks, and arms in their order. */
static void order_arms(const struct plan *plan, const struct grid *grid, struct choice *choice)
{
    for (int64_t i = 0; i < choice->arms; i++) {
        int64_t arm = choice->arm[i], at = i;
        double sum = 0;
        for (int64_t b = 0; b < grid->blocks; b++)
            if (is_common(grid, choice, b)) sum += grid_value(grid, b, arm);
        double mean = sum / (double)choice->blocks, sign = plan->lower_is_better ? -1 : 1;
        for (; at > 0 && sign * choice->mean[at - 1] < sign * mean; at--) {
            choice->mean[at] = choice->mean[at - 1];
            choice->arm[at] = choice->arm[at - 1];
        }
        choice->mean[at] = mean;
        choice->arm[at] = arm;
    }
}

/* Arms that are equal in every block, or differ by the same in every block, are not told apart: a t test needs spread. */
static double p_of(const struct plan *plan, const struct grid *grid, const int64_t pair[2], double *difference)
{
    int64_t n = 0;
    for (int64_t b = 0; b < grid->blocks; b++) {
        double one = grid_score(grid, b, pair[0]) - grid_score(grid, b, pair[1]);
        if (isfinite(one)) difference[n++] = one;
    }
    double p = estimate_test(plan, difference, n).p;
    return isnan(p) ? 1 : p;
}

knack_status choice_make(const struct plan *plan, const struct grid *grid, struct choice *choice)
{
    *choice = (struct choice){0};
    if (plan->stopping != STOP_FIXED || plan_is_screening(plan)) return KNACK_OK;
    bool fits = list_arms(plan, grid, choice);
    for (int64_t b = 0; b < grid->blocks; b++) choice->blocks += is_common(grid, choice, b);
    if (!fits || choice->blocks < INFERENCE_FROM) {
        choice->arms = 0;
        return KNACK_OK;
    }
    order_arms(plan, grid, choice);
    choice->pairs = choice->arms * (choice->arms - 1) / 2;
    double *p = memory_new((size_t)(2 * choice->pairs + grid->blocks), sizeof *p);
    if (!p) return KNACK_E_MEMORY;
    double *adjusted = p + choice->pairs;
    int64_t pairs = 0;
    for (int64_t i = 0; i < choice->arms; i++)
        for (int64_t j = i + 1; j < choice->arms; j++)
            p[pairs++] = p_of(plan, grid, (const int64_t[]){choice->arm[i], choice->arm[j]}, adjusted + choice->pairs);
    holm(p, pairs, pairs, adjusted);
    choice->p[0] = NAN;
    for (int64_t i = 1; i < choice->arms; i++) { /* pairs of the best come first */
        choice->p[i] = adjusted[i - 1];
        choice->alike |= !(choice->p[i] < ALPHA);
    }
    memory_free(p);
    return KNACK_OK;
}
