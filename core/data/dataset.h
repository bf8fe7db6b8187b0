/* A data set as training sees it: parts of rows with targets, read from files, drawn, changed and converted as the config says. Inputs stay
 * in the type of their file (8-bit images, numbers) until a batch is made; large uncompressed files stay on disk. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <knack/plugin.h>

#include "base/json.h"
#include "data/element.h"

enum data_part { PART_TRAIN, PART_VALIDATION, PART_TEST, PART_COUNT };
extern const char *const data_part_name[PART_COUNT + 1]; /* "train", "validation", "test", NULL */

struct source; /* rows of one file: source.h */
struct augmentation;

struct part {
    struct source *source; /* shared between parts, owned by the data set */
    int64_t count;
    int32_t *row;       /* [count] -> row of the source */
    int32_t *label;     /* [count] classification, else NULL; after label_noise, positive */
    knack_real *target; /* [count, outputs] regression, else NULL */
};

struct dataset {
    enum knack_task_kind kind;
    int64_t classes;   /* classification, else 0 */
    int64_t outputs;   /* classes, or numbers a target has */
    char **class_name; /* [classes], or NULL if classes are just numbers */
    int ndim;
    int64_t shape[KNACK_MAX_DIMS]; /* of one row: [values], or [height, width, channels] */
    int64_t width;                 /* values a row */
    struct part part[PART_COUNT];
    int64_t pool;         /* examples that the training part was drawn from; 0: those that are left became test examples */
    int64_t *class_count; /* [classes] of the training part, or NULL */
    bool missing;         /* some input is NaN */
    char *first_missing;  /* the first of those in the files, as "a.csv: row 3 (the first is 0), column 'age'"; NULL: none, or not known */
    int64_t vocabulary, padding; /* inputs are token ids below vocabulary; 0: they are values */
    bool shuffle;
    double *mean, *deviation;          /* [width for tables, channels for images], or NULL: not standardised */
    int64_t statistics;                /* how many of them */
    struct augmentation *augmentation; /* list, in order */
    int64_t augmentation_count;
    struct source **source;
    int64_t source_count;
    char **column;           /* [width] names of a csv file's inputs, or NULL */
    enum element input_type; /* of the training inputs in their file */
    double divide;           /* what those are divided by */
    knack_real *fill;        /* [channels] of images: zero of the file's units, standardised if asked; what shifts leave free */
    knack_real *scratch;     /* [width] of data_augment */
    uint64_t drawn_from;     /* data_fingerprint() as it was before anything was drawn; 0: no rows were read */
    char *title;             /* "digits: 1,437 train, 360 test, 8x8x1, 10 classes" */
};

/* config: the "data" object (NULL: the embedded digits). base: folder that relative paths start from. seed: the run's, used only under
 * "redraw". Errors are KNACK_E_CONFIG or KNACK_E_DATA with file and place. */
knack_status data_open(const struct json *config, const char *base, uint64_t seed, struct dataset **);
void data_close(struct dataset *);
/* Checks and completes a config's "data" as data_open does, for a data set that was opened by an equal one; opens nothing. */
knack_status data_complete(const struct json *config, const struct dataset *);
/* Equal for equal parts: which rows of the files with which targets; inputs are not read. */
uint64_t data_fingerprint(const struct dataset *);
/* Equal for equal files, whatever a seed draws from them: the inputs of all rows as the files hold them, and all targets before anything
 * was drawn or changed. Reads all rows, one at a time. */
knack_status data_pool_hash(const struct dataset *, uint64_t *hash);
/* Equal for equal rows of one part: the bytes of their inputs as the file holds them, in the order of the part, and their targets. What is
 * done to them afterwards (division, standardising) does not count. Reads all rows, one at a time. */
knack_status data_part_hash(const struct dataset *, enum data_part, uint64_t *hash);
/* Tells that inputs are token ids, whole numbers from 0 to vocabulary - 1, of which each row has one that is not padding. Reads all rows of
 * all parts, the first time; KNACK_E_DATA says where one is wrong. */
knack_status data_set_ids(struct dataset *, int64_t vocabulary, int64_t padding);
void data_schema(struct json_writer *, const char *name); /* JSON Schema of "data" */

/* Inputs of examples (indices within the part) -> out [count, width], in KNACK_REAL: u8 images of a named source divided as it says,
 * standardised if asked. No augmentation. */
knack_status data_inputs(struct dataset *, enum data_part, const int64_t *example, int64_t count, knack_real *out);
/* The order of an epoch's training examples: a permutation by (seed, epoch), or 0, 1, 2, ... with "shuffle": false. order [train count]. */
void data_order(const struct dataset *, uint64_t seed, int64_t epoch, int32_t *order);
/* The config's augmentations, in place on x [count, width], drawn by (seed, name of the augmentation, batch, row[i]). Not from two threads
 * at once on one data set. */
knack_status data_augment(const struct dataset *, uint64_t seed, uint32_t batch, const int64_t *row, int64_t count, knack_real *x);
/* One view of x [count, width] -> out: "identity", "flip", "shift DX DY" (right, down; zero fill), "crop SIZE X Y" (window, scaled back by
 * nearest), "place SIZE X Y" (what undoes it: the image shrunk into the window). Errors say what views there are.
 * trained (may be NULL) tells whether the config's augmentations can produce it. With count 0 that is all, and x and out may be NULL. */
knack_status data_view(const struct dataset *, const char *view, int64_t count, const knack_real *x, knack_real *out, bool *trained);
/* The view that undoes it geometrically ("shift 1 0" -> "shift -1 0"), for dense outputs. */
knack_status data_view_inverse(const struct dataset *, const char *view, char inverse[64]);
/* Reads rows for predict from a file (npy, idx, csv, by its ending): *count rows in out, memory_free(). Values are in the units of the
 * training data's file, whatever their type. A csv has the training columns, by name (more are ignored); where those have no names it has
 * one column a value, and may lack a header. Images may be rows of values too: height, width, channels, the last one fastest. */
knack_status data_read_inputs(const struct dataset *, const char *path, int64_t *count, knack_real **out);
/* Rows that a program holds, raw [count, width] in the units of the training data's file (8-bit images as 0 .. 255) -> out [count, width],
 * divided and standardised as data_inputs would; NaN only where the training data may miss values. */
knack_status data_convert(const struct dataset *, int64_t count, const double *raw, knack_real *out);

/* What a model needs to stand alone, as JSON members within an open object, and read back: kind, classes, shape, columns, statistics,
 * the file's units. data_restore gives a data set with no parts, good for data_read_inputs, data_view and names. */
void data_describe(const struct dataset *, struct json_writer *, const char *name);
knack_status data_restore(const struct json *, struct dataset **);

#endif
