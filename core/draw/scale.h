/* From values to places on a drawing, and the round numbers that an axis shows. */
#ifndef DRAW_SCALE_H
#define DRAW_SCALE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/number.h"

/* low < high are values, from and to the places they get: from > to on an axis that rises. */
struct scale {
    bool log;
    double low, high, from, to;
};

/* What values an axis has to show, as they come. */
struct range {
    double low, high; /* begin as RANGE_EMPTY */
};
#define RANGE_EMPTY ((struct range){1, -1})
void range_add(struct range *, double value); /* one that is not finite is left out */
/* Never empty or without width; padded by that part of its width on both sides. */
struct range range_padded(struct range, double part);
/* The same for a logarithmic axis: values above 0. */
struct range range_padded_log(struct range, double part);

struct scale range_scale(struct range); /* linear; from and to are to be set */
double scale_at(const struct scale *, double value);

enum { TICKS_MOST = 16 };
struct ticks {
    double value[TICKS_MOST];
    int count, decimals;
    bool plus; /* for the texts: values above 0 have a sign */
};
/* At most `most` (2 or more) multiples of 1, 2 or 5 times a power of ten within the scale; where a logarithmic scale spans much, round
 * numbers of each decade, or decades. */
struct ticks scale_ticks(const struct scale *, int most);

/* A value with so many decimals, as printers set it; plus: "+0.5" above 0, and "0". Over 6 decimals, or from 1e7 on: "2e-9". */
const char *scale_text(char buffer[NUMBER_SIZE], double value, int decimals, bool plus);

#endif
