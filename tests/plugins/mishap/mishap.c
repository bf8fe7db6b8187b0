/* A plugin for tests: a placebo that acts without changing a bit, or a trial that ends in one of the ways in which trials end. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <knack/plugin.h>

struct mishap {
    const char *what, *mark;
    int64_t at, signal, draws;
    double chance;
};

static knack_status mishap_open(knack_trick *trick)
{
    struct mishap *self = knack_self(trick);
    self->what = knack_option_string(trick, "what");
    self->mark = knack_option_string(trick, "mark");
    self->at = (int64_t)knack_option_number(trick, "at");
    self->chance = knack_option_number(trick, "chance");
    self->signal = (int64_t)knack_option_number(trick, "signal");
    self->draws = (int64_t)knack_option_number(trick, "draws");
    return KNACK_OK;
}

/* At that update each seed draws whether it is one of those. */
static bool happens(knack_trick *trick)
{
    const struct mishap *self = knack_self(trick);
    knack_real drawn;
    if (knack_now(trick)->update != self->at || (*self->mark && access(self->mark, F_OK) == 0)) return false;
    knack_uniform(trick, 0, 0, 1, &drawn);
    return (double)drawn < self->chance;
}

static bool is(knack_trick *trick, const char *what)
{
    return strcmp(((const struct mishap *)knack_self(trick))->what, what) == 0;
}

static knack_status mishap_pre_step(knack_trick *trick, knack_step *step)
{
    const struct mishap *self = knack_self(trick);
    knack_real drawn[256];
    for (int64_t i = 0; i < self->draws; i += 256) knack_uniform(trick, 1, i, 256, drawn);
    if (is(trick, "idle")) return KNACK_IDLE;
    if (!happens(trick)) return KNACK_OK;
    if (is(trick, "signal")) {
        signal((int)self->signal, SIG_DFL);
        raise((int)self->signal);
    }
    if (is(trick, "exit")) _exit(3);
    while (is(trick, "hang")) pause();
    while (is(trick, "spin")) continue;
    if (is(trick, "print")) printf("a plugin prints\n");
    if (is(trick, "warn"))
        for (int i = 0; i < 200; i++) knack_warn(trick, "warning %d", i / 2);
    if (is(trick, "hoard")) knack_scratch(step, (size_t)1 << 60);
    if (is(trick, "target")) knack_batch(step)->target[0] = 1000;
    if (is(trick, "short")) { /* a crash where there is no memory, as oneDNN's */
        setrlimit(RLIMIT_AS, &(struct rlimit){1, 1});
        raise(SIGSEGV);
    }
    return is(trick, "fail") ? knack_fail(trick, "it was told to fail") : KNACK_OK;
}

/* Gradients with signs at random: training from there on goes another way, by another instance as likely as by this one. */
static void jolt(knack_trick *trick, knack_step *step)
{
    knack_real *gradient = knack_gradients(step, NULL), drawn[256];
    int64_t count = knack_task(trick)->parameters;
    for (int64_t i = 0; i < count; i++) {
        if (i % 256 == 0) knack_uniform(trick, 2, i, 256, drawn);
        if (drawn[i % 256] < (knack_real).5) gradient[i] = -gradient[i];
    }
}

static knack_status mishap_post_backward(knack_trick *trick, knack_step *step)
{
    if (is(trick, "nan") && happens(trick)) knack_gradients(step, NULL)[0] = (knack_real)NAN;
    if (is(trick, "jolt") && happens(trick)) jolt(trick, step);
    return is(trick, "idle") ? KNACK_IDLE : KNACK_OK;
}

/* Where a calibration does not come. */
static knack_status mishap_eval_begin(knack_trick *trick)
{
    const struct mishap *self = knack_self(trick);
    if (!is(trick, "once") || access(self->mark, F_OK) == 0) return KNACK_IDLE;
    FILE *mark = fopen(self->mark, "w");
    if (mark) fclose(mark);
    signal((int)self->signal, SIG_DFL);
    raise((int)self->signal);
    return KNACK_OK;
}

static const knack_plugin mishap = {
    .size = sizeof mishap,
    .abi = KNACK_ABI,
    .name = "mishap",
    .version = "1.0.0",
    .self_size = sizeof(struct mishap),
    .open = mishap_open,
    .pre_step = mishap_pre_step,
    .post_backward = mishap_post_backward,
    .eval_begin = mishap_eval_begin,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &mishap : NULL;
}
