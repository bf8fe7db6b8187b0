/* The gradient before a linear layer's ReLU and dropout, and its column sums, which are the bias's: blocks of rows in KNACK_REAL, blocks
 * joined in order in double. Threads share out the columns. */
#include "tensor/kernels/kernels.h"
#include "tensor/kernels/loops.h"
#include "tensor/kernels/loops/bf16.h"

enum { BLOCK_ROWS = 64, PART_COLUMNS = 64 };

/* What is done on the way; all constants. */
struct form {
    bool relu;       /* only what ReLU and dropout let through counts */
    bool real, half; /* it is kept as KNACK_REAL, or as bf16 */
};

VECTOR_INLINE knack_real inner(const struct linear_gradient *l, int64_t at, const struct form form)
{
    const knack_real through = form.relu ? l->dy[at] * l->scale : l->dy[at], value = form.relu && !(l->y[at] > 0) ? 0 : through;
    if (form.real) ((knack_real *)l->dz)[at] = value;
    if (form.half) ((uint16_t *)l->dz)[at] = bf16_round(value);
    return value;
}

/* total[j] += sums over all rows, for j < width <= PART_COLUMNS. */
VECTOR_INLINE void columns_as(const struct linear_gradient *l, int64_t column, int64_t width, double *total, const struct form form)
{
    for (int64_t first = 0; first < l->rows; first += BLOCK_ROWS) {
        const int64_t end = first + BLOCK_ROWS < l->rows ? first + BLOCK_ROWS : l->rows;
        knack_real block[PART_COLUMNS] = {0};
        for (int64_t i = first; i < end; i++)
#pragma GCC ivdep
            for (int64_t j = 0; j < width; j++) block[j] += inner(l, i * l->columns + column + j, form);
        for (int64_t j = 0; j < width; j++) total[j] += (double)block[j];
    }
}

VECTOR_INLINE void columns(const struct linear_gradient *l, int64_t column, int64_t width, double *total)
{
    if (!l->dz)
        columns_as(l, column, width, total, (struct form){0});
    else if (l->type == KNACK_REAL)
        columns_as(l, column, width, total, (struct form){.relu = true, .real = true});
    else if (l->y)
        columns_as(l, column, width, total, (struct form){.relu = true, .half = true});
    else
        columns_as(l, column, width, total, (struct form){.half = true});
}

VECTOR
static void part(const struct linear_gradient *l, int64_t column, int64_t width, double *total)
{
    const struct linear_gradient own = *l; /* which cannot change by what is stored */
    if (width == PART_COLUMNS)
        columns(&own, column, PART_COLUMNS, total); /* a constant, so that a block's sums stay in registers */
    else
        columns(&own, column, width, total);
}

static void run_part(void *user, int64_t index)
{
    const struct linear_gradient *l = user;
    const int64_t first = index * PART_COLUMNS, width = l->columns - first < PART_COLUMNS ? l->columns - first : PART_COLUMNS;
    double total[PART_COLUMNS] = {0};
    part(l, first, width, total);
    for (int64_t j = 0; j < width && l->dbias; j++)
        l->dbias[first + j] = (knack_real)(l->add ? (double)l->dbias[first + j] + total[j] : total[j]);
}

void kernel_linear_gradient(const struct linear_gradient *l)
{
    struct linear_gradient own = *l;
    run_parts(l->rows * l->columns, (l->columns + PART_COLUMNS - 1) / PART_COLUMNS, run_part, &own);
}

void kernel_column_sums(int64_t rows, int64_t columns, const knack_real *x, knack_real *out, bool add)
{
    kernel_linear_gradient(&(struct linear_gradient){.rows = rows, .columns = columns, .dy = x, .dbias = out, .add = add});
}
