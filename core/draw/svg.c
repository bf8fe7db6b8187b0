#include "draw/svg.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

void svg_bytes(struct svg *svg, const char *text, size_t length)
{
    growing_put(&svg->out, text, length);
}

void svg_raw(struct svg *svg, const char *text)
{
    svg_bytes(svg, text, strlen(text));
}

void svg_escaped(struct svg *svg, const char *text)
{
    while (*text) {
        uint32_t point;
        int length = text_character(text, &point);
        const char *name = point < 128 ? text_entity((char)point) : NULL;
        bool blank = point == '\t' || point == '\n' || point == '\r';
        if (name)
            svg_raw(svg, name);
        else if (blank)
            svg_raw(svg, " ");
        else if (point == TEXT_UNKNOWN || point < ' ' || point == 0xFFFE || point == 0xFFFF)
            svg_raw(svg, "\xEF\xBF\xBD");
        else
            svg_bytes(svg, text, (size_t)length);
        text += length;
    }
}

void svg_open(struct svg *svg, const char *tag, const char *kind)
{
    svg_raw(svg, "<");
    svg_raw(svg, tag);
    if (!kind) return;
    svg_raw(svg, " class=\"");
    svg_raw(svg, kind);
    svg_raw(svg, "\"");
}

void svg_coordinate(struct svg *svg, double value)
{
    char buffer[48];
    text_fixed(buffer, isfinite(value) ? value : 0, 1);
    size_t length = strlen(buffer);
    if (length > 2 && strcmp(buffer + length - 2, ".0") == 0) buffer[length - 2] = '\0';
    svg_raw(svg, buffer);
}

void svg_number(struct svg *svg, const char *attribute, double value)
{
    svg_raw(svg, " ");
    svg_raw(svg, attribute);
    svg_raw(svg, "=\"");
    svg_coordinate(svg, value);
    svg_raw(svg, "\"");
}

void svg_close(struct svg *svg, const char *tag, const char *title)
{
    if (!title) {
        svg_raw(svg, "/>\n");
        return;
    }
    svg_raw(svg, "><title>");
    svg_escaped(svg, title);
    svg_raw(svg, "</title></");
    svg_raw(svg, tag);
    svg_raw(svg, ">\n");
}

char *svg_take(struct svg *svg)
{
    return growing_take(&svg->out);
}
