/* Ctrl-C: a checkpoint, exit status 130, and a resumed run that ends with the same bits. */
#include "config.h"
#include "program.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Long enough to be caught in its middle: the slower build, with sanitizers, needs fewer epochs. */
static void write_long_config(void)
{
    char text[1024];
    const char *epochs = getenv("KNACK_TEST_EPOCHS");
    snprintf(text, sizeof text, "{" SMALL_DATA ", " SMALL_MODEL ", \"train\": {\"epochs\": %s, \"batch\": 32}, \"plugins\": [\"ema\"]}",
             epochs ? epochs : "400");
    write_text("long.json", text);
}

static void sleep_milliseconds(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Waits until the run has logged some steps; false if it ended before. */
static bool wait_for_steps(const char *metrics)
{
    for (int tries = 0; tries < 2000; tries++) {
        if (path_exists(metrics)) {
            size_t size;
            free(read_bytes(metrics, &size));
            if (size > 500) return true;
        }
        sleep_milliseconds(5);
    }
    return false;
}

static void test_signal(int number, const char *folder)
{
    struct started started = start_words(NULL, (const char *const[]){"run", "long.json", "--out", folder, NULL});
    char metrics[64];
    strcat(strcpy(metrics, folder), "/metrics.jsonl");
    assert_true(wait_for_steps(metrics));
    assert_int_equal(kill(started.process, number), 0);
    struct outcome outcome = wait_for(&started);
    assert_status(&outcome, 130);
    assert_contains(outcome.err, "writing a checkpoint");
    assert_contains(outcome.err, "knack: interrupted");
    assert_contains(outcome.err, "knack resume");
    assert_string_equal(outcome.out, "");
    outcome_free(&outcome);
    outcome = run_knack("eval", folder);
    assert_status(&outcome, 2);
    char unfinished[128];
    snprintf(unfinished, sizeof unfinished, "knack: the run in %s is not finished (interrupted at step ", folder);
    assert_contains(outcome.err, unfinished);
    snprintf(unfinished, sizeof unfinished, "): knack resume %s\n", folder);
    assert_contains(outcome.err, unfinished);
    outcome_free(&outcome);
    outcome = run_knack("resume", folder);
    assert_status(&outcome, 0);
    outcome_free(&outcome);
}

static void test_interrupted_and_resumed(void **state)
{
    (void)state;
    write_long_config();
    struct outcome outcome = run_knack("run", "long.json", "--out", "whole");
    assert_status(&outcome, 0);
    outcome_free(&outcome);
    test_signal(SIGINT, "interrupted");
    test_signal(SIGTERM, "terminated");
    static const char *const folder[] = {"interrupted", "terminated"};
    static const char *const file[] = {"model.safetensors", "model.raw.safetensors", "model.best.safetensors", "metrics.jsonl"};
    for (size_t d = 0; d < 2; d++)
        for (size_t f = 0; f < sizeof file / sizeof *file; f++) {
            char path[128], whole[128];
            snprintf(path, sizeof path, "%s/%s", folder[d], file[f]);
            snprintf(whole, sizeof whole, "whole/%s", file[f]);
            assert_same_files(path, whole);
        }
}

/* A program that was started with SIGINT ignored, as a shell starts what it runs in the background, goes on ignoring it. */
static void test_ignored_signal(void **state)
{
    (void)state;
    write_long_config();
    signal(SIGINT, SIG_IGN);
    struct started started = start_words(NULL, (const char *const[]){"run", "long.json", "--out", "ignored", NULL});
    signal(SIGINT, SIG_DFL);
    assert_true(wait_for_steps("ignored/metrics.jsonl"));
    kill(started.process, SIGINT);
    struct outcome outcome = wait_for(&started);
    assert_status(&outcome, 0);
    outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interrupted_and_resumed),
        cmocka_unit_test(test_ignored_signal),
    };
    return cmocka_run_group_tests(tests, workplace_enter, workplace_leave);
}
