/* Products and transposition of matrices that fit a core's first caches, as attention has them by the hundred: no call of a library, and no
 * shape that has to be prepared. */
#ifndef LOOPS_SMALL_PRODUCT_H
#define LOOPS_SMALL_PRODUCT_H

#include "tensor/kernels/loops/small_lanes.h"
#include "tensor/kernels/loops/small_matmul.h"

/* Rows of a product are padded to a multiple of so many. */
enum { SMALL_ROWS = 4 };

/* So many terms at once, where the left operand is read transposed: then what is read of it stays in the first cache for all its rows. */
enum { SMALL_TERMS = 32 };

/* c [rows, columns] = left [rows, terms] b [terms, columns]; rows is a multiple of SMALL_ROWS, columns of SMALL_LANES. */
VECTOR_INLINE void small_product(int64_t rows, int64_t columns, int64_t terms, struct small_left left, const knack_real *b, int64_t b_row,
                                 knack_real *c, int64_t c_row)
{
    const int64_t most = left.column == 1 ? terms : SMALL_TERMS;
    for (int64_t first = 0; first < terms; first += most) {
        const struct small_matmul part = {.rows = rows,
                                          .columns = columns,
                                          .terms = terms - first < most ? terms - first : most,
                                          .left = {left.a + first * left.column, left.row, left.column},
                                          .b = b + first * b_row,
                                          .b_row = b_row,
                                          .c = c,
                                          .c_row = c_row,
                                          .add = first > 0};
        small_matmul(&part);
    }
}

/* ---- Transposition ---- */

/* to [SMALL_BLOCK, SMALL_BLOCK] = from transposed: pairs, then fours, then halves change places. */
VECTOR_INLINE void small_transpose_block(const knack_real *from, int64_t from_row, knack_real *to, int64_t to_row)
{
    small_block x[SMALL_BLOCK], y[SMALL_BLOCK];
    for (int i = 0; i < SMALL_BLOCK; i++) x[i] = *(const small_block *)(const void *)(from + i * from_row);
    for (int i = 0; i < SMALL_BLOCK; i += 2) {
        y[i] = __builtin_shufflevector(x[i], x[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        y[i + 1] = __builtin_shufflevector(x[i], x[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < SMALL_BLOCK; i += 4)
        for (int k = 0; k < 2; k++) {
            x[i + k] = __builtin_shufflevector(y[i + k], y[i + k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            x[i + k + 2] = __builtin_shufflevector(y[i + k], y[i + k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        *(small_block *)(void *)(to + i * to_row) = __builtin_shufflevector(x[i], x[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *(small_block *)(void *)(to + (i + 4) * to_row) = __builtin_shufflevector(x[i], x[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* to [columns, rows] = x [rows, columns] transposed, row i of `to` being to + i to_row; what does not fill a block value by value. */
VECTOR_INLINE void small_transpose(int64_t rows, int64_t columns, const knack_real *x, int64_t x_row, knack_real *to, int64_t to_row)
{
    for (int64_t i = 0; i < rows; i += SMALL_BLOCK)
        for (int64_t j = 0; j < columns; j += SMALL_BLOCK) {
            if (rows - i >= SMALL_BLOCK && columns - j >= SMALL_BLOCK) {
                small_transpose_block(x + i * x_row + j, x_row, to + j * to_row + i, to_row);
                continue;
            }
            for (int64_t k = i; k < rows && k < i + SMALL_BLOCK; k++)
                for (int64_t l = j; l < columns && l < j + SMALL_BLOCK; l++) to[l * to_row + k] = x[k * x_row + l];
        }
}

#endif
