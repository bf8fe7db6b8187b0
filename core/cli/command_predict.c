#include "base/memory.h"
#include "cli/commands.h"
#include "cli/finished.h"
#include "cli/predictions.h"
#include "cli/progress.h"

struct options {
    const char *folder, *input, *weights, *out;
};

static const struct argument arguments[] = {
    {"DIR", 0, ARGUMENT_OPERAND, offsetof(struct options, folder), NULL, "the results folder of a run"},
    {"INPUT", 0, ARGUMENT_OPERAND, offsetof(struct options, input), NULL,
     "rows in the units of the training data's file: .npy, .idx or .csv, also .gz"},
    {"--weights", 0, ARGUMENT_TEXT, offsetof(struct options, weights), "SET",
     "weight set: raw, best, ema, ...; the primary one by default"},
    {"--out", 'o', ARGUMENT_TEXT, offsetof(struct options, out), "FILE", "FILE.csv or FILE.npy; CSV to standard output by default"},
    {NULL},
};

static knack_status write_predictions(const struct console *console, struct run *run, const struct options *options, int64_t count,
                                      const knack_real *inputs)
{
    struct predictions predictions = {.data = run_data(run), .count = count};
    knack_real *value = memory_new((size_t)count * (size_t)predictions.data->outputs, sizeof *value);
    if (!value) return KNACK_E_MEMORY;
    predictions.value = value;
    knack_status status = run_predict(run, inputs, count, value);
    if (status >= 0) {
        bool as_json = console->json && !options->out;
        status = as_json ? predictions_print_json(&predictions) : predictions_write(&predictions, options->out);
    }
    memory_free(value);
    return status;
}

static knack_status predict(const struct console *console, struct run *run, const struct options *options)
{
    int64_t count;
    knack_real *inputs;
    TRY(run_select_weights(run, options->weights));
    TRY(data_read_inputs(run_data(run), options->input, &count, &inputs));
    knack_status status = write_predictions(console, run, options, count, inputs);
    memory_free(inputs);
    return status;
}

static knack_status run(const struct console *console, const void *user)
{
    const struct options *options = user;
    if (options->out) TRY(predictions_check_path(options->out));
    struct progress progress;
    progress_start(&progress, console);
    struct run_request request = {.observer = progress_observer(&progress)};
    struct run *opened;
    TRY(reopen_finished(options->folder, &request, &opened));
    knack_status status = predict(console, opened, options);
    run_close(opened);
    return status;
}

const struct command command_predict = {
    .name = "predict",
    .summary = "Predicts classes and probabilities, or numbers, of new rows with what a run wrote.",
    .example = "knack predict runs/digits new.npy -o new.csv",
    .arguments = arguments,
    .options_size = sizeof(struct options),
    .run = run,
};
