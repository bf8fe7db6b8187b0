#include "draw/labels.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* Advance widths from ' ' to '~' in thousandths of the font's size, as measured of a wide sans serif font. */
static const short advance[] = {
    318,  401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, /*   ! " # $ % & ' ( ) * + , - . / */
    636,  636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, /* 0 to 9 : ; < = > ? */
    1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, /* @ A to O */
    603,  787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, /* P to Z [ \ ] ^ _ */
    500,  613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, /* ` a to o */
    635,  635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,      /* p to z { | } ~ */
};

/* Of what else the charts write: middle dot, times, dash, ellipsis, arrow, minus, infinity; then some Cyrillic letters, and those that fill
 * a square. */
static double other_advance(uint32_t point)
{
    static const short known[][2] = {{0xB7, 380}, {0xD7, 860}, {0x2013, 500}, {0x2026, 1000}, {0x2192, 860}, {0x2212, 860}, {0x221E, 860}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (point == (uint32_t)known[i][0]) return known[i][1];
    return point < 0x300 ? 1000 : 1450;
}

static double character_width(uint32_t point)
{
    double thousandths = point >= ' ' && point <= '~' ? advance[point - ' '] : other_advance(point);
    return thousandths / 1000 * LABEL_SIZE;
}

double label_width(const char *text)
{
    double width = 0;
    while (*text) {
        uint32_t point;
        text += text_character(text, &point);
        width += character_width(point);
    }
    return width;
}

double label_width_bold(const char *text)
{
    return label_width(text) * 1.15 * 13 / LABEL_SIZE + 2;
}

const char *label_shorten(char *buffer, size_t size, const char *text, double width)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    size_t length = strlen(text);
    if (length < size && label_width(text) <= width) return memcpy(buffer, text, length + 1);
    double left = width - LABEL_SIZE;
    size_t kept = 0;
    while (text[kept]) {
        uint32_t point;
        size_t bytes = (size_t)text_character(text + kept, &point);
        left -= character_width(point);
        if (left < 0 || kept + bytes + sizeof ellipsis > size) break;
        kept += bytes;
    }
    while (kept > 0 && text[kept - 1] == ' ') kept--;
    memcpy(buffer, text, kept);
    memcpy(buffer + kept, ellipsis, sizeof ellipsis);
    return buffer;
}

size_t label_line(const char *text, double width)
{
    size_t at = 0, blank = 0;
    while (text[at]) {
        uint32_t point;
        size_t bytes = (size_t)text_character(text + at, &point);
        width -= character_width(point);
        if (text[at] == ' ') blank = at;
        if (width < 0 && at > 0) return blank ? blank : at;
        at += bytes;
    }
    return at;
}

/* ---- Places ---- */

bool box_meets(struct box a, struct box b)
{
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

struct box label_box(double x, double y, double width)
{
    return (struct box){x, y - LABEL_ABOVE, x + width, y + LABEL_BELOW};
}

void boxes_add(struct boxes *boxes, struct box box)
{
    if (boxes->failed) return;
    if (boxes->count == boxes->room) {
        int64_t room = 2 * boxes->room + 64;
        struct box *grown = memory_resize(boxes->box, (size_t)room, sizeof *grown);
        if (!grown) {
            boxes->failed = true;
            return;
        }
        boxes->box = grown;
        boxes->room = room;
    }
    boxes->box[boxes->count++] = box;
}

void boxes_free(struct boxes *boxes)
{
    memory_free(boxes->box);
    *boxes = (struct boxes){0};
}

bool boxes_meet(const struct boxes *boxes, struct box box)
{
    for (int64_t i = 0; i < boxes->count; i++)
        if (box_meets(boxes->box[i], box)) return true;
    return false;
}

static bool within(struct box box, struct box bounds)
{
    return box.left >= bounds.left && box.right <= bounds.right && box.top >= bounds.top && box.bottom <= bounds.bottom;
}

double box_nearest(struct box box, double x, double y, double *near_x, double *near_y)
{
    *near_x = fmin(fmax(x, box.left), box.right);
    *near_y = fmin(fmax(y, box.top), box.bottom);
    return hypot(*near_x - x, *near_y - y);
}

/* Round the point in growing rings, right side first; the label's nearest edge is at the ring. */
bool label_place(const struct boxes *taken, const struct boxes *may_cover, double x, double y, double width, struct box bounds,
                 struct box *place)
{
    static const double angle[] = {0, 30, -30, 180, 150, -150, 60, -60, 120, -120, 90, -90, 15, -15, 165, -165, 45, -45, 135, -135};
    double height = LABEL_ABOVE + LABEL_BELOW, near = 0, near_x, near_y; /* near: how far the first place is; 0: none yet */
    for (double radius = 8; radius < 1000; radius += radius < 40 ? 4 : 10) {
        for (size_t i = 0; i < sizeof angle / sizeof angle[0]; i++) {
            double across = cos(angle[i] * 3.14159265358979 / 180), down = -sin(angle[i] * 3.14159265358979 / 180);
            double middle_x = x + radius * across + width / 2 * (fabs(across) < .1 ? 0 : across > 0 ? 1 : -1);
            double middle_y = y + radius * down + height / 2 * (fabs(down) < .1 ? 0 : down);
            struct box box = {middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2};
            if (!within(box, bounds) || boxes_meet(taken, box)) continue;
            double away = box_nearest(box, x, y, &near_x, &near_y);
            bool clear = !boxes_meet(may_cover, box);
            if (near == 0 || (clear && (away < 50 || away < 2 * near))) *place = box;
            if (clear) return true;
            if (near == 0) near = away;
        }
        if (x - radius < bounds.left && x + radius > bounds.right && y - radius < bounds.top && y + radius > bounds.bottom) break;
    }
    return near > 0;
}
