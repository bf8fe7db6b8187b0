/* Which trials a plan leads to: with made-up results, any number of jobs, trials that end in any order, and interruptions anywhere. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "compare/schedule/halving.h"
#include "compare/schedule/schedule.h"
#include "compare/statistics/sequential.h"

/* ---- Made-up plans ---- */

enum { ARMS_MOST = 24, BLOCKS_MOST = 256 };

struct made {
    struct plan plan;
    struct arm arm[ARMS_MOST];
    struct contrast contrast[ARMS_MOST];
    double weight[ARMS_MOST][ARMS_MOST];
    double effect[ARMS_MOST], cost[ARMS_MOST]; /* in deviations of the difference; against the baseline */
    bool fails[ARMS_MOST], same[ARMS_MOST];    /* same: as the baseline, to the bit */
};

static char *name_of(int64_t arm)
{
    static char name[ARMS_MOST][16];
    snprintf(name[arm], sizeof name[arm], "arm %d", (int)arm);
    return name[arm];
}

/* Each of `treated` arms against the baseline. */
static struct made *make(enum design design, enum stopping stopping, int treated, int seeds)
{
    static char part[] = "test", metric[] = "accuracy";
    struct made *made = calloc(1, sizeof *made);
    assert_non_null(made);
    made->plan = (struct plan){.design = design,
                               .stopping = stopping,
                               .arm = made->arm,
                               .arms = treated + 1,
                               .contrast = made->contrast,
                               .contrasts = treated,
                               .first_seed = 2000,
                               .seeds = seeds,
                               .part = part,
                               .metric = metric,
                               .failed_score = .1,
                               .equal_cost = true,
                               .shared = NAN};
    if (stopping == STOP_LOOKS) {
        static const int64_t look[] = {6, 10, 15, 20};
        struct look_schedule looks;
        assert_int_equal(look_schedule_make(look, 4, &looks), KNACK_OK);
        memcpy(made->plan.look, look, sizeof look);
        memcpy(made->plan.look_bound, looks.bound, sizeof looks.bound);
        made->plan.looks = 4;
        made->plan.seeds = 20;
        assert_int_equal(plan_find_bounds(&made->plan), KNACK_OK);
    }
    for (int a = 0; a <= treated; a++) {
        made->arm[a] = (struct arm){
            .name = name_of(a), .kind = a > 0 ? ARM_TREATED : ARM_BASELINE, .budget = 1, .update_cost = NAN, .update_cost_low = NAN};
        made->cost[a] = 1;
        if (a == 0) continue;
        made->contrast[a - 1] = (struct contrast){.name = name_of(a), .arm = a, .weight = made->weight[a - 1]};
        made->weight[a - 1][0] = -1;
        made->weight[a - 1][a] = 1;
    }
    return made;
}

static void add_budget(struct made *made, double budget)
{
    int64_t a = made->plan.arms++;
    made->arm[a] = (struct arm){.name = name_of(a), .kind = ARM_BUDGET, .budget = budget};
    made->cost[a] = budget;
}

/* A trial of these: the same whenever it is made. */
static struct stored_trial trial_of(const struct made *made, int64_t block, int64_t arm)
{
    uint64_t key = random_key(7, "made-up");
    double noise = random_normal(key, (struct random_place){.a = (uint32_t)block, .b = made->same[arm] ? 0 : (uint32_t)arm}, 0) / sqrt(2);
    bool fails = made->fails[arm];
    return (struct stored_trial){.arm = arm,
                                 .seed = made->plan.first_seed + block,
                                 .status = fails ? TRIAL_CRASHED : TRIAL_DONE,
                                 .value = fails ? NAN : .8 + .01 * (noise + (made->same[arm] ? 0 : made->effect[arm])),
                                 .cost = {.updates = 100, .gradient_rows = 100 * made->cost[arm], .seconds = 1}};
}

/* ---- Running them ---- */

static void open_results(const struct plan *plan, struct grid *results)
{
    assert_true(schedule_blocks(plan) <= BLOCKS_MOST);
    assert_int_equal(grid_new(plan, schedule_blocks(plan), results), KNACK_OK);
}

/* Ends one of the trials that go on, chosen at random. */
static void end_one(const struct made *made, struct grid *results)
{
    int64_t going = 0, cells = results->blocks * made->plan.arms;
    for (int64_t i = 0; i < cells; i++) going += results->cell[i].going_on;
    assert_true(going > 0);
    int64_t chosen = rand() % going;
    for (int64_t i = 0; i < cells; i++) {
        if (!results->cell[i].going_on || chosen-- != 0) continue;
        struct stored_trial trial = trial_of(made, i / made->plan.arms, i % made->plan.arms);
        grid_put(results, &trial);
        return;
    }
}

static void start(struct schedule *schedule, int jobs)
{
    int64_t block, arm;
    int going = 0;
    for (int64_t i = 0; i < schedule->grid->blocks * schedule->plan->arms; i++) going += schedule->grid->cell[i].going_on;
    for (; going < jobs && schedule_next(schedule, false, &block, &arm); going++) grid_cell(schedule->grid, block, arm)->going_on = true;
}

/* To the end, with so many jobs; after every `interrupt` trials all that goes on is lost, and everything begins anew from what is there. */
static struct grid run_made(const struct made *made, int jobs, int interrupt)
{
    struct grid results;
    struct schedule schedule;
    open_results(&made->plan, &results);
    assert_int_equal(schedule_new(&made->plan, &results, &schedule), KNACK_OK);
    for (int ended = 1; !schedule.finished; ended++) {
        start(&schedule, jobs);
        end_one(made, &results);
        if (interrupt > 0 && ended % interrupt == 0) {
            for (int64_t i = 0; i < results.blocks * results.arms; i++) results.cell[i].going_on = false;
            schedule_free(&schedule);
            assert_int_equal(schedule_new(&made->plan, &results, &schedule), KNACK_OK);
        } else {
            assert_int_equal(schedule_advance(&schedule), KNACK_OK);
        }
    }
    schedule_free(&schedule);
    return results;
}

/* Budgets are found, not run. */
static struct grid run_without_budgets(struct made *made)
{
    made->plan.equal_cost = false;
    struct grid grid = run_made(made, 1, 0);
    made->plan.equal_cost = true;
    return grid;
}

static int64_t blocks_of(const struct grid *results, int64_t arm)
{
    int64_t count = 0;
    for (int64_t b = 0; b < results->blocks; b++) {
        count += grid_cell(results, b, arm)->there;
        if (grid_cell(results, b, arm)->there) assert_int_equal(count, b + 1); /* none is left out */
    }
    return count;
}

/* However it is run, the same trials. Returns how many blocks each arm got. */
static void run_in_every_way(const struct made *made, int64_t *blocks)
{
    struct grid first = run_made(made, 1, 0);
    for (int64_t a = 0; a < made->plan.arms; a++) blocks[a] = blocks_of(&first, a);
    for (int way = 0; way < 5; way++) {
        struct grid other = run_made(made, 1 + way, way < 2 ? 0 : 5 + rand() % 40);
        for (int64_t a = 0; a < made->plan.arms; a++) assert_int_equal(blocks_of(&other, a), blocks[a]);
        grid_free(&other);
    }
    grid_free(&first);
}

static void assert_blocks(const int64_t *blocks, int count, const int64_t *expected)
{
    for (int a = 0; a < count; a++)
        if (blocks[a] != expected[a]) fail_msg("arm %d: %d blocks, not %d", a, (int)blocks[a], (int)expected[a]);
}

/* ---- Tests ---- */

static void a_plan_of_fixed_size_has_all_its_trials(void **state)
{
    (void)state;
    int64_t blocks[ARMS_MOST];
    struct made *made = make(DESIGN_ONE, STOP_FIXED, 3, 7);
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 4, (const int64_t[]){7, 7, 7, 7});
    free(made);
}

static void blocks_come_one_after_the_other_in_orders_of_their_own(void **state)
{
    (void)state;
    struct made *made = make(DESIGN_ONE, STOP_FIXED, 5, 40);
    struct grid results;
    struct schedule schedule;
    int firsts[6] = {0};
    open_results(&made->plan, &results);
    assert_int_equal(schedule_new(&made->plan, &results, &schedule), KNACK_OK);
    for (int64_t i = 0; i < 6 * 40; i++) {
        int64_t block, arm;
        assert_true(schedule_next(&schedule, false, &block, &arm));
        assert_int_equal(block, i / 6);
        if (i % 6 == 0) firsts[arm]++;
        struct stored_trial trial = trial_of(made, block, arm);
        grid_put(&results, &trial);
        assert_int_equal(schedule_block_is_complete(&schedule, block), i % 6 == 5);
    }
    for (int a = 0; a < 6; a++) assert_in_range(firsts[a], 1, 16);
    schedule_free(&schedule);
    grid_free(&results);
    free(made);
}

static void a_look_stops_what_is_decided_and_the_baseline_goes_on(void **state)
{
    (void)state;
    int64_t blocks[ARMS_MOST];
    struct made *made = make(DESIGN_ONE, STOP_LOOKS, 3, 20);
    made->effect[1] = 8;
    made->effect[2] = -8;
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 4, (const int64_t[]){20, 6, 6, 20});
    made->effect[3] = 8;
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 4, (const int64_t[]){6, 6, 6, 6});
    free(made);
}

static void with_a_margin_what_is_in_vain_is_dropped(void **state)
{
    (void)state;
    int64_t blocks[ARMS_MOST];
    struct made *made = make(DESIGN_ONE, STOP_LOOKS, 2, 20);
    made->effect[2] = -.5;
    made->plan.margin = .05; /* five deviations */
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 3, (const int64_t[]){6, 6, 6});
    made->plan.margin = 0;
    made->plan.lower_is_better = true;
    made->effect[1] = -8; /* a loss: better */
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 2, (const int64_t[]){20, 6});
    free(made);
}

/* Holm at a look counts all arms: what would stop alone goes on among twenty. */
static void arms_that_are_dropped_stay_in_the_family(void **state)
{
    (void)state;
    int64_t alone[ARMS_MOST], among[ARMS_MOST];
    struct made *one = make(DESIGN_ONE, STOP_LOOKS, 1, 20), *many = make(DESIGN_ONE, STOP_LOOKS, 10, 20);
    one->effect[1] = many->effect[1] = 2.5;
    run_in_every_way(one, alone);
    run_in_every_way(many, among);
    assert_true(alone[1] < among[1]);
    free(one);
    free(many);
}

static void until_decided_every_block_is_looked_at(void **state)
{
    (void)state;
    int64_t blocks[ARMS_MOST];
    struct made *made = make(DESIGN_ONE, STOP_DECIDED, 3, 16);
    made->effect[1] = 3;
    made->effect[2] = 10;
    run_in_every_way(made, blocks);
    assert_int_equal(blocks[0], 16);
    assert_int_equal(blocks[3], 16);
    assert_in_range(blocks[1], 4, 15);
    assert_in_range(blocks[2], 3, (uintmax_t)blocks[1]);
    free(made);
}

static void arms_that_fail_are_compared_by_their_score(void **state)
{
    (void)state;
    int64_t blocks[ARMS_MOST];
    struct made *made = make(DESIGN_ONE, STOP_LOOKS, 2, 20);
    made->fails[1] = true;
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 2, (const int64_t[]){20, 6});
    made->plan.failed_score = NAN; /* nothing to compare it by: it runs to the end */
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 2, (const int64_t[]){20, 20});
    free(made);
}

/* A contrast of several arms keeps them going. */
static void a_factorial_stops_when_its_contrasts_do(void **state)
{
    (void)state;
    int64_t blocks[ARMS_MOST];
    struct made *made = make(DESIGN_FACTORIAL, STOP_LOOKS, 3, 20); /* (1), a, b, ab */
    static const double weight[3][4] = {{-.5, .5, -.5, .5}, {-.5, -.5, .5, .5}, {.5, -.5, -.5, .5}};
    for (int c = 0; c < 3; c++) {
        memcpy(made->weight[c], weight[c], sizeof weight[c]);
        made->contrast[c].kind = c < 2 ? CONTRAST_MAIN : CONTRAST_INTERACTION;
        made->contrast[c].arm = -1;
        made->contrast[c].family = c < 2 ? 0 : 1;
    }
    made->effect[1] = made->effect[2] = 8;
    made->effect[3] = 16;
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 4, (const int64_t[]){20, 20, 20, 20}); /* there is no interaction to be found */
    made->effect[3] = 40;
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 4, (const int64_t[]){6, 6, 6, 6});
    free(made);
}

static void halving_spends_what_it_has(void **state)
{
    (void)state;
    assert_int_equal(halving_rounds(1), 1);
    assert_int_equal(halving_rounds(2), 1);
    assert_int_equal(halving_rounds(3), 2);
    assert_int_equal(halving_rounds(16), 4);
    assert_int_equal(halving_rounds(17), 5);
    assert_int_equal(halving_survivors(5), 3);
    assert_int_equal(halving_new_blocks(16, 8, 16), 2);
    assert_int_equal(halving_new_blocks(16, 8, 2), 16);
    assert_int_equal(halving_new_blocks(20, 2, 20), 1); /* at least one */
    assert_int_equal(halving_blocks(16, 8, 4), 2 + 4 + 8 + 16);
}

static void a_screening_keeps_the_better_half_of_each_round(void **state)
{
    (void)state;
    int64_t blocks[ARMS_MOST], best[ARMS_MOST], count;
    struct made *made = make(DESIGN_SCREEN, STOP_FIXED, 8, 6); /* 3 rounds: 2, 4, 8 new blocks */
    for (int a = 1; a <= 8; a++) made->effect[a] = 5 * (a % 4 == 0 ? a : 0) - a;
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 9, (const int64_t[]){14, 6, 6, 2, 14, 2, 2, 2, 14});
    struct grid results = run_made(made, 2, 0);
    struct schedule schedule;
    assert_int_equal(schedule_new(&made->plan, &results, &schedule), KNACK_OK);
    assert_int_equal(schedule_rank(&schedule, best, &count), KNACK_OK);
    assert_int_equal(count, 8);
    assert_int_equal(best[0], 8);
    assert_int_equal(best[1], 4);
    assert_int_equal(best[2], 1);
    assert_int_equal(best[7], 7);
    schedule_free(&schedule);
    grid_free(&results);
    free(made);
}

static void budgets_follow_from_counts(void **state)
{
    (void)state;
    static const struct {
        double cost;
        int64_t count;
        double budget[2];
    } expected[] = {{1, 0, {0}},      {1.25, 0, {0}},     {1.26, 1, {1.5}}, {1.5, 1, {1.5}}, {1.75, 2, {1.5, 2}}, {2, 1, {2}},
                    {2.5, 2, {2, 3}}, {3, 1, {3}},        {3.1, 2, {3, 4}}, {4, 1, {4}},     {7, 0, {0}},         {.8, 0, {0}},
                    {.5, 1, {.5}},    {.6, 2, {.5, .75}}, {.78, 1, {.75}},  {.3, 0, {0}}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        double budget[BUDGETS_MOST];
        struct made *made = make(DESIGN_ONE, STOP_FIXED, 1, 1);
        made->cost[1] = expected[i].cost;
        struct grid results = run_without_budgets(made);
        int64_t count = budgets_needed(&results, 1, 1, budget);
        if (count != expected[i].count) fail_msg("%g: %d budgets", expected[i].cost, (int)count);
        for (int64_t k = 0; k < expected[i].count; k++) assert_true(budget[k] == expected[i].budget[k]);
        grid_free(&results);
        free(made);
    }
}

/* Whole epochs: of one epoch there is no half, and half as much again is twice as much. */
static void few_epochs_allow_few_budgets(void **state)
{
    (void)state;
    double budget[BUDGETS_MOST];
    struct made *made = make(DESIGN_ONE, STOP_FIXED, 1, 1);
    made->cost[1] = 1.5;
    struct grid results = run_without_budgets(made);
    made->plan.epochs = 1;
    assert_int_equal(budgets_needed(&results, 1, 1, budget), 1);
    assert_true(budget[0] == 2);
    made->plan.epochs = 3;
    assert_int_equal(budgets_needed(&results, 1, 1, budget), 1); /* beside the baseline itself */
    assert_true(budget[0] == 5.0 / 3);
    grid_free(&results);
    free(made);
}

/* What the counts do not see, the calibration does: an arm that takes twice as long is compared with a baseline that trains as long. */
static void time_that_counts_do_not_see_is_a_cost(void **state)
{
    (void)state;
    double budget[BUDGETS_MOST];
    struct made *made = make(DESIGN_ONE, STOP_FIXED, 1, 1);
    struct grid results = run_made(made, 1, 0);
    struct cost cost;
    made->arm[1].update_cost = 2.2, made->arm[1].update_cost_low = 2, made->arm[1].update_cost_high = 2.4;
    cost_of(&results, 1, 1, &cost);
    assert_true(cost.counted == 1 && cost.at == 2 && cost.differs);
    assert_int_equal(budgets_needed(&results, 1, 1, budget), 1);
    assert_true(budget[0] == 2);
    made->arm[1].update_cost_low = 1.2;
    cost_of(&results, 1, 1, &cost);
    assert_false(cost.differs);
    grid_free(&results);
    free(made);
}

static void a_first_trial_that_failed_says_no_cost_but_later_ones_do(void **state)
{
    (void)state;
    double budget[BUDGETS_MOST];
    struct made *made = make(DESIGN_ONE, STOP_FIXED, 1, 3);
    made->cost[1] = 2;
    struct grid results = run_without_budgets(made);
    grid_cell(&results, 0, 1)->status = TRIAL_CRASHED;
    assert_int_equal(budgets_needed(&results, 1, 1, budget), 0);
    assert_int_equal(budgets_needed(&results, 1, 3, budget), 1);
    assert_true(budget[0] == 2);
    grid_free(&results);
    free(made);
}

/* The baseline's larger budgets run as long as an arm that needs them, whatever else goes on. */
static void budgets_run_as_long_as_who_needs_them(void **state)
{
    (void)state;
    int64_t blocks[ARMS_MOST];
    struct made *made = make(DESIGN_ONE, STOP_LOOKS, 3, 20);
    add_budget(made, 1.5);
    add_budget(made, 2);
    add_budget(made, 4);
    made->effect[1] = 8;
    made->cost[1] = 2;   /* decided at the first look */
    made->cost[2] = 1.4; /* never decided */
    run_in_every_way(made, blocks);
    assert_blocks(blocks, 7, (const int64_t[]){20, 6, 20, 20, 20, 6, 0});
    free(made);
}

/* Trials to be made again hold up their own arm only, and come when nothing else is left. */
static void failures_are_made_again_alone_and_an_idle_arm_ends_itself(void **state)
{
    (void)state;
    struct made *made = make(DESIGN_ONE, STOP_FIXED, 2, 5);
    struct grid grid;
    struct schedule schedule;
    int64_t block, arm;
    open_results(&made->plan, &grid);
    grid_cell(&grid, 0, 1)->attempts = 1;
    assert_int_equal(schedule_new(&made->plan, &grid, &schedule), KNACK_OK);
    for (int i = 0; i < 8; i++) {
        assert_true(schedule_next(&schedule, false, &block, &arm));
        assert_int_not_equal(arm, 1);
        struct stored_trial trial = trial_of(made, block, arm);
        if (arm == 2) strcpy(trial.idle, "mixup");
        grid_put(&grid, &trial);
        assert_int_equal(schedule_advance(&schedule), KNACK_OK);
    }
    assert_true(schedule.state[2].idle); /* after three seeds; the baseline has its five */
    assert_false(schedule_next(&schedule, false, &block, &arm));
    assert_true(schedule_next(&schedule, true, &block, &arm));
    assert_true(block == 0 && arm == 1);
    grid_cell(&grid, 0, 1)->waits = true;
    assert_int_equal(schedule_advance(&schedule), KNACK_OK);
    assert_false(schedule_next(&schedule, true, &block, &arm));
    assert_true(schedule.finished && schedule.state[1].waits);
    schedule_free(&schedule);
    grid_free(&grid);
    free(made);
}

/* What changes nothing leaves a screening after its first round, however good its place is. */
static void what_changes_nothing_leaves_a_screening(void **state)
{
    (void)state;
    int64_t blocks[ARMS_MOST];
    struct made *made = make(DESIGN_SCREEN, STOP_FIXED, 4, 4); /* 2 rounds: 2, 4 new blocks */
    for (int a = 1; a <= 4; a++) made->effect[a] = -5 * a;
    made->same[1] = true;
    run_in_every_way(made, blocks);
    assert_int_equal(blocks[1], 2);
    assert_true(blocks[2] > 2 && blocks[3] > 2);
    assert_int_equal(blocks[4], 2);
    free(made);
}

static void without_memory_nothing_is_decided(void **state)
{
    (void)state;
    struct made *made = make(DESIGN_ONE, STOP_LOOKS, 2, 20);
    struct grid results = run_made(made, 1, 0);
    struct schedule schedule;
    bool ended = false;
    for (int64_t nth = 1; !ended; nth++) {
        memory_fail_at(nth);
        knack_status status = schedule_new(&made->plan, &results, &schedule);
        memory_fail_at(0);
        ended = status >= 0;
        if (!ended) assert_int_equal(status, KNACK_E_MEMORY);
        schedule_free(&schedule);
    }
    grid_free(&results);
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_of_fixed_size_has_all_its_trials),
        cmocka_unit_test(blocks_come_one_after_the_other_in_orders_of_their_own),
        cmocka_unit_test(a_look_stops_what_is_decided_and_the_baseline_goes_on),
        cmocka_unit_test(with_a_margin_what_is_in_vain_is_dropped),
        cmocka_unit_test(arms_that_are_dropped_stay_in_the_family),
        cmocka_unit_test(until_decided_every_block_is_looked_at),
        cmocka_unit_test(arms_that_fail_are_compared_by_their_score),
        cmocka_unit_test(a_factorial_stops_when_its_contrasts_do),
        cmocka_unit_test(halving_spends_what_it_has),
        cmocka_unit_test(a_screening_keeps_the_better_half_of_each_round),
        cmocka_unit_test(budgets_follow_from_counts),
        cmocka_unit_test(few_epochs_allow_few_budgets),
        cmocka_unit_test(time_that_counts_do_not_see_is_a_cost),
        cmocka_unit_test(what_changes_nothing_leaves_a_screening),
        cmocka_unit_test(failures_are_made_again_alone_and_an_idle_arm_ends_itself),
        cmocka_unit_test(a_first_trial_that_failed_says_no_cost_but_later_ones_do),
        cmocka_unit_test(budgets_run_as_long_as_who_needs_them),
        cmocka_unit_test(without_memory_nothing_is_decided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
