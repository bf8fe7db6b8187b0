/* A model on a small tape, without a training loop around it. */
#ifndef BENCH_H
#define BENCH_H

#include "base/json.h"
#include "model/model.h"
#include "model/pass.h"

enum { BENCH_ROWS = 64 };

struct bench {
    struct model_pass pass; /* first: a pointer to the bench is a step */
    struct tape tape;
    struct arena *arena;
    struct params *params;
    struct knack_model *model;
    struct json_document *config;
    int64_t row[BENCH_ROWS];
};

/* A model by its JSON, or of one's own, with a head of `outputs`; allocated by seed 1. A failure fails the test. */
struct bench *bench_open(const char *config, int ndim, const int64_t *input, int64_t outputs);
struct bench *bench_open_own(const struct knack_model_type *, void *user, int ndim, const int64_t *input, int64_t outputs);
void bench_close(struct bench *);
/* Begins a pass over rows first .. first + rows - 1 of the logical batch. */
knack_step *bench_begin(struct bench *, int64_t first, int64_t rows, enum pass_norms, bool training);
/* Logits [rows, outputs] of x [rows, ...], of which the pass takes its own rows. A failure fails the test. */
knack_tensor *bench_logits(struct bench *, const knack_real *x);
/* Gradients of sum(seed * logits) into params.gradients. */
void bench_backward(struct bench *, knack_tensor *logits, const knack_real *seed);
/* What model_new gives for it, with its message in knack_error(); nothing stays. */
knack_status bench_try(const char *config, int ndim, const int64_t *input);
/* Fails the test unless knack_error() contains it. */
void expect_message(const char *part);
/* Fixed numbers between -1 and 1. */
void fill_noise(knack_real *x, int64_t count, uint32_t seed);

#endif
