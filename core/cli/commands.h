/* The commands of the program, one file each, and what is said of the program itself. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/arguments.h"

extern const struct command command_run, command_resume, command_eval, command_predict, command_plugins, command_schema, command_compare,
    command_report;

/* In the order of --help; NULL ends. */
extern const struct command *const program_commands[];

/* A word and what it means; lists of them end with a NULL name. */
struct gloss {
    const char *name, *text;
};
extern const char program_summary[];
extern const struct gloss program_examples[], program_options[], program_exits[], program_variables[];

#endif
