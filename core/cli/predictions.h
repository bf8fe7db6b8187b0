/* Writing predictions: CSV with class names and probabilities, npy, or JSON. */
#ifndef CLI_PREDICTIONS_H
#define CLI_PREDICTIONS_H

#include "data/dataset.h"

struct predictions {
    const struct dataset *data; /* names of classes, and how many outputs a row has */
    int64_t count;              /* rows */
    const knack_real *value;    /* [count, outputs] */
};

/* KNACK_E_USAGE unless the path ends in .csv or .npy. */
knack_status predictions_check_path(const char *path);
/* To a file by its ending; NULL: CSV to standard output. npy is [count, outputs] of the type that knack computes in. */
knack_status predictions_write(const struct predictions *, const char *path);
knack_status predictions_print_json(const struct predictions *);

#endif
