#include "cli/commands.h"
#include "compare/plan/plan.h"
#include "compare/report/report.h"
#include "train/run.h"

struct options {
    bool comparison, result;
};

static const struct argument arguments[] = {
    {"--comparison", 0, ARGUMENT_FLAG, offsetof(struct options, comparison), NULL, "of comparison files, which `knack compare` reads"},
    {"--comparison-result", 0, ARGUMENT_FLAG, offsetof(struct options, result), NULL, "of comparison.json, which `knack compare` writes"},
    {NULL},
};

static knack_status print_schema(void (*members)(struct json_writer *))
{
    struct json_writer *writer = json_writer_new(true);
    if (!writer) return KNACK_E_MEMORY;
    json_open(writer, NULL, '{');
    members(writer);
    json_close(writer);
    return console_print_json(writer);
}

static knack_status run(const struct console *console, const void *user)
{
    const struct options *options = user;
    (void)console; /* it is JSON in any case */
    if (options->result) return print_schema(report_schema);
    return options->comparison ? print_schema(plan_schema) : console_print(run_schema());
}

const struct command command_schema = {
    .name = "schema",
    .summary = "Prints the JSON Schema of configs, options of installed plugins included, for editors.",
    .example = "knack schema > knack.schema.json",
    .arguments = arguments,
    .options_size = sizeof(struct options),
    .run = run,
};
