/* Learning curves of an arm and the baseline, and the difference between them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compare/report/figure_parts.h"

static bool is_shown(const struct analysis *analysis, int64_t arm)
{
    return analysis->plan->arm[arm].kind == ARM_TREATED && analysis->arm[arm].n > 0 && analysis->curve[arm].points > 0 &&
           analysis->curve[0].points > 0;
}

/* Curves of the metric itself are shown as it is; a training loss is no share. */
static double shown_factor(const struct analysis *analysis)
{
    return strcmp(analysis->curve_metric, analysis->plan->metric) == 0 ? analysis->percent : 1;
}

static void subject(char buffer[FIGURE_TEXT], const struct analysis *analysis)
{
    const char *part = strcmp(analysis->curve_part, "train") == 0 ? "training" : analysis->curve_part;
    snprintf(buffer, FIGURE_TEXT, "%s %s", part, analysis->curve_metric);
}

/* ---- Scales ---- */

/* All finite values of two curves; where a few lie far beyond the rest, as of a run that diverges, the rest. */
static struct range values_range(const struct curve *const curve[2], const int64_t trials[2], double factor)
{
    struct range range = RANGE_EMPTY;
    int64_t most = trials[0] * curve[0]->points + trials[1] * curve[1]->points, count = 0;
    double *value = memory_new((size_t)most + 1, sizeof *value);
    if (!value) return range;
    for (int i = 0; i < 2; i++)
        for (int64_t j = 0; j < trials[i] * curve[i]->points; j++)
            if (isfinite(curve[i]->value[j])) value[count++] = factor * curve[i]->value[j];
    numbers_sort(value, count);
    if (count > 0) {
        int64_t rim = count / 50;
        double low = value[rim], high = value[count - 1 - rim], reach = high - low;
        range_add(&range, fmax(value[0], low - reach));
        range_add(&range, fmin(value[count - 1], high + reach));
    }
    memory_free(value);
    return range;
}

/* Differences and 0, and of the band what is within three times their reach. */
static struct range difference_range(const struct curve *curve, double factor)
{
    struct range range = RANGE_EMPTY;
    range_add(&range, 0);
    for (int64_t p = 0; p < curve->points; p++) range_add(&range, factor * curve->difference[p]);
    double low = range.low - 3 * (range.high - range.low), high = range.high + 3 * (range.high - range.low);
    if (low == high) return range;
    for (int64_t p = 0; p < curve->points; p++) {
        range_add(&range, fmax(factor * curve->low[p], low));
        range_add(&range, fmin(factor * curve->high[p], high));
    }
    return range;
}

static struct scale epochs_scale(const struct curve *const curve[2])
{
    struct range range = RANGE_EMPTY;
    for (int i = 0; i < 2; i++)
        for (int64_t p = 0; p < curve[i]->points; p++) range_add(&range, curve[i]->epoch[p]);
    if (range.low == range.high) range = (struct range){range.low - 1, range.high + 1};
    return range_scale(range);
}

/* ---- Drawing ---- */

static void draw_runs(struct chart *chart, const struct panel *panel, const struct arm_result *arm, const struct curve *curve,
                      double factor, const char *kind)
{
    char title[FIGURE_TEXT];
    for (int64_t i = 0; i < arm->n; i++) {
        snprintf(title, sizeof title, "%.200s, seed %" PRId64 "%s", arm->arm->name, arm->seed[i], arm->failure[i] ? ", failed" : "");
        struct series series = {curve->epoch, curve->value + i * curve->points, curve->points, factor};
        chart_curve(chart, kind, panel, series, title);
    }
}

static void draw_mean(struct chart *chart, const struct panel *panel, const struct arm_result *arm, const struct curve *curve,
                      double factor, const char *kind, const char *mark)
{
    char title[FIGURE_TEXT];
    snprintf(title, sizeof title, "%.200s, mean of %" PRId64, arm->arm->name, arm->n);
    chart_curve(chart, kind, panel, (struct series){curve->epoch, curve->mean, curve->points, factor}, title);
    if (curve->points == 1)
        chart_mark(chart, SHAPE_DOT, mark, scale_at(&panel->x, curve->epoch[0]), scale_at(&panel->y, factor * curve->mean[0]), title);
}

static void draw_difference(struct chart *chart, const struct panel *panel, const struct curve *curve, double factor)
{
    struct series low = {curve->epoch, curve->low, curve->points, factor}, high = {curve->epoch, curve->high, curve->points, factor};
    chart_rule_y(chart, "zero", panel, 0);
    chart_area(chart, "area arm", panel, low, high, "pointwise 95 % t band");
    chart_curve(chart, "line arm", panel, (struct series){curve->epoch, curve->difference, curve->points, factor}, "mean difference");
    if (curve->points != 1) return;
    double x = scale_at(&panel->x, curve->epoch[0]);
    chart_span_y(chart, "thin arm", panel, factor * curve->low[0], factor * curve->high[0], x, "95 % t interval");
    chart_mark(chart, SHAPE_DOT, "solid arm", x, scale_at(&panel->y, factor * curve->difference[0]), "mean difference");
}

static struct panel panel_of(struct range range, double top, double height)
{
    range = range_padded(range, .05);
    return (struct panel){.box = {.top = top, .bottom = top + height},
                          .y = {.low = range.low, .high = range.high, .from = top + height, .to = top}};
}

static bool has_band(const struct curve *curve)
{
    for (int64_t p = 0; p < curve->points; p++)
        if (isfinite(curve->low[p]) && isfinite(curve->high[p])) return true;
    return false;
}

static double draw_key(struct chart *chart, double y, const struct analysis *analysis, int64_t arm)
{
    char base[FIGURE_TEXT], treated[FIGURE_TEXT];
    double room = chart->width - 2 * CHART_MARGIN - 40;
    label_shorten(base, sizeof base, analysis->plan->arm[0].name, room);
    label_shorten(treated, sizeof treated, analysis->plan->arm[arm].name, room);
    struct key key[4] = {{KEY_LINE, SHAPE_DOT, "line arm", treated},
                         {KEY_LINE, SHAPE_DOT, "dashes base", base},
                         {KEY_LINE, SHAPE_DOT, "faint base", "single seeds"},
                         {KEY_AREA, SHAPE_DOT, "area arm", "pointwise 95 % t band"}};
    return chart_key(chart, y, key, has_band(&analysis->curve[arm]) ? 4 : 3);
}

static char *draw(const struct analysis *analysis, int64_t arm, enum figure_width width)
{
    const struct curve *const curve[2] = {&analysis->curve[0], &analysis->curve[arm]};
    const int64_t trials[2] = {analysis->arm[0].n, analysis->arm[arm].n};
    double factor = shown_factor(analysis);
    struct chart chart;
    char text[FIGURE_TEXT], name[FIGURE_TEXT], seeds[FIGURE_TEXT], title[3 * FIGURE_TEXT];
    int used;
    chart_begin(&chart, width == FIGURE_NARROW);
    subject(name, analysis);
    used = snprintf(text, sizeof text, "%.200s over time; %s", name, figure_seeds(seeds, trials[1], trials[1]));
    if (trials[0] == trials[1])
        snprintf(text + used, sizeof text - (size_t)used, " each");
    else
        snprintf(text + used, sizeof text - (size_t)used, ", of the baseline %" PRId64, trials[0]);
    snprintf(title, sizeof title, "%.200s against %.200s", analysis->plan->arm[arm].name, analysis->plan->arm[0].name);
    double y = chart_heading(&chart, title, text) + 6, room = chart.width - 2 * CHART_MARGIN;
    snprintf(title, sizeof title, "%s%s", name, factor == 100 ? " (%)" : "");
    y = chart_paragraph(&chart, "title", CHART_MARGIN, y, room, title);
    struct panel values = panel_of(values_range(curve, trials, factor), y - 4, chart.narrow ? 170 : 200);
    snprintf(title, sizeof title, "difference in %s%s", name, factor == 100 ? " (points)" : "");
    y = chart_paragraph(&chart, "title", CHART_MARGIN, values.box.bottom + 26, room, title);
    struct panel differences = panel_of(difference_range(curve[1], factor), y - 4, 110);
    struct ticks value_ticks = chart_y_ticks(&values.y, false), difference_ticks = chart_y_ticks(&differences.y, true);
    double left = CHART_MARGIN + 7 + fmax(chart_ticks_width(&value_ticks), chart_ticks_width(&difference_ticks));
    values.box.left = differences.box.left = left;
    values.box.right = differences.box.right = chart.width - CHART_MARGIN - 6;
    values.x = epochs_scale(curve);
    values.x.from = left;
    values.x.to = values.box.right;
    differences.x = values.x;
    chart_y_axis(&chart, &values, &value_ticks);
    chart_line(&chart, "axis", left, values.box.bottom, values.box.right, values.box.bottom, NULL);
    draw_runs(&chart, &values, &analysis->arm[0], curve[0], factor, "faint base");
    draw_runs(&chart, &values, &analysis->arm[arm], curve[1], factor, "faint arm");
    draw_mean(&chart, &values, &analysis->arm[0], curve[0], factor, "dashes base", "solid base");
    draw_mean(&chart, &values, &analysis->arm[arm], curve[1], factor, "line arm", "solid arm");
    struct ticks ticks = chart_x_ticks(&differences.x, false);
    chart_y_axis(&chart, &differences, &difference_ticks);
    chart_x_axis(&chart, &differences, &ticks);
    draw_difference(&chart, &differences, curve[1], factor);
    y = draw_key(&chart, chart_x_title(&chart, &differences, "epochs") + 4, analysis, arm);
    snprintf(title, sizeof title, "Learning curves: %.200s", analysis->plan->arm[arm].name);
    return chart_end(&chart, y, title);
}

const struct figure figure_curves = {
    .name = "curves",
    .title = "Learning curves",
    .text = "Above: a faint line for each seed, a strong one for their mean. Below: the mean difference of the same seeds, with a 95 % t "
            "band that holds at each point by itself, not for the whole curve at once. Where there is no validation part it is the loss on "
            "training data, which means something else for tricks that change targets or mix examples.",
    .arms = true,
    .each = true,
    .shows = is_shown,
    .draw = draw,
};
