/* Transfer intervals on drawn matrices of seeds and examples. */
#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "compare/statistics/distributions.h"
#include "compare/statistics/two_level.h"
#include "rule.h"

/* What examples have in all seeds: by how much the trick moves them, and the odds to be right without it. */
struct examples {
    double *moved, *odds; /* [examples] each */
};

static void draw_examples(const struct cell *cell, uint64_t key, uint32_t number, struct examples *examples)
{
    for (int64_t e = 0; e < cell->examples; e++) {
        examples->moved[e] = cell->by_example * random_normal(key, (struct random_place){number, 2, 0}, (uint64_t)e);
        if (cell->right) examples->odds[e] = 1 + 1.5 * random_normal(key, (struct random_place){number, 1, 0}, (uint64_t)e);
    }
}

/* A difference; or of right and not with and without the trick, which moves the odds by run and by example, on average not at all. */
static double draw(const struct cell *cell, uint64_t key, uint32_t number, double run, const struct examples *examples, int64_t seed,
                   int64_t e)
{
    uint64_t i = (uint64_t)(seed * cell->examples + e);
    if (!cell->right) return run + examples->moved[e] + random_normal(key, (struct random_place){number, 3, 0}, i);
    double half = (run + examples->moved[e]) / 2;
    bool with = random_uniform(key, (struct random_place){number, 3, 0}, i) < 1 / (1 + exp(-examples->odds[e] - half));
    bool without = random_uniform(key, (struct random_place){number, 4, 0}, i) < 1 / (1 + exp(-examples->odds[e] + half));
    return with - without;
}

static double draw_run(const struct cell *cell, uint64_t key, uint32_t number, int64_t seed)
{
    struct random_place at = {number, 5, 0};
    double value = random_normal(key, at, 4 * (uint64_t)seed), squares = 0;
    for (uint64_t i = 1; cell->heavy && i <= 3; i++) squares += pow(random_normal(key, at, 4 * (uint64_t)seed + i), 2) / 3;
    return cell->by_seed * value / (cell->heavy ? sqrt(squares) : 1);
}

/* Adds seeds up to `until`; row [3, examples], mean [seeds]. */
static void add_seeds(const struct cell *cell, uint32_t number, int64_t until, struct two_way_sums *sums, double *row, double *mean)
{
    uint64_t key = random_key(0, cell->name);
    struct examples examples = {row + cell->examples, row + 2 * cell->examples};
    if (sums->seeds == 0) draw_examples(cell, key, number, &examples);
    for (int64_t s = sums->seeds; s < until; s++) {
        double run = draw_run(cell, key, number, s);
        mean[s] = 0;
        for (int64_t e = 0; e < cell->examples; e++) {
            row[e] = draw(cell, key, number, run, &examples, s, e);
            mean[s] += row[e] / (double)cell->examples;
        }
        two_way_add(sums, row);
    }
}

/* Where the looks stop, by seeds alone, as verdicts do; the bound of that look. */
static double watch(const struct cell *cell, uint32_t number, const double *look_bound, struct two_way_sums *sums, double *row,
                    double *mean)
{
    struct look_schedule schedule = look_schedule_of(cell->look, cell->looks, look_bound);
    struct look_state state = {0};
    for (int64_t k = 0;; k++) {
        add_seeds(cell, number, cell->look[k], sums, row, mean);
        look_advance(&schedule, k, paired_t(mean, cell->look[k]).p, &state);
        if (state.p <= ALPHA || k + 1 == cell->looks) return look_boundary(&schedule, k, ALPHA);
    }
}

knack_status rule_transfer(const struct cell *cell, uint32_t number, const double *look_bound, struct tally *tally)
{
    struct two_way_sums sums;
    double *row = memory_new(3 * (size_t)cell->examples, sizeof *row), mean[32], bound = 0;
    knack_status status = row ? two_way_begin(&sums, cell->examples) : KNACK_E_MEMORY;
    if (status >= 0) {
        if (cell->looks > 0)
            bound = watch(cell, number, look_bound, &sums, row, mean);
        else
            add_seeds(cell, number, cell->seeds, &sums, row, mean);
        struct two_way two = two_way_end(&sums);
        if (cell->looks == 0) bound = t_quantile(.975, (double)(cell->seeds - 1));
        struct interval transfer = two_way_interval(&two, bound);
        tally_add(tally, COVERS_TRANSFER, transfer.low <= 0 && transfer.high >= 0);
    }
    memory_free(row);
    return status;
}
