/* Text that goes on below itself where the screen ends. */
#ifndef CLI_PARAGRAPH_H
#define CLI_PARAGRAPH_H

#include "cli/console.h"

int64_t text_columns(const char *text); /* of a terminal: two for characters that fill a square, none for marks that join the one before */
size_t text_cut(const char *text, int64_t columns); /* how many bytes of text fit into these columns */
/* How many bytes of text go on a line of these columns: up to a blank, and at least one word. */
size_t text_line_length(const char *text, int64_t room);
/* "name      text that is long\n          and goes on": text begins at column indent, or on the next line if the name reaches there. */
void print_paragraph(const struct console *, const char *name, int64_t indent, const char *text);

#endif
