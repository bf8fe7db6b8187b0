/* A locale in which numbers have a decimal comma, as de_DE, also where none is installed. */
#ifndef TESTS_BASE_COMMA_LOCALE_H
#define TESTS_BASE_COMMA_LOCALE_H

#include <stdbool.h>

/* Makes it the program's LC_NUMERIC, as a host program may; false, with the reason printed, if the C library does not take it. */
bool comma_locale_begin(void);
void comma_locale_end(void);

#endif
