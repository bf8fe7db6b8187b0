/* Aligned tables of short texts. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdio.h>

#include "cli/console.h"

struct table;

/* columns: headings; a heading that starts with '>' (not shown) is of a column that is aligned to the right. NULL on error. */
struct table *table_new(int64_t columns, const char *const *heading);
void table_free(struct table *); /* NULL is fine */
/* The next cell, row by row; copied. Errors are kept until table_print(). */
void table_cell(struct table *, const char *text);
/* Prints and frees. With a rule of box-drawing lines under the headings where the screen can show them. */
knack_status table_print(struct table *, const struct console *);

#endif
