/* What every trick has to keep, as checks of a whole config: split into micro-batches, and interrupted at any step. */
#ifndef TRAIN_WHOLE_H
#define TRAIN_WHOLE_H

#include <stdio.h>

#include "harness.h"

/* What runs are of, as in "data"; a test may say something else. */
static const char *whole_data = "'source': 'digits', 'limit': 70";

/* A run with this model and these plugins, both as in a config; train: more members of "train". */
static inline const char *whole_config(const char *train, const char *model, const char *plugins)
{
    static char config[4096];
    snprintf(
        config, sizeof config,
        "{'data': {%s, 'validation': 16}, 'seed': 3, "
        "'train': {'epochs': 2, 'batch': 15, %s'optimizer': {'type': 'sgd', 'lr': 0.05, 'momentum': 0.9}}, 'model': %s, 'plugins': [%s]}",
        whole_data, train, model, plugins);
    return config;
}

/* The first batch's gradient, [*count], memory_free(). */
static inline knack_real *whole_gradient(const char *train, const char *model, const char *plugins, int64_t *count)
{
    struct run *run = harness_open("%s", whole_config(train, model, plugins));
    const knack_real *gradient = harness_gradient(run);
    *count = run->params->total;
    knack_real *copy = memory_new((size_t)*count, sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, gradient, (size_t)*count * sizeof *copy);
    harness_close(run);
    return copy;
}

/* Up to the order of sums. */
static inline void check_same(const knack_real *a, const knack_real *b, int64_t count)
{
    double distance = harness_distance(a, b, count);
    if (!(distance <= (IS_DOUBLE ? 1e-12 : 1e-5))) fail_msg("gradients are %g of their norm apart", distance);
}

/* The first batch's gradients under two lists of plugins. */
static inline void check_alike(const char *model, const char *one, const char *other)
{
    int64_t count, again;
    knack_real *a = whole_gradient("", model, one, &count), *b = whole_gradient("", model, other, &again);
    assert_int_equal(count, again);
    check_same(a, b, count);
    memory_free(a);
    memory_free(b);
}

/* Micro-batches of 2, 4 and 7 rows, of which none divides the batch of 15, give the gradient of the whole. */
static inline void check_split(const char *model, const char *plugins)
{
    int64_t count, again;
    knack_real *whole = whole_gradient("", model, plugins, &count);
    assert_true(knack_norm(whole, count) > 0);
    const char *const split[] = {"'micro_batch': 2, ", "'micro_batch': 4, ", "'micro_batch': 7, "};
    for (int i = 0; i < 3; i++) {
        knack_real *parts = whole_gradient(split[i], model, plugins, &again);
        assert_int_equal(again, count);
        check_same(parts, whole, count);
        memory_free(parts);
    }
    memory_free(whole);
}

/* Interrupted and resumed, the run ends with the same weights, to the bit, as undisturbed. */
static inline void check_resume(const char *model, const char *plugins)
{
    struct run *run = harness_open("%s", whole_config("", model, plugins));
    harness_train(run);
    int64_t steps = run->at.batch;
    harness_close(run);
    size_t size, again;
    char *undisturbed = harness_read("out/model.safetensors", &size);
    for (int64_t step = 1; step < steps; step += 2) {
        harness_interrupt_at(step);
        run = harness_open("%s", whole_config("", model, plugins));
        assert_int_equal(run_train(run), KNACK_E_INTERRUPTED);
        harness_close(run);
        harness_interrupt_at(-1);
        run = harness_resume();
        harness_train(run);
        assert_int_equal(run->at.batch, steps);
        harness_close(run);
        char *resumed = harness_read("out/model.safetensors", &again);
        assert_int_equal(size, again);
        assert_memory_equal(undisturbed, resumed, size);
        memory_free(resumed);
    }
    memory_free(undisturbed);
}

/* The trick of that name among the run's. */
static inline const struct knack_trick *whole_trick(const struct run *run, const char *name)
{
    for (int64_t i = 0; i < run->trick_count; i++)
        if (!strcmp(run->tricks[i].name, name)) return &run->tricks[i];
    fail_msg("no trick %s", name);
    return NULL;
}

#endif
