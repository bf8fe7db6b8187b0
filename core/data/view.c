#include "data/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const view_name[] = {"identity", "flip", "shift", "crop", "place"};
static const int view_numbers[] = {0, 0, 2, 3, 3};

/* Whole numbers after the name, exactly count of them. */
static bool parse_numbers(const char *text, int64_t *number, int count)
{
    enum { LARGEST = 1 << 20 };
    for (int i = 0; i < count; i++) {
        char *end;
        long long value = strtoll(text, &end, 10);
        if (*text != ' ' || end == text || value < -LARGEST || value > LARGEST) return false;
        number[i] = value;
        text = end;
    }
    return *text == '\0';
}

/* "shift", "crop" and "place" must leave something of the image to see. */
static bool shows_something(const struct view *view, const struct image *image)
{
    int64_t height = view->kind == VIEW_SHIFT ? image->height : view->size;
    int64_t width = view->kind == VIEW_SHIFT ? image->width : view->size * image->width / image->height;
    if (view->kind == VIEW_IDENTITY || view->kind == VIEW_FLIP) return true;
    if (height < 1 || height > 4 * image->height) return false;
    return view->x > -(width > 0 ? width : 1) && view->y > -height && view->x < image->width && view->y < image->height;
}

knack_status view_parse(const char *text, const struct image *image, struct view *view)
{
    for (int kind = 0; kind < (int)(sizeof view_name / sizeof *view_name); kind++) {
        size_t length = strlen(view_name[kind]);
        int64_t number[3] = {0};
        if (strncmp(text, view_name[kind], length) != 0 || !parse_numbers(text + length, number, view_numbers[kind])) continue;
        *view = (struct view){.kind = (enum view_kind)kind, .size = number[0], .x = number[1], .y = number[2]};
        if (kind == VIEW_SHIFT) *view = (struct view){.kind = VIEW_SHIFT, .x = number[0], .y = number[1]};
        if (shows_something(view, image)) return KNACK_OK;
        return status_set(KNACK_E_CONFIG, "view \"%s\" shows nothing of an image of %lldx%lld", text, (long long)image->height,
                          (long long)image->width);
    }
    return status_set(KNACK_E_CONFIG,
                      "\"%s\" is no view; there are \"identity\", \"flip\", \"shift RIGHT DOWN\", \"crop SIZE X Y\" and \"place SIZE X Y\"",
                      text);
}

void view_text(const struct view *view, char text[64])
{
    const char *name = view_name[view->kind];
    if (view_numbers[view->kind] == 0)
        snprintf(text, 64, "%s", name);
    else if (view->kind == VIEW_SHIFT)
        snprintf(text, 64, "%s %lld %lld", name, (long long)view->x, (long long)view->y);
    else
        snprintf(text, 64, "%s %lld %lld %lld", name, (long long)view->size, (long long)view->x, (long long)view->y);
}

struct view view_inverse(const struct view *view)
{
    struct view inverse = *view;
    if (view->kind == VIEW_SHIFT) {
        inverse.x = -view->x;
        inverse.y = -view->y;
    }
    if (view->kind == VIEW_CROP) inverse.kind = VIEW_PLACE;
    if (view->kind == VIEW_PLACE) inverse.kind = VIEW_CROP;
    return inverse;
}

/* A line of pixels of one axis as a map: place i of the output shows place first + (2 i + 1) from / (2 to) of the input, from a stretch of
 * "from" pixels that fills a stretch of "to"; where i lies outside that, or the place outside the input, there is nothing: -1. */
struct axis {
    int64_t begin, to;   /* the stretch of the output that is filled */
    int64_t first, from; /* the stretch of the input that fills it */
    int64_t length;      /* of both lines */
};

static int64_t source_place(const struct axis *axis, int64_t place)
{
    int64_t i = place - axis->begin;
    if (i < 0 || i >= axis->to) return -1;
    int64_t shown = axis->first + (axis->from == axis->to ? i : (2 * i + 1) * axis->from / (2 * axis->to)); /* the same, but for speed */
    return shown >= 0 && shown < axis->length ? shown : -1;
}

static struct axis make_axis(const struct view *view, int64_t length, int64_t window, int64_t corner)
{
    if (view->kind == VIEW_CROP) return (struct axis){.to = length, .first = corner, .from = window, .length = length};
    if (view->kind == VIEW_PLACE) return (struct axis){.begin = corner, .to = window, .from = length, .length = length};
    return (struct axis){.begin = corner, .to = length, .from = length, .length = length}; /* shift; identity and flip with corner 0 */
}

void view_row(const struct view *view, const struct image *image, const knack_real *in, knack_real *out)
{
    int64_t channels = image->channels, window = view->size * image->width / image->height;
    struct axis down = make_axis(view, image->height, view->size, view->y);
    struct axis right = make_axis(view, image->width, window > 0 ? window : 1, view->x);
    for (int64_t y = 0; y < image->height; y++) {
        int64_t from_y = source_place(&down, y);
        for (int64_t x = 0; x < image->width; x++, out += channels) {
            int64_t from_x = source_place(&right, view->kind == VIEW_FLIP ? image->width - 1 - x : x);
            const knack_real *pixel = from_y < 0 || from_x < 0 ? image->fill : in + (from_y * image->width + from_x) * channels;
            for (int64_t c = 0; c < channels; c++) out[c] = pixel[c];
        }
    }
}
