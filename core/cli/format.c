#include "cli/format.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

const char *format_bar(char buffer[FORMAT_BAR_SIZE], double share, int cells, bool unicode)
{
    int full = (int)(share * cells);
    buffer[0] = '\0';
    for (int i = 0; i < cells; i++) strcat(buffer, i < full ? unicode ? "\u2588" : "#" : unicode ? "\u2591" : ".");
    return buffer;
}

const char *format_real(char buffer[NUMBER_SIZE], knack_real value)
{
    if (sizeof value == sizeof(double) || !isfinite(value) || value == 0) return text_number(buffer, (double)value);
    for (int digits = 5; digits <= 9; digits++) {
        double rounded = number_round((double)value, digits);
        if ((knack_real)rounded == value) return text_number(buffer, rounded);
    }
    return text_number(buffer, (double)value);
}
