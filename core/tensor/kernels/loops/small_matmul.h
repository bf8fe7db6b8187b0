/* Products of small matrices, as attention has them by the hundred and a small network in every layer: no call of a library, and no shape
 * that has to be prepared. One thread each; sums run over the terms in their order. */
#ifndef LOOPS_SMALL_MATMUL_H
#define LOOPS_SMALL_MATMUL_H

#include "tensor/kernels/kernels.h"

/* Most terms: a b that is transposed, or has columns that make no whole vectors, is copied first. */
enum { SMALL_MATMUL_TERMS = 512 };

/* Element (i, k) of the left operand is a[i * row + k * column], so that it may be read transposed. */
struct small_left {
    const knack_real *a;
    int64_t row, column;
};

/* c [rows, columns] (+)= left [rows, terms] b [terms, columns], or b [columns, terms] transposed. */
struct small_matmul {
    int64_t rows, columns, terms;
    struct small_left left;
    const knack_real *b;
    int64_t b_row; /* from a stored row of b to the next */
    bool transpose_b;
    knack_real *c;
    int64_t c_row;
    const knack_real *bias; /* [columns], or NULL */
    bool add, relu;         /* relu: what is below 0 becomes 0, NaN stays */
};
void small_matmul(const struct small_matmul *);

/* Whether a product had better be computed so than by the library: it is small, or many small ones, in KNACK_REAL. */
bool small_matmul_fits(const struct matmul *);
void small_matmul_batch(const struct matmul *);

/* The same for each width of vectors that the CPU has, for tests: level 0 .. levels - 1. */
int small_matmul_levels(void);
void small_matmul_at(int level, const struct small_matmul *);

#endif
