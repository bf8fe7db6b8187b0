/* A table as training needs it: rows of inputs beside their targets. */
#ifndef DATA_TABLE_H
#define DATA_TABLE_H

#include "data/source.h"
#include "data/targets.h"

struct table {
    struct source *source;
    struct targets targets;
    char **column; /* [columns] names of a csv file's inputs, one memory_free() each and one for the list; else NULL */
    int64_t columns;
};

void table_free(struct table *); /* one of zeros is fine */
/* Takes both over, also on error; as many targets as inputs. */
knack_status table_from_arrays(struct array *inputs, struct array *targets, double divide, struct table *);

#endif
