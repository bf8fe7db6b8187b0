/* Matrix products in plain loops: b is packed into panels of a few columns, and a block of sums is kept in registers. */
#include "tensor/kernels/kernels.h"
#include "tensor/kernels/loops.h"
#include "tensor/kernels/reference/tile.h"

enum { PART_ROWS = 32 };

struct product {
    const struct matmul *shape;
    const knack_real *a;     /* [m, k] or [k, m] */
    const knack_real *panel; /* [panels, k, TILE_COLUMNS] */
    knack_real *c;           /* [m, n] */
};

/* op(b) [k, n] -> [panels, k, TILE_COLUMNS]; columns past n are 0. */
static void pack_panels(const struct matmul *shape, const knack_real *b, knack_real *panel)
{
    const int64_t n = shape->n, k = shape->k;
    for (int64_t first = 0; first < n; first += TILE_COLUMNS) {
        for (int64_t i = 0; i < k; i++, panel += TILE_COLUMNS) {
            for (int64_t j = 0; j < TILE_COLUMNS; j++) {
                const int64_t column = first + j;
                panel[j] = column >= n ? 0 : shape->transpose_b ? b[column * k + i] : b[i * n + column];
            }
        }
    }
}

static void store_tile(const struct product *product, int64_t row, int64_t column, double sum[TILE_ROWS][TILE_COLUMNS])
{
    const struct matmul *shape = product->shape;
    for (int64_t i = 0; i < TILE_ROWS && row + i < shape->m; i++) {
        knack_real *c = product->c + (row + i) * shape->n + column;
        for (int64_t j = 0; j < TILE_COLUMNS && column + j < shape->n; j++) {
            double value = sum[i][j] + (shape->bias ? (double)shape->bias[column + j] : 0);
            if (shape->activation == KNACK_RELU && value < 0) value = 0;
            c[j] = (knack_real)(shape->add ? (double)c[j] + value : value);
        }
    }
}

static void product_rows(void *user, int64_t part)
{
    const struct product *product = user;
    const struct matmul *shape = product->shape;
    const int64_t m = shape->m, k = shape->k;
    const int64_t end = (part + 1) * PART_ROWS < m ? (part + 1) * PART_ROWS : m;
    for (int64_t column = 0; column < shape->n; column += TILE_COLUMNS) {
        for (int64_t i = part * PART_ROWS; i < end; i += TILE_ROWS) {
            const knack_real *row[TILE_ROWS];
            for (int64_t r = 0; r < TILE_ROWS; r++) {
                const int64_t index = i + r < m ? i + r : m - 1; /* rows past the end are computed and not stored */
                row[r] = product->a + (shape->transpose_a ? index : index * k);
            }
            double sum[TILE_ROWS][TILE_COLUMNS] = {{0}};
            reference_tile(k, row, shape->transpose_a ? m : 1, product->panel + column * k, TILE_COLUMNS, TILE_COLUMNS, sum);
            store_tile(product, i, column, sum);
        }
    }
}

static knack_status multiply(struct arena *arena, const struct matmul *shape, const knack_real *a, const knack_real *b, knack_real *c)
{
    const int64_t m = shape->m, n = shape->n, k = shape->k;
    const int64_t panels = (n + TILE_COLUMNS - 1) / TILE_COLUMNS;
    knack_real *panel = arena_alloc(arena, (size_t)(panels * TILE_COLUMNS * k) * sizeof *panel);
    if (!panel) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < shape->batch; i++) {
        pack_panels(shape, b + i * k * n, panel);
        struct product product = {.shape = shape, .a = a + i * m * k, .panel = panel, .c = c + i * m * n};
        const int64_t parts = (m + PART_ROWS - 1) / PART_ROWS;
        run_parts(m * n * k, parts, product_rows, &product);
    }
    return KNACK_OK;
}

static knack_status multiply_as_real(struct arena *arena, const struct matmul *shape)
{
    const int64_t batch = shape->batch, m = shape->m, n = shape->n, k = shape->k;
    const knack_real *a = reference_real(arena, shape->type, batch * m * k, shape->a);
    const knack_real *b = reference_real(arena, shape->type, batch * k * n, shape->b);
    if (!a || !b) return KNACK_E_MEMORY;
    if (shape->type == KNACK_REAL || shape->result == KNACK_REAL) return multiply(arena, shape, a, b, shape->c);
    knack_real *c = arena_alloc(arena, (size_t)(batch * m * n) * sizeof *c);
    if (!c) return KNACK_E_MEMORY;
    if (shape->add) kernel_from_bf16(batch * m * n, shape->c, c);
    TRY(multiply(arena, shape, a, b, c));
    kernel_to_bf16(batch * m * n, c, shape->c);
    return KNACK_OK;
}

knack_status reference_matmul(struct arena *arena, const struct matmul *shape)
{
    const struct arena_mark mark = arena_mark(arena);
    knack_status status = multiply_as_real(arena, shape);
    arena_rewind(arena, mark);
    return status;
}
