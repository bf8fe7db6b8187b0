/* Within base/json: the source text, checked and prepared for cJSON, and values parsed into a document that is there already. */
#ifndef BASE_JSON_SOURCE_H
#define BASE_JSON_SOURCE_H

#include "base/json.h"

enum { JSON_DEPTH = 100 }; /* nesting that is accepted; readers may recurse */

/* A string (a name too) or a number of the source. */
struct json_token {
    size_t offset;
    double number;
};

struct json_source {
    const char *file, *text;
    size_t size;
    char *plain;              /* the text with blanks for comments and 0 for every number, NUL-terminated; every offset is that of text */
    struct json_token *token; /* in the order of the text */
    int64_t tokens, room;
};

/* Checks all that cJSON would let pass, and reads the numbers. On error nothing is left to free. */
knack_status json_source_scan(const char *text, size_t size, const char *file, struct json_source *);
void json_source_free(struct json_source *);
/* Sets the message "FILE:LINE:COLUMN: ..." and returns KNACK_E_CONFIG. Columns count characters. */
knack_status json_source_fail(const struct json_source *, size_t offset, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* How many bytes the UTF-8 character at text has, of which `left` bytes are there; 0 if it is none. */
size_t json_utf8_length(const char *text, size_t left);

/* Parses text into nodes of the document's arena; *value has no parent. */
knack_status json_parse_value(struct json_document *, const char *text, size_t size, struct json **value);
struct json *json_new_node(struct json_document *, enum json_kind);              /* NULL: KNACK_E_MEMORY is set */
void json_add_child(struct json *parent, struct json *last, struct json *child); /* behind last; NULL: as the first */

#endif
