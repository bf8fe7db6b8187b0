/* Comparing with numbers that are known to some printed digits. */
#ifndef TESTS_COMPARE_STATISTICS_PRINTED_H
#define TESTS_COMPARE_STATISTICS_PRINTED_H

#include "base/test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Within `units` of the last digit of text. */
static inline void check_printed(double found, const char *text, double units, const char *what)
{
    const char *point = strchr(text, '.');
    double unit = pow(10, point ? -(double)strlen(point + 1) : 0);
    if (!(fabs(found - strtod(text, NULL)) <= units * unit)) fail_msg("%s: expected %s, got %.17g", what, text, found);
}

#define assert_printed(found, text) check_printed(found, text, .500001, #found)

/* Within 1e-12, relatively. */
#define assert_near(found, expected) check_near(found, expected, #found)
static inline void check_near(double found, double expected, const char *what)
{
    if (!(fabs(found - expected) <= 1e-12 * fabs(expected))) fail_msg("%s: expected %.17g, got %.17g", what, expected, found);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

#endif
