/* Which part of the uncertainty is of seeds, of test examples, and of both together. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "compare/report/figure_parts.h"

static bool is_shown(const struct analysis *analysis, int64_t index)
{
    const struct two_level *level = &analysis->contrast[index].two_level;
    return level->known && isfinite(level->seed_share + level->example_share + level->interaction_share);
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

static char *draw(const struct analysis *analysis, int64_t index, enum figure_width width)
{
    (void)index;
    struct chart chart;
    struct panel panel = {.x = {.low = 0, .high = 100}};
    char text[FIGURE_TEXT];
    int64_t examples = 0;
    for (int64_t c = analysis->plan->contrasts; c-- > 0;)
        if (is_shown(analysis, c)) examples = analysis->contrast[c].two_level.examples;
    chart_begin(&chart, width == FIGURE_NARROW);
    snprintf(text, sizeof text, "n: seeds; each with %" PRId64 " test examples", examples);
    double y = chart_heading(&chart, "Where the uncertainty comes from", text), top = chart.narrow ? y - 5 : y + 8;
    struct figure_table table =
        figure_table(&chart, &panel, label_width("seeds / examples / both"), top, figure_rows(&figure_variance, analysis));
    figure_table_heads(&chart, &table, y, "n", "seeds / examples / both");
    struct ticks ticks = chart_x_ticks(&panel.x, false);
    chart_x_axis(&chart, &panel, &ticks);
    for (int64_t c = 0, row = 0; c < analysis->plan->contrasts; c++)
        if (is_shown(analysis, c)) draw_row(&chart, &panel, &table, &analysis->contrast[c], top + (double)row++ * table.row);
    struct key key[3];
    for (int i = 0; i < 3; i++) key[i] = (struct key){KEY_AREA, SHAPE_DOT, part_kind[i], part_name[i]};
    y = chart_x_title(&chart, &panel, "share of the variance of the mean difference (%)");
    y = chart_key(&chart, y + 6, key, 3);
    return chart_end(&chart, y, "Parts of the variance of the mean difference");
}

const struct figure figure_variance = {
    .name = "variance",
    .title = "Where the uncertainty comes from",
    .text = "Parts of the variance of the mean difference, were it to hold for new seeds and new test examples. A large part of seeds: "
            "more seeds help. A large part of examples: only a larger test set does.",
    .shows = is_shown,
    .draw = draw,
};
