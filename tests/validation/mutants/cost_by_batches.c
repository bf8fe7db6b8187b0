/* A fault on purpose: an update costs the same, however many rows and passes it takes. */
#include "compare/grid/grid.h"

double __wrap_grid_mean_cost(const struct grid *, int64_t arm, int64_t blocks);

double __wrap_grid_mean_cost(const struct grid *grid, int64_t arm, int64_t blocks)
{
    return grid_mean_updates(grid, arm, blocks);
}
