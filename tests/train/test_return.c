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
    harness_expect(resume_status(&run), KNACK_E_DATA, "the data have changed since", NULL);
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
        cmocka_unit_test(another_config_is_said),
        cmocka_unit_test(a_spoiled_gradient_makes_no_update),
        cmocka_unit_test(a_failure_without_a_word_is_told),
        cmocka_unit_test(the_resolved_config_has_the_options_of_tricks),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
