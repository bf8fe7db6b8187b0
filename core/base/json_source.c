/* What stands between a JSON text and cJSON. cJSON takes numbers such as 01 and 1e999, reads them by the locale, ends a string at an
 * escaped NUL and knows no comments; it is given a text from which all that is gone: comments are blanks, and every number is a 0 followed
 * by blanks. The numbers wait, in order, in the list of tokens. */
#include "base/json_source.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct scanner {
    struct json_source *source;
    size_t at;
    int depth;
    char open[JSON_DEPTH]; /* brackets */
    const char *last;      /* where the token before this one begins, or NULL */
};

knack_status json_source_fail(const struct json_source *source, size_t offset, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int64_t line = 1, column = 1;
    for (size_t i = 0; i < offset && i < source->size; i++) {
        unsigned char byte = (unsigned char)source->text[i];
        if (byte == '\n')
            line++, column = 1;
        else if ((byte & 0xC0) != 0x80)
            column++; /* not the inside of a character */
    }
    return status_set(KNACK_E_CONFIG, "%s:%lld:%lld: %s", source->file, (long long)line, (long long)column, text);
}

/* ---- Bytes ---- */

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
    const char *text = source->text;
    if (source->size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        return json_source_fail(source, 0, "the text begins with a byte order mark; save it without one");
    }
    for (size_t i = 0; i < source->size;) {
        size_t length = json_utf8_length(text + i, source->size - i);
        if (length == 0) return json_source_fail(source, i, "byte 0x%02X is not UTF-8", (unsigned char)text[i]);
        if (text[i] == '\0') return json_source_fail(source, i, "a NUL byte has no place in JSON");
        i += length;
    }
    return KNACK_OK;
}

/* ---- Tokens ---- */

static knack_status add_token(struct json_source *source, size_t offset, double number)
{
    if (source->tokens == source->room) {
        int64_t room = 2 * source->room + 64;
        struct json_token *longer = memory_resize(source->token, (size_t)room, sizeof *longer);
        if (!longer) return KNACK_E_MEMORY;
        source->token = longer;
        source->room = room;
    }
    source->token[source->tokens++] = (struct json_token){offset, number};
    return KNACK_OK;
}

static knack_status scan_comment(struct scanner *scanner)
{
    struct json_source *source = scanner->source;
    const char *start = source->text + scanner->at, *end = source->text + source->size, *after;
    if (end - start >= 2 && start[1] == '/') {
        after = memchr(start, '\n', (size_t)(end - start));
        if (!after) after = end;
    } else if (end - start >= 2 && start[1] == '*') {
        const char *close = memmem(start + 2, (size_t)(end - start - 2), "*/", 2);
        if (!close) return json_source_fail(source, scanner->at, "this comment has no end");
        after = close + 2;
    } else {
        return json_source_fail(source, scanner->at, "unexpected \"/\"; comments begin with // or /*");
    }
    memset(source->plain + scanner->at, ' ', (size_t)(after - start));
    scanner->at += (size_t)(after - start);
    return KNACK_OK;
}

static knack_status scan_string(struct scanner *scanner)
{
    struct json_source *source = scanner->source;
    size_t start = scanner->at;
    TRY(add_token(source, start, 0));
    for (size_t i = start + 1; i < source->size; i++) {
        unsigned char byte = (unsigned char)source->text[i];
        if (byte == '"') {
            scanner->at = i + 1;
            return KNACK_OK;
        }
        if (byte == '\n') break;
        if (byte < ' ') return json_source_fail(source, i, "control character 0x%02X within a string; write it as \\u%04X", byte, byte);
        if (byte != '\\') continue;
        if (source->size - i >= 6 && memcmp(source->text + i, "\\u0000", 6) == 0) {
            return json_source_fail(source, i, "\\u0000 is not accepted within strings");
        }
        i++;
    }
    return json_source_fail(source, start, "this string has no closing \" on its line");
}

static const char *digits_end(const char *text, const char *end)
{
    while (text < end && *text >= '0' && *text <= '9') text++;
    return text;
}

/* Whether text up to end is a number as JSON writes it: -0.5, 12, 1e-3; not +1, .5, 01, 0x10. */
static bool is_number(const char *text, const char *end)
{
    if (text < end && *text == '-') text++;
    const char *after = digits_end(text, end);
    if (after == text || (*text == '0' && after > text + 1)) return false;
    if (after < end && *after == '.') {
        const char *fraction = after + 1;
        after = digits_end(fraction, end);
        if (after == fraction) return false;
    }
    if (after < end && (*after == 'e' || *after == 'E')) {
        const char *exponent = after + 1;
        if (exponent < end && (*exponent == '+' || *exponent == '-')) exponent++;
        after = digits_end(exponent, end);
        if (after == exponent) return false;
    }
    return after == end;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_in_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
}

/* What follows the run of letters, digits and signs that begins here. */
static const char *word_end(const struct scanner *scanner)
{
    const char *word = scanner->source->text + scanner->at, *end = scanner->source->text + scanner->source->size;
    while (word < end && (is_letter(*word) || is_in_number(*word))) word++;
    return word;
}

static knack_status scan_number(struct scanner *scanner)
{
    struct json_source *source = scanner->source;
    const char *start = source->text + scanner->at, *end = word_end(scanner);
    int shown = end - start < 40 ? (int)(end - start) : 40;
    if (!is_number(start, end)) {
        return json_source_fail(source, scanner->at, "\"%.*s\" is not a number; numbers look like -0.5, 12 or 1e-3", shown, start);
    }
    double number;
    if (!text_parse(start, end, &number)) return KNACK_E_MEMORY; /* it is a number, so only its copy can have failed */
    if (!isfinite(number)) return json_source_fail(source, scanner->at, "%.*s is too large: numbers go to about 1.8e308", shown, start);
    TRY(add_token(source, scanner->at, number));
    source->plain[scanner->at] = '0';
    memset(source->plain + scanner->at + 1, ' ', (size_t)(end - start - 1));
    scanner->at += (size_t)(end - start);
    return KNACK_OK;
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static knack_status scan_word(struct scanner *scanner)
{
    const char *start = scanner->source->text + scanner->at;
    size_t length = (size_t)(word_end(scanner) - start);
    if (!is_word(start, length, "true") && !is_word(start, length, "false") && !is_word(start, length, "null")) {
        return json_source_fail(scanner->source, scanner->at,
                                "unexpected \"%.*s\"; names and strings stand in \"...\"; words are true, false, null",
                                length < 40 ? (int)length : 40, start);
    }
    scanner->at += length;
    return KNACK_OK;
}

static knack_status scan_sign(struct scanner *scanner, char sign)
{
    switch (sign) {
    case '{':
    case '[':
        if (scanner->depth == JSON_DEPTH) return json_source_fail(scanner->source, scanner->at, "nested more than %d deep", JSON_DEPTH);
        scanner->open[scanner->depth++] = sign;
        break;
    case '}':
    case ']':
        if (scanner->depth == 0) return json_source_fail(scanner->source, scanner->at, "\"%c\" closes nothing", sign);
        scanner->depth--;
        break;
    case ',':
    case ':':
        break;
    case '\'':
        return json_source_fail(scanner->source, scanner->at, "unexpected \"'\"; strings stand in \"...\"");
    default:
        return json_source_fail(scanner->source, scanner->at, "unexpected character 0x%02X", (unsigned char)sign);
    }
    scanner->at++;
    return KNACK_OK;
}

/* What cJSON would refuse in a way that hides the reason. */
static knack_status check_order(const struct scanner *scanner, const char *here)
{
    char last = scanner->last ? *scanner->last : '\0';
    bool closes = *here == '}' || *here == ']';
    if (last == ',' && closes) {
        size_t offset = (size_t)(scanner->last - scanner->source->text);
        return json_source_fail(scanner->source, offset, "trailing comma: nothing follows it before \"%c\"; remove it", *here);
    }
    bool wants_name = scanner->depth > 0 && scanner->open[scanner->depth - 1] == '{' && (last == '{' || last == ',');
    if (!wants_name || *here == '"' || closes) return KNACK_OK;
    return json_source_fail(scanner->source, scanner->at, "expected a name in \"...\", found \"%c\"", *here);
}

/* One token, comment or blank. */
static knack_status scan_next(struct scanner *scanner)
{
    const char *here = scanner->source->text + scanner->at;
    if (*here == ' ' || *here == '\t' || *here == '\n' || *here == '\r') {
        scanner->at++;
        return KNACK_OK;
    }
    if (*here == '/') return scan_comment(scanner);
    TRY(check_order(scanner, here));
    scanner->last = here;
    if (*here == '"') return scan_string(scanner);
    if (is_in_number(*here)) return scan_number(scanner);
    if (is_letter(*here)) return scan_word(scanner);
    return scan_sign(scanner, *here);
}

knack_status json_source_scan(const char *text, size_t size, const char *file, struct json_source *source)
{
    *source = (struct json_source){.file = file, .text = text, .size = size};
    TRY(check_bytes(source));
    source->plain = memory_new(size + 1, 1);
    if (!source->plain) return KNACK_E_MEMORY;
    memcpy(source->plain, text, size);
    struct scanner scanner = {.source = source};
    knack_status status = KNACK_OK;
    while (status >= 0 && scanner.at < size) status = scan_next(&scanner);
    if (status < 0) json_source_free(source);
    return status;
}

void json_source_free(struct json_source *source)
{
    memory_free(source->plain);
    memory_free(source->token);
    source->plain = NULL;
    source->token = NULL;
}
