/* Addressed random numbers: Philox 4x32-10 (Salmon et al., SC 2011). A number is a function of a key and a counter; there is no position
 * to keep or to save. Who draws is in the key, what is drawn for is in the counter. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <knack/tensor.h>

/* The key of a consumer, e.g. random_key(seed, "order"), random_key(seed, "dropout.fc1"). */
uint64_t random_key(uint64_t seed, const char *name);
void random_philox(uint64_t key, const uint32_t counter[4], uint32_t out[4]);

/* Where in a consumer's stream: names of the three counter words that the consumer fills as it likes; the fourth, the lowest, counts
 * blocks of four 32-bit words within the place. */
struct random_place {
    uint32_t a, b, c;
};

/* element-th number of the place, in [0, 1), with 53 bits; two words an element. */
double random_uniform(uint64_t key, struct random_place, uint64_t element);
void random_uniforms(uint64_t key, struct random_place, uint64_t first, int64_t count,
                     knack_real *out);                                     /* the same, in a loop; below 1 also when rounded */
double random_normal(uint64_t key, struct random_place, uint64_t element); /* Box and Muller */
uint64_t random_below(uint64_t key, struct random_place, uint64_t element, uint64_t bound); /* 0 .. bound - 1; bias below 2^-32 */
/* Beta(a, b) by two gammas (Marsaglia and Tsang 2000; a < 1 boosted). a, b > 0. Strictly within [0, 1]. */
double random_beta(uint64_t key, struct random_place, uint64_t element, double a, double b);
/* A permutation of 0 .. count - 1 (Fisher and Yates). */
void random_permutation(uint64_t key, struct random_place, int64_t count, int32_t *out);
/* Bytes 1 with probability 1 - rate, else 0 (threshold rounded to 1/65536, 16 bits an element, eight a counter): out[count] for elements
 * first .. of the place; first is a multiple of 8. The counter's lowest word is element / 8. */
void random_mask(uint64_t key, struct random_place, uint64_t first, int64_t count, double rate, uint8_t *out);
/* The first width elements of several places that differ in b: out[rows, width], row i being of the place with b[i]. */
void random_masks(uint64_t key, struct random_place, const int64_t *b, int64_t rows, int64_t width, double rate, uint8_t *out);

#endif
