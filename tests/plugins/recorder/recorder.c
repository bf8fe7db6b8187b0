/* A plugin for tests: writes down which slots are called in which order, by all of its instances. In evaluation the name of the weights
 * stands behind. */
#include <stdio.h>
#include <string.h>

#include <knack/plugin.h>

#include "recorder.h"

struct recorder {
    struct recorder_log *log; /* first: tests read it */
    const char *tag;
    knack_weights *set; /* ready after the first update; NULL: none asked for */
};

static struct recorder_log all;

static void note(knack_trick *trick, const char *slot)
{
    const struct recorder *self = knack_self(trick);
    if (all.length >= RECORDER_SIZE - 128) return;
    all.length += snprintf(all.text + all.length, 128, "%s%s %s", all.length ? ", " : "", self->tag, slot);
}

/* With what knack_now() says of a pass or an evaluation. */
static void note_now(knack_trick *trick, const char *slot)
{
    const struct knack_now *now = knack_now(trick);
    char text[96];
    snprintf(text, sizeof text, "%s %s %s", slot, now->training ? "training" : now->part, now->weights);
    note(trick, text);
}

static void bracket(const char *text)
{
    if (all.length < RECORDER_SIZE - 8) all.length += snprintf(all.text + all.length, 8, "%s", text);
}

static knack_status recorder_open(knack_trick *trick)
{
    struct recorder *self = knack_self(trick);
    self->log = &all;
    self->tag = knack_option_string(trick, "tag");
    const char *set = knack_option_string(trick, "set");
    if (set) self->set = knack_weight_set(trick, set, KNACK_EVALUATE);
    if (knack_option_flag(trick, "first")) all = (struct recorder_log){0};
    note(trick, "open");
    return knack_watch_layer(trick, "fc1");
}

static knack_status recorder_post_step(knack_trick *trick, knack_step *step)
{
    (void)step;
    const struct recorder *self = knack_self(trick);
    if (self->set) knack_weights_ready(self->set);
    note(trick, "post_step");
    return KNACK_OK;
}

#define HOOK(slot, how)                                                                                                                    \
    static knack_status recorder_##slot(knack_trick *trick)                                                                                \
    {                                                                                                                                      \
        how(trick, #slot);                                                                                                                 \
        return KNACK_OK;                                                                                                                   \
    }
#define STEP_HOOK(slot)                                                                                                                    \
    static knack_status recorder_##slot(knack_trick *trick, knack_step *step)                                                              \
    {                                                                                                                                      \
        (void)step;                                                                                                                        \
        note(trick, #slot);                                                                                                                \
        return KNACK_OK;                                                                                                                   \
    }
#define STAGE(slot, how)                                                                                                                   \
    static knack_tensor *recorder_##slot(knack_trick *trick, knack_step *step, knack_tensor *in)                                           \
    {                                                                                                                                      \
        how(trick, #slot);                                                                                                                 \
        bracket(" (");                                                                                                                     \
        knack_tensor *out = knack_next_##slot(trick, step, in);                                                                            \
        bracket(")");                                                                                                                      \
        return out;                                                                                                                        \
    }
HOOK(run_begin, note)
HOOK(run_end, note)
HOOK(epoch_begin, note)
HOOK(epoch_end, note)
HOOK(eval_begin, note_now)
HOOK(eval_end, note_now)
STEP_HOOK(pre_step)
STEP_HOOK(post_backward)
STAGE(head, note_now)
STAGE(loss, note)
STAGE(predict, note_now)

static void recorder_close(knack_trick *trick)
{
    note(trick, "close");
}

static knack_tensor *recorder_layer(knack_trick *trick, knack_step *step, const char *name, knack_tensor *out)
{
    (void)step;
    note(trick, name);
    return out;
}

static knack_status recorder_gradient(knack_trick *trick, knack_step *step)
{
    note(trick, "gradient");
    bracket(" (");
    knack_status status = knack_next_gradient(trick, step, 0, 1, 0);
    bracket(")");
    return status;
}

static const knack_plugin recorder = {
    .size = sizeof recorder,
    .abi = KNACK_ABI,
    .name = "recorder",
    .version = "1.0.0",
    .self_size = sizeof(struct recorder),
    .open = recorder_open,
    .close = recorder_close,
    .run_begin = recorder_run_begin,
    .run_end = recorder_run_end,
    .epoch_begin = recorder_epoch_begin,
    .epoch_end = recorder_epoch_end,
    .pre_step = recorder_pre_step,
    .post_backward = recorder_post_backward,
    .post_step = recorder_post_step,
    .eval_begin = recorder_eval_begin,
    .eval_end = recorder_eval_end,
    .layer = recorder_layer,
    .head = recorder_head,
    .loss = recorder_loss,
    .gradient = recorder_gradient,
    .predict = recorder_predict,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &recorder : NULL;
}
