/* The loop of random_mask() for several levels of x86-64. Compilers make of a product of 32-bit halves one of whole 64-bit lanes, which
 * takes three times as long; so the levels that have the right instruction say it. */
#ifndef BASE_MASK_LEVELS_H
#define BASE_MASK_LEVELS_H

#include "base/random.h"

enum { MASK_LANES = 16, MASK_CHUNK = 8 * MASK_LANES }; /* counters of a chunk, and elements that they give */

/* out [MASK_CHUNK]: 1 where 16 bits are at least threshold, from the counters {block + lane, a, b, c}. */
typedef void mask_chunk(uint64_t key, struct random_place, uint32_t block, uint32_t threshold, uint8_t *out);

mask_chunk mask_chunk_plain, mask_chunk_avx2, mask_chunk_avx512; /* all give the same */
bool mask_has_avx2(void);
bool mask_has_avx512(void);

/* What the generator of random.c does in each of its rounds. */
enum { PHILOX_ROUNDS = 10 };
#define PHILOX_MULTIPLIER_0 0xD2511F53u /* the constants of the article */
#define PHILOX_MULTIPLIER_1 0xCD9E8D57u
#define PHILOX_WEYL_0       0x9E3779B9u
#define PHILOX_WEYL_1       0xBB67AE85u

#endif
