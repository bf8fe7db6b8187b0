/* What arcface, cosface and sphereface share: directions of the classes, which are a parameter of their own, and cosines with them. Linked
 * into each of them. */
#ifndef PLUGINS_MARGINS_H
#define PLUGINS_MARGINS_H

#include <knack/plugin.h>

struct margins {
    int64_t classes, centres;     /* a class has so many directions, of which the nearest one counts */
    const knack_param *direction; /* [classes * centres, width] */
};

/* Reads the option centres, and declares the directions as the parameter "centres". [open] */
void margins_open(knack_trick *, struct margins *);
/* Features [items, width] at length 1; those that are 0 stay so, and in training draw a warning. [head] */
knack_tensor *margins_unit(knack_trick *, knack_tensor *features);
/* The cosines of such features with the classes -> [items, classes]. [head] */
knack_tensor *margins_cosines(knack_step *, const struct margins *, knack_tensor *unit);
/* The same for directions w [classes * centres, width] of any length. */
knack_tensor *margins_nearest(knack_tensor *unit, knack_tensor *w, int64_t classes, int64_t centres);

/* The least s at which a class's probability can reach p, all its examples lying on it and the classes as far apart as they go. */
double margins_least_scale(int64_t classes, double p);
/* Warns of a scale of cosines that is too small for useful probabilities. [open] */
void margins_check_scale(knack_trick *, double scale);
/* The angle that so many directions can keep from each other in `width` dimensions: exact in a plane and for up to 2 width classes, else a
 * bound from above. */
double margins_widest_angle(int64_t classes, int64_t width);
/* Warns of a margin m beyond `most`, which is what features can keep. [open] */
void margins_check_margin(knack_trick *, double margin, double most);

#endif
