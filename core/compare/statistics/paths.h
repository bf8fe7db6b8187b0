/* Paired t tests without any effect, made up: the same differences are read again and again while more come. */
#ifndef COMPARE_STATISTICS_PATHS_H
#define COMPARE_STATISTICS_PATHS_H

#include <stdint.h>

/* One row of normal differences, as sums alone. */
struct path {
    uint64_t key;
    uint32_t number, drawn; /* which path of the key's; blocks of random numbers so far */
    int64_t n;
    double sum, squares;
};
struct path path_start(uint64_t key, uint32_t number);
void path_grow(struct path *, int64_t n); /* to n differences; fewer than it has: nothing is done. The cost does not grow with n */
/* ln(1 + t^2 / (n - 1)) of the path's t: rises with |t|. */
double path_log(const struct path *);

#endif
