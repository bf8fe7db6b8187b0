/* CutMix (Yun et al. 2019, arXiv:1905.04899). A box of each image shows that part of another image, and the targets are mixed as the areas
 * are. With lambda ~ Beta(alpha, alpha), r = sqrt(1 - lambda) and a centre drawn evenly among the H W pixels:
 *
 *     half a box = (floor(r H) / 2, floor(r W) / 2), rounded down,   box = centre -+ half a box, cut off at the edges
 *     target_i <- lambda' target_i + (1 - lambda') target_j,         lambda' = 1 - area / (H W)
 *
 * lambda' is what is left of an image indeed. One box serves the batch; rows are paired by a random involution, so that partners, which
 * exchange their boxes, can share a micro-batch.
 */
#include <knack/plugin.h>

#include <math.h>

#include "common/mix.h"

enum purpose { DRAW_PAIRS, DRAW_LAMBDA, DRAW_CENTRE, DRAW_WHETHER };

struct cutmix {
    double alpha, prob;
    int64_t until;
};

struct cutmix_local {
    struct mix mix;
    knack_real *keep; /* [pixels, channels] 0 in the box, else 1; NULL: not mixed */
    int64_t values;   /* of one image */
};

/* Rows top .. bottom - 1, columns left .. right - 1. */
struct box {
    int64_t top, bottom, left, right;
};

static void cut(int64_t centre, int64_t half, int64_t size, int64_t *first, int64_t *end)
{
    *first = centre < half ? 0 : centre - half;
    *end = centre + half > size ? size : centre + half;
}

static struct box box_at(double lambda, int64_t y, int64_t x, int64_t height, int64_t width)
{
    struct box box;
    double side = sqrt(1 - lambda);
    cut(y, (int64_t)(side * (double)height) / 2, height, &box.top, &box.bottom);
    cut(x, (int64_t)(side * (double)width) / 2, width, &box.left, &box.right);
    return box;
}

static int64_t area(const struct box *box)
{
    return (box->bottom - box->top) * (box->right - box->left);
}

/* keep [height, width, channels] */
static void fill_keep(knack_real *keep, const struct box *box, int64_t height, int64_t width, int64_t channels)
{
    for (int64_t y = 0; y < height; y++) {
        for (int64_t x = 0; x < width; x++) {
            bool inside = y >= box->top && y < box->bottom && x >= box->left && x < box->right;
            for (int64_t c = 0; c < channels; c++) *keep++ = inside ? 0 : 1;
        }
    }
}

/* Where the box of this batch is; empty if it is not to be mixed. */
static struct box draw_box(knack_trick *trick, int64_t height, int64_t width)
{
    const struct cutmix *self = knack_self(trick);
    knack_real whether, lambda, centre[2];
    knack_uniform(trick, DRAW_WHETHER, 0, 1, &whether);
    if (!((double)whether < self->prob)) return (struct box){0};
    knack_beta(trick, DRAW_LAMBDA, self->alpha, self->alpha, 1, &lambda);
    knack_uniform(trick, DRAW_CENTRE, 0, 2, centre);
    return box_at((double)lambda, (int64_t)((double)centre[0] * (double)height), (int64_t)((double)centre[1] * (double)width), height,
                  width);
}

static knack_status cutmix_open(knack_trick *trick)
{
    struct cutmix *self = knack_self(trick);
    self->alpha = knack_option_number(trick, "alpha");
    self->prob = knack_option_number(trick, "prob");
    self->until = knack_option_updates(trick, "until");
    if (knack_task(trick)->input_ndim != 3)
        return knack_fail(trick, "cuts boxes out of images, but an example is a list of numbers; \"mixup\" is for those");
    knack_status status = mix_check(trick);
    return status < 0 ? status : knack_watch_layer(trick, "input");
}

static knack_status cutmix_pre_step(knack_trick *trick, knack_step *step)
{
    const struct cutmix *self = knack_self(trick);
    struct cutmix_local *local = knack_local(trick, step);
    const int64_t *image = knack_task(trick)->input; /* [height, width, channels] */
    if (!local) return KNACK_E_MEMORY;
    if (self->alpha == 0 || knack_batch(step)->rows < 2 || knack_now(trick)->update >= self->until) return KNACK_IDLE;

    int64_t height = image[0], width = image[1], channels = image[2];
    struct box box = draw_box(trick, height, width);
    if (area(&box) == 0) return KNACK_IDLE;
    local->values = height * width * channels;
    local->keep = knack_scratch(step, (size_t)local->values * sizeof *local->keep);
    if (!local->keep) return KNACK_E_MEMORY;
    fill_keep(local->keep, &box, height, width, channels);

    struct mix *mix = &local->mix;
    knack_status status = mix_pairs(trick, step, DRAW_PAIRS, mix);
    if (status < 0) return status;
    knack_real lambda = (knack_real)(1 - (double)area(&box) / (double)(height * width));
    for (int64_t i = 0; i < mix->rows; i++) mix->lambda[i] = mix->partner[i] == i ? 1 : lambda;
    return mix_pair_targets(step, mix);
}

static knack_tensor *cutmix_layer(knack_trick *trick, knack_step *step, const char *name, knack_tensor *out)
{
    const struct cutmix_local *local = knack_local(trick, step);
    (void)name; /* only "input" is watched */
    if (!local || !local->keep) return out;
    return knack_mix_rows(step, out, local->mix.partner, local->keep, 1, local->values);
}

static const knack_plugin cutmix = {
    .size = sizeof cutmix,
    .abi = KNACK_ABI,
    .name = "cutmix",
    .version = "1.0.0",
    .self_size = sizeof(struct cutmix),
    .local_size = sizeof(struct cutmix_local),
    .open = cutmix_open,
    .pre_step = cutmix_pre_step,
    .layer = cutmix_layer,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &cutmix : NULL;
}
