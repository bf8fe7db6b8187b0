#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/finished.h"
#include "cli/format.h"
#include "cli/progress.h"

struct options {
    const char *folder, *part, *weights;
};

static const struct argument arguments[] = {
    {"DIR", 0, ARGUMENT_OPERAND, offsetof(struct options, folder), NULL, "the results folder of a run"},
    {"--part", 0, ARGUMENT_TEXT, offsetof(struct options, part), "PART", "train, validation or test; test by default",
     .choice = data_part_name},
    {"--weights", 0, ARGUMENT_TEXT, offsetof(struct options, weights), "SET",
     "weight set: raw, best, ema, ...; the primary one by default"},
    {NULL},
};

static knack_status print_json(const char *part, const char *weights, const struct metric_value *metric, int64_t count)
{
    struct json_writer *writer = json_writer_new(true);
    if (!writer) return KNACK_E_MEMORY;
    json_open(writer, NULL, '{');
    json_string(writer, "part", part);
    json_string(writer, "weights", weights);
    json_open(writer, "metrics", '{');
    for (int64_t i = 0; i < count; i++) json_number(writer, metric[i].name, metric[i].value);
    json_close(writer);
    json_close(writer);
    return console_print_json(writer);
}

static knack_status print_table(const struct console *console, const char *part, const char *weights, const struct metric_value *metric,
                                int64_t count)
{
    char heading[256];
    snprintf(heading, sizeof heading, ">%s (%s)", part, weights);
    struct columns *table = columns_new(2, (const char *const[]){"metric", heading});
    if (!table) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        char value[NUMBER_SIZE];
        columns_cell(table, metric[i].name);
        columns_cell(table, number_four(value, metric[i].value));
    }
    return columns_print(table, console);
}

static knack_status evaluate(const struct console *console, struct run *run, const struct options *options)
{
    const struct metric_value *metric;
    int64_t count;
    const char *part = options->part ? options->part : "test";
    TRY(run_load_parts(run));
    TRY(run_evaluate(run, part, options->weights, &metric, &count));
    const char *weights = options->weights ? options->weights : run_weight_names(run)[0];
    return console->json ? print_json(part, weights, metric, count) : print_table(console, part, weights, metric, count);
}

static knack_status run(const struct console *console, const void *user)
{
    const struct options *options = user;
    struct progress progress;
    progress_start(&progress, console);
    struct run_request request = {.observer = progress_observer(&progress)};
    struct run *opened;
    TRY(reopen_finished(options->folder, &request, &opened));
    knack_status status = evaluate(console, opened, options);
    run_close(opened);
    return status;
}

const struct command command_eval = {
    .name = "eval",
    .summary = "Evaluates what a run wrote on a part of its data.",
    .example = "knack eval runs/digits --part validation --weights ema",
    .arguments = arguments,
    .options_size = sizeof(struct options),
    .run = run,
};
