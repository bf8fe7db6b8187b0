/* Tables of fields: from an object to a struct, and back. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/json_range.h"
#include "base/memory.h"
#include "base/text.h"

/* ---- What is said of a value ---- */

static const char *kind_expected(enum json_field_type type)
{
    switch (type) {
    case JSON_DOUBLE:
        return "a number";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_BOOLEAN:
        return "true or false";
    case JSON_TEXT:
    case JSON_CHOICE:
        return "a string";
    case JSON_DURATION:
        return "a number of updates, or a duration such as \"100st\", \"2ep\" or \"0.7dur\"";
    case JSON_DOUBLES:
        return "a list of numbers";
    case JSON_TEXTS:
        return "a list of strings";
    case JSON_ANY:
        return "a value";
    }
    return "a value";
}

static int64_t choices_count(const char *const *choices)
{
    int64_t count = 0;
    while (choices[count]) count++;
    return count;
}

/* "a number in [0,1]", "one of 2 names: adam, sgd" */
static void describe_expected(char *buffer, size_t size, const struct json_field *field)
{
    if (field->choices) {
        char names[256];
        snprintf(buffer, size, "%sone of %s", field->type == JSON_TEXTS ? "a list of " : "",
                 text_list(names, sizeof names, field->choices, choices_count(field->choices)));
    } else {
        snprintf(buffer, size, "%s%s%s", kind_expected(field->type), field->range ? " in " : "", field->range ? field->range : "");
    }
}

static void describe_found(char *buffer, size_t size, const struct json *value)
{
    char number[32];
    switch (value->kind) {
    case JSON_NUMBER:
        snprintf(buffer, size, "%s", text_number(number, value->number));
        break;
    case JSON_STRING:
        snprintf(buffer, size, "\"%.60s\"", value->string);
        break;
    case JSON_FLAG:
        snprintf(buffer, size, "%s", value->flag ? "true" : "false");
        break;
    default:
        snprintf(buffer, size, "%s", json_kind_name(value->kind));
        break;
    }
}

static knack_status fail_expected(const struct json *value, const struct json_field *field)
{
    char expected[400], found[100];
    describe_expected(expected, sizeof expected, field);
    describe_found(found, sizeof found, value);
    return json_fail(value, KNACK_E_CONFIG, "expected %s, got %s", expected, found);
}

/* ---- One value ---- */

static knack_status check_range(const struct json *value, const struct json_field *field, double number)
{
    if (!field->range) return KNACK_OK;
    struct json_range range;
    if (!json_range_parse(field->range, &range)) {
        return json_fail(value, KNACK_E_CALL, "the range \"%s\" of this field cannot be read", field->range);
    }
    return json_range_holds(range, number) ? KNACK_OK : fail_expected(value, field);
}

static knack_status read_number(const struct json *value, const struct json_field *field, double *out)
{
    if (value->kind != JSON_NUMBER) return fail_expected(value, field);
    *out = value->number;
    return check_range(value, field, value->number);
}

static knack_status read_integer(const struct json *value, const struct json_field *field, int64_t *out)
{
    double number = 0;
    TRY(read_number(value, field, &number));
    if (number != floor(number)) return fail_expected(value, field);
    if (fabs(number) >= 0x1p53) { /* which 2^53 + 1 is read as, too */
        char text[32];
        return json_fail(value, KNACK_E_CONFIG, "%s is too large: whole numbers go up to 2^53 - 1", text_number(text, number));
    }
    *out = (int64_t)number;
    return KNACK_OK;
}

/* The position of a string in the field's choices. */
static knack_status read_choice(const struct json *value, const struct json_field *field, int *out)
{
    if (value->kind != JSON_STRING) return fail_expected(value, field);
    int64_t count = choices_count(field->choices);
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(field->choices[i], value->string) != 0) continue;
        *out = (int)i;
        return KNACK_OK;
    }
    const char *nearest = text_nearest(value->string, field->choices, count);
    if (!nearest) return fail_expected(value, field);
    return json_fail(value, KNACK_E_CONFIG, "unknown value \"%.60s\"; nearest is \"%s\"", value->string, nearest);
}

static knack_status read_text(const struct json *value, const struct json_field *field, const char **out)
{
    int position;
    if (value->kind != JSON_STRING) return fail_expected(value, field);
    if (field->choices) TRY(read_choice(value, field, &position));
    *out = value->string;
    return KNACK_OK;
}

static const char *const unit_names[] = {[DURATION_NONE] = "", [DURATION_UPDATES] = "st", [DURATION_EPOCHS] = "ep", [DURATION_RUN] = "dur"};

knack_status json_duration_parse(const char *text, struct json_duration *duration)
{
    double amount;
    const char *unit = text_parse(text, text + strlen(text), &amount);
    if (!unit || !isfinite(amount) || amount < 0) return KNACK_E_CONFIG;
    for (int i = DURATION_UPDATES; i <= DURATION_RUN; i++) {
        if (strcmp(unit, unit_names[i]) != 0) continue;
        duration->amount = amount;
        duration->unit = i;
        return KNACK_OK;
    }
    return KNACK_E_CONFIG;
}

int64_t json_duration_updates(struct json_duration duration, int64_t epoch_updates, int64_t epochs)
{
    double unit = 1;
    if (duration.unit == DURATION_EPOCHS) unit = (double)epoch_updates;
    if (duration.unit == DURATION_RUN) unit = (double)epoch_updates * (double)epochs;
    double updates = duration.amount * unit;
    return updates < 9e18 ? llround(updates) : INT64_MAX;
}

static knack_status read_duration(const struct json *value, const struct json_field *field, struct json_duration *out)
{
    if (value->kind == JSON_NUMBER && value->number >= 0) {
        out->amount = value->number;
        out->unit = DURATION_UPDATES;
    } else if (value->kind != JSON_STRING || json_duration_parse(value->string, out) < 0) {
        return fail_expected(value, field);
    }
    return check_range(value, field, out->amount);
}

/* ---- Lists: their entries are kept with the node, so that reading it again takes no memory ---- */

static knack_status read_numbers(const struct json *list, const struct json_field *field, struct json_doubles *out)
{
    if (list->kind != JSON_ARRAY) return fail_expected(list, field);
    for (const struct json *entry = list->first; entry; entry = entry->next) {
        double number;
        struct json_field of_entry = {.type = JSON_DOUBLE, .range = field->range};
        TRY(read_number(entry, &of_entry, &number));
    }
    if (!list->entries) {
        double *number = arena_alloc(list->document->arena, (size_t)list->count * sizeof *number);
        if (!number) return KNACK_E_MEMORY;
        for (const struct json *entry = list->first; entry; entry = entry->next) number[entry->index] = entry->number;
        ((struct json *)list)->entries = number;
    }
    *out = (struct json_doubles){list->entries, list->count};
    return KNACK_OK;
}

static knack_status read_texts(const struct json *list, const struct json_field *field, struct json_texts *out)
{
    struct json_field of_entry = {.type = JSON_TEXT, .choices = field->choices};
    const char *text;
    if (list->kind == JSON_STRING) { /* a list of one */
        TRY(read_text(list, &of_entry, &text));
        *out = (struct json_texts){&list->string, 1};
        return KNACK_OK;
    }
    if (list->kind != JSON_ARRAY) return fail_expected(list, field);
    for (const struct json *entry = list->first; entry; entry = entry->next) TRY(read_text(entry, &of_entry, &text));
    if (!list->entries) {
        const char **texts = arena_alloc(list->document->arena, (size_t)list->count * sizeof *texts);
        if (!texts) return KNACK_E_MEMORY;
        for (const struct json *entry = list->first; entry; entry = entry->next) texts[entry->index] = entry->string;
        ((struct json *)list)->entries = texts;
    }
    *out = (struct json_texts){list->entries, list->count};
    return KNACK_OK;
}

knack_status json_value(const struct json *value, const struct json_field *field, void *out)
{
    switch (field->type) {
    case JSON_DOUBLE:
        return read_number(value, field, out);
    case JSON_INTEGER:
        return read_integer(value, field, out);
    case JSON_BOOLEAN:
        if (value->kind != JSON_FLAG) return fail_expected(value, field);
        *(bool *)out = value->flag;
        return KNACK_OK;
    case JSON_TEXT:
        return read_text(value, field, out);
    case JSON_CHOICE:
        return read_choice(value, field, out);
    case JSON_DURATION:
        return read_duration(value, field, out);
    case JSON_DOUBLES:
        return read_numbers(value, field, out);
    case JSON_TEXTS:
        return read_texts(value, field, out);
    case JSON_ANY:
        *(const struct json **)out = value;
        return KNACK_OK;
    }
    return json_fail(value, KNACK_E_CALL, "a field of unknown type %d", (int)field->type);
}

/* ---- Defaults ---- */

/* Every default is parsed once and lives as long as the program, because texts and lists that structs point into do. */
struct fallback {
    const char *text;
    struct json_document *document;
    struct fallback *next;
};
static struct fallback *fallbacks;
static pthread_mutex_t fallbacks_lock = PTHREAD_MUTEX_INITIALIZER;

static knack_status add_fallback(const char *text, struct fallback **added)
{
    struct fallback *fallback = memory_new(1, sizeof *fallback);
    if (!fallback) return KNACK_E_MEMORY;
    knack_status status = json_parse(text, strlen(text), "a default", &fallback->document);
    if (status >= 0) {
        fallback->text = arena_text(fallback->document->arena, text);
        if (!fallback->text) status = KNACK_E_MEMORY;
    }
    if (status < 0) {
        json_free(fallback->document);
        memory_free(fallback);
        return status;
    }
    fallback->next = fallbacks;
    fallbacks = *added = fallback;
    return KNACK_OK;
}

/* Under the lock. */
static knack_status read_fallback(const struct json_field *field, void *out)
{
    struct fallback *fallback = fallbacks;
    while (fallback && strcmp(fallback->text, field->fallback) != 0) fallback = fallback->next;
    if (!fallback) TRY(add_fallback(field->fallback, &fallback));
    return json_value(fallback->document->root, field, out);
}

static knack_status set_default(const struct json *object, const struct json_field *field, void *out)
{
    if (!field->fallback) {
        char expected[400];
        describe_expected(expected, sizeof expected, field);
        return json_fail(object, KNACK_E_CONFIG, "\"%s\" is missing; expected %s%s%s", field->name, expected, field->help ? ": " : "",
                         field->help ? field->help : "");
    }
    if (field->fallback[0] == '\0') return KNACK_OK;
    pthread_mutex_lock(&fallbacks_lock);
    knack_status status = read_fallback(field, out);
    pthread_mutex_unlock(&fallbacks_lock);
    if (status < 0) return status_prefix(status, "default of \"%s\"", field->name);
    if (!object || !object->document->complete) return KNACK_OK;
    const struct json *member;
    TRY(json_complete(object, field->name, field->fallback, &member));
    return json_value(member, field, out);
}

/* ---- Objects ---- */

static knack_status fail_unknown(const struct json *member, const struct json_field *table)
{
    int64_t count = 0;
    while (table[count].name) count++;
    const char **names = memory_new((size_t)count, sizeof *names);
    if (!names) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < count; i++) names[i] = table[i].name;
    char list[600];
    const char *nearest = text_nearest(member->name, names, count);
    knack_status status = nearest
                              ? json_fail(member, KNACK_E_CONFIG, "unknown name; nearest is \"%s\"", nearest)
                              : json_fail(member, KNACK_E_CONFIG, "unknown name; known are %s", text_list(list, sizeof list, names, count));
    memory_free(names);
    return status;
}

static knack_status refuse_unknown(const struct json *object, const struct json_field *table)
{
    for (const struct json *member = object->first; member; member = member->next) {
        const struct json_field *field = table;
        while (field->name && strcmp(field->name, member->name) != 0) field++;
        if (!field->name) return fail_unknown(member, table);
    }
    return KNACK_OK;
}

knack_status json_fields(const struct json *object, const struct json_field *table, void *out)
{
    if (object) {
        if (object->kind != JSON_OBJECT)
            return json_fail(object, KNACK_E_CONFIG, "expected an object, got %s", json_kind_name(object->kind));
        TRY(refuse_unknown(object, table));
    }
    for (const struct json_field *field = table; field->name; field++) {
        const struct json *member = json_member(object, field->name);
        void *place = (char *)out + field->offset;
        TRY(member ? json_value(member, field, place) : set_default(object, field, place));
    }
    return KNACK_OK;
}

/* ---- From a struct to the members of an object ---- */

/* A number that the field would not take back: one that nobody gave. */
static bool is_absent(const struct json_field *field, double number)
{
    struct json_range range;
    return isnan(number) || (field->fallback && field->range && json_range_parse(field->range, &range) && !json_range_holds(range, number));
}

static void write_choice(struct json_writer *writer, const struct json_field *field, int position)
{
    if (position >= 0 && position < choices_count(field->choices)) json_string(writer, field->name, field->choices[position]);
}

static void write_duration(struct json_writer *writer, const struct json_field *field, struct json_duration duration)
{
    char amount[32], text[40];
    if (duration.unit == DURATION_NONE) return;
    snprintf(text, sizeof text, "%s%s", text_number(amount, duration.amount), unit_names[duration.unit]);
    json_string(writer, field->name, text);
}

/* Of numbers or of texts; the other is NULL. */
static void write_list(struct json_writer *writer, const struct json_field *field, const double *number, const char *const *text,
                       int64_t count)
{
    if (count == 0 && field->fallback && field->fallback[0] == '\0') return;
    json_open(writer, field->name, '[');
    for (int64_t i = 0; i < count; i++) number ? json_number(writer, NULL, number[i]) : json_string(writer, NULL, text[i]);
    json_close(writer);
}

static void write_field(struct json_writer *writer, const struct json_field *field, const void *value)
{
    const char *text = field->type == JSON_TEXT ? *(const char *const *)value : NULL;
    const struct json_doubles *numbers = value;
    const struct json_texts *texts = value;
    switch (field->type) {
    case JSON_DOUBLE:
        if (!is_absent(field, *(const double *)value)) json_number(writer, field->name, *(const double *)value);
        break;
    case JSON_INTEGER:
        if (!is_absent(field, (double)*(const int64_t *)value)) json_integer(writer, field->name, *(const int64_t *)value);
        break;
    case JSON_BOOLEAN:
        json_boolean(writer, field->name, *(const bool *)value);
        break;
    case JSON_TEXT:
        if (text) json_string(writer, field->name, text);
        break;
    case JSON_CHOICE:
        write_choice(writer, field, *(const int *)value);
        break;
    case JSON_DURATION:
        write_duration(writer, field, *(const struct json_duration *)value);
        break;
    case JSON_DOUBLES:
        write_list(writer, field, numbers->value, NULL, numbers->count);
        break;
    case JSON_TEXTS:
        write_list(writer, field, NULL, texts->value, texts->count);
        break;
    case JSON_ANY:
        if (*(const struct json *const *)value) json_node(writer, field->name, *(const struct json *const *)value);
        break;
    }
}

void json_write_fields(struct json_writer *writer, const struct json_field *table, const void *values)
{
    for (const struct json_field *field = table; field->name; field++) write_field(writer, field, (const char *)values + field->offset);
}
