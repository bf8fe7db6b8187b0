/* The innermost loop of the reference products. */
#include "tensor/kernels/reference/tile.h"

#include <string.h>

#include "tensor/kernels/kernels.h"
#include "tensor/kernels/loops.h"

/* A row of a tile as one value, so that compilers keep a tile in registers. */
typedef double sums __attribute__((vector_size(TILE_COLUMNS * sizeof(double))));
typedef knack_real reals __attribute__((vector_size(TILE_COLUMNS * sizeof(knack_real))));

VECTOR
static void full_tile(int64_t depth, const knack_real *const row[TILE_ROWS], int64_t step, const knack_real *b, int64_t stride,
                      double sum[TILE_ROWS][TILE_COLUMNS])
{
    sums local[TILE_ROWS] = {{0}};
    for (int64_t k = 0; k < depth; k++) {
        reals values;
        memcpy(&values, b + k * stride, sizeof values);
        const sums wide = __builtin_convertvector(values, sums);
        for (int i = 0; i < TILE_ROWS; i++) local[i] += (double)row[i][k * step] * wide;
    }
    for (int i = 0; i < TILE_ROWS; i++)
        for (int j = 0; j < TILE_COLUMNS; j++) sum[i][j] += local[i][j];
}

static void narrow_tile(int64_t depth, const knack_real *const row[TILE_ROWS], int64_t step, const knack_real *b, int64_t stride,
                        int64_t columns, double sum[TILE_ROWS][TILE_COLUMNS])
{
    for (int i = 0; i < TILE_ROWS; i++)
        for (int64_t k = 0; k < depth; k++)
            for (int64_t j = 0; j < columns; j++) sum[i][j] += (double)row[i][k * step] * (double)b[k * stride + j];
}

void reference_tile(int64_t depth, const knack_real *const row[TILE_ROWS], int64_t step, const knack_real *b, int64_t stride,
                    int64_t columns, double sum[TILE_ROWS][TILE_COLUMNS])
{
    if (columns == TILE_COLUMNS)
        full_tile(depth, row, step, b, stride, sum);
    else
        narrow_tile(depth, row, step, b, stride, columns, sum);
}

const knack_real *reference_real(struct arena *arena, enum knack_type type, int64_t count, const void *values)
{
    if (type == KNACK_REAL) return values;
    knack_real *real = arena_alloc(arena, (size_t)count * sizeof *real);
    if (real) kernel_from_bf16(count, values, real);
    return real;
}
