#include "compare/report/figure_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

const char *figure_metric(char buffer[FIGURE_TEXT], const struct analysis *analysis)
{
    snprintf(buffer, FIGURE_TEXT, "%s %s%s", analysis->plan->part, analysis->plan->metric, analysis->percent == 100 ? " (%)" : "");
    return buffer;
}

const char *figure_difference(char buffer[FIGURE_TEXT], const struct analysis *analysis)
{
    snprintf(buffer, FIGURE_TEXT, "difference in %s %s%s", analysis->plan->part, analysis->plan->metric,
             analysis->percent == 100 ? " (points)" : "");
    return buffer;
}

const char *figure_seeds(char buffer[FIGURE_TEXT], int64_t least, int64_t most)
{
    char seeds[NUMBER_SIZE];
    number_of(seeds, most, "seed");
    if (least == most)
        snprintf(buffer, FIGURE_TEXT, "n = %s", seeds);
    else
        snprintf(buffer, FIGURE_TEXT, "n = %" PRId64 " to %s", least, seeds);
    return buffer;
}

const char *figure_unit(const struct analysis *analysis)
{
    return analysis->percent == 100 ? " points" : "";
}

const char *figure_name(const struct contrast_result *result)
{
    return result->title ? result->title : result->contrast->name;
}

const struct figure_look *figure_look(enum verdict_kind kind)
{
    static const struct figure_look looks[] = {
        [VERDICT_NONE] = {SHAPE_CROSS, "line unclear", "thin unclear", "thick unclear", "no verdict"},
        [VERDICT_IDENTICAL] = {SHAPE_DIAMOND, "hollow same", "thin same", "thick same", "identical"},
        [VERDICT_HELPS] = {SHAPE_UP, "solid helps", "thin helps", "thick helps", "helps"},
        [VERDICT_HURTS] = {SHAPE_DOWN, "solid hurts", "thin hurts", "thick hurts", "hurts"},
        [VERDICT_NO_DIFFERENCE] = {SHAPE_SQUARE, "solid same", "thin same", "thick same", "no meaningful difference"},
        [VERDICT_NOT_WORTH_IT] = {SHAPE_SQUARE, "hollow same", "thin same", "thick same", "not worth it"},
        [VERDICT_CANDIDATE] = {SHAPE_UP, "hollow helps", "thin helps", "thick helps", "candidate"},
        [VERDICT_NO_CANDIDATE] = {SHAPE_RING, "hollow same", "thin same", "thick same", "no candidate"},
        [VERDICT_INCONCLUSIVE] = {SHAPE_RING, "hollow unclear", "thin unclear", "thick unclear", "inconclusive"},
    };
    return &looks[kind];
}

int64_t figure_keys(struct key *key, unsigned kinds)
{
    int64_t count = 0;
    for (int kind = VERDICT_NONE; kind <= VERDICT_NO_CANDIDATE; kind++) {
        const struct figure_look *look = figure_look((enum verdict_kind)kind);
        if (kinds >> kind & 1) key[count++] = (struct key){KEY_MARK, look->shape, look->mark, look->meaning};
    }
    return count;
}

int figure_decimals(double half_width)
{
    int decimals = half_width > 0 && isfinite(half_width) ? number_decimals(half_width, 10) : 2;
    return decimals < 1 ? 1 : decimals;
}

const char *figure_effect(char buffer[FIGURE_TEXT], double value, struct interval interval, int decimals)
{
    number_effect(buffer, FIGURE_TEXT, value, interval.low, interval.high, decimals);
    return number_typeset(buffer, FIGURE_TEXT);
}

void sheet_begin(struct sheet *sheet, enum figure_width width, const char *heading, const char *note, const char *numbers,
                 double numbers_width, int64_t rows, double more)
{
    struct chart *chart = &sheet->chart;
    chart_begin(chart, width == FIGURE_NARROW);
    double y = chart_heading(chart, heading, note), right = chart->width - CHART_MARGIN;
    sheet->y = y + (chart->narrow ? -5 : 8);
    sheet->row = chart->narrow ? 42 : 26;
    sheet->name_width = chart->narrow ? right - CHART_MARGIN - numbers_width - 8 : 160;
    sheet->count_x = CHART_MARGIN + 36 + (chart->narrow ? 0 : 160);
    sheet->numbers_x = chart->narrow ? right : right - numbers_width;
    struct box *box = &sheet->panel.box;
    *box = (struct box){sheet->count_x + (chart->narrow ? 10 : 14), sheet->y, chart->narrow ? right - 4 : sheet->numbers_x - 16,
                        sheet->y + (double)rows * sheet->row + more + 4};
    sheet->panel.x.from = box->left;
    sheet->panel.x.to = box->right;
    if (chart->narrow) return;
    chart_text(chart, "note", ANCHOR_END, sheet->count_x, y, "n");
    chart_text(chart, "note", ANCHOR_START, sheet->numbers_x, y, numbers);
}

void sheet_axis(struct sheet *sheet, bool plus)
{
    struct ticks ticks = chart_x_ticks(&sheet->panel.x, plus);
    chart_x_axis(&sheet->chart, &sheet->panel, &ticks);
}

double sheet_row(struct sheet *sheet, const char *name, int64_t count, const char *numbers)
{
    char n[32];
    struct chart *chart = &sheet->chart;
    const struct box *box = &sheet->panel.box;
    double y = sheet->y, line = chart->narrow ? y + 14 : y + sheet->row / 2 + 4;
    snprintf(n, sizeof n, chart->narrow ? "n %" PRId64 : "%" PRId64, count);
    if (chart->narrow) chart_box(chart, "paper", (struct box){box->left, y, box->right, y + 18}, NULL);
    chart_label(chart, "title", ANCHOR_START, CHART_MARGIN, line, sheet->name_width, name);
    chart_text(chart, "note", ANCHOR_END, sheet->count_x, chart->narrow ? y + 32 : line, n);
    chart_text(chart, "title", chart->narrow ? ANCHOR_END : ANCHOR_START, sheet->numbers_x, line, numbers);
    sheet->y += sheet->row;
    return chart->narrow ? y + 28 : y + sheet->row / 2;
}

char *sheet_end(struct sheet *sheet, const char *x_title, const struct key *key, int64_t keys, const char *name)
{
    double y = chart_x_title(&sheet->chart, &sheet->panel, x_title);
    return chart_end(&sheet->chart, chart_key(&sheet->chart, y + 6, key, keys), name);
}

int64_t figure_trial(const struct arm_result *arm, int64_t seed)
{
    for (int64_t i = 0; i < arm->n; i++)
        if (arm->seed[i] == seed) return i;
    return -1;
}

double figure_value(const struct analysis *analysis, int64_t arm, int64_t seed)
{
    int64_t i = figure_trial(&analysis->arm[arm], seed);
    return i < 0 ? NAN : analysis->percent * analysis->arm[arm].value[i];
}
