#include "base/file.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/show_comparison.h"
#include "compare/report/report.h"

struct options {
    const char *folder, *other, *out, *fail_if;
    bool markdown, csv;
};

static const struct argument arguments[] = {
    {"DIR", 0, ARGUMENT_OPERAND, offsetof(struct options, folder), NULL, "a comparison's folder"},
    {"OTHER", 0, ARGUMENT_MAY_BE, offsetof(struct options, other), NULL, "another one's: shows the two side by side"},
    {"--out", 0, ARGUMENT_TEXT, offsetof(struct options, out), "DIR",
     "where the report's files are written; into the comparison's folder by default"},
    {"--markdown", 0, ARGUMENT_FLAG, offsetof(struct options, markdown), NULL, "prints the result as a Markdown table, and writes nothing"},
    {"--csv", 0, ARGUMENT_FLAG, offsetof(struct options, csv), NULL, "prints the result's numbers in full as CSV, and writes nothing"},
    {"--fail-if", 0, ARGUMENT_TEXT, offsetof(struct options, fail_if), "KIND", fail_if_help, .choice = fail_if_name},
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

static knack_status show_analysis(const struct console *console, const struct options *options, const struct analysis *analysis)
{
    const char *folder = options->out ? options->out : options->folder;
    if (options->markdown || options->csv) return console_print(report_table(analysis, options->markdown));
    if (options->out) TRY(file_make_folder(options->out));
    knack_status status = report_write(analysis, folder);
    if (status == KNACK_E_IO && !options->out) status_set(status, "%s; --out DIR writes the report elsewhere", knack_error());
    return status < 0 ? status : show_comparison(console, analysis, folder);
}

static knack_status show_one(const struct console *console, const struct options *options)
{
    struct analysis *analysis;
    TRY(analyse(options->folder, &analysis));
    knack_status status = show_analysis(console, options, analysis);
    if (status >= 0) status = fail_if_verdicts(analysis, options->fail_if);
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
    bool one = options->out || options->markdown || options->csv || options->fail_if;
    if (options->markdown + options->csv + console->json > 1)
        return status_set(KNACK_E_USAGE, "of --markdown, --csv and --json only one can be printed");
    TRY(fail_if_check(options->fail_if));
    if (options->out && (options->markdown || options->csv))
        return status_set(KNACK_E_USAGE, "--out writes the report's files, --markdown and --csv print a table: one of them at a time");
    if (!options->other) return show_one(console, options);
    if (one) return status_set(KNACK_E_USAGE, "--out, --markdown, --csv and --fail-if are for one comparison, and two are named");
    return show_both(console, options->folder, options->other);
}

const struct command command_report = {
    .name = "report",
    .summary = "Makes a comparison's report again from what its folder keeps, and shows it; of two folders side by side.",
    .example = "knack report comparisons/digits",
    .arguments = arguments,
    .options_size = sizeof(struct options),
    .run = run,
};
