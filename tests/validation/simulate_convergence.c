/* How often a comparison notes that its baseline is not done, on made-up trials through the program's inference: by the gain from a larger
 * budget, and on made-up learning curves, where verdicts of a short and a long budget are known. Two tables, always the same numbers
 * (Philox); exit status 1 if a row is outside of what is accepted. --quick: a fiftieth of the repeats, at most .09 instead of .055. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "compare/inference/inference.h"
#include "compare/plan/parts.h"

enum { TRICKS = 10, SEEDS = 8, LONGER = TRICKS + 1, REPEATS = 20000 };
static const char config[] = "{\"data\": {\"source\": \"digits\"}, \"train\": {\"epochs\": 20}}";
static int64_t repeats = REPEATS;
static int outside;

static knack_status fill_plan(struct plan *plan)
{
    plan->seeds = SEEDS;
    plan->shared = plan->failed_score = NAN;
    plan->converge = true;
    TRY(plan_copy_text(&plan->part, "test"));
    TRY(plan_copy_text(&plan->metric, "accuracy"));
    TRY(plan_add_arm(plan, "baseline", ARM_BASELINE, 0, memory_text(config), NULL));
    TRY(plan_copy_text(&plan->arm[0].resolved, config));
    for (int64_t a = 1; a <= TRICKS; a++) {
        char name[32];
        int64_t index;
        snprintf(name, sizeof name, "trick %d", (int)a);
        TRY(plan_add_arm(plan, name, ARM_TREATED, 0, memory_text(config), &index));
        TRY(plan_add_simple(plan, index));
    }
    return plan_add_budget(plan, 2);
}

static struct plan *new_plan(void)
{
    struct plan *plan = memory_new(1, sizeof *plan);
    if (plan && (plan->factor = memory_new(1, sizeof *plan->factor)) && fill_plan(plan) >= 0) return plan;
    fprintf(stderr, "no plan: %s\n", knack_error());
    exit(2);
}

/* mean [LONGER + 1] of each arm. The difference of two arms has deviation 1; the longer baseline is trained on the first seeds only. */
static void compare(const struct plan *plan, const double *mean, uint64_t key, uint32_t number, struct inference *inference)
{
    struct grid grid;
    knack_status status = grid_new(plan, SEEDS, &grid);
    for (int64_t a = 0; status >= 0 && a <= LONGER; a++)
        for (int64_t b = 0; b < (a == LONGER ? CONVERGE_SEEDS : SEEDS); b++) {
            struct random_place place = {number, (uint32_t)a, 0};
            struct stored_trial trial = {.arm = a, .seed = b, .cost = {.updates = 1, .gradient_rows = a == LONGER ? 2 : 1}};
            trial.value = mean[a] + random_normal(key, place, (uint64_t)b) / sqrt(2);
            grid_put(&grid, &trial);
        }
    if (status >= 0) status = inference_make(plan, &grid, PROGRESS_DONE, SEEDS, inference);
    grid_free(&grid);
    if (status >= 0) return;
    fprintf(stderr, "no inference: %s\n", knack_error());
    exit(2);
}

static bool noted(const struct inference *inference)
{
    return inference->convergence.known && !inference->convergence.enough;
}

/* ---- By the gain ---- */

static void by_gain(struct plan *plan)
{
    static const double gain[] = {0, .5, 1, 2, 3, 5};
    printf("| gain of the baseline | largest effect | margin | noted | accept | holds |\n|---|---|---|---|---|---|\n");
    for (size_t g = 0; g < sizeof gain / sizeof *gain; g++)
        for (int effect = 0; effect <= 4; effect += 2)
            for (int margin = 0; margin < 2; margin++) {
                double mean[LONGER + 1] = {[1] = effect, [LONGER] = gain[g]}, most = gain[g] > 0 ? 1 : repeats < REPEATS ? .09 : .055;
                int64_t count = 0;
                uint64_t key = random_key((uint64_t)(10 * g + 2 * (size_t)effect + (size_t)margin), "gain");
                plan->margin = plan->first_margin = .5 * margin;
                for (int64_t r = 0; r < repeats; r++) {
                    struct inference inference;
                    compare(plan, mean, key, (uint32_t)r, &inference);
                    count += noted(&inference);
                    inference_free(&inference);
                }
                double share = (double)count / (double)repeats;
                bool good = share <= most;
                printf("| %g | %d | %g | %.3f | %s | %s |\n", gain[g], effect, plan->margin, share, most < 1 ? "at most .055" : "",
                       most == 1 ? ""
                       : good    ? "yes"
                                 : "**no**");
                outside += !good;
            }
}

/* ---- On learning curves ---- */

struct curve {
    double end, pace; /* where it ends, and how many epochs it takes for all but 1/e of its way */
};

/* Half of the tricks end elsewhere than the baseline, all go at their own pace. */
static void draw_curves(uint64_t key, uint32_t number, struct curve *curve)
{
    curve[0] = (struct curve){0, 1};
    for (int64_t a = 1; a <= TRICKS; a++) {
        struct random_place place = {number, (uint32_t)a, 1};
        curve[a].end = a % 2 ? 2 * random_normal(key, place, 0) : 0;
        curve[a].pace = exp(.3 * random_normal(key, place, 1));
    }
}

static void values_at(const struct curve *curve, double epochs, double *mean)
{
    for (int64_t a = 0; a <= TRICKS; a++) mean[a] = curve[a].end - 50 * exp(-epochs / curve[a].pace);
    mean[LONGER] = curve[0].end - 50 * exp(-2 * epochs / curve[0].pace);
}

static int side(enum verdict_kind kind)
{
    return (kind == VERDICT_HELPS) - (kind == VERDICT_HURTS);
}

static void on_curves(struct plan *plan)
{
    static const double epochs[] = {1, 2, 3, 4, 5, 6, 8, 12};
    printf("\n| epochs, in paces of the baseline | gain from twice as many | flips at four times as many | of flips, noted | of others, "
           "noted |\n"
           "|---|---|---|---|---|\n");
    plan->margin = plan->first_margin = .5;
    int64_t all[2] = {0, 0}, all_noted[2] = {0, 0};
    for (size_t e = 0; e < sizeof epochs / sizeof *epochs; e++) {
        int64_t count[2] = {0, 0}, notes[2] = {0, 0};
        uint64_t key = random_key(e, "curves");
        for (int64_t r = 0; r < repeats / 10; r++) {
            struct curve curve[TRICKS + 1];
            double mean[LONGER + 1];
            struct inference early, late;
            draw_curves(key, (uint32_t)r, curve);
            values_at(curve, epochs[e], mean);
            compare(plan, mean, key, (uint32_t)(2 * r), &early);
            values_at(curve, 4 * epochs[e], mean);
            compare(plan, mean, key, (uint32_t)(2 * r + 1), &late);
            for (int64_t c = 0; c < plan->contrasts; c++) {
                bool flips = side(early.finding[c].kind) != side(late.finding[c].kind);
                count[flips]++;
                notes[flips] += noted(&early);
            }
            inference_free(&early);
            inference_free(&late);
        }
        for (int i = 0; i < 2; i++) {
            all[i] += count[i];
            all_noted[i] += notes[i];
        }
        printf("| %g | %.2f | %.3f | %.3f | %.3f |\n", epochs[e], 50 * (exp(-epochs[e]) - exp(-2 * epochs[e])),
               (double)count[1] / (double)(count[0] + count[1]), (double)notes[1] / (double)count[1], (double)notes[0] / (double)count[0]);
    }
    printf("| **all** | | %.3f | %.3f | %.3f |\n", (double)all[1] / (double)(all[0] + all[1]), (double)all_noted[1] / (double)all[1],
           (double)all_noted[0] / (double)all[0]);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--quick") == 0) repeats /= 50;
    struct plan *plan = new_plan();
    by_gain(plan);
    on_curves(plan);
    plan_free(plan);
    return outside > 0;
}
