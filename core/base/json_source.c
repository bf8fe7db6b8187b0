/* What cJSON lacks. It knows no comments, takes any byte within strings and many between values, and numbers such as 01; and it says
 * where a text goes wrong, but not how. */
#include "base/json_source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

knack_status json_source_fail(const struct json_source *source, const char *place, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int64_t line = 1, column = 1;
    for (const char *at = source->text, *end = at + (place - source->plain); at < end; at++) {
        if (*at == '\n')
            line++, column = 1;
        else if ((*at & 0xC0) != 0x80)
            column++; /* not the inside of a character */
    }
    return status_set(KNACK_E_CONFIG, "%s:%lld:%lld: %s", source->file, (long long)line, (long long)column, text);
}

/* ---- Bytes and tokens ---- */

size_t json_utf8_length(const char *start, size_t left)
{
    const unsigned char *text = (const unsigned char *)start;
    unsigned char first = text[0];
    if (first < 0x80) return 1;
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || length > left) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) return 0;
    }
    bool overlong = (first == 0xE0 && text[1] < 0xA0) || (first == 0xF0 && text[1] < 0x90);
    bool surrogate = first == 0xED && text[1] >= 0xA0;
    bool too_large = first == 0xF4 && text[1] >= 0x90;
    return overlong || surrogate || too_large ? 0 : length;
}

static knack_status check_bytes(const struct json_source *source)
{
    for (size_t i = 0; i < source->size;) {
        const char *here = source->plain + i;
        size_t length = json_utf8_length(here, source->size - i);
        if (length == 0) return json_source_fail(source, here, "byte 0x%02X is not UTF-8", (unsigned char)*here);
        if (*here == '\0') return json_source_fail(source, here, "a NUL byte has no place in JSON");
        i += length;
    }
    return KNACK_OK;
}

static bool begins_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
}

static bool is_in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || begins_number(c);
}

size_t json_token_length(const char *token)
{
    const char *end = token + 1;
    if (*token == '"') {
        while (*end != '"') end += *end == '\\' ? 2 : 1;
        return (size_t)(end + 1 - token);
    }
    if (!is_in_word(*token)) return json_utf8_length(token, 4); /* a NUL ends what is shorter */
    while (is_in_word(*end)) end++;
    return (size_t)(end - token);
}

/* What a message shows of a token. */
static int shown(const char *token)
{
    size_t length = *token == '"' ? 1 : json_token_length(token);
    return length < 40 ? (int)length : 40;
}

/* ---- Before cJSON ---- */

struct scanner {
    struct json_source *source;
    char *at;
    const char *last; /* the token before this one, or NULL */
    int depth;
    char open[JSON_DEPTH]; /* brackets */
};

static knack_status blank_comment(struct scanner *scanner)
{
    char *start = scanner->at, *after;
    if (strncmp(start, "//", 2) == 0) {
        after = start + strcspn(start, "\n");
    } else if (strncmp(start, "/*", 2) == 0) {
        after = strstr(start + 2, "*/");
        if (!after) return json_source_fail(scanner->source, start, "this comment has no end");
        after += 2;
    } else {
        return json_source_fail(scanner->source, start, "\"%c\" begins no comment; comments are // and /* */", *start);
    }
    memset(start, ' ', (size_t)(after - start));
    scanner->at = after;
    return KNACK_OK;
}

static knack_status check_string(const struct json_source *source, const char *quote)
{
    for (const char *at = quote + 1; *at != '"'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '\0' || byte == '\n' || (byte == '\\' && at[1] == '\0'))
            return json_source_fail(source, quote, "this string has no closing \" on its line");
        if (byte < ' ') return json_source_fail(source, at, "control character 0x%02X within a string; write it as \\u%04X", byte, byte);
        if (strncmp(at, "\\u0000", 6) == 0) return json_source_fail(source, at, "\\u0000 is not accepted within strings");
        if (byte == '\\') at++;
    }
    return KNACK_OK;
}

static knack_status check_sign(struct scanner *scanner)
{
    const struct json_source *source = scanner->source;
    char sign = *scanner->at;
    if (sign == '{' || sign == '[') {
        if (scanner->depth == JSON_DEPTH) return json_source_fail(source, scanner->at, "nested more than %d deep", JSON_DEPTH);
        scanner->open[scanner->depth++] = sign;
    } else if (sign == '}' || sign == ']') {
        if (scanner->depth == 0) return json_source_fail(source, scanner->at, "\"%c\" closes nothing", sign);
        scanner->depth--;
    } else if ((unsigned char)sign < ' ') {
        return json_source_fail(source, scanner->at, "unexpected character 0x%02X", (unsigned char)sign);
    }
    return KNACK_OK;
}

/* What cJSON would refuse in a way that hides the reason. */
static knack_status check_order(const struct scanner *scanner)
{
    const char *here = scanner->at;
    char last = scanner->last ? *scanner->last : '\0';
    bool closes = *here == '}' || *here == ']';
    if (last == ',' && closes)
        return json_source_fail(scanner->source, scanner->last, "trailing comma: nothing follows it before \"%c\"; remove it", *here);
    bool wants_name = scanner->depth > 0 && scanner->open[scanner->depth - 1] == '{' && (last == '{' || last == ',');
    if (!wants_name || *here == '"' || closes) return KNACK_OK;
    return json_source_fail(scanner->source, here, "expected a name in \"...\", found \"%.*s\"", shown(here), here);
}

/* One token, comment or run of blanks. */
static knack_status check_next(struct scanner *scanner)
{
    size_t blanks = strspn(scanner->at, JSON_BLANKS);
    scanner->at += blanks;
    if (blanks > 0) return KNACK_OK;
    if (*scanner->at == '/' || *scanner->at == '#') return blank_comment(scanner);
    TRY(check_order(scanner));
    TRY(*scanner->at == '"' ? check_string(scanner->source, scanner->at) : check_sign(scanner));
    scanner->last = scanner->at;
    scanner->at += json_token_length(scanner->at);
    return KNACK_OK;
}

knack_status json_source_open(const char *text, size_t size, const char *file, struct json_source *source)
{
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3, size -= 3; /* a byte order mark */
    *source = (struct json_source){.file = file, .text = text, .size = size, .plain = memory_new(size + 1, 1)};
    if (!source->plain) return KNACK_E_MEMORY;
    memcpy(source->plain, text, size);
    struct scanner scanner = {.source = source, .at = source->plain};
    knack_status status = check_bytes(source);
    while (status >= 0 && *scanner.at) status = check_next(&scanner);
    if (status < 0) json_source_close(source);
    return status;
}

void json_source_close(struct json_source *source)
{
    memory_free(source->plain);
    source->plain = NULL;
}

/* ---- After cJSON ---- */

static const char *digits_end(const char *text)
{
    return text + strspn(text, "0123456789");
}

/* Whether a number as JSON writes it stands in text up to end: -0.5, 12, 1e-3; not +1, .5, 5., 01, 0x10. */
static bool is_number(const char *text, const char *end)
{
    text += *text == '-';
    const char *after = digits_end(text);
    bool right = after > text && (*text != '0' || after == text + 1);
    if (*after == '.') {
        text = after + 1;
        after = digits_end(text);
        right = right && after > text;
    }
    if (*after == 'e' || *after == 'E') {
        text = after + 1 + (after[1] == '+' || after[1] == '-');
        after = digits_end(text);
        right = right && after > text;
    }
    return right && after == end;
}

knack_status json_source_number(const struct json_source *source, const char *number)
{
    enum { LONGEST = 63 };
    size_t length = json_token_length(number);
    if (!is_number(number, number + length))
        return json_source_fail(source, number, "\"%.*s\" is not a number; numbers look like -0.5, 12 or 1e-3", shown(number), number);
    if (length > LONGEST) return json_source_fail(source, number, "a number of %zu characters; at most %d are read", length, LONGEST);
    return KNACK_OK;
}

/* Whether the text begins otherwise than a list or an object, and goes on after that. */
static bool is_other_format(const char *first)
{
    const char *after = first + json_token_length(first);
    return !strchr("{[", *first) && after[strspn(after, JSON_BLANKS)] != '\0';
}

knack_status json_source_refused(const struct json_source *source, const char *stop)
{
    const char *plain = source->plain, *first = plain + strspn(plain, JSON_BLANKS), *at = stop + strspn(stop, JSON_BLANKS);
    if (!*first) return status_set(KNACK_E_CONFIG, "%s: is empty; expected an object, at least {}", source->file);
    if (is_other_format(first))
        return json_source_fail(source, first, "expected the { of an object, found \"%.*s\"; is this csv or YAML?", shown(first), first);
    if (!*at) return json_source_fail(source, at, "the text ends here, and is not complete");
    if (*at == '\\') return json_source_fail(source, at, "this is no escape that JSON knows");
    if (strchr("}],:", *at)) return json_source_fail(source, at, "unexpected \"%c\"", *at);
    while (at > plain && is_in_word(*at) && is_in_word(at[-1])) at--;
    const char *before = at;
    while (before > plain && strchr(JSON_BLANKS, before[-1])) before--;
    bool misplaced = before > plain && !strchr("[,:", before[-1]);
    if (!misplaced && begins_number(*at)) TRY(json_source_number(source, at));
    return json_source_fail(source, at, "unexpected \"%.*s\"; %s", shown(at), at,
                            misplaced ? "is a comma, a colon or a bracket missing before it?"
                                      : "names and strings stand in \"...\"; words are true, false, null");
}
