#include "base/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { MOST_DECIMALS = 6 };

/* ---- One number ---- */

/* Powers of ten up to 1e22 are exact, so the result is the double nearest to that decimal. */
double number_round(double value, int digits)
{
    if (value == 0 || !isfinite(value)) return value;
    int exponent = digits - 1 - (int)floor(log10(fabs(value)));
    if (exponent > 22 || exponent < -22) return value;
    return exponent < 0 ? round(value / pow(10, -exponent)) * pow(10, -exponent) : round(value * pow(10, exponent)) / pow(10, exponent);
}

const char *number_short(char buffer[NUMBER_SIZE], double value)
{
    return isnan(value) ? strcpy(buffer, "-") : text_number(buffer, number_round(value, 4));
}

const char *number_fixed(char buffer[NUMBER_SIZE], double value, int decimals)
{
    if (isnan(value) || decimals > MOST_DECIMALS) return number_short(buffer, value);
    return text_fixed(buffer, value, decimals);
}

const char *number_four(char buffer[NUMBER_SIZE], double value)
{
    double size = fabs(value);
    return value == 0 || (size >= 1e-3 && size < 1e4) ? text_fixed(buffer, value, 4) : number_short(buffer, value);
}

const char *number_signed(char buffer[NUMBER_SIZE], double value, int decimals)
{
    char plain[NUMBER_SIZE];
    number_fixed(plain, value, decimals);
    bool positive = value > 0 && strspn(plain, "0.") < strlen(plain);
    snprintf(buffer, NUMBER_SIZE, "%s%.40s", positive ? "+" : "", plain);
    return buffer;
}

int number_bound_decimals(double value, int decimals)
{
    while (value != 0 && decimals < MOST_DECIMALS && fabs(value) * pow(10, decimals) < .5) decimals++;
    return decimals;
}

const char *number_bound(char buffer[NUMBER_SIZE], double value, int decimals)
{
    return number_signed(buffer, value, number_bound_decimals(value, decimals));
}

const char *number_interval(char buffer[NUMBER_SIZE], double low, double high, int decimals)
{
    char from[NUMBER_SIZE], to[NUMBER_SIZE];
    if (isnan(low) || isnan(high)) return strcpy(buffer, "-");
    snprintf(buffer, NUMBER_SIZE, "%.21s to %.21s", number_bound(from, low, decimals), number_bound(to, high, decimals));
    return buffer;
}

const char *number_effect(char *buffer, size_t size, double value, double low, double high, int decimals)
{
    char middle[NUMBER_SIZE], from[NUMBER_SIZE], to[NUMBER_SIZE];
    number_signed(middle, value, decimals);
    if (isnan(low) || isnan(high))
        snprintf(buffer, size, "%s", middle);
    else
        snprintf(buffer, size, "%s [%s, %s]", middle, number_bound(from, low, decimals), number_bound(to, high, decimals));
    return buffer;
}

const char *number_p(char buffer[NUMBER_SIZE], double p)
{
    if (p < 1e-4) return strcpy(buffer, "<0.0001");
    if (p >= .995) return strcpy(buffer, "1");
    if (p >= .0995) return number_fixed(buffer, p, 2);
    return number_fixed(buffer, p, p < .001 || (p >= .0495 && p < .0505) ? 4 : 3); /* .0496 must not read as .050 */
}

const char *number_ratio(char buffer[NUMBER_SIZE], double ratio)
{
    number_fixed(buffer, ratio, 2);
    return isnan(ratio) ? buffer : strcat(buffer, "x");
}

const char *number_count(char buffer[NUMBER_SIZE], int64_t count)
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

const char *number_duration(char buffer[NUMBER_SIZE], double seconds)
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e9) return strcpy(buffer, "-");
    if (seconds < 59.95) {
        bool small = seconds < .0995;
        double shown = small ? 1000 * seconds : seconds;
        text_fixed(buffer, shown, shown < 9.995 ? 2 : small ? 0 : 1);
        return strcat(buffer, small ? " ms" : " s");
    }
    int64_t whole = llround(seconds), hours = whole / 3600, minutes = whole / 60 % 60;
    if (hours)
        snprintf(buffer, NUMBER_SIZE, "%" PRId64 ":%02d:%02d h", hours, (int)minutes, (int)(whole % 60));
    else
        snprintf(buffer, NUMBER_SIZE, "%d:%02d min", (int)minutes, (int)(whole % 60));
    return buffer;
}

int number_decimals(double size, double steps)
{
    if (!isfinite(size) || size <= 0) return 4;
    int decimals = (int)ceil(-log10(size / steps) - 1e-9);
    return decimals < 0 ? 0 : decimals > MOST_DECIMALS ? MOST_DECIMALS + 1 : decimals;
}

/* ---- With words ---- */

const char *number_s(const char *number)
{
    return strcmp(number + (*number == '+' || *number == '-'), "1") == 0 ? "" : "s";
}

const char *number_of(char buffer[NUMBER_SIZE], int64_t count, const char *noun)
{
    char number[NUMBER_SIZE];
    number_count(number, count);
    snprintf(buffer, NUMBER_SIZE, "%.20s %.24s%s", number, noun, number_s(number));
    return buffer;
}

/* ---- As printers set it ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What stands for the text at place `at`, and how much of it; NULL: the character as it is. */
static const char *typeset_at(const char *text, size_t at, size_t *length)
{
    const char *rest = text + at;
    *length = 1;
    if (*rest == '-' && (is_digit(rest[1]) || strncmp(rest + 1, "inf", 3) == 0)) return "\u2212";
    if (strcmp(rest, "-") == 0 && at == 0) return "\u2013";
    if (*rest == 'x' && at > 0 && is_digit(rest[-1]) && (rest[1] == '\0' || strchr(" ,;)]", rest[1]))) return "\u00d7";
    if (strncmp(rest, "inf", 3) != 0) return NULL;
    *length = 3;
    return "\u221e";
}

const char *number_typeset(char *text, size_t size)
{
    for (size_t at = 0; text[at];) {
        size_t length, left = strlen(text + at) + 1;
        const char *other = typeset_at(text, at, &length);
        size_t wide = other ? strlen(other) : length;
        if (at + left - length + wide > size) break;
        memmove(text + at + wide, text + at + length, left - length);
        if (other) memcpy(text + at, other, wide);
        at += wide;
    }
    return text;
}

/* ---- Many ---- */

int numbers_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void numbers_sort(double *value, int64_t count)
{
    if (count > 1) qsort(value, (size_t)count, sizeof *value, numbers_compare);
}

double numbers_median(double *value, int64_t count)
{
    if (count <= 0) return NAN;
    numbers_sort(value, count);
    return value[(count - 1) / 2] / 2 + value[count / 2] / 2;
}
