#include "cli/show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/columns.h"
#include "cli/format.h"

/* ---- What a run gave, from the text of result.json ---- */

enum { MOST_METRICS = 3, MOST_COLUMNS = 32 };

/* The primary metric and the loss, and beside them the one that everybody looks for. */
static int chosen_metrics(const struct json *result, const char *name[MOST_METRICS])
{
    const char *const wanted[MOST_METRICS] = {json_member_text(json_member(result, "primary"), "metric", "loss"), "accuracy", "loss"};
    int count = 0;
    for (int i = 0; i < MOST_METRICS; i++) {
        bool there = false;
        for (int k = 0; k < count; k++) there |= strcmp(name[k], wanted[i]) == 0;
        if (!there) name[count++] = wanted[i];
    }
    return count;
}

/* One column of the table of evaluations. */
struct column {
    const char *part, *metric;
};

static bool has_column(const struct json *evaluations, const char *part, const char *metric)
{
    for (const struct json *weights = evaluations ? evaluations->first : NULL; weights; weights = weights->next)
        if (json_member(json_member(weights, part), metric)) return true;
    return false;
}

static int find_columns(const struct json *result, struct column *column)
{
    static const char *const part[] = {"validation", "test"};
    const char *metric[MOST_METRICS];
    int metrics = chosen_metrics(result, metric), count = 0;
    const struct json *evaluations = json_member(result, "evaluations");
    for (size_t p = 0; p < sizeof part / sizeof *part; p++)
        for (int m = 0; m < metrics; m++)
            if (has_column(evaluations, part[p], metric[m])) column[count++] = (struct column){part[p], metric[m]};
    return count;
}

static knack_status show_evaluations(const struct console *console, const struct json *result)
{
    struct column column[MOST_COLUMNS];
    int columns = find_columns(result, column);
    if (columns == 0) return KNACK_OK;
    char text[MOST_COLUMNS][64];
    const char *heading[MOST_COLUMNS + 1] = {"weights"};
    for (int c = 0; c < columns; c++) {
        snprintf(text[c], sizeof text[c], ">%s %s", column[c].part, column[c].metric);
        heading[c + 1] = text[c];
    }
    struct columns *table = columns_new(columns + 1, heading);
    if (!table) return KNACK_E_MEMORY;
    const char *primary = json_member_text(json_member(result, "primary"), "weights", "");
    for (const struct json *weights = json_member(result, "evaluations")->first; weights; weights = weights->next) {
        char name[128], value[NUMBER_SIZE];
        snprintf(name, sizeof name, "%s%s", weights->name, strcmp(weights->name, primary) == 0 ? " (primary)" : "");
        columns_cell(table, name);
        for (int c = 0; c < columns; c++)
            columns_cell(table, number_four(value, json_member_number(json_member(weights, column[c].part), column[c].metric)));
    }
    return columns_print(table, console);
}

/* "post_step 1,350, eval_begin 30": hooks and stages that were not idle. */
static const char *describe_acted(const struct json *trick, char *text, size_t size)
{
    const struct json *installed = json_member(trick, "installed"), *acted = json_member(trick, "acted_by_hook");
    if (installed && !installed->flag) return "not installed: its options say that it does nothing";
    size_t length = 0;
    for (const struct json *hook = acted ? acted->first : NULL; hook && length < size; hook = hook->next) {
        char count[NUMBER_SIZE];
        if (hook->number > 0)
            length += (size_t)snprintf(text + length, size - length, "%s%s %s", length ? ", " : "", hook->name,
                                       number_count(count, (int64_t)hook->number));
    }
    return length ? text : "never";
}

static const char *count_of(const struct json *object, const char *name, char buffer[NUMBER_SIZE])
{
    double number = json_member_number(object, name);
    return isnan(number) ? "-" : number_count(buffer, (int64_t)number);
}

static knack_status show_tricks(const struct console *console, const struct json *tricks)
{
    if (!tricks || tricks->count == 0) return KNACK_OK;
    static const char *const heading[] = {"trick", "acted", ">seconds", ">extra gradients", ">extra forwards"};
    struct columns *table = columns_new(5, heading);
    if (!table) return KNACK_E_MEMORY;
    for (const struct json *trick = tricks->first; trick; trick = trick->next) {
        char text[512], number[NUMBER_SIZE];
        double seconds = json_member_number(trick, "seconds");
        columns_cell(table, json_member_text(trick, "name", "?"));
        columns_cell(table, describe_acted(trick, text, sizeof text));
        columns_cell(table, isnan(seconds) ? "-" : number_fixed(number, seconds, 3));
        columns_cell(table, count_of(trick, "extra_gradient_passes", number));
        columns_cell(table, count_of(trick, "extra_forwards", number));
    }
    putchar('\n');
    return columns_print(table, console);
}

static knack_status show_written(const char *folder)
{
    char **name;
    int64_t count;
    TRY(file_list(folder, &name, &count));
    puts("\nwritten:");
    for (int64_t i = 0; i < count; i++) {
        char *path = file_join(folder, name[i]);
        if (!path) {
            memory_free(name);
            return KNACK_E_MEMORY;
        }
        printf("  %s%s\n", path, file_is_folder(path) ? "/" : "");
        memory_free(path);
    }
    memory_free(name);
    return KNACK_OK;
}

static knack_status show_tables(const struct console *console, const struct json *result, const char *folder)
{
    TRY(show_evaluations(console, result));
    TRY(show_tricks(console, json_member(result, "tricks")));
    char steps[NUMBER_SIZE], seconds[NUMBER_SIZE];
    printf("\n%s steps in %s\n", number_count(steps, (int64_t)json_member_number(result, "steps")),
           number_duration(seconds, json_member_number(result, "seconds")));
    return show_written(folder);
}

knack_status show_result(const struct console *console, struct run *run)
{
    char *text = run_result_text(run);
    if (!text || console->json) return console_print(text);
    struct json_document *result;
    knack_status status = json_parse(text, strlen(text), "result.json", &result);
    memory_free(text);
    if (status < 0) return status;
    status = show_tables(console, result->root, run_folder(run));
    json_free(result);
    return status;
}

/* ---- What a run would be ---- */

static void describe_passes(const struct run_trick *trick, char *text, size_t size)
{
    char gradient[NUMBER_SIZE], forward[NUMBER_SIZE];
    if (!trick->installed)
        snprintf(text, size, "not installed: its options say that it does nothing");
    else if (trick->gradient_passes == 0 && trick->forward_passes == 0)
        snprintf(text, size, "no extra passes");
    else
        snprintf(text, size, "a step: %s extra gradient, %s extra forward passes", number_fixed(gradient, trick->gradient_passes, 1),
                 number_fixed(forward, trick->forward_passes, 1));
}

static knack_status show_facts_text(struct run *run, const struct run_facts *facts)
{
    char *config = run_config_text(run);
    if (!config) return KNACK_E_MEMORY;
    char text[256], steps[NUMBER_SIZE], epoch[NUMBER_SIZE];
    printf("%s\ndata        %s\nmodel       %s\ntraining    %s steps, %s an epoch\n", config, facts->data, facts->model,
           number_count(steps, facts->steps), number_count(epoch, facts->steps_per_epoch));
    memory_free(config);
    for (int64_t i = 0; i < facts->tricks; i++) {
        const struct run_trick *trick = &facts->trick[i];
        describe_passes(trick, text, sizeof text);
        printf("%s%s: %s (%s)\n", i ? "            " : "tricks      ", trick->name, trick->summary, text);
    }
    if (facts->tricks == 0) puts("tricks      none");
    printf("time        about %s\nresults     would go to %s; nothing was trained or written\n", number_duration(text, facts->seconds),
           run_folder(run));
    return KNACK_OK;
}

static void write_trick(struct json_writer *writer, const struct run_trick *trick)
{
    json_open(writer, NULL, '{');
    json_string(writer, "name", trick->name);
    json_string(writer, "plugin", trick->plugin);
    json_boolean(writer, "installed", trick->installed);
    json_open(writer, "passes", '{');
    json_number(writer, "gradient", trick->gradient_passes);
    json_number(writer, "forward", trick->forward_passes);
    json_close(writer);
    json_close(writer);
}

static knack_status show_facts_json(struct run *run, const struct run_facts *facts)
{
    struct json_writer *writer = json_writer_new(true);
    if (!writer) return KNACK_E_MEMORY;
    json_open(writer, NULL, '{');
    json_node(writer, "config", run_config(run)->root);
    json_string(writer, "out", run_folder(run));
    json_integer(writer, "train", facts->train);
    json_integer(writer, "validation", facts->validation);
    json_integer(writer, "test", facts->test);
    json_integer(writer, "parameters", facts->parameters);
    json_integer(writer, "steps_per_epoch", facts->steps_per_epoch);
    json_integer(writer, "steps", facts->steps);
    json_number(writer, "seconds", facts->seconds);
    json_open(writer, "tricks", '[');
    for (int64_t i = 0; i < facts->tricks; i++) write_trick(writer, &facts->trick[i]);
    json_close(writer);
    json_close(writer);
    return console_print_json(writer);
}

knack_status show_facts(const struct console *console, struct run *run)
{
    struct run_facts facts;
    TRY(run_facts(run, true, &facts));
    return console->json ? show_facts_json(run, &facts) : show_facts_text(run, &facts);
}
