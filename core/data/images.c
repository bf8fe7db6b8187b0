/* What the data set offers on rows that are there already: order, augmentations, views. */
#include <string.h>

#include "base/random.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/view.h"

void data_order(const struct dataset *data, uint64_t seed, int64_t epoch, int32_t *order)
{
    int64_t count = data->part[PART_TRAIN].count;
    struct random_place place = {(uint32_t)epoch, (uint32_t)((uint64_t)epoch >> 32), 0};
    if (data->shuffle) {
        random_permutation(random_key(seed, "order"), place, count, order);
        return;
    }
    for (int64_t i = 0; i < count; i++) order[i] = (int32_t)i;
}

static struct image image_of(const struct dataset *data)
{
    return (struct image){data->shape[0], data->shape[1], data->shape[2], data->fill};
}

knack_status data_augment(const struct dataset *data, uint64_t seed, uint32_t batch, const int64_t *row, int64_t count, knack_real *x)
{
    struct image image = image_of(data); /* there are augmentations of images only */
    for (int64_t a = 0; a < data->augmentation_count; a++) {
        for (int64_t i = 0; i < count; i++) {
            struct view view = augment_draw(&data->augmentation[a], &image, seed, batch, row[i]);
            if (view.kind == VIEW_IDENTITY) continue;
            memcpy(data->scratch, x + i * data->width, (size_t)data->width * sizeof *x);
            view_row(&view, &image, data->scratch, x + i * data->width);
        }
    }
    return KNACK_OK;
}

/* The view of that name on rows of this data set. */
static knack_status find_view(const struct dataset *data, const char *name, struct view *view)
{
    static const struct image any = {.height = 1, .width = 1, .channels = 1};
    struct image image = data->ndim == 3 ? image_of(data) : any;
    TRY(view_parse(name, &image, view));
    if (data->ndim == 3 || view->kind == VIEW_IDENTITY) return KNACK_OK;
    return status_set(KNACK_E_CONFIG, "view \"%s\" needs images; the rows are %lld values; there is \"identity\"", name,
                      (long long)data->width);
}

knack_status data_view(const struct dataset *data, const char *name, int64_t count, const knack_real *x, knack_real *out, bool *trained)
{
    struct view view;
    TRY(find_view(data, name, &view));
    struct image image = image_of(data);
    if (trained) {
        *trained = view.kind == VIEW_IDENTITY;
        for (int64_t a = 0; a < data->augmentation_count; a++) *trained |= augment_draws(&data->augmentation[a], &image, &view);
    }
    if (count == 0) return KNACK_OK;
    if (view.kind == VIEW_IDENTITY)
        memcpy(out, x, (size_t)(count * data->width) * sizeof *out);
    else
        for (int64_t i = 0; i < count; i++) view_row(&view, &image, x + i * data->width, out + i * data->width);
    return KNACK_OK;
}

knack_status data_view_inverse(const struct dataset *data, const char *name, char inverse[64])
{
    struct view view;
    TRY(find_view(data, name, &view));
    struct view undone = view_inverse(&view);
    view_text(&undone, inverse);
    return KNACK_OK;
}
