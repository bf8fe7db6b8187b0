/* What every output says first, what it says beside the verdicts, and which arm to take. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compare/inference/choice.h"
#include "fixture.h"

/* A comparison whose folder was changed once its trials were there. */
static struct analysis *analyse(const struct recipe *recipe, void (*change)(struct store *, struct plan *))
{
    char folder[] = "/tmp/knack-remarks-XXXXXX";
    struct store *store;
    struct plan *plan;
    struct analysis *analysis;
    assert_non_null(mkdtemp(folder));
    assert_done(recipe_store(recipe, folder, &store));
    assert_done(store_read_plan(store, &plan));
    if (change) change(store, plan);
    assert_done(store_write_plan(store, plan));
    plan_free(plan);
    assert_done(analysis_new(store, &analysis));
    store_close(store);
    recipe_remove(folder);
    return analysis;
}

/* NULL: nothing is said about it. */
static const struct remark *remark(const struct analysis *analysis, const char *about)
{
    for (int64_t i = 0; i < analysis->remarks; i++)
        if (strcmp(analysis->remark[i].about, about) == 0) return &analysis->remark[i];
    return NULL;
}

static void assert_remark(const struct analysis *analysis, const char *about, const char *text)
{
    const struct remark *found = remark(analysis, about);
    if (!found) fail_msg("nothing is said about %s", about);
    assert_string_equal(found->text, text);
}

/* Arm 1 helps, arm 2 does nothing much, arm 3 (if any) is the baseline; then baselines with `gain` at larger budgets. */
static void fill(double *value, int seeds, int arms, int columns, double gain)
{
    for (int s = 0; s < seeds; s++)
        for (int a = 0; a < columns; a++) {
            double noise = .001 * ((7 * s + 4 * a * s + a) % 10 - 4.5), base = .8 + .01 * (s % 3);
            value[s * columns + a] = base + (a == 0 || a == 3 ? 0 : a >= arms ? gain + noise : a == 1 ? .02 + noise : noise / 4);
        }
}

/* ---- The headline ---- */

static void headlines_answer(void **state)
{
    (void)state;
    double value[60];
    fill(value, 10, 4, 4, 0);
    struct recipe recipe = {.arms = 4, .seeds = 10, .value = value, .margin = .005};
    struct analysis *analysis = analyse(&recipe, NULL);
    assert_string_equal(analysis->headline,
                        "Against the baseline: mixup helps; cutmix makes no meaningful difference; label-smoothing changes "
                        "nothing at all.");
    analysis_free(analysis);
    recipe.status = "interrupted";
    recipe.planned = 20;
    analysis = analyse(&recipe, NULL);
    assert_string_equal(analysis->headline, "Not finished (interrupted).");
    analysis_free(analysis);
    fill(value, 6, 3, 3, 0);
    analysis = analyse(&(struct recipe){.arms = 3, .seeds = 6, .value = value}, NULL);
    assert_string_equal(analysis->headline, "Against the baseline: mixup helps; 1 of 2 inconclusive.");
    analysis_free(analysis);
}

static void a_screening_without_candidates_says_so_first(void **state)
{
    (void)state;
    double value[18];
    for (int i = 0; i < 18; i++) value[i] = .8 + .001 * (i * 7 % 5) - (i % 3 ? .02 : 0);
    struct recipe recipe = {.arms = 3, .seeds = 6, .value = value, .role = ROLE_SCREENING};
    struct analysis *analysis = analyse(&recipe, NULL);
    assert_string_equal(analysis->headline, "No candidate beats the baseline.");
    analysis_free(analysis);
    for (int i = 1; i < 18; i += 3) value[i] += .05;
    analysis = analyse(&recipe, NULL);
    assert_string_equal(analysis->headline, "mixup is a candidate, to be confirmed on new seeds.");
    assert_true(remark(analysis, "screening")->alarm);
    assert_null(remark(analysis, "one recipe"));
    analysis_free(analysis);
}

/* ---- The budget ---- */

static void wants_longer(struct store *store, struct plan *plan)
{
    (void)store;
    plan->converge = true;
}

static void the_budget_is_enough_or_not_or_unknown(void **state)
{
    (void)state;
    double value[50];
    struct recipe recipe = {.arms = 3, .seeds = 10, .value = value, .budgets = 2};
    fill(value, 10, 3, 5, .1);
    for (int s = 0; s < 10; s++) value[5 * s + 3] = value[5 * s + 4];
    struct analysis *analysis = analyse(&recipe, wants_longer);
    assert_remark(analysis, "budget",
                  "NOT ENOUGH, the baseline is not done: twice the updates gain the baseline +10.0 points accuracy (10 seeds), more than "
                  "anything here does; verdicts hold for this budget only");
    assert_true(remark(analysis, "budget")->alarm);
    assert_string_equal(strstr(analysis->headline, " These verdicts"),
                        " These verdicts are for 30 epochs only: twice as many gain the baseline "
                        "+10.0 points accuracy.");
    analysis_free(analysis);
    fill(value, 10, 3, 5, .001);
    for (int s = 0; s < 10; s++) value[5 * s + 3] = value[5 * s + 4];
    analysis = analyse(&recipe, wants_longer);
    assert_remark(analysis, "budget", "enough: twice the updates change the baseline by +0.1 points accuracy (10 seeds)");
    assert_false(remark(analysis, "budget")->alarm);
    assert_null(strstr(analysis->headline, "epochs"));
    analysis_free(analysis);
    recipe.budgets = 0;
    fill(value, 10, 3, 3, 0);
    analysis = analyse(&recipe, wants_longer);
    assert_remark(analysis, "budget", "UNKNOWN whether the baseline's budget is enough: no longer baseline was trained on 3 seeds or more");
    analysis_free(analysis);
    analysis = analyse(&recipe, NULL);
    assert_remark(analysis, "budget", "UNKNOWN whether the baseline's budget is enough: --no-converge left that out");
    analysis_free(analysis);
}

/* ---- Which one to take ---- */

static void drops_the_first(struct store *store, struct plan *plan)
{
    (void)store;
    plan->arm[1].dropped = true;
}

static void the_best_arm_is_named_with_those_like_it(void **state)
{
    (void)state;
    double value[40];
    fill(value, 10, 4, 4, 0);
    struct recipe recipe = {.arms = 4, .seeds = 10, .value = value};
    struct analysis *analysis = analyse(&recipe, NULL);
    assert_remark(analysis, "one recipe",
                  "if you take one: mixup (82.90), better than every other arm (Holm p at most <0.0001); at equal updates, Holm over 6 "
                  "pairs of arms");
    analysis_free(analysis);
    analysis = analyse(&recipe, drops_the_first);
    assert_remark(analysis, "one recipe",
                  "if you take one: baseline (80.90), not distinguishable from label-smoothing (80.90), cutmix (80.90); at equal updates, "
                  "Holm over 3 pairs of arms");
    assert_remark(analysis, "dropped", "mixup after 10 seeds, by --drop, and still counted in the family");
    analysis_free(analysis);
    recipe.stopping = STOP_DECIDED;
    analysis = analyse(&recipe, NULL);
    assert_null(remark(analysis, "one recipe"));
    analysis_free(analysis);
}

static void what_cannot_reach_the_margin_is_dropped(void **state)
{
    (void)state;
    double value[40];
    for (int i = 0; i < 40; i++) value[i] = i % 2 && i >= 12 ? -INFINITY : .5 + (i % 2 ? .004 * (i % 3) : .001 * (i % 7));
    struct analysis *analysis = analyse(
        &(struct recipe){.stopping = STOP_LOOKS, .arms = 2, .seeds = 20, .look = {6, 20}, .looks = 2, .margin = .008, .value = value},
        NULL);
    assert_remark(analysis, "dropped", "mixup after 6 seeds, as the margin is out of its reach");
    analysis_free(analysis);
}

static void choices_take_every_pair(void **state)
{
    (void)state;
    struct arm arm[CHOICE_ARMS + 1] = {0};
    struct plan plan = {.arm = arm, .arms = CHOICE_ARMS + 1, .role = ROLE_VERDICT, .lower_is_better = true, .shared = NAN, .seeds = 6};
    struct grid grid;
    struct choice choice;
    assert_done(grid_new(&plan, 6, &grid));
    for (int64_t b = 0; b < 6; b++)
        for (int64_t a = 0; a < plan.arms; a++)
            *grid_cell(&grid, b, a) =
                (struct trial_cell){.there = true, .value = .5 - .01 * (double)a + 1e-5 * (double)((b * (7 + a * a * a) + a) % 101)};
    assert_done(choice_make(&plan, &grid, &choice));
    assert_int_equal(choice.arms, 0); /* too many */
    arm[CHOICE_ARMS].kind = ARM_BUDGET;
    assert_done(choice_make(&plan, &grid, &choice));
    assert_int_equal(choice.arms, CHOICE_ARMS);
    assert_int_equal(choice.arm[0], CHOICE_ARMS - 1);
    assert_int_equal(choice.arm[CHOICE_ARMS - 1], 0);
    assert_int_equal(choice.pairs, 190);
    assert_false(choice.alike);
    grid_cell(&grid, 0, 3)->there = false; /* fewer trials than the baseline: it is left out */
    assert_done(choice_make(&plan, &grid, &choice));
    assert_int_equal(choice.arms, CHOICE_ARMS - 1);
    memory_fail_at(1);
    knack_status status = choice_make(&plan, &grid, &choice);
    memory_fail_at(0);
    assert_int_equal(status, KNACK_E_MEMORY);
    grid_free(&grid);
}

/* ---- What was before, and what became of trials ---- */

static void was_read(struct store *store, struct plan *plan)
{
    (void)store;
    for (int64_t a = 0; a < plan->arms; a++) arm_add_reading(&plan->arm[a], 5);
    plan->first_margin = 0;
    plan->note = memory_text("seeds 2000 to 2009 chose on the validation part in elsewhere (tuning)");
}

static void what_was_before_is_said(void **state)
{
    (void)state;
    double value[30];
    fill(value, 10, 3, 3, 0);
    struct analysis *analysis = analyse(&(struct recipe){.arms = 3, .seeds = 10, .value = value, .margin = .002, .number = 3}, was_read);
    assert_remark(analysis, "read before",
                  "EXTENDED AFTER A LOOK: results had been read before the last seeds came. In 2 of 2 comparisons p is the e-process's, "
                  "and the sentence says how often such looks find something by chance");
    assert_remark(analysis, "margin", "0.2 points, said after the first trial; before, it was none");
    assert_remark(analysis, "seeds",
                  "seeds 2000 to 2009 chose on the validation part in elsewhere (tuning): the networks that chose are the judges here");
    assert_non_null(strstr(remark(analysis, "ledger")->text, "comparison #3 on this test set; who looks often"));
    assert_null(remark(analysis, "one recipe"));
    analysis_free(analysis);
    analysis = analyse(&(struct recipe){.arms = 3, .seeds = 10, .value = value, .number = 2}, NULL);
    assert_remark(analysis, "ledger", "comparison #2 on this test set");
    assert_null(remark(analysis, "read before"));
    assert_null(remark(analysis, "margin"));
    assert_null(remark(analysis, "seeds"));
    analysis_free(analysis);
}

static bool tell(const struct recipe *recipe, int arm, int seed, struct trial_outcome *outcome)
{
    (void)recipe;
    if (arm == 1 && seed < 4) outcome->warnings = memory_text("the queue is larger than the data");
    if (arm == 2) strcpy(outcome->idle, "ema");
    if (arm == 2 && seed == 9) strcpy(outcome->aside, "machine");
    return true;
}

static void sets_aside(struct store *store, struct plan *plan)
{
    (void)plan;
    assert_done(store_set_aside(store, 1, 2009, "unclear"));
    assert_done(store_set_aside(store, 0, 2000, "again"));
}

static void what_became_of_trials_is_said(void **state)
{
    (void)state;
    double value[30];
    fill(value, 10, 3, 3, 0);
    struct recipe recipe = {.arms = 3, .seeds = 10, .value = value, .trial = tell, .status = "waiting"};
    struct analysis *analysis = analyse(&recipe, sets_aside);
    assert_remark(analysis, "warnings", "mixup, in 4 trials: the queue is larger than the data");
    assert_remark(analysis, "idle", "ema in arm cutmix never acted in a trial: the arm may not be what it says");
    assert_remark(analysis, "made anew",
                  "1 trial for an end that may have been the machine's, 1 trial for trouble of the machine, 1 trial by --again: kept, but "
                  "others were made in their place");
    assert_remark(
        analysis, "waiting",
        "mixup, cutmix: trials could not be made, by no fault of their own; free memory or disk, then the same command makes them");
    assert_non_null(strstr(analysis->headline, "mixup and cutmix wait for trials that the machine did not allow"));
    analysis_free(analysis);
}

static void what_was_taken_over_is_said(void **state)
{
    (void)state;
    double value[20];
    fill(value, 10, 2, 2, 0);
    char folder[] = "/tmp/knack-source-XXXXXX", other[] = "/tmp/knack-taking-XXXXXX";
    struct store *from, *to;
    struct analysis *analysis;
    assert_true(mkdtemp(folder) && mkdtemp(other));
    assert_done(recipe_store(&(struct recipe){.arms = 2, .seeds = 10, .value = value}, folder, &from));
    for (int s = 0; s < 10; s++) value[2 * s] = -INFINITY;
    assert_done(recipe_store(&(struct recipe){.arms = 2, .seeds = 10, .value = value}, other, &to));
    for (int64_t seed = 2000; seed < 2010; seed++) assert_done(store_copy_trial(to, 0, from, 0, seed, seed < 2008 ? "here" : "there"));
    assert_done(analysis_new(to, &analysis));
    assert_remark(analysis, "taken over", "8 trials from here, 2 trials from there: of the baseline, equal in everything");
    analysis_free(analysis);
    store_close(from);
    store_close(to);
    recipe_remove(folder);
    recipe_remove(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headlines_answer),
        cmocka_unit_test(a_screening_without_candidates_says_so_first),
        cmocka_unit_test(the_budget_is_enough_or_not_or_unknown),
        cmocka_unit_test(the_best_arm_is_named_with_those_like_it),
        cmocka_unit_test(what_cannot_reach_the_margin_is_dropped),
        cmocka_unit_test(choices_take_every_pair),
        cmocka_unit_test(what_was_before_is_said),
        cmocka_unit_test(what_became_of_trials_is_said),
        cmocka_unit_test(what_was_taken_over_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
