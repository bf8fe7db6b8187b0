/* SVG text as it grows: elements, attributes, escaped text. Knows nothing of charts. */
#ifndef DRAW_SVG_H
#define DRAW_SVG_H

#include "base/growing.h"

/* Begins as {0}. After a failed allocation every call does nothing, and svg_take() gives NULL. */
struct svg {
    struct growing out;
};

void svg_raw(struct svg *, const char *text);
void svg_bytes(struct svg *, const char *text, size_t length);
/* Text that a user gave: &, <, > and quotes as entities; what is no UTF-8, or no character of XML, as U+FFFD. */
void svg_escaped(struct svg *, const char *text);
/* "<tag class='kind'"; attributes follow, then svg_close(). kind NULL: no class. */
void svg_open(struct svg *, const char *tag, const char *kind);
void svg_number(struct svg *, const char *attribute, double value);
/* A number by itself, to a tenth of a unit; not finite ones, which no caller should give, as 0. */
void svg_coordinate(struct svg *, double value);
/* Ends what svg_open() began; title (NULL: none) is shown when the pointer rests on it. */
void svg_close(struct svg *, const char *tag, const char *title);
char *svg_take(struct svg *); /* the text, and an empty svg; memory_free(); NULL on error */

#endif
