/* Whole runs seen from their folders: what was logged, and whether a run that is interrupted at any step ends as if it had not been. */
#ifndef TRAIN_RESUMED_H
#define TRAIN_RESUMED_H

#include "harness.h"

#include "base/json.h"

static inline void assert_close(const knack_real *a, const knack_real *b, int64_t count, double tolerance)
{
    double distance = harness_distance(a, b, count);
    if (!(distance <= tolerance)) fail_msg("a relative distance of %g", distance);
}

/* The key's values in the lines of metrics.jsonl that are of steps (weights NULL), or of the part's evaluations of the weights; returns how
 * many, of which the first `most` are in value. */
static inline int64_t logged(const char *weights, const char *part, const char *key, double *value, int64_t most)
{
    int64_t count = 0;
    char *text = harness_read("out/metrics.jsonl", NULL);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        struct json_document *document;
        assert_int_equal(json_parse(line, (size_t)(end - line), "metrics.jsonl", &document), KNACK_OK);
        const struct json *evaluation = json_member(document->root, "evaluation"), *of = json_member(document->root, "weights");
        bool wanted = weights ? evaluation && !strcmp(evaluation->string, part) && !strcmp(of->string, weights) : !evaluation;
        if (wanted && count < most) value[count] = json_member(document->root, key)->number;
        count += wanted;
        json_free(document);
    }
    memory_free(text);
    return count;
}

enum { RESUMED_FILES = 4 };
struct resumed_files {
    char *data[RESUMED_FILES];
    size_t size[RESUMED_FILES];
};

/* The newest checkpoint, which has all states and sets; what was logged; the weights. */
static inline struct resumed_files resumed_read(const char *set)
{
    char name[96];
    struct resumed_files files;
    snprintf(name, sizeof name, "out/%s.safetensors", set);
    const char *const names[] = {NULL, "out/metrics.jsonl", "out/model.safetensors", name};
    for (int i = 0; i < RESUMED_FILES; i++)
        files.data[i] = names[i] ? harness_read(names[i], &files.size[i]) : harness_checkpoint(&files.size[i]);
    return files;
}

static inline void resumed_free(struct resumed_files *files)
{
    for (int i = 0; i < RESUMED_FILES; i++) memory_free(files->data[i]);
}

/* Interrupted before any of its steps but the first, and resumed, the run ends with the same files, to the bit. set: of the files of
 * weights, one that the trick made. */
static inline void check_resumed_at_every_step(const char *config, const char *set)
{
    struct run *run = harness_open("%s", config);
    harness_train(run);
    int64_t steps = run->at.batch;
    harness_close(run);
    struct resumed_files undisturbed = resumed_read(set);
    for (int64_t step = 1; step < steps; step++) {
        harness_interrupt_at(step);
        run = harness_open("%s", config);
        assert_int_equal(run_train(run), KNACK_E_INTERRUPTED);
        harness_close(run);
        harness_interrupt_at(-1);
        run = harness_resume();
        harness_train(run);
        harness_close(run);
        struct resumed_files resumed = resumed_read(set);
        for (int i = 0; i < RESUMED_FILES; i++) {
            assert_int_equal(resumed.size[i], undisturbed.size[i]);
            assert_memory_equal(resumed.data[i], undisturbed.data[i], resumed.size[i]);
        }
        resumed_free(&resumed);
    }
    resumed_free(&undisturbed);
}

#endif
