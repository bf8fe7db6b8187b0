/* Targets as a file holds them, and their meaning: classes, or numbers. */
#ifndef DATA_TARGETS_H
#define DATA_TARGETS_H

#include <knack/plugin.h>

#include "data/array.h"

struct targets {
    char *file;    /* for errors */
    int64_t count; /* rows */
    int64_t width; /* numbers a row */
    double *value; /* [count, width]; of texts: indices in name */
    bool integers; /* the file's type is integers */
    char **name;   /* [names] the different texts in the order of their bytes, or NULL: numbers */
    int64_t names;
    int32_t *line; /* [count] of a csv file, or NULL */
};

/* The classes of a data set: their ids are 0 .. count - 1. */
struct classes {
    int64_t count;
    double *value; /* [count] the number of a csv file that each stands for, ascending; NULL: by name, or the number is the id */
    char **name;   /* [count], one memory_free() each and one for the list; NULL: classes are just numbers */
};

enum { CLASSES_MOST = 1 << 20 };

/* Takes the array over, also on error. */
knack_status targets_from_array(struct array *array, struct targets *targets);
void targets_free(struct targets *); /* one of zeros is fine */
void classes_free(struct classes *); /* one of zeros is fine */

/* The classes that training targets show. Numbers of a csv file are names; those of other files are the ids themselves. */
knack_status classes_find(const struct targets *, struct classes *);
/* label[count] of targets by these classes; a target without a class is an error that says where it is. */
knack_status classes_label(const struct classes *, const struct targets *, int32_t *label);
/* value[count, width] of targets for regression, each finite. */
knack_status targets_numbers(const struct targets *, knack_real *value);

#endif
