/* From a config's form, or a file's name, to rows. */
#ifndef DATA_FORM_H
#define DATA_FORM_H

#include "data/settings.h"
#include "data/table.h"

/* What a csv file that is not the training file must have in common with it. */
struct csv_like {
    const char *const *column; /* [columns], or NULL: nothing */
    int64_t columns;           /* without any a file of inputs alone may lack a header */
    bool text_target;
};

/* Any form but a named one. base: folder that relative paths start from. */
knack_status form_open(const struct form *, const char *base, const struct csv_like *, struct table *);
/* Inputs alone, by the file's ending: .npy, .idx or ubyte, .csv, and .gz after each. divide as in source_new(). */
knack_status form_open_inputs(const char *path, double divide, const struct csv_like *, struct source **);

#endif
