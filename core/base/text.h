/* Small helpers for text. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The nearest of count names by edit distance, if near enough to be meant; else NULL. */
const char *text_nearest(const char *name, const char *const *names, int64_t count);
locale_t text_locale(void); /* "C", whose numbers have a '.', for uselocale() around what reads or writes numbers; never freed */
/* The shortest decimal text that reads back as the same double, with '.', whatever the locale; returns buffer. nan, inf, -inf as such. */
const char *text_number(char buffer[32], double);
/* Prints the value with `digits` significant digits, as %g does: "1.5e7", "0.25"; '.' whatever the locale; returns buffer. */
const char *text_digits(char buffer[32], double value, int digits);
/* With so many decimals, 0 to 6, and '.', whatever the locale; no "-0.00"; above 1e12 as text_number; returns buffer. */
const char *text_fixed(char buffer[48], double value, int decimals);
/* Reads a number with '.', whatever the locale, from text; returns what follows it, or NULL if there is none. nan and inf are read too. */
const char *text_parse(const char *text, const char *end, double *value);
/* How many bytes the UTF-8 character at text has, which is not its end; *point: its number. Bytes that are none: 1, and TEXT_UNKNOWN. */
#define TEXT_UNKNOWN 0xFFFDu
int text_character(const char *text, uint32_t *point);
const char *text_entity(char); /* "&amp;" and its like, for XML and HTML; NULL: may stand as it is */
/* FNV-1a of 64 bits over size bytes, on top of hash; TEXT_HASH is where it begins. For noticing changes, not for security. */
#define TEXT_HASH 0xcbf29ce484222325u
uint64_t text_hash(uint64_t hash, const void *data, size_t size);
bool text_glob(const char *pattern, const char *text); /* *, ?, [abc]; as fnmatch without special slashes */
/* "3 names: a, b, c", cut with ... to fit; a name with a comma in quotes; returns buffer. */
const char *text_list(char *buffer, size_t size, const char *const *names, int64_t count);

#endif
