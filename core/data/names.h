/* Distinct texts, numbered as they come: the classes of a text column. */
#ifndef DATA_NAMES_H
#define DATA_NAMES_H

#include "base/status.h"

struct names {
    char **text; /* [count] each its own memory_free() block */
    int64_t count;
    int64_t room;  /* of text */
    int32_t *slot; /* [slots] open addressing: index of a text, or -1 */
    int64_t slots; /* a power of two */
};

/* The number of a text of so many bytes, which is added if it is new. names of zeros is an empty set. */
knack_status names_add(struct names *, const char *text, int64_t length, int64_t *index);
/* Sorts by bytes; moved [count] tells the new number of each old one. No names_add() after it. */
knack_status names_sort(struct names *, int32_t **moved);
void names_free(struct names *);

#endif
