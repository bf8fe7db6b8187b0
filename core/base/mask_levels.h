/* The loop of random_mask() for several levels of x86-64. Compilers make of a product of 32-bit halves one of whole 64-bit lanes, which
 * takes three times as long; so the levels that have the right instruction say it. */
#ifndef BASE_MASK_LEVELS_H
#define BASE_MASK_LEVELS_H

#include "base/random.h"

enum { MASK_LANES = 8, MASK_CHUNK = 8 * MASK_LANES }; /* counters of a chunk, and elements that they give */

/* Chunks of several places one behind the other. */
struct mask_draw {
    uint64_t key;
    uint32_t a, c;
    const int64_t *b; /* [rows] */
    int64_t rows, chunks;
    uint32_t block; /* the first of each row */
    uint32_t threshold;
};
/* out [rows, chunks, MASK_CHUNK]: 1 where 16 bits are at least threshold, from the counters {block + lane, a, b[row], c} of a row. */
typedef void mask_chunks(const struct mask_draw *, uint8_t *out);

mask_chunks mask_chunks_plain, mask_chunks_avx2, mask_chunks_avx512; /* all give the same */
bool mask_has_avx2(void);
bool mask_has_avx512(void);

/* What the generator of random.c does in each of its rounds. */
enum { PHILOX_ROUNDS = 10 };
#define PHILOX_MULTIPLIER_0 0xD2511F53u /* the constants of the article */
#define PHILOX_MULTIPLIER_1 0xCD9E8D57u
#define PHILOX_WEYL_0       0x9E3779B9u
#define PHILOX_WEYL_1       0xBB67AE85u

#endif
