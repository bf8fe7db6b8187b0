/* Views of an image: geometric changes by a name, each with the view that undoes it as far as its pixels are still there. */
#ifndef DATA_VIEW_H
#define DATA_VIEW_H

#include "base/status.h"

enum view_kind { VIEW_IDENTITY, VIEW_FLIP, VIEW_SHIFT, VIEW_CROP, VIEW_PLACE };

struct view {
    enum view_kind kind;
    int64_t size; /* crop, place: height of the window, which has the image's proportions */
    int64_t x, y; /* shift: how far right and down; crop, place: the window's left upper corner, which may lie outside the image */
};

struct image {
    int64_t height, width, channels;
    const knack_real *fill; /* [channels] what stands where the view shows nothing of the image */
};

/* "identity", "flip", "shift X Y", "crop SIZE X Y", "place SIZE X Y" (the image shrunk into the window). KNACK_E_CONFIG if it is no view of
 * this image. */
knack_status view_parse(const char *text, const struct image *, struct view *);
void view_text(const struct view *, char text[64]);
struct view view_inverse(const struct view *);
/* One row in -> out, [height, width, channels] each, not overlapping. */
void view_row(const struct view *, const struct image *, const knack_real *in, knack_real *out);

#endif
