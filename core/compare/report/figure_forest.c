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

static const char *effect_text(char buffer[FIGURE_TEXT], const struct analysis *analysis, const struct estimate *estimate, int decimals)
{
    return figure_effect(buffer, analysis_shown(analysis, estimate->delta), analysis_shown_interval(analysis, estimate->ci), decimals);
}

static void draw_row(struct sheet *sheet, const struct analysis *analysis, const struct contrast_result *result, int decimals)
{
    const struct estimate *estimate = &result->estimate;
    const struct figure_look *look = figure_look(result->verdict.kind);
    struct chart *chart = &sheet->chart;
    const struct panel *panel = &sheet->panel;
    char text[FIGURE_TEXT];
    effect_text(text, analysis, estimate, decimals);
    double y = sheet_row(sheet, figure_name(result), estimate->n, text), delta = analysis_shown(analysis, estimate->delta);
    struct interval ci = analysis_shown_interval(analysis, estimate->ci);
    struct interval family = analysis_shown_interval(analysis, estimate->simultaneous);
    const char *title = result->verdict.sentence ? result->verdict.sentence : text;
    chart_span_x(chart, look->thin, panel, family.low, family.high, y, title);
    chart_span_x(chart, look->thick, panel, ci.low, ci.high, y, title);
    chart_span_x(chart, look->thin, panel, delta, delta, y, title); /* an arrow, if it is outside */
    if (delta >= panel->x.low && delta <= panel->x.high) chart_mark(chart, look->shape, look->mark, scale_at(&panel->x, delta), y, title);
}

static bool is_in(const struct analysis *analysis, int64_t c, int family)
{
    return is_shown(analysis, c) && analysis->plan->contrast[c].family == family;
}

/* The row after `last` (-1: the first), in the plan's order, or of many the best first; -1: there is none. */
static int64_t next_row(const struct analysis *analysis, int family, bool sorted, int64_t last)
{
    int64_t next = -1;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        double own = analysis->contrast[c].estimate.delta, before = last < 0 ? INFINITY : analysis->contrast[last].estimate.delta;
        bool after = sorted ? own < before || (own == before && c > last) : c > last;
        if (!is_in(analysis, c, family) || !after) continue;
        if (next < 0 || (sorted && own > analysis->contrast[next].estimate.delta)) next = c;
    }
    return next;
}

/* Both families, each under its heading where there are two. */
static void draw_rows(struct sheet *sheet, const struct analysis *analysis, const int64_t rows[2], int decimals)
{
    const struct box *box = &sheet->panel.box;
    for (int family = 0; family < 2; family++) {
        bool sorted = rows[family] >= FIGURE_MANY;
        if (rows[0] && rows[1]) {
            chart_box(&sheet->chart, "paper", (struct box){box->left, sheet->y, box->right, sheet->y + HEAD}, NULL);
            chart_text(&sheet->chart, "heading", ANCHOR_START, CHART_MARGIN, sheet->y + 16, family ? "Interactions" : "Effects");
            sheet->y += HEAD;
        }
        for (int64_t c = next_row(analysis, family, sorted, -1); c >= 0; c = next_row(analysis, family, sorted, c))
            draw_row(sheet, analysis, &analysis->contrast[c], decimals);
    }
}

/* ---- The whole ---- */

/* What all rows together have. */
struct summary {
    int64_t least, most, family[2]; /* seeds; rows of each family */
    double widest;                  /* of the numbers beside the intervals */
    unsigned kinds;                 /* of verdicts, as bits */
    bool against_baseline;
};

static struct summary summarise(const struct analysis *analysis, int decimals, const char *heading)
{
    struct summary summary = {.least = INT64_MAX, .widest = label_width(heading), .against_baseline = true};
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        const struct contrast_result *result = &analysis->contrast[c];
        const int64_t n = result->estimate.n;
        char text[FIGURE_TEXT];
        summary.kinds |= 1u << result->verdict.kind;
        if (analysis->plan->contrast[c].kind != CONTRAST_ARM) summary.against_baseline = false;
        for (int family = 0; family < 2; family++) summary.family[family] += is_in(analysis, c, family);
        if (n == 0) continue;
        summary.least = n < summary.least ? n : summary.least;
        summary.most = n > summary.most ? n : summary.most;
        summary.widest = fmax(summary.widest, label_width(effect_text(text, analysis, &result->estimate, decimals)));
    }
    return summary;
}

/* Margin, axis and zero, behind the rows. */
static void draw_ground(struct sheet *sheet, double margin)
{
    struct panel *panel = &sheet->panel;
    struct box box = {scale_at(&panel->x, -margin), panel->box.top, scale_at(&panel->x, margin), panel->box.bottom};
    if (margin > 0) chart_box(&sheet->chart, "margin", box, NULL);
    sheet_axis(sheet, true);
    chart_rule_x(&sheet->chart, "zero", panel, 0);
}

static char *draw(const struct analysis *analysis, int64_t index, enum figure_width width)
{
    (void)index;
    static const char numbers[] = "difference [95 % CI]";
    char text[FIGURE_TEXT], seeds[FIGURE_TEXT], title[2 * FIGURE_TEXT], number[NUMBER_SIZE];
    struct usual usual = usual_sizes(analysis);
    int decimals = figure_decimals(usual.half_width);
    struct summary summary = summarise(analysis, decimals, numbers);
    bool both = summary.family[0] && summary.family[1];
    double margin = analysis->percent * analysis->plan->margin;
    const char *adjustment = analysis->adjustment ? analysis->adjustment : "";
    struct sheet sheet = {.panel.x = effects_scale(analysis, usual)};
    snprintf(text, sizeof text, "%.60s%s%.400s", figure_seeds(seeds, summary.least, summary.most), *adjustment ? "; " : "", adjustment);
    sheet_begin(&sheet, width, summary.against_baseline ? "Effects against the baseline" : "Effects", text, numbers, summary.widest,
                summary.family[0] + summary.family[1], both ? 2 * HEAD : 0);
    draw_ground(&sheet, margin);
    draw_rows(&sheet, analysis, summary.family, decimals);
    struct key key[10];
    int64_t keys = figure_keys(key, summary.kinds);
    if (isfinite(usual.half_width)) {
        key[keys++] = (struct key){KEY_LINE, SHAPE_DOT, "thick unclear", "95 % interval"};
        if (analysis->family_size[0] > 1 || analysis->family_size[1] > 1)
            key[keys++] = (struct key){KEY_LINE, SHAPE_DOT, "thin unclear", "simultaneous over the family"};
    }
    number_short(number, margin);
    snprintf(seeds, sizeof seeds, analysis->percent == 100 ? "within the margin of %s point%s" : "within the margin of %s", number,
             number_s(number));
    if (margin > 0) key[keys++] = (struct key){KEY_AREA, SHAPE_DOT, "margin", seeds};
    snprintf(title, sizeof title, "%s; %s of 0 is better", figure_difference(text, analysis),
             analysis->plan->lower_is_better ? "left" : "right");
    return sheet_end(&sheet, title, key, keys, "Effects with their intervals");
}

const struct figure figure_forest = {
    .name = "forest",
    .title = "Effects with their intervals",
    .text = "A mark is the mean difference over seeds, the thick line its 95 % interval; a thin line, where there are several rows, "
            "is an interval that holds for all of them at once. A verdict needs the adjusted p value below .05; the mark's shape says "
            "which it is.",
    .shows = is_shown,
    .draw = draw,
};
