/* The commands of the program, one file each. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/arguments.h"

extern const struct command command_run, command_resume, command_eval, command_predict, command_plugins, command_schema, command_compare,
    command_report;

#endif
