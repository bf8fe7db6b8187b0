/* A run that is killed right after any of its writes, and resumed, ends with the bits of one that was left alone. */
#include "program.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What varies: each optimizer, schedule, augmentation and trick occurs; 40 steps, a checkpoint every 16 and at the end of both epochs. */
struct recipe {
    const char *name, *model, *augment, *optimizer, *schedule, *plugins;
};

#define MLP "{\"type\": \"mlp\", \"hidden\": [8], \"dropout\": 0.1}"
#define CNN "{\"type\": \"cnn\", \"channels\": [4], \"hidden\": [8]}"

static const struct recipe recipe[] = {
    {"sgd", MLP, "", "{\"type\": \"sgd\", \"lr\": 0.05}", "{\"type\": \"constant\"}", "\"ema\""},
    {"momentum", MLP, "\"flip\"", "{\"type\": \"sgd\", \"lr\": 0.02, \"momentum\": 0.9, \"nesterov\": true}",
     "{\"type\": \"step\", \"milestones\": [\"1ep\"], \"warmup\": \"3st\"}", "\"mixup\""},
    {"adam", MLP, "\"shift\"", "{\"type\": \"adam\", \"lr\": 0.01}", "{\"type\": \"linear\"}",
     "{\"name\": \"fgm\", \"layer\": \"input\", \"epsilon\": 0.3}"},
    {"adamw", MLP, "\"crop\"", "{\"type\": \"adamw\", \"lr\": 0.01}", "{\"type\": \"cosine\", \"warmup\": 0.1}", "\"arcface\""},
    {"all", CNN, "\"flip\", \"shift\"", "{\"type\": \"adamw\", \"lr\": 0.01}", "{\"type\": \"one-cycle\"}",
     "{\"name\": \"fgm\", \"parameters\": \"conv1.weight\"}, \"mixup\", \"arcface\", \"ema\""},
};

static void write_config(const struct recipe *one)
{
    char text[2048];
    snprintf(
        text, sizeof text,
        "{\"data\": {\"source\": \"digits\", \"limit\": 160, \"validation\": 64, \"augment\": [%s]}, \"model\": %s, \"train\": "
        "{\"epochs\": 2, "
        "\"batch\": 8, \"log_every\": \"8st\", \"checkpoint_every\": \"16st\", \"optimizer\": %s, \"schedule\": %s}, \"plugins\": [%s]}",
        one->augment, one->model, one->optimizer, one->schedule, one->plugins);
    write_text("config.json", text);
}

/* Every file below the folder is the same below the other, but for result.json, which has times. The other may have more: an older
 * checkpoint that was to be removed, a file that was not finished. */
static void assert_same_folders(const char *folder, const char *other)
{
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "result.json") == 0) continue;
        char path[1024], twin[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        snprintf(twin, sizeof twin, "%s/%s", other, entry->d_name);
        DIR *inner = opendir(path);
        if (inner) {
            closedir(inner);
            assert_same_folders(path, twin);
        } else {
            assert_same_files(path, twin);
        }
    }
    closedir(directory);
}

/* A killed process leaves the file by which LLVM's OpenMP knows it, and a later process of the same number would not start for it. */
static void forget_process(pid_t process)
{
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/__KMP_REGISTERED_LIB_%d_%d", (int)process, (int)getuid());
    unlink(path);
}

/* The run, killed after its nth write; whether it was. */
static bool run_killed(long nth)
{
    char preload[4200], after[64];
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", getenv("KNACK_TEST_SHIM"));
    snprintf(after, sizeof after, "KNACK_TEST_KILL_AFTER=%ld", nth);
    remove_tree("killed");
    struct started started = start_words((const char *const[]){preload, after, NULL},
                                         (const char *const[]){"run", "config.json", "-q", "--out", "killed", NULL});
    pid_t process = started.process;
    struct outcome outcome = wait_for(&started);
    forget_process(process);
    bool killed = outcome.status == 128 + SIGKILL;
    if (!killed) assert_status(&outcome, 0);
    outcome_free(&outcome);
    return killed;
}

/* Goes on from the newest checkpoint, or from the beginning if it died before there was one. */
static bool go_on(void)
{
    struct outcome outcome = run_knack("resume", "killed", "-q");
    bool resumed = outcome.status == 0;
    if (!resumed) {
        if (!strstr(outcome.err, "no folder of a run")) assert_contains(outcome.err, "no checkpoint");
        outcome_free(&outcome);
        outcome = run_knack("run", "config.json", "-q", "--out", "killed", "--force");
    }
    assert_status(&outcome, 0);
    outcome_free(&outcome);
    return resumed;
}

static void test_recipe(const struct recipe *one, long stride)
{
    write_config(one);
    remove_tree("whole");
    struct outcome outcome = run_knack("run", "config.json", "-q", "--out", "whole");
    assert_status(&outcome, 0);
    outcome_free(&outcome);
    long nth = 1, resumed = 0;
    for (; run_killed(nth); nth += stride) {
        resumed += go_on();
        assert_same_folders("whole", "killed");
    }
    print_message("%s: killed after %ld writes, resumed %ld times\n", one->name, nth / stride, resumed);
    assert_true(resumed > 0);
}

static void test_killed_after_each_write(void **state)
{
    (void)state;
    const char *text = getenv("KNACK_TEST_STRIDE");
    long stride = text ? atol(text) : 1;
    for (size_t i = 0; i < sizeof recipe / sizeof *recipe; i++) test_recipe(&recipe[i], stride);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed_after_each_write)};
    return cmocka_run_group_tests(tests, workplace_enter, workplace_leave);
}
