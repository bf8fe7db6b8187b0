#include "printed.h"

#include "compare/statistics/factorial.h"
#include "compare/statistics/paired.h"
#include "vectors/statistics.h"

enum { A = 1, B = 2, C = 4, D = 8, E = 16, F = 32, G = 64 };

static void test_square(void **state)
{
    (void)state;
    double effect[4][SQUARE_SEEDS];
    for (int s = 0; s < SQUARE_SEEDS; s++) {
        for (uint64_t e = 0; e < 4; e++) {
            effect[e][s] = 0;
            for (uint64_t run = 0; run < 4; run++) effect[e][s] += effect_weight(run, e, 4) * square[s][run];
        }
    }
    for (int e = 1; e < 4; e++) {
        const struct effect_vector *known = &square_effects[e - 1];
        struct paired found = paired_t(effect[e], SQUARE_SEEDS);
        for (int s = 0; known->block[0] && s < SQUARE_SEEDS; s++) check_printed(effect[e][s], known->block[s], 1e-6, "effect in a block");
        check_printed(found.mean, known->mean, 1e-6, "mean");
        assert_printed(found.t, known->t);
        assert_printed(found.p, known->p);
        if (known->low) assert_printed(found.ci.low, known->low);
        if (known->high) assert_printed(found.ci.high, known->high);
    }
    double without[SQUARE_SEEDS], with[SQUARE_SEEDS];
    for (int s = 0; s < SQUARE_SEEDS; s++) {
        without[s] = effect[A][s] - effect[A | B][s];
        with[s] = effect[A][s] + effect[A | B][s];
    }
    assert_printed(paired_t(without, SQUARE_SEEDS).mean, square_a_without_b[0]);
    assert_printed(paired_t(without, SQUARE_SEEDS).p, square_a_without_b[1]);
    assert_printed(paired_t(with, SQUARE_SEEDS).mean, square_a_with_b[0]);
    assert_printed(paired_t(with, SQUARE_SEEDS).p, square_a_with_b[1]);
}

/* As by the algorithm of Yates. */
static void test_weights(void **state)
{
    (void)state;
    for (uint64_t e = 1; e < 8; e++) {
        double sum = 0;
        for (uint64_t run = 0; run < 8; run++) sum += effect_weight(run, e, 8) * cube[run];
        assert_true(fabs(sum - cube_effects[e]) < 1e-12);
    }
    assert_true(effect_weight(A, A, 2) == 1 && effect_weight(0, A, 2) == -1);
    assert_true(effect_weight(0, A | B, 4) == .5 && effect_weight(A, A | B, 4) == -.5 && effect_weight(A | B, A | B, 4) == .5);
}

static const struct row {
    int k, p, resolution;
    bool screening;
    const char *generators;
} rows[] = {
    {3, 1, 3, true, "C = AB"},         {4, 1, 4, false, "D = ABC"},          {5, 1, 5, false, "E = ABCD"},
    {5, 2, 3, true, "D = AB, E = AC"}, {6, 2, 4, false, "E = ABC, F = BCD"}, {7, 3, 4, false, "E = ABC, F = BCD, G = ACD"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct fraction *fraction = fraction_find(rows[i].k, rows[i].screening);
        assert_non_null(fraction);
        assert_true(fraction->k == rows[i].k && fraction->p == rows[i].p && fraction->resolution == rows[i].resolution);
        assert_string_equal(fraction->generators, rows[i].generators);
        assert_int_equal(fraction->words, (1 << fraction->p) - 1);
        int shortest = 99;
        for (int w = 0; w < fraction->words; w++) {
            int length = __builtin_popcountll(fraction->word[w]);
            shortest = length < shortest ? length : shortest;
        }
        assert_int_equal(shortest, fraction->resolution); /* that is what resolution means */
    }
    assert_null(fraction_find(3, false));
    assert_null(fraction_find(2, true));
    assert_null(fraction_find(8, true));
    for (int k = 4; k <= 7; k++)
        if (k != 5) assert_ptr_equal(fraction_find(k, true), fraction_find(k, false));
}

/* Each trick is on in half of the runs and with any other in a quarter; runs differ; a word has one sign in all runs. */
static void check_runs(const struct fraction *fraction, int sign)
{
    uint64_t run[32];
    int64_t runs = (int64_t)1 << (fraction->k - fraction->p);
    fraction_runs(fraction, sign, run);
    for (int64_t i = 0; i < runs; i++) {
        assert_true(run[i] >> fraction->k == 0);
        for (int64_t j = 0; j < i; j++) assert_true(run[i] != run[j]);
    }
    for (int a = 0; a < fraction->k; a++)
        for (int b = 0; b <= a; b++) {
            uint64_t both = (uint64_t)1 << a | (uint64_t)1 << b;
            int64_t count = 0;
            for (int64_t i = 0; i < runs; i++) count += (run[i] & both) == both;
            assert_int_equal(count, a == b ? runs / 2 : runs / 4);
        }
    for (int w = 0; w < fraction->words; w++)
        for (int64_t i = 0; i < runs; i++) {
            assert_true(effect_weight(run[i], fraction->word[w], 2) == effect_weight(run[0], fraction->word[w], 2));
            if (w < fraction->p) assert_true(effect_weight(run[i], fraction->word[w], 2) == sign);
        }
}

static bool holds(const struct fraction *fraction, int sign, uint64_t wanted)
{
    uint64_t run[32];
    fraction_runs(fraction, sign, run);
    for (int64_t i = 0; i < (int64_t)1 << (fraction->k - fraction->p); i++)
        if (run[i] == wanted) return true;
    return false;
}

static void test_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct fraction *fraction = fraction_find(rows[i].k, rows[i].screening);
        check_runs(fraction, 1);
        check_runs(fraction, -1);
        uint64_t all = ((uint64_t)1 << fraction->k) - 1;
        assert_true(holds(fraction, 1, all));
        if (fraction->p > 1) continue;
        bool odd = __builtin_popcountll(fraction->word[0]) % 2; /* then one sign has all tricks on, the other none */
        assert_true(holds(fraction, 1, 0) == !odd && holds(fraction, -1, 0) == odd && !holds(fraction, -1, all));
    }
}

/* All aliases of at most two tricks, in any order. */
static void assert_aliases(const struct fraction *fraction, uint64_t effect, int count, const uint64_t *known)
{
    uint64_t alias[16];
    int found = fraction_aliases(fraction, effect, 2, alias);
    assert_int_equal(found, count);
    for (int i = 0; i < count; i++) {
        bool there = false;
        for (int j = 0; j < found; j++) there = there || alias[j] == known[i];
        assert_true(there);
    }
}

static void test_aliases(void **state)
{
    (void)state;
    const struct fraction *f = fraction_find(3, true);
    assert_aliases(f, A, 1, (uint64_t[]){B | C});
    assert_aliases(f, B, 1, (uint64_t[]){A | C});
    assert_aliases(f, C, 1, (uint64_t[]){A | B});
    f = fraction_find(4, false);
    for (uint64_t trick = A; trick <= D; trick *= 2) assert_aliases(f, trick, 0, NULL);
    assert_aliases(f, A | B, 1, (uint64_t[]){C | D});
    assert_aliases(f, A | C, 1, (uint64_t[]){B | D});
    assert_aliases(f, A | D, 1, (uint64_t[]){B | C});
    f = fraction_find(5, false);
    for (uint64_t a = A; a <= E; a *= 2)
        for (uint64_t b = A; b <= a; b *= 2) assert_aliases(f, a | b, 0, NULL);
    f = fraction_find(5, true);
    assert_aliases(f, A, 2, (uint64_t[]){B | D, C | E});
    assert_aliases(f, B, 1, (uint64_t[]){A | D});
    assert_aliases(f, C, 1, (uint64_t[]){A | E});
    assert_aliases(f, D, 1, (uint64_t[]){A | B});
    assert_aliases(f, E, 1, (uint64_t[]){A | C});
    assert_aliases(f, B | C, 1, (uint64_t[]){D | E});
    assert_aliases(f, B | E, 1, (uint64_t[]){C | D});
    f = fraction_find(6, false);
    for (uint64_t trick = A; trick <= F; trick *= 2) assert_aliases(f, trick, 0, NULL);
    assert_aliases(f, A | B, 1, (uint64_t[]){C | E});
    assert_aliases(f, A | D, 1, (uint64_t[]){E | F});
    assert_aliases(f, B | C, 2, (uint64_t[]){A | E, D | F});
    f = fraction_find(7, false);
    for (uint64_t trick = A; trick <= G; trick *= 2) assert_aliases(f, trick, 0, NULL);
    assert_aliases(f, A | B, 2, (uint64_t[]){C | E, F | G});
    assert_aliases(f, D | G, 2, (uint64_t[]){A | C, B | E});
}

/* Aliases weight the runs alike, up to one sign; of other effects none does. */
static void test_aliases_cannot_be_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct fraction *fraction = fraction_find(rows[i].k, rows[i].screening);
        uint64_t run[32], alias[16], sets = (uint64_t)1 << fraction->k;
        int64_t runs = (int64_t)1 << (fraction->k - fraction->p);
        fraction_runs(fraction, 1, run);
        for (uint64_t effect = 1; effect < sets; effect++) {
            int count = fraction_aliases(fraction, effect, fraction->k, alias), alike = 0;
            for (uint64_t other = 1; other < sets; other++) {
                double product = 0;
                for (int64_t r = 0; r < runs; r++) product += effect_weight(run[r], effect, 2) * effect_weight(run[r], other, 2);
                bool listed = false;
                for (int a = 0; a < count; a++) listed = listed || alias[a] == other;
                assert_true(other == effect || listed == (fabs(product) == (double)runs));
                alike += listed;
            }
            assert_int_equal(alike, count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_square), cmocka_unit_test(test_weights), cmocka_unit_test(test_rows),
        cmocka_unit_test(test_runs),   cmocka_unit_test(test_aliases), cmocka_unit_test(test_aliases_cannot_be_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
