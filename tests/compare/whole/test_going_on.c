/* What goes on by its folder alone, what people read there, and a trial once more as a full run. */
#include "whole.h"

#include <unistd.h>

#include "base/file.h"
#include "compare/rerun.h"

/* ---- By the folder ---- */

static void a_folder_goes_on_by_itself(void **state)
{
    (void)state;
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 3, .out = "whole"});
    char *expected = whole_trials("whole", NULL);
    whole_expect(&(struct asked){.tricks = "mixup", .seeds = 2, .out = "part", .interrupt_after = 1}, KNACK_E_INTERRUPTED, NULL);
    const char *part = whole_path("part");
    whole_run(&(struct asked){.config = part});
    assert_int_equal(whole_count("part", NULL), 4);
    whole_run(&(struct asked){.config = part, .seeds = 3, .margin = .01});
    char *grown = whole_trials("part", NULL);
    assert_string_equal(grown, expected);
    struct analysis *analysis = whole_analysis("part");
    assert_int_equal(analysis->plan->arm[0].read[0], 2);
    assert_true(analysis->plan->margin == .01);
    analysis_free(analysis);
    free(grown);
    free(expected);
}

static void what_was_settled_stays(void **state)
{
    (void)state;
    const char *part = whole_path("part");
    whole_expect(&(struct asked){.config = part, .metric = "test.loss"}, KNACK_E_USAGE, "goes on as it was planned, and takes no --metric",
                 NULL);
    whole_expect(&(struct asked){.config = part, .until_decided = true}, KNACK_E_USAGE, "and takes no --until-decided", NULL);
    whole_expect(&(struct asked){.config = part, .failed_score = .5}, KNACK_E_USAGE, "and takes no --failed-score", NULL);
    whole_expect(&(struct asked){.config = whole_path(".")}, KNACK_E_IO, "no comparison is here", NULL);
    whole_expect(&(struct asked){.tricks = "mixup", .project = whole_path(".")}, KNACK_E_USAGE, "--project is for what a folder holds",
                 NULL);
}

/* A project that was moved: where its paths start has to be said, and then all goes on. */
static void a_project_may_be_moved(void **state)
{
    (void)state;
    assert_int_equal(file_make_folder(whole_path("project")), KNACK_OK);
    whole_write("project/base.json", "{'data': {'limit': 100, 'validation': 20}, 'train': {'epochs': 1, 'batch': 20}}");
    whole_write("project/screen.json", "{'base': 'base.json', 'design': 'screen', 'seeds': 1, 'arms': {"
                                       "'a': {'set': {'train.optimizer.lr': 0.002}}, 'b': {'set': {'train.optimizer.lr': 0.003}}, "
                                       "'c': {'set': {'train.optimizer.lr': 0.004}}, 'd': {'set': {'train.optimizer.lr': 0.005}}}}");
    whole_run(&(struct asked){.config = whole_path("project/base.json"), .tricks = "mixup", .seeds = 2, .out = "moved"});
    whole_run(&(struct asked){.config = whole_path("project/screen.json"), .out = "screened"});
    char *expected = whole_trials("moved", NULL);
    assert_int_equal(rename(whole_path("project"), whole_path("elsewhere")), 0);
    struct asked asked = {.config = whole_path("moved"), .seeds = 3};
    whole_expect(&asked, KNACK_E_USAGE, "the folder of its configs, ", "/project, is gone: say where it is now: --project FOLDER", NULL);
    asked.project = whole_path("nowhere");
    whole_expect(&asked, KNACK_E_USAGE, "/nowhere: there is no such folder", NULL);
    asked.project = whole_path("elsewhere");
    whole_run(&asked);
    char *grown = whole_trials("moved", NULL);
    assert_int_equal(strncmp(grown, expected, strlen(expected)), 0);
    free(grown);
    free(expected);
    struct asked confirm = {.config = whole_path("screened"), .confirm = 1, .seeds = 1, .out = "confirm-moved"};
    whole_expect(&confirm, KNACK_E_USAGE, "is gone: say where it is now", NULL);
    confirm.project = asked.project;
    whole_run(&confirm);
}

/* Before the arms are checked, which may take minutes. */
static void a_folder_of_something_else_is_refused_at_once(void **state)
{
    (void)state;
    assert_int_equal(file_make_folder(whole_path("foreign")), KNACK_OK);
    whole_write("foreign/result.json", "{}");
    whole_expect(&(struct asked){.tricks = "mixdown", .out = "foreign"}, KNACK_E_USAGE,
                 "holds something else (result.json) and no comparison: choose another folder", NULL);
}

/* ---- For people ---- */

static void the_plan_is_a_file_too(void **state)
{
    (void)state;
    struct json_document *plan;
    if (json_read(whole_path("part/plan.json"), &plan) < 0) fail_msg("%s", knack_error());
    const struct json *arms = json_member(plan->root, "arms"), *mixup = arms->first->next;
    assert_true(json_member_number(plan->root, "seeds") == 3);
    assert_string_equal(json_member_text(plan->root, "metric", ""), "accuracy");
    assert_int_equal(arms->count, 2);
    assert_string_equal(json_member_text(mixup, "name", ""), "mixup");
    assert_string_equal(json_member(json_member(mixup, "config"), "plugins")->first->string, "mixup");
    assert_int_equal(json_member(plan->root, "contrasts")->count, 1);
    json_free(plan);
}

/* ---- Once more ---- */

static knack_status repeat(const char *out, const char *which, const char *folder, struct rerun *rerun)
{
    struct run *run;
    knack_status status = rerun_find(whole_path(out), NULL, which, rerun);
    if (status < 0) return status;
    rerun->request.out = whole_path(folder);
    TRY(run_open(&rerun->request, &run));
    status = rerun_check(rerun, run);
    if (status >= 0) status = run_train(run);
    if (status >= 0) status = rerun_compare(rerun, run);
    run_close(run);
    return status;
}

static void expect_repeat(const char *out, const char *which, knack_status expected, const char *part)
{
    struct rerun rerun;
    knack_status status = repeat(out, which, "refused", &rerun);
    rerun_free(&rerun);
    if (status != expected || !strstr(knack_error(), part)) fail_msg("status %d: %s", status, knack_error());
}

/* The same bits, of a trick with averages of its own as well as of a longer baseline. */
static void a_trial_is_repeated_as_a_run(void **state)
{
    (void)state;
    static const char *const which[] = {"ema:2001", "baseline x2:2000"}, *const file[] = {"model.safetensors", "metrics.jsonl"};
    whole_run(&(struct asked){.tricks = "ema,sam", .seeds = 2, .converge = true, .out = "repeated"});
    for (int i = 0; i < 2; i++) {
        struct rerun rerun;
        char folder[32], path[64];
        snprintf(folder, sizeof folder, "run%d", i);
        if (repeat("repeated", which[i], folder, &rerun) < 0) fail_msg("%s", knack_error());
        rerun_free(&rerun);
        for (int f = 0; f < 2; f++) {
            snprintf(path, sizeof path, "%s/%s", folder, file[f]);
            assert_true(file_exists(whole_path(path)));
        }
    }
    expect_repeat("repeated", "ema", KNACK_E_USAGE, "--rerun ema: expected an arm of the comparison and a seed, as in \"ema:2000\"");
    expect_repeat("repeated", "ema:2002", KNACK_E_USAGE, "has no trial of this arm and seed");
    whole_change("repeated", "UPDATE trials SET value = value + 1e-9");
    expect_repeat("repeated", "sam:2000", KNACK_E_CALL, "the run is not what it was");
}

static void a_trial_that_rests_on_something_else_is_not(void **state)
{
    (void)state;
    whole_change("repeated", "UPDATE identities SET text = replace(text, '\"float\"', '\"half\"')");
    whole_change("repeated", "UPDATE identities SET text = replace(text, '\"double\"', '\"half\"')");
    expect_repeat("repeated", "sam:2001", KNACK_E_USAGE, "the trial of sam, seed 2001, rests on what has changed since: ");
}

static void without_memory_nothing_is_repeated(void **state)
{
    (void)state;
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; status == KNACK_E_MEMORY; nth++) {
        struct rerun rerun;
        memory_fail_at(nth);
        status = rerun_find(whole_path("repeated"), NULL, "baseline x2:2001", &rerun);
        memory_fail_at(0);
        if (status < 0 && status != KNACK_E_MEMORY) fail_msg("allocation %d: %s", (int)nth, knack_error());
        rerun_free(&rerun);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_goes_on_by_itself),
        cmocka_unit_test(what_was_settled_stays),
        cmocka_unit_test(a_project_may_be_moved),
        cmocka_unit_test(a_folder_of_something_else_is_refused_at_once),
        cmocka_unit_test(the_plan_is_a_file_too),
        cmocka_unit_test(a_trial_is_repeated_as_a_run),
        cmocka_unit_test(a_trial_that_rests_on_something_else_is_not),
        cmocka_unit_test(without_memory_nothing_is_repeated),
    };
    return cmocka_run_group_tests(tests, whole_set_up, whole_tear_down);
}
