/* R-Drop (Liang et al. 2021, arXiv:2106.14448). Each batch goes through the model twice, with dropout masks of its own each time, giving
 * z1 and z2, which are asked to agree:
 *
 *     loss = (L(z1) + L(z2)) / 2 + alpha / 2 D(z1, z2),   D = (KL(p1 || p2) + KL(p2 || p1)) / 2 = sum (p1 - p2) (log p1 - log p2) / 2
 *
 * p = softmax(z), and neither side is held still. This is half of the paper's loss, so that the rate of learning stays that of one pass;
 * alpha is the paper's, twice the weight of D beside a mean of losses. In a regression D is the mean squared difference of outputs.
 */
#include <knack/plugin.h>

/* Of so many items one would have differed, had there been dropout: two masks are seldom alike. */
enum { ITEMS_THAT_TELL = 64 };

struct rdrop {
    double alpha;
    bool classes;
    int64_t *alike; /* state: items with D = 0, as long as there were no others; negative: there were */
};

struct rdrop_local {
    int64_t items;
    bool differed;
};

/* D of logits [items, classes] -> [items] */
static knack_tensor *symmetric_kl(knack_step *step, knack_tensor *z1, knack_tensor *z2)
{
    static const knack_real nothing = 0;
    knack_tensor *zero = knack_constant(step, KNACK_REAL, 1, (const int64_t[]){1}, &nothing);
    knack_tensor *log_p1 = knack_log_softmax(z1), *log_p2 = knack_log_softmax(z2);
    knack_tensor *ratio = knack_sub(log_p1, log_p2);
    ratio = knack_where(knack_is_nan(ratio), zero, ratio); /* a class that both rule out, by -Inf: they agree */
    return knack_scale(knack_sum(knack_mul(knack_sub(knack_exp(log_p1), knack_exp(log_p2)), ratio), 1), 0.5);
}

/* D of outputs [items, outputs] -> [items] */
static knack_tensor *squared_difference(knack_tensor *z1, knack_tensor *z2)
{
    knack_tensor *difference = knack_sub(z1, z2);
    return knack_mean(knack_mul(difference, difference), 1);
}

static knack_tensor *joined(knack_tensor *loss1, knack_tensor *loss2, knack_tensor *apart, double alpha)
{
    return knack_add(knack_mean2(loss1, loss2), knack_scale(apart, alpha / 2));
}

/* apart [items], of one micro-batch */
static void count_alike(struct rdrop_local *local, const knack_tensor *apart)
{
    int axes;
    const int64_t *shape = knack_shape(apart, &axes);
    const knack_real *value = knack_data(apart);
    if (axes != 1) return;
    for (int64_t i = 0; i < shape[0]; i++) local->differed |= value[i] != 0;
    local->items += shape[0];
}

static knack_status rdrop_open(knack_trick *trick)
{
    struct rdrop *self = knack_self(trick);
    self->alpha = knack_option_number(trick, "alpha");
    self->classes = knack_task(trick)->kind == KNACK_CLASSIFICATION;
    self->alike = knack_state(trick, "alike", KNACK_I64, 1);
    return self->alike ? KNACK_OK : KNACK_E_PLUGIN;
}

static knack_tensor *rdrop_loss(knack_trick *trick, knack_step *step, knack_tensor *logits)
{
    const struct rdrop *self = knack_self(trick);
    const struct knack_now *now = knack_now(trick);
    if (self->alpha == 0) return knack_next_loss(trick, step, logits);
    knack_tensor *again = knack_forward(trick, step, NULL, KNACK_REDRAW);
    knack_tensor *apart = self->classes ? symmetric_kl(step, logits, again) : squared_difference(logits, again);
    struct rdrop_local *local = knack_local(trick, step);
    if (local && apart && now->update > 0 && now->pass == 0) count_alike(local, apart); /* at first a head of zeros gives the same */
    return joined(knack_next_loss(trick, step, logits), knack_next_loss(trick, step, again), apart, self->alpha);
}

static knack_status rdrop_post_step(knack_trick *trick, knack_step *step)
{
    const struct rdrop *self = knack_self(trick);
    const struct rdrop_local *local = knack_local(trick, step);
    if (!local || *self->alike < 0) return KNACK_IDLE;
    *self->alike = local->differed ? -1 : *self->alike + local->items;
    if (*self->alike >= ITEMS_THAT_TELL)
        knack_warn(trick,
                   "both passes gave the same: without dropout in the model there is nothing to agree on, only a second pass to pay for");
    return KNACK_IDLE;
}

static const knack_plugin rdrop = {
    .size = sizeof rdrop,
    .abi = KNACK_ABI,
    .name = "rdrop",
    .version = "1.0.0",
    .self_size = sizeof(struct rdrop),
    .local_size = sizeof(struct rdrop_local),
    .open = rdrop_open,
    .post_step = rdrop_post_step,
    .loss = rdrop_loss,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &rdrop : NULL;
}
