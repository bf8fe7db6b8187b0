#include "harness.h"

#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "base/tree.h"

static char folder[64];
static char warnings[8192];                                    /* of the latest run, a line each */
static int64_t evaluations, asked, interrupt_at = -1, fail_at; /* fail_at: 0: never */

/* ---- The folder ---- */

int harness_set_up(void **state)
{
    (void)state;
    bool memory = access("/dev/shm", W_OK) == 0; /* where flushing costs nothing */
    snprintf(folder, sizeof folder, "%s/knack-train-XXXXXX", memory ? "/dev/shm" : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

int harness_tear_down(void **state)
{
    (void)state;
    remove_tree(folder);
    return 0;
}

const char *harness_path(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

char *harness_read(const char *name, size_t *size)
{
    char *data;
    size_t own;
    if (file_read(harness_path(name), KNACK_E_IO, &data, size ? size : &own) < 0) fail_msg("%s", knack_error());
    return data;
}

char *harness_checkpoint(size_t *size)
{
    char *path, *data;
    if (checkpoint_newest(harness_path("out"), &path) < 0 || !path) fail_msg("no checkpoint: %s", knack_error());
    if (file_read(path, KNACK_E_IO, &data, size) < 0) fail_msg("%s", knack_error());
    memory_free(path);
    return data;
}

static const char *const file_name[HARNESS_FILES] = {"out/model.safetensors", "the newest checkpoint", "out/metrics.jsonl"};

/* Of two configs the hashes in a checkpoint differ, whatever they come to. */
static void blank_config(char *bytes, size_t size)
{
    static const char before[] = "\\\"config\\\": \\\"";
    char *at = memmem(bytes, size, before, sizeof before - 1);
    assert_non_null(at);
    memset(at + sizeof before - 1, '0', 16);
}

struct harness_files harness_files(void)
{
    struct harness_files files;
    for (int i = 0; i < HARNESS_FILES; i++)
        files.bytes[i] = i == 1 ? harness_checkpoint(&files.size[i]) : harness_read(file_name[i], &files.size[i]);
    blank_config(files.bytes[1], files.size[1]);
    return files;
}

void harness_files_free(struct harness_files *files)
{
    for (int i = 0; i < HARNESS_FILES; i++) memory_free(files->bytes[i]);
}

void harness_assert_files(const struct harness_files *expected, const char *what)
{
    struct harness_files found = harness_files();
    for (int i = 0; i < HARNESS_FILES; i++)
        if (found.size[i] != expected->size[i] || memcmp(found.bytes[i], expected->bytes[i], found.size[i]) != 0)
            fail_msg("%s: %s is another one", what, file_name[i]);
    harness_files_free(&found);
}

bool harness_has(const char *name, const char *part)
{
    char *text = harness_read(name, NULL);
    bool found = strstr(text, part) != NULL;
    memory_free(text);
    return found;
}

void harness_put_npy(const char *name, int64_t rows, int64_t columns, const double *values)
{
    char header[128] = "\x93NUMPY\x01\x00\x76\x00"; /* 10 bytes, then 118 of text */
    int length = snprintf(header + 10, sizeof header - 10, "{'descr': '<f8', 'fortran_order': False, 'shape': (%lld, %lld), }",
                          (long long)rows, (long long)columns);
    memset(header + 10 + length, ' ', sizeof header - 10 - (size_t)length);
    header[sizeof header - 1] = '\n';
    char file[64];
    snprintf(file, sizeof file, "%s.npy", name);
    FILE *out = fopen(harness_path(file), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(header, 1, sizeof header, out), sizeof header);
    assert_int_equal(fwrite(values, sizeof *values, (size_t)(rows * columns), out), rows * columns);
    assert_int_equal(fclose(out), 0);
}

void harness_put_idx(const char *name, int axes, const uint8_t *sizes, const uint8_t *values)
{
    char file[64];
    size_t count = 1;
    snprintf(file, sizeof file, "%s.idx", name);
    FILE *out = fopen(harness_path(file), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite((const uint8_t[]){0, 0, 8, (uint8_t)axes}, 1, 4, out), 4);
    for (int axis = 0; axis < axes; count *= sizes[axis++]) assert_int_equal(fwrite((const uint8_t[]){0, 0, 0, sizes[axis]}, 1, 4, out), 4);
    assert_int_equal(fwrite(values, 1, count, out), count);
    assert_int_equal(fclose(out), 0);
}

void harness_put_tokens(void)
{
    uint8_t id[HARNESS_TEXTS][HARNESS_LENGTH], class[HARNESS_TEXTS];
    for (int i = 0; i < HARNESS_TEXTS; i++) {
        class[i] = (uint8_t)(i % 3);
        for (int t = 0; t < HARNESS_LENGTH; t++) {
            const bool padding = t > i * 7 % HARNESS_LENGTH || (i % 2 == 1 && t % 4 == 2);
            id[i][t] = padding ? 0 : (uint8_t)(1 + (i * 5 + 3 * t * t + i % 3 * t) % 31);
        }
    }
    harness_put_idx("tokens", 2, (const uint8_t[]){HARNESS_TEXTS, HARNESS_LENGTH}, *id);
    harness_put_idx("classes", 1, (const uint8_t[]){HARNESS_TEXTS}, class);
}

/* ---- Runs ---- */

static void keep_warning(void *user, const char *text)
{
    (void)user;
    size_t used = strlen(warnings);
    snprintf(warnings + used, sizeof warnings - used, "%s\n", text);
}

static void count_evaluation(void *user, const char *part, const char *weights, int64_t epoch, const struct metric_value *value,
                             int64_t count)
{
    (void)user, (void)part, (void)weights, (void)epoch, (void)value, (void)count;
    evaluations++;
}

static bool interrupted(void *user)
{
    (void)user;
    return asked++ == interrupt_at;
}

void harness_interrupt_at(int64_t step)
{
    interrupt_at = step;
}

bool harness_warned(const char *part)
{
    return strstr(warnings, part) != NULL;
}

int64_t harness_evaluations(void)
{
    return evaluations;
}

static struct run_request new_request(void)
{
    warnings[0] = 0;
    evaluations = asked = 0;
    return (struct run_request){.observer = {.warning = keep_warning, .evaluation = count_evaluation, .interrupted = interrupted}};
}

static knack_status open_text(const struct knack_model_type *type, void *user, const char *config, va_list arguments, struct run **run)
{
    char text[4096], path[128], out[128];
    vsnprintf(text, sizeof text, config, arguments);
    for (char *quote = text; (quote = strchr(quote, '\''));) *quote = '"';
    snprintf(path, sizeof path, "%s/config.json", folder);
    snprintf(out, sizeof out, "%s/out", folder);
    remove_tree(out);
    assert_int_equal(file_write(path, text, strlen(text)), KNACK_OK);
    struct run_request request = new_request();
    request.config = path;
    request.out = out;
    request.model = type;
    request.model_user = user;
    memory_fail_at(fail_at);
    return run_open(&request, run);
}

struct run *harness_open_model(const struct knack_model_type *type, void *user, const char *config, ...)
{
    struct run *run;
    va_list arguments;
    va_start(arguments, config);
    if (open_text(type, user, config, arguments, &run) < 0) fail_msg("%s", knack_error());
    va_end(arguments);
    return run;
}

struct run *harness_open(const char *config, ...)
{
    struct run *run;
    va_list arguments;
    va_start(arguments, config);
    if (open_text(NULL, NULL, config, arguments, &run) < 0) fail_msg("%s", knack_error());
    va_end(arguments);
    return run;
}

static knack_status status_of(const char *config, va_list arguments)
{
    struct run *run;
    knack_status status = open_text(NULL, NULL, config, arguments, &run);
    if (status >= 0) {
        status = run_train(run);
        run_close(run);
    }
    return status;
}

knack_status harness_status(const char *config, ...)
{
    va_list arguments;
    va_start(arguments, config);
    knack_status status = status_of(config, arguments);
    va_end(arguments);
    return status;
}

knack_status harness_status_without_memory(int64_t nth, const char *config, ...)
{
    va_list arguments;
    va_start(arguments, config);
    fail_at = nth;
    knack_status status = status_of(config, arguments);
    fail_at = 0;
    memory_fail_at(0);
    va_end(arguments);
    return status;
}

struct run *harness_resume(void)
{
    struct run *run;
    struct run_request request = new_request();
    if (run_resume(harness_path("out"), &request, &run) < 0) fail_msg("%s", knack_error());
    return run;
}

void harness_train(struct run *run)
{
    if (run_train(run) < 0) fail_msg("%s", knack_error());
}

void harness_close(struct run *run)
{
    run_close(run);
}

void harness_expect(knack_status status, knack_status expected, ...)
{
    va_list parts;
    if (status != expected) fail_msg("status %d instead of %d: %s", status, expected, knack_error());
    va_start(parts, expected);
    for (const char *part; (part = va_arg(parts, const char *));)
        if (!strstr(knack_error(), part)) fail_msg("\"%s\" is not in: %s", part, knack_error());
    va_end(parts);
}

/* ---- Gradients ---- */

static void must(knack_status status)
{
    if (status < 0) fail_msg("%s", knack_error());
}

const knack_real *harness_gradient(struct run *run)
{
    knack_step *step = &run->step;
    int64_t count = run->data->part[PART_TRAIN].count, rows = count < run->settings.batch ? count : run->settings.batch;
    tricks_begin_batch(run, 0);
    data_order(run->data, run->seed, 0, run->epoch_order);
    for (int64_t i = 0; i < rows; i++) run->batch_example[i] = run->epoch_order[i];
    must(step_load(step, PART_TRAIN, run->batch_example, rows));
    passes_hook(step);
    must(tricks_hook(run, SLOT_PRE_STEP, step));
    must(step_finish_batch(step));
    must(stages_gradient(run, -1, 0, 1, 0, true));
    must(tricks_hook(run, SLOT_POST_BACKWARD, step));
    return run->params->gradients;
}

double harness_distance(const knack_real *a, const knack_real *b, int64_t count)
{
    double apart = 0;
    for (int64_t i = 0; i < count; i++) apart += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(apart) / knack_norm(b, count);
}
