#include "compare/analysis/numbers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { MOST_DECIMALS = 6 };

const char *number_fixed(char buffer[NUMBER_SIZE], double value, int decimals)
{
    if (decimals > MOST_DECIMALS) return number_short(buffer, value);
    return isnan(value) ? strcpy(buffer, "-") : text_fixed(buffer, value, decimals);
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

const char *number_short(char buffer[NUMBER_SIZE], double value)
{
    if (isnan(value)) return strcpy(buffer, "-");
    if (value == 0 || isinf(value)) return text_number(buffer, value);
    int exponent = 3 - (int)floor(log10(fabs(value)));
    if (exponent >= -18 && exponent <= 22)
        value =
            exponent < 0 ? round(value / pow(10, -exponent)) * pow(10, -exponent) : round(value * pow(10, exponent)) / pow(10, exponent);
    return text_number(buffer, value);
}

const char *number_p(char buffer[NUMBER_SIZE], double p)
{
    if (isnan(p)) return strcpy(buffer, "-");
    if (p < 1e-4) return strcpy(buffer, "<0.0001");
    if (p >= .995) return strcpy(buffer, "1");
    if (p >= .0995) return number_fixed(buffer, p, 2);
    return number_fixed(buffer, p, p < .001 || (p >= .0495 && p < .0505) ? 4 : 3); /* .0496 must not read as .050 */
}

int number_decimals(double size, double steps)
{
    if (!isfinite(size) || size <= 0) return 4;
    int decimals = (int)ceil(-log10(size / steps) - 1e-9);
    return decimals < 0 ? 0 : decimals > MOST_DECIMALS ? MOST_DECIMALS + 1 : decimals;
}
