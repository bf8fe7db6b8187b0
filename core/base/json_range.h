/* Within base/json: the ranges of fields, written as in mathematics. */
#ifndef BASE_JSON_RANGE_H
#define BASE_JSON_RANGE_H

#include <stdbool.h>

struct json_range {
    double low, high; /* infinite: no bound */
    bool low_open, high_open;
};

bool json_range_parse(const char *text, struct json_range *); /* "[0,1)", "(0,inf)" */
bool json_range_holds(struct json_range, double);

#endif
