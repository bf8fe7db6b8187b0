#include "base/growing.h"

#include <string.h>

#include "base/memory.h"

/* Keeps room for a NUL. */
void growing_put(struct growing *growing, const char *data, size_t size)
{
    if (growing->failed) return;
    if (growing->room - growing->used <= size) {
        size_t room = 2 * growing->room + size + 256;
        char *text = memory_resize(growing->text, room, 1);
        if (!text) {
            growing->failed = true;
            return;
        }
        growing->text = text;
        growing->room = room;
    }
    memcpy(growing->text + growing->used, data, size);
    growing->used += size;
    growing->text[growing->used] = '\0';
}

void growing_put_text(struct growing *growing, const char *text)
{
    growing_put(growing, text, strlen(text));
}

void growing_put_field(struct growing *growing, const char *text)
{
    bool quoted = strpbrk(text, ",\"\r\n");
    if (quoted) growing_put_text(growing, "\"");
    for (; *text; text++) growing_put(growing, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    if (quoted) growing_put_text(growing, "\"");
}

char *growing_take(struct growing *growing)
{
    char *text = growing->failed ? NULL : growing->text;
    if (!text) memory_free(growing->text);
    *growing = (struct growing){0};
    return text;
}

void growing_free(struct growing *growing)
{
    memory_free(growing->text);
    *growing = (struct growing){0};
}
