#include "cli/show_comparison.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "cli/columns.h"
#include "cli/format.h"
#include "cli/interval_line.h"
#include "cli/paragraph.h"
#include "compare/analysis/table.h"
#include "compare/report/report.h"
#include "compare/statistics/power.h"

/* ---- The table, in what room there is ---- */

/* Columns of the table, and those that only a terminal has. */
enum { NAME = TABLE_COLUMNS, LINE, VERDICT, ALL };
static const int order[] = {NAME,    TABLE_N,        TABLE_BASE, TABLE_MEAN, TABLE_DELTA, LINE,
                            TABLE_P, TABLE_ADJUSTED, TABLE_WINS, TABLE_COST, TABLE_EQUAL, VERDICT};
/* The first ones always; the others in this order, as many as there is room for. */
enum { COLUMNS = sizeof order / sizeof *order, NEEDED = 6 };
static const int priority[COLUMNS] = {NAME, TABLE_N,    TABLE_DELTA, TABLE_ADJUSTED, TABLE_COST, VERDICT,
                                      LINE, TABLE_WINS, TABLE_EQUAL, TABLE_P,        TABLE_MEAN, TABLE_BASE};
enum { NAME_LEAST = 12, NAME_MOST = 40, LINE_LEAST = 13, LINE_USUAL = 31, VERDICT_LEAST = 12 };
enum { CELL = INTERVAL_LINE_SIZE > 256 ? INTERVAL_LINE_SIZE : 256 };

struct layout {
    const struct analysis *analysis;
    struct result_table table;
    bool shown[ALL];
    int64_t name_width;
    struct line_scale scale;
};

/* Of a verdict's word, without what qualifies it. */
static size_t word_length(const char *word)
{
    size_t length = strcspn(word, ",;(:");
    while (length > 0 && word[length - 1] == ' ') length--;
    return length;
}

/* A name is cut where the table has no room for it; the sentence below the table has all of it, and all of the verdict. */
static const char *cell_of(const struct layout *layout, int64_t row, int column, char text[CELL])
{
    const struct contrast_result *result = &layout->analysis->contrast[row];
    const double *effect = layout->table.cell[row][TABLE_DELTA].number;
    const struct table_cell *cell = &layout->table.cell[row][column < TABLE_COLUMNS ? column : 0];
    size_t to = strcspn(cell->below, " ");
    bool whole = text_columns(result->title) <= layout->name_width;
    if (column == NAME)
        snprintf(text, CELL, "%.*s%s", (int)text_cut(result->title, layout->name_width - (whole ? 0 : 3)), result->title,
                 whole ? "" : "...");
    else if (column == LINE)
        interval_line(text, &layout->scale, isnan(effect[1]) ? effect[0] : effect[1], effect[0], isnan(effect[2]) ? effect[0] : effect[2]);
    else if (column == VERDICT)
        snprintf(text, CELL, "%.*s", (int)word_length(result->verdict.word), result->verdict.word);
    else if (*cell->below && column != TABLE_COST)
        snprintf(text, CELL, "%s [%.*s, %s]", cell->text, (int)to, cell->below, cell->below + to + strlen(" to "));
    else
        snprintf(text, CELL, "%s", cell->text);
    return text;
}

static const char *heading_of(const struct layout *layout, int column)
{
    enum design design = layout->analysis->plan->design;
    if (column == NAME) return design == DESIGN_FACTORIAL || design == DESIGN_FRACTION ? "effect" : "arm";
    return column == LINE ? "" : column == VERDICT ? "verdict" : layout->table.heading[column].plain;
}

static int64_t width_of(const struct layout *layout, int column)
{
    char text[CELL];
    int64_t most = column == LINE ? LINE_LEAST : text_columns(heading_of(layout, column));
    for (int64_t r = 0; column != LINE && r < layout->table.rows; r++) {
        int64_t width = text_columns(cell_of(layout, r, column, text));
        if (width > most) most = width;
    }
    return most;
}

/* Which columns, and how wide names and lines may be. limit 0: no limit. */
static void fit(struct layout *layout, int64_t limit, int64_t *line)
{
    int64_t used = -2, verdict = width_of(layout, VERDICT), least = verdict < VERDICT_LEAST ? verdict : VERDICT_LEAST;
    for (int i = 0; i < COLUMNS; i++) {
        int column = priority[i] == TABLE_ADJUSTED && !layout->table.shown[TABLE_ADJUSTED] ? TABLE_P : priority[i];
        if (layout->shown[column] || (column < TABLE_COLUMNS && !layout->table.shown[column])) continue;
        int64_t width = 2 + (column == VERDICT ? least : width_of(layout, column));
        if (i >= NEEDED && limit > 0 && used + width > limit) continue;
        layout->shown[column] = true;
        used += width;
    }
    if (limit > 0 && used > limit) layout->name_width = width_of(layout, NAME) - (used - limit);
    if (layout->name_width < NAME_LEAST) layout->name_width = NAME_LEAST;
    int64_t room = limit > 0 ? limit - used - (verdict - least) : LINE_USUAL;
    *line = room < 0 ? LINE_LEAST : room > LINE_USUAL - LINE_LEAST ? LINE_USUAL : LINE_LEAST + room;
}

static knack_status draw_scale(struct layout *layout, int64_t width, bool unicode)
{
    int64_t rows = layout->table.rows;
    double *bound = memory_new((size_t)(2 * rows), sizeof *bound);
    if (!bound) return KNACK_E_MEMORY;
    for (int64_t r = 0; r < rows; r++) {
        const double *effect = layout->table.cell[r][TABLE_DELTA].number;
        bound[r] = isnan(effect[1]) ? effect[0] : effect[1];
        bound[rows + r] = isnan(effect[2]) ? effect[0] : effect[2];
    }
    layout->scale = line_scale(bound, bound + rows, rows, width, unicode);
    memory_free(bound);
    return KNACK_OK;
}

static knack_status print_table(const struct console *console, const struct layout *layout)
{
    const char *heading[COLUMNS];
    char text[CELL], right[COLUMNS][NUMBER_SIZE];
    int64_t columns = 0;
    for (int i = 0; i < COLUMNS; i++) {
        if (!layout->shown[order[i]]) continue;
        snprintf(right[columns], NUMBER_SIZE, "%s%s", order[i] < TABLE_COLUMNS ? ">" : "", heading_of(layout, order[i]));
        heading[columns] = right[columns];
        columns++;
    }
    struct columns *out = columns_new(columns, heading);
    if (!out) return KNACK_E_MEMORY;
    for (int64_t r = 0; r < layout->table.rows; r++)
        for (int i = 0; i < COLUMNS; i++)
            if (layout->shown[order[i]]) columns_cell(out, cell_of(layout, r, order[i], text));
    return columns_print(out, console);
}

/* What the table's numbers are. */
static void print_legend(const struct console *console, const struct layout *layout)
{
    static const char *const interval[] = {"95% CI", "95% repeated CI, valid at any look", "95% confidence sequence, valid at any time"};
    const struct analysis *analysis = layout->analysis;
    char low[NUMBER_SIZE], high[NUMBER_SIZE], line[160] = "", text[640];
    int decimals = result_table_decimals(analysis);
    if (layout->shown[LINE])
        snprintf(line, sizeof line, "; %s marks 0 on a scale from %s to %s", console->unicode ? "\u250a" : ":",
                 number_signed(low, layout->scale.low, decimals), number_signed(high, layout->scale.high, decimals));
    snprintf(text, sizeof text, "delta: difference of means in %s, with its %s%s.%s%s", analysis->unit, interval[analysis->plan->stopping],
             line, layout->shown[TABLE_WINS] ? " wins: seeds in which it was better." : "",
             layout->shown[TABLE_COST] ? " cost: passes of a whole training, the baseline's being 1." : "");
    print_paragraph(console, "", 0, text);
}

static knack_status show_table(const struct console *console, const struct analysis *analysis)
{
    struct layout layout = {.analysis = analysis, .name_width = NAME_MOST};
    TRY(result_table_new(analysis, &layout.table));
    int64_t width;
    fit(&layout, console->result_width, &width);
    knack_status status = draw_scale(&layout, width, console->unicode);
    if (status >= 0) status = print_table(console, &layout);
    if (status >= 0) print_legend(console, &layout);
    result_table_free(&layout.table);
    return status;
}

/* ---- Before the end: counts and means ---- */

static knack_status show_counts(const struct console *console, const struct analysis *analysis)
{
    static const char *const heading[] = {"arm", ">seeds", ">failed", ">mean"};
    struct columns *table = columns_new(4, heading);
    if (!table) return KNACK_E_MEMORY;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        const struct arm_result *result = &analysis->arm[a];
        char text[64], number[NUMBER_SIZE];
        columns_cell(table, result->arm->name);
        if (analysis->plan->design == DESIGN_SCREEN || result->arm->kind == ARM_BUDGET) /* how many there will be is not settled */
            snprintf(text, sizeof text, "%lld", (long long)result->n);
        else
            snprintf(text, sizeof text, "%lld of %lld", (long long)result->n, (long long)analysis->plan->seeds);
        columns_cell(table, text);
        snprintf(text, sizeof text, "%lld", (long long)result->failed);
        columns_cell(table, text);
        columns_cell(table, number_fixed(number, analysis->percent * result->mean, analysis->percent == 100 ? 2 : 4));
    }
    TRY(columns_print(table, console));
    if (analysis->percent == 100)
        print_paragraph(console, "", 0, "means in percent; verdicts and intervals follow when all seeds are there");
    return KNACK_OK;
}

/* ---- Sentences ---- */

static void show_sentences(const struct console *console, const struct analysis *analysis)
{
    enum { MOST_INDENT = 24 };
    int64_t indent = 0;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        int64_t width = text_columns(analysis->contrast[c].title);
        if (width > indent) indent = width;
    }
    if (indent > MOST_INDENT) indent = MOST_INDENT;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++)
        print_paragraph(console, analysis->contrast[c].title, indent + 2, analysis->contrast[c].verdict.sentence);
}

/* ---- What was held, what was drawn ---- */

enum { FACTS = 13 };

static void show_fact(const struct console *console, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void show_fact(const struct console *console, const char *name, const char *format, ...)
{
    char text[2048];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    print_paragraph(console, name, FACTS, text);
}

static void show_lines(const struct console *console, const char *name, char *const *line)
{
    for (int64_t i = 0; line && line[i]; i++) show_fact(console, i == 0 ? name : "", "%s", line[i]);
}

static void show_joined(const struct console *console, const char *name, char *const *line)
{
    char text[1024] = "";
    for (int64_t i = 0; line && line[i]; i++) snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? ", " : "", line[i]);
    show_fact(console, name, "%s", text);
}

static void show_plan(const struct console *console, const struct analysis *analysis)
{
    const struct plan *plan = analysis->plan;
    char margin[64] = "none", looks[128] = "", number[NUMBER_SIZE];
    if (plan->margin > 0) {
        number_short(number, analysis->percent * plan->margin);
        snprintf(margin, sizeof margin, analysis->percent == 100 ? "%s point%s" : "%s", number, number_s(number));
    }
    show_fact(console, "metric", "%s %s, %s is better; margin: %s", plan->part, plan->metric, plan->lower_is_better ? "lower" : "higher",
              margin);
    for (int64_t i = 0; i < plan->looks; i++)
        snprintf(looks + strlen(looks), sizeof looks - strlen(looks), "%s%lld", i ? ", " : "; looks at ", (long long)plan->look[i]);
    if (plan->stopping == STOP_DECIDED) snprintf(looks, sizeof looks, "; at most, until decided");
    show_fact(console, "seeds", "%lld to %lld (%s), %s%s", (long long)plan->first_seed, (long long)analysis_last_seed(analysis),
              role_name[plan->role], number_of(number, analysis->blocks, "complete block"), looks);
    show_fact(console, "tests", "paired t over seeds, two-sided; %s%s", analysis->adjustment,
              plan->redraw ? "; variance by the re-split formula, since seeds redraw the data" : "");
    if (plan->generators) show_fact(console, "fraction", "%s", plan->generators);
}

static void show_failures(const struct console *console, const struct analysis *analysis)
{
    int64_t failed = 0;
    double bound = 0;
    char number[NUMBER_SIZE], trials[NUMBER_SIZE];
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        failed += analysis->arm[a].failed;
        if (analysis->arm[a].failure_bound > bound) bound = analysis->arm[a].failure_bound;
    }
    if (failed > 0)
        show_fact(console, "failures", "%s, counted as %s%s", number_of(trials, failed, "trial"),
                  isnan(analysis->plan->failed_score) ? "(not known: --failed-score)"
                                                      : number_short(number, analysis->percent * analysis->plan->failed_score),
                  analysis->percent == 100 && !isnan(analysis->plan->failed_score) ? " %" : "");
    if (bound > 0)
        show_fact(console, failed > 0 ? "" : "failures", "%san arm without a failed trial may still fail in up to %s %% of trainings",
                  failed > 0 ? "" : "none; ", number_fixed(number, 100 * bound, 0));
}

static void show_budgets(const struct console *console, const struct analysis *analysis)
{
    char text[512] = "", number[NUMBER_SIZE], size[NUMBER_SIZE];
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        const struct arm_result *result = &analysis->arm[a];
        if (result->arm->kind != ARM_BUDGET) continue;
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s with %sx as many", *text ? ", " : "",
                 number_fixed(number, analysis->percent * result->mean, analysis->percent == 100 ? 2 : 4),
                 number_short(size, result->arm->budget));
    }
    if (*text) show_fact(console, "longer", "the baseline with more updates, its schedule stretched, has a mean of %s", text);
}

static void show_facts(const struct console *console, const struct analysis *analysis)
{
    char number[NUMBER_SIZE];
    for (int64_t i = 0; i < analysis->remarks; i++) show_fact(console, analysis->remark[i].about, "%s", analysis->remark[i].text);
    show_plan(console, analysis);
    show_lines(console, "fixed", analysis->fixed);
    show_joined(console, "random", analysis->random);
    show_failures(console, analysis);
    show_budgets(console, analysis);
    if (analysis->plan->seeds > 2 && analysis->plan->seeds <= 5 && analysis->finished)
        show_fact(console, "few seeds", "relies on normal differences; detects only effects of %s standard deviations of D or more",
                  number_fixed(number, detectable_effect(analysis->plan->seeds, .8, .05), 1));
    if (analysis->plan->arms > 2)
        show_fact(console, "note", "all arms share one baseline: an unlucky one moves every verdict the same way");
    show_fact(console, "program", "knack %s, %s", analysis->knack, analysis->machine);
}

static void show_title(const struct analysis *analysis)
{
    const struct plan *plan = analysis->plan;
    char arms[NUMBER_SIZE], seeds[NUMBER_SIZE];
    printf("%s%s: %s, %s%s, %s %s (%s)\n\n", analysis->screening ? "SCREENING " : "", plan->name,
           number_of(arms, plan_own_arms(plan), "arm"), plan->stopping == STOP_FIXED ? "" : "at most ",
           number_of(seeds, plan->seeds, "seed"), plan->part, plan->metric, analysis->status);
}

static knack_status show_path(const struct console *console, const char *folder)
{
    char *path = file_join(folder, "report.html");
    if (!path) return KNACK_E_MEMORY;
    if (file_exists(path)) show_fact(console, "report", "%s", path);
    memory_free(path);
    return KNACK_OK;
}

knack_status show_comparison(const struct console *console, const struct analysis *analysis, const char *folder)
{
    if (console->json) return console_print(report_json(analysis));
    bool inference = analysis_has_inference(analysis);
    show_title(analysis);
    if (inference) {
        print_paragraph(console, "", 0, analysis->headline);
        putchar('\n');
    }
    TRY(inference ? show_table(console, analysis) : show_counts(console, analysis));
    putchar('\n');
    if (inference) {
        show_sentences(console, analysis);
        putchar('\n');
    }
    show_facts(console, analysis);
    if (folder) TRY(show_path(console, folder));
    return console_flush();
}

/* ---- Verdicts that shall not be ---- */

const char *const fail_if_name[] = {"hurts", "inconclusive", "hurts,inconclusive", NULL};
const char fail_if_help[] = "exit status 7 if a verdict is so: hurts, inconclusive, or one of both: hurts,inconclusive";

/* A word that no verdict can be would never fail. */
knack_status fail_if_check(const char *fail_if)
{
    for (const char *word = fail_if; word; word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL) {
        size_t length = strcspn(word, ",");
        bool known = false;
        for (int i = 0; i < 2; i++) known |= strlen(fail_if_name[i]) == length && strncmp(word, fail_if_name[i], length) == 0;
        if (!known)
            return status_set(KNACK_E_USAGE, "--fail-if %s: there are hurts, inconclusive, or both with a comma between them", fail_if);
    }
    return KNACK_OK;
}

knack_status fail_if_verdicts(const struct analysis *analysis, const char *fail_if)
{
    char text[1024] = "";
    for (int64_t c = 0; fail_if && c < analysis->plan->contrasts; c++) {
        const struct contrast_result *result = &analysis->contrast[c];
        if (result->verdict.kind == VERDICT_NONE || !strstr(fail_if, verdict_kind_name[result->verdict.kind])) continue;
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %s", *text ? ", " : "", result->title, result->verdict.word);
    }
    return *text ? status_set(STATUS_VERDICT, "--fail-if %s: %s", fail_if, text) : KNACK_OK;
}
