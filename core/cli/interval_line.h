/* An interval as one line of characters, on a scale that all rows share: "   |--o--|  :  ". */
#ifndef CLI_INTERVAL_LINE_H
#define CLI_INTERVAL_LINE_H

#include <stdbool.h>
#include <stdint.h>

enum { INTERVAL_LINE_MOST = 61, INTERVAL_LINE_SIZE = 3 * INTERVAL_LINE_MOST + 1 };

struct line_scale {
    double low, high; /* 0 is within */
    int64_t width;    /* characters, at most INTERVAL_LINE_MOST */
    bool unicode;
};
/* A scale for count intervals (NaN: none), with 0 on it. One that is far wider than most does not stretch it: it ends in an arrow. */
struct line_scale line_scale(const double *low, const double *high, int64_t count, int64_t width, bool unicode);
/* Returns buffer; only 0 is marked if value is NaN. */
const char *interval_line(char buffer[INTERVAL_LINE_SIZE], const struct line_scale *, double low, double value, double high);

#endif
