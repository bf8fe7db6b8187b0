#include "compare/report/html.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/growing.h"
#include "base/json_source.h"
#include "base/memory.h"
#include "base/text.h"

struct html {
    struct growing out;
};

struct html *html_new(void)
{
    return memory_new(1, sizeof(struct html));
}

void html_free(struct html *html)
{
    if (!html) return;
    growing_free(&html->out);
    memory_free(html);
}

char *html_take(struct html *html)
{
    char *text = growing_take(&html->out);
    html_free(html);
    return text;
}

static void put(struct html *html, const char *data, size_t size)
{
    growing_put(&html->out, data, size);
}

void html_markup(struct html *html, const char *markup)
{
    if (markup)
        put(html, markup, strlen(markup));
    else
        html->out.failed = true;
}

/* Bytes of the character at text that may stand in a page; 0 if it is not UTF-8, or a control character. */
static size_t allowed(const char *text, size_t left)
{
    unsigned char first = (unsigned char)*text;
    if ((first < ' ' && first != '\n' && first != '\t') || first == 0x7f) return 0;
    size_t length = json_utf8_length(text, left);
    if (length == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0) return 0;
    return length;
}

void html_text(struct html *html, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t length = allowed(text, left);
        const char *replaced = length == 0 ? "\xef\xbf\xbd" : text_entity(*text);
        if (length == 0) length = 1;
        if (replaced)
            put(html, replaced, strlen(replaced));
        else
            put(html, text, length);
        text += length;
        left -= length;
    }
}

void html_percent(struct html *html, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~,";
    for (; *text; text++) {
        char code[4];
        if (strchr(plain, *text)) {
            put(html, text, 1);
            continue;
        }
        snprintf(code, sizeof code, "%%%02X", (unsigned char)*text);
        put(html, code, 3);
    }
}

/* What follows the % at format: one conversion; returns its end. */
static const char *put_argument(struct html *html, const char *format, va_list *list)
{
    char digits[24];
    int longs = 0;
    while (*format == 'l') {
        longs++;
        format++;
    }
    if (*format == 's') {
        html_text(html, va_arg(*list, const char *));
    } else if (*format == '%') {
        put(html, "%", 1);
    } else {
        long long value = longs == 2 ? va_arg(*list, long long) : longs == 1 ? va_arg(*list, long) : va_arg(*list, int);
        snprintf(digits, sizeof digits, "%lld", value);
        put(html, digits, strlen(digits));
    }
    return format + 1;
}

void html_put(struct html *html, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    while (*format) {
        size_t plain = strcspn(format, "%");
        put(html, format, plain);
        format += plain;
        if (*format == '%') format = put_argument(html, format + 1, &list);
    }
    va_end(list);
}
