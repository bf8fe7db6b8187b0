/* Trials that are there stand beside new ones only if they rest on the same, and those of other folders are taken over only then. */
#include "whole.h"

#include "base/file.h"

/* ---- What has changed ---- */

static void copy_file(const char *from, const char *to)
{
    char *bytes;
    size_t size;
    if (file_read(from, KNACK_E_IO, &bytes, &size) < 0 || file_write(to, bytes, size) < 0) fail_msg("%s", knack_error());
    memory_free(bytes);
}

/* The folder's own copy of a test plugin's manifest, and the library that was built by one name or another. */
static const char *build_plugin(const char *library)
{
    char path[1024], folder[512];
    static char entry[1024];
    const char *all = getenv("KNACK_PLUGIN_PATH");
    snprintf(folder, sizeof folder, "%.*s", (int)strcspn(all, ":"), all);
    assert_int_equal(file_make_folder(whole_path("plugin")), KNACK_OK);
    snprintf(path, sizeof path, "%s/mishap.json", folder);
    copy_file(path, whole_path("plugin/mishap.json"));
    snprintf(path, sizeof path, "%s/%s", folder, library);
    remove(whole_path("plugin/mishap.so"));
    copy_file(path, whole_path("plugin/mishap.so"));
    snprintf(entry, sizeof entry, "{\"manifest\": \"%s\", \"draws\": 4},ema", whole_path("plugin/mishap.json"));
    return entry;
}

static int64_t count_aside(const char *out, int64_t arm)
{
    struct stored_trial *trial;
    int64_t trials, count = 0;
    struct store *store = whole_store(out);
    assert_int_equal(store_read_aside(store, &trial, &trials), KNACK_OK);
    for (int64_t i = 0; i < trials; i++) count += trial[i].arm == arm && strcmp(trial[i].aside, "again") == 0;
    memory_free(trial);
    store_close(store);
    return count;
}

/* When the arm's trials were finished, by rows, which tells those that were made anew. */
static int64_t last_row(const char *out, const char *arm)
{
    struct stored_trial *trial;
    int64_t trials, last = 0;
    struct store *store = whole_store(out);
    struct plan *plan;
    assert_int_equal(store_read_plan(store, &plan), KNACK_OK);
    assert_int_equal(store_read_trials(store, &trial, &trials), KNACK_OK);
    for (int64_t i = 0; i < trials; i++)
        if (strcmp(plan->arm[trial[i].arm].name, arm) == 0 && trial[i].id > last) last = trial[i].id;
    memory_free(trial);
    plan_free(plan);
    store_close(store);
    return last;
}

static void other_code_under_the_same_version_is_refused(void **state)
{
    (void)state;
    struct asked asked = {.tricks = build_plugin("mishap.so"), .seeds = 3, .out = "code"};
    whole_run(&asked);
    asked.tricks = build_plugin("mishap_rebuilt.so");
    for (int more = 0; more < 2; more++) { /* whether all is there or not */
        asked.seeds = 3 + more;
        whole_expect(&asked, KNACK_E_USAGE, "3 trials of mishap rest on what has changed since: plugin mishap: its code",
                     "Have them made anew: --again mishap (the old ones are kept aside)", NULL);
        assert_int_equal(whole_count("code", "mishap"), 3);
        struct json_document *plan; /* of what is refused nothing is kept */
        assert_int_equal(json_read(whole_path("code/plan.json"), &plan), KNACK_OK);
        assert_true(json_member_number(plan->root, "seeds") == 3);
        json_free(plan);
    }
    asked.seeds = 3;
    int64_t baseline = last_row("code", "baseline"), ema = last_row("code", "ema"), mishap = last_row("code", "mishap");
    asked.again = "mishap";
    whole_run(&asked);
    assert_true(whole_noted("3 trials are set aside, to be made anew"));
    assert_int_equal(whole_count("code", "mishap"), 3);
    assert_int_equal(count_aside("code", 1), 3);
    assert_int_equal(count_aside("code", 0) + count_aside("code", 2), 0);
    assert_true(last_row("code", "mishap") > mishap);
    assert_int_equal(last_row("code", "baseline"), baseline);
    assert_int_equal(last_row("code", "ema"), ema);
    asked.again = NULL;
    whole_run(&asked);
    asked.again = "mischief";
    whole_expect(&asked, KNACK_E_USAGE, "--again mischief: the comparison has no arm of this name", NULL);
}

static const char *write_rows(double first)
{
    char text[4096] = "a,b,y\n", line[64];
    for (int i = 0; i < 60; i++) {
        double a = i == 0 ? first : i % 7, b = i % 5;
        snprintf(line, sizeof line, "%g,%g,%d\n", a, b, a > b);
        strcat(text, line);
    }
    whole_write("rows.csv", "%s", text);
    whole_write("test.csv", "%s", "a,b,y\n1,2,0\n2,1,1\n5,1,1\n0,3,0\n");
    return whole_write("rows.json", "{'data': {'csv': 'rows.csv', 'target': 'y', 'task': 'classification', 'test': {'csv': 'test.csv', "
                                    "'target': 'y'}}, 'train': {'epochs': 2, 'batch': 10}}");
}

static void edited_training_data_are_refused(void **state)
{
    (void)state;
    struct asked asked = {.config = write_rows(1), .tricks = "mixup", .seeds = 2, .out = "data"};
    whole_run(&asked);
    write_rows(2);
    whole_expect(&asked, KNACK_E_USAGE, "4 trials of baseline, mixup rest on what has changed since: the training data",
                 "made anew: --again all", NULL);
    write_rows(1);
    whole_run(&asked);
}

/* Another machine may begin a block of its own, but finishes none that was begun elsewhere. */
static void a_block_is_made_on_one_machine(void **state)
{
    (void)state;
    struct asked asked = {.tricks = "mixup", .seeds = 2, .jobs = 1, .out = "machine", .interrupt_after = 1};
    whole_expect(&asked, KNACK_E_INTERRUPTED, NULL);
    whole_change("machine", "UPDATE identities SET text = json_set(text, '$.machine.cpu', 'other' || id)");
    asked.interrupt_after = 0;
    whole_expect(&asked, KNACK_E_USAGE, "seed 2000 was begun on another machine (", "finish it there", NULL);
    assert_int_equal(whole_count("machine", NULL), 1);
    asked.again = "all";
    whole_run(&asked);
    whole_change("machine", "UPDATE identities SET text = json_set(text, '$.machine.cpu', 'other' || id)");
    asked.again = NULL;
    asked.seeds = 3;
    whole_run(&asked);
    assert_int_equal(whole_count("machine", NULL), 6);
}

/* ---- What others have ---- */

static int64_t count_taken(const char *out, const char *from)
{
    struct stored_trial *trial;
    int64_t trials, count = 0;
    struct store *store = whole_store(out);
    assert_int_equal(store_read_trials(store, &trial, &trials), KNACK_OK);
    for (int64_t i = 0; i < trials; i++) count += strstr(trial[i].source, from) != NULL;
    memory_free(trial);
    store_close(store);
    return count;
}

static void equal_trials_of_baselines_are_taken_over(void **state)
{
    (void)state;
    whole_forget();
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 3, .converge = true, .out = "first"});
    whole_run(&(struct asked){.tricks = "mixup,ema", .seeds = 4, .converge = true, .cache = true, .out = "second"});
    assert_true(whole_noted("6 trials of the baseline are taken over from ") || whole_noted("3 trials of the baseline are taken over"));
    assert_true(whole_noted("/first, where they are equal in everything"));
    assert_in_range(count_taken("second", "/first"), 3, 6);
    whole_run(&(struct asked){.tricks = "mixup,ema", .seeds = 4, .converge = true, .out = "alone"});
    char *taken = whole_trials("second", NULL), *made = whole_trials("alone", NULL);
    assert_string_equal(taken, made);
    assert_int_equal(count_taken("alone", "/"), 0);
    free(taken);
    free(made);
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 3, .metric = "test.loss", .cache = true, .out = "loss"});
    assert_int_equal(count_taken("loss", "/"), 0); /* another question */
    const char *other = whole_write("other.json", "{'data': {'limit': 200, 'validation': 40}, 'model': {'type': 'mlp', 'hidden': [17]}, "
                                                  "'train': {'epochs': 2, 'batch': 20, 'max_skipped': 0}}");
    whole_run(&(struct asked){.config = other, .tricks = "mixup", .seeds = 3, .cache = true, .out = "other"});
    assert_int_equal(count_taken("other", "/"), 0);
}

/* ---- Seeds that chose ---- */

/* By another part of the same data: told, as the networks are the same. */
static void seeds_that_chose_by_another_part_are_told(void **state)
{
    (void)state;
    whole_forget();
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 2, .first_seed = 2000, .role = "tuning", .out = "tuned"});
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 2, .out = "judged"});
    assert_true(whole_warned("the networks that chose are the judges"));
    struct analysis *analysis = whole_analysis("judged"); /* the folder keeps that, for its reports */
    bool told = false;
    for (int64_t i = 0; i < analysis->remarks; i++) told |= strstr(analysis->remark[i].text, "chose on the validation part in ") != NULL;
    assert_true(told);
    analysis_free(analysis);
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 2, .first_seed = 2100, .out = "others"});
    assert_false(whole_warned("the networks that chose"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_code_under_the_same_version_is_refused),
        cmocka_unit_test(edited_training_data_are_refused),
        cmocka_unit_test(a_block_is_made_on_one_machine),
        cmocka_unit_test(equal_trials_of_baselines_are_taken_over),
        cmocka_unit_test(seeds_that_chose_by_another_part_are_told),
    };
    return cmocka_run_group_tests(tests, whole_set_up, whole_tear_down);
}
