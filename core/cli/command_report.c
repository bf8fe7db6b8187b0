#include "base/memory.h"
#include "cli/commands.h"
#include "cli/show_comparison.h"
#include "compare/report/report.h"

struct options {
    const char *folder, *other;
};

static const struct argument arguments[] = {
    {"DIR", 0, ARGUMENT_OPERAND, offsetof(struct options, folder), NULL, "a comparison's folder"},
    {"OTHER", 0, ARGUMENT_MAY_BE, offsetof(struct options, other), NULL, "another one's: shows the two side by side"},
    {NULL},
};

static knack_status analyse(const char *folder, struct analysis **analysis)
{
    struct store *store;
    TRY(store_open(folder, false, &store));
    knack_status status = analysis_new(store, analysis);
    store_close(store);
    return status;
}

static knack_status show_one(const struct console *console, const char *folder)
{
    struct analysis *analysis;
    TRY(analyse(folder, &analysis));
    knack_status status = report_write(analysis, folder);
    if (status >= 0) status = show_comparison(console, analysis, folder);
    analysis_free(analysis);
    return status;
}

static knack_status show_both(const struct console *console, const char *folder, const char *other)
{
    struct analysis *first, *second;
    TRY(analyse(folder, &first));
    knack_status status = analyse(other, &second);
    if (status >= 0) {
        status = show_two_comparisons(console, first, second);
        analysis_free(second);
    }
    analysis_free(first);
    return status;
}

static knack_status run(const struct console *console, const void *user)
{
    const struct options *options = user;
    return options->other ? show_both(console, options->folder, options->other) : show_one(console, options->folder);
}

const struct command command_report = {
    .name = "report",
    .summary = "Makes a comparison's report again from what its folder keeps, and shows it; of two folders side by side.",
    .example = "knack report comparisons/digits",
    .arguments = arguments,
    .options_size = sizeof(struct options),
    .run = run,
};
