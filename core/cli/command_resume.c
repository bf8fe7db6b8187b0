#include "cli/commands.h"
#include "cli/training.h"

struct options {
    const char *folder;
    bool trace;
};

static const struct argument arguments[] = {
    {"DIR", 0, ARGUMENT_OPERAND, offsetof(struct options, folder), NULL, "the results folder of a run that was interrupted"},
    {"--trace", 0, ARGUMENT_FLAG, offsetof(struct options, trace), NULL, "writes trace.jsonl from here on"},
    {NULL},
};

static knack_status run(const struct console *console, const void *user)
{
    const struct options *options = user;
    struct run_request request = {.trace = options->trace};
    return training_resume(console, options->folder, &request);
}

const struct command command_resume = {
    .name = "resume",
    .summary = "Goes on with an interrupted run from its newest checkpoint, to the same bits.",
    .example = "knack resume runs/digits",
    .arguments = arguments,
    .options_size = sizeof(struct options),
    .run = run,
};
