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

static void row_text(char buffer[FIGURE_TEXT], const struct arm_result *arm)
{
    char number[NUMBER_SIZE];
    double bound = rate_of(arm).high;
    if (arm->failed == 0 && isfinite(bound))
        snprintf(buffer, FIGURE_TEXT, "0 of %" PRId64 ", up to %s %%", arm->n, scale_text(number, bound, 0, false));
    else
        snprintf(buffer, FIGURE_TEXT, "%" PRId64 " of %" PRId64 " failed", arm->failed, arm->n);
}

static void draw_row(struct sheet *sheet, const struct arm_result *arm)
{
    char text[FIGURE_TEXT];
    row_text(text, arm);
    double middle = sheet_row(sheet, arm->arm->name, arm->n, text);
    struct rate rate = rate_of(arm);
    bool failed = arm->failed > 0;
    chart_span_x(&sheet->chart, failed ? "thin hurts" : "thin unclear", &sheet->panel, rate.low, rate.high, middle, text);
    chart_mark(&sheet->chart, failed ? SHAPE_CROSS : SHAPE_RING, failed ? "line hurts" : "hollow unclear",
               scale_at(&sheet->panel.x, rate.seen), middle, text);
}

static char *draw(const struct analysis *analysis, int64_t index, enum figure_width width)
{
    (void)index;
    static const struct key keys[] = {{KEY_MARK, SHAPE_RING, "hollow unclear", "none failed"},
                                      {KEY_LINE, SHAPE_DOT, "thin unclear", "up to the rate that 95 % confidence excludes"},
                                      {KEY_MARK, SHAPE_CROSS, "line hurts", "some failed"},
                                      {KEY_LINE, SHAPE_DOT, "thin hurts", "95 % Wilson interval"}};
    double most = 1, widest = 0;
    bool none = false, some = false;
    char text[FIGURE_TEXT];
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        const struct arm_result *arm = &analysis->arm[a];
        if (arm->n == 0) continue;
        struct rate rate = rate_of(arm);
        row_text(text, arm);
        most = fmax(most, fmax(rate.seen, rate.high));
        widest = fmax(widest, label_width(text));
        some = some || arm->failed > 0;
        none = none || arm->failed == 0;
    }
    struct sheet sheet = {.panel.x = {.low = 0, .high = fmin(most * 1.05, 100)}};
    sheet_begin(&sheet, width, "Failed trials", "n: finished trials of each arm", "failed", widest, figure_rows(&figure_failures, analysis),
                0);
    sheet_axis(&sheet, false);
    for (int64_t a = 0; a < analysis->plan->arms; a++)
        if (analysis->arm[a].n > 0) draw_row(&sheet, &analysis->arm[a]);
    return sheet_end(&sheet, "rate of failure (% of trials)", none ? keys : keys + 2, none && some ? 4 : 2, "Failed trials");
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
