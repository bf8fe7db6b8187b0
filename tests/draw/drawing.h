/* Reads drawings as a browser would, as far as tests need it. */
#ifndef TESTS_DRAW_DRAWING_H
#define TESTS_DRAW_DRAWING_H

#include <stdbool.h>
#include <stdint.h>

/* NULL if the text is well-formed XML: tags that are closed in order, quoted attributes, known entities, legal characters; else what is
 * wrong with it. */
const char *drawing_flaw(const char *svg);
/* NULL if no two texts touch and all are within the drawing, by the widths that the charts reckon with; else which. */
const char *drawing_collision(const char *svg);
/* Whether some text, its attributes aside, holds this. */
bool drawing_says(const char *svg, const char *text);

#endif
