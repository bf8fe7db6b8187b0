/* The same numbers to the bit, however a comparison is run; and what is stored besides them. */
#include "whole.h"

static void assert_same(const char *expected, const char *out, const char *arm, const char *how)
{
    char *text = whole_trials(out, arm);
    if (strcmp(text, expected) != 0) fail_msg("%s:\n%s\nare not\n%s", how, text, expected);
    free(text);
}

static const char tricks[] = "mixup,sam,{\"name\": \"mishap\", \"what\": \"nan\", \"chance\": 0.5}";

/* ---- The same numbers ---- */

static void any_number_of_jobs(void **state)
{
    (void)state;
    whole_forget();
    whole_run(&(struct asked){.tricks = tricks, .converge = true, .seeds = 3, .out = "one", .jobs = 1});
    char *expected = whole_trials("one", NULL);
    assert_int_equal(whole_count("one", NULL), 5 * 3); /* with the baseline x2, which tells whether its budget is enough */
    assert_int_equal(whole_count("one", "baseline x2"), 3);
    whole_run(&(struct asked){.tricks = tricks, .converge = true, .seeds = 3, .out = "two", .jobs = 2});
    assert_same(expected, "two", NULL, "two jobs");
    whole_run(&(struct asked){.tricks = tricks, .converge = true, .seeds = 3, .out = "five", .jobs = 5});
    assert_same(expected, "five", NULL, "five jobs");
    free(expected);
}

static void an_arm_alone_or_among_others_in_any_order(void **state)
{
    (void)state;
    char *mixup = whole_trials("one", "mixup"), *baseline = whole_trials("one", "baseline");
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 3, .out = "alone"});
    assert_same(mixup, "alone", "mixup", "alone");
    assert_same(baseline, "alone", "baseline", "alone");
    whole_run(&(struct asked){.tricks = "ema,label-smoothing,mixup", .seeds = 3, .out = "among"});
    assert_same(mixup, "among", "mixup", "among others");
    free(mixup);
    free(baseline);
}

static void interrupted_after_any_trial(void **state)
{
    (void)state;
    char *expected = whole_trials("one", NULL);
    for (int after = 1; after < 15; after += 2)
        whole_expect(&(struct asked){.tricks = tricks, .converge = true, .seeds = 3, .out = "stopped", .interrupt_after = after},
                     KNACK_E_INTERRUPTED, "interrupted: ", " trials are done and kept in ", "the same command goes on from there", NULL);
    whole_run(&(struct asked){.tricks = tricks, .converge = true, .seeds = 3, .out = "stopped"});
    assert_same(expected, "stopped", NULL, "interrupted");
    free(expected);
}

static void asked_for_once_more_nothing_is_run_again(void **state)
{
    (void)state;
    int64_t before, after;
    struct stored_measurement *measurement;
    char *expected = whole_trials("one", NULL);
    struct store *store = whole_store("one");
    assert_int_equal(store_read_measurements(store, &measurement, &before), KNACK_OK);
    memory_free(measurement);
    store_close(store);
    assert_in_range(before, 3 * 5 + 1, 4 * 5); /* mishap can perhaps not be measured */
    whole_run(&(struct asked){.tricks = tricks, .converge = true, .seeds = 3, .out = "one"});
    assert_true(whole_noted("15 trials already done"));
    assert_same(expected, "one", NULL, "once more");
    store = whole_store("one");
    assert_int_equal(store_read_measurements(store, &measurement, &after), KNACK_OK);
    memory_free(measurement);
    store_close(store);
    assert_int_equal(after, before);
    free(expected);
}

static void more_seeds_and_more_arms_join_what_is_there(void **state)
{
    (void)state;
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 2, .out = "grown"});
    assert_int_equal(whole_count("grown", NULL), 4);
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 3, .out = "grown"});
    assert_int_equal(whole_count("grown", NULL), 6);
    whole_run(&(struct asked){.tricks = tricks, .converge = true, .seeds = 3, .out = "grown"});
    char *expected = whole_trials("one", NULL);
    assert_same(expected, "grown", NULL, "grown");
    free(expected);
}

/* ---- Placebos ---- */

static void check_placebo(const struct analysis *analysis, const char *name)
{
    const struct contrast_result *result = whole_contrast(analysis, name);
    assert_int_equal(result->estimate.n, 4);
    for (int64_t i = 0; i < result->estimate.n; i++) assert_true(result->estimate.difference[i] == 0);
    assert_int_equal(result->verdict.kind, VERDICT_IDENTICAL);
}

static void a_placebo_changes_no_bit(void **state)
{
    (void)state;
    whole_run(
        &(struct asked){.tricks = "mishap,{\"name\": \"mishap\", \"as\": \"draws\", \"draws\": 1000000}", .seeds = 4, .out = "placebo"});
    char *baseline = whole_trials("placebo", "baseline"), *copy;
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "draws" : "mishap";
        copy = whole_trials("placebo", name);
        for (const char *a = baseline, *b = copy; *a; a = strchr(a, '\n') + 1, b = strchr(b, '\n') + 1)
            if (strncmp(a + strlen("baseline"), b + strlen(name), (size_t)(strchr(a, '\n') - a) - strlen("baseline")) != 0)
                fail_msg("not the same:\n%s\n%s", a, b);
        free(copy);
    }
    free(baseline);
    struct analysis *analysis = whole_analysis("placebo");
    check_placebo(analysis, "mishap");
    check_placebo(analysis, "draws");
    analysis_free(analysis);
}

/* ---- What else is stored ---- */

static void the_plan_knows_what_the_checks_found(void **state)
{
    (void)state;
    char status[32];
    int64_t number;
    struct store *store = whole_store("one");
    struct plan *plan;
    assert_int_equal(store_read_plan(store, &plan), KNACK_OK);
    assert_int_equal(store_read_status(store, status, &number), KNACK_OK);
    assert_string_equal(status, "done");
    assert_int_equal(number, 1);
    assert_int_equal(plan->train_count, 200);
    assert_int_equal(plan->test_count, 360);
    assert_true(plan->test_set != 0);
    assert_true(plan->classes == 10 && strlen(plan->labels) == 360 && strcmp(plan->class_name[3], "3") == 0);
    assert_true(plan->failed_score == .1);
    assert_non_null(strstr(plan->data_title, "digits"));
    assert_int_equal(plan->arms, 5);
    assert_int_equal(plan->arm[0].updates, 20);
    assert_int_equal(plan->arm[4].updates, 40);
    assert_int_equal(plan->arm[4].kind, ARM_BUDGET);
    for (int64_t a = 0; a < plan->arms; a++) {
        assert_non_null(plan->arm[a].resolved);
        assert_non_null(plan->arm[a].tricks);
        assert_true(plan->arm[a].parameters > 1000);
        assert_int_equal(plan->arm[a].differences > 0, a > 0);
    }
    double right = 0; /* recalls of the classes, by their sizes, are the accuracy */
    struct analysis *analysis = whole_analysis("one");
    for (const char *label = plan->labels; *label; label++) right += analysis->arm[1].recall[*label - 'a'];
    assert_true(fabs(right / 360 - analysis->arm[1].mean) < 1e-9);
    analysis_free(analysis);
    plan_free(plan);
    store_close(store);
}

static void costs_are_measured_in_rounds_that_turn_around(void **state)
{
    (void)state;
    struct stored_measurement *measurement;
    int64_t count;
    struct store *store = whole_store("one");
    assert_int_equal(store_read_measurements(store, &measurement, &count), KNACK_OK);
    for (int64_t i = 0; i < count; i++) {
        assert_true(measurement[i].arm == 3 || measurement[i].cpu_seconds > 0);
        if (i > 0 && measurement[i].round == measurement[i - 1].round)
            assert_true(measurement[i].round % 2 ? measurement[i].arm < measurement[i - 1].arm
                                                 : measurement[i].arm > measurement[i - 1].arm);
    }
    memory_free(measurement);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_jobs),
        cmocka_unit_test(an_arm_alone_or_among_others_in_any_order),
        cmocka_unit_test(interrupted_after_any_trial),
        cmocka_unit_test(asked_for_once_more_nothing_is_run_again),
        cmocka_unit_test(more_seeds_and_more_arms_join_what_is_there),
        cmocka_unit_test(a_placebo_changes_no_bit),
        cmocka_unit_test(the_plan_knows_what_the_checks_found),
        cmocka_unit_test(costs_are_measured_in_rounds_that_turn_around),
    };
    return cmocka_run_group_tests(tests, whole_set_up, whole_tear_down);
}
