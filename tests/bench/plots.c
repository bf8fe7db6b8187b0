/* bench plots: charts of what grows with what, from the tables that bench growth and bench compare wrote as JSON. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "draw/chart.h"
#include "draw/style.h"

enum { CURVES_MOST = 4, POINTS_MOST = 16, HEIGHT = 250 };

struct drawn_curve {
    const char *name;
    int64_t count;
    double x[POINTS_MOST], y[POINTS_MOST], ideal[POINTS_MOST]; /* ideal: NaN for none */
};

struct drawing {
    const char *file, *heading, *note, *x_title, *y_title, *ideal; /* ideal: what the dashed lines are */
    struct drawn_curve curve[CURVES_MOST];
    int64_t curves;
};

/* What is drawn looks the same in all charts. */
static const struct look {
    const char *name;
    enum shape shape;
    const char *line, *dashes, *mark;
} looks[] = {{"mlp", SHAPE_DOT, "line arm", "dashes arm", "solid arm"},
             {"cnn", SHAPE_SQUARE, "line helps", "dashes helps", "solid helps"},
             {"resnet20", SHAPE_UP, "line same", "dashes same", "solid same"},
             {"encoder", SHAPE_DIAMOND, "line hurts", "dashes hurts", "solid hurts"},
             {"1 job", SHAPE_DOT, "line arm", "dashes arm", "solid arm"},
             {"2 jobs", SHAPE_SQUARE, "line helps", "dashes helps", "solid helps"}};

static const struct look *look_of(const char *name)
{
    for (size_t i = 1; i < sizeof looks / sizeof *looks; i++)
        if (strcmp(looks[i].name, name) == 0) return &looks[i];
    return &looks[0];
}

static struct drawn_curve *curve_named(struct drawing *plot, const char *name)
{
    for (int64_t i = 0; i < plot->curves; i++)
        if (strcmp(plot->curve[i].name, name) == 0) return &plot->curve[i];
    if (plot->curves == CURVES_MOST) return NULL;
    plot->curve[plot->curves].name = name;
    return &plot->curve[plot->curves++];
}

static void add_point(struct drawing *plot, const char *name, double x, double y, double ideal)
{
    struct drawn_curve *curve = curve_named(plot, name);
    if (!curve || curve->count == POINTS_MOST) return;
    curve->x[curve->count] = x;
    curve->y[curve->count] = y;
    curve->ideal[curve->count++] = ideal;
}

/* ---- Drawing ---- */

static void set_scales(const struct drawing *plot, const struct chart *chart, double top, struct panel *panel)
{
    struct range x = RANGE_EMPTY, y = RANGE_EMPTY;
    for (int64_t i = 0; i < plot->curves; i++) {
        for (int64_t p = 0; p < plot->curve[i].count; p++) {
            range_add(&x, plot->curve[i].x[p]);
            range_add(&y, plot->curve[i].y[p]);
            range_add(&y, plot->curve[i].ideal[p]);
        }
    }
    x = range_padded_log(x, 0.03);
    y = range_padded_log(y, 0.05);
    panel->box = (struct box){0, top, chart->width - CHART_MARGIN, top + HEIGHT};
    panel->x = (struct scale){.log = true, .low = x.low, .high = x.high, .to = panel->box.right};
    panel->y = (struct scale){.log = true, .low = y.low, .high = y.high, .from = panel->box.bottom, .to = panel->box.top};
}

static void draw_axes(const struct drawing *plot, struct chart *chart, double top, struct panel *panel)
{
    set_scales(plot, chart, top, panel);
    struct ticks y_ticks = chart_y_ticks(&panel->y, false);
    panel->box.left = panel->x.from = CHART_MARGIN + chart_ticks_width(&y_ticks) + 7;
    struct ticks x_ticks = chart_x_ticks(&panel->x, false);
    chart_y_axis(chart, panel, &y_ticks);
    chart_x_axis(chart, panel, &x_ticks);
}

static void draw_curve(struct chart *chart, const struct panel *panel, const struct drawn_curve *curve)
{
    const struct look *look = look_of(curve->name);
    chart_curve(chart, look->dashes, panel, (struct series){curve->x, curve->ideal, curve->count, 1}, NULL);
    chart_curve(chart, look->line, panel, (struct series){curve->x, curve->y, curve->count, 1}, curve->name);
    for (int64_t p = 0; p < curve->count; p++) {
        char title[96], x[64], y[64];
        snprintf(title, sizeof title, "%.30s: %s, %s", curve->name, scale_text(x, curve->x[p], 0, false),
                 scale_text(y, curve->y[p], 3, false));
        chart_mark(chart, look->shape, look->mark, scale_at(&panel->x, curve->x[p]), scale_at(&panel->y, curve->y[p]), title);
    }
}

static double draw_key(struct chart *chart, const struct drawing *plot, double y)
{
    struct key key[CURVES_MOST + 1];
    int64_t count = 0;
    for (; count < plot->curves; count++) {
        const struct look *look = look_of(plot->curve[count].name);
        key[count] = (struct key){KEY_MARK, look->shape, look->mark, look->name};
    }
    key[count++] = (struct key){KEY_LINE, SHAPE_DOT, "dashes base", plot->ideal};
    return chart_key(chart, y, key, count);
}

static char *draw(const struct drawing *plot)
{
    struct chart chart;
    struct panel panel;
    chart_begin(&chart, false);
    double y = chart_heading(&chart, plot->heading, plot->note) + 6;
    y = chart_paragraph(&chart, "title", CHART_MARGIN, y, chart.width - 2 * CHART_MARGIN, plot->y_title);
    draw_axes(plot, &chart, y - 4, &panel);
    for (int64_t i = 0; i < plot->curves; i++) draw_curve(&chart, &panel, &plot->curve[i]);
    y = chart_x_title(&chart, &panel, plot->x_title);
    y = draw_key(&chart, plot, y + 6);
    return chart_end(&chart, y, plot->heading);
}

static knack_status write_plot(const struct drawing *plot, const char *folder)
{
    char *drawing = draw(plot), *text = drawing ? drawing_file(drawing) : NULL;
    char *path = text ? memory_format("%s/%s.svg", folder, plot->file) : NULL;
    knack_status status = path ? file_write(path, text, strlen(text)) : KNACK_E_MEMORY;
    memory_free(drawing);
    memory_free(text);
    memory_free(path);
    return status;
}

/* ---- What is drawn ---- */

static knack_status read_table(const char *folder, const char *name, struct json_document **table)
{
    char *path = file_join(folder, name);
    knack_status status = path ? json_read(path, table) : KNACK_E_MEMORY;
    memory_free(path);
    return status;
}

/* A row's value of one column. */
static double number(const struct json *row, const char *column)
{
    return json_member_number(row, column);
}

static knack_status plot_growth(const struct json *rows, const char *size, const char *title, const char *out)
{
    char heading[64];
    struct drawing plot = {.file = size,
                           .heading = heading,
                           .x_title = title,
                           .y_title = "ms of a step, one thread",
                           .ideal = "its arithmetic at the rate of a 1024 x 1024 product"};
    snprintf(heading, sizeof heading, "A step's time against %s", size);
    for (const struct json *row = rows->first; row; row = row->next)
        if (strcmp(json_member_text(row, "size", ""), size) == 0)
            add_point(&plot, json_member_text(row, "workload", ""), number(row, "value"), number(row, "ms"),
                      number(row, "ms of its arithmetic"));
    return write_plot(&plot, out);
}

static knack_status plot_comparison(const struct json *rows, const char *out)
{
    struct drawing plot = {.file = "trials",
                           .heading = "A comparison's time against its trials",
                           .x_title = "trials, of half a second each",
                           .y_title = "s of the whole command",
                           .ideal = "in proportion, from the longest one with one job"};
    const struct json *last = rows->first;
    while (last && last->next) last = last->next;
    double each = last ? number(last, "s, 1 job") / number(last, "trials") : NAN;
    for (const struct json *row = rows->first; row; row = row->next) {
        double trials = number(row, "trials");
        add_point(&plot, "1 job", trials, number(row, "s, 1 job"), each * trials);
        add_point(&plot, "2 jobs", trials, number(row, "s, 2 jobs"), each * trials / 2);
    }
    return write_plot(&plot, out);
}

static knack_status plot_all(const struct json *growth, const struct json *compare, const char *out)
{
    TRY(file_make_folder(out));
    TRY(plot_growth(growth, "batch", "rows of a batch", out));
    TRY(plot_growth(growth, "width", "width of hidden layers; of the encoder's tokens", out));
    TRY(plot_growth(growth, "depth", "hidden layers; of the resnet its depth", out));
    TRY(plot_growth(growth, "tokens", "tokens a row", out));
    TRY(plot_growth(growth, "parameters", "parameters of an mlp with two hidden layers, batch 32", out));
    return plot_comparison(compare, out);
}

knack_status bench_plots(const struct options *options)
{
    struct json_document *growth = NULL, *compare = NULL;
    if (options->names != 2) return status_set(KNACK_E_USAGE, "plots: the folder of the tables, and one for the charts");
    knack_status status = read_table(options->name[0], "growth.json", &growth);
    if (status >= 0) status = read_table(options->name[0], "compare.json", &compare);
    if (status >= 0) status = plot_all(growth->root, compare->root, options->name[1]);
    json_free(growth);
    json_free(compare);
    return status;
}
