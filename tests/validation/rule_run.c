/* One comparison of drawn trials, from its plan to what its inference says: as comparison.c and running.c go, with a grid instead of a
 * store and a draw instead of a training. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "compare/plan/parts.h"
#include "rule.h"

enum { ONE_BY_ONE = 50 };       /* every so many-th comparison is decided trial by trial */
static const double level = .8; /* the baseline's mean */
static const char config[] = "{\"data\": {\"source\": \"digits\"}, \"train\": {\"epochs\": 20}}";

/* ---- Trials ---- */

/* What is drawn of a trial: words of its place. Confirmations draw anew, by their own first seed. */
static struct random_place place(const struct made_up *made, int64_t arm)
{
    const struct arm *of = &made->plan->arm[arm];
    uint32_t who = of->kind == ARM_BUDGET ? 1000 + (uint32_t)round(100 * of->budget) : (uint32_t)arm;
    return (struct random_place){made->number, who, (uint32_t)made->plan->first_seed};
}

static double draw(const struct made_up *made, int64_t arm, int64_t block)
{
    struct random_place at = place(made, arm);
    uint64_t element = 4 * (uint64_t)block;
    double value = random_normal(made->key, at, element), squares = 0;
    if (!made->cell->heavy) return value;
    for (uint64_t i = 1; i <= 3; i++) {
        double other = random_normal(made->key, at, element + i);
        squares += other * other;
    }
    return value / sqrt(squares / 3);
}

/* One arm at the baseline's cost: the difference is the arm's draw, so that its law is known; else every trial has one of its own. */
static double noise(const struct made_up *made, int64_t arm, int64_t block)
{
    const struct cell *cell = made->cell;
    bool alone = cell->arms == 1 && !cell_differs(cell, 1) && !cell->converge;
    if (alone) return arm > 0 ? draw(made, arm, block) : 0;
    return draw(made, arm, block) / sqrt(2);
}

static double mean_of(const struct made_up *made, int64_t arm)
{
    const struct arm *of = &made->plan->arm[arm];
    if (of->kind == ARM_BASELINE) return 0;
    if (of->kind == ARM_BUDGET) return of->budget > 1 ? made->cell->gain : made->cell->loss;
    return made->cell->kind[arm % 2].effect;
}

static bool fails(const struct made_up *made, int64_t arm, int64_t block)
{
    double rate = made->cell->fails[made->plan->arm[arm].kind == ARM_TREATED];
    return rate > 0 && random_uniform(made->key ^ 1, place(made, arm), (uint64_t)block) < rate;
}

static void put_trial(struct made_up *made, int64_t arm, int64_t block)
{
    const struct arm *of = &made->plan->arm[arm];
    double shared = random_normal(made->key, (struct random_place){made->number, 999, (uint32_t)made->plan->first_seed}, (uint64_t)block);
    double passes = of->kind == ARM_TREATED ? made->cell->kind[arm % 2].passes : of->budget;
    struct stored_trial trial = {.arm = arm,
                                 .seed = made->plan->first_seed + block,
                                 .value = level + DEVIATION * (2 * shared + mean_of(made, arm) + noise(made, arm, block)),
                                 .cost = {.updates = of->updates, .gradient_rows = 1000 * passes}};
    if (fails(made, arm, block)) {
        trial.status = TRIAL_NOT_FINITE;
        trial.value = NAN;
    }
    grid_put(&made->grid, &trial);
}

double rule_difference(const struct made_up *made, int64_t arm, int64_t block)
{
    return DEVIATION * (mean_of(made, arm) + noise(made, arm, block) - noise(made, 0, block));
}

/* ---- Plans ---- */

/* What the check of the configs and the calibration find. */
static knack_status check_arms(const struct cell *cell, struct plan *plan)
{
    if (!plan->arm[0].resolved) TRY(plan_copy_text(&plan->arm[0].resolved, config));
    for (int64_t a = 0; a < plan->arms; a++) {
        struct arm *arm = &plan->arm[a];
        arm->updates = (int64_t)round(100 * arm->budget);
        if (arm->kind != ARM_TREATED) continue;
        arm->update_cost_low = cell->kind[a % 2].cpu;
        arm->update_cost = arm->update_cost_low * 1.05;
        arm->update_cost_high = arm->update_cost * 1.05;
    }
    plan->failed_score = level - DEVIATION * cell->worst;
    plan->threads = 1;
    return KNACK_OK;
}

static knack_status fill_plan(const struct made_up *made, struct plan *plan)
{
    const struct cell *cell = made->cell;
    bool screening = cell->way == WAY_SCREEN;
    plan->design = screening ? DESIGN_SCREEN : DESIGN_ONE;
    plan->role = screening ? ROLE_SCREENING : ROLE_VERDICT;
    plan->stopping = cell->stopping;
    plan->first_seed = role_first_seed(plan->role);
    plan->seeds = cell->seeds;
    plan->looks = cell->looks;
    memcpy(plan->look, cell->look, sizeof plan->look);
    memcpy(plan->look_bound, made->look_bound, sizeof plan->look_bound);
    plan->margin = plan->first_margin = DEVIATION * cell->margin;
    plan->equal_cost = true;
    plan->converge = cell->converge;
    plan->shared = NAN;
    TRY(plan_copy_text(&plan->name, "made-up"));
    TRY(plan_copy_text(&plan->config, "made-up.json"));
    TRY(plan_copy_text(&plan->folder, "/"));
    TRY(plan_copy_text(&plan->command, "knack compare made-up.json"));
    TRY(plan_copy_text(&plan->part, "test"));
    TRY(plan_copy_text(&plan->metric, "accuracy"));
    TRY(plan_add_arm(plan, "baseline", ARM_BASELINE, 0, memory_text(config), NULL));
    for (int64_t a = 1; a <= cell->arms; a++) {
        char name[32];
        int64_t index;
        snprintf(name, sizeof name, "trick %d", (int)a);
        TRY(plan_add_arm(plan, name, ARM_TREATED, 0, memory_text(config), &index));
        TRY(plan_add_simple(plan, index));
    }
    TRY(plan_find_bounds(plan));
    TRY(check_arms(cell, plan));
    return plan->converge ? plan_add_budget(plan, 2) : KNACK_OK;
}

static knack_status make_plan(struct made_up *made)
{
    struct plan *plan = made->plan = memory_new(1, sizeof *plan);
    if (!plan) return KNACK_E_MEMORY;
    plan->factor = memory_new(1, sizeof *plan->factor);
    if (!plan->factor) return KNACK_E_MEMORY;
    TRY(fill_plan(made, plan));
    return check_arms(made->cell, plan);
}

/* ---- Going on ---- */

static knack_status add_budgets(struct made_up *made)
{
    double size[BUDGETS_MOST];
    int64_t count;
    while ((count = schedule_budgets(&made->schedule, size)) > 0) {
        int64_t arms = made->plan->arms;
        for (int64_t i = 0; i < count; i++) {
            TRY(plan_add_budget(made->plan, size[i]));
            TRY(check_arms(made->cell, made->plan));
            schedule_free(&made->schedule);
            TRY(grid_widen(&made->grid));
            TRY(schedule_new(made->plan, &made->grid, &made->schedule));
        }
        if (made->plan->arms == arms) return KNACK_OK;
    }
    return KNACK_OK;
}

static knack_status decide(struct made_up *made)
{
    TRY(schedule_advance(&made->schedule));
    TRY(add_budgets(made));
    return schedule_advance(&made->schedule);
}

/* Decided after each trial, as by one job, or after all that may go on at the moment, as by very many, which is faster and comes to the
 * same. */
static knack_status train_all(struct made_up *made)
{
    bool one_by_one = made->number % ONE_BY_ONE == 0;
    int64_t block, arm, made_now = 1;
    while (made_now > 0) {
        TRY(decide(made));
        for (made_now = 0; !(one_by_one && made_now > 0) && schedule_next(&made->schedule, false, &block, &arm); made_now++)
            put_trial(made, arm, block);
    }
    return made->schedule.finished ? KNACK_OK : status_set(KNACK_E_CALL, "a comparison did not finish");
}

/* All trials that the plan leads to. before: those that the folder had when the plan got more seeds, or NULL. */
static knack_status train(struct made_up *made, const struct grid *before)
{
    schedule_free(&made->schedule);
    TRY(grid_new(made->plan, schedule_blocks(made->plan), &made->grid));
    for (int64_t b = 0; before && b < before->blocks; b++)
        for (int64_t a = 0; a < before->arms; a++)
            if (grid_there(before, b, a)) *grid_cell(&made->grid, b, a) = *grid_cell(before, b, a);
    TRY(schedule_new(made->plan, &made->grid, &made->schedule));
    return train_all(made);
}

static knack_status infer(const struct made_up *made, struct inference *inference)
{
    return inference_make(made->plan, &made->grid, PROGRESS_DONE, made->grid.blocks, inference);
}

/* ---- Ways ---- */

/* The first comparison of a cell is also reported from a store. */
static knack_status judge(const struct made_up *made, struct tally *tally)
{
    struct inference inference;
    bool agrees = true;
    TRY(infer(made, &inference));
    rule_count(made, &inference, tally);
    knack_status status = made->number == 0 ? rule_agrees(made, &inference, &agrees) : KNACK_OK;
    if (made->number == 0) tally_add(tally, AGREES_WITH_STORE, agrees);
    inference_free(&inference);
    return status;
}

static void note_reading(struct made_up *made)
{
    for (int64_t a = 0; a < made->plan->arms; a++) {
        int64_t there = 0;
        while (grid_there(&made->grid, there, a)) there++;
        if (there > 0) arm_add_reading(&made->plan->arm[a], there);
    }
}

/* Every reading may make whoever reads stop; the verdict is the last one's. */
static knack_status extend(struct made_up *made, struct tally *tally)
{
    bool ever = false;
    for (int step = 0; step < 2 && made->cell->later[step] > 0; step++) {
        struct grid before = made->grid;
        struct inference inference;
        TRY(infer(made, &inference));
        ever |= rule_claims_wrongly(made->cell, &inference);
        inference_free(&inference);
        note_reading(made);
        made->plan->seeds = made->cell->later[step];
        made->grid = (struct grid){0};
        knack_status status = train(made, &before);
        grid_free(&before);
        TRY(status);
    }
    struct inference inference;
    TRY(infer(made, &inference));
    tally_add(tally, WRONG_EFFECT_EVER, ever | rule_claims_wrongly(made->cell, &inference));
    inference_free(&inference);
    return judge(made, tally);
}

static knack_status count_screening(const struct made_up *made, struct tally *tally)
{
    struct inference inference;
    TRY(infer(made, &inference));
    for (int64_t c = 0; c < made->plan->contrasts; c++)
        tally_add(tally, SCREENING_CLAIMS, inference.finding[c].kind == VERDICT_HELPS || inference.finding[c].kind == VERDICT_HURTS);
    inference_free(&inference);
    return KNACK_OK;
}

static knack_status confirm(struct made_up *made, struct tally *tally)
{
    int64_t *best = memory_new((size_t)made->plan->arms, sizeof *best), count;
    const char *name[CONFIRMED];
    struct plan *screening = made->plan, *plan;
    if (!best) return KNACK_E_MEMORY;
    knack_status status = count_screening(made, tally);
    if (status >= 0) status = schedule_rank(&made->schedule, best, &count);
    for (int64_t i = 0; status >= 0 && i < CONFIRMED && i < count; i++) name[i] = screening->arm[best[i]].name;
    if (status >= 0) status = plan_confirm(screening, name, count < CONFIRMED ? count : CONFIRMED, &plan);
    memory_free(best);
    TRY(status);
    grid_free(&made->grid);
    plan_free(screening);
    made->plan = plan;
    TRY(check_arms(made->cell, plan));
    TRY(train(made, NULL));
    return judge(made, tally);
}

static knack_status run(struct made_up *made, struct tally *tally)
{
    TRY(make_plan(made));
    TRY(train(made, NULL));
    if (made->cell->way == WAY_EXTEND) return extend(made, tally);
    if (made->cell->way == WAY_SCREEN) return confirm(made, tally);
    return judge(made, tally);
}

knack_status rule_compare(const struct cell *cell, uint32_t number, const double *look_bound, struct tally *tally)
{
    struct made_up made = {.cell = cell, .key = random_key(0, cell->name), .number = number, .look_bound = look_bound};
    knack_status status = run(&made, tally);
    schedule_free(&made.schedule);
    grid_free(&made.grid);
    plan_free(made.plan);
    return status;
}
