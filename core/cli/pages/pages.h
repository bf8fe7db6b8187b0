/* The manual's pages and the shell's completion, from the tables that --help is made from. */
#ifndef CLI_PAGES_PAGES_H
#define CLI_PAGES_PAGES_H

#include <stdio.h>

#include "cli/commands.h"

void manual_write(FILE *);                                 /* knack.1 */
void manual_write_command(FILE *, const struct command *); /* knack-run.1 and its kin */
/* What can stand behind which word, as lines for completion.bash. */
void completion_write(FILE *);

#endif
