/* How often the procedures err and find, on made-up differences: 20,000 of each unless said; always the same ones. */
#include "printed.h"

#include "base/random.h"
#include "compare/statistics/family.h"
#include "compare/statistics/sequential.h"
#include "compare/statistics/two_level.h"
#include "vectors/statistics.h"

enum { REPEATS = 20000, MOST = 20 };

static void draw(uint64_t key, uint32_t repeat, double effect, int64_t n, double *difference)
{
    for (int64_t i = 0; i < n; i++) difference[i] = effect + random_normal(key, (struct random_place){repeat, 0, 0}, (uint64_t)i);
}

static void assert_within(double found, double low, double high)
{
    if (!(found >= low && found <= high)) fail_msg("%g is not within %g .. %g", found, low, high);
}

static void test_level_and_coverage(void **state)
{
    (void)state;
    static const int64_t size[] = {3, 5, 10, 20};
    for (size_t i = 0; i < COUNT(size); i++) {
        int64_t rejected = 0, covered = 0;
        uint64_t key = random_key((uint64_t)size[i], "level");
        for (uint32_t r = 0; r < REPEATS; r++) {
            double difference[MOST];
            draw(key, r, 0, size[i], difference);
            rejected += paired_t(difference, size[i]).p < .05;
            for (int64_t k = 0; k < size[i]; k++) difference[k] += 1;
            struct bounds ci = paired_t(difference, size[i]).ci;
            covered += ci.low < 1 && ci.high > 1;
        }
        assert_within((double)rejected / REPEATS, .0460, .0540);
        assert_within((double)covered / REPEATS, .946, .954);
    }
}

static void test_power(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(power_vectors); i++) {
        const struct power_vector *known = &power_vectors[i];
        int64_t found = 0;
        uint64_t key = random_key(i, "power");
        for (uint32_t r = 0; r < REPEATS; r++) {
            double difference[30];
            draw(key, r, known->effect, known->n, difference);
            found += paired_t(difference, known->n).p < .05;
        }
        assert_within((double)found / REPEATS, strtod(known->power, NULL) - .009, strtod(known->power, NULL) + .009);
    }
}

/* Five arms share a baseline, and none differs. */
static void test_family(void **state)
{
    (void)state;
    enum { ARMS = 5, BLOCKS = 8 };
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
            any = any || adjusted[a] < .05;
            alone = alone || p[a] < .05;
        }
        wrong += any;
        wrong_alone += alone;
    }
    assert_within((double)wrong / REPEATS, .03, .054);
    assert_within((double)wrong_alone / REPEATS, .15, .21);
}

struct sequential_result {
    double rejected, seeds;
};

static struct sequential_result watch(double effect)
{
    static const int64_t look[] = {6, 10, 15, 20};
    const struct look_schedule *schedule = look_schedule_find(look, 4);
    uint64_t key = random_key((uint64_t)(effect * 100), "looks");
    int64_t rejected = 0, seeds = 0;
    for (uint32_t r = 0; r < REPEATS; r++) {
        double difference[MOST];
        struct look_state at = {0};
        draw(key, r, effect, MOST, difference);
        int k = 0;
        for (; k < 4; k++) {
            look_advance(schedule, k, paired_t(difference, look[k]).p, &at);
            if (at.p <= .05) break;
        }
        rejected += k < 4;
        seeds += look[k < 4 ? k : 3];
    }
    return (struct sequential_result){(double)rejected / REPEATS, (double)seeds / REPEATS};
}

static void test_looks(void **state)
{
    (void)state;
    struct sequential_result none = watch(0), one = watch(1);
    assert_within(none.rejected, .046, .054);
    assert_within(one.rejected, .979, .985);
    assert_within(one.seeds, 12.4, 12.6);
}

/* Watching after every seed up to 20 stays far below the level: no bound on how long one may watch was used up. */
static void test_any_time(void **state)
{
    (void)state;
    int64_t wrong = 0;
    uint64_t key = random_key(0, "any time");
    for (uint32_t r = 0; r < REPEATS; r++) {
        double difference[MOST], most = 0;
        draw(key, r, 0, MOST, difference);
        for (int64_t n = 2; n <= MOST; n++) most = fmax(most, e_value(paired_t(difference, n).t, n, 1));
        wrong += most >= 20;
    }
    assert_within((double)wrong / REPEATS, .012, .024);
}

/* Correct or not of 300 examples whose odds a trick moves this way or that, none on average: new examples matter, and only the test
 * of both levels says so. 1,000 times. */
static void test_two_levels(void **state)
{
    (void)state;
    enum { SEEDS = 10, EXAMPLES = 300, TIMES = 1000 };
    static double difference[SEEDS * EXAMPLES];
    int64_t wrong = 0, wrong_by_seeds = 0;
    uint64_t key = random_key(0, "levels");
    for (uint32_t r = 0; r < TIMES; r++) {
        double mean[SEEDS] = {0};
        for (int i = 0; i < SEEDS * EXAMPLES; i++) {
            int s = i / EXAMPLES, e = i % EXAMPLES;
            double odds = 1 + 1.5 * random_normal(key, (struct random_place){r, 1, 0}, (uint64_t)e);
            double shift = .7 * random_normal(key, (struct random_place){r, 2, 0}, (uint64_t)e);
            bool with = random_uniform(key, (struct random_place){r, 3, 0}, (uint64_t)i) < 1 / (1 + exp(-odds - shift));
            bool without = random_uniform(key, (struct random_place){r, 4, 0}, (uint64_t)i) < 1 / (1 + exp(-odds + shift));
            difference[i] = with - without;
            mean[s] += difference[i] / EXAMPLES;
        }
        wrong += two_way(difference, SEEDS, EXAMPLES).p < .05;
        wrong_by_seeds += paired_t(mean, SEEDS).p < .05;
    }
    assert_within((double)wrong / TIMES, .03, .075);
    assert_within((double)wrong_by_seeds / TIMES, .08, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level_and_coverage),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_family),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_any_time),
        cmocka_unit_test(test_two_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
