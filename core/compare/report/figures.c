/* The list of figures, in the order of the page, and their drawings. */
#include "compare/report/figure_parts.h"

const struct figure *const figures[] = {&figure_paired,      &figure_forest,   &figure_curves,   &figure_cost,
                                        &figure_interaction, &figure_variance, &figure_failures, NULL};

/* The item-th index that it shows; -1: there is none. */
static int64_t find(const struct figure *figure, const struct analysis *analysis, int64_t item)
{
    for (int64_t i = 0; i < (figure->arms ? analysis->plan->arms : analysis->plan->contrasts); i++)
        if (figure->shows(analysis, i) && item-- == 0) return i;
    return -1;
}

int64_t figure_rows(const struct figure *figure, const struct analysis *analysis)
{
    int64_t rows = 0;
    while (find(figure, analysis, rows) >= 0) rows++;
    return rows;
}

int64_t figure_items(const struct figure *figure, const struct analysis *analysis)
{
    return figure->each ? figure_rows(figure, analysis) : find(figure, analysis, 0) >= 0;
}

const char *figure_item_name(const struct figure *figure, const struct analysis *analysis, int64_t item)
{
    int64_t i = figure->each ? find(figure, analysis, item) : -1;
    if (i < 0) return NULL;
    return figure->arms ? analysis->plan->arm[i].name : figure_name(&analysis->contrast[i]);
}

char *figure_draw(const struct figure *figure, const struct analysis *analysis, int64_t item, enum figure_width width)
{
    return figure->draw(analysis, find(figure, analysis, item), width);
}
