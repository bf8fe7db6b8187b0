#include "compare/grid/grid.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

knack_status grid_new(const struct plan *plan, int64_t blocks, struct grid *grid)
{
    *grid = (struct grid){.plan = plan, .blocks = blocks, .arms = plan->arms};
    grid->cell = memory_new((size_t)(blocks * plan->arms), sizeof *grid->cell);
    return grid->cell ? KNACK_OK : KNACK_E_MEMORY;
}

static int64_t count_blocks(const struct plan *plan, const struct stored_trial *trial, int64_t trials)
{
    int64_t blocks = 0;
    for (int64_t i = 0; i < trials; i++)
        if (trial[i].seed - plan->first_seed >= blocks) blocks = trial[i].seed - plan->first_seed + 1;
    return blocks;
}

/* What was made before and does not count. */
static knack_status read_attempts(struct store *store, struct grid *grid)
{
    struct stored_trial *trial;
    int64_t trials;
    TRY(store_read_aside(store, &trial, &trials));
    for (int64_t i = 0; i < trials; i++) {
        struct trial_cell *cell = grid_cell(grid, trial[i].seed - grid->plan->first_seed, trial[i].arm);
        if (!cell || strcmp(trial[i].aside, "unclear") != 0) continue; /* the machine's may be tried again by every process */
        cell->attempts++;
        cell->earlier = trial[i].status;
        cell->earlier_step = trial[i].step;
    }
    memory_free(trial);
    return KNACK_OK;
}

knack_status grid_read(struct store *store, const struct plan *plan, int64_t blocks, struct grid *grid)
{
    struct stored_trial *trial;
    int64_t trials;
    TRY(store_read_trials(store, &trial, &trials));
    knack_status status = grid_new(plan, blocks > 0 ? blocks : count_blocks(plan, trial, trials), grid);
    for (int64_t i = 0; status >= 0 && i < trials; i++) grid_put(grid, &trial[i]);
    memory_free(trial);
    return status < 0 ? status : read_attempts(store, grid);
}

void grid_free(struct grid *grid)
{
    memory_free(grid->cell);
    grid->cell = NULL;
}

void grid_put(struct grid *grid, const struct stored_trial *trial)
{
    struct trial_cell *cell = grid_cell(grid, trial->seed - grid->plan->first_seed, trial->arm);
    if (!cell) return;
    cell->there = true;
    cell->going_on = cell->waits = false;
    cell->status = trial->status;
    cell->value = trial->value;
    cell->cost = trial->cost;
    memcpy(cell->idle, trial->idle, sizeof cell->idle);
}

knack_status grid_widen(struct grid *grid)
{
    struct grid wider;
    TRY(grid_new(grid->plan, grid->blocks, &wider));
    for (int64_t b = 0; b < grid->blocks; b++)
        memcpy(&wider.cell[b * wider.arms], &grid->cell[b * grid->arms], (size_t)grid->arms * sizeof *grid->cell);
    grid_free(grid);
    *grid = wider;
    return KNACK_OK;
}

struct trial_cell *grid_cell(const struct grid *grid, int64_t block, int64_t arm)
{
    bool inside = block >= 0 && block < grid->blocks && arm >= 0 && arm < grid->arms;
    return inside ? &grid->cell[block * grid->arms + arm] : NULL;
}

bool grid_there(const struct grid *grid, int64_t block, int64_t arm)
{
    const struct trial_cell *cell = grid_cell(grid, block, arm);
    return cell && cell->there;
}

bool grid_failed(const struct trial_cell *cell)
{
    return cell->there && (cell->status != TRIAL_DONE || !isfinite(cell->value));
}

double grid_value(const struct grid *grid, int64_t block, int64_t arm)
{
    const struct trial_cell *cell = grid_cell(grid, block, arm);
    if (!cell || !cell->there) return NAN;
    return grid_failed(cell) ? grid->plan->failed_score : cell->value;
}

double grid_score(const struct grid *grid, int64_t block, int64_t arm)
{
    double value = grid_value(grid, block, arm);
    return grid->plan->lower_is_better ? -value : value;
}

double grid_difference(const struct grid *grid, const struct contrast *contrast, int64_t block, bool *complete, double *size)
{
    double difference = 0, sizes = 0;
    bool all = true;
    for (int64_t a = 0; a < grid->plan->arms; a++) {
        if (contrast->weight[a] == 0) continue;
        double term = contrast->weight[a] * grid_score(grid, block, a);
        difference += term;
        sizes += fabs(term);
        all &= grid_there(grid, block, a);
    }
    if (complete) *complete = all;
    if (size) *size = sizes;
    return difference;
}

/* ---- Costs ---- */

static double rows_of(const struct trial_cost *cost)
{
    return 3 * cost->gradient_rows + cost->forward_rows;
}

static double updates_of(const struct trial_cost *cost)
{
    return (double)cost->updates;
}

static double mean_of(const struct grid *grid, int64_t arm, int64_t blocks, double (*number)(const struct trial_cost *))
{
    double sum = 0, count = 0;
    for (int64_t b = 0; b < grid->blocks && b < blocks; b++) {
        const struct trial_cell *cell = grid_cell(grid, b, arm);
        if (!cell || !cell->there || cell->status != TRIAL_DONE) continue;
        sum += number(&cell->cost);
        count++;
    }
    return count > 0 ? sum / count : NAN;
}

double grid_mean_cost(const struct grid *grid, int64_t arm, int64_t blocks)
{
    return mean_of(grid, arm, blocks, rows_of);
}

double grid_mean_updates(const struct grid *grid, int64_t arm, int64_t blocks)
{
    return mean_of(grid, arm, blocks, updates_of);
}
