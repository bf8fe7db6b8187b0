/* Within base/json: what cJSON lacks of reading a text, and values parsed into a document that is there already. */
#ifndef BASE_JSON_SOURCE_H
#define BASE_JSON_SOURCE_H

#include "base/json.h"

#define JSON_BLANKS " \t\r\n"
enum { JSON_DEPTH = 100 }; /* nesting that is accepted; readers may recurse */

struct json_source {
    const char *file, *text;
    size_t size;
    char *plain; /* the text with blanks for its comments, NUL-terminated; every offset is the text's */
};

/* Checks bytes, strings, comments, nesting and what follows brackets and commas. On error nothing is left to free. */
knack_status json_source_open(const char *text, size_t size, const char *file, struct json_source *);
void json_source_close(struct json_source *);
/* How long the string, word, number or sign is that begins here, in plain; not at its end. */
size_t json_token_length(const char *token);
/* Refuses what is no number in JSON, and longer ones than cJSON reads. */
knack_status json_source_number(const struct json_source *, const char *number);
/* Says why cJSON refused what stands at stop, in plain. */
knack_status json_source_refused(const struct json_source *, const char *stop);
/* Sets the message "FILE:LINE:COLUMN: ..." for a place in plain and returns KNACK_E_CONFIG. Columns count characters. */
knack_status json_source_fail(const struct json_source *, const char *place, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* How many bytes the UTF-8 character at text has, of which `left` bytes are there; 0 if it is none. */
size_t json_utf8_length(const char *text, size_t left);

/* Parses text into nodes of the document's arena; *value has no parent. */
knack_status json_parse_value(struct json_document *, const char *text, size_t size, struct json **value);
struct json *json_new_node(struct json_document *, enum json_kind);              /* NULL: KNACK_E_MEMORY is set */
void json_add_child(struct json *parent, struct json *last, struct json *child); /* behind last; NULL: as the first */

#endif
