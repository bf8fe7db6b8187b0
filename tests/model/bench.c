#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void check(knack_status status)
{
    if (status < 0) fail_msg("%s", knack_error());
}

static struct json_document *parse(const char *config)
{
    struct json_document *document;
    check(json_parse(config, strlen(config), "test.json", &document));
    return document;
}

static struct bench *new_bench(void)
{
    struct bench *bench = calloc(1, sizeof *bench);
    bench->params = params_new();
    bench->arena = arena_new(1 << 20);
    bench->pass.base.tape = &bench->tape;
    bench->pass.params = bench->params;
    bench->pass.weights = &bench->params->live;
    bench->pass.compute = KNACK_REAL;
    bench->pass.seed = 1;
    bench->pass.row = bench->row;
    return bench;
}

struct bench *bench_open(const char *config, int ndim, const int64_t *input, int64_t outputs)
{
    struct bench *bench = new_bench();
    bench->config = parse(config);
    check(model_new(bench->config->root, NULL, NULL, bench->params, ndim, input, outputs, true, &bench->model));
    check(params_allocate(bench->params, 1));
    return bench;
}

struct bench *bench_open_own(const struct knack_model_type *type, void *user, int ndim, const int64_t *input, int64_t outputs)
{
    struct bench *bench = new_bench();
    check(model_new(NULL, type, user, bench->params, ndim, input, outputs, true, &bench->model));
    check(params_allocate(bench->params, 1));
    return bench;
}

void bench_close(struct bench *bench)
{
    model_free(bench->model);
    params_free(bench->params);
    arena_free(bench->arena);
    json_free(bench->config);
    free(bench);
}

knack_step *bench_begin(struct bench *bench, int64_t first, int64_t rows, enum pass_norms norms, bool training)
{
    arena_reset(bench->arena);
    tape_begin(&bench->tape, bench->arena);
    memset(bench->params->touched, 0, (size_t)bench->params->count);
    bench->pass.gradients = training;
    bench->pass.training = training;
    bench->pass.norms = norms;
    bench->pass.rows = rows;
    for (int64_t i = 0; i < rows; i++) bench->row[i] = first + i;
    return (knack_step *)&bench->pass;
}

knack_tensor *bench_logits(struct bench *bench, const knack_real *x)
{
    int64_t shape[KNACK_MAX_DIMS] = {bench->pass.rows}, width = 1;
    for (int axis = 0; axis < bench->model->input_ndim; axis++) {
        shape[axis + 1] = bench->model->input[axis];
        width *= shape[axis + 1];
    }
    knack_step *step = (knack_step *)&bench->pass;
    knack_tensor *input = knack_constant(step, KNACK_REAL, bench->model->input_ndim + 1, shape, x + bench->row[0] * width);
    knack_tensor *logits = model_head(bench->model, step, model_features(bench->model, step, input));
    check(tape_status(&bench->tape));
    assert_non_null(logits);
    return logits;
}

void bench_backward(struct bench *bench, knack_tensor *logits, const knack_real *seed)
{
    memset(bench->params->gradients, 0, (size_t)bench->params->total * sizeof(knack_real));
    check(tape_backward(logits, seed));
    check(tape_status(&bench->tape));
}

knack_status bench_try(const char *config, int ndim, const int64_t *input)
{
    struct json_document *document = parse(config);
    struct params *params = params_new();
    struct knack_model *model = NULL;
    status_clear();
    knack_status status = model_new(document->root, NULL, NULL, params, ndim, input, 3, true, &model);
    assert_true((status == KNACK_OK) == (model != NULL));
    model_free(model);
    params_free(params);
    json_free(document);
    return status;
}

void expect_message(const char *part)
{
    if (!strstr(knack_error(), part)) fail_msg("expected \"%s\" within \"%s\"", part, knack_error());
}

void fill_noise(knack_real *x, int64_t count, uint32_t seed)
{
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (knack_real)((double)(seed >> 8) / (1 << 23) - 1);
    }
}
