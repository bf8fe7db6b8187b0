/* Products of matrices that fit a core's first caches, as attention has them by the hundred: no call of a library, and no shape that has
 * to be prepared. */
#ifndef LOOPS_SMALL_PRODUCT_H
#define LOOPS_SMALL_PRODUCT_H

#include "tensor/vector.h"

/* A vector of so many values: one register of AVX-512, two of AVX2. Rows of all operands are padded to whole ones. */
enum { SMALL_LANES = 16, SMALL_ROWS = 4, SMALL_WIDE = 2 };
typedef knack_real small_lanes __attribute__((vector_size(SMALL_LANES * sizeof(knack_real)), aligned(sizeof(knack_real)), may_alias));

/* Element (i, k) of the left operand is a[i * row + k * column], so that it may be read transposed. */
struct small_left {
    const knack_real *a;
    int64_t row, column;
};

/* c [SMALL_ROWS, vectors * SMALL_LANES] = a b, over k terms in their order; the sums stay in registers. */
#define SMALL_TILE(vectors)                                                                                                                \
    VECTOR_INLINE void small_tile_##vectors(int64_t terms, struct small_left left, const knack_real *b, int64_t b_row, knack_real *c,      \
                                            int64_t c_row)                                                                                 \
    {                                                                                                                                      \
        small_lanes sum[SMALL_ROWS][vectors];                                                                                              \
        for (int i = 0; i < SMALL_ROWS; i++)                                                                                               \
            for (int v = 0; v < (vectors); v++) sum[i][v] = (small_lanes){0};                                                              \
        for (int64_t k = 0; k < terms; k++) {                                                                                              \
            const small_lanes *right = (const small_lanes *)(const void *)(b + k * b_row);                                                 \
            for (int i = 0; i < SMALL_ROWS; i++) {                                                                                         \
                const knack_real factor = left.a[i * left.row + k * left.column];                                                          \
                for (int v = 0; v < (vectors); v++) sum[i][v] += factor * right[v];                                                        \
            }                                                                                                                              \
        }                                                                                                                                  \
        for (int i = 0; i < SMALL_ROWS; i++)                                                                                               \
            for (int v = 0; v < (vectors); v++) ((small_lanes *)(void *)(c + i * c_row))[v] = sum[i][v];                                   \
    }
SMALL_TILE(1)
SMALL_TILE(2)
#undef SMALL_TILE

/* c [rows, columns] = left [rows, terms] b [terms, columns]; rows is a multiple of SMALL_ROWS, columns of SMALL_LANES. */
VECTOR_INLINE void small_product(int64_t rows, int64_t columns, int64_t terms, struct small_left left, const knack_real *b, int64_t b_row,
                                 knack_real *c, int64_t c_row)
{
    for (int64_t j = 0; j < columns; j += SMALL_WIDE * SMALL_LANES)
        for (int64_t i = 0; i < rows; i += SMALL_ROWS) {
            const struct small_left part = {left.a + i * left.row, left.row, left.column};
            if (columns - j >= SMALL_WIDE * SMALL_LANES)
                small_tile_2(terms, part, b + j, b_row, c + i * c_row + j, c_row);
            else
                small_tile_1(terms, part, b + j, b_row, c + i * c_row + j, c_row);
        }
}

#endif
