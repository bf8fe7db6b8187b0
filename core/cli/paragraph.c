#include "cli/paragraph.h"

#include <stdio.h>
#include <string.h>

int64_t text_columns(const char *text)
{
    int64_t width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

size_t text_line_length(const char *text, int64_t room)
{
    size_t length = 0;
    int64_t width = 0;
    for (const char *end = text;; end++) {
        if (*end == ' ' || !*end) {
            if (length > 0 && width > room) return length;
            length = (size_t)(end - text);
        }
        if (!*end) return length;
        width += ((unsigned char)*end & 0xC0) != 0x80;
    }
}

static void print_blanks(int64_t count)
{
    printf("%*s", (int)count, "");
}

void print_paragraph(const struct console *console, const char *name, int64_t indent, const char *text)
{
    int64_t room = console->result_width > 0 ? console->result_width - indent : INT64_MAX, width = text_columns(name);
    if (room < 20) room = 20;
    fputs(name, stdout);
    if (width >= indent && width > 0) {
        putchar('\n');
        width = 0;
    }
    print_blanks(indent - width);
    for (bool first = true; *text || first; first = false) {
        size_t length = text_line_length(text, room);
        if (!first) print_blanks(indent);
        fwrite(text, 1, length, stdout);
        putchar('\n');
        text += length;
        text += *text == ' ';
    }
}
