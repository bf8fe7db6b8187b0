/* Small products for each width of vectors, and which products are small. */
#include "tensor/kernels/loops/small_matmul.h"

#include "tensor/kernels/loops/small_product.h"

#define LANES       (16 / (int)sizeof(knack_real))
#define ROWS        4
#define LEVEL(name) name##_narrow
#define TARGET
#include "tensor/kernels/loops/small_matmul_level.h"

#ifdef VECTOR_LEVELS

#define LANES       (32 / (int)sizeof(knack_real))
#define ROWS        4
#define LEVEL(name) name##_avx2
#define TARGET      __attribute__((target("avx2,fma")))
#include "tensor/kernels/loops/small_matmul_level.h"

#define LANES       (64 / (int)sizeof(knack_real))
#define ROWS        8
#define LEVEL(name) name##_avx512
#define TARGET      __attribute__((target("avx512f")))
#include "tensor/kernels/loops/small_matmul_level.h"

int small_matmul_levels(void)
{
    if (__builtin_cpu_supports("avx512f")) return 3;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 2 : 1;
}

void small_matmul_at(int level, const struct small_matmul *p)
{
    if (level == 2)
        matmul_avx512(p);
    else if (level == 1)
        matmul_avx2(p);
    else
        matmul_narrow(p);
}

#else

int small_matmul_levels(void)
{
    return 1;
}

void small_matmul_at(int level, const struct small_matmul *p)
{
    (void)level;
    matmul_narrow(p);
}

#endif

void small_matmul(const struct small_matmul *p)
{
    small_matmul_at(small_matmul_levels() - 1, p);
}

bool small_matmul_fits(const struct matmul *m)
{
    enum { MOST_WORK = 4000000 }; /* of one matrix: above, what a call of the library costs does not count */
    const bool real = m->type == KNACK_REAL && (m->result == 0 || m->result == KNACK_REAL);
    return real && m->k <= SMALL_MATMUL_TERMS && 2 * m->m * m->n * m->k <= MOST_WORK;
}

void small_matmul_batch(const struct matmul *m)
{
    struct small_matmul p = {.rows = m->m,
                             .columns = m->n,
                             .terms = m->k,
                             .left = {m->a, m->transpose_a ? 1 : m->k, m->transpose_a ? m->m : 1},
                             .b = m->b,
                             .b_row = m->transpose_b ? m->k : m->n,
                             .transpose_b = m->transpose_b,
                             .c = m->c,
                             .c_row = m->n,
                             .bias = m->bias,
                             .add = m->add,
                             .relu = m->activation == KNACK_RELU};
    for (int64_t i = 0; i < m->batch; i++, p.left.a += m->m * m->k, p.b += m->k * m->n, p.c += m->m * m->n) small_matmul(&p);
}
