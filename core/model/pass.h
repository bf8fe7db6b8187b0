/* What a model needs to know of the pass that it computes: the tape, the weights in use, the mode, how rows are addressed, and whom to
 * call with a layer's output. The train floor's step begins with this. */
#ifndef MODEL_PASS_H
#define MODEL_PASS_H

#include <knack/knack.h>

#include "model/params.h"
#include "tensor/tape.h"

enum pass_norms {
    NORMS_RUNNING,   /* evaluation: running statistics normalise */
    NORMS_BATCH,     /* training: the batch's own; running ones stay */
    NORMS_MOVE,      /* training: the batch's own, and running ones move by momentum 0.1 (unbiased variance) */
    NORMS_REESTIMATE /* the batch's own, and sums for sample-weighted pooled statistics are gathered in `sums` */
};

struct model_pass {
    struct step_base base;
    struct params *params;
    struct knack_weights *weights; /* in use: values are read from it, running statistics read and moved in it */
    bool gradients;                /* leaves of parameters get gradients */
    bool training;                 /* dropout draws */
    enum pass_norms norms;
    /* NORMS_REESTIMATE: [2 * params.statistics_total], zeroed before the sweep: by statistic offset the mean so far and the sum of squared
     * deviations from it; in the second half, at the mean's offset, the number of values. */
    double *sums;
    enum knack_type compute; /* KNACK_REAL or KNACK_BF16: type of matrix products */
    uint64_t seed;
    uint32_t batch;     /* clock of attempts */
    uint32_t redraw;    /* dropout: gradient pass and forward number if told to redraw, else 0 */
    int64_t rows;       /* of this pass */
    const int64_t *row; /* [rows] -> row of the logical batch */
    /* Layer filters of tricks; NULL: none. */
    knack_tensor *(*filter)(knack_step *, const char *name, knack_tensor *out);
    void (*saw_mask)(knack_step *, const char *name, double rate, int64_t elements); /* of a row; for --trace; NULL: none */
};
static inline struct model_pass *model_pass(knack_step *step)
{
    return (struct model_pass *)(void *)step;
}

/* Whether a dropout of that name and rate acts in this pass; if so, its address, of masks of so many elements a row. The name fits. */
bool pass_drops(knack_step *, const char *name, double rate, int64_t elements, struct dropout_address *);

/* A linear layer with ReLU, seen by tricks under this name, and dropout of the same name. x NULL: NULL. */
knack_tensor *layers_linear_drop(knack_step *, knack_tensor *x, const knack_param *weight, const knack_param *bias, const char *name,
                                 double rate);

/* A convolution without bias and the batch norm behind it, by their parameters: tensor/conv_norm.h. how: without compute and norm. */
struct conv_norm;
struct conv_norm_how;
struct conv_norm *layers_conv_norm(knack_step *, knack_tensor *x, const knack_param *weight, const knack_norm_layer *,
                                   struct conv_norm_how how);

#endif
