/* Several comparisons: two side by side, and a list of folders. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "cli/columns.h"
#include "cli/paragraph.h"
#include "cli/show_comparison.h"
#include "compare/report/report.h"

/* ---- Two, side by side ---- */

static const struct contrast_result *find_contrast(const struct analysis *analysis, const char *title)
{
    for (int64_t c = 0; c < analysis->plan->contrasts; c++)
        if (strcmp(analysis->contrast[c].title, title) == 0) return &analysis->contrast[c];
    return NULL;
}

/* "+0.50 [+0.30, +0.70] HELPS" */
static void describe(const struct analysis *analysis, const struct contrast_result *result, char *text, size_t size)
{
    if (!result) {
        snprintf(text, size, "-");
        return;
    }
    char effect[3 * NUMBER_SIZE];
    const struct interval ci = result->estimate.ci, shown = analysis_shown_interval(analysis, ci);
    int decimals = isnan(ci.low) ? (analysis->percent == 100 ? 2 : 4) : number_decimals(analysis->percent * (ci.high - ci.low) / 2, 5);
    number_effect(effect, sizeof effect, analysis_shown(analysis, result->estimate.delta), shown.low, shown.high, decimals);
    snprintf(text, size, "%s  %s", effect, result->verdict.word);
}

/* A line for each of the two under a trick's name, which any screen has room for. */
static void show_pair(const struct console *console, const struct analysis *const analysis[2], const char *title)
{
    puts(title);
    for (int i = 0; i < 2; i++) {
        char text[512];
        describe(analysis[i], find_contrast(analysis[i], title), text, sizeof text);
        print_paragraph(console, i == 0 ? "  A" : "  B", 5, text);
    }
}

static void compare_fact(const struct console *console, const char *name, const char *a, const char *b)
{
    char text[1024];
    if (strcmp(a, b) == 0)
        snprintf(text, sizeof text, "%s", a);
    else
        snprintf(text, sizeof text, "A: %.400s; B: %.400s", a, b);
    print_paragraph(console, name, 13, text);
}

struct facts {
    char metric[128], seeds[96], margin[NUMBER_SIZE], test_set[48], baseline[NUMBER_SIZE];
};

static void collect_facts(const struct analysis *analysis, struct facts *facts)
{
    const struct plan *plan = analysis->plan;
    snprintf(facts->metric, sizeof facts->metric, "%.40s %.60s", plan->part, plan->metric);
    char blocks[NUMBER_SIZE];
    snprintf(facts->seeds, sizeof facts->seeds, "%lld to %lld, %s (%s)", (long long)plan->first_seed,
             (long long)analysis_last_seed(analysis), number_of(blocks, analysis->blocks, "complete block"), role_name[plan->role]);
    if (plan->margin > 0)
        number_short(facts->margin, plan->margin);
    else
        strcpy(facts->margin, "none");
    number_fixed(facts->baseline, analysis->percent * analysis->arm[0].mean, analysis->percent == 100 ? 2 : 4);
    snprintf(facts->test_set, sizeof facts->test_set, "%016llx", (unsigned long long)plan->test_set);
}

static void show_facts(const struct console *console, const struct analysis *const analysis[2])
{
    struct facts a, b;
    collect_facts(analysis[0], &a);
    collect_facts(analysis[1], &b);
    compare_fact(console, "metric", a.metric, b.metric);
    compare_fact(console, "margin", a.margin, b.margin);
    compare_fact(console, "seeds", a.seeds, b.seeds);
    compare_fact(console, "tests", analysis[0]->adjustment, analysis[1]->adjustment);
    compare_fact(console, "config", analysis[0]->plan->config ? analysis[0]->plan->config : "-",
                 analysis[1]->plan->config ? analysis[1]->plan->config : "-");
    compare_fact(console, "baseline", a.baseline, b.baseline);
    compare_fact(console, "command", analysis[0]->plan->command, analysis[1]->plan->command);
    compare_fact(console, "test set", a.test_set, b.test_set);
    print_paragraph(console, "note", 13,
                    strcmp(a.metric, b.metric) ? "the metrics differ: what stands side by side is not the same quantity"
                                               : "each is judged by itself; that one interval excludes 0 and the other does not is no "
                                                 "difference between the two");
}

static knack_status print_both_json(const struct analysis *const analysis[2])
{
    char *a = report_json(analysis[0]), *b = a ? report_json(analysis[1]) : NULL;
    char *both = b ? memory_format("{\n\"a\": %s,\n\"b\": %s}\n", a, b) : NULL;
    memory_free(a);
    memory_free(b);
    return console_print(both);
}

knack_status show_two_comparisons(const struct console *console, const struct analysis *a, const struct analysis *b)
{
    const struct analysis *const analysis[2] = {a, b};
    if (console->json) return print_both_json(analysis);
    for (int i = 0; i < 2; i++)
        printf("%s: %s, %lld arms, %lld seeds (%s)\n", i ? "B" : "A", analysis[i]->plan->name, (long long)plan_own_arms(analysis[i]->plan),
               (long long)analysis[i]->plan->seeds, analysis[i]->status);
    puts("\ndelta [interval]  verdict; shares in points");
    for (int64_t c = 0; c < a->plan->contrasts; c++) show_pair(console, analysis, a->contrast[c].title);
    for (int64_t c = 0; c < b->plan->contrasts; c++)
        if (!find_contrast(a, b->contrast[c].title)) show_pair(console, analysis, b->contrast[c].title);
    putchar('\n');
    show_facts(console, analysis);
    return console_flush();
}

/* ---- A list of folders ---- */

/* What one folder holds; error: why it cannot be read, "" if it can. */
struct listed {
    struct plan *plan;
    char status[32], error[512];
    int64_t number;
};

static knack_status read_listed(const char *folder, struct listed *listed)
{
    struct store *store;
    TRY(store_open(folder, false, &store));
    knack_status status = store_read_plan(store, &listed->plan);
    if (status >= 0) status = store_read_status(store, listed->status, &listed->number);
    store_close(store);
    if (status < 0) return status;
    return listed->plan ? KNACK_OK : status_set(KNACK_E_DATA, "no comparison was planned here yet");
}

static void list_folder(const char *folder, struct listed *listed)
{
    *listed = (struct listed){0};
    if (read_listed(folder, listed) >= 0) return;
    snprintf(listed->error, sizeof listed->error, "%s", knack_error());
    status_clear();
    plan_free(listed->plan);
    listed->plan = NULL;
}

static void write_listed(struct json_writer *writer, const char *folder, const struct listed *listed)
{
    char metric[128];
    json_open(writer, NULL, '{');
    json_string(writer, "folder", folder);
    if (listed->plan) {
        snprintf(metric, sizeof metric, "%.40s.%.60s", listed->plan->part, listed->plan->metric);
        json_string(writer, "name", listed->plan->name);
        json_string(writer, "status", listed->status);
        json_string(writer, "design", design_name[listed->plan->design]);
        json_string(writer, "role", role_name[listed->plan->role]);
        json_integer(writer, "arms", listed->plan->arms);
        json_integer(writer, "seeds", listed->plan->seeds);
        json_string(writer, "metric", metric);
        json_integer(writer, "comparison_number", listed->number);
    } else {
        json_string(writer, "error", listed->error);
    }
    json_close(writer);
}

static void put_listed(struct columns *table, const char *folder, const struct listed *listed)
{
    char text[160];
    columns_cell(table, folder);
    if (!listed->plan) {
        for (int i = 0; i < 5; i++) columns_cell(table, "-");
        columns_cell(table, listed->error);
        return;
    }
    columns_cell(table, design_name[listed->plan->design]);
    columns_cell(table, role_name[listed->plan->role]);
    snprintf(text, sizeof text, "%lld", (long long)listed->plan->arms);
    columns_cell(table, text);
    snprintf(text, sizeof text, "%lld", (long long)listed->plan->seeds);
    columns_cell(table, text);
    snprintf(text, sizeof text, "%.40s %.60s", listed->plan->part, listed->plan->metric);
    columns_cell(table, text);
    columns_cell(table, listed->status);
}

knack_status show_comparison_list(const struct console *console, char *const *folder, int64_t count)
{
    static const char *const heading[] = {"folder", "design", "role", ">arms", ">seeds", "metric", "status"};
    struct json_writer *writer = console->json ? json_writer_new(true) : NULL;
    struct columns *table = console->json ? NULL : columns_new(7, heading);
    if (!writer && !table) return KNACK_E_MEMORY;
    json_open(writer, NULL, '[');
    for (int64_t i = 0; i < count; i++) {
        struct listed listed;
        list_folder(folder[i], &listed);
        if (writer)
            write_listed(writer, folder[i], &listed);
        else
            put_listed(table, folder[i], &listed);
        plan_free(listed.plan);
    }
    json_close(writer);
    if (writer) return console_print_json(writer);
    if (count > 0) {
        TRY(columns_print(table, console));
        return console_flush();
    }
    columns_free(table);
    puts("no comparison here; knack compare CONFIG --tricks TRICKS makes one");
    return console_flush();
}
