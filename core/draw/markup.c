#include "draw/markup.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void markup_raw(struct growing *out, const char *markup)
{
    if (markup)
        growing_put_text(out, markup);
    else
        out->failed = true;
}

static bool is_allowed(uint32_t point)
{
    if (point < ' ') return point == '\n' || point == '\t';
    return point != TEXT_UNKNOWN && (point < 0x7f || point >= 0xa0) && point != 0xfffe && point != 0xffff;
}

void markup_text(struct growing *out, const char *text)
{
    while (*text) {
        uint32_t point;
        int length = text_character(text, &point);
        const char *instead = is_allowed(point) ? text_entity(*text) : "\xef\xbf\xbd";
        growing_put(out, instead ? instead : text, instead ? strlen(instead) : (size_t)length);
        text += length;
    }
}

static void put_coordinate(struct growing *out, double value)
{
    char buffer[48];
    text_fixed(buffer, isfinite(value) ? value : 0, 1);
    size_t length = strlen(buffer);
    growing_put(out, buffer, length > 2 && strcmp(buffer + length - 2, ".0") == 0 ? length - 2 : length);
}

/* What follows the % at format: one conversion; returns its end. */
static const char *put_argument(struct growing *out, const char *format, va_list *list)
{
    char digits[24];
    int longs = 0;
    for (; *format == 'l'; format++) longs++;
    if (*format == 's') {
        markup_text(out, va_arg(*list, const char *));
    } else if (*format == 'g') {
        put_coordinate(out, va_arg(*list, double));
    } else if (*format == '%') {
        growing_put_text(out, "%");
    } else {
        snprintf(digits, sizeof digits, "%lld",
                 longs == 2   ? va_arg(*list, long long)
                 : longs == 1 ? va_arg(*list, long)
                              : va_arg(*list, int));
        growing_put_text(out, digits);
    }
    return format + 1;
}

void markup_put(struct growing *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    while (*format) {
        size_t plain = strcspn(format, "%");
        growing_put(out, format, plain);
        format += plain;
        if (*format == '%') format = put_argument(out, format + 1, &list);
    }
    va_end(list);
}
