/* The innermost loop of the reference products: one small block of sums that stays in registers. */
#ifndef KERNELS_REFERENCE_TILE_H
#define KERNELS_REFERENCE_TILE_H

#include "base/arena.h"
#include "base/status.h"

enum { TILE_ROWS = 4, TILE_COLUMNS = 8 };

/* sum[i][j] += sum over k < depth of row[i][k * step] * b[k * stride + j], for j < columns <= TILE_COLUMNS. */
void reference_tile(int64_t depth, const knack_real *const row[TILE_ROWS], int64_t step, const knack_real *b, int64_t stride,
                    int64_t columns, double sum[TILE_ROWS][TILE_COLUMNS]);

/* values as KNACK_REAL: themselves, or a copy in the arena if they are KNACK_BF16; NULL on failure. */
const knack_real *reference_real(struct arena *, enum knack_type, int64_t count, const void *values);

#endif
