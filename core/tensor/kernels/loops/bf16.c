/* Between KNACK_REAL and bf16, the upper half of an f32. */
#include "tensor/kernels/loops/bf16.h"

#include "tensor/kernels/kernels.h"
#include "tensor/kernels/loops.h"

enum { PART = 1 << 16 };

VECTOR
static void to_bf16(int64_t count, const knack_real *restrict x, uint16_t *restrict out)
{
    for (int64_t i = 0; i < count; i++) out[i] = bf16_round(x[i]);
}

VECTOR
static void from_bf16(int64_t count, const uint16_t *restrict x, knack_real *restrict out)
{
    for (int64_t i = 0; i < count; i++) {
        const uint32_t bits = (uint32_t)x[i] << 16;
        float f;
        memcpy(&f, &bits, sizeof f);
        out[i] = (knack_real)f;
    }
}

struct cast {
    int64_t count;
    const void *x;
    void *out;
};

static int64_t part_count(const struct cast *cast, int64_t part)
{
    const int64_t left = cast->count - part * PART;
    return left < PART ? left : PART;
}

static void to_bf16_part(void *user, int64_t part)
{
    const struct cast *cast = user;
    to_bf16(part_count(cast, part), (const knack_real *)cast->x + part * PART, (uint16_t *)cast->out + part * PART);
}

static void from_bf16_part(void *user, int64_t part)
{
    const struct cast *cast = user;
    from_bf16(part_count(cast, part), (const uint16_t *)cast->x + part * PART, (knack_real *)cast->out + part * PART);
}

void kernel_to_bf16(int64_t count, const knack_real *x, uint16_t *out)
{
    struct cast cast = {.count = count, .x = x, .out = out};
    threads_run((count + PART - 1) / PART, to_bf16_part, &cast);
}

void kernel_from_bf16(int64_t count, const uint16_t *x, knack_real *out)
{
    struct cast cast = {.count = count, .x = x, .out = out};
    threads_run((count + PART - 1) / PART, from_bf16_part, &cast);
}
