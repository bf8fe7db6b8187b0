#include "draw/scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void range_add(struct range *range, double value)
{
    if (!isfinite(value)) return;
    if (range->low > range->high) {
        *range = (struct range){value, value};
        return;
    }
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

struct range range_padded(struct range range, double part)
{
    if (range.low > range.high) return (struct range){0, 1};
    double middle = range.low / 2 + range.high / 2, width = range.high - range.low;
    double least = fabs(middle) > 0 ? fabs(middle) * 1e-6 : 1e-6; /* below that ticks would have no room between doubles */
    if (!(width >= least)) {
        double half = middle == 0 ? 1 : fabs(middle) / 100;
        return (struct range){middle - half, middle + half};
    }
    if (width > 1e300) return range;
    return (struct range){range.low - part * width, range.high + part * width};
}

struct range range_padded_log(struct range range, double part)
{
    if (range.low > range.high || range.low <= 0) return (struct range){0.5, 2};
    double ratio = range.high / range.low;
    if (ratio < 1.2) {
        double by = sqrt(1.2 / ratio);
        range = (struct range){range.low / by, range.high * by};
        ratio = range.high / range.low;
    }
    if (!(ratio < 1e250)) return range; /* nothing that costs; but it is finite */
    double by = pow(ratio, part);
    return (struct range){range.low / by, range.high * by};
}

struct scale range_scale(struct range range)
{
    return (struct scale){.low = range.low, .high = range.high};
}

double scale_at(const struct scale *scale, double value)
{
    double share = scale->log ? (log(value) - log(scale->low)) / (log(scale->high) - log(scale->low))
                              : (value / 2 - scale->low / 2) / (scale->high / 2 - scale->low / 2); /* halves: no overflow */
    return scale->from + share * (scale->to - scale->from);
}

/* How many decimals tell values apart that differ by `step`. */
static int decimals_of(double step)
{
    double decimals = -floor(log10(step) + 1e-9);
    return decimals < 0 ? 0 : (int)decimals;
}

/* The step after `step` in 1, 2, 5, 10, 20 ...; unit is its power of ten. */
static double next_step(double step, double *unit)
{
    double leading = round(step / *unit);
    if (leading < 1.5) return 2 * *unit;
    if (leading < 3) return 5 * *unit;
    *unit *= 10;
    return *unit;
}

static struct ticks linear_ticks(double low, double high, int most)
{
    struct ticks ticks = {.count = 0};
    double width = high - low;
    if (!(width > 0) || isinf(width)) return ticks;
    double unit = pow(10, floor(log10(width / most))), step = unit;
    while (floor(high / step + 1e-9) - ceil(low / step - 1e-9) + 1 > most) step = next_step(step, &unit);
    ticks.decimals = decimals_of(step);
    for (double k = ceil(low / step - 1e-9); k <= floor(high / step + 1e-9) && ticks.count < TICKS_MOST; k++)
        ticks.value[ticks.count++] = k * step + 0.0; /* + 0: no negative zero */
    return ticks;
}

/* Of each decade; 0 ends. From many to few. */
static const double leading[][12] = {
    {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 0}, {1, 1.5, 2, 3, 4, 6, 0}, {1, 2, 3, 5, 0}, {1, 2, 5, 0}, {1, 3, 0}, {1, 0}};
enum { LEADINGS = sizeof leading / sizeof leading[0] };

/* Multiples of one of these lists, in every stride-th decade; false: there are more than most. */
static bool decade_ticks(const struct scale *scale, const double *list, int stride, int most, struct ticks *ticks)
{
    *ticks = (struct ticks){.count = 0};
    int first = (int)floor(log10(scale->low)), last = (int)ceil(log10(scale->high));
    for (int decade = first; decade <= last; decade += stride)
        for (int i = 0; list[i] > 0; i++) {
            double value = list[i] * pow(10, decade);
            if (value < scale->low * (1 - 1e-9) || value > scale->high * (1 + 1e-9)) continue;
            if (ticks->count == most) return false;
            ticks->value[ticks->count++] = value;
            int decimals = decimals_of(pow(10, decade)) + (decade < 1 && list[i] != floor(list[i]));
            ticks->decimals = ticks->decimals > decimals ? ticks->decimals : decimals;
        }
    return true;
}

static struct ticks log_ticks(const struct scale *scale, int most)
{
    struct ticks ticks;
    for (int i = 0; i < LEADINGS; i++)
        if (decade_ticks(scale, leading[i], 1, most, &ticks)) return ticks;
    for (int stride = 2; !decade_ticks(scale, leading[LEADINGS - 1], stride, most, &ticks);) stride++;
    return ticks;
}

struct ticks scale_ticks(const struct scale *scale, int most)
{
    most = most < 2 ? 2 : most > TICKS_MOST ? TICKS_MOST : most;
    if (scale->log && scale->high / 2.2 > scale->low) return log_ticks(scale, most);
    return linear_ticks(scale->low, scale->high, most);
}

const char *scale_text(char buffer[NUMBER_SIZE], double value, int decimals, bool plus)
{
    char number[NUMBER_SIZE];
    if (value != 0 && isfinite(value) && (decimals > 6 || fabs(value) >= 1e7)) {
        int digits = (int)floor(log10(fabs(value))) + decimals + 1;
        snprintf(buffer, NUMBER_SIZE, "%s%s", plus && value > 0 ? "+" : "",
                 text_digits(number, value,
                             digits < 1   ? 1
                             : digits > 6 ? 6
                                          : digits));
    } else {
        (plus ? number_signed : number_fixed)(buffer, value, decimals);
        if (value == 0 && (plus || decimals > 6)) strcpy(buffer, "0");
    }
    return number_typeset(buffer, NUMBER_SIZE);
}
