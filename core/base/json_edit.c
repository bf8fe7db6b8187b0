/* Changing a document at a path, as a command line does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json_source.h"

/* One step of a path: a name, or an index if name is NULL. */
struct step {
    const char *name;
    size_t length;
    int64_t index;
};

/* Reads the step at *rest and goes past it; false if there is none. first: no dot stands before a name. */
static bool read_step(const char **rest, bool first, struct step *step)
{
    const char *text = *rest;
    *step = (struct step){0};
    if (*text == '[') {
        size_t digits = strspn(text + 1, "0123456789");
        if (digits == 0 || digits > 9 || text[1 + digits] != ']') return false;
        step->index = atoll(text + 1);
        *rest = text + digits + 2;
        return true;
    }
    if (!first && *text++ != '.') return false;
    step->name = text;
    step->length = strcspn(text, ".[");
    *rest = text + step->length;
    return step->length > 0;
}

static knack_status check_path(const char *path)
{
    const char *rest = path;
    struct step step;
    do {
        if (!read_step(&rest, rest == path, &step)) {
            return status_set(KNACK_E_USAGE, "\"%s\" is no path; expected one such as train.epochs or plugins[0].alpha", path);
        }
    } while (*rest != '\0');
    return KNACK_OK;
}

static bool is_child(const struct json *child, struct step step)
{
    if (!step.name) return child->index == step.index;
    return child->name && strlen(child->name) == step.length && memcmp(child->name, step.name, step.length) == 0;
}

/* NULL: there is no such child. */
static struct json *find_child(const struct json *parent, struct step step)
{
    if (parent->kind != (step.name ? JSON_OBJECT : JSON_ARRAY)) return NULL;
    struct json *child = parent->first;
    while (child && !is_child(child, step)) child = child->next;
    return child;
}

/* A new child at the end, which is null. */
static struct json *append_child(struct json *parent)
{
    struct json *child = json_new_node(parent->document, JSON_NULL), *last = parent->first;
    if (!child) return NULL;
    while (last && last->next) last = last->next;
    json_add_child(parent, last, child);
    return child;
}

static struct json *append_member(struct json *parent, struct step step)
{
    char *name = arena_zeroed(parent->document->arena, step.length + 1);
    struct json *child = name ? append_child(parent) : NULL;
    if (!child) return NULL;
    parent->kind = JSON_OBJECT;
    child->name = memcpy(name, step.name, step.length);
    return child;
}

/* Goes down a path as far as there are nodes; *rest gets what is left of the path. */
static struct json *walk(struct json *root, const char *path, const char **rest)
{
    struct json *node = root;
    *rest = path;
    while (**rest != '\0') {
        const char *after = *rest;
        struct step step;
        read_step(&after, after == path, &step);
        struct json *child = find_child(node, step);
        if (!child) return node;
        node = child;
        *rest = after;
    }
    return node;
}

/* rest of path, which goes on with a dot and a number, meets a list: says how that is written. */
static knack_status fail_dotted(const struct json *list, const char *path, const char *rest)
{
    const char *number = rest + 1;
    int before = (int)(rest - path), digits = (int)strspn(number, "0123456789");
    return json_fail(list, KNACK_E_USAGE, "this is a list, whose entries are written in brackets: %.*s[%.*s]%s", before, path, digits,
                     number, number + digits);
}

/* The node at path. What is missing is made, as objects and a null at their end; nothing is made if that is impossible. */
static knack_status make_place(struct json_document *document, const char *path, struct json **place)
{
    TRY(check_path(path));
    const char *rest;
    struct json *node = walk(document->root, path, &rest);
    if (node->kind == JSON_NULL && !node->parent)
        return json_fail(node, KNACK_E_CONFIG, "expected an object, got %s", json_kind_name(node->kind));
    if (*rest != '\0') {
        const char *bracket = strchr(rest, '[');
        if (node->kind == JSON_ARRAY && *rest == '.' && rest[1] >= '0' && rest[1] <= '9') return fail_dotted(node, path, rest);
        if (bracket == rest && node->kind == JSON_ARRAY) {
            return json_fail(node, KNACK_E_USAGE, "no entry %s in a list of %lld", rest, (long long)node->count);
        }
        if (bracket) return json_fail(node, KNACK_E_USAGE, "no list for %s here", rest);
        if (node->kind != JSON_OBJECT && node->kind != JSON_NULL) {
            return json_fail(node, KNACK_E_USAGE, "expected an object for \"%s\", this is %s", path, json_kind_name(node->kind));
        }
    }
    while (*rest != '\0') {
        struct step step;
        read_step(&rest, rest == path, &step);
        node = append_member(node, step);
        if (!node) return KNACK_E_MEMORY;
    }
    *place = node;
    return KNACK_OK;
}

static knack_status make_text(struct json_document *document, const char *text, struct json **value)
{
    *value = json_new_node(document, JSON_STRING);
    if (!*value) return KNACK_E_MEMORY;
    (*value)->string = arena_text(document->arena, text);
    return (*value)->string ? KNACK_OK : KNACK_E_MEMORY;
}

/* The parser's message, which begins as if the text stood in the document's file. */
static knack_status refuse_object(const struct json_document *document, const char *text)
{
    char message[256];
    snprintf(message, sizeof message, "%s", knack_error());
    const size_t file = strlen(document->file) + 1;
    return status_set(KNACK_E_CONFIG, "in '%s', at %s", text, strlen(message) > file ? message + file : message);
}

/* What a command line means by value: JSON, or else a plain string, which none begins with a brace. */
static knack_status read_value(struct json_document *document, const char *text, struct json **value)
{
    knack_status status = json_parse_value(document, text, strlen(text), value);
    if (status != KNACK_E_CONFIG) return status;
    if (*text == '{') return refuse_object(document, text);
    status_clear();
    return make_text(document, text, value);
}

/* Makes place be what value is; place keeps its name and position. */
static void assign(struct json *place, const struct json *value)
{
    struct json kept = *place;
    *place = *value;
    place->name = kept.name;
    place->index = kept.index;
    place->parent = kept.parent;
    place->next = kept.next;
    for (struct json *child = place->first; child; child = child->next) child->parent = place;
}

static knack_status put(struct json_document *document, const char *path, const struct json *value)
{
    struct json *place;
    TRY(make_place(document, path, &place));
    assign(place, value);
    return KNACK_OK;
}

knack_status json_set(struct json_document *document, const char *path, const char *text)
{
    struct json *value;
    TRY(read_value(document, text, &value));
    return put(document, path, value);
}

knack_status json_set_text(struct json_document *document, const char *path, const char *text)
{
    struct json *value;
    TRY(make_text(document, text, &value));
    return put(document, path, value);
}

knack_status json_assign(struct json_document *document, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    char path[256];
    if (!equals || equals == assignment || (size_t)(equals - assignment) >= sizeof path)
        return status_set(KNACK_E_USAGE, "--set %s: expected KEY=VALUE, as in --set train.epochs=2", assignment);
    memcpy(path, assignment, (size_t)(equals - assignment));
    path[equals - assignment] = 0;
    return json_set(document, path, equals + 1);
}

knack_status json_append(struct json_document *document, const char *path, const char *text)
{
    struct json *value, *list;
    TRY(read_value(document, text, &value));
    TRY(make_place(document, path, &list));
    if (list->kind != JSON_ARRAY && list->kind != JSON_NULL) {
        return json_fail(list, KNACK_E_USAGE, "expected a list to add to, this is %s", json_kind_name(list->kind));
    }
    struct json *entry = append_child(list);
    if (!entry) return KNACK_E_MEMORY;
    list->kind = JSON_ARRAY;
    assign(entry, value);
    return KNACK_OK;
}

knack_status json_complete(const struct json *object, const char *name, const char *text, const struct json **member)
{
    struct json_document *document = object->document;
    struct json *value;
    TRY(json_parse_value(document, text, strlen(text), &value));
    /* The document is this module's to change; callers see it as constant so that only here it grows. */
    struct json *added = append_member((struct json *)object, (struct step){.name = name, .length = strlen(name)});
    if (!added) return KNACK_E_MEMORY;
    assign(added, value);
    *member = added;
    return KNACK_OK;
}

knack_status json_ensure_object(struct json_document *document, const char *path)
{
    const char *rest;
    TRY(check_path(path));
    walk(document->root, path, &rest);
    return *rest == '\0' ? KNACK_OK : json_set(document, path, "{}");
}
