/* What mixers share: pairs of a batch's rows, and how much of itself each row keeps. */
#ifndef PLUGINS_MIX_H
#define PLUGINS_MIX_H

#include <knack/plugin.h>

/* Of one step; zeroed: nothing is mixed. */
struct mix {
    int64_t rows;
    int64_t *partner;   /* [rows] an involution: of i's partner the partner is i. A row without one: itself */
    knack_real *lambda; /* [rows] share of its own target that a row keeps */
};

/* To be asked in open: whether batches have rows to pair; else a failure. */
knack_status mix_check(knack_trick *);
/* Draws pairs; lambda is there to be written. */
knack_status mix_pairs(knack_trick *, knack_step *, uint32_t purpose, struct mix *);
/* Has pairs share a micro-batch, and mixes their targets by lambda. */
knack_status mix_pair_targets(knack_step *, const struct mix *);

#endif
