#include "cli/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *format_fixed(char buffer[FORMAT_SIZE], double value, int decimals)
{
    return text_fixed(buffer, value, decimals);
}

/* Rounded to so many significant digits. Powers of ten up to 1e22 are exact, so the result is the double nearest to that decimal. */
static double round_significant(double value, int digits)
{
    int exponent = digits - 1 - (int)floor(log10(fabs(value)));
    if (exponent > 22 || exponent < -22) return value;
    return exponent < 0 ? round(value / pow(10, -exponent)) * pow(10, -exponent) : round(value * pow(10, exponent)) / pow(10, exponent);
}

const char *format_number(char buffer[FORMAT_SIZE], double value)
{
    if (isnan(value)) return strcpy(buffer, "-");
    double size = fabs(value);
    if (value == 0 || isinf(value) || (size >= 1e-3 && size < 1e4)) return format_fixed(buffer, value, 4);
    return text_number(buffer, round_significant(value, 4));
}

const char *format_count(char buffer[FORMAT_SIZE], int64_t count)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count), written = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') buffer[written++] = ',';
        buffer[written++] = digits[i];
    }
    buffer[written] = '\0';
    return buffer;
}

const char *format_duration(char buffer[FORMAT_SIZE], double seconds)
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e9) return strcpy(buffer, "-");
    if (seconds < 0.0995) {
        format_fixed(buffer, 1000 * seconds, 0);
        return strcat(buffer, " ms");
    }
    if (seconds < 59.95) {
        format_fixed(buffer, seconds, seconds < 9.995 ? 2 : 1);
        return strcat(buffer, " s");
    }
    int64_t whole = llround(seconds), hours = whole / 3600, minutes = whole / 60 % 60;
    if (hours)
        snprintf(buffer, FORMAT_SIZE, "%" PRId64 ":%02d:%02d h", hours, (int)minutes, (int)(whole % 60));
    else
        snprintf(buffer, FORMAT_SIZE, "%d:%02d min", (int)minutes, (int)(whole % 60));
    return buffer;
}

const char *format_bar(char buffer[FORMAT_BAR_SIZE], double share, int cells, bool unicode)
{
    int full = (int)(share * cells);
    buffer[0] = '\0';
    for (int i = 0; i < cells; i++) strcat(buffer, i < full ? unicode ? "\u2588" : "#" : unicode ? "\u2591" : ".");
    return buffer;
}

const char *format_real(char buffer[FORMAT_SIZE], knack_real value)
{
    if (sizeof value == sizeof(double) || !isfinite(value) || value == 0) return text_number(buffer, (double)value);
    for (int digits = 5; digits <= 9; digits++) {
        double rounded = round_significant((double)value, digits);
        if ((knack_real)rounded == value) return text_number(buffer, rounded);
    }
    return text_number(buffer, (double)value);
}
