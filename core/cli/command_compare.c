#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/comparing.h"
#include "cli/interrupt.h"
#include "cli/show_comparison.h"
#include "cli/show_forecast.h"
#include "cli/training.h"
#include "compare/report/report.h"
#include "compare/rerun.h"
#include "compare/store/store.h"

struct options {
    const char *config, *tricks, *design, *looks, *role, *on, *metric, *out, *fail_if, *project, *rerun;
    struct argument_texts set, again, drop;
    struct argument_integer seeds, first_seed, jobs, confirm, pilot;
    struct argument_number margin, timeout, failed_score;
    bool adaptive, until_decided, no_equal_cost, no_converge, no_cache, retry_failed, list, dry_run;
};

static const struct argument arguments[] = {
    {"CONFIG", 0, ARGUMENT_MAY_BE, offsetof(struct options, config), NULL,
     "what each arm trains: a config, or a comparison file, see docs/compare.md; or the folder of a comparison, which goes on"},
    {"--tricks", 0, ARGUMENT_TEXT, offsetof(struct options, tricks), "TRICKS",
     "compares each of these with the config as it is: ema,mixup or '{\"name\": \"ema\", \"decay\": 0.99},mixup'"},
    {"--seeds", 0, ARGUMENT_INTEGER, offsetof(struct options, seeds), "N", "how often each arm is trained; 10 by default", 1, 100000},
    {"--first-seed", 0, ARGUMENT_INTEGER, offsetof(struct options, first_seed), "N", "the first seed; by the role, 2000 for verdicts", 0,
     1e9},
    {"--design", 0, ARGUMENT_TEXT, offsetof(struct options, design), "DESIGN",
     "one (each trick alone), ablation, factorial, fraction or screen; one by default", .choice = design_name},
    {"--adaptive", 0, ARGUMENT_FLAG, offsetof(struct options, adaptive), NULL,
     "looks at 6, 10, 15 and 20 seeds, and stops what is decided"},
    {"--looks", 0, ARGUMENT_TEXT, offsetof(struct options, looks), "N,N", "looks at these numbers of seeds instead: 5,9,14"},
    {"--until-decided", 0, ARGUMENT_FLAG, offsetof(struct options, until_decided), NULL, "looks after every seed, up to --seeds (100)"},
    {"--metric", 0, ARGUMENT_TEXT, offsetof(struct options, metric), "METRIC", "what decides: test.accuracy by default for classes"},
    {"--margin", 0, ARGUMENT_NUMBER, offsetof(struct options, margin), "X", "the difference that matters, in the metric's unit: 0.002", 0,
     INFINITY},
    {"--role", 0, ARGUMENT_TEXT, offsetof(struct options, role), "ROLE",
     "what the result is for: tuning, screening, verdict or confirmation; verdict by default", .choice = role_name},
    {"--on", 0, ARGUMENT_TEXT, offsetof(struct options, on), "PART",
     "the part that decides: test, or validation, which tuning and screening have by default", .choice = on_name},
    {"--jobs", 0, ARGUMENT_INTEGER, offsetof(struct options, jobs), "N", "trials at once; as many as there are cores by default", 1, 1024},
    {"--trial-timeout", 0, ARGUMENT_NUMBER, offsetof(struct options, timeout), "S",
     "CPU seconds that a trial may take, and five times that by the clock; 20 times what is expected by default, at least 60", 0.001, 1e9},
    {"--failed-score", 0, ARGUMENT_NUMBER, offsetof(struct options, failed_score), "X",
     "what a trial that fails counts as; as guessing, or as before training, by default"},
    {"--no-equal-cost", 0, ARGUMENT_FLAG, offsetof(struct options, no_equal_cost), NULL,
     "does not train the baseline longer where a trick costs more"},
    {"--no-converge", 0, ARGUMENT_FLAG, offsetof(struct options, no_converge), NULL,
     "does not train the baseline twice as long on a few seeds, to see whether its budget is enough"},
    {"--no-cache", 0, ARGUMENT_FLAG, offsetof(struct options, no_cache), NULL,
     "trains the baseline also where another comparison has equal trials of it"},
    {"--again", 0, ARGUMENT_TEXTS, offsetof(struct options, again), "ARM",
     "makes the trials of this arm anew, or of all; the old ones are kept aside"},
    {"--retry-failed", 0, ARGUMENT_FLAG, offsetof(struct options, retry_failed), NULL, "makes the trials that failed anew"},
    {"--drop", 0, ARGUMENT_TEXTS, offsetof(struct options, drop), "ARM", "makes no more trials of this arm, which stays in its family"},
    {"--set", 0, ARGUMENT_TEXTS, offsetof(struct options, set), "KEY=VALUE", "changes the config of every arm; may be repeated"},
    {"--confirm", 0, ARGUMENT_INTEGER, offsetof(struct options, confirm), "N",
     "CONFIG is a finished screening's folder: compares its best N on new seeds", 1, 64},
    {"--out", 0, ARGUMENT_TEXT, offsetof(struct options, out), "DIR", "where results are kept; comparisons/NAME by default"},
    {"--project", 0, ARGUMENT_TEXT, offsetof(struct options, project), "DIR",
     "the folder where paths in the configs of what CONFIG holds start now, if the project was moved"},
    {"--rerun", 0, ARGUMENT_TEXT, offsetof(struct options, rerun), "ARM:SEED",
     "CONFIG is a comparison's folder: trains this trial once more, as a full run into --out, with log and weights"},
    {"--fail-if", 0, ARGUMENT_TEXT, offsetof(struct options, fail_if), "KIND", fail_if_help, .choice = fail_if_name},
    {"--dry-run", 0, ARGUMENT_FLAG, offsetof(struct options, dry_run), NULL,
     "shows which trials there would be, how long they would take, and how much room; trains and writes nothing"},
    {"--pilot", 0, ARGUMENT_INTEGER, offsetof(struct options, pilot), "N",
     "with --dry-run: trains N seeds for tuning in a folder that goes, to say how many seeds the margin takes", 2, 1000},
    {"--list", 0, ARGUMENT_FLAG, offsetof(struct options, list), NULL, "lists comparisons below the folder CONFIG, or below comparisons"},
    {NULL},
};

/* ---- A list ---- */

static knack_status list(const struct console *console, const struct options *options)
{
    const char *below = options->config ? options->config : "comparisons";
    char **folder;
    int64_t count;
    if (options->config && !file_is_folder(below)) return status_set(KNACK_E_IO, "%s: there is no such folder", below);
    TRY(store_list(below, &folder, &count));
    knack_status status = show_comparison_list(console, folder, count);
    memory_free(folder);
    return status;
}

/* ---- What is asked for ---- */

/* Pointers in it are the options', but for `trick` and `command`. */
static struct comparison_request make_request(const struct options *options)
{
    return (struct comparison_request){
        .plan = {.config = options->config,
                 .set = options->set.value,
                 .sets = options->set.count,
                 .design = options->design,
                 .role = options->role,
                 .on = options->on,
                 .metric = options->metric,
                 .adaptive = options->adaptive,
                 .until_decided = options->until_decided,
                 .no_equal_cost = options->no_equal_cost,
                 .no_converge = options->no_converge,
                 .looks = options->looks,
                 .drop = options->drop.value,
                 .drops = options->drop.count,
                 .seeds = options->seeds.value,
                 .first_seed = options->first_seed.said ? options->first_seed.value : -1,
                 .margin = options->margin.said ? options->margin.value : NAN,
                 .failed_score = options->failed_score.said ? options->failed_score.value : NAN,
                 .timeout = options->timeout.value},
        .out = options->out,
        .project = options->project,
        .confirm = options->confirm.value,
        .jobs = options->jobs.value,
        .no_cache = options->no_cache,
        .kept = {.again = options->again.value, .agains = options->again.count, .retry_failed = options->retry_failed},
    };
}

/* ---- What came out ---- */

static knack_status show(const struct console *console, struct comparison *comparison, const char *fail_if)
{
    const char *folder = comparison_folder(comparison);
    struct analysis *analysis;
    TRY(analysis_new(comparison_store(comparison), &analysis));
    knack_status status = report_write(analysis, folder);
    if (status >= 0) status = show_comparison(console, analysis, folder);
    if (status >= 0) status = fail_if_verdicts(analysis, fail_if);
    analysis_free(analysis);
    return status;
}

/* What there is so far; that it was interrupted stays what is said in the end. With --json that alone is printed. */
static knack_status show_interrupted(const struct console *console, struct comparison *comparison)
{
    char message[1280];
    struct console text = *console;
    snprintf(message, sizeof message, "%s", knack_error());
    text.json = false;
    if (!console->json) TRY(show(&text, comparison, NULL));
    return status_set(KNACK_E_INTERRUPTED, "%s", message);
}

/* ---- A trial once more ---- */

static knack_status rerun(const struct console *console, const struct options *options)
{
    struct rerun again;
    if (!options->out) return status_set(KNACK_E_USAGE, "--rerun %s: say where the run goes, by --out DIR", options->rerun);
    knack_status status = rerun_find(options->config, options->project, options->rerun, &again);
    again.request.out = options->out;
    if (status >= 0) status = training_repeat(console, &again, options->again.count > 0);
    rerun_free(&again);
    return status;
}

/* ---- Before it is begun ---- */

static knack_status dry_run(const struct console *console, const struct options *options, struct comparison_request *request)
{
    struct comparing comparing;
    struct forecast forecast;
    comparing_start(&comparing, console);
    request->observer = comparing_observer(&comparing);
    interrupt_watch();
    knack_status status = forecast_make(request, options->pilot.value, &forecast);
    interrupt_unwatch();
    comparing_stop(&comparing);
    if (status >= 0) status = show_forecast(console, &forecast);
    forecast_free(&forecast);
    return status;
}

/* ---- From a plan to a report ---- */

static knack_status train(struct comparing *comparing, const struct comparison_request *request, struct comparison **comparison)
{
    interrupt_watch();
    knack_status status = comparison_open(request, comparison);
    if (status >= 0) status = comparison_run(*comparison);
    interrupt_unwatch();
    comparing_stop(comparing);
    return status;
}

static knack_status compare(const struct console *console, struct comparison_request *request, const char *fail_if)
{
    struct comparing comparing;
    struct comparison *comparison = NULL;
    comparing_start(&comparing, console);
    request->observer = comparing_observer(&comparing);
    knack_status status = train(&comparing, request, &comparison);
    if (status >= 0)
        status = show(console, comparison, fail_if);
    else if (status == KNACK_E_INTERRUPTED && comparison)
        status = show_interrupted(console, comparison);
    bool shown = status >= 0 || status == STATUS_VERDICT;
    if (shown && comparison_waiting(comparison)) status = status_set(KNACK_E_IO, "%s", comparison_waiting(comparison));
    comparison_close(comparison);
    return status;
}

static knack_status run(const struct console *console, const void *user)
{
    const struct options *options = user;
    if (options->list) return list(console, options);
    if (!options->config)
        return status_set(KNACK_E_USAGE, "knack compare needs CONFIG: %s; for example `%s`", arguments[0].help, command_compare.example);
    TRY(fail_if_check(options->fail_if));
    if (options->pilot.said && !options->dry_run) return status_set(KNACK_E_USAGE, "--pilot is part of a --dry-run");
    if (options->rerun && options->dry_run) return status_set(KNACK_E_USAGE, "--dry-run is of comparisons, not of --rerun");
    if (options->rerun) return rerun(console, options);
    struct comparison_request request = make_request(options);
    char **trick = NULL, *command = arguments_text(&command_compare, options);
    knack_status status = command ? KNACK_OK : KNACK_E_MEMORY;
    if (status >= 0 && options->tricks) status = plan_split_tricks(options->tricks, &trick, &request.plan.tricks);
    request.plan.trick = (const char *const *)trick;
    request.plan.command = command;
    if (status >= 0) status = options->dry_run ? dry_run(console, options, &request) : compare(console, &request, options->fail_if);
    memory_free(trick);
    memory_free(command);
    return status;
}

const struct command command_compare = {
    .name = "compare",
    .summary = "Trains with and without tricks over many seeds: which one helps, how much, how sure, at what cost.",
    .example = "knack compare examples/digits.json --tricks mixup,sam --seeds 10",
    .arguments = arguments,
    .options_size = sizeof(struct options),
    .run = run,
};
