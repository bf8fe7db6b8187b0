/* Small products for one width of vectors; included once for each by small_matmul.c, which defines
 *   LANES   values of a vector, a power of two
 *   ROWS    of a tile, which has two vectors side by side; as many as the registers hold
 *   LEVEL   (name): the name with the level behind it
 *   TARGET  what of the CPU the functions may use
 */
#define INLINE     static inline __attribute__((always_inline)) TARGET
#define lanes      LEVEL(lanes)
#define bits       LEVEL(bits)
#define EACH_ROW() _Pragma("GCC unroll 8") for (int i = 0; i < rows; i++)
#define EACH_SUM() EACH_ROW() _Pragma("GCC unroll 2") for (int v = 0; v < vectors; v++)

typedef knack_real lanes __attribute__((vector_size(LANES * sizeof(knack_real)), aligned(sizeof(knack_real)), may_alias));
#ifdef KNACK_REAL_DOUBLE
typedef int64_t bits __attribute__((vector_size(LANES * sizeof(int64_t)))); /* what comparing gives */
#else
typedef int32_t bits __attribute__((vector_size(LANES * sizeof(int32_t))));
#endif

/* The first count values of x; count < LANES: zeros behind them. */
INLINE lanes LEVEL(load)(const knack_real *x, int64_t count)
{
    lanes part = {0};
    if (count >= LANES) return *(const lanes *)(const void *)x;
    for (int64_t i = 0; i < count; i++) part[i] = x[i];
    return part;
}

INLINE void LEVEL(store)(knack_real *x, int64_t count, lanes value)
{
    if (count >= LANES)
        *(lanes *)(void *)x = value;
    else
        for (int64_t i = 0; i < count; i++) x[i] = value[i];
}

/* to [terms, width] = b's columns from `first` on, with zeros behind them. */
INLINE void LEVEL(copy_panel)(const struct small_matmul *p, int64_t first, int64_t columns, int64_t width, knack_real *to)
{
    if (p->transpose_b) small_transpose(columns, p->terms, p->b + first * p->b_row, p->b_row, to, width);
    for (int64_t k = 0; k < p->terms; k++) {
        for (int64_t j = 0; j < columns && !p->transpose_b; j++) to[k * width + j] = p->b[k * p->b_row + first + j];
        for (int64_t j = columns; j < width; j++) to[k * width + j] = 0;
    }
}

/* Rows and vectors, both constants, of c; b's columns there begin at `from`. The sums stay in registers. count: columns of c that are
 * left, which the last vector may exceed. */
INLINE void LEVEL(tile)(const struct small_matmul *p, const int rows, const int vectors, int64_t row, int64_t column, int64_t count,
                        const knack_real *from, int64_t from_row)
{
    const struct small_left left = {p->left.a + row * p->left.row, p->left.row, p->left.column};
    knack_real *c = p->c + row * p->c_row + column;
    lanes sum[ROWS][2];
    EACH_SUM() sum[i][v] = (lanes){0};
    for (int64_t k = 0; k < p->terms; k++) {
        lanes right[2];
        for (int v = 0; v < vectors; v++) right[v] = LEVEL(load)(from + k * from_row + v * LANES, LANES);
        EACH_ROW()
        {
            const knack_real factor = left.a[i * left.row + k * left.column];
            for (int v = 0; v < vectors; v++) sum[i][v] += factor * right[v];
        }
    }
    if (p->bias) EACH_SUM() sum[i][v] += LEVEL(load)(p->bias + column + v * LANES, count - v * LANES);
    if (p->add) EACH_SUM() sum[i][v] += LEVEL(load)(c + i * p->c_row + v * LANES, count - v * LANES);
    if (p->relu) EACH_SUM() sum[i][v] = (lanes)((bits)sum[i][v] & ~(sum[i][v] < 0));
    EACH_SUM() LEVEL(store)(c + i * p->c_row + v * LANES, count - v * LANES, sum[i][v]);
}

/* All rows of one or two vectors of columns. */
INLINE void LEVEL(panel)(const struct small_matmul *p, const int vectors, int64_t column, int64_t count, const knack_real *from,
                         int64_t from_row)
{
    int64_t row = 0;
    for (; row + ROWS <= p->rows; row += ROWS) LEVEL(tile)(p, ROWS, vectors, row, column, count, from, from_row);
    for (; row + 4 <= p->rows; row += 4) LEVEL(tile)(p, 4, vectors, row, column, count, from, from_row);
    for (; row + 2 <= p->rows; row += 2) LEVEL(tile)(p, 2, vectors, row, column, count, from, from_row);
    if (row < p->rows) LEVEL(tile)(p, 1, vectors, row, column, count, from, from_row);
}

TARGET static void LEVEL(matmul)(const struct small_matmul *p)
{
    knack_real copy[SMALL_MATMUL_TERMS * 2 * LANES];
    for (int64_t column = 0; column < p->columns; column += 2 * LANES) {
        const int64_t left = p->columns - column, count = left < 2 * LANES ? left : 2 * LANES;
        const int64_t width = count > LANES ? 2 * LANES : LANES;
        const bool copied = p->transpose_b || count < width;
        if (copied) LEVEL(copy_panel)(p, column, count, width, copy);
        const knack_real *from = copied ? copy : p->b + column;
        const int64_t from_row = copied ? width : p->b_row;
        if (count == 2 * LANES)
            LEVEL(panel)(p, 2, column, 2 * LANES, from, from_row);
        else if (count > LANES)
            LEVEL(panel)(p, 2, column, count, from, from_row);
        else if (count == LANES)
            LEVEL(panel)(p, 1, column, LANES, from, from_row);
        else
            LEVEL(panel)(p, 1, column, count, from, from_row);
    }
}

#undef INLINE
#undef lanes
#undef bits
#undef EACH_ROW
#undef EACH_SUM
#undef LANES
#undef ROWS
#undef LEVEL
#undef TARGET
