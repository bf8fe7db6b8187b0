/* What a whole comparison's verdicts rest on: costs of arms that are no tricks, both lines, the baseline's budget, what was read before. */
#include "whole.h"

#include "compare/analysis/phrases.h"

static bool has_qualifier(const struct contrast_result *result, const char *part)
{
    for (int64_t i = 0; i < result->verdict.qualifiers; i++)
        if (strstr(result->verdict.qualifier[i], part)) return true;
    return false;
}

/* ---- Costs ---- */

/* As many rows in other batches cost as much; longer training is what the longer baseline is. */
static void equal_cost_of_arms_that_are_no_tricks(void **state)
{
    (void)state;
    const char *config = whole_write("arms.json", "{'base': {'data': {'limit': 192}, 'train': {'epochs': 2, 'batch': 32}}, 'arms': {"
                                                  "'sixteen': {'set': {'train.batch': 16}}, 'long': {'set': {'train.epochs': 4}}}}");
    whole_run(&(struct asked){.config = config, .seeds = 4, .equal_cost = true, .out = "arms"});
    struct analysis *analysis = whole_analysis("arms");
    const struct contrast_result *sixteen = whole_contrast(analysis, "sixteen"), *longer = whole_contrast(analysis, "long");
    assert_true(sixteen->costs.counted == 1);
    assert_true(longer->costs.counted == 2 && longer->equal_cost == 2);
    assert_int_equal(longer->at_equal_cost.n, 4);
    assert_int_equal(longer->equal_cost_says, VERDICT_IDENTICAL);
    assert_int_equal(longer->verdict.kind, VERDICT_IDENTICAL);
    assert_int_equal(whole_count("arms", "baseline x2"), 4);
    analysis_free(analysis);
}

/* Where passes do not tell what they take, the measured time does, by its lower end, as it was fixed before training. */
static void a_model_whose_passes_take_longer(void **state)
{
    (void)state;
    const char *config = whole_write("models.json", "{'base': {'data': {'limit': 192}, 'train': {'epochs': 4, 'batch': 32}}, 'arms': {"
                                                    "'wide': {'set': {'model.hidden': [96]}}}}");
    struct asked asked = {.config = config, .seeds = 3, .jobs = 1, .equal_cost = true, .out = "models", .interrupt_after = 1};
    whole_expect(&asked, KNACK_E_INTERRUPTED, NULL);
    whole_change("models", "UPDATE experiments SET plan = json_set(plan, '$.arms[1].update_cost', 2.8, '$.arms[1].update_cost_low', 2.5, "
                           "'$.arms[1].update_cost_high', 3.1)");
    asked.interrupt_after = 0;
    whole_run(&asked);
    struct analysis *analysis = whole_analysis("models");
    const struct contrast_result *wide = whole_contrast(analysis, "wide");
    assert_true(wide->costs.counted == 1 && wide->costs.cpu == 2.8 && wide->equal_cost == 2.5);
    assert_int_equal(wide->at_equal_cost.n, 3);
    assert_int_equal(whole_count("models", "baseline x2") + whole_count("models", "baseline x3"), 6);
    analysis_free(analysis);
}

/* What is decided at equal updates only goes on: the other line is to be decided too. */
static void a_look_stops_what_both_lines_decide(void **state)
{
    (void)state;
    const char *config = whole_write("both.json", "{'base': {'data': {'limit': 200}, 'train': {'epochs': 2, 'batch': 20, 'optimizer': "
                                                  "{'type': 'adamw', 'lr': 0.005}}}, 'looks': [6, 9], 'arms': {'long': {'set': "
                                                  "{'train.epochs': 4}}, 'none': {'set': {'train.optimizer.lr': 1e-9}}}}");
    whole_run(&(struct asked){.config = config, .equal_cost = true, .out = "both"});
    struct analysis *analysis = whole_analysis("both");
    const struct contrast_result *longer = whole_contrast(analysis, "long");
    assert_true(longer->estimate.p_adjusted < .05);
    assert_int_equal(longer->equal_cost_says, VERDICT_IDENTICAL);
    assert_int_equal(longer->estimate.n, 9);
    assert_false(longer->estimate.stopped_early);
    assert_int_equal(whole_contrast(analysis, "none")->estimate.n, 6);
    analysis_free(analysis);
}

/* ---- Is the baseline done? ---- */

static void the_budget_is_asked_after(void **state)
{
    (void)state;
    char budget[192];
    struct asked asked = {.tricks = "mixup", .seeds = 8, .converge = true, .out = "short"};
    whole_run(&asked);
    assert_int_equal(whole_count("short", "baseline x2"), 5);
    struct analysis *analysis = whole_analysis("short");
    assert_true(analysis->convergence.known && !analysis->convergence.enough && analysis->convergence.n == 5);
    assert_true(has_qualifier(whole_contrast(analysis, "mixup"), phrase_budget(analysis, budget)));
    assert_non_null(strstr(budget, "for 2 epochs only: twice as many gain"));
    analysis_free(analysis);
    asked.converge = false;
    asked.out = "unknown";
    whole_run(&asked);
    assert_int_equal(whole_count("unknown", NULL), 16);
    analysis = whole_analysis("unknown");
    assert_false(analysis->convergence.known);
    assert_string_equal(phrase_budget(analysis, budget), "");
    analysis_free(analysis);
}

static void of_screenings_too(void **state)
{
    (void)state;
    whole_run(&(struct asked){.tricks = "mixup,ema,swa,sam", .design = "screen", .seeds = 3, .converge = true, .out = "screen"});
    assert_in_range(whole_count("screen", "baseline x2"), 3, 5);
    struct analysis *analysis = whole_analysis("screen");
    assert_true(analysis->convergence.known);
    analysis_free(analysis);
}

/* ---- What was read before ---- */

static void assert_extended(const char *out, const char *arm, const char *reads, const char *chance)
{
    struct analysis *analysis = whole_analysis(out);
    const struct contrast_result *result = whole_contrast(analysis, arm);
    assert_true(result->estimate.extended);
    assert_non_null(strstr(result->verdict.word, "EXTENDED AFTER A LOOK"));
    if (!has_qualifier(result, reads) || !has_qualifier(result, chance)) fail_msg("%s", result->verdict.sentence);
    struct estimate_context plain = {.plan = analysis->plan, .finished = true, .of = 1, .scale = 1};
    double difference[32];
    int64_t seed[32], n = result->estimate.n;
    struct estimate fresh = {.n = n, .difference = difference, .seed = seed};
    memcpy(difference, result->estimate.difference, (size_t)n * sizeof *difference);
    memcpy(seed, result->estimate.seed, (size_t)n * sizeof *seed);
    estimate_infer(&plain, &fresh);
    assert_true(result->estimate.p >= fresh.p && result->estimate.p > 0); /* the e-process's: never below the plain one */
    assert_true(result->estimate.ci.high - result->estimate.ci.low > fresh.ci.high - fresh.ci.low);
    analysis_free(analysis);
}

static void seeds_that_are_added_are_a_second_look(void **state)
{
    (void)state;
    whole_forget();
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 5, .out = "read"});
    struct analysis *analysis = whole_analysis("read");
    assert_false(whole_contrast(analysis, "mixup")->estimate.extended);
    analysis_free(analysis);
    whole_run(&(struct asked){.tricks = "mixup,ema", .seeds = 10, .out = "read"});
    assert_extended("read", "mixup", "read at 5 and 10 seeds", " in 8.");
    analysis = whole_analysis("read");
    assert_true(has_qualifier(whole_contrast(analysis, "ema"), "joined after results of this comparison had been read"));
    analysis_free(analysis);
}

/* Trials repeat to the bit, so that a new folder is no new sample; new seeds are. */
static void so_are_those_of_another_folder(void **state)
{
    (void)state;
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 12, .out = "elsewhere"});
    assert_extended("elsewhere", "mixup", "read at 5, 10 and 12 seeds", "p is the e-process's");
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 12, .first_seed = 2500, .out = "fresh"});
    struct analysis *analysis = whole_analysis("fresh");
    assert_false(whole_contrast(analysis, "mixup")->estimate.extended);
    analysis_free(analysis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_cost_of_arms_that_are_no_tricks),
        cmocka_unit_test(a_model_whose_passes_take_longer),
        cmocka_unit_test(a_look_stops_what_both_lines_decide),
        cmocka_unit_test(the_budget_is_asked_after),
        cmocka_unit_test(of_screenings_too),
        cmocka_unit_test(seeds_that_are_added_are_a_second_look),
        cmocka_unit_test(so_are_those_of_another_folder),
    };
    return cmocka_run_group_tests(tests, whole_set_up, whole_tear_down);
}
