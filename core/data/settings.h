/* The config's "data" object. */
#ifndef DATA_SETTINGS_H
#define DATA_SETTINGS_H

#include "base/json.h"

enum form_kind { FORM_NAMED, FORM_NPY, FORM_NPZ, FORM_IDX, FORM_CSV };

/* Where rows come from. */
struct form {
    enum form_kind kind;
    const char *inputs, *targets;       /* npy, idx: files; npz: names of arrays */
    const char *file;                   /* npz, csv */
    int named;                          /* index in named_name */
    const char *target;                 /* csv: the column */
    struct json_texts drop;             /* csv: columns that are not inputs */
    double divide;                      /* inputs; 0: as their type says */
    const struct json *npy, *npz, *idx; /* as written */
    const char *csv;
};

struct data_settings {
    struct form train; /* first, so that one macro describes both forms' fields */
    struct form test;
    bool has_test;
    double validation; /* below 1 a share, else a count */
    int64_t limit;     /* training examples; 0: all */
    bool rest;         /* what limit leaves are test examples */
    double label_noise;
    const struct json *positive; /* ids or names, or NULL */
    double long_tail;            /* 1: none */
    bool standardise;
    int64_t seed;
    bool redraw;
    bool shuffle;
    const struct json *augment; /* list, or NULL */
    int task;                   /* enum knack_task_kind, or 0: as the targets' type says */
    const struct json *config;  /* the object, or NULL */
};

/* config NULL: all defaults. Texts are the document's. */
knack_status settings_read_data(const struct json *config, struct data_settings *);
/* As json_fail() on the member of that name, or on the object if it is not there, or with the file name "data" if there is no object. */
knack_status settings_fail(const struct data_settings *, const char *member, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
