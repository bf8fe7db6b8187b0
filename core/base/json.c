/* JSON documents: parsing, looking, paths and errors. */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json_source.h"
#include "base/memory.h"
#include "base/text.h"

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

/* The tree is walked in the order of the text, and so meets names and values in the order of the source's tokens. */
struct builder {
    struct json_document *document;
    const struct json_source *source;
    const char *at; /* in the source's plain text, behind the latest token */
};

/* The next bracket that opens, string, number or word: where the tree's next name or value stands. */
static const char *next_token(struct builder *builder)
{
    const char *token = builder->at + strspn(builder->at, JSON_BLANKS ",:]}");
    builder->at = token + json_token_length(token);
    return token;
}

/* A member of an object, with the place of its name. */
struct named {
    const struct json *member;
    const char *place;
};

static int by_name(const void *a, const void *b)
{
    const struct named *first = a, *second = b;
    int order = strcmp(first->member->name, second->member->name);
    return order != 0 ? order : (first->place > second->place) - (first->place < second->place);
}

static knack_status refuse_duplicates(const struct builder *builder, struct named *named, int64_t count)
{
    qsort(named, (size_t)count, sizeof *named, by_name);
    for (int64_t i = 1; i < count; i++) {
        const struct json *member = named[i].member;
        if (strcmp(named[i - 1].member->name, member->name) != 0) continue;
        return json_source_fail(builder->source, named[i].place, "at %s: this name stands twice in its object", json_path(member));
    }
    return KNACK_OK;
}

static knack_status fill(struct builder *, const cJSON *, struct json *node);

/* named: room for all children of an object. */
static knack_status fill_children(struct builder *builder, const cJSON *item, struct json *parent, struct named *named)
{
    struct json *last = NULL;
    for (const cJSON *child = item->child; child; child = child->next) {
        struct json *node = json_new_node(builder->document, JSON_NULL);
        if (!node) return KNACK_E_MEMORY;
        if (named) {
            node->name = arena_text(builder->document->arena, child->string);
            if (!node->name) return KNACK_E_MEMORY;
            named[parent->count] = (struct named){node, next_token(builder)};
        }
        json_add_child(parent, last, node);
        last = node;
        TRY(fill(builder, child, node));
    }
    return KNACK_OK;
}

static knack_status fill_object(struct builder *builder, const cJSON *item, struct json *object)
{
    struct named *named = memory_new((size_t)cJSON_GetArraySize(item), sizeof *named);
    if (!named) return KNACK_E_MEMORY;
    knack_status status = fill_children(builder, item, object, named);
    if (status >= 0) status = refuse_duplicates(builder, named, object->count);
    memory_free(named);
    return status;
}

static knack_status fill(struct builder *builder, const cJSON *item, struct json *node)
{
    const char *token = next_token(builder);
    switch (item->type & 0xFF) {
    case cJSON_False:
    case cJSON_True:
        node->kind = JSON_FLAG;
        node->flag = (item->type & 0xFF) == cJSON_True;
        return KNACK_OK;
    case cJSON_Number:
        node->kind = JSON_NUMBER;
        node->number = item->valuedouble;
        TRY(json_source_number(builder->source, token));
        if (isfinite(node->number)) return KNACK_OK;
        return json_source_fail(builder->source, token, "%.*s is too large: numbers go to about 1.8e308", (int)json_token_length(token),
                                token);
    case cJSON_String:
        node->kind = JSON_STRING;
        node->string = arena_text(builder->document->arena, item->valuestring);
        return node->string ? KNACK_OK : KNACK_E_MEMORY;
    case cJSON_Array:
        node->kind = JSON_ARRAY;
        return fill_children(builder, item, node, NULL);
    case cJSON_Object:
        node->kind = JSON_OBJECT;
        return fill_object(builder, item, node);
    default:
        return KNACK_OK; /* null */
    }
}

/* cJSON tells a refused allocation from a refused text by errno alone. Its hooks would tell too, but belong to the program that embeds
 * knack. */
static knack_status parse_tree(const struct json_source *source, cJSON **tree)
{
    const char *stop = source->plain;
    locale_t outer = uselocale(text_locale());
    errno = 0;
    *tree = cJSON_ParseWithLengthOpts(source->plain, source->size + 1, &stop, true);
    bool refused = errno == ENOMEM;
    uselocale(outer);
    if (*tree) return KNACK_OK;
    if (refused) return status_set(KNACK_E_MEMORY, "out of memory: %s cannot be parsed", source->file);
    return json_source_refused(source, stop);
}

knack_status json_parse_value(struct json_document *document, const char *text, size_t size, struct json **value)
{
    struct json_source source;
    TRY(json_source_open(text, size, document->file, &source));
    cJSON *tree;
    knack_status status = parse_tree(&source, &tree);
    if (status >= 0) {
        struct builder builder = {document, &source, source.plain};
        *value = json_new_node(document, JSON_NULL);
        status = *value ? fill(&builder, tree, *value) : KNACK_E_MEMORY;
    }
    cJSON_Delete(tree);
    json_source_close(&source);
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
    static const char *const names[] = {"null", "true or false", "a number", "a string", "a list", "an object"};
    return names[kind];
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
