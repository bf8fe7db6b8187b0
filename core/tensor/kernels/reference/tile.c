/* The innermost loop of the reference products. */
#include "tensor/kernels/reference/tile.h"

#include "tensor/kernels/kernels.h"
#include "tensor/kernels/loops.h"

KERNEL_INLINE void tile(int64_t depth, const knack_real *const row[TILE_ROWS], int64_t step, const knack_real *restrict b, int64_t stride,
                        int64_t columns, double sum[TILE_ROWS][TILE_COLUMNS])
{
    const knack_real *r0 = row[0], *r1 = row[1], *r2 = row[2], *r3 = row[3];
    double local[TILE_ROWS][TILE_COLUMNS] = {{0}};
    for (int64_t k = 0; k < depth; k++, b += stride, r0 += step, r1 += step, r2 += step, r3 += step) {
        for (int64_t j = 0; j < columns; j++) {
            local[0][j] += (double)*r0 * (double)b[j];
            local[1][j] += (double)*r1 * (double)b[j];
            local[2][j] += (double)*r2 * (double)b[j];
            local[3][j] += (double)*r3 * (double)b[j];
        }
    }
    for (int i = 0; i < TILE_ROWS; i++)
        for (int64_t j = 0; j < columns; j++) sum[i][j] += local[i][j];
}

VECTOR
void reference_tile(int64_t depth, const knack_real *const row[TILE_ROWS], int64_t step, const knack_real *b, int64_t stride,
                    int64_t columns, double sum[TILE_ROWS][TILE_COLUMNS])
{
    if (columns == TILE_COLUMNS)
        tile(depth, row, step, b, stride, TILE_COLUMNS, sum); /* a constant, so that the sums stay in registers */
    else
        tile(depth, row, step, b, stride, columns, sum);
}

const knack_real *reference_real(struct arena *arena, enum knack_type type, int64_t count, const void *values)
{
    if (type == KNACK_REAL) return values;
    knack_real *real = arena_alloc(arena, (size_t)count * sizeof *real);
    if (real) kernel_from_bf16(count, values, real);
    return real;
}
