#include "cli/interval_line.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"

enum sign { BLANK, ZERO, ZERO_WITHIN, WITHIN, LEFT, RIGHT, LEFT_BEYOND, RIGHT_BEYOND, VALUE };
static const char *const ascii[] = {" ", ":", "+", "-", "|", "|", "<", ">", "o"};
static const char *const unicode[] = {" ", "\u250a", "\u253c", "\u2500", "\u251c", "\u2524", "\u25c2", "\u25b8", "\u25cf"};

static double reach_of(double low, double high)
{
    return fmax(fabs(low), fabs(high));
}

/* How far from 0 the scale may go: three times as far as the interval in the middle of all. */
static double most_reach(const double *low, const double *high, int64_t count)
{
    double most = INFINITY, *reach = memory_new((size_t)count, sizeof *reach);
    int64_t n = 0;
    for (int64_t i = 0; reach && i < count; i++)
        if (isfinite(low[i]) && isfinite(high[i])) reach[n++] = reach_of(low[i], high[i]);
    if (n > 2) {
        double middle = numbers_median(reach, n);
        most = middle > 0 ? 3 * middle : INFINITY;
    }
    memory_free(reach);
    return most;
}

struct line_scale line_scale(const double *low, const double *high, int64_t count, int64_t width, bool with_unicode)
{
    struct line_scale scale = {.width = width < INTERVAL_LINE_MOST ? width : INTERVAL_LINE_MOST, .unicode = with_unicode};
    double most = most_reach(low, high, count);
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(low[i]) || !isfinite(high[i])) continue;
        scale.low = fmin(scale.low, fmax(low[i], -most));
        scale.high = fmax(scale.high, fmin(high[i], most));
    }
    return scale;
}

/* The column of a value; -1 and width: beyond the ends. */
static int64_t column_of(const struct line_scale *scale, double value)
{
    double range = scale->high - scale->low;
    if (!(range > 0)) return scale->width / 2;
    double place = (value - scale->low) / range * (double)(scale->width - 1);
    if (place < -1e-9) return -1;
    return place > (double)(scale->width - 1) + 1e-9 ? scale->width : (int64_t)llround(place);
}

static int64_t clip(const struct line_scale *scale, int64_t column)
{
    return column < 0 ? 0 : column >= scale->width ? scale->width - 1 : column;
}

const char *interval_line(char buffer[INTERVAL_LINE_SIZE], const struct line_scale *scale, double low, double value, double high)
{
    enum sign sign[INTERVAL_LINE_MOST];
    for (int64_t i = 0; i < scale->width; i++) sign[i] = BLANK;
    int64_t zero = column_of(scale, 0);
    sign[zero] = ZERO;
    if (isfinite(low) && isfinite(high)) {
        int64_t from = column_of(scale, low), to = column_of(scale, high);
        for (int64_t i = clip(scale, from); i <= clip(scale, to); i++) sign[i] = i == zero ? ZERO_WITHIN : WITHIN;
        sign[clip(scale, from)] = from < 0 ? LEFT_BEYOND : LEFT;
        sign[clip(scale, to)] = to >= scale->width ? RIGHT_BEYOND : RIGHT;
    }
    if (isfinite(value)) {
        int64_t at = column_of(scale, value);
        sign[clip(scale, at)] = at < 0 ? LEFT_BEYOND : at >= scale->width ? RIGHT_BEYOND : VALUE;
    }
    buffer[0] = '\0';
    for (int64_t i = 0; i < scale->width; i++) strcat(buffer, scale->unicode ? unicode[sign[i]] : ascii[sign[i]]);
    return buffer;
}
