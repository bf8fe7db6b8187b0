/* Writing JSON text. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/growing.h"
#include "base/json.h"
#include "base/json_source.h"
#include "base/memory.h"
#include "base/text.h"

enum { DEPTH = JSON_DEPTH + 28 }; /* room for a document within what is written around it */

struct json_writer {
    struct growing out;
    bool indented;
    int depth;
    char closing[DEPTH]; /* brackets that are open */
    bool filled[DEPTH];  /* whether something stands within them */
};

struct json_writer *json_writer_new(bool indented)
{
    struct json_writer *writer = memory_new(1, sizeof *writer);
    if (writer) writer->indented = indented;
    return writer;
}

void json_writer_free(struct json_writer *writer)
{
    if (!writer) return;
    growing_free(&writer->out);
    memory_free(writer);
}

static void put(struct json_writer *writer, const char *data, size_t size)
{
    growing_put(&writer->out, data, size);
}

static void put_text(struct json_writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_line(struct json_writer *writer)
{
    put_text(writer, "\n");
    for (int i = 0; i < writer->depth; i++) put_text(writer, "  ");
}

/* How many bytes at text can be written as they are. */
static size_t plain_length(const char *text, size_t left)
{
    size_t length = 0;
    while (length < left && (unsigned char)text[length] >= ' ' && text[length] != '"' && text[length] != '\\') {
        size_t character = json_utf8_length(text + length, left - length);
        if (character == 0) break;
        length += character;
    }
    return length;
}

/* Bytes that are not UTF-8, as a file's name may have them, become U+FFFD. */
static void put_escape(struct json_writer *writer, unsigned char byte)
{
    char escape[8];
    if (byte == '\n')
        snprintf(escape, sizeof escape, "\\n");
    else if (byte == '\t')
        snprintf(escape, sizeof escape, "\\t");
    else if (byte == '"' || byte == '\\')
        snprintf(escape, sizeof escape, "\\%c", byte);
    else
        snprintf(escape, sizeof escape, "\\u%04x", byte < 0x80 ? byte : 0xFFFDu);
    put_text(writer, escape);
}

static void put_quoted(struct json_writer *writer, const char *text)
{
    size_t left = strlen(text);
    put_text(writer, "\"");
    while (left > 0) {
        size_t plain = plain_length(text, left);
        put(writer, text, plain);
        text += plain;
        left -= plain;
        if (left == 0) break;
        put_escape(writer, (unsigned char)*text);
        text++;
        left--;
    }
    put_text(writer, "\"");
}

/* What stands before a value: comma, line, name. */
static void begin(struct json_writer *writer, const char *name)
{
    if (writer->depth > 0) {
        bool *filled = &writer->filled[writer->depth - 1];
        if (*filled) put_text(writer, writer->indented ? "," : ", ");
        *filled = true;
        if (writer->indented) put_line(writer);
    }
    if (!name) return;
    put_quoted(writer, name);
    put_text(writer, ": ");
}

void json_open(struct json_writer *writer, const char *name, char bracket)
{
    if (!writer) return;
    begin(writer, name);
    put(writer, &bracket, 1);
    if (writer->depth == DEPTH) {
        if (!writer->out.failed) status_set(KNACK_E_CALL, "JSON is written more than %d deep", DEPTH);
        writer->out.failed = true;
        return;
    }
    writer->closing[writer->depth] = bracket == '{' ? '}' : ']';
    writer->filled[writer->depth] = false;
    writer->depth++;
}

void json_close(struct json_writer *writer)
{
    if (!writer || writer->out.failed || writer->depth == 0) return;
    writer->depth--;
    if (writer->filled[writer->depth] && writer->indented) put_line(writer);
    put(writer, &writer->closing[writer->depth], 1);
}

void json_number(struct json_writer *writer, const char *name, double number)
{
    if (!writer) return;
    char text[32];
    begin(writer, name);
    put_text(writer, isfinite(number) ? text_number(text, number) : "null");
}

void json_integer(struct json_writer *writer, const char *name, int64_t number)
{
    if (!writer) return;
    char text[32];
    begin(writer, name);
    snprintf(text, sizeof text, "%lld", (long long)number);
    put_text(writer, text);
}

void json_boolean(struct json_writer *writer, const char *name, bool flag)
{
    if (!writer) return;
    begin(writer, name);
    put_text(writer, flag ? "true" : "false");
}

void json_string(struct json_writer *writer, const char *name, const char *text)
{
    if (!writer) return;
    begin(writer, name);
    if (text)
        put_quoted(writer, text);
    else
        put_text(writer, "null");
}

static void put_null(struct json_writer *writer, const char *name)
{
    json_string(writer, name, NULL);
}

void json_node(struct json_writer *writer, const char *name, const struct json *node)
{
    switch (node->kind) {
    case JSON_NULL:
        put_null(writer, name);
        break;
    case JSON_FLAG:
        json_boolean(writer, name, node->flag);
        break;
    case JSON_NUMBER:
        json_number(writer, name, node->number);
        break;
    case JSON_STRING:
        json_string(writer, name, node->string);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        json_open(writer, name, node->kind == JSON_ARRAY ? '[' : '{');
        for (const struct json *child = node->first; child; child = child->next) json_node(writer, child->name, child);
        json_close(writer);
        break;
    }
}

const char *json_text(struct json_writer *writer, size_t *size)
{
    if (!writer || writer->out.failed || !writer->out.text) return NULL;
    if (size) *size = writer->out.used;
    return writer->out.text;
}

char *json_take(struct json_writer *writer)
{
    char *text = writer ? growing_take(&writer->out) : NULL;
    json_writer_free(writer);
    return text;
}

char *json_node_text(const struct json *value, bool indented)
{
    struct json_writer *writer = json_writer_new(indented);
    if (writer) json_node(writer, NULL, value);
    return json_take(writer);
}
