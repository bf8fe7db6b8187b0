/* The program: which command is meant, and what becomes of its errors. */
#include <knack/knack.h>

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/commands.h"
#include "tensor/kernels/kernels.h"

const struct command *const program_commands[] = {&command_run,     &command_compare, &command_report,
                                                  &command_resume,  &command_eval,    &command_predict,
                                                  &command_plugins, &command_schema,  NULL};
enum { COMMANDS = sizeof program_commands / sizeof *program_commands - 1 };

const char program_summary[] = "knack trains neural networks; every training trick is a plugin that a config switches on.";
const struct gloss program_examples[] = {
    {"knack run examples/digits.json", "train, evaluate, and write the results to runs/digits"},
    {"knack compare examples/digits.json --tricks mixup,sam", "which trick helps, how much, how sure, at what cost"},
    {"knack plugins", "the tricks that are installed"},
    {NULL},
};
const struct gloss program_options[] = {
    {"--version", "version, plugin ABI, kernels and CPU level"},
    {"--help", "this text; `knack COMMAND --help` explains a command"},
    {NULL},
};
const struct gloss program_exits[] = {
    {"0", "done"},
    {"2", "usage or config"},
    {"3", "data"},
    {"4", "plugin"},
    {"5", "loss or gradient not finite"},
    {"6", "input, output or memory; a comparison that waits for them: the same command goes on"},
    {"7", "a verdict that --fail-if names"},
    {"130", "interrupted (nothing is lost: knack resume DIR, or the same knack compare again)"},
    {NULL},
};
const struct gloss program_variables[] = {
    {"KNACK_PLUGIN_PATH", "folders between colons, in which plugins are looked for first"},
    {"KNACK_LEDGER", "the file that counts comparisons on each test set"},
    {"NO_COLOR", "no colours if it is not empty"},
    {NULL},
};

static void print_glosses(const struct gloss *gloss, int width)
{
    for (; gloss->name; gloss++) printf("  %-*s  %s\n", width, gloss->name, gloss->text);
}

static void print_introduction(void)
{
    puts(program_summary);
    print_glosses(program_examples, 53);
    puts("`knack --help` lists the commands, `knack COMMAND --help` explains one.");
}

static void print_help(void)
{
    puts("usage: knack COMMAND [ARGUMENT]...\n");
    for (int i = 0; i < COMMANDS; i++) printf("  %-9s  %s\n", program_commands[i]->name, program_commands[i]->summary);
    putchar('\n');
    print_glosses(program_options, 9);
    puts("\nexit status:");
    print_glosses(program_exits, 3);
    puts("\nenvironment:");
    print_glosses(program_variables, 17);
}

static knack_status print_version(const struct console *console)
{
    if (!console->json) {
        printf("knack %s\nplugin ABI %u%s\n%s\nCPU %s\n", knack_version(), KNACK_ABI_MAJOR, KNACK_ABI == KNACK_ABI_MAJOR ? "" : " (double)",
               kernel_library_version(), kernel_cpu_level());
        return console_flush();
    }
    struct json_writer *writer = json_writer_new(true);
    if (!writer) return KNACK_E_MEMORY;
    json_open(writer, NULL, '{');
    json_string(writer, "version", knack_version());
    json_integer(writer, "abi", KNACK_ABI_MAJOR);
    json_boolean(writer, "double", KNACK_ABI != KNACK_ABI_MAJOR);
    json_string(writer, "kernels", kernel_library_version());
    json_string(writer, "cpu", kernel_cpu_level());
    json_close(writer);
    return console_print_json(writer);
}

static const struct command *find_command(const char *name)
{
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(program_commands[i]->name, name) == 0) return program_commands[i];
        names[i] = program_commands[i]->name;
    }
    const char *nearest = text_nearest(name, names, COMMANDS);
    if (nearest)
        status_set(KNACK_E_USAGE, "there is no command \"%s\"; did you mean `knack %s`?", name, nearest);
    else
        status_set(KNACK_E_USAGE, "there is no command \"%s\"; `knack --help` lists what there is", name);
    return NULL;
}

static knack_status run_command(const struct command *command, int count, char *const *text, struct console *console)
{
    void *options = memory_new(1, command->options_size);
    if (!options) return KNACK_E_MEMORY;
    bool help = false;
    knack_status status = arguments_read(command, count, text, console, &help, options);
    if (status >= 0 && help)
        arguments_help(command);
    else if (status >= 0)
        status = command->run(console, options);
    arguments_free(command, options);
    memory_free(options);
    return status < 0 ? status : console_flush();
}

static knack_status run_program(int count, char *const *text, struct console *console)
{
    if (count == 0) {
        print_introduction();
        return console_flush();
    }
    const char *word = text[0];
    if (strcmp(word, "--version") == 0) return print_version(console);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_help();
        return console_flush();
    }
    if (word[0] == '-')
        return status_set(KNACK_E_USAGE, "a command comes first, then its options: knack COMMAND %s; `knack --help` lists the commands",
                          word);
    const struct command *command = find_command(word);
    return command ? run_command(command, count - 1, text + 1, console) : KNACK_E_USAGE;
}

int knack_main(int argc, char **argv)
{
    struct console console;
    console_open(&console);
    int count = argc > 0 ? argc - 1 : 0;
    console.json = arguments_flag(count, argv + 1, "--json"); /* also for errors in the words before it */
    knack_status status = run_program(count, argv + 1, &console);
    console.json &= status != STATUS_VERDICT; /* standard output has all results */
    return status < 0 ? console_fail(&console, status) : 0;
}
