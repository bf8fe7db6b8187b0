/* The files of a report, in a comparison's folder. */
#include "compare/report/report.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "compare/report/figures.h"
#include "draw/style.h"

/* Text that was just made, or NULL with the error set; it is freed. */
static knack_status write_text(const char *folder, const char *name, char *text)
{
    if (!text) return KNACK_E_MEMORY;
    char *path = file_join(folder, name);
    knack_status status = path ? file_write(path, text, strlen(text)) : KNACK_E_MEMORY;
    memory_free(path);
    memory_free(text);
    return status;
}

/* ---- Charts ---- */

/* "charts/paired-01-mixup.svg". Other characters than those that a file may have everywhere become dashes; the number keeps such names
 * apart. */
static char *chart_name(const struct figure *figure, const struct analysis *analysis, int64_t item)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    const char *of = figure_item_name(figure, analysis, item);
    char *name = of ? memory_format("%s-%02d-%.64s.svg", figure->name, (int)(item + 1), of) : memory_format("%s.svg", figure->name);
    for (char *c = name; c && *c; c++)
        if (!strchr(plain, *c)) *c = '-';
    return name;
}

static knack_status write_chart(const struct figure *figure, const struct analysis *analysis, int64_t item, const char *folder)
{
    char *svg = figure_draw(figure, analysis, item, FIGURE_WIDE), *name = svg ? chart_name(figure, analysis, item) : NULL;
    knack_status status = name ? write_text(folder, name, drawing_file(svg)) : KNACK_E_MEMORY;
    memory_free(name);
    memory_free(svg);
    return status;
}

/* Charts of an earlier report may show arms that are no more; other files are left alone. */
static bool is_chart(const char *name)
{
    size_t length = strlen(name);
    if (length < 5 || strcmp(name + length - 4, ".svg") != 0) return false;
    for (int i = 0; figures[i]; i++) {
        size_t stem = strlen(figures[i]->name);
        if (strncmp(name, figures[i]->name, stem) == 0 && (name[stem] == '-' || name[stem] == '.')) return true;
    }
    return false;
}

static knack_status remove_charts(const char *folder)
{
    char **name;
    int64_t count;
    knack_status status = KNACK_OK;
    if (!file_is_folder(folder)) return KNACK_OK;
    TRY(file_list(folder, &name, &count));
    for (int64_t i = 0; i < count && status >= 0; i++) {
        if (!is_chart(name[i])) continue;
        char *path = file_join(folder, name[i]);
        status = path ? file_remove(path) : KNACK_E_MEMORY;
        memory_free(path);
    }
    memory_free(name);
    return status;
}

static knack_status write_charts(const struct analysis *analysis, const char *folder)
{
    TRY(remove_charts(folder));
    if (!analysis_has_inference(analysis)) return KNACK_OK;
    TRY(file_make_folder(folder));
    for (int i = 0; figures[i]; i++)
        for (int64_t item = 0; item < figure_items(figures[i], analysis); item++) TRY(write_chart(figures[i], analysis, item, folder));
    return KNACK_OK;
}

knack_status report_write(const struct analysis *analysis, const char *folder)
{
    TRY(write_text(folder, "comparison.json", report_json(analysis)));
    TRY(write_text(folder, "values.csv", report_csv(analysis)));
    char *charts = file_join(folder, "charts");
    knack_status status = charts ? write_charts(analysis, charts) : KNACK_E_MEMORY;
    memory_free(charts);
    TRY(status);
    return write_text(folder, "report.html", report_html(analysis));
}
