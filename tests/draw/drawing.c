#include "draw/drawing.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "draw/labels.h"

static char flaw[512];

static const char *say(const char *what, const char *at)
{
    snprintf(flaw, sizeof flaw, "%s: %.80s", what, at);
    return flaw;
}

/* ---- Well-formed ---- */

/* Character data up to `end`; NULL if it is none. */
static const char *skip_text(const char *at, char end)
{
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    while (*at && *at != end) {
        uint32_t point;
        int length = text_character(at, &point);
        if (point == TEXT_UNKNOWN && length == 1) return NULL;
        if (point < ' ' && point != '\n') return NULL;
        if (*at == '<') return NULL;
        bool known = *at != '&';
        for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
            known = known || strncmp(at, entities[i], strlen(entities[i])) == 0;
        if (!known) return NULL;
        at += length;
    }
    return *at == end ? at : NULL;
}

/* From a tag's name to its end; *empty: it ends itself. NULL: it is not right. */
static const char *skip_attributes(const char *at, bool *empty)
{
    while (isalnum((unsigned char)*at)) at++;
    while (*at == ' ') {
        const char *name = ++at;
        while (isalnum((unsigned char)*at) || *at == '-') at++;
        if (at == name || at[0] != '=' || at[1] != '"') return NULL;
        at = skip_text(at + 2, '"');
        if (!at) return NULL;
        at++;
    }
    *empty = *at == '/';
    if (*empty) at++;
    return *at == '>' ? at + 1 : NULL;
}

const char *drawing_flaw(const char *svg)
{
    const char *open[32], *at = svg;
    int depth = 0;
    while (*at) {
        if (*at != '<') {
            const char *next = strchr(at, '<');
            if (!next) return strspn(at, "\n") == strlen(at) ? NULL : say("text behind the end", at);
            if (!skip_text(at, '<')) return say("no text", at);
            at = next;
        } else if (at[1] == '/') {
            size_t length = strcspn(at + 2, ">");
            if (depth == 0 || strncmp(open[--depth], at + 2, length) != 0 || isalnum((unsigned char)open[depth][length]))
                return say("closes what is not open", at);
            at += length + 3;
        } else {
            bool empty;
            const char *next = skip_attributes(at + 1, &empty);
            if (!next) return say("no tag", at);
            if (!empty && depth == 32) return say("too deep", at);
            if (!empty) open[depth++] = at + 1;
            at = next;
        }
    }
    return depth == 0 ? NULL : say("is not closed", open[depth - 1]);
}

/* ---- Texts ---- */

struct text {
    char words[1024];
    struct box box;
};

static double attribute(const char *tag, const char *name)
{
    char key[32];
    snprintf(key, sizeof key, " %s=\"", name);
    const char *found = strstr(tag, key), *end = strchr(tag, '>');
    double value = 0;
    if (found && found < end) text_parse(found + strlen(key), end, &value);
    return value;
}

static bool has(const char *tag, const char *words)
{
    const char *found = strstr(tag, words);
    return found && found < strchr(tag, '>');
}

/* What stands between from and end, with entities as characters. */
static void decode(const char *from, const char *end, char *words, size_t size)
{
    static const char *const entity[][2] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}};
    size_t used = 0;
    while (from < end && used + 1 < size) {
        size_t length = 1;
        char c = *from;
        for (size_t i = 0; i < sizeof entity / sizeof entity[0]; i++) {
            if (strncmp(from, entity[i][0], strlen(entity[i][0])) != 0) continue;
            c = entity[i][1][0];
            length = strlen(entity[i][0]);
        }
        words[used++] = c;
        from += length;
    }
    words[used] = '\0';
}

/* The next text at or behind *at, which moves behind it; false: there is none. */
static bool next_text(const char **at, struct text *text)
{
    const char *tag = strstr(*at, "<text ");
    if (!tag) return false;
    const char *inside = strchr(tag, '>') + 1, *end = strstr(inside, "</text>");
    if (strncmp(inside, "<title>", 7) == 0) inside = strstr(inside, "</title>") + 8;
    decode(inside, end, text->words, sizeof text->words);
    double width = has(tag, "class=\"heading\"") ? label_width_bold(text->words) : label_width(text->words);
    double x = attribute(tag, "x") - (has(tag, "\"middle\"") ? width / 2 : has(tag, "\"end\"") ? width : 0);
    text->box = label_box(x, attribute(tag, "y"), width);
    *at = end;
    return true;
}

const char *drawing_collision(const char *svg)
{
    double width = attribute(svg, "width"), height = attribute(svg, "height");
    struct text text, other;
    for (const char *at = svg; next_text(&at, &text);) {
        if (text.box.left < 0 || text.box.top < 0 || text.box.right > width || text.box.bottom > height) return say("outside", text.words);
        for (const char *rest = at; next_text(&rest, &other);) {
            if (!box_meets(text.box, other.box)) continue;
            snprintf(flaw, sizeof flaw, "\"%.80s\" touches \"%.80s\"", text.words, other.words);
            return flaw;
        }
    }
    return NULL;
}

bool drawing_says(const char *svg, const char *words)
{
    struct text text;
    for (const char *at = svg; next_text(&at, &text);)
        if (strstr(text.words, words)) return true;
    return false;
}
