/* Which of the installed plugins go together, pair by pair. */
#ifndef CLI_PLUGIN_MATRIX_H
#define CLI_PLUGIN_MATRIX_H

#include "cli/console.h"
#include "plugin/manifest.h"

struct matrix; /* plugins, and for each two what a config with both would be told */

struct matrix *matrix_new(void);                        /* NULL: no memory */
void matrix_add(void *matrix, const struct manifest *); /* errors are kept until matrix_print() */
void matrix_free(struct matrix *);
knack_status matrix_print(struct matrix *, const struct console *); /* and frees */

#endif
