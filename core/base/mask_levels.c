#include "base/mask_levels.h"

#include <immintrin.h>
#include <string.h>

bool mask_has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

bool mask_has_avx512(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

/* Every 32-bit word has a 64-bit lane to itself; in its upper half there may be anything, since products take the lower one. Of a lane's
 * words w0 .. w3 the chunk wants w0 w1 w2 w3 side by side, as 16-bit numbers. */

/* ---- Any x86-64 ---- */

void mask_chunks_plain(const struct mask_draw *draws, uint8_t *out)
{
    const struct mask_draw draw = *draws; /* which cannot change by what is stored */
    for (int64_t row = 0; row < draw.rows; row++) {
        for (int64_t lane = 0; lane < draw.chunks * MASK_LANES; lane++, out += 8) {
            const uint32_t counter[4] = {draw.block + (uint32_t)lane, draw.a, (uint32_t)draw.b[row], draw.c};
            uint32_t word[4];
            uint16_t bits[8];
            random_philox(draw.key, counter, word);
            memcpy(bits, word, sizeof bits);
            for (int i = 0; i < 8; i++) out[i] = bits[i] >= draw.threshold;
        }
    }
}

/* ---- AVX2: four counters a vector ---- */

#define AVX2 __attribute__((target("avx2")))

struct words2 {
    __m256i x0, x1, x2, x3;
};

AVX2 static inline struct words2 rounds2(uint64_t key, struct words2 w)
{
    const __m256i multiplier0 = _mm256_set1_epi64x(PHILOX_MULTIPLIER_0), multiplier1 = _mm256_set1_epi64x(PHILOX_MULTIPLIER_1);
    uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const __m256i product0 = _mm256_mul_epu32(w.x0, multiplier0), product1 = _mm256_mul_epu32(w.x2, multiplier1);
        w.x0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product1, 32), w.x1), _mm256_set1_epi64x(key0));
        w.x2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product0, 32), w.x3), _mm256_set1_epi64x(key1));
        w.x1 = product1;
        w.x3 = product0;
        key0 += PHILOX_WEYL_0;
        key1 += PHILOX_WEYL_1;
    }
    return w;
}

/* All bits of a 16-bit number where it is at least the threshold. */
AVX2 static __m256i at_least2(__m256i bits, __m256i threshold)
{
    return _mm256_cmpeq_epi16(_mm256_max_epu16(bits, threshold), bits);
}

/* out [32] from the counters of four lanes. */
AVX2 static inline void store2(struct words2 w, uint32_t threshold, uint8_t *out)
{
    const __m256i least = _mm256_set1_epi16((short)threshold), one = _mm256_set1_epi8(threshold > 0xFFFF ? 0 : 1);
    const __m256i low = _mm256_blend_epi32(w.x0, _mm256_slli_epi64(w.x1, 32), 0xAA); /* w0 w1 of each lane */
    const __m256i high = _mm256_blend_epi32(w.x2, _mm256_slli_epi64(w.x3, 32), 0xAA);
    const __m256i even = _mm256_unpacklo_epi64(low, high), odd = _mm256_unpackhi_epi64(low, high); /* lanes 0, 2 and 1, 3 */
    const __m256i front = at_least2(_mm256_permute2x128_si256(even, odd, 0x20), least);
    const __m256i back = at_least2(_mm256_permute2x128_si256(even, odd, 0x31), least);
    const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(front, back), 0xD8);
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_and_si256(bytes, one));
}

AVX2 void mask_chunks_avx2(const struct mask_draw *draws, uint8_t *out)
{
    const struct mask_draw draw = *draws; /* which cannot change by what is stored */
    for (int64_t row = 0; row < draw.rows; row++) {
        for (int64_t first = 0; first < draw.chunks * MASK_LANES; first += 4, out += 32) {
            const uint32_t block = draw.block + (uint32_t)first;
            const struct words2 w = {.x0 = _mm256_set_epi64x(block + 3u, block + 2u, block + 1u, block),
                                     .x1 = _mm256_set1_epi64x(draw.a),
                                     .x2 = _mm256_set1_epi64x(draw.b[row]),
                                     .x3 = _mm256_set1_epi64x(draw.c)};
            store2(rounds2(draw.key, w), draw.threshold, out);
        }
    }
}

/* ---- AVX-512: eight counters a vector ---- */

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))

struct words5 {
    __m512i x0, x1, x2, x3;
};

AVX512 static inline struct words5 rounds5(uint64_t key, struct words5 w)
{
    enum { XOR_OF_THREE = 0x96 };
    const __m512i multiplier0 = _mm512_set1_epi64(PHILOX_MULTIPLIER_0), multiplier1 = _mm512_set1_epi64(PHILOX_MULTIPLIER_1);
    uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const __m512i product0 = _mm512_mul_epu32(w.x0, multiplier0), product1 = _mm512_mul_epu32(w.x2, multiplier1);
        w.x0 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(product1, 32), w.x1, _mm512_set1_epi64(key0), XOR_OF_THREE);
        w.x2 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(product0, 32), w.x3, _mm512_set1_epi64(key1), XOR_OF_THREE);
        w.x1 = product1;
        w.x3 = product0;
        key0 += PHILOX_WEYL_0;
        key1 += PHILOX_WEYL_1;
    }
    return w;
}

/* out [MASK_CHUNK] from the counters of eight lanes. */
AVX512 static inline void store5(struct words5 w, uint32_t threshold, uint8_t *out)
{
    const __m512i front = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0), back = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
    const __m512i least = _mm512_set1_epi16((short)threshold);
    const __mmask32 any = threshold > 0xFFFF ? 0 : 0xFFFFFFFF;
    const __m512i low = _mm512_mask_blend_epi32(0xAAAA, w.x0, _mm512_slli_epi64(w.x1, 32)); /* w0 w1 of each lane */
    const __m512i high = _mm512_mask_blend_epi32(0xAAAA, w.x2, _mm512_slli_epi64(w.x3, 32));
    const __mmask32 kept_front = _mm512_cmpge_epu16_mask(_mm512_permutex2var_epi64(low, front, high), least);
    const __mmask32 kept_back = _mm512_cmpge_epu16_mask(_mm512_permutex2var_epi64(low, back, high), least);
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_maskz_set1_epi8(kept_front & any, 1));
    _mm256_storeu_si256((__m256i *)(void *)(out + 32), _mm256_maskz_set1_epi8(kept_back & any, 1));
}

AVX512 void mask_chunks_avx512(const struct mask_draw *draws, uint8_t *out)
{
    const struct mask_draw draw = *draws; /* which cannot change by what is stored */
    const __m512i lanes = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    for (int64_t row = 0; row < draw.rows; row++) {
        for (int64_t chunk = 0; chunk < draw.chunks; chunk++, out += MASK_CHUNK) {
            const uint32_t block = draw.block + (uint32_t)(chunk * MASK_LANES);
            const struct words5 w = {.x0 = _mm512_add_epi64(_mm512_set1_epi64(block), lanes), /* which may run into the upper half */
                                     .x1 = _mm512_set1_epi64(draw.a),
                                     .x2 = _mm512_set1_epi64(draw.b[row]),
                                     .x3 = _mm512_set1_epi64(draw.c)};
            store5(rounds5(draw.key, w), draw.threshold, out);
        }
    }
}
