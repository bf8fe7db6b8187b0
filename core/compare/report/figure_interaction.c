/* Two tricks, each off and on: whether their effects add up. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "compare/report/figure_parts.h"

static bool is_shown(const struct analysis *analysis, int64_t index)
{
    const struct contrast_result *result = &analysis->contrast[index];
    const struct contrast *contrast = result->contrast;
    return contrast->kind == CONTRAST_INTERACTION && __builtin_popcountll(contrast->factors) == 2 && result->estimate.n > 0;
}

/* The two tricks; each cell is the mean over the arms that have them so, whatever else they have. */
struct subject {
    const struct analysis *analysis;
    const struct contrast_result *result;
    int first, second; /* factors of the plan */
};

static struct subject subject_of(const struct analysis *analysis, int64_t index)
{
    const struct contrast_result *result = &analysis->contrast[index];
    uint64_t factors = result->contrast->factors;
    return (struct subject){analysis, result, __builtin_ctzll(factors), __builtin_ctzll(factors & (factors - 1))};
}

struct cells {
    double value[4]; /* first off and on while second is off, then while it is on */
};

static struct cells cells_of(const struct subject *subject, int64_t seed)
{
    struct cells cells = {{0}};
    int64_t count[4] = {0};
    const struct analysis *analysis = subject->analysis;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        if (subject->result->contrast->weight[a] == 0) continue;
        uint64_t factors = analysis->plan->arm[a].factors;
        int cell = (int)(factors >> subject->first & 1) + 2 * (int)(factors >> subject->second & 1);
        cells.value[cell] += figure_value(analysis, a, seed);
        count[cell]++;
    }
    for (int i = 0; i < 4; i++) cells.value[i] /= (double)count[i]; /* none: NaN */
    return cells;
}

static struct cells mean_cells(const struct subject *subject)
{
    struct cells mean = {{0}};
    const struct estimate *estimate = &subject->result->estimate;
    for (int64_t i = 0; i < estimate->n; i++) {
        struct cells cells = cells_of(subject, estimate->seed[i]);
        for (int k = 0; k < 4; k++) mean.value[k] += cells.value[k] / (double)estimate->n;
    }
    return mean;
}

/* A seed's cells, moved to the level of the mean: what seeds differ by alike would hide what is to be seen. */
static struct cells moved_cells(const struct subject *subject, int64_t seed, const struct cells *mean)
{
    struct cells cells = cells_of(subject, seed);
    double by = 0;
    for (int k = 0; k < 4; k++) by += (mean->value[k] - cells.value[k]) / 4;
    for (int k = 0; k < 4; k++) cells.value[k] += by;
    return cells;
}

static struct scale values_scale(const struct subject *subject, const struct cells *mean)
{
    struct range range = RANGE_EMPTY;
    for (int k = 0; k < 4; k++) range_add(&range, mean->value[k]);
    for (int64_t i = 0; i < subject->result->estimate.n; i++) {
        struct cells cells = moved_cells(subject, subject->result->estimate.seed[i], mean);
        for (int k = 0; k < 4; k++) range_add(&range, cells.value[k]);
    }
    return range_scale(range_padded(range, .08));
}

static void draw_lines(struct chart *chart, const struct panel *panel, const struct subject *subject, const struct cells *mean)
{
    static const char *const faint[] = {"faint base", "faint arm"}, *const strong[] = {"dashes base", "line arm"};
    static const char *const mark[] = {"hollow base", "solid arm"};
    const struct estimate *estimate = &subject->result->estimate;
    const char *first = subject->analysis->plan->factor[subject->first];
    double width = panel->box.right - panel->box.left, x[] = {panel->box.left + .2 * width, panel->box.left + .8 * width};
    char text[FIGURE_TEXT], number[64];
    int decimals = figure_decimals(subject->analysis->percent * estimate->s_d);
    for (int64_t i = 0; i < estimate->n; i++) {
        struct cells cells = moved_cells(subject, estimate->seed[i], mean);
        snprintf(text, sizeof text, "seed %" PRId64, estimate->seed[i]);
        for (int b = 0; b < 2; b++)
            chart_line(chart, faint[b], x[0], scale_at(&panel->y, cells.value[2 * b]), x[1], scale_at(&panel->y, cells.value[2 * b + 1]),
                       text);
    }
    for (int b = 0; b < 2; b++) {
        double y[] = {scale_at(&panel->y, mean->value[2 * b]), scale_at(&panel->y, mean->value[2 * b + 1])};
        chart_line(chart, strong[b], x[0], y[0], x[1], y[1], NULL);
        for (int a = 0; a < 2; a++)
            chart_mark(chart, b ? SHAPE_SQUARE : SHAPE_RING, mark[b], x[a], y[a],
                       scale_text(number, mean->value[2 * b + a], decimals, false));
    }
    for (int a = 0; a < 2; a++) {
        snprintf(text, sizeof text, "%s %.400s", a ? "with" : "without", first);
        chart_label(chart, "title", ANCHOR_MIDDLE, panel->box.left + (a ? .75 : .25) * width, panel->box.bottom + 17, .48 * width, text);
    }
}

static double draw_key(struct chart *chart, double y, const struct subject *subject)
{
    char text[2][FIGURE_TEXT], whole[FIGURE_TEXT];
    for (int b = 0; b < 2; b++) {
        snprintf(whole, sizeof whole, "%s %.400s", b ? "with" : "without", subject->analysis->plan->factor[subject->second]);
        label_shorten(text[b], FIGURE_TEXT, whole, chart->width - 2 * CHART_MARGIN - 40);
    }
    const struct key key[] = {{KEY_LINE, SHAPE_DOT, "dashes base", text[0]},
                              {KEY_LINE, SHAPE_DOT, "line arm", text[1]},
                              {KEY_LINE, SHAPE_DOT, "faint base", "single seeds, moved to the common level"}};
    return chart_key(chart, y, key, 3);
}

static char *draw(const struct analysis *analysis, int64_t index, enum figure_width width)
{
    struct subject subject = subject_of(analysis, index);
    const struct estimate *estimate = &subject.result->estimate;
    struct cells mean = mean_cells(&subject);
    struct chart chart;
    char text[2 * FIGURE_TEXT], effect[FIGURE_TEXT], seeds[FIGURE_TEXT];
    chart_begin(&chart, width == FIGURE_NARROW);
    struct interval ci = analysis_shown_interval(analysis, estimate->ci);
    figure_effect(effect, analysis_shown(analysis, estimate->delta), ci, figure_decimals((ci.high - ci.low) / 2));
    snprintf(text, sizeof text, "%s; interaction %s%s", figure_seeds(seeds, estimate->n, estimate->n), effect, figure_unit(analysis));
    double top = chart_heading(&chart, figure_name(subject.result), text) + 6;
    top = chart_paragraph(&chart, "title", CHART_MARGIN, top, chart.width - 2 * CHART_MARGIN, figure_metric(text, analysis)) - 4;
    struct panel panel = {.y = values_scale(&subject, &mean)};
    panel.box = (struct box){.top = top, .bottom = top + 220};
    chart_frame(&chart, &panel, false, CHART_MARGIN, chart.narrow ? chart.width - CHART_MARGIN : 460);
    draw_lines(&chart, &panel, &subject, &mean);
    double y = draw_key(&chart, panel.box.bottom + 17 + LABEL_LINE + 6, &subject);
    snprintf(text, sizeof text, "Interaction: %s", figure_name(subject.result));
    return chart_end(&chart, y, text);
}

const struct figure figure_interaction = {
    .name = "interaction",
    .title = "Interactions",
    .text = "Parallel lines: the effects of two tricks add up. Lines that are not parallel: what one does depends on the other. Faint "
            "lines are single seeds.",
    .each = true,
    .shows = is_shown,
    .draw = draw,
};
