/* Column sums: blocks of rows in KNACK_REAL, blocks joined in order in double. Threads share out the columns. */
#include "tensor/kernels/kernels.h"
#include "tensor/kernels/loops.h"

enum { BLOCK_ROWS = 64, PART_COLUMNS = 64 };

struct column_sums {
    int64_t rows, columns;
    const knack_real *x; /* [rows, columns] */
    knack_real *out;     /* [columns] */
    bool add;
};

/* total[j] += sums over all rows, for j < width <= PART_COLUMNS. */
VECTOR_INLINE void sum_columns(int64_t rows, int64_t columns, const knack_real *x, int64_t width, double *total)
{
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS) {
        const int64_t end = first + BLOCK_ROWS < rows ? first + BLOCK_ROWS : rows;
        knack_real block[PART_COLUMNS] = {0};
        for (int64_t i = first; i < end; i++)
            for (int64_t j = 0; j < width; j++) block[j] += x[i * columns + j];
        for (int64_t j = 0; j < width; j++) total[j] += (double)block[j];
    }
}

VECTOR
static void sum_part(const struct column_sums *sums, int64_t first, int64_t width, double *total)
{
    const knack_real *x = sums->x + first;
    if (width == PART_COLUMNS)
        sum_columns(sums->rows, sums->columns, x, PART_COLUMNS, total); /* a constant, so that a block's sums stay in registers */
    else
        sum_columns(sums->rows, sums->columns, x, width, total);
}

static void column_part(void *user, int64_t part)
{
    const struct column_sums *sums = user;
    const int64_t first = part * PART_COLUMNS;
    const int64_t width = sums->columns - first < PART_COLUMNS ? sums->columns - first : PART_COLUMNS;
    double total[PART_COLUMNS] = {0};
    sum_part(sums, first, width, total);
    knack_real *out = sums->out + first;
    for (int64_t j = 0; j < width; j++) out[j] = (knack_real)(sums->add ? (double)out[j] + total[j] : total[j]);
}

void kernel_column_sums(int64_t rows, int64_t columns, const knack_real *x, knack_real *out, bool add)
{
    struct column_sums sums = {.rows = rows, .columns = columns, .x = x, .out = out, .add = add};
    const int64_t parts = (columns + PART_COLUMNS - 1) / PART_COLUMNS;
    run_parts(rows * columns, parts, column_part, &sums);
}
