/* mixup (Zhang et al. 2018, arXiv:1710.09412) and manifold mixup (Verma et al. 2019, arXiv:1806.05236):
 *
 *     x_i <- lambda x_i + (1 - lambda) x_j,   target_i <- lambda target_i + (1 - lambda) target_j,   lambda ~ Beta(alpha, alpha)
 *
 * x is the input or a layer's output. Rows are paired by a random involution, so that partners can share a micro-batch. lambda is
 * max(lambda, 1 - lambda): the pair (j, i) is mixed too, so nothing is lost, and a row's own target stays its main one.
 */
#include <knack/plugin.h>

#include <string.h>

#include "common/mix.h"

enum purpose { DRAW_PAIRS, DRAW_LAMBDA, DRAW_LAYER };

struct mixup {
    double alpha;
    const char *const *layer; /* [layers], of which a batch draws one */
    int64_t layers, until;
    bool per_row;
};

struct mixup_local {
    const char *layer; /* of this batch; NULL: not mixed */
    struct mix mix;
};

/* From drawn [rows], or drawn [1] for all, to the share that each row keeps of itself. A row without partner keeps all, and so its bits. */
static void set_lambda(knack_real *lambda, const knack_real *drawn, bool per_row, const int64_t *partner, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        knack_real own = drawn[per_row ? i : 0];
        own = own < 1 - own ? 1 - own : own;
        lambda[i] = partner[i] == i ? 1 : own;
    }
}

static knack_status mixup_open(knack_trick *trick)
{
    struct mixup *self = knack_self(trick);
    self->alpha = knack_option_number(trick, "alpha");
    self->layer = knack_option_strings(trick, "layer", &self->layers);
    self->until = knack_option_updates(trick, "until");
    const char *mode = knack_option_string(trick, "mode");
    self->per_row = mode && !strcmp(mode, "row");
    if (self->layers < 1) return knack_fail(trick, "\"layer\" is empty; \"input\" mixes the input");
    for (int64_t i = 0; i < self->layers; i++) {
        if (strpbrk(self->layer[i], "*?["))
            return knack_fail(trick, "\"layer\": \"%s\" is a pattern; names of layers are needed", self->layer[i]);
        if (knack_task(trick)->vocabulary && !strcmp(self->layer[i], "input"))
            return knack_fail(trick,
                              "\"layer\": the input is token ids, which cannot be mixed; mix a layer behind it, such as \"embedding\"");
        knack_status status = knack_watch_layer(trick, self->layer[i]);
        if (status < 0) return status;
    }
    return mix_check(trick);
}

static knack_status mixup_pre_step(knack_trick *trick, knack_step *step)
{
    const struct mixup *self = knack_self(trick);
    struct mixup_local *local = knack_local(trick, step);
    int64_t rows = knack_batch(step)->rows;
    if (!local) return KNACK_E_MEMORY;
    if (self->alpha == 0 || rows < 2 || knack_now(trick)->update >= self->until) return KNACK_IDLE;

    knack_real *drawn = knack_scratch(step, (size_t)rows * sizeof *drawn), where = 0;
    if (!drawn) return KNACK_E_MEMORY;
    knack_status status = mix_pairs(trick, step, DRAW_PAIRS, &local->mix);
    if (status < 0) return status;
    knack_beta(trick, DRAW_LAMBDA, self->alpha, self->alpha, self->per_row ? rows : 1, drawn);
    set_lambda(local->mix.lambda, drawn, self->per_row, local->mix.partner, rows);
    if (self->layers > 1) knack_uniform(trick, DRAW_LAYER, 0, 1, &where);
    local->layer = self->layer[(int64_t)((double)where * (double)self->layers)];
    return mix_pair_targets(step, &local->mix);
}

static knack_tensor *mixup_layer(knack_trick *trick, knack_step *step, const char *name, knack_tensor *out)
{
    const struct mixup_local *local = knack_local(trick, step);
    if (!local || !local->layer || strcmp(local->layer, name) != 0) return out;
    return knack_mix_rows(step, out, local->mix.partner, local->mix.lambda, local->mix.rows, 1);
}

static const knack_plugin mixup = {
    .size = sizeof mixup,
    .abi = KNACK_ABI,
    .name = "mixup",
    .version = "1.0.0",
    .self_size = sizeof(struct mixup),
    .local_size = sizeof(struct mixup_local),
    .open = mixup_open,
    .pre_step = mixup_pre_step,
    .layer = mixup_layer,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &mixup : NULL;
}
