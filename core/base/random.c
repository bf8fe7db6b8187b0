#include "base/random.h"

#include <math.h>
#include <string.h>

#include "base/mask_levels.h"

/* How a place and an element become a counter: counter = {block, a, b, c}, lowest word first, where block counts blocks of four 32-bit
 * words. Of a block's words w0 .. w3, two make a 64-bit number, the lower half first:
 *   uniform, below   element e: block e / 2, words 2 (e mod 2) and the next; uniform is the number's upper 53 bits times 2^-53
 *   normal           element e: block e, words 0, 1 and 2, 3 as two uniforms
 *   mask             element e: block e / 8, word (e mod 8) / 2, its lower 16 bits first
 *   beta             element e: block e; words 0, 1 and 2, 3 are the keys of two more streams, one for each gamma
 * A block number of more than 32 bits keeps its low word there, and adds its high word to the key. */

void random_philox(uint64_t key, const uint32_t counter[4], uint32_t out[4])
{
    uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
    uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t product0 = (uint64_t)PHILOX_MULTIPLIER_0 * x0, product1 = (uint64_t)PHILOX_MULTIPLIER_1 * x2;
        x0 = (uint32_t)(product1 >> 32) ^ x1 ^ key0;
        x1 = (uint32_t)product1;
        x2 = (uint32_t)(product0 >> 32) ^ x3 ^ key1;
        x3 = (uint32_t)product0;
        key0 += PHILOX_WEYL_0;
        key1 += PHILOX_WEYL_1;
    }
    out[0] = x0, out[1] = x1, out[2] = x2, out[3] = x3;
}

/* The name's FNV-1a hash is the counter and the seed is the key, so that near seeds and near names give unrelated keys. */
uint64_t random_key(uint64_t seed, const char *name)
{
    uint64_t hash = 0xCBF29CE484222325;
    for (const char *letter = name; *letter != '\0'; letter++) hash = (hash ^ (unsigned char)*letter) * 0x100000001B3;
    uint32_t counter[4] = {(uint32_t)hash, (uint32_t)(hash >> 32), 0, 0}, out[4];
    random_philox(seed, counter, out);
    return (uint64_t)out[1] << 32 | out[0];
}

static void draw_block(uint64_t key, struct random_place place, uint64_t block, uint64_t out[2])
{
    uint32_t counter[4] = {(uint32_t)block, place.a, place.b, place.c}, word[4];
    random_philox(key + (block >> 32), counter, word);
    out[0] = (uint64_t)word[1] << 32 | word[0];
    out[1] = (uint64_t)word[3] << 32 | word[2];
}

/* [0, 1) */
static double unit(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

static uint64_t draw_bits(uint64_t key, struct random_place place, uint64_t element)
{
    uint64_t pair[2];
    draw_block(key, place, element / 2, pair);
    return pair[element % 2];
}

double random_uniform(uint64_t key, struct random_place place, uint64_t element)
{
    return unit(draw_bits(key, place, element));
}

void random_uniforms(uint64_t key, struct random_place place, uint64_t first, int64_t count, knack_real *out)
{
    const knack_real below_one = sizeof(knack_real) == sizeof(float) ? (knack_real)0x1.fffffep-1 : (knack_real)0x1.fffffffffffffp-1;
    uint64_t pair[2];
    for (int64_t i = 0; i < count; i++) {
        uint64_t element = first + (uint64_t)i;
        if (i == 0 || element % 2 == 0) draw_block(key, place, element / 2, pair);
        knack_real value = (knack_real)unit(pair[element % 2]);
        out[i] = value < below_one ? value : below_one;
    }
}

double random_normal(uint64_t key, struct random_place place, uint64_t element)
{
    static const double two_pi = 6.28318530717958647692;
    uint64_t pair[2];
    draw_block(key, place, element, pair);
    double radius = sqrt(-2 * log(1 - unit(pair[0]))); /* 1 - u lies in (0, 1] */
    return radius * cos(two_pi * unit(pair[1]));
}

/* Multiplication instead of a remainder (Lemire 2019), without its rejection: the bias is below bound / 2^64. */
uint64_t random_below(uint64_t key, struct random_place place, uint64_t element, uint64_t bound)
{
    return (uint64_t)((unsigned __int128)draw_bits(key, place, element) * bound >> 64);
}

/* The logarithm of a Gamma(shape) variate from the stream of key. Attempt t takes the normal of element 2 t and the uniform of element
 * 4 t + 2; the boost for a shape below 1 takes the uniform of element 2^32, which no attempt reaches. */
static double log_gamma_variate(uint64_t key, double shape)
{
    static const struct random_place start = {0, 0, 0};
    double boost = 0;
    if (shape < 1) {
        boost = log(1 - random_uniform(key, start, (uint64_t)1 << 32)) / shape;
        shape += 1;
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (uint64_t attempt = 0;; attempt++) {
        double x = random_normal(key, start, 2 * attempt), u = 1 - random_uniform(key, start, 4 * attempt + 2);
        double root = 1 + c * x, v = root * root * root;
        if (v > 0 && log(u) < x * x / 2 + d - d * v + d * log(v)) return boost + log(d) + log(v);
    }
}

/* In logarithms, because both gammas of a small shape may be too small for a double. */
double random_beta(uint64_t key, struct random_place place, uint64_t element, double a, double b)
{
    static const double least = 1e-300; /* a smaller shape would make both logarithms infinite; the variate is 0 or 1 long before */
    uint64_t pair[2];
    draw_block(key, place, element, pair);
    double log_x = log_gamma_variate(pair[0], a < least ? least : a);
    double log_y = log_gamma_variate(pair[1], b < least ? least : b);
    return 1 / (1 + exp(log_y - log_x));
}

void random_permutation(uint64_t key, struct random_place place, int64_t count, int32_t *out)
{
    for (int64_t i = 0; i < count; i++) out[i] = (int32_t)i;
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t other = (int64_t)random_below(key, place, (uint64_t)i, (uint64_t)i + 1);
        int32_t swapped = out[i];
        out[i] = out[other];
        out[other] = swapped;
    }
}

/* ---- Masks: many counters at once ---- */

static mask_chunks *best_level(void)
{
    return mask_has_avx512() ? mask_chunks_avx512 : mask_has_avx2() ? mask_chunks_avx2 : mask_chunks_plain;
}

static uint32_t mask_threshold(double rate)
{
    return (uint32_t)(rate * 65536 + 0.5);
}

void random_mask(uint64_t key, struct random_place place, uint64_t first, int64_t count, double rate, uint8_t *out)
{
    const int64_t b = place.b;
    struct mask_draw draw = {.a = place.a, .c = place.c, .b = &b, .rows = 1, .threshold = mask_threshold(rate)};
    mask_chunks *chunks = best_level();
    for (uint64_t block = first / 8; count > 0;) {
        const int64_t blocks_left = (int64_t)(((uint64_t)1 << 32) - (uint32_t)block); /* before the key changes */
        const int64_t here = count / 8 < blocks_left ? count : 8 * blocks_left;
        uint8_t part[MASK_CHUNK];
        draw.key = key + (block >> 32);
        draw.block = (uint32_t)block;
        draw.chunks = here >= MASK_CHUNK ? here / MASK_CHUNK : 1;
        const int64_t taken = here >= MASK_CHUNK ? draw.chunks * MASK_CHUNK : here;
        chunks(&draw, here >= MASK_CHUNK ? out : part);
        if (here < MASK_CHUNK) memcpy(out, part, (size_t)here);
        out += taken;
        count -= taken;
        block += (uint64_t)(taken + 7) / 8;
    }
}

void random_masks(uint64_t key, struct random_place place, const int64_t *b, int64_t rows, int64_t width, double rate, uint8_t *out)
{
    const struct mask_draw draw = {
        .key = key, .a = place.a, .c = place.c, .b = b, .rows = rows, .chunks = width / MASK_CHUNK, .threshold = mask_threshold(rate)};
    if (width % MASK_CHUNK == 0 && width / 8 <= UINT32_MAX) {
        best_level()(&draw, out);
        return;
    }
    for (int64_t i = 0; i < rows; i++) {
        place.b = (uint32_t)b[i];
        random_mask(key, place, 0, width, rate, out + i * width);
    }
}
