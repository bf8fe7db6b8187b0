#include "base/test.h"

#include <math.h>
#include <string.h>

#include "base/mask_levels.h"
#include "base/random.h"
#include "vectors/random_streams.h"

static const struct random_place place = {1, 2, 3};

/* Known answers of the authors' library, Random123. */
static void test_philox(void **state)
{
    (void)state;
    static const struct {
        uint64_t key;
        uint32_t counter[4], out[4];
    } known[] = {
        {0, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t out[4];
        random_philox(known[i].key, known[i].counter, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void test_keys(void **state)
{
    (void)state;
    assert_true(random_key(7, "dropout.fc1") == vector_key);
    assert_true(random_key(8, "dropout.fc1") != vector_key);
    assert_true(random_key(7, "dropout.fc2") != vector_key);
    assert_true(random_key(7, "") != random_key(7, "a"));
}

static void assert_close(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-13 * fmax(1, fabs(expected)))) fail_msg("expected %.17g, got %.17g", expected, found);
}

static void test_against_the_description(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        assert_true(random_uniform(vector_key, place, i) == vector_uniform[i]);
        assert_close(random_normal(vector_key, place, i), vector_normal[i]);
        assert_close(random_beta(vector_key, place, i, 0.2, 0.2), vector_beta_small[i]);
        assert_close(random_beta(vector_key, place, i, 2, 5), vector_beta_large[i]);
    }
    for (uint64_t i = 0; i < 4; i++) assert_true(random_uniform(vector_key, place, ((uint64_t)1 << 33) - 2 + i) == vector_far_uniform[i]);
    for (uint64_t i = 0; i < 6; i++) assert_int_equal(random_below(vector_key, place, i, 1000), vector_below_1000[i]);
    int32_t order[12];
    random_permutation(vector_key, place, 12, order);
    assert_memory_equal(order, vector_permutation, sizeof order);
    uint8_t mask[40];
    random_mask(vector_key, place, 8, 40, 0.25, mask);
    for (int i = 0; i < 40; i++) assert_int_equal(mask[i], vector_mask[i] - '0');
}

static void test_uniforms(void **state)
{
    (void)state;
    knack_real out[100];
    for (uint64_t first = 0; first < 5; first++) {
        random_uniforms(vector_key, place, first, 100, out);
        for (uint64_t i = 0; i < 100; i++) {
            assert_true(out[i] == (knack_real)random_uniform(vector_key, place, first + i));
            assert_true(out[i] >= 0 && out[i] < 1);
        }
    }
    random_uniforms(vector_key, place, 0, 0, NULL);
}

enum { MANY = 200000 };

static void test_moments(void **state)
{
    (void)state;
    static const double shapes[][2] = {{0.2, 0.2}, {1, 1}, {2, 5}, {0.5, 3}, {100, 100}};
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        double x = random_normal(vector_key, place, i);
        sum += x, squares += x * x;
    }
    assert_true(fabs(sum / MANY) < 5 / sqrt(MANY));
    assert_true(fabs(squares / MANY - 1) < 5 * sqrt(2.0 / MANY));
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        double a = shapes[k][0], b = shapes[k][1], mean = a / (a + b), variance = a * b / ((a + b) * (a + b) * (a + b + 1));
        sum = squares = 0;
        for (uint64_t i = 0; i < MANY / 10; i++) {
            double x = random_beta(vector_key, place, i, a, b);
            assert_true(x >= 0 && x <= 1);
            sum += x, squares += (x - mean) * (x - mean);
        }
        assert_true(fabs(sum * 10 / MANY - mean) < 5 * sqrt(variance * 10 / MANY));
        assert_true(fabs(squares * 10 / MANY - variance) < 0.05 * variance);
    }
}

/* Shapes at which the gammas themselves are too small or too large for a double. */
static void test_extreme_beta(void **state)
{
    (void)state;
    int ones = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        double x = random_beta(vector_key, place, i, 1e-6, 1e-6);
        assert_true(x < 1e-3 || x > 1 - 1e-3);
        ones += x > 0.5;
        assert_true(fabs(random_beta(vector_key, place, i, 1e12, 1e12) - 0.5) < 1e-4);
        assert_false(isnan(random_beta(vector_key, place, i, 5e-324, 5e-324)));
    }
    assert_true(ones > 400 && ones < 600);
}

static void test_permutation(void **state)
{
    (void)state;
    static int32_t order[5000];
    static bool seen[5000];
    random_permutation(vector_key, place, 5000, order);
    int fixed = 0;
    for (int i = 0; i < 5000; i++) {
        assert_in_range(order[i], 0, 4999);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        fixed += order[i] == i;
    }
    assert_true(fixed < 10);
    random_permutation(vector_key, place, 1, order);
    assert_int_equal(order[0], 0);
    random_permutation(vector_key, place, 0, order);
}

/* The bit that random.c's description gives an element. */
static uint8_t plain_mask(struct random_place at, uint64_t element, double rate)
{
    uint64_t block = element / 8;
    uint32_t counter[4] = {(uint32_t)block, at.a, at.b, at.c}, word[4];
    random_philox(vector_key + (block >> 32), counter, word);
    uint32_t bits = word[element % 8 / 2] >> (16 * (element % 2)) & 0xFFFF;
    return bits >= (uint32_t)(rate * 65536 + 0.5);
}

/* What each level of instructions draws; also where the block number runs over, and at the ends of the threshold. */
static void test_mask_levels(void **state)
{
    (void)state;
    static const uint32_t blocks[] = {0, 16, 0xFFFFFFF5u}, thresholds[] = {0, 1, 6554, 0x8000, 0xFFFF, 0x10000};
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++)
        for (size_t t = 0; t < sizeof thresholds / sizeof *thresholds; t++) {
            static const int64_t rows[] = {0xFFFFFFFF, 0, 5};
            const struct mask_draw draw = {
                .key = vector_key, .a = 3, .b = rows, .c = 7, .rows = 3, .chunks = 3, .block = blocks[b], .threshold = thresholds[t]};
            uint8_t plain[3 * 3 * MASK_CHUNK], level[3 * 3 * MASK_CHUNK];
            mask_chunks_plain(&draw, plain);
            memcpy(level, plain, sizeof level);
            if (mask_has_avx2()) mask_chunks_avx2(&draw, level);
            assert_memory_equal(plain, level, sizeof level);
            if (mask_has_avx512()) mask_chunks_avx512(&draw, level);
            assert_memory_equal(plain, level, sizeof level);
        }
}

static void test_mask_chunks(void **state)
{
    (void)state;
    static const uint64_t firsts[] = {0, 8, 136, 1 << 20, ((uint64_t)1 << 35) - 64}; /* the last one's block number leaves 32 bits */
    static const int64_t counts[] = {0, 1, 7, 8, 127, 128, 129, 300};
    for (size_t f = 0; f < sizeof firsts / sizeof firsts[0]; f++) {
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            uint8_t mask[304];
            memset(mask, 9, sizeof mask);
            random_mask(vector_key, place, firsts[f], counts[c], 0.3, mask);
            for (int64_t i = 0; i < counts[c]; i++) assert_int_equal(mask[i], plain_mask(place, firsts[f] + (uint64_t)i, 0.3));
            for (int64_t i = counts[c]; i < 304; i++) assert_int_equal(mask[i], 9);
        }
    }
}

static void test_masks_of_rows(void **state)
{
    (void)state;
    static const int64_t rows[] = {4, 0xFFFFFFFF, 0}, widths[] = {1, 64, 72, 192};
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        uint8_t mask[3 * 192];
        random_masks(vector_key, place, rows, 3, widths[w], 0.3, mask);
        for (int64_t i = 0; i < 3 * widths[w]; i++) {
            const struct random_place at = {place.a, (uint32_t)rows[i / widths[w]], place.c};
            assert_int_equal(mask[i], plain_mask(at, (uint64_t)(i % widths[w]), 0.3));
        }
    }
}

static void test_mask_rates(void **state)
{
    (void)state;
    static uint8_t mask[MANY];
    static const double rates[] = {0, 0.1, 0.25, 0.5, 0.9, 1};
    for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
        random_mask(vector_key, place, 0, MANY, rates[k], mask);
        double sum = 0;
        for (int i = 0; i < MANY; i++) sum += mask[i];
        assert_true(fabs(sum / MANY - (1 - rates[k])) <= 5 * sqrt(rates[k] * (1 - rates[k]) / MANY) + 1.0 / 65536);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox),        cmocka_unit_test(test_keys),        cmocka_unit_test(test_against_the_description),
        cmocka_unit_test(test_uniforms),      cmocka_unit_test(test_moments),     cmocka_unit_test(test_extreme_beta),
        cmocka_unit_test(test_permutation),   cmocka_unit_test(test_mask_levels), cmocka_unit_test(test_mask_chunks),
        cmocka_unit_test(test_masks_of_rows), cmocka_unit_test(test_mask_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
