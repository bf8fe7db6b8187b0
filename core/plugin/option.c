/* Options: what a manifest declares, and values checked by it. */
#include "plugin/option.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"

_Static_assert(sizeof(enum option_type) == sizeof(int), "a field of JSON_CHOICE fills an int");

const char *const option_type_names[] = {"number", "integer", "boolean", "string", "duration", "numbers", "strings", NULL};

static const enum json_field_type field_types[] = {
    [OPTION_NUMBER] = JSON_DOUBLE,     [OPTION_INTEGER] = JSON_INTEGER, [OPTION_BOOLEAN] = JSON_BOOLEAN, [OPTION_STRING] = JSON_TEXT,
    [OPTION_DURATION] = JSON_DURATION, [OPTION_NUMBERS] = JSON_DOUBLES, [OPTION_STRINGS] = JSON_TEXTS,
};

static const struct json_field declaration_table[] = {
    {"type", JSON_CHOICE, offsetof(struct option, type), NULL, NULL, option_type_names, "what values it takes"},
    {"default", JSON_ANY, offsetof(struct option, fallback), "", NULL, NULL, "the value if the config gives none"},
    {"min", JSON_DOUBLE, offsetof(struct option, min), "", NULL, NULL, "least value"},
    {"max", JSON_DOUBLE, offsetof(struct option, max), "", NULL, NULL, "greatest value"},
    {"above", JSON_DOUBLE, offsetof(struct option, above), "", NULL, NULL, "values are greater than this"},
    {"below", JSON_DOUBLE, offsetof(struct option, below), "", NULL, NULL, "values are less than this"},
    {"one_of", JSON_TEXTS, offsetof(struct option, choices), "[]", NULL, NULL, "the strings it may be"},
    {"help", JSON_TEXT, offsetof(struct option, help), NULL, NULL, NULL, "what it does, in a few words"},
    {0},
};

static bool has_default(const struct option *option)
{
    return option->fallback && option->fallback->kind != JSON_NULL;
}

/* The bounds, infinite where none is given, and whether a value may equal them. */
struct bounds {
    double low, high;
    bool low_open, high_open;
};

static struct bounds bounds_of(const struct option *option)
{
    struct bounds bounds = {.low_open = isnan(option->min), .high_open = isnan(option->max)};
    bounds.low = !bounds.low_open ? option->min : isnan(option->above) ? -INFINITY : option->above;
    bounds.high = !bounds.high_open ? option->max : isnan(option->below) ? INFINITY : option->below;
    return bounds;
}

static bool is_bounded(struct bounds bounds)
{
    return isfinite(bounds.low) || isfinite(bounds.high);
}

static knack_status check_bounds(const struct json *declaration, const struct option *option)
{
    const char *type = option_type_names[option->type];
    struct bounds bounds = bounds_of(option);
    bool numeric = option->type == OPTION_NUMBER || option->type == OPTION_INTEGER || option->type == OPTION_NUMBERS;
    bool textual = option->type == OPTION_STRING || option->type == OPTION_STRINGS;
    if (is_bounded(bounds) && !numeric)
        return json_fail(declaration, KNACK_E_PLUGIN, "bounds are for number, integer and numbers, not for %s", type);
    if (option->choices.count > 0 && !textual)
        return json_fail(declaration, KNACK_E_PLUGIN, "\"one_of\" is for string and strings, not for %s", type);
    if (!isnan(option->min) && !isnan(option->above))
        return json_fail(declaration, KNACK_E_PLUGIN, "has both \"min\" and \"above\"; give one");
    if (!isnan(option->max) && !isnan(option->below))
        return json_fail(declaration, KNACK_E_PLUGIN, "has both \"max\" and \"below\"; give one");
    bool empty = bounds.low_open || bounds.high_open ? bounds.low >= bounds.high : bounds.low > bounds.high;
    return empty ? json_fail(declaration, KNACK_E_PLUGIN, "no value is within its bounds") : KNACK_OK;
}

/* The bounds as in mathematics, "[0,1)"; NULL if memory ran out. */
static const char *range_text(struct arena *arena, struct bounds bounds)
{
    char low[32], high[32], range[80];
    snprintf(range, sizeof range, "%c%s,%s%c", bounds.low_open ? '(' : '[', text_number(low, bounds.low), text_number(high, bounds.high),
             bounds.high_open ? ')' : ']');
    return arena_text(arena, range);
}

/* The default as JSON text, as a field wants it. */
static const char *fallback_text(struct arena *arena, const struct option *option)
{
    if (!has_default(option)) return "";
    char *text = json_node_text(option->fallback, false);
    const char *copy = text ? arena_text(arena, text) : NULL;
    memory_free(text);
    return copy;
}

static knack_status make_field(struct arena *arena, struct option *option)
{
    option->field = (struct json_field){.name = option->name, .type = field_types[option->type], .help = option->help};
    if (option->choices.count > 0) {
        const char **choices = arena_zeroed(arena, ((size_t)option->choices.count + 1) * sizeof *choices);
        if (!choices) return KNACK_E_MEMORY;
        memcpy(choices, option->choices.value, (size_t)option->choices.count * sizeof *choices);
        option->field.choices = choices;
    }
    struct bounds bounds = bounds_of(option);
    if (is_bounded(bounds) && !(option->field.range = range_text(arena, bounds))) return KNACK_E_MEMORY;
    option->field.fallback = fallback_text(arena, option);
    return option->field.fallback ? KNACK_OK : KNACK_E_MEMORY;
}

knack_status option_declare(const struct json *declaration, struct option *option)
{
    *option = (struct option){.name = declaration->name, .min = NAN, .max = NAN, .above = NAN, .below = NAN};
    TRY(json_fields(declaration, declaration_table, option));
    if (manifest_key_is_reserved(option->name))
        return json_fail(declaration, KNACK_E_PLUGIN, "an option cannot be called \"%s\", which an entry of a config uses itself",
                         option->name);
    if (!manifest_name_is_valid(option->name))
        return json_fail(declaration, KNACK_E_PLUGIN, "\"%s\" is no name for an option: %s", option->name, manifest_name_rule);
    TRY(check_bounds(declaration, option));
    TRY(make_field(declaration->document->arena, option));
    struct option_value value;
    return option_read(option, NULL, &value);
}

static knack_status read_integer(const struct json *given, const struct json_field *field, double *number)
{
    int64_t whole;
    TRY(json_value(given, field, &whole));
    *number = (double)whole;
    return KNACK_OK;
}

/* A number alone is a list of one, as a string alone is among strings. */
static knack_status read_numbers(const struct json *given, const struct json_field *field, struct json_doubles *numbers)
{
    if (given->kind != JSON_NUMBER) return json_value(given, field, numbers);
    struct json_field alone = {.name = field->name, .type = JSON_DOUBLE, .range = field->range};
    double number;
    TRY(json_value(given, &alone, &number));
    *numbers = (struct json_doubles){&given->number, 1};
    return KNACK_OK;
}

/* A plain number is one of updates; a fraction would be taken for a share of the run, which it is not. */
static knack_status whole_updates(const struct json *given)
{
    char number[32];
    if (given->kind != JSON_NUMBER || given->number == floor(given->number)) return KNACK_OK;
    text_number(number, given->number);
    return json_fail(given, KNACK_E_CONFIG, "%s is no whole number of updates; \"%sdur\" is that share of the run, \"%sep\" so many epochs",
                     number, number, number);
}

knack_status option_read(const struct option *option, const struct json *given, struct option_value *value)
{
    *value = (struct option_value){.number = NAN};
    if (!given) given = option->fallback;
    if (!given || (given->kind == JSON_NULL && !has_default(option))) return KNACK_OK;
    value->given = true;
    switch (option->type) {
    case OPTION_NUMBER:
        return json_value(given, &option->field, &value->number);
    case OPTION_INTEGER:
        return read_integer(given, &option->field, &value->number);
    case OPTION_BOOLEAN:
        return json_value(given, &option->field, &value->flag);
    case OPTION_STRING:
        return json_value(given, &option->field, &value->string);
    case OPTION_DURATION:
        TRY(whole_updates(given));
        return json_value(given, &option->field, &value->duration);
    case OPTION_NUMBERS:
        return read_numbers(given, &option->field, &value->numbers);
    case OPTION_STRINGS:
        return json_value(given, &option->field, &value->strings);
    }
    return KNACK_OK;
}

knack_status option_find(const struct manifest *manifest, const struct json *member, int64_t *index)
{
    for (int64_t i = 0; i < manifest->option_count; i++)
        if (strcmp(manifest->option[i].name, member->name) == 0) {
            *index = i;
            return KNACK_OK;
        }
    const struct json_texts *names = &manifest->option_names;
    const char *nearest = text_nearest(member->name, names->value, names->count);
    if (nearest) return json_fail(member, KNACK_E_CONFIG, "%s has no such option; nearest is \"%s\"", manifest->name, nearest);
    char list[400];
    if (names->count == 0) return json_fail(member, KNACK_E_CONFIG, "%s has no options", manifest->name);
    return json_fail(member, KNACK_E_CONFIG, "%s has no such option; it has %s", manifest->name,
                     text_list(list, sizeof list, names->value, names->count));
}

static bool numbers_equal(const struct json_doubles *a, const struct json_doubles *b)
{
    bool equal = a->count == b->count;
    for (int64_t i = 0; equal && i < a->count; i++) equal = a->value[i] == b->value[i];
    return equal;
}

static bool strings_equal(const struct json_texts *a, const struct json_texts *b)
{
    bool equal = a->count == b->count;
    for (int64_t i = 0; equal && i < a->count; i++) equal = strcmp(a->value[i], b->value[i]) == 0;
    return equal;
}

knack_status option_values_check(const struct manifest *manifest, const struct json *values)
{
    if (values->kind != JSON_OBJECT)
        return json_fail(values, KNACK_E_PLUGIN, "expected an object of option values, got %s", json_kind_name(values->kind));
    for (const struct json *member = values->first; member; member = member->next) {
        int64_t index = 0;
        struct option_value value;
        TRY(option_find(manifest, member, &index));
        TRY(option_read(&manifest->option[index], member, &value));
    }
    return KNACK_OK;
}

knack_status instance_has(const struct instance *instance, const struct json *values, bool *has)
{
    *has = true;
    for (const struct json *member = values->first; member; member = member->next) {
        int64_t index = 0;
        struct option_value value;
        TRY(option_find(instance->manifest, member, &index));
        const struct option *option = &instance->manifest->option[index];
        TRY(option_read(option, member, &value));
        if (!option_equal(option->type, &value, &instance->value[index])) *has = false;
    }
    return KNACK_OK;
}

bool option_equal(enum option_type type, const struct option_value *a, const struct option_value *b)
{
    if (!a->given || !b->given) return a->given == b->given;
    switch (type) {
    case OPTION_NUMBER:
    case OPTION_INTEGER:
        return a->number == b->number;
    case OPTION_BOOLEAN:
        return a->flag == b->flag;
    case OPTION_STRING:
        return strcmp(a->string, b->string) == 0;
    case OPTION_DURATION: /* nothing of one unit is nothing of another */
        return a->duration.amount == b->duration.amount && (a->duration.unit == b->duration.unit || a->duration.amount == 0);
    case OPTION_NUMBERS:
        return numbers_equal(&a->numbers, &b->numbers);
    case OPTION_STRINGS:
        return strings_equal(&a->strings, &b->strings);
    }
    return false;
}

static void write_duration(struct json_writer *writer, const char *name, const struct json_duration *duration)
{
    static const char *const suffixes[] = {[DURATION_UPDATES] = "st", [DURATION_EPOCHS] = "ep", [DURATION_RUN] = "dur"};
    char number[32], text[40];
    snprintf(text, sizeof text, "%s%s", text_number(number, duration->amount), suffixes[duration->unit]);
    json_string(writer, name, text);
}

static void write_numbers(struct json_writer *writer, const char *name, const struct json_doubles *numbers)
{
    json_open(writer, name, '[');
    for (int64_t i = 0; i < numbers->count; i++) json_number(writer, NULL, numbers->value[i]);
    json_close(writer);
}

static void write_strings(struct json_writer *writer, const char *name, const struct json_texts *strings)
{
    json_open(writer, name, '[');
    for (int64_t i = 0; i < strings->count; i++) json_string(writer, NULL, strings->value[i]);
    json_close(writer);
}

void option_write(const struct option *option, const struct option_value *value, struct json_writer *writer)
{
    if (!value->given) {
        json_string(writer, option->name, NULL);
        return;
    }
    switch (option->type) {
    case OPTION_NUMBER:
        json_number(writer, option->name, value->number);
        break;
    case OPTION_INTEGER:
        json_integer(writer, option->name, (int64_t)value->number);
        break;
    case OPTION_BOOLEAN:
        json_boolean(writer, option->name, value->flag);
        break;
    case OPTION_STRING:
        json_string(writer, option->name, value->string);
        break;
    case OPTION_DURATION:
        write_duration(writer, option->name, &value->duration);
        break;
    case OPTION_NUMBERS:
        write_numbers(writer, option->name, &value->numbers);
        break;
    case OPTION_STRINGS:
        write_strings(writer, option->name, &value->strings);
        break;
    }
}
