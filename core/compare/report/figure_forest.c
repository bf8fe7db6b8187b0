/* All effects with their intervals on one axis. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "compare/report/figure_parts.h"

enum { HEAD = 24 }; /* height of a family's heading */

static bool is_shown(const struct analysis *analysis, int64_t index)
{
    return analysis->contrast[index].estimate.n > 0 && isfinite(analysis->contrast[index].estimate.delta);
}

/* What most rows show, so that one that is far off does not squeeze the others: medians. NaN: there is none. */
struct usual {
    double effect, half_width;
};

static struct usual usual_sizes(const struct analysis *analysis)
{
    int64_t contrasts = analysis->plan->contrasts, effects = 0, intervals = 0;
    struct usual usual = {NAN, NAN};
    double *effect = memory_new(2 * (size_t)contrasts + 1, sizeof *effect);
    if (!effect) return usual;
    double *half = effect + contrasts;
    for (int64_t c = 0; c < contrasts; c++) {
        const struct estimate *estimate = &analysis->contrast[c].estimate;
        struct interval ci = analysis_shown_interval(analysis, estimate->ci);
        if (isfinite(estimate->delta)) effect[effects++] = fabs(analysis_shown(analysis, estimate->delta));
        if (isfinite(ci.low) && isfinite(ci.high)) half[intervals++] = (ci.high - ci.low) / 2;
    }
    usual.effect = numbers_median(effect, effects);
    usual.half_width = numbers_median(half, intervals);
    memory_free(effect);
    return usual;
}

/* Holds the margin, effects up to six times and intervals up to four times the usual size: what goes beyond leaves with an arrow. */
static struct scale effects_scale(const struct analysis *analysis, struct usual usual)
{
    struct range range = RANGE_EMPTY;
    double margin = analysis->percent * analysis->plan->margin;
    double most = 6 * fmax(usual.effect + fmax(usual.half_width, 0), margin);
    range_add(&range, -margin);
    range_add(&range, margin);
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        const struct estimate *estimate = &analysis->contrast[c].estimate;
        double delta = analysis_shown(analysis, estimate->delta);
        if (fabs(delta) > most) continue;
        range_add(&range, delta);
        struct interval both[] = {analysis_shown_interval(analysis, estimate->ci),
                                  analysis_shown_interval(analysis, estimate->simultaneous)};
        for (int i = 0; i < 2; i++) {
            if (isnan(both[i].low) || isnan(both[i].high)) continue;
            range_add(&range, fmax(both[i].low, delta - 4 * usual.half_width));
            range_add(&range, fmin(both[i].high, delta + 4 * usual.half_width));
        }
    }
    return range_scale(range_padded(range, .04));
}

/* ---- Rows ---- */

static void draw_interval(struct chart *chart, const struct panel *panel, const struct analysis *analysis,
                          const struct contrast_result *result, double y, const char *title)
{
    const struct estimate *estimate = &result->estimate;
    const struct figure_look *look = figure_look(result->verdict.kind);
    struct interval ci = analysis_shown_interval(analysis, estimate->ci);
    struct interval family = analysis_shown_interval(analysis, estimate->simultaneous);
    chart_span_x(chart, look->thin, panel, family.low, family.high, y, title);
    chart_span_x(chart, look->thick, panel, ci.low, ci.high, y, title);
    double delta = analysis_shown(analysis, estimate->delta);
    chart_span_x(chart, look->thin, panel, delta, delta, y, title); /* an arrow, if it is outside */
    if (delta >= panel->x.low && delta <= panel->x.high) chart_mark(chart, look->shape, look->mark, scale_at(&panel->x, delta), y, title);
}

static void draw_row(struct chart *chart, const struct panel *panel, const struct figure_table *table, const struct analysis *analysis,
                     const struct contrast_result *result, double y, int decimals)
{
    const struct estimate *estimate = &result->estimate;
    char text[FIGURE_TEXT];
    figure_effect(text, analysis_shown(analysis, estimate->delta), analysis_shown_interval(analysis, estimate->ci), decimals);
    double middle = figure_table_row(chart, panel, table, y, figure_name(result), estimate->n, text);
    draw_interval(chart, panel, analysis, result, middle, result->verdict.sentence ? result->verdict.sentence : text);
}

static int64_t count_rows(const struct analysis *analysis, int family)
{
    int64_t count = 0;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) count += is_shown(analysis, c) && analysis->plan->contrast[c].family == family;
    return count;
}

/* Both families, each under its heading where there are two. Returns the lower end. */
static double draw_rows(struct chart *chart, const struct panel *panel, const struct figure_table *table, const struct analysis *analysis,
                        double y, int decimals)
{
    bool both = count_rows(analysis, 0) && count_rows(analysis, 1);
    for (int family = 0; family < 2; family++) {
        if (both) {
            chart_box(chart, "paper", (struct box){panel->box.left, y, panel->box.right, y + HEAD}, NULL);
            chart_text(chart, "heading", ANCHOR_START, CHART_MARGIN, y + 16, family ? "Interactions" : "Effects");
            y += HEAD;
        }
        for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
            if (!is_shown(analysis, c) || analysis->plan->contrast[c].family != family) continue;
            draw_row(chart, panel, table, analysis, &analysis->contrast[c], y, decimals);
            y += table->row;
        }
    }
    return y;
}

static double draw_key(struct chart *chart, double y, const struct analysis *analysis)
{
    struct key key[10];
    char margin[FIGURE_TEXT], number[64];
    unsigned kinds = 0;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) kinds |= 1u << analysis->contrast[c].verdict.kind;
    int64_t count = figure_keys(key, kinds);
    bool intervals = isfinite(usual_sizes(analysis).half_width);
    if (intervals) key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "thick unclear", "95 % interval"};
    if (intervals) key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "thin unclear", "simultaneous over the family"};
    if (analysis->plan->margin > 0) {
        double shown = analysis->percent * analysis->plan->margin;
        number_short(number, shown);
        snprintf(margin, sizeof margin, analysis->percent == 100 ? "within the margin of %s point%s" : "within the margin of %s", number,
                 number_s(number));
        key[count++] = (struct key){KEY_AREA, SHAPE_DOT, "margin", margin};
    }
    return chart_key(chart, y, key, count);
}

/* ---- The whole ---- */

/* The widest of the numbers beside the intervals. */
static double numbers_width(const struct analysis *analysis, int decimals)
{
    char text[FIGURE_TEXT];
    double widest = label_width("difference [95 % CI]");
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        const struct estimate *estimate = &analysis->contrast[c].estimate;
        if (estimate->n == 0) continue;
        figure_effect(text, analysis_shown(analysis, estimate->delta), analysis_shown_interval(analysis, estimate->ci), decimals);
        widest = fmax(widest, label_width(text));
    }
    return widest;
}

static void headline(char buffer[FIGURE_TEXT], const struct analysis *analysis)
{
    int64_t least = INT64_MAX, most = 0;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        int64_t n = analysis->contrast[c].estimate.n;
        least = n > 0 && n < least ? n : least;
        most = n > most ? n : most;
    }
    char seeds[FIGURE_TEXT];
    const char *adjustment = analysis->adjustment ? analysis->adjustment : "";
    snprintf(buffer, FIGURE_TEXT, "%.60s%s%.400s", figure_seeds(seeds, least, most), *adjustment ? "; " : "", adjustment);
}

static bool against_baseline(const struct analysis *analysis)
{
    for (int64_t c = 0; c < analysis->plan->contrasts; c++)
        if (analysis->plan->contrast[c].kind != CONTRAST_ARM) return false;
    return true;
}

/* Margin, axis and zero, behind the rows. */
static void draw_ground(struct chart *chart, const struct panel *panel, const struct analysis *analysis)
{
    double margin = analysis->percent * analysis->plan->margin, left = scale_at(&panel->x, -margin), right = scale_at(&panel->x, margin);
    if (margin > 0) chart_box(chart, "margin", (struct box){left, panel->box.top, right, panel->box.bottom}, NULL);
    struct ticks ticks = chart_x_ticks(&panel->x, true);
    chart_x_axis(chart, panel, &ticks);
    chart_rule_x(chart, "zero", panel, 0);
}

static char *draw(const struct analysis *analysis, int64_t index, enum figure_width width)
{
    (void)index;
    struct chart chart;
    struct panel panel;
    char text[FIGURE_TEXT], title[2 * FIGURE_TEXT];
    chart_begin(&chart, width == FIGURE_NARROW);
    headline(text, analysis);
    double y = chart_heading(&chart, against_baseline(analysis) ? "Effects against the baseline" : "Effects", text),
           top = chart.narrow ? y - 5 : y + 8;
    struct usual usual = usual_sizes(analysis);
    int decimals = figure_decimals(usual.half_width);
    int64_t effects = count_rows(analysis, 0), interactions = count_rows(analysis, 1);
    panel.x = effects_scale(analysis, usual);
    struct figure_table table = figure_table(&chart, &panel, numbers_width(analysis, decimals), top, effects + interactions);
    if (effects && interactions) panel.box.bottom += 2 * HEAD;
    figure_table_heads(&chart, &table, y, "n", "difference [95 % CI]");
    draw_ground(&chart, &panel, analysis);
    draw_rows(&chart, &panel, &table, analysis, top, decimals);
    snprintf(title, sizeof title, "%s; %s of 0 is better", figure_difference(text, analysis),
             analysis->plan->lower_is_better ? "left" : "right");
    y = draw_key(&chart, chart_x_title(&chart, &panel, title) + 6, analysis);
    return chart_end(&chart, y, "Effects with their intervals");
}

const struct figure figure_forest = {
    .name = "forest",
    .title = "Effects with their intervals",
    .text = "A mark is the mean difference over seeds, the thick line its 95 % interval, the thin line an interval that holds for all "
            "rows at once. A verdict needs the adjusted p value below .05; the mark's shape says which it is.",
    .shows = is_shown,
    .draw = draw,
};
