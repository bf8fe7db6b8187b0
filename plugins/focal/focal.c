/* Focal loss (Lin et al. 2017, arXiv:1708.02002). With p the probability of an item's own class y:
 *
 *     loss = -alpha_y (1 - p)^gamma log p
 *
 * Items that are predicted well count less, the more so the greater gamma is. All of it is computed from logarithms: log(1 - p) is the
 * logsumexp over the other classes, which is exact where p rounds to 1 and 1 - p would be 0, and whose gradient stays bounded there, so
 * that gamma below 1 needs no guard against (1 - p)^(gamma - 1).
 */
#include <knack/plugin.h>

#include <math.h>

struct focal {
    double gamma;
    const knack_real *alpha; /* [classes], or NULL: 1 */
};

/* logits [items, classes], target [items], negative: none, which loses 0; alpha [classes] or NULL -> [items] */
static knack_tensor *focal_loss(knack_tensor *logits, const int32_t *target, double gamma, knack_tensor *alpha)
{
    knack_tensor *log_softmax = knack_log_softmax(logits);
    knack_tensor *weighted = knack_pick(alpha ? knack_mul(log_softmax, alpha) : log_softmax, target);
    if (gamma == 0) return knack_scale(weighted, -1);
    knack_tensor *nothing = knack_add_scalar(knack_pick(log_softmax, target), -INFINITY);
    knack_tensor *log_others = knack_logsumexp(knack_put(log_softmax, target, nothing)); /* log(1 - p) */
    return knack_scale(knack_mul(knack_exp(knack_scale(log_others, gamma)), weighted), -1);
}

/* ---- alpha ---- */

/* As many as there are classes; or one for class 1 of two, of which the other gets the rest. */
static void given_alpha(knack_real *alpha, int64_t classes, const double *given, int64_t count)
{
    for (int64_t c = 0; c < classes; c++) alpha[c] = (knack_real)(count == classes ? given[c] : c == 1 ? given[0] : 1 - given[0]);
}

/* The inverse of the counts, such that an item's mean weight is 1. A class without items has no inverse, and stays at 1. */
static void balanced_alpha(knack_real *alpha, int64_t classes, const int64_t *count)
{
    int64_t items = 0, present = 0;
    for (int64_t c = 0; c < classes; c++) {
        items += count[c];
        present += count[c] > 0;
    }
    for (int64_t c = 0; c < classes; c++) alpha[c] = (knack_real)(count[c] > 0 ? (double)items / ((double)present * (double)count[c]) : 1);
}

static knack_status check_alpha(knack_trick *trick, int64_t classes, const double *given, int64_t count)
{
    if (count != 1 && count != classes)
        return knack_fail(trick, "\"alpha\" has %lld entries; give one for each of the %lld classes%s", (long long)count,
                          (long long)classes, classes == 2 ? ", or one for class 1" : "");
    if (count == 1 && classes != 2)
        return knack_fail(trick, "\"alpha\" is one number, which is for two classes; give one for each of the %lld classes",
                          (long long)classes);
    bool any = false;
    for (int64_t c = 0; c < count; c++) any |= given[c] > 0;
    if (!any && count > 1) return knack_fail(trick, "\"alpha\" is 0 for each class, which leaves no loss to train by");
    if (count == 1 && given[0] > 1) return knack_fail(trick, "\"alpha\": %g leaves class 0 less than nothing; 1 is the most", given[0]);
    return KNACK_OK;
}

static knack_status focal_open(knack_trick *trick)
{
    struct focal *self = knack_self(trick);
    const struct knack_task *task = knack_task(trick);
    int64_t count;
    const double *given = knack_option_numbers(trick, "alpha", &count);
    bool balanced = knack_option_flag(trick, "balanced");
    self->gamma = knack_option_number(trick, "gamma");
    if (!given && !balanced) return KNACK_OK;
    if (given && balanced) return knack_fail(trick, "\"alpha\" and \"balanced\" both say how classes are weighted; give one of them");
    if (given && check_alpha(trick, task->classes, given, count) < 0) return KNACK_E_PLUGIN;
    knack_real *alpha = knack_state(trick, "alpha", KNACK_REAL, task->classes);
    if (!alpha) return KNACK_E_PLUGIN;
    if (given)
        given_alpha(alpha, task->classes, given, count);
    else if (task->class_count)
        balanced_alpha(alpha, task->classes, task->class_count);
    self->alpha = alpha;
    return KNACK_OK;
}

static knack_tensor *focal_stage(knack_trick *trick, knack_step *step, knack_tensor *logits)
{
    const struct focal *self = knack_self(trick);
    const int64_t classes = knack_task(trick)->classes;
    knack_tensor *alpha = self->alpha ? knack_constant(step, KNACK_REAL, 1, &classes, self->alpha) : NULL;
    return focal_loss(logits, knack_batch(step)->target, self->gamma, alpha);
}

static const knack_plugin focal = {
    .size = sizeof focal,
    .abi = KNACK_ABI,
    .name = "focal",
    .version = "1.0.0",
    .self_size = sizeof(struct focal),
    .open = focal_open,
    .loss = focal_stage,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &focal : NULL;
}
