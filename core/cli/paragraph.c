#include "cli/paragraph.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/text.h"

static locale_t unicode_locale;

static void make_unicode_locale(void)
{
    unicode_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* The program's locale is C, which knows no widths. Where C.UTF-8 is not installed every character is one column wide. */
static int64_t character_columns(uint32_t point)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (point < 0x300) return 1;
    pthread_once(&once, make_unicode_locale);
    if (!unicode_locale) return 1;
    locale_t outer = uselocale(unicode_locale);
    int columns = wcwidth((wchar_t)point);
    uselocale(outer);
    return columns < 0 ? 1 : columns;
}

size_t text_cut(const char *text, int64_t columns)
{
    size_t length = 0;
    while (text[length]) {
        uint32_t point;
        size_t bytes = (size_t)text_character(text + length, &point);
        columns -= character_columns(point);
        if (columns < 0) break;
        length += bytes;
    }
    return length;
}

int64_t text_columns(const char *text)
{
    int64_t columns = 0;
    while (*text) {
        uint32_t point;
        text += text_character(text, &point);
        columns += character_columns(point);
    }
    return columns;
}

size_t text_line_length(const char *text, int64_t room)
{
    size_t end = text_cut(text, room);
    while (end > 0 && text[end] && text[end] != ' ') end--;
    return end > 0 || !*text ? end : 1 + strcspn(text + 1, " ");
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
