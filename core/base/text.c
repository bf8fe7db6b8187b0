#include "base/text.h"

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_source.h"
#include "base/memory.h"

/* ---- Numbers, whatever the locale ---- */

static locale_t plain_locale;

static void make_plain_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* built into the C library: it cannot fail for want of a file */
}

locale_t text_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_plain_locale);
    return plain_locale;
}

/* Equal in every bit: with denormals taken as zero == would call all of them equal. */
static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* "1e-05" -> "1e-5", "1e+20" -> "1e20" */
static void shorten_exponent(char *text)
{
    char *from = strchr(text, 'e');
    if (!from) return;
    char *to = ++from;
    if (*from == '-') to++;
    if (*from == '-' || *from == '+') from++;
    while (from[0] == '0' && from[1] != '\0') from++;
    memmove(to, from, strlen(from) + 1);
}

/* Any decimal of up to 15 digits survives as a double, so for normal numbers %.15g, which drops trailing zeros, is the shortest if it
 * reads back equal at all. */
const char *text_number(char buffer[32], double value)
{
    if (!isfinite(value)) return strcpy(buffer, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    char text[32];
    locale_t outer = uselocale(text_locale());
    for (int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (same_bits(strtod(text, NULL), value)) break;
    }
    uselocale(outer);
    shorten_exponent(text);
    return strcpy(buffer, text);
}

const char *text_digits(char buffer[32], double value, int digits)
{
    locale_t outer = uselocale(text_locale());
    snprintf(buffer, 32, "%.*g", digits, value);
    uselocale(outer);
    shorten_exponent(buffer);
    return buffer;
}

const char *text_fixed(char buffer[48], double value, int decimals)
{
    static const int64_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    if (!isfinite(value) || fabs(value) > 1e12) return text_number(buffer, value);
    int64_t scaled = llround(fabs(value) * (double)power[decimals]);
    const char *sign = value < 0 && scaled ? "-" : "";
    if (decimals == 0)
        snprintf(buffer, 48, "%s%" PRId64, sign, scaled);
    else
        snprintf(buffer, 48, "%s%" PRId64 ".%0*" PRId64, sign, scaled / power[decimals], decimals, scaled % power[decimals]);
    return buffer;
}

static const char *skip_digits(const char *text, const char *end)
{
    while (text < end && *text >= '0' && *text <= '9') text++;
    return text;
}

/* What follows [+-] digits [. digits] [e [+-] digits], with a digit before the exponent; NULL if that is not there. */
static const char *number_end(const char *text, const char *end)
{
    if (text < end && (*text == '-' || *text == '+')) text++;
    const char *after = skip_digits(text, end);
    int64_t digits = after - text;
    if (after < end && *after == '.') {
        const char *fraction = after + 1;
        after = skip_digits(fraction, end);
        digits += after - fraction;
    }
    if (digits == 0) return NULL;
    if (after < end && (*after == 'e' || *after == 'E')) {
        const char *exponent = after + 1;
        if (exponent < end && (*exponent == '-' || *exponent == '+')) exponent++;
        const char *last = skip_digits(exponent, end);
        if (last > exponent) after = last;
    }
    return after;
}

/* Whether text begins with word, of three small letters, in small or capital ones. */
static bool begins_with(const char *text, const char *word)
{
    return (text[0] | 0x20) == word[0] && (text[1] | 0x20) == word[1] && (text[2] | 0x20) == word[2];
}

/* nan, inf, with a sign or not. */
static const char *parse_word(const char *text, const char *end, double *value)
{
    bool negative = text < end && *text == '-';
    if (text < end && (*text == '-' || *text == '+')) text++;
    if (end - text < 3) return NULL;
    if (begins_with(text, "nan"))
        *value = NAN;
    else if (begins_with(text, "inf"))
        *value = negative ? -INFINITY : INFINITY;
    else
        return NULL;
    return text + 3;
}

const char *text_parse(const char *text, const char *end, double *value)
{
    const char *after = number_end(text, end);
    if (!after) return parse_word(text, end, value);
    char copy[64];
    size_t length = (size_t)(after - text);
    char *digits = length < sizeof copy ? copy : memory_new(length + 1, 1);
    if (!digits) return NULL;
    memcpy(digits, text, length);
    digits[length] = '\0';
    *value = strtod_l(digits, NULL, text_locale());
    if (digits != copy) memory_free(digits);
    return after;
}

int text_character(const char *text, uint32_t *point)
{
    const unsigned char *byte = (const unsigned char *)text;
    size_t length = json_utf8_length(text, strnlen(text, 4));
    *point = TEXT_UNKNOWN;
    if (length == 0) return 1;
    *point = length == 1 ? byte[0] : byte[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) *point = *point << 6 | (byte[i] & 0x3Fu);
    return (int)length;
}

/* ---- Names ---- */

enum { LONGEST_NAME = 64 };

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and exchanges of neighbours that make a into b; neither longer than LONGEST_NAME. */
static int edit_distance(const char *a, int a_length, const char *b, int b_length)
{
    int rows[3][LONGEST_NAME + 1]; /* distances from the first i - 2, i - 1 and i letters of a to those of b */
    int *before = rows[0], *last = rows[1], *row = rows[2];
    for (int j = 0; j <= b_length; j++) last[j] = j;
    for (int i = 1; i <= a_length; i++) {
        row[0] = i;
        for (int j = 1; j <= b_length; j++) {
            row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = smaller(row[j], before[j - 2] + 1);
        }
        int *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_length];
}

const char *text_nearest(const char *name, const char *const *names, int64_t count)
{
    size_t length = strlen(name);
    if (length == 0 || length > LONGEST_NAME) return NULL;
    const char *nearest = NULL;
    int least = (int)(length + 2) / 3 + 1; /* a third of the letters may be wrong */
    for (int64_t i = 0; i < count; i++) {
        size_t other = strlen(names[i]);
        if (other > LONGEST_NAME) continue;
        int distance = edit_distance(name, (int)length, names[i], (int)other);
        if (distance < least && distance < (int)other) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

/* In a list, a name with a comma in it would read as two. */
static const char *quote_of(const char *name)
{
    return *name == '\0' || strchr(name, ',') ? "\"" : "";
}

const char *text_list(char *buffer, size_t size, const char *const *names, int64_t count)
{
    int used =
        count == 0 ? snprintf(buffer, size, "no names") : snprintf(buffer, size, "%lld name%s: ", (long long)count, count == 1 ? "" : "s");
    for (int64_t i = 0; i < count && used < (int)size; i++) {
        const char *separator = i > 0 ? ", " : "", *quote = quote_of(names[i]);
        size_t left = size - (size_t)used, needed = strlen(separator) + strlen(names[i]) + 2 * strlen(quote);
        size_t reserve = i + 1 < count ? sizeof ", ..." : 1; /* room to say that there are more */
        if (needed + reserve > left) {
            snprintf(buffer + used, left, "%s...", separator);
            break;
        }
        used += snprintf(buffer + used, left, "%s%s%s%s", separator, quote, names[i], quote);
    }
    return buffer;
}

/* ---- Patterns ---- */

/* Whether the set at pattern, which begins after its '[', holds c; *after gets what follows its ']', or NULL if it has none. */
static bool in_set(const char *pattern, char c, const char **after)
{
    bool negated = *pattern == '!' || *pattern == '^', found = false;
    if (negated) pattern++;
    const char *first = pattern;
    for (; *pattern != '\0' && (*pattern != ']' || pattern == first); pattern++) {
        if (pattern[1] == '-' && pattern[2] != ']' && pattern[2] != '\0') {
            if (c >= pattern[0] && c <= pattern[2]) found = true;
            pattern += 2;
        } else if (c == *pattern) {
            found = true;
        }
    }
    *after = *pattern == ']' ? pattern + 1 : NULL;
    return found != negated;
}

/* Whether the pattern's next element, which is no '*', matches c; *after gets what follows the element. */
static bool matches_one(const char *pattern, char c, const char **after)
{
    *after = pattern + 1;
    if (*pattern == '?') return true;
    if (*pattern == '[') {
        const char *behind;
        bool inside = in_set(pattern + 1, c, &behind);
        if (behind) {
            *after = behind;
            return inside;
        }
    }
    return *pattern == c;
}

bool text_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL; /* behind the last '*', and where in the text what follows it is tried next */
    while (*text != '\0') {
        const char *after;
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern != '\0' && matches_one(pattern, *text, &after)) {
            pattern = after;
            text++;
        } else if (star) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return *pattern == '\0';
}

uint64_t text_hash(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < size; i++) hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

const char *text_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}
