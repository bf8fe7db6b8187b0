/* Numbers as a report shows them, with '.' whatever the locale. Each function returns its buffer; "-" for NaN. */
#ifndef COMPARE_ANALYSIS_NUMBERS_H
#define COMPARE_ANALYSIS_NUMBERS_H

enum { NUMBER_SIZE = 48 };

const char *number_fixed(char buffer[NUMBER_SIZE], double value, int decimals);  /* "0.50"; above 6 decimals as number_short() */
const char *number_signed(char buffer[NUMBER_SIZE], double value, int decimals); /* "+0.50", "-0.20", "0.00" */
/* Decimals of a bound, whose side of 0 must be seen: more of them where it would become 0. */
int number_bound_decimals(double value, int decimals);
const char *number_bound(char buffer[NUMBER_SIZE], double value, int decimals); /* "+0.004" */
const char *number_short(char buffer[NUMBER_SIZE], double value);               /* at most four significant digits: "0.3", "12.5" */
const char *number_p(char buffer[NUMBER_SIZE], double p);                       /* "0.31", "0.002", "<0.0001" */
/* The fewest decimals of which one step is at most size / steps: how exactly to print numbers whose uncertainty is `size`. */
int number_decimals(double size, double steps);

#endif
