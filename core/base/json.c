/* JSON documents: parsing, looking, paths and errors. */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json_source.h"
#include "base/memory.h"

struct json *json_new_node(struct json_document *document, enum json_kind kind)
{
    struct json *node = arena_zeroed(document->arena, sizeof *node);
    if (!node) return NULL;
    node->kind = kind;
    node->document = document;
    return node;
}

void json_add_child(struct json *parent, struct json *last, struct json *child)
{
    child->parent = parent;
    child->index = parent->count++;
    child->next = NULL;
    *(last ? &last->next : &parent->first) = child;
}

/* ---- From cJSON's tree to nodes ---- */

/* cJSON's tree is walked in the order of the text, and so meets strings and numbers in the order of the source's tokens. */
struct builder {
    struct json_document *document;
    const struct json_source *source;
    const struct json_token *next;
};

/* A member of an object, with the place of its name. */
struct named {
    const struct json *member;
    size_t offset;
};

static int by_name(const void *a, const void *b)
{
    const struct named *first = a, *second = b;
    int order = strcmp(first->member->name, second->member->name);
    return order != 0 ? order : (first->offset > second->offset) - (first->offset < second->offset);
}

static knack_status refuse_duplicates(const struct builder *builder, struct named *named, int64_t count)
{
    qsort(named, (size_t)count, sizeof *named, by_name);
    for (int64_t i = 1; i < count; i++) {
        const struct json *member = named[i].member;
        if (strcmp(named[i - 1].member->name, member->name) != 0) continue;
        return json_source_fail(builder->source, named[i].offset, "at %s: this name stands twice in its object", json_path(member));
    }
    return KNACK_OK;
}

static knack_status fill(struct builder *, const cJSON *, struct json *node);

/* named has room for all members. */
static knack_status fill_members(struct builder *builder, const cJSON *item, struct json *object, struct named *named)
{
    struct json *last = NULL;
    for (const cJSON *child = item->child; child; child = child->next) {
        struct json *node = json_new_node(builder->document, JSON_NULL);
        if (!node) return KNACK_E_MEMORY;
        node->name = arena_text(builder->document->arena, child->string);
        if (!node->name) return KNACK_E_MEMORY;
        named[object->count] = (struct named){node, builder->next++->offset};
        json_add_child(object, last, node);
        last = node;
        TRY(fill(builder, child, node));
    }
    return refuse_duplicates(builder, named, object->count);
}

static knack_status fill_object(struct builder *builder, const cJSON *item, struct json *object)
{
    struct named *named = memory_new((size_t)cJSON_GetArraySize(item), sizeof *named);
    if (!named) return KNACK_E_MEMORY;
    knack_status status = fill_members(builder, item, object, named);
    memory_free(named);
    return status;
}

static knack_status fill_array(struct builder *builder, const cJSON *item, struct json *array)
{
    struct json *last = NULL;
    for (const cJSON *child = item->child; child; child = child->next) {
        struct json *node = json_new_node(builder->document, JSON_NULL);
        if (!node) return KNACK_E_MEMORY;
        json_add_child(array, last, node);
        last = node;
        TRY(fill(builder, child, node));
    }
    return KNACK_OK;
}

static knack_status fill(struct builder *builder, const cJSON *item, struct json *node)
{
    switch (item->type & 0xFF) {
    case cJSON_False:
    case cJSON_True:
        node->kind = JSON_FLAG;
        node->flag = (item->type & 0xFF) == cJSON_True;
        return KNACK_OK;
    case cJSON_Number:
        node->kind = JSON_NUMBER;
        node->number = builder->next++->number;
        return KNACK_OK;
    case cJSON_String:
        node->kind = JSON_STRING;
        node->string = arena_text(builder->document->arena, item->valuestring);
        builder->next++;
        return node->string ? KNACK_OK : KNACK_E_MEMORY;
    case cJSON_Array:
        node->kind = JSON_ARRAY;
        return fill_array(builder, item, node);
    case cJSON_Object:
        node->kind = JSON_OBJECT;
        return fill_object(builder, item, node);
    default:
        return KNACK_OK; /* null */
    }
}

/* What cJSON stopped at; it says no more than where. */
static knack_status fail_at(const struct json_source *source, const char *stop)
{
    size_t offset = stop ? (size_t)(stop - source->plain) : 0;
    offset += strspn(source->plain + offset, " \t\r\n");
    if (strspn(source->plain, " \t\r\n") >= source->size)
        return status_set(KNACK_E_CONFIG, "%s: is empty; expected an object, at least {}", source->file);
    if (offset >= source->size) return json_source_fail(source, source->size, "the text ends here, and is not complete");
    char sign = source->text[offset];
    if (sign == '\\') return json_source_fail(source, offset, "this is no escape that JSON knows");
    if (strchr("}],:", sign)) return json_source_fail(source, offset, "unexpected \"%c\"", sign);
    return json_source_fail(source, offset, "unexpected \"%c\"; is a comma, a colon or a bracket missing before it?", sign);
}

knack_status json_parse_value(struct json_document *document, const char *text, size_t size, struct json **value)
{
    struct json_source source;
    TRY(json_source_scan(text, size, document->file, &source));
    const char *stop = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(source.plain, size + 1, &stop, true);
    knack_status status;
    if (!tree) {
        status = fail_at(&source, stop);
    } else {
        struct builder builder = {document, &source, source.token};
        *value = json_new_node(document, JSON_NULL);
        status = *value ? fill(&builder, tree, *value) : KNACK_E_MEMORY;
    }
    cJSON_Delete(tree);
    json_source_free(&source);
    return status;
}

/* ---- Documents ---- */

static struct json_document *new_document(const char *file, size_t size)
{
    struct arena *arena = arena_new(size < ((size_t)1 << 20) ? 8 * size + 4096 : size);
    if (!arena) return NULL;
    struct json_document *document = arena_zeroed(arena, sizeof *document);
    char *name = document ? arena_text(arena, file) : NULL;
    if (!name) {
        arena_free(arena);
        return NULL;
    }
    document->file = name;
    document->arena = arena;
    return document;
}

knack_status json_parse(const char *text, size_t size, const char *file, struct json_document **document)
{
    *document = NULL;
    struct json_document *parsed = new_document(file, size);
    if (!parsed) return KNACK_E_MEMORY;
    knack_status status = json_parse_value(parsed, text, size, &parsed->root);
    if (status < 0)
        json_free(parsed);
    else
        *document = parsed;
    return status;
}

knack_status json_read(const char *path, struct json_document **document)
{
    *document = NULL;
    char *text;
    size_t size;
    TRY(file_read(path, KNACK_E_CONFIG, &text, &size));
    knack_status status = json_parse(text, size, path, document);
    memory_free(text);
    return status;
}

void json_free(struct json_document *document)
{
    if (document) arena_free(document->arena); /* which holds the document too */
}

/* ---- Looking ---- */

const struct json *json_member(const struct json *object, const char *name)
{
    if (!object || object->kind != JSON_OBJECT) return NULL;
    const struct json *member = object->first;
    while (member && strcmp(member->name, name) != 0) member = member->next;
    return member;
}

const char *json_member_text(const struct json *object, const char *name, const char *otherwise)
{
    const struct json *member = json_member(object, name);
    return member && member->kind == JSON_STRING ? member->string : otherwise;
}

double json_member_number(const struct json *object, const char *name)
{
    const struct json *member = json_member(object, name);
    return member && member->kind == JSON_NUMBER ? member->number : NAN;
}

const char *json_kind_name(enum json_kind kind)
{
    switch (kind) {
    case JSON_NULL:
        return "null";
    case JSON_FLAG:
        return "true or false";
    case JSON_NUMBER:
        return "a number";
    case JSON_STRING:
        return "a string";
    case JSON_ARRAY:
        return "a list";
    case JSON_OBJECT:
        return "an object";
    }
    return "nothing";
}

enum { PATHS = 4, PATH_SIZE = 512 };

/* Returns how much of the buffer is used. */
static size_t write_path(const struct json *node, char *buffer)
{
    if (!node->parent) return 0;
    size_t used = write_path(node->parent, buffer), left = PATH_SIZE - used;
    int length = node->name ? snprintf(buffer + used, left, "%s%s", used > 0 ? "." : "", node->name)
                            : snprintf(buffer + used, left, "[%lld]", (long long)node->index);
    return (size_t)length < left ? used + (size_t)length : PATH_SIZE - 1;
}

const char *json_path(const struct json *node)
{
    static _Thread_local char buffer[PATHS][PATH_SIZE];
    static _Thread_local unsigned next;
    char *path = buffer[next++ % PATHS];
    path[write_path(node, path)] = '\0';
    return path;
}

knack_status json_fail(const struct json *node, knack_status code, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!node) return status_set(code, "%s", text);
    const char *path = json_path(node);
    if (path[0] == '\0') return status_set(code, "%s: %s", node->document->file, text);
    return status_set(code, "%s: at %s: %s", node->document->file, path, text);
}
