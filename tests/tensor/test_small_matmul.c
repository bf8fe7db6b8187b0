/* Products of small matrices at every width of vectors that this CPU has, against the definition. */
#include "kernel_call.h"

#include "tensor/kernels/loops/small_matmul.h"

/* Element by element in double. */
static double naive(const struct small_matmul *p, int64_t i, int64_t j, knack_real before)
{
    double sum = (p->bias ? (double)p->bias[j] : 0) + (p->add ? (double)before : 0);
    for (int64_t k = 0; k < p->terms; k++) {
        const knack_real b = p->transpose_b ? p->b[j * p->b_row + k] : p->b[k * p->b_row + j];
        sum += (double)p->left.a[i * p->left.row + k * p->left.column] * (double)b;
    }
    return p->relu && sum < 0 ? 0 : sum;
}

/* The product, with c's rows apart: what lies between them stays. */
static void check(struct small_matmul p, int level, const knack_real *before)
{
    p.c = room((size_t)(p.rows * p.c_row) * sizeof *p.c);
    memcpy(p.c, before, (size_t)(p.rows * p.c_row) * sizeof *p.c);
    small_matmul_at(level, &p);
    for (int64_t at = 0; at < p.rows * p.c_row; at++) {
        const int64_t row = at / p.c_row, column = at % p.c_row;
        const double wanted = column < p.columns ? naive(&p, row, column, before[at]) : (double)before[at];
        if (!(fabs((double)p.c[at] - wanted) <= sum_error(p.terms + 2)))
            fail_msg("level %d, [%d, %d, %d]: value %d is %.9g, expected %.9g", level, (int)p.rows, (int)p.columns, (int)p.terms, (int)at,
                     (double)p.c[at], wanted);
    }
}

static void products(void **state)
{
    (void)state;
    static const int64_t shapes[][3] = {{1, 1, 1},   {8, 32, 16}, {7, 5, 3}, {33, 37, 18}, {9, 16, 5}, {2, 70, SMALL_MATMUL_TERMS},
                                        {19, 10, 64}};
    for (int64_t s = 0; s < LENGTH(shapes); s++) {
        for (int way = 0; way < 32; way++) {
            const int64_t rows = shapes[s][0], columns = shapes[s][1], terms = shapes[s][2];
            struct small_matmul p = {.rows = rows, .columns = columns, .terms = terms, .transpose_b = way & 2, .c_row = columns + 3};
            p.left = (struct small_left){values(rows * terms), way & 1 ? 1 : terms, way & 1 ? rows : 1};
            p.b = values(terms * columns);
            p.b_row = p.transpose_b ? terms : columns;
            p.relu = way & 4;
            p.add = way & 8;
            p.bias = way & 16 ? values(columns) : NULL;
            const knack_real *before = values(rows * p.c_row);
            for (int level = 0; level < small_matmul_levels(); level++) check(p, level, before);
            arena_reset(arena);
        }
    }
}

static void relu_of_nan(void **state)
{
    (void)state;
    enum { ROWS = 42 };
    knack_real x[ROWS], y[ROWS], minus_one = -1;
    for (int i = 0; i < ROWS; i++) x[i] = i % 2 ? 1 : (knack_real)NAN;
    for (int level = 0; level < small_matmul_levels(); level++) {
        for (int rows = 1; rows <= ROWS; rows++) {
            const struct small_matmul p = {
                .rows = rows, .columns = 1, .terms = 1, .left = {x, 1, 1}, .b = &minus_one, .b_row = 1, .c = y, .c_row = 1, .relu = true};
            small_matmul_at(level, &p);
            for (int i = 0; i < rows; i++) assert_true(i % 2 ? y[i] == 0 : isnan(y[i]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(products), cmocka_unit_test(relu_of_nan)};
    return cmocka_run_group_tests_name("small products", tests, open_arena, close_arena);
}
