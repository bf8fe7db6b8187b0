#include "data/augment.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"

static const char *const augment_name[] = {"flip", "shift", "crop", NULL};
enum { AUGMENT_COUNT = 3 };

#define NAME_FIELD                                                                                                                         \
    {                                                                                                                                      \
        "name", JSON_CHOICE, offsetof(struct augmentation, kind), NULL, NULL, augment_name, "which augmentation"                           \
    }
static const struct json_field flip_fields[] = {NAME_FIELD, {0}};
static const struct json_field shift_fields[] = {NAME_FIELD,
                                                 {"pixels", JSON_INTEGER, offsetof(struct augmentation, pixels), "1", "[1,inf)", NULL,
                                                  "at most so far right, left, down and up; what is left free is zero"},
                                                 {0}};
static const struct json_field crop_fields[] = {
    NAME_FIELD,
    {"padding", JSON_INTEGER, offsetof(struct augmentation, padding), "2", "[0,inf)", NULL,
     "how far, in pixels, the window may reach beyond the image, where it is zero"},
    {"size", JSON_INTEGER, offsetof(struct augmentation, size), "0", "[0,inf)", NULL,
     "height of the window, which is scaled back to the image's size by nearest pixels; 0: the image's own height"},
    {0}};
static const struct json_field *const augment_fields[AUGMENT_COUNT] = {flip_fields, shift_fields, crop_fields};

static const char *entry_name(const struct json *entry)
{
    const struct json *name = entry->kind == JSON_STRING ? entry : json_member(entry, "name");
    return name && name->kind == JSON_STRING ? name->string : NULL;
}

static knack_status check_size(const struct json *entry, struct augmentation *augmentation, int64_t height, int64_t width)
{
    int64_t least = height < width ? height : width;
    if (augmentation->size == 0) augmentation->size = height;
    if (augmentation->kind == AUGMENT_SHIFT && augmentation->pixels >= least)
        return json_fail(entry, KNACK_E_CONFIG, "a shift of %lld pixels leaves nothing of images of %lldx%lld",
                         (long long)augmentation->pixels, (long long)height, (long long)width);
    if (augmentation->kind == AUGMENT_CROP && (augmentation->padding >= least || augmentation->size > height + 2 * augmentation->padding))
        return json_fail(entry, KNACK_E_CONFIG, "a window of size %lld with padding %lld does not fit images of %lldx%lld",
                         (long long)augmentation->size, (long long)augmentation->padding, (long long)height, (long long)width);
    return KNACK_OK;
}

/* A name alone, with all defaults, or an object. */
static knack_status read_entry(const struct json *entry, struct augmentation *augmentation)
{
    const char *name = entry_name(entry);
    int kind = 0;
    while (name && kind < AUGMENT_COUNT && strcmp(name, augment_name[kind]) != 0) kind++;
    if (!name || kind == AUGMENT_COUNT) {
        const char *nearest = name ? text_nearest(name, augment_name, AUGMENT_COUNT) : NULL;
        return json_fail(entry, KNACK_E_CONFIG, "expected \"flip\", \"shift\", \"crop\", or an object with such a \"name\"%s%s%s",
                         nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    }
    if (entry->kind == JSON_OBJECT) return json_fields(entry, augment_fields[kind], augmentation);
    TRY(json_fields(NULL, augment_fields[kind] + 1, augmentation)); /* the name is there already */
    augmentation->kind = kind;
    return KNACK_OK;
}

knack_status augment_read(const struct json *list, int64_t height, int64_t width, struct augmentation **augmentation, int64_t *count)
{
    *augmentation = NULL;
    *count = 0;
    if (list->kind != JSON_ARRAY)
        return json_fail(list, KNACK_E_CONFIG, "expected a list such as [\"flip\", {\"name\": \"shift\", \"pixels\": 1}]");
    if (list->count == 0) return KNACK_OK;
    struct augmentation *made = memory_new((size_t)list->count, sizeof *made);
    if (!made) return KNACK_E_MEMORY;
    knack_status status = KNACK_OK;
    int64_t i = 0;
    for (const struct json *entry = list->first; entry && status == KNACK_OK; entry = entry->next, i++) {
        status = read_entry(entry, &made[i]);
        if (status == KNACK_OK) status = check_size(entry, &made[i], height, width);
        for (int64_t j = 0; j < i && status == KNACK_OK; j++)
            if (made[j].kind == made[i].kind)
                status = json_fail(entry, KNACK_E_CONFIG, "\"%s\" is listed twice; both would draw the same numbers",
                                   augment_name[made[i].kind]);
    }
    if (status < 0) {
        memory_free(made);
        return status;
    }
    *augmentation = made;
    *count = list->count;
    return KNACK_OK;
}

void augment_write(const struct augmentation *augmentation, int64_t count, struct json_writer *writer, const char *name)
{
    json_open(writer, name, '[');
    for (int64_t i = 0; i < count; i++) {
        json_open(writer, NULL, '{');
        json_string(writer, "name", augment_name[augmentation[i].kind]);
        if (augmentation[i].kind == AUGMENT_SHIFT) json_integer(writer, "pixels", augmentation[i].pixels);
        if (augmentation[i].kind == AUGMENT_CROP) {
            json_integer(writer, "padding", augmentation[i].padding);
            json_integer(writer, "size", augmentation[i].size);
        }
        json_close(writer);
    }
    json_close(writer);
}

void augment_schema(struct json_writer *writer, const char *name)
{
    json_open(writer, name, '{');
    json_string(writer, "type", "array");
    json_open(writer, "items", '{');
    json_open(writer, "anyOf", '[');
    json_open(writer, NULL, '{');
    json_open(writer, "enum", '[');
    for (int i = 0; i < AUGMENT_COUNT; i++) json_string(writer, NULL, augment_name[i]);
    json_close(writer);
    json_close(writer);
    for (int i = 0; i < AUGMENT_COUNT; i++) {
        json_open(writer, NULL, '{');
        json_schema_fields(writer, augment_fields[i]);
        json_close(writer);
    }
    json_close(writer);
    json_close(writer);
    json_close(writer);
}

/* Width of the crop's window, as view_row has it. */
static int64_t window_width(const struct augmentation *augmentation, const struct image *image)
{
    int64_t width = augmentation->size * image->width / image->height;
    return width > 0 ? width : 1;
}

/* element of the place, between low and high, both included. */
static int64_t draw_between(uint64_t key, struct random_place place, uint64_t element, int64_t low, int64_t high)
{
    return low + (int64_t)random_below(key, place, element, (uint64_t)(high - low + 1));
}

struct view augment_draw(const struct augmentation *augmentation, const struct image *image, uint64_t seed, uint32_t batch, int64_t row)
{
    static const char *const stream[AUGMENT_COUNT] = {"augment.flip", "augment.shift", "augment.crop"};
    uint64_t key = random_key(seed, stream[augmentation->kind]);
    struct random_place place = {batch, (uint32_t)row, (uint32_t)((uint64_t)row >> 32)};
    int64_t pixels = augmentation->pixels, padding = augmentation->padding, size = augmentation->size;
    switch (augmentation->kind) {
    case AUGMENT_FLIP:
        return (struct view){.kind = draw_between(key, place, 0, 0, 1) ? VIEW_FLIP : VIEW_IDENTITY};
    case AUGMENT_SHIFT:
        return (struct view){
            .kind = VIEW_SHIFT, .x = draw_between(key, place, 0, -pixels, pixels), .y = draw_between(key, place, 1, -pixels, pixels)};
    default:
        return (struct view){.kind = VIEW_CROP,
                             .size = size,
                             .x = draw_between(key, place, 0, -padding, image->width + padding - window_width(augmentation, image)),
                             .y = draw_between(key, place, 1, -padding, image->height + padding - size)};
    }
}

static bool between(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

bool augment_draws(const struct augmentation *augmentation, const struct image *image, const struct view *view)
{
    int64_t pixels = augmentation->pixels, padding = augmentation->padding;
    if (view->kind == VIEW_IDENTITY) return true;
    switch (augmentation->kind) {
    case AUGMENT_FLIP:
        return view->kind == VIEW_FLIP;
    case AUGMENT_SHIFT:
        return view->kind == VIEW_SHIFT && between(view->x, -pixels, pixels) && between(view->y, -pixels, pixels);
    default: /* a crop of the image's own size is a shift */
        if (view->kind == VIEW_SHIFT)
            return augmentation->size == image->height && between(view->x, -padding, padding) && between(view->y, -padding, padding);
        return view->kind == VIEW_CROP && view->size == augmentation->size &&
               between(view->x, -padding, image->width + padding - window_width(augmentation, image)) &&
               between(view->y, -padding, image->height + padding - view->size);
    }
}
