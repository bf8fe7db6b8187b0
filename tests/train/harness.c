#include "harness.h"

#include <stdio.h>
#include <unistd.h>

#include "base/text.h"

static char warning[1024];

static void keep_warning(void *user, const char *text)
{
    (void)user;
    snprintf(warning, sizeof warning, "%s", text);
}

const char *harness_note(void)
{
    return warning;
}

static knack_status open_text(const char *config, const struct knack_model_type *type, void *user, struct run **run)
{
    char folder[] = "/tmp/knack-train-XXXXXX", path[64], out[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/config.json", folder);
    snprintf(out, sizeof out, "%s/out", folder);
    assert_int_equal(file_write(path, config, strlen(config)), KNACK_OK);
    warning[0] = 0;
    struct run_request request = {.config = path, .out = out, .model = type, .model_user = user, .observer.warning = keep_warning};
    knack_status status = run_open(&request, run);
    file_remove(path);
    rmdir(folder);
    return status;
}

struct run *harness_open_model(const char *config, const struct knack_model_type *type, void *user)
{
    struct run *run;
    if (open_text(config, type, user, &run) < 0) fail_msg("%s", knack_error());
    return run;
}

struct run *harness_open(const char *config)
{
    return harness_open_model(config, NULL, NULL);
}

knack_status harness_refused(const char *config)
{
    struct run *run;
    knack_status status = open_text(config, NULL, NULL, &run);
    if (status >= 0) harness_close(run);
    return status;
}

knack_status harness_train_status(struct run *run)
{
    return run_train(run);
}

void harness_train(struct run *run)
{
    if (run_train(run) < 0) fail_msg("%s", knack_error());
}

/* Everything in the folder, two levels deep, as runs make them. */
static void remove_folder(const char *folder)
{
    char **names;
    int64_t count;
    if (!file_is_folder(folder) || file_list(folder, &names, &count) < 0) return;
    for (int64_t i = 0; i < count; i++) {
        char *path = file_join(folder, names[i]);
        if (file_is_folder(path)) remove_folder(path);
        else file_remove(path);
        memory_free(path);
    }
    memory_free(names);
    rmdir(folder);
}

void harness_close(struct run *run)
{
    char *out = memory_text(run_folder(run)), *folder = file_folder(run_folder(run));
    run_close(run);
    remove_folder(out);
    rmdir(folder);
    memory_free(out);
    memory_free(folder);
}

const knack_real *harness_gradient(struct run *run)
{
    knack_step *step = &run->step;
    int64_t count = run->data->part[PART_TRAIN].count, rows = count < run->settings.batch ? count : run->settings.batch;
    tricks_begin_batch(run, 0);
    data_order(run->data, run->seed, 0, run->epoch_order);
    for (int64_t i = 0; i < rows; i++) run->batch_example[i] = run->epoch_order[i];
    if (step_load(step, PART_TRAIN, run->batch_example, rows) < 0) fail_msg("%s", knack_error());
    passes_hook(step);
    if (tricks_hook(run, SLOT_PRE_STEP, step) < 0) fail_msg("%s", knack_error());
    if (step_finish_batch(step) < 0) fail_msg("%s", knack_error());
    if (stages_gradient(run, -1, 0, 1, 0, true) < 0) fail_msg("%s", knack_error());
    if (tricks_hook(run, SLOT_POST_BACKWARD, step) < 0) fail_msg("%s", knack_error());
    return run->params->gradients;
}

double harness_distance(const knack_real *a, const knack_real *b, int64_t count)
{
    double most = 0, norm = knack_norm(b, count);
    for (int64_t i = 0; i < count; i++) most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return norm > 0 ? most / norm : most;
}
