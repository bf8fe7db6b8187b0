#include "cli/commands.h"
#include "cli/training.h"

struct options {
    const char *config, *out;
    struct argument_texts set, plugin;
    bool force, dry_run, trace;
};

static const struct argument arguments[] = {
    {"CONFIG", 0, ARGUMENT_OPERAND, offsetof(struct options, config), NULL, "what to train: a JSON file, see docs/config.md"},
    {"--set", 0, ARGUMENT_TEXTS, offsetof(struct options, set), "KEY=VALUE",
     "changes the config: --set train.epochs=2, --set 'plugins[0].layer=input'; may be repeated"},
    {"--plugin", 0, ARGUMENT_TEXTS, offsetof(struct options, plugin), "TRICK",
     "adds a trick by name or entry: --plugin '{\"name\": \"fgm\", \"layer\": \"input\"}'; may be repeated"},
    {"--out", 0, ARGUMENT_TEXT, offsetof(struct options, out), "DIR", "where results go; runs/NAME-OF-CONFIG by default"},
    {"--force", 0, ARGUMENT_FLAG, offsetof(struct options, force), NULL, "replaces the results that DIR holds"},
    {"--dry-run", 0, ARGUMENT_FLAG, offsetof(struct options, dry_run), NULL, "shows what would be trained, and ends"},
    {"--trace", 0, ARGUMENT_FLAG, offsetof(struct options, trace), NULL, "writes trace.jsonl: what each trick drew and did, step by step"},
    {NULL},
};

static knack_status run(const struct console *console, const void *user)
{
    const struct options *options = user;
    struct run_request request = {.config = options->config,
                                  .set = options->set.value,
                                  .set_count = options->set.count,
                                  .plugin = options->plugin.value,
                                  .plugin_count = options->plugin.count,
                                  .out = options->out,
                                  .force = options->force,
                                  .trace = options->trace};
    return training_start(console, &request, options->dry_run);
}

const struct command command_run = {
    .name = "run",
    .summary = "Trains what a config says, and evaluates it.",
    .example = "knack run examples/digits.json --set train.epochs=10 --plugin mixup",
    .arguments = arguments,
    .options_size = sizeof(struct options),
    .run = run,
};
