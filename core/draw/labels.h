/* How wide text is, and where it can stand without touching what is there. All lengths in units of a drawing, for text of LABEL_SIZE. */
#ifndef DRAW_LABELS_H
#define DRAW_LABELS_H

#include "base/status.h"

/* A line of text reaches LABEL_ABOVE up and LABEL_BELOW down from where it stands; lines follow each other at LABEL_LINE. */
enum { LABEL_SIZE = 12, LABEL_ABOVE = 12, LABEL_BELOW = 4, LABEL_LINE = 17 };

/* At most so wide in any usual sans serif font: the widths are those of wide ones. */
double label_width(const char *text);
double label_width_bold(const char *text); /* 13 units high */
/* text, or as much of it as has room in width, with an ellipsis; returns buffer. */
const char *label_shorten(char *buffer, size_t size, const char *text, double width);
/* How many bytes of text make the first of its lines of at most width: up to a blank, or, where a word is longer, within it. */
size_t label_line(const char *text, double width);

struct box {
    double left, top, right, bottom;
};
bool box_meets(struct box, struct box);
struct box label_box(double x, double y, double width); /* of text that begins at x and stands on y */

/* What has been drawn and must stay readable. Begins as {0}. */
struct boxes {
    struct box *box;
    int64_t count, room;
    bool failed;
};
void boxes_add(struct boxes *, struct box);
void boxes_free(struct boxes *);
bool boxes_meet(const struct boxes *, struct box);
/* The point of a box that is nearest to x, y; returns how far that is. */
double box_nearest(struct box, double x, double y, double *near_x, double *near_y);
/* The nearest place within bounds for a label of the given width beside the point x, y that is clear of what is taken, and, unless that is
 * far away, of what it may cover. False: there is none. */
bool label_place(const struct boxes *taken, const struct boxes *may_cover, double x, double y, double width, struct box bounds,
                 struct box *place);

#endif
