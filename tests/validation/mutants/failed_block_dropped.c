/* A fault on purpose: a block in which a trial failed is left out. */
#include "compare/grid/grid.h"

double __real_grid_difference(const struct grid *, const struct contrast *, int64_t block, bool *complete, double *size);
double __wrap_grid_difference(const struct grid *, const struct contrast *, int64_t block, bool *complete, double *size);

double __wrap_grid_difference(const struct grid *grid, const struct contrast *contrast, int64_t block, bool *complete, double *size)
{
    double difference = __real_grid_difference(grid, contrast, block, complete, size);
    for (int64_t a = 0; complete && *complete && a < grid->plan->arms; a++)
        if (contrast->weight[a] != 0 && grid_failed(grid_cell(grid, block, a))) *complete = false;
    return difference;
}
