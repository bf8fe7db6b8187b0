/* Channels of images as lanes of vectors. Where LANES is a multiple of the channels, LANES values in a row have the same channel in each
 * lane wherever they begin at a multiple of it, so that loops over few channels are as wide as over many. */
#ifndef KERNELS_LOOPS_LANES_H
#define KERNELS_LOOPS_LANES_H

#include <string.h>

#include "tensor/vector.h"

enum { LANES = 64 };

/* Rows of equally many lanes within [pixels, channels]. */
struct lanes {
    int64_t at;      /* of the first value */
    int64_t channel; /* of the first lane */
    int64_t rows, stride;
};

/* How often LANES lanes fit, and where the k-th time is; k one above the last: what is left over, fewer lanes. */
static inline int64_t lanes_times(int64_t pixels, int64_t channels)
{
    return LANES % channels ? channels / LANES : pixels * channels / LANES > 0;
}

static inline struct lanes lanes_at(int64_t pixels, int64_t channels, int64_t k)
{
    if (LANES % channels) return (struct lanes){.at = k * LANES, .channel = k * LANES, .rows = pixels, .stride = channels};
    const int64_t rows = pixels * channels / LANES;
    return k < lanes_times(pixels, channels) ? (struct lanes){.rows = rows, .stride = LANES}
                                             : (struct lanes){.at = rows * LANES, .rows = 1, .stride = LANES};
}

static inline int64_t lanes_left(int64_t pixels, int64_t channels)
{
    return LANES % channels ? channels % LANES : pixels * channels % LANES;
}

/* The body, a VECTOR_INLINE function's call, for all of [pixels, channels]; it takes the struct lanes `lanes` and their number `width`, a
 * constant but for what is left over. */
#define LANES_EACH(pixels, channels, lanes, body)                                                                                          \
    do {                                                                                                                                   \
        const int64_t times_ = lanes_times(pixels, channels), left_ = lanes_left(pixels, channels);                                        \
        for (int64_t k_ = 0; k_ < times_; k_++) {                                                                                          \
            enum { width = LANES };                                                                                                        \
            const struct lanes lanes = lanes_at(pixels, channels, k_);                                                                     \
            body;                                                                                                                          \
        }                                                                                                                                  \
        if (left_ > 0) {                                                                                                                   \
            const int64_t width = left_;                                                                                                   \
            const struct lanes lanes = lanes_at(pixels, channels, times_);                                                                 \
            body;                                                                                                                          \
        }                                                                                                                                  \
    } while (0)

/* The values [channels] of the lanes' channels. */
VECTOR_INLINE void lanes_spread(struct lanes lanes, int64_t width, const knack_real *values, int64_t channels, knack_real *out)
{
    const int64_t once = channels - lanes.channel < width ? channels - lanes.channel : width;
    memcpy(out, values + lanes.channel, (size_t)once * sizeof *out);
    for (int64_t i = once; i < width; i++) out[i] = out[i - once];
}

/* sums [channels] += those of the lanes. */
VECTOR_INLINE void lanes_join(struct lanes lanes, int64_t width, const double *lane, int64_t channels, double *sums)
{
    int64_t c = lanes.channel;
    for (int64_t j = 0; j < width; j++) {
        sums[c] += lane[j];
        c = c + 1 == channels ? 0 : c + 1;
    }
}

#endif
