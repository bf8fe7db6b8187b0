/* Runs of the same seed side by side, and their differences. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "compare/report/figure_parts.h"

static bool is_shown(const struct analysis *analysis, int64_t index)
{
    const struct contrast_result *result = &analysis->contrast[index];
    enum contrast_kind kind = result->contrast->kind;
    return result->estimate.n > 0 && (kind == CONTRAST_ARM || kind == CONTRAST_LEFT_OUT || kind == CONTRAST_MAIN);
}

/* One block of a contrast, off and on, as the metric is times percent: weighted means of arms. failed: a trial of either failed. Values are
 * NaN if a trial is not there. */
struct pair {
    double value[2];
    bool failed[2];
};

static struct pair find_pair(const struct analysis *analysis, const struct contrast *contrast, int64_t seed)
{
    struct pair pair = {{0, 0}, {false, false}};
    double total[2] = {0, 0};
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        double weight = contrast->weight[a];
        int side = weight > 0;
        int64_t i = figure_trial(&analysis->arm[a], seed);
        if (weight == 0) continue;
        pair.value[side] += fabs(weight) * figure_value(analysis, a, seed);
        pair.failed[side] |= i >= 0 && analysis->arm[a].failure[i];
        total[side] += fabs(weight);
    }
    for (int side = 0; side < 2; side++) pair.value[side] /= total[side];
    return pair;
}

/* What stands under the two columns. */
static void side_name(char buffer[FIGURE_TEXT], const struct analysis *analysis, const struct contrast *contrast, bool on)
{
    if (contrast->kind == CONTRAST_MAIN) { /* which trick: the heading says it */
        snprintf(buffer, FIGURE_TEXT, "%s", on ? "with" : "without");
        return;
    }
    for (int64_t a = 0; a < analysis->plan->arms; a++)
        if (on ? contrast->weight[a] > 0 : contrast->weight[a] < 0) snprintf(buffer, FIGURE_TEXT, "%s", analysis->plan->arm[a].name);
}

/* How far to the side a dot has to stand to be apart from those before it. */
static double aside(const double *height, int64_t i, const double *offset)
{
    for (int step = 0; step < 41; step++) {
        double at = (step % 2 ? 1 : -1) * ((step + 1) / 2) * 7.0;
        bool free = true;
        for (int64_t j = 0; j < i && free; j++) free = hypot(height[i] - height[j], at - offset[j]) >= 7;
        if (free) return at;
    }
    return 0;
}

/* Returns whether any of them failed. */
static bool draw_runs(struct chart *chart, const struct panel *panel, const struct analysis *analysis, const struct contrast_result *result)
{
    static const char *const solid[] = {"solid base", "solid arm"}, *const line[] = {"line base", "line arm"};
    const struct estimate *estimate = &result->estimate;
    double width = panel->box.right - panel->box.left, x[] = {panel->box.left + .25 * width, panel->box.left + .75 * width};
    char text[FIGURE_TEXT], off[NUMBER_SIZE], on[NUMBER_SIZE];
    int decimals = figure_decimals(analysis->percent * estimate->s_d);
    bool failed = false;
    for (int64_t i = 0; i < estimate->n; i++) {
        struct pair pair = find_pair(analysis, result->contrast, estimate->seed[i]);
        double y[] = {scale_at(&panel->y, pair.value[0]), scale_at(&panel->y, pair.value[1])};
        bool fails = pair.failed[0] || pair.failed[1];
        snprintf(text, sizeof text, "seed %" PRId64 ": %s \xE2\x86\x92 %s%s%s", estimate->seed[i],
                 scale_text(off, pair.value[0], decimals, false), scale_text(on, pair.value[1], decimals, false),
                 analysis->percent == 100 ? " %" : "", fails ? ", failed" : "");
        chart_line(chart, "faint base", x[0], y[0], x[1], y[1], text);
        for (int side = 0; side < 2; side++)
            chart_mark(chart, pair.failed[side] ? SHAPE_CROSS : SHAPE_DOT, pair.failed[side] ? line[side] : solid[side], x[side], y[side],
                       text);
        failed = failed || fails;
    }
    for (int side = 0; side < 2; side++) {
        side_name(text, analysis, result->contrast, side);
        chart_label(chart, "title", ANCHOR_MIDDLE, x[side], panel->box.bottom + 17, .48 * width, text);
    }
    return failed;
}

static void draw_differences(struct chart *chart, struct panel *panel, const struct analysis *analysis,
                             const struct contrast_result *result)
{
    enum { MOST = 200 }; /* dots that are kept apart */
    const struct estimate *estimate = &result->estimate;
    const struct figure_look *look = figure_look(result->verdict.kind);
    double width = panel->box.right - panel->box.left, dots_x = panel->box.left + .3 * width, mean_x = panel->box.left + .75 * width;
    double height[MOST], offset[MOST];
    char text[FIGURE_TEXT], number[64];
    int decimals = figure_decimals(analysis->percent * estimate->s_d);
    for (int64_t i = 0; i < estimate->n; i++) {
        double difference = analysis_shown(analysis, estimate->difference[i]), beside = 0;
        if (i < MOST) {
            height[i] = scale_at(&panel->y, difference);
            offset[i] = beside = aside(height, i, offset);
            if (fabs(beside) > .28 * width) offset[i] = beside = 0;
        }
        snprintf(text, sizeof text, "seed %" PRId64 ": %s%s", estimate->seed[i], scale_text(number, difference, decimals, true),
                 figure_unit(analysis));
        struct pair pair = find_pair(analysis, result->contrast, estimate->seed[i]);
        bool failed = pair.failed[0] || pair.failed[1];
        chart_mark(chart, failed ? SHAPE_CROSS : SHAPE_DOT, failed ? "line arm" : "solid arm", dots_x + beside,
                   scale_at(&panel->y, difference), text);
    }
    struct interval ci = analysis_shown_interval(analysis, estimate->ci);
    double mean = analysis_shown(analysis, estimate->delta);
    figure_effect(text, mean, ci, figure_decimals((ci.high - ci.low) / 2));
    chart_span_y(chart, look->thick, panel, ci.low, ci.high, mean_x, text);
    chart_mark(chart, look->shape, look->mark, mean_x, scale_at(&panel->y, mean), text);
    chart_text(chart, "title", ANCHOR_MIDDLE, dots_x, panel->box.bottom + 17, "seeds");
    chart_text(chart, "title", ANCHOR_MIDDLE, mean_x, panel->box.bottom + 17, "mean");
}

static struct scale runs_scale(const struct analysis *analysis, const struct contrast_result *result)
{
    struct range range = RANGE_EMPTY;
    for (int64_t i = 0; i < result->estimate.n; i++) {
        struct pair pair = find_pair(analysis, result->contrast, result->estimate.seed[i]);
        for (int side = 0; side < 2; side++) range_add(&range, pair.value[side]);
    }
    return range_scale(range_padded(range, .06));
}

/* An interval that dwarfs the differences, as of two seeds, is cut at three times their reach. */
static struct scale differences_scale(const struct analysis *analysis, const struct estimate *estimate)
{
    struct range range = RANGE_EMPTY;
    range_add(&range, 0);
    for (int64_t i = 0; i < estimate->n; i++) range_add(&range, analysis_shown(analysis, estimate->difference[i]));
    double reach = range.high - range.low;
    struct interval ci = analysis_shown_interval(analysis, estimate->ci);
    struct range dots = range;
    range_add(&range, fmax(ci.low, dots.low - 3 * reach));
    range_add(&range, fmin(ci.high, dots.high + 3 * reach));
    return range_scale(range_padded(range, .06));
}

static double draw_key(struct chart *chart, double y, const struct contrast_result *result, bool failed)
{
    struct key key[4];
    int count = 0;
    const struct figure_look *look = figure_look(result->verdict.kind);
    if (failed) key[count++] = (struct key){KEY_MARK, SHAPE_CROSS, "line arm", "failed run, at its score"};
    key[count++] = (struct key){KEY_MARK, look->shape, look->mark, look->meaning};
    if (isfinite(result->estimate.ci.low) && isfinite(result->estimate.ci.high))
        key[count++] = (struct key){KEY_LINE, SHAPE_DOT, look->thick, "95 % confidence interval of the mean"};
    return chart_key(chart, y, key, count);
}

static char *draw(const struct analysis *analysis, int64_t index, enum figure_width width)
{
    const struct contrast_result *result = &analysis->contrast[index];
    struct chart chart;
    char text[FIGURE_TEXT], seeds[FIGURE_TEXT];
    chart_begin(&chart, width == FIGURE_NARROW);
    snprintf(text, sizeof text, "%s; each line is one seed, run both ways", figure_seeds(seeds, result->estimate.n, result->estimate.n));
    char heading[2 * FIGURE_TEXT], name[FIGURE_TEXT] = "";
    side_name(name, analysis, result->contrast, false);
    snprintf(heading, sizeof heading, "%s%s%s", figure_name(result), result->contrast->kind == CONTRAST_ARM ? " against " : "",
             result->contrast->kind == CONTRAST_ARM ? name : "");
    double top = chart_heading(&chart, heading, text) + 6;
    double right = chart.width - CHART_MARGIN, middle = chart.narrow ? 180 : 400;
    double left_end = chart_paragraph(&chart, "title", CHART_MARGIN, top, middle - 20 - CHART_MARGIN, figure_metric(text, analysis));
    double right_end = chart_paragraph(&chart, "title", middle, top, right - middle, figure_difference(text, analysis));
    top = fmax(left_end, right_end) - 4;
    double bottom = top + (chart.narrow ? 190 : 230);
    struct box box = {.top = top, .bottom = bottom};
    struct panel runs = {.box = box, .y = runs_scale(analysis, result)},
                 differences = {.box = box, .y = differences_scale(analysis, &result->estimate)};
    chart_frame(&chart, &runs, false, CHART_MARGIN, middle - 20);
    chart_frame(&chart, &differences, true, middle, right);
    bool failed = draw_runs(&chart, &runs, analysis, result);
    chart_rule_y(&chart, "zero", &differences, 0);
    draw_differences(&chart, &differences, analysis, result);
    double end = draw_key(&chart, bottom + 17 + LABEL_LINE + 6, result, failed);
    snprintf(text, sizeof text, "Paired runs: %s", figure_name(result));
    return chart_end(&chart, end, text);
}

const struct figure figure_paired = {
    .name = "paired",
    .title = "Runs of the same seed side by side",
    .text = "Left: each line joins two runs that share their seed, hence initial weights and order of data. Right: their differences, one "
            "dot each, with mean and 95 % confidence interval. Lines that all lean one way are what a real effect looks like.",
    .each = true,
    .shows = is_shown,
    .draw = draw,
};
