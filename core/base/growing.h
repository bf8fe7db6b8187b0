/* Text that grows as it is written. */
#ifndef BASE_GROWING_H
#define BASE_GROWING_H

#include "base/status.h"

/* Begins as {0}. After a failed allocation nothing is added any more, and growing_take() gives NULL. */
struct growing {
    char *text; /* [used], then a NUL; NULL as long as nothing was put in */
    size_t used, room;
    bool failed;
};

void growing_put(struct growing *, const char *data, size_t size);
void growing_put_text(struct growing *, const char *text);
void growing_put_field(struct growing *, const char *text); /* of CSV, after RFC 4180: quoted if it must be, quotes doubled */
char *growing_take(struct growing *); /* the text, and an empty one stays; memory_free(); NULL if anything failed, or nothing was put in */
void growing_free(struct growing *);  /* what it holds */

#endif
