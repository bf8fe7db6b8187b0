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

static void draw_row(struct sheet *sheet, const struct contrast_result *result)
{
    const struct two_level *level = &result->two_level;
    const double share[] = {100 * level->seed_share, 100 * level->example_share, 100 * level->interaction_share};
    char text[FIGURE_TEXT], number[3][NUMBER_SIZE];
    for (int i = 0; i < 3; i++) scale_text(number[i], share[i], 0, false);
    snprintf(text, sizeof text, "%s / %s / %s", number[0], number[1], number[2]);
    double middle = sheet_row(sheet, figure_name(result), level->seeds, text), at = 0;
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "%s %s %%", part_name[i], number[i]);
        double left = scale_at(&sheet->panel.x, fmin(at, 100)), right = scale_at(&sheet->panel.x, fmin(at + share[i], 100));
        if (right - left > 2) right -= 1; /* a gap tells parts apart */
        if (share[i] > 0) chart_box(&sheet->chart, part_kind[i], (struct box){left, middle - 7, right, middle + 7}, text);
        at += share[i];
    }
}

static char *draw(const struct analysis *analysis, int64_t index, enum figure_width width)
{
    static const char numbers[] = "seeds / examples / both";
    struct sheet sheet = {.panel.x = {.low = 0, .high = 100}};
    struct key key[3];
    char text[FIGURE_TEXT];
    snprintf(text, sizeof text, "n: seeds; each with %" PRId64 " test examples", analysis->contrast[index].two_level.examples);
    sheet_begin(&sheet, width, "Where the uncertainty comes from", text, numbers, label_width(numbers),
                figure_rows(&figure_variance, analysis), 0);
    sheet_axis(&sheet, false);
    for (int64_t c = 0; c < analysis->plan->contrasts; c++)
        if (is_shown(analysis, c)) draw_row(&sheet, &analysis->contrast[c]);
    for (int i = 0; i < 3; i++) key[i] = (struct key){KEY_AREA, SHAPE_DOT, part_kind[i], part_name[i]};
    return sheet_end(&sheet, "share of the variance of the mean difference (%)", key, 3, "Parts of the variance of the mean difference");
}

const struct figure figure_variance = {
    .name = "variance",
    .title = "Where the uncertainty comes from",
    .text = "Parts of the variance of the mean difference, were it to hold for new seeds and new test examples. A large part of seeds: "
            "more seeds help. A large part of examples: only a larger test set does.",
    .shows = is_shown,
    .draw = draw,
};
