/* Numbers as people read them, with '.' whatever the locale; and the middle of many. Functions that write text return their buffer, and
 * write
 * "-" for NaN. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum { NUMBER_SIZE = 48 };

const char *number_fixed(char buffer[NUMBER_SIZE], double value, int decimals);  /* "0.50"; above 6 decimals as number_short() */
const char *number_signed(char buffer[NUMBER_SIZE], double value, int decimals); /* "+0.50", "-0.20", "0.00" */
/* Decimals of a bound, whose side of 0 must be seen: more of them where it would become 0. */
int number_bound_decimals(double value, int decimals);
const char *number_bound(char buffer[NUMBER_SIZE], double value, int decimals); /* "+0.004" */
/* "+0.30 to +0.70", bounds of an interval; "-" if one of them is NaN. */
const char *number_interval(char buffer[NUMBER_SIZE], double low, double high, int decimals);
/* "+0.50 [+0.30, +0.70]"; without brackets where there is no interval. size: 3 times NUMBER_SIZE is enough. */
const char *number_effect(char *buffer, size_t size, double value, double low, double high, int decimals);
const char *number_short(char buffer[NUMBER_SIZE], double value);      /* at most four significant digits: "0.3", "12.5" */
const char *number_four(char buffer[NUMBER_SIZE], double value);       /* four decimals where they say enough, else as number_short() */
const char *number_p(char buffer[NUMBER_SIZE], double p);              /* "0.31", "0.002", "<0.0001" */
const char *number_ratio(char buffer[NUMBER_SIZE], double ratio);      /* "1.93x" */
const char *number_count(char buffer[NUMBER_SIZE], int64_t count);     /* "1,437" */
const char *number_duration(char buffer[NUMBER_SIZE], double seconds); /* "0.70 ms", "28 ms", "0.84 s", "2:05 min", "1:02:05 h" */

/* "1 seed", "20 seeds", "1,437 trials": the noun with an s where there are several. */
const char *number_of(char buffer[NUMBER_SIZE], int64_t count, const char *noun);
const char *number_s(const char *number); /* what a noun behind this text ends in: "" behind "1", "+1" and "-1", else "s" */

/* Text of numbers as printers set it, in place, as far as it has room: minus signs, the sign of infinity, 2x with a times sign, "-" alone
 * as a dash. */
const char *number_typeset(char *text, size_t size);

/* How many decimals to print of a number whose uncertainty is `size`: the fewest with 10^-decimals at most size / steps. */
int number_decimals(double size, double steps);
/* The value rounded to `digits` significant digits: the double nearest to that decimal, if it is between 1e-18 and 1e22. */
double number_round(double value, int digits);

int numbers_compare(const void *a, const void *b);   /* of two doubles, for qsort() and bsearch() */
void numbers_sort(double *value, int64_t count);     /* ascending */
double numbers_median(double *value, int64_t count); /* sorts them; the mean of the two in the middle; NaN of none */

#endif
