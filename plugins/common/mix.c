#include "common/mix.h"

knack_status mix_check(knack_trick *trick)
{
    if (knack_task(trick)->batch >= 2) return KNACK_OK;
    return knack_fail(trick, "it mixes pairs of a batch's rows, and \"train.batch\" is 1: make it at least 2, or leave the trick out");
}

knack_status mix_pairs(knack_trick *trick, knack_step *step, uint32_t purpose, struct mix *mix)
{
    int64_t rows = knack_batch(step)->rows;
    int64_t *partner = knack_scratch(step, (size_t)rows * sizeof *partner);
    knack_real *lambda = knack_scratch(step, (size_t)rows * sizeof *lambda);
    if (!partner || !lambda) return KNACK_E_MEMORY;
    knack_pairs(trick, purpose, rows, partner);
    *mix = (struct mix){rows, partner, lambda};
    return KNACK_OK;
}

knack_status mix_pair_targets(knack_step *step, const struct mix *mix)
{
    knack_status status = knack_keep_together(step, mix->partner);
    return status < 0 ? status : knack_mix_targets(step, mix->partner, mix->lambda);
}
