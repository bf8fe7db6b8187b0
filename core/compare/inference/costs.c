#include "compare/inference/costs.h"

#include <math.h>

#include "compare/statistics/equal_cost.h"

/* ---- Costs ---- */

static bool about_same(double cost)
{
    return cost <= SAME_COST && cost >= SAVED_COST;
}

static double choose_cost(double counted, double cpu_low)
{
    double larger = fmax(counted, cpu_low); /* a NaN is left out */
    bool miscounted = cpu_low > SAME_COST * counted || (about_same(counted) && cpu_low > SAME_COST);
    if (isnan(counted) || about_same(larger) || larger < SAVED_COST) return larger;
    return miscounted ? cpu_low : counted;
}

void cost_of(const struct grid *grid, int64_t arm, int64_t blocks, struct cost *cost)
{
    const struct arm *of = &grid->plan->arm[arm];
    double updates = grid_mean_updates(grid, arm, blocks) / grid_mean_updates(grid, 0, blocks);
    bool base = of->kind != ARM_TREATED; /* an update of a larger budget is one of the baseline's */
    cost->counted = grid_mean_cost(grid, arm, blocks) / grid_mean_cost(grid, 0, blocks);
    if (fabs(cost->counted - 1) < 1e-9) cost->counted = 1;
    cost->cpu = updates * (base ? 1 : of->update_cost);
    cost->cpu_ci = (struct interval){updates * (base ? 1 : of->update_cost_low), updates * (base ? 1 : of->update_cost_high)};
    cost->at = choose_cost(cost->counted, cost->cpu_ci.low);
    cost->differs = isfinite(cost->at) && !about_same(cost->at);
}

/* ---- Budgets ---- */

static const double nominal[] = {.5, .75, 1, 1.5, 2, 3, 4};
enum { NOMINAL = sizeof nominal / sizeof *nominal };

/* Budgets are whole epochs, so few epochs allow few budgets. */
static int possible_sizes(const struct plan *plan, double size[NOMINAL])
{
    int count = 0;
    for (int i = 0; i < NOMINAL; i++) {
        double actual = plan->epochs > 0 ? fmax(1, round((double)plan->epochs * nominal[i])) / (double)plan->epochs : nominal[i];
        if (count == 0 || actual > size[count - 1]) size[count++] = actual;
    }
    return count;
}

static bool same_size(double a, double b)
{
    return fabs(a - b) <= 1e-9 * b;
}

static void mark(const double *size, int sizes, double cost, bool *needed)
{
    for (int i = 0; i < sizes; i++) {
        bool same = same_size(size[i], cost),
             between = i + 1 < sizes && size[i] < cost && cost < size[i + 1] && !same_size(size[i + 1], cost);
        if (same || between) needed[i] = true;
        if (between && !same) needed[i + 1] = true;
    }
}

int64_t budgets_needed(const struct grid *grid, int64_t arm, int64_t blocks, double size[BUDGETS_MOST])
{
    double possible[NOMINAL];
    bool needed[NOMINAL] = {false};
    int sizes = possible_sizes(grid->plan, possible);
    int64_t count = 0, reach[2] = {1, blocks};
    if (!grid->plan->equal_cost || grid->plan->arm[arm].kind != ARM_TREATED) return 0;
    for (int i = 0; i < 2; i++) {
        struct cost cost;
        cost_of(grid, arm, reach[i], &cost);
        if (cost.differs) mark(possible, sizes, cost.at, needed);
    }
    for (int i = 0; i < sizes; i++)
        if (needed[i] && !same_size(possible[i], 1)) size[count++] = possible[i];
    return count;
}

bool budget_is_needed(const struct grid *grid, int64_t arm, int64_t blocks, double size)
{
    double needed[BUDGETS_MOST];
    int64_t count = budgets_needed(grid, arm, blocks, needed);
    for (int64_t i = 0; i < count; i++)
        if (same_size(needed[i], size)) return true;
    return false;
}

/* ---- Equal cost ---- */

/* The baseline at its budgets, ascending. */
struct ladder {
    int64_t count, arm[NOMINAL + 1];
    double size[NOMINAL + 1];
};

static void find_ladder(const struct plan *plan, struct ladder *ladder)
{
    *ladder = (struct ladder){.count = 0};
    for (int64_t a = 0; a < plan->arms && ladder->count <= NOMINAL; a++) {
        if (plan->arm[a].kind == ARM_TREATED) continue;
        double size = a == 0 ? 1 : plan->arm[a].budget;
        int64_t at = ladder->count++;
        for (; at > 0 && ladder->size[at - 1] > size; at--) {
            ladder->size[at] = ladder->size[at - 1];
            ladder->arm[at] = ladder->arm[at - 1];
        }
        ladder->size[at] = size;
        ladder->arm[at] = a;
    }
}

/* The two steps that the cost lies between, or the one that it is. */
static bool bracket(const struct ladder *all, double cost, struct ladder *around)
{
    around->count = 0;
    for (int64_t i = 0; i < all->count && around->count == 0; i++) {
        bool same = same_size(all->size[i], cost), between = i + 1 < all->count && all->size[i] < cost && cost < all->size[i + 1];
        if (!same && !between) continue;
        around->count = same ? 1 : 2;
        for (int64_t k = 0; k < around->count; k++) {
            around->size[k] = all->size[i + k];
            around->arm[k] = all->arm[i + k];
        }
    }
    return around->count > 0;
}

/* The baseline's scores of one block at these steps; false: a trial is missing. */
static bool ladder_scores(const struct grid *grid, const struct ladder *ladder, int64_t block, double *score)
{
    for (int64_t k = 0; k < ladder->count; k++) {
        if (!grid_there(grid, block, ladder->arm[k])) return false;
        score[k] = grid_score(grid, block, ladder->arm[k]);
    }
    return true;
}

void equal_cost_gather(const struct grid *grid, int64_t arm, double at, int64_t blocks, struct estimate *estimate, double *scale)
{
    struct ladder all, around;
    double score[NOMINAL + 1];
    estimate->n = 0;
    *scale = 0;
    find_ladder(grid->plan, &all);
    if (!bracket(&all, at, &around)) return;
    for (int64_t b = 0; b < grid->blocks && b < blocks; b++) {
        if (!grid_there(grid, b, arm) || !ladder_scores(grid, &around, b, score)) continue;
        double own = grid_score(grid, b, arm), base = around.count == 1 ? score[0] : budget_value(around.size, score, around.count, at);
        if (!isfinite(own - base)) continue;
        estimate->seed[estimate->n] = grid->plan->first_seed + b;
        estimate->difference[estimate->n++] = own - base;
        *scale = fmax(*scale, fabs(own) + fabs(base));
    }
}

/* Means over the blocks that all of them have. */
double equal_quality_saving(const struct grid *grid, int64_t arm, double at)
{
    struct ladder all;
    double mean[NOMINAL + 1] = {0}, score[NOMINAL + 1], target = 0;
    int64_t n = 0;
    find_ladder(grid->plan, &all);
    for (int64_t b = 0; b < grid->blocks; b++) {
        if (!grid_there(grid, b, arm) || !ladder_scores(grid, &all, b, score)) continue;
        for (int64_t k = 0; k < all.count; k++) mean[k] += score[k];
        target += grid_score(grid, b, arm);
        n++;
    }
    if (n == 0 || all.count < 2) return NAN;
    for (int64_t k = 0; k < all.count; k++) mean[k] /= (double)n;
    return budget_reaching(all.size, mean, all.count, target / (double)n) / at;
}
