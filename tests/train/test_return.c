/* Coming back to a run that something happened to: damaged checkpoints, other data, another config, results that are there already. */
#include "harness.h"

#include <stdio.h>
#include <unistd.h>

static const char config[] = "{'data': {'source': 'digits', 'limit': %d, 'validation': 0.2}, 'model': {'type': 'mlp', 'hidden': [8]},"
                             " 'train': {'epochs': %d, 'batch': 16}, 'plugins': ['ema']}";

static void train_once(int limit, int epochs)
{
    struct run *run = harness_open(config, limit, epochs);
    harness_train(run);
    harness_close(run);
}

/* Cuts the nth newest checkpoint of "out" short. */
static void damage(int nth)
{
    char **names;
    int64_t count;
    assert_int_equal(file_list(harness_path("out/checkpoint"), &names, &count), KNACK_OK);
    assert_true(count > nth);
    char *path = file_join(harness_path("out/checkpoint"), names[count - 1 - nth]);
    assert_int_equal(truncate(path, 3000), 0);
    memory_free(path);
    memory_free(names);
}

static knack_status resume_status(struct run **run)
{
    struct run_request request = {0};
    return run_resume(harness_path("out"), &request, run);
}

static void a_damaged_checkpoint_gives_way_to_the_one_before(void **state)
{
    (void)state;
    train_once(64, 3);
    struct harness_files before = harness_files();
    damage(0);
    struct run *run = harness_resume();
    assert_true(harness_warned("going back to the checkpoint before it"));
    harness_train(run);
    harness_close(run);
    harness_assert_files(&before, "resumed from the checkpoint before");
    harness_files_free(&before);
}

static void without_a_readable_checkpoint_it_says_so(void **state)
{
    (void)state;
    struct run *run;
    train_once(64, 3);
    damage(0);
    damage(1);
    harness_expect(resume_status(&run), KNACK_E_DATA, "no checkpoint of", "can be read", NULL);
}

static void a_finished_run_without_checkpoints_is_left_alone(void **state)
{
    (void)state;
    struct run *run;
    char **names;
    int64_t count;
    train_once(64, 1);
    assert_int_equal(file_list(harness_path("out/checkpoint"), &names, &count), KNACK_OK);
    for (int64_t i = 0; i < count; i++) {
        char *path = file_join(harness_path("out/checkpoint"), names[i]);
        assert_int_equal(file_remove(path), KNACK_OK);
        memory_free(path);
    }
    memory_free(names);
    harness_expect(resume_status(&run), KNACK_E_USAGE, "is finished, and its checkpoints are gone", NULL);
}

/* Replaces text in out/config.json. */
static void edit_config(const char *from, const char *to)
{
    size_t size;
    char *text = harness_read("out/config.json", &size), *at = strstr(text, from);
    assert_non_null(at);
    char *edited = memory_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_int_equal(file_write(harness_path("out/config.json"), edited, strlen(edited)), KNACK_OK);
    memory_free(edited);
    memory_free(text);
}

static void other_data_are_refused(void **state)
{
    (void)state;
    struct run *run;
    train_once(64, 2);
    edit_config("\"limit\": 64", "\"limit\": 63");
    harness_expect(resume_status(&run), KNACK_E_DATA, "has changed since: the config; the training data.", "--force", NULL);
}

/* Trains two epochs of FOLDER/project, which has data and a plugin of its own, into FOLDER/project/out. */
static void train_project(void)
{
    const char *text = "{\"data\": {\"csv\": \"data.csv\", \"target\": \"y\", \"task\": \"classification\"}, \"model\": {\"hidden\": [4]},"
                       " \"train\": {\"epochs\": 2, \"batch\": 4}, \"plugins\": [{\"manifest\": \"probe.json\"}]}";
    const char *data = "a,b,y\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n9,10,0\n2,1,1\n4,3,0\n6,5,1\n";
    char folder[256], out[256];
    snprintf(folder, sizeof folder, "%s", harness_path("project"));
    snprintf(out, sizeof out, "%s", harness_path("project/out/inner"));
    assert_int_equal(file_make_folder(folder), KNACK_OK);
    assert_int_equal(file_write(harness_path("project/data.csv"), data, strlen(data)), KNACK_OK);
    for (const char *const *name = (const char *const[]){"probe.json", "probe.so", NULL}; *name; name++) {
        char *bytes, from[512], to[64];
        size_t size;
        snprintf(from, sizeof from, TEST_PLUGINS "/%s", *name);
        snprintf(to, sizeof to, "project/%s", *name);
        assert_int_equal(file_read(from, KNACK_E_IO, &bytes, &size), KNACK_OK);
        assert_int_equal(file_write(harness_path(to), bytes, size), KNACK_OK);
        memory_free(bytes);
    }
    struct run *run;
    struct run_request request = {.config = "project.json", .text = text, .folder = folder, .out = out, .force = true};
    if (run_open(&request, &run) < 0) fail_msg("%s", knack_error());
    harness_train(run);
    run_close(run);
}

static knack_status resume_project(const char *out, struct run **run)
{
    struct run_request request = {0};
    return run_resume(harness_path(out), &request, run);
}

/* Puts other bytes in the place of some in a file, as a new file. */
static void replace(const char *name, const char *from, const char *to)
{
    size_t size;
    char *bytes = harness_read(name, &size), *at = memmem(bytes, size, from, strlen(from));
    assert_non_null(at);
    memcpy(at, to, strlen(from));
    assert_int_equal(file_write(harness_path(name), bytes, size), KNACK_OK);
    memory_free(bytes);
}

static void one_cell_of_the_data_is_noticed(void **state)
{
    (void)state;
    struct run *run;
    train_project();
    replace("project/data.csv", "9,10", "9,11");
    harness_expect(resume_project("project/out/inner", &run), KNACK_E_DATA, "has changed since: the training data. Bring", NULL);
    replace("project/data.csv", "9,11", "9,10");
    if (resume_project("project/out/inner", &run) < 0) fail_msg("%s", knack_error());
    run_close(run);
}

static void other_code_of_a_plugin_is_noticed(void **state)
{
    (void)state;
    struct run *run;
    train_project();
    replace("project/probe.so", "a warning", "A warning");
    harness_expect(resume_project("project/out/inner", &run), KNACK_E_PLUGIN, "has changed since: plugin probe: its code. Bring", NULL);
    replace("project/probe.so", "A warning", "a warning");
    replace("project/probe.json", "\"default\": 0.5", "\"default\": 0.7");
    harness_expect(resume_project("project/out/inner", &run), KNACK_E_PLUGIN, "has changed since: plugin probe: its manifest. Bring", NULL);
}

static void a_moved_project_goes_on(void **state)
{
    (void)state;
    struct run *run;
    char before[256];
    train_project();
    snprintf(before, sizeof before, "%s", harness_path("project"));
    assert_int_equal(rename(before, harness_path("moved")), 0);
    if (resume_project("moved/out/inner", &run) < 0) fail_msg("%s", knack_error());
    run_close(run);
}

/* Changes a name within the newest checkpoint of "out". */
static void rename_in_checkpoint(const char *from, const char *to)
{
    size_t size;
    char *path, *bytes = harness_checkpoint(&size), *at = memmem(bytes, size, from, strlen(from));
    assert_non_null(at);
    memcpy(at, to, strlen(from));
    assert_int_equal(checkpoint_newest(harness_path("out"), &path), KNACK_OK);
    assert_int_equal(file_write(path, bytes, size), KNACK_OK);
    memory_free(path);
    memory_free(bytes);
}

static void another_machine_is_said(void **state)
{
    (void)state;
    train_once(64, 2);
    rename_in_checkpoint("onednn", "onedna");
    harness_close(harness_resume());
    assert_true(harness_warned("something has changed: none -> "));
}

static void a_checkpoint_without_identity_goes_on(void **state)
{
    (void)state;
    train_once(64, 2);
    rename_in_checkpoint("identity", "identita");
    harness_close(harness_resume());
    assert_true(harness_warned("says nothing of its data and code"));
}

static void other_options_of_a_trick_are_said(void **state)
{
    (void)state;
    train_once(64, 2);
    edit_config("\"decay\": 0.999", "\"decay\": 0.9");
    harness_close(harness_resume());
    assert_true(harness_warned("config.json is not the one that"));
}

static void another_config_is_said(void **state)
{
    (void)state;
    train_once(64, 2);
    edit_config("\"epochs\": 2", "\"epochs\": 3");
    struct run *run = harness_resume();
    assert_true(harness_warned("config.json is not the one that"));
    harness_train(run);
    assert_int_equal(run->at.update, 3 * run->steps_per_epoch);
    harness_close(run);
}

static void the_resolved_config_has_the_options_of_tricks(void **state)
{
    (void)state;
    train_once(64, 1);
    assert_true(harness_has("out/config.json", "\"name\": \"ema\""));
    assert_true(harness_has("out/config.json", "\"decay\": 0.999"));
}

static void a_spoiled_gradient_makes_no_update(void **state)
{
    (void)state;
    struct run *run =
        harness_open("{'data': {'limit': 64, 'validation': 0.2}, 'model': {'hidden': [8]}, 'train': {'epochs': 1, 'batch': 16},"
                     " 'plugins': [{'name': 'probe', 'at': 'post_backward', 'do': 'spoil'}]}");
    harness_train(run);
    assert_int_equal(run->at.update, 0);
    assert_int_equal(run->at.skipped, run->steps_per_epoch);
    assert_true(harness_warned("probe left a gradient that is not finite"));
    assert_true(harness_warned("no update was made"));
    harness_close(run);
}

static void a_failure_without_a_word_is_told(void **state)
{
    (void)state;
    harness_expect(harness_status("{'data': {'limit': 64}, 'train': {'epochs': 1, 'batch': 16}, 'model': {'hidden': [8]},"
                                  " 'plugins': [{'name': 'probe', 'at': 'post_step', 'do': 'silent'}]}"),
                   KNACK_E_DATA, "probe, post_step, step 1", "without a message", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_checkpoint_gives_way_to_the_one_before),
        cmocka_unit_test(without_a_readable_checkpoint_it_says_so),
        cmocka_unit_test(a_finished_run_without_checkpoints_is_left_alone),
        cmocka_unit_test(other_data_are_refused),
        cmocka_unit_test(one_cell_of_the_data_is_noticed),
        cmocka_unit_test(other_code_of_a_plugin_is_noticed),
        cmocka_unit_test(a_moved_project_goes_on),
        cmocka_unit_test(another_machine_is_said),
        cmocka_unit_test(a_checkpoint_without_identity_goes_on),
        cmocka_unit_test(other_options_of_a_trick_are_said),
        cmocka_unit_test(another_config_is_said),
        cmocka_unit_test(a_spoiled_gradient_makes_no_update),
        cmocka_unit_test(a_failure_without_a_word_is_told),
        cmocka_unit_test(the_resolved_config_has_the_options_of_tricks),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
