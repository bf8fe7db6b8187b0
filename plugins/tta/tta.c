/* Test-time augmentation: predicts several views of each example, and merges what they say (Krizhevsky et al. 2012).
 *
 *     mean    sum_v w_v p_v               gmean   softmax(sum_v w_v log p_v)
 *     max     max_v p_v, made to sum to 1   logit   softmax(sum_v w_v z_v)
 *
 * p_v are the probabilities of view v, or in a regression the outputs, z_v the model's logits; the weights w sum to 1. Views are fixed, so
 * that a prediction does not depend on what else is in its batch. They have to be views that training showed the model: elsewhere its
 * predictions are guesses, and the merged one is worse than that of the image as it is.
 */
#include <knack/plugin.h>

#include <string.h>

enum merge { MERGE_MEAN, MERGE_GMEAN, MERGE_MAX, MERGE_LOGIT };
static const char *const merge_name[] = {"mean", "gmean", "max", "logit"};

struct tta {
    enum merge merge;
    bool identity_first;     /* put before the listed ones */
    const char *const *view; /* listed ones: [views - identity_first] */
    int64_t views;
    const double *weight; /* [views], or NULL: alike */
    double total;         /* of the weights */
};

/* ---- Merging: values are [rows, classes] ---- */

static knack_tensor *merge_view(enum merge merge, knack_tensor *merged, knack_tensor *value, double weight)
{
    static const double least = 1e-12; /* one view's 0 is not a veto */
    if (merge == MERGE_MAX) return merged ? knack_where(knack_greater(value, merged), value, merged) : value;
    if (merge == MERGE_GMEAN) value = knack_log(knack_clamp(value, least, 1)); /* products of many views would underflow */
    value = knack_scale(value, weight);
    return merged ? knack_add(merged, value) : value;
}

static knack_tensor *merge_end(enum merge merge, knack_tensor *merged)
{
    if (merge == MERGE_MEAN) return merged;
    return knack_softmax(merge == MERGE_MAX ? knack_log(merged) : merged);
}

/* ---- Options ---- */

static const char *view_at(const struct tta *self, int64_t v)
{
    if (self->identity_first && v == 0) return "identity";
    return self->view[v - self->identity_first];
}

static double weight_at(const struct tta *self, int64_t v)
{
    return self->weight ? self->weight[v] / self->total : 1 / (double)self->views;
}

static knack_status choose_merge(knack_trick *trick, struct tta *self, const char *merge)
{
    while (strcmp(merge_name[self->merge], merge) != 0) self->merge++;
    if (self->merge != MERGE_MEAN && knack_task(trick)->kind != KNACK_CLASSIFICATION)
        return knack_fail(trick, "\"merge\": \"%s\" is for probabilities of classes; outputs of a regression have a \"mean\"", merge);
    return KNACK_OK;
}

static knack_status choose_views(knack_trick *trick, struct tta *self, bool identity)
{
    self->identity_first = identity;
    if (self->views == 0) return knack_fail(trick, "\"views\" are missing; list some, as [\"flip\"] or [\"shift 1 0\", \"shift -1 0\"]");
    for (int64_t i = 0; i < self->views; i++) {
        if (!strcmp(self->view[i], "train"))
            return knack_fail(trick, "\"views\": \"train\" is drawn anew each time; list fixed views, as \"flip\" or \"shift 1 0\"");
        if (!strcmp(self->view[i], "identity")) self->identity_first = false;
        for (int64_t j = 0; j < i; j++)
            if (!strcmp(self->view[i], self->view[j]))
                return knack_fail(trick, "\"views\": \"%s\" is listed twice; \"weights\" make one view count more", self->view[i]);
    }
    knack_status status = knack_need_views(trick, self->view, self->views);
    if (status < 0) return status;
    self->views += self->identity_first;
    return KNACK_OK;
}

static knack_status choose_weights(knack_trick *trick, struct tta *self, int64_t count)
{
    if (!self->weight) return KNACK_OK;
    if (self->merge == MERGE_MAX) return knack_fail(trick, "\"weights\" have no meaning with \"merge\": \"max\"");
    if (count != self->views)
        return knack_fail(trick, "\"weights\" has %lld entries for %lld views%s", (long long)count, (long long)self->views,
                          self->identity_first ? ", of which the first is \"identity\", the image as it is" : "");
    for (int64_t v = 0; v < count; v++) self->total += self->weight[v];
    return self->total > 0 ? KNACK_OK : knack_fail(trick, "\"weights\" are all 0");
}

static knack_status tta_open(knack_trick *trick)
{
    struct tta *self = knack_self(trick);
    int64_t weights;
    self->view = knack_option_strings(trick, "views", &self->views);
    self->weight = knack_option_numbers(trick, "weights", &weights);
    knack_status status = choose_views(trick, self, knack_option_flag(trick, "identity"));
    if (status >= 0) status = choose_merge(trick, self, knack_option_string(trick, "merge"));
    return status < 0 ? status : choose_weights(trick, self, weights);
}

/* ---- Prediction ---- */

static knack_tensor *tta_predict(knack_trick *trick, knack_step *step, knack_tensor *x)
{
    const struct tta *self = knack_self(trick);
    knack_tensor *merged = NULL;
    for (int64_t v = 0; v < self->views; v++) {
        const char *view = view_at(self, v);
        knack_tensor *seen = strcmp(view, "identity") ? knack_view(trick, step, view, x) : x;
        knack_tensor *value = !seen                        ? NULL
                              : self->merge == MERGE_LOGIT ? knack_forward(trick, step, seen, KNACK_EVAL)
                                                           : knack_next_predict(trick, step, seen);
        if (!value) return NULL;
        merged = merge_view(self->merge, merged, value, weight_at(self, v));
    }
    return merge_end(self->merge, merged);
}

static const knack_plugin tta = {
    .size = sizeof tta,
    .abi = KNACK_ABI,
    .name = "tta",
    .version = "1.0.0",
    .self_size = sizeof(struct tta),
    .open = tta_open,
    .predict = tta_predict,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &tta : NULL;
}
