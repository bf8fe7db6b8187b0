#include "cli/commands.h"
#include "train/run.h"

struct options {
    char unused; /* this command has no options of its own */
};
static const struct argument arguments[] = {{NULL}};

static knack_status run(const struct console *console, const void *options)
{
    (void)console, (void)options;
    return console_print(run_schema());
}

const struct command command_schema = {
    .name = "schema",
    .summary = "Prints the JSON Schema of configs, options of installed plugins included, for editors.",
    .example = "knack schema > knack.schema.json",
    .arguments = arguments,
    .options_size = sizeof(struct options),
    .run = run,
};
