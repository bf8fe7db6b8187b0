/* Augmentations: random views of training images. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "base/json.h"
#include "data/view.h"

enum augmentation_kind { AUGMENT_FLIP, AUGMENT_SHIFT, AUGMENT_CROP };

struct augmentation {
    int kind;
    int64_t pixels;  /* shift: at most so far each way */
    int64_t padding; /* crop: how far the window may reach beyond the image */
    int64_t size;    /* crop: height of the window; 0 in a config: the image's */
};

/* The list ["flip", {"name": "shift", "pixels": 1}, ...] for images of this size, memory_free(); NULL for none. */
knack_status augment_read(const struct json *list, int64_t height, int64_t width, struct augmentation **augmentation, int64_t *count);
void augment_write(const struct augmentation *, int64_t count, struct json_writer *, const char *name);
void augment_schema(struct json_writer *, const char *name);

/* The view that an augmentation gives the row of a batch. */
struct view augment_draw(const struct augmentation *, const struct image *, uint64_t seed, uint32_t batch, int64_t row);
/* Whether it can draw this view; the identity always counts. */
bool augment_draws(const struct augmentation *, const struct image *, const struct view *);

#endif
