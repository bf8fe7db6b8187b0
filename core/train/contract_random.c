/* The contract: random numbers as functions of (seed, instance, purpose, batch, element). */
#include <stdio.h>

#include "base/random.h"
#include "train/state.h"

static const uint32_t after_open = ANYWHERE & ~AT(OPEN);

/* Each kind of draw has streams of its own, so that a trick may use one purpose for several. */
enum draw { DRAW_UNIFORM, DRAW_BETA, DRAW_PAIRS };

uint64_t trick_key(const knack_trick *trick)
{
    char name[256];
    snprintf(name, sizeof name, "trick.%s", trick->name);
    return random_key(trick->run->seed, name);
}

static struct random_place place(const knack_trick *trick, uint32_t purpose, enum draw draw)
{
    return (struct random_place){(uint32_t)trick->run->at.batch, purpose, draw};
}

void knack_uniform(knack_trick *trick, uint32_t purpose, int64_t first, int64_t count, knack_real *out)
{
    if (!call_allowed(trick, after_open, "knack_uniform")) return;
    random_uniforms(trick_key(trick), place(trick, purpose, DRAW_UNIFORM), (uint64_t)first, count, out);
    if (trick->run->trace) trace_numbers(trick->run, trick, "uniform", purpose, first, count, out);
}

void knack_beta(knack_trick *trick, uint32_t purpose, double a, double b, int64_t count, knack_real *out)
{
    if (!call_allowed(trick, after_open, "knack_beta")) return;
    if (!(a > 0 && b > 0)) {
        call_fail(trick->run, KNACK_E_CALL, "knack_beta(): a = %g and b = %g must be above 0", a, b);
        return;
    }
    uint64_t key = trick_key(trick);
    for (int64_t i = 0; i < count; i++) out[i] = (knack_real)random_beta(key, place(trick, purpose, DRAW_BETA), (uint64_t)i, a, b);
    if (trick->run->trace) trace_numbers(trick->run, trick, "beta", purpose, 0, count, out);
}

void knack_pairs(knack_trick *trick, uint32_t purpose, int64_t rows, int64_t *partner)
{
    if (!call_allowed(trick, after_open, "knack_pairs")) return;
    int32_t *order = knack_scratch(&trick->run->step, (size_t)rows * sizeof *order);
    for (int64_t i = 0; i < rows; i++) partner[i] = i;
    if (!order) return;
    random_permutation(trick_key(trick), place(trick, purpose, DRAW_PAIRS), rows, order);
    for (int64_t i = 0; i + 1 < rows; i += 2) {
        partner[order[i]] = order[i + 1];
        partner[order[i + 1]] = order[i];
    }
    if (trick->run->trace) trace_pairs(trick->run, trick, purpose, rows, partner);
}
