#include "draw/scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

double scale_at(const struct scale *scale, double value)
{
    double share = scale->log ? (log(value) - log(scale->low)) / (log(scale->high) - log(scale->low))
                              : (value / 2 - scale->low / 2) / (scale->high / 2 - scale->low / 2); /* halves: no overflow */
    return scale->from + share * (scale->to - scale->from);
}

int scale_decimals(double step)
{
    if (!(step > 0) || isinf(step)) return 0;
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
    ticks.decimals = scale_decimals(step);
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
            int decimals = scale_decimals(pow(10, decade)) + (decade < 1 && list[i] != floor(list[i]));
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

/* "1.5e7", "2e-9": mantissa with as many decimals as tell it apart, without zeros at its end. */
static void write_power(char *buffer, size_t size, double value, int decimals)
{
    char mantissa[48];
    int exponent = (int)floor(log10(fabs(value))), digits = exponent + decimals < 0 ? 0 : exponent + decimals > 5 ? 5 : exponent + decimals;
    double scaled = exponent < -300 ? value * 1e300 / pow(10, exponent + 300) : value / pow(10, exponent);
    if (fabs(scaled) + 0.5 * pow(10, -digits) >= 10) {
        scaled /= 10;
        exponent++;
    }
    text_fixed(mantissa, scaled, digits);
    size_t length = strlen(mantissa);
    while (strchr(mantissa, '.') && (mantissa[length - 1] == '0' || mantissa[length - 1] == '.')) mantissa[--length] = '\0';
    snprintf(buffer, size, "%se%s%d", mantissa, exponent < 0 ? "\xE2\x88\x92" : "", abs(exponent));
}

const char *scale_text(char buffer[64], double value, int decimals, bool plus)
{
    char number[64];
    if (!isfinite(value)) return strcpy(buffer, isnan(value) ? "?" : value > 0 ? "\xE2\x88\x9E" : "\xE2\x88\x92\xE2\x88\x9E");
    if (value == 0)
        text_fixed(number, 0, decimals > 6 ? 0 : decimals);
    else if (decimals > 6 || fabs(value) >= 1e7)
        write_power(number, sizeof number, value, decimals);
    else
        text_fixed(number, value, decimals);
    bool negative = number[0] == '-', zero = strspn(number, "-0.") == strlen(number);
    if (zero && plus) return strcpy(buffer, "0");
    snprintf(buffer, 64, "%s%.59s", zero ? "" : negative ? "\xE2\x88\x92" : plus ? "+" : "", number + negative);
    return buffer;
}
