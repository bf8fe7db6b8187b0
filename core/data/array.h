/* An array of numbers as a file holds it: where its bytes are, their type and its shape. Readers of the formats give one. */
#ifndef DATA_ARRAY_H
#define DATA_ARRAY_H

#include "data/blob.h"
#include "data/element.h"

enum { ARRAY_MAX_DIMS = 8, ARRAY_TEXT = ARRAY_MAX_DIMS * 20 + 1 };

struct array {
    struct blob blob; /* the values, in C order, from its first byte on */
    enum element type;
    bool swapped;                  /* not in this machine's byte order */
    int ndim;                      /* at least 1 */
    int64_t shape[ARRAY_MAX_DIMS]; /* the first is the number of rows */
    int64_t width;                 /* values a row: the product of the others */
};

/* The readers take *blob over, also on error; then *array needs no array_free(). */
knack_status read_idx(struct blob *blob, struct array *array);
knack_status read_npy(struct blob *blob, struct array *array);
/* The array of that name from the npz (a zip file of npy files) at path. */
knack_status read_npz(const char *path, const char *name, struct array *array);

void array_free(struct array *); /* one that a failed reader left, or of zeros and BLOB_NONE, is fine */

/* What the readers share: checks shape and sizes against the bytes from offset on, narrows the blob to them and moves it into the array.
 * The array's type, ndim and shape are set. */
knack_status array_adopt(struct array *, struct blob *blob, int64_t offset);
/* "60000x28x28"; returns buffer. */
const char *array_shape_text(char buffer[ARRAY_TEXT], int ndim, const int64_t *shape);

#endif
