/* bench COMMAND [ARGUMENT]...: times knack. Built with the tests and run by hand: measurements are no tests. docs/speed.md says what was
 * measured, docs/measured/speed.md what came out; `bench --help` lists the commands. */
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "options.h"

static const struct command {
    const char *name, *help;
    knack_status (*run)(const struct options *);
    enum operands operands;
    const char *options; /* their letters, as in options.c */
} commands[] = {
    {"machine", "  what is timed, and on what", bench_machine, NOTHING, ""},
    {"steps", "[WORKLOAD]...  a step of each workload, and its share of the machine's matrix-product rate", bench_steps, TIMED,
     "tfrsapbwdkj"},
    {"scaling", "[WORKLOAD]...  two threads over one, and bf16 over f32", bench_scaling, TRAINED, "rsj"},
    {"calls", "[WORKLOAD]...  allocations, page faults and system calls of a step", bench_calls, TIMED, "sj"},
    {"tricks", "[WORKLOAD]...  every trick's cost, in steps without it", bench_tricks, TRAINED, "trsj"},
    {"hooks", "  a hook that does nothing", bench_hooks, NOTHING, "j"},
    {"start", "  from nothing to the first step, on the embedded digits", bench_start, NOTHING, "j"},
    {"data", "[WORKLOAD]...  batches that are drawn and read, without a step", bench_data, TRAINED, "tfpj"},
    {"checkpoint", "[FOLDER]  writing one, to memory and to a disk (.)", bench_checkpoint, OWN, "j"},
    {"compare", "  a comparison's time against trials, with one job and with two", bench_compare, NOTHING, "j"},
    {"many", "  what lies between the trials of a comparison of 1,000, and its memory", bench_many, NOTHING, "j"},
    {"growth", "  a step's time against batch, width, depth, tokens, parameters", bench_growth, NOTHING, "trsj"},
    {"plots", "FOLDER OUT  charts of what growth and compare wrote as FOLDER/growth.json and compare.json", bench_plots, OWN, ""},
    {"write", "WORKLOAD FOLDER  the workload's config and data, for others to train", bench_write, OWN, "tfpbwdk"},
    {"serve", "WORKLOAD  a worker that others drive by its standard input", bench_serve, OWN, "tfpbwdk"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* ---- What commands share ---- */

const char *bench_workload(const struct options *options, int64_t i)
{
    if (options->names == 0) return workloads[i].name;
    return i < options->names ? options->name[i] : NULL;
}

uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

char *bench_folder(void)
{
    char *path = memory_format("%s/knack-bench-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (path && mkdtemp(path)) return path;
    memory_free(path);
    status_set(KNACK_E_IO, "no folder for work files can be made");
    return NULL;
}

char *bench_beside(const char *name)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
    char *folder = file_folder(program), *path = folder ? file_join(folder, name) : NULL;
    memory_free(folder);
    return path;
}

double quantile(double *value, int64_t count, double share)
{
    numbers_sort(value, count);
    return count > 0 ? value[(int64_t)(share * (double)(count - 1) + 0.5)] : 0;
}

double median(double *value, int64_t count)
{
    return quantile(value, count, 0.5);
}

/* ---- The program ---- */

static void print_help(void)
{
    printf("usage: bench COMMAND [OPTION]... [ARGUMENT]...\n\n");
    for (int i = 0; i < COMMANDS; i++) printf("  %s %s\n", commands[i].name, commands[i].help);
    printf("\nworkloads, all of them unless named (tricks: mlp, cnn, encoder):");
    for (const struct workload *w = workloads; w->name; w++) printf(" %s", w->name);
    printf(
        "\n\n"
        "  --threads N       1 unless said\n"
        "  --bf16            products in bf16\n"
        "  --rounds N        how often the arms take turns, to 99: steps and scaling 5, tricks 7, growth 3 unless said\n"
        "  --seconds S       of one turn: steps 0.6, scaling and calls 1, tricks 0.5, growth 0.4 unless said\n"
        "  --against BENCH   steps: another build's bench, timed in the same rounds; \"ms of other\" is its step, \"ratio\" its step in\n"
        "                    steps of this one, so that above 1 the other is slower\n"
        "  --plugins JSON    entries of the config's list, or all of it in brackets: '\"ema\", {\"name\": \"sam\"}'\n"
        "  --batch N --width N --depth N --tokens N   another size than the workload's, if it has such a size\n"
        "  --json FILE       the table as JSON too\n");
}

int main(int argc, char **argv)
{
    struct options options;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || (argc > 2 && strcmp(argv[2], "--help") == 0)) {
        print_help();
        return argc < 2 ? 2 : 0;
    }
    char *plugins = memory_format("%s:%s", bench_beside("../../plugins"), bench_beside("."));
    if (plugins) setenv("KNACK_PLUGIN_PATH", plugins, 0);
    signal(SIGPIPE, SIG_IGN); /* a worker that ended is noticed when it is read */
    knack_status status = status_set(KNACK_E_USAGE, "no command \"%s\"; see bench --help", argv[1]);
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) != 0) continue;
        status = bench_options(argc - 1, argv + 1, commands[i].options, commands[i].operands, &options);
        if (status >= 0) status = commands[i].run(&options);
    }
    if (status < 0 && knack_error()[0] != '\0') fprintf(stderr, "bench: %s\n", knack_error()); /* else a worker said it */
    return status < 0 ? status_exit(status) : 0;
}
