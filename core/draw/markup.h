/* HTML and SVG as they grow. */
#ifndef DRAW_MARKUP_H
#define DRAW_MARKUP_H

#include "base/growing.h"

/* As it stands; NULL: nothing, and the whole fails with the error that is set. */
void markup_raw(struct growing *, const char *markup);
/* Text that a user gave: &, <, > and quotes as entities; what is no UTF-8, or no character of XML, as U+FFFD. */
void markup_text(struct growing *, const char *text);
/* Markup in which %s is such text, %d, %lld and their like are integers, and %g is a coordinate, to a tenth of a unit (not finite: 0); no
 * widths. */
void markup_put(struct growing *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
