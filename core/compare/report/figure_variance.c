/* Which part of the uncertainty is of seeds, of test examples, and of both together. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "compare/report/figure_parts.h"

static bool is_shown(const struct contrast_result *result)
{
    const struct two_level *level = &result->two_level;
    return level->known && isfinite(level->seed_share + level->example_share + level->interaction_share);
}

static int64_t count_rows(const struct analysis *analysis)
{
    int64_t count = 0;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) count += is_shown(&analysis->contrast[c]);
    return count;
}

int64_t variance_items(const struct analysis *analysis)
{
    return count_rows(analysis) > 0;
}

static const char *const part_kind[] = {"bar arm", "middle arm", "light arm"};
static const char *const part_name[] = {"seeds", "test examples", "the two together"};

static void draw_row(struct chart *chart, const struct panel *panel, const struct figure_table *table, const struct contrast_result *result,
                     double y)
{
    const struct two_level *level = &result->two_level;
    const double share[] = {100 * level->seed_share, 100 * level->example_share, 100 * level->interaction_share};
    char text[FIGURE_TEXT], number[3][64];
    for (int i = 0; i < 3; i++) scale_text(number[i], share[i], 0, false);
    snprintf(text, sizeof text, "%s / %s / %s", number[0], number[1], number[2]);
    double middle = figure_table_row(chart, panel, table, y, figure_name(result), level->seeds, text), at = 0;
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "%s %s %%", part_name[i], number[i]);
        double left = scale_at(&panel->x, fmin(at, 100)), right = scale_at(&panel->x, fmin(at + share[i], 100));
        if (right - left > 2) right -= 1; /* a gap tells parts apart */
        if (share[i] > 0) chart_box(chart, part_kind[i], (struct box){left, middle - 7, right, middle + 7}, text);
        at += share[i];
    }
}

char *variance_draw(const struct analysis *analysis, int64_t item, enum figure_width width)
{
    (void)item;
    struct chart chart;
    struct panel panel = {.x = {.low = 0, .high = 100}};
    char text[FIGURE_TEXT];
    int64_t examples = 0;
    for (int64_t c = analysis->plan->contrasts; c-- > 0;)
        if (is_shown(&analysis->contrast[c])) examples = analysis->contrast[c].two_level.examples;
    chart_begin(&chart, width == FIGURE_NARROW);
    snprintf(text, sizeof text, "n: seeds; each with %" PRId64 " test examples", examples);
    double y = chart_heading(&chart, "Where the uncertainty comes from", text), top = chart.narrow ? y - 5 : y + 8;
    struct figure_table table = figure_table(&chart, &panel, label_width("seeds / examples / both"), top, count_rows(analysis));
    figure_table_heads(&chart, &table, y, "n", "seeds / examples / both");
    struct ticks ticks = chart_x_ticks(&panel.x, false);
    chart_x_axis(&chart, &panel, &ticks);
    for (int64_t c = 0, row = 0; c < analysis->plan->contrasts; c++)
        if (is_shown(&analysis->contrast[c])) draw_row(&chart, &panel, &table, &analysis->contrast[c], top + (double)row++ * table.row);
    struct key key[3];
    for (int i = 0; i < 3; i++) key[i] = (struct key){KEY_AREA, SHAPE_DOT, part_kind[i], part_name[i]};
    y = chart_x_title(&chart, &panel, "share of the variance of the mean difference (%)");
    y = chart_key(&chart, CHART_MARGIN, y + 6, chart.width - 2 * CHART_MARGIN, key, 3);
    return chart_end(&chart, y - LABEL_ABOVE + CHART_MARGIN, "Parts of the variance of the mean difference");
}
