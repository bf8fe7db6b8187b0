/* Aligned tables of short texts. */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include <stdio.h>

#include "cli/console.h"

struct columns; /* a table */

/* columns: headings; a heading that starts with '>' (not shown) is of a column that is aligned to the right. NULL on error. */
struct columns *columns_new(int64_t columns, const char *const *heading);
void columns_free(struct columns *); /* NULL is fine */
/* The next cell, row by row; copied. Errors are kept until columns_print(). */
void columns_cell(struct columns *, const char *text);
/* Prints and frees. The last column goes on below itself where the screen ends. With a rule of box-drawing lines under the headings where
 * the screen can show them. */
knack_status columns_print(struct columns *, const struct console *);

#endif
