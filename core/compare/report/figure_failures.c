/* How many trials failed, and what rates that leaves possible. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "compare/report/figure_parts.h"
#include "compare/statistics/paired.h"

static bool is_shown(const struct analysis *analysis, int64_t arm)
{
    return analysis->arm[arm].n > 0;
}

/* Rates in percent: what was seen, and what is compatible with it. */
struct rate {
    double seen, low, high;
};

static struct rate rate_of(const struct arm_result *arm)
{
    double n = (double)arm->n, seen = 100 * (double)arm->failed / n;
    if (arm->failed == 0) return (struct rate){0, 0, 100 * arm->failure_bound};
    struct interval b = wilson((double)arm->failed, n);
    return (struct rate){seen, 100 * b.low, 100 * b.high};
}

static struct scale rates_scale(const struct analysis *analysis)
{
    double most = 1;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        if (analysis->arm[a].n == 0) continue;
        struct rate rate = rate_of(&analysis->arm[a]);
        most = fmax(most, fmax(rate.seen, rate.high));
    }
    return (struct scale){.low = 0, .high = fmin(most * 1.05, 100)};
}

static void row_text(char buffer[FIGURE_TEXT], const struct arm_result *arm)
{
    char number[64];
    double bound = rate_of(arm).high;
    if (arm->failed == 0 && isfinite(bound))
        snprintf(buffer, FIGURE_TEXT, "0 of %" PRId64 ", up to %s %%", arm->n, scale_text(number, bound, 0, false));
    else
        snprintf(buffer, FIGURE_TEXT, "%" PRId64 " of %" PRId64 " failed", arm->failed, arm->n);
}

static double texts_width(const struct analysis *analysis)
{
    char text[FIGURE_TEXT];
    double widest = 0;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        if (analysis->arm[a].n == 0) continue;
        row_text(text, &analysis->arm[a]);
        widest = fmax(widest, label_width(text));
    }
    return widest;
}

static void draw_row(struct chart *chart, const struct panel *panel, const struct figure_table *table, const struct arm_result *arm,
                     double y)
{
    char text[FIGURE_TEXT];
    row_text(text, arm);
    double middle = figure_table_row(chart, panel, table, y, arm->arm->name, arm->n, text);
    struct rate rate = rate_of(arm);
    bool failed = arm->failed > 0;
    chart_span_x(chart, failed ? "thin hurts" : "thin unclear", panel, rate.low, rate.high, middle, text);
    chart_mark(chart, failed ? SHAPE_CROSS : SHAPE_RING, failed ? "line hurts" : "hollow unclear", scale_at(&panel->x, rate.seen), middle,
               text);
}

static double draw_key(struct chart *chart, double y, const struct analysis *analysis)
{
    struct key key[4];
    int count = 0;
    bool none = false, some = false;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        some = some || analysis->arm[a].failed > 0;
        none = none || (analysis->arm[a].n > 0 && analysis->arm[a].failed == 0);
    }
    if (none) key[count++] = (struct key){KEY_MARK, SHAPE_RING, "hollow unclear", "none failed"};
    if (none) key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "thin unclear", "up to the rate that 95 % confidence excludes"};
    if (some) key[count++] = (struct key){KEY_MARK, SHAPE_CROSS, "line hurts", "some failed"};
    if (some) key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "thin hurts", "95 % Wilson interval"};
    return chart_key(chart, y, key, count);
}

static char *draw(const struct analysis *analysis, int64_t index, enum figure_width width)
{
    (void)index;
    struct chart chart;
    struct panel panel = {.x = rates_scale(analysis)};
    chart_begin(&chart, width == FIGURE_NARROW);
    double y = chart_heading(&chart, "Failed trials", "n: finished trials of each arm"), top = chart.narrow ? y - 5 : y + 8;
    struct figure_table table = figure_table(&chart, &panel, texts_width(analysis), top, figure_rows(&figure_failures, analysis));
    figure_table_heads(&chart, &table, y, "n", "failed");
    struct ticks ticks = chart_x_ticks(&panel.x, false);
    chart_x_axis(&chart, &panel, &ticks);
    for (int64_t a = 0, row = 0; a < analysis->plan->arms; a++)
        if (analysis->arm[a].n > 0) draw_row(&chart, &panel, &table, &analysis->arm[a], top + (double)row++ * table.row);
    y = draw_key(&chart, chart_x_title(&chart, &panel, "rate of failure (% of trials)") + 6, analysis);
    return chart_end(&chart, y, "Failed trials");
}

const struct figure figure_failures = {
    .name = "failures",
    .title = "Failed trials",
    .text = "A mark is the share of trials that failed, the line what rate is compatible with it at 95 %: no failure among few trials "
            "excludes little.",
    .arms = true,
    .shows = is_shown,
    .draw = draw,
};
