/* What is refused before any trial, and comparisons whose trials depend on their results. */
#include "whole.h"

#include "base/file.h"

/* ---- Refused ---- */

static void assert_nothing_there(const char *out)
{
    assert_false(file_exists(whole_path(out)));
}

static void what_cannot_run_is_told_with_its_arm(void **state)
{
    (void)state;
    whole_forget();
    whole_expect(&(struct asked){.tricks = "mixup,mixdown"}, KNACK_E_PLUGIN, "arm \"mixdown\": ", "no plugin \"mixdown\"", NULL);
    assert_nothing_there("out");
    whole_expect(&(struct asked){.tricks = "mixup,{\"name\": \"ema\", \"decay\": 7}"}, KNACK_E_CONFIG, "arm \"ema\": at plugins[0].decay",
                 NULL);
    whole_expect(&(struct asked){.tricks = "sam,freelb", .design = "factorial"}, KNACK_E_CONFIG,
                 "arm \"all\": at plugins[1]: freelb conflicts with sam", NULL);
    assert_nothing_there("out");
    whole_expect(&(struct asked){.tricks = "mixup", .metric = "test.acuracy"}, KNACK_E_CONFIG,
                 "base.json: metric test.acuracy: ", "nearest is \"accuracy\"", NULL);
    whole_expect(&(struct asked){.tricks = "mixup", .config = whole_write("bad.json", "{'data': {'limit': -1}}")}, KNACK_E_CONFIG,
                 "bad.json: at data.limit", NULL);
    whole_expect(&(struct asked){.tricks = "mixup", .metric = "validation.accuracy", .config = whole_write("bad.json", "{}")},
                 KNACK_E_USAGE, "bad.json: metric validation.accuracy: the data have no validation part", NULL);
    assert_nothing_there("out");
}

static void arms_that_are_the_same_are_refused(void **state)
{
    (void)state;
    const char *config = whole_config();
    (void)config;
    const char *file = whole_write("file.json", "{'base': 'base.json', 'arms': {'slow': {'set': {'train.epochs': 2}}}}");
    whole_expect(&(struct asked){.config = file}, KNACK_E_CONFIG, "arm \"slow\": it is the baseline: its config comes to the same", NULL);
    file = whole_write("file.json", "{'base': 'base.json', 'arms': {'a': {'plugins': ['mixup']}, 'b': {'plugins': [{'name': 'mixup', "
                                    "'alpha': 0.2}]}}}");
    whole_expect(&(struct asked){.config = file}, KNACK_E_CONFIG,
                 "arm \"b\": it is the arm \"a\" once more: their configs come to the same", NULL);
    assert_nothing_there("out");
}

static void arms_are_judged_by_the_same_examples(void **state)
{
    (void)state;
    whole_write("file.json",
                "{'base': 'base.json', 'arms': {'half': {'set': {'data.limit': 100}}}, 'metric': 'test.accuracy', 'seeds': 2}");
    whole_run(&(struct asked){.config = whole_path("file.json")}); /* other training data: another arm like any */
    assert_int_equal(whole_count("out", NULL), 4);
    whole_write("file.json", "{'base': 'base.json', 'arms': {'half': {'set': {'data.seed': 9}}}, 'metric': 'validation.accuracy'}");
    whole_expect(&(struct asked){.config = whole_path("file.json"), .out = "other"}, KNACK_E_CONFIG,
                 "arm \"half\": its validation examples are not the baseline's, so that its results cannot be compared", NULL);
    assert_nothing_there("other");
}

static void seeds_of_one_role_are_not_used_in_another(void **state)
{
    (void)state;
    whole_forget();
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 2, .role = "tuning", .on = "test"});
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 2, .out = "verdict"});
    assert_true(whole_noted("comparison 2 on this test set"));
    whole_expect(&(struct asked){.tricks = "mixup", .seeds = 2, .role = "confirmation", .first_seed = 2001, .out = "reused"}, KNACK_E_USAGE,
                 "2001", "verdict", NULL);
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 2, .out = "verdict"});
    assert_true(whole_noted("comparison 2 on this test set"));
}

static void a_folder_holds_one_comparison(void **state)
{
    (void)state;
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 2, .out = "kept"});
    whole_expect(&(struct asked){.tricks = "mixup", .seeds = 2, .out = "kept", .metric = "test.loss"}, KNACK_E_USAGE, "metric", "--out",
                 NULL);
    whole_write("other.json", "{'data': {'limit': 100}, 'train': {'epochs': 1}}");
    whole_expect(&(struct asked){.config = whole_path("other.json"), .tricks = "mixup", .seeds = 2, .out = "kept"}, KNACK_E_USAGE,
                 "another base config", "--out", NULL);
    assert_int_equal(whole_count("kept", NULL), 4);
}

/* ---- Equal cost ---- */

static void the_baseline_is_trained_longer_for_what_costs_more(void **state)
{
    (void)state;
    whole_run(&(struct asked){
        .tricks = "{\"name\": \"rerun\", \"keep\": [0, 0, 1], \"weight\": [1, 0, 0]}", .seeds = 3, .equal_cost = true, .out = "cost"});
    assert_int_equal(whole_count("cost", "baseline x3"), 3);
    assert_true(whole_noted("also training baseline x3 (60 updates), to compare at equal cost"));
    struct analysis *analysis = whole_analysis("cost");
    const struct contrast_result *result = whole_contrast(analysis, "rerun");
    assert_true(result->costs.counted == 3);
    assert_int_equal(result->at_equal_cost.n, 3);
    assert_false(result->equal_cost_missing);
    analysis_free(analysis);
    whole_run(&(struct asked){.tricks = "sam", .seeds = 3, .out = "unequal"});
    assert_int_equal(whole_count("unequal", NULL), 6);
    analysis = whole_analysis("unequal");
    assert_true(whole_contrast(analysis, "sam")->equal_cost_missing);
    analysis_free(analysis);
    whole_run(&(struct asked){.tricks = "sam", .seeds = 3, .equal_cost = true, .out = "unequal"}); /* asked for later */
    assert_int_equal(whole_count("unequal", "baseline x2"), 3);
}

/* A pass is one over rows, whatever the batch: as many rows in smaller batches, half of them, and twice the epochs. */
static void a_pass_is_no_batch(void **state)
{
    (void)state;
    static const double cost[] = {1, 1, .5, 2};
    const char *config = whole_write("batches.json", "{'base': {'data': {'limit': 200}, 'train': {'epochs': 2, 'batch': 20}}, 'arms': "
                                                     "{'small': {'set': {'train.batch': 10}}, 'large': {'set': {'train.batch': 40}}, "
                                                     "'short': {'set': {'train.epochs': 1}}, 'long': {'set': {'train.epochs': 4}}}}");
    whole_run(&(struct asked){.config = config, .seeds = 2, .out = "batches"});
    struct analysis *analysis = whole_analysis("batches");
    for (int a = 0; a < 4; a++) assert_true(analysis->contrast[a].costs.counted == cost[a]);
    analysis_free(analysis);
}

/* ---- Plans that look at their results ---- */

/* One arm that cannot learn, and one that is nearly the baseline. */
static const char *effects(void)
{
    return whole_write(
        "effects.json",
        "{'base': {'data': {'limit': 200}, 'train': {'epochs': 2, 'batch': 20, 'optimizer': {'type': 'adamw', 'lr': 0.01}}}, "
        "'arms': {'none': {'set': {'train.optimizer.lr': 1e-7}}, 'same': {'set': {'train.optimizer.lr': 0.010001}}}}");
}

static void a_schedule_of_ones_own_has_boundaries_too(void **state)
{
    (void)state;
    const char *config =
        whole_write("own.json", "{'base': 'base.json', 'looks': [4, 7], 'arms': {'none': {'set': {'train.optimizer.lr': 1e-7}}, "
                                "'same': {'set': {'train.optimizer.lr': 0.00101}}}}");
    whole_config();
    whole_run(&(struct asked){.config = config, .out = "own"});
    assert_int_equal(whole_count("own", "same"), 7);
    struct analysis *analysis = whole_analysis("own");
    const struct estimate *last = &whole_contrast(analysis, "same")->estimate;
    assert_true(analysis->plan->look_bound[0] > 0);
    assert_true(last->n == 7 && last->boundary > 2.45 && last->boundary < 4); /* above the plain t of 6 degrees */
    analysis_free(analysis);
}

static void an_adaptive_comparison_stops_what_is_decided(void **state)
{
    (void)state;
    const struct asked whole = {.config = effects(), .adaptive = true, .out = "looks"};
    whole_run(&whole);
    assert_int_equal(whole_count("looks", "none"), 6);
    assert_int_equal(whole_count("looks", "same"), 20);
    assert_int_equal(whole_count("looks", "baseline"), 20);
    struct analysis *analysis = whole_analysis("looks");
    assert_int_equal(whole_contrast(analysis, "none")->verdict.kind, VERDICT_HURTS);
    assert_true(whole_contrast(analysis, "none")->estimate.stopped_early);
    analysis_free(analysis);
    char *expected = whole_trials("looks", NULL);
    struct asked part = whole;
    part.out = "pieces";
    for (part.interrupt_after = 5; part.interrupt_after < 44; part.interrupt_after += 6) whole_expect(&part, KNACK_E_INTERRUPTED, NULL);
    part.interrupt_after = 0;
    part.jobs = 1;
    whole_run(&part);
    char *pieces = whole_trials("pieces", NULL);
    assert_string_equal(pieces, expected);
    free(pieces);
    free(expected);
}

static void until_decided_and_not_longer(void **state)
{
    (void)state;
    whole_run(&(struct asked){.config = effects(), .until_decided = true, .seeds = 9, .out = "decided"});
    assert_int_equal(whole_count("decided", "same"), 9);
    assert_in_range(whole_count("decided", "none"), 3, 8);
    struct analysis *analysis = whole_analysis("decided");
    assert_int_equal(whole_contrast(analysis, "none")->verdict.kind, VERDICT_HURTS);
    analysis_free(analysis);
}

/* ---- Screening, then confirmation ---- */

static void a_screening_halves_and_its_best_are_confirmed(void **state)
{
    (void)state;
    whole_config();
    whole_write("many.json", "{'base': 'base.json', 'design': 'screen', 'seeds': 3, 'arms': {"
                             "'half': {'set': {'train.optimizer.lr': 0.0005}}, 'tenth': {'set': {'train.optimizer.lr': 0.0001}}, "
                             "'thrice': {'set': {'train.optimizer.lr': 0.003}}, 'ten times': {'set': {'train.optimizer.lr': 0.01}}}}");
    const struct asked screening = {.config = whole_path("many.json"), .out = "screen"};
    whole_run(&screening);
    assert_int_equal(whole_count("screen", "ten times"), 1 + 3); /* 12 trials in 2 rounds of 6 */
    assert_int_equal(whole_count("screen", "thrice"), 1 + 3);
    assert_int_equal(whole_count("screen", "half"), 1);
    assert_int_equal(whole_count("screen", "tenth"), 1);
    assert_int_equal(whole_count("screen", "baseline"), 1 + 3);
    whole_run(&(struct asked){.config = whole_path("screen"), .confirm = 5, .seeds = 1, .out = "all"}); /* there are no more than four */
    assert_int_equal(whole_count("all", NULL), 5);
    whole_run(&(struct asked){.config = whole_path("screen"), .confirm = 1, .seeds = 4, .out = "confirmed"});
    assert_int_equal(whole_count("confirmed", "ten times"), 4);
    assert_int_equal(whole_count("confirmed", NULL), 8);
    struct analysis *analysis = whole_analysis("confirmed");
    assert_int_equal(analysis->plan->role, ROLE_CONFIRMATION);
    assert_int_equal(analysis->plan->first_seed, 3000);
    assert_int_equal(analysis->plan->contrasts, 1);
    analysis_free(analysis);
    struct asked half = screening;
    half.out = "unfinished";
    half.interrupt_after = 3;
    whole_expect(&half, KNACK_E_INTERRUPTED, NULL);
    whole_expect(&(struct asked){.config = whole_path("unfinished"), .confirm = 1, .out = "x"}, KNACK_E_USAGE,
                 "--confirm: the screening in ", "is not finished (interrupted)", NULL);
}

/* ---- The data ---- */

/* Seeds share no known part where nothing is drawn anew, where what a limit leaves is tested, or where the judging part is drawn too. */
static void a_pool_is_shared_where_only_training_examples_are_drawn(void **state)
{
    (void)state;
    static const struct {
        const char *data, *metric;
        double shared;
    } rows[] = {{"'limit': 60", "test.accuracy", NAN},
                {"'limit': 60, 'redraw': true, 'rest': 'test'", "test.accuracy", NAN},
                {"'validation': 37, 'limit': 60, 'redraw': true", "validation.accuracy", NAN},
                {"'redraw': true", "test.accuracy", NAN},
                {"'validation': 37, 'redraw': true, 'label_noise': 0.1", "test.accuracy", 1400. / 1437}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[32];
        snprintf(out, sizeof out, "pool%d", (int)i);
        const char *config = whole_write("pool.json", "{'data': {%s}, 'train': {'epochs': 1, 'batch': 20}}", rows[i].data);
        whole_expect(&(struct asked){.config = config, .tricks = "mixup", .out = out, .metric = rows[i].metric, .interrupt_after = 1},
                     KNACK_E_INTERRUPTED, NULL);
        struct analysis *analysis = whole_analysis(out);
        double shared = analysis->plan->shared;
        assert_true(isnan(rows[i].shared) ? isnan(shared) : shared == rows[i].shared);
        analysis_free(analysis);
    }
}

static void seeds_may_redraw_the_data(void **state)
{
    (void)state;
    const char *config = whole_write("redraw.json", "{'data': {'limit': 60, 'redraw': true}, 'train': {'epochs': 2, 'batch': 20}}");
    whole_run(&(struct asked){.config = config, .tricks = "mixup", .seeds = 3, .out = "redraw", .jobs = 1});
    whole_run(&(struct asked){.config = config, .tricks = "mixup", .seeds = 3, .out = "redraw2", .jobs = 2});
    char *one = whole_trials("redraw", NULL), *two = whole_trials("redraw2", NULL);
    assert_string_equal(one, two);
    free(one);
    free(two);
    struct analysis *analysis = whole_analysis("redraw");
    assert_true(analysis->plan->redraw);
    assert_true(analysis->plan->shared == 60. / 1437); /* of which the test part is not drawn anew */
    assert_int_equal(analysis->plan->train_count, 60);
    analysis_free(analysis);
}

static void comparisons_are_listed(void **state)
{
    (void)state;
    char **folder;
    int64_t count, found = 0;
    assert_int_equal(store_list(whole_path("."), &folder, &count), KNACK_OK);
    for (int64_t i = 0; i < count; i++) found += strstr(folder[i], "/looks") || strstr(folder[i], "/redraw2");
    assert_int_equal(found, 2);
    memory_free(folder);
    assert_int_equal(store_list(whole_path("nothing"), &folder, &count), KNACK_OK);
    assert_int_equal(count, 0);
    memory_free(folder);
}

/* ---- Memory ---- */

/* Allocations fail in this process and in its workers: a trial that found no memory is never counted, and its arm waits. */
static void without_memory_an_error_and_nothing_half(void **state)
{
    (void)state;
    bool ended = false;
    char out[32];
    struct asked asked = {.tricks = "sam", .seeds = 1, .jobs = 1, .equal_cost = true, .out = out};
    for (int64_t nth = 1; !ended; nth += 1 + nth / 12) {
        snprintf(out, sizeof out, "memory%d", (int)nth);
        asked.config = whole_config();
        memory_fail_at(nth);
        knack_status status = whole_status(&asked);
        memory_fail_at(0);
        if (status < 0 && status != KNACK_E_MEMORY) fail_msg("allocation %d, status %d: %s", (int)nth, status, knack_error());
        if (status < 0) continue;
        char *text = whole_trials(out, NULL);
        assert_null(strstr(text, "memory"));
        ended = whole_count(out, NULL) == 3;
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_run_is_told_with_its_arm),
        cmocka_unit_test(arms_that_are_the_same_are_refused),
        cmocka_unit_test(arms_are_judged_by_the_same_examples),
        cmocka_unit_test(seeds_of_one_role_are_not_used_in_another),
        cmocka_unit_test(a_folder_holds_one_comparison),
        cmocka_unit_test(the_baseline_is_trained_longer_for_what_costs_more),
        cmocka_unit_test(a_pass_is_no_batch),
        cmocka_unit_test(an_adaptive_comparison_stops_what_is_decided),
        cmocka_unit_test(a_schedule_of_ones_own_has_boundaries_too),
        cmocka_unit_test(until_decided_and_not_longer),
        cmocka_unit_test(a_screening_halves_and_its_best_are_confirmed),
        cmocka_unit_test(seeds_may_redraw_the_data),
        cmocka_unit_test(a_pool_is_shared_where_only_training_examples_are_drawn),
        cmocka_unit_test(comparisons_are_listed),
        cmocka_unit_test(without_memory_an_error_and_nothing_half),
    };
    return cmocka_run_group_tests(tests, whole_set_up, whole_tear_down);
}
