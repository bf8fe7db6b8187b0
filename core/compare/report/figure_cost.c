/* What each arm costs against what it gains. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compare/report/figure_parts.h"

enum { NAMES_MOST = 9 }; /* tricks: more get numbers, and a table of them */
enum { GAP = 3 };        /* left and right of a label */

/* An arm's place; differences as they are shown. */
struct place {
    int64_t arm;
    int number; /* from 1, of tricks; 0: the baseline, or trained longer */
    double cost, gain;
    struct interval cost_ci, gain_ci; /* NaN: none */
    const struct figure_look *look;
    double x, y;      /* where it is drawn, kept within the panel */
    struct box label; /* where its label is drawn */
};

/* A drawing while it is made. */
struct plot {
    const struct analysis *analysis;
    struct chart chart;
    struct panel panel;
    struct boxes lines;  /* what labels keep off, if they have other places */
    struct place *place; /* [count]: the baseline, tricks in the plan's order, and the baseline's budgets in theirs */
    int64_t count, tricks, budgets;
    bool seconds; /* cost by measured time, else by counts */
    bool numbers; /* labels are numbers, which a table explains */
    double most;  /* gains up to here are within the panel */
    int decimals; /* of gains */
};

static bool is_measured(const struct analysis *analysis)
{
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        const struct arm_result *arm = &analysis->arm[a];
        if (arm->n > 0 && arm->arm->kind == ARM_TREATED && !(arm->cost.cpu > 0 && isfinite(arm->cost.cpu))) return false;
    }
    return true;
}

/* False: it cannot be drawn. */
static bool find_place(const struct analysis *analysis, int64_t a, bool seconds, struct place *place)
{
    static const struct interval none = {NAN, NAN};
    const struct arm_result *arm = &analysis->arm[a];
    *place = (struct place){.arm = a, .cost_ci = none, .gain_ci = none, .look = figure_look(VERDICT_NONE)};
    place->gain = analysis->percent * (arm->mean - analysis->arm[0].mean);
    place->cost = a == 0 ? 1 : arm->arm->kind == ARM_BUDGET ? arm->arm->budget : arm->cost.counted;
    if (seconds && arm->arm->kind == ARM_TREATED) {
        place->cost = arm->cost.cpu;
        place->cost_ci = arm->cost.cpu_ci;
    }
    int64_t c = analysis_arm_contrast(analysis, a);
    if (c >= 0) {
        const struct contrast_result *result = &analysis->contrast[c];
        if (isfinite(result->estimate.delta)) place->gain = analysis_shown(analysis, result->estimate.delta);
        place->gain_ci = analysis_shown_interval(analysis, result->estimate.ci);
        place->look = figure_look(result->verdict.kind);
    }
    return arm->n > 0 && isfinite(place->gain) && isfinite(place->cost) && place->cost > 0;
}

static bool is_shown(const struct analysis *analysis, int64_t arm)
{
    struct place place;
    return analysis->arm[0].n > 0 && analysis->plan->arm[arm].kind == ARM_TREATED &&
           find_place(analysis, arm, is_measured(analysis), &place);
}

/* Six times the median gain and interval, as in the forest: what is beyond leaves with an arrow. */
static double gains_most(const struct plot *plot, double *reach)
{
    for (int64_t i = 0; i < plot->count; i++) {
        double half = (plot->place[i].gain_ci.high - plot->place[i].gain_ci.low) / 2;
        reach[i] = fabs(plot->place[i].gain) + (isfinite(half) ? half : 0);
    }
    double most = 6 * numbers_median(reach, plot->count);
    return most > 0 ? most : INFINITY;
}

static bool find_places(struct plot *plot)
{
    const struct plan *plan = plot->analysis->plan;
    plot->place = memory_new((size_t)plan->arms + 1, sizeof *plot->place);
    double *reach = plot->place ? memory_new((size_t)plan->arms + 1, sizeof *reach) : NULL;
    if (!reach) return false;
    for (int64_t a = 0; a < plan->arms; a++) {
        struct place *place = &plot->place[plot->count];
        if (!find_place(plot->analysis, a, plot->seconds, place)) continue;
        if (plan->arm[a].kind == ARM_TREATED) place->number = (int)++plot->tricks;
        plot->budgets += plan->arm[a].kind == ARM_BUDGET;
        plot->count++;
    }
    plot->most = gains_most(plot, reach);
    plot->decimals = figure_decimals(plot->most / 12);
    plot->numbers = plot->tricks > NAMES_MOST;
    memory_free(reach);
    return true;
}

/* ---- Axes and lines ---- */

static void find_scales(struct plot *plot)
{
    struct range costs = RANGE_EMPTY, gains = RANGE_EMPTY;
    struct box box = plot->panel.box;
    range_add(&gains, 0);
    for (int64_t i = 0; i < plot->count; i++) {
        const struct place *place = &plot->place[i];
        range_add(&costs, place->cost);
        if (place->cost_ci.low > 0 && isfinite(place->cost_ci.high)) {
            range_add(&costs, fmax(place->cost_ci.low, place->cost / 2));
            range_add(&costs, fmin(place->cost_ci.high, place->cost * 2));
        }
        if (fabs(place->gain) > plot->most) continue;
        range_add(&gains, place->gain);
        if (!isnan(place->gain_ci.low)) range_add(&gains, fmax(place->gain_ci.low, -plot->most));
        if (!isnan(place->gain_ci.high)) range_add(&gains, fmin(place->gain_ci.high, plot->most));
    }
    bool turned = plot->analysis->plan->lower_is_better;
    plot->panel.x = range_scale(range_padded_log(costs, .06));
    plot->panel.x.log = true;
    plot->panel.x.to = box.right;
    plot->panel.y = range_scale(range_padded(gains, .06));
    plot->panel.y.from = turned ? box.top : box.bottom;
    plot->panel.y.to = turned ? box.bottom : box.top;
}

/* The panel from top on, with its axes; the title of the y axis stands above. */
static void draw_axes(struct plot *plot, double top)
{
    struct chart *chart = &plot->chart;
    struct panel *panel = &plot->panel;
    panel->box = (struct box){0, top, chart->width - CHART_MARGIN, top + (chart->narrow ? 260 : 320)};
    find_scales(plot);
    struct ticks y_ticks = chart_y_ticks(&panel->y, true);
    panel->box.left = panel->x.from = CHART_MARGIN + chart_ticks_width(&y_ticks) + 7;
    struct ticks x_ticks = chart_x_ticks(&panel->x, false);
    chart_y_axis(chart, panel, &y_ticks);
    chart_x_axis(chart, panel, &x_ticks);
    chart_rule_y(chart, "zero", panel, 0);
    for (int64_t i = 0; i < plot->count; i++) {
        struct place *place = &plot->place[i];
        place->x = scale_at(&panel->x, place->cost);
        place->y = fmin(fmax(scale_at(&panel->y, place->gain), panel->box.top), panel->box.bottom);
    }
}

/* Keeps labels off a line between two values. */
static void keep_clear(struct plot *plot, double x1, double y1, double x2, double y2)
{
    double begin_x = scale_at(&plot->panel.x, x1), begin_y = scale_at(&plot->panel.y, y1);
    double across = scale_at(&plot->panel.x, x2) - begin_x, down = scale_at(&plot->panel.y, y2) - begin_y, length = hypot(across, down);
    if (!(length < 1e4)) return;
    for (double at = 0; at <= length; at += 3) {
        double x = begin_x + across * at / (length + 1e-9), y = begin_y + down * at / (length + 1e-9);
        boxes_add(&plot->lines, (struct box){x - 2, y - 2, x + 2, y + 2});
    }
}

static void draw_line(struct plot *plot, const char *kind, const double *x, const double *y, int64_t points, const char *title)
{
    for (int64_t i = 0; i + 1 < points; i++) keep_clear(plot, x[i], y[i], x[i + 1], y[i + 1]);
    chart_curve(&plot->chart, kind, &plot->panel, (struct series){x, y, points, 1}, title);
}

static int by_cost(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->cost > y->cost) - (x->cost < y->cost);
}

/* Steps through the places that nothing cheaper is as good as. */
static bool draw_stairs(struct plot *plot)
{
    size_t count = (size_t)plot->count;
    struct place *order = memory_new(count + 1, sizeof *order);
    double *x = order ? memory_new(4 * count + 4, sizeof *x) : NULL, *y = x ? x + 2 * count + 2 : NULL;
    double better = plot->analysis->plan->lower_is_better ? -1 : 1;
    bool done = x;
    if (done) {
        memcpy(order, plot->place, count * sizeof *order);
        qsort(order, count, sizeof *order, by_cost);
        int64_t points = 0;
        for (size_t i = 0; i < count; i++) {
            double last = points ? y[points - 1] : 0;
            if (points && better * order[i].gain <= better * last) continue;
            if (points) {
                x[points] = order[i].cost;
                y[points++] = last;
            }
            x[points] = order[i].cost;
            y[points++] = order[i].gain;
        }
        x[points] = plot->panel.x.high;
        y[points] = points ? y[points - 1] : 0;
        draw_line(plot, "stairs", x, y, points + 1, "nothing cheaper is as good");
    }
    memory_free(order);
    memory_free(x);
    return done;
}

static void draw_budgets(struct plot *plot)
{
    const struct place *last = NULL;
    for (int64_t i = 0; i < plot->count; i++) {
        const struct place *place = &plot->place[i];
        if (place->number) continue;
        const double x[] = {last ? last->cost : NAN, place->cost}, y[] = {last ? last->gain : NAN, place->gain};
        if (last) draw_line(plot, "dashes base", x, y, 2, "the baseline, trained longer");
        last = place;
    }
}

/* ---- Marks and their labels ---- */

static void draw_place(struct plot *plot, const struct place *place)
{
    struct chart *chart = &plot->chart;
    const struct panel *panel = &plot->panel;
    char text[2 * FIGURE_TEXT], effect[FIGURE_TEXT], cost[NUMBER_SIZE];
    double x = place->x, y = place->y;
    figure_effect(effect, place->gain, place->gain_ci, plot->decimals);
    snprintf(text, sizeof text, "%.200s: cost \xC3\x97%s, %s%s", plot->analysis->plan->arm[place->arm].name,
             scale_text(cost, place->cost, 2, false), effect, figure_unit(plot->analysis));
    boxes_add(&chart->taken, (struct box){x - 7, y - 7, x + 7, y + 7});
    if (place->number == 0) {
        chart_mark(chart, SHAPE_SQUARE, "solid base", x, y, text);
        return;
    }
    chart_span_y(chart, place->look->thin, panel, place->gain_ci.low, place->gain_ci.high, x, text);
    chart_span_x(chart, place->look->thin, panel, place->cost_ci.low, place->cost_ci.high, y, text);
    double top = scale_at(&panel->y, place->gain_ci.high), bottom = scale_at(&panel->y, place->gain_ci.low);
    if (isfinite(top + bottom)) boxes_add(&plot->lines, (struct box){x - 1, fmin(top, bottom), x + 1, fmax(top, bottom)});
    double left = scale_at(&panel->x, place->cost_ci.low), right = scale_at(&panel->x, place->cost_ci.high);
    if (isfinite(left + right)) boxes_add(&plot->lines, (struct box){left, y - 1, right, y + 1});
    if (place->gain >= panel->y.low && place->gain <= panel->y.high)
        chart_mark(chart, place->look->shape, place->look->mark, x, y, text);
    else
        chart_span_y(chart, place->look->thin, panel, place->gain, place->gain, x, text);
}

static void label_text(char buffer[FIGURE_TEXT], const struct plot *plot, const struct place *place)
{
    char number[NUMBER_SIZE];
    const struct arm *arm = &plot->analysis->plan->arm[place->arm];
    if (arm->kind == ARM_BUDGET)
        snprintf(buffer, FIGURE_TEXT, "\xC3\x97%s", number_short(number, arm->budget));
    else if (place->number && plot->numbers)
        snprintf(buffer, FIGURE_TEXT, "%d", place->number);
    else
        label_shorten(buffer, FIGURE_TEXT, arm->name, place->number ? 130 : 100);
}

/* A place for each label where it covers neither marks nor text, nor, if that can be had, a line. False: not all have one. */
static bool place_labels(struct plot *plot)
{
    struct boxes *taken = &plot->chart.taken;
    int64_t before = taken->count;
    for (int64_t i = 0; i < plot->count; i++) {
        char text[FIGURE_TEXT];
        struct place *place = &plot->place[i];
        label_text(text, plot, place);
        if (label_place(taken, &plot->lines, place->x, place->y, label_width(text) + 2 * GAP, plot->panel.box, &place->label)) {
            boxes_add(taken, place->label);
            continue;
        }
        taken->count = before;
        return false;
    }
    return !taken->failed;
}

/* Names beside the marks, or numbers; with a line to the mark where they are apart. */
static void draw_labels(struct plot *plot)
{
    bool every = place_labels(plot);
    if (!every && !plot->numbers) {
        plot->numbers = true;
        every = place_labels(plot);
    }
    for (int64_t i = 0; i < plot->count && every; i++) {
        char text[FIGURE_TEXT];
        const struct place *place = &plot->place[i];
        struct box label = place->label, inner = {label.left, label.top + 3, label.right, label.bottom - 3};
        double x, y;
        label_text(text, plot, place);
        if (box_nearest(inner, place->x, place->y, &x, &y) > 14) chart_line(&plot->chart, "leader", x, y, place->x, place->y, NULL);
        chart_text(&plot->chart, place->number ? "title" : "note", ANCHOR_START, label.left + GAP, label.top + LABEL_ABOVE, text);
    }
}

/* ---- Below ---- */

/* Number, name, cost and difference of all tricks, in two columns where there is room. */
static double draw_table(struct plot *plot, double y)
{
    struct chart *chart = &plot->chart;
    int64_t columns = chart->narrow ? 1 : 2, rows = (plot->tricks + columns - 1) / columns;
    double room = (chart->width - 2 * CHART_MARGIN - 24 * (double)(columns - 1)) / (double)columns;
    for (int64_t i = 0; i < plot->count; i++) {
        const struct place *place = &plot->place[i];
        if (place->number == 0) continue;
        double left = CHART_MARGIN + (double)((place->number - 1) / rows) * (room + 24);
        double at = y + (double)((place->number - 1) % rows) * LABEL_LINE;
        char text[NUMBER_SIZE + 4], number[NUMBER_SIZE];
        snprintf(text, sizeof text, "%d", place->number);
        chart_text(chart, "title", ANCHOR_END, left + 18, at, text);
        chart_label(chart, "title", ANCHOR_START, left + 26, at, room - 26 - 130, plot->analysis->plan->arm[place->arm].name);
        snprintf(text, sizeof text, "\xC3\x97%s", scale_text(number, place->cost, 2, false));
        chart_label(chart, "note", ANCHOR_END, left + room - 66, at, 60, text);
        chart_label(chart, "note", ANCHOR_END, left + room, at, 60, scale_text(number, place->gain, plot->decimals, true));
    }
    return y + (double)rows * LABEL_LINE;
}

static double draw_key(struct plot *plot, double y)
{
    struct key key[12];
    unsigned kinds = 0;
    for (int64_t i = 0; i < plot->count; i++)
        if (plot->place[i].number) kinds |= 1u << (plot->place[i].look - figure_look(VERDICT_NONE));
    int64_t count = figure_keys(key, kinds);
    key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "thin unclear", "95 % interval"};
    if (plot->budgets) key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "dashes base", "baseline, trained longer"};
    key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "stairs", "nothing cheaper is as good"};
    return chart_key(&plot->chart, y, key, count);
}

static double draw_heading(struct plot *plot)
{
    int64_t least = INT64_MAX, most = 0;
    char text[FIGURE_TEXT], title[2 * FIGURE_TEXT];
    for (int64_t i = 0; i < plot->count; i++) {
        int64_t n = plot->analysis->arm[plot->place[i].arm].n;
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    double y = chart_heading(&plot->chart, "Cost against gain", figure_seeds(text, least, most)) + 6;
    snprintf(title, sizeof title, "%s; up is better", figure_difference(text, plot->analysis));
    return chart_paragraph(&plot->chart, "title", CHART_MARGIN, y, plot->chart.width - 2 * CHART_MARGIN, title);
}

static char *draw(const struct analysis *analysis, int64_t index, enum figure_width width)
{
    (void)index;
    struct plot plot = {.analysis = analysis, .seconds = is_measured(analysis)};
    bool done = find_places(&plot);
    char *drawing = NULL;
    if (done) {
        chart_begin(&plot.chart, width == FIGURE_NARROW);
        draw_axes(&plot, draw_heading(&plot) - 4);
        draw_budgets(&plot);
        keep_clear(&plot, plot.panel.x.low, 0, plot.panel.x.high, 0);
        done = draw_stairs(&plot);
        for (int64_t i = 0; i < plot.count; i++) draw_place(&plot, &plot.place[i]);
        draw_labels(&plot);
        double y = chart_x_title(&plot.chart, &plot.panel,
                                 plot.seconds ? "cost of training, times the baseline's (CPU time; logarithmic)"
                                              : "cost of training, times the baseline's (passes counted; logarithmic)");
        y = draw_key(&plot, y + 6);
        if (plot.numbers) y = draw_table(&plot, y + 6);
        if (!done || plot.lines.failed) plot.chart.svg.failed = true;
        drawing = chart_end(&plot.chart, y, "Cost against gain");
    }
    boxes_free(&plot.lines);
    memory_free(plot.place);
    return drawing;
}

const struct figure figure_cost = {
    .name = "cost",
    .title = "Cost against gain",
    .text = "To the right is dearer, upwards is better; the cost is of a whole training. The steps join what nothing cheaper beats. Where "
            "the baseline was trained longer, its squares are joined: a trick below that line buys less than more training does.",
    .arms = true,
    .shows = is_shown,
    .draw = draw,
};
