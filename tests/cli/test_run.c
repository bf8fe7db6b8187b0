/* Running, resuming, evaluating and predicting with the whole program. */
#include "config.h"
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <knack/tensor.h>

static int set_up(void **state)
{
    if (workplace_enter(state) != 0) return -1;
    write_text("small.json", SMALL_RUN);
    struct outcome outcome = run_knack("run", "small.json", "--plugin", "ema");
    int failed = outcome.status;
    if (failed) fputs(outcome.err, stderr);
    outcome_free(&outcome);
    return failed;
}

static void test_what_is_written(void **state)
{
    (void)state;
    static const char *const file[] = {
        "config.json", "metrics.jsonl", "model.safetensors", "model.raw.safetensors", "model.best.safetensors",
        "result.json", "checkpoint"};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        char path[128];
        snprintf(path, sizeof path, "runs/small/%s", file[i]);
        if (!path_exists(path)) fail_msg("%s was not written", path);
    }
    char *result = read_text("runs/small/result.json");
    assert_is_json(result);
    static const char *const member[] = {"\"status\": \"done\"", "\"steps\": 30", "\"seconds\"",     "\"primary\"",
                                         "\"evaluations\"",      "\"tricks\"",    "\"environment\"", "\"seed\""};
    for (size_t i = 0; i < sizeof member / sizeof *member; i++) assert_contains(result, member[i]);
    free(result);
}

static void test_what_is_shown(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("run", "small.json", "--plugin", "ema", "--out", "shown");
    assert_status(&outcome, 0);
    static const char *const part[] = {"weights",
                                       "validation accuracy",
                                       "test accuracy",
                                       "ema (primary)",
                                       "raw",
                                       "best",
                                       "30 steps in ",
                                       "post_step 30",
                                       "shown/model.safetensors\n",
                                       "shown/metrics.jsonl\n",
                                       "shown/result.json\n",
                                       "shown/checkpoint/\n"};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) assert_contains(outcome.out, part[i]);
    assert_lacks(outcome.out, "\033");
    assert_lacks(outcome.err, "\033");
    assert_lacks(outcome.err, "\r");
    assert_contains(outcome.err, "epoch 3/3");
    assert_contains(outcome.err, "steps/s");
    outcome_free(&outcome);
}

static void test_quiet(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("run", "small.json", "-q", "--out", "quiet");
    assert_status(&outcome, 0);
    assert_string_equal(outcome.err, "");
    assert_contains(outcome.out, "test accuracy");
    outcome_free(&outcome);
}

static void test_json(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("run", "small.json", "--json", "--out", "json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    char *result = read_text("json/result.json");
    assert_string_equal(outcome.out, result);
    free(result);
    outcome_free(&outcome);
}

static void test_folder_that_holds_something(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("run", "small.json");
    assert_status(&outcome, 2);
    assert_contains(outcome.err,
                    "runs/small holds results already: choose another --out, --force to replace them, or knack resume runs/small");
    outcome_free(&outcome);
    outcome = run_knack("run", "small.json", "--out", "forced");
    assert_status(&outcome, 0);
    outcome_free(&outcome);
    write_text("forced/notes.txt", "mine");
    write_text("file", "mine");
    outcome = run_knack("run", "small.json", "--out", "file");
    assert_status(&outcome, 2);
    assert_contains(outcome.err, "knack: file is a file, and results go to a folder: choose another --out\n");
    outcome_free(&outcome);
    assert_int_equal(mkdir("foreign", 0777), 0);
    write_text("foreign/notes.txt", "mine");
    outcome = run_knack("run", "small.json", "--out", "foreign");
    assert_status(&outcome, 2);
    assert_contains(outcome.err, "knack: foreign is not empty: choose another --out, or --force to write among what is there\n");
    outcome_free(&outcome);
    outcome = run_knack("run", "small.json", "--out", "forced", "--force");
    assert_status(&outcome, 0);
    char *notes = read_text("forced/notes.txt");
    assert_string_equal(notes, "mine");
    free(notes);
    outcome_free(&outcome);
}

static void test_dry_run(void **state)
{
    (void)state;
    struct outcome outcome =
        run_knack("run", "small.json", "--dry-run", "--plugin", "{\"name\": \"fgm\", \"layer\": \"input\"}", "--out", "dry");
    assert_status(&outcome, 0);
    assert_false(path_exists("dry"));
    static const char *const part[] = {"\"epochs\": 3",     "data        digits: ", "model       mlp: ", "30 steps, 10 an epoch",
                                       "tricks      fgm: ", "1.0 extra gradient",   "time        about "};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) assert_contains(outcome.out, part[i]);
    outcome_free(&outcome);
    outcome =
        run_knack("run", "small.json", "--dry-run", "--json", "--plugin", "{\"name\": \"fgm\", \"layer\": \"input\"}", "--out", "dry");
    assert_status(&outcome, 0);
    assert_false(path_exists("dry"));
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"steps\": 30");
    assert_contains(outcome.out, "\"gradient\": 1");
    outcome_free(&outcome);
}

static void test_equal_runs(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("run", "small.json", "--plugin", "ema", "--out", "again");
    assert_status(&outcome, 0);
    assert_same_files("runs/small/model.safetensors", "again/model.safetensors");
    assert_same_files("runs/small/model.raw.safetensors", "again/model.raw.safetensors");
    assert_same_files("runs/small/metrics.jsonl", "again/metrics.jsonl");
    outcome_free(&outcome);
}

static void test_resume_of_a_finished_run(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("run", "small.json", "--out", "finished");
    assert_status(&outcome, 0);
    outcome_free(&outcome);
    size_t size, size_after;
    char *before = read_bytes("finished/model.safetensors", &size);
    outcome = run_knack("resume", "finished");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "test accuracy");
    char *after = read_bytes("finished/model.safetensors", &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
    outcome_free(&outcome);
}

static void test_no_color(void **state)
{
    (void)state;
    if (system("script -qec true /dev/null >/dev/null 2>&1") != 0) skip(); /* util-linux; gives a terminal */
    const char *program = getenv("KNACK_PROGRAM");
    char command[4096];
    snprintf(command, sizeof command,
             "TERM=xterm LC_ALL=C.UTF-8 script -qec \"%s run small.json --out colour\" /dev/null >colour.txt </dev/null", program);
    assert_int_equal(system(command), 0);
    char *text = read_text("colour.txt");
    assert_contains(text, "\033[36m");
    assert_contains(text, "\u2588");
    assert_contains(text, "  accuracy 0."); /* there is room for it on 80 columns */
    assert_contains(text, "\u2500\u2500\u2500");
    free(text);
    snprintf(command, sizeof command,
             "NO_COLOR=1 TERM=xterm LC_ALL=C script -qec \"%s run small.json --out plain\" /dev/null >plain.txt </dev/null", program);
    assert_int_equal(system(command), 0);
    text = read_text("plain.txt");
    assert_lacks(text, "\033[3");
    assert_contains(text, "###");
    assert_contains(text, "---");
    free(text);
}

/* As a run leaves it that was killed early: there is no result.json to say how far it came. */
static void test_run_that_is_not_finished(void **state)
{
    (void)state;
    assert_int_equal(mkdir("killed", 0777), 0);
    write_text("killed/config.json", "{}");
    static const char *const message = "knack: the run in killed is not finished: knack resume killed\n";
    struct outcome outcome = run_knack("eval", "killed");
    assert_status(&outcome, 2);
    assert_string_equal(outcome.err, message);
    outcome_free(&outcome);
    outcome = run_knack("predict", "killed", "images.npy");
    assert_status(&outcome, 2);
    assert_string_equal(outcome.err, message);
    outcome_free(&outcome);
}

static void test_eval(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("eval", "runs/small");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "test (ema)");
    assert_contains(outcome.out, "accuracy");
    outcome_free(&outcome);
    outcome = run_knack("eval", "runs/small", "--part", "validation", "--weights", "raw", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"part\": \"validation\"");
    assert_contains(outcome.out, "\"weights\": \"raw\"");
    assert_contains(outcome.out, "\"balanced_accuracy\"");
    outcome_free(&outcome);
    outcome = run_knack("eval", "runs/small", "--part", "tset");
    assert_status(&outcome, 2);
    assert_contains(outcome.err, "there is no part \"tset\"; there are train, validation, test");
    outcome_free(&outcome);
    outcome = run_knack("eval", "runs/small", "--weights", "swa");
    assert_status(&outcome, 2);
    assert_contains(outcome.err, "ema");
    outcome_free(&outcome);
}

/* 5 rows of 64 pixels, as an npy of bytes. */
static void write_images(const char *path)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    char header[128];
    memset(header, ' ', sizeof header);
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
    const char *text = "{'descr': '|u1', 'fortran_order': False, 'shape': (5, 8, 8), }";
    memcpy(header + 10, text, strlen(text));
    header[127] = '\n';
    fwrite(header, 1, sizeof header, file);
    for (int i = 0; i < 5 * 64; i++) fputc((i * 7 + i / 64 * 3) % 17, file);
    assert_int_equal(fclose(file), 0);
}

/* The same as a line of numbers for each, without a header. */
static void write_rows(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 5 * 64; i++) fprintf(file, "%d%s", (i * 7 + i / 64 * 3) % 17, i % 64 == 63 ? "\n" : ",");
    assert_int_equal(fclose(file), 0);
}

static void test_predict_rows(void **state)
{
    (void)state;
    write_images("images.npy");
    write_rows("rows.csv");
    struct outcome images = run_knack("predict", "runs/small", "images.npy"), rows = run_knack("predict", "runs/small", "rows.csv");
    assert_status(&images, 0);
    assert_status(&rows, 0);
    assert_string_equal(rows.out, images.out);
    outcome_free(&images);
    outcome_free(&rows);
}

static void test_predict(void **state)
{
    (void)state;
    write_images("images.npy");
    struct outcome outcome = run_knack("predict", "runs/small", "images.npy");
    assert_status(&outcome, 0);
    assert_int_equal(strncmp(outcome.out, "class,p_0,p_1,", 14), 0);
    struct outcome file = run_knack("predict", "runs/small", "images.npy", "-o", "images.csv");
    assert_status(&file, 0);
    char *csv = read_text("images.csv");
    assert_string_equal(csv, outcome.out);
    free(csv);
    outcome_free(&file);

    file = run_knack("predict", "runs/small", "images.npy", "-o", "answers.npy");
    assert_status(&file, 0);
    size_t size;
    char *npy = read_bytes("answers.npy", &size);
    assert_int_equal(size, 128 + 5 * 10 * sizeof(knack_real));
    assert_contains(npy + 10, "'shape': (5, 10)");
    const char *line = outcome.out;
    for (int i = 0; i < 5; i++) {
        line = strchr(line, '\n') + 1;
        const char *cell = line;
        for (int c = 0; c < 10; c++) {
            knack_real value;
            memcpy(&value, npy + 128 + (size_t)(i * 10 + c) * sizeof value, sizeof value);
            cell = strchr(cell, ',') + 1;
            assert_true((knack_real)strtod(cell, NULL) == value); /* the text reads back as the same number */
        }
    }
    free(npy);
    outcome_free(&file);
    outcome_free(&outcome);

    outcome = run_knack("predict", "runs/small", "images.npy", "--json", "--weights", "raw");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"probabilities\"");
    outcome_free(&outcome);
    outcome = run_knack("predict", "runs/small", "absent.npy");
    assert_status(&outcome, 3);
    assert_contains(outcome.err, "absent.npy: cannot open: No such file or directory");
    outcome_free(&outcome);
}

/* A text target becomes classes in sorted order, whose names come back; one of them needs quotes. */
static void test_predict_names(void **state)
{
    (void)state;
    FILE *file = fopen("flowers.csv", "w");
    assert_non_null(file);
    fputs("length,width,kind\n", file);
    for (int i = 0; i < 60; i++) fprintf(file, "%d.5,%d,%s\n", i % 7 + (i % 2 ? 10 : 0), i % 5, i % 2 ? "\"tall, thin\"" : "low");
    fclose(file);
    write_text("flowers.json", "{\"data\": {\"csv\": \"flowers.csv\", \"target\": \"kind\", \"standardise\": true}, " SMALL_MODEL ", "
                               "\"train\": {\"epochs\": 60, \"batch\": 20, \"optimizer\": {\"type\": \"adamw\", \"lr\": 0.02}}}");
    struct outcome outcome = run_knack("run", "flowers.json");
    assert_status(&outcome, 0);
    outcome_free(&outcome);
    write_text("new.csv", "extra,width,length\nx,2,12.5\ny,2,2.5\n");
    outcome = run_knack("predict", "runs/flowers", "new.csv");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "class,p_low,\"p_tall, thin\"\n\"tall, thin\",");
    assert_contains(outcome.out, "\nlow,");
    outcome_free(&outcome);
    write_text("new.csv", "width\n2\n");
    outcome = run_knack("predict", "runs/flowers", "new.csv");
    assert_status(&outcome, 3);
    assert_contains(outcome.err, "length");
    outcome_free(&outcome);
}

static void test_schema(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("schema");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    static const char *const part[] = {"\"$schema\"", "\"epochs\"", "\"ema\"", "\"decay\"", "\"hidden\"", "\"validation\""};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) assert_contains(outcome.out, part[i]);
    outcome_free(&outcome);
}

static void test_trace(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("run", "small.json", "--trace", "--plugin", "mixup", "--out", "traced");
    assert_status(&outcome, 0);
    char *trace = read_text("traced/trace.jsonl");
    assert_contains(trace, "mixup");
    free(trace);
    outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written),
        cmocka_unit_test(test_what_is_shown),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_folder_that_holds_something),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_equal_runs),
        cmocka_unit_test(test_resume_of_a_finished_run),
        cmocka_unit_test(test_no_color),
        cmocka_unit_test(test_run_that_is_not_finished),
        cmocka_unit_test(test_eval),
        cmocka_unit_test(test_predict),
        cmocka_unit_test(test_predict_rows),
        cmocka_unit_test(test_predict_names),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_trace),
    };
    return cmocka_run_group_tests(tests, set_up, workplace_leave);
}
