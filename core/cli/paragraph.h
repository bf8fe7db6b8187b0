/* Text that goes on below itself where the screen ends. */
#ifndef CLI_PARAGRAPH_H
#define CLI_PARAGRAPH_H

#include "cli/console.h"

int64_t text_columns(const char *text); /* characters of UTF-8 text */
/* How many bytes of text go on a line of so many characters: up to a blank, and at least one word. */
size_t text_line_length(const char *text, int64_t room);
/* "name      text that is long\n          and goes on": text begins at column indent, or on the next line if the name reaches there. */
void print_paragraph(const struct console *, const char *name, int64_t indent, const char *text);

#endif
