/* JSON with comments, read through cJSON into nodes that know their parents, so that every error names file and path; tables of
 * fields, by which every object of a config or manifest is read and checked; and a writer. Numbers do not depend on the locale. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/status.h"

enum json_kind { JSON_NULL, JSON_FLAG, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    bool flag;
    double number; /* finite */
    const char *string;
    const char *name; /* key within an object, else NULL */
    int64_t index;    /* position within the parent */
    int64_t count;    /* children */
    struct json *parent, *first, *next;
    const void *entries; /* of a list that was read by a field: its numbers or texts, else NULL */
    struct json_document *document;
};

struct json_document {
    const char *file; /* name used in errors */
    struct json *root;
    struct arena *arena; /* holds all nodes and texts */
    bool complete;       /* json_fields() adds the defaults of absent members to its objects: the resolved config */
};

/* Reads a file, or parses text of size bytes under a name for errors. // and / * * / comments are allowed; duplicate keys, trailing
 * commas, trailing text, bytes that are no UTF-8, and numbers that are not finite or have more than 63 characters are refused with
 * FILE:LINE:COLUMN. A byte order mark is passed over. On error *document is NULL. */
knack_status json_read(const char *path, struct json_document **document);
knack_status json_parse(const char *text, size_t size, const char *file, struct json_document **document);
void json_free(struct json_document *); /* NULL is fine */

const struct json *json_member(const struct json *object, const char *name); /* NULL: absent, or not an object */
/* A member's text or number; otherwise, or NaN, if there is none or it is of another kind. */
const char *json_member_text(const struct json *object, const char *name, const char *otherwise);
double json_member_number(const struct json *object, const char *name);
/* "train.optimizer.lr", "plugins[1].alpha"; the root is "". In a buffer of the thread, valid until the next four calls. */
const char *json_path(const struct json *);
/* Sets the message "FILE: at PATH: ..." and returns code. */
knack_status json_fail(const struct json *, knack_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Sets path ("train.epochs", "plugins[0].alpha") to a value: JSON text, or else a plain string; makes missing objects on the way. */
knack_status json_set(struct json_document *, const char *path, const char *value);
/* The same with a value that is a string whatever it looks like. */
knack_status json_set_text(struct json_document *, const char *path, const char *value);
/* Sets what "train.epochs=2" says, as an option --set gives it. */
knack_status json_assign(struct json_document *, const char *assignment);
/* Adds to an array (made if missing) at path a value given as JSON text or else a plain string. */
knack_status json_append(struct json_document *, const char *path, const char *value);
/* Adds a member with the value that JSON text gives to an object of a document that is being completed. */
knack_status json_complete(const struct json *object, const char *name, const char *value, const struct json **member);
/* Makes the object at path if there is nothing. */
knack_status json_ensure_object(struct json_document *, const char *path);
const char *json_kind_name(enum json_kind); /* "an object", "a number", ... */

/* ---- Tables of fields ---- */

enum json_field_type {
    JSON_DOUBLE,   /* double */
    JSON_INTEGER,  /* int64_t, below 2^53 */
    JSON_BOOLEAN,  /* bool */
    JSON_TEXT,     /* const char *, of the document */
    JSON_CHOICE,   /* int: index in choices */
    JSON_DURATION, /* struct json_duration: a number of updates, or "100st", "2ep", "0.7dur" */
    JSON_DOUBLES,  /* struct json_doubles */
    JSON_TEXTS,    /* struct json_texts; one string counts as a list of one */
    JSON_ANY       /* const struct json *: the node, to be read further */
};

struct json_duration {
    double amount;
    enum { DURATION_NONE, DURATION_UPDATES, DURATION_EPOCHS, DURATION_RUN } unit;
};
struct json_doubles {
    const double *value;
    int64_t count;
};
struct json_texts {
    const char *const *value;
    int64_t count;
};

struct json_field {
    const char *name;
    enum json_field_type type;
    size_t offset;              /* in the struct that is filled */
    const char *fallback;       /* default as JSON text; NULL: required; "" : optional, the struct is left as it was */
    const char *range;          /* "[0,1]", "(0,inf)", as in mathematics, of numbers and of a list's entries; NULL: any */
    const char *const *choices; /* NULL-terminated; JSON_CHOICE, and JSON_TEXT(S) if given */
    const char *help;
};

/* Fills out from object (NULL: all defaults) by the table, which ends with a NULL name. Unknown names are refused with the nearest right
 * one; missing, wrongly typed, out-of-range values with what was expected. */
knack_status json_fields(const struct json *object, const struct json_field *table, void *out);
/* One value checked and converted as a field would be, into out (of the field's type). */
knack_status json_value(const struct json *value, const struct json_field *, void *out);
knack_status json_duration_parse(const char *text, struct json_duration *); /* no message; KNACK_E_CONFIG */
/* In updates, of a run of epochs * epoch_updates; rounded to nearest. */
int64_t json_duration_updates(struct json_duration, int64_t epoch_updates, int64_t epochs);

/* ---- Writing ---- */

/* Grows a text; compact on one line, or indented by two. Errors (memory, a number that is not finite becomes null) are kept until the end.
 */
struct json_writer;
struct json_writer *json_writer_new(bool indented);
void json_writer_free(struct json_writer *);
void json_open(struct json_writer *, const char *name, char bracket); /* '{' or '['; name NULL within arrays and at the root */
void json_close(struct json_writer *);
void json_number(struct json_writer *, const char *name, double); /* shortest text that reads back equal */
void json_integer(struct json_writer *, const char *name, int64_t);
void json_boolean(struct json_writer *, const char *name, bool);
void json_string(struct json_writer *, const char *name, const char *); /* NULL: null */
void json_node(struct json_writer *, const char *name, const struct json *);
/* The text so far, NUL-terminated, of *size bytes (size may be NULL); NULL if anything failed. The writer's. */
const char *json_text(struct json_writer *, size_t *size);
char *json_take(struct json_writer *); /* the same, memory_free(); frees the writer (NULL is fine, and gives NULL) */
/* A value as JSON text, memory_free(); NULL without memory. */
char *json_node_text(const struct json *, bool indented);
/* The members of an object that json_fields() reads into an equal struct by the same table. Left out is what nobody gave: NULL, NaN, a
 * choice or duration that is none, and, if the field has a default or is optional, a number outside its range; an optional list that is
 * empty. */
void json_write_fields(struct json_writer *, const struct json_field *table, const void *values);
void json_schema_fields(struct json_writer *,
                        const struct json_field *table); /* the members of a JSON Schema object: type, properties, ... */

#endif
