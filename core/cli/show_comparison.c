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
#include "compare/report/report.h"
#include "compare/statistics/power.h"

/* ---- Cells ---- */

/* Columns in the order of the table. */
enum column { NAME, COUNT, BASE, MEAN, DELTA, LINE, P, ADJUSTED, WINS, COST, EQUAL_COST, COLUMNS };
/* The first ones always; the others in this order, as many as there is room for. */
enum { NEEDED = 5 };
static const enum column priority[COLUMNS] = {NAME, COUNT, DELTA, LINE, ADJUSTED, COST, WINS, EQUAL_COST, P, MEAN, BASE};
enum { NAME_LEAST = 12, NAME_MOST = 40, LINE_LEAST = 13, LINE_USUAL = 31, CELL = INTERVAL_LINE_SIZE > 128 ? INTERVAL_LINE_SIZE : 128 };

struct table {
    const struct analysis *analysis;
    char (*cell)[COLUMNS][CELL]; /* [rows] */
    int64_t rows;
    bool shown[COLUMNS];
};

static int decimals_of(const struct analysis *analysis)
{
    double least = INFINITY;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        const struct interval ci = analysis->contrast[c].estimate.ci;
        double half = analysis->percent * (ci.high - ci.low) / 2;
        if (half > 0 && half < least) least = half;
    }
    int decimals = isfinite(least) ? number_decimals(least, 5) : 2;
    return decimals < 1 ? 1 : decimals > 4 ? 4 : decimals;
}

static void put_interval(char *cell, const struct analysis *analysis, double delta, struct interval ci, int decimals)
{
    struct interval shown = analysis_shown_interval(analysis, ci);
    number_effect(cell, CELL, analysis_shown(analysis, delta), shown.low, shown.high, decimals);
}

/* A name is cut where the table has no room for it; the sentence below the table has all of it. */
static void put_name(char *cell, const char *name, int64_t most)
{
    if (text_columns(name) <= most)
        snprintf(cell, CELL, "%s", name);
    else
        snprintf(cell, CELL, "%.*s...", (int)text_cut(name, most - 3), name);
}

static void fill_row(struct table *table, int64_t c, int decimals)
{
    const struct analysis *analysis = table->analysis;
    const struct contrast_result *result = &analysis->contrast[c];
    const struct estimate *estimate = &result->estimate;
    char(*cell)[CELL] = table->cell[c], number[NUMBER_SIZE];
    put_name(cell[NAME], result->title, NAME_MOST);
    if (result->failed > 0)
        snprintf(cell[COUNT], CELL, "%lld (%lld)", (long long)estimate->n, (long long)result->failed);
    else
        snprintf(cell[COUNT], CELL, "%lld", (long long)estimate->n);
    snprintf(cell[BASE], CELL, "%s", number_fixed(number, analysis->percent * result->base_mean, decimals));
    snprintf(cell[MEAN], CELL, "%s", number_fixed(number, analysis->percent * result->arm_mean, decimals));
    put_interval(cell[DELTA], analysis, estimate->delta, estimate->ci, decimals);
    analysis_p(analysis, cell[P], estimate->p);
    analysis_p(analysis, cell[ADJUSTED], estimate->p_adjusted);
    snprintf(cell[WINS], CELL, "%s", estimate->n > 0 ? number_short(number, estimate->wins) : "-");
    snprintf(cell[COST], CELL, "%s", number_ratio(number, result->cost));
    put_interval(cell[EQUAL_COST], analysis, result->at_equal_cost.n > 0 ? result->at_equal_cost.delta : NAN, result->at_equal_cost.ci,
                 decimals);
    if (result->equal_cost_missing) snprintf(cell[EQUAL_COST], CELL, "not measured");
}

/* ---- Which columns, and the line of characters in what room they leave ---- */

static bool any_failed(const struct analysis *analysis)
{
    for (int64_t c = 0; c < analysis->plan->contrasts; c++)
        if (analysis->contrast[c].failed > 0) return true;
    return false;
}

static const char *heading_of(const struct analysis *analysis, enum column column)
{
    static const char *const heading[COLUMNS] = {"",   ">n (failed)", ">base", ">mean", ">delta [95% CI]", "",
                                                 ">p", ">Holm p",     ">wins", ">cost", ">at equal cost"};
    if (column == NAME) return analysis->plan->design == DESIGN_FACTORIAL || analysis->plan->design == DESIGN_FRACTION ? "effect" : "arm";
    if (column == COUNT && !any_failed(analysis)) return ">n";
    if (column == ADJUSTED && analysis->screening) return ">q";
    return heading[column];
}

static int64_t width_of(const struct table *table, enum column column)
{
    const char *heading = heading_of(table->analysis, column);
    int64_t most = column == LINE ? LINE_LEAST : text_columns(heading + (*heading == '>'));
    for (int64_t r = 0; column != LINE && r < table->rows; r++) {
        int64_t width = text_columns(table->cell[r][column]);
        if (width > most) most = width;
    }
    return most;
}

static bool is_empty(const struct table *table, enum column column)
{
    for (int64_t r = 0; r < table->rows; r++)
        if (strcmp(table->cell[r][column], "-") != 0) return false;
    return true;
}

/* Returns how wide the line of characters may be; below LINE_LEAST by as much as is missing. limit 0: no limit. */
static int64_t choose_columns(struct table *table, int64_t limit)
{
    int64_t used = -2;
    bool adjusted = table->analysis->family_size[0] > 1 || table->analysis->family_size[1] > 1;
    for (int i = 0; i < COLUMNS; i++) {
        enum column column = priority[i] == ADJUSTED && !adjusted ? P : priority[i];
        if (table->shown[column] || (column == EQUAL_COST && is_empty(table, column))) continue;
        int64_t width = width_of(table, column) + 2;
        if (i >= NEEDED && limit > 0 && used + width > limit) continue;
        table->shown[column] = true;
        used += width;
    }
    int64_t room = limit > 0 ? limit - used + LINE_LEAST : LINE_USUAL;
    return room > LINE_USUAL ? LINE_USUAL : room;
}

/* Names give room where the columns that there must be have none. */
static int64_t fit_columns(struct table *table, int64_t limit)
{
    int64_t width = choose_columns(table, limit);
    if (width >= LINE_LEAST) return width;
    int64_t most = width_of(table, NAME) - (LINE_LEAST - width);
    for (int64_t c = 0; c < table->rows; c++)
        put_name(table->cell[c][NAME], table->analysis->contrast[c].title, most < NAME_LEAST ? NAME_LEAST : most);
    return LINE_LEAST;
}

static knack_status draw_lines(struct table *table, int64_t width, bool unicode, struct line_scale *scale)
{
    const struct analysis *analysis = table->analysis;
    double *bound = memory_new((size_t)(2 * table->rows), sizeof *bound);
    if (!bound) return KNACK_E_MEMORY;
    for (int64_t r = 0; r < table->rows; r++) {
        double delta = analysis_shown(analysis, analysis->contrast[r].estimate.delta);
        struct interval shown = analysis_shown_interval(analysis, analysis->contrast[r].estimate.ci);
        bound[r] = isnan(shown.low) ? delta : shown.low;
        bound[table->rows + r] = isnan(shown.high) ? delta : shown.high;
    }
    *scale = line_scale(bound, bound + table->rows, table->rows, width, unicode);
    for (int64_t r = 0; r < table->rows; r++)
        interval_line(table->cell[r][LINE], scale, bound[r], analysis_shown(analysis, analysis->contrast[r].estimate.delta),
                      bound[table->rows + r]);
    memory_free(bound);
    return KNACK_OK;
}

static knack_status print_table(const struct console *console, const struct table *table)
{
    const char *heading[COLUMNS];
    int64_t columns = 0;
    for (enum column column = 0; column < COLUMNS; column++)
        if (table->shown[column]) heading[columns++] = heading_of(table->analysis, column);
    struct columns *out = columns_new(columns, heading);
    if (!out) return KNACK_E_MEMORY;
    for (int64_t r = 0; r < table->rows; r++)
        for (enum column column = 0; column < COLUMNS; column++)
            if (table->shown[column]) columns_cell(out, table->cell[r][column]);
    return columns_print(out, console);
}

/* What the table's numbers are. */
static void print_legend(const struct console *console, const struct table *table, const struct line_scale *scale, int decimals)
{
    static const char *const interval[] = {"95% CI", "95% repeated CI, valid at any look", "95% confidence sequence, valid at any time"};
    const struct analysis *analysis = table->analysis;
    char low[NUMBER_SIZE], high[NUMBER_SIZE], text[512];
    snprintf(text, sizeof text, "delta: difference of means in %s, with its %s; %s marks 0 on a scale from %s to %s.%s%s", analysis->unit,
             interval[analysis->plan->stopping], console->unicode ? "\u250a" : ":", number_signed(low, scale->low, decimals),
             number_signed(high, scale->high, decimals), table->shown[WINS] ? " wins: seeds in which it was better." : "",
             table->shown[COST] ? " cost: passes of a whole training, the baseline's being 1." : "");
    print_paragraph(console, "", 0, text);
}

static knack_status show_table(const struct console *console, const struct analysis *analysis)
{
    struct table table = {.analysis = analysis, .rows = analysis->plan->contrasts};
    table.cell = memory_new((size_t)table.rows, sizeof *table.cell);
    if (!table.cell) return KNACK_E_MEMORY;
    int decimals = decimals_of(analysis);
    for (int64_t c = 0; c < table.rows; c++) fill_row(&table, c, decimals);
    int64_t width = fit_columns(&table, console->result_width);
    struct line_scale scale;
    knack_status status = draw_lines(&table, width, console->unicode, &scale);
    if (status >= 0) status = print_table(console, &table);
    if (status >= 0) print_legend(console, &table, &scale, decimals);
    memory_free(table.cell);
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
    if (plan->margin != plan->first_margin)
        show_fact(console, "", "the margin was said after the first trial; before, it was %s",
                  plan->first_margin > 0 ? number_short(number, analysis->percent * plan->first_margin) : "none");
    if (plan->extended_from > 0)
        show_fact(console, "extended", "planned with %s, the others were added; where that was for its result, p values are too small",
                  number_of(number, plan->extended_from, "seed"));
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
        snprintf(text + strlen(text), sizeof text - strlen(text), "%sx%s: %s", *text ? ", " : "", number_short(size, result->arm->budget),
                 number_fixed(number, analysis->percent * result->mean, analysis->percent == 100 ? 2 : 4));
    }
    if (*text) show_fact(console, "longer", "the baseline with more updates, its schedule stretched: %s", text);
}

static void show_facts(const struct console *console, const struct analysis *analysis)
{
    char number[NUMBER_SIZE];
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
    if (analysis->candidates) show_fact(console, "candidates", "%s: left in the last round, the best first", analysis->candidates);
    if (analysis->screening && analysis->best_bias > 0)
        show_fact(console, "screening",
                  "candidates, to be confirmed on fresh seeds (--confirm); the best of %lld is overstated by about %s of its "
                  "standard errors",
                  (long long)analysis->family_size[0], number_fixed(number, analysis->best_bias, 2));
    if (analysis->comparison_number > 0)
        show_fact(console, "ledger", "comparison #%lld on this test set", (long long)analysis->comparison_number);
    show_fact(console, "program", "knack %s, %s", analysis->knack, analysis->machine);
}

static void show_title(const struct analysis *analysis)
{
    const struct plan *plan = analysis->plan;
    char arms[NUMBER_SIZE], seeds[NUMBER_SIZE];
    printf("%s%s: %s, %s%s, %s %s (%s)\n\n", analysis->screening ? "SCREENING " : "", plan->name, number_of(arms, plan->arms, "arm"),
           plan->stopping == STOP_FIXED ? "" : "at most ", number_of(seeds, plan->seeds, "seed"), plan->part, plan->metric,
           analysis->status);
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
    bool inference = analysis->finished || analysis->plan->stopping != STOP_FIXED;
    show_title(analysis);
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
