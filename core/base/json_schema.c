/* JSON Schema of tables of fields, and the ranges that both are about. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/json_range.h"
#include "base/text.h"

bool json_range_parse(const char *text, struct json_range *range)
{
    const char *end = text + strlen(text);
    if (*text != '[' && *text != '(') return false;
    range->low_open = *text == '(';
    text = text_parse(text + 1, end, &range->low);
    if (!text || *text != ',') return false;
    text = text_parse(text + 1, end, &range->high);
    if (!text || (*text != ']' && *text != ')')) return false;
    range->high_open = *text == ')';
    return text[1] == '\0';
}

bool json_range_holds(struct json_range range, double number)
{
    bool above = range.low_open ? number > range.low : number >= range.low;
    bool below = range.high_open ? number < range.high : number <= range.high;
    return above && below;
}

static void write_bounds(struct json_writer *writer, const struct json_field *field)
{
    struct json_range range;
    if (!field->range || !json_range_parse(field->range, &range)) return;
    if (isfinite(range.low)) json_number(writer, range.low_open ? "exclusiveMinimum" : "minimum", range.low);
    if (isfinite(range.high)) json_number(writer, range.high_open ? "exclusiveMaximum" : "maximum", range.high);
}

static void write_choices(struct json_writer *writer, const struct json_field *field)
{
    if (!field->choices) return;
    json_open(writer, "enum", '[');
    for (const char *const *choice = field->choices; *choice; choice++) json_string(writer, NULL, *choice);
    json_close(writer);
}

/* The members that describe one number or string. */
static void write_scalar(struct json_writer *writer, const char *type, const struct json_field *field)
{
    json_string(writer, "type", type);
    write_bounds(writer, field);
    write_choices(writer, field);
}

static void write_list(struct json_writer *writer, const char *type, const struct json_field *field)
{
    json_string(writer, "type", "array");
    json_open(writer, "items", '{');
    write_scalar(writer, type, field);
    json_close(writer);
}

static void open_alternative(struct json_writer *writer, const char *type)
{
    json_open(writer, NULL, '{');
    if (type) json_string(writer, "type", type);
}

static void write_duration(struct json_writer *writer, const struct json_field *field)
{
    json_open(writer, "anyOf", '[');
    open_alternative(writer, "number");
    if (field->range)
        write_bounds(writer, field);
    else
        json_number(writer, "minimum", 0);
    json_close(writer);
    open_alternative(writer, "string");
    json_string(writer, "pattern", "^[0-9.]+([eE][-+]?[0-9]+)?(st|ep|dur)$");
    json_close(writer);
    json_close(writer);
}

static void write_texts(struct json_writer *writer, const struct json_field *field)
{
    json_open(writer, "anyOf", '[');
    open_alternative(writer, "string");
    write_choices(writer, field);
    json_close(writer);
    open_alternative(writer, NULL);
    write_list(writer, "string", field);
    json_close(writer);
    json_close(writer);
}

static void write_type(struct json_writer *writer, const struct json_field *field)
{
    switch (field->type) {
    case JSON_DOUBLE:
        write_scalar(writer, "number", field);
        break;
    case JSON_INTEGER:
        write_scalar(writer, "integer", field);
        break;
    case JSON_BOOLEAN:
        json_string(writer, "type", "boolean");
        break;
    case JSON_TEXT:
    case JSON_CHOICE:
        write_scalar(writer, "string", field);
        break;
    case JSON_DURATION:
        write_duration(writer, field);
        break;
    case JSON_DOUBLES:
        write_list(writer, "number", field);
        break;
    case JSON_TEXTS:
        write_texts(writer, field);
        break;
    case JSON_ANY:
        break;
    }
}

static void write_property(struct json_writer *writer, const struct json_field *field)
{
    json_open(writer, field->name, '{');
    write_type(writer, field);
    struct json_document *fallback = NULL;
    if (field->fallback && field->fallback[0] != '\0') json_parse(field->fallback, strlen(field->fallback), "a default", &fallback);
    if (fallback) json_node(writer, "default", fallback->root);
    json_free(fallback);
    if (field->help) json_string(writer, "description", field->help);
    json_close(writer);
}

void json_schema_fields(struct json_writer *writer, const struct json_field *table)
{
    json_string(writer, "type", "object");
    json_open(writer, "properties", '{');
    bool required = false;
    for (const struct json_field *field = table; field->name; field++) {
        write_property(writer, field);
        required = required || !field->fallback;
    }
    json_close(writer);
    if (required) {
        json_open(writer, "required", '[');
        for (const struct json_field *field = table; field->name; field++) {
            if (!field->fallback) json_string(writer, NULL, field->name);
        }
        json_close(writer);
    }
    json_boolean(writer, "additionalProperties", false);
}
