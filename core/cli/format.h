/* Numbers as people read them, with '.' whatever the locale. Each returns its buffer. */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <knack/tensor.h>
#include <stdbool.h>

enum { FORMAT_SIZE = 48, FORMAT_BAR_SIZE = 3 * 16 + 1 };

/* Four decimals where that says enough, else four significant digits; "-" for NaN. */
const char *format_number(char buffer[FORMAT_SIZE], double value);
const char *format_fixed(char buffer[FORMAT_SIZE], double value, int decimals); /* decimals: 0 to 6 */
const char *format_count(char buffer[FORMAT_SIZE], int64_t count);              /* "1,437" */
const char *format_duration(char buffer[FORMAT_SIZE], double seconds); /* "28 ms", "0.84 s", "2:05 min", "1:02:05 h"; "-" for NaN */
/* A bar of so many cells, at most 16, of which a share from 0 to 1 is full. */
const char *format_bar(char buffer[FORMAT_BAR_SIZE], double share, int cells, bool unicode);
/* The fewest digits that read back as the same knack_real. */
const char *format_real(char buffer[FORMAT_SIZE], knack_real value);

#endif
