/* The functions of knack.h for programs that embed knack: training from a config, and predicting with what a run wrote. */
#include <knack/knack.h>

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "cli/finished.h"
#include "cli/format.h"
#include "data/dataset.h"
#include "train/run.h"

/* ---- Training ---- */

struct logger {
    void (*log)(void *user, const char *line);
    void *user;
};

static void log_note(void *user, const char *text)
{
    const struct logger *logger = user;
    logger->log(logger->user, text);
}

static void log_warning(void *user, const char *text)
{
    const struct logger *logger = user;
    char line[1024];
    snprintf(line, sizeof line, "warning: %s", text);
    logger->log(logger->user, line);
}

/* "epoch 3 validation raw: accuracy 0.9655" */
static void log_evaluation(void *user, const char *part, const char *weights, int64_t epoch, const struct metric_value *metric,
                           int64_t count)
{
    const struct logger *logger = user;
    if (count == 0) return;
    char line[256], value[NUMBER_SIZE];
    snprintf(line, sizeof line, "epoch %lld %s %s: %s %s", (long long)epoch, part, weights, metric->name,
             number_four(value, metric->value));
    logger->log(logger->user, line);
}

static void copy_text(char *to, size_t size, const struct json *from)
{
    snprintf(to, size, "%s", from && from->kind == JSON_STRING ? from->string : "");
}

static double json_double(const struct json *node)
{
    return node && node->kind == JSON_NUMBER ? node->number : 0;
}

/* The members that the caller's struct has room for. */
static knack_status fill_result(struct run *run, struct knack_result *result)
{
    char *text = run_result_text(run);
    if (!text) return KNACK_E_MEMORY;
    struct json_document *document;
    knack_status status = json_parse(text, strlen(text), "result.json", &document);
    memory_free(text);
    if (status < 0) return status;
    const struct json *primary = json_member(document->root, "primary");
    struct knack_result full = {.size = result->size};
    full.steps = (int64_t)json_double(json_member(document->root, "steps"));
    full.seconds = json_double(json_member(document->root, "seconds"));
    full.value = json_double(json_member(primary, "value"));
    copy_text(full.metric, sizeof full.metric, json_member(primary, "metric"));
    copy_text(full.weights, sizeof full.weights, json_member(primary, "weights"));
    snprintf(full.out, sizeof full.out, "%s", run_folder(run));
    json_free(document);
    memcpy(result, &full, full.size < sizeof full ? full.size : sizeof full);
    return KNACK_OK;
}

/* What the caller's struct has of options; an older caller's is shorter, a newer caller's is longer. */
static struct knack_run_options known_options(const struct knack_run_options *options)
{
    struct knack_run_options known = {.size = sizeof known};
    if (options) memcpy(&known, options, options->size < sizeof known ? options->size : sizeof known);
    return known;
}

knack_status knack_train(const char *config, const struct knack_run_options *options, struct knack_result *result)
{
    struct knack_run_options known = known_options(options);
    struct logger logger = {known.log, known.log_user};
    struct run_request request = {.config = config,
                                  .set = known.set,
                                  .set_count = known.set_count,
                                  .out = known.out,
                                  .force = known.force,
                                  .model = known.model,
                                  .model_user = known.model_user};
    if (known.log)
        request.observer = (struct run_observer){.user = &logger, .note = log_note, .warning = log_warning, .evaluation = log_evaluation};
    struct run *run;
    TRY(run_open(&request, &run));
    knack_status status = run_train(run);
    if (status >= 0 && result) status = fill_result(run, result);
    run_close(run);
    return status;
}

/* ---- Predicting ---- */

enum { ROWS_AT_ONCE = 1024 };

struct knack_predictor {
    struct run *run;
    const struct dataset *data; /* the run's */
    /* Room for ROWS_AT_ONCE rows, from the caller's type to the run's and back. */
    double *raw;        /* [ROWS_AT_ONCE, width] */
    knack_real *input;  /* [ROWS_AT_ONCE, width] */
    knack_real *output; /* [ROWS_AT_ONCE, outputs] */
};

static knack_status open_predictor(struct knack_predictor *predictor, const char *folder, const char *weights,
                                   const struct knack_model_type *model, void *model_user)
{
    struct run_request request = {.model = model, .model_user = model_user};
    TRY(reopen_finished(folder, &request, &predictor->run));
    TRY(run_select_weights(predictor->run, weights));
    predictor->data = run_data(predictor->run);
    size_t width = (size_t)predictor->data->width, outputs = (size_t)predictor->data->outputs;
    predictor->raw = memory_new(ROWS_AT_ONCE * width, sizeof *predictor->raw);
    predictor->input = memory_new(ROWS_AT_ONCE * width, sizeof *predictor->input);
    predictor->output = memory_new(ROWS_AT_ONCE * outputs, sizeof *predictor->output);
    return predictor->raw && predictor->input && predictor->output ? KNACK_OK : KNACK_E_MEMORY;
}

knack_predictor *knack_predictor_open(const char *folder, const char *weights, const struct knack_model_type *model, void *model_user)
{
    struct knack_predictor *predictor = memory_new(1, sizeof *predictor);
    if (predictor && open_predictor(predictor, folder, weights, model, model_user) < 0) {
        knack_predictor_close(predictor);
        predictor = NULL;
    }
    return predictor;
}

void knack_predictor_close(knack_predictor *predictor)
{
    if (!predictor) return;
    run_close(predictor->run);
    memory_free(predictor->raw);
    memory_free(predictor->input);
    memory_free(predictor->output);
    memory_free(predictor);
}

int64_t knack_predictor_inputs(const knack_predictor *predictor)
{
    return predictor->data->width;
}

int64_t knack_predictor_outputs(const knack_predictor *predictor)
{
    return predictor->data->outputs;
}

const char *knack_predictor_class(const knack_predictor *predictor, int64_t index)
{
    const struct dataset *data = predictor->data;
    return data->class_name && index >= 0 && index < data->classes ? data->class_name[index] : NULL;
}

static knack_status predict_some(struct knack_predictor *predictor, const float *rows, int64_t count, float *out)
{
    const struct dataset *data = predictor->data;
    for (int64_t i = 0; i < count * data->width; i++) predictor->raw[i] = (double)rows[i];
    TRY(data_convert(data, count, predictor->raw, predictor->input));
    TRY(run_predict(predictor->run, predictor->input, count, predictor->output));
    for (int64_t i = 0; i < count * data->outputs; i++) out[i] = (float)predictor->output[i];
    return KNACK_OK;
}

knack_status knack_predict(knack_predictor *predictor, const float *rows, int64_t count, float *out)
{
    for (int64_t first = 0; first < count; first += ROWS_AT_ONCE) {
        int64_t some = count - first < ROWS_AT_ONCE ? count - first : ROWS_AT_ONCE;
        TRY(predict_some(predictor, rows + first * predictor->data->width, some, out + first * predictor->data->outputs));
    }
    return KNACK_OK;
}
