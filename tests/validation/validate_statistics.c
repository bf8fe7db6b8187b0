/* How often the procedures of a comparison err and find, on made-up differences, beside what is accepted: a table, and exit status 1 if a
 * row is outside. Always the same numbers (Philox). --quick leaves out the boundary, and repeats the e-process and two levels less. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/random.h"
#include "compare/statistics/distributions.h"
#include "compare/statistics/family.h"
#include "compare/statistics/sequential.h"
#include "compare/statistics/two_level.h"

enum { REPEATS = 20000, MOST = 30, COUNT_OF_LOOKS = 4, MOST_SEEDS = 20, MOST_EXAMPLES = 2000 };
static const int64_t look[COUNT_OF_LOOKS] = {6, 10, 15, 20};
static int outside;

static void row(const char *what, double value, double low, double high)
{
    bool good = value >= low && value <= high;
    printf("| %s | %.4f | %.4g to %.4g | %s |\n", what, value, low, high, good ? "yes" : "**no**");
    fflush(stdout);
    outside += !good;
}

static void draw(uint64_t key, uint32_t repeat, double effect, int64_t n, double *difference)
{
    for (int64_t i = 0; i < n; i++) difference[i] = effect + random_normal(key, (struct random_place){repeat, 0, 0}, (uint64_t)i);
}

/* ---- One comparison ---- */

static void level_and_coverage(void)
{
    static const int64_t size[] = {3, 5, 10, 20};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        int64_t rejected = 0, covered = 0;
        uint64_t key = random_key((uint64_t)size[i], "level");
        char what[64];
        for (uint32_t r = 0; r < REPEATS; r++) {
            double difference[MOST];
            draw(key, r, 0, size[i], difference);
            rejected += paired_t(difference, size[i]).p < .05;
            for (int64_t k = 0; k < size[i]; k++) difference[k] += 1;
            struct interval ci = paired_t(difference, size[i]).ci;
            covered += ci.low < 1 && ci.high > 1;
        }
        snprintf(what, sizeof what, "n = %" PRId64 ": no effect, rejected", size[i]);
        row(what, (double)rejected / REPEATS, .0460, .0540);
        snprintf(what, sizeof what, "n = %" PRId64 ": effect 1, in the interval", size[i]);
        row(what, (double)covered / REPEATS, .946, .954);
    }
}

/* By the noncentral t distribution, from another program. */
static void power(void)
{
    static const struct {
        int64_t n;
        double effect, power;
    } known[] = {{3, 2, .4707}, {5, 1, .4014}, {5, 1.5, .7107}, {8, 1, .6808}, {10, 1, .8031}, {20, .5, .5645}, {30, .5, .7540}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int64_t found = 0;
        uint64_t key = random_key(i, "power");
        char what[64];
        for (uint32_t r = 0; r < REPEATS; r++) {
            double difference[MOST];
            draw(key, r, known[i].effect, known[i].n, difference);
            found += paired_t(difference, known[i].n).p < .05;
        }
        snprintf(what, sizeof what, "n = %" PRId64 ", effect %.1f s_D: found", known[i].n, known[i].effect);
        row(what, (double)found / REPEATS, known[i].power - .009, known[i].power + .009);
    }
}

/* ---- Several ---- */

/* Arms that share a baseline, none of which differs: differences correlate by a half. */
static void family(void)
{
    enum { ARMS = 5, BLOCKS = 10 };
    int64_t wrong = 0, wrong_alone = 0;
    uint64_t key = random_key(0, "family");
    for (uint32_t r = 0; r < REPEATS; r++) {
        double y[(ARMS + 1) * BLOCKS], p[ARMS], adjusted[ARMS];
        draw(key, r, 0, (ARMS + 1) * BLOCKS, y);
        for (int a = 0; a < ARMS; a++) {
            double difference[BLOCKS];
            for (int b = 0; b < BLOCKS; b++) difference[b] = y[(a + 1) * BLOCKS + b] - y[b];
            p[a] = paired_t(difference, BLOCKS).p;
        }
        holm(p, ARMS, ARMS, adjusted);
        bool any = false, alone = false;
        for (int a = 0; a < ARMS; a++) {
            any |= adjusted[a] < .05;
            alone |= p[a] < .05;
        }
        wrong += any;
        wrong_alone += alone;
    }
    row("5 arms, none differs: any rejected after Holm", (double)wrong / REPEATS, 0, .054);
    row("the same without Holm (shown, not used)", (double)wrong_alone / REPEATS, .1, .25);
}

/* ---- Looks ---- */

static void watch_looks(double effect, double *rejected, double *seeds)
{
    struct look_schedule schedule;
    uint64_t key = random_key((uint64_t)(effect * 100), "looks");
    int64_t stopped = 0, used = 0;
    look_schedule_make(look, COUNT_OF_LOOKS, &schedule);
    for (uint32_t r = 0; r < REPEATS; r++) {
        double difference[MOST];
        struct look_state at = {0};
        draw(key, r, effect, look[COUNT_OF_LOOKS - 1], difference);
        int k = 0;
        for (; k < COUNT_OF_LOOKS; k++) {
            look_advance(&schedule, k, paired_t(difference, look[k]).p, &at);
            if (at.p <= .05) break;
        }
        stopped += k < COUNT_OF_LOOKS;
        used += look[k < COUNT_OF_LOOKS ? k : COUNT_OF_LOOKS - 1];
    }
    *rejected = (double)stopped / REPEATS;
    *seeds = (double)used / REPEATS;
}

static void looks(void)
{
    double rejected, seeds;
    watch_looks(0, &rejected, &seeds);
    row("looks at 6, 10, 15, 20: no effect, rejected", rejected, .046, .054);
    watch_looks(1, &rejected, &seeds);
    row("looks, effect 1 s_D: found", rejected, .979, .985);
    row("looks, effect 1 s_D: mean seeds", seeds, 12.4, 12.6);
}

/* The largest z / w over the looks of one path without effect. */
static double largest(uint64_t key, uint32_t path, const double *weight)
{
    double sum = 0, squares = 0, most = 0;
    int k = 0;
    for (int64_t i = 0; i < look[COUNT_OF_LOOKS - 1]; i++) {
        double x = random_normal(key, (struct random_place){path, 0, 0}, (uint64_t)i);
        sum += x;
        squares += x * x;
        if (i + 1 != look[k]) continue;
        double n = (double)look[k], variance = (squares - sum * sum / n) / (n - 1), t = sum / sqrt(n * variance);
        most = fmax(most, -normal_quantile(t_two_sided(t, n - 1) / 2) / weight[k]);
        k++;
    }
    return most;
}

/* The boundary anew: the 95 % quantile of that over four million paths. */
static void boundary(void)
{
    enum { PATHS = 4000000 };
    double weight[COUNT_OF_LOOKS], *most = malloc(PATHS * sizeof *most);
    uint64_t key = random_key(0, "boundary");
    if (!most) {
        row("boundary: no memory", NAN, 0, 0);
        return;
    }
    for (int k = 0; k < COUNT_OF_LOOKS; k++) weight[k] = pow((double)look[k] / (double)look[COUNT_OF_LOOKS - 1], -.25);
    for (uint32_t p = 0; p < PATHS; p++) most[p] = largest(key, p, weight);
    numbers_sort(most, PATHS);
    row("boundary of the looks, by 4,000,000 paths", most[(int64_t)(PATHS * .95)], 2.141 - .003, 2.141 + .003);
    free(most);
}

/* ---- At any time ---- */

static double watch_always(double effect, uint32_t repeats)
{
    int64_t stopped = 0;
    uint64_t key = random_key((uint64_t)(effect * 100), "any time");
    for (uint32_t r = 0; r < repeats; r++) {
        double difference[MOST], most = 0;
        draw(key, r, effect, 20, difference);
        for (int64_t n = 2; n <= 20; n++) most = fmax(most, e_value(paired_t(difference, n).t, n, 1));
        stopped += most >= 20;
    }
    return (double)stopped / repeats;
}

static void any_time(uint32_t repeats)
{
    row("e-process, every seed to 20: no effect, rejected", watch_always(0, repeats), 0, .05);
    row("e-process, effect 0.5 s_D: found", watch_always(.5, repeats), .22, .26);
    row("e-process, effect 0.75 s_D: found", watch_always(.75, repeats), .56, .60);
    row("e-process, effect 1 s_D: found", watch_always(1, repeats), .85, .89);
}

/* ---- Seeds and examples ---- */

struct levels {
    int seeds, examples;
    double run, example; /* deviations of the shift of odds, by run and by example */
};

/* Correct or not, with and without a trick that moves the odds of each example this way or that, and those of each run; on average not at
 * all. out [seeds, examples]; mean [seeds]. */
static void draw_levels(const struct levels *l, uint64_t key, uint32_t r, double *out, double *mean)
{
    static double odds[MOST_EXAMPLES], moved[MOST_EXAMPLES];
    for (int e = 0; e < l->examples; e++) {
        odds[e] = 1 + 1.5 * random_normal(key, (struct random_place){r, 1, 0}, (uint64_t)e);
        moved[e] = l->example * random_normal(key, (struct random_place){r, 2, 0}, (uint64_t)e);
    }
    for (int s = 0; s < l->seeds; s++) {
        double run = l->run * random_normal(key, (struct random_place){r, 5, 0}, (uint64_t)s);
        mean[s] = 0;
        for (int e = 0; e < l->examples; e++) {
            uint64_t i = (uint64_t)s * (uint64_t)l->examples + (uint64_t)e;
            double half = (run + moved[e]) / 2;
            bool with = random_uniform(key, (struct random_place){r, 3, 0}, i) < 1 / (1 + exp(-odds[e] - half));
            bool without = random_uniform(key, (struct random_place){r, 4, 0}, i) < 1 / (1 + exp(-odds[e] + half));
            out[i] = with - without;
            mean[s] += out[i] / l->examples;
        }
    }
}

static void two_levels(uint32_t repeats)
{
    static const struct levels setting[] = {{5, 500, 0, 0}, {10, 500, 0, .7}, {20, 500, 0, .7}, {20, 500, .1, .7}, {20, 2000, .1, .7}};
    static double difference[MOST_SEEDS * MOST_EXAMPLES];
    for (size_t i = 0; i < sizeof setting / sizeof *setting; i++) {
        const struct levels *l = &setting[i];
        uint64_t key = random_key(i, "levels");
        int64_t wrong = 0, by_seeds = 0;
        uint32_t times = l->examples > 500 ? repeats / 2 : repeats;
        char what[96];
        double mean[MOST_SEEDS];
        for (uint32_t r = 0; r < times; r++) {
            draw_levels(l, key, r, difference, mean);
            struct two_way_sums sums;
            if (two_way_begin(&sums, l->examples) < 0) break;
            for (int s = 0; s < l->seeds; s++) two_way_add(&sums, difference + s * l->examples);
            wrong += two_way_end(&sums).p < .05;
            by_seeds += paired_t(mean, l->seeds).p < .05;
        }
        snprintf(what, sizeof what, "%d seeds, %d examples, shifts %.1f by run, %.1f by example: both levels", l->seeds, l->examples,
                 l->run, l->example);
        row(what, (double)wrong / times, .035, .075);
        snprintf(what, sizeof what, "the same by seeds alone (a claim about this test set only)");
        row(what, (double)by_seeds / times, 0, .25);
    }
}

int main(int count, char **word)
{
    bool quick = count > 1 && strcmp(word[1], "--quick") == 0;
    puts("| what | measured | accepted | within |\n|---|---|---|---|");
    level_and_coverage();
    power();
    family();
    looks();
    any_time(quick ? 5000 : REPEATS);
    two_levels(quick ? 400 : 2000);
    if (!quick) boundary();
    printf("\n%d outside\n", outside);
    return outside > 0;
}
