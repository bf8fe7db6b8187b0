/* Optimizers: one pass over the flat buffers. SGD as torch.optim.SGD (dampening 0), Adam (arXiv:1412.6980) with L2 decay in the gradient,
 * AdamW (arXiv:1711.05101) with decoupled decay. */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include "model/params.h"
#include "train/settings.h"

struct optimizer {
    struct optimizer_settings settings;
    struct params *params;
    knack_real *moment[2]; /* [params.total] each; NULL where the type has none: SGD momentum in 0; Adam m, v */
    int64_t moments;
    int64_t updates; /* that were made; Adam's t */
    /* Per parameter, in the order of params: */
    double *lr_scale, *weight_decay;
};

/* After params_allocate(). Decay is 0 for parameters marked no_decay or with one axis, unless settings say otherwise by group or decay_all.
 * A group whose pattern matches nothing is an error that lists the names. */
knack_status optimizer_new(const struct optimizer_settings *, struct params *, struct optimizer **);
void optimizer_free(struct optimizer *);
void optimizer_update(struct optimizer *, double lr); /* params.live.values from params.gradients */

#endif
