/* What each arm costs against what it gains. */
#include <inttypes.h>
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
    int number; /* from 1, of tricks */
    double cost, gain;
    struct interval cost_ci, gain_ci; /* NaN: none */
    const struct figure_look *look;
    const char *sentence; /* NULL: none */
};

/* The baseline, tricks in the plan's order, and the baseline's budgets in theirs. */
struct places {
    struct place *place;
    int64_t count, tricks, budgets;
    bool seconds; /* cost by measured time, else by counts */
    double most;  /* gains up to here are within the panel */
    int decimals; /* of gains */
};

static bool is_measured(const struct analysis *analysis)
{
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        const struct arm_result *arm = &analysis->arm[a];
        if (arm->n > 0 && arm->arm->kind == ARM_TREATED && !(arm->cost_seconds > 0 && isfinite(arm->cost_seconds))) return false;
    }
    return true;
}

/* Seconds are those of an update; an arm may make more of them, or fewer. */
static double updates_ratio(const struct analysis *analysis, int64_t a)
{
    int64_t own = analysis->plan->arm[a].updates, base = analysis->plan->arm[0].updates;
    return own > 0 && base > 0 ? (double)own / (double)base : 1;
}

static struct place place_of(const struct analysis *analysis, int64_t a, bool seconds)
{
    static const struct interval none = {NAN, NAN};
    const struct arm_result *arm = &analysis->arm[a];
    struct place place = {.arm = a, .cost_ci = none, .gain_ci = none, .look = figure_look(VERDICT_NONE)};
    place.gain = analysis->percent * (arm->mean - analysis->arm[0].mean);
    place.cost = a == 0 ? 1 : arm->arm->kind == ARM_BUDGET ? arm->arm->budget : arm->cost_count;
    if (seconds && arm->arm->kind == ARM_TREATED) {
        double ratio = updates_ratio(analysis, a);
        place.cost = ratio * arm->cost_seconds;
        place.cost_ci = (struct interval){ratio * arm->cost_ci.low, ratio * arm->cost_ci.high};
    }
    int64_t c = analysis_arm_contrast(analysis, a);
    if (c < 0) return place;
    const struct contrast_result *result = &analysis->contrast[c];
    if (isfinite(result->estimate.delta)) place.gain = analysis_shown(analysis, result->estimate.delta);
    place.gain_ci = analysis_shown_interval(analysis, result->estimate.ci);
    place.look = figure_look(result->verdict.kind);
    place.sentence = result->verdict.sentence;
    return place;
}

/* Six times the median gain and interval, as in the forest: what is beyond leaves with an arrow. */
static double gains_most(const struct places *places)
{
    double *reach = memory_new((size_t)places->count + 1, sizeof *reach);
    if (!reach) return INFINITY;
    for (int64_t i = 0; i < places->count; i++) {
        double half = (places->place[i].gain_ci.high - places->place[i].gain_ci.low) / 2;
        reach[i] = fabs(places->place[i].gain) + (isfinite(half) ? half : 0);
    }
    double most = 6 * numbers_median(reach, places->count);
    memory_free(reach);
    return most > 0 ? most : INFINITY;
}

static bool places_find(const struct analysis *analysis, struct places *places)
{
    *places = (struct places){.seconds = is_measured(analysis)};
    places->place = memory_new((size_t)analysis->plan->arms + 1, sizeof *places->place);
    if (!places->place) return false;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        if (analysis->arm[a].n == 0) continue;
        struct place place = place_of(analysis, a, places->seconds);
        if (!isfinite(place.gain) || !isfinite(place.cost) || place.cost <= 0) continue;
        enum arm_kind kind = analysis->plan->arm[a].kind;
        if (kind == ARM_TREATED) place.number = (int)++places->tricks;
        places->budgets += kind == ARM_BUDGET;
        places->place[places->count++] = place;
    }
    places->most = gains_most(places);
    places->decimals = figure_decimals(places->most / 12);
    return true;
}

int64_t cost_items(const struct analysis *analysis)
{
    bool seconds = is_measured(analysis);
    for (int64_t a = 1; a < analysis->plan->arms; a++) {
        if (analysis->arm[a].n == 0 || analysis->plan->arm[a].kind != ARM_TREATED) continue;
        struct place place = place_of(analysis, a, seconds);
        if (isfinite(place.gain) && isfinite(place.cost) && place.cost > 0) return analysis->arm[0].n > 0;
    }
    return 0;
}

/* ---- Scales ---- */

static void find_scales(const struct places *places, bool turned, struct panel *panel)
{
    struct range costs = RANGE_EMPTY, gains = RANGE_EMPTY;
    double most = places->most;
    range_add(&gains, 0);
    for (int64_t i = 0; i < places->count; i++) {
        const struct place *place = &places->place[i];
        range_add(&costs, place->cost);
        if (place->cost_ci.low > 0 && isfinite(place->cost_ci.high)) {
            range_add(&costs, fmax(place->cost_ci.low, place->cost / 2));
            range_add(&costs, fmin(place->cost_ci.high, place->cost * 2));
        }
        if (fabs(place->gain) > most) continue;
        range_add(&gains, place->gain);
        if (!isnan(place->gain_ci.low)) range_add(&gains, fmax(place->gain_ci.low, -most));
        if (!isnan(place->gain_ci.high)) range_add(&gains, fmin(place->gain_ci.high, most));
    }
    costs = range_padded_log(costs, .06);
    gains = range_padded(gains, .06);
    panel->x = (struct scale){.log = true, .low = costs.low, .high = costs.high, .from = panel->box.left, .to = panel->box.right};
    panel->y = (struct scale){.low = gains.low, .high = gains.high, .from = panel->box.bottom, .to = panel->box.top};
    if (turned) panel->y = (struct scale){.low = gains.low, .high = gains.high, .from = panel->box.top, .to = panel->box.bottom};
}

/* ---- Lines ---- */

/* Keeps labels off a line on the panel, if they have other places. */
static void keep_clear(struct boxes *lines, const struct panel *panel, double x1, double y1, double x2, double y2)
{
    double begin_x = scale_at(&panel->x, x1), begin_y = scale_at(&panel->y, y1), end_x = scale_at(&panel->x, x2),
           end_y = scale_at(&panel->y, y2);
    double length = hypot(end_x - begin_x, end_y - begin_y);
    if (!(length < 1e4)) return;
    for (double at = 0; at <= length; at += 3) {
        double x = begin_x + (end_x - begin_x) * at / (length + 1e-9), y = begin_y + (end_y - begin_y) * at / (length + 1e-9);
        boxes_add(lines, (struct box){x - 2, y - 2, x + 2, y + 2});
    }
}

static int by_cost(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->cost > y->cost) - (x->cost < y->cost);
}

/* Steps through the places that nothing cheaper is as good as. */
static bool draw_stairs(struct chart *chart, struct boxes *lines, const struct panel *panel, const struct places *places, bool turned)
{
    size_t count = (size_t)places->count;
    struct place *order = memory_new(count + 1, sizeof *order);
    double *x = memory_new(4 * count + 4, sizeof *x), *y = x ? x + 2 * count + 2 : NULL;
    bool done = order && x;
    if (done) {
        memcpy(order, places->place, count * sizeof *order);
        qsort(order, count, sizeof *order, by_cost);
        int64_t points = 0;
        for (size_t i = 0; i < count; i++) {
            double last = points ? y[points - 1] : 0;
            if (points && (turned ? order[i].gain >= last : order[i].gain <= last)) continue;
            if (points) {
                x[points] = order[i].cost;
                y[points++] = last;
            }
            x[points] = order[i].cost;
            y[points++] = order[i].gain;
        }
        x[points] = panel->x.high;
        y[points] = points ? y[points - 1] : 0;
        for (int64_t i = 0; i < points; i++) keep_clear(lines, panel, x[i], y[i], x[i + 1], y[i + 1]);
        chart_curve(chart, "stairs", panel, (struct series){x, y, points + 1, 1}, "nothing cheaper is as good");
    }
    memory_free(order);
    memory_free(x);
    return done;
}

static bool is_baseline(const struct place *place)
{
    return place->number == 0;
}

static void draw_budgets(struct chart *chart, struct boxes *lines, const struct panel *panel, const struct places *places)
{
    const struct place *last = NULL;
    for (int64_t i = 0; i < places->count; i++) {
        const struct place *place = &places->place[i];
        if (!is_baseline(place)) continue;
        if (last) {
            double x[] = {last->cost, place->cost}, y[] = {last->gain, place->gain};
            keep_clear(lines, panel, x[0], y[0], x[1], y[1]);
            chart_curve(chart, "dashes base", panel, (struct series){x, y, 2, 1}, "the baseline, trained longer");
        }
        last = place;
    }
}

/* ---- Marks and their labels ---- */

/* Where a place is drawn, kept within the panel. */
static double mark_x(const struct panel *panel, const struct place *place)
{
    return scale_at(&panel->x, place->cost);
}

static double mark_y(const struct panel *panel, const struct place *place)
{
    double y = scale_at(&panel->y, place->gain);
    return fmin(fmax(y, panel->box.top), panel->box.bottom);
}

static void draw_place(struct chart *chart, struct boxes *lines, const struct panel *panel, const struct analysis *analysis,
                       const struct places *places, const struct place *place)
{
    char text[2 * FIGURE_TEXT], effect[FIGURE_TEXT], cost[64];
    double x = mark_x(panel, place), y = mark_y(panel, place);
    figure_effect(effect, place->gain, place->gain_ci, places->decimals);
    snprintf(text, sizeof text, "%.200s: cost \xC3\x97%s, %s%s", analysis->plan->arm[place->arm].name,
             scale_text(cost, place->cost, 2, false), effect, figure_unit(analysis));
    boxes_add(&chart->taken, (struct box){x - 7, y - 7, x + 7, y + 7});
    if (is_baseline(place)) {
        chart_mark(chart, SHAPE_SQUARE, "solid base", x, y, text);
        return;
    }
    chart_span_y(chart, place->look->thin, panel, place->gain_ci.low, place->gain_ci.high, x, text);
    chart_span_x(chart, place->look->thin, panel, place->cost_ci.low, place->cost_ci.high, y, text);
    double top = scale_at(&panel->y, place->gain_ci.high), bottom = scale_at(&panel->y, place->gain_ci.low);
    if (isfinite(top + bottom)) boxes_add(lines, (struct box){x - 1, fmin(top, bottom), x + 1, fmax(top, bottom)});
    double left = scale_at(&panel->x, place->cost_ci.low), right = scale_at(&panel->x, place->cost_ci.high);
    if (isfinite(left + right)) boxes_add(lines, (struct box){left, y - 1, right, y + 1});
    bool inside = place->gain >= panel->y.low && place->gain <= panel->y.high;
    if (inside)
        chart_mark(chart, place->look->shape, place->look->mark, x, y, text);
    else
        chart_span_y(chart, place->look->thin, panel, place->gain, place->gain, x, text);
}

static void label_text(char buffer[FIGURE_TEXT], const struct analysis *analysis, const struct place *place, bool numbers)
{
    char number[64];
    const struct arm *arm = &analysis->plan->arm[place->arm];
    if (arm->kind == ARM_BUDGET)
        snprintf(buffer, FIGURE_TEXT, "\xC3\x97%s", number_short(number, arm->budget));
    else if (place->number == 0)
        label_shorten(buffer, FIGURE_TEXT, arm->name, 100);
    else if (numbers)
        snprintf(buffer, FIGURE_TEXT, "%d", place->number);
    else
        label_shorten(buffer, FIGURE_TEXT, arm->name, 130);
}

/* How far a label is from its mark. */
static double distance(const struct box *label, double x, double y)
{
    return hypot(fmin(fmax(x, label->left), label->right) - x, fmin(fmax(y, label->top), label->bottom) - y);
}

/* Clear of everything, unless that is far away; else on an interval's line. */
static bool find_place(const struct boxes *all, const struct boxes *firm, double x, double y, double width, struct box bounds,
                       struct box *place)
{
    struct box clear, near;
    bool is_clear = label_place(all, x, y, width, bounds, &clear), is_near = label_place(firm, x, y, width, bounds, &near);
    bool takes_clear = is_clear && (distance(&clear, x, y) < 50 || distance(&clear, x, y) < 2 * distance(&near, x, y));
    *place = takes_clear ? clear : near;
    return is_clear || is_near;
}

/* A place for each label where it covers neither marks nor text, nor, if that can be had, an interval. False: not all have one. */
static bool place_labels(const struct chart *chart, const struct boxes *lines, const struct panel *panel, const struct analysis *analysis,
                         const struct places *places, bool numbers, struct box *label)
{
    struct boxes all = {0}, firm = {0};
    for (int64_t i = 0; i < chart->taken.count; i++) boxes_add(&firm, chart->taken.box[i]);
    for (int64_t i = 0; i < chart->taken.count; i++) boxes_add(&all, chart->taken.box[i]);
    for (int64_t i = 0; i < lines->count; i++) boxes_add(&all, lines->box[i]);
    bool every = true;
    for (int64_t i = 0; i < places->count && every; i++) {
        char text[FIGURE_TEXT];
        label_text(text, analysis, &places->place[i], numbers);
        double width = label_width(text) + 2 * GAP, x = mark_x(panel, &places->place[i]), y = mark_y(panel, &places->place[i]);
        every = find_place(&all, &firm, x, y, width, panel->box, &label[i]);
        if (!every) break;
        boxes_add(&all, label[i]);
        boxes_add(&firm, label[i]);
    }
    every = every && !all.failed && !firm.failed;
    boxes_free(&all);
    boxes_free(&firm);
    return every;
}

/* A line from a label to its mark, if they are apart. */
static void draw_leader(struct chart *chart, const struct box *label, double x, double y)
{
    double near_x = fmin(fmax(x, label->left), label->right), near_y = fmin(fmax(y, label->top + 3), label->bottom - 3);
    if (hypot(near_x - x, near_y - y) > 14) chart_line(chart, "leader", near_x, near_y, x, y, NULL);
}

/* Names beside the marks, or numbers; whether it is numbers, which a table has to explain. */
static bool draw_labels(struct chart *chart, const struct boxes *lines, const struct panel *panel, const struct analysis *analysis,
                        const struct places *places)
{
    struct box *label = memory_new((size_t)places->count + 1, sizeof *label);
    if (!label) {
        chart->svg.failed = true;
        return false;
    }
    bool numbers = places->tricks > NAMES_MOST, every = place_labels(chart, lines, panel, analysis, places, numbers, label);
    if (!every && !numbers) {
        numbers = true;
        every = place_labels(chart, lines, panel, analysis, places, numbers, label);
    }
    for (int64_t i = 0; i < places->count && every; i++) {
        char text[FIGURE_TEXT];
        const struct place *place = &places->place[i];
        label_text(text, analysis, place, numbers);
        draw_leader(chart, &label[i], mark_x(panel, place), mark_y(panel, place));
        chart_text(chart, is_baseline(place) ? "note" : "title", ANCHOR_START, label[i].left + GAP, label[i].top + LABEL_ABOVE, text);
    }
    memory_free(label);
    return numbers;
}

/* ---- Below ---- */

/* Number, name, cost and difference of all tricks, in two columns where there is room. */
static double draw_table(struct chart *chart, double y, const struct analysis *analysis, const struct places *places)
{
    int64_t columns = chart->narrow ? 1 : 2, rows = (places->tricks + columns - 1) / columns;
    double room = (chart->width - 2 * CHART_MARGIN - 24 * (double)(columns - 1)) / (double)columns;
    for (int64_t i = 0; i < places->count; i++) {
        const struct place *place = &places->place[i];
        if (is_baseline(place)) continue;
        int64_t column = (place->number - 1) / rows, row = (place->number - 1) % rows;
        double left = CHART_MARGIN + (double)column * (room + 24), at = y + (double)row * LABEL_LINE;
        char text[64], number[64];
        snprintf(text, sizeof text, "%d", place->number);
        chart_text(chart, "title", ANCHOR_END, left + 18, at, text);
        chart_label(chart, "title", ANCHOR_START, left + 26, at, room - 26 - 130, analysis->plan->arm[place->arm].name);
        snprintf(text, sizeof text, "\xC3\x97%s", scale_text(number, place->cost, 2, false));
        chart_label(chart, "note", ANCHOR_END, left + room - 66, at, 60, text);
        chart_label(chart, "note", ANCHOR_END, left + room, at, 60, scale_text(number, place->gain, places->decimals, true));
    }
    return y + (double)rows * LABEL_LINE;
}

static double draw_key(struct chart *chart, double y, const struct places *places)
{
    struct key key[12];
    int count = 0;
    for (int kind = VERDICT_NONE; kind <= VERDICT_INCONCLUSIVE; kind++) {
        const struct figure_look *look = figure_look((enum verdict_kind)kind);
        bool used = false;
        for (int64_t i = 0; i < places->count; i++) used = used || (!is_baseline(&places->place[i]) && places->place[i].look == look);
        if (used) key[count++] = (struct key){KEY_MARK, look->shape, look->mark, look->meaning};
    }
    key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "thin unclear", "95 % interval"};
    if (places->budgets) key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "dashes base", "baseline, trained longer"};
    key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "stairs", "nothing cheaper is as good"};
    return chart_key(chart, CHART_MARGIN, y, chart->width - 2 * CHART_MARGIN, key, count);
}

static void headline(char buffer[FIGURE_TEXT], const struct analysis *analysis, const struct places *places)
{
    int64_t least = INT64_MAX, most = 0;
    for (int64_t i = 0; i < places->count; i++) {
        int64_t n = analysis->arm[places->place[i].arm].n;
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    figure_seeds(buffer, least, most);
}

/* The panel from top on, with its axes; the title of the y axis stands above. */
static void draw_axes(struct chart *chart, struct panel *panel, const struct places *places, double top, bool turned)
{
    panel->box = (struct box){0, top, chart->width - CHART_MARGIN, top + (chart->narrow ? 260 : 320)};
    find_scales(places, turned, panel);
    struct ticks y_ticks = chart_y_ticks(&panel->y, true);
    panel->box.left = panel->x.from = CHART_MARGIN + chart_ticks_width(&y_ticks) + 7;
    struct ticks x_ticks = chart_x_ticks(&panel->x, false);
    chart_y_axis(chart, panel, &y_ticks);
    chart_x_axis(chart, panel, &x_ticks);
    chart_rule_y(chart, "zero", panel, 0);
}

char *cost_draw(const struct analysis *analysis, int64_t item, enum figure_width width)
{
    (void)item;
    struct places places;
    if (!places_find(analysis, &places)) return NULL;
    struct chart chart;
    struct boxes lines = {0};
    struct panel panel;
    char text[FIGURE_TEXT], title[2 * FIGURE_TEXT];
    bool turned = analysis->plan->lower_is_better;
    chart_begin(&chart, width == FIGURE_NARROW);
    headline(text, analysis, &places);
    double y = chart_heading(&chart, "Cost against gain", text) + 6;
    snprintf(title, sizeof title, "%s; up is better", figure_difference(text, analysis));
    y = chart_paragraph(&chart, "title", CHART_MARGIN, y, chart.width - 2 * CHART_MARGIN, title);
    draw_axes(&chart, &panel, &places, y - 4, turned);
    draw_budgets(&chart, &lines, &panel, &places);
    keep_clear(&lines, &panel, panel.x.low, 0, panel.x.high, 0);
    bool stairs = draw_stairs(&chart, &lines, &panel, &places, turned);
    for (int64_t i = 0; i < places.count; i++) draw_place(&chart, &lines, &panel, analysis, &places, &places.place[i]);
    bool numbers = draw_labels(&chart, &lines, &panel, analysis, &places);
    y = chart_x_title(&chart, &panel,
                      places.seconds ? "cost of training, times the baseline's (CPU seconds; logarithmic)"
                                     : "cost of training, times the baseline's (passes counted; logarithmic)");
    y = draw_key(&chart, y + 6, &places);
    if (numbers) y = draw_table(&chart, y + 6, analysis, &places);
    if (!stairs || lines.failed) chart.svg.failed = true;
    boxes_free(&lines);
    memory_free(places.place);
    return chart_end(&chart, y - LABEL_ABOVE + CHART_MARGIN, "Cost against gain");
}
