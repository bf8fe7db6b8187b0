/* What fgm, pgd, freelb and awp share: what is attacked, and steps and projections by tensor, example or row. Linked into each of them. */
#ifndef PLUGINS_ADVERSARY_H
#define PLUGINS_ADVERSARY_H

#include <knack/plugin.h>

/* Over what a length is taken: all of a layer's output or of a parameter; each example of a layer; each stretch of a layer's last axis, or
 * each entry of a parameter's first. */
enum adversary_norm { ADVERSARY_TENSOR, ADVERSARY_EXAMPLE, ADVERSARY_ROW };

struct adversary {
    const char *layer;               /* attacked; NULL: */
    const knack_param *const *param; /* [params] attacked */
    int64_t params;
    enum adversary_norm norm;
    knack_weights *shifted; /* weights, with the attacked ones moved; NULL with a layer */
};

/* Begins the local memory of a plugin that attacks layers. */
struct adversary_local {
    int64_t row; /* width of the layer's last axis */
};

/* What is attacked, in stretches [count, width] that have a length each. */
struct adversary_stretches {
    int64_t count, width;
};

/* Reads the options layer, parameters and norm, and declares what the attack needs. [open] */
knack_status adversary_open(knack_trick *, struct adversary *);
/* Watches one layer: the name must be no pattern. [open] */
knack_status adversary_watch(knack_trick *, const char *layer);
/* The slot `layer` of a plugin that attacks one: out + the trick's offset. */
knack_tensor *adversary_layer(knack_trick *, knack_step *, const char *name, knack_tensor *out);
/* The offset of the attacked layer after a pass; NULL, and the trick has failed, if the model did not compute it. [gradient] */
struct knack_perturbation *adversary_offset(knack_trick *, knack_step *, const char *layer);
struct adversary_stretches adversary_of_layer(enum adversary_norm, const struct knack_perturbation *, int64_t row);
struct adversary_stretches adversary_of_param(enum adversary_norm, const knack_param *);

/* Copies the weights in use to the set. [gradient] */
void adversary_copy_weights(knack_trick *, knack_weights *to);
/* x += length g / |g| in each stretch of x, g [count, width]; returns how many had a direction to go. */
int64_t adversary_step(knack_real *x, const knack_real *g, struct adversary_stretches, double length);
/* Each stretch of r that is longer than radius is scaled back to it. */
void adversary_project(knack_real *r, struct adversary_stretches, double radius);

#endif
