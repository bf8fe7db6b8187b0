/* Numbers as they stand in a page. */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "compare/report/page.h"

const char *page_range(char buffer[NUMBER_SIZE], double low, double high, int decimals)
{
    char from[NUMBER_SIZE], to[NUMBER_SIZE];
    if (isnan(low) || isnan(high)) return number_short(buffer, NAN);
    snprintf(buffer, NUMBER_SIZE, "%.21s to %.21s", number_fixed(from, low, decimals), number_fixed(to, high, decimals));
    return buffer;
}

const char *page_mean(const struct page *page, char buffer[NUMBER_SIZE], double value)
{
    return number_fixed(buffer, value * page->analysis->percent, page->places);
}

const char *page_difference(const struct page *page, char buffer[NUMBER_SIZE], double difference)
{
    return number_signed(buffer, analysis_shown(page->analysis, difference), page->places);
}

const char *page_interval(const struct page *page, char buffer[NUMBER_SIZE], struct interval interval)
{
    struct interval shown = analysis_shown_interval(page->analysis, interval);
    return number_interval(buffer, shown.low, shown.high, page->places);
}

/* By the median half interval: one contrast that hardly varies shall not give all others many decimals. */
int page_places(const struct analysis *analysis)
{
    int64_t count = analysis->plan->contrasts, known = 0;
    double *half = memory_new((size_t)count, sizeof *half);
    if (!half) return -1;
    for (int64_t c = 0; c < count; c++) {
        struct interval ci = analysis->contrast[c].estimate.ci;
        double size = (ci.high - ci.low) / 2 * analysis->percent;
        if (isfinite(size) && size > 0) half[known++] = size;
    }
    int places = known > 0 ? number_decimals(numbers_median(half, known), 10) : analysis->percent > 1 ? 2 : 4;
    memory_free(half);
    return places < 1 ? 1 : places > 6 ? 6 : places;
}
