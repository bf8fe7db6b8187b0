/* Numbers as they stand in a page. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compare/analysis/numbers.h"
#include "compare/report/page.h"

#define MINUS    "\xe2\x88\x92"
#define DASH     "\xe2\x80\x93"
#define INFINITE "\xe2\x88\x9e"
#define TIMES    "\xc3\x97"

/* The size of value; its sign is written before. */
static const char *size_of(char buffer[48], double value, int places)
{
    return isinf(value) ? INFINITE : text_fixed(buffer, fabs(value), places);
}

/* "0.00" has no sign, whatever it was before it was rounded. */
static bool shows_zero(const char *digits)
{
    return digits[strspn(digits, "0.")] == '\0';
}

static const char *number(char buffer[PAGE_NUMBER], double value, int places, const char *plus)
{
    char text[48];
    if (isnan(value)) return strcpy(buffer, DASH);
    const char *digits = size_of(text, value, places);
    const char *sign = shows_zero(digits) ? "" : value < 0 ? MINUS : plus;
    snprintf(buffer, PAGE_NUMBER, "%s%s", sign, digits);
    return buffer;
}

const char *page_number(char buffer[PAGE_NUMBER], double value, int places)
{
    return number(buffer, value, places, "");
}

const char *page_signed(char buffer[PAGE_NUMBER], double value, int places)
{
    return number(buffer, value, places, "+");
}

const char *page_range(char buffer[PAGE_NUMBER], double low, double high, int places, bool sign)
{
    char from[PAGE_NUMBER], to[PAGE_NUMBER];
    if (isnan(low) || isnan(high)) return strcpy(buffer, DASH);
    number(from, low, sign ? number_bound_decimals(low, places) : places, sign ? "+" : "");
    number(to, high, sign ? number_bound_decimals(high, places) : places, sign ? "+" : "");
    snprintf(buffer, PAGE_NUMBER, "%.64s to %.64s", from, to);
    return buffer;
}

const char *page_count(char buffer[PAGE_NUMBER], int64_t count)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)count), written = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') buffer[written++] = ',';
        buffer[written++] = digits[i];
    }
    buffer[written] = '\0';
    return buffer;
}

const char *page_probability(char buffer[PAGE_NUMBER], double p)
{
    if (p < .0001) return strcpy(buffer, "< 0.0001");
    return page_number(buffer, p, p < .00995 ? 4 : 3);
}

const char *page_seconds(char buffer[PAGE_NUMBER], double seconds)
{
    char digits[PAGE_NUMBER];
    if (isnan(seconds)) return strcpy(buffer, DASH);
    bool small = seconds < .0995;
    page_number(digits, small ? 1000 * seconds : seconds, (small ? 1000 * seconds : seconds) < 9.95 ? 2 : 1);
    snprintf(buffer, PAGE_NUMBER, "%.64s %s", digits, small ? "ms" : "s");
    return buffer;
}

const char *page_bytes(char buffer[PAGE_NUMBER], int64_t bytes)
{
    char digits[PAGE_NUMBER];
    if (bytes <= 0) return strcpy(buffer, DASH);
    page_number(digits, (double)bytes / (1 << 20), bytes < (10 << 20) ? 1 : 0);
    snprintf(buffer, PAGE_NUMBER, "%.64s MiB", digits);
    return buffer;
}

const char *page_ratio(char buffer[PAGE_NUMBER], double ratio)
{
    char digits[PAGE_NUMBER];
    if (isnan(ratio)) return strcpy(buffer, DASH);
    snprintf(buffer, PAGE_NUMBER, "%.64s" TIMES, page_number(digits, ratio, 2));
    return buffer;
}

const char *page_mean(const struct page *page, char buffer[PAGE_NUMBER], double value)
{
    return page_number(buffer, value * page->analysis->percent, page->places);
}

const char *page_difference(const struct page *page, char buffer[PAGE_NUMBER], double difference)
{
    return page_signed(buffer, analysis_shown(page->analysis, difference), page->places);
}

const char *page_interval(const struct page *page, char buffer[PAGE_NUMBER], struct interval interval)
{
    struct interval shown = analysis_shown_interval(page->analysis, interval);
    return page_range(buffer, shown.low, shown.high, page->places, true);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Two digits of the median half interval: one contrast that hardly varies shall not give all others many decimals. */
int page_places(const struct analysis *analysis)
{
    int64_t count = analysis->plan->contrasts, known = 0;
    int usual = analysis->percent > 1 ? 2 : 4;
    double *half = memory_new((size_t)count, sizeof *half);
    if (!half) return -1;
    for (int64_t c = 0; c < count; c++) {
        struct interval ci = analysis->contrast[c].estimate.ci;
        double size = (ci.high - ci.low) / 2 * analysis->percent;
        if (isfinite(size) && size > 0) half[known++] = size;
    }
    qsort(half, (size_t)known, sizeof *half, ascending);
    int places = known == 0 ? usual : 1 - (int)floor(log10(half[known / 2]));
    memory_free(half);
    return places < 1 ? 1 : places > 6 ? 6 : places;
}
